//! Reading an archive by ranges.

use alloc::vec::Vec;

use super::{ENDING_BYTES, Index, Located};
use crate::gzip::deflate::Inflater;
use crate::gzip::{INDEX_OFFSET, read_header};
use crate::limits::{DEFLATE_RATIO_MAX, INDEX_BYTES_MAX};
use crate::log::seq_of;
use crate::{Error, ErrorKind, Result};

/// An archive's first bytes that surely hold its whole header.
pub const HEADER_BYTES: usize = INDEX_OFFSET + INDEX_BYTES_MAX;

/// Reads the index from an archive's first [`HEADER_BYTES`] (or all, if it is shorter), and checks
/// it against the archive's length.
pub fn read_index(start: &[u8], archive_bytes: u64) -> Result<Index> {
    let index = read_segment_index(start, archive_bytes)?;
    if index.first_seq == 0 {
        return Ok(index);
    }
    let message = "the archive does not start with a session's first entry";
    Err(Error::new(ErrorKind::BadIndex, message))
}

/// How long an archive is by its index, whatever there is of it.
pub(crate) fn indexed_bytes(start: &[u8]) -> Result<u64> {
    let short = || Error::new(ErrorKind::GzipTruncated, "the file ends in its header");
    let range = read_header(start)?.ok_or_else(short)?.index.ok_or_else(short)?;
    Ok(Index::decode(start.get(range).unwrap_or_default())?.archive_bytes())
}

/// The same of a segment, which may hold any stretch of a log.
pub(crate) fn read_segment_index(start: &[u8], archive_bytes: u64) -> Result<Index> {
    let short = || Error::new(ErrorKind::GzipTruncated, "the file ends in its header");
    let header = read_header(start)?.ok_or_else(short)?;
    let range = header.index.ok_or_else(|| {
        Error::new(ErrorKind::NoIndex, "the gzip file has no index of turnkeep's")
    })?;
    let bad = |message: &str| Error::new(ErrorKind::BadIndex, message);
    if !header.is_ours {
        return Err(bad("the header is not as turnkeep writes it"));
    }
    let index = Index::decode(start.get(range).unwrap_or_default())?;
    match index.archive_bytes() {
        expected if expected == archive_bytes => Ok(index),
        expected if expected > archive_bytes => {
            Err(Error::new(ErrorKind::GzipTruncated, "the file is shorter than its index says"))
        }
        _ => Err(bad("the file is longer than its index says")),
    }
}

/// How each block ends: an empty stored block, so that the next starts on a byte.
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];
/// How the deflate stream ends after its spans: an empty final block.
const ENDED: [u8; 2] = [3, 0];

/// What stands after the spans of an archive whose content has that checksum and length.
pub(super) fn ending(crc: u32, raw_bytes: u64) -> [u8; ENDING_BYTES as usize] {
    let ([a, b, c, d], [e, f, g, h]) = (crc.to_le_bytes(), (raw_bytes as u32).to_le_bytes());
    let [block, padding] = ENDED;
    [block, padding, a, b, c, d, e, f, g, h]
}

/// Checks an archive's last bytes against its content.
pub(crate) fn check_ending(found: &[u8], crc: u32, raw_bytes: u64) -> Result<()> {
    if found == ending(crc, raw_bytes) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::GzipChecksum, "the content does not match its checksum"))
}

/// The checksum of an archive's content, as its last bytes say.
pub(crate) fn checksum(ending: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*ending.get(2..)?.first_chunk::<4>()?))
}

/// Inflates a span's compressed bytes to exactly what its record says.
pub fn inflate_span(located: &Located, compressed: &[u8]) -> Result<Vec<u8>> {
    let corrupt = || {
        Error::new(ErrorKind::GzipCorrupt, "a block does not inflate to what the index says")
            .at(|place| place.offset = Some(located.compressed.start))
    };
    // A record cannot ask for more memory.
    let most = (compressed.len() as u64).saturating_mul(DEFLATE_RATIO_MAX);
    let size = usize::try_from(located.span.raw_bytes.min(most)).map_err(|_| corrupt())?;
    let mut raw = alloc::vec![0; size + 1];
    let mut inflater = Inflater::new();
    let (mut given, mut ended) = (0, false);
    // The stream can end after it: else it ended within a deflate block, and who reads the file as one
    // stream would read another content.
    for piece in [compressed, &ENDED] {
        let mut left = piece;
        while !ended {
            let room = raw.get_mut(given..).unwrap_or_default();
            let step = inflater.step(left, room).ok_or_else(corrupt)?;
            left = left.get(step.taken..).unwrap_or_default();
            given += step.given;
            ended = step.ended;
            if step.taken == 0 && step.given == 0 {
                break;
            }
        }
        if !left.is_empty() {
            return Err(corrupt());
        }
    }
    raw.truncate(given);
    let is_whole = ended
        && compressed.ends_with(&FLUSHED)
        && given as u64 == located.span.raw_bytes
        && raw.last() == Some(&b'\n')
        && memchr::memchr_iter(b'\n', &raw).count() as u64 == located.span.entries
        && seq_of(&raw).is_none_or(|seq| seq == located.first_seq);
    if is_whole { Ok(raw) } else { Err(corrupt()) }
}
