//! The state: what folding a log gives (`docs/format.md` §5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::Entry;
use crate::field::{self, Point};
use crate::kind::Kind;
use crate::log::{Head, Verifier, committed_part};
use crate::{Result, SessionId};

mod calls;
mod fold;
mod json;

pub use calls::OpenCall;
pub(crate) use fold::{Folder, History};

/// What a session has come to. JSON texts in it are byte for byte what was appended.
///
/// ```
/// use turnkeep_core::log::{Draft, Stamp, Writer};
/// use turnkeep_core::{SessionId, State};
/// let writer = Writer::create(SessionId::new("demo")?, false);
/// let log = writer.write(&[Draft::user_input("\"Hi\"")], &Stamp::default())?.bytes;
/// let state = State::fold(&log)?;
/// assert_eq!(state.history[0].item, "\"Hi\"");
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// Whose state it is.
    pub session: Option<SessionId>,
    /// The last entry that was folded.
    pub head: Option<Head>,
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// The configuration, as JSON.
    pub config: Option<String>,
    /// What a model would be sent.
    pub history: Vec<Item>,
    /// Turns so far.
    pub turns: u64,
    /// How the last run stands: `running`, `errored`, or the result it ended with.
    pub run: Option<String>,
    /// Tokens used, one record per report.
    pub usage: Vec<Usage>,
    /// Frameworks' own records.
    pub extensions: Vec<Extension>,
    /// The thread's state slice, as JSON.
    pub slice: Option<String>,
    /// The point this session was forked from.
    pub forked_from: Option<Point>,
    /// The point this session was compacted from.
    pub compacted_from: Option<Point>,
    /// Entries whose content was withheld.
    pub withheld: u64,
    /// The first entry that was folded: 0, or where a view of the log's end starts.
    pub since: u64,
    /// The log's last `fork` entry.
    pub(crate) fork: Option<u64>,
}

/// An item of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The kind of its entry, or `initial`, `replaced`, `summary`.
    pub kind: &'static str,
    /// The number of the entry it came with.
    pub seq: u64,
    /// The caller's id.
    pub id: Option<String>,
    /// The id of the item it follows.
    pub parent: Option<String>,
    /// The framework's own JSON.
    pub item: String,
}

/// Tokens used, as reported after a call of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The number of its entry.
    pub seq: u64,
    /// `history_len`, `input_total_tokens`, `cache_read_tokens`, `cache_write_tokens`,
    /// `output_tokens`.
    pub counts: [Option<u64>; 5],
}

/// A framework's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The number of its entry.
    pub seq: u64,
    /// Whose record it is.
    pub domain: String,
    /// Any JSON.
    pub payload: String,
}

const USAGE: [&str; 5] = [
    "history_len",
    "input_total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
];

impl State {
    /// Verifies and folds a log that lies whole in memory, up to its head. A torn tail is left out.
    pub fn fold(log: &[u8]) -> Result<Self> {
        let committed = committed_part(log)?;
        let mut folder = Folder::default();
        folder.push(committed);
        let state = folder.finish()?;
        state.check_rest(log.get(committed.len()..).unwrap_or_default())?;
        Ok(state)
    }

    /// Verifies what follows the head: it is left out, but a fault in it is one of the log.
    fn check_rest(&self, rest: &[u8]) -> Result<()> {
        let Some(head) = self.head else { return Ok(()) };
        let mut verifier = Verifier::after(head, self.session.clone(), self.fork);
        verifier.push(rest);
        verifier.into_fault().map_or(Ok(()), Err)
    }

    /// Takes over what an entry says beside the history.
    fn apply(&mut self, entry: &Entry<'_>, seq: u64) {
        let json = |name: &str| entry.present(name).map(ToString::to_string);
        let text = |name: &str| entry.text(name).map(|text| text.into_owned());
        match entry.kind() {
            Kind::SessionStart => {
                self.system_prompt = text("system_prompt");
                self.config = json("config");
                self.restate(entry);
                self.forked_from = entry.field("forked_from").and_then(field::point);
                self.compacted_from = entry.field("compacted_from").and_then(field::point);
            }
            Kind::TurnEnd => self.turns = entry.count("turn").unwrap_or_default(),
            Kind::RunStarted => self.run = Some("running".into()),
            Kind::RunCompleted => self.run = text("result"),
            Kind::RunErrored => self.run = Some("errored".into()),
            Kind::ConfigChanged => self.config = json("config"),
            Kind::LlmUsage => {
                self.usage.push(Usage { seq, counts: USAGE.map(|name| entry.count(name)) });
            }
            Kind::Extension => self.extensions.push(Extension {
                seq,
                domain: text("domain").unwrap_or_default(),
                payload: entry.field("payload").unwrap_or_default().to_string(),
            }),
            Kind::State => self.slice = json("state"),
            Kind::Compaction => {
                self.system_prompt = text("system_prompt").or(self.system_prompt.take());
                self.config = json("config").or(self.config.take());
                self.run = text("run").or(self.run.take());
                self.restate(entry);
            }
            Kind::Fork => {
                self.forked_from = entry.field("parent").and_then(field::point);
                self.fork = Some(seq);
            }
            Kind::Redacted => self.withheld += 1,
            // What the history is told.
            Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {}
            Kind::Truncated | Kind::Replaced | Kind::Other => {}
        }
    }

    /// Takes over what an entry that others may start from says again.
    fn restate(&mut self, entry: &Entry<'_>) {
        self.turns = entry.count("turns").unwrap_or(self.turns);
        self.slice = entry.present("state").map(ToString::to_string).or(self.slice.take());
    }
}
