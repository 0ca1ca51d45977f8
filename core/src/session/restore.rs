//! Making an archived session live again.

use alloc::vec::Vec;

use super::again::moved_by_others;
use super::archive::{Archived, leftover};
use super::open::find_session;
use super::scan::Chunks;
use super::source::LogPart;
use super::staging::Staging;
use super::tier::{claim_after, release};
use super::{Task, retention};
use crate::log::{Expectation, Verifier};
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// Makes an archived session live again, its log byte for byte as it was: writes the log, reads it
/// back and verifies it, publishes it, and only then removes the archive. Counts as activity.
/// `already_exists` where nothing of it is archived.
#[must_use]
pub fn restore(id: SessionId) -> Task<Archived> {
    Task::new(async move |io| {
        let restored = restore_session(&io, &id).await;
        restored.map_err(|error| moved_by_others(error).in_session(&id))
    })
}

pub(super) async fn restore_session(io: &Io, id: &SessionId) -> Result<Archived> {
    let (session, source) = find_session(io, id).await?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let live = || Error::new(ErrorKind::AlreadyExists, "the session is live already");
    let archived = match &source.archive {
        Some(archive) => (archive.info.clone(), head),
        // What an interrupted archiving or restoring left goes only after the log was written anew:
        // who archives it just now finds another one.
        None => leftover(io, id).await?.ok_or_else(live)?,
    };
    let (info, contained) = archived;
    let has_lines = source.log.as_ref().is_some_and(LogPart::has_lines);
    let noted = match retention::touch(io, id).await {
        // Left of a pruning that was refused, or of a deletion: the log's version tells whether that
        // goes on.
        Err(error) if error.kind() == ErrorKind::Pruned && has_lines => None,
        noted => noted?,
    };
    // Between two looks someone may write to the session and archive it again: then its place is as
    // free as before, and only the claim tells.
    let replaced = match &source.log {
        Some(log) if !log.is_empty() => log.info.version.clone(),
        empty => claim_after(io, id, &info, empty.as_ref()).await?.version,
    };
    let mut staging = Staging::new(Key::of(id, Part::Log));
    let written = async {
        let mut chunks = Chunks::of(io, &source, Some(head));
        while let Some(chunk) = chunks.next().await? {
            staging.add(io, &chunk).await?;
        }
        staging.finish(io, Vec::new()).await?;
        // Read back, so that what is verified is what is there.
        let expected = Some((contained.seq, contained.hash));
        let mut verifier = Verifier::new(Expectation { session: Some(id.clone()), head: expected });
        staging.each_chunk(io, |chunk| verifier.push(chunk)).await?;
        let report = verifier.finish();
        if !planted!(RestoreUnread) {
            report.sound()?;
        }
        if report.head != Some(head) && !planted!(RestoreUnread) {
            let message = "the log does not lead to the session's head";
            return Err(Error::new(ErrorKind::HeadMismatch, message));
        }
        if planted!(ArchiveGoesFirst) {
            io.delete(&Key::of(id, Part::Archive), Condition::Any).await.ok();
        }
        let condition = match planted!(RestoreOverwrites) {
            true => Condition::Any,
            false => Condition::Version(replaced.clone()),
        };
        staging.commit(io, condition).await
    };
    if let Err(error) = written.await {
        staging.abort(io).await;
        if source.log.as_ref().is_none_or(LogPart::is_empty) {
            release(io, id, replaced).await;
        }
        return Err(source.blamed(io, error).await);
    }
    // Where it is gone, an archiving that was refused took it back, or the session was deleted: then
    // it is there again, which loses nothing.
    found(io.delete(&Key::of(id, Part::Archive), Condition::Version(info.version)).await)?;
    if let Some(noted) = noted {
        retention::remove(io, id, noted).await?;
    }
    let (raw_bytes, archive_bytes, torn) = (head.bytes, info.bytes, session.torn);
    Ok(Archived { head, raw_bytes, archive_bytes, torn })
}
