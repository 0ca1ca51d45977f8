//! session-store's hash chain: `hash` = SHA-256(the 32 bytes of `prev_hash`, or zeros ‖ the entry as
//! it stands in the line without its two hashes).

use sha2::{Digest as _, Sha256};

use super::super::Chain;
use super::super::lines::RawLine;
use crate::hash::Hash;
use crate::line::Line;
use crate::{Error, ErrorKind};

/// Follows a chain line by line, on the raw bytes.
#[derive(Debug, Default)]
pub(super) struct ChainCheck {
    head: Option<Hash>,
    held: u64,
    fault: Option<Error>,
    /// Some line has a hash.
    is_chained: bool,
}

impl ChainCheck {
    /// Checks the next line; `has_hash` says whether it has a hash, in whatever spelling.
    pub(super) fn push(&mut self, line: &RawLine<'_>, has_hash: bool) {
        self.is_chained |= has_hash || Line::split(line.bytes).is_some();
        if self.fault.is_some() {
            return;
        }
        match self.next(line.bytes) {
            Ok(hash) => {
                self.head = Some(hash);
                self.held += 1;
            }
            Err(error) => self.fault = Some(line.place(error)),
        }
    }

    /// What the chain shows; `None` where there is none.
    pub(super) fn finish(self) -> Option<Chain> {
        self.is_chained.then_some(Chain { held: self.held, fault: self.fault })
    }

    fn next(&self, line: &[u8]) -> Result<Hash, Error> {
        let bad_line = || Error::new(ErrorKind::BadLine, "the line does not start with two hashes");
        let line = Line::split(line).ok_or_else(bad_line)?;
        let hash = hash_of(line.hash).ok_or_else(bad_line)?;
        let prev = line.prev.map(|prev| hash_of(prev).ok_or_else(bad_line)).transpose()?;
        if prev != self.head {
            let message = "the line does not follow the one before it";
            return Err(Error::new(ErrorKind::BrokenLink, message));
        }
        if hash != entry_hash(prev, line.rest) {
            return Err(Error::new(ErrorKind::BadHash, "the line is not what was hashed"));
        }
        Ok(hash)
    }
}

/// The hash of an entry, given what follows its `{`.
pub(crate) fn entry_hash(prev: Option<Hash>, rest: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(prev.map_or([0; 32], |prev| *prev.as_bytes()));
    sha.update(b"{");
    sha.update(rest);
    Hash::from_bytes(sha.finalize().into())
}

/// Its hex digits may be of either case.
fn hash_of(hex: &[u8; 64]) -> Option<Hash> {
    Hash::from_hex(&hex.to_ascii_lowercase())
}
