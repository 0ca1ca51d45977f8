use alloc::vec;

use super::*;
use crate::gzip::crc32;
use crate::gzip::deflate::Deflater;
use crate::import;

const FIXTURE: &[u8] =
    include_bytes!("../../../../tests/fixtures/11111111-2222-4333-8444-555555555555.jsonl.gz");
const NAME: &str = "archives/11111111-2222-4333-8444-555555555555.jsonl.gz";

fn drafts(imported: &Imported) -> Vec<&str> {
    imported.sessions[0].drafts.iter().map(Draft::as_str).collect()
}

fn read_text(text: impl AsRef<[u8]>) -> Imported {
    read(&[File { name: "a.jsonl", bytes: text.as_ref() }]).unwrap()
}

fn member(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    Deflater::default().block(content, &mut bytes);
    bytes.extend([3, 0]);
    bytes.extend(crc32(0, content).to_le_bytes());
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes
}

#[test]
fn an_archive_becomes_a_session() {
    let imported = import::read(&[File { name: NAME, bytes: FIXTURE }], None).unwrap();
    assert_eq!(imported.skipped, []);
    assert_eq!(imported.sessions[0].id.as_str(), "11111111-2222-4333-8444-555555555555");
    assert_eq!(
        drafts(&imported),
        [
            r#"{"kind":"assistant_item","item":{"content":[{"type":"text","text":"hi"}]},"line":{"type":"assistant"}}"#,
            r#"{"kind":"run_completed","result":"finished","line":{"type":"result","num_turns":1}}"#,
        ]
    );
}

#[test]
fn every_line_of_a_stream_has_its_entry() {
    for (line, draft) in [
        (
            r#"{"type":"user","message":{"role":"user","content":"Hi"},"session_id":"s"}"#,
            r#"{"kind":"user_input","item":{"role":"user","content":"Hi"},"line":{"type":"user","session_id":"s"}}"#,
        ),
        (
            r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}}"#,
            r#"{"kind":"tool_result","item":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]},"line":{"type":"user"}}"#,
        ),
        (
            r#"{"type":"result","subtype":"error_during_execution","is_error":true}"#,
            r#"{"kind":"run_errored","message":"error_during_execution","line":{"type":"result","subtype":"error_during_execution","is_error":true}}"#,
        ),
        (
            r#"{"type":"result","subtype":"success","is_error":true,"result":"no credit"}"#,
            r#"{"kind":"run_errored","message":"no credit","line":{"type":"result","subtype":"success","is_error":true,"result":"no credit"}}"#,
        ),
        (
            r#"{"type":"result","subtype":"error_max_turns","is_error":false}"#,
            r#"{"kind":"run_completed","result":"limit_reached","line":{"type":"result","subtype":"error_max_turns","is_error":false}}"#,
        ),
        (
            r#"{"type":"system","subtype":"init"}"#,
            r#"{"kind":"extension","domain":"agentmux","payload":{"type":"system","subtype":"init"}}"#,
        ),
        (
            r#"{"type":"assistant","message":7}"#,
            r#"{"kind":"extension","domain":"agentmux","payload":{"type":"assistant","message":7}}"#,
        ),
        (
            r#"{"type":"user","message":{},"message":{"a":1}}"#,
            r#"{"kind":"extension","domain":"agentmux","payload":{"type":"user","message":{},"message":{"a":1}}}"#,
        ),
        ("[1]", r#"{"kind":"extension","domain":"agentmux.text","payload":"[1]"}"#),
        (
            "\u{1b}[1mplain\u{1b}[0m",
            r#"{"kind":"extension","domain":"agentmux.text","payload":"\u001b[1mplain\u001b[0m"}"#,
        ),
    ] {
        let imported = read_text(alloc::format!("\n{line}\r\n  \n"));
        assert_eq!((imported.skipped.len(), drafts(&imported)), (0, vec![draft]));
    }
    assert_eq!(
        drafts(&read_text(b"\xff\n")),
        [r#"{"kind":"extension","domain":"agentmux.text","payload":{"base64":"/w=="}}"#]
    );
    let deep = alloc::format!("{{\"type\":\"x\",\"a\":{}{}}}\n", "[".repeat(64), "]".repeat(64));
    assert!(drafts(&read_text(&deep))[0].contains("agentmux.text"));
}

#[test]
fn lines_may_end_anyhow_and_a_torn_one_is_kept_and_told() {
    let imported = read_text(r#"{"type":"system"}"#);
    assert_eq!((drafts(&imported).len(), imported.skipped.len()), (1, 0));
    let imported = read_text("{\"type\":\"system\"}\n\n{\"type\":\"assi");
    assert_eq!(
        drafts(&imported)[1],
        r#"{"kind":"extension","domain":"agentmux.text","payload":"{\"type\":\"assi"}"#
    );
    let place = imported.skipped[0].error.place();
    assert_eq!(imported.skipped[0].error.code(), "torn_tail");
    assert_eq!((place.line, place.offset), (Some(3), Some(19)));
}

#[test]
fn lines_too_long_for_an_entry_are_left_out_and_told() {
    let long = "x".repeat(crate::limits::LINE_BYTES_MAX);
    let imported = read_text(alloc::format!("a\n{long}\nb\n"));
    assert_eq!(drafts(&imported).len(), 2);
    let error = &imported.skipped[0].error;
    assert_eq!((error.code(), error.place().line), ("too_large", Some(2)));
}

#[test]
fn lines_that_are_no_messages_are_taken_together() {
    let event = r#"{"type":"system"}"#;
    let imported = read_text(alloc::format!("a\n\n  b\r\n{event}\nc\nÿ\nd\n"));
    let text = |text: &str| {
        alloc::format!(r#"{{"kind":"extension","domain":"agentmux.text","payload":{text}}}"#)
    };
    let event = alloc::format!(r#"{{"kind":"extension","domain":"agentmux","payload":{event}}}"#);
    assert_eq!(drafts(&imported), [&*text(r#""a\n\n  b""#), &*event, &*text("\"c\\nÿ\\nd\"")]);
    let bytes = [&b"c\n"[..], b"\xff\n\xfe\n", b"d\n"].concat();
    let parts = [text("\"c\""), text(r#"{"base64":"/wr+"}"#), text("\"d\"")];
    assert_eq!(drafts(&read_text(&bytes)), parts.each_ref().map(|part| &**part));
    let spinner = read_text("\r\x1b[2K Working... \n".repeat(300_000));
    assert_eq!((drafts(&spinner).len(), spinner.skipped.len()), (83, 0));
    let joined: Vec<_> =
        spinner.sessions[0].drafts.iter().map(|draft| draft.as_str().len()).collect();
    assert!(joined.iter().all(|bytes| *bytes < 100_000), "{joined:?}");
}

#[test]
fn a_session_has_so_many_entries_at_most() {
    let most = crate::limits::IMPORT_ENTRIES_MAX;
    for line in ["{}\n", "x\n{}\n"] {
        let imported = read_text(line.repeat(2 * most));
        assert_eq!((drafts(&imported).len(), imported.skipped.len()), (most, 1));
        let error = &imported.skipped[0].error;
        assert_eq!((error.code(), error.place().line), ("too_large", Some(most as u64 + 1)));
    }
}

#[test]
fn what_shrinks_to_nothing_is_read() {
    let bytes = member(&b"\r\x1b[2K Working... \n".repeat(300_000));
    let imported = import::read(&[File { name: "a.jsonl.gz", bytes: &bytes }], None).unwrap();
    assert_eq!((drafts(&imported).len(), imported.skipped.len()), (83, 0));
}

#[test]
fn archives_of_several_members_are_read_whole() {
    let bytes = [member(b"{\"type\":\"system\"}\n{\"ty"), member(b"pe\":\"system\"}\n")].concat();
    let imported = read(&[File { name: "a.jsonl.gz", bytes: &bytes }]).unwrap();
    assert_eq!((drafts(&imported).len(), imported.skipped.len()), (2, 0));
}

#[test]
fn sidecars_are_left_out_and_told() {
    let imported = import::read(&[File { name: "a.tsidx.gz", bytes: b"" }], None).unwrap();
    assert_eq!((imported.sessions.len(), imported.skipped.len()), (0, 1));
}

#[test]
fn of_a_damaged_archive_what_can_be_read_is_taken_and_the_rest_told() {
    let bytes = member("{\"type\":\"system\",\"n\":1}\n".repeat(50).as_bytes());
    let mut taken = 0;
    for file in [FIXTURE, &bytes] {
        for end in 0..file.len() {
            match read(&[File { name: "a.jsonl.gz", bytes: &file[..end] }]) {
                Ok(imported) => {
                    taken += 1;
                    assert!(!drafts(&imported).is_empty());
                    let error = &imported.skipped.last().unwrap().error;
                    assert!(error.place().offset.is_some(), "{error}");
                    assert!(error.code().starts_with("gzip"), "{error}");
                }
                Err(error) => assert!(error.place().offset.is_some(), "{end}: {error}"),
            }
        }
    }
    assert!(taken > 20, "{taken}");
    for at in 0..FIXTURE.len() {
        for change in [1, 0x40, 0xff] {
            let mut changed = FIXTURE.to_vec();
            changed[at] ^= change;
            if let Ok(imported) = read(&[File { name: "a.jsonl.gz", bytes: &changed }]) {
                assert!(imported.sessions[0].drafts.iter().all(|draft| check(draft).is_ok()));
            }
        }
    }
}

#[test]
fn a_bomb_is_read_up_to_its_bound() {
    let bomb = member(&vec![b'\n'; 64 << 20]);
    let error = read(&[File { name: "a.jsonl.gz", bytes: &bomb }]).unwrap_err();
    assert_eq!(error.code(), "output_limit");
}
