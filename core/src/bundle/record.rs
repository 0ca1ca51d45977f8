//! The lines of a bundle that are no session's.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::VERSION;
use crate::cache::{CacheEntry, CacheValue};
use crate::field;
use crate::json::{Members, Object, push_text};
use crate::limits::{ABOUT_BYTES_MAX, LINE_BYTES_MAX};
use crate::log::Head;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// What stands before a session's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRecord {
    /// Whose they are.
    pub id: SessionId,
    /// Its last entry: `bytes` of lines follow.
    pub head: Head,
    /// The record of title, kind and tags, as JSON, where there is one.
    pub about: Option<String>,
    /// Length of the trace that follows the lines; 0: there is none.
    pub trace_bytes: u64,
}

/// A line that says what it is, without its line break.
pub(super) enum Record {
    Session(SessionRecord),
    Cache(CacheEntry),
    Index,
    End,
}

pub(super) fn header(now_ms: u64) -> String {
    format!("{{\"bundle\":{VERSION},\"kind\":\"header\",\"created\":{now_ms}}}\n")
}

/// Checks the first line.
pub(crate) fn check_header(line: &str) -> Result<()> {
    let version = Object::of(line).and_then(|object| object.get("bundle").and_then(field::count));
    match version {
        Some(VERSION) => Ok(()),
        Some(version) => {
            let message = format!("the bundle has version {version}, and this reads {VERSION}");
            Err(Error::new(ErrorKind::UnsupportedVersion, message))
        }
        None => Err(bad("it is gzip, and what it holds is no bundle")),
    }
}

pub(super) fn bad(message: &str) -> Error {
    Error::new(ErrorKind::BadBundle, message)
}

impl SessionRecord {
    pub(crate) fn new(id: SessionId, head: Head, about: Option<String>, trace_bytes: u64) -> Self {
        Self { id, head, about, trace_bytes }
    }

    pub(super) fn line(&self) -> String {
        let Head { seq, hash, bytes } = self.head;
        let mut line = String::from(r#"{"kind":"session","id":"#);
        push_text(&mut line, self.id.as_str());
        line += &format!(",\"head\":{{\"seq\":{seq},\"hash\":\"{hash}\",\"bytes\":{bytes}}}");
        if let Some(about) = &self.about {
            line += &format!(",\"about\":{about}");
        }
        if self.trace_bytes > 0 {
            line += &format!(",\"trace_bytes\":{}", self.trace_bytes);
        }
        line + "}\n"
    }

    /// Reads a session's line, without its line break.
    pub(crate) fn of_line(line: &str) -> Result<Self> {
        match Record::parse(line)? {
            Record::Session(record) => Ok(record),
            _ => Err(bad("a line is no session's record")),
        }
    }

    fn parse(object: &Object<'_>) -> Option<Self> {
        let head = Object::of(object.get("head")?)?;
        let count = |name| head.get(name).and_then(field::count);
        let hash = Hash::from_hex(head.text("hash")?.as_bytes())?;
        let head = Head { seq: count("seq")?, hash, bytes: count("bytes")? };
        let about = object.get("about").map(ToOwned::to_owned);
        let trace_bytes = object.get("trace_bytes").map_or(Some(0), field::count)?;
        let fits = |about: &String| about.len() < ABOUT_BYTES_MAX && about.starts_with('{');
        let is_sound = head.bytes > head.seq && about.as_ref().is_none_or(fits);
        let id = SessionId::new(object.text("id")?).ok()?;
        is_sound.then_some(Self { id, head, about, trace_bytes })
    }
}

impl Record {
    pub(super) fn parse(line: &str) -> Result<Self> {
        let object = Object::of(line).ok_or_else(|| bad("a line is no JSON object"))?;
        match object.text("kind").as_deref() {
            Some("session") => {
                let record = SessionRecord::parse(&object);
                record.map(Self::Session).ok_or_else(|| bad("a session's record is not whole"))
            }
            Some("cache") => {
                let entry = parse_cache(&object);
                entry.map(Self::Cache).ok_or_else(|| bad("a value of the cache is not whole"))
            }
            Some("index") => Ok(Self::Index),
            Some("end") => Ok(Self::End),
            _ => Err(bad("a line is of no kind that bundles have")),
        }
    }
}

/// The line of a cache entry, with its line break. `bad_json`, `too_deep` or `too_large` where its
/// value cannot stand in one.
pub(crate) fn cache_line(entry: &CacheEntry) -> Result<String> {
    let mut line = String::from(r#"{"kind":"cache","key":"#);
    push_text(&mut line, &entry.key);
    match &entry.value {
        // Line breaks stand between values only: in strings they are escaped.
        CacheValue::Json(json) => {
            line += ",\"value\":";
            line.extend(json.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        }
        CacheValue::Bytes(bytes) => {
            line += &format!(",\"bytes\":\"{}\"", STANDARD.encode(bytes));
        }
    }
    if let Some(expires) = entry.expires_ms {
        line += &format!(",\"expires\":{expires}");
    }
    line.push('}');
    let named = |error: Error| {
        let message = format!("the cache's value {:?}: {}", entry.key, error.message());
        Error::new(error.kind(), message)
    };
    if line.len() > LINE_BYTES_MAX {
        return Err(named(Error::new(ErrorKind::TooLarge, "it has more than 32 MiB as a line")));
    }
    let mut members = Members::default();
    let rest = line.get(1..).unwrap_or_default();
    members.scan(rest).map_err(|flaw| named(flaw.into()))?;
    // A value that is several members is none.
    if parse_cache(&Object::of(&line).ok_or_else(|| bad("not an object"))?).as_ref().is_none() {
        return Err(named(Error::new(ErrorKind::BadJson, "it is not one JSON value")));
    }
    line.push('\n');
    Ok(line)
}

/// The entry that such a line holds, without its line break.
pub(crate) fn cache_entry(line: &str) -> Result<CacheEntry> {
    match Record::parse(line)? {
        Record::Cache(entry) => Ok(entry),
        _ => Err(bad("not a value of the cache")),
    }
}

fn parse_cache(object: &Object<'_>) -> Option<CacheEntry> {
    let value = match (object.get("value"), object.get("bytes")) {
        (Some(json), None) => CacheValue::Json(json.into()),
        (None, Some(text)) => CacheValue::Bytes(STANDARD.decode(&*field::text(text)?).ok()?),
        _ => return None,
    };
    let expires_ms = match object.get("expires") {
        Some(expires) => Some(field::count(expires)?),
        None => None,
    };
    let members = 3 + usize::from(expires_ms.is_some());
    let key = object.text("key")?.into_owned();
    (object.len() == members).then_some(CacheEntry { key, value, expires_ms })
}
