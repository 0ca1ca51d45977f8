//! The recovery record: a small file that says a session is live, and what it was doing. It can be
//! rebuilt from the log at any time (`docs/sessions.md`).

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::entry::{Envelope, utf8};
use crate::field;
use crate::item::{push_bounded, results};
use crate::json::{Object, push_text};
use crate::limits::{
    INTEGER_MAX, RECORD_BYTES_MAX, RECORD_NAME_BYTES, RECORD_PREVIEW_BYTES, RECORD_RESULTS_MAX,
};
use crate::line::Line;
use crate::log::Head;
use crate::{Entry, Error, ErrorKind, Hash, Kind, Result, SessionId};

const VERSION: u64 = 1;
/// Costs are kept in billionths of a dollar: sums of them are exact.
const NANOS: u64 = 1_000_000_000;

/// What is known of a session that may have been interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Whose record it is.
    pub session: SessionId,
    /// Items of the history that were appended.
    pub message_count: u64,
    /// The last results of tools, the latest last.
    pub last_tool_results: VecDeque<LastResult>,
    /// When the record was written, in milliseconds since 1970. It is the heartbeat of a session.
    pub snapshot_ms: u64,
    /// The session was ended on purpose.
    pub completed: bool,
    /// The directory the agent works in.
    pub project_dir: String,
    /// What the session cost so far, in billionths of a dollar.
    pub cost_nano_usd: u64,
    /// How the last run stands, as in the state.
    pub run: Option<String>,
    /// The entry up to which this holds.
    pub head: Option<Head>,
    /// The process that wrote it.
    pub owner: Option<Owner>,
}

/// What a tool gave back, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastResult {
    /// The tool's name, where the result tells it.
    pub tool_name: String,
    /// The call's id.
    pub call_id: String,
    /// The start of the output.
    pub output_preview: String,
    /// Whether the tool succeeded.
    pub success: bool,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// When it started, in a form only good for comparing.
    pub start: String,
}

/// What an entry changes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Message,
    Results(Vec<LastResult>),
    Cost(u64),
    Run(String),
}

impl Change {
    /// What a line that was checked changes, if anything.
    pub(crate) fn of(line: &[u8]) -> Result<Option<Self>> {
        let Some(split) = Line::split(line) else { return Ok(None) };
        let kind = Envelope::parse(utf8(split.rest)?)?.kind;
        Ok(match kind {
            Kind::UserInput | Kind::AssistantItem | Kind::SystemItem => Some(Self::Message),
            Kind::ToolResult => {
                let entry = Entry::parse(line)?;
                let item = entry.field("item").unwrap_or_default();
                Some(Self::Results(results(item).into_iter().map(LastResult::of).collect()))
            }
            Kind::LlmUsage => Entry::parse(line)?.field("cost_usd").and_then(nanos).map(Self::Cost),
            Kind::RunStarted => Some(Self::Run("running".into())),
            Kind::RunErrored => Some(Self::Run("errored".into())),
            Kind::RunCompleted => {
                Entry::parse(line)?.text("result").map(|run| Self::Run(run.into_owned()))
            }
            _ => None,
        })
    }

    /// Whether a run ended here: then the record is written at once.
    pub(crate) fn ends_run(&self) -> bool {
        matches!(self, Self::Run(run) if run != "running")
    }
}

impl LastResult {
    fn of(result: crate::item::ToolResult) -> Self {
        Self {
            output_preview: result.preview(RECORD_PREVIEW_BYTES),
            tool_name: name(&result.name.unwrap_or_default()),
            call_id: name(&result.call),
            success: !result.is_error,
        }
    }
}

/// A model may call a tool by any name, of any length.
fn name(text: &str) -> String {
    let mut name = String::new();
    push_bounded(&mut name, text, RECORD_NAME_BYTES);
    name
}

impl Record {
    /// The record of a session of which nothing is known yet.
    #[must_use]
    pub fn new(session: SessionId, project_dir: impl Into<String>, now_ms: u64) -> Self {
        Self {
            session,
            message_count: 0,
            last_tool_results: VecDeque::new(),
            snapshot_ms: now_ms,
            completed: false,
            project_dir: project_dir.into(),
            cost_nano_usd: 0,
            run: None,
            head: None,
            owner: None,
        }
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Message => self.count_message(),
            Change::Results(results) => {
                self.count_message();
                results.into_iter().for_each(|result| self.record_tool_result(result));
            }
            Change::Cost(nanos) => self.cost_nano_usd = self.cost_nano_usd.saturating_add(nanos),
            Change::Run(run) => self.run = Some(run),
        }
        self.completed = false;
    }

    fn count_message(&mut self) {
        self.message_count = self.message_count.saturating_add(1).min(INTEGER_MAX);
    }

    /// Adds a tool's result; the oldest beyond 16 goes.
    pub fn record_tool_result(&mut self, result: LastResult) {
        self.last_tool_results.push_back(result);
        while self.last_tool_results.len() > RECORD_RESULTS_MAX {
            self.last_tool_results.pop_front();
        }
    }

    /// The cost in dollars.
    #[must_use]
    pub fn cost_usd(&self) -> f64 {
        self.cost_nano_usd as f64 / NANOS as f64
    }

    /// Sets the cost in dollars. `invalid_argument` where it is no number, infinite or negative.
    pub fn set_cost_usd(&mut self, cost: f64) -> Result<()> {
        let nanos = cost * NANOS as f64;
        if !(0.0..=u64::MAX as f64).contains(&nanos) {
            return Err(Error::new(ErrorKind::InvalidArgument, "a cost is a number of dollars"));
        }
        self.cost_nano_usd = (nanos + 0.5) as u64;
        Ok(())
    }

    /// As JSON: the members of opendev's snapshots under their names, and turnkeep's own.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = |text: &str| {
            let mut json = String::new();
            push_text(&mut json, text);
            json
        };
        let result = |result: &LastResult| {
            let [name, id, preview] =
                [&result.tool_name, &result.call_id, &result.output_preview].map(|t| text(t));
            let ids = format!(r#""tool_name":{name},"call_id":{id}"#);
            format!(r#"{{{ids},"output_preview":{preview},"success":{}}}"#, result.success)
        };
        let results: Vec<String> = self.last_tool_results.iter().map(result).collect();
        let head = self.head.map_or("null".into(), |head| {
            format!(r#"{{"seq":{},"hash":"{}","bytes":{}}}"#, head.seq, head.hash, head.bytes)
        });
        let owner = self.owner.as_ref().map_or("null".into(), |owner| {
            let (host, start) = (text(&owner.host), text(&owner.start));
            format!(r#"{{"pid":{},"host":{host},"start":{start}}}"#, owner.pid)
        });
        let members = [
            ("version", VERSION.to_string()),
            ("session_id", text(self.session.as_str())),
            ("message_count", self.message_count.to_string()),
            ("last_tool_results", format!("[{}]", results.join(","))),
            ("snapshot_timestamp_ms", self.snapshot_ms.to_string()),
            ("completed", self.completed.to_string()),
            ("project_dir", text(&self.project_dir)),
            ("cost_usd", dollars(self.cost_nano_usd)),
            ("run", self.run.as_deref().map_or("null".into(), text)),
            ("head", head),
            ("owner", owner),
        ];
        let members = members.map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}\n", members.join(","))
    }

    /// Reads what [`Self::to_json`] gives, or opendev wrote; `bad_entry` where it is not that.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::BadEntry, "not a recovery record");
        if json.len() > RECORD_BYTES_MAX {
            let message = "a recovery record of more than 256 KiB";
            return Err(Error::new(ErrorKind::BadEntry, message));
        }
        // Scanned as one line: line breaks stand only between members.
        let json = utf8(json)?.replace(['\n', '\r'], " ");
        let object = Object::of(&json).ok_or_else(bad)?;
        if object.get("version").and_then(field::count).is_some_and(|version| version > VERSION) {
            let message = "the recovery record has a newer version than 1";
            return Err(Error::new(ErrorKind::UnsupportedVersion, message));
        }
        let text = |name: &str| object.text(name).map(|text| text.into_owned());
        let count = |name: &str| object.get(name).and_then(field::count);
        let results = object.elements("last_tool_results");
        let results = results.into_iter().filter_map(last_result);
        let mut record = Self {
            session: SessionId::new(text("session_id").ok_or_else(bad)?)?,
            message_count: count("message_count").ok_or_else(bad)?,
            last_tool_results: VecDeque::new(),
            snapshot_ms: count("snapshot_timestamp_ms").ok_or_else(bad)?,
            completed: object.get("completed").ok_or_else(bad)? == "true",
            project_dir: text("project_dir").unwrap_or_default(),
            cost_nano_usd: object.get("cost_usd").and_then(nanos).unwrap_or_default(),
            run: text("run"),
            head: object.get("head").and_then(head),
            owner: object.get("owner").and_then(owner),
        };
        results.for_each(|result| record.record_tool_result(result));
        Ok(record)
    }
}

fn last_result(json: &str) -> Option<LastResult> {
    let object = Object::of(json)?;
    let text = |name: &str| object.text(name).map(|text| text.into_owned()).unwrap_or_default();
    Some(LastResult {
        tool_name: text("tool_name"),
        call_id: text("call_id"),
        output_preview: text("output_preview"),
        success: object.get("success") == Some("true"),
    })
}

fn head(json: &str) -> Option<Head> {
    let object = Object::of(json)?;
    let count = |name: &str| object.get(name).and_then(field::count);
    let hash = Hash::from_hex(object.text("hash")?.as_bytes())?;
    Some(Head { seq: count("seq")?, hash, bytes: count("bytes")? })
}

fn owner(json: &str) -> Option<Owner> {
    let object = Object::of(json)?;
    let pid = u32::try_from(object.get("pid").and_then(field::count)?).ok()?;
    let text = |name: &str| object.text(name).map(|text| text.into_owned());
    Some(Owner { pid, host: text("host")?, start: text("start")? })
}

/// A JSON number of dollars in billionths, the rest cut off; `None` where it is negative or huge.
fn nanos(number: &str) -> Option<u64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.parse::<i64>().ok()?.checked_add(9)?;
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let digits = whole.bytes().chain(fraction.bytes());
    let places = usize::try_from(point).unwrap_or_default();
    if places > 40 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits
        .chain(core::iter::repeat(b'0'))
        .take(places)
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

fn dollars(nanos: u64) -> String {
    let digits = format!("{}.{:09}", nanos / NANOS, nanos % NANOS);
    let trimmed = digits.trim_end_matches('0');
    if trimmed.ends_with('.') { format!("{trimmed}0") } else { trimmed.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(SessionId::new("s").unwrap(), "/home/u/proj", 1000)
    }

    #[test]
    fn test_snapshot_new() {
        let record = record();
        assert_eq!((record.message_count, record.completed, record.cost_nano_usd), (0, false, 0));
        assert!(record.last_tool_results.is_empty() && record.snapshot_ms == 1000);
    }

    #[test]
    fn test_record_tool_result() {
        let mut record = record();
        for n in 0..20 {
            record.record_tool_result(LastResult {
                tool_name: format!("tool_{n}"),
                call_id: String::new(),
                output_preview: String::new(),
                success: true,
            });
        }
        assert_eq!(record.last_tool_results.len(), RECORD_RESULTS_MAX);
        assert_eq!(record.last_tool_results[0].tool_name, "tool_4");
    }

    #[test]
    fn test_snapshot_serialization_roundtrip() {
        let mut record = record();
        record.record_tool_result(LastResult {
            tool_name: "bash".into(),
            call_id: "c1".into(),
            output_preview: "hello \"w\"\n日".into(),
            success: true,
        });
        record.set_cost_usd(0.15).unwrap();
        record.run = Some("running".into());
        record.owner = Some(Owner { pid: 7, host: "h".into(), start: "1".into() });
        record.head = Some(Head { seq: 3, hash: crate::sha256(b"x"), bytes: 9 });
        assert_eq!(Record::from_json(record.to_json().as_bytes()).unwrap(), record);
        assert!(record.to_json().contains(r#""cost_usd":0.15,"#));
    }

    #[test]
    fn reads_what_opendev_wrote() {
        let json = "{\n  \"session_id\": \"sess-1\",\n  \"message_count\": 42,\n  \"last_tool_results\": [\n    {\n      \"tool_name\": \"bash\",\n      \"call_id\": \"c1\",\n      \"output_preview\": \"hello \\\"w\\\"\\n日\",\n      \"success\": true\n    }\n  ],\n  \"snapshot_timestamp_ms\": 1700000000123,\n  \"completed\": false,\n  \"project_dir\": \"/home/u/proj\",\n  \"cost_usd\": 0.15\n}";
        let record = Record::from_json(json.as_bytes()).unwrap();
        assert_eq!((record.message_count, record.cost_nano_usd), (42, 150_000_000));
        assert_eq!(record.last_tool_results[0].output_preview, "hello \"w\"\n日");
    }

    #[test]
    fn costs_that_are_no_numbers_are_refused() {
        let mut record = record();
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert_eq!(record.set_cost_usd(bad).unwrap_err().code(), "invalid_argument");
        }
        assert_eq!(record.cost_nano_usd, 0);
    }

    #[test]
    fn costs_are_read_exactly() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0.15", Some(150_000_000)),
            ("12", Some(12_000_000_000)),
            ("1.5e-3", Some(1_500_000)),
            ("1E2", Some(100_000_000_000)),
            ("0.0000000019", Some(1)),
            ("-1", None),
            ("1e99", None),
            ("1e99999999999999999999", None),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
    }

    #[test]
    fn damaged_records_are_told_apart_from_missing_ones() {
        for bad in ["", "{}", "[1]", "{\"session_id\":\"s\"", "{\"session_id\":7}"] {
            assert_eq!(Record::from_json(bad.as_bytes()).unwrap_err().code(), "bad_entry");
        }
        let newer = record().to_json().replace("\"version\":1", "\"version\":2");
        assert_eq!(Record::from_json(newer.as_bytes()).unwrap_err().code(), "unsupported_version");
    }
}
