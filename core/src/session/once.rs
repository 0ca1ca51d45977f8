//! Appends that happen once: whether the items of one are in the session already.

use alloc::string::String;
use alloc::vec::Vec;

use super::Session;
use super::again::{again, is_only_moving};
use super::live::Known;
use super::open::open_session;
use super::range::Range;
use super::read::read_page;
use crate::entry::{Envelope, utf8};
use crate::line::Line;
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// Where the entries of those drafts start, if they are in the session; `None` if not one of their items is.
pub(super) async fn applied_at(
    io: &Io,
    session: &Session,
    drafts: &[String],
) -> Result<Option<u64>> {
    again(is_only_moving, || look_for(io, session, drafts)).await
}

async fn look_for(io: &Io, session: &Session, drafts: &[String]) -> Result<Option<u64>> {
    let ids = Known::ids_of(drafts)?;
    if ids.is_empty() {
        let message = "an append that happens once needs items with ids";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let knows_ids = session.live.lock().knows_ids(session.head());
    if !knows_ids {
        let (known, sections) = super::tier::learn_ids(io, session).await?;
        session.live.lock().learn(known, sections, session.head());
    }
    super::tier::confirm_ids(io, session, &ids).await?;
    let place = |id: &(u64, String)| session.live.lock().seq_of(&id.1);
    let places: Vec<_> = ids.iter().map(place).collect();
    if places.iter().all(Option::is_none) {
        return Ok(None);
    }
    // The same append, or another one that shares items with it?
    let head = session.head().map_or(0, |head| head.seq);
    let first = places.iter().zip(&ids).find_map(|(seq, (index, _))| (*seq)?.checked_sub(*index));
    let is_there = |(seq, (index, _)): (&Option<u64>, &(u64, String))| {
        *seq == first.map(|first| first + index)
    };
    let others = places.iter().zip(&ids).position(|pair| !is_there(pair));
    let first = first.filter(|first| first + drafts.len() as u64 <= head + 1);
    if planted!(OnceForAll) && first.is_some() {
        return Ok(first);
    }
    let is_batch = match (first, ids.first()) {
        (Some(first), Some(id)) => {
            check_there(io, session, first, id).await?;
            batch_length(io, session, first).await? == drafts.len() as u64
        }
        _ => false,
    };
    if let (Some(first), None, true) = (first, others, is_batch) {
        return Ok(Some(first));
    }
    let index = others.and_then(|at| ids.get(at)).or(ids.first()).map(|(index, _)| *index);
    let message = "some of these items are in the session already, not by the same append";
    let error = Error::new(ErrorKind::AlreadyExists, message);
    Err(error.at(|place| place.draft = index))
}

/// Looks that an item is where this handle saw it.
async fn check_there(
    io: &Io,
    session: &Session,
    first: u64,
    (index, id): &(u64, String),
) -> Result<()> {
    let mut known = Known::default();
    let seq = first + index;
    known.push_from(&lines_at(io, session, seq).await?, seq)?;
    if known.seq_of(id) == Some(seq) { Ok(()) } else { Err(gone(io, session).await) }
}

/// How many entries were appended together, the first of which that is.
async fn batch_length(io: &Io, session: &Session, seq: u64) -> Result<u64> {
    let lines = lines_at(io, session, seq).await?;
    let line = lines.strip_suffix(b"\n").unwrap_or_default();
    let rest = Line::split(line).map(|line| line.rest).unwrap_or_default();
    Ok(u64::from(Envelope::parse(utf8(rest)?)?.more) + 1)
}

/// The entry of that number.
async fn lines_at(io: &Io, session: &Session, seq: u64) -> Result<Vec<u8>> {
    let range = Range::between(seq, Some(seq)).in_pages_of(1);
    let lines = read_page(io, session.id(), range).await?.lines;
    if lines.is_empty() { Err(gone(io, session).await) } else { Ok(lines) }
}

/// What to say where the store lost entries since this handle saw them, or someone deleted them, and
/// others wrote in their place perhaps.
async fn gone(io: &Io, session: &Session) -> Error {
    let message = "the session is not what it was: entries that were there are gone";
    let error = Error::new(ErrorKind::Conflict, message);
    match open_session(io, session.id()).await.map(|now| now.head()) {
        Ok(Some(actual)) => error.with_actual(actual),
        Ok(None) => error,
        Err(error) => error,
    }
}
