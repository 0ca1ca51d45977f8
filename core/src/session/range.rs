//! Which of a session's entries to read.

use alloc::vec::Vec;

use crate::limits::LINE_BYTES_MAX;
use crate::log::Head;
use crate::{Hash, Kind};

/// Bytes of a page unless the caller says otherwise.
const PAGE_BYTES: u64 = 1 << 20;

/// Which entries to read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Range {
    /// Where to start.
    pub from: From,
    /// The number of the last entry to read; to the head where there is none.
    pub to: Option<u64>,
    /// About how many bytes of lines a page holds; at least one line.
    pub page_bytes: u64,
    /// Only entries of these kinds; of all where there are none.
    pub kinds: Vec<Kind>,
    /// From the last entry to the first.
    pub newest_first: bool,
    /// At most that many entries, over all pages.
    pub limit: Option<u64>,
}

/// Where to start reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// At the entry of that number.
    Seq(u64),
    /// So that the last entries (of the wanted kinds) come, that many.
    Last(u64),
    /// At the start of that turn, up to its end; of the last turn of that number.
    Turn(u64),
    /// Where a page before ended.
    Cursor(Cursor),
}

/// Where a page ended: the next entry, and what it must follow (backwards: what must follow it).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cursor {
    /// Number of the next entry.
    pub seq: u64,
    /// Where its line starts in the log (backwards: ends).
    pub offset: u64,
    /// Hash of the entry before it (backwards: its own).
    pub prev: Hash,
    /// How many entries may still come.
    pub(super) left: Option<u64>,
    /// In a damaged log, the entry up to which it holds.
    pub(super) sound: Option<Head>,
    /// The entry that comes last, where it was looked up.
    pub(super) last: Option<u64>,
    /// The hash of that one, where it was the head.
    pub(super) ends_with: Option<Hash>,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            from: From::Seq(0),
            to: None,
            page_bytes: PAGE_BYTES,
            kinds: Vec::new(),
            newest_first: false,
            limit: None,
        }
    }
}

impl Range {
    /// All entries.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The last entries, that many.
    #[must_use]
    pub fn last(count: u64) -> Self {
        Self { from: From::Last(count), ..Self::default() }
    }

    /// The entries from one number to another, both included.
    #[must_use]
    pub fn between(from: u64, to: Option<u64>) -> Self {
        Self { from: From::Seq(from), to, ..Self::default() }
    }

    /// The entries of a turn.
    #[must_use]
    pub fn turn(turn: u64) -> Self {
        Self { from: From::Turn(turn), ..Self::default() }
    }

    /// The same range, only entries of these kinds.
    #[must_use]
    pub fn of_kinds(mut self, kinds: impl Into<Vec<Kind>>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// The same range, from its last entry to its first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// The same range, at most that many entries.
    #[must_use]
    pub fn at_most(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same range, up to that entry.
    #[must_use]
    pub fn up_to(mut self, to: u64) -> Self {
        self.to = Some(to);
        self
    }

    /// The same range, in pages of about that many bytes.
    #[must_use]
    pub fn in_pages_of(mut self, bytes: u64) -> Self {
        self.page_bytes = bytes;
        self
    }

    /// The same range, from where a page ended on.
    #[must_use]
    pub fn after(&self, cursor: Cursor) -> Self {
        Self { from: From::Cursor(cursor), ..self.clone() }
    }
}

impl Cursor {
    pub(super) fn new(seq: u64, offset: u64, prev: Hash, sound: Option<Head>) -> Self {
        Self { seq, offset, prev, left: None, sound, last: None, ends_with: None }
    }

    /// How many entries may still come.
    pub(super) fn left(&self) -> Option<u64> {
        self.left
    }

    /// The same, with what holds for all pages.
    pub(super) fn bounded(self, left: Option<u64>, last: u64, ends_with: Option<Hash>) -> Self {
        Self { left, last: self.last.or(Some(last)), ends_with, ..self }
    }

    /// After the first entry of a damaged session that was read backwards: what follows says what is
    /// wrong with it.
    pub(super) fn before_first(sound: Head) -> Self {
        let nothing = Hash::from_bytes([0; 32]);
        Self { last: Some(1), ..Self::new(0, 0, nothing, Some(sound)) }
    }

    /// Whether all entries that can be read were.
    pub(super) fn is_before_first(&self) -> bool {
        self.sound.is_some() && self.last > Some(self.seq)
    }
}

/// What is to be read, in numbers of entries.
pub(super) struct Wanted {
    /// First and last entry.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) cursor: Option<Cursor>,
    pub(super) page_bytes: u64,
}

impl Wanted {
    pub(super) fn new(range: &Range, head: Head) -> Option<Self> {
        let to = range.to.unwrap_or(head.seq).min(head.seq);
        let (from, to, cursor) = match &range.from {
            From::Seq(seq) | From::Turn(seq) => (*seq, to, None),
            From::Last(0) => return None,
            From::Last(count) => ((head.seq + 1).saturating_sub(*count), to, None),
            From::Cursor(cursor) => match (range.newest_first, cursor.last) {
                (true, last) => (last.unwrap_or_default(), cursor.seq, Some(cursor.clone())),
                (false, last) => (cursor.seq, last.unwrap_or(to), Some(cursor.clone())),
            },
        };
        let page_bytes = range.page_bytes.clamp(1, 4 * LINE_BYTES_MAX as u64);
        (from <= to).then_some(Self { from, to, cursor, page_bytes })
    }
}
