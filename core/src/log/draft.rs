//! What a caller wants to append: a JSON object that has a kind and fields, and no place yet.

use alloc::string::{String, ToString};

use crate::entry::is_kind;
use crate::field::{self, check_keys, check_types, duplicate};
use crate::json::{Members, push_text};
use crate::kind::Kind;
use crate::{Error, ErrorKind, Result};

/// The text of an entry to be: a JSON object on one line with `kind`, its fields (`docs/format.md`
/// §4) and, if the caller knows better than the clock, `ts`.
///
/// ```
/// use turnkeep_core::log::Draft;
/// let draft = Draft::user_input(r#"{"role":"user","content":"Hi"}"#);
/// assert_eq!(draft.as_str(), r#"{"kind":"user_input","item":{"role":"user","content":"Hi"}}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft(String);

macro_rules! item_drafts {
    ($($name:ident $kind:literal,)*) => {$(
        #[doc = concat!("An item of kind `", $kind, "`; `item` is its JSON text.")]
        #[must_use]
        pub fn $name(item: &str) -> Self {
            Self::new($kind).with("item", item)
        }
    )*};
}

impl Draft {
    /// A draft of that kind without fields.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        let mut text = String::from(r#"{"kind":"#);
        push_text(&mut text, kind);
        text.push('}');
        Self(text)
    }

    item_drafts! {
        user_input "user_input",
        assistant_item "assistant_item",
        tool_result "tool_result",
        system_item "system_item",
    }

    /// An item of the history whose kind its content tells (`docs/format.md` §4.2).
    #[must_use]
    pub fn item(item: &str) -> Self {
        let mut text = String::from(r#"{"item":"#);
        text.push_str(item);
        text.push('}');
        Self(text)
    }

    /// A turn is over; turns count from 1.
    #[must_use]
    pub fn turn_end(turn: u64) -> Self {
        Self::new("turn_end").with_count("turn", turn)
    }

    /// A run begins.
    #[must_use]
    pub fn run_started() -> Self {
        Self::new("run_started")
    }

    /// A run ended: `finished`, `paused`, `limit_reached` or `yielded`.
    #[must_use]
    pub fn run_completed(result: &str) -> Self {
        Self::new("run_completed").with_text("result", result)
    }

    /// A run failed.
    #[must_use]
    pub fn run_errored(message: &str) -> Self {
        Self::new("run_errored").with_text("message", message)
    }

    /// A new configuration holds; `config` is its JSON text.
    #[must_use]
    pub fn config_changed(config: &str) -> Self {
        Self::new("config_changed").with("config", config)
    }

    /// Tokens used; the counts are added with [`Self::with_count`].
    #[must_use]
    pub fn llm_usage() -> Self {
        Self::new("llm_usage")
    }

    /// A framework's own record; `payload` is its JSON text.
    #[must_use]
    pub fn extension(domain: &str, payload: &str) -> Self {
        Self::new("extension").with_text("domain", domain).with("payload", payload)
    }

    /// The thread's state slice; `state` is its JSON text.
    #[must_use]
    pub fn state(state: &str) -> Self {
        Self::new("state").with("state", state)
    }

    /// The same draft with one more field; `value` is its JSON text.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.pop();
        self.0.push(',');
        push_text(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(value);
        self.0.push('}');
        self
    }

    /// The same draft with one more field that is text.
    #[must_use]
    pub fn with_text(self, name: &str, value: &str) -> Self {
        let mut text = String::new();
        push_text(&mut text, value);
        self.with(name, &text)
    }

    /// The same draft with one more field that is a whole number.
    #[must_use]
    pub fn with_count(self, name: &str, count: u64) -> Self {
        self.with(name, &count.to_string())
    }

    /// Its JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::str::FromStr for Draft {
    type Err = Error;

    /// Takes a draft's text, and makes every check that does not need its place in a log.
    fn from_str(text: &str) -> Result<Self> {
        Checked::new(text, &mut Members::default()).map(|_| Self(text.into()))
    }
}

impl AsRef<str> for Draft {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A draft whose every check was made.
pub(crate) struct Checked<'a> {
    rest: &'a str,
    members: &'a Members,
    pub(crate) kind_name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) ts: Option<u64>,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(draft: &'a str, members: &'a mut Members) -> Result<Self> {
        let bad_entry = |message: &str| Error::new(ErrorKind::BadEntry, message);
        let object = || Error::new(ErrorKind::BadJson, "a draft is a JSON object on one line");
        let draft = draft.trim_matches([' ', '\t']);
        let rest = draft.strip_prefix('{').ok_or_else(object)?;
        members.scan(rest)?;
        let members = &*members;
        check_keys(rest, members, members.len())?;
        let quoted = match (members.find(rest, "kind"), members.find(rest, "item")) {
            (Some(quoted), _) => quoted,
            (None, Some(item)) => crate::item::kind_of(item).quoted_name(),
            (None, None) => "",
        };
        let kind_name = quoted.trim_matches('"');
        let kind = Kind::of(kind_name);
        let reserved = |key: &&str| match *key {
            "hash" | "prev_hash" | "seq" | "fork" | "salt" | "more" | "format" | "digest" => true,
            "session" => kind == Kind::SessionStart,
            _ => false,
        };
        if let Some(key) = members.iter(rest).map(|(key, _)| key).find(reserved) {
            return Err(duplicate(key));
        }
        if quoted.is_empty() {
            return Err(bad_entry("a draft needs a kind, or an item that tells it"));
        }
        if !is_kind(kind_name) || quoted.len() != kind_name.len() + 2 || kind == Kind::Redacted {
            return Err(bad_entry("the kind is not one that can be appended"));
        }
        let bad_ts = || bad_entry("ts is milliseconds since 1970, a whole number");
        let ts = members.find(rest, "ts");
        let ts = ts.map(|ts| field::count(ts).ok_or_else(bad_ts)).transpose()?;
        check_types(kind, rest, members)?;
        Ok(Self { rest, members, kind_name, kind, ts })
    }

    /// The members that are not the envelope's, key and value as they were given.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.members.iter(self.rest).filter(|(key, _)| !matches!(*key, "kind" | "ts"))
    }
}
