//! A session of opendev's: its metadata, its messages, and what lies beside them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::content::{room_for_one, skip_of, too_many};
use super::super::lines::{RawLine, checked, compact, lines, one_line, push_trace};
use super::super::{File, Format, Imported, Session, Skipped};
use super::events::{self, Projected};
use super::message::{self, dated, is_list, others};
use super::time::millis;
use crate::item::push_bounded;
use crate::json::{Object, push_text};
use crate::limits::{IMPORT_TAGS_BYTES, TAGS_MAX, TITLE_BYTES_MAX};
use crate::log::Draft;
use crate::session::About;
use crate::{Error, ErrorKind, Result, SessionId};

/// The files of a session, as positions in what was given.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) folder: &'a str,
    pub(super) id: &'a str,
    pub(super) metadata: Option<usize>,
    pub(super) transcript: Option<usize>,
    pub(super) events: Option<usize>,
    pub(super) snapshots: Vec<usize>,
}

/// A session under way.
struct Reading<'a, 'i> {
    files: &'a [File<'a>],
    skipped: &'i mut Vec<Skipped>,
    drafts: Vec<Draft>,
}

/// Reads a session from its files. Gives what its metadata says of its subagents, as JSON.
pub(super) fn read(files: &[File<'_>], parts: &Parts<'_>, imported: &mut Imported) -> String {
    let mut reading = Reading { files, skipped: &mut imported.skipped, drafts: Vec::new() };
    let json = parts.metadata.and_then(|index| reading.json(index)).unwrap_or_default();
    let metadata = Object::of(&json);
    let is_told = reading.transcript(parts, &json, metadata.as_ref());
    let mut trace = String::new();
    let mut projected = Projected::default();
    if let Some((index, file)) = parts.events.and_then(|index| Some((index, *files.get(index)?))) {
        push_trace(file, index, &mut trace, reading.skipped);
        projected = events::project(file);
        if !is_told {
            reading.projected(&projected, index);
            if let Some(line) = &projected.cut {
                reading.skip(index, line.place(too_many()));
            }
        }
    }
    reading.start(parts, metadata.as_ref(), &projected);
    for index in &parts.snapshots {
        reading.snapshot(*index);
    }
    let drafts = reading.drafts;
    let files = parts.files();
    let empty = || Error::new(ErrorKind::EmptyLog, "nothing of the session can be read");
    let id = parts.session_id(metadata.as_ref());
    match id.and_then(|id| if drafts.is_empty() { Err(empty()) } else { Ok(id) }) {
        Ok(id) => {
            let about = about(metadata.as_ref(), &projected);
            let session = Session::new(Format::Opendev, id, drafts);
            imported.sessions.push(Session { files, about, trace, ..session });
        }
        Err(error) => {
            let file = files.first().copied().unwrap_or_default();
            skip_of(&mut imported.skipped, file, error);
        }
    }
    metadata.and_then(|metadata| metadata.get("subagent_sessions")).unwrap_or_default().into()
}

impl Parts<'_> {
    fn files(&self) -> Vec<usize> {
        let own = [self.metadata, self.transcript, self.events].into_iter().flatten();
        let mut files: Vec<usize> = own.chain(self.snapshots.iter().copied()).collect();
        files.sort_unstable();
        files
    }

    /// The id that names the files, or else the one in them.
    fn session_id(&self, metadata: Option<&Object<'_>>) -> Result<SessionId> {
        let named = metadata.and_then(|metadata| metadata.text("id"));
        let id = SessionId::new(self.id);
        id.or_else(|error| named.map_or(Err(error), |id| SessionId::new(id.into_owned())))
    }
}

impl Reading<'_, '_> {
    fn skip(&mut self, file: usize, error: Error) {
        skip_of(self.skipped, file, error);
    }

    /// A file that is one object, on one line, every byte where it was.
    fn json(&mut self, index: usize) -> Option<String> {
        let file = self.files.get(index)?;
        one_line(file.bytes).map_err(|error| self.skip(index, error)).ok()
    }

    /// The messages of the transcript, or else those in the metadata. Tells whether that is what
    /// the session was.
    fn transcript(&mut self, parts: &Parts<'_>, json: &str, metadata: Option<&Object<'_>>) -> bool {
        let before = self.skipped.len();
        if let Some((index, file)) = parts.transcript.and_then(|i| Some((i, *self.files.get(i)?))) {
            for line in lines(file.bytes) {
                if !self.has_room(index, &line) {
                    break;
                }
                self.line(index, &line);
            }
        }
        let is_damaged = self.skipped.len() > before;
        let inside = metadata.map(|metadata| metadata.elements("messages")).unwrap_or_default();
        if !self.drafts.is_empty() {
            if let Some(index) = parts.metadata.filter(|_| !inside.is_empty()) {
                let message = "the messages in the metadata: those of the transcript hold";
                self.skip(index, Error::new(ErrorKind::NotSupported, message));
            }
            return true;
        }
        for (number, message) in inside.into_iter().enumerate() {
            let Some(index) = parts.metadata else { break };
            let no_object = || Error::new(ErrorKind::BadEntry, "it is no object");
            let compacted = compact(message);
            let object = Object::of(&compacted).ok_or_else(no_object);
            let drafts = object.and_then(|message| message::drafts(&message).and_then(all_checked));
            let start = message.as_ptr() as usize - json.as_ptr() as usize;
            self.take(
                index,
                drafts.map_err(|error| {
                    let message = format!("messages[{number}]: {}", error.message());
                    Error::new(error.kind(), message).at(|place| place.offset = Some(start as u64))
                }),
            );
        }
        !self.drafts.is_empty() || parts.transcript.is_some() && !is_damaged
    }

    fn line(&mut self, index: usize, line: &RawLine<'_>) {
        let drafts = line.object().and_then(|message| {
            let drafts = message::drafts(&message).and_then(all_checked);
            drafts.map_err(|error| line.place(error))
        });
        self.take(index, drafts);
    }

    /// Whether there may be another entry; where not, that is told.
    fn has_room(&mut self, index: usize, line: &RawLine<'_>) -> bool {
        let room = room_for_one(self.drafts.len());
        room.map_err(|error| self.skip(index, line.place(error))).is_ok()
    }

    fn take(&mut self, index: usize, checked: Result<Vec<Draft>>) {
        match checked {
            Ok(drafts) => self.drafts.extend(drafts),
            Err(error) => self.skip(index, error),
        }
    }

    fn projected(&mut self, projected: &Projected<'_>, index: usize) {
        for message in &projected.messages {
            if !self.has_room(index, &message.line) {
                break;
            }
            let Some(data) = Object::of(message.data) else { continue };
            let drafts = message::event_drafts(&data, message.edited).and_then(all_checked);
            self.take(index, drafts.map_err(|error| message.line.place(error)));
        }
    }

    /// What the session was made with, before its messages.
    fn start(
        &mut self,
        parts: &Parts<'_>,
        metadata: Option<&Object<'_>>,
        projected: &Projected<'_>,
    ) {
        let Some(source) = metadata.or(projected.created.as_ref()) else { return };
        let ts = source.text("created_at").and_then(|time| millis(&time));
        let known: &[&str] = match metadata.map(|metadata| metadata.text("id")) {
            // What happened stands in the trace as it is.
            None => &["id", "parent_id", "type", "title"],
            Some(id) if id.as_deref() == Some(parts.id) => &["parent_id", "id", "messages"],
            Some(_) => &["parent_id", "messages"],
        };
        // What is no list of messages is kept as it is.
        let has_list = source.get("messages").is_none_or(is_list);
        let known =
            if has_list { known } else { known.strip_suffix(&["messages"]).unwrap_or(known) };
        let config = compact(&others(source, known));
        let mut draft = dated("session_start", ts).with("config", &config);
        let parent = source.get("parent_id").or(projected.parent).filter(|id| *id != "null");
        if let Some(parent) = parent {
            draft = draft.with("origin", &compact(&format!(r#"{{"parent_id":{parent}}}"#)));
        }
        match checked(draft) {
            Ok(draft) => self.drafts.insert(0, draft),
            Err(error) => self.skip(parts.metadata.or(parts.events).unwrap_or_default(), error),
        }
    }

    fn snapshot(&mut self, index: usize) {
        let Some(json) = self.json(index) else { return };
        let ts = Object::of(&json);
        let ts =
            ts.and_then(|snapshot| crate::field::count(snapshot.get("snapshot_timestamp_ms")?));
        let draft = dated("extension", ts).with_text("domain", "opendev.snapshot");
        let draft = draft.with("payload", &compact(&json));
        self.take(index, checked(draft).map(|draft| Vec::from([draft])));
    }
}

fn all_checked(drafts: Vec<Draft>) -> Result<Vec<Draft>> {
    drafts.into_iter().map(checked).collect()
}

/// Title and tags, as much of them as a session's record holds.
fn about(metadata: Option<&Object<'_>>, projected: &Projected<'_>) -> About {
    let inner = metadata.and_then(|metadata| Object::of(metadata.get("metadata")?));
    let title = inner.as_ref().and_then(|inner| inner.text("title"));
    let title = title.or_else(|| projected.title.as_deref().map(Cow::Borrowed));
    let tags = inner.as_ref().map(|inner| inner.elements("tags")).unwrap_or_default();
    let tags = tags.into_iter().filter_map(crate::field::text);
    let mut room = IMPORT_TAGS_BYTES;
    let mut kept: Vec<String> = Vec::new();
    for tag in tags.take(TAGS_MAX) {
        let mut spelled = String::new();
        push_text(&mut spelled, &tag);
        let Some(rest) = room.checked_sub(spelled.len() + 1) else { break };
        room = rest;
        kept.push(tag.into_owned());
    }
    kept.sort_unstable();
    kept.dedup();
    let title = title.filter(|title| !title.is_empty());
    let title = title.map(|title| {
        let mut bounded = String::new();
        push_bounded(&mut bounded, &title, TITLE_BYTES_MAX);
        bounded
    });
    About::new(title, kept)
}
