//! Reading some of a session's entries: costs what it gives, whatever the session's length.

use alloc::vec::Vec;

use super::open::find_session;
use super::{Form, Task};
use crate::archive::{Index, Located, inflate_span};
use crate::limits::LINE_BYTES_MAX;
use crate::log::{Bisection, Found, Head, Verifier};
use crate::store::{Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

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
}

/// Where to start reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// At the entry of that number.
    Seq(u64),
    /// So that the last entries come, that many.
    Last(u64),
    /// Where a page before ended.
    Cursor(Cursor),
}

/// Where a page ended: the next entry, and what it must follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cursor {
    /// Number of the next entry.
    pub seq: u64,
    /// Where its line starts in the log.
    pub offset: u64,
    /// Hash of the entry before it.
    pub prev: Hash,
}

/// Some entries, verified among themselves: each line's hash, and that each follows the one before
/// it. Lines that reach the head are also compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Whole lines of the log, each with its `\n`.
    pub lines: Vec<u8>,
    /// Number of the first one.
    pub first_seq: u64,
    /// How many.
    pub entries: u64,
    /// The session's head.
    pub head: Head,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
}

impl Default for Range {
    fn default() -> Self {
        Self { from: From::Seq(0), to: None, page_bytes: PAGE_BYTES }
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

/// Reads a page of a session's entries, live or archived. An empty range gives an empty page.
#[must_use]
pub fn read(id: SessionId, range: Range) -> Task<Page> {
    Task::new(async move |io| {
        read_page(&io, &id, range).await.map_err(|error| error.in_session(&id))
    })
}

/// What is to be read, in numbers of entries.
struct Wanted {
    /// First and last entry.
    from: u64,
    to: u64,
    cursor: Option<Cursor>,
    page_bytes: u64,
}

impl Wanted {
    fn new(range: Range, head: Head) -> Option<Self> {
        let to = range.to.unwrap_or(head.seq).min(head.seq);
        let (from, cursor) = match range.from {
            From::Seq(seq) => (seq, None),
            From::Last(0) => return None,
            From::Last(count) => ((head.seq + 1).saturating_sub(count), None),
            From::Cursor(cursor) => (cursor.seq, Some(cursor)),
        };
        let page_bytes = range.page_bytes.clamp(1, 4 * LINE_BYTES_MAX as u64);
        (from <= to).then_some(Self { from, to, cursor, page_bytes })
    }
}

async fn read_page(io: &Io, id: &SessionId, range: Range) -> Result<Page> {
    let log = Key::of(id, Part::Log);
    let (session, index) = find_session(io, id).await?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let Some(wanted) = Wanted::new(range, head) else {
        let from = head.seq + 1;
        return Ok(Page { lines: Vec::new(), first_seq: from, entries: 0, head, next: None });
    };
    let (bytes, start) = match &index {
        None => read_log(io, &log, head, &wanted).await?,
        Some(index) => read_archive(io, id, index, &wanted).await?,
    };
    page(&bytes, start, head, &wanted).map_err(|error| match (session.form, error.kind()) {
        (Form::Archived, ErrorKind::HeadMismatch) => {
            Error::new(ErrorKind::BadIndex, "the index names another head")
        }
        _ => error,
    })
}

/// Where bytes that were read start in the log.
#[derive(Debug, Clone, Copy)]
struct Start {
    seq: u64,
    offset: u64,
}

async fn read_log(io: &Io, key: &Key, head: Head, wanted: &Wanted) -> Result<(Vec<u8>, Start)> {
    let offset = match &wanted.cursor {
        Some(cursor) => cursor.offset,
        None => find(io, key, head, wanted.from).await?,
    };
    let mut length = wanted.page_bytes;
    loop {
        let end = head.bytes.min(offset.saturating_add(length));
        let mut bytes = io.get(key, Some(offset..end)).await?.bytes;
        if let Some(last) = memchr::memrchr(b'\n', &bytes) {
            bytes.truncate(last + 1);
            return Ok((bytes, Start { seq: wanted.from, offset }));
        }
        if end == head.bytes {
            let message = "the log changed while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(key));
        }
        length = length.saturating_mul(4);
    }
}

async fn find(io: &Io, key: &Key, head: Head, seq: u64) -> Result<u64> {
    let mut search = Bisection::new(head, seq);
    loop {
        let range = search.range();
        let window = io.get(key, Some(range.clone())).await?.bytes;
        if let Found::At(offset) = search.look(&range, &window) {
            return Ok(offset);
        }
    }
}

/// Reads the spans from the one with the first wanted entry on, until the page is full.
async fn read_archive(
    io: &Io,
    id: &SessionId,
    index: &Index,
    wanted: &Wanted,
) -> Result<(Vec<u8>, Start)> {
    let key = Key::of(id, Part::Archive);
    let is_before = |span: &Located| span.first_seq + span.span.entries <= wanted.from;
    let mut spans = index.located().skip_while(is_before);
    let bad_index = || Error::new(ErrorKind::BadIndex, "the index lacks an entry").at_key(&key);
    let first = spans.next().ok_or_else(bad_index)?;
    let start = Start { seq: first.first_seq, offset: first.raw.start };
    let mut chosen = [first].to_vec();
    for span in spans {
        let raw = span.raw.end - start.offset;
        if span.first_seq > wanted.to || raw > wanted.page_bytes {
            break;
        }
        chosen.push(span);
    }
    let from = chosen.first().map_or(0, |span| span.compressed.start);
    let to = chosen.last().map_or(0, |span| span.compressed.end);
    let compressed = io.get(&key, Some(from..to)).await?.bytes;
    let mut raw = Vec::new();
    for span in &chosen {
        let place = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX);
        let bytes = place(span.compressed.start)..place(span.compressed.end);
        let bytes = compressed.get(bytes).unwrap_or_default();
        raw.extend(inflate_span(span, bytes).map_err(|error| error.at_key(&key))?);
    }
    Ok((raw, start))
}

/// Cuts the wanted lines out of some that start at `start`, and verifies those.
fn page(bytes: &[u8], start: Start, head: Head, wanted: &Wanted) -> Result<Page> {
    let lost = || Error::new(ErrorKind::BadSeq, "the wanted entry is not where it should be");
    let cut = line_start(bytes, wanted.from - start.seq).ok_or_else(lost)?;
    let lines = bytes.get(cut..).filter(|lines| !lines.is_empty()).ok_or_else(lost)?;
    let end = line_start(lines, wanted.to - wanted.from + 1).unwrap_or(lines.len());
    let lines = lines.get(..end).unwrap_or_default().to_vec();
    let offset = start.offset + cut as u64;
    let cursor = wanted.cursor.as_ref().map(|cursor| cursor.prev);
    let prev = cursor.or_else(|| first_prev(&lines));
    let mut verifier = Verifier::resume(prev, wanted.from, offset);
    let mut last = None;
    verifier.push_each(&lines, |verified| {
        last = Some((verified.seq, verified.hash()));
        Ok(())
    });
    verifier.into_fault().map_or(Ok(()), Err)?;
    let (last_seq, last_hash) = last.ok_or_else(lost)?;
    if last_seq == head.seq && last_hash != head.hash {
        return Err(Error::new(ErrorKind::HeadMismatch, "the lines do not lead to the head"));
    }
    let next = Cursor { seq: last_seq + 1, offset: offset + lines.len() as u64, prev: last_hash };
    let (entries, next) = (next.seq - wanted.from, (last_seq < wanted.to).then_some(next));
    Ok(Page { lines, first_seq: wanted.from, entries, head, next })
}

/// Where a line starts, counted from 0; the end counts as one.
fn line_start(bytes: &[u8], line: u64) -> Option<usize> {
    let breaks_before = usize::try_from(line).ok()?;
    match breaks_before.checked_sub(1) {
        None => Some(0),
        Some(skip) => memchr::memchr_iter(b'\n', bytes).nth(skip).map(|at| at + 1),
    }
}

/// What the first of some lines says it follows.
fn first_prev(bytes: &[u8]) -> Option<Hash> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = crate::line::Line::split(bytes.get(..end)?)?;
    Hash::from_hex(line.prev?)
}
