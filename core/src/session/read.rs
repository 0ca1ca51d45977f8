//! Reading some of a session's entries: costs what it gives, whatever the session's length.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Task;
use super::again::{again, is_moving};
use super::anew::{check_end, check_followed, check_grown};
use super::open::{START_BYTES, find_session};
use super::range::{Cursor, From, Range, Wanted};
use super::scan::Chunks;
use super::source::{ArchivePart, LogPart, Source};
use crate::archive::{Index, Located, inflate_span};
use crate::log::{Bisection, Found, Head, LineReader, Report, Verifier};
use crate::task::{Answer, Io};
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// Some entries, verified among themselves: each line's hash, and that each follows the one before
/// it. Lines that reach the head are also compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Whole lines of the log, each with its `\n`; backwards, the last one first.
    pub lines: Vec<u8>,
    /// Their entries' numbers.
    pub seqs: Vec<u64>,
    /// Number of the first entry that was looked at.
    pub first_seq: u64,
    /// How many entries there are. May be none in a page that others follow, where only some kinds
    /// are wanted.
    pub entries: u64,
    /// The session's head.
    pub head: Head,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
}

/// Reads a page of a session's entries, live or archived. An empty range gives an empty page.
#[must_use]
pub fn read(id: SessionId, range: Range) -> Task<Page> {
    Task::new(async move |io| {
        read_page(&io, &id, range).await.map_err(|error| error.in_session(&id))
    })
}

/// A session as a reader sees it: up to its head, or to where it is damaged.
struct Readable {
    head: Head,
    source: Source,
    /// What follows the head does not hold.
    is_damaged: bool,
}

pub(super) fn read_page<'a>(io: &'a Io, id: &'a SessionId, range: Range) -> Answer<'a, Page> {
    // It may be archived or restored between two looks at it.
    Box::pin(again(is_moving, move || read_once(io, id, range.clone())))
}

async fn read_once(io: &Io, id: &SessionId, range: Range) -> Result<Page> {
    let sound = match &range.from {
        From::Cursor(cursor) => cursor.sound,
        _ => None,
    };
    let Readable { head, source, is_damaged } = readable(io, id, sound).await?;
    let range = super::pick::resolved(io, id, range).await?;
    check_grown(&range, head)?;
    // What does not hold is told where something of it is wanted.
    let is_damaged_there = is_damaged && range.to.is_none_or(|to| to > head.seq);
    let Some(wanted) = Wanted::new(&range, head) else {
        if is_damaged_there {
            return Err(fault(io, id).await?);
        }
        let (lines, seqs, first_seq) = (Vec::new(), Vec::new(), head.seq + 1);
        return Ok(Page { lines, seqs, first_seq, entries: 0, head, next: None });
    };
    let mut page = match page_of(io, &source, head, &wanted, range.newest_first).await {
        Ok(page) => page,
        Err(error) => {
            if !is_damaged && error.kind().class() == ErrorClass::Data {
                check_followed(io, &source, head, &range).await?;
            }
            return Err(source.blamed(io, error).await);
        }
    };
    if is_damaged && let Some(cursor) = &mut page.next {
        cursor.sound = Some(head);
    } else if is_damaged_there {
        page.next = Some(match range.newest_first {
            true => Cursor::before_first(head),
            false => Cursor::new(head.seq + 1, head.bytes, head.hash, Some(head)),
        });
    }
    super::pick::narrow(&mut page, &range, &wanted)?;
    Ok(page)
}

/// A page of the part that holds its first entry.
async fn page_of(
    io: &Io,
    source: &Source,
    head: Head,
    wanted: &Wanted,
    is_back: bool,
) -> Result<Page> {
    let first = if is_back { wanted.to } else { wanted.from };
    let cut = if is_back { super::back::page } else { page };
    match (&source.log, &source.archive) {
        (Some(log), _) if first >= log.first_seq => {
            let (bytes, start) = match is_back {
                true => super::back::read_log(io, log, head, wanted).await?,
                false => read_log(io, log, head, wanted).await?,
            };
            cut(&bytes, start, head, wanted)
        }
        (_, Some(archive)) => {
            let (bytes, start) = match &archive.index {
                Some(index) => read_archive(io, archive, index, wanted, is_back).await?,
                None => read_stream(io, archive, wanted, is_back).await?,
            };
            cut(&bytes, start, head, wanted).map_err(|error| match error.kind() {
                ErrorKind::HeadMismatch => {
                    Error::new(ErrorKind::BadIndex, "the index names another head")
                }
                _ => error,
            })
        }
        _ => match &source.cold {
            Some(cold) => {
                let (bytes, start) = cold.read(io, wanted, is_back).await?;
                cut(&bytes, start, head, wanted)
            }
            None => Err(Error::new(ErrorKind::NotFound, "there is no such session")),
        },
    }
}

/// The line of one entry, verified by itself.
pub(super) fn entry<'a>(
    io: &'a Io,
    source: &'a Source,
    head: Head,
    seq: u64,
) -> Answer<'a, Vec<u8>> {
    Box::pin(async move {
        let (from, to, cursor) = (seq, seq, None);
        let mut line = match &source.log {
            Some(log) if seq >= log.first_seq => {
                let offset = if seq == log.first_seq {
                    log.offset
                } else {
                    find(io, log, head, seq).await?
                };
                let mut line = log.line_at(io, offset, head.bytes).await?;
                line.push(b'\n');
                let mut verifier = Verifier::resume(first_prev(&line), seq, offset);
                verifier.push(&line);
                verifier.into_fault().map_or(Ok(()), |fault| Err(fault.at_key(&log.key)))?;
                line
            }
            _ => {
                page_of(io, source, head, &Wanted { from, to, cursor, page_bytes: 1 }, false)
                    .await?
                    .lines
            }
        };
        line.pop();
        Ok(line)
    })
}

/// The session; where its end is damaged, up to the first fault.
async fn readable(io: &Io, id: &SessionId, sound: Option<Head>) -> Result<Readable> {
    if let Some(head) = sound {
        let (source, _) = Source::find_sound(io, id, START_BYTES).await?;
        return Ok(Readable { head, source, is_damaged: true });
    }
    let found = match find_session(io, id).await {
        Ok((session, source)) => session.head().map(|head| (head, source, false)),
        Err(error) if is_damage(&error) => {
            let head = sound_part(io, id).await?.head.ok_or(error)?;
            let (source, _) = Source::find_sound(io, id, START_BYTES).await?;
            Some((head, source, true))
        }
        Err(error) => return Err(error),
    };
    let empty = || Error::new(ErrorKind::EmptyLog, "no entry");
    let (head, source, is_damaged) = found.ok_or_else(empty)?;
    Ok(Readable { head, source, is_damaged })
}

/// Whether a log's end is damaged, so that what precedes it has to be looked for.
fn is_damage(error: &Error) -> bool {
    let is_of_log = error.place().key.as_ref().is_some_and(|key| key.ends_with(".jsonl"));
    let may_hold = !matches!(
        error.kind(),
        ErrorKind::EmptyLog | ErrorKind::UnsupportedVersion | ErrorKind::WrongSession
    );
    is_of_log && may_hold && error.kind().class() == ErrorClass::Data
}

async fn sound_part(io: &Io, id: &SessionId) -> Result<Report> {
    let mut verifier = Verifier::default();
    let scanned = super::scan::scan(io, id, None, &mut |chunk| {
        verifier.push(chunk);
        Ok(())
    })
    .await;
    let report = verifier.finish();
    match scanned {
        Ok(_) => Ok(report),
        // What precedes it was given.
        Err(error) if is_damage(&error) => Ok(Report { fault: Some(error), ..report }),
        Err(error) => Err(error),
    }
}

async fn fault(io: &Io, id: &SessionId) -> Result<Error> {
    let fault = sound_part(io, id).await?.fault;
    Ok(fault
        .unwrap_or_else(|| Error::new(ErrorKind::Conflict, "the log changed while it was read")))
}

/// Where bytes that were read start in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) seq: u64,
    pub(super) offset: u64,
}

async fn read_log(io: &Io, log: &LogPart, head: Head, wanted: &Wanted) -> Result<(Vec<u8>, Start)> {
    let offset = match &wanted.cursor {
        Some(cursor) => cursor.offset,
        None => find(io, log, head, wanted.from).await?,
    };
    let mut length = wanted.page_bytes;
    loop {
        let end = head.bytes.min(offset.saturating_add(length));
        let mut bytes = log.get(io, offset..end).await?;
        if let Some(last) = memchr::memrchr(b'\n', &bytes) {
            bytes.truncate(last + 1);
            return Ok((bytes, Start { seq: wanted.from, offset }));
        }
        if end == head.bytes {
            let message = "the log changed while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(&log.key));
        }
        length = length.saturating_mul(4);
    }
}

/// Where an entry's line starts.
pub(super) async fn find(io: &Io, log: &LogPart, head: Head, seq: u64) -> Result<u64> {
    let mut search = Bisection::new((log.first_seq, log.offset), head, seq);
    loop {
        let range = search.range();
        let window = log.get(io, range.clone()).await?;
        if let Found::At(offset) = search.look(&range, &window) {
            return Ok(offset);
        }
    }
}

/// Reads the spans from the one with the first wanted entry on, until the page is full; backwards,
/// the one with the last wanted entry.
pub(super) async fn read_archive(
    io: &Io,
    archive: &ArchivePart,
    index: &Index,
    wanted: &Wanted,
    is_back: bool,
) -> Result<(Vec<u8>, Start)> {
    let key = &archive.key;
    let first_entry = if is_back { wanted.to } else { wanted.from };
    let is_before = |span: &Located| span.first_seq + span.span.entries <= first_entry;
    let mut spans = index.located().skip_while(is_before);
    let bad_index = || Error::new(ErrorKind::BadIndex, "the index lacks an entry").at_key(key);
    let first = spans.next().ok_or_else(bad_index)?;
    let start = Start { seq: first.first_seq, offset: first.raw.start };
    let mut chosen = [first].to_vec();
    for span in spans {
        let raw = span.raw.end - start.offset;
        if is_back || span.first_seq > wanted.to || raw > wanted.page_bytes {
            break;
        }
        chosen.push(span);
    }
    let from = chosen.first().map_or(0, |span| span.compressed.start);
    let to = chosen.last().map_or(0, |span| span.compressed.end);
    let compressed = archive.get(io, from..to).await?;
    let mut raw = Vec::new();
    for span in &chosen {
        let place = |at: u64| usize::try_from(at - from).unwrap_or(usize::MAX);
        let bytes = place(span.compressed.start)..place(span.compressed.end);
        let bytes = compressed.get(bytes).unwrap_or_default();
        raw.extend(inflate_span(span, bytes).map_err(|error| error.at_key(key))?);
    }
    Ok((raw, start))
}

/// Reads a gzip file without an index from its start on, up to a page from the first wanted entry
/// on; backwards, up to the last wanted one.
async fn read_stream(
    io: &Io,
    archive: &ArchivePart,
    wanted: &Wanted,
    is_back: bool,
) -> Result<(Vec<u8>, Start)> {
    let source = Source { archive: Some(archive.clone()), cold: None, log: None };
    let mut chunks = Chunks::of(io, &source, None);
    let mut reader = LineReader::new(0);
    let mut kept = VecDeque::<(Start, Vec<u8>)>::new();
    let (mut seq, mut bytes) = (0, 0_u64);
    while let Some(chunk) = chunks.next().await? {
        reader.push(&chunk, |line, offset| {
            let is_full = !is_back && bytes >= wanted.page_bytes;
            let is_after_first = is_back || seq >= wanted.from;
            if is_after_first && seq <= wanted.to && !is_full {
                bytes += line.len() as u64 + 1;
                kept.push_back((Start { seq, offset }, [line, b"\n"].concat()));
            }
            seq += 1;
            Ok(())
        })?;
        while is_back && kept.len() > 1 && bytes > wanted.page_bytes {
            bytes -= kept.pop_front().map_or(0, |(_, line)| line.len() as u64);
        }
        if seq > wanted.to || !is_back && bytes >= wanted.page_bytes {
            break;
        }
    }
    let lost = || Error::new(ErrorKind::BadSeq, "the wanted entry is not where it should be");
    let start = kept.front().ok_or_else(lost)?.0;
    Ok((kept.into_iter().flat_map(|(_, line)| line).collect(), start))
}

/// Cuts the wanted lines out of some that start at `start`, and verifies those. Where one does not
/// hold, the ones before it are the page.
fn page(bytes: &[u8], start: Start, head: Head, wanted: &Wanted) -> Result<Page> {
    let lost = || Error::new(ErrorKind::BadSeq, "the wanted entry is not where it should be");
    let cut = line_start(bytes, wanted.from - start.seq).ok_or_else(lost)?;
    let lines = bytes.get(cut..).filter(|lines| !lines.is_empty()).ok_or_else(lost)?;
    let end = line_start(lines, wanted.to - wanted.from + 1).unwrap_or(lines.len());
    let mut lines = lines.get(..end).unwrap_or_default().to_vec();
    let offset = start.offset + cut as u64;
    let cursor = wanted.cursor.as_ref().map(|cursor| cursor.prev);
    let prev = cursor.or_else(|| first_prev(&lines));
    let last = verified(&mut lines, prev, wanted.from, offset)?;
    let (last_seq, last_hash) = last.ok_or_else(lost)?;
    if last_seq == head.seq && last_hash != head.hash {
        return Err(Error::new(ErrorKind::HeadMismatch, "the lines do not lead to the head"));
    }
    if let Some(cursor) = &wanted.cursor {
        check_end(cursor, last_seq, last_hash)?;
    }
    let end = offset + lines.len() as u64;
    let next = Cursor::new(last_seq + 1, end, last_hash, None);
    let seqs: Vec<u64> = (wanted.from..=last_seq).collect();
    let (entries, next) = (seqs.len() as u64, (last_seq < wanted.to).then_some(next));
    Ok(Page { lines, seqs, first_seq: wanted.from, entries, head, next })
}

/// Verifies lines, and cuts them off at the first that does not hold, which must not be the first
/// of all; gives the last one's number and hash.
pub(super) fn verified(
    lines: &mut Vec<u8>,
    prev: Option<Hash>,
    seq: u64,
    offset: u64,
) -> Result<Option<(u64, Hash)>> {
    let mut verifier = Verifier::resume(prev, seq, offset);
    let mut last = None;
    let mut sound = 0;
    verifier.push_each(lines, |verified| {
        last = Some((verified.seq, verified.hash()));
        sound = (verified.offset - offset) as usize + verified.line.len() + 1;
        Ok(())
    });
    if let Some(fault) = verifier.into_fault() {
        if last.is_none() {
            return Err(fault);
        }
        lines.truncate(sound);
    }
    Ok(last)
}

/// Where a line starts, counted from 0; the end counts as one.
pub(super) fn line_start(bytes: &[u8], line: u64) -> Option<usize> {
    let breaks_before = usize::try_from(line).ok()?;
    match breaks_before.checked_sub(1) {
        None => Some(0),
        Some(skip) => memchr::memchr_iter(b'\n', bytes).nth(skip).map(|at| at + 1),
    }
}

/// What the first of some lines says it follows.
pub(super) fn first_prev(bytes: &[u8]) -> Option<Hash> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = crate::line::Line::split(bytes.get(..end)?)?;
    Hash::from_hex(line.prev?)
}
