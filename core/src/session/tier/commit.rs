//! Writing to the cold store: segments and lists that never change, and manifests, of which each
//! number is taken once.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::cold::{Manifest, Segment};
use crate::hash::sha256;
use crate::limits::{MANIFEST_BYTES_MAX, MANIFEST_NUMBER_MAX, SEGMENTS_MAX, YOUNG_MS};
use crate::session::again::is_overtaken;
use crate::session::cold::manifest;
use crate::store::{Condition, Key};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Hash, Result};

/// What became of an object that was to be written.
pub(super) enum Written {
    /// It is there, and was read back.
    Done(Hash),
    /// One of the same bytes was there, and is too old to rely on.
    Old,
}

/// Writes an object whose name is its content's, and reads it back.
pub(super) async fn write(
    cold: &Io,
    key: impl Fn(Hash) -> Key,
    bytes: &[u8],
    now_ms: u64,
) -> Result<Written> {
    let name = sha256(bytes);
    let key = key(name);
    match cold.put(&key, bytes.to_vec(), Condition::Absent).await {
        Ok(_) => {}
        // It may have been written all the same: what is read back tells.
        Err(error) if error.kind() == ErrorKind::AlreadyExists || error.is_retryable() => {
            let info = found(cold.info(&key).await)?;
            if info.is_none() && error.kind() != ErrorKind::AlreadyExists {
                return Err(error);
            }
            // Or it was there, and was collected since.
            let modified_ms = info.and_then(|info| info.modified_ms);
            let age = modified_ms.map(|modified| now_ms.saturating_sub(modified));
            if age.is_none_or(|age| age > YOUNG_MS) {
                return Ok(Written::Old);
            }
        }
        Err(error) => return Err(error),
    }
    for is_last in [false, false, true] {
        let there = cold.get(&key, None).await?;
        if there.bytes == bytes || planted!(SegmentUnread) {
            return Ok(Written::Done(name));
        }
        // Nobody can use what its name does not fit. Only in its place: others may have written the
        // right bytes by now, and have named them.
        let place = Condition::Version(there.info.version);
        if is_last {
            break;
        }
        match cold.put(&key, bytes.to_vec(), place).await {
            Err(error) if !is_overtaken(&error) => return Err(error),
            _ => {}
        }
    }
    let message = "the store gave back other bytes than were written";
    Err(Error::new(ErrorKind::StoreFailed, message).at_key(&key))
}

/// Writes a segment; nothing where an old one of the same bytes is in the way.
pub(super) async fn write_segment(
    cold: &Io,
    bytes: Vec<u8>,
    (entries, raw_bytes): (u64, u64),
    now_ms: u64,
) -> Result<Option<Segment>> {
    let length = bytes.len() as u64;
    Ok(match write(cold, Key::segment, &bytes, now_ms).await? {
        Written::Done(name) => Some(Segment { name, bytes: length, entries, raw_bytes }),
        Written::Old => None,
    })
}

/// What became of a commit.
pub(super) enum Committed {
    Ours,
    /// Its number was taken by that one.
    Theirs(Box<Manifest>),
}

/// Commits a manifest: nobody else has its number then.
pub(super) async fn commit(cold: &Io, ours: &Manifest) -> Result<Committed> {
    let key = Key::manifest(&ours.session, ours.number);
    let bytes = encoded(ours).map_err(|error| error.at_key(&key))?;
    let is_last = planted!(CommitOverwrites);
    let condition = if is_last { Condition::Any } else { Condition::Absent };
    let failed = match cold.put(&key, bytes, condition).await {
        Ok(_) => return Ok(Committed::Ours),
        Err(_) if planted!(FailedCommitIsDone) => return Ok(Committed::Ours),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => error,
        // The answer was lost, perhaps not the manifest.
        Err(error) if error.is_retryable() => error,
        Err(error) => return Err(error),
    };
    match manifest(cold, &ours.session, ours.number).await? {
        Some(there) if there == *ours => Ok(Committed::Ours),
        Some(there) => Ok(Committed::Theirs(Box::new(there))),
        None => Err(failed),
    }
}

/// A manifest's bytes. Nobody would read a larger one, and the hot store's lines would be gone.
pub(crate) fn encoded(manifest: &Manifest) -> Result<Vec<u8>> {
    let too_large = |message| Err(Error::new(ErrorKind::TooLarge, message));
    let segments = manifest.held.as_ref().map_or(0, |held| held.segments.len());
    if segments > SEGMENTS_MAX {
        return too_large("a manifest has at most 65,536 segments");
    }
    if manifest.number > MANIFEST_NUMBER_MAX {
        return too_large("a session has at most 10^10 manifests");
    }
    let bytes = manifest.encode();
    if bytes.len() > MANIFEST_BYTES_MAX {
        return too_large("a manifest has at most 16 MiB");
    }
    Ok(bytes)
}

/// Refuses to commit what was written so long ago that it may be about to be collected, or to delete
/// what was seen so long ago that it may be another one.
pub(super) async fn check_in_time(io: &Io, since_ms: u64) -> Result<()> {
    if io.stamp(0).await?.now_ms.saturating_sub(since_ms) <= YOUNG_MS {
        return Ok(());
    }
    let message = "it took so long that others may have collected or written the same: do it again";
    Err(Error::new(ErrorKind::Conflict, message).retryable())
}
