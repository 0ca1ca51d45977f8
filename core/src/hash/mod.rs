//! SHA-256 and the chain (`docs/format.md` §3.1).

mod lanes;
mod rounds;

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

/// Says what is hashed, so that no other use of SHA-256 can give the same hash.
const TAG: &[u8] = b"turnkeep/1\n";

/// 32 bytes of SHA-256: an entry's hash, or the digest of a body.
///
/// ```
/// use turnkeep_core::Hash;
/// let hash: Hash = "00ff".repeat(16).parse()?;
/// assert_eq!(hash.to_string(), "00ff".repeat(16));
/// assert!("00FF".repeat(16).parse::<Hash>().is_err()); // lower case only
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// A hash as the text it is in a line.
pub(crate) type HexText = [u8; 64];

impl Hash {
    /// A hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits.
    pub(crate) fn to_hex(self) -> HexText {
        // Plain arithmetic: every append does this some dozens of times, and the wasm is optimized
        // for size.
        let mut hex = [0; 64];
        for (index, digit) in hex.iter_mut().enumerate() {
            let byte = self.0.get(index / 2).copied().unwrap_or_default();
            let nibble = if index % 2 == 0 { byte >> 4 } else { byte & 15 };
            *digit = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        }
        hex
    }

    /// Reads 64 lower-case hex digits; anything else is `None`.
    pub(crate) fn from_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            for digit in pair {
                let nibble = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                *byte = *byte << 4 | nibble;
            }
        }
        Some(Self(bytes))
    }
}

impl core::str::FromStr for Hash {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        let wrong = || {
            let message = "a hash is 64 lower-case hex digits";
            crate::Error::new(crate::ErrorKind::InvalidArgument, message)
        };
        Self::from_hex(text.as_bytes()).ok_or_else(wrong)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.to_hex()).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of a body, given what follows its `{`.
pub(crate) fn body_digest(rest: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(b"{");
    sha.update(rest);
    Hash(sha.finalize().into())
}

/// The digests of many bodies, which is faster than one by one.
pub(crate) fn body_digests(rests: &[&[u8]]) -> Vec<Hash> {
    lanes::hashes(b"{", rests)
}

/// The hash of an entry: of the entry before it (none for the first) and its own body's digest.
pub(crate) fn chain(prev: Option<Hash>, digest: Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update(TAG);
    sha.update(link(prev, digest));
    Hash(sha.finalize().into())
}

/// The hashes of many entries whose links are known, though perhaps not yet believed.
pub(crate) fn chains(links: &[Link]) -> Vec<Hash> {
    let links: Vec<&[u8]> = links.iter().map(Link::as_slice).collect();
    lanes::hashes(TAG, &links)
}

/// What is hashed after the tag: the hash of the entry before, and the body's digest.
pub(crate) type Link = [u8; 64];

#[allow(clippy::disallowed_methods, reason = "both halves are as long as a hash")]
pub(crate) fn link(prev: Option<Hash>, digest: Hash) -> Link {
    let mut link = [0; 64];
    let (first, second) = link.split_at_mut(32);
    first.copy_from_slice(prev.as_ref().map_or(&[0; 32], |prev| &prev.0));
    second.copy_from_slice(digest.as_bytes());
    link
}

/// Plain SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// The worked example of docs/format.md §3.1.
    #[test]
    fn hashes_the_worked_example() {
        let rest = br#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":1760000000000,"salt":"AAAAAAAAAAA"}"#;
        let digest = body_digest(rest);
        assert_eq!(
            digest.to_string(),
            "ea6bf008999866ff4f568600654a1ee89969cb6cb63b25a9bbe18b42cabefd1d"
        );
        assert_eq!(
            chain(None, digest).to_string(),
            "b1eb1a29a43d9cf46f4605055f15a78e014cfac1239bc79b11f95bb1d4f472fe"
        );
    }

    #[test]
    fn hex_round_trips_in_lower_case_only() {
        let hash = sha256(b"x");
        assert_eq!(Hash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(Hash::from_hex(&hash.to_hex().to_ascii_uppercase()), None);
        assert_eq!(Hash::from_hex(b"00"), None);
    }
}
