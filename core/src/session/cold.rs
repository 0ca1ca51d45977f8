//! The part of a session that lies in the cold store: where it is found, and how it is read.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::again::TRIES;
use super::open::told_by_last;
use super::range::Wanted;
use super::read::{Start, entry, read_archive};
use super::source::{ArchivePart, LogPart, Source};
use super::unpacking::Unpacking;
use super::{Form, Session};
use crate::archive::{HEADER_BYTES, read_segment_index};
use crate::cold::{Held, Manifest, Segment};
use crate::hash::sha256;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::line::Line;
use crate::log::{Head, Writer};
use crate::store::{Key, ObjectKey};
use crate::task::{Io, found};
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// The first entries of a session, as a manifest says.
#[derive(Debug, Clone)]
pub(super) struct ColdPart(Arc<Manifest>);

impl ColdPart {
    /// `not_found` where the session was deleted.
    pub(super) fn new(manifest: Manifest) -> Result<Self> {
        let part = Self(Arc::new(manifest));
        part.held()?;
        Ok(part)
    }

    /// What the cold store behind the store holds of a session; none where there is no such store.
    pub(super) async fn find(io: &Io, id: &SessionId) -> Result<Option<Self>> {
        let Some(cold) = io.cold() else { return Ok(None) };
        let newest = newest(&cold, id).await?.filter(|manifest| manifest.held.is_some());
        Ok(newest.map(|manifest| Self(Arc::new(manifest))))
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.0
    }

    pub(super) fn held(&self) -> Result<&Held> {
        self.0.held.as_ref().ok_or_else(deleted)
    }

    /// The session at its head there; `log` is the anchored log that follows it, without a line.
    pub(super) fn session(&self, id: &SessionId, log: Option<&LogPart>) -> Result<Session> {
        let held = self.held()?;
        let writer = Writer::resume(id.clone(), held.head, held.is_salted).forked_at(held.fork);
        let session = Session::new(writer);
        Ok(match log {
            Some(log) => session.starting_with(log.start()),
            None => Session { form: Form::Cold, ..session },
        })
    }

    /// Length of the objects.
    pub(super) fn stored_bytes(&self) -> u64 {
        let segments = self.held().map_or(&[][..], |held| &held.segments);
        segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The lines from the block with the first wanted entry on; backwards, with the last one.
    pub(super) async fn read(
        &self,
        io: &Io,
        wanted: &Wanted,
        is_back: bool,
    ) -> Result<(Vec<u8>, Start)> {
        let held = self.held()?;
        let first = if is_back { wanted.to } else { wanted.from };
        let (tail_seq, tail_offset) = held.tail_place();
        if first >= tail_seq {
            let start = Start { seq: tail_seq, offset: tail_offset };
            return Ok((held.tail.clone().into_bytes(), start));
        }
        let holds = |(segment, seq, _): &(Segment, u64, u64)| first < seq + segment.entries;
        let lost = || Error::new(ErrorKind::BadSeq, "the manifest lacks an entry");
        let (segment, seq, offset) = held.located().find(holds).ok_or_else(lost)?;
        let part = open_segment(io, &segment, seq, offset).await?;
        let index = part.index.clone().ok_or_else(lost)?;
        let (mut bytes, start) = read_archive(io, &part, &index, wanted, is_back).await?;
        // Of a segment that is shared, the session may have the first entries only.
        let end = (offset + segment.raw_bytes).saturating_sub(start.offset);
        bytes.truncate(usize::try_from(end).unwrap_or(usize::MAX));
        Ok((bytes, start))
    }
}

/// The newest manifest of a session, given the cold store.
pub(super) async fn newest(cold: &Io, id: &SessionId) -> Result<Option<Manifest>> {
    let mut tries = 1;
    loop {
        let Some(number) = newest_number(cold, id).await? else { return Ok(None) };
        match manifest(cold, id, number).await? {
            // Collected meanwhile: there is a newer one.
            None if tries < TRIES => tries += 1,
            None => return Err(Error::new(ErrorKind::Conflict, "the manifest is gone").retryable()),
            manifest => return Ok(manifest),
        }
    }
}

/// The head that a session had there when it was deleted.
pub(super) async fn buried_head(io: &Io, id: &SessionId) -> Result<Option<Head>> {
    let Some(cold) = io.cold() else { return Ok(None) };
    let mut grave = newest(&cold, id).await?.filter(Manifest::is_of_deleted);
    // Whoever deletes it once more may say so once more.
    for _ in 0..TRIES {
        let Some(number) = grave.and_then(|grave| grave.number.checked_sub(1)) else { break };
        let before = manifest(&cold, id, number).await?;
        if let Some(held) = before.as_ref().and_then(|before| before.held.as_ref()) {
            return Ok(Some(held.head));
        }
        grave = before;
    }
    Ok(None)
}

/// `not_found` where the session of that archive was deleted, as the cold store says: whoever archived
/// it meanwhile, and is about to take the archive back, or was cut off before, left it.
pub(super) async fn check_unburied(io: &Io, id: &SessionId, archive: &ArchivePart) -> Result<()> {
    if is_buried(io, id, archive).await? { Err(deleted()) } else { Ok(()) }
}

/// Whether the cold store says that the session of that archive was deleted.
pub(super) async fn is_buried(io: &Io, id: &SessionId, archive: &ArchivePart) -> Result<bool> {
    let Some(grave) = grave(io, id).await? else { return Ok(false) };
    let source = Source { archive: Some(archive.clone()), cold: None, log: None };
    let head = archive.head(io).await?;
    match archived_origin(io, &source, head).await {
        Ok(Some(origin)) => is_one_of(io, id, grave, origin).await,
        Err(error) if error.kind().class() == ErrorClass::Store => Err(error),
        // Others tell what is wrong with it.
        _ => Ok(false),
    }
}

/// Whether it was that one which was deleted, or one of those of the same id that were deleted before.
async fn is_one_of(io: &Io, id: &SessionId, mut grave: Manifest, origin: Hash) -> Result<bool> {
    let cold = io.cold_store()?;
    for _ in 0..TRIES {
        if grave.origin == origin {
            return Ok(true);
        }
        let Some(number) = grave.number.checked_sub(1) else { break };
        match manifest(&cold, id, number).await?.filter(Manifest::is_of_deleted) {
            Some(before) => grave = before,
            None => break,
        }
    }
    Ok(false)
}

/// `not_found` where a deletion of the session was cut off before it came to its log: others go on with
/// that, but an archive of it would be taken for what was deleted.
pub(super) async fn check_not_half_deleted(
    io: &Io,
    id: &SessionId,
    source: &Source,
    head: Head,
) -> Result<()> {
    let Some(grave) = grave(io, id).await? else { return Ok(()) };
    if archived_origin(io, source, head).await? != Some(grave.origin) {
        return Ok(());
    }
    let message = "a deletion of the session was cut off: delete it again, or export it";
    Err(Error::new(ErrorKind::NotFound, message))
}

/// What the cold store says of a session that was deleted.
async fn grave(io: &Io, id: &SessionId) -> Result<Option<Manifest>> {
    let Some(cold) = io.cold() else { return Ok(None) };
    Ok(newest(&cold, id).await?.filter(Manifest::is_of_deleted))
}

/// The hash of the entry that opened an archived session.
pub(super) async fn archived_origin(io: &Io, source: &Source, head: Head) -> Result<Option<Hash>> {
    let (_, fork) = told_by_last(io, source, head).await?;
    let line = entry(io, source, head, fork.unwrap_or_default()).await?;
    Ok(Line::split(&line).and_then(|line| line.hash()))
}

/// What is said of a session that the cold store says was deleted.
pub(super) fn deleted() -> Error {
    Error::new(ErrorKind::NotFound, "the session was deleted")
}

/// The number of the newest manifest of a session, given the cold store.
pub(super) async fn newest_number(cold: &Io, id: &SessionId) -> Result<Option<u64>> {
    let listing = cold.list(&Key::manifests(id), None, 1).await?;
    let Some((key, _)) = listing.objects.first() else { return Ok(None) };
    let Some(ObjectKey::Manifest(_, number)) = key.object() else {
        let message = "an object that is no manifest lies among the session's manifests";
        return Err(Error::new(ErrorKind::BadEntry, message).at_key(key));
    };
    Ok(Some(number))
}

/// The manifest of that number, given the cold store.
pub(super) async fn manifest(cold: &Io, id: &SessionId, number: u64) -> Result<Option<Manifest>> {
    let key = Key::manifest(id, number);
    let Some(object) = found(cold.get(&key, Some(0..MANIFEST_BYTES_MAX as u64 + 1)).await)? else {
        return Ok(None);
    };
    let manifest = Manifest::decode(&object.bytes, id).map_err(|error| error.at_key(&key))?;
    if manifest.number == number {
        return Ok(Some(manifest));
    }
    Err(Error::new(ErrorKind::BadSeq, "the manifest has another number").at_key(&key))
}

/// Opens a segment, whose first entry and offset those must be. One that is small is read whole, and
/// held against its name.
pub(super) async fn open_segment(
    io: &Io,
    segment: &Segment,
    first_seq: u64,
    offset: u64,
) -> Result<ArchivePart> {
    let cold = io.cold_store()?;
    let key = Key::segment(segment.name);
    let window = segment.bytes.min(HEADER_BYTES as u64);
    let start = cold.get(&key, Some(0..window)).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(&key),
        _ => error,
    })?;
    let damaged = |message: &str| Error::new(ErrorKind::GzipCorrupt, message).at_key(&key);
    if start.info.bytes != segment.bytes {
        return Err(damaged("the segment has another length than its manifest says"));
    }
    if window == segment.bytes && sha256(&start.bytes) != segment.name {
        return Err(damaged("the segment's bytes do not give its name"));
    }
    let index = read_segment_index(&start.bytes, segment.bytes).map_err(|e| e.at_key(&key))?;
    let entries = (index.head.seq + 1).saturating_sub(index.first_seq);
    if (index.first_seq, index.raw_start()) != (first_seq, offset) || entries < segment.entries {
        return Err(damaged("the segment does not hold what its manifest says"));
    }
    let (info, bytes) = (start.info, start.bytes);
    Ok(ArchivePart { key, info, index: Some(index), start: bytes, is_cold: true })
}

/// What is said of an object that a manifest names and that is not there.
fn missing(key: &Key) -> Error {
    let message = "a segment of the session is not in the cold store; if the session was flushed \
                   elsewhere meanwhile, hydrate it again";
    Error::new(ErrorKind::StoreFailed, message).at_key(key)
}

/// The lines of the cold part, piece by piece.
pub(super) struct ColdChunks {
    part: ColdPart,
    left: VecDeque<(Segment, u64, u64)>,
    /// The segment under way, and how much of it is still to come.
    open: Option<(Unpacking<'static>, u64)>,
    has_tail: bool,
}

impl ColdChunks {
    pub(super) fn new(part: ColdPart) -> Self {
        let left = part.held().map_or_else(|_| VecDeque::new(), |held| held.located().collect());
        let has_tail = part.held().is_ok_and(|held| !held.tail.is_empty());
        Self { part, left, open: None, has_tail }
    }

    /// The next bytes, at least one; `None` at the end.
    pub(super) async fn next(&mut self, io: &Io) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some((unpacking, left)) = &mut self.open {
                if *left > 0
                    && let Some(mut bytes) = unpacking.next(io).await?
                {
                    bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                if *left > 0 {
                    let message = "a segment ends before its last entry";
                    return Err(Error::new(ErrorKind::GzipTruncated, message));
                }
                self.open = None;
            }
            let Some((segment, seq, offset)) = self.left.pop_front() else { break };
            let part = open_segment(io, &segment, seq, offset).await?;
            self.open = Some((Unpacking::new(&part), segment.raw_bytes));
        }
        let tail = core::mem::take(&mut self.has_tail);
        let held = self.part.held()?;
        Ok(tail.then(|| held.tail.clone().into_bytes()))
    }
}
