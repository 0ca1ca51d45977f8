//! What all readers have in common: files of several systems side by side, gzipped or marked.

use alloc::vec::Vec;

use super::*;
use crate::gzip::crc32;
use crate::gzip::deflate::Deflater;

const AGENTMUX: &[u8] =
    b"{\"type\":\"assistant\",\"message\":{\"role\":\"assistant\",\"content\":\"x\"}}\n";
const STORE: &[u8] = b"{\"kind\":\"user_input\",\"ts\":1,\"item\":1}\n";
const OPENDEV: &[u8] =
    b"{\"role\":\"user\",\"content\":\"x\",\"timestamp\":\"y\",\"metadata\":{}}\n";
const METADATA: &[u8] = b"{\"id\":\"a\",\"created_at\":\"x\",\"messages\":[]}";
const ZEITLICH: &[u8] = b"{\"v\":1,\"messages\":[],\"state\":null,\"dedupIds\":[]}";
const FOREIGN: &[u8] = b"{\"name\":\"package\"}";

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff].to_vec();
    Deflater::default().block(content, &mut bytes);
    bytes.extend([3, 0]);
    bytes.extend(crc32(0, content).to_le_bytes());
    bytes.extend((content.len() as u32).to_le_bytes());
    bytes
}

fn formats(imported: &Imported) -> Vec<(Format, &[usize])> {
    imported.sessions.iter().map(|session| (session.format, &*session.files)).collect()
}

fn told(imported: &Imported) -> Vec<(usize, &str)> {
    imported.skipped.iter().map(|skipped| (skipped.file, skipped.error.code())).collect()
}

#[test]
fn each_file_of_a_group_is_read_as_what_it_is() {
    let lines = [(AGENTMUX, Format::Agentmux), (STORE, Format::SessionStore)];
    for (bytes, format) in lines.into_iter().chain([(OPENDEV, Format::Opendev)]) {
        let files = [File { name: "a.json", bytes: FOREIGN }, File { name: "a.jsonl", bytes }];
        let imported = read(&files, None).unwrap();
        assert_eq!(formats(&imported), [(format, &[1][..])]);
        assert_eq!(told(&imported), [(0, "bad_entry")]);
        let files = [File { name: "a.json", bytes: ZEITLICH }, File { name: "a.jsonl", bytes }];
        let imported = read(&files, None).unwrap();
        assert_eq!(formats(&imported), [(Format::Zeitlich, &[0][..]), (format, &[1][..])]);
        assert_eq!(told(&imported), []);
    }
    let files =
        [File { name: "a.json", bytes: METADATA }, File { name: "a.jsonl", bytes: AGENTMUX }];
    let imported = read(&files, None).unwrap();
    assert_eq!(formats(&imported), [(Format::Opendev, &[0][..]), (Format::Agentmux, &[1][..])]);
    assert_eq!(
        read(&[File { name: "a.json", bytes: FOREIGN }], None).unwrap_err().code(),
        "bad_entry"
    );
}

#[test]
fn a_file_that_cannot_be_read_does_not_keep_the_others() {
    let newer = b"{\"v\":2,\"messages\":[],\"state\":null,\"dedupIds\":[]}";
    let good = File { name: "b.json", bytes: ZEITLICH };
    let files = [File { name: "a.json", bytes: newer }, good];
    let imported = read(&files, None).unwrap();
    assert_eq!(formats(&imported), [(Format::Zeitlich, &[1][..])]);
    assert_eq!(told(&imported), [(0, "unsupported_version")]);
    assert_eq!(read(&files[..1], None).unwrap_err().code(), "unsupported_version");
    let cut = &gzipped(AGENTMUX)[..10];
    let files =
        [File { name: "a.jsonl.gz", bytes: cut }, File { name: "b.jsonl", bytes: AGENTMUX }];
    let imported = read(&files, None).unwrap();
    assert_eq!((formats(&imported).len(), told(&imported)), (1, [(0, "gzip_truncated")].to_vec()));
    let files = [File { name: "a.gz", bytes: &[131, 97] }, File { name: "b", bytes: &[131, 106] }];
    let imported = read(&files, None).unwrap();
    assert_eq!((formats(&imported).len(), told(&imported)), (1, [(0, "bad_entry")].to_vec()));
    let damaged = [File { name: "a.json", bytes: b"{" }, File { name: "a.jsonl", bytes: OPENDEV }];
    let imported = read(&damaged, None).unwrap();
    assert_eq!(told(&imported), [(0, "bad_json")]);
}

#[test]
fn lines_may_be_gzipped_and_an_archive_is_what_it_holds() {
    for (bytes, format) in [
        (AGENTMUX, Format::Agentmux),
        (STORE, Format::SessionStore),
        (OPENDEV, Format::Opendev),
        (b"7\n", Format::Agentmux),
    ] {
        let archive = gzipped(bytes);
        let file = File { name: "d/a.jsonl.gz", bytes: &archive };
        assert_eq!(detect(file), Some(format));
        let imported = read(&[file], None).unwrap();
        assert_eq!((imported.sessions.len(), &*told(&imported)), (1, &[][..]));
        assert_eq!(imported.sessions[0].id.as_str(), "a");
        let file = File { name: "a.jsonl.gz", bytes: &archive[..archive.len() - 3] };
        let imported = read(&[file], None).unwrap();
        assert_eq!(
            (imported.sessions.len(), told(&imported)),
            (1, [(0, "gzip_truncated")].to_vec())
        );
    }
    assert_eq!(group(&["a.jsonl.gz", "a.trace.jsonl"]), [[0, 1]]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file() {
    for (name, bytes) in [
        ("a.jsonl", AGENTMUX),
        ("a.jsonl", STORE),
        ("a.jsonl", OPENDEV),
        ("a.json", METADATA),
        ("a.json", ZEITLICH),
    ] {
        let marked = [b"\xef\xbb\xbf", bytes].concat();
        let imported = read(&[File { name, bytes: &marked }], None).unwrap();
        assert_eq!(told(&imported), []);
        assert_eq!(imported, read(&[File { name, bytes }], None).unwrap());
    }
}

#[test]
fn messages_name_no_types_of_ours() {
    for draft in [
        r#"{"kind":"run_completed","result":"x"}"#,
        r#"{"kind":"turn_end"}"#,
        r#"{"kind":"session_start","history":1}"#,
        r#"{"kind":"user_input"}"#,
    ] {
        let error = draft.parse::<Draft>().unwrap_err();
        let message = error.message();
        for name in ["RunResult", "Count", "Items", "Value", "ItemId"] {
            assert!(!message.contains(name), "{message}");
        }
    }
}
