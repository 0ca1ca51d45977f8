//! Area `log`: the chain checks, the entry checks, and what a log tells of itself.

mod batch;
mod chain;
mod entry;
mod envelope;
mod expect;
mod fork;
mod limit;
mod redact;
mod whole;

use serde_json::{Map, Value, json};

use super::Vector;
use crate::build::{Log, SESSION};

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let cases = [
        whole::cases(),
        chain::cases(),
        batch::cases(),
        redact::cases(),
        fork::cases(),
        envelope::cases(),
        entry::cases(),
        expect::cases(),
        limit::cases(),
    ];
    cases.concat().iter().map(Case::vector).collect()
}

/// A log and what it is meant to show. Unless more is said, it holds up to its last line.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    log: Log,
    session: String,
    /// The head's number; `None` where there is no head.
    head: Option<u64>,
    /// The first line that fails, and its code.
    fault: Option<(&'static str, u64)>,
    /// What fails at the end of the input.
    end_fault: Option<&'static str>,
    is_torn: bool,
    withheld: u64,
    entry_fault: Option<(&'static str, u64)>,
    expect: Map<String, Value>,
}

impl Case {
    fn new(name: impl Into<String>, log: Log) -> Self {
        let head = (log.lines().len() as u64).checked_sub(1);
        Self {
            name: name.into(),
            log,
            session: SESSION.into(),
            head,
            fault: None,
            end_fault: None,
            is_torn: false,
            withheld: 0,
            entry_fault: None,
            expect: Map::new(),
        }
    }

    fn session(self, session: &str) -> Self {
        Self { session: session.into(), ..self }
    }

    /// That line fails; what precedes it holds.
    fn fails(self, code: &'static str, line: u64) -> Self {
        Self { fault: Some((code, line)), head: (line - 1).checked_sub(1), ..self }
    }

    /// The head is that entry, whatever follows.
    fn head(self, seq: u64) -> Self {
        Self { head: Some(seq), ..self }
    }

    /// What follows the head is torn.
    fn torn(self) -> Self {
        Self { is_torn: true, ..self }
    }

    /// Nothing is whole, and what there is is torn.
    fn empty(self) -> Self {
        Self { head: None, end_fault: Some("empty_log"), is_torn: !self.log.0.is_empty(), ..self }
    }

    fn withheld(self, withheld: u64) -> Self {
        Self { withheld, ..self }
    }

    /// The chain holds, but that entry fails its own checks, or cannot be folded.
    fn entry_fails(self, code: &'static str, seq: u64) -> Self {
        Self { entry_fault: Some((code, seq)), ..self }
    }

    fn expecting_session(mut self, session: &str) -> Self {
        self.expect.insert("session".into(), session.into());
        self
    }

    fn expecting_head(mut self, seq: u64, hash: &str) -> Self {
        self.expect.insert("head".into(), json!({ "seq": seq, "hash": hash }));
        self
    }

    /// What was expected is not so.
    fn end_fails(self, code: &'static str) -> Self {
        Self { end_fault: Some(code), ..self }
    }

    fn vector(&self) -> Vector {
        let mut expected = json!({
            "verify": self.verify(),
            "head": self.head_json(),
            "torn": self.torn_json(),
            "session": self.head.map(|_| &self.session),
            "withheld": self.withheld,
            "entries": match self.entry_fault {
                Some((code, seq)) => json!({ "code": code, "seq": seq }),
                None => json!({ "code": null }),
            },
        });
        if !self.expect.is_empty() {
            expected["expect"] = self.expect.clone().into();
        }
        Vector::new("log", &self.name, self.log.0.clone(), expected)
    }

    fn verify(&self) -> Value {
        match (self.fault, self.end_fault) {
            (Some((code, line)), _) => json!({
                "code": code,
                "line": line,
                "offset": self.log.offset(line),
                "seq": line - 1,
            }),
            (None, code) => json!({ "code": code }),
        }
    }

    fn end_of_head(&self) -> u64 {
        self.head.map_or(0, |seq| self.log.offset(seq + 2))
    }

    fn head_json(&self) -> Value {
        let head =
            |seq| json!({ "seq": seq, "hash": self.log.hash(seq), "bytes": self.end_of_head() });
        self.head.map_or(Value::Null, head)
    }

    fn torn_json(&self) -> Value {
        let offset = self.end_of_head();
        let bytes = self.log.0.len() as u64 - offset;
        if self.is_torn { json!({ "offset": offset, "bytes": bytes }) } else { Value::Null }
    }
}
