//! Entries of session-store as drafts.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::content::room_for_one;
use super::super::lines::checked;
use crate::field;
use crate::json::{Object, push_text};
use crate::limits::{IMPORT_ENTRIES_MAX, ITEM_ID_BYTES_MAX};
use crate::line::Line;
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// Kinds that tell session-store's lines, of every era.
pub(super) const KINDS: [&str; 23] = [
    "session_start",
    "segment_start",
    "user_input",
    "assistant_item",
    "assistant_items",
    "tool_result",
    "tool_results",
    "system_item",
    "system_items",
    "hook_injected_items",
    "turn_end",
    "run_outcome",
    "run_completed",
    "run_errored",
    "invoke",
    "config_changed",
    "llm_usage",
    "extension",
    "locked",
    "unlocked",
    "cache_locked",
    "cache_unlocked",
    "paused_turn_abandoned",
];

/// Makes drafts of entries, one after the other.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) drafts: Vec<Draft>,
    /// Ids of items so far.
    ids: BTreeSet<String>,
}

impl Entries {
    /// Takes the entry of a line over. What has not the shape of its kind becomes an extension, and
    /// the error says so.
    pub(super) fn push(&mut self, entry: &Object<'_>, line: &str) -> Result<()> {
        let no_kind = || Error::new(ErrorKind::BadEntry, "the entry has no kind");
        let kind = entry.text("kind").filter(|kind| !kind.is_empty()).ok_or_else(no_kind)?;
        let drafts = self
            .known(&kind, entry)
            .filter(|drafts| !drafts.is_empty() || is_bare(entry))
            .map(|drafts| drafts.into_iter().map(checked).collect::<Result<Vec<_>>>());
        let drafts = match is_any_twice(entry) {
            true => drafts.map(|_| Err(twice())),
            false => drafts,
        };
        let fault = match drafts {
            Some(Ok(drafts)) => return self.extend(drafts).and_then(|()| check_time(entry)),
            Some(Err(error)) => Err(kept_aside(&kind, &error)),
            None => Ok(()),
        };
        let domain = alloc::format!("session_store.{kind}");
        let extension = dated("extension", entry).with_text("domain", &domain);
        self.drafts.push(checked(extension.with("payload", &body(line)))?);
        fault.and_then(|()| check_time(entry))
    }

    fn extend(&mut self, drafts: Vec<Draft>) -> Result<()> {
        for draft in drafts {
            room_for_one(self.drafts.len())?;
            let draft = self.identified(draft);
            self.drafts.push(draft);
        }
        Ok(())
    }

    /// The drafts of an entry whose kind has a counterpart, at most one more than there is room for.
    fn known(&self, kind: &str, entry: &Object<'_>) -> Option<Vec<Draft>> {
        let most = IMPORT_ENTRIES_MAX.saturating_sub(self.drafts.len()) + 1;
        let one = |draft| Some(Vec::from([draft]));
        match kind {
            "session_start" | "segment_start" => one(start(entry, self.drafts.is_empty())),
            "user_input" => Some(user_input(entry, most)),
            "assistant_item" | "tool_result" | "system_item" => one(renamed(kind, entry, &[])),
            "assistant_items" => Some(items("assistant_item", entry, most)),
            "tool_results" => Some(items("tool_result", entry, most)),
            "system_items" | "hook_injected_items" => Some(items("system_item", entry, most)),
            "turn_end" => one(renamed(kind, entry, &[("turn_count", "turn")])),
            "run_outcome" => one(run_outcome(entry)),
            "invoke" => one(renamed("run_started", entry, &[])),
            "run_completed" | "run_errored" | "config_changed" | "llm_usage" | "extension" => {
                one(renamed(kind, entry, &[]))
            }
            _ => None,
        }
    }

    /// The draft of an item with the id that the item has, where no item before it has the same.
    fn identified(&mut self, draft: Draft) -> Draft {
        let id = Object::of(draft.as_str()).and_then(|fields| {
            let item = fields.get("item").and_then(Object::of)?;
            item.text("id").filter(|_| fields.get("id").is_none()).map(|id| id.into_owned())
        });
        let fits = |id: &String| (1..=ITEM_ID_BYTES_MAX).contains(&id.len());
        match id.filter(fits).filter(|id| self.ids.insert(id.clone())) {
            Some(id) => draft.with_text("id", &id),
            None => draft,
        }
    }
}

/// Whether an entry without items is nothing at all.
fn is_bare(entry: &Object<'_>) -> bool {
    let known = ["hash", "prev_hash", "kind", "ts", "items"];
    entry.iter().all(|(name, _)| known.contains(&name))
}

/// Whether a member of the entry stands twice: which one is meant cannot be known.
fn is_any_twice(entry: &Object<'_>) -> bool {
    let mut names: Vec<_> = entry.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.iter().zip(names.iter().skip(1)).any(|(one, next)| one == next)
}

fn twice() -> Error {
    Error::new(ErrorKind::DuplicateKey, "a member stands twice")
}

/// A time that no entry can have is told.
fn check_time(entry: &Object<'_>) -> Result<()> {
    match entry.get("ts").is_some_and(|ts| field::count(ts).is_none()) {
        true => {
            let message = "ts is no count of milliseconds: it is kept as the member told_ts";
            Err(Error::new(ErrorKind::BadEntry, message))
        }
        false => Ok(()),
    }
}

/// The entry that a line holds, byte for byte, without its hashes.
fn body(line: &str) -> String {
    let rest = Line::split(line.as_bytes()).and_then(|line| core::str::from_utf8(line.rest).ok());
    rest.map_or_else(|| line.into(), |rest| alloc::format!("{{{rest}"))
}

fn kept_aside(kind: &str, fault: &Error) -> Error {
    let message =
        alloc::format!("the {kind} entry is kept as an extension only: {}", fault.message());
    Error::new(fault.kind(), message)
}

/// What opens a log, or in the middle of one replaces what a model is told.
fn start(entry: &Object<'_>, is_first: bool) -> Draft {
    let kind = if is_first { "session_start" } else { "compaction" };
    let mut draft = dated(kind, entry);
    let present = |name| entry.get(name).filter(|value| *value != "null");
    for name in ["system_prompt", "config"] {
        if let Some(value) = present(name) {
            draft = draft.with(name, value);
        }
    }
    let history = present("history").unwrap_or("[]");
    draft = match is_first {
        true => draft.with("history", history),
        false => draft.with("summary", history).with_count("keep_last", 0),
    };
    match origin(entry, is_first) {
        Some(origin) => draft.with("origin", &origin),
        None => draft,
    }
}

/// What of a start has no counterpart: where the session came from, and that a later one unset
/// something.
fn origin(entry: &Object<'_>, is_first: bool) -> Option<String> {
    let has_none = |(name, value): &(&str, &str)| match *name {
        "hash" | "prev_hash" | "kind" | "ts" | "history" => false,
        "system_prompt" | "config" => !is_first && *value == "null",
        _ => true,
    };
    let members = entry.iter().filter(has_none);
    let members: Vec<_> =
        members.map(|(name, value)| alloc::format!("\"{name}\":{value}")).collect();
    (!members.is_empty()).then(|| alloc::format!("{{{}}}", members.join(",")))
}

/// What the user said, and the extensions that were committed with it.
fn user_input(entry: &Object<'_>, most: usize) -> Vec<Draft> {
    let mut input = renamed("user_input", entry, &[("extensions", "")]);
    if entry.get("item").is_none() && entry.get("segments").is_some_and(|s| s.starts_with('[')) {
        let mut text = String::new();
        push_text(&mut text, &flattened(&entry.elements("segments")));
        let content = alloc::format!(r#"[{{"type":"text","text":{text}}}]"#);
        let item = alloc::format!(r#"{{"type":"message","role":"user","content":{content}}}"#);
        input = input.with("item", &item);
    }
    let mut others = Vec::new();
    let mut drafts = Vec::new();
    for extension in entry.elements("extensions") {
        match committed(extension) {
            Some(_) if drafts.len() >= most => break,
            Some((domain, payload)) => {
                let draft = dated("extension", entry).with("domain", domain);
                drafts.push(draft.with("payload", payload));
            }
            None => others.push(extension),
        }
    }
    let is_other = |value: &&str| !value.starts_with('[') && *value != "null";
    if let Some(value) = entry.get("extensions").filter(is_other) {
        input = input.with("extensions", value);
    } else if !others.is_empty() {
        input = input.with("extensions", &alloc::format!("[{}]", others.join(",")));
    }
    core::iter::once(input).chain(drafts).collect()
}

/// Domain and payload of an extension that has those and nothing else.
fn committed(extension: &str) -> Option<(&str, &str)> {
    let fields = Object::of(extension).filter(|fields| fields.len() == 2)?;
    let domain = fields.get("domain").filter(|domain| field::text(domain).is_some())?;
    Some((domain, fields.get("payload")?))
}

/// The text that session-store's model was sent for an input's segments.
fn flattened(segments: &[&str]) -> String {
    let mut flat = String::new();
    for segment in segments.iter().filter_map(|segment| Object::of(segment)) {
        let text = |name| segment.text(name).unwrap_or_default();
        let (before, value, after) = match &*text("kind") {
            "text" | "paste" => ("", text("content"), ""),
            "file_ref" => ("@", text("path"), ""),
            "knowledge_ref" => ("#", text("slug"), ""),
            "workflow_invoke" => ("/", text("slug"), ""),
            "flow" => ("[Flow: ", text("selector"), "]"),
            _ => ("[unknown input segment]", "".into(), ""),
        };
        flat.extend([before, &*value, after]);
    }
    flat
}

/// A draft for each item of an entry. The first has what else the entry holds.
fn items(kind: &str, entry: &Object<'_>, most: usize) -> Vec<Draft> {
    let Some(items) = entry.get("items").and_then(field::items) else {
        return Vec::from([renamed(kind, entry, &[])]);
    };
    let draft = |(index, item): (usize, &str)| {
        let draft = match index {
            0 => renamed(kind, entry, &[("items", "")]),
            _ => dated(kind, entry),
        };
        draft.with("item", item)
    };
    items.into_iter().take(most).enumerate().map(draft).collect()
}

/// How a run ended, before there was a kind for failures.
fn run_outcome(entry: &Object<'_>) -> Draft {
    let error = entry.get("outcome").and_then(Object::of);
    let error = error.and_then(|outcome| outcome.get("error").and_then(Object::of));
    match error.and_then(|error| error.text("message").map(|text| text.into_owned())) {
        Some(message) => renamed("run_errored", entry, &[]).with_text("message", &message),
        None => renamed("run_completed", entry, &[("outcome", "result")]),
    }
}

/// A draft with an entry's members, of which some get another name, or none and are left out.
fn renamed(kind: &str, entry: &Object<'_>, names: &[(&str, &str)]) -> Draft {
    let mut draft = dated(kind, entry);
    for (key, value) in entry.iter() {
        let other = names.iter().find(|(name, _)| *name == key).map(|(_, other)| *other);
        let name = match key {
            "hash" | "prev_hash" | "kind" | "ts" => "",
            _ => other.unwrap_or(key),
        };
        if !name.is_empty() {
            draft = draft.with(name, value);
        }
    }
    draft
}

/// A draft with an entry's time.
fn dated(kind: &str, entry: &Object<'_>) -> Draft {
    let draft = Draft::new(kind);
    match entry.get("ts") {
        Some(ts) if field::count(ts).is_some() => draft.with("ts", ts),
        Some(ts) => draft.with("told_ts", ts),
        None => draft,
    }
}
