//! One line: its two hashes at fixed positions, then the rest of its body (`docs/format.md` §3).

use crate::hash::{Hash, HexText};

const BEFORE_HASH: &[u8] = br#"{"hash":""#;
const BEFORE_PREV: &[u8] = br#"","prev_hash":"#;
/// Length of what precedes the second hash: tells a line from every other one.
pub(crate) const IDENTITY: usize = BEFORE_HASH.len() + 64;
/// Length of what precedes the rest on the first line, where `prev_hash` is `null`.
pub(crate) const FIRST_PREFIX: usize = BEFORE_HASH.len() + 64 + BEFORE_PREV.len() + 4 + 1;
/// Length of what precedes the rest on every other line.
pub(crate) const PREFIX: usize = FIRST_PREFIX - 4 + 66;

/// How a line with that hash starts.
pub(crate) fn identity(hash: Hash) -> [u8; IDENTITY] {
    let mut identity = [0; IDENTITY];
    for (to, byte) in identity.iter_mut().zip(BEFORE_HASH.iter().chain(&hash.to_hex())) {
        *to = *byte;
    }
    identity
}

/// Where the last of some lines starts.
pub(crate) fn last_line(lines: &[u8]) -> u64 {
    let before = lines.strip_suffix(b"\n").unwrap_or(lines);
    memchr::memrchr(b'\n', before).map_or(0, |at| at as u64 + 1)
}

/// A line taken apart by position. The hashes are 64 bytes that nobody has looked at yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) hash: &'a HexText,
    pub(crate) prev: Option<&'a HexText>,
    /// The body without its `{`.
    pub(crate) rest: &'a [u8],
}

impl<'a> Line<'a> {
    /// Takes a line (without its `\n`) apart; `None` where it has not that shape.
    pub(crate) fn split(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_prefix(BEFORE_HASH)?;
        let (hash, line) = line.split_first_chunk::<64>()?;
        let line = line.strip_prefix(BEFORE_PREV)?;
        let (prev, line) = match line.strip_prefix(b"\"") {
            Some(line) => {
                let (prev, line) = line.split_first_chunk::<64>()?;
                (Some(prev), line.strip_prefix(b"\"")?)
            }
            None => (None, line.strip_prefix(b"null")?),
        };
        let rest = line.strip_prefix(b",")?;
        let whole = rest.len() >= 2 && rest.last() == Some(&b'}');
        whole.then_some(Self { hash, prev, rest })
    }

    /// The line's hash, where it is spelled as one.
    pub(crate) fn hash(&self) -> Option<Hash> {
        Hash::from_hex(self.hash)
    }

    /// Whether both hashes are spelled as hashes.
    pub(crate) fn is_spelled_right(&self) -> bool {
        self.hash().is_some() && self.is_link_spelled_right()
    }

    /// Whether that of the line before is.
    pub(crate) fn is_link_spelled_right(&self) -> bool {
        self.prev.is_none_or(|prev| Hash::from_hex(prev).is_some())
    }
}

/// What the line that starts here says it follows; `None` where it opens a log, or is no line.
pub(crate) fn followed(start: &[u8]) -> Option<Hash> {
    let (_, rest) = start.strip_prefix(BEFORE_HASH)?.split_first_chunk::<64>()?;
    let (prev, _) =
        rest.strip_prefix(BEFORE_PREV)?.strip_prefix(b"\"")?.split_first_chunk::<64>()?;
    Hash::from_hex(prev)
}

/// Whether a line that opens a log starts here.
pub(crate) fn is_first(start: &[u8]) -> bool {
    let rest = start.strip_prefix(BEFORE_HASH).and_then(|rest| rest.get(64..));
    rest.is_some_and(|rest| {
        rest.strip_prefix(BEFORE_PREV).is_some_and(|rest| rest.starts_with(b"n"))
    })
}

/// Writes the prefix of a line into the room left for it ([`FIRST_PREFIX`] or [`PREFIX`] bytes).
pub(crate) fn write_prefix(room: &mut [u8], hash: Hash, prev: Option<Hash>) {
    let hash = hash.to_hex();
    let prev = prev.map(Hash::to_hex);
    let pieces: [&[u8]; 7] = match &prev {
        Some(prev) => [BEFORE_HASH, &hash, BEFORE_PREV, b"\"", prev, b"\"", b","],
        None => [BEFORE_HASH, &hash, BEFORE_PREV, b"null", b"", b"", b","],
    };
    let mut bytes = pieces.iter().copied().flatten();
    for (place, byte) in room.iter_mut().zip(&mut bytes) {
        *place = *byte;
    }
    debug_assert!(bytes.next().is_none());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_prefix_is_read_back() {
        let hash = crate::hash::sha256(b"a");
        for (prev, length) in [(None, FIRST_PREFIX), (Some(crate::hash::sha256(b"b")), PREFIX)] {
            let mut line = alloc::vec![0; length];
            write_prefix(&mut line, hash, prev);
            line.extend_from_slice(b"\"kind\":\"x\"}");
            let split = Line::split(&line).unwrap();
            assert_eq!(split.hash(), Some(hash));
            assert_eq!(split.prev.and_then(|hex| Hash::from_hex(hex)), prev);
            assert_eq!(split.rest, b"\"kind\":\"x\"}");
        }
        assert_eq!((FIRST_PREFIX, PREFIX), (92, 154));
    }
}
