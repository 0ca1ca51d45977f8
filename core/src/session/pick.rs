//! Which of a range's entries are wanted: of a turn, of some kinds, so many.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;

use super::append::each_line;
use super::range::{From, Range, Wanted};
use super::read::{Page, read_page};
use crate::entry::{Entry, Envelope, utf8};
use crate::line::Line;
use crate::task::Io;
use crate::{Error, ErrorKind, Kind, Result, SessionId};

/// A range in numbers of entries, where it was given by a turn or as the last of some kinds.
pub(super) async fn resolved(io: &Io, id: &SessionId, range: Range) -> Result<Range> {
    match range.from {
        From::Turn(turn) => {
            let (first, last) = turn_bounds(io, id, turn).await?;
            let to = range.to.map_or(last, |to| to.min(last));
            Ok(Range { from: From::Seq(first), to: Some(to), ..range })
        }
        From::Last(count) if count > 0 && !range.kinds.is_empty() => {
            let first = nth_last(io, id, count, &range.kinds).await?;
            Ok(Range { from: From::Seq(first), ..range })
        }
        _ => Ok(range),
    }
}

/// A page read by an operation that is itself reading one.
fn again<'a>(
    io: &'a Io,
    id: &'a SessionId,
    range: Range,
) -> Pin<Box<dyn Future<Output = Result<Page>> + Send + 'a>> {
    Box::pin(read_page(io, id, range))
}

/// The first and last entry of the last turn of that number. Looks from the end on.
async fn turn_bounds(io: &Io, id: &SessionId, turn: u64) -> Result<(u64, u64)> {
    let mut range = Range::all().newest_first().of_kinds([Kind::TurnEnd]);
    let mut end = None;
    loop {
        let page = again(io, id, range.clone()).await?;
        let mut seqs = page.seqs.iter();
        let mut start = None;
        each_line(&page.lines, &mut |line| {
            let seq = seqs.next().copied().unwrap_or_default();
            match end {
                None if Entry::parse(line)?.count("turn") == Some(turn) => end = Some(seq),
                Some(_) if start.is_none() => start = Some(seq + 1),
                _ => {}
            }
            Ok(())
        })?;
        if let (Some(start), Some(end)) = (start, end) {
            return Ok((start, end));
        }
        match (page.next, end) {
            (Some(cursor), end) if end.is_none() || !cursor.is_before_first() => {
                range = range.after(cursor);
            }
            (_, Some(end)) => return Ok((1.min(end), end)),
            (_, None) => {
                return Err(Error::new(ErrorKind::NotFound, "there is no such turn"));
            }
        }
    }
}

/// The first of the last `count` entries of those kinds.
async fn nth_last(io: &Io, id: &SessionId, count: u64, kinds: &[Kind]) -> Result<u64> {
    let mut range = Range::all().newest_first().of_kinds(kinds).at_most(count);
    loop {
        let page = again(io, id, range.clone()).await?;
        match (page.next, page.seqs.last()) {
            (Some(cursor), _) if !cursor.is_before_first() => range = range.after(cursor),
            (_, Some(seq)) => return Ok(*seq),
            (_, None) => return Ok(page.first_seq.min(page.head.seq + 1)),
        }
    }
}

/// Leaves of a page the entries that are wanted.
pub(super) fn narrow(page: &mut Page, range: &Range, wanted: &Wanted) -> Result<()> {
    let mut left = wanted.cursor.as_ref().map_or(range.limit, |cursor| cursor.left());
    if !range.kinds.is_empty() || left.is_some() {
        let mut lines = Vec::new();
        let mut seqs = Vec::new();
        let mut all = page.seqs.iter();
        each_line(&page.lines, &mut |line| {
            let seq = all.next().copied().unwrap_or_default();
            if left != Some(0) && is_wanted(line, &range.kinds)? {
                lines.extend_from_slice(line);
                lines.push(b'\n');
                seqs.push(seq);
                left = left.map(|left| left - 1);
            }
            Ok(())
        })?;
        (page.entries, page.lines, page.seqs) = (seqs.len() as u64, lines, seqs);
    }
    let last = if range.newest_first { wanted.from } else { wanted.to };
    let next = page.next.take().filter(|_| left != Some(0));
    let ends_with = match &wanted.cursor {
        Some(cursor) => cursor.ends_with,
        None => (last == page.head.seq).then_some(page.head.hash),
    };
    page.next = next.map(|cursor| cursor.bounded(left, last, ends_with));
    Ok(())
}

fn is_wanted(line: &[u8], kinds: &[Kind]) -> Result<bool> {
    if kinds.is_empty() {
        return Ok(true);
    }
    let Some(split) = Line::split(line) else { return Ok(false) };
    Ok(kinds.contains(&Envelope::parse(utf8(split.rest)?)?.kind))
}
