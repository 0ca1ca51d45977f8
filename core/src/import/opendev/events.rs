//! opendev's events: what happened to a session, one on each line. They are its trace; where there is
//! nothing else, its messages are found in them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::super::File;
use super::super::lines::{RawLine, lines};
use crate::field;
use crate::json::Object;
use crate::limits::IMPORT_ENTRIES_MAX;

/// An event that counts.
struct Event<'a> {
    seq: u64,
    /// An object: not taken apart, because there may be millions.
    data: &'a str,
    line: RawLine<'a>,
}

/// A message as events tell it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) data: &'a str,
    /// Content that took the place of its own, as JSON.
    pub(super) edited: Option<&'a str>,
    /// Where it was added.
    pub(super) line: RawLine<'a>,
}

/// A session as its events tell it.
#[derive(Debug, Default)]
pub(super) struct Projected<'a> {
    /// What it was created with.
    pub(super) created: Option<Object<'a>>,
    pub(super) title: Option<Cow<'a, str>>,
    /// The session it was forked from, as JSON.
    pub(super) parent: Option<&'a str>,
    pub(super) messages: Vec<Message<'a>>,
    /// The first line that was one too many.
    pub(super) cut: Option<RawLine<'a>>,
}

/// Replays the events that were not undone.
pub(super) fn project(file: File<'_>) -> Projected<'_> {
    let mut lines = lines(file.bytes);
    let events = events(lines.by_ref().take(IMPORT_ENTRIES_MAX));
    let mut session = Projected { cut: lines.next(), ..Projected::default() };
    for event in effective(events) {
        session.apply(&event);
    }
    session
}

/// The events in the order of their numbers. Lines that hold none are told of with the trace.
fn events<'a>(lines: impl Iterator<Item = RawLine<'a>>) -> Vec<Event<'a>> {
    let envelopes = lines.filter_map(|line| Some((line, line.object().ok()?)));
    let events = envelopes.filter_map(|(line, envelope)| {
        let seq = envelope.get("seq").and_then(field::count)?;
        let data = envelope.get("data").filter(|data| data.starts_with('{'))?;
        Some(Event { seq, data, line })
    });
    let mut events: Vec<_> = events.collect();
    events.sort_by_key(|event| event.seq);
    events
}

/// Without tombstones, and without what the latest one undid. Earlier ones do not count any more:
/// that is how opendev reads them.
fn effective(events: Vec<Event<'_>>) -> impl Iterator<Item = Event<'_>> {
    let undone = events.iter().filter_map(|event| {
        Some((event.seq, tombstone(event.data)?.get("undo_to_seq").and_then(field::count)?))
    });
    let latest = undone.fold(None, |latest: Option<(u64, u64)>, tombstone| match latest {
        Some(latest) if latest.0 >= tombstone.0 => Some(latest),
        _ => Some(tombstone),
    });
    events.into_iter().filter(move |event| {
        let is_kept = latest.is_none_or(|(at, undo_to)| event.seq <= undo_to || event.seq > at);
        is_kept && tombstone(event.data).is_none()
    })
}

/// The event, if it undoes others. Nearly none does, and to look for the word is faster.
fn tombstone(data: &str) -> Option<Object<'_>> {
    let data = Some(data).filter(|data| data.contains("Tombstone")).and_then(Object::of);
    data.filter(|data| data.text("type").as_deref() == Some("Tombstone"))
}

impl<'a> Projected<'a> {
    fn apply(&mut self, event: &Event<'a>) {
        let Some(data) = Object::of(event.data) else { return };
        let index =
            |name| data.get(name).and_then(field::count).and_then(|n| usize::try_from(n).ok());
        match &*data.text("type").unwrap_or_default() {
            "SessionCreated" => {
                self.title = data.text("title");
                self.parent = data.get("parent_id").filter(|id| *id != "null");
                self.created = Some(data);
            }
            "MessageAdded" => {
                let (data, line) = (event.data, event.line);
                self.messages.push(Message { data, edited: None, line });
            }
            "MessageEdited" => {
                let message = index("seq").and_then(|index| self.messages.get_mut(index));
                if let (Some(message), Some(content)) = (message, data.get("content")) {
                    message.edited = Some(content);
                }
            }
            "TitleChanged" => self.title = data.text("title"),
            "MetadataUpdated" if data.text("key").as_deref() == Some("title") => {
                self.title = data.text("value");
            }
            "SessionForked" => {
                self.parent = data.get("source_session_id");
                self.messages.truncate(index("fork_point").unwrap_or(usize::MAX));
            }
            _ => {}
        }
    }
}
