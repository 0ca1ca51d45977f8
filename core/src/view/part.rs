//! What an entry says, whichever framework wrote it: texts, calls of tools and their results, images.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::Entry;
use crate::field::{self, Point};
use crate::item::{arguments, call_in, result_in};
use crate::json::{Object, elements};
use crate::kind::Kind;

/// A piece of what an entry says, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Markdown, mostly. The title says what it is, where it is not what was said.
    Text {
        /// What it is.
        title: Option<&'static str>,
        /// The text.
        text: String,
    },
    /// What a model thought.
    Reasoning(String),
    /// A call of a tool.
    Call {
        /// By which its result names it.
        id: String,
        /// The tool's name.
        name: String,
        /// JSON, or whatever text it was.
        arguments: String,
    },
    /// What a tool gave back.
    Result {
        /// The call's id.
        call: String,
        /// The tool's name, where the result says it.
        name: Option<String>,
        /// Its text.
        output: String,
        /// The tool failed.
        is_error: bool,
    },
    /// An image.
    Image {
        /// Its type, such as `image/png`.
        media_type: Option<String>,
        /// Its bytes in base64, where it is in the entry.
        data: Option<String>,
        /// Where it would be, where it is not.
        url: Option<String>,
    },
    /// Where the session comes from.
    Lineage {
        /// `forked` or `compacted`.
        how: &'static str,
        /// From which session, after which entry.
        from: Point,
    },
    /// Any other JSON.
    Json {
        /// What it is.
        title: String,
        /// Its text.
        json: String,
    },
}

impl Part {
    /// Every text of it that is shown.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text { title, text } => title.iter().copied().chain([&**text]).collect(),
            Self::Reasoning(text) => [&**text].into(),
            Self::Call { name, arguments, .. } => [&**name, arguments].into(),
            Self::Result { name, output, .. } => {
                name.iter().map(|name| &**name).chain([&**output]).collect()
            }
            Self::Image { url, .. } => url.iter().map(|url| &**url).collect(),
            Self::Lineage { from, .. } => [from.session.as_str()].into(),
            Self::Json { title, json } => [&**title, json].into(),
        }
    }

    /// The one that may be long.
    pub(crate) fn body(&self) -> &str {
        match self {
            Self::Text { text, .. } | Self::Reasoning(text) => text,
            Self::Call { arguments, .. } => arguments,
            Self::Result { output, .. } => output,
            Self::Json { json, .. } => json,
            Self::Image { data, .. } => data.as_deref().unwrap_or_default(),
            Self::Lineage { .. } => "",
        }
    }
}

/// What an entry says.
#[must_use]
pub fn parts(entry: &Entry<'_>) -> Vec<Part> {
    let mut out = Vec::new();
    let json = |out: &mut Vec<Part>, name: &str, title: &str| {
        out.extend(
            entry.present(name).map(|json| Part::Json { title: title.into(), json: json.into() }),
        );
    };
    let text = |out: &mut Vec<Part>, name: &str, title| {
        let text = entry.text(name).map(Cow::into_owned);
        out.extend(text.map(|text| Part::Text { title: Some(title), text }));
    };
    let lineage = |out: &mut Vec<Part>, name: &str, how| {
        let from = entry.present(name).and_then(field::point);
        out.extend(from.map(|from| Part::Lineage { how, from }));
    };
    match entry.kind() {
        Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {
            push_item(&mut out, entry.field("item").unwrap_or_default());
        }
        Kind::SessionStart => {
            lineage(&mut out, "forked_from", "forked");
            lineage(&mut out, "compacted_from", "compacted");
            text(&mut out, "system_prompt", "System prompt");
            json(&mut out, "config", "Configuration");
            push_items(&mut out, entry, "history");
            json(&mut out, "state", "State");
        }
        Kind::Fork => lineage(&mut out, "parent", "forked"),
        Kind::RunErrored => text(&mut out, "message", "Error"),
        Kind::ConfigChanged => json(&mut out, "config", "Configuration"),
        Kind::State => json(&mut out, "state", "State"),
        Kind::Extension => {
            let domain = entry.text("domain").unwrap_or_default();
            json(&mut out, "payload", &domain);
        }
        Kind::Replaced => push_items(&mut out, entry, "history"),
        Kind::Compaction => {
            push_items(&mut out, entry, "summary");
            text(&mut out, "system_prompt", "System prompt");
            json(&mut out, "config", "Configuration");
            json(&mut out, "state", "State");
        }
        Kind::Other => {
            for (name, value) in entry.fields() {
                out.push(Part::Json { title: name.into(), json: value.into() });
            }
        }
        _ => {}
    }
    out
}

fn push_items(out: &mut Vec<Part>, entry: &Entry<'_>, name: &str) {
    let items = entry.present(name).and_then(elements).unwrap_or_default();
    items.into_iter().for_each(|item| push_item(out, item));
}

/// What a framework's item says.
pub(crate) fn push_item(out: &mut Vec<Part>, item: &str) {
    let Some(object) = Object::of(item) else { return push_value(out, item) };
    let is_whole = call_in(&object).is_some() || result_in(&object).is_some();
    let content = ["content", "parts"].iter().find_map(|name| object.get(name));
    let content = content.filter(|content| *content != "null");
    let calls = object.elements("tool_calls");
    if let Some(thought) = object.text("reasoning_content") {
        out.push(Part::Reasoning(thought.into_owned()));
    }
    match content {
        _ if is_whole => push_part(out, item),
        None if calls.is_empty() => push_part(out, item),
        None => {}
        Some(content) => match elements(content) {
            Some(parts) => parts.into_iter().for_each(|part| push_part(out, part)),
            None => push_value(out, content),
        },
    }
    if !is_whole {
        calls.into_iter().for_each(|call| push_part(out, call));
    }
}

/// A part of a message, or an item that is none.
fn push_part(out: &mut Vec<Part>, part: &str) {
    let Some(object) = Object::of(part) else { return push_value(out, part) };
    let tag = object.text("type").or_else(|| object.text("kind")).unwrap_or_default();
    if let Some(result) = result_in(&object) {
        // session-store's results may have a summary only.
        let summary = object.text("summary").filter(|_| result.output.is_empty());
        let output = summary.map_or(result.output, Cow::into_owned);
        let (call, name, is_error) = (result.call, result.name, result.is_error);
        out.push(Part::Result { call, name, output, is_error });
        for name in ["content", "output"] {
            let blocks = object.elements(name).into_iter().filter_map(Object::of);
            out.extend(blocks.filter_map(|block| image(&block)));
        }
    } else if let Some(call) = call_in(&object) {
        out.push(Part::Call { id: call.id, name: call.name, arguments: arguments(&object) });
    } else if let Some(image) = image(&object) {
        out.push(image);
    } else if let Some(thought) = object.text("thinking") {
        out.push(Part::Reasoning(thought.into_owned()));
    } else if tag == "reasoning" {
        push_reasoning(out, &object, part);
    } else if let Some(text) = object.text("text") {
        out.push(Part::Text { title: None, text: text.into_owned() });
    } else {
        out.push(Part::Json { title: tag.to_string(), json: part.into() });
    }
}

/// A thought's text, or those of its summary.
fn push_reasoning(out: &mut Vec<Part>, object: &Object<'_>, part: &str) {
    let summary = object.elements("summary").into_iter().filter_map(Object::of);
    let texts: Vec<_> = summary.filter_map(|summary| summary.text("text")).collect();
    let text = object.text("text").map(Cow::into_owned);
    match text.or_else(|| (!texts.is_empty()).then(|| texts.join("\n\n"))) {
        Some(text) => out.push(Part::Reasoning(text)),
        None => out.push(Part::Json { title: "reasoning".into(), json: part.into() }),
    }
}

/// Text, or any other JSON.
fn push_value(out: &mut Vec<Part>, json: &str) {
    out.push(match field::text(json) {
        Some(text) => Part::Text { title: None, text: text.into_owned() },
        None => Part::Json { title: String::new(), json: json.into() },
    });
}

/// The image that a block is, in the shapes of OpenAI's two APIs, Anthropic's, the AI SDK and pi.
fn image(object: &Object<'_>) -> Option<Part> {
    let tag = object.text("type").unwrap_or_default();
    let source = object.get("source").and_then(Object::of);
    let named = |object: &Object<'_>| {
        let names = ["media_type", "mediaType", "mimeType", "mime_type"];
        names.iter().find_map(|name| object.text(name)).map(Cow::into_owned)
    };
    let media_type = source.as_ref().and_then(named).or_else(|| named(object));
    let is_file = tag == "file" && media_type.as_ref().is_some_and(|ty| ty.starts_with("image/"));
    if !tag.contains("image") && !is_file {
        return None;
    }
    let link = object.get("image_url");
    let url = link.and_then(Object::of).and_then(|link| link.text("url").map(Cow::into_owned));
    let text = |object: &Object<'_>, names: &[&str]| {
        names.iter().find_map(|name| object.text(name)).map(Cow::into_owned)
    };
    let given = source.as_ref().and_then(|source| text(source, &["data", "url"]));
    let given = given.or(url).or_else(|| text(object, &["image_url", "data", "image", "url"]))?;
    Some(located(given, media_type))
}

/// Bytes in base64, with their type before them or not; or where they would be.
fn located(given: String, media_type: Option<String>) -> Part {
    if let Some((ty, data)) =
        given.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"))
    {
        let (media_type, data) = (Some(ty.into()), Some(data.into()));
        return Part::Image { media_type, data, url: None };
    }
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    if given.len() > 64 && given.bytes().all(is_base64) {
        return Part::Image { media_type, data: Some(given), url: None };
    }
    Part::Image { media_type, data: None, url: Some(given) }
}

/// What an entry is about on one line, where it says nothing itself.
pub(crate) fn remark(entry: &Entry<'_>) -> String {
    let count = |name| entry.count(name).unwrap_or_default();
    match entry.kind() {
        Kind::RunStarted | Kind::RunCompleted => {
            let result = entry.text("result").or_else(|| entry.text("run"));
            result.unwrap_or_default().into_owned()
        }
        Kind::TurnEnd => format!("turn {}", count("turn")),
        Kind::Truncated => kept("first", count("keep")),
        Kind::Compaction => kept("last", count("keep_last")),
        Kind::Redacted => "its content was withheld".into(),
        Kind::Fork => entry.text("session").unwrap_or_default().into_owned(),
        _ => String::new(),
    }
}

fn kept(which: &str, items: u64) -> String {
    match items {
        0 => "the history keeps nothing of what it had".into(),
        1 => format!("the history keeps its {which} item"),
        _ => format!("the history keeps its {which} {items} items"),
    }
}
