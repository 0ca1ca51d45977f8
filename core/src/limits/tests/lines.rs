//! Lines, batches, and what stands in them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::entry::Envelope;
use crate::import::{self, File, Format};
use crate::log::{Draft, Head, LineReader, Stamp, Writer};
use crate::{ErrorKind, Hash, Result};

const STAMP: Stamp = Stamp { now_ms: 7, random: Vec::new() };

/// At entry `seq` of a log of so many bytes.
fn writer_at(seq: u64, bytes: u64) -> Writer {
    let head = Head { seq, hash: Hash::from_bytes([7; 32]), bytes };
    Writer::resume(id("s"), head, false)
}

fn write(drafts: &[String]) -> Result<Vec<u8>> {
    writer_at(4, 900).write(drafts, &STAMP).map(|batch| batch.bytes)
}

fn draft(length: usize) -> String {
    format!(r#"{{"kind":"user_input","item":"{}"}}"#, "x".repeat(length))
}

fn written(draft: &str) -> Result<Vec<u8>> {
    write(&[draft.into()])
}

#[test]
pub(super) fn the_longest_line_is_written_and_read() {
    let fixed = written(&draft(0)).unwrap().len() - 1;
    for length in [LINE_BYTES_MAX - 1, LINE_BYTES_MAX] {
        let line = written(&draft(length - fixed)).unwrap();
        let mut lengths = Vec::new();
        let mut reader = LineReader::new(0);
        let read = reader.push(&line, |line, _| {
            lengths.push(line.len());
            Ok(())
        });
        assert_eq!((read.is_ok(), lengths), (true, [length].to_vec()));
    }
    refused(written(&draft(LINE_BYTES_MAX + 1 - fixed)), "too_large", "32 MiB");
    for end in ["", "\n"] {
        let line = "x".repeat(LINE_BYTES_MAX + 1) + end;
        let read = LineReader::new(0).push(line.as_bytes(), |_, _| Ok(()));
        refused(read, "line_too_long", "32 MiB");
    }
}

#[test]
pub(super) fn a_batch_has_so_many_entries() {
    let drafts = |count: usize| alloc::vec![draft(1); count];
    for count in [BATCH_ENTRIES_MAX - 1, BATCH_ENTRIES_MAX] {
        let lines = write(&drafts(count)).unwrap();
        assert_eq!(memchr::memchr_iter(b'\n', &lines).count(), count);
    }
    refused(write(&drafts(BATCH_ENTRIES_MAX + 1)), "too_large", "4,096");
    let more = |more: usize| {
        Envelope::parse(&format!(r#""kind":"turn_end","seq":1,"ts":2,"more":{more}}}"#))
            .map(|envelope| envelope.more as usize)
            .map_err(|error| error.kind())
    };
    assert_eq!(more(BATCH_ENTRIES_MAX - 2), Ok(BATCH_ENTRIES_MAX - 2));
    assert_eq!(more(BATCH_ENTRIES_MAX - 1), Ok(BATCH_ENTRIES_MAX - 1));
    assert_eq!(more(BATCH_ENTRIES_MAX), Err(ErrorKind::BadEntry));
}

#[test]
pub(super) fn a_batch_has_so_many_bytes() {
    let large = LINE_BYTES_MAX - 1024;
    let fixed = write(&[draft(large), draft(large), draft(0)]).unwrap().len();
    let batch = |bytes: usize| write(&[draft(large), draft(large), draft(bytes - fixed)]);
    for bytes in [BATCH_BYTES_MAX - 1, BATCH_BYTES_MAX] {
        assert_eq!(batch(bytes).unwrap().len(), bytes);
    }
    refused(batch(BATCH_BYTES_MAX + 1), "too_large", "64 MiB");
}

#[test]
pub(super) fn a_body_is_so_deep() {
    let deep = |depth: u32| {
        let (open, close) = ("[".repeat(depth as usize - 1), "]".repeat(depth as usize - 1));
        written(&format!(r#"{{"kind":"extension","domain":"d","payload":{open}{close}}}"#))
    };
    assert!(deep(DEPTH_MAX - 1).is_ok() && deep(DEPTH_MAX).is_ok());
    refused(deep(DEPTH_MAX + 1), "too_deep", "64");
}

#[test]
pub(super) fn numbers_end() {
    let ts = |ts: u64| written(&format!(r#"{{"kind":"turn_end","turn":{ts},"ts":{ts}}}"#));
    assert!(ts(INTEGER_MAX - 1).is_ok() && ts(INTEGER_MAX).is_ok());
    refused(ts(INTEGER_MAX + 1), "bad_entry", "whole number");
    let turn = |turn: u64| written(&format!(r#"{{"kind":"turn_end","turn":{turn}}}"#));
    refused(turn(INTEGER_MAX + 1), "bad_entry", "2^53");
    let now = |now_ms: u64| writer_at(4, 9).write(&[draft(1)], &Stamp { now_ms, ..STAMP });
    assert!(now(INTEGER_MAX).is_ok());
    refused(now(INTEGER_MAX + 1), "too_large", "2^53");
}

#[test]
fn no_entry_is_written_that_has_a_number_nobody_reads() {
    let after = |seq: u64| writer_at(seq, 9).write(&[draft(1)], &STAMP);
    assert_eq!(after(INTEGER_MAX - 1).unwrap().head.seq, INTEGER_MAX);
    for seq in [INTEGER_MAX, u64::MAX - 1, u64::MAX] {
        refused(after(seq), "too_large", "2^53");
    }
    let length = written(&draft(1)).unwrap().len() as u64;
    let at = |bytes: u64| writer_at(4, bytes).write(&[draft(1)], &STAMP);
    assert_eq!(at(INTEGER_MAX - length).unwrap().head.bytes, INTEGER_MAX);
    for bytes in [INTEGER_MAX - length + 1, u64::MAX] {
        refused(at(bytes), "too_large", "2^53");
    }
}

#[test]
pub(super) fn a_kind_is_so_long() {
    let kind = |length: usize| written(&format!(r#"{{"kind":"{}"}}"#, "k".repeat(length)));
    assert!(kind(KIND_BYTES_MAX - 1).is_ok() && kind(KIND_BYTES_MAX).is_ok());
    refused(kind(KIND_BYTES_MAX + 1), "bad_entry", "kind");
}

#[test]
pub(super) fn an_item_id_is_so_long() {
    let with_id = |id: &str| written(&format!(r#"{{"kind":"user_input","id":"{id}","item":1}}"#));
    // Counted as it is decoded.
    for char in ["x", "\\n"] {
        assert!(with_id(&char.repeat(ITEM_ID_BYTES_MAX - 1)).is_ok());
        assert!(with_id(&char.repeat(ITEM_ID_BYTES_MAX)).is_ok());
        refused(with_id(&char.repeat(ITEM_ID_BYTES_MAX + 1)), "bad_entry", "512");
    }
}

#[test]
pub(super) fn the_longest_envelope_fits() {
    let start = r#"{"kind":"session_start"}"#;
    let name = "\"".repeat(36) + &"a".repeat(92);
    assert_eq!((name.len(), id(&name).encoded().len()), (ID_BYTES_MAX, KEY_BYTES_MAX));
    let stamp = Stamp { now_ms: INTEGER_MAX, random: [255; 16].to_vec() };
    let batch = Writer::create(id(&name), true).write(&[start, r#"{"kind":"x"}"#], &stamp).unwrap();
    let first = memchr::memchr(b'\n', &batch.bytes).unwrap();
    assert!(first - start.len() <= ENVELOPE_BYTES);
    let kind = "k".repeat(KIND_BYTES_MAX);
    let drafts = alloc::vec![format!(r#"{{"kind":"{kind}"}}"#); BATCH_ENTRIES_MAX];
    let stamp = Stamp { random: alloc::vec![255; 8 * BATCH_ENTRIES_MAX], ..stamp };
    let head = Head { seq: INTEGER_MAX - 4096, hash: Hash::from_bytes([7; 32]), bytes: 9 };
    let writer = Writer::resume(id(&name), head, true).forked_at(Some(INTEGER_MAX - 4097));
    let batch = writer.write(&drafts, &stamp).unwrap();
    let line = memchr::memchr(b'\n', &batch.bytes).unwrap();
    assert!(line - drafts[0].len() <= ENVELOPE_BYTES);

    // What is imported leaves room for it.
    let draft = |length: usize| {
        let line = format!(r#"{{"type":"{}"}}"#, "x".repeat(length));
        let file = File { name: "a.jsonl", bytes: line.as_bytes() };
        let mut imported = import::read(&[file], Some(Format::Agentmux)).unwrap();
        let drafts = imported.sessions.pop().map(|session| session.drafts).unwrap_or_default();
        let codes: Vec<_> = imported.skipped.iter().map(|skipped| skipped.error.code()).collect();
        (drafts.first().map(|draft: &Draft| draft.as_str().len()), codes)
    };
    let fixed = draft(0).0.unwrap();
    let most = LINE_BYTES_MAX - ENVELOPE_BYTES;
    assert_eq!(draft(most - 1 - fixed), (Some(most - 1), Vec::new()));
    assert_eq!(draft(most - fixed), (Some(most), Vec::new()));
    assert_eq!(draft(most + 1 - fixed), (None, ["too_large"].to_vec()));
}
