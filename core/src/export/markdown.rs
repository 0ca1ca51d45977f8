//! A session as Markdown, for people.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::item::kind_of;
use crate::kind::Kind;
use crate::session::About;
use crate::view::{Part, push_item};
use crate::{SessionId, State};

/// The history as Markdown: title, system prompt, and what was said under a heading for each. Calls
/// of tools and their results are fenced, images are mentioned. Text stands as it is, because it
/// mostly is Markdown; a fence that it leaves open is closed after it.
#[must_use]
pub fn markdown(state: &State, about: &About) -> String {
    let id = state.session.as_ref().map(SessionId::as_str);
    let title = about.title.as_deref().or(id).unwrap_or("Session");
    let mut page = Page::new();
    page.heading("#", title);
    if let Some(prompt) = state.system_prompt.as_deref() {
        page.heading("##", "System prompt");
        page.text(prompt);
    }
    for item in &state.history {
        let mut parts = Vec::new();
        push_item(&mut parts, &item.item);
        page.entry(speaker(&item.item), &parts);
    }
    page.end()
}

fn speaker(item: &str) -> &'static str {
    match kind_of(item) {
        Kind::UserInput => "User",
        Kind::AssistantItem => "Assistant",
        Kind::ToolResult => "Tool",
        _ => "System",
    }
}

/// A page of Markdown being written.
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// What an entry says, under who says it.
    pub(crate) fn entry(&mut self, speaker: &str, parts: &[Part]) {
        self.heading("##", speaker);
        parts.iter().for_each(|part| self.part(part));
    }

    pub(crate) fn end(self) -> String {
        self.0
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text { title, text } => {
                if let Some(title) = title {
                    self.heading("###", title);
                }
                self.text(text);
            }
            Part::Reasoning(text) => {
                self.heading("###", "Reasoning");
                self.text(text);
            }
            Part::Call { name, arguments, .. } => {
                self.heading("###", &format!("Call: {name}"));
                self.fenced("json", arguments);
            }
            Part::Result { call, name, output, is_error } => {
                let name = name.as_deref().unwrap_or(call);
                let what = if *is_error { "Error" } else { "Result" };
                self.heading("###", &format!("{what}: {name}"));
                self.fenced("", output);
            }
            Part::Image { .. } => self.text("*(an image)*"),
            Part::Lineage { how, from } => {
                let (session, seq) = (from.session.as_str(), from.seq);
                self.heading("###", &format!("{how} from {session} after entry {seq}"));
            }
            Part::Json { json, .. } => self.fenced("json", json),
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
