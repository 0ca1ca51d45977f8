//! Copies of what is replaced, kept until it is over.

use alloc::string::String;
use alloc::vec::Vec;

use crate::session::Staging;
use crate::session::scan::{CHUNK_BYTES, shorter};
use crate::session::tier::is_claimed;
use crate::store::{Condition, Info, Key};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result};

/// How many keys are listed at once.
const PAGE: u32 = 1000;
/// So old nobody restores any more what came as a stream.
const SPOOLED_MS: u64 = 24 * 60 * 60 * 1000;

/// Copies an object, only where what is there meets the condition, and reads the copy back; tells which
/// version it copied. `None`: there is none.
pub(super) async fn copy(
    io: &Io,
    from: &Key,
    to: &Key,
    condition: Condition,
) -> Result<Option<Info>> {
    let Some(info) = io.find(from).await? else { return Ok(None) };
    let mut staging = Staging::in_order(to.clone());
    let copied = async {
        let mut at = 0;
        while at < info.bytes {
            let bytes = read(io, from, &info, at).await?;
            at += bytes.len() as u64;
            staging.add(io, &bytes).await?;
        }
        // Even of nothing there is a stage to commit.
        staging.finish(io, Vec::new()).await?;
        let mut at = 0;
        while at < info.bytes {
            let bytes = read(io, from, &info, at).await?;
            let end = at + bytes.len() as u64;
            if staging.get(io, at..end).await? != bytes {
                let message = "what was put aside is not what was read back";
                return Err(Error::new(ErrorKind::StoreFailed, message).at_key(to));
            }
            at = end;
        }
        staging.commit(io, condition).await
    };
    if let Err(error) = copied.await {
        staging.abort(io).await;
        return Err(error);
    }
    Ok(Some(info))
}

/// Only if it is still what was seen.
pub(super) fn as_seen(version: Option<String>) -> Condition {
    version.map_or(Condition::Absent, Condition::Version)
}

/// Whether an object in a log's place is no log: a claim, or what a writer leaves of one.
pub(super) async fn is_vacant(io: &Io, key: &Key, info: &Info) -> Result<bool> {
    Ok(info.bytes == 0 || is_claimed(io, key, info).await?)
}

async fn read(io: &Io, from: &Key, info: &Info, at: u64) -> Result<Vec<u8>> {
    let object = io.get(from, Some(at..info.bytes.min(at + CHUNK_BYTES))).await?;
    if object.info.version != info.version {
        let message = "someone wrote to it while it was put aside";
        return Err(Error::new(ErrorKind::Conflict, message).retryable().at_key(from));
    }
    if object.bytes.is_empty() {
        return Err(shorter(from));
    }
    Ok(object.bytes)
}

/// Removes what was put aside, and values that are for no cache any more.
pub(super) async fn tidy(io: &Io) -> Result<()> {
    let mut after = None;
    loop {
        let listing = io.list(Key::asides(), after, PAGE).await?;
        for (key, _) in &listing.objects {
            found(io.delete(key, Condition::Any).await)?;
        }
        after = listing.objects.last().map(|(key, _)| key.clone());
        if !listing.more || after.is_none() {
            break;
        }
    }
    found(io.delete(&Key::restored_cache(), Condition::Any).await).map(|_| ())
}

/// Removes bundles that came as streams, where whoever was to restore them is gone: only their age tells.
pub(super) async fn sweep_spooled(io: &Io) -> Result<()> {
    let oldest = io.stamp(0).await?.now_ms.saturating_sub(SPOOLED_MS);
    // More than a page are left to the next time.
    for (key, info) in io.list(Key::spools(), None, PAGE).await?.objects {
        if info.modified_ms.is_some_and(|modified| modified < oldest) {
            found(io.delete(&key, Condition::Any).await)?;
        }
    }
    Ok(())
}
