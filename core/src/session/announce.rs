//! What is noted of a session that is being archived, so that who prunes, deletes or restores it
//! meanwhile and who archives it never undo each other.

use alloc::string::String;
use core::future::Future;

use super::again::{again, is_raced};
use super::closing::{Before, Closed, others_go_on, withdraw};
use super::retention::{self, Retention};
use super::source::Source;
use crate::log::Head;
use crate::store::{Condition, Info, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// A record that was written: its version, and the one before.
pub(super) struct Announced {
    pub(super) version: String,
    replaced: Option<Retention>,
}

/// Notes that the session will be archived, before it is: who deletes a session removes its log, then
/// this. Gives the record's version.
pub(super) async fn announce(
    io: &Io,
    id: &SessionId,
    source: &Source,
    archive: (Head, u64),
    noted: Option<(Retention, String)>,
) -> Result<Announced> {
    let announced = note(io, id, source, archive, noted).await?;
    let checked = is_as_read(io, source).await;
    if let Ok(true) = checked {
        return Ok(announced);
    }
    recall(io, id, announced).await.ok();
    let changed = || Error::new(ErrorKind::Conflict, "the log changed while it was archived");
    Err(checked.err().unwrap_or_else(changed))
}

async fn note(
    io: &Io,
    id: &SessionId,
    source: &Source,
    (head, bytes): (Head, u64),
    noted: Option<(Retention, String)>,
) -> Result<Announced> {
    let now_ms = io.stamp(0).await?.now_ms;
    let last_activity_ms = last_activity(source);
    let record = Retention::new(head, bytes, now_ms, last_activity_ms.unwrap_or(now_ms));
    let (version, replaced) =
        retention::note(io, id, record, last_activity_ms.is_some(), noted).await?;
    Ok(Announced { version, replaced })
}

/// Whether the log is still the one that was read.
async fn is_as_read(io: &Io, source: &Source) -> Result<bool> {
    match &source.log {
        Some(log) => {
            let now = io.find(&log.key).await?;
            Ok(now.is_some_and(|now| now.version == log.info.version))
        }
        None => Ok(true),
    }
}

/// Notes again what was noted before; gives the version of that. An error where someone else noted
/// something meanwhile: then they go on with the session as it was announced.
pub(super) async fn recall(
    io: &Io,
    id: &SessionId,
    announced: Announced,
) -> Result<Option<(Retention, String)>> {
    let Announced { version, replaced } = announced;
    let written = Condition::Version(version);
    let Some(replaced) = replaced else {
        found(io.delete(&Key::of(id, Part::Retention), written).await)?;
        return Ok(None);
    };
    let version = match insist(|| retention::put(io, id, &replaced, written.clone())).await {
        Err(error) if is_raced(&error) && replaced.pruned.is_some() => {
            put_back(io, id, &replaced).await?.ok_or(error)?
        }
        put => put?,
    };
    Ok(Some((replaced, version)))
}

/// Puts a tombstone back in the place of what others noted who did not see it, where there is nothing
/// that they could go on with: they would put back what they found themselves.
async fn put_back(io: &Io, id: &SessionId, tombstone: &Retention) -> Result<Option<String>> {
    let noted = retention::of(io, id).await?.filter(|(record, _)| record.pruned.is_none());
    let Some((_, version)) = noted else { return Ok(None) };
    for part in [Part::Log, Part::Archive] {
        if io.find(&Key::of(id, part)).await?.is_some() {
            return Ok(None);
        }
    }
    retention::put(io, id, tombstone, Condition::Version(version)).await.map(Some)
}

/// Whether the session is still there after its archive was published. It was deleted where its record
/// is gone. So it was where the record is that of others, the log is no longer the one that was read,
/// and the archive surely `is_first` of all: nobody but who deletes removes a log before there is one.
/// A tombstone of an archive before is replaced. One of the session's own is put back, and the archive
/// goes, unless someone noted by then that they go on with it. It stays beside a tombstone, too, where
/// it is not the first, and the log is gone.
pub(super) async fn confirm(
    io: &Io,
    id: &SessionId,
    source: &Source,
    (head, archive, is_first): (Head, &Info, bool),
    announced: Announced,
) -> Result<Announced> {
    let noted = match insist(|| retention::of(io, id)).await? {
        None => return Err(withdraw(io, id, archive, None).await?),
        Some((record, version)) if record.pruned.is_none() => {
            // That of another archiving of the same session is as good.
            let is_sound = announced.version == version || !is_first;
            return match is_sound || insist(|| is_as_read(io, source)).await? {
                true => Ok(announced),
                false => Err(withdraw(io, id, archive, None).await?),
            };
        }
        tombstone => tombstone,
    };
    // Of a session that is gone already, the tombstone is better left alone. Where the archive replaced
    // another, someone else may have removed the log for it, and whoever put the tombstone may be about
    // to take it back, or else finds the archive.
    if !insist(|| is_as_read(io, source)).await? {
        return Err(match is_first {
            true => withdraw(io, id, archive, None).await?,
            false => others_go_on(),
        });
    }
    let announced = insist(|| note(io, id, source, (head, archive.bytes), noted.clone())).await?;
    if insist(|| is_as_read(io, source)).await? {
        return Ok(announced);
    }
    match recall(io, id, announced).await {
        Ok(Some((record, version))) if record.pruned.is_some() => {
            let archived = Some(archive.version.clone());
            let closed = Closed { version, before: Before::Tombstone, archive: archived };
            Err(withdraw(io, id, archive, Some(closed)).await?)
        }
        Ok(_) => Err(withdraw(io, id, archive, None).await?),
        Err(error) if is_raced(&error) => Err(others_go_on()),
        Err(error) => Err(error),
    }
}

/// Asks again where the store fails, or gives only a part: who published an archive has to know.
fn insist<T, F: Future<Output = Result<T>>>(
    ask: impl Fn() -> F,
) -> impl Future<Output = Result<T>> {
    again(|error| matches!(error.kind(), ErrorKind::StoreFailed | ErrorKind::Conflict), ask)
}

fn last_activity(source: &Source) -> Option<u64> {
    let log = source.log.as_ref().map(|log| &log.info);
    log.or(source.archive.as_ref().map(|archive| &archive.info))?.modified_ms
}
