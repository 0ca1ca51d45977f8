//! Clearing the hot store of what the cold one has.

use alloc::string::String;
use alloc::vec::Vec;

use super::claim::nonce;
use super::flush::about;
use super::hydrate::hydrate_session;
use crate::cold::{Anchor, Manifest};
use crate::log::Head;
use crate::session::Session;
use crate::session::again::is_overtaken;
use crate::session::removal::remove_if;
use crate::session::source::{LogPart, Source};
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{ErrorKind, Result, SessionId};

/// How much of the last lines stays in a hot store.
const KEPT_BYTES: u64 = 8 << 10;

/// Removes what the cold store has, unless it changed meanwhile.
pub(super) async fn clear(
    io: &Io,
    id: &SessionId,
    source: &Source,
    manifest: &Manifest,
) -> Result<bool> {
    // Beside the log: what the manifest has, and what only said how the hot part stands.
    let known = manifest.held.as_ref().and_then(|held| held.about.as_ref());
    let is_known = known.is_some() && about(io, id).await?.as_ref() == known;
    let record = record(io, id).await?;
    // The log last: an archive that is left alone would be the session again, older.
    if !clear_archive(io, id, source).await? {
        return Ok(false);
    }
    if let Some(log) = &source.log {
        let version = match planted!(FlushClearsWhatCame) {
            true => Condition::Any,
            false => Condition::Version(log.info.version.clone()),
        };
        if !is_gone(io.delete(&log.key, version).await)? {
            return Ok(false);
        }
    }
    let about = is_known.then_some(Part::About);
    for part in [Some(Part::Recovery), about].into_iter().flatten() {
        io.delete(&Key::of(id, part), Condition::Any).await.ok();
    }
    remove_record(io, id, record).await;
    Ok(true)
}

/// The version of what is noted of an archive: to be known before that is removed, for the session may
/// be archived again right after.
async fn record(io: &Io, id: &SessionId) -> Result<Option<String>> {
    Ok(io.find(&Key::of(id, Part::Retention)).await?.map(|info| info.version))
}

/// Removes what was noted of an archive that is gone, and not of a later one.
async fn remove_record(io: &Io, id: &SessionId, seen: Option<String>) {
    if let Some(version) = seen {
        remove_if(io, &Key::of(id, Part::Retention), Condition::Version(version)).await.ok();
    }
}

/// Removes the archive, also one that an interrupted archiving or flush left beside the log.
async fn clear_archive(io: &Io, id: &SessionId, source: &Source) -> Result<bool> {
    let key = Key::of(id, Part::Archive);
    let version = match (&source.archive, &source.log) {
        (Some(archive), _) => archive.info.version.clone(),
        (None, Some(log)) => {
            let Some(beside) = io.find(&key).await? else { return Ok(true) };
            // As long as the log is the same, nothing else can be in an archive of it.
            let now = io.find(&log.key).await?;
            if now.is_none_or(|now| now.version != log.info.version) {
                return Ok(false);
            }
            beside.version
        }
        (None, None) => return Ok(true),
    };
    is_gone(io.delete(&key, Condition::Version(version)).await)
}

fn is_gone(deleted: Result<()>) -> Result<bool> {
    match deleted {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Locked) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Leaves an anchor and the last lines in the log's place, unless it changed meanwhile.
pub(super) async fn keep(
    io: &Io,
    id: &SessionId,
    session: &Session,
    source: &Source,
    manifest: Manifest,
) -> Result<bool> {
    let Some(head) = session.head() else { return Ok(false) };
    // Others flushed more than is here: it is they who know how the hot part stands.
    if manifest.held.as_ref().is_none_or(|held| held.head != head) {
        return Ok(false);
    }
    let Some(log) = &source.log else {
        // Nothing holds the log's place against a deletion: it is claimed before the anchor is put.
        let is_cleared = clear(io, id, source, &manifest).await?;
        if is_cleared {
            found(hydrate_session(io, id).await)?;
        }
        return Ok(is_cleared);
    };
    let (first_seq, offset, lines) = last_lines(io, log, head).await?;
    let record = if source.archive.is_some() { record(io, id).await? } else { None };
    let stamp = io.stamp(8).await?;
    let mut bytes = Anchor { manifest, first_seq, offset }.encode(nonce(&stamp));
    bytes.extend_from_slice(&lines);
    let condition = Condition::Version(log.info.version.clone());
    match io.put(&log.key, bytes, condition).await {
        Ok(_) => {}
        Err(error) if is_overtaken(&error) || error.kind() == ErrorKind::Locked => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    if let Some(archive) = &source.archive {
        let version = Condition::Version(archive.info.version.clone());
        if is_gone(io.delete(&archive.key, version).await)? {
            remove_record(io, id, record).await;
        }
    }
    Ok(true)
}

/// The last lines of a log: the number of the first of them, and where it stands.
async fn last_lines(io: &Io, log: &LogPart, head: Head) -> Result<(u64, u64, Vec<u8>)> {
    let nothing = (head.seq + 1, head.bytes, Vec::new());
    let start = head.bytes.saturating_sub(KEPT_BYTES).max(log.offset);
    if start >= head.bytes {
        return Ok(nothing);
    }
    let mut lines = log.get(io, start..head.bytes).await?;
    // Less than was asked for may end with a line, too, and would be counted from the wrong one.
    if lines.len() as u64 != head.bytes - start {
        return Ok(nothing);
    }
    let first = match start == log.offset {
        true => 0,
        false => memchr::memchr(b'\n', &lines).map_or(lines.len(), |at| at + 1),
    };
    lines.drain(..first);
    if lines.last().is_none_or(|byte| *byte != b'\n') {
        return Ok(nothing);
    }
    let count = memchr::memchr_iter(b'\n', &lines).count() as u64;
    Ok(((head.seq + 1).saturating_sub(count), start + first as u64, lines))
}
