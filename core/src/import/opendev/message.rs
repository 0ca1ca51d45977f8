//! opendev's chat messages as items in the shape of Chat Completions.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::time::millis;
use crate::field;
use crate::json::{Object, push_text};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// The drafts of a message: itself, and a result for each call that has one. `edited` is the JSON
/// of content that took the place of its own.
pub(super) fn drafts(message: &Object<'_>, edited: Option<&str>) -> Result<Vec<Draft>> {
    let role = message.text("role").unwrap_or_default();
    let kind = match &*role {
        "user" => "user_input",
        "assistant" => "assistant_item",
        "system" => "system_item",
        _ => return Err(Error::new(ErrorKind::BadEntry, "a message's role is none of opendev's")),
    };
    let ts = message.text("timestamp").and_then(|time| millis(&time));
    let content = edited.or_else(|| message.get("content")).unwrap_or("null");
    let calls = message.elements("tool_calls");
    let mut item = format!(r#"{{"role":"{role}","content":{content}"#);
    if !calls.is_empty() {
        let calls: Vec<_> = calls.iter().map(|call| call_json(call)).collect();
        item.push_str(&format!(r#","tool_calls":[{}]"#, calls.join(",")));
    }
    push_others(&mut item, message, &["role", "content", "tool_calls", "type"]);
    let results = calls.iter().filter_map(|call| result_json(call));
    let results = results.map(|result| dated("tool_result", ts).with("item", &result));
    Ok(core::iter::once(dated(kind, ts).with("item", &item)).chain(results).collect())
}

/// A draft with a time, where there is one.
pub(super) fn dated(kind: &str, ts: Option<u64>) -> Draft {
    let draft = Draft::new(kind);
    match ts {
        Some(ts) => draft.with_count("ts", ts),
        None => draft,
    }
}

/// A call; what is none is kept as it is.
fn call_json(call: &str) -> String {
    let Some(fields) = Object::of(call) else { return call.into() };
    let get = |name| fields.get(name).unwrap_or("null");
    let mut arguments = String::new();
    push_text(&mut arguments, fields.get("parameters").unwrap_or("{}"));
    let (id, name) = (get("id"), get("name"));
    let function = format!(r#"{{"name":{name},"arguments":{arguments}}}"#);
    let mut json = format!(r#"{{"id":{id},"type":"function","function":{function}"#);
    push_others(&mut json, &fields, &["id", "name", "parameters", "result", "error"]);
    json
}

/// The result of a call: an error counts more than a result, as it does when opendev goes on.
fn result_json(call: &str) -> Option<String> {
    let fields = Object::of(call)?;
    let id = fields.get("id").filter(|id| field::text(id).is_some())?;
    let present = |name| fields.get(name).filter(|value| *value != "null");
    let (error, result) = (present("error"), present("result"));
    let mut content = String::new();
    match error.or(result)? {
        text if text.starts_with('"') => content.push_str(text),
        json => push_text(&mut content, json),
    }
    let mut item = format!(r#"{{"role":"tool","tool_call_id":{id}"#);
    for (name, value) in [("name", present("name")), ("content", Some(&*content))] {
        if let Some(value) = value {
            item.push_str(&format!(r#","{name}":{value}"#));
        }
    }
    if let Some(result) = result.filter(|_| error.is_some()) {
        item.push_str(&format!(r#","opendev":{{"result":{result}}}"#));
    }
    item.push_str(if error.is_some() { r#","is_error":true}"# } else { "}" });
    Some(item)
}

/// Adds what else an object has, byte for byte, as the member `opendev`, and ends the item.
fn push_others(item: &mut String, object: &Object<'_>, known: &[&str]) {
    let others = others(object, known);
    if others.len() > 2 {
        item.push_str(r#","opendev":"#);
        item.push_str(&others);
    }
    item.push('}');
}

/// An object without some of its members.
pub(super) fn others(object: &Object<'_>, known: &[&str]) -> String {
    let others = object.iter().filter(|(name, _)| !known.contains(name));
    let others: Vec<_> = others.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", others.join(","))
}
