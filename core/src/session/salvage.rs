//! What can be saved line by line after the last entry that holds.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::remains::Remains;
use super::repair::LeftOut;
use crate::entry::{Entry, Envelope, redacted_digest, utf8};
use crate::hash::{Hash, HexText, body_digest, chain};
use crate::limits::{ENVELOPE_BYTES, LINE_BYTES_MAX};
use crate::line::Line;
use crate::log::{Draft, Head};
use crate::{Error, ErrorKind, Kind, Result};

/// Drafts of the entries that are whole by themselves, and what is left out.
pub(super) struct Salvage {
    drafts: Vec<String>,
    left_out: Vec<LeftOut>,
    /// The hashes of lines that were taken over.
    taken: BTreeSet<HexText>,
    /// Whether nothing is left of how the log began: then a start is the first thing in it.
    may_start: bool,
    batch: Option<Batch>,
}

/// A batch that is unfinished as far as it was read.
struct Batch {
    /// Entries of it that must still follow, after the one with that hash.
    more: u32,
    last: HexText,
    /// Where it starts in the log, and in what was found.
    line: u64,
    offset: u64,
    drafts: usize,
    left_out: usize,
}

impl Salvage {
    pub(super) fn after(sound: Option<Head>, remains: &Remains) -> Self {
        let end = sound.map_or(0, |head| head.bytes as usize);
        let lines = remains.bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
        let taken = lines.filter_map(Line::split).map(|line| *line.hash).collect();
        let (drafts, left_out) = Default::default();
        let mut salvage = Self { drafts, left_out, taken, may_start: sound.is_none(), batch: None };
        salvage.read(sound, end, remains);
        salvage
    }

    /// The drafts, and what is left out.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<LeftOut>) {
        (self.drafts, self.left_out)
    }

    fn read(&mut self, sound: Option<Head>, mut at: usize, remains: &Remains) {
        let mut offset = sound.map_or(0, |head| head.bytes);
        let mut number = sound.map_or(1, |head| head.seq + 2);
        let mut lost = remains.lost.iter().peekable();
        let rest = remains.bytes.get(at..).unwrap_or_default();
        for line in rest.split_inclusive(|byte| *byte == b'\n') {
            while let Some(lost) = lost.next_if(|lost| lost.at <= at) {
                self.lose(&lost.left_out);
                offset = lost.left_out.offset + lost.left_out.bytes;
                number = lost.left_out.line + lost.lines;
            }
            let bytes = line.len() as u64;
            match self.take(line, number, offset) {
                Ok(draft) => self.drafts.push(draft),
                Err(code) => self.leave_out(LeftOut { line: number, offset, bytes, code }),
            }
            (at, offset, number) = (at + line.len(), offset + bytes, number + 1);
        }
        lost.for_each(|lost| self.lose(&lost.left_out));
        self.drop_batch(offset);
    }

    fn lose(&mut self, lost: &LeftOut) {
        self.batch = None;
        self.left_out.push(lost.clone());
    }

    /// Neighbours that are left out for the same reason are one: a small file may hold many.
    fn leave_out(&mut self, left: LeftOut) {
        let first = self.batch.as_ref().map_or(0, |batch| batch.left_out);
        match self.left_out.get_mut(first..).and_then(<[LeftOut]>::last_mut) {
            Some(last) if last.code == left.code && last.offset + last.bytes == left.offset => {
                last.bytes += left.bytes;
            }
            _ => self.left_out.push(left),
        }
    }

    /// The entries of one append are all there or none: what was unfinished was never acknowledged.
    fn drop_batch(&mut self, end: u64) {
        let Some(batch) = self.batch.take() else { return };
        self.drafts.truncate(batch.drafts);
        self.left_out.truncate(batch.left_out);
        let Batch { line, offset, .. } = batch;
        let code = ErrorKind::TornTail.code();
        self.leave_out(LeftOut { line, offset, bytes: end - offset, code });
    }

    /// The draft of a line that is whole by itself.
    fn take(&mut self, line: &[u8], number: u64, offset: u64) -> Result<String, &'static str> {
        let line = line.strip_suffix(b"\n").ok_or(ErrorKind::TornTail.code())?;
        // What a conversion of line breaks left is none of the line's.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let batch = self.batch.take();
        // Where a line is damaged, nobody knows whether it ended the batch.
        let (split, envelope) = whole(line)?;
        self.batch = self.follow(batch, &split, &envelope, number, offset);
        if envelope.kind == Kind::Redacted {
            // Nothing is left of it that could be written again.
            return Err(Kind::Redacted.name());
        }
        if !self.taken.insert(*split.hash) {
            return Err(ErrorKind::AlreadyExists.code());
        }
        draft(line, &envelope, self.may_start && self.drafts.is_empty())
    }

    /// The batch that a line leaves unfinished, if it does (`docs/format.md` §3.3).
    fn follow(
        &self,
        batch: Option<Batch>,
        split: &Line<'_>,
        envelope: &Envelope<'_>,
        line: u64,
        offset: u64,
    ) -> Option<Batch> {
        let is_redacted = envelope.kind == Kind::Redacted;
        let batch = batch.filter(|batch| {
            let is_next = is_redacted || envelope.more + 1 == batch.more;
            split.prev == Some(&batch.last) && (is_next || envelope.kind == Kind::Fork)
        });
        let more = match &batch {
            Some(batch) if is_redacted => batch.more - 1,
            _ => envelope.more,
        };
        let (drafts, left_out) = (self.drafts.len(), self.left_out.len());
        let started = Batch { more, last: *split.hash, line, offset, drafts, left_out };
        let batch = batch.map_or(started, |batch| Batch { more, last: *split.hash, ..batch });
        (more > 0).then_some(batch)
    }
}

/// A line whose bytes give its hash, taken apart.
fn whole(line: &[u8]) -> Result<(Line<'_>, Envelope<'_>), &'static str> {
    if line.len() > LINE_BYTES_MAX {
        return Err(ErrorKind::LineTooLong.code());
    }
    let code = |error: Error| error.code();
    let split = Line::split(line).ok_or(ErrorKind::BadLine.code())?;
    let prev = split.prev.and_then(|hex| Hash::from_hex(hex));
    let digest = redacted_digest(split.rest).unwrap_or_else(|| body_digest(split.rest));
    if split.hash() != Some(chain(prev, digest)) {
        return Err(ErrorKind::BadHash.code());
    }
    Ok((split, Envelope::parse(utf8(split.rest).map_err(code)?).map_err(code)?))
}

fn draft(line: &[u8], envelope: &Envelope<'_>, may_start: bool) -> Result<String, &'static str> {
    // What keeps a part of the history means nothing where some of it is missing, and a log opens
    // once and says itself what it is a fork of.
    if matches!(envelope.kind, Kind::Truncated | Kind::Compaction | Kind::Fork)
        || envelope.kind == Kind::SessionStart && !may_start
    {
        return Err(envelope.kind.name());
    }
    let entry = Entry::parse(line).map_err(|error| error.code())?;
    let mut draft = Draft::new(entry.kind_name()).with_count("ts", entry.ts().unwrap_or_default());
    for (name, value) in entry.fields() {
        draft = draft.with(name, value);
    }
    // Written anew a line may become longer.
    if draft.as_str().len() + ENVELOPE_BYTES > LINE_BYTES_MAX {
        return Err(ErrorKind::TooLarge.code());
    }
    Ok(draft.as_str().into())
}
