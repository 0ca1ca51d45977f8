//! What agentmux archived: the output of an agent's provider as it came, line by line, gzipped.
//!
//! Lines are those of Claude's `stream-json`; others are kept as what they are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::content::{
    check, each, escaped_bytes, file_name, readable, room_for_one, skip, stem, unmarked,
};
use super::lines::{RawLine, lines};
use super::{File, Format, Imported, Session, Skipped};
use crate::json::{Object, push_text};
use crate::kind::Kind;
use crate::limits::{IMPORT_BYTES_MAX, IMPORT_TEXT_BYTES, LINE_BYTES_MAX};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result, SessionId};

const SIDECAR: &str = ".tsidx.gz";
const ENDINGS: [&str; 2] = [".gz", ".jsonl"];
/// Domains of what is no message: a line that is JSON, and any other.
const EVENT: &str = "agentmux";
const TEXT: &str = "agentmux.text";

/// Whether a file holds an agent's output. Others are asked first: anything may be output.
pub(super) fn detects(file: File<'_>, start: &[u8]) -> bool {
    let name = file_name(file.name);
    let is_archive = name.ends_with(".jsonl.gz") || name.ends_with(SIDECAR);
    if is_archive {
        return true;
    }
    let mut lines = unmarked(start).split(|byte| *byte == b'\n');
    let first = lines.find(|line| !line.trim_ascii().is_empty());
    let object = first.and_then(|line| core::str::from_utf8(line).ok()).and_then(Object::of);
    let sort = object.as_ref().and_then(|object| object.text("type"));
    name.ends_with(".jsonl") && sort.is_some_and(|sort| is_sort(&sort))
}

/// The sorts of lines that `stream-json` has.
fn is_sort(sort: &str) -> bool {
    matches!(sort, "system" | "assistant" | "user" | "result" | "stream_event")
}

pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    each(files, read_file)
}

fn read_file(file: File<'_>) -> Result<Imported> {
    let mut imported = Imported::default();
    if file.name.ends_with(SIDECAR) {
        let message = "an index of times beside an archive: nothing of the session is in it alone";
        skip(&mut imported.skipped, Error::new(ErrorKind::NotSupported, message));
        return Ok(imported);
    }
    let id = SessionId::new(stem(file.name, &ENDINGS))?;
    if file.name.ends_with(".gz") && file.bytes.len() < 2 {
        let error = Error::new(ErrorKind::GzipTruncated, "the file ends in the middle");
        return Err(error.at(|place| place.offset = Some(file.bytes.len() as u64)));
    }
    let (content, damage) = readable(file.bytes, &mut { IMPORT_BYTES_MAX });
    let drafts = drafts_of(&content, damage.is_some(), &id, &mut imported.skipped);
    if let Some(damage) = damage {
        if drafts.is_empty() {
            return Err(damage);
        }
        skip(&mut imported.skipped, damage.in_session(&id));
    }
    imported.sessions.push(Session::new(Format::Agentmux, id, drafts));
    Ok(imported)
}

fn drafts_of(
    content: &[u8],
    is_cut: bool,
    id: &SessionId,
    skipped: &mut Vec<Skipped>,
) -> Vec<Draft> {
    let mut output = Output::default();
    for line in lines(content) {
        let fault = match output.push(&line) {
            Ok(is_text) => (is_text && !line.is_ended() && !is_cut)
                .then(|| Error::new(ErrorKind::TornTail, "the last line is cut off: kept as text")),
            Err(error) => Some(error),
        };
        let Some(fault) = fault.map(|error| line.place(error).in_session(id)) else { continue };
        let is_full = output.is_full;
        skip(skipped, fault);
        if is_full {
            break;
        }
    }
    output.end_text();
    output.drafts
}

/// The entries so far, and text that may go on.
#[derive(Default)]
struct Output {
    drafts: Vec<Draft>,
    text: Option<Text>,
    is_full: bool,
}

/// Consecutive lines that are no messages.
struct Text {
    bytes: Vec<u8>,
    is_utf8: bool,
    /// The last of them.
    line: u64,
}

impl Output {
    /// Takes a line over, and tells whether it is text: `too_large` where no entry could hold it, or
    /// there is no room for another entry.
    fn push(&mut self, line: &RawLine<'_>) -> Result<bool> {
        let text = core::str::from_utf8(line.bytes).ok();
        let object = text.map(str::trim).and_then(|text| Some((text, Object::of(text)?)));
        let draft = object.map(|(text, object)| event(text, &object));
        let Some(draft) = draft.and_then(|draft| check(&draft).ok()) else {
            return self.push_text(line, text.is_some()).map(|()| true);
        };
        self.end_text();
        self.room()?;
        self.drafts.push(draft);
        Ok(false)
    }

    /// What a terminal showed is many short lines: an entry for each would take more than they do.
    fn push_text(&mut self, line: &RawLine<'_>, is_utf8: bool) -> Result<()> {
        if let Some(text) = self.text.as_mut().filter(|text| text.is_utf8 == is_utf8) {
            let breaks = usize::try_from(line.number() - text.line).unwrap_or(IMPORT_TEXT_BYTES);
            if text.bytes.len() + breaks + line.bytes.len() <= IMPORT_TEXT_BYTES {
                text.bytes.resize(text.bytes.len() + breaks, b'\n');
                text.bytes.extend_from_slice(line.bytes);
                text.line = line.number();
                return Ok(());
            }
        }
        self.end_text();
        self.room()?;
        check_length(line.bytes)?;
        check(&text_draft(line.bytes))?;
        self.text = Some(Text { bytes: line.bytes.to_vec(), is_utf8, line: line.number() });
        Ok(())
    }

    fn end_text(&mut self) {
        let text = self.text.take();
        self.drafts.extend(text.map(|text| text_draft(&text.bytes)));
    }

    fn room(&mut self) -> Result<()> {
        let room = room_for_one(self.drafts.len());
        self.is_full = room.is_err();
        room
    }
}

fn event(line: &str, object: &Object<'_>) -> Draft {
    let is_one = object.iter().filter(|(name, _)| *name == "message").count() == 1;
    let message = object.get("message").filter(|message| is_one && message.starts_with('{'));
    let sort = object.text("type").unwrap_or_default();
    let draft = match (&*sort, message) {
        ("assistant", Some(message)) => Draft::assistant_item(message),
        ("user", Some(message)) if crate::item::kind_of(message) == Kind::ToolResult => {
            Draft::tool_result(message)
        }
        ("user", Some(message)) => Draft::user_input(message),
        ("result", _) => ending(object),
        _ => return Draft::extension(EVENT, line),
    };
    let is_item = sort != "result";
    draft.with("line", &members(object, is_item))
}

/// How a run ended.
fn ending(object: &Object<'_>) -> Draft {
    let sort = object.text("subtype").unwrap_or_default();
    let is_error = object.get("is_error") == Some("true");
    match (&*sort, is_error) {
        ("error_max_turns", _) => Draft::run_completed("limit_reached"),
        (sort, is_error) if is_error || sort.starts_with("error") => {
            let message = object.text("result");
            let fallback = if sort.is_empty() { "the run failed" } else { sort };
            Draft::run_errored(message.as_deref().unwrap_or(fallback))
        }
        _ => Draft::run_completed("finished"),
    }
}

/// The members of a line as they are, without the message where that stands elsewhere.
fn members(object: &Object<'_>, is_item: bool) -> String {
    let kept = object.iter().filter(|(name, _)| !is_item || *name != "message");
    let kept: Vec<String> = kept.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", kept.join(","))
}

/// What is too long for an entry is not written as JSON first, which may be six times as long.
fn check_length(line: &[u8]) -> Result<()> {
    if escaped_bytes(line) <= LINE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "it is larger than an entry can be"))
}

fn text_draft(line: &[u8]) -> Draft {
    let mut payload = String::new();
    match core::str::from_utf8(line) {
        Ok(text) => push_text(&mut payload, text),
        Err(_) => payload = format!(r#"{{"base64":"{}"}}"#, STANDARD.encode(line)),
    }
    Draft::extension(TEXT, &payload)
}

#[cfg(test)]
mod tests;
