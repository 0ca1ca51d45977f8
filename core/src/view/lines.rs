//! Some of a log's lines, as they stand one after the other.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::gzip::inflate_block;
use super::part::Part;
use super::row::{Place, Told, markdown_of, parts_of, tell};
use super::search::count_in;
use crate::hash::Hash;
use crate::line::Line;
use crate::{Error, ErrorKind};

/// Lines in memory, found once. The last one may lack its line break: an unfinished write.
#[derive(Debug)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Where each starts.
    starts: Vec<usize>,
    fault: Option<Error>,
}

impl Lines {
    /// The lines that some bytes are.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let ends = memchr::memchr_iter(b'\n', &bytes).map(|end| end + 1);
        let starts = [0].into_iter().chain(ends).filter(|start| *start < bytes.len()).collect();
        Self { bytes, starts, fault: None }
    }

    /// Those of an archive's block, as far as they can be read: it should inflate to so many bytes
    /// and lines.
    #[must_use]
    pub fn inflate(compressed: &[u8], raw_bytes: u64, count: u64) -> Self {
        let (mut raw, fault) = inflate_block(compressed, raw_bytes);
        if fault.is_some() {
            raw.truncate(memchr::memrchr(b'\n', &raw).map_or(0, |end| end + 1));
        }
        let mut lines = Self::new(raw);
        let other = || {
            let message = "a block holds not as many lines as the index says";
            Error::new(ErrorKind::GzipCorrupt, message)
        };
        lines.fault = fault.or_else(|| (lines.len() as u64 != count).then(other));
        if lines.len() as u64 > count {
            // Not all of them have a row: the last row is left for what is wrong.
            lines.truncate(usize::try_from(count).unwrap_or_default().saturating_sub(1));
        }
        lines
    }

    fn truncate(&mut self, count: usize) {
        self.bytes.truncate(self.starts.get(count).copied().unwrap_or(self.bytes.len()));
        self.starts.truncate(count);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Why there are not all of them.
    #[must_use]
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A line without its line break; empty where there is none.
    #[must_use]
    pub fn line(&self, at: usize) -> &[u8] {
        let line = self.bytes_of(at..at.saturating_add(1));
        line.strip_suffix(b"\n").unwrap_or(line)
    }

    fn bytes_of(&self, range: Range<usize>) -> &[u8] {
        let place = |at: usize| self.starts.get(at).copied().unwrap_or(self.bytes.len());
        self.bytes.get(place(range.start)..place(range.end)).unwrap_or_default()
    }

    /// The hash that the last line claims, which the next one follows; `None` where lines are missing.
    #[must_use]
    pub fn last_hash(&self) -> Option<Hash> {
        if self.fault.is_some() {
            return None;
        }
        self.hash_of(self.len().checked_sub(1)?)
    }

    fn hash_of(&self, at: usize) -> Option<Hash> {
        Line::split(self.line(at))?.hash()
    }

    /// The rows of some of them, as a JSON array; `place` is that of all.
    #[must_use]
    pub fn rows(&self, place: Place, range: Range<usize>) -> String {
        tell(self.bytes_of(range.clone()), self.place_in(place, range.start), Told::Rows)
    }

    /// The same, with what each entry says.
    #[must_use]
    pub fn entries(&self, place: Place, range: Range<usize>) -> String {
        tell(self.bytes_of(range.clone()), self.place_in(place, range.start), Told::Entries)
    }

    fn place_in(&self, place: Place, start: usize) -> Place {
        let Some(before) = start.checked_sub(1) else { return place };
        let offset = self.starts.get(start).copied().unwrap_or(self.bytes.len()) as u64;
        Place {
            row: place.row.saturating_add(start as u64),
            seq: place.seq.map(|seq| seq.saturating_add(start as u64)),
            offset: place.offset.saturating_add(offset),
            prev: self.hash_of(before),
        }
    }

    /// The whole text of a part of a line's entry; empty where there is none.
    #[must_use]
    pub fn part_text(&self, at: usize, part: usize) -> String {
        parts_of(self.line(at)).get(part).map(|part| part.body().into()).unwrap_or_default()
    }

    /// A line as Markdown, under a heading that says who speaks; empty where it says nothing.
    #[must_use]
    pub fn markdown(&self, at: usize) -> String {
        markdown_of(self.line(at))
    }

    /// How often a text stands in what each line shows: the places of those that have it, and how
    /// often. Without `match_case`, letters are compared in lower case.
    #[must_use]
    pub fn search(&self, text: &str, match_case: bool) -> Vec<(usize, u64)> {
        let needle: String = if match_case { text.into() } else { text.to_lowercase() };
        if needle.is_empty() {
            return Vec::new();
        }
        let finder = memchr::memmem::Finder::new(needle.as_bytes());
        let mut lower = String::new();
        let count = |part: &Part, lower: &mut String| count_in(&finder, part, match_case, lower);
        (0..self.len())
            .filter_map(|at| {
                let parts = parts_of(self.line(at));
                let found = parts.iter().map(|part| count(part, &mut lower)).sum::<u64>();
                (found > 0).then_some((at, found))
            })
            .collect()
    }
}
