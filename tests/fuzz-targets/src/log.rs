//! Lines and logs.

use turnkeep_core::archive::{archive, unarchive};
use turnkeep_core::export::SessionStore;
use turnkeep_core::gzip::{Bound, gunzip};
use turnkeep_core::import::{self, File, Format};
use turnkeep_core::log::{Expectation, Report, Verifier, verify};
use turnkeep_core::session::{About, FileVerifier};
use turnkeep_core::view::{Lines, Place, parts};
use turnkeep_core::zeitlich::Snapshot;
use turnkeep_core::{Entry, State, export, sha256};

use crate::check::{is_json, stable};
use crate::make;

/// One line: what is read of an entry stands in its bytes, and a chain that holds makes no entry
/// readable that is not.
pub fn line(data: &[u8]) {
    let rest = make::rest(data);
    for line in [data, &make::line(None, rest), &make::line(Some(sha256(b"before")), rest)] {
        let entry = Entry::parse(line);
        match &entry {
            Err(error) => stable(error),
            Ok(entry) => holds(line, entry),
        }
        let report = deep(&[line, b"\n"].concat(), usize::MAX);
        assert!(!report.is_whole() || entry.is_ok(), "it verifies and cannot be read");
        is_json(&Lines::new(line.to_vec()).entries(Place::default(), 0..1));
    }
}

fn holds(line: &[u8], entry: &Entry<'_>) {
    let text = std::str::from_utf8(line).expect("an entry is UTF-8");
    let hash = entry.hash().to_string();
    assert_eq!(text.get(9..73), Some(&*hash));
    assert!(text.contains(entry.kind_name()));
    for name in ["item", "state", "history", "session", "parent", "payload", "config", "id"] {
        if let Some(value) = entry.field(name) {
            assert!(text.contains(value), "a member that is not in the line");
            is_json(value);
            assert!(entry.text(name).is_none() || entry.count(name).is_none());
        }
    }
    _ = parts(entry);
}

/// A log: as it is, and with right hashes.
pub fn log(data: &[u8]) {
    check(data);
    check(&make::rehashed(data));
}

fn check(log: &[u8]) {
    let report = deep(log, usize::MAX);
    for size in [1 + log.len() % 61, 1000] {
        assert_eq!(deep(log, size), report, "in pieces of {size}");
    }
    report.fault.iter().chain(&report.entry_fault).for_each(stable);
    let plain = verify(log, Expectation::default());
    assert_eq!(
        (&plain.fault, plain.head, plain.torn),
        (&report.fault, report.head, report.torn),
        "looking deeper changes what the chain shows"
    );
    if log.first() != Some(&0x1f) {
        let mut file = FileVerifier::new(Expectation::default()).deep();
        log.chunks(997).for_each(|chunk| file.push(chunk));
        assert_eq!(file.finish(), report);
    }
    up_to_head(log, &report);
    folds(log, &report);
    archives(log, &report);
    if report.is_whole() {
        let lines = Lines::new(log.to_vec());
        let rows = lines.rows(Place { seq: Some(0), ..Place::default() }, 0..lines.len());
        assert!(!rows.contains(r#""problem":{"#), "the page finds a fault in a whole log: {rows}");
        assert_eq!(lines.last_hash(), report.head.map(|head| head.hash));
    }
}

fn deep(log: &[u8], size: usize) -> Report {
    let mut verifier = Verifier::new(Expectation::default()).deep();
    log.chunks(size).for_each(|chunk| verifier.push(chunk));
    verifier.finish()
}

/// What precedes the head holds by itself, and is nobody else's.
fn up_to_head(log: &[u8], report: &Report) {
    let Some(head) = report.head else { return };
    let end = usize::try_from(head.bytes).expect("fits");
    assert!(end <= log.len() && log[end - 1] == b'\n');
    let part = &log[..end];
    let expected =
        Expectation { session: report.session.clone(), head: Some((head.seq, head.hash)) };
    let again = verify(part, expected);
    assert!(again.fault.is_none() && again.torn.is_none() && again.head == Some(head));
    let other = Expectation { session: None, head: Some((head.seq, sha256(b"another"))) };
    assert_eq!(verify(part, other).fault.map(|fault| fault.code()), Some("head_mismatch"));
    if let Some(torn) = report.torn {
        assert_eq!((torn.offset, torn.offset + torn.bytes), (head.bytes, log.len() as u64));
    }
}

/// A log folds if and only if it holds; and what it folds to can be told in every form.
fn folds(log: &[u8], report: &Report) {
    let folded = State::fold(log);
    let is_sound = report.fault.is_none() && report.entry_fault.is_none();
    assert_eq!(folded.is_ok(), is_sound, "{:?} of {report:?}", folded.as_ref().err());
    let Ok(state) = folded else { return };
    is_json(&state.to_json());
    export::messages(&state).lines().for_each(is_json);
    _ = export::markdown(&state, &About::default());
    let snapshot = Snapshot::of(&state);
    // Messages whose text no JSON text can carry are none that zeitlich wrote.
    assert!(Snapshot::read(&snapshot.write(true)).is_ok_and(|read| read == snapshot));
    is_json(&state.with_calls_closed().to_json());
    let end = usize::try_from(report.head.map_or(0, |head| head.bytes)).expect("fits");
    exports(&log[..end]);
}

/// What is exported to session-store has a chain that holds there.
fn exports(log: &[u8]) {
    let (mut export, mut lines) = (SessionStore::default(), Vec::new());
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        export.push(line, &mut lines).expect("a line that verifies");
    }
    let file = File { name: "exported.jsonl", bytes: &lines };
    let read = import::read(&[file], Some(Format::SessionStore)).expect("it is read");
    let session = read.sessions.first().expect("a session");
    let chain = session.chain.as_ref().expect("a chain");
    assert!(chain.fault.is_none(), "{:?}", chain.fault);
}

/// A log can be archived if and only if its chain holds, and comes back as it was.
fn archives(log: &[u8], report: &Report) {
    match archive(log) {
        Err(error) => {
            stable(&error);
            assert!(report.fault.is_some(), "{error}");
        }
        Ok(file) => {
            assert!(report.fault.is_none());
            let end = usize::try_from(report.head.expect("a head").bytes).expect("fits");
            assert!(unarchive(&file).expect("its own archive") == log[..end]);
            assert!(gunzip(&file, Bound::default()).expect("a gzip file") == log[..end]);
        }
    }
}
