//! What is noted of a session that is being archived, so that who prunes, deletes or restores it
//! meanwhile and who archives it never undo each other.

use alloc::string::String;

use super::retention::{self, Retention};
use super::source::{Source, found};
use crate::log::Head;
use crate::store::{Condition, Info, Key, Part};
use crate::task::Io;
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
    (head, bytes): (Head, u64),
    noted: Option<(Retention, String)>,
) -> Result<Announced> {
    let now_ms = io.stamp(0).await?.now_ms;
    let last_activity_ms = last_activity(source);
    let record = Retention::new(head, bytes, now_ms, last_activity_ms.unwrap_or(now_ms));
    let (version, replaced) =
        retention::note(io, id, record, last_activity_ms.is_some(), noted).await?;
    let announced = Announced { version, replaced };
    let checked = match &source.log {
        Some(log) => io.info(&log.key).await.map(|info| info.version == log.info.version),
        None => Ok(true),
    };
    if let Ok(true) = checked {
        return Ok(announced);
    }
    recall(io, id, announced).await;
    let changed = || Error::new(ErrorKind::Conflict, "the log changed while it was archived");
    Err(checked.err().unwrap_or_else(changed))
}

/// Notes again what was noted before, as well as that can be done.
pub(super) async fn recall(io: &Io, id: &SessionId, announced: Announced) {
    let Announced { version, replaced } = announced;
    match replaced {
        Some(replaced) => {
            retention::put(io, id, &replaced, Condition::Version(version)).await.ok();
        }
        None => {
            retention::remove(io, id, version).await.ok();
        }
    }
}

/// Whether the session is still there after its archive was published: where its record is gone, it
/// was deleted. A tombstone of an archive before is replaced.
pub(super) async fn confirm(
    io: &Io,
    id: &SessionId,
    source: &Source,
    archive: (Head, &Info),
    announced: Announced,
) -> Result<Announced> {
    match retention::of(io, id).await? {
        None => Err(withdraw(io, id, archive.1).await?),
        Some(noted) if noted.0.pruned.is_some() => {
            match announce(io, id, source, (archive.0, archive.1.bytes), Some(noted)).await {
                // Deleted just now.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Err(withdraw(io, id, archive.1).await?)
                }
                announced => announced,
            }
        }
        Some(_) => Ok(announced),
    }
}

/// Removes the archive of a session that was deleted, or restored, meanwhile.
pub(super) async fn withdraw(io: &Io, id: &SessionId, archive: &Info) -> Result<Error> {
    let written = Condition::Version(archive.version.clone());
    found(io.delete(&Key::of(id, Part::Archive), written).await)?;
    if found(io.info(&Key::of(id, Part::Log)).await)?.is_some() {
        return Ok(Error::new(ErrorKind::Conflict, "the session was restored meanwhile"));
    }
    Ok(Error::new(ErrorKind::NotFound, "the session was deleted meanwhile"))
}

fn last_activity(source: &Source) -> Option<u64> {
    let log = source.log.as_ref().map(|log| &log.info);
    log.or(source.archive.as_ref().map(|archive| &archive.info))?.modified_ms
}
