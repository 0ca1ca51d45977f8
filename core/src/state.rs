//! The state: what folding a log gives (`docs/format.md` §5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::Entry;
use crate::field::{self, Point};
use crate::json::Members;
use crate::json::push_text;
use crate::kind::Kind;
use crate::log::{Head, Verifier, committed_part};
use crate::{Error, ErrorKind, Result, SessionId};

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

    fn apply(&mut self, entry: &Entry<'_>, seq: u64) {
        let json = |name: &str| entry.present(name).map(ToString::to_string);
        let text = |name: &str| entry.text(name).map(|text| text.into_owned());
        match entry.kind() {
            Kind::SessionStart => {
                self.system_prompt = text("system_prompt");
                self.config = json("config");
                self.history = items(entry.present("history"), "initial", seq);
                self.restate(entry);
                self.forked_from = entry.field("forked_from").and_then(field::point);
                self.compacted_from = entry.field("compacted_from").and_then(field::point);
            }
            Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {
                self.history.push(Item {
                    kind: entry.kind().name(),
                    seq,
                    id: text("id"),
                    parent: text("parent"),
                    item: entry.field("item").unwrap_or_default().to_string(),
                });
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
            Kind::Truncated => self.history.truncate(size(entry.count("keep"))),
            Kind::Replaced => self.history = items(entry.field("history"), "replaced", seq),
            Kind::Compaction => {
                let keep = size(entry.count("keep_last"));
                let kept = self.history.split_off(self.history.len().saturating_sub(keep));
                self.history = items(entry.field("summary"), "summary", seq);
                self.history.extend(kept);
                self.system_prompt = text("system_prompt").or(self.system_prompt.take());
                self.config = json("config").or(self.config.take());
                self.restate(entry);
            }
            Kind::Fork => {
                self.forked_from = entry.field("parent").and_then(field::point);
                self.fork = Some(seq);
            }
            Kind::Redacted => self.withheld += 1,
            Kind::Other => {}
        }
    }

    /// Takes over what an entry that others may start from says beside the history.
    fn restate(&mut self, entry: &Entry<'_>) {
        self.turns = entry.count("turns").unwrap_or(self.turns);
        self.slice = entry.present("state").map(ToString::to_string).or(self.slice.take());
    }

    /// The state as JSON, in the spelling of `docs/format.md` §5: the same bytes on every host.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json(String::new());
        json.raw("{\"session\":").text(self.session.as_ref().map(SessionId::as_str));
        json.raw(",\"head\":").head(self.head);
        json.raw(",\"system_prompt\":").text(self.system_prompt.as_deref());
        json.raw(",\"config\":").value(self.config.as_deref());
        json.raw(",\"history\":").list(&self.history, |json, item| {
            json.raw("{\"kind\":").text(Some(item.kind)).raw(",\"seq\":").number(Some(item.seq));
            json.raw(",\"id\":").text(item.id.as_deref());
            json.raw(",\"parent\":").text(item.parent.as_deref());
            json.raw(",\"item\":").raw(&item.item).raw("}");
        });
        json.raw(",\"turns\":").number(Some(self.turns));
        json.raw(",\"run\":").text(self.run.as_deref());
        json.raw(",\"usage\":").list(&self.usage, |json, usage| {
            json.raw("{\"seq\":").number(Some(usage.seq));
            for (name, count) in USAGE.iter().zip(usage.counts) {
                json.raw(",\"").raw(name).raw("\":").number(count);
            }
            json.raw("}");
        });
        json.raw(",\"extensions\":").list(&self.extensions, |json, extension| {
            json.raw("{\"seq\":").number(Some(extension.seq));
            json.raw(",\"domain\":").text(Some(&extension.domain));
            json.raw(",\"payload\":").raw(&extension.payload).raw("}");
        });
        json.raw(",\"slice\":").value(self.slice.as_deref());
        json.raw(",\"forked_from\":").point(self.forked_from.as_ref());
        json.raw(",\"compacted_from\":").point(self.compacted_from.as_ref());
        json.raw(",\"withheld\":").number(Some(self.withheld)).raw("}");
        json.0
    }
}

fn items(array: Option<&str>, kind: &'static str, seq: u64) -> Vec<Item> {
    let items = array.and_then(field::items).unwrap_or_default();
    let item = |item: &str| Item { kind, seq, id: None, parent: None, item: item.into() };
    items.into_iter().map(item).collect()
}

fn size(count: Option<u64>) -> usize {
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
}

/// Verifies a log and folds it, from bytes in any chunking that end at its head.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    verifier: Verifier,
    fold: Fold,
}

#[derive(Debug, Default)]
struct Fold {
    state: State,
    history: History,
    members: Members,
}

impl Folder {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let Fold { state, history, members } = &mut self.fold;
        self.verifier.push_each(chunk, |verified| {
            let entry = verified.entry(core::mem::take(members))?;
            history.apply(&entry).map_err(|e| verified.place(e))?;
            state.apply(&entry, verified.seq);
            *members = entry.into_members();
            Ok(())
        });
    }

    pub(crate) fn finish(self) -> Result<State> {
        let report = self.verifier.finish();
        report.sound()?;
        Ok(State { session: report.session, head: report.head, ..self.fold.state })
    }
}

/// How long the history is: what entries may keep of it is bounded by that.
#[derive(Debug, Default)]
pub(crate) struct History {
    length: u64,
    /// Entries were withheld, and items with them: then there may be fewer than were counted.
    is_partial: bool,
}

impl History {
    pub(crate) fn apply(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.is_partial |= entry.kind() == Kind::Redacted;
        let items = |name: &str| {
            let items = entry.present(name).and_then(field::items);
            items.map_or(0, |items| items.len() as u64)
        };
        let kept = |name: &str| {
            let message = "it keeps more items than the history has";
            let kept = entry.count(name).filter(|kept| self.is_partial || *kept <= self.length);
            kept.map(|kept| kept.min(self.length))
                .ok_or_else(|| Error::new(ErrorKind::BadEntry, message))
        };
        self.length = match entry.kind() {
            Kind::SessionStart | Kind::Replaced => items("history"),
            Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {
                self.length + 1
            }
            Kind::Truncated => kept("keep")?,
            Kind::Compaction => items("summary") + kept("keep_last")?,
            _ => self.length,
        };
        Ok(())
    }
}

struct Json(String);

impl Json {
    fn raw(&mut self, json: &str) -> &mut Self {
        self.0.push_str(json);
        self
    }

    fn value(&mut self, json: Option<&str>) -> &mut Self {
        self.raw(json.unwrap_or("null"))
    }

    fn text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => push_text(&mut self.0, text),
            None => self.0.push_str("null"),
        }
        self
    }

    fn number(&mut self, number: Option<u64>) -> &mut Self {
        match number {
            Some(number) => self.raw(&number.to_string()),
            None => self.raw("null"),
        }
    }

    fn head(&mut self, head: Option<Head>) -> &mut Self {
        let Some(head) = head else { return self.raw("null") };
        self.raw("{\"seq\":").number(Some(head.seq));
        self.raw(",\"hash\":\"").raw(&head.hash.to_string());
        self.raw("\",\"bytes\":").number(Some(head.bytes)).raw("}")
    }

    fn point(&mut self, point: Option<&Point>) -> &mut Self {
        let Some(point) = point else { return self.raw("null") };
        self.raw("{\"session\":").text(Some(point.session.as_str()));
        self.raw(",\"seq\":").number(Some(point.seq));
        self.raw(",\"hash\":\"").raw(&point.hash.to_string()).raw("\"}")
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) -> &mut Self {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            each(self, item);
        }
        self.raw("]")
    }
}
