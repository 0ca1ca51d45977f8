//! Transcripts of opendev's subagents: `{"seq","ts","k":"sys|ast|tr|tok|st",…}` on each line.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::lines::{checked, lines};
use super::super::{File, Skipped};
use super::message::{dated, others};
use crate::field;
use crate::json::Object;
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// The drafts of a transcript.
pub(super) fn read(file: File<'_>, index: usize, skipped: &mut Vec<Skipped>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for line in lines(file.bytes) {
        let draft = line.object().and_then(|entry| {
            let draft = draft(&entry, drafts.is_empty()).and_then(checked);
            draft.map_err(|error| line.place(error))
        });
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(error) => skipped.push(Skipped { file: index, error }),
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
    let dated = |name| dated(name, entry.get("ts").and_then(field::count));
    Ok(match &*kind {
        "" => return Err(Error::new(ErrorKind::BadEntry, "the entry has no k")),
        "sys" if is_first => dated("session_start").with("system_prompt", needed("content")?),
        "sys" => {
            let content = needed("content")?;
            dated("system_item")
                .with("item", &format!(r#"{{"role":"system","content":{content}}}"#))
        }
        "ast" => dated("assistant_item").with("item", &assistant(needed("content")?, entry)),
        "tr" => dated("tool_result").with("item", &result(needed("call_id")?, entry)),
        "tok" => dated("llm_usage")
            .with("input_total_tokens", needed("inp")?)
            .with("output_tokens", needed("out")?),
        "st" => extension(dated("extension"), "opendev.state", entry),
        other => extension(dated("extension"), &format!("opendev.{other}"), entry),
    })
}

fn assistant(content: &str, entry: &Object<'_>) -> String {
    let calls = entry.get("tool_calls").filter(|calls| calls.starts_with('['));
    let calls = calls.map(|calls| format!(r#","tool_calls":{calls}"#)).unwrap_or_default();
    format!(r#"{{"role":"assistant","content":{content}{calls}}}"#)
}

fn result(call: &str, entry: &Object<'_>) -> String {
    let get = |name| entry.get(name).unwrap_or("null");
    let (name, output) = (get("name"), get("output"));
    let failed = if get("ok") == "false" { r#","is_error":true"# } else { "" };
    format!(r#"{{"role":"tool","tool_call_id":{call},"name":{name},"content":{output}{failed}}}"#)
}

fn extension(draft: Draft, domain: &str, entry: &Object<'_>) -> Draft {
    draft.with_text("domain", domain).with("payload", &others(entry, &["seq", "ts", "k"]))
}
