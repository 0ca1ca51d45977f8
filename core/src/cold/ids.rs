//! The ids of a session's items, short enough to be carried along: 32 bits of each one's SHA-256, in
//! sections that say which entries they stand for. One that fits is confirmed by reading those.

use alloc::vec::Vec;
use core::ops::Range;

use crate::hash::sha256;
use crate::{Error, ErrorKind, Result};

/// What is kept of an id.
pub(crate) type Fingerprint = u32;

/// Some neighbouring entries, and their items' ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdSection {
    /// Number of the first of these entries.
    pub(crate) first_seq: u64,
    /// How many they are.
    pub(crate) entries: u64,
    /// Sorted.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

const MAGIC: &[u8; 8] = b"TKIDS\x00\x01\n";
const HEADER_BYTES: usize = 24;

pub(crate) fn fingerprint(id: &str) -> Fingerprint {
    let hash = sha256(id.as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

impl IdSection {
    pub(crate) fn holds(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprints.binary_search(&fingerprint).is_ok()
    }

    /// The numbers of its entries.
    pub(crate) fn range(&self) -> Range<u64> {
        self.first_seq..self.first_seq.saturating_add(self.entries)
    }

    fn push(&self, bytes: &mut Vec<u8>) {
        let count = self.fingerprints.len() as u64;
        for number in [self.first_seq, self.entries, count] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        self.fingerprints.iter().for_each(|fp| bytes.extend_from_slice(&fp.to_be_bytes()));
    }
}

/// An object of these sections: a magic number, then per section the number of its first entry, of
/// its entries and of its fingerprints (64 bits each), and those (32 bits each), all big-endian.
pub(crate) fn join_sections(sections: &[IdSection]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    sections.iter().for_each(|section| section.push(&mut bytes));
    bytes
}

/// The sections of such an object.
pub(crate) fn read_sections(bytes: &[u8]) -> Result<Vec<IdSection>> {
    let bad = || Error::new(ErrorKind::BadEntry, "the list of ids is damaged");
    let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(bad)?;
    let mut sections = Vec::new();
    while !rest.is_empty() {
        let (header, after) = rest.split_first_chunk::<HEADER_BYTES>().ok_or_else(bad)?;
        let mut numbers = header
            .chunks_exact(8)
            .map(|bytes| bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)));
        let mut number = || numbers.next().ok_or_else(bad);
        let (first_seq, entries, count) = (number()?, number()?, number()?);
        // A count cannot ask for more memory than its bytes give.
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(4));
        let (list, after) =
            length.and_then(|length| after.split_at_checked(length)).ok_or_else(bad)?;
        let words = list.chunks_exact(4).filter_map(|word| word.first_chunk());
        let fingerprints: Vec<u32> = words.map(|word| u32::from_be_bytes(*word)).collect();
        if !fingerprints.is_sorted() {
            return Err(bad());
        }
        sections.push(IdSection { first_seq, entries, fingerprints });
        rest = after;
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_back_and_damage_is_refused() {
        let section = |first_seq, ids: &[&str]| {
            let mut fingerprints: Vec<_> = ids.iter().map(|id| fingerprint(id)).collect();
            fingerprints.sort_unstable();
            IdSection { first_seq, entries: 10, fingerprints }
        };
        let sections = [section(0, &["a", "b", "c"]), section(10, &[]), section(20, &["d"])];
        let bytes = join_sections(&sections);
        assert_eq!(read_sections(&bytes).unwrap(), sections);
        assert!(sections[0].holds(fingerprint("b")) && !sections[0].holds(fingerprint("d")));
        for length in 0..bytes.len() {
            let is_section_end = [8, 44, 68].contains(&length);
            assert_eq!(read_sections(&bytes[..length]).is_ok(), is_section_end, "{length}");
        }
        let mut huge = bytes;
        huge[24] = 0xff;
        assert!(read_sections(&huge).is_err());
    }
}
