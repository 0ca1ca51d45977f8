//! Bundles.

use turnkeep::Store;
use turnkeep_core::bundle::{End, Event, Reader, SessionRecord, TAIL_BYTES};
use turnkeep_core::log::{Expectation, verify};
use turnkeep_core::session::runtime::{Restore, restore};
use turnkeep_core::store::{Condition, Key};
use turnkeep_core::{Error, Result, view};

use crate::check::{is_json, stable};
use crate::host::Host;
use crate::make;

/// A bundle: as it is, and as the content of one whose end is right.
pub fn bundle(data: &[u8]) {
    check(data);
    check(&make::bundle(data));
    let first = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    for json in [view::bundle_index(data), view::bundle_session(first)] {
        json.map_or_else(|error| stable(&error), |json| is_json(&json));
    }
    if let Err(error) = view::bundle_created(&String::from_utf8_lossy(first)) {
        stable(&error);
    }
}

fn check(file: &[u8]) {
    let tail = &file[file.len().saturating_sub(TAIL_BYTES)..];
    match view::bundle_end(tail) {
        Ok(json) => is_json(&json),
        Err(error) => stable(&error),
    }
    let whole = read(file, file.len() as u64, usize::MAX);
    let pieces = read(file, file.len() as u64, 1 + file.len() % 300);
    assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok());
    [&whole, &pieces].into_iter().filter_map(|read| read.as_ref().err()).for_each(stable);
    // A host that tells another length than the file has.
    for length in [0, file.len() as u64 + 1, u64::MAX] {
        assert!(read(file, length, 4096).is_err(), "a file of {length} bytes");
    }
    if let Ok(read) = &whole {
        holds(read);
    }
    let mut host = Host::default();
    host.bundle.put(&Key::bundle(), file, &Condition::Any).expect("a put");
    let mut options = Restore::default();
    options.dry_run = true;
    match host.run(restore(options)) {
        Err(error) => stable(&error),
        Ok(told) => {
            let read = whole.expect("what can be restored can be read");
            let ids = read.sessions.iter().map(|(record, ..)| (&record.id, record.head));
            assert!(told.sessions.iter().map(|one| (&one.id, one.head)).eq(ids));
        }
    }
}

/// What a bundle holds.
#[derive(Debug, PartialEq)]
struct Bundle {
    /// Each with its lines and its trace.
    sessions: Vec<(SessionRecord, Vec<u8>, Vec<u8>)>,
    values: u64,
    end: End,
}

fn read(file: &[u8], length: u64, size: usize) -> Result<Bundle> {
    let tail = &file[file.len().saturating_sub(TAIL_BYTES)..];
    let mut reader = Reader::new(length, tail)?;
    let mut read = Bundle { sessions: Vec::new(), values: 0, end: reader.end() };
    for chunk in file.chunks(size) {
        reader.push(chunk)?;
        while let Some(event) = reader.next()? {
            take(&mut read, event)?;
        }
    }
    reader.finish()?;
    Ok(read)
}

fn take(read: &mut Bundle, event: Event) -> Result<()> {
    let none = || Error::new(turnkeep_core::ErrorKind::BadBundle, "nobody's lines");
    match event {
        Event::Session(record) => read.sessions.push((record, Vec::new(), Vec::new())),
        Event::Lines(bytes) => read.sessions.last_mut().ok_or_else(none)?.1.extend(bytes),
        Event::Trace(bytes) => read.sessions.last_mut().ok_or_else(none)?.2.extend(bytes),
        Event::Cache(entry) => {
            read.values += 1;
            is_json(&entry.to_json());
        }
        _ => {}
    }
    Ok(())
}

/// What is whole has as much as its end says, and every session verifies.
fn holds(read: &Bundle) {
    let counts = read.end.counts;
    assert_eq!((counts.sessions, counts.cache), (read.sessions.len() as u64, read.values));
    for (record, lines, trace) in &read.sessions {
        let head = Some((record.head.seq, record.head.hash));
        let report = verify(lines, Expectation { session: Some(record.id.clone()), head });
        assert!(report.is_whole() && report.head == Some(record.head), "{report:?}");
        assert_eq!(trace.len() as u64, record.trace_bytes);
        record.about.iter().for_each(|about| is_json(about));
    }
    let entries: u64 = read.sessions.iter().map(|(record, ..)| record.head.seq + 1).sum();
    assert_eq!(counts.entries, entries);
}
