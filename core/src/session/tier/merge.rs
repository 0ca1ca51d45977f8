//! Joining small segments: their blocks are copied as they are, so it costs what they hold, and each
//! entry is copied as often as the number of segments has digits to base eight.

use alloc::vec::Vec;

use super::claim::nonce;
use super::commit::{Committed, Written, commit, write, write_segment};
use crate::archive::{ENDING_BYTES, Index, checksum, join, read_segment_index};
use crate::cold::{Held, IdSection, IdsObject, Manifest, Segment, join_sections, read_sections};
use crate::gzip::crc32_combine;
use crate::hash::sha256;
use crate::limits::{IDS_BYTES_MAX, RECENT_IDS, RECENT_IDS_MAX, SEGMENT_BYTES};
use crate::log::Stamp;
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// So many segments of about one size are joined.
const FANOUT: usize = 8;
/// Segments up to this length are the smallest ones.
const SMALLEST_BYTES: u64 = 32 << 10;
/// A list of ids joins the one before it, unless that is so many times longer.
const IDS_FANOUT: u64 = 8;

/// Joins what has come together, and commits that; gives the manifest, and how many segments were
/// written. Nothing where nothing is due, or others were first.
pub(super) async fn merge(io: &Io, base: &Manifest) -> Result<Option<(Manifest, u64)>> {
    let Some(held) = &base.held else { return Ok(None) };
    let run = due(&held.segments);
    if run.is_none() && held.recent_ids.fingerprints.len() <= RECENT_IDS {
        return Ok(None);
    }
    let stamp = io.stamp(16).await?;
    let mut held = held.clone();
    let mut segments = 0;
    if let Some(run) = run
        && let Some(joined) = join_segments(io, &held, run, &stamp).await?
    {
        held.segments.truncate(run);
        held.segments.push(joined);
        segments = 1;
    }
    list_ids(io, &mut held, &stamp).await?;
    if base.held.as_ref() == Some(&held) {
        return Ok(None);
    }
    let next = Manifest {
        number: base.number + 1,
        prev: Some(base.hash()),
        written_ms: stamp.now_ms,
        nonce: nonce(&stamp),
        held: Some(held),
        ..base.clone()
    };
    super::commit::check_in_time(io, stamp.now_ms).await?;
    Ok(match commit(&io.cold_store()?, &next).await? {
        Committed::Ours => Some((next, segments)),
        Committed::Theirs(_) => None,
    })
}

fn level(segment: &Segment) -> u32 {
    let (mut level, mut most) = (0, SMALLEST_BYTES);
    while segment.bytes > most {
        (level, most) = (level + 1, most.saturating_mul(FANOUT as u64));
    }
    level
}

/// The first of the last segments that are to be joined, if they are.
fn due(segments: &[Segment]) -> Option<usize> {
    let mut most = 0;
    loop {
        let is_in = |segment: &&Segment| level(segment) <= most;
        let count = segments.iter().rev().take_while(is_in).count();
        let start = segments.len() - count;
        let bytes = segments.iter().skip(start).map(|segment| segment.bytes).sum::<u64>();
        if bytes > SEGMENT_BYTES as u64 {
            return None;
        }
        if count >= FANOUT {
            return Some(start);
        }
        if count == segments.len() {
            return None;
        }
        most += 1;
    }
}

/// One segment of those from that one on. Nothing where one of them is shared in part.
async fn join_segments(io: &Io, held: &Held, run: usize, stamp: &Stamp) -> Result<Option<Segment>> {
    let cold = io.cold_store()?;
    let (mut spans, mut blocks) = (Vec::new(), Vec::new());
    let (mut crc, mut raw_bytes, mut entries) = (0, 0, 0);
    let mut last: Option<Index> = None;
    for (segment, first_seq, offset) in held.located().skip(run) {
        let key = Key::segment(segment.name);
        let bytes = cold.get(&key, None).await?.bytes;
        let damaged = || {
            let message = "the segment is not what its manifest says";
            Error::new(ErrorKind::GzipCorrupt, message).at_key(&key)
        };
        let index = read_segment_index(&bytes, segment.bytes).map_err(|e| e.at_key(&key))?;
        if sha256(&bytes) != segment.name || index.raw_start() != offset {
            return Err(damaged());
        }
        if index.head.seq + 1 != first_seq + segment.entries {
            return Ok(None);
        }
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let start = index.located().next().map_or(0, |span| span.compressed.start);
        let end = segment.bytes.saturating_sub(ENDING_BYTES);
        let ending = bytes.get(place(end)..).ok_or_else(damaged)?;
        let checksum = checksum(ending).ok_or_else(damaged)?;
        blocks.extend_from_slice(bytes.get(place(start)..place(end)).ok_or_else(damaged)?);
        crc = crc32_combine(crc, checksum, segment.raw_bytes);
        (raw_bytes, entries) = (raw_bytes + segment.raw_bytes, entries + segment.entries);
        spans.extend_from_slice(&index.spans);
        last = Some(index);
    }
    let Some(last) = last else { return Ok(None) };
    let first_seq = (last.head.seq + 1).saturating_sub(entries);
    let bytes = join(last.head, first_seq, spans, (crc, raw_bytes), &blocks);
    write_segment(&cold, bytes, (entries, raw_bytes), stamp.now_ms).await
}

/// Puts the ids of a long part into a list at once: else the manifest might be too large to be read.
pub(super) async fn list_many_ids(io: &Io, held: &mut Held, stamp: &Stamp) -> Result<()> {
    match held.recent_ids.fingerprints.len() > RECENT_IDS_MAX {
        true => list_ids(io, held, stamp).await,
        false => Ok(()),
    }
}

/// Puts the ids that a manifest names itself into a list, once they are many.
async fn list_ids(io: &Io, held: &mut Held, stamp: &Stamp) -> Result<()> {
    if held.recent_ids.fingerprints.len() <= RECENT_IDS {
        return Ok(());
    }
    let cold = io.cold_store()?;
    let mut ids = held.ids.clone();
    let mut sections = [held.recent_ids.clone()].to_vec();
    let mut length = join_sections(&sections).len() as u64;
    let mut entries = held.recent_ids.entries;
    while let Some(last) = ids.last().copied()
        && joins(last.bytes, length)
    {
        let mut before = read_ids(&cold, &last).await?;
        before.append(&mut sections);
        sections = before;
        (length, entries) = (length + last.bytes, entries + last.entries);
        ids.pop();
    }
    let bytes = join_sections(&sections);
    if bytes.len() > IDS_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "a list of ids has at most 256 MiB"));
    }
    // An old one in the way: another time, when there are more.
    let Written::Done(name) = write(&cold, Key::ids, &bytes, stamp.now_ms).await? else {
        return Ok(());
    };
    ids.push(IdsObject { name, bytes: bytes.len() as u64, entries });
    let first_seq = held.recent_ids.first_seq + held.recent_ids.entries;
    held.recent_ids = IdSection { first_seq, entries: 0, fingerprints: Vec::new() };
    held.ids = ids;
    Ok(())
}

/// Whether a list of that length takes in the one before it: not where nobody could read them as one.
pub(crate) fn joins(before: u64, length: u64) -> bool {
    before < length.saturating_mul(IDS_FANOUT)
        && before.saturating_add(length) <= IDS_BYTES_MAX as u64
}

/// The sections of a list, given the cold store.
pub(super) async fn read_ids(cold: &Io, ids: &IdsObject) -> Result<Vec<IdSection>> {
    let key = Key::ids(ids.name);
    let refused = |kind, message: &str| Err(Error::new(kind, message).at_key(&key));
    if ids.bytes > IDS_BYTES_MAX as u64 {
        return refused(ErrorKind::BadEntry, "a list of ids of more than 256 MiB");
    }
    let object = cold.get(&key, Some(0..ids.bytes + 1)).await?;
    if object.bytes.len() as u64 != ids.bytes {
        return refused(ErrorKind::BadEntry, "the list of ids has another length than it should");
    }
    if sha256(&object.bytes) != ids.name {
        return refused(ErrorKind::BadHash, "the list's bytes do not give its name");
    }
    read_sections(&object.bytes).map_err(|error| error.at_key(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(bytes: &[u64]) -> Vec<Segment> {
        let segment =
            |bytes: &u64| Segment { name: sha256(b""), bytes: *bytes, entries: 1, raw_bytes: 1 };
        bytes.iter().map(segment).collect()
    }

    #[test]
    fn eight_of_a_size_are_due_and_large_ones_stay() {
        assert_eq!(due(&segments(&[3000; 7])), None);
        assert_eq!(due(&segments(&[3000; 8])), Some(0));
        assert_eq!(due(&segments(&[900_000, 3000, 3000])), None);
        let mut sizes = [900_000].to_vec();
        sizes.extend([3000; 8]);
        assert_eq!(due(&segments(&sizes)), Some(1));
        assert_eq!(due(&segments(&[100_000; 8])), Some(0));
        assert_eq!(due(&segments(&[8 << 20; 20])), None);
        assert_eq!(due(&[]), None);
    }

    #[test]
    fn a_list_of_segments_grows_with_the_digits_of_their_number() {
        let mut sizes: Vec<u64> = Vec::new();
        let mut most = 0;
        for _ in 0..2000 {
            sizes.push(3500);
            while let Some(run) = due(&segments(&sizes)) {
                let joined = sizes.drain(run..).sum();
                sizes.push(joined);
            }
            most = most.max(sizes.len());
        }
        assert!(most <= 28, "{most}");
    }
}
