//! Copying sessions whole from one store to another.

use alloc::vec::Vec;

use super::Task;
use super::claim::release;
use super::flush::{Known, about, known_about, upload};
use super::gather::diverged;
use super::hydrate::hydrate_session;
use crate::limits::BATCH_BYTES_MAX;
use crate::line::IDENTITY;
use crate::log::{Expectation, Head, Verifier};
use crate::session::again::{TRIES, is_only_moving, is_overtaken};
use crate::session::append::woken;
use crate::session::archive::sync;
use crate::session::cold::{ColdPart, newest};
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::session::scan::Chunks;
use crate::session::source::Source;
use crate::session::staging::Staging;
use crate::session::{Form, Session};
use crate::store::{After, Condition, Durability, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// How the sessions of a store lie (`docs/format.md` §7.3).
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
        let copied = match to {
            Layout::Files => copy_to_files(&io, &id).await,
            Layout::Objects => copy_to_objects(&io, &id).await,
        };
        copied.map_err(|error| error.in_session(&id))
    })
}

async fn copy_to_files(io: &Io, id: &SessionId) -> Result<Copied> {
    let (from, to) = (io.alone(), io.cold_store()?);
    let (head, source) = found_at(&from, id).await?;
    let copied = transfer(&from, &source, head, (&to, true), id).await?;
    if copied.entries > 0 {
        carry_about(&from, &source, &to, id).await?;
    }
    Ok(copied)
}

async fn copy_to_objects(io: &Io, id: &SessionId) -> Result<Copied> {
    let (from, mut grave, mut tries) = (io.alone(), None, 1);
    loop {
        let mut known = Known::now(io, grave).await?;
        let (head, source) = found_at(&from, id).await?;
        match upload((io, &from), id, &source, head, false, &mut known).await {
            Err(error) if is_only_moving(&error) && tries < TRIES => tries += 1,
            copied => return copied.map(|(_, flushed)| Copied { head, entries: flushed.entries }),
        }
        grave = known.grave;
    }
}

async fn found_at(from: &Io, id: &SessionId) -> Result<(Head, Source)> {
    let (session, source) = find_session(from, id).await?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    Ok((head, source))
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
    let cold = io.cold_store()?;
    let mut tries = 1;
    loop {
        let pulled = async {
            let (mut session, mut source) = find_session(io, id).await?;
            if session.form == Form::Cold {
                hydrate_session(io, id).await?;
                (session, source) = find_session(io, id).await?;
            }
            let mut head = session.head();
            if source.cold.is_none() {
                // All of it is there; what others flushed may not be.
                let manifest = newest(&cold, id).await?.filter(|newest| newest.held.is_some());
                let Some(manifest) = manifest else {
                    let empty = || Error::new(ErrorKind::EmptyLog, "no entry");
                    return Ok(Copied { head: head.ok_or_else(empty)?, entries: 0 });
                };
                let part = ColdPart::new(manifest)?;
                head = Some(part.held()?.head);
                source = Source { archive: None, cold: Some(part), log: None };
            }
            let head = head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
            if let Some(log) = &source.log {
                let condition = Condition::Version(log.info.version.clone());
                write_whole(io, &source, head, io, id, condition).await?;
                return Ok(Copied { head, entries: head.seq + 1 });
            }
            transfer(io, &source, head, (io, false), id).await
        };
        match pulled.await {
            Err(error) if is_overtaken(&error) && error.actual().is_none() && tries < TRIES => {
                tries += 1;
            }
            pulled => return pulled,
        }
    }
}

/// Sees to it that the log in a store has every entry of a source up to its head; it may have to be
/// there already.
async fn transfer(
    from: &Io,
    source: &Source,
    head: Head,
    (to, may_create): (&Io, bool),
    id: &SessionId,
) -> Result<Copied> {
    let there = match find_session(to, id).await {
        Ok((session, there)) if there.cold.is_none() => Some((session, there)),
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::NotFound && error.place().key.is_none() => None,
        Err(error) => return Err(error),
    };
    let Some((session, there)) = there else {
        if !may_create {
            // Written whole it could bring back what was deleted, or hide what was flushed.
            let message = "someone else flushed or deleted the session meanwhile";
            return Err(Error::new(ErrorKind::Conflict, message).retryable());
        }
        write_whole(from, source, head, to, id, Condition::Absent).await?;
        return Ok(Copied { head, entries: head.seq + 1 });
    };
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

/// Writes the log whole, verified, in the place of what stands for it under that condition.
async fn write_whole(
    from: &Io,
    source: &Source,
    head: Head,
    to: &Io,
    id: &SessionId,
    condition: Condition,
) -> Result<()> {
    let key = Key::of(id, Part::Log);
    let mut staging = Staging::new(key);
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
        Ok(()) => staging.publish(to, condition).await,
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
    mut session: Session,
    now: Head,
) -> Result<()> {
    if session.form != Form::Live {
        session = woken(to, session).await?;
    }
    let written = append_after(from, source, head, to, session.place(), (session.id(), now)).await;
    if let (Err(_), Some(claim)) = (&written, session.claimed) {
        release(to, session.writer.session(), claim).await;
    }
    written
}

async fn append_after(
    from: &Io,
    source: &Source,
    head: Head,
    to: &Io,
    mut place: After,
    (id, now): (&SessionId, Head),
) -> Result<()> {
    let key = Key::of(id, Part::Log);
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
            let start = bytes.get(..IDENTITY).unwrap_or(&bytes).to_vec();
            to.append(&key, bytes, place.clone(), Durability::Os).await?;
            if place.at == 0 {
                (place.mark_at, place.mark) = (0, start);
            }
            (place.at, place.torn, place.torn_start) = (place.at + length, 0, Vec::new());
        }
        if is_last {
            break;
        }
    }
    sync(to, &key).await
}

/// How much is appended at once.
const PIECE_BYTES: usize = 4 << 20;
const _: () = assert!(PIECE_BYTES < BATCH_BYTES_MAX);
