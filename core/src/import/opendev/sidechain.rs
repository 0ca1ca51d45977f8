//! Transcripts of opendev's subagents: `{"seq","ts","k":"sys|ast|tr|tok|st",…}` on each line.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::content::{room_for_one, skip_of};
use super::super::lines::{checked, lines};
use super::super::{File, Skipped};
use super::message::{dated, is_list, others, push_others};
use crate::field;
use crate::json::Object;
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// The drafts of a transcript.
pub(super) fn read(file: File<'_>, index: usize, skipped: &mut Vec<Skipped>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for line in lines(file.bytes) {
        if let Err(error) = room_for_one(drafts.len()) {
            skip_of(skipped, index, line.place(error));
            break;
        }
        let draft = line.object().and_then(|entry| {
            let draft = draft(&entry, drafts.is_empty()).and_then(checked);
            draft.map_err(|error| line.place(error))
        });
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(error) => skip_of(skipped, index, error),
        }
    }
    drafts
}

fn draft(entry: &Object<'_>, is_first: bool) -> Result<Draft> {
    let needed = |name: &str| {
        let message = || Error::new(ErrorKind::BadEntry, format!("the entry has no {name}"));
        entry.get(name).ok_or_else(message)
    };
    let kind = entry.text("k").unwrap_or_default();
    let ts = entry.get("ts").and_then(field::count);
    let dated = |name| dated(name, ts);
    // A time that is none is kept as what it is.
    let known: &[&str] = if ts.is_some() { &["seq", "k", "ts"] } else { &["seq", "k"] };
    let known = |names: &[&'static str]| [known, names].concat();
    Ok(match &*kind {
        "" => return Err(Error::new(ErrorKind::BadEntry, "the entry has no k")),
        "sys" if is_first => {
            let draft = dated("session_start").with("system_prompt", needed("content")?);
            with_others(draft, entry, &known(&["content"]))
        }
        "sys" => {
            let mut item = format!(r#"{{"role":"system","content":{}"#, needed("content")?);
            push_others(&mut item, entry, &known(&["content"]));
            dated("system_item").with("item", &item)
        }
        "ast" => {
            let (mut item, names) = assistant(needed("content")?, entry);
            push_others(&mut item, entry, &known(names));
            dated("assistant_item").with("item", &item)
        }
        "tr" => {
            let mut item = result(needed("call_id")?, entry);
            let names: &[&str] = match entry.get("ok") {
                Some("true" | "false") => &["call_id", "name", "output", "ok"],
                _ => &["call_id", "name", "output"],
            };
            push_others(&mut item, entry, &known(names));
            dated("tool_result").with("item", &item)
        }
        "tok" => {
            let draft = dated("llm_usage").with("input_total_tokens", needed("inp")?);
            let draft = draft.with("output_tokens", needed("out")?);
            with_others(draft, entry, &known(&["inp", "out"]))
        }
        "st" => extension(dated("extension"), "opendev.state", entry, &known(&[])),
        other => extension(dated("extension"), &format!("opendev.{other}"), entry, &known(&[])),
    })
}

/// An answer, which the caller ends, and the members that are in it.
fn assistant(content: &str, entry: &Object<'_>) -> (String, &'static [&'static str]) {
    let item = format!(r#"{{"role":"assistant","content":{content}"#);
    match entry.get("tool_calls") {
        Some(calls) if is_list(calls) => {
            (format!(r#"{item},"tool_calls":{calls}"#), &["content", "tool_calls"])
        }
        Some("null") => (item, &["content", "tool_calls"]),
        _ => (item, &["content"]),
    }
}

/// The result of a call, which the caller ends.
fn result(call: &str, entry: &Object<'_>) -> String {
    let get = |name| entry.get(name).unwrap_or("null");
    let (name, output) = (get("name"), get("output"));
    let failed = if get("ok") == "false" { r#","is_error":true"# } else { "" };
    format!(r#"{{"role":"tool","tool_call_id":{call},"name":{name},"content":{output}{failed}"#)
}

fn with_others(draft: Draft, entry: &Object<'_>, known: &[&str]) -> Draft {
    match others(entry, known) {
        others if others.len() > 2 => draft.with("opendev", &others),
        _ => draft,
    }
}

fn extension(draft: Draft, domain: &str, entry: &Object<'_>, known: &[&str]) -> Draft {
    draft.with_text("domain", domain).with("payload", &others(entry, known))
}
