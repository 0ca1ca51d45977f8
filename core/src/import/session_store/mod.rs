//! What session-store (yoi) wrote: JSON lines, a file for each session or segment, with a hash chain
//! until May 2026.
//!
//! Its kinds changed over time, its names did not lose their meaning: one reader serves all eras.

mod chain;
mod entry;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use self::chain::ChainCheck;
use self::entry::{Entries, KINDS};
use super::content::{room_for_one, skip_of};
use super::lines::{lines, one_line, push_trace};
use super::{File, Format, Imported, Session};
use crate::json::Object;
use crate::limits::DETECT_LINES;
use crate::{Error, ErrorKind, Result, SessionId};

pub(crate) use chain::entry_hash;

const LOG: &str = ".jsonl";
const TRACE: &str = ".trace.jsonl";

/// Whether session-store wrote that file.
pub(super) fn detects(file: File<'_>) -> bool {
    let mut first = lines(file.bytes).take(DETECT_LINES).filter_map(|line| line.object().ok());
    first.any(|line| is_entry(&line) || is_trace(&line)) || is_identity(file)
}

/// Reads sessions and their traces.
pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    let mut imported = Imported::default();
    for (index, file) in files.iter().enumerate() {
        if is_identity(*file) {
            let message = "the identity of a session whose segments are sessions of their own here";
            skip(&mut imported, index, Error::new(ErrorKind::NotSupported, message));
        } else if let Some(stem) = file.name.strip_suffix(TRACE) {
            if !files.iter().any(|file| file.name.strip_suffix(LOG) == Some(stem)) {
                let message = "a trace whose session is not there";
                skip(&mut imported, index, Error::new(ErrorKind::NotFound, message));
            }
        } else {
            read_session(files, index, *file, &mut imported);
        }
    }
    Ok(imported)
}

fn skip(imported: &mut Imported, file: usize, error: Error) {
    skip_of(&mut imported.skipped, file, error);
}

fn read_session(files: &[File<'_>], index: usize, file: File<'_>, imported: &mut Imported) {
    let (mut entries, mut chain) = (Entries::default(), ChainCheck::default());
    let mut named = None;
    for line in lines(file.bytes) {
        if let Err(error) = room_for_one(entries.drafts.len()) {
            skip(imported, index, line.place(error));
            break;
        }
        let entry = line.object();
        // What was never written to its end is no part of the chain.
        if !entry.as_ref().is_err_and(|error| error.kind() == ErrorKind::TornTail) {
            chain.push(&line, entry.as_ref().is_ok_and(|entry| entry.get("hash").is_some()));
        }
        let pushed = entry.and_then(|entry| {
            named = named.take().or_else(|| entry.text("session_id").map(|id| id.into_owned()));
            entries.push(&entry, line.text()).map_err(|error| line.place(error))
        });
        if let Err(error) = pushed {
            skip(imported, index, error);
        }
    }
    if entries.drafts.is_empty() {
        return skip(imported, index, Error::new(ErrorKind::EmptyLog, "no entry can be read"));
    }
    match session_id(file.name, named) {
        Ok(id) => {
            let mut session = Session {
                files: Vec::from([index]),
                chain: chain.finish(),
                ..Session::new(Format::SessionStore, id, entries.drafts)
            };
            add_trace(files, file, &mut session, imported);
            imported.sessions.push(session);
        }
        Err(error) => skip(imported, index, error),
    }
}

/// The id that a file's name is, or else the one in it.
fn session_id(name: &str, named: Option<String>) -> Result<SessionId> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let stem = SessionId::new(name.strip_suffix(LOG).unwrap_or(name));
    stem.or_else(|error| named.map_or(Err(error), SessionId::new))
}

/// The trace that lies beside a session.
fn add_trace(files: &[File<'_>], log: File<'_>, session: &mut Session, imported: &mut Imported) {
    let Some(stem) = log.name.strip_suffix(LOG) else { return };
    for (index, file) in files.iter().enumerate() {
        if file.name.strip_suffix(TRACE) != Some(stem) {
            continue;
        }
        session.files.push(index);
        push_trace(*file, index, &mut session.trace, &mut imported.skipped);
    }
}

fn is_entry(line: &Object<'_>) -> bool {
    let kind = line.text("kind").unwrap_or_default();
    // turnkeep's own entries are numbered.
    KINDS.contains(&&*kind) && line.get("ts").is_some() && line.get("seq").is_none()
}

fn is_trace(line: &Object<'_>) -> bool {
    let has = |name| line.get(name).is_some();
    has("ts") && has("turn") && (has("event") || has("label")) && !has("role")
}

/// `session.json`, which says whose the segments beside it are, as each of them does.
fn is_identity(file: File<'_>) -> bool {
    if file.name.rsplit('/').next() != Some("session.json") {
        return false;
    }
    let json = one_line(file.bytes).unwrap_or_default();
    Object::of(&json).is_some_and(|object| {
        object.get("schema_version").is_some() && object.get("session_id").is_some()
    })
}
