//! Reading bundles piece by piece, as hosts do.

use turnkeep::core::bundle::{Event, Reader, SessionRecord, TAIL_BYTES};
use turnkeep::core::view::bundle_end;
use turnkeep::{CacheEntry, Error, Result};

/// A bundle is read in pieces of this size.
const PIECE: usize = 64;

/// What a bundle holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) sessions: Vec<(SessionRecord, Vec<u8>, Vec<u8>)>,
    pub(crate) values: Vec<CacheEntry>,
}

pub(crate) fn bundle(file: &[u8]) -> Result<Content> {
    let tail = &file[file.len().saturating_sub(TAIL_BYTES)..];
    bundle_end(tail).ok();
    let mut reader = Reader::new(file.len() as u64, tail)?;
    let mut content = Content::default();
    for piece in file.chunks(PIECE) {
        reader.push(piece)?;
        while let Some(event) = reader.next()? {
            take(&mut content, event);
        }
    }
    reader.finish()?;
    Ok(content)
}

fn take(content: &mut Content, event: Event) {
    let sessions = &mut content.sessions;
    match event {
        Event::Session(record) => sessions.push((record, Vec::new(), Vec::new())),
        Event::Lines(bytes) => sessions.iter_mut().next_back().expect("a session").1.extend(bytes),
        Event::Trace(bytes) => sessions.iter_mut().next_back().expect("a session").2.extend(bytes),
        Event::Cache(entry) => content.values.push(entry),
        other => panic!("unknown: {other:?}"),
    }
}

/// What is wrong in a session names it; what is wrong in the file or its content says where. Checks of
/// the whole file have no place in it.
pub(crate) fn check_place(error: &Error, what: &str) {
    let place = error.place();
    let is_of_all = ["gzip_checksum", "bad_bundle"].contains(&error.code());
    let is_placed = place.session.is_some() || place.offset.is_some();
    assert!(is_placed || is_of_all, "{what}: {error}");
}
