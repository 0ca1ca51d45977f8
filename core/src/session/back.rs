//! Reading from the last entry to the first.

use alloc::vec::Vec;

use super::range::{Cursor, Wanted};
use super::read::{Page, Start, find, first_prev, line_start, verified};
use super::source::LogPart;
use crate::log::Head;
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result};

/// The last wanted line and about a page of what precedes it.
pub(super) async fn read_log(
    io: &Io,
    log: &LogPart,
    head: Head,
    wanted: &Wanted,
) -> Result<(Vec<u8>, Start)> {
    let end = match &wanted.cursor {
        Some(cursor) => cursor.offset,
        None if wanted.to == head.seq => head.bytes,
        None => find(io, log, head, wanted.to + 1).await?,
    };
    let mut length = wanted.page_bytes;
    loop {
        let start = end.saturating_sub(length).max(log.offset);
        let mut bytes = log.get(io, start..end).await?;
        if bytes.last() != Some(&b'\n') {
            let message = "the log changed while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(&log.key));
        }
        let first = match start == log.offset {
            true => Some(0),
            false => memchr::memchr(b'\n', &bytes).map(|at| at + 1),
        };
        if let Some(first) = first.filter(|first| *first < bytes.len()) {
            bytes.drain(..first);
            let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
            let seq = (wanted.to + 1).saturating_sub(lines);
            return Ok((bytes, Start { seq, offset: start + first as u64 }));
        }
        length = length.saturating_mul(4);
    }
}

/// Cuts the wanted lines out of some that start at `start`, verifies those, and turns them around.
pub(super) fn page(bytes: &[u8], start: Start, head: Head, wanted: &Wanted) -> Result<Page> {
    let lost = || Error::new(ErrorKind::BadSeq, "the wanted entry is not where it should be");
    let first_seq = start.seq.max(wanted.from);
    let cut = line_start(bytes, first_seq - start.seq).ok_or_else(lost)?;
    let lines = bytes.get(cut..).filter(|lines| !lines.is_empty()).ok_or_else(lost)?;
    let end = line_start(lines, wanted.to - first_seq + 1).ok_or_else(lost)?;
    let mut lines = lines.get(..end).unwrap_or_default().to_vec();
    let offset = start.offset + cut as u64;
    let prev = first_prev(&lines);
    let length = lines.len();
    let (last_seq, last_hash) = verified(&mut lines, prev, first_seq, offset)?.ok_or_else(lost)?;
    if last_seq != wanted.to || lines.len() != length {
        return Err(fault(bytes, start));
    }
    let expected = match &wanted.cursor {
        Some(cursor) => Some(cursor.prev),
        None => (last_seq == head.seq).then_some(head.hash),
    };
    if expected.is_some_and(|expected| expected != last_hash) {
        return Err(Error::new(ErrorKind::HeadMismatch, "the lines do not lead to the head"));
    }
    let before = (first_seq > wanted.from).then(|| {
        Cursor::new(first_seq - 1, offset, prev.unwrap_or(Hash::from_bytes([0; 32])), None)
    });
    let mut turned = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n').rev() {
        turned.extend_from_slice(line);
    }
    let seqs: Vec<u64> = (first_seq..=last_seq).rev().collect();
    let entries = seqs.len() as u64;
    Ok(Page { lines: turned, seqs, first_seq, entries, head, next: before })
}

/// The first line that does not hold.
fn fault(bytes: &[u8], start: Start) -> Error {
    let mut verifier = crate::log::Verifier::resume(first_prev(bytes), start.seq, start.offset);
    verifier.push(bytes);
    let lost = || Error::new(ErrorKind::BadSeq, "the wanted entry is not where it should be");
    verifier.into_fault().unwrap_or_else(lost)
}
