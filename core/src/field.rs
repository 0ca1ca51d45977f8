//! Values of fields, and the checks of an entry's fields (`docs/format.md` §4).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::hash::Hash;
use crate::json::{self, Flaw, Members};
use crate::kind::{FieldType, Kind, Presence};
use crate::limits::{INTEGER_MAX, ITEM_ID_BYTES_MAX};
use crate::{Error, ErrorKind, Result, SessionId};

/// A point in a session: an entry, by number and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The session's id.
    pub session: SessionId,
    /// The entry's number.
    pub seq: u64,
    /// The entry's hash.
    pub hash: Hash,
}

impl Point {
    /// Its JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from(r#"{"session":"#);
        json::push_text(&mut json, self.session.as_str());
        json.push_str(&alloc::format!(r#","seq":{},"hash":"{}"}}"#, self.seq, self.hash));
        json
    }
}

/// Members that only the envelope may hold.
const RESERVED: [&str; 9] =
    ["hash", "prev_hash", "seq", "ts", "fork", "salt", "more", "format", "digest"];

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        let (kind, at, message) = match flaw {
            Flaw::Syntax(at) => (ErrorKind::BadJson, at, "not JSON on one line"),
            Flaw::Depth(at) => (ErrorKind::TooDeep, at, "nested more than 64 levels deep"),
        };
        Self::new(kind, alloc::format!("{message}, from byte {at} of its members on"))
    }
}

/// Checks 3 and 4: plain keys, none twice, and past the first `envelope` members none reserved.
pub(crate) fn check_keys(rest: &str, members: &Members, envelope: usize) -> Result<()> {
    if members.iter(rest).any(|(key, _)| key.contains('\\')) {
        return Err(Error::new(ErrorKind::BadEntry, "a top-level key holds a backslash"));
    }
    let mut keys: Vec<&str> = members.iter(rest).map(|(key, _)| key).collect();
    let reserved = keys.iter().skip(envelope).find(|key| RESERVED.contains(key));
    if let Some(key) = reserved {
        return Err(duplicate(key));
    }
    keys.sort_unstable();
    let twice = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next);
    twice.map_or(Ok(()), |(key, _)| Err(duplicate(key)))
}

pub(crate) fn duplicate(key: &str) -> Error {
    let message = alloc::format!("the member {key:?} stands twice or is turnkeep's own");
    Error::new(ErrorKind::DuplicateKey, message)
}

/// Check 5: the fields a kind knows have the types they should have.
pub(crate) fn check_types(kind: Kind, rest: &str, members: &Members) -> Result<()> {
    for (name, field_type, presence) in kind.fields() {
        let fits = match (members.find(rest, name), presence) {
            (None, Presence::Optional) | (Some("null"), Presence::Optional) => true,
            (None, Presence::Required) => false,
            (Some(value), _) => has_type(value, *field_type),
        };
        if !fits {
            let message =
                alloc::format!("{:?} needs {name:?} to be {}", kind.name(), in_words(*field_type));
            return Err(Error::new(ErrorKind::BadEntry, message));
        }
    }
    Ok(())
}

fn in_words(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Value => "there",
        FieldType::Text => "text",
        FieldType::ItemId => "text of at most 512 bytes",
        FieldType::SessionId => "the id of a session",
        FieldType::Count => "a whole number below 2^53, and not negative",
        FieldType::Items => "an array",
        FieldType::Point => "an object of session, seq and hash",
        FieldType::RunResult => "\"finished\", \"paused\", \"limit_reached\" or \"yielded\"",
    }
}

fn has_type(value: &str, field_type: FieldType) -> bool {
    match field_type {
        FieldType::Value => true,
        FieldType::Text => text(value).is_some(),
        FieldType::ItemId => text(value).is_some_and(|id| id.len() <= ITEM_ID_BYTES_MAX),
        FieldType::SessionId => text(value).is_some_and(|id| SessionId::new(id).is_ok()),
        FieldType::Count => count(value).is_some(),
        FieldType::Items => value.starts_with('['),
        FieldType::Point => point(value).is_some(),
        FieldType::RunResult => text(value).is_some_and(|result| {
            matches!(&*result, "finished" | "paused" | "limit_reached" | "yielded")
        }),
    }
}

/// A JSON string's text; `None` where the value is no string, or holds a lone surrogate.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        json::unescape(inner).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// An INT of the format: digits only, no leading zero, at most 2^53 − 1.
pub(crate) fn count(value: &str) -> Option<u64> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = value == "0" || !value.starts_with('0');
    let number = if plain && canonical { value.parse().ok()? } else { return None };
    (number <= INTEGER_MAX).then_some(number)
}

/// The elements of an array.
pub(crate) fn items(value: &str) -> Option<Vec<&str>> {
    json::elements(value)
}

/// A point: exactly `session`, `seq` and `hash`.
pub(crate) fn point(value: &str) -> Option<Point> {
    let rest = value.strip_prefix('{')?;
    let mut members = Members::default();
    members.scan(rest).ok()?;
    if members.len() != 3 {
        return None;
    }
    Some(Point {
        session: SessionId::new(text(members.find(rest, "session")?)?).ok()?,
        seq: count(members.find(rest, "seq")?)?,
        hash: Hash::from_hex(text(members.find(rest, "hash")?)?.as_bytes())?,
    })
}
