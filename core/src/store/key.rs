//! Keys of a store (`docs/format.md` §7).

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::limits::{MANIFEST_NUMBER_MAX, STORE_KEY_BYTES_MAX, STORE_KEY_PART_BYTES_MAX};
use crate::{Error, ErrorKind, Hash, Result, SessionId};

const LOG: &str = ".jsonl";
const ARCHIVE: &str = ".jsonl.gz";
const RECOVERY: &str = ".recovery.json";
const ABOUT: &str = ".about.json";
const TRACE: &str = ".trace.jsonl";
const RETENTION: &str = ".retention.json";
/// No session's: those end otherwise.
const SWEEP: &str = "sweep.json";
/// Where the object layout keeps its manifests and segments.
const MANIFESTS: &str = "sessions/";
const SEGMENTS: &str = "segments/";
const IDS: &str = ".ids";
const COLLECTIONS: &str = "collect/";
/// Where a bundle lies unless told: no session's key.
const BUNDLE: &str = "bundles/runtime.bundle";
/// What a restoring from a bundle writes down, and puts aside until it is over.
const RESTORE: &str = "restore/journal.jsonl";
/// A bundle that came as a stream.
const SPOOLED: &str = "restore/bundle-";
const RESTORED_CACHE: &str = "restore/cache.jsonl";
const ASIDE: &str = "restore/aside/";
/// Where files are kept that sessions were imported from.
const IMPORTS: &str = "imports/";

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

/// An object of the object layout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectKey {
    /// A session's manifest of that number.
    Manifest(SessionId, u64),
    /// A segment.
    Segment(Hash),
    /// A list of ids.
    Ids(Hash),
    /// What was found to be unused at that time.
    Collection(u64),
}

impl Key {
    /// The store's note of its last sweep.
    #[must_use]
    pub fn sweep() -> Self {
        Self(SWEEP.into())
    }

    /// The manifest of a session that has that number, from 0 on.
    #[must_use]
    pub fn manifest(session: &SessionId, number: u64) -> Self {
        // They count down, so that the newest is listed first.
        let left = MANIFEST_NUMBER_MAX.saturating_sub(number);
        Self(format!("{}{left:010}.json", Self::manifests(session)))
    }

    /// What the keys of a session's manifests start with.
    #[must_use]
    pub fn manifests(session: &SessionId) -> String {
        format!("{MANIFESTS}{}/", session.encoded())
    }

    /// The segment whose bytes have that SHA-256.
    #[must_use]
    pub fn segment(name: Hash) -> Self {
        Self(format!("{SEGMENTS}{name}{ARCHIVE}"))
    }

    /// The list of ids whose bytes have that SHA-256.
    #[must_use]
    pub fn ids(name: Hash) -> Self {
        Self(format!("{SEGMENTS}{name}{IDS}"))
    }

    /// What was found to be unused at that time, in milliseconds since 1970.
    #[must_use]
    pub fn collection(at_ms: u64) -> Self {
        Self(format!("{COLLECTIONS}{at_ms:013}.json"))
    }

    /// The imported file whose bytes have that SHA-256.
    #[must_use]
    pub fn import(name: Hash) -> Self {
        Self(format!("{IMPORTS}{name}"))
    }

    /// The SHA-256 of the imported file that this is, if it is one.
    #[must_use]
    pub fn imported(&self) -> Option<Hash> {
        Hash::from_hex(self.0.strip_prefix(IMPORTS)?.as_bytes())
    }

    /// An object to race for, when a store is tried out.
    #[must_use]
    pub fn probe(nonce: u64, round: u32) -> Self {
        Self(format!("probe/{nonce:016x}-{round}"))
    }

    /// Where a bundle lies in a store unless told.
    #[must_use]
    pub fn bundle() -> Self {
        Self(BUNDLE.into())
    }

    /// Where a bundle that comes as a stream is kept until it is restored; a random number tells it
    /// from others.
    #[must_use]
    pub fn spooled(nonce: u64) -> Self {
        Self(format!("{SPOOLED}{nonce:016x}{ARCHIVE}"))
    }

    /// What the keys of bundles start with that came as streams.
    pub(crate) fn spools() -> &'static str {
        SPOOLED
    }

    /// How far a restoring from a bundle is.
    #[must_use]
    pub fn restoring() -> Self {
        Self(RESTORE.into())
    }

    /// The values of a cache that are yet to be put into it.
    #[must_use]
    pub fn restored_cache() -> Self {
        Self(RESTORED_CACHE.into())
    }

    /// Where an object is kept that a restoring replaces.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self(format!("{ASIDE}{}", self.0))
    }

    /// What the keys of objects that were put aside start with.
    #[must_use]
    pub fn asides() -> &'static str {
        ASIDE
    }

    /// What the object is in the object layout, if it is one of its objects.
    #[must_use]
    pub fn object(&self) -> Option<ObjectKey> {
        if let Some(rest) = self.0.strip_prefix(MANIFESTS) {
            let (session, number) = rest.strip_suffix(".json")?.split_once('/')?;
            let is_number = number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit());
            let left: u64 = number.parse().ok().filter(|_| is_number)?;
            return Some(ObjectKey::Manifest(
                SessionId::decode(session).ok()?,
                MANIFEST_NUMBER_MAX - left,
            ));
        }
        if let Some(rest) = self.0.strip_prefix(SEGMENTS) {
            let of = |suffix| Hash::from_hex(rest.strip_suffix(suffix)?.as_bytes());
            return of(ARCHIVE).map(ObjectKey::Segment).or_else(|| of(IDS).map(ObjectKey::Ids));
        }
        let time = self.0.strip_prefix(COLLECTIONS)?.strip_suffix(".json")?;
        time.parse().ok().map(ObjectKey::Collection)
    }

    /// Checks a key that came from outside. Anything that is not one is `invalid_id`.
    pub fn parse(key: impl Into<String>) -> Result<Self> {
        let key = Self(key.into());
        let fits = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'%' | b'.' | b'-');
        let is_segment = |segment: &str| {
            (1..=STORE_KEY_PART_BYTES_MAX).contains(&segment.len())
                && !segment.starts_with('.')
                && segment.bytes().all(fits)
        };
        if key.0.len() <= STORE_KEY_BYTES_MAX && key.0.split('/').all(is_segment) {
            return Ok(key);
        }
        Err(Error::new(ErrorKind::InvalidId, "not a key of a store"))
    }

    /// Where a session's object of that sort lies.
    #[must_use]
    pub fn of(session: &SessionId, part: Part) -> Self {
        let suffix = SUFFIXES.iter().find(|(_, suffixed)| *suffixed == part);
        let encoded = match planted!(KeysCollide) {
            true => session.as_str().to_ascii_lowercase(),
            false => session.encoded(),
        };
        Self(encoded + suffix.map_or(LOG, |(suffix, _)| suffix))
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
    fn keys_of_the_object_layout_lead_back_to_what_they_name() {
        let id = SessionId::new("Über/1").unwrap();
        let hash = crate::sha256(b"x");
        for (key, object) in [
            (Key::manifest(&id, 0), ObjectKey::Manifest(id.clone(), 0)),
            (Key::manifest(&id, 1234), ObjectKey::Manifest(id.clone(), 1234)),
            (Key::segment(hash), ObjectKey::Segment(hash)),
            (Key::ids(hash), ObjectKey::Ids(hash)),
            (Key::collection(1_760_000_000_000), ObjectKey::Collection(1_760_000_000_000)),
        ] {
            assert_eq!(Key::parse(key.as_str()).unwrap(), key);
            assert_eq!((key.object(), key.session()), (Some(object), None), "{key}");
        }
        let import = Key::import(hash);
        assert_eq!(Key::parse(import.as_str()).unwrap(), import);
        assert_eq!(
            (import.imported(), import.object(), import.session()),
            (Some(hash), None, None)
        );
        assert!(Key::manifest(&id, 1).as_str() < Key::manifest(&id, 0).as_str());
        assert_eq!(Key::parse("sessions/a/12.json").unwrap().object(), None);
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
