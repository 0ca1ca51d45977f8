//! A log's head, found from its end.

use alloc::format;
use alloc::vec::Vec;

use super::{Head, Torn};
use crate::entry::{Envelope, redacted_digest, utf8};
use crate::hash::{Hash, body_digest, chain};
use crate::kind::Kind;
use crate::limits::LINE_BYTES_MAX;
use crate::line::Line;
use crate::{Error, ErrorKind, Result};

/// How a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) head: Head,
    /// Offset of the head's line.
    pub(crate) line: u64,
    pub(crate) torn: Option<Torn>,
    /// Whether a line tells the two that follow: redacted ones do not.
    pub(crate) is_told: bool,
    pub(crate) is_salted: bool,
    /// The log's last `fork` entry.
    pub(crate) fork: Option<u64>,
}

/// Finds the head in a log's last bytes, which start at `offset` of it; its first entry has the
/// number `first`. `None`: they are too few, ask for more. Every line that is looked at is checked
/// against its hash: the head's own, and those that would be cut off as torn, for what a writer left
/// unfinished is not damaged. What precedes them is not.
pub(crate) fn find_tail(window: &[u8], offset: u64, first: u64) -> Result<Option<Tail>> {
    let mut lines = Vec::new();
    let mut end = memchr::memrchr(b'\n', window);
    loop {
        let Some(line_end) = end else {
            check_length(window.len(), offset)?;
            return if offset == 0 { Err(empty(0)) } else { Ok(None) };
        };
        let before = window.get(..line_end).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before);
        if start.is_none() && offset > 0 {
            check_length(before.len(), offset)?;
            return Ok(None);
        }
        let line_start = start.map_or(0, |at| at + 1);
        let line = TailLine::parse(window, line_start, line_end)
            .map_err(|error| error.at(|place| place.offset = Some(offset + line_start as u64)))?;
        let is_known = line.seq.is_some() && line.more == 0 || line_start == 0 && offset == 0;
        lines.push(line);
        if is_known {
            return committed(&lines, window.len(), offset, first).map(Some);
        }
        end = start;
    }
}

/// The part of a log in memory up to its head. Its end is looked at, and, where that is damaged, all
/// of it, for the first fault.
pub(crate) fn committed_part(log: &[u8]) -> Result<&[u8]> {
    let length = match find_tail(log, 0, 0) {
        Ok(Some(tail)) => tail.head.bytes,
        _ => {
            let report = super::verify(log, super::Expectation::default());
            report.sound()?;
            report.head.ok_or_else(|| empty(0))?.bytes
        }
    };
    Ok(usize::try_from(length).ok().and_then(|length| log.get(..length)).unwrap_or_default())
}

/// What to say of a log without one whole batch; of the first one, so many lines are there.
pub(super) fn empty(lines: u64) -> Error {
    let message = match lines {
        0 => "not one whole entry".into(),
        _ => {
            format!("not one whole entry: the first batch is cut off, lines 1 to {lines} are of it")
        }
    };
    Error::new(ErrorKind::EmptyLog, message)
}

/// More is looked at only as long as there may be a line in it: else all of a log would be read that
/// is none.
fn check_length(length: usize, offset: u64) -> Result<()> {
    if length <= LINE_BYTES_MAX {
        return Ok(());
    }
    let error = Error::new(ErrorKind::LineTooLong, "a line exceeds 32 MiB");
    Err(error.at(|place| place.offset = Some(offset)))
}

/// A line of the tail. A redacted one knows neither its number nor its batch.
struct TailLine<'a> {
    split: Line<'a>,
    start: usize,
    end: usize,
    seq: Option<u64>,
    more: u32,
    is_salted: bool,
    /// The last `fork` entry up to this one.
    fork: Option<u64>,
}

impl<'a> TailLine<'a> {
    fn parse(window: &'a [u8], start: usize, end: usize) -> Result<Self> {
        let line = window.get(start..end).unwrap_or_default();
        let bad_line = || Error::new(ErrorKind::BadLine, "not the shape of a log's line");
        let split = Line::split(line).ok_or_else(bad_line)?;
        let envelope = Envelope::parse(utf8(split.rest)?)?;
        let is_redacted = envelope.kind == Kind::Redacted;
        let seq = envelope.seq.filter(|_| !is_redacted);
        let (more, is_salted) = (envelope.more, envelope.is_salted);
        let fork = if envelope.kind == Kind::Fork { seq } else { envelope.fork };
        Ok(Self { split, start, end: end + 1, seq, more, is_salted, fork })
    }
}

/// From the last known commit (the last of `lines`, which run backwards) on to the last one.
fn committed(lines: &[TailLine<'_>], window: usize, offset: u64, first: u64) -> Result<Tail> {
    let mut more = 0;
    let mut seq = None;
    let mut fork = None;
    let mut last = None;
    for line in lines.iter().rev() {
        more = if line.seq.is_some() { line.more } else { u32::saturating_sub(more, 1) };
        seq = line.seq.or(seq.map(|seq| seq + 1)).or(Some(first));
        fork = line.fork.or(fork);
        let seq = seq.unwrap_or_default();
        let hash = check(line, seq)?;
        if more == 0 || planted!(HalfBatchCounts) {
            let head = Head { seq, hash, bytes: offset + line.end as u64 };
            last = Some((head, offset + line.start as u64, fork));
        }
    }
    let (head, line, fork) = last.ok_or_else(|| empty(lines.len() as u64))?;
    let length = offset + window as u64;
    let torn =
        (length > head.bytes).then_some(Torn { offset: head.bytes, bytes: length - head.bytes });
    let is_told = lines.iter().any(|line| line.seq.is_some());
    Ok(Tail { head, line, torn, is_told, is_salted: lines.iter().any(|line| line.is_salted), fork })
}

fn check(line: &TailLine<'_>, seq: u64) -> Result<Hash> {
    let wrong = |kind, message| Err(Error::new(kind, message).at(|place| place.seq = Some(seq)));
    let prev = line.split.prev.and_then(|hex| Hash::from_hex(hex));
    if line.split.prev.is_some() != prev.is_some() {
        return wrong(ErrorKind::BadLine, "a hash is not 64 lower-case hex digits");
    }
    let rest = line.split.rest;
    let hash = chain(prev, redacted_digest(rest).unwrap_or_else(|| body_digest(rest)));
    if line.split.hash() != Some(hash) {
        return wrong(ErrorKind::BadHash, "the line's bytes do not give its hash");
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::SessionId;
    use crate::log::{Stamp, Writer};

    fn log() -> (Vec<u8>, Vec<Head>) {
        let mut writer = Writer::create(SessionId::new("a").unwrap(), false);
        let mut log = Vec::new();
        let mut heads = Vec::new();
        let draft = r#"{"kind":"user_input","item":"x"}"#;
        for drafts in [&[][..], &[draft], &[draft, draft, draft]] {
            let batch = writer.write(drafts, &Stamp::default()).unwrap();
            log.extend(batch.bytes);
            writer.advance(batch.head);
            heads.push(batch.head);
        }
        (log, heads)
    }

    #[test]
    fn every_cut_finds_the_last_whole_batch() {
        let (log, heads) = log();
        for cut in 0..=log.len() {
            let expected = heads.iter().rev().find(|head| head.bytes <= cut as u64);
            let found = find_tail(&log[..cut], 0, 0);
            match expected {
                None => assert_eq!(found.unwrap_err().code(), "empty_log"),
                Some(head) => {
                    let tail = found.unwrap().unwrap();
                    assert_eq!(tail.head, *head);
                    let torn = tail.torn.map_or(0, |torn| torn.bytes);
                    assert_eq!(torn, cut as u64 - head.bytes);
                }
            }
        }
    }

    #[test]
    fn a_changed_line_of_an_unfinished_batch_is_damage_and_not_torn() {
        let (log, heads) = log();
        let start = heads[1].bytes as usize;
        let breaks: Vec<usize> =
            memchr::memchr_iter(b'\n', &log[start..]).map(|at| start + at).collect();
        let mut joined = log.clone();
        joined[breaks[1]] ^= 0x20;
        assert_eq!(find_tail(&joined, 0, 0).unwrap_err().code(), "bad_hash");
        // Of a batch that is cut off as well.
        let mut cut = log[..=breaks[1]].to_vec();
        assert_eq!(find_tail(&cut, 0, 0).unwrap().unwrap().head, heads[1]);
        cut[breaks[0] - 3] ^= 1;
        assert_eq!(find_tail(&cut, 0, 0).unwrap_err().code(), "bad_hash");
    }

    #[test]
    fn of_a_cut_batch_it_says_what_is_there() {
        let writer = Writer::create(SessionId::new("a").unwrap(), false);
        let draft = r#"{"kind":"user_input","item":"x"}"#;
        let drafts = [r#"{"kind":"session_start"}"#, draft, draft, draft];
        let log = writer.write(&drafts, &Stamp::default()).unwrap().bytes;
        let cut = &log[..log.len() - 1];
        let text =
            "empty_log: not one whole entry: the first batch is cut off, lines 1 to 3 are of it";
        assert_eq!(find_tail(cut, 0, 0).unwrap_err().to_string(), text);
        let report = crate::log::verify(cut, crate::log::Expectation::default());
        assert_eq!(report.fault.unwrap().to_string(), text);
    }

    #[test]
    fn a_window_gives_the_same_head_or_asks_for_more() {
        let (log, heads) = log();
        for start in 0..log.len() {
            if let Some(tail) = find_tail(&log[start..], start as u64, 0).unwrap() {
                assert_eq!(tail.head, heads[2]);
            }
        }
        assert!(find_tail(&log[log.len() - 10..], log.len() as u64 - 10, 0).unwrap().is_none());
    }
}
