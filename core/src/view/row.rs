//! Lines as rows: what lists, filters, charts and shows them needs to know.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::part::{Part, parts, remark};
use super::writing::{Writing, array, problem};
use crate::entry::{Entry, Envelope, redacted_digest, utf8};
use crate::export::Page;
use crate::hash::{Hash, body_digest, chain};
use crate::item::push_bounded;
use crate::json::Object;
use crate::kind::Kind;
use crate::limits::{VIEW_NAME_BYTES_MAX, VIEW_PREVIEW_BYTES};
use crate::line::Line;
use crate::{Error, ErrorKind, field};

pub use crate::limits::VIEW_PART_BYTES as PART_BYTES;

/// Where some lines stand in their log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// The number of their first row.
    pub row: u64,
    /// The number of their first entry, if it is known.
    pub seq: Option<u64>,
    /// Where they start.
    pub offset: u64,
    /// The hash of the entry before them, if it is known.
    pub prev: Option<Hash>,
}

/// What is told of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// What lists need.
    Rows,
    /// And what the entry says.
    Entries,
}

/// A line as Markdown; empty where it says nothing.
pub(super) fn markdown_of(line: &[u8]) -> String {
    let mut page = Page::new();
    if let Ok(entry) = Entry::parse(line) {
        let parts = parts(&entry);
        if !parts.is_empty() {
            page.entry(role(entry.kind()).1, &parts);
        }
    }
    page.end()
}

/// What a line says; nothing where it cannot be read.
pub(super) fn parts_of(line: &[u8]) -> Vec<Part> {
    Entry::parse(line).map(|entry| parts(&entry)).unwrap_or_default()
}

/// Gives each line without its line break, its place among them, and its offset.
fn each_line(lines: &[u8], mut found: impl FnMut(u64, usize, &[u8])) {
    let (mut start, mut at) = (0, 0);
    while start < lines.len() {
        let rest = lines.get(start..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        found(at, start, rest.get(..end).unwrap_or_default());
        start += end + 1;
        at += 1;
    }
}

/// Lines as a JSON array.
pub(super) fn tell(lines: &[u8], place: Place, told: Told) -> String {
    let Place { mut seq, mut prev, .. } = place;
    let mut rows = Vec::new();
    each_line(lines, |at, start, line| {
        let is_torn = start + line.len() == lines.len();
        let mut row = Row::new(line, place.row.saturating_add(at));
        let fault = match is_torn {
            true => Err(Error::new(ErrorKind::TornTail, "an unfinished write")),
            false => row.check(line, seq, prev),
        };
        let entry = Entry::parse(line);
        let fault = fault.err().or_else(|| entry.as_ref().err().cloned());
        let offset = place.offset.saturating_add(start as u64);
        row.problem = fault.map(|error| {
            error.at(|place| {
                place.line = Some(row.row.saturating_add(1));
                place.offset = Some(offset);
                place.seq = row.seq.or(seq);
            })
        });
        let found = entry.as_ref().map(parts).unwrap_or_default();
        if let Ok(entry) = &entry {
            row.describe(entry, &found);
        }
        rows.push(row.json((told == Told::Entries).then_some(&*found)));
        // After what cannot be read nobody knows.
        seq = row.seq.map(|seq| seq + 1);
        prev = row.hash;
    });
    array(rows)
}

/// A line's row.
struct Row<'a> {
    row: u64,
    seq: Option<u64>,
    ts: Option<u64>,
    kind: Cow<'a, str>,
    role: &'static str,
    hash: Option<Hash>,
    prev: Option<Hash>,
    bytes: usize,
    preview: String,
    model: Option<String>,
    usage: Option<String>,
    calls: Vec<String>,
    results: Vec<String>,
    is_error: bool,
    problem: Option<Error>,
}

impl<'a> Row<'a> {
    fn new(line: &[u8], row: u64) -> Self {
        Self {
            row,
            seq: None,
            ts: None,
            kind: "gap".into(),
            role: "gap",
            hash: None,
            prev: None,
            bytes: line.len() + 1,
            preview: String::new(),
            model: None,
            usage: None,
            calls: Vec::new(),
            results: Vec::new(),
            is_error: false,
            problem: None,
        }
    }

    /// The checks of the chain that need nothing but the line and the one before it.
    fn check(&mut self, line: &[u8], seq: Option<u64>, prev: Option<Hash>) -> Result<(), Error> {
        let bad = |kind, message: &str| Err(Error::new(kind, message));
        let Some(line) = Line::split(line) else {
            return bad(ErrorKind::BadLine, "not the shape of a log's line");
        };
        let linked = line.prev.and_then(|hex| Hash::from_hex(hex));
        (self.hash, self.prev) = (line.hash(), linked);
        if !line.is_spelled_right() {
            return bad(ErrorKind::BadLine, "a hash is not 64 lower-case hex digits");
        }
        let digest = redacted_digest(line.rest).unwrap_or_else(|| body_digest(line.rest));
        if self.hash != Some(chain(linked, digest)) {
            return bad(ErrorKind::BadHash, "the line's bytes do not give its hash");
        }
        if prev.is_some() && linked != prev {
            return bad(ErrorKind::BrokenLink, "prev_hash is not the hash of the line before");
        }
        let envelope = Envelope::parse(utf8(line.rest)?)?;
        self.seq = envelope.seq.or(seq);
        match (envelope.seq, seq) {
            (Some(found), Some(expected)) if found != expected => {
                let message = format!("seq is {found}, expected {expected}");
                Err(Error::new(ErrorKind::BadSeq, message))
            }
            _ => Ok(()),
        }
    }

    fn describe(&mut self, entry: &Entry<'_>, parts: &[Part]) {
        self.kind = String::from(entry.kind_name()).into();
        (self.role, _) = role(entry.kind());
        self.seq = entry.seq().or(self.seq);
        self.ts = entry.ts();
        self.is_error = entry.kind() == Kind::RunErrored;
        self.preview = preview(entry, parts);
        let item = entry.field("item").and_then(Object::of);
        self.model = text_of(entry, item.as_ref(), "model");
        self.usage = usage(entry, item.as_ref());
        for part in parts {
            match part {
                Part::Call { id, name, .. } => self.calls.push(call(id, name)),
                Part::Result { call, name, is_error, .. } => {
                    self.is_error |= is_error;
                    self.results.push(result(call, name.as_deref(), *is_error));
                }
                _ => {}
            }
        }
    }

    fn json(&self, parts: Option<&[Part]>) -> String {
        let mut json = Writing::new();
        json.number("row", self.row);
        for (name, number) in [("seq", self.seq), ("ts", self.ts)] {
            if let Some(number) = number {
                json.number(name, number);
            }
        }
        json.text("kind", &self.kind);
        json.text("role", self.role);
        json.text_if("model", self.model.as_deref());
        if let Some(usage) = &self.usage {
            json.json("usage", usage);
        }
        json.text("preview", &self.preview);
        for (name, values) in [("calls", &self.calls), ("results", &self.results)] {
            if !values.is_empty() {
                json.json(name, &array(values.iter().cloned()));
            }
        }
        json.flag("isError", self.is_error || self.problem.is_some());
        json.number("bytes", self.bytes as u64);
        if let Some(error) = &self.problem {
            json.json("problem", &problem(error));
        }
        if let Some(parts) = parts {
            for (name, hash) in [("hash", self.hash), ("prevHash", self.prev)] {
                if let Some(hash) = hash {
                    json.text(name, &format!("{hash}"));
                }
            }
            json.json("parts", &array(parts.iter().map(part)));
        }
        json.end()
    }
}

/// Who speaks: as a word, and as a heading.
fn role(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::UserInput => ("user", "User"),
        Kind::AssistantItem => ("assistant", "Assistant"),
        Kind::ToolResult => ("tool", "Tool"),
        Kind::SystemItem | Kind::SessionStart => ("system", "System"),
        _ => ("event", "Event"),
    }
}

/// The first text there is, on one line; or what the entry is about.
fn preview(entry: &Entry<'_>, parts: &[Part]) -> String {
    let said = parts.iter().find_map(|part| match part {
        Part::Text { text, .. } | Part::Reasoning(text) => Some(&**text),
        Part::Result { output, .. } => Some(&**output),
        _ => None,
    });
    let remark = remark(entry);
    let text = if remark.is_empty() { said.unwrap_or_default() } else { &remark };
    let mut preview = String::new();
    for word in text.split_whitespace() {
        if preview.len() + word.len() >= VIEW_PREVIEW_BYTES {
            push_bounded(&mut preview, word, VIEW_PREVIEW_BYTES);
            break;
        }
        preview.push_str(word);
        preview.push(' ');
    }
    preview.trim_end().into()
}

/// A text of the entry or of its item.
fn text_of(entry: &Entry<'_>, item: Option<&Object<'_>>, name: &str) -> Option<String> {
    let text = entry.text(name).or_else(|| item?.text(name));
    text.filter(|text| !text.is_empty() && text.len() <= VIEW_NAME_BYTES_MAX).map(Cow::into_owned)
}

/// Tokens and cost, as the frameworks name them, of the entry itself or of its item.
fn usage(entry: &Entry<'_>, item: Option<&Object<'_>>) -> Option<String> {
    let of_item = item.and_then(|item| item.get("usage")).and_then(Object::of);
    let of_entry = entry.present("usage").and_then(Object::of);
    let own = |name: &str| (entry.kind() == Kind::LlmUsage).then(|| entry.present(name)).flatten();
    let find = |name: &&str| {
        let nested = || of_item.as_ref().or(of_entry.as_ref())?.get(name);
        own(name).or_else(nested)
    };
    let mut json = Writing::new();
    let mut is_known = false;
    for (name, names) in USAGE {
        if let Some(count) = names.iter().filter_map(find).find_map(field::count) {
            json.number(name, count);
            is_known = true;
        }
    }
    if let Some(cost) = COST.iter().filter_map(find).find_map(cost) {
        json.json("cost", cost);
        is_known = true;
    }
    is_known.then(|| json.end())
}

/// A number, as it is written, or the total of an object.
fn cost(value: &str) -> Option<&str> {
    let is_number = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let total = || Object::of(value)?.get("total");
    Some(value).filter(|text| is_number(text)).or_else(total).filter(|text| is_number(text))
}

/// What counts are called: by turnkeep, Anthropic, OpenAI's two APIs, the AI SDK and pi.
const USAGE: [(&str, &[&str]); 4] = [
    ("input", &["input_total_tokens", "input_tokens", "prompt_tokens", "inputTokens", "input"]),
    ("output", &["output_tokens", "completion_tokens", "outputTokens", "output"]),
    (
        "cacheRead",
        &["cache_read_tokens", "cache_read_input_tokens", "cachedInputTokens", "cacheRead"],
    ),
    ("cacheWrite", &["cache_write_tokens", "cache_creation_input_tokens", "cacheWrite"]),
];
const COST: [&str; 4] = ["cost", "cost_usd", "total_cost", "total_cost_usd"];

fn call(id: &str, name: &str) -> String {
    let mut json = Writing::new();
    json.text("id", id);
    json.text("name", name);
    json.end()
}

fn result(call: &str, name: Option<&str>, is_error: bool) -> String {
    let mut json = Writing::new();
    json.text("call", call);
    json.text_if("name", name);
    json.flag("isError", is_error);
    json.end()
}

fn part(part: &Part) -> String {
    let mut json = Writing::new();
    let body = |json: &mut Writing, name: &str, text: &str| {
        if text.len() <= PART_BYTES {
            return json.text(name, text);
        }
        let mut cut = String::new();
        push_bounded(&mut cut, text, PART_BYTES);
        json.text(name, &cut);
        json.number("full", text.encode_utf16().count() as u64);
    };
    match part {
        Part::Text { title, text } => {
            json.text("type", "text");
            json.text_if("title", *title);
            body(&mut json, "text", text);
        }
        Part::Reasoning(text) => {
            json.text("type", "reasoning");
            body(&mut json, "text", text);
        }
        Part::Call { id, name, arguments } => {
            json.text("type", "call");
            json.text("id", id);
            json.text("name", name);
            body(&mut json, "arguments", arguments);
        }
        Part::Result { call, name, output, is_error } => {
            json.text("type", "result");
            json.text("call", call);
            json.text_if("name", name.as_deref());
            json.flag("isError", *is_error);
            body(&mut json, "output", output);
        }
        Part::Image { media_type, data, url } => {
            json.text("type", "image");
            json.text_if("mediaType", media_type.as_deref());
            json.text_if("data", data.as_deref());
            json.text_if("url", url.as_deref());
        }
        Part::Lineage { how, from } => {
            json.text("type", "lineage");
            json.text("how", how);
            json.text("session", from.session.as_str());
            json.number("seq", from.seq);
            json.text("hash", &format!("{}", from.hash));
        }
        Part::Json { title, json: value } => {
            json.text("type", "json");
            json.text_if("title", Some(&**title).filter(|title| !title.is_empty()));
            body(&mut json, "json", value);
        }
    }
    json.end()
}
