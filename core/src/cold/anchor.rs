//! The anchor: the first line of a log in a hot store whose first entries lie in the cold one. It
//! holds the manifest that was the newest one when it was written.

use alloc::format;
use alloc::vec::Vec;

use super::Manifest;
use crate::entry::utf8;
use crate::field;
use crate::hash::sha256;
use crate::json::Object;
use crate::line::IDENTITY;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

const BEFORE_HASH: &[u8] = br#"{"hash":""#;
const AFTER_HASH: &[u8] = br#"","anchor":"#;

/// What lies behind a log, and where the log's lines stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) manifest: Manifest,
    /// Number of the first entry that follows the anchor in its object.
    pub(crate) first_seq: u64,
    /// Where that one stands in the session's log.
    pub(crate) offset: u64,
}

/// Whether an object of a hot store starts with an anchor.
pub(crate) fn is_anchor(start: &[u8]) -> bool {
    let rest = start.strip_prefix(BEFORE_HASH).and_then(|rest| rest.get(64..));
    rest.is_some_and(|rest| rest.starts_with(AFTER_HASH))
}

impl Anchor {
    /// Its line, with the `\n`. The nonce makes every anchor another one, so that a writer knows the
    /// object it wrote to.
    pub(crate) fn encode(&self, nonce: u64) -> Vec<u8> {
        let manifest = self.manifest.encode();
        let manifest = utf8(manifest.trim_ascii_end()).unwrap_or_default();
        let (seq, bytes) = (self.first_seq, self.offset);
        let place = format!(r#"{{"seq":{seq},"bytes":{bytes},"nonce":"{nonce:016x}"}}"#);
        let hash = identity(&place, manifest);
        format!("{{\"hash\":\"{hash}\",\"anchor\":{place},\"manifest\":{manifest}}}\n").into_bytes()
    }

    /// Reads a line (without its `\n`) that starts as an anchor does.
    pub(crate) fn decode(line: &[u8], session: &SessionId) -> Result<Self> {
        let bad = || Error::new(ErrorKind::BadLine, "the anchor of the log is damaged");
        let object = Object::of(utf8(line)?).ok_or_else(bad)?;
        let text = |name| object.get(name).ok_or_else(bad);
        let (place, manifest) = (text("anchor")?, text("manifest")?);
        let hash = object.text("hash").and_then(|hash| Hash::from_hex(hash.as_bytes()));
        if hash != Some(identity(place, manifest)) {
            return Err(bad());
        }
        let place = Object::of(place).ok_or_else(bad)?;
        let count = |name| place.get(name).and_then(field::count).ok_or_else(bad);
        Ok(Self {
            manifest: Manifest::decode(manifest.as_bytes(), session)?,
            first_seq: count("seq")?,
            offset: count("bytes")?,
        })
    }
}

/// The anchor's hash: of its own place, and of the manifest's hash, which stands for the rest.
fn identity(place: &str, manifest: &str) -> Hash {
    let hash = manifest.get(..IDENTITY).unwrap_or_default();
    sha256([place.as_bytes(), hash.as_bytes()].concat().as_slice())
}
