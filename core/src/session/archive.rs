//! Putting a session into an archive.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::again::moved_by_others;
use super::announce::{Announced, announce, confirm, recall};
use super::closing::withdraw;
use super::cold::check_not_half_deleted;
use super::open::{START_BYTES, find_session};
use super::retention::{self, Retention};
use super::scan::Chunks;
use super::source::{ArchivePart, LogPart, Source};
use super::staging::Staging;
use super::unpacking::Unpacking;
use super::{Form, Session, Task};
use crate::archive::{
    Deflating, ENDING_BYTES, HEADER_BYTES, Index, Writer, checksum, inflate_span, read_index,
};
use crate::cold::is_anchor;
use crate::limits::BLOCK_BYTES;
use crate::line::{IDENTITY, is_first};
use crate::log::{Expectation, Head, Torn, Verifier};
use crate::store::{Condition, Info, Key, PART_BYTES, Part};
use crate::task::{Answer, Io};
use crate::{Error, ErrorKind, Result, SessionId};

/// What archiving or its reverse did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// The session's head, the same before and after.
    pub head: Head,
    /// Length of the log.
    pub raw_bytes: u64,
    /// Length of the archive.
    pub archive_bytes: u64,
    /// An unfinished write after the head, which was left out.
    pub torn: Option<Torn>,
}

/// Archives a session: verifies its log while compressing it, reads the archive back and verifies
/// that, publishes it, and only then removes the log. Where the session's first entries are in an
/// archive, its blocks are copied as they are. At every moment the session is whole.
///
/// `already_exists` where nothing is to be archived, or an archive of something else is in the way;
/// `empty_log` where nothing was recorded; `pruned` where what is archived is about to be removed;
/// `conflict` where someone appended meanwhile, `locked` where another writer holds the session: then
/// its log stays.
#[must_use]
pub fn archive(id: SessionId) -> Task<Archived> {
    Task::new(async move |io| {
        archive_session(&io, &id).await.map_err(|error| error.in_session(&id))
    })
}

pub(super) fn archive_session<'a>(io: &'a Io, id: &'a SessionId) -> Answer<'a, Archived> {
    Box::pin(async move { archive_once(io, id).await.map_err(moved_by_others) })
}

async fn archive_once(io: &Io, id: &SessionId) -> Result<Archived> {
    let (session, source) = find_session(io, id).await?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    if source.cold.is_some() {
        let message = "its first entries lie in the cold store: flush it instead";
        return Err(Error::new(ErrorKind::NotSupported, message));
    }
    let is_indexed = source.archive.as_ref().is_some_and(|archive| archive.index.is_some());
    let noted = retention::of(io, id).await?;
    if !source.log.as_ref().is_some_and(LogPart::has_lines) {
        // Someone may be about to remove the archive, and relies on the tombstone.
        retention::check_unpruned(noted.as_ref().map(|(record, _)| record))?;
    }
    if source.log.is_none() && is_indexed && noted.is_some() {
        return Err(Error::new(ErrorKind::AlreadyExists, "the session is archived already"));
    }
    if let Some(log) = &source.log {
        check_not_half_deleted(io, id, &source, head).await?;
        check_unheld(io, &log.key).await?;
        sync(io, &log.key).await?;
        if planted!(LogGoesFirst) {
            io.delete(&log.key, Condition::Version(log.info.version.clone())).await?;
        }
    }
    let written = write_archive(io, id, &session, &source, head, noted).await;
    let (info, is_first, announced) = match written {
        Ok(written) => written,
        Err(error) => return Err(source.blamed(io, error).await),
    };
    remove_log(io, id, &source, (&info, is_first), announced).await?;
    let (raw_bytes, archive_bytes, torn) = (head.bytes, info.bytes, session.torn);
    Ok(Archived { head, raw_bytes, archive_bytes, torn })
}

/// Refuses a log that another writer holds: it could not be removed in the end. A removal under a
/// condition that nothing meets tells.
pub(super) async fn check_unheld(io: &Io, log: &Key) -> Result<()> {
    let removed = io.delete(log, Condition::Version("none".into())).await;
    let is_unheld =
        |kind| matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::NotSupported);
    removed.or_else(|error| if is_unheld(error.kind()) { Ok(()) } else { Err(error) })
}

/// Makes a log durable where a store can tell. What is removed next must not be more durable than
/// what replaces it, and not less either: after a power cut the log would lack entries that the
/// archive has.
pub(super) async fn sync(io: &Io, log: &Key) -> Result<()> {
    match io.sync(log).await {
        Err(error) if error.kind() != ErrorKind::NotSupported => Err(error),
        _ => Ok(()),
    }
}

/// Removes what the archive holds now. Where that is refused, an archive that is not needed goes, if
/// it surely `is_first` of all: for one that replaced another, someone else may be removing the log.
async fn remove_log(
    io: &Io,
    id: &SessionId,
    source: &Source,
    (archive, is_first): (&Info, bool),
    announced: Announced,
) -> Result<()> {
    let Some(log) = &source.log else { return Ok(()) };
    let version = match planted!(ArchiveRemovesWhatCame) {
        true => Condition::Any,
        false => Condition::Version(log.info.version.clone()),
    };
    let removed = io.delete(&log.key, version).await;
    let Err(error) = removed else { return Ok(()) };
    if error.kind() == ErrorKind::NotFound {
        // Someone else archived it too, or deleted it.
        return match retention::of(io, id).await? {
            Some(_) => Ok(()),
            None => Err(withdraw(io, id, archive, None).await?),
        };
    }
    let is_refused = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Locked);
    let is_needed = !is_first || !stands_alone(io, log).await;
    if is_refused && (!is_needed || planted!(RefusedArchivingRemoves)) {
        let written = Condition::Version(archive.version.clone());
        if io.delete(&Key::of(id, Part::Archive), written).await.is_ok() {
            retention::remove(io, id, announced.version).await.ok();
        }
    }
    Err(error)
}

/// Whether what is in the log's place surely needs no archive: the whole log, in which others may have
/// written meanwhile, a newer session's, or one that is anchored in the cold store. A removal that
/// seemed to fail may have happened, or others archived it too, and what is there now only goes on
/// after the archive.
async fn stands_alone(io: &Io, log: &LogPart) -> bool {
    let start = log.start().get(..IDENTITY).unwrap_or(log.start());
    let Ok(now) = io.get(&log.key, Some(0..START_BYTES)).await else { return false };
    now.bytes.starts_with(start) || is_first(&now.bytes) || is_anchor(&now.bytes)
}

/// Writes, reads back and publishes the archive; nothing has to be written where the archive there
/// is holds everything. Whether it is the first one, too.
async fn write_archive(
    io: &Io,
    id: &SessionId,
    session: &Session,
    source: &Source,
    head: Head,
    noted: Option<(Retention, String)>,
) -> Result<(Info, bool, Announced)> {
    if let (Form::Archived, Some(archive)) = (session.form, &source.archive)
        && let Some(index) = &archive.index
    {
        check(io, id, Unpacking::new(archive), head, index).await?;
        let announced = announce(io, id, source, (head, archive.info.bytes), noted).await?;
        return Ok((archive.info.clone(), false, announced));
    }
    let (replaced, contained) = match &source.archive {
        Some(archive) => (Condition::Version(archive.info.version.clone()), None),
        None => match leftover(io, id).await? {
            Some((info, head)) => (Condition::Version(info.version), Some(head)),
            None => (Condition::Absent, None),
        },
    };
    let mut staging = Staging::new(Key::of(id, Part::Archive));
    let written = async {
        match source.archive.as_ref().and_then(|part| Some((part, part.index.as_ref()?))) {
            Some((part, index)) => extend(io, source, part, index, head, &mut staging).await?,
            None => compress(io, id, source, head, contained, &mut staging).await?,
        }
        read_back(io, id, head, &staging).await?;
        let announced = announce(io, id, source, (head, staging.bytes()), noted).await?;
        let is_first = replaced == Condition::Absent;
        match staging.commit(io, replaced).await {
            Ok(info) => Ok((info, is_first, announced, None)),
            Err(error) if is_refused(&error) => {
                recall(io, id, announced).await.ok();
                Err(error)
            }
            // It may have happened, and the answer was lost: who published has to look after it. Or
            // someone else published the same, who may take it back: the log stays.
            Err(error) => match published(io, id, head, staging.bytes()).await {
                Some(info) => {
                    staging.abort(io).await;
                    Ok((info, false, announced, Some(error)))
                }
                None => Err(error),
            },
        }
    };
    let (info, is_first, announced, fault) = match written.await {
        Ok(written) => written,
        Err(error) => {
            staging.abort(io).await;
            return Err(error);
        }
    };
    let confirmed = confirm(io, id, source, (head, &info, is_first), announced).await;
    match fault {
        Some(fault) => Err(fault),
        None => Ok((info, is_first, confirmed?)),
    }
}

fn is_refused(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists)
}

/// The archive that was to be published, if it is there.
async fn published(io: &Io, id: &SessionId, head: Head, bytes: u64) -> Option<Info> {
    let part = ArchivePart::find(io, id).await.ok()??;
    let is_it = part.info.bytes == bytes && part.index.is_some_and(|index| index.head == head);
    is_it.then_some(part.info)
}

/// An archive that an interrupted archiving or restoring left beside a whole log, and the entry up to
/// which the log must hold the same for it to be replaced.
pub(super) async fn leftover(io: &Io, id: &SessionId) -> Result<Option<(Info, Head)>> {
    let damaged = |error: Error| {
        if error.kind().class() != crate::ErrorClass::Data {
            return error;
        }
        let message = alloc::format!("a damaged archive is in the way: {}", error.message());
        Error::new(ErrorKind::AlreadyExists, message).at_key(&Key::of(id, Part::Archive))
    };
    let Some(part) = ArchivePart::find(io, id).await.map_err(damaged)? else { return Ok(None) };
    let head = part.head(io).await.map_err(damaged)?;
    Ok(Some((part.info, head)))
}

async fn compress(
    io: &Io,
    id: &SessionId,
    source: &Source,
    head: Head,
    contained: Option<Head>,
    staging: &mut Staging,
) -> Result<()> {
    let expected = contained.unwrap_or(head);
    let expected = Some((expected.seq, expected.hash));
    let verifier = Verifier::new(Expectation { session: Some(id.clone()), head: expected });
    let chunks = Chunks::of(io, source, Some(head));
    let packed = pack(io, chunks, verifier, Writer::new(), head, staging).await;
    packed.map_err(|error| match contained {
        Some(_) if error.kind() == ErrorKind::HeadMismatch => {
            let message =
                "an archive is in the way that is not of this log; remove it if nobody needs it";
            Error::new(ErrorKind::AlreadyExists, message).at_key(&Key::of(id, Part::Archive))
        }
        _ => error,
    })
}

/// Copies an archive's blocks, and compresses what follows it. A small last block is filled first.
async fn extend(
    io: &Io,
    source: &Source,
    archive: &ArchivePart,
    index: &Index,
    head: Head,
    staging: &mut Staging,
) -> Result<()> {
    let spans: Vec<_> = index.located().collect();
    let is_small = |bytes: u64| bytes < BLOCK_BYTES as u64 / 2;
    let last = spans.last().filter(|last| is_small(last.span.raw_bytes));
    let start = spans.first().map_or(0, |span| span.compressed.start);
    let end = spans.last().map_or(0, |span| span.compressed.end);
    let ending = archive.get(io, end..end + ENDING_BYTES).await?;
    let damaged = || Error::new(ErrorKind::GzipTruncated, "the archive has no end");
    let crc = checksum(&ending).ok_or_else(|| damaged().at_key(&archive.key))?;
    let kept = spans.len() - usize::from(last.is_some());
    let mut writer = Writer::after(index, kept, crc);
    let copied = last.map_or(end, |last| last.compressed.start);
    copy(io, archive, start..copied, staging).await?;
    let before = index.head;
    let mut verifier = Verifier::resume(Some(before.hash), before.seq + 1, before.bytes);
    if let Some(last) = last {
        let bytes = archive.get(io, last.compressed.clone()).await?;
        let raw = inflate_span(last, &bytes).map_err(|error| error.at_key(&archive.key))?;
        verifier = Verifier::resume(super::read::first_prev(&raw), last.first_seq, last.raw.start);
        verifier.push_each(&raw, |verified| {
            // Less than a block: it fills none.
            writer.collect(verified).map_or(Ok(()), |_| Err(damaged()))
        });
    }
    let new = Source { archive: None, cold: None, log: source.log.clone() };
    pack(io, Chunks::of(io, &new, Some(head)), verifier, writer, head, staging).await
}

async fn copy(
    io: &Io,
    archive: &ArchivePart,
    range: core::ops::Range<u64>,
    staging: &mut Staging,
) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + PART_BYTES as u64);
        let bytes = archive.get(io, at..end).await?;
        if bytes.is_empty() {
            return Err(super::scan::shorter(&archive.key));
        }
        at += bytes.len() as u64;
        staging.add(io, &bytes).await?;
    }
    Ok(())
}

/// Compresses lines up to the head, verifying them.
async fn pack(
    io: &Io,
    mut chunks: Chunks,
    mut verifier: Verifier,
    mut writer: Writer,
    head: Head,
    staging: &mut Staging,
) -> Result<()> {
    let mut deflating = Deflating::default();
    while let Some(chunk) = chunks.next().await? {
        let mut blocks = Vec::new();
        verifier.push_each(&chunk, |verified| {
            blocks.extend(writer.collect(verified));
            Ok(())
        });
        deflating.give(io, blocks, &mut writer).await?;
        staging.add(io, &writer.take_blocks()).await?;
    }
    deflating.finish(&mut writer).await?;
    let report = verifier.finish();
    report.sound()?;
    if report.head != Some(head) {
        let message = "the log changed while it was read";
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    let frame = writer.finish(head);
    staging.add(io, &writer.take_blocks()).await?;
    staging.add(io, &frame.trailer).await?;
    staging.finish(io, frame.header).await
}

/// Reads the archive as readers will, and verifies it up to the head it must have.
async fn read_back(io: &Io, id: &SessionId, head: Head, staging: &Staging) -> Result<()> {
    if planted!(ArchiveUnread) {
        return Ok(());
    }
    let bytes = staging.bytes();
    let start = staging.get(io, 0..bytes.min(HEADER_BYTES as u64)).await?;
    let index = read_index(&start, bytes)?;
    check(io, id, Unpacking::staged(staging, &index), head, &index).await
}

async fn check(
    io: &Io,
    id: &SessionId,
    mut content: Unpacking<'_>,
    head: Head,
    index: &Index,
) -> Result<()> {
    let mut verifier = Verifier::new(Expectation { session: Some(id.clone()), head: None });
    while let Some(raw) = content.next(io).await? {
        verifier.push(&raw);
    }
    let report = verifier.finish();
    report.sound()?;
    if report.head == Some(head) && index.head == head {
        return Ok(());
    }
    Err(Error::new(ErrorKind::HeadMismatch, "the archive does not lead to the log's head"))
}
