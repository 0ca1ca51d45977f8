//! Keys of a store (`docs/format.md` §7).

use alloc::string::String;
use core::fmt;

use crate::{Error, ErrorKind, Result, SessionId};

const LOG: &str = ".jsonl";
const ARCHIVE: &str = ".jsonl.gz";
const RECOVERY: &str = ".recovery.json";
const ABOUT: &str = ".about.json";
const TRACE: &str = ".trace.jsonl";
const RETENTION: &str = ".retention.json";
/// No session's: those end otherwise.
const SWEEP: &str = "sweep.json";
/// Longest part of a key between slashes: what file systems allow, less a store's own suffixes.
const SEGMENT_BYTES_MAX: usize = 224;
const KEY_BYTES_MAX: usize = 512;

/// The name of an object: parts of `[a-z0-9_%.-]` between slashes, none starting with a dot. So no
/// key leads out of a directory, and names that start with a dot are a store's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// What a session's object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The live log.
    Log,
    /// The archive.
    Archive,
    /// The recovery record.
    Recovery,
    /// Title, kind and tags.
    About,
    /// Events beside the log.
    Trace,
    /// When the session was archived or pruned.
    Retention,
}

/// Longer ones before those that they end with.
const SUFFIXES: [(&str, Part); 6] = [
    (TRACE, Part::Trace),
    (LOG, Part::Log),
    (ARCHIVE, Part::Archive),
    (RECOVERY, Part::Recovery),
    (ABOUT, Part::About),
    (RETENTION, Part::Retention),
];

impl Key {
    /// The store's note of its last sweep.
    #[must_use]
    pub fn sweep() -> Self {
        Self(SWEEP.into())
    }

    /// Checks a key that came from outside. Anything that is not one is `invalid_id`.
    pub fn parse(key: impl Into<String>) -> Result<Self> {
        let key = Self(key.into());
        let fits = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'%' | b'.' | b'-');
        let is_segment = |segment: &str| {
            (1..=SEGMENT_BYTES_MAX).contains(&segment.len())
                && !segment.starts_with('.')
                && segment.bytes().all(fits)
        };
        if key.0.len() <= KEY_BYTES_MAX && key.0.split('/').all(is_segment) {
            return Ok(key);
        }
        Err(Error::new(ErrorKind::InvalidId, "not a key of a store"))
    }

    /// Where a session's object of that sort lies.
    #[must_use]
    pub fn of(session: &SessionId, part: Part) -> Self {
        let suffix = SUFFIXES.iter().find(|(_, suffixed)| *suffixed == part);
        Self(session.encoded() + suffix.map_or(LOG, |(suffix, _)| suffix))
    }

    /// Whose object this is, and of what sort; `None` for other objects.
    #[must_use]
    pub fn session(&self) -> Option<(SessionId, Part)> {
        let split = |(suffix, part): &(&str, Part)| Some((self.0.strip_suffix(suffix)?, *part));
        let (encoded, part) = SUFFIXES.iter().find_map(split)?;
        Some((SessionId::decode(encoded).ok()?, part))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_back_to_their_sessions() {
        let id = SessionId::new("Über/1").unwrap();
        for (_, part) in SUFFIXES {
            let key = Key::of(&id, part);
            assert_eq!(key.session(), Some((id.clone(), part)));
            assert_eq!(Key::parse(key.as_str()).unwrap(), key);
        }
        assert_eq!(Key::parse("a.other.jsonl").unwrap().session(), None);
    }

    #[test]
    fn no_key_leaves_its_directory() {
        for bad in
            ["", "/a", "a/", "a//b", "..", "a/../b", ".lock", "a/.b", "A", "a b", "a\\b", "é"]
        {
            assert!(Key::parse(bad).is_err(), "{bad:?}");
        }
    }
}
