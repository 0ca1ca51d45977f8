//! opendev's chat messages as items in the shape of Chat Completions.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::time::millis;
use crate::field;
use crate::json::{Object, push_text};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// The drafts of a message: itself, and a result for each call that has one.
pub(super) fn drafts(message: &Object<'_>) -> Result<Vec<Draft>> {
    drafts_but(message, &[], None)
}

/// The same of an event's message. `edited` is the JSON of content that took the place of its own.
pub(super) fn event_drafts(message: &Object<'_>, edited: Option<&str>) -> Result<Vec<Draft>> {
    drafts_but(message, &["type"], edited)
}

fn drafts_but(message: &Object<'_>, left_out: &[&str], edited: Option<&str>) -> Result<Vec<Draft>> {
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
    let has_calls = message.get("tool_calls").is_none_or(|calls| is_list(calls) || calls == "null");
    let calls_member: &[&str] = if has_calls { &["tool_calls"] } else { &[] };
    push_others(&mut item, message, &[&["role", "content"], calls_member, left_out].concat());
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
    // What has no id of a call can be no result of one.
    let has_result = field::text(id).is_some();
    let told: &[&str] = if has_result { &["result", "error"] } else { &[] };
    push_others(&mut json, &fields, &[&["id", "name", "parameters"], told].concat());
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
pub(super) fn push_others(item: &mut String, object: &Object<'_>, known: &[&str]) {
    let others = others(object, known);
    if others.len() > 2 {
        item.push_str(r#","opendev":"#);
        item.push_str(&others);
    }
    item.push('}');
}

/// Whether a value is an array.
pub(super) fn is_list(value: &str) -> bool {
    value.starts_with('[')
}

/// An object without some of its members. A second one of a name is no such: it was not looked at.
pub(super) fn others(object: &Object<'_>, known: &[&str]) -> String {
    let mut known = known.to_vec();
    let others = object.iter().filter(|(name, _)| {
        let place = known.iter().position(|known| known == name);
        place.map(|place| known.swap_remove(place)).is_none()
    });
    let others: Vec<_> = others.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", others.join(","))
}
