//! The index in an archive's header (`docs/format.md` §6.2).

use alloc::vec::Vec;
use core::ops::Range;

use crate::gzip::{INDEX_OFFSET, crc32};
use crate::limits::{INDEX_BYTES_MAX, INTEGER_MAX};
use crate::log::Head;
use crate::{Error, ErrorKind, Hash, Result};

const VERSION: u8 = 1;
/// Version and check.
const CHECKED_FROM: usize = 5;
/// What follows the spans: the empty final block, the CRC-32, the length.
pub(crate) const ENDING_BYTES: u64 = 10;

/// What an archive holds and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The archived log's head.
    pub head: Head,
    /// Number of the first entry.
    pub first_seq: u64,
    /// Stretches that can be inflated alone, in order.
    pub spans: Vec<Span>,
    /// Length of the index in its file.
    encoded_bytes: usize,
}

/// One or more neighbouring blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Length in the archive.
    pub compressed_bytes: u64,
    /// Length in the log.
    pub raw_bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// Earliest time in seconds since 1970, rounded down.
    pub from_s: u64,
    /// Latest time, rounded up.
    pub to_s: u64,
    /// The kinds in it, see [`crate::Kind::bit`].
    pub kinds: u32,
}

/// Where a span lies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The span.
    pub span: Span,
    /// Its bytes in the archive.
    pub compressed: Range<u64>,
    /// Its bytes in the log.
    pub raw: Range<u64>,
    /// Number of its first entry.
    pub first_seq: u64,
}

impl Index {
    pub(crate) fn new(head: Head, first_seq: u64, spans: Vec<Span>) -> Self {
        Self { head, first_seq, spans, encoded_bytes: 0 }
    }

    /// The index as bytes, merged in pairs until it fits.
    pub(crate) fn encode(mut self) -> Vec<u8> {
        loop {
            let bytes = self.encode_all();
            if bytes.len() <= INDEX_BYTES_MAX {
                return bytes;
            }
            self.spans = self.spans.chunks(2).filter_map(merge).collect();
        }
    }

    fn encode_all(&self) -> Vec<u8> {
        let mut content = Vec::new();
        push_varint(&mut content, self.head.seq);
        content.extend_from_slice(self.head.hash.as_bytes());
        for number in [self.head.bytes, self.first_seq, self.spans.len() as u64] {
            push_varint(&mut content, number);
        }
        let mut before = 0;
        for span in &self.spans {
            push_varint(&mut content, span.compressed_bytes);
            push_varint(&mut content, span.raw_bytes);
            push_varint(&mut content, span.entries);
            push_varint(&mut content, zigzag(span.from_s.wrapping_sub(before) as i64));
            push_varint(&mut content, span.to_s - span.from_s);
            push_varint(&mut content, u64::from(span.kinds));
            before = span.from_s;
        }
        let mut bytes = Vec::with_capacity(CHECKED_FROM + content.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&crc32(0, &content).to_le_bytes());
        bytes.extend_from_slice(&content);
        bytes
    }

    /// Reads an index, which must be whole and agree with itself.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::BadIndex, "the index is damaged");
        let ([version, check @ ..], content) =
            bytes.split_first_chunk::<CHECKED_FROM>().ok_or_else(bad)?;
        if *version > VERSION {
            let message = "the archive's index has a newer version than 1";
            return Err(Error::new(ErrorKind::UnsupportedVersion, message));
        }
        if *version != VERSION || u32::from_le_bytes(*check) != crc32(0, content) {
            return Err(bad());
        }
        let index = Varints(content).index().ok_or_else(bad)?;
        let index = Self { encoded_bytes: bytes.len(), ..index };
        if index.agrees() { Ok(index) } else { Err(bad()) }
    }

    fn agrees(&self) -> bool {
        let sum =
            |part: fn(&Span) -> u64| self.spans.iter().map(part).try_fold(0, u64::checked_add);
        let Head { seq, bytes, .. } = self.head;
        if seq > INTEGER_MAX || bytes > INTEGER_MAX {
            return false;
        }
        let entries = (seq + 1).checked_sub(self.first_seq);
        !self.spans.is_empty()
            && self.spans.iter().all(|span| span.to_s <= INTEGER_MAX)
            && sum(|span| span.raw_bytes).is_some_and(|raw| match self.first_seq {
                0 => raw == bytes,
                _ => raw < bytes,
            })
            && entries.is_some()
            && sum(|span| span.entries) == entries
            && sum(|span| span.compressed_bytes).is_some_and(|sum| sum <= INTEGER_MAX)
    }

    /// Length of the whole archive.
    #[must_use]
    pub fn archive_bytes(&self) -> u64 {
        let spans: u64 = self.spans.iter().map(|span| span.compressed_bytes).sum();
        (INDEX_OFFSET + self.encoded_bytes) as u64 + spans + ENDING_BYTES
    }

    /// How much of the log precedes what the archive holds.
    pub(crate) fn raw_start(&self) -> u64 {
        let raw: u64 = self.spans.iter().map(|span| span.raw_bytes).sum();
        self.head.bytes.saturating_sub(raw)
    }

    /// The spans with their places.
    pub fn located(&self) -> impl Iterator<Item = Located> {
        let start = (INDEX_OFFSET + self.encoded_bytes) as u64;
        self.spans.iter().scan((start, self.raw_start(), self.first_seq), |(at, raw, seq), span| {
            let located = Located {
                span: *span,
                compressed: *at..*at + span.compressed_bytes,
                raw: *raw..*raw + span.raw_bytes,
                first_seq: *seq,
            };
            (*at, *raw, *seq) = (located.compressed.end, located.raw.end, *seq + span.entries);
            Some(located)
        })
    }
}

fn merge(pair: &[Span]) -> Option<Span> {
    let (first, rest) = pair.split_first()?;
    Some(rest.iter().fold(*first, |sum, span| Span {
        compressed_bytes: sum.compressed_bytes + span.compressed_bytes,
        raw_bytes: sum.raw_bytes + span.raw_bytes,
        entries: sum.entries + span.entries,
        from_s: sum.from_s.min(span.from_s),
        to_s: sum.to_s.max(span.to_s),
        kinds: sum.kinds | span.kinds,
    }))
}

fn push_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

struct Varints<'a>(&'a [u8]);

impl Varints<'_> {
    fn index(&mut self) -> Option<Index> {
        let seq = self.next()?;
        let (hash, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        let head = Head { seq, hash: Hash::from_bytes(*hash), bytes: self.next()? };
        let first_seq = self.next()?;
        // A record has at least six bytes: a count cannot ask for more memory than its bytes give.
        let count =
            usize::try_from(self.next()?).ok().filter(|count| *count <= self.0.len() / 6)?;
        let mut spans = Vec::with_capacity(count);
        let mut before = 0_u64;
        for _ in 0..count {
            let span = self.span(before)?;
            before = span.from_s;
            spans.push(span);
        }
        self.0.is_empty().then(|| Index::new(head, first_seq, spans))
    }

    fn span(&mut self, before: u64) -> Option<Span> {
        let compressed_bytes = self.next()?;
        let raw_bytes = self.next()?;
        let entries = self.next().filter(|entries| *entries > 0)?;
        let from_s = before.checked_add_signed(unzigzag(self.next()?))?;
        let to_s = from_s.checked_add(self.next()?)?;
        let kinds = u32::try_from(self.next()?).ok()?;
        Some(Span { compressed_bytes, raw_bytes, entries, from_s, to_s, kinds })
    }

    /// The shortest spelling only.
    fn next(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                return None;
            }
            number |= bits << (7 * place);
            if byte & 0x80 == 0 {
                return (bits != 0 || place == 0).then_some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(n: u64) -> Span {
        Span {
            compressed_bytes: 70_000 + n,
            raw_bytes: 262_200 + n % 999,
            entries: 130,
            from_s: 1_760_000_000 + n * 1_400,
            to_s: 1_760_000_000 + n * 1_400 + 1_390,
            kinds: 0x1f,
        }
    }

    fn index(count: u64) -> Index {
        let spans: Vec<_> = (0..count).map(span).collect();
        let bytes = spans.iter().map(|span| span.raw_bytes).sum();
        let head = Head { seq: 130 * count - 1, hash: crate::sha256(b""), bytes };
        Index::new(head, 0, spans)
    }

    #[test]
    fn a_gigabyte_keeps_every_block_and_more_are_merged() {
        let gigabyte = index(4096).encode();
        assert_eq!(Index::decode(&gigabyte).unwrap().spans.len(), 4096);
        let more = index(9001).encode();
        let decoded = Index::decode(&more).unwrap();
        assert_eq!(decoded.spans.len(), 4501);
        assert!(more.len() <= INDEX_BYTES_MAX && decoded.agrees());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = index(3).encode();
        assert!(Index::decode(&bytes).is_ok());
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Index::decode(&bytes).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Index::decode(&bytes[..cut]).is_err(), "cut {cut}");
        }
    }

    proptest! {
        #[test]
        fn numbers_round_trip(numbers in prop::collection::vec(any::<u64>(), 0..9)) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| push_varint(&mut bytes, *number));
            let mut varints = Varints(&bytes);
            for number in &numbers {
                prop_assert_eq!(varints.next(), Some(*number));
                prop_assert_eq!(unzigzag(zigzag(*number as i64)), *number as i64);
            }
        }

        #[test]
        fn noise_is_no_index(noise in prop::collection::vec(any::<u8>(), 0..99)) {
            // With a right checksum in front, so that the fields are reached.
            let mut bytes = [&[VERSION][..], &crc32(0, &noise).to_le_bytes(), &noise].concat();
            if let Ok(index) = Index::decode(&bytes) {
                prop_assert_eq!(index.encode(), bytes.clone());
            }
            bytes.push(0);
            prop_assert!(Index::decode(&bytes).is_err());
        }
    }
}
