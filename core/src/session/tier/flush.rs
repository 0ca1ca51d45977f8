//! Flushing: what is new in the hot store goes into the cold one.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Task;
use super::anchored::begun;
use super::claim::nonce;
use super::clear::{clear, keep};
use super::commit::{Committed, check_in_time, commit};
use super::gather::{Gathered, diverged};
use super::merge::{list_many_ids, merge};
use crate::cold::{Held, Manifest};
use crate::entry::utf8;
use crate::limits::{ABOUT_BYTES_MAX, INLINE_TAIL_BYTES};
use crate::line::Line;
use crate::log::{Head, Stamp};
use crate::session::Form;
use crate::session::again::{TRIES, Tries, is_only_moving};
use crate::session::cold::{ColdPart, deleted, manifest, newest};
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::session::scan::Chunks;
use crate::session::source::Source;
use crate::store::{Key, Part};
use crate::task::{Answer, Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// How often a commit is tried again after another one was first.
const COMMITS: u32 = 8;

/// What becomes of the hot part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hot {
    /// It is removed, if nothing was appended meanwhile.
    #[default]
    Clear,
    /// It stays hydrated: an anchor and the last lines.
    Keep,
    /// It is left as it is.
    Leave,
}

/// How to flush.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Flush {
    /// What becomes of the hot part.
    pub hot: Hot,
    /// Join segments where many small ones came together: now and then costs some more requests,
    /// and keeps reading cheap. Not where the hot part is left as it is.
    pub merges: bool,
}

impl Default for Flush {
    fn default() -> Self {
        Self { hot: Hot::Clear, merges: true }
    }
}

impl Flush {
    /// The same, where that becomes of the hot part.
    #[must_use]
    pub fn hot(mut self, hot: Hot) -> Self {
        self.hot = hot;
        self
    }

    /// The same, with or without joining small segments.
    #[must_use]
    pub fn merging(mut self, merges: bool) -> Self {
        self.merges = merges;
        self
    }
}

/// What a flush did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// The session's head in the cold store; `None` where nothing was in the hot store.
    pub head: Option<Head>,
    /// How many entries were new there.
    pub entries: u64,
    /// How many segments were written, by joining others too.
    pub segments: u64,
    /// The hot part was removed or cut down; not where something was appended meanwhile.
    pub cleared: bool,
    /// Why small segments could not be joined, if they were to be. The flush holds.
    pub merge_fault: Option<Error>,
}

/// Writes what is new in the hot store into the cold one, and then clears the hot one, unless
/// something was appended meanwhile. May be done again at any time, and by several at once: what is
/// there is not written twice. `conflict` where the cold store has other entries than the hot one;
/// `not_found` where the session was deleted.
#[must_use]
pub fn flush(id: SessionId, options: Flush) -> Task<Flushed> {
    Task::new(async move |io| {
        flush_session(&io, &id, &options).await.map_err(|error| error.in_session(&id))
    })
}

pub(super) fn flush_session<'a>(
    io: &'a Io,
    id: &'a SessionId,
    options: &'a Flush,
) -> Answer<'a, Flushed> {
    Box::pin(async move {
        io.cold_store()?;
        let (mut grave, mut tries) = (None, 1);
        loop {
            let mut known = Known::now(io, grave).await?;
            match flush_once(io, id, options, &mut known).await {
                // Flushed or hydrated by others between two looks at it.
                Err(error) if is_only_moving(&error) && tries < TRIES => tries += 1,
                flushed => return flushed,
            }
            grave = known.grave;
        }
    })
}

/// What was known before a session was read that is to be committed.
pub(super) struct Known {
    stamp: Stamp,
    /// The end of a session of that id: what is read after it is not what was deleted.
    pub(super) grave: Option<Manifest>,
}

impl Known {
    pub(super) async fn now(io: &Io, grave: Option<Manifest>) -> Result<Self> {
        Ok(Self { stamp: io.stamp(16).await?, grave })
    }

    /// Refuses to go on after the end of a session that was not known of before the session was
    /// read: that may be the one that was deleted.
    fn check(&mut self, base: Option<&Manifest>) -> Result<()> {
        let grave = base.filter(|base| base.is_of_deleted());
        if grave.is_none() || grave == self.grave.as_ref() {
            return Ok(());
        }
        self.grave = grave.cloned();
        let message = "a session of that id was deleted: whether it is another one shows now";
        Err(Error::new(ErrorKind::Conflict, message).retryable())
    }
}

async fn flush_once(
    io: &Io,
    id: &SessionId,
    options: &Flush,
    known: &mut Known,
) -> Result<Flushed> {
    let (session, source) = match find_session(io, id).await {
        // Nobody has it: there is nothing to flush.
        Err(error) if error.kind() == ErrorKind::NotFound && error.place().key.is_none() => {
            let was_deleted = known.grave.is_some();
            return if was_deleted { Err(deleted()) } else { Ok(Flushed::default()) };
        }
        found => found?,
    };
    if planted!(LostIsEmpty) && session.form == Form::Cold {
        super::delete::bury(io, id, false, &mut Tries::default()).await?;
    }
    let Some(head) = session.head().filter(|_| session.form != Form::Cold) else {
        return Ok(Flushed::default());
    };
    let is_anchored = source.cold.is_some();
    let (mut manifest, mut flushed) =
        upload((io, io), id, &source, head, is_anchored, known).await?;
    // An anchor that is left would name the segments that were joined.
    let merges = options.merges && options.hot != Hot::Leave;
    if merges && manifest.held.as_ref().is_some_and(|held| held.head == head) {
        match merge(io, &manifest).await {
            Ok(Some((merged, segments))) => {
                manifest = merged;
                flushed.segments += segments;
            }
            Ok(None) => {}
            Err(error) => flushed.merge_fault = Some(error),
        }
    }
    flushed.cleared = match options.hot {
        Hot::Clear => clear(io, id, &source, &manifest).await?,
        Hot::Keep => keep(io, id, &session, &source, manifest).await?,
        Hot::Leave => false,
    };
    Ok(flushed)
}

/// Sees to it that the cold store has every entry up to the head; gives the manifest that says so.
/// The source is read `from` a store; whether it `is_anchored` there, it tells what the cold one has.
pub(super) async fn upload(
    (io, from): (&Io, &Io),
    id: &SessionId,
    source: &Source,
    head: Head,
    is_anchored: bool,
    known: &mut Known,
) -> Result<(Manifest, Flushed)> {
    let cold = io.cold_store()?;
    let stamp = known.stamp.clone();
    let mut flushed = Flushed { head: Some(head), ..Flushed::default() };
    let mut base = match &source.cold {
        Some(part) if is_anchored => begun(&cold, part.manifest(), stamp.now_ms).await?,
        // It is still the newest, or a commit tells.
        _ if known.grave.is_some() => known.grave.clone(),
        _ => newest(&cold, id).await?,
    };
    let mut pads = 0;
    for _ in 0..COMMITS {
        known.check(base.as_ref())?;
        // What an anchor names was committed: whichever session ended since, that one did before.
        if is_anchored && base.as_ref().is_some_and(Manifest::is_of_deleted) {
            return Err(deleted());
        }
        if let Some(base) = &base
            && holds((io, from), id, source, base, head).await?
        {
            return Ok((base.clone(), flushed));
        }
        let stores = (io, from);
        let Some(next) =
            next_manifest(stores, id, source, base.as_ref(), head, &stamp, pads).await?
        else {
            // Another object of the same content.
            pads = pads.wrapping_add(1 | stamp.random.last().copied().unwrap_or_default());
            continue;
        };
        let before = base.as_ref().and_then(|base| base.held.as_ref());
        let count = |held: Option<&Held>| held.map_or(0, |held| held.segments.len() as u64);
        let segments = count(next.held.as_ref()).saturating_sub(count(before));
        check_in_time(io, stamp.now_ms).await?;
        match commit(&cold, &next).await? {
            Committed::Ours => {
                read_back(&cold, &next).await?;
                let first = before.map_or(0, |held| held.head.seq + 1);
                flushed.entries = head.seq + 1 - first;
                flushed.segments = segments;
                return Ok((next, flushed));
            }
            // There may be many more: an anchor stays as it was while the hot part is not cleared.
            Committed::Theirs(_) => base = newest(&cold, id).await?,
        }
    }
    let message = "others kept committing to the session meanwhile";
    Err(Error::new(ErrorKind::Conflict, message).retryable())
}

/// Looks that lines which stand in a manifest itself are there: the hot store's go next. Segments were
/// read back before.
async fn read_back(cold: &Io, written: &Manifest) -> Result<()> {
    let has_lines = written.held.as_ref().is_some_and(|held| !held.tail.is_empty());
    if !has_lines
        || manifest(cold, &written.session, written.number).await?.as_ref() == Some(written)
    {
        return Ok(());
    }
    let message = "the store gave back another manifest than was written";
    Err(Error::new(ErrorKind::StoreFailed, message))
}

/// Whether the cold store has the head. `conflict` where it has another entry in its place.
pub(super) async fn holds(
    (io, from): (&Io, &Io),
    id: &SessionId,
    source: &Source,
    base: &Manifest,
    head: Head,
) -> Result<bool> {
    let Some(held) = &base.held else { return Ok(false) };
    if held.head.seq < head.seq {
        return Ok(false);
    }
    if held.head.seq == head.seq {
        return if held.head == head { Ok(true) } else { Err(diverged(held.head)) };
    }
    // Others flushed more than the hot store has: is it a part of that?
    let cold = Some(ColdPart::new(base.clone())?);
    let there = Source { archive: None, cold, log: None };
    let line = entry(io, &there, held.head, head.seq).await?;
    let anchored = source.cold.as_ref().map(ColdPart::held).transpose()?;
    let is_it = match anchored.is_some_and(|anchored| anchored.head == head) {
        // Nothing is new here, and the segment that it was in may be gone.
        true => Line::split(&line).and_then(|line| line.hash()) == Some(head.hash),
        false => line == entry(from, source, head, head.seq).await?,
    };
    if is_it { Ok(true) } else { Err(diverged(held.head).in_session(id)) }
}

/// Writes the segments of what is new, and makes the manifest that names them. Nothing where an old
/// object is in the way.
async fn next_manifest(
    (io, from): (&Io, &Io),
    id: &SessionId,
    source: &Source,
    base: Option<&Manifest>,
    head: Head,
    stamp: &Stamp,
    pads: u8,
) -> Result<Option<Manifest>> {
    let before = base.and_then(|base| Some((base, base.held.as_ref()?)));
    let held = before.map(|(_, held)| held);
    let after = held.map(|held| held.head);
    let old_tail = held.map_or("", |held| &held.tail);
    let new_bytes = head.bytes.saturating_sub(after.map_or(0, |after| after.bytes));
    let is_inline = (old_tail.len() as u64).saturating_add(new_bytes) <= INLINE_TAIL_BYTES as u64;
    let mut gathered = Gathered::after(id, before, pads, stamp.now_ms);
    let mut tail = Vec::new();
    let mut chunks = Chunks::between(from, source, after.map_or(0, |after| after.bytes), head);
    let mut next = Some(old_tail.as_bytes().to_vec());
    while let Some(lines) = next {
        if is_inline {
            gathered.look_at(&lines);
            tail.extend_from_slice(&lines);
        } else if !gathered.push(io, &lines).await? {
            return Ok(None);
        }
        next = chunks.next().await?;
    }
    let Some((segments, mut facts)) = gathered.finish(io, head, after, is_inline).await? else {
        return Ok(None);
    };
    let missing = || Error::new(ErrorKind::BadSeq, "the log's first entry is not there");
    let origin = facts.origin.ok_or_else(missing)?;
    if base.is_some_and(|base| base.held.is_none() && base.origin == origin) {
        return Err(deleted());
    }
    let ids = held.map(|held| held.ids.clone()).unwrap_or_default();
    let listed = ids.iter().map(|ids| ids.entries).sum();
    let mut held = Held {
        head,
        is_salted: facts.is_salted,
        fork: facts.fork,
        segments: [held.map(|held| held.segments.clone()).unwrap_or_default(), segments].concat(),
        tail: utf8(&tail)?.to_string(),
        slice: facts.slice.clone(),
        recent_ids: facts.recent_ids(listed),
        ids,
        about: about(from, id).await?.or_else(|| known_about(source, held)),
    };
    list_many_ids(io, &mut held, stamp).await?;
    Ok(Some(Manifest {
        session: id.clone(),
        number: base.map_or(0, |base| base.number + 1),
        prev: base.map(Manifest::hash),
        origin,
        written_ms: stamp.now_ms,
        nonce: nonce(stamp),
        held: Some(held),
    }))
}

/// Title, kind and tags as a manifest has them.
pub(in crate::session) fn known_about(source: &Source, held: Option<&Held>) -> Option<String> {
    let source = source.cold.as_ref().and_then(|cold| cold.held().ok());
    [held, source].into_iter().flatten().find_map(|held| held.about.clone())
}

/// Title, kind and tags as they lie beside the log, if they are what they should be.
pub(super) async fn about(io: &Io, id: &SessionId) -> Result<Option<String>> {
    let range = 0..ABOUT_BYTES_MAX as u64 + 1;
    let Some(object) = found(io.get(&Key::of(id, Part::About), Some(range)).await)? else {
        return Ok(None);
    };
    let text = core::str::from_utf8(object.bytes.trim_ascii()).unwrap_or_default();
    let is_object = crate::json::Object::of(text).is_some() && !text.contains('\n');
    Ok((is_object && text.len() <= ABOUT_BYTES_MAX).then(|| text.to_string()))
}
