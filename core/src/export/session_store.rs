//! A log in session-store's format: its kinds of April 2026, the hash chain that it had then.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::Entry;
use crate::import::entry_hash;
use crate::json::{Object, push_text};
use crate::kind::Kind;
use crate::{Hash, Result, field};

/// What session-store takes for a configuration where there is none.
const NO_CONFIG: &str = r#"{"max_tokens":null,"temperature":null,"top_p":null,"top_k":null,"stop_sequences":[],"reasoning":null}"#;

const COUNTS: [&str; 5] = [
    "history_len",
    "input_total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
];

/// Makes session-store's lines of a log's, one after the other from the first on.
///
/// Items, runs, turns, usage and configurations are its own kinds. A history that was cut, replaced
/// or summed up is told by a `session_start`, which is how session-store replaces one. What has no
/// counterpart is an `extension` of the domain `turnkeep.<kind>`.
///
/// ```
/// use turnkeep_core::log::{Draft, Stamp, Writer};
/// use turnkeep_core::{SessionId, export::SessionStore};
/// let writer = Writer::create(SessionId::new("demo")?, false);
/// let log = writer.write(&[Draft::turn_end(1)], &Stamp::default())?.bytes;
/// let (mut export, mut lines) = (SessionStore::default(), Vec::new());
/// for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
///     export.push(line, &mut lines)?;
/// }
/// assert!(lines.ends_with(b"\"kind\":\"turn_end\",\"ts\":0,\"turn_count\":1}\n"));
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct SessionStore {
    head: Option<Hash>,
    ts: u64,
    system_prompt: Option<String>,
    config: Option<String>,
    history: Vec<String>,
}

impl SessionStore {
    /// Adds what a line (without its `\n`) of a verified log becomes.
    pub fn push(&mut self, line: &[u8], lines: &mut Vec<u8>) -> Result<()> {
        let entry = Entry::parse(line)?;
        self.ts = entry.ts().unwrap_or(self.ts);
        for entry in self.entries(&entry) {
            self.line(&entry, lines);
        }
        Ok(())
    }

    /// Ends the chain's next line: its two hashes before what is left of the entry.
    fn line(&mut self, rest: &str, lines: &mut Vec<u8>) {
        let hash = entry_hash(self.head, rest.as_bytes());
        let prev = self.head.map_or("null".into(), |head| format!("\"{head}\""));
        let line = format!("{{\"hash\":\"{hash}\",\"prev_hash\":{prev},{rest}\n");
        lines.extend_from_slice(line.as_bytes());
        self.head = Some(hash);
    }

    /// The entries that one becomes, each without its `{`.
    fn entries(&mut self, entry: &Entry<'_>) -> Vec<String> {
        let one = |entry| Vec::from([entry]);
        let items = |kind| (kind, entry.field("item").unwrap_or("null"));
        let (kind, item) = match entry.kind() {
            Kind::UserInput => items("user_input"),
            Kind::AssistantItem => items("assistant_items"),
            Kind::ToolResult => items("tool_results"),
            Kind::SystemItem => items("hook_injected_items"),
            Kind::SessionStart | Kind::Truncated | Kind::Replaced | Kind::Compaction => {
                return self.start(entry);
            }
            Kind::TurnEnd => {
                return one(self.copy("turn_end", entry, &[("turn", "turn_count")], ""));
            }
            Kind::RunCompleted => {
                let is_paused = entry.text("result").as_deref() == Some("paused");
                return one(self.copy("run_completed", entry, &[], &interrupted(entry, is_paused)));
            }
            Kind::RunErrored => {
                return one(self.copy("run_errored", entry, &[], &interrupted(entry, true)));
            }
            Kind::ConfigChanged => {
                self.config = entry.present("config").map(ToString::to_string);
                return one(self.copy("config_changed", entry, &[], ""));
            }
            Kind::LlmUsage => return one(self.usage(entry)),
            Kind::Extension => return one(self.copy("extension", entry, &[], "")),
            _ => return one(self.aside(entry, &[])),
        };
        self.history.push(item.to_string());
        one(match kind {
            "user_input" => self.copy(kind, entry, &[], ""),
            _ => self.copy(kind, entry, &[("item", "")], &format!(",\"items\":[{item}]")),
        })
    }

    /// What a model is told from here on, and what else the entry said.
    fn start(&mut self, entry: &Entry<'_>) -> Vec<String> {
        let list = |name| entry.present(name).and_then(field::items).unwrap_or_default();
        let list = |name| list(name).into_iter().map(ToString::to_string).collect::<Vec<_>>();
        let kept =
            |name| usize::try_from(entry.count(name).unwrap_or_default()).unwrap_or(usize::MAX);
        match entry.kind() {
            Kind::Truncated => self.history.truncate(kept("keep")),
            Kind::Compaction => {
                let from = self.history.len().saturating_sub(kept("keep_last"));
                let tail = self.history.split_off(from);
                self.history = list("summary");
                self.history.extend(tail);
            }
            _ => self.history = list("history"),
        }
        for (name, value) in
            [("system_prompt", &mut self.system_prompt), ("config", &mut self.config)]
        {
            *value = entry.present(name).map(ToString::to_string).or(value.take());
        }
        let prompt = self.system_prompt.as_deref().unwrap_or("null");
        let (config, history) =
            (self.config.as_deref().unwrap_or(NO_CONFIG), self.history.join(","));
        let members =
            format!(r#","system_prompt":{prompt},"config":{config},"history":[{history}]"#);
        let mut entries = Vec::from([self.entry("session_start", &members)]);
        if let Some(turns) = entry.count("turns") {
            entries.push(self.entry("turn_end", &format!(",\"turn_count\":{turns}")));
        }
        let told = ["system_prompt", "config", "history", "summary", "turns"];
        if entry.fields().any(|(name, _)| !told.contains(&name)) {
            entries.push(self.aside(entry, &told));
        }
        entries
    }

    fn usage(&self, entry: &Entry<'_>) -> String {
        let counts =
            COUNTS.map(|name| format!(",\"{name}\":{}", entry.count(name).unwrap_or_default()));
        self.copy("llm_usage", entry, &COUNTS.map(|name| (name, "")), &counts.concat())
    }

    /// What has no counterpart.
    fn aside(&self, entry: &Entry<'_>, told: &[&str]) -> String {
        let fields = entry.fields().filter(|(name, _)| !told.contains(name));
        let fields: Vec<_> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let mut domain = String::new();
        push_text(&mut domain, &format!("turnkeep.{}", entry.kind_name()));
        let members = format!(",\"domain\":{domain},\"payload\":{{{}}}", fields.join(","));
        self.entry("extension", &members)
    }

    /// An entry with some members and those of another, of which some get another name, or none
    /// and are left out.
    fn copy(&self, kind: &str, entry: &Entry<'_>, names: &[(&str, &str)], first: &str) -> String {
        let told = format!("{{\"kind\":0{first}}}");
        let told = Object::of(&told);
        let is_told = |name: &str| told.as_ref().is_some_and(|told| told.get(name).is_some());
        let is_other = |name: &str| {
            names.iter().any(|(own, other)| *other == name && entry.field(own).is_some())
        };
        let mut members = String::from(first);
        for (key, value) in entry.fields() {
            let other = names.iter().find(|(name, _)| *name == key);
            let mut name = other.map_or(key, |(_, other)| other).to_string();
            // A member that is called what another one becomes.
            while other.is_none() && (is_told(&name) || is_other(&name))
                || name != key && other.is_none() && entry.field(&name).is_some()
            {
                name = format!("turnkeep_{name}");
            }
            if !name.is_empty() {
                members.push_str(&format!(",\"{name}\":{value}"));
            }
        }
        self.entry(kind, &members)
    }

    fn entry(&self, kind: &str, members: &str) -> String {
        format!("\"kind\":\"{kind}\",\"ts\":{}{members}}}", self.ts)
    }
}

/// Whether a run was interrupted, where the entry does not say.
fn interrupted(entry: &Entry<'_>, assumed: bool) -> String {
    match entry.field("interrupted") {
        Some(_) => String::new(),
        None => format!(",\"interrupted\":{assumed}"),
    }
}
