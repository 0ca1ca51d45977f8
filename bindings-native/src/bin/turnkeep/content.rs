//! An entry's content as people read it: the text of messages in the shapes that are common, the
//! JSON of everything else. Nothing here is fit for a terminal before [`crate::visible`].

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use turnkeep::{Entry, Kind};

/// Members that every entry has, or that are shown elsewhere.
const ENVELOPE: [&str; 9] =
    ["hash", "prev_hash", "kind", "seq", "format", "ts", "salt", "more", "session"];

/// An entry's content, of any number of lines.
pub(crate) fn content(line: &[u8], entry: &Entry<'_>) -> String {
    let item = entry.field("item").filter(|_| is_item(entry.kind()));
    match (entry.kind(), item) {
        (Kind::Redacted, _) => "(withheld)".to_owned(),
        (_, Some(item)) => item_text(item),
        _ => fields(line),
    }
}

fn is_item(kind: Kind) -> bool {
    matches!(kind, Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem)
}

/// One line a field: texts as text, anything else as the JSON it is.
fn fields(line: &[u8]) -> String {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(line).unwrap_or_default();
    let is_session = |name: &str| name == "session";
    let is_fork = members.get("kind").is_some_and(|kind| kind.get() == "\"fork\"");
    let shown = members
        .iter()
        .filter(|(name, _)| !ENVELOPE.contains(&name.as_str()) || (is_fork && is_session(name)));
    let lines = shown.map(|(name, value)| {
        let text = serde_json::from_str::<String>(value.get());
        format!("{name}: {}", text.unwrap_or_else(|_| value.get().to_owned()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text of an item, or its JSON as it was appended.
fn item_text(json: &str) -> String {
    let item = serde_json::from_str(json).ok();
    item.as_ref().and_then(message).unwrap_or_else(|| json.to_owned())
}

/// A message of a model's API: text, parts, calls, results.
fn message(item: &Value) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(part(item));
    for name in ["content", "summary"] {
        parts.extend(texts(&item[name]));
    }
    let calls = item["tool_calls"].as_array().into_iter().flatten();
    parts.extend(calls.map(|tool| {
        call(&tool["function"]["name"], &tool["function"]["arguments"])
            .unwrap_or_else(|| tool.to_string())
    }));
    let text = parts.join("\n");
    (!text.is_empty()).then_some(text)
}

/// Text, or a list of parts; what is no known part is given as JSON.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(parts) => {
            let texts = parts.iter().map(|item| part(item).unwrap_or_else(|| item.to_string()));
            texts.collect()
        }
        _ => Vec::new(),
    }
}

/// One part of a message.
fn part(part: &Value) -> Option<String> {
    if let Value::String(text) = part {
        return Some(text.clone());
    }
    match part["type"].as_str() {
        Some("thinking") => Some(format!("[thinking] {}", part["thinking"].as_str()?)),
        Some("tool_use") => call(&part["name"], &part["input"]),
        Some("function_call") => call(&part["name"], &part["arguments"]),
        Some("tool_result") if !part["content"].is_null() => {
            Some(format!("[result] {}", texts(&part["content"]).join("\n")))
        }
        Some("function_call_output") => Some(format!("[result] {}", plain(&part["output"]))),
        _ => part["text"].as_str().map(str::to_owned),
    }
}

fn call(name: &Value, arguments: &Value) -> Option<String> {
    Some(format!("[call] {} {}", name.as_str()?, plain(arguments)))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_shapes_give_their_text() {
        for (item, text) in [
            (r#""Hi""#, "Hi"),
            (r#"{"role":"user","content":"Hi"}"#, "Hi"),
            (
                r#"{"content":[{"type":"text","text":"a"},{"type":"output_text","text":"b"}]}"#,
                "a\nb",
            ),
            (r#"{"content":[{"type":"thinking","thinking":"hm"}]}"#, "[thinking] hm"),
            (
                r#"{"content":[{"type":"tool_use","name":"ls","input":{"a":1}}]}"#,
                r#"[call] ls {"a":1}"#,
            ),
            (r#"{"content":[{"type":"tool_result","content":[{"text":"x"}]}]}"#, "[result] x"),
            (
                r#"{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}"#,
                "[call] f {}",
            ),
            (r#"{"type":"function_call","name":"f","arguments":"{}"}"#, "[call] f {}"),
            (r#"{"type":"function_call_output","output":"done"}"#, "[result] done"),
            (r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}]}"#, "s"),
            (r#"{"content":[{"type":"image","url":"u"}]}"#, r#"{"type":"image","url":"u"}"#),
        ] {
            assert_eq!(item_text(item), text, "{item}");
        }
    }

    #[test]
    fn what_is_no_message_stays_as_it_was() {
        for item in [r#"{"b":1.50, "a":18446744073709551616}"#, "7", r#""\ud800""#, "[]"] {
            assert_eq!(item_text(item), item);
        }
    }
}
