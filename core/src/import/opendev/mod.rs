//! What opendev wrote: a session's metadata and transcript, its events, its subagents' transcripts,
//! and the recovery files that tell of sessions that did not end.

mod events;
mod message;
mod session;
mod sidechain;
#[cfg(test)]
mod tests;
mod time;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use self::session::Parts;
use super::content::{content, skip_of};
use super::group::{sidechain_folder, snapshot_of, split};
use super::lines::{lines, one_line};
use super::{File, Format, Imported, Session, Skipped};
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

/// Whether a file may be damaged metadata, or metadata of another time.
pub(super) fn may_be_metadata(file: File<'_>) -> bool {
    let json = content(file.bytes).ok().and_then(|content| one_line(&content).ok());
    json.is_none_or(|json| Object::of(&json).is_some_and(|object| object.get("id").is_some()))
}

/// The sessions so far, and where they are.
#[derive(Default)]
struct Sessions<'a> {
    all: Vec<Parts<'a>>,
    places: BTreeMap<(&'a str, &'a str), usize>,
}

/// Reads sessions from their files.
pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    let mut imported = Imported::default();
    let mut sessions = Sessions::default();
    for (index, file) in files.iter().enumerate() {
        let joins_others =
            snapshot_of(file.name).is_some() || sidechain_folder(file.name).is_some();
        if !joins_others && let Err(error) = sessions.add(index, file.name) {
            imported.skipped.push(Skipped { file: index, error });
        }
    }
    sessions.add_snapshots(files);
    let mut children = BTreeMap::new();
    for (place, parts) in sessions.all.iter().enumerate() {
        let named = session::read(files, parts, &mut imported);
        let named = Object::of(&named);
        for child in named.iter().flat_map(Object::iter).filter_map(|(_, id)| field::text(id)) {
            children.entry((parts.folder, child.into_owned())).or_insert(place);
        }
    }
    for (index, file) in files.iter().enumerate() {
        if let Some(folder) = sidechain_folder(file.name) {
            let agent = split(file.name).1;
            let agent = agent.strip_suffix(".jsonl").unwrap_or(agent);
            let named = children.get(&(folder, agent.into()));
            let place = sessions.places.get(&split(folder)).or(named).copied();
            let only = Some(0).filter(|_| sessions.all.len() == 1);
            let owner = place.or(only).and_then(|place| sessions.all.get(place));
            read_sidechain(*file, index, agent, owner.map(|parts| parts.id), &mut imported);
        }
    }
    imported.sessions.sort_by(|one, other| one.files.cmp(&other.files));
    Ok(imported)
}

impl<'a> Sessions<'a> {
    /// Adds a file to its session's.
    fn add(&mut self, index: usize, path: &'a str) -> Result<()> {
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
        let place = *self.places.entry((folder, id)).or_insert_with(|| {
            self.all.push(Parts { folder, id, ..Parts::default() });
            self.all.len() - 1
        });
        match self.all.get_mut(place).map(part) {
            Some(part) if part.is_none() => *part = Some(index),
            _ => {
                let message = "the same file is there twice, gzipped and not";
                return Err(Error::new(ErrorKind::NotSupported, message));
            }
        }
        Ok(())
    }

    /// Adds recovery files to the sessions of their ids; where there is none, or several, each is one
    /// of its own.
    fn add_snapshots(&mut self, files: &[File<'a>]) {
        let mut named: BTreeMap<&str, Option<usize>> = BTreeMap::new();
        for ((_, id), place) in &self.places {
            named.entry(id).and_modify(|place| *place = None).or_insert(Some(*place));
        }
        for (index, file) in files.iter().enumerate() {
            let Some(id) = snapshot_of(file.name) else { continue };
            let place = named.get(id).copied().flatten();
            match place.and_then(|place| self.all.get_mut(place)) {
                Some(parts) => parts.snapshots.push(index),
                None => {
                    let snapshots = Vec::from([index]);
                    self.all.push(Parts { id, snapshots, ..Parts::default() });
                }
            }
        }
    }
}

fn read_sidechain(
    file: File<'_>,
    index: usize,
    agent: &str,
    owner: Option<&str>,
    imported: &mut Imported,
) {
    let id = match owner {
        Some(owner) => SessionId::new(format!("{owner}/{agent}")),
        None => SessionId::new(agent),
    };
    let drafts = sidechain::read(file, index, &mut imported.skipped);
    let empty = || Error::new(ErrorKind::EmptyLog, "no entry can be read");
    match id.and_then(|id| if drafts.is_empty() { Err(empty()) } else { Ok(id) }) {
        Ok(id) => imported.sessions.push(Session {
            files: Vec::from([index]),
            about: About::default().with_kind(SUBAGENT),
            ..Session::new(Format::Opendev, id, drafts)
        }),
        Err(error) => skip_of(&mut imported.skipped, index, error),
    }
}
