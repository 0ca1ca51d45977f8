//! A session as Markdown, for people.

use alloc::format;
use alloc::string::String;

use crate::field;
use crate::item::{arguments, call_in, kind_of, result_in};
use crate::json::{Object, elements};
use crate::kind::Kind;
use crate::session::About;
use crate::{SessionId, State};

/// The history as Markdown: title, system prompt, and what was said under a heading for each. Calls
/// of tools and their results are fenced, images are mentioned. Text stands as it is, because it
/// mostly is Markdown; a fence that it leaves open is closed after it.
#[must_use]
pub fn markdown(state: &State, about: &About) -> String {
    let id = state.session.as_ref().map(SessionId::as_str);
    let title = about.title.as_deref().or(id).unwrap_or("Session");
    let mut page = Page(String::new());
    page.heading("#", title);
    if let Some(prompt) = state.system_prompt.as_deref() {
        page.heading("##", "System prompt");
        page.text(prompt);
    }
    for item in &state.history {
        page.heading("##", speaker(&item.item));
        page.item(&item.item);
    }
    page.0
}

fn speaker(item: &str) -> &'static str {
    match kind_of(item) {
        Kind::UserInput => "User",
        Kind::AssistantItem => "Assistant",
        Kind::ToolResult => "Tool",
        _ => "System",
    }
}

struct Page(String);

impl Page {
    fn item(&mut self, item: &str) {
        let Some(object) = Object::of(item) else { return self.value(item) };
        let is_whole = call_in(&object).is_some() || result_in(&object).is_some();
        let content = object.get("content").filter(|content| *content != "null");
        let calls = object.elements("tool_calls");
        match content {
            _ if is_whole => self.part(item),
            None if calls.is_empty() => self.part(item),
            None => {}
            Some(content) => match elements(content) {
                Some(parts) => parts.into_iter().for_each(|part| self.part(part)),
                None => self.value(content),
            },
        }
        if !is_whole {
            calls.into_iter().for_each(|call| self.part(call));
        }
    }

    /// A part of a message, or an item that is none.
    fn part(&mut self, part: &str) {
        let Some(object) = Object::of(part) else { return self.value(part) };
        let tag = object.text("type").or_else(|| object.text("kind")).unwrap_or_default();
        if let Some(result) = result_in(&object) {
            let name = result.name.as_deref().unwrap_or(&result.call);
            let what = if result.is_error { "Error" } else { "Result" };
            self.heading("###", &format!("{what}: {name}"));
            // session-store's results may have a summary only.
            let summary = object.text("summary").filter(|_| result.output.is_empty());
            self.fenced("", summary.as_deref().unwrap_or(&result.output));
        } else if let Some(call) = call_in(&object) {
            self.heading("###", &format!("Call: {}", call.name));
            self.fenced("json", &arguments(&object));
        } else if tag.contains("image") {
            self.text("*(an image)*");
        } else if let Some(thought) = object.text("thinking") {
            self.heading("###", "Reasoning");
            self.text(&thought);
        } else if let Some(text) = object.text("text") {
            if tag == "reasoning" {
                self.heading("###", "Reasoning");
            }
            self.text(&text);
        } else {
            self.fenced("json", part);
        }
    }

    /// Text, or any other JSON.
    fn value(&mut self, json: &str) {
        match field::text(json) {
            Some(text) => self.text(&text),
            None => self.fenced("json", json),
        }
    }

    /// A heading in which nothing is markup.
    fn heading(&mut self, level: &str, text: &str) {
        self.gap();
        self.0.push_str(level);
        self.0.push(' ');
        for character in text.chars() {
            if character.is_control() {
                self.0.push(' ');
                continue;
            }
            if character.is_ascii_punctuation() && !matches!(character, ',' | '.' | ':' | '-' | '/')
            {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self.0.push('\n');
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.gap();
        self.0.push_str(text.trim_end());
        self.0.push('\n');
        if let Some(fence) = open_fence(text) {
            self.0.push_str(fence);
            self.0.push('\n');
        }
    }

    fn fenced(&mut self, language: &str, text: &str) {
        let runs = text.split(|character| character != '`').map(str::len);
        let fence = "`".repeat(runs.max().unwrap_or_default().max(2) + 1);
        self.gap();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        self.0.push_str(&format!("{fence}{language}\n{text}{end}{fence}\n"));
    }

    fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }
}

/// The fence of a code block that a text begins and does not end.
fn open_fence(text: &str) -> Option<&str> {
    text.lines().fold(None, |open: Option<&str>, line| {
        let line = line.trim_start_matches(' ');
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'));
        let rest = mark.map_or(line, |mark| line.trim_start_matches(mark));
        let fence = line.get(..line.len() - rest.len()).filter(|fence| fence.len() >= 3);
        match (open, fence) {
            (None, Some(fence)) if !rest.contains('`') => Some(fence),
            (Some(open), Some(fence)) if fence.starts_with(open) && rest.trim().is_empty() => None,
            _ => open,
        }
    })
}
