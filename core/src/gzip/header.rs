//! The header of a gzip member (RFC 1952 §2.3), ours and anybody's.

use core::ops::Range;

use crate::limits::GZIP_HEADER_BYTES_MAX;
use crate::{Error, ErrorKind, Result};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// The subfield that holds our index.
const SUBFIELD: [u8; 2] = *b"TK";
/// Where the index starts in an archive.
pub(crate) const INDEX_OFFSET: usize = 16;

/// A header that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: usize,
    /// Where our index lies in it.
    pub(crate) index: Option<Range<usize>>,
    /// Whether it is spelled as we write it, so that offsets in the index mean what they say.
    pub(crate) is_ours: bool,
}

/// Reads a header from a member's first bytes; `None`: they are too few.
pub(crate) fn read_header(bytes: &[u8]) -> Result<Option<Header>> {
    let start: [u8; 3] = [MAGIC[0], MAGIC[1], DEFLATE];
    if bytes.iter().zip(start).any(|(byte, expected)| *byte != expected) {
        return Err(Error::new(ErrorKind::NotGzip, "it does not start as gzip files do"));
    }
    let header = parse(bytes)?;
    if header.is_none() && bytes.len() > GZIP_HEADER_BYTES_MAX {
        return Err(corrupt("a header of more than 1 MiB"));
    }
    Ok(header)
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::GzipCorrupt, message)
}

fn parse(bytes: &[u8]) -> Result<Option<Header>> {
    let Some((fixed, _)) = bytes.split_first_chunk::<10>() else { return Ok(None) };
    let [_, _, _, flags, time @ .., extra_flags, system] = *fixed;
    if flags & RESERVED != 0 {
        return Err(corrupt("a reserved flag is set"));
    }
    let mut at = 10;
    let mut index = None;
    if flags & EXTRA != 0 {
        let Some(length) = u16_at(bytes, at) else { return Ok(None) };
        let Some(extra) = bytes.get(at + 2..at + 2 + length) else { return Ok(None) };
        index = subfield(extra).map(|range| range.start + at + 2..range.end + at + 2);
        at += 2 + length;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(end) = memchr::memchr(0, rest) else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        let Some(expected) = u16_at(bytes, at) else { return Ok(None) };
        let sum = zlib_rs::crc32::crc32(0, bytes.get(..at).unwrap_or_default());
        if sum as usize & 0xffff != expected {
            return Err(corrupt("the header's own checksum does not match"));
        }
        at += 2;
    }
    let spelled = flags == EXTRA && time == [0; 4] && extra_flags == 0 && system == 0xff;
    let is_ours = spelled && index.as_ref().is_some_and(|index| *index == (INDEX_OFFSET..at));
    Ok(Some(Header { length: at, index, is_ours }))
}

/// Finds our subfield among an extra field's.
fn subfield(mut extra: &[u8]) -> Option<Range<usize>> {
    let whole = extra.len();
    loop {
        let ([one, two, low, high], rest) = extra.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let content = whole - rest.len()..whole - rest.len() + length;
        extra = rest.get(length..)?;
        if [*one, *two] == SUBFIELD {
            return Some(content);
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let (pair, _) = bytes.get(at..)?.split_first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*pair)))
}

/// Writes the header of an archive with that index.
pub(crate) fn write_header(index: &[u8]) -> alloc::vec::Vec<u8> {
    let length = index.len() as u16;
    let mut header = alloc::vec::Vec::with_capacity(INDEX_OFFSET + index.len());
    header.extend_from_slice(&[MAGIC[0], MAGIC[1], DEFLATE, EXTRA, 0, 0, 0, 0, 0, 0xff]);
    header.extend_from_slice(&(length + 4).to_le_bytes());
    header.extend_from_slice(&SUBFIELD);
    header.extend_from_slice(&length.to_le_bytes());
    header.extend_from_slice(index);
    header
}
