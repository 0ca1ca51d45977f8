mod eras;
mod kept;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use self::eras::{ERAS, USER};
use super::*;
use crate::import::{Format, Imported, Skipped, detect as detect_any, group, read as read_any};
use crate::limits::LINE_BYTES_MAX;
use crate::log::{Draft, Stamp, Writer};
use crate::{Hash, State};

const LOG_NAME: &str = "01969a00-0000-7000-8000-000000000001.jsonl";
const TRACE_NAME: &str = "01969a00-0000-7000-8000-000000000001.trace.jsonl";
const LOG_BYTES: &[u8] = include_bytes!(
    "../../../../../tests/fixtures/session-store/01969a00-0000-7000-8000-000000000001.jsonl"
);
const TRACE_BYTES: &[u8] = include_bytes!(
    "../../../../../tests/fixtures/session-store/01969a00-0000-7000-8000-000000000001.trace.jsonl"
);

fn imported(bytes: &[u8]) -> Imported {
    read_any(&[File { name: "s.jsonl", bytes }], Some(Format::SessionStore)).unwrap()
}

fn drafts(text: &str) -> Vec<String> {
    let imported = imported(text.as_bytes());
    assert_eq!(imported.skipped, []);
    let [session] = &imported.sessions[..] else { panic!("{imported:?}") };
    session.drafts.iter().map(|draft| draft.as_str().to_string()).collect()
}

fn folded(session: &Session) -> State {
    let writer = Writer::create(session.id.clone(), false);
    let batch = writer.write(&session.drafts, &Stamp::default()).unwrap();
    State::fold(&batch.bytes).unwrap()
}

fn places(imported: &Imported) -> Vec<(&str, Option<u64>, Option<u64>)> {
    let place = |skipped: &Skipped| skipped.error.place().clone();
    imported.skipped.iter().map(|s| (s.error.code(), place(s).line, place(s).offset)).collect()
}

/// Lines as the hashed eras wrote them.
fn hashed(entries: &[&str]) -> Vec<u8> {
    let mut prev: Option<Hash> = None;
    let mut lines = Vec::new();
    for entry in entries {
        let rest = &entry[1..];
        let hash = entry_hash(prev, rest.as_bytes());
        let before = prev.map_or("null".to_string(), |prev| format!("\"{prev}\""));
        lines.extend(format!("{{\"hash\":\"{hash}\",\"prev_hash\":{before},{rest}\n").into_bytes());
        prev = Some(hash);
    }
    lines
}

#[test]
fn a_file_that_session_store_wrote_becomes_these_drafts() {
    let files =
        [File { name: LOG_NAME, bytes: LOG_BYTES }, File { name: TRACE_NAME, bytes: TRACE_BYTES }];
    assert_eq!(group(&[LOG_NAME, TRACE_NAME]), [[0, 1]]);
    assert_eq!(files.map(detect_any), [Some(Format::SessionStore); 2]);
    let imported = read_any(&files, None).unwrap();
    assert_eq!((imported.skipped.len(), imported.cache.len()), (0, 0));
    let [session] = &imported.sessions[..] else { panic!("{imported:?}") };
    assert_eq!(session.id.as_str(), "01969a00-0000-7000-8000-000000000001");
    assert_eq!(session.files, [0, 1]);
    assert_eq!(session.trace.as_bytes(), TRACE_BYTES);
    assert_eq!(session.chain, Some(crate::import::Chain { held: 12, fault: None }));
    let expected = [
        r#"{"kind":"session_start","ts":1000,"system_prompt":"You are helpful.","config":{"max_tokens":1024,"temperature":0.7,"top_p":null,"top_k":null,"stop_sequences":[],"reasoning":null},"history":[]}"#,
        r#"{"kind":"user_input","ts":2000,"item":{"type":"message","role":"user","content":[{"type":"text","text":"Hello   \"日本\" 😀 \u0001/"}]}}"#,
        r#"{"kind":"assistant_item","ts":3000,"item":{"type":"reasoning","text":"think"}}"#,
        r#"{"kind":"assistant_item","ts":3000,"item":{"type":"tool_call","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Tokyo\"}"}}"#,
        r#"{"kind":"tool_result","ts":3500,"item":{"type":"tool_result","call_id":"call_1","summary":"Sunny","content":"Sunny, 25C"}}"#,
        r#"{"kind":"system_item","ts":3600,"item":{"type":"message","role":"system","content":[{"type":"text","text":"note"}]}}"#,
        r#"{"kind":"llm_usage","ts":3700,"history_len":4,"input_total_tokens":65,"cache_read_tokens":50,"cache_write_tokens":0,"output_tokens":5}"#,
        r#"{"kind":"turn_end","ts":4100,"turn":1}"#,
        r#"{"kind":"run_completed","ts":4200,"interrupted":false,"result":"finished"}"#,
        r#"{"kind":"run_errored","ts":4300,"interrupted":true,"message":"boom"}"#,
        r#"{"kind":"config_changed","ts":4400,"config":{"max_tokens":null,"temperature":0.1,"top_p":null,"top_k":null,"stop_sequences":[],"reasoning":null}}"#,
        r#"{"kind":"extension","ts":4500,"domain":"memory.extract","payload":{"a":2.5,"b":[1e+21,1.0,-0.0],"z":1}}"#,
        r#"{"kind":"compaction","ts":5000,"config":{"max_tokens":null,"temperature":null,"top_p":null,"top_k":null,"stop_sequences":[],"reasoning":null},"summary":[{"type":"message","role":"user","content":[{"type":"text","text":"seed"}]}],"keep_last":0,"origin":{"system_prompt":null,"forked_from":{"session_id":"01969a00-0000-7000-8000-000000000001","at_hash":"abababababababababababababababababababababababababababababababab"}}}"#,
    ];
    let found: Vec<_> = session.drafts.iter().map(Draft::as_str).collect();
    let input = expected[1].replace("Hello   ", "Hello \u{2028} ").replace("😀 ", "😀 \u{7f}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(*found, if at == 1 { &*input } else { expected }, "{at}");
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn what_it_folds_to_is_what_session_store_would_restore() {
    let session = imported(LOG_BYTES).sessions.remove(0);
    let state = folded(&session);
    // Replaced by the second start …
    let history: Vec<_> = state.history.iter().map(|item| (item.kind, &*item.item)).collect();
    let seed = r#"{"type":"message","role":"user","content":[{"type":"text","text":"seed"}]}"#;
    assert_eq!(history, [("summary", seed)]);
    let config = state.config.unwrap();
    assert!(config.starts_with(r#"{"max_tokens":null,"temperature":null"#), "{config}");
    // … which resets nothing else.
    assert_eq!((state.turns, state.run.as_deref()), (1, Some("errored")));
    assert_eq!(state.usage[0].counts, [Some(4), Some(65), Some(50), Some(0), Some(5)]);
    assert_eq!(state.extensions[0].payload, r#"{"a":2.5,"b":[1e+21,1.0,-0.0],"z":1}"#);
    // A prompt cannot be unset by an entry: that it was stands in the entry's `origin`.
    assert_eq!(state.system_prompt.as_deref(), Some("You are helpful."));
}

#[test]
fn files_of_every_era_are_read() {
    for (era, is_hashed, entries, expected) in ERAS {
        let plain = format!("{}\n", entries.join("\n"));
        let bytes = if *is_hashed { hashed(entries) } else { plain.into_bytes() };
        let file = File { name: "s.jsonl", bytes: &bytes };
        assert_eq!(detect_any(file), Some(Format::SessionStore), "{era}");
        let imported = imported(&bytes);
        assert_eq!(imported.skipped, [], "{era}");
        let session = &imported.sessions[0];
        let found: Vec<_> = session.drafts.iter().map(Draft::as_str).collect();
        assert_eq!(&found, expected, "{era}");
        let held = session.chain.as_ref().map(|chain| (chain.held, chain.fault.clone()));
        assert_eq!(held, is_hashed.then_some((entries.len() as u64, None)), "{era}");
        folded(session);
    }
}

#[test]
fn ids_of_items_are_kept_where_they_are_ids_and_no_one_elses() {
    let item = |id: &str| format!(r#"{{"kind":"assistant_item","item":{{"id":{id}}}}}"#);
    let long = format!("\"{}\"", "x".repeat(513));
    let ids = ["\"a\"", "\"a\"", "\"\"", "7", &long, "\"b\""];
    let found = drafts(&ids.map(item).join("\n"));
    let has_id: Vec<_> = found.iter().map(|draft| draft.contains("},\"id\":")).collect();
    assert_eq!(has_id, [true, false, false, false, false, true]);
    assert!(found[0].ends_with(r#"{"id":"a"},"id":"a"}"#));
}

#[test]
fn what_does_not_fit_its_kind_is_kept_aside_and_told_of() {
    let deep = format!("{}{}", "[".repeat(62), "]".repeat(62));
    let deeper = format!("{}{}", "[".repeat(63), "]".repeat(63));
    let lines = [
        r#"{"kind":"turn_end","ts":1}"#.to_string(),
        r#"{"kind":"turn_end","ts":"x","turn_count":1}"#.to_string(),
        r#"{"kind":"turn_end","turn_count":1,"turn_count":2}"#.to_string(),
        r#"{"kind":"user_input"}"#.to_string(),
        r#"{"kind":"assistant_items","items":7}"#.to_string(),
        r#"{"kind":"llm_usage","output_tokens":9007199254740993}"#.to_string(),
        r#"{"kind":"run_completed","result":"exploded"}"#.to_string(),
        r#"{"kind":"session_start","system_prompt":"\ud800"}"#.to_string(),
        r#"{"kind":"config_changed","config":1,"seq":4}"#.to_string(),
        format!(r#"{{"kind":"other","x":{deep}}}"#),
        format!(r#"{{"kind":"other","x":{deeper}}}"#),
        r#"{"ts":1}"#.to_string(),
        r#"{"kind":7}"#.to_string(),
        r#"{"kind":"config_changed","\u0063onfig":1}"#.to_string(),
    ];
    let text = lines.join("\n");
    let imported = imported(text.as_bytes());
    let codes: Vec<_> = places(&imported).into_iter().map(|(code, line, _)| (code, line)).collect();
    let expected = [
        ("bad_entry", 1),
        ("bad_entry", 2),
        ("duplicate_key", 3),
        ("bad_entry", 4),
        ("bad_entry", 5),
        ("bad_entry", 6),
        ("bad_entry", 7),
        ("bad_entry", 8),
        ("duplicate_key", 9),
        ("too_deep", 11),
        ("bad_entry", 12),
        ("bad_entry", 13),
        ("bad_entry", 14),
    ];
    assert_eq!(codes, expected.map(|(code, line)| (code, Some(line))));
    let session = &imported.sessions[0];
    assert_eq!(
        session.drafts[0].as_str(),
        r#"{"kind":"extension","ts":1,"domain":"session_store.turn_end","payload":{"kind":"turn_end","ts":1}}"#
    );
    assert_eq!(session.drafts[1].as_str(), r#"{"kind":"turn_end","told_ts":"x","turn":1}"#);
    assert_eq!(session.drafts.len(), 11);
    folded(session);
}

#[test]
fn bad_lines_are_left_out_and_the_others_are_read() {
    let mut bytes = Vec::new();
    let lines: [&[u8]; 7] = [
        USER.as_bytes(),
        b"",
        b"not json",
        b"{\"kind\":\"\xff\"}",
        b"[]",
        USER.as_bytes(),
        b"{\"kind\":\"user_\xe3",
    ];
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    bytes.pop();
    let imported = imported(&bytes);
    let start = USER.len() as u64 + 1;
    let torn = bytes.len() as u64 - 15;
    assert_eq!(
        places(&imported),
        [
            ("bad_json", Some(3), Some(start + 1)),
            ("invalid_utf8", Some(4), Some(start + 10)),
            ("bad_json", Some(5), Some(start + 23)),
            ("torn_tail", Some(7), Some(torn)),
        ]
    );
    assert_eq!(imported.sessions[0].drafts.len(), 2);
    assert_eq!(imported.sessions[0].chain, None);
}

#[test]
fn a_line_without_its_end_counts_if_it_is_whole() {
    assert_eq!(drafts(USER), [USER]);
}

#[test]
fn a_line_beyond_the_limit_is_left_out() {
    let mut bytes = br#"{"kind":"extension","domain":"d","payload":""#.to_vec();
    bytes.resize(LINE_BYTES_MAX - 100, b'x');
    bytes.extend_from_slice(b"\"}\n");
    let first = bytes.len() as u64;
    bytes.extend_from_slice(br#"{"kind":"extension","domain":"d","payload":""#);
    bytes.resize(bytes.len() + (33 << 20), b'x');
    bytes.extend_from_slice(b"\"}\n");
    bytes.extend_from_slice(USER.as_bytes());
    let imported = imported(&bytes);
    let expected = [("too_large", Some(1), Some(0)), ("line_too_long", Some(2), Some(first))];
    assert_eq!(places(&imported), expected);
    assert_eq!(imported.sessions[0].drafts.len(), 1);
}

#[test]
fn a_chain_is_checked_on_the_bytes_and_what_does_not_hold_is_still_read() {
    let entries = [USER, r#"{"kind":"turn_end","ts":3,"turn_count":1}"#, USER];
    let sound = hashed(&entries);
    let text = String::from_utf8(sound.clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let chain = |text: &str| {
        let imported = imported(text.as_bytes());
        let session = &imported.sessions[0];
        let chain = session.chain.clone().unwrap();
        let fault =
            chain.fault.map(|fault| (fault.code(), fault.place().line, fault.place().offset));
        (chain.held, fault, session.drafts.len())
    };
    assert_eq!(chain(&text), (3, None, 3));
    let second = lines[0].len() as u64 + 1;
    let tampered = text.replacen("turn_count\":1", "turn_count\":2", 1);
    assert_eq!(chain(&tampered), (1, Some(("bad_hash", Some(2), Some(second))), 3));
    let removed = format!("{}\n{}\n", lines[0], lines[2]);
    assert_eq!(chain(&removed), (1, Some(("broken_link", Some(2), Some(second))), 2));
    let plain = format!("{}\n{USER}\n{}\n", lines[0], lines[1]);
    assert_eq!(chain(&plain), (1, Some(("bad_line", Some(2), Some(second))), 3));
    let respaced = text.replacen("{\"hash\"", "{ \"hash\"", 1);
    assert_eq!(chain(&respaced), (0, Some(("bad_line", Some(1), Some(0))), 3));
    // What was never written to its end is no link.
    let torn = format!("{text}{}", &lines[1][..100]);
    assert_eq!(chain(&torn), (3, None, 3));
    let upper: String = lines
        .iter()
        .map(|line| {
            let (hash, rest) = line[9..].split_at(64);
            format!("{{\"hash\":\"{}{rest}\n", hash.to_uppercase())
        })
        .collect();
    assert_eq!(chain(&upper), (3, None, 3));
}

#[test]
fn segments_are_sessions_and_what_lies_beside_them_is_told_of() {
    let start = r#"{"kind":"segment_start","ts":1,"session_id":"whole","system_prompt":null,"config":{},"history":[]}"#;
    let identity = "{\n  \"schema_version\": 1,\n  \"session_id\": \"whole\"\n}";
    let odd = format!("workers/w/session/segments/{}.jsonl", "x".repeat(129));
    let files = [
        File { name: "workers/w/session/session.json", bytes: identity.as_bytes() },
        File { name: "workers/w/session/segments/one.jsonl", bytes: start.as_bytes() },
        File { name: "workers/w/session/segments/two.jsonl", bytes: start.as_bytes() },
        File {
            name: "workers/w/session/segments/two.trace.jsonl",
            bytes: b"{\"ts\":1,\"turn\":0,\"event\":1}\nx\n",
        },
        File { name: "workers/w/session/segments/gone.trace.jsonl", bytes: b"{\"ts\":1}\n" },
        File { name: "workers/w/session/segments/empty.jsonl", bytes: b"\n" },
        File { name: &odd, bytes: start.as_bytes() },
    ];
    let names = files.map(|file| file.name);
    assert_eq!(group(&names), [&[0][..], &[1], &[2, 3], &[4], &[5], &[6]]);
    assert_eq!(detect_any(files[0]), Some(Format::SessionStore));
    let imported = read_any(&files, None).unwrap();
    let ids: Vec<_> = imported.sessions.iter().map(|s| (s.id.as_str(), &s.files[..])).collect();
    assert_eq!(ids, [("one", &[1][..]), ("two", &[2, 3]), ("whole", &[6])]);
    assert_eq!(imported.sessions[1].trace, "{\"ts\":1,\"turn\":0,\"event\":1}\n");
    let skipped: Vec<_> = imported.skipped.iter().map(|s| (s.file, s.error.code())).collect();
    assert_eq!(
        skipped,
        [(0, "not_supported"), (3, "bad_json"), (4, "not_found"), (5, "empty_log")]
    );
}

#[test]
fn turnkeeps_own_logs_are_none_of_session_stores() {
    let writer = Writer::create(SessionId::new("s").unwrap(), true);
    let random = alloc::vec![0; writer.random_bytes(1)];
    let own = writer.write(&[USER], &Stamp { now_ms: 1, random }).unwrap().bytes;
    assert_eq!(detect_any(File { name: "s.jsonl", bytes: &own }), None);
}

/// Whatever the bytes are: no panic, drafts that can be written, errors that have a place.
fn survives(bytes: &[u8]) {
    let imported = imported(bytes);
    for skipped in &imported.skipped {
        let place = skipped.error.place();
        assert!(
            skipped.error.code() == "empty_log" || place.line.is_some() && place.offset.is_some()
        );
    }
    for session in &imported.sessions {
        folded(session);
        if let Some(fault) = session.chain.as_ref().and_then(|chain| chain.fault.as_ref()) {
            assert!(fault.place().line.is_some() && fault.place().offset.is_some());
        }
    }
}

#[test]
fn every_truncation_is_survived() {
    for end in 0..LOG_BYTES.len() {
        survives(&LOG_BYTES[..end]);
    }
}

#[test]
fn every_changed_byte_is_survived() {
    let mut bytes = LOG_BYTES.to_vec();
    for at in 0..bytes.len() {
        let was = bytes[at];
        for now in [was ^ 1, was ^ 0x80, b'"', b'\n'] {
            bytes[at] = now;
            survives(&bytes);
        }
        bytes[at] = was;
    }
}

proptest! {
    #[test]
    fn random_lines_are_survived(pieces in prop::collection::vec(
        prop::sample::select(alloc::vec![
            "{\"kind\":\"user_input\",", "{\"kind\":\"session_start\",", "{\"kind\":\"tool_results\",",
            "{\"hash\":\"00\",\"prev_hash\":null,", "\"ts\":1,", "\"ts\":-1,", "\"items\":[{},7,\"x\"]}",
            "\"item\":{\"id\":\"a\"}}", "\"history\":[1]}", "\"history\":7}", "\"segments\":[{}]}",
            "\"extensions\":[7,{\"domain\":1}],", "\n", "\r\n", "{", "}", "\"", "\\", "é", "null",
            "\"seq\":1,", "\"id\":7,", "\"parent\":\"p\",", "\"system_prompt\":\"\\ud800\",",
        ]), 0..24))
    {
        survives(pieces.concat().as_bytes());
    }
}
