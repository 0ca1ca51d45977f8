//! Entries: the envelope every body starts with, and the fields that follow (`docs/format.md` §3.2
//! and §4).

use alloc::borrow::Cow;

use crate::field;
use crate::hash::Hash;
use crate::json::Members;
use crate::kind::Kind;
use crate::limits::{BATCH_ENTRIES_MAX, INTEGER_MAX, KIND_BYTES_MAX};
use crate::line::Line;
use crate::{Error, ErrorKind, Result, SessionId};

/// The version of the format that this code writes, and the newest it reads.
pub const FORMAT_VERSION: u64 = 1;

const REDACTED: &[u8] = br#""kind":"redacted","digest":""#;
const START: &[u8] = br#""kind":"session_start","seq":0,"format":"#;

/// One entry of a log, borrowed from the bytes it was read from.
///
/// ```
/// use turnkeep_core::{Entry, Kind};
/// let line = br#"{"hash":"bfe5f5d7e0090b9c11c476c4bd42fe253dce99181192c22fc52b98dab9ef2cce","prev_hash":"b1eb1a29a43d9cf46f4605055f15a78e014cfac1239bc79b11f95bb1d4f472fe","kind":"user_input","seq":1,"ts":1760000000001,"salt":"AAAAAAAAAAE","item":{"role":"user","content":"Hi"}}"#;
/// let entry = Entry::parse(line)?;
/// assert_eq!((entry.kind(), entry.seq()), (Kind::UserInput, Some(1)));
/// assert_eq!(entry.field("item"), Some(r#"{"role":"user","content":"Hi"}"#));
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Entry<'a> {
    hash: Hash,
    rest: &'a str,
    envelope: Envelope<'a>,
    members: Members,
}

impl<'a> Entry<'a> {
    /// Reads a line (without its `\n`) and makes every check but those that need its neighbours:
    /// hashes are taken as they stand, [`crate::log::Verifier`] checks them.
    pub fn parse(line: &'a [u8]) -> Result<Self> {
        let bad_line = || Error::new(ErrorKind::BadLine, "not the shape of a line");
        let line = Line::split(line).filter(Line::is_link_spelled_right).ok_or_else(bad_line)?;
        let hash = line.hash().ok_or_else(bad_line)?;
        let rest = utf8(line.rest)?;
        let envelope = Envelope::parse(rest)?;
        Self::check(hash, rest, envelope, Members::default())
    }

    /// The entry checks of §4 on a line whose envelope is known to be right.
    pub(crate) fn check(
        hash: Hash,
        rest: &'a str,
        envelope: Envelope<'a>,
        mut members: Members,
    ) -> Result<Self> {
        members.scan(rest)?;
        field::check_keys(rest, &members, envelope.members)?;
        field::check_types(envelope.kind, rest, &members)?;
        Ok(Self { hash, rest, envelope, members })
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.envelope.kind
    }

    /// Its kind as it is written, also where this version does not know it.
    #[must_use]
    pub fn kind_name(&self) -> &'a str {
        self.envelope.kind_name
    }

    /// Its number; a redacted entry does not say.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.envelope.seq
    }

    /// Milliseconds since 1970 by the writer's clock; a redacted entry does not say.
    #[must_use]
    pub fn ts(&self) -> Option<u64> {
        self.envelope.ts
    }

    /// The last `fork` entry before this one.
    pub(crate) fn fork(&self) -> Option<u64> {
        self.envelope.fork
    }

    /// The JSON text of a member, byte for byte as it was appended.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.members.find(self.rest, name)
    }

    /// The members after the envelope, in their order, byte for byte.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter(self.rest).skip(self.envelope.members)
    }

    /// The JSON text of a member; `null` counts as absent.
    pub(crate) fn present(&self, name: &str) -> Option<&str> {
        self.field(name).filter(|value| *value != "null")
    }

    /// A member that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        field::text(self.field(name)?)
    }

    /// A member that is a whole number.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        field::count(self.field(name)?)
    }

    /// Gives back the memory of the scan for the next entry.
    pub(crate) fn into_members(self) -> Members {
        self.members
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    core::str::from_utf8(bytes).map_err(|fault| {
        let message = alloc::format!("not UTF-8 from byte {} of the body on", fault.valid_up_to());
        Error::new(ErrorKind::InvalidUtf8, message)
    })
}

/// What every body starts with.
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    pub(crate) kind_name: &'a str,
    /// `None` on a redacted entry.
    pub(crate) seq: Option<u64>,
    pub(crate) ts: Option<u64>,
    /// The last `fork` entry before this one.
    pub(crate) fork: Option<u64>,
    pub(crate) is_salted: bool,
    /// Entries of the same batch that follow.
    pub(crate) more: u32,
    /// On the first line: whose log it is.
    pub(crate) session: Option<SessionId>,
    /// How many members it has.
    pub(crate) members: usize,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope; the fields after it are not looked at.
    pub(crate) fn parse(rest: &'a str) -> Result<Self> {
        let mut reader = EnvelopeReader { rest };
        let parsed = if redacted_digest(rest.as_bytes()).is_some() {
            Some(Self::redacted())
        } else {
            reader.envelope()
        };
        parsed.ok_or_else(|| Error::new(ErrorKind::BadEntry, "not the envelope of an entry"))
    }

    fn redacted() -> Self {
        Self {
            kind: Kind::Redacted,
            kind_name: Kind::Redacted.name(),
            seq: None,
            ts: None,
            fork: None,
            is_salted: false,
            more: 0,
            session: None,
            members: 2,
        }
    }
}

/// The digest a redacted entry carries; `None` for any other rest.
pub(crate) fn redacted_digest(rest: &[u8]) -> Option<Hash> {
    let digest = rest.strip_prefix(REDACTED)?.strip_suffix(b"\"}")?;
    Hash::from_hex(digest)
}

/// The format version a first line claims, before anything else of it is believed.
pub(crate) fn claimed_version(rest: &[u8]) -> Option<u64> {
    let rest = rest.strip_prefix(START)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    field::count(core::str::from_utf8(rest.get(..digits)?).ok()?)
}

struct EnvelopeReader<'a> {
    rest: &'a str,
}

impl<'a> EnvelopeReader<'a> {
    fn envelope(&mut self) -> Option<Envelope<'a>> {
        self.literal(r#""kind":""#)?;
        let kind_name = self.until('"')?;
        self.literal(r#"","seq":"#)?;
        let seq = self.integer()?;
        let kind = Kind::of(kind_name);
        let is_start = kind == Kind::SessionStart;
        if !is_kind(kind_name) || kind == Kind::Redacted || (is_start && seq != 0) {
            return None;
        }
        let session = if is_start { Some(self.start()?) } else { None };
        self.literal(r#","ts":"#)?;
        let ts = self.integer()?;
        let is_forked = !is_start && self.literal(r#","fork":"#).is_some();
        let fork = if is_forked { Some(self.integer()?) } else { None };
        let is_salted = self.literal(r#","salt":"#).is_some();
        if is_salted {
            self.salt()?;
        }
        let has_more = self.literal(r#","more":"#).is_some();
        let more = if has_more { self.more()? } else { 0 };
        let optional = [is_start, is_start, is_forked, is_salted, has_more];
        let members = 3 + optional.into_iter().filter(|is_there| *is_there).count();
        let ended = self.rest == "}" || self.rest.starts_with(',');
        ended.then_some(Envelope {
            kind,
            kind_name,
            seq: Some(seq),
            ts: Some(ts),
            fork,
            is_salted,
            more,
            session,
            members,
        })
    }

    fn start(&mut self) -> Option<SessionId> {
        self.literal(r#","format":"#)?;
        if self.integer()? != FORMAT_VERSION {
            return None;
        }
        self.literal(r#","session":"#)?;
        let length = string_length(self.rest.as_bytes())?;
        let (id, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        SessionId::new(field::text(id)?).ok()
    }

    fn salt(&mut self) -> Option<()> {
        self.literal("\"")?;
        let salt = self.until('"')?.as_bytes();
        let (last, head) = salt.split_last()?;
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let fits =
            head.len() == 10 && head.iter().all(is_digit) && b"AEIMQUYcgkosw048".contains(last);
        self.literal("\"").filter(|()| fits)
    }

    fn more(&mut self) -> Option<u32> {
        let more = self.integer()?;
        (1..BATCH_ENTRIES_MAX as u64).contains(&more).then_some(more as u32)
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    fn integer(&mut self) -> Option<u64> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        field::count(number).filter(|_| digits > 0)
    }

    /// What precedes that character, which stays.
    fn until(&mut self, end: char) -> Option<&'a str> {
        let (before, rest) = self.rest.split_at_checked(self.rest.find(end)?)?;
        self.rest = rest;
        Some(before)
    }
}

/// Length of the JSON string at the start of some text, quotes included.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut bytes = text.strip_prefix(b"\"")?.iter().zip(2..);
    while let Some((byte, length)) = bytes.next() {
        match byte {
            b'"' => return Some(length),
            b'\\' => _ = bytes.next(),
            0..0x20 => return None,
            _ => {}
        }
    }
    None
}

/// Whether a name can be a kind's.
pub(crate) fn is_kind(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= KIND_BYTES_MAX
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a time or number fits into an envelope.
pub(crate) fn fits_integer(number: u64) -> bool {
    number <= INTEGER_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_of_a_line_are_hex_digits() {
        let [a, b] = ["a", "b"].map(|digit| digit.repeat(64));
        let line = alloc::format!(
            r#"{{"hash":"{a}","prev_hash":"{b}","kind":"turn_end","seq":1,"ts":2,"turn":1}}"#
        );
        assert!(Entry::parse(line.as_bytes()).is_ok());
        for at in [10, 100] {
            for byte in [b'g', b'A', 0x93] {
                let mut bad = line.clone().into_bytes();
                bad[at] = byte;
                assert_eq!(Entry::parse(&bad).unwrap_err().kind(), ErrorKind::BadLine);
            }
        }
    }

    fn parses(rest: &str) -> bool {
        Envelope::parse(rest).is_ok()
    }

    #[test]
    fn the_envelope_has_one_spelling() {
        assert!(parses(r#""kind":"turn_end","seq":1,"ts":2,"turn":1}"#));
        assert!(parses(r#""kind":"turn_end","seq":1,"ts":2}"#));
        assert!(parses(r#""kind":"x","seq":1,"ts":2,"fork":0,"salt":"AAAAAAAAAAA","more":1}"#));
        for bad in [
            r#""kind":"turn_end", "seq":1,"ts":2}"#,
            r#""seq":1,"kind":"turn_end","ts":2}"#,
            r#""kind":"Turn","seq":1,"ts":2}"#,
            r#""kind":"","seq":1,"ts":2}"#,
            r#""kind":"turn_end","seq":01,"ts":2}"#,
            r#""kind":"turn_end","seq":-1,"ts":2}"#,
            r#""kind":"turn_end","seq":1,"ts":9007199254740992}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"salt":"AAAAAAAAAAB"}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"salt":"AAAA"}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"salt":5}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"more":0}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"more":4096}"#,
            r#""kind":"turn_end","seq":1,"ts":2 ,"turn":1}"#,
            r#""kind":"turn_end","seq":1,"ts":2,"fork":null}"#,
            r#""kind":"redacted","seq":1,"ts":2}"#,
            r#""kind":"session_start","seq":0,"format":0,"session":"a","ts":2}"#,
            r#""kind":"session_start","seq":0,"format":1,"session":"","ts":2}"#,
            r#""kind":"session_start","seq":1,"format":1,"session":"a","ts":2}"#,
        ] {
            assert!(!parses(bad), "{bad}");
        }
    }

    #[test]
    fn the_session_is_read_from_the_first_line() {
        let rest = r#""kind":"session_start","seq":0,"format":1,"session":"a\"b","ts":2}"#;
        assert_eq!(Envelope::parse(rest).unwrap().session.unwrap().as_str(), "a\"b");
        assert_eq!(claimed_version(rest.as_bytes()), Some(1));
    }
}
