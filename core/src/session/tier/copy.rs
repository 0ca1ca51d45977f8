//! Copying sessions whole from one store to another.

use alloc::vec::Vec;

use super::Task;
use super::claim::{CLAIM_WINDOW, is_claim, is_raced};
use super::flush::{about, known_about, upload};
use super::gather::diverged;
use crate::limits::BATCH_BYTES_MAX;
use crate::log::{Expectation, Head, Verifier};
use crate::session::cold::{ColdPart, newest};
use crate::session::open::{TRIES, find_session};
use crate::session::read::entry;
use crate::session::scan::Chunks;
use crate::session::source::{Source, found};
use crate::session::staging::Staging;
use crate::session::{Form, Session};
use crate::store::{After, Condition, Durability, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// How the sessions of a store lie (`docs/format.md` §7, §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A log or an archive each: in files, memory, Redis.
    Files,
    /// Manifests and segments: in S3 and the like.
    Objects,
}

/// What copying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The session's head, the same in both stores.
    pub head: Head,
    /// How many entries were new where it was copied to.
    pub entries: u64,
}

/// Copies a session to the other store of the task ([`crate::store::Request::Cold`]), which gets it in
/// that layout; however it lies in the first one. Of a session that is there already what is new is
/// added, so an interrupted copying can be done again. What is copied is verified. `conflict` where
/// the session there has other entries.
#[must_use]
pub fn copy(id: SessionId, to: Layout) -> Task<Copied> {
    Task::new(async move |io| {
        let copied = async {
            let from = io.alone();
            let (session, source) = find_session(&from, &id).await?;
            let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
            match to {
                Layout::Files => {
                    let to = io.cold_store()?;
                    let copied = transfer(&from, &source, head, &to, &id).await?;
                    if copied.entries > 0 {
                        carry_about(&from, &source, &to, &id).await?;
                    }
                    Ok(copied)
                }
                Layout::Objects => {
                    let (_, flushed) = upload(&io, &from, &id, &source, head, false).await?;
                    Ok(Copied { head, entries: flushed.entries })
                }
            }
        };
        copied.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// Title, kind and tags go along, unless some are there: those may be newer.
async fn carry_about(from: &Io, source: &Source, to: &Io, id: &SessionId) -> Result<()> {
    let about = about(from, id).await?.or_else(|| known_about(source, None));
    let Some(about) = about else { return Ok(()) };
    let bytes = (about + "\n").into_bytes();
    match to.put(&Key::of(id, Part::About), bytes, Condition::Absent).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Brings all of a session from the cold store into the hot one, as a log that stands alone. What was
/// appended there stays.
#[must_use]
pub fn pull(id: SessionId) -> Task<Copied> {
    Task::new(async move |io| pull_session(&io, &id).await.map_err(|error| error.in_session(&id)))
}

async fn pull_session(io: &Io, id: &SessionId) -> Result<Copied> {
    let mut tries = 1;
    loop {
        match pull_once(io, id).await {
            Err(error) if is_raced(&error) && error.actual().is_none() && tries < TRIES => {
                tries += 1;
            }
            pulled => return pulled,
        }
    }
}

async fn pull_once(io: &Io, id: &SessionId) -> Result<Copied> {
    let cold = io.cold_store()?;
    let (session, source) = find_session(io, id).await?;
    let empty = || Error::new(ErrorKind::EmptyLog, "no entry");
    if source.cold.is_some() {
        let head = session.head().ok_or_else(empty)?;
        // In the place of what was looked at, and of nothing later.
        let replaced = match &source.log {
            Some(log) => Condition::Version(log.info.version.clone()),
            None => free_place(io, id).await?,
        };
        write_whole(io, &source, head, (io, replaced), id).await?;
        return Ok(Copied { head, entries: head.seq + 1 });
    }
    // All of it is there; what others flushed may not be.
    let missing = || Error::new(ErrorKind::NotFound, "the cold store does not have the session");
    let part = ColdPart::new(newest(&cold, id).await?.ok_or_else(missing)?)?;
    let head = part.held()?.head;
    let flushed = Source { archive: None, cold: Some(part), log: None };
    bring_up(io, &flushed, head, io, (session, source)).await
}

/// Sees to it that a store has every entry of a source up to its head, in a log.
async fn transfer(
    from: &Io,
    source: &Source,
    head: Head,
    to: &Io,
    id: &SessionId,
) -> Result<Copied> {
    match find_session(to, id).await {
        Ok((session, there)) if there.cold.is_none() => {
            bring_up(from, source, head, to, (session, there)).await
        }
        Ok((session, _)) if session.form != Form::Cold => {
            let message = "the session there is one of a tier: push it from there";
            Err(Error::new(ErrorKind::AlreadyExists, message))
        }
        Err(error) if error.kind() != ErrorKind::NotFound || error.place().key.is_some() => {
            Err(error)
        }
        _ => {
            let place = free_place(to, id).await?;
            write_whole(from, source, head, (to, place), id).await?;
            Ok(Copied { head, entries: head.seq + 1 })
        }
    }
}

/// What must hold for a log to be written where none is: nothing is there, or a claim.
async fn free_place(to: &Io, id: &SessionId) -> Result<Condition> {
    let there = found(to.get(&Key::of(id, Part::Log), Some(0..CLAIM_WINDOW)).await)?;
    let claim = there.filter(is_claim);
    Ok(claim.map_or(Condition::Absent, |claim| Condition::Version(claim.info.version)))
}

/// Adds what a session lacks that is there.
async fn bring_up(
    from: &Io,
    source: &Source,
    head: Head,
    to: &Io,
    (session, there): (Session, Source),
) -> Result<Copied> {
    let Some(now) = session.head() else {
        return Err(Error::new(ErrorKind::EmptyLog, "a log without an entry is in the way"));
    };
    let last = now.seq.min(head.seq);
    let ours = entry(from, source, head, last).await?;
    if ours != entry(to, &there, now, last).await? {
        return Err(diverged(now));
    }
    if now.seq >= head.seq {
        return Ok(Copied { head: now, entries: 0 });
    }
    append(from, source, head, to, session, now).await?;
    Ok(Copied { head, entries: head.seq - now.seq })
}

/// Writes the log whole, verified, in the place of what stands for it.
async fn write_whole(
    from: &Io,
    source: &Source,
    head: Head,
    (to, place): (&Io, Condition),
    id: &SessionId,
) -> Result<()> {
    let mut staging = Staging::new(Key::of(id, Part::Log));
    let expectation = Expectation { session: Some(id.clone()), head: None };
    let mut verifier = Verifier::new(expectation);
    let mut chunks = Chunks::of(from, source, Some(head));
    let written = async {
        while let Some(chunk) = chunks.next().await? {
            verifier.push(&chunk);
            staging.add(to, &chunk).await?;
        }
        let report = verifier.finish();
        report.sound()?;
        if report.head == Some(head) {
            return Ok(());
        }
        let message = "the session changed while it was read";
        Err(Error::new(ErrorKind::Conflict, message).retryable())
    };
    match written.await {
        Ok(()) => staging.publish(to, place).await,
        Err(error) => {
            staging.abort(to).await;
            Err(error)
        }
    }
}

/// Adds what a log lacks, verified, piece by piece.
async fn append(
    from: &Io,
    source: &Source,
    head: Head,
    to: &Io,
    session: Session,
    now: Head,
) -> Result<()> {
    let key = Key::of(session.id(), Part::Log);
    let mut place = session.place();
    if session.form == Form::Archived {
        place = After::new(0, session.torn.map_or(0, |torn| torn.bytes));
    }
    let mut verifier = Verifier::resume(Some(now.hash), now.seq + 1, now.bytes);
    let mut chunks = Chunks::between(from, source, now.bytes, head);
    let mut pieces = Vec::new();
    loop {
        let chunk = chunks.next().await?;
        if let Some(chunk) = &chunk {
            verifier.push(chunk);
            verifier.fault().map_or(Ok(()), |fault| Err(fault.clone()))?;
            pieces.extend_from_slice(chunk);
        }
        let is_last = chunk.is_none();
        if pieces.len() >= PIECE_BYTES || is_last && !pieces.is_empty() {
            let bytes = core::mem::take(&mut pieces);
            let length = bytes.len() as u64;
            to.append(&key, bytes, place.clone(), Durability::Os).await?;
            (place.at, place.torn) = (place.at + length, 0);
        }
        if is_last {
            break;
        }
    }
    match to.sync(&key).await {
        Err(error) if error.kind() != ErrorKind::NotSupported => Err(error),
        _ => Ok(()),
    }
}

/// How much is appended at once.
const PIECE_BYTES: usize = 4 << 20;
const _: () = assert!(PIECE_BYTES < BATCH_BYTES_MAX);
