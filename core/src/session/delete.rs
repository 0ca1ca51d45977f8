//! Deleting a session.

use alloc::string::String;

use super::Task;
use super::again::Tries;
use super::archive::check_unheld;
use super::closing::{Closed, Seen, close, free, look, look_again, reopen};
use super::removal::{Removal, remove_if};
use super::retention;
use super::source::archive_info;
use crate::line::is_first;
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// Deletes a session and all that is kept beside it, in the cold store behind the store too.
/// `not_found` where there is none. `locked` where another writer holds it: then all of it stays. One
/// that took hold just now may come too late for the cold store: what it holds cannot be flushed any
/// more, and is to be deleted again. So is what a crash leaves.
#[must_use]
pub fn delete(id: SessionId) -> Task<()> {
    Task::new(async move |io| delete_session(&io, &id).await.map_err(|e| e.in_session(&id)))
}

async fn delete_session(io: &Io, id: &SessionId) -> Result<()> {
    check_unheld(io, &Key::of(id, Part::Log)).await?;
    let (mut was_there, mut tries) = (false, Tries::default());
    loop {
        match delete_once(io, id, &mut was_there, &mut tries).await {
            // Written to, archived or restored between two looks at it. To give up now would leave
            // it deleted for the cold store only.
            Err(error) if error.kind() == ErrorKind::Conflict && tries.next() => {}
            deleted => return deleted,
        }
    }
}

async fn delete_once(
    io: &Io,
    id: &SessionId,
    was_there: &mut bool,
    tries: &mut Tries,
) -> Result<()> {
    let log = Key::of(id, Part::Log);
    let seen = look(io, &log).await?;
    // The cold store is told before the log goes: what is flushed or hydrated just now hears of it
    // there.
    let was_hot = seen.as_ref().is_some_and(Seen::has_lines);
    let is_new_grave =
        !planted!(DeleteLeavesCold) && super::tier::bury(io, id, was_hot, tries).await?;
    *was_there |= is_new_grave;
    let closed = close(io, id).await?;
    let removed = remove(io, &log, seen.as_ref()).await;
    let seen = seen.filter(|seen| !seen.is_claim);
    match removed {
        Ok(true) => *was_there |= seen.is_some(),
        // Someone else removed it: the tombstone stands until what lies beside is gone too.
        Ok(false) => {
            *was_there |= seen.is_some();
            return Err(moved(&log));
        }
        Err(error) => {
            if matches!(error.kind(), ErrorKind::Locked | ErrorKind::Conflict) {
                reopen(io, id, closed).await;
            }
            return Err(error);
        }
    }
    // What was buried may have gone from one place to the other between the looks at them.
    let is_open = (seen.is_some() || is_new_grave) && closed.is_none();
    let closed = match closed {
        // Someone may have published an archive before the log went.
        Some(closed) if seen.is_some() => Some(look_again(io, id, closed).await?),
        closed => closed,
    };
    if is_open || !clear(io, id, closed, *was_there).await? {
        return clear_late(io, id, &log, seen.as_ref(), tries).await;
    }
    Ok(())
}

fn moved(log: &Key) -> Error {
    let message = "someone wrote to the session meanwhile";
    Error::new(ErrorKind::Conflict, message).at_key(log).retryable()
}

/// The log is gone, and someone may have been archiving it: who did not see the tombstone, or took it
/// for that of an archive before. Or a new session of that id was begun, which stays.
async fn clear_late(
    io: &Io,
    id: &SessionId,
    log: &Key,
    removed: Option<&Seen>,
    tries: &mut Tries,
) -> Result<()> {
    while tries.next() {
        let closed = close(io, id).await?;
        let seen = match free(io, log).await {
            Ok(seen) => seen,
            Err(error) => {
                reopen(io, id, closed).await;
                return Err(error);
            }
        };
        if let Some(seen) = seen {
            reopen(io, id, closed).await;
            // Else it was archived before it was removed, and restored or written to since.
            let is_newer =
                is_first(&seen.start) && removed.is_some_and(|removed| removed.start != seen.start);
            return if is_newer { Ok(()) } else { Err(moved(log)) };
        }
        if clear(io, id, closed, true).await? {
            return Ok(());
        }
    }
    let message = "others kept archiving the session meanwhile";
    Err(Error::new(ErrorKind::Conflict, message).at_key(log).retryable())
}

/// Removes what was seen in the log's place, if it is still there: `conflict` where there is something
/// else by now, which may be another session. Only the log may be held: where it is, nothing is gone
/// yet.
async fn remove(io: &Io, log: &Key, seen: Option<&Seen>) -> Result<bool> {
    match seen {
        Some(seen) => match remove_if(io, log, Condition::Version(seen.version.clone())).await? {
            Removal::Done => Ok(true),
            Removal::Missing => Ok(false),
            Removal::Replaced => Err(moved(log)),
        },
        None => match io.find(log).await? {
            Some(_) => Err(moved(log)),
            None => Ok(true),
        },
    }
}

/// Removes what is kept beside a log that is gone: of archive and tombstone only those that were seen,
/// else they are those of a newer session. Whether that is all: not if someone replaced one, took the
/// tombstone away, or published an archive behind it.
/// `not_found` where there was nothing at all.
async fn clear(io: &Io, id: &SessionId, closed: Option<Closed>, was_there: bool) -> Result<bool> {
    let archive = closed.as_ref().and_then(|closed| closed.archive.clone());
    let archive = archive.filter(|_| !planted!(DeleteLeavesArchive));
    let tombstone = closed.map(|closed| closed.version);
    let seen = |part, version: Option<String>| Some((part, Condition::Version(version?)));
    let beside = [Part::Recovery, Part::About, Part::Trace].map(|part| (part, Condition::Any));
    // The tombstone is the last to go, and stays where something else does. Who archives the session
    // later sees that it is gone.
    let (first, last) = (seen(Part::Archive, archive), seen(Part::Retention, tombstone));
    let parts = first.into_iter().chain(beside).chain(last);
    let (mut was_there, mut failed, mut is_all) = (was_there, None, true);
    for (part, condition) in parts {
        if part == Part::Retention && failed.is_some() {
            break;
        }
        match remove_if(io, &Key::of(id, part), condition).await {
            Ok(Removal::Done) => {
                was_there = true;
                is_all &= part != Part::Retention || !is_archived_late(io, id).await?;
            }
            // Another deletion took the tombstone, and may have been over before an archive came.
            Ok(Removal::Missing) => is_all &= part != Part::Retention,
            Ok(Removal::Replaced) => is_all = false,
            // What was begun is ended, as far as it can be.
            Err(error) if was_there => _ = failed.get_or_insert(error),
            Err(error) => return Err(error),
        }
    }
    let missing = || Error::new(ErrorKind::NotFound, "there is no such session");
    failed.map_or(Ok(()), Err)?;
    if was_there || !is_all { Ok(is_all) } else { Err(missing()) }
}

/// Whether an archive came after the last look for one, and its archiver left it to the tombstone,
/// which was there by then. A newer session's has a record.
async fn is_archived_late(io: &Io, id: &SessionId) -> Result<bool> {
    let archive = archive_info(io, id).await?;
    Ok(archive.is_some() && retention::of(io, id).await?.is_none())
}
