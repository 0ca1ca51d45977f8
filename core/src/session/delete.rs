//! Deleting a session.

use alloc::string::String;

use super::Task;
use super::archive::check_unheld;
use super::retention::{self, Retention};
use super::source::found;
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// Deletes a session and all that is kept beside it, in the cold store behind the store too. `locked`
/// where another writer holds it: then all of it stays. `not_found` where there is none. What a crash
/// leaves of it is deleted by doing it again.
#[must_use]
pub fn delete(id: SessionId) -> Task<()> {
    Task::new(async move |io| delete_session(&io, &id).await.map_err(|e| e.in_session(&id)))
}

async fn delete_session(io: &Io, id: &SessionId) -> Result<()> {
    let log = Key::of(id, Part::Log);
    check_unheld(io, &log).await?;
    // First the cold store is told: what is flushed or hydrated just now hears of it there.
    let mut was_there = super::tier::bury(io, id).await?;
    let closed = close(io, id).await?;
    // Only the log may be held: where someone took it meanwhile, nothing is gone yet.
    match found(io.delete(&log, Condition::Any).await) {
        Err(error) if matches!(error.kind(), ErrorKind::Locked | ErrorKind::Conflict) => {
            reopen(io, id, closed).await;
            return Err(error);
        }
        deleted => was_there |= deleted?.is_some(),
    }
    let notes = [Part::Recovery, Part::About, Part::Trace, Part::Retention];
    // And both once more: someone may have archived or restored it meanwhile. Who archives it
    // later sees that the record is gone.
    let rest = [Part::Archive].into_iter().chain(notes).chain([Part::Archive, Part::Log]);
    let mut failed = None;
    for part in rest {
        match found(io.delete(&Key::of(id, part), Condition::Any).await) {
            Ok(deleted) => was_there |= deleted.is_some(),
            // What was begun is ended, as far as it can be.
            Err(error) if was_there => _ = failed.get_or_insert(error),
            Err(error) => return Err(error),
        }
    }
    let missing = || Error::new(ErrorKind::NotFound, "there is no such session");
    failed.map_or(Ok(()), Err)?;
    was_there.then_some(()).ok_or_else(missing)
}

/// A tombstone that was put, and what was noted before.
type Closed = Option<(String, Option<Retention>)>;

/// Puts a tombstone where there is an archive: from now on nobody begins to write after it, and who
/// restores it hears that it is gone.
async fn close(io: &Io, id: &SessionId) -> Result<Closed> {
    let mut tries = 1;
    loop {
        let noted = retention::of(io, id).await?;
        let (record, condition) = match &noted {
            Some((record, _)) if record.pruned.is_some() => return Ok(None),
            Some((record, version)) => (record.clone(), Condition::Version(version.clone())),
            None if found(io.info(&Key::of(id, Part::Archive)).await)?.is_none() => {
                return Ok(None);
            }
            None => (Retention::unreadable(), Condition::Absent),
        };
        let tombstone = record.pruned(io.stamp(0).await?.now_ms, "deleted".into());
        match retention::put(io, id, &tombstone, condition).await {
            Err(error) if retention::is_raced(&error) && tries < super::open::TRIES => tries += 1,
            put => return Ok(Some((put?, noted.map(|(record, _)| record)))),
        }
    }
}

/// Takes the tombstone back, as well as that can be done.
async fn reopen(io: &Io, id: &SessionId, closed: Closed) {
    match closed {
        Some((version, Some(record))) => {
            retention::put(io, id, &record, Condition::Version(version)).await.ok();
        }
        Some((version, None)) => {
            retention::remove(io, id, version).await.ok();
        }
        None => {}
    }
}
