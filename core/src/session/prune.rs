//! Removing an archived session, so that what is read later says so.

use alloc::string::String;

use super::Task;
use super::closing::free;
use super::retention::{self, Retention, bounded};
use super::source::{ArchivePart, archive_info};
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// Nothing is pruned that was in use so shortly before, in milliseconds: who writes to an archived
/// session says so first, and has this long until the first entry must be there.
pub(super) const REST_MS: u64 = 60_000;

/// Removes an archived session and leaves a tombstone: whoever looks for it hears `pruned`, with
/// time and reason. Gives its record. Only archives that this store made are removed, and only while
/// they are what was noted then: else `not_supported`. `locked` where the session was in use within
/// the last minute, `conflict` where it is not archived. What a crash leaves is finished by doing it
/// again.
#[must_use]
pub fn prune(id: SessionId, reason: impl Into<String>) -> Task<Retention> {
    let reason = reason.into();
    Task::new(async move |io| {
        let pruned = prune_session(&io, &id, &reason, REST_MS).await;
        pruned.map_err(|error| error.in_session(&id))
    })
}

/// `locked` where the session was in use within the last `min_age_ms`, as its record says that is
/// replaced: whoever looked before may have looked long ago.
pub(super) async fn prune_session(
    io: &Io,
    id: &SessionId,
    reason: &str,
    min_age_ms: u64,
) -> Result<Retention> {
    let (log, archive) = (Key::of(id, Part::Log), Key::of(id, Part::Archive));
    // In that order: the record is there before the archive is.
    let part = ArchivePart::find(io, id).await?;
    let noted = retention::of(io, id).await?;
    let Some(part) = part else { return Err(absent(io, id, &log, noted).await?) };
    let is_of = |record: &Retention| {
        let is_noted = part.index.as_ref().is_some_and(|index| index.head == record.head);
        is_noted && part.info.bytes == record.archive_bytes
    };
    let is_ours = |record: &Retention| planted!(PruneTakesOthers) || is_of(record);
    let Some((record, version)) = noted.filter(|(record, _)| is_ours(record)) else {
        return Err(foreign(io, &part, &log).await?);
    };
    let before = record.clone();
    let (tombstone, version) = bury(io, id, (record, version), reason, min_age_ms).await?;
    // Who claimed the place before that hears `pruned`, too.
    let there = free(io, &log).await;
    if !matches!(there, Ok(None)) && !planted!(PruneTakesWhatLives) {
        if before.pruned.is_none() {
            retention::put(io, id, &before, Condition::Version(version)).await?;
        }
        return Err(there.err().unwrap_or_else(|| live(&log)));
    }
    // Who archives the session just now removes its log only after this was noted.
    let noted = retention::of(io, id).await?;
    if noted.is_none_or(|(_, now)| now != version) {
        let message = "someone else archived or restored the session meanwhile";
        return Err(Error::new(ErrorKind::Conflict, message).at_key(&archive));
    }
    found(io.delete(&archive, Condition::Version(part.info.version)).await)?;
    remove_beside(io, id).await?;
    Ok(tombstone)
}

/// Removes what lies beside a session that is gone; its title and tags stay with the tombstone.
async fn remove_beside(io: &Io, id: &SessionId) -> Result<()> {
    for beside in [Part::Trace, Part::Recovery] {
        found(io.delete(&Key::of(id, beside), Condition::Any).await)?;
    }
    Ok(())
}

/// What to say of a session without an archive. A pruning that was interrupted ends here.
async fn absent(
    io: &Io,
    id: &SessionId,
    log: &Key,
    noted: Option<(Retention, String)>,
) -> Result<Error> {
    if io.find(log).await?.is_some() {
        return Ok(live(log));
    }
    if archive_info(io, id).await?.is_some() {
        let message = "someone else archived the session meanwhile";
        return Ok(Error::new(ErrorKind::Conflict, message).at_key(log));
    }
    if noted.is_some_and(|(record, _)| record.pruned.is_some()) {
        remove_beside(io, id).await?;
    }
    Ok(retention::missing(io, id).await)
}

/// What to say of an archive that its record does not tell of.
async fn foreign(io: &Io, part: &ArchivePart, log: &Key) -> Result<Error> {
    if io.find(log).await?.is_some() {
        return Ok(live(log));
    }
    let now = io.find(&part.key).await?;
    if now.is_none_or(|now| now.version != part.info.version) {
        let message = "someone else archived or restored the session meanwhile";
        return Ok(Error::new(ErrorKind::Conflict, message).at_key(&part.key));
    }
    let message = "only archives that this store made, and that nobody changed, are pruned";
    Ok(Error::new(ErrorKind::NotSupported, message).at_key(&part.key))
}

fn live(log: &Key) -> Error {
    Error::new(ErrorKind::Conflict, "the session is live; archive it first").at_key(log)
}

/// Puts the tombstone in the record's place: from now on nobody begins to write to the session.
async fn bury(
    io: &Io,
    id: &SessionId,
    (record, version): (Retention, String),
    reason: &str,
    min_age_ms: u64,
) -> Result<(Retention, String)> {
    if record.pruned.is_some() {
        // A pruning that was interrupted, or goes on: who put this can take it back no more.
        let version = retention::put(io, id, &record, Condition::Version(version)).await?;
        return Ok((record, version));
    }
    let now_ms = io.stamp(0).await?.now_ms;
    if now_ms.saturating_sub(record.last_activity_ms) < min_age_ms.max(REST_MS) {
        let message = "the session was in use not long ago";
        return Err(Error::new(ErrorKind::Locked, message).retryable());
    }
    let tombstone = record.pruned(now_ms, bounded(reason));
    let version = retention::put(io, id, &tombstone, Condition::Version(version)).await?;
    Ok((tombstone, version))
}
