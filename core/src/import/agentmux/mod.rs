//! What agentmux archived: the output of an agent's provider as it came, line by line, gzipped.
//!
//! Lines are those of Claude's `stream-json`; others are kept as what they are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::content::{check, file_name, readable, skip, start, stem};
use super::{File, Imported, Session, Skipped};
use crate::json::{Object, push_text};
use crate::kind::Kind;
use crate::log::Draft;
use crate::session::About;
use crate::{Error, ErrorKind, Result, SessionId};

const SIDECAR: &str = ".tsidx.gz";
const ENDINGS: [&str; 2] = [".gz", ".jsonl"];
/// Domains of what is no message: a line that is JSON, and any other.
const EVENT: &str = "agentmux";
const TEXT: &str = "agentmux.text";

/// Whether a file holds an agent's output. Others are asked first: anything may be output.
pub(super) fn detects(file: File<'_>) -> bool {
    let name = file_name(file.name);
    let is_archive = name.ends_with(".jsonl.gz") || name.ends_with(SIDECAR);
    if is_archive {
        return true;
    }
    let start = start(file.bytes);
    let first = start.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
    let object = first.and_then(|line| core::str::from_utf8(line).ok()).and_then(Object::of);
    let sort = object.as_ref().and_then(|object| object.text("type"));
    name.ends_with(".jsonl") && sort.is_some_and(|sort| is_sort(&sort))
}

/// The sorts of lines that `stream-json` has.
fn is_sort(sort: &str) -> bool {
    matches!(sort, "system" | "assistant" | "user" | "result" | "stream_event")
}

pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    let mut imported = Imported::default();
    for (index, file) in files.iter().enumerate() {
        let mut skipped = Vec::new();
        let session = read_file(*file, &mut skipped)?;
        imported.skipped.extend(skipped.into_iter().map(|one| Skipped { file: index, ..one }));
        imported
            .sessions
            .extend(session.map(|session| Session { files: alloc::vec![index], ..session }));
    }
    Ok(imported)
}

fn read_file(file: File<'_>, skipped: &mut Vec<Skipped>) -> Result<Option<Session>> {
    if file.name.ends_with(SIDECAR) {
        let message = "an index of times beside an archive: nothing of the session is in it alone";
        skip(skipped, Error::new(ErrorKind::NotSupported, message));
        return Ok(None);
    }
    let id = SessionId::new(stem(file.name, &ENDINGS))?;
    if file.name.ends_with(".gz") && file.bytes.len() < 2 {
        let error = Error::new(ErrorKind::GzipTruncated, "the file ends in the middle");
        return Err(error.at(|place| place.offset = Some(file.bytes.len() as u64)));
    }
    let (content, damage) = readable(file.bytes);
    let drafts = drafts_of(&content, damage.is_some(), &id, skipped);
    if let Some(damage) = damage {
        if drafts.is_empty() {
            return Err(damage);
        }
        skip(skipped, damage.in_session(&id));
    }
    let (about, trace, files) = (About::default(), String::new(), Vec::new());
    Ok(Some(Session { id, files, about, drafts, trace, chain: None }))
}

fn drafts_of(
    content: &[u8],
    is_cut: bool,
    id: &SessionId,
    skipped: &mut Vec<Skipped>,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut offset = 0;
    for (number, whole) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let (start, is_ended) = (offset, whole.ends_with(b"\n"));
        offset += whole.len();
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let draft = draft_of(line);
        let is_text = draft.as_ref().is_ok_and(is_text);
        let fault = match draft {
            Ok(draft) => {
                drafts.push(draft);
                let torn =
                    || Error::new(ErrorKind::TornTail, "the last line is cut off: kept as text");
                (!is_ended && is_text && !is_cut).then(torn)
            }
            Err(error) => Some(error),
        };
        let place = |error: Error| {
            error.in_session(id).at(|place| {
                (place.line, place.offset) = (Some(number as u64 + 1), Some(start as u64));
            })
        };
        if let Some(fault) = fault {
            skip(skipped, place(fault));
        }
    }
    drafts
}

fn is_text(draft: &Draft) -> bool {
    Object::of(draft.as_str()).and_then(|object| object.text("domain")).is_some_and(|d| d == TEXT)
}

/// What a line becomes: `too_large` where no entry could hold it.
fn draft_of(line: &[u8]) -> Result<Draft> {
    let text = core::str::from_utf8(line).ok().map(str::trim);
    let object = text.and_then(|text| Some((text, Object::of(text)?)));
    let draft = object.map(|(text, object)| event(text, &object));
    if let Some(draft) = draft.filter(|draft| check(draft).is_ok()) {
        return Ok(draft);
    }
    let draft = text_draft(line);
    check(&draft).map(|()| draft)
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
