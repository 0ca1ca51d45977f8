//! What keeps others away from an archive that is to go: a tombstone, behind which nobody begins to
//! write, and a log's place in which nothing is left.

use alloc::string::String;
use alloc::vec::Vec;

use super::again::{TRIES, again, is_raced};
use super::retention::{self, Retention};
use super::source::archive_info;
use super::tier::{CLAIM_BYTES, is_claim};
use crate::cold::is_anchor;
use crate::line::is_first;
use crate::store::{Condition, Info, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// A tombstone that stands, and what was noted before it was put.
pub(super) struct Closed {
    pub(super) version: String,
    pub(super) before: Before,
    /// The archive's version, behind the tombstone.
    pub(super) archive: Option<String>,
}

pub(super) enum Before {
    Nothing,
    Record(Retention),
    /// There was one already: others may rely on that, so it is never taken back.
    Tombstone,
}

/// Puts a tombstone where there is an archive, or someone is about to make one: from now on nobody
/// begins to write after it, and who restores it hears that it is gone. One that is there is put
/// again: who put it can take it back no more.
pub(super) async fn close(io: &Io, id: &SessionId) -> Result<Option<Closed>> {
    let put = match planted!(DeleteLeavesOpen) {
        true => Some((String::new(), Before::Tombstone)),
        false => again(is_raced, || put_tombstone(io, id)).await?,
    };
    let Some((version, before)) = put else { return Ok(None) };
    let mut closed = Closed { version, before, archive: None };
    match archive_info(io, id).await {
        Ok(archive) => closed.archive = archive.map(|info| info.version),
        Err(error) => {
            reopen(io, id, Some(closed)).await;
            return Err(error);
        }
    }
    Ok(Some(closed))
}

/// Looks for the archive once more. What is there while the tombstone stands is no newer session's.
pub(super) async fn look_again(io: &Io, id: &SessionId, closed: Closed) -> Result<Closed> {
    let archive = archive_info(io, id).await?.map(|info| info.version);
    if archive == closed.archive {
        return Ok(closed);
    }
    let stands = retention::of(io, id).await?.is_some_and(|(_, now)| now == closed.version);
    Ok(if stands { Closed { archive, ..closed } } else { closed })
}

async fn put_tombstone(io: &Io, id: &SessionId) -> Result<Option<(String, Before)>> {
    let noted = retention::of(io, id).await?;
    let (record, condition) = match &noted {
        Some((record, version)) => (record.clone(), Condition::Version(version.clone())),
        None if archive_info(io, id).await?.is_none() => return Ok(None),
        None => (Retention::unreadable(), Condition::Absent),
    };
    let tombstone = match record.pruned {
        Some(_) => record,
        None => record.pruned(io.stamp(0).await?.now_ms, "deleted".into()),
    };
    let version = retention::put(io, id, &tombstone, condition).await?;
    Ok(Some((version, Before::of(noted))))
}

impl Before {
    fn of(noted: Option<(Retention, String)>) -> Self {
        match noted {
            None => Self::Nothing,
            Some((record, _)) if record.pruned.is_some() => Self::Tombstone,
            Some((record, _)) => Self::Record(record),
        }
    }
}

/// Takes the tombstone back, as well as that can be done.
pub(super) async fn reopen(io: &Io, id: &SessionId, closed: Option<Closed>) {
    let Some(Closed { version, before, .. }) = closed else { return };
    match before {
        Before::Record(record) => {
            retention::put(io, id, &record, Condition::Version(version)).await.ok();
        }
        Before::Nothing => {
            retention::remove(io, id, version).await.ok();
        }
        Before::Tombstone => {}
    }
}

/// What lies in a log's place.
pub(super) struct Seen {
    pub(super) version: String,
    pub(super) is_claim: bool,
    /// How it starts: with the hash of its first line.
    pub(super) start: Vec<u8>,
}

impl Seen {
    /// Whether it is more than a claim, or what is left of one.
    pub(super) fn has_lines(&self) -> bool {
        !self.is_claim && !self.start.is_empty()
    }

    /// Whether it needs no archive before it.
    fn stands_alone(&self) -> bool {
        is_first(&self.start) || is_anchor(&self.start)
    }
}

pub(super) async fn look(io: &Io, log: &Key) -> Result<Option<Seen>> {
    let there = found(io.get(log, Some(0..2 * CLAIM_BYTES as u64)).await)?;
    Ok(there.map(|object| Seen {
        is_claim: is_claim(&object.bytes, object.info.bytes),
        version: object.info.version,
        start: object.bytes,
    }))
}

/// Removes a claim from a log's place, so that who claimed it before the tombstone was put does not
/// write any more. Gives the log that lies there.
pub(super) async fn free(io: &Io, log: &Key) -> Result<Option<Seen>> {
    for _ in 0..TRIES {
        let Some(seen) = look(io, log).await? else { return Ok(None) };
        if seen.has_lines() {
            return Ok(Some(seen));
        }
        match io.delete(log, Condition::Version(seen.version)).await {
            Err(error) if !matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => {
                return Err(error);
            }
            _ => {}
        }
    }
    let message = "others kept claiming the session's place meanwhile";
    Err(Error::new(ErrorKind::Conflict, message).at_key(log).retryable())
}

/// Removes an archive that was published for a session which was deleted, or restored, meanwhile.
/// Only behind a tombstone, and only where nothing follows it: else others go on with it by now, and
/// it is theirs. Says what became of the session. Tried again where it fails: nobody else would do it.
pub(super) async fn withdraw(
    io: &Io,
    id: &SessionId,
    archive: &Info,
    mut closed: Option<Closed>,
) -> Result<Error> {
    let mut tries = 1;
    loop {
        match withdraw_once(io, id, archive, &mut closed).await {
            Err(_) if tries < TRIES => tries += 1,
            withdrawn => return withdrawn,
        }
    }
}

async fn withdraw_once(
    io: &Io,
    id: &SessionId,
    archive: &Info,
    closed: &mut Option<Closed>,
) -> Result<Error> {
    let log = Key::of(id, Part::Log);
    if let Some(seen) = look(io, &log).await?.filter(Seen::has_lines) {
        return others_wrote(io, id, archive, &seen, closed.take()).await;
    }
    let now = archive_info(io, id).await?;
    if now.is_some_and(|now| now.version != archive.version) {
        // Someone else archived the session, too.
        reopen(io, id, closed.take()).await;
        return Ok(others_go_on());
    }
    if closed.is_none() {
        *closed = close(io, id).await?;
    }
    if closed.as_ref().is_some_and(|closed| closed.archive.as_ref() == Some(&archive.version)) {
        if let Some(seen) = free(io, &log).await? {
            return others_wrote(io, id, archive, &seen, closed.take()).await;
        }
        remove_archive(io, id, archive).await?;
    } else if closed.is_some() {
        reopen(io, id, closed.take()).await;
        return Ok(others_go_on());
    }
    if let Some(Closed { version, before: Before::Nothing | Before::Record(_), .. }) = closed {
        retention::remove(io, id, version.clone()).await?;
    }
    Ok(Error::new(ErrorKind::NotFound, "the session was deleted meanwhile"))
}

/// What becomes of the archive where someone wrote to the log's place meanwhile: it goes where that
/// needs none. Whoever archives that publishes another one first.
async fn others_wrote(
    io: &Io,
    id: &SessionId,
    archive: &Info,
    seen: &Seen,
    closed: Option<Closed>,
) -> Result<Error> {
    let removed = match seen.stands_alone() {
        true => remove_archive(io, id, archive).await.map(|()| restored()),
        false => Ok(others_go_on()),
    };
    reopen(io, id, closed).await;
    removed
}

fn restored() -> Error {
    Error::new(ErrorKind::Conflict, "the session was restored meanwhile")
}

async fn remove_archive(io: &Io, id: &SessionId, archive: &Info) -> Result<()> {
    let written = Condition::Version(archive.version.clone());
    match found(io.delete(&Key::of(id, Part::Archive), written).await) {
        // Another one took its place.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        removed => removed.map(|_| ()),
    }
}

pub(super) fn others_go_on() -> Error {
    Error::new(ErrorKind::Conflict, "someone else went on with the session meanwhile").retryable()
}
