//! What Eai.System wrote: a snapshot of a whole runtime, or the messages of one session. Either is an
//! Erlang term, gzipped; in a snapshot each session's messages are such a file again.

mod message;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::content::{at_time, check, content_within, each, room_for_one, skip, stem};
use super::etf::{Reader, Term, VERSION, checked, fault, json_of};
use super::{File, Format, Imported, Session};
use crate::cache::{CacheEntry, CacheValue};
use crate::json::Members;
use crate::limits::{IMPORT_BYTES_MAX, INTEGER_MAX};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result, SessionId};

/// The only version of snapshots there is.
const SNAPSHOT_VERSION: u64 = 1;

/// Whether a file holds an Erlang term.
pub(super) fn detects(start: &[u8]) -> bool {
    start.first() == Some(&VERSION)
}

pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    each(files, read_file)
}

fn read_file(file: File<'_>) -> Result<Imported> {
    let mut room = IMPORT_BYTES_MAX;
    let content = content_within(file.bytes, &mut room)?;
    let term = checked(&content, &mut room)?;
    let reader = Reader::new(&term);
    match { reader }.term()? {
        Term::Map(_) => read_snapshot(reader, room),
        Term::List(_) | Term::Nil => {
            let mut imported = Imported::default();
            let id = SessionId::new(stem(file.name, &[".gz"]))?;
            read_session(id, reader, None, &mut imported)?;
            Ok(imported)
        }
        _ => Err(fault(ErrorKind::BadEntry, "neither a snapshot nor a list of messages", 0)),
    }
}

/// Where a snapshot's parts are.
#[derive(Default)]
struct Parts<'a> {
    cache: Option<Reader<'a>>,
    sessions: Option<Reader<'a>>,
    version: Option<Reader<'a>>,
    exported: Option<Reader<'a>>,
}

fn read_snapshot(reader: Reader<'_>, room: u64) -> Result<Imported> {
    let mut imported = Imported::default();
    let parts = parts_of(reader, &mut imported)?;
    let missing = |name: &str| {
        fault(ErrorKind::BadEntry, &format!("the snapshot has no {name}"), reader.at())
    };
    let mut version = parts.version.ok_or_else(|| missing("version"))?;
    let at = version.at();
    if whole(&version.term()?) != Some(SNAPSHOT_VERSION) {
        let found = json_of(&mut { parts.version }.unwrap_or(version))?;
        let message = format!("the snapshot has version {found:.40}, not {SNAPSHOT_VERSION}");
        return Err(fault(ErrorKind::UnsupportedVersion, &message, at));
    }
    let sessions = parts.sessions.ok_or_else(|| missing("chat_sessions"))?;
    let cache = parts.cache.ok_or_else(|| missing("cache_entries"))?;
    let exported = parts.exported.ok_or_else(|| missing("exported_at"))?;
    let ts = whole(&{ exported }.term()?).map(|microseconds| microseconds / 1000);
    let ts = ts.filter(|ts| *ts <= INTEGER_MAX);
    if ts.is_none() {
        let message = "exported_at is no count of microseconds: the entries have no time of it";
        skip(&mut imported.skipped, fault(ErrorKind::BadEntry, message, exported.at()));
    }
    read_sessions(sessions, ts, room, &mut imported)?;
    read_cache(cache, &mut imported)?;
    Ok(imported)
}

fn parts_of<'a>(mut reader: Reader<'a>, imported: &mut Imported) -> Result<Parts<'a>> {
    let mut parts = Parts::default();
    let Term::Map(count) = reader.term()? else { return Ok(parts) };
    for _ in 0..count {
        let at = reader.at();
        let key = reader;
        reader.skip()?;
        let place = match { key }.term()? {
            Term::Atom(name) => match &*name {
                "cache_entries" => Some(&mut parts.cache),
                "chat_sessions" => Some(&mut parts.sessions),
                "version" => Some(&mut parts.version),
                "exported_at" => Some(&mut parts.exported),
                _ => None,
            },
            _ => None,
        };
        match place {
            Some(place) if place.is_none() => *place = Some(reader),
            Some(_) => skip(&mut imported.skipped, twice("a part of the snapshot", at)),
            None => {
                let name = json_of(&mut { key }).unwrap_or_default();
                let message = format!("the snapshot has a part of unknown meaning: {name:.80}");
                skip(&mut imported.skipped, fault(ErrorKind::NotSupported, &message, at));
            }
        }
        reader.skip()?;
    }
    Ok(parts)
}

/// What they inflate to is held as entries: all of them together have the room that one has.
fn read_sessions(
    mut reader: Reader<'_>,
    ts: Option<u64>,
    mut room: u64,
    imported: &mut Imported,
) -> Result<()> {
    let mut ids = BTreeSet::new();
    for _ in 0..entries(&mut reader, "chat_sessions")? {
        let at = reader.at();
        let (id, blob) = (reader.term()?, reader);
        reader.skip()?;
        let id = match id {
            Term::Binary(id) => core::str::from_utf8(id).ok().map(SessionId::new),
            _ => None,
        };
        let no_text = || Err(Error::new(ErrorKind::InvalidId, "a session's id is not UTF-8"));
        let read = id.unwrap_or_else(no_text).and_then(|id| {
            if !ids.insert(id.as_str().to_string()) {
                return Err(twice("the session", at).in_session(&id));
            }
            let mut blob = blob;
            let Term::Binary(bytes) = blob.term()? else {
                let message = "the session's messages are no file";
                return Err(Error::new(ErrorKind::BadEntry, message).in_session(&id));
            };
            read_blob(id.clone(), bytes, ts, &mut room, imported)
                .map_err(|error| error.in_session(&id))
        });
        if let Err(error) = read {
            // What is wrong within a session's own file has its place there.
            let error = error.at(|place| _ = place.offset.get_or_insert(at as u64));
            skip(&mut imported.skipped, error);
        }
    }
    Ok(())
}

fn read_blob(
    id: SessionId,
    bytes: &[u8],
    ts: Option<u64>,
    room: &mut u64,
    imported: &mut Imported,
) -> Result<()> {
    let content = content_within(bytes, room)?;
    let term = checked(&content, room)?;
    read_session(id, Reader::new(&term), ts, imported)
}

/// The messages of a session.
fn read_session(
    id: SessionId,
    mut reader: Reader<'_>,
    ts: Option<u64>,
    imported: &mut Imported,
) -> Result<()> {
    let mut drafts = alloc::vec![at_time(Draft::new("session_start"), ts)];
    let count = match reader.term()? {
        Term::List(count) => count,
        Term::Nil => 0,
        _ => return Err(fault(ErrorKind::BadEntry, "the messages are no list", 0)),
    };
    for index in 0..=count {
        // Behind the last message is the list's tail, which holds another if it is no proper one.
        if index == count && (count == 0 || matches!({ reader }.term()?, Term::Nil)) {
            break;
        }
        let start = reader;
        let placed =
            |error: Error| error.at(|place| place.offset = Some(start.at() as u64)).in_session(&id);
        if let Err(error) = room_for_one(drafts.len()) {
            skip(&mut imported.skipped, placed(error));
            break;
        }
        reader.skip()?;
        let draft = message::item_of(start).map(|item| at_time(Draft::item(&item), ts));
        match draft.and_then(|draft| check(&draft)) {
            Ok(draft) => drafts.push(draft),
            Err(error) => skip(&mut imported.skipped, placed(error)),
        }
    }
    imported.sessions.push(Session::new(Format::Eai, id, drafts));
    Ok(())
}

fn read_cache(mut reader: Reader<'_>, imported: &mut Imported) -> Result<()> {
    let mut keys = BTreeSet::new();
    for _ in 0..entries(&mut reader, "cache_entries")? {
        let at = reader.at();
        let key = reader;
        reader.skip()?;
        let value = reader;
        reader.skip()?;
        match cache_entry(key, value) {
            Ok(entry) if keys.insert(entry.key.clone()) => imported.cache.push(entry),
            Ok(_) => skip(&mut imported.skipped, twice("a cache key", at)),
            Err(error) => {
                let error = error.at(|place| place.offset = Some(at as u64));
                skip(&mut imported.skipped, error);
            }
        }
    }
    Ok(())
}

fn cache_entry(mut key: Reader<'_>, mut value: Reader<'_>) -> Result<CacheEntry> {
    let no_text = || Error::new(ErrorKind::BadEntry, "a cache key is not UTF-8 text");
    let Term::Binary(key) = key.term()? else { return Err(no_text()) };
    let key = core::str::from_utf8(key).map_err(|_| no_text())?.to_string();
    let value = json_of(&mut value)?;
    // As deep as what an entry can hold, so that whoever keeps it can.
    Members::default().scan(&format!("\"value\":{value}}}"))?;
    Ok(CacheEntry { key, value: CacheValue::Json(value), expires_ms: None })
}

fn twice(what: &str, at: usize) -> Error {
    let message = format!("{what} is there twice: the first one counts");
    fault(ErrorKind::DuplicateKey, &message, at)
}

/// How many entries a map has that must be one.
fn entries(reader: &mut Reader<'_>, name: &str) -> Result<u32> {
    let at = reader.at();
    match reader.term()? {
        Term::Map(count) => Ok(count),
        _ => Err(fault(ErrorKind::BadEntry, &format!("{name} is no map"), at)),
    }
}

fn whole(term: &Term<'_>) -> Option<u64> {
    let Term::Integer(false, amount) = term else { return None };
    let bytes: Vec<u8> = amount.iter().copied().collect();
    let (low, high) = bytes.split_at_checked(8).unwrap_or((&bytes, &[]));
    if high.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(low.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests;
