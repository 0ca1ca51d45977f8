//! Bundles: many sessions and a runtime's values in one gzip file (`docs/format.md` §7.5).
//!
//! The content is lines: a header, for each session a record and then its log as it is, cache
//! entries, an index, and an end of fixed length that stands in a stored block of its own. So a
//! bundle is written as a stream, and its end, which says what must have been there, is found from
//! the file's end.

mod reader;
mod record;
mod writer;

pub(crate) use reader::check_start;
pub use reader::{Event, Reader};
pub use record::SessionRecord;
pub(crate) use record::{cache_entry, cache_line, check_header};
pub(crate) use writer::Writer;

use alloc::format;
use alloc::string::String;

use crate::field;
use crate::json::Object;
use crate::{Error, ErrorKind, Hash, Result};

/// The version of bundles that is written, and the newest one that is read.
pub const VERSION: u64 = 1;
/// The end with its line break: what all its numbers need at their longest, and spaces.
pub(crate) const END_BYTES: usize = 384;
/// What stands before the end: the header of a stored block, the stream's last one.
const STORED: [u8; 5] = {
    let [low, high] = (END_BYTES as u16).to_le_bytes();
    [1, low, high, !low, !high]
};
/// Checksum and length of the content, which end the file.
const SUM_BYTES: usize = 8;
/// From the end's block to the end of the file: enough to read the end.
pub const TAIL_BYTES: usize = STORED.len() + END_BYTES + SUM_BYTES;
/// What every bundle starts with: a gzip header without time, name or system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// How much a bundle holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Sessions.
    pub sessions: u64,
    /// Their entries.
    pub entries: u64,
    /// Values of the cache.
    pub cache: u64,
}

/// What a bundle's end says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// How much there is.
    pub counts: Counts,
    /// Length of the content before the end.
    pub bytes: u64,
    /// Where the index starts: offset in the file, and in the content.
    pub index: (u64, u64),
    /// CRC-32 of the file up to the end's block.
    pub packed_crc: u32,
    /// SHA-256 of the content before the end.
    pub digest: Hash,
}

impl End {
    /// The line, with its line break.
    fn line(&self) -> String {
        let Counts { sessions, entries, cache } = self.counts;
        let (packed, raw) = self.index;
        let mut line = format!(
            "{{\"kind\":\"end\",\"sessions\":{sessions},\"entries\":{entries},\"cache\":{cache},\
             \"bytes\":{},\"index\":[{packed},{raw}],\"packed_crc\":{},\"digest\":\"{}\"}}",
            self.bytes, self.packed_crc, self.digest
        );
        while line.len() < END_BYTES - 1 {
            line.push(' ');
        }
        line.push('\n');
        line
    }

    fn parse(line: &str) -> Option<Self> {
        let object = Object::of(line)?;
        let count = |name| object.get(name).and_then(field::count);
        let index = object.elements("index");
        let [packed, raw] = index[..] else { return None };
        let counts = Counts {
            sessions: count("sessions")?,
            entries: count("entries")?,
            cache: count("cache")?,
        };
        Some(Self {
            counts,
            bytes: count("bytes")?,
            index: (field::count(packed)?, field::count(raw)?),
            packed_crc: count("packed_crc")?.try_into().ok()?,
            digest: Hash::from_hex(object.text("digest")?.as_bytes())?,
        })
        .filter(|end| end.line() == format!("{line}\n"))
    }

    /// Reads the end from a file's last [`TAIL_BYTES`] bytes.
    pub fn read(tail: &[u8]) -> Result<Self> {
        let line = tail.strip_prefix(&STORED).and_then(|rest| rest.get(..END_BYTES - 1));
        let end = line.and_then(|line| Self::parse(core::str::from_utf8(line).ok()?));
        end.ok_or_else(|| {
            let message = "the file does not end as bundles do: it was cut off, is damaged, was \
                           compressed anew, or is none";
            Error::new(ErrorKind::BadBundle, message)
        })
    }
}
