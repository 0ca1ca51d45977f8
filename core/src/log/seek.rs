//! Where an entry stands in a log that has no index: by guessing, looking and narrowing down.

use core::ops::Range;

use super::Head;
use crate::entry::Envelope;
use crate::line::Line;

/// Bytes looked at in one step: some dozens of lines.
const WINDOW: u64 = 64 << 10;

/// A search for the line of one entry. Needs O(log n) looks, whatever the log's length.
#[derive(Debug)]
pub(crate) struct Bisection {
    target: u64,
    /// A line's start at or before the target.
    low: Mark,
    /// A line's start (or the end) after it.
    high: Mark,
    window: u64,
    halve: bool,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    seq: u64,
    offset: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The target's line starts here.
    At(u64),
    /// Look further.
    Not,
}

impl Bisection {
    /// Searches the lines from entry `first`, which starts at that offset, up to `head` for entry
    /// `target`, which must lie among them.
    pub(crate) fn new(first: (u64, u64), head: Head, target: u64) -> Self {
        let low = Mark { seq: first.0, offset: first.1 };
        let high = Mark { seq: head.seq + 1, offset: head.bytes };
        Self { target, low, high, window: WINDOW, halve: false }
    }

    /// The bytes to look at next.
    pub(crate) fn range(&self) -> Range<u64> {
        let Self { low, high, target, window, halve } = self;
        let length = high.offset - low.offset;
        if length <= *window {
            return low.offset..high.offset;
        }
        // Aim half a window before the likely place, so that the target tends to lie inside.
        let share = if *halve {
            length / 2
        } else {
            // Divided first: a guess need not be exact, and the product might not fit.
            (length / (high.seq - low.seq)).saturating_mul(target - low.seq)
        };
        let start = low.offset + share.saturating_sub(window / 2).min(length - window);
        start..start + window
    }

    /// Takes the bytes of [`Self::range`].
    pub(crate) fn look(&mut self, range: &Range<u64>, bytes: &[u8]) -> Found {
        if range.start == self.low.offset && range.end == self.high.offset {
            return self.count_lines(bytes);
        }
        let before = self.high.offset - self.low.offset;
        let narrowed = self.narrow(range.start, bytes);
        if let Found::At(_) = narrowed {
            return narrowed;
        }
        let after = self.high.offset - self.low.offset;
        if after == before {
            // No line to go by: lines here are longer than the window.
            self.window = self.window.saturating_mul(4);
        }
        self.halve = after > before / 2;
        Found::Not
    }

    fn count_lines(&self, bytes: &[u8]) -> Found {
        let skip = self.target - self.low.seq;
        let Some(skip) = usize::try_from(skip).ok().and_then(|skip| skip.checked_sub(1)) else {
            return Found::At(self.low.offset);
        };
        match memchr::memchr_iter(b'\n', bytes).nth(skip) {
            Some(at) => Found::At(self.low.offset + at as u64 + 1),
            None => Found::At(self.high.offset),
        }
    }

    /// Moves the marks to lines seen in the window; redacted lines, which do not say their number,
    /// are numbered from the last one that does.
    fn narrow(&mut self, offset: u64, bytes: &[u8]) -> Found {
        let mut number = (offset == self.low.offset).then_some(self.low.seq);
        let first = if number.is_some() {
            0
        } else {
            memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
        };
        let mut start = first;
        loop {
            let rest = bytes.get(start..).unwrap_or_default();
            number = seq_of(rest).or(number);
            if let Some(seq) = number.filter(|_| !rest.is_empty()) {
                let mark = Mark { seq, offset: offset + start as u64 };
                if seq == self.target {
                    return Found::At(mark.offset);
                }
                if seq > self.target {
                    self.high = if mark.offset < self.high.offset { mark } else { self.high };
                    return Found::Not;
                }
                self.low = if mark.offset > self.low.offset { mark } else { self.low };
            }
            let Some(end) = memchr::memchr(b'\n', rest) else { return Found::Not };
            start += end + 1;
            number = number.map(|seq| seq + 1);
        }
    }
}

/// The number of the entry whose line starts here, as far as the bytes tell.
pub(crate) fn seq_of(bytes: &[u8]) -> Option<u64> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = Line::split(bytes.get(..end)?)?;
    Envelope::parse(core::str::from_utf8(line.rest).ok()?).ok()?.seq
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionId;
    use crate::log::{Stamp, Writer};
    use alloc::{format, vec::Vec};

    /// A log of so many entries that say so much, and where each starts.
    fn log(entries: usize, size: impl Fn(usize) -> usize) -> (Vec<u8>, Vec<u64>, Head) {
        let mut writer = Writer::create(SessionId::new("a").unwrap(), true);
        let (mut log, mut starts) = (Vec::new(), Vec::new());
        for n in 0..entries {
            let draft = format!(r#"{{"kind":"user_input","item":"{}"}}"#, "x".repeat(size(n)));
            let drafts = if n == 0 { Vec::new() } else { [draft].to_vec() };
            let stamp = Stamp { now_ms: 0, random: [0; 16].to_vec() };
            let batch = writer.write(&drafts, &stamp).unwrap();
            starts.push(log.len() as u64);
            log.extend(batch.bytes);
            writer.advance(batch.head);
        }
        (log, starts, writer.head().unwrap())
    }

    /// How many looks it takes to find an entry.
    fn looks(log: &[u8], head: Head, target: u64, start: u64) -> usize {
        let mut search = Bisection::new((0, 0), head, target);
        for looks in 1..1000 {
            let range = search.range();
            let bytes = &log[range.start as usize..range.end as usize];
            if let Found::At(offset) = search.look(&range, bytes) {
                assert_eq!(offset, start, "entry {target}");
                return looks;
            }
        }
        panic!("entry {target} is not found");
    }

    #[test]
    fn every_entry_is_found_in_few_looks() {
        // Very uneven lines: a few are far larger than the window.
        let size = |n: usize| if n % 701 == 5 { 300_000 } else { n * 37 % 900 };
        let (log, starts, head) = log(3000, size);
        for (target, start) in (0..).zip(starts) {
            assert!(looks(&log, head, target, start) < 40, "entry {target}");
        }
    }

    /// By their share alone, each look would come only a little nearer.
    #[test]
    fn entries_before_far_longer_ones_are_found_in_few_looks() {
        let (log, starts, head) = log(3000, |n| if n < 1500 { 0 } else { 30_000 });
        for (target, start) in (0..).zip(starts).skip(1400).take(200) {
            let looks = looks(&log, head, target, start);
            assert!(looks < 20, "entry {target}: {looks}");
        }
    }
}
