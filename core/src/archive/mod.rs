//! Archives: a log as one gzip member of blocks, with an index in its header
//! (`docs/format.md` §6).

mod deflating;
mod index;
mod inflating;
mod reader;
mod writer;

pub(crate) use index::ENDING_BYTES;
pub use index::{Index, Located, Span};
pub(crate) use reader::check_ending;
pub use reader::{HEADER_BYTES, inflate_span, read_index};
pub(crate) use reader::{checksum, indexed_bytes, read_segment_index};
pub(crate) use writer::join;
pub use writer::{Block, Deflated, Frame, Writer};

pub(crate) use deflating::Deflating;
pub(crate) use inflating::Inflating;

use alloc::vec::Vec;
use core::ops::Range;

use crate::limits::BLOCK_BYTES;
use crate::log::{Expectation, Verifier, committed_part};
use crate::task::{Io, Task, at_once};
use crate::{Error, ErrorKind, Result};

/// How much of a log is verified before its blocks are given away.
const PIECE_BYTES: usize = 4 * BLOCK_BYTES;

/// Archives a log that lies whole in memory, after verifying it. A torn tail is left out.
///
/// ```
/// use turnkeep_core::archive::{archive, unarchive};
/// use turnkeep_core::log::{Draft, Stamp, Writer};
/// use turnkeep_core::SessionId;
/// let writer = Writer::create(SessionId::new("demo")?, false);
/// let log = writer.write(&[Draft::user_input("\"Hi\"")], &Stamp::default())?.bytes;
/// assert_eq!(unarchive(&archive(&log)?)?, log);
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
pub fn archive(log: &[u8]) -> Result<Vec<u8>> {
    at_once(async |io| archive_with(&io, log).await)
}

/// [`archive()`] as a task, whose host may share the work among threads: it asks for nothing else.
/// The bytes are the same.
#[must_use]
pub fn archiving(log: Vec<u8>) -> Task<Vec<u8>> {
    Task::new(async move |io| archive_with(&io, &log).await)
}

async fn archive_with(io: &Io, log: &[u8]) -> Result<Vec<u8>> {
    let mut writer = Writer::new();
    let mut deflating = Deflating::default();
    let mut verifier = Verifier::new(Expectation::default());
    let committed = committed_part(log)?;
    for piece in committed.chunks(PIECE_BYTES) {
        let mut blocks = Vec::new();
        verifier.push_each(piece, |verified| {
            blocks.extend(writer.collect(verified));
            Ok(())
        });
        deflating.give(io, blocks, &mut writer).await?;
    }
    // Left out, but a fault in it is one of the log.
    verifier.push(log.get(committed.len()..).unwrap_or_default());
    let report = verifier.finish();
    report.sound()?;
    let head = report.head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "nothing to archive"))?;
    deflating.finish(&mut writer).await?;
    let frame = writer.finish(head);
    Ok([frame.header, writer.take_blocks(), frame.trailer].concat())
}

/// The log an archive in memory holds, verified and compared with the index's head.
pub fn unarchive(archive: &[u8]) -> Result<Vec<u8>> {
    at_once(async |io| unarchive_with(&io, archive).await)
}

/// [`unarchive()`] as a task, whose host may share the work among threads: it asks for nothing else.
#[must_use]
pub fn unarchiving(archive: Vec<u8>) -> Task<Vec<u8>> {
    Task::new(async move |io| unarchive_with(&io, &archive).await)
}

async fn unarchive_with(io: &Io, archive: &[u8]) -> Result<Vec<u8>> {
    let index = read_index(archive, archive.len() as u64)?;
    let bytes = |range: Range<u64>| {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        archive.get(place(range.start)..place(range.end)).unwrap_or_default()
    };
    let mut log = Vec::new();
    let mut verifier = Verifier::new(Expectation::default());
    let mut inflating = Inflating::default();
    let mut left = index.located();
    loop {
        while !inflating.is_full()
            && let Some(span) = left.next()
        {
            let compressed = bytes(span.compressed.clone()).to_vec();
            inflating.give(io, span, compressed);
        }
        let Some(raw) = inflating.take().await? else { break };
        verifier.push(&raw);
        log.extend_from_slice(&raw);
    }
    let end = archive.len() as u64;
    inflating.check(bytes(end - ENDING_BYTES..end))?;
    let report = verifier.finish();
    report.sound()?;
    if report.head != Some(index.head) {
        return Err(Error::new(ErrorKind::BadIndex, "the index names another head"));
    }
    Ok(log)
}
