//! Putting a session into an archive, and taking it out again.

use alloc::string::String;
use alloc::vec::Vec;

use super::inflated::get_chunk;
use super::open::open_session;
use super::scan::{each_chunk, scan_archive};
use super::{Form, Task};
use crate::archive::{Deflating, HEADER_BYTES, Writer, read_index};
use crate::gzip::{Bound, Inflating};
use crate::log::{Expectation, Head, Torn, Verifier};
use crate::store::{Condition, Key, PART_BYTES, Part, StageId};
use crate::task::Io;
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

/// Archives a live session: verifies its log while compressing it, publishes the archive, reads it
/// back, verifies that, and only then removes the log. At every moment at least one of the two is
/// whole. `conflict` where someone appended meanwhile, `locked` where another writer holds the
/// session: then the log stays and the archive goes.
#[must_use]
pub fn archive(id: SessionId) -> Task<Archived> {
    Task::new(async move |io| {
        archive_session(&io, &id).await.map_err(|error| error.in_session(&id))
    })
}

async fn archive_session(io: &Io, id: &SessionId) -> Result<Archived> {
    let (log, archive) = (Key::of(id, Part::Log), Key::of(id, Part::Archive));
    // Before the head is looked at: whatever is appended from now on changes the version.
    let version = io.info(&log).await.map(|info| info.version);
    let session = open_session(io, id).await?;
    if session.form == Form::Archived {
        return Err(Error::new(ErrorKind::AlreadyExists, "the session is archived already"));
    }
    let version = version?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let old = old_archive(io, &archive).await?;
    write_archive(io, id, head, old).await?;
    let archive_bytes = match read_back(io, id, head).await {
        Ok(bytes) => bytes,
        Err(error) => {
            // What cannot be read back is no archive; the log is still there.
            io.delete(&archive, Condition::Any).await.ok();
            return Err(error);
        }
    };
    if let Err(error) = io.delete(&log, Condition::Version(version)).await {
        // Only if the log is surely there: a removal that seemed to fail may have happened.
        let is_refused = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Locked);
        if is_refused && io.info(&log).await.is_ok() {
            io.delete(&archive, Condition::Any).await.ok();
        }
        return Err(error);
    }
    Ok(Archived { head, raw_bytes: head.bytes, archive_bytes, torn: session.torn })
}

/// An archive that an interrupted archiving or unarchiving left beside the log: its version, and
/// the entry up to which the log must hold the same for it to be replaced.
struct Old {
    version: String,
    head: Head,
}

async fn old_archive(io: &Io, archive: &Key) -> Result<Option<Old>> {
    let start = match io.get(archive, Some(0..HEADER_BYTES as u64)).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        start => start?,
    };
    let index = read_index(&start.bytes, start.info.bytes).map_err(|error| {
        let message = alloc::format!("a damaged archive is in the way: {}", error.message());
        Error::new(ErrorKind::AlreadyExists, message).at_key(archive)
    })?;
    Ok(Some(Old { version: start.info.version, head: index.head }))
}

async fn write_archive(io: &Io, id: &SessionId, head: Head, old: Option<Old>) -> Result<()> {
    let mut parts = Parts::default();
    let written = compress(io, id, head, old, &mut parts).await;
    if let (Err(_), Some(stage)) = (&written, &parts.stage) {
        io.abort(stage).await.ok();
    }
    written
}

/// The first part holds the header, which is known last: it stays in memory until then, and the
/// others are staged as they fill.
#[derive(Default)]
struct Parts {
    stage: Option<StageId>,
    number: u32,
    first: Vec<u8>,
}

async fn compress(
    io: &Io,
    id: &SessionId,
    head: Head,
    old: Option<Old>,
    parts: &mut Parts,
) -> Result<()> {
    let (log, archive) = (&Key::of(id, Part::Log), &Key::of(id, Part::Archive));
    let contained = old.as_ref().map_or(head, |old| old.head);
    let expected = Some((contained.seq, contained.hash));
    let mut verifier = Verifier::new(Expectation { session: Some(id.clone()), head: expected });
    let mut writer = Writer::new();
    let mut deflating = Deflating::default();
    let mut at = 0;
    while at < head.bytes {
        let end = head.bytes.min(at + 4 * crate::limits::BLOCK_BYTES as u64);
        let chunk = io.get(log, Some(at..end)).await?.bytes;
        if chunk.is_empty() {
            let message = "the log became shorter while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(log));
        }
        at += chunk.len() as u64;
        let mut blocks = Vec::new();
        verifier.push_each(&chunk, |verified| {
            blocks.extend(writer.collect(verified));
            Ok(())
        });
        deflating.give(io, blocks, &mut writer).await?;
        if writer.ready_bytes() >= PART_BYTES {
            let blocks = writer.take_blocks();
            if parts.first.is_empty() {
                parts.first = blocks;
            } else {
                stage(io, archive, parts, blocks).await?;
            }
        }
    }
    let report = verifier.finish();
    report.sound().map_err(|error| error.at_key(log))?;
    if report.head != Some(head) {
        let message = "the log changed while it was read";
        return Err(Error::new(ErrorKind::Conflict, message).at_key(log));
    }
    let condition = old.map_or(Condition::Absent, |old| Condition::Version(old.version));
    deflating.finish(&mut writer).await?;
    let frame = writer.finish(head);
    let last = [writer.take_blocks(), frame.trailer].concat();
    let first = [frame.header, core::mem::take(&mut parts.first)].concat();
    if parts.stage.is_none() {
        io.put(archive, [first, last].concat(), condition).await?;
        return Ok(());
    }
    stage(io, archive, parts, last).await?;
    let Some(stage) = &parts.stage else { return Ok(()) };
    io.stage_part(stage, 1, first).await?;
    io.commit(stage, condition).await?;
    Ok(())
}

async fn stage(io: &Io, key: &Key, parts: &mut Parts, bytes: Vec<u8>) -> Result<()> {
    let stage = match &parts.stage {
        Some(stage) => stage.clone(),
        None => {
            parts.number = 1;
            parts.stage.insert(io.stage(key).await?).clone()
        }
    };
    parts.number += 1;
    io.stage_part(&stage, parts.number, bytes).await
}

/// Reads the archive as a reader would, and verifies it up to the head it should have.
async fn read_back(io: &Io, id: &SessionId, head: Head) -> Result<u64> {
    let mut verifier = Verifier::new(Expectation { session: Some(id.clone()), head: None });
    let source = scan_archive(io, id, &mut |chunk| {
        verifier.push(chunk);
        Ok(())
    })
    .await?;
    let report = verifier.finish();
    report.sound()?;
    source.disagrees(report.head).map_or(Ok(()), Err)?;
    if report.head != Some(head) {
        let message = "the archive does not lead to the log's head";
        return Err(Error::new(ErrorKind::HeadMismatch, message));
    }
    Ok(source.stored_bytes)
}

/// Makes an archived session live again, byte for byte as it was: verifies the archive while
/// writing the log, reads that back, and only then removes the archive.
#[must_use]
pub fn unarchive(id: SessionId) -> Task<Archived> {
    Task::new(async move |io| {
        unarchive_session(&io, &id).await.map_err(|error| error.in_session(&id))
    })
}

async fn unarchive_session(io: &Io, id: &SessionId) -> Result<Archived> {
    let (log, archive) = (Key::of(id, Part::Log), Key::of(id, Part::Archive));
    let info = io.info(&archive).await;
    let session = open_session(io, id).await?;
    if session.form == Form::Live {
        return Err(Error::new(ErrorKind::AlreadyExists, "the session is live already"));
    }
    let info = info?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let mut parts = Parts::default();
    let written = inflate(io, id, &log, head, &mut parts).await;
    if let Err(error) = written {
        if let Some(stage) = &parts.stage {
            io.abort(stage).await.ok();
        }
        return Err(error);
    }
    let expectation = Expectation { session: Some(id.clone()), head: Some((head.seq, head.hash)) };
    let mut verifier = Verifier::new(expectation);
    each_chunk(io, &log, head.bytes, &mut |chunk| {
        verifier.push(chunk);
        Ok(())
    })
    .await?;
    verifier.finish().sound()?;
    io.delete(&archive, Condition::Version(info.version)).await?;
    Ok(Archived { head, raw_bytes: head.bytes, archive_bytes: info.bytes, torn: None })
}

async fn inflate(io: &Io, id: &SessionId, log: &Key, head: Head, parts: &mut Parts) -> Result<()> {
    let key = Key::of(id, Part::Archive);
    let bytes = io.info(&key).await?.bytes;
    let mut inflating = Inflating::new(Bound::default());
    let mut verifier = Verifier::new(Expectation { session: Some(id.clone()), head: None });
    let mut at = 0;
    let mut open = Vec::new();
    while at < bytes {
        let mut found = |raw: &[u8]| {
            verifier.push(raw);
            open.extend_from_slice(raw);
            Ok(())
        };
        match get_chunk(io, &key, at, bytes).await {
            Ok(chunk) => {
                at += chunk.len() as u64;
                inflating.push(io, chunk, &mut found).await?;
            }
            Err(error) => {
                // What does not hold in the bytes before comes first.
                inflating.drain(io, &mut found).await?;
                return Err(error);
            }
        }
        if open.len() >= PART_BYTES {
            stage_in_order(io, log, parts, core::mem::take(&mut open)).await?;
        }
    }
    let mut found = |raw: &[u8]| {
        verifier.push(raw);
        open.extend_from_slice(raw);
        Ok(())
    };
    inflating.finish(io, &mut found).await?;
    let report = verifier.finish();
    report.sound()?;
    if report.head != Some(head) {
        return Err(Error::new(ErrorKind::BadIndex, "the index names another head"));
    }
    if parts.stage.is_none() {
        io.put(log, open, Condition::Absent).await?;
        return Ok(());
    }
    stage_in_order(io, log, parts, open).await?;
    if let Some(stage) = &parts.stage {
        io.commit(stage, Condition::Absent).await?;
    }
    Ok(())
}

async fn stage_in_order(io: &Io, key: &Key, parts: &mut Parts, bytes: Vec<u8>) -> Result<()> {
    if parts.stage.is_none() {
        parts.stage = Some(io.stage(key).await?);
    }
    let Some(stage) = &parts.stage else { return Ok(()) };
    parts.number += 1;
    io.stage_part(stage, parts.number, bytes).await
}
