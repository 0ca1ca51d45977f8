//! Forking: a new session that starts with a copy of another's entries.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::again::{again, is_moving};
use super::create::generated;
use super::open::{find_session, open_session};
use super::scan::Chunks;
use super::staging::Staging;
use super::{Session, Task};
use crate::field::Point;
use crate::line::last_line;
use crate::log::{Expectation, Head, Verified, Verifier, Writer};
use crate::store::{Condition, Key, Object, Part};
use crate::task::{Answer, Io, found};
use crate::{Entry, Error, ErrorKind, Hash, Kind, Result, SessionId};

/// The last entry that a fork shares with its parent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum At {
    /// The parent's head.
    #[default]
    Head,
    /// The entry of that number.
    Seq(u64),
    /// The entry with that hash.
    Hash(Hash),
    /// The end of that turn.
    Turn(u64),
}

/// How to fork.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Fork {
    /// Where. A point that is not there is `not_found`.
    pub at: At,
    /// The new session's id; made from time and chance where there is none.
    pub id: Option<SessionId>,
    /// Drafts that are appended with the fork, all or nothing.
    pub entries: Vec<String>,
}

impl Fork {
    /// A fork there.
    #[must_use]
    pub fn at(at: At) -> Self {
        Self { at, ..Self::default() }
    }

    /// The same, into that session.
    #[must_use]
    pub fn with_id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }
}

/// Forks a session, live or archived: copies its log up to a point, verifying it, and adds the entry
/// that says so. All of it appears at once. The parent is not touched, and may be held by another
/// writer. `not_found` where there is no such session or point, `already_exists` where the new
/// session does.
#[must_use]
pub fn fork(parent: SessionId, fork: Fork) -> Task<Session> {
    Task::new(async move |io| {
        fork_session(&io, &parent, fork).await.map_err(|error| error.in_session(&parent))
    })
}

/// Makes sure that an open session is still at its head: gives it back if it is, and else a fork of
/// it at the entry it was at, so that what others wrote meanwhile stays theirs.
#[must_use]
pub fn ensure_head(session: Session, id: Option<SessionId>) -> Task<Session> {
    Task::new(async move |io| {
        let parent = session.id().clone();
        let ensured = async {
            let now = open_session(&io, &parent).await?;
            match session.head() {
                Some(head) if now.head() != Some(head) => {
                    let fork = Fork { at: At::Hash(head.hash), id, entries: Vec::new() };
                    fork_session(&io, &parent, fork).await
                }
                _ => Ok(session),
            }
        };
        ensured.await.map_err(|error: Error| error.in_session(&parent))
    })
}

pub(super) fn fork_session<'a>(
    io: &'a Io,
    parent: &'a SessionId,
    fork: Fork,
) -> Answer<'a, Session> {
    // The parent may be flushed or archived between two looks at it.
    Box::pin(again(is_moving, move || fork_once(io, parent, fork.clone())))
}

async fn fork_once(io: &Io, parent: &SessionId, fork: Fork) -> Result<Session> {
    let (opened, source) = find_session(io, parent).await?;
    let head = opened.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let stamp = io.stamp(8 * (fork.entries.len() + 1) + 10).await?;
    let (salts, id_random) = stamp
        .random
        .split_at_checked(8 * (fork.entries.len() + 1))
        .ok_or_else(|| Error::new(ErrorKind::StoreFailed, "the host gave too few random bytes"))?;
    let (id, is_new) = match &fork.id {
        Some(id) => (id.clone(), false),
        None => (generated(&stamp, id_random)?, true),
    };
    refuse_existing(io, &id).await?;
    let stamp = crate::log::Stamp { now_ms: stamp.now_ms, random: salts.to_vec() };
    if source.cold.is_some() {
        return super::tier::fork(io, &opened, &source, &fork, (id, is_new), &stamp).await;
    }
    // A new id has nobody else; one that was given may.
    let claimed = if is_new || planted!(ForkOverwrites) {
        None
    } else {
        Some(super::tier::claim(io, &id).await?)
    };
    let condition = match &claimed {
        _ if planted!(ForkOverwrites) => Condition::Any,
        Some(claim) => Condition::Version(claim.version.clone()),
        None => Condition::Absent,
    };
    let at = if planted!(ForkTakesLess) { At::Seq(head.seq.saturating_sub(1)) } else { fork.at };
    let mut copy = Copy::new(parent, at, head);
    let written = copy_prefix(io, parent, (&id, condition), &mut copy, |found| {
        let writer = Writer::resume(found.owner.clone(), found.head, found.is_salted);
        writer.forked_at(found.fork).fork(id.clone(), &fork.entries, &stamp)
    })
    .await;
    if let (Err(_), Some(claim)) = (&written, claimed) {
        claim.release(io, &id).await;
    }
    Ok(Session::new(written?).marked_at(copy.last_line))
}

pub(super) async fn refuse_existing(io: &Io, id: &SessionId) -> Result<()> {
    for part in [Part::Log, Part::Archive] {
        if planted!(ForkOverwrites) {
            break;
        }
        let there = found(io.get(&Key::of(id, part), Some(0..64)).await)?;
        let is_free = |object: &Object| super::tier::is_claim(&object.bytes, object.info.bytes);
        if there.is_some_and(|object| !is_free(&object)) {
            let message = "the session to fork into exists";
            return Err(Error::new(ErrorKind::AlreadyExists, message).in_session(id));
        }
    }
    super::retention::check_free(io, id).await.map_err(|error| error.in_session(id))
}

/// Where the copy ends, and what a writer has to know there.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) head: Head,
    /// Whose entry it is: an ancestor's, where the parent is a fork itself and began later.
    pub(super) owner: SessionId,
    pub(super) is_salted: bool,
    pub(super) fork: Option<u64>,
}

/// A copy under way.
pub(super) struct Copy {
    at: At,
    last: Head,
    verifier: Verifier,
    /// Lines that are to be copied next.
    bytes: Vec<u8>,
    found: Option<Found>,
    fork: Option<u64>,
    is_salted: bool,
    owner: SessionId,
    /// Where the last line of what was written starts.
    last_line: u64,
}

impl Copy {
    pub(super) fn new(parent: &SessionId, at: At, last: Head) -> Self {
        let expectation = Expectation { session: Some(parent.clone()), head: None };
        Self {
            at,
            last,
            verifier: Verifier::new(expectation),
            bytes: Vec::new(),
            found: None,
            fork: None,
            is_salted: false,
            owner: parent.clone(),
            last_line: 0,
        }
    }

    /// The point, once it was met.
    pub(super) fn point(&self) -> Option<Head> {
        self.found.as_ref().map(|found| found.head)
    }

    /// What a writer has to know at the point.
    pub(super) fn finish(&mut self) -> Result<Found> {
        if let Some(found) = self.found.take() {
            return Ok(found);
        }
        core::mem::take(&mut self.verifier).into_fault().map_or(Ok(()), Err)?;
        Err(Error::new(ErrorKind::NotFound, "there is no such point in the session"))
    }

    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let Self { at, last, bytes, found, fork, is_salted, owner, verifier, .. } = self;
        let mut fault = None;
        verifier.push_each(chunk, |verified| {
            if found.is_some() || fault.is_some() {
                return Ok(());
            }
            bytes.extend_from_slice(verified.line);
            bytes.push(b'\n');
            let end = verified.offset + verified.line.len() as u64 + 1;
            if matches!(verified.kind(), Kind::SessionStart | Kind::Fork) {
                match owner_of(verified.line) {
                    Ok(session) => *owner = session,
                    Err(error) => fault = Some(error),
                }
            }
            if verified.kind() != Kind::Redacted {
                *fork = verified.fork_seq();
                *is_salted = verified.is_salted();
            }
            match is_point(*at, *last, verified) {
                Ok(true) => {
                    let head = Head { seq: verified.seq, hash: verified.hash(), bytes: end };
                    *found = Some(Found {
                        head,
                        owner: owner.clone(),
                        is_salted: *is_salted,
                        fork: *fork,
                    });
                }
                Ok(false) => {}
                Err(error) => fault = Some(error),
            }
            Ok(())
        });
        fault.map_or(Ok(()), Err)
    }
}

/// Whose log it is from that line on, which opens one or forks it.
fn owner_of(line: &[u8]) -> Result<SessionId> {
    let entry = Entry::parse(line)?;
    SessionId::new(entry.text("session").unwrap_or_default())
}

fn is_point(at: At, last: Head, verified: &Verified<'_>) -> Result<bool> {
    Ok(match at {
        At::Head if verified.seq == last.seq && verified.hash() != last.hash => {
            let message = "another session took the place of the one that was found";
            return Err(Error::new(ErrorKind::Conflict, message).retryable());
        }
        At::Head => verified.seq == last.seq,
        At::Seq(seq) => verified.seq == seq,
        At::Hash(_) if planted!(UnknownIsHead) => verified.seq == last.seq,
        At::Hash(hash) => verified.hash() == hash,
        At::Turn(turn) => {
            verified.kind() == Kind::TurnEnd
                && Entry::parse(verified.line)?.count("turn") == Some(turn)
        }
    })
}

/// Copies a session's lines up to a point, adds what `finish` gives, and publishes it all at once.
async fn copy_prefix(
    io: &Io,
    parent: &SessionId,
    (child, condition): (&SessionId, Condition),
    copy: &mut Copy,
    finish: impl FnOnce(Found) -> Result<(Writer, crate::log::Batch)>,
) -> Result<Writer> {
    let mut staging = Staging::new(Key::of(child, Part::Log));
    match copy_to(io, parent, copy, finish, &mut staging).await {
        Ok(writer) => staging.publish(io, condition).await.map(|()| writer),
        Err(error) => {
            staging.abort(io).await;
            Err(error)
        }
    }
}

async fn copy_to(
    io: &Io,
    parent: &SessionId,
    copy: &mut Copy,
    finish: impl FnOnce(Found) -> Result<(Writer, crate::log::Batch)>,
    staging: &mut Staging,
) -> Result<Writer> {
    let mut chunks = Chunks::open(io, parent, copy.last).await?;
    // What follows the point need not be sound.
    while copy.found.is_none()
        && let Some(chunk) = chunks.next().await?
    {
        copy.push(&chunk)?;
        staging.add(io, &core::mem::take(&mut copy.bytes)).await?;
    }
    let found = copy.finish()?;
    let end = found.head.bytes;
    let (writer, batch) = finish(found)?;
    copy.last_line = end + last_line(&batch.bytes);
    staging.add(io, &batch.bytes).await?;
    Ok(writer)
}

/// The point that a head is.
pub(super) fn point(session: &SessionId, head: Head) -> Point {
    Point { session: session.clone(), seq: head.seq, hash: head.hash }
}
