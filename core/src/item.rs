//! What frameworks' items look like, as far as anything here depends on it: whose turn an item is,
//! which tools it calls, which results it brings (`docs/format.md` §4.2).
//!
//! Known are the shapes of OpenAI's two APIs, Anthropic's, Vercel's AI SDK, pi's and session-store's.
//! An item of another shape is kept like any other, and nothing is told of its calls.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::json::{Object, push_text};
use crate::kind::Kind;

/// What is told to a model of a call that has no result.
pub(crate) const INTERRUPTED: &str = "Tool execution was interrupted or never completed.";

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    shape: Shape,
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolResult {
    pub(crate) call: String,
    pub(crate) name: Option<String>,
    pub(crate) output: String,
    pub(crate) is_error: bool,
}

/// How a framework writes calls, which tells how it writes results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `tool_calls` of a message; a message of role `tool`.
    Chat,
    /// `function_call`; `function_call_output`.
    Responses,
    /// A block `tool_use`; a block `tool_result` of the user's next message.
    Anthropic,
    /// A block `tool-call`; a block `tool-result` of a message of role `tool`.
    AiSdk,
    /// A block `toolCall`; a message of role `toolResult`.
    Pi,
    /// An item `tool_call`; an item `tool_result`. Its tag is `type` or `kind`.
    Store { is_tagged_kind: bool },
}

/// The kind of an entry for that item.
pub(crate) fn kind_of(item: &str) -> Kind {
    let Some(object) = Object::of(item) else { return Kind::SystemItem };
    if !results_in(&object).is_empty() {
        return Kind::ToolResult;
    }
    let tag = tag(&object);
    let role = object.text("role").unwrap_or_default();
    match (&*role, &*tag) {
        ("user" | "human", _) | ("", "human") => Kind::UserInput,
        ("assistant" | "ai" | "model", _) | ("", "ai" | "reasoning") => Kind::AssistantItem,
        ("tool" | "toolResult" | "function", _) => Kind::ToolResult,
        ("", tag) if tag.ends_with("_output") || tag == "tool" => Kind::ToolResult,
        ("", tag) if tag.ends_with("_call") || call_in(&object).is_some() => Kind::AssistantItem,
        _ => Kind::SystemItem,
    }
}

/// The calls in an item.
pub(crate) fn calls(item: &str) -> Vec<Call> {
    let Some(object) = Object::of(item) else { return Vec::new() };
    let blocks = object.elements("content");
    let parts = blocks.into_iter().chain(object.elements("tool_calls")).filter_map(Object::of);
    call_in(&object).into_iter().chain(parts.filter_map(|part| call_in(&part))).collect()
}

/// The results in an item.
pub(crate) fn results(item: &str) -> Vec<ToolResult> {
    Object::of(item).map(|object| results_in(&object)).unwrap_or_default()
}

/// An item's text, as much of it as the first `limit` bytes hold.
pub(crate) fn text(item: &str, limit: usize) -> String {
    let mut out = String::new();
    match Object::of(item) {
        Some(object) => push_content(&mut out, object.get("content").unwrap_or_default(), limit),
        None => push_content(&mut out, item, limit),
    }
    out
}

/// Closes calls: the history item with which they are answered, in their framework's shape.
pub(crate) fn closing(calls: &[Call]) -> Vec<String> {
    let (blocks, single): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.is_closed_within());
    let mut items: Vec<String> = single.into_iter().map(answer).collect();
    if !blocks.is_empty() {
        let answers: Vec<String> = blocks.into_iter().map(answer).collect();
        items.insert(0, format!(r#"{{"role":"user","content":[{}]}}"#, answers.join(",")));
    }
    items
}

impl Call {
    /// Whether it is answered in the message that brings the results of others.
    pub(crate) fn is_closed_within(&self) -> bool {
        self.shape == Shape::Anthropic
    }
}

/// Adds the answers to calls, all of which are closed within, to an item that brings results of the
/// same message's other calls; `None` for any other item.
pub(crate) fn close_within(item: &str, calls: &[Call]) -> Option<String> {
    let object = Object::of(item)?;
    let content = object.get("content")?;
    if results_in(&object).is_empty() || calls.is_empty() {
        return None;
    }
    let answers: Vec<String> = calls.iter().map(answer).collect();
    let (before, after) = around(item, content)?;
    let inner = content.trim_end().strip_suffix(']')?;
    Some(format!("{before}{inner},{}]{after}", answers.join(",")))
}

/// An item without its blocks that are results of calls that are gone; `None` where nothing else is
/// in it, or it is such a result itself.
pub(crate) fn without_results(item: &str, is_gone: impl Fn(&str) -> bool) -> Option<String> {
    let object = Object::of(item)?;
    let is_kept = |block: &&str| {
        let result = Object::of(block).and_then(|block| result_in(&block));
        result.is_none_or(|result| !is_gone(&result.call))
    };
    let blocks = object.elements("content");
    let kept: Vec<_> = blocks.iter().copied().filter(is_kept).collect();
    let (before, after) = around(item, object.get("content")?)?;
    let is_less = !kept.is_empty() && kept.len() < blocks.len();
    is_less.then(|| format!("{before}[{}]{after}", kept.join(",")))
}

/// What stands before and after a value in an item.
fn around<'a>(item: &'a str, value: &str) -> Option<(&'a str, &'a str)> {
    let start = value.as_ptr() as usize - item.as_ptr() as usize;
    Some((item.get(..start)?, item.get(start + value.len()..)?))
}

fn tag<'a>(object: &Object<'a>) -> Cow<'a, str> {
    object.text("type").or_else(|| object.text("kind")).unwrap_or_default()
}

pub(crate) fn call_in(object: &Object<'_>) -> Option<Call> {
    let shape = match &*tag(object) {
        "function" => Shape::Chat,
        "function_call" | "custom_tool_call" => Shape::Responses,
        "tool_use" => Shape::Anthropic,
        "tool-call" => Shape::AiSdk,
        "toolCall" => Shape::Pi,
        "tool_call" => Shape::Store { is_tagged_kind: object.get("type").is_none() },
        _ if object.get("function").is_some() => Shape::Chat,
        _ => return None,
    };
    let first = |names: &[&str]| names.iter().find_map(|name| object.text(name));
    let id = first(&["call_id", "toolCallId", "id"])?.into_owned();
    let named = object.get("function").and_then(Object::of).and_then(|f| f.text("name"));
    let name = named.or_else(|| first(&["name", "toolName"])).unwrap_or_default();
    Some(Call { id, name: name.into_owned(), shape })
}

/// The arguments of a call, as JSON or whatever text they are.
pub(crate) fn arguments(object: &Object<'_>) -> String {
    let function = object.get("function").and_then(Object::of);
    let value = function.as_ref().and_then(|function| function.get("arguments"));
    let names = ["arguments", "input", "args"];
    let value = value.or_else(|| names.iter().find_map(|name| object.get(name)));
    let value = value.unwrap_or_default();
    crate::field::text(value).map_or_else(|| value.into(), Cow::into_owned)
}

fn results_in(object: &Object<'_>) -> Vec<ToolResult> {
    let blocks = object.elements("content").into_iter().filter_map(Object::of);
    let found: Vec<_> = blocks.filter_map(|block| result_in(&block)).collect();
    if found.is_empty() { result_in(object).into_iter().collect() } else { found }
}

pub(crate) fn result_in(object: &Object<'_>) -> Option<ToolResult> {
    let tag = tag(object);
    let role = object.text("role").unwrap_or_default();
    let is_result = matches!(&*tag, "tool_result" | "tool-result" | "tool")
        || tag.ends_with("_call_output")
        || matches!(&*role, "tool" | "toolResult" | "function");
    let first = |names: &[&str]| names.iter().find_map(|name| object.text(name));
    let call = first(&["call_id", "tool_call_id", "tool_use_id", "toolCallId"])?;
    let output = ["output", "content", "result"].iter().find_map(|name| object.get(name));
    let mut text = String::new();
    push_content(&mut text, output.unwrap_or_default(), usize::MAX);
    let failed = ["is_error", "isError"].iter().any(|name| object.get(name) == Some("true"));
    is_result.then(|| ToolResult {
        call: call.into_owned(),
        name: first(&["name", "toolName", "tool_name"]).map(Cow::into_owned),
        is_error: failed || output.is_some_and(is_error_output),
        output: text,
    })
}

/// Whether the AI SDK says that an output is an error.
fn is_error_output(output: &str) -> bool {
    Object::of(output).is_some_and(|object| tag(&object).starts_with("error"))
}

/// Content is text, or blocks of which some hold text, or a value that holds it.
fn push_content(out: &mut String, content: &str, limit: usize) {
    if let Some(text) = crate::field::text(content) {
        push_bounded(out, &text, limit);
    } else if let Some(blocks) = crate::json::elements(content) {
        for block in blocks {
            push_content(out, block, limit);
        }
    } else if let Some(object) = Object::of(content) {
        for name in ["text", "value", "content"] {
            if let Some(value) = object.get(name) {
                return push_content(out, value, limit);
            }
        }
    }
}

/// Adds as much of a text as leaves it at that many bytes, and no half character.
pub(crate) fn push_bounded(out: &mut String, text: &str, limit: usize) {
    let room = limit.saturating_sub(out.len());
    let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    out.push_str(text.get(..end.unwrap_or_default()).unwrap_or_default());
}

fn answer(call: &Call) -> String {
    let mut json = [String::new(), String::new(), String::new()];
    for (json, text) in json.iter_mut().zip([&*call.id, &*call.name, INTERRUPTED]) {
        push_text(json, text);
    }
    let [id, name, text] = json;
    match call.shape {
        Shape::Chat => format!(r#"{{"role":"tool","tool_call_id":{id},"content":{text}}}"#),
        Shape::Responses => {
            format!(r#"{{"type":"function_call_output","call_id":{id},"output":{text}}}"#)
        }
        Shape::Anthropic => format!(
            r#"{{"type":"tool_result","tool_use_id":{id},"content":{text},"is_error":true}}"#
        ),
        Shape::AiSdk => {
            let output = format!(r#"{{"type":"error-text","value":{text}}}"#);
            let ids = format!(r#""toolCallId":{id},"toolName":{name}"#);
            let block = format!(r#"{{"type":"tool-result",{ids},"output":{output}}}"#);
            format!(r#"{{"role":"tool","content":[{block}]}}"#)
        }
        Shape::Pi => {
            let ids = format!(r#""toolCallId":{id},"toolName":{name}"#);
            let content = format!(r#"[{{"type":"text","text":{text}}}]"#);
            format!(r#"{{"role":"toolResult",{ids},"content":{content},"isError":true}}"#)
        }
        Shape::Store { is_tagged_kind } => {
            let tag = if is_tagged_kind { "kind" } else { "type" };
            let texts = format!(r#""summary":{text},"content":{text}"#);
            format!(r#"{{"{tag}":"tool_result","call_id":{id},{texts}}}"#)
        }
    }
}

impl ToolResult {
    /// The start of the output, bounded.
    pub(crate) fn preview(&self, limit: usize) -> String {
        let mut preview = String::new();
        push_bounded(&mut preview, &self.output, limit);
        preview.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call, a result, and the answer that closes the call, in each shape.
    const SHAPES: &[(&str, &str, &str)] = &[
        (
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
            r#"{"role":"tool","tool_call_id":"c","content":"done"}"#,
            r#"{"role":"tool","tool_call_id":"c","content":"Tool execution was interrupted or never completed."}"#,
        ),
        (
            r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}"#,
            r#"{"type":"function_call_output","call_id":"c","output":"done"}"#,
            r#"{"type":"function_call_output","call_id":"c","output":"Tool execution was interrupted or never completed."}"#,
        ),
        (
            r#"{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"c","name":"f","input":{}}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"done"}]}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"Tool execution was interrupted or never completed.","is_error":true}]}"#,
        ),
        (
            r#"{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c","toolName":"f","input":{}}]}"#,
            r#"{"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","output":{"type":"text","value":"done"}}]}"#,
            r#"{"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","output":{"type":"error-text","value":"Tool execution was interrupted or never completed."}}]}"#,
        ),
        (
            r#"{"role":"assistant","content":[{"type":"toolCall","id":"c","name":"f","arguments":{}}]}"#,
            r#"{"role":"toolResult","toolCallId":"c","toolName":"f","content":[{"type":"text","text":"done"}],"isError":false}"#,
            r#"{"role":"toolResult","toolCallId":"c","toolName":"f","content":[{"type":"text","text":"Tool execution was interrupted or never completed."}],"isError":true}"#,
        ),
        (
            r#"{"type":"tool_call","call_id":"c","name":"f","arguments":"{}"}"#,
            r#"{"type":"tool_result","call_id":"c","summary":"ok","content":"done"}"#,
            r#"{"type":"tool_result","call_id":"c","summary":"Tool execution was interrupted or never completed.","content":"Tool execution was interrupted or never completed."}"#,
        ),
    ];

    #[test]
    fn calls_and_results_are_found_in_every_shape() {
        for (call, result, closed) in SHAPES {
            assert_eq!((kind_of(call), kind_of(result)), (Kind::AssistantItem, Kind::ToolResult));
            let calls = calls(call);
            assert_eq!((calls.len(), &*calls[0].id, &*calls[0].name), (1, "c", "f"), "{call}");
            let results = results(result);
            assert_eq!((&*results[0].call, &*results[0].output), ("c", "done"), "{result}");
            assert!(!results[0].is_error);
            assert_eq!(closing(&calls), [*closed]);
            let answers = super::results(closed);
            assert_eq!(answers[0].call, "c");
            assert_eq!(kind_of(closed), Kind::ToolResult);
        }
    }

    #[test]
    fn messages_tell_whose_turn_it_is() {
        for (item, kind) in [
            (r#"{"role":"user","content":"Hi"}"#, Kind::UserInput),
            (
                r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}"#,
                Kind::UserInput,
            ),
            (r#"{"role":"assistant","content":"Hi"}"#, Kind::AssistantItem),
            (r#"{"role":"model","parts":[]}"#, Kind::AssistantItem),
            (r#"{"type":"reasoning","summary":[]}"#, Kind::AssistantItem),
            (r#"{"type":"web_search_call","id":"w"}"#, Kind::AssistantItem),
            (r#"{"role":"system","content":"Be brief."}"#, Kind::SystemItem),
            (r#"{"role":"developer","content":"Be brief."}"#, Kind::SystemItem),
            (r#""text""#, Kind::SystemItem),
            ("7", Kind::SystemItem),
            (r#"{"note":1}"#, Kind::SystemItem),
        ] {
            assert_eq!(kind_of(item), kind, "{item}");
        }
    }

    #[test]
    fn answers_join_the_results_of_the_same_message() {
        let call = |id: &str| {
            format!(
                r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}","name":"f","input":{{}}}}]}}"#
            )
        };
        let partly =
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}"#;
        let closed = close_within(partly, &calls(&call("b"))).unwrap();
        let ids: Vec<_> = results(&closed).into_iter().map(|result| result.call).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(close_within(r#"{"role":"user","content":"Hi"}"#, &calls(&call("b"))), None);
    }

    #[test]
    fn text_is_bounded_at_a_character() {
        assert_eq!(text(r#"{"role":"user","content":"aé"}"#, 2), "a");
        assert_eq!(
            text(r#"{"content":[{"type":"text","text":"ab"},{"type":"text","text":"cd"}]}"#, 3),
            "abc"
        );
        assert_eq!(text("7", 3), "");
    }
}
