//! What an anchor says, held against what the cold store has by now: others may have joined the
//! segments that it names, and a collection may have taken them.

use super::commit::{Committed, commit};
use super::flush::holds;
use super::gather::diverged;
use crate::cold::Manifest;
use crate::limits::YOUNG_MS;
use crate::line::Line;
use crate::log::Head;
use crate::session::cold::{ColdPart, deleted, newest};
use crate::session::read::entry;
use crate::session::source::Source;
use crate::store::Key;
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// Whether a manifest was written so lately that nothing it names was collected, even if it is not
/// the newest any more.
fn is_young(manifest: &Manifest, now_ms: u64) -> bool {
    now_ms.checked_sub(manifest.written_ms).is_some_and(|age| age <= YOUNG_MS)
}

/// The manifest of an anchor, while it is the newest; else the one that is. The number after an older
/// one says nothing, unless that is young: what others committed there may have been collected since.
pub(super) async fn begun(cold: &Io, anchored: &Manifest, now_ms: u64) -> Result<Option<Manifest>> {
    let (id, held) = (&anchored.session, anchored.held.as_ref());
    let is_of_fork = anchored.prev.is_none() && held.is_some_and(|held| held.fork.is_some());
    let is_young = is_young(anchored, now_ms);
    if is_young && !is_of_fork {
        return Ok(Some(anchored.clone()));
    }
    let there = newest(cold, id).await?;
    // Its number alone says nothing: it may be another session's.
    if there.as_ref().is_some_and(|there| there.number >= anchored.number) {
        return Ok(there);
    }
    // A fork puts its anchor first: it may be under way, or was cut off, or others were first.
    if !is_of_fork || !is_young && !has_segments(cold, anchored).await? {
        let message = "the session was deleted, or comes from another cold store";
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    match commit(cold, anchored).await? {
        Committed::Ours => Ok(Some(anchored.clone())),
        Committed::Theirs(_) => newest(cold, id).await,
    }
}

/// Whether all that a manifest names is still there.
async fn has_segments(cold: &Io, manifest: &Manifest) -> Result<bool> {
    let Some(held) = &manifest.held else { return Ok(true) };
    let segments = held.segments.iter().map(|segment| Key::segment(segment.name));
    for key in segments.chain(held.ids.iter().map(|ids| Key::ids(ids.name))) {
        if found(cold.info(&key).await)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The manifest that took the place of a session's anchor, if one did. A young anchor's does no harm.
async fn newer(io: &Io, source: &Source, now_ms: u64) -> Result<Option<Manifest>> {
    // Without a log it was looked for just now.
    let (Some(part), Some(_)) = (&source.cold, &source.log) else { return Ok(None) };
    let anchored = part.manifest();
    if is_young(anchored, now_ms) {
        return Ok(None);
    }
    let newest = begun(&io.cold_store()?, anchored, now_ms).await?.ok_or_else(deleted)?;
    Ok(Some(newest).filter(|newest| newest != anchored))
}

/// Whether a session is better flushed and hydrated again: what its anchor names may be gone.
pub(super) async fn is_outdated(io: &Io, source: &Source, now_ms: u64) -> Result<bool> {
    newer(io, source, now_ms).await.map(|newer| newer.is_some())
}

/// Where a session with that head lies, with the newest manifest in the place of an old anchor's:
/// who names its segments again names what is there. `conflict` where that has other entries.
pub(super) async fn renewed(
    io: &Io,
    id: &SessionId,
    source: &Source,
    head: Head,
    now_ms: u64,
) -> Result<Source> {
    let Some(newest) = newer(io, source, now_ms).await? else { return Ok(source.clone()) };
    let before = source.cold.as_ref().map(ColdPart::held).transpose()?.map(|held| held.head);
    let cold = ColdPart::new(newest.clone())?;
    let held = cold.held()?.head;
    let is_it = if held.seq >= head.seq {
        holds((io, io), id, source, &newest, head).await?
    } else if before.is_some_and(|before| before.seq >= held.seq) {
        before == Some(held)
    } else {
        let line = entry(io, source, head, held.seq).await?;
        Line::split(&line).and_then(|line| line.hash()) == Some(held.hash)
    };
    match is_it {
        true => Ok(Source { cold: Some(cold), ..source.clone() }),
        false => Err(diverged(held)),
    }
}
