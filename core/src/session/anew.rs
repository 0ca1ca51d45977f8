//! Whether what a cursor goes on with is still the session that was read: it may have been deleted, and
//! begun anew.

use super::range::{Cursor, From, Range};
use super::read::entry;
use super::source::Source;
use crate::line::Line;
use crate::log::Head;
use crate::task::Io;
use crate::{Error, ErrorClass, ErrorKind, Hash, Result};

/// A session only grows: where it ends before what a reader saw of it, it is another one by now, or
/// the part that only the hot store had was evicted.
pub(super) fn check_grown(range: &Range, head: Head) -> Result<()> {
    let From::Cursor(cursor) = &range.from else { return Ok(()) };
    let highest = if range.newest_first { Some(cursor.seq) } else { cursor.last };
    if cursor.sound.is_some() || highest.is_none_or(|highest| highest <= head.seq) {
        return Ok(());
    }
    let message = "the session ends before what was read of it: it was deleted, or evicted, \
                   meanwhile; read it anew";
    Err(Error::new(ErrorKind::Conflict, message))
}

/// Where it was read to its head, it ends there with that very entry: else the part of which only the
/// hot store had it was evicted, and others wrote something else in its place.
pub(super) fn check_end(cursor: &Cursor, seq: u64, hash: Hash) -> Result<()> {
    if cursor.last != Some(seq) || cursor.ends_with.is_none_or(|head| head == hash) {
        return Ok(());
    }
    let message = "the session goes on in another way than when the first page was read: its last \
                   entries were evicted meanwhile; read it anew";
    Err(Error::new(ErrorKind::Conflict, message))
}

/// What was read before the cursor (backwards: what it goes on with) must be what stands there: else the
/// session was deleted, and another one of that id is there.
pub(super) async fn check_followed(
    io: &Io,
    source: &Source,
    head: Head,
    range: &Range,
) -> Result<()> {
    let From::Cursor(cursor) = &range.from else { return Ok(()) };
    let known = if range.newest_first { Some(cursor.seq) } else { cursor.seq.checked_sub(1) };
    let Some(known) = known else { return Ok(()) };
    let line = match entry(io, source, head, known).await {
        // Of another session it would be there: this one is damaged.
        Err(error) if error.kind().class() == ErrorClass::Data => return Ok(()),
        line => line?,
    };
    if Line::split(&line).and_then(|line| line.hash()) == Some(cursor.prev) {
        return Ok(());
    }
    let message =
        "the session is another one by now: the one that was read was deleted; read it anew";
    Err(Error::new(ErrorKind::Conflict, message))
}
