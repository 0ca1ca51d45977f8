//! JSON objects, member by member.

use alloc::format;
use alloc::string::String;

use super::gzip::head;
use crate::Error;
use crate::json::push_text;
use crate::log::Report;

/// An object being written.
pub(super) struct Writing(String);

impl Writing {
    pub(super) fn new() -> Self {
        Self("{".into())
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    pub(super) fn json(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.push_str(json);
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.json(name, &format!("{number}"));
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_text(&mut self.0, text);
    }

    pub(super) fn text_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Only where it is so.
    pub(super) fn flag(&mut self, name: &str, is_so: bool) {
        if is_so {
            self.json(name, "true");
        }
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// An array of JSON texts.
pub(super) fn array(values: impl IntoIterator<Item = String>) -> String {
    let mut json = String::from("[");
    for value in values {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&value);
    }
    json.push(']');
    json
}

/// An error as hosts show it: `{"code":TEXT,"message":TEXT,…}` with its place.
#[must_use]
pub fn problem(error: &Error) -> String {
    let mut json = Writing::new();
    json.text("code", error.code());
    json.text("message", error.message());
    let place = error.place();
    json.text_if("session", place.session.as_deref());
    json.text_if("key", place.key.as_deref());
    for (name, number) in [("seq", place.seq), ("line", place.line), ("offset", place.offset)] {
        if let Some(number) = number {
            json.number(name, number);
        }
    }
    json.end()
}

/// What a verification found.
#[must_use]
pub fn report(report: &Report) -> String {
    let mut json = Writing::new();
    if let Some(found) = report.head {
        json.json("head", &head(found));
    }
    json.text_if("session", report.session.as_ref().map(crate::SessionId::as_str));
    json.number("withheld", report.withheld);
    if let Some(torn) = report.torn {
        json.json("torn", &format!("{{\"offset\":{},\"bytes\":{}}}", torn.offset, torn.bytes));
    }
    for (name, fault) in [("fault", &report.fault), ("entryFault", &report.entry_fault)] {
        if let Some(fault) = fault {
            json.json(name, &problem(fault));
        }
    }
    json.end()
}
