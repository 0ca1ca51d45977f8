//! What opendev wrote: a session's metadata and transcript, its events, its subagents' transcripts,
//! and the recovery files that tell of sessions that did not end.

mod events;
mod message;
mod session;
mod sidechain;
#[cfg(test)]
mod tests;
mod time;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use self::session::Parts;
use super::group::{sidechain_folder, snapshot_of, split};
use super::lines::{lines, one_line};
use super::{File, Imported, Session, Skipped};
use crate::field;
use crate::json::Object;
use crate::limits::DETECT_LINES;
use crate::session::About;
use crate::{Error, ErrorKind, Result, SessionId};

/// Sort of a sidechain's session.
const SUBAGENT: &str = "subagent";

/// Whether opendev wrote that file.
pub(super) fn detects(file: File<'_>) -> bool {
    let mut first = lines(file.bytes).take(DETECT_LINES).filter_map(|line| line.object().ok());
    first.any(|line| is_line(&line)) || {
        let json = one_line(file.bytes).unwrap_or_default();
        Object::of(&json).is_some_and(|object| is_file(&object))
    }
}

/// A message, an event, or a line of a sidechain.
fn is_line(line: &Object<'_>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| line.get(name).is_some());
    has(&["role", "content", "timestamp", "metadata"])
        || has(&["aggregate_id", "event_type", "seq", "data"])
        || has(&["seq", "ts", "k"])
}

/// Metadata, a recovery file, or the index.
fn is_file(object: &Object<'_>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| object.get(name).is_some());
    has(&["id", "created_at", "messages"])
        || has(&["session_id", "last_tool_results", "snapshot_timestamp_ms"])
        || has(&["version", "entries"]) && !object.elements("entries").is_empty()
}

/// Reads sessions from their files.
pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    let mut imported = Imported::default();
    let mut sessions: Vec<Parts<'_>> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let joins_others =
            snapshot_of(file.name).is_some() || sidechain_folder(file.name).is_some();
        if !joins_others && let Err(error) = add(&mut sessions, index, file.name) {
            imported.skipped.push(Skipped { file: index, error });
        }
    }
    for (index, file) in files.iter().enumerate() {
        if let Some(id) = snapshot_of(file.name) {
            add_snapshot(&mut sessions, index, id);
        }
    }
    let metadata: Vec<_> =
        sessions.iter().map(|parts| session::read(files, parts, &mut imported)).collect();
    for (index, file) in files.iter().enumerate() {
        if sidechain_folder(file.name).is_some() {
            read_sidechain(*file, index, &sessions, &metadata, &mut imported);
        }
    }
    imported.sessions.sort_by(|one, other| one.files.cmp(&other.files));
    Ok(imported)
}

/// Adds a file to its session's.
fn add<'a>(sessions: &mut Vec<Parts<'a>>, index: usize, path: &'a str) -> Result<()> {
    let (folder, name) = split(path);
    if name == "sessions-index.json" {
        let message = "the index of sessions, which are listed from what they hold";
        return Err(Error::new(ErrorKind::NotSupported, message));
    }
    type Part = for<'p> fn(&'p mut Parts<'_>) -> &'p mut Option<usize>;
    let parts: [(&str, Part); 3] = [
        (".events.jsonl", |parts| &mut parts.events),
        (".jsonl", |parts| &mut parts.transcript),
        (".json", |parts| &mut parts.metadata),
    ];
    let found =
        parts.into_iter().find_map(|(suffix, part)| Some((name.strip_suffix(suffix)?, part)));
    let Some((id, part)) = found else {
        let message = "the file's name is none of opendev's";
        return Err(Error::new(ErrorKind::NotSupported, message));
    };
    let place = sessions.iter().position(|parts| (parts.folder, parts.id) == (folder, id));
    let known = place.and_then(|place| sessions.get_mut(place));
    match known {
        Some(parts) => *part(parts) = Some(index),
        None => {
            let mut parts = Parts { folder, id, ..Parts::default() };
            *part(&mut parts) = Some(index);
            sessions.push(parts);
        }
    }
    Ok(())
}

/// Adds a recovery file to the session of that id; where there is none, or several, it is one of
/// its own.
fn add_snapshot<'a>(sessions: &mut Vec<Parts<'a>>, index: usize, id: &'a str) {
    let mut named = sessions.iter_mut().filter(|parts| parts.id == id);
    match (named.next(), named.next()) {
        (Some(parts), None) => parts.snapshots.push(index),
        _ => sessions.push(Parts { id, snapshots: Vec::from([index]), ..Parts::default() }),
    }
}

fn read_sidechain(
    file: File<'_>,
    index: usize,
    sessions: &[Parts<'_>],
    metadata: &[String],
    imported: &mut Imported,
) {
    let agent = split(file.name).1;
    let agent = agent.strip_suffix(".jsonl").unwrap_or(agent);
    let names_it = |json: &String| {
        let children =
            Object::of(json).and_then(|object| Object::of(object.get("subagent_sessions")?));
        children.is_some_and(|children| {
            children.iter().any(|(_, child)| field::text(child).is_some_and(|child| child == agent))
        })
    };
    let named = sessions.iter().zip(metadata).find(|(_, json)| names_it(json));
    let only = sessions.first().filter(|_| sessions.len() == 1);
    let id = match named.map(|(parts, _)| parts).or(only) {
        Some(parts) => SessionId::new(format!("{}/{agent}", parts.id)),
        None => SessionId::new(agent),
    };
    let drafts = sidechain::read(file, index, &mut imported.skipped);
    let empty = || Error::new(ErrorKind::EmptyLog, "no entry can be read");
    match id.and_then(|id| if drafts.is_empty() { Err(empty()) } else { Ok(id) }) {
        Ok(id) => imported.sessions.push(Session {
            id,
            files: Vec::from([index]),
            about: About::default().with_kind(SUBAGENT),
            drafts,
            trace: String::new(),
            chain: None,
        }),
        Err(error) => imported.skipped.push(Skipped { file: index, error }),
    }
}
