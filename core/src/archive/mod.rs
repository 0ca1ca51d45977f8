//! Archives: a log as one gzip member of blocks, with an index in its header
//! (`docs/format.md` §6).

mod index;
mod reader;
mod writer;

pub(crate) use index::ENDING_BYTES;
pub use index::{Index, Located, Span};
pub(crate) use reader::{check_ending, checksum};
pub use reader::{HEADER_BYTES, inflate_span, read_index};
pub use writer::{Frame, Writer};

use alloc::vec::Vec;

use crate::gzip::{Bound, gunzip};
use crate::log::{Expectation, Verifier, committed_part};
use crate::{Error, ErrorKind, Result};

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
    let mut writer = Writer::new();
    let mut verifier = Verifier::new(Expectation::default());
    let committed = committed_part(log)?;
    verifier.push_each(committed, |verified| {
        writer.push(verified);
        Ok(())
    });
    // Left out, but a fault in it is one of the log.
    verifier.push(log.get(committed.len()..).unwrap_or_default());
    let report = verifier.finish();
    report.sound()?;
    let head = report.head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "nothing to archive"))?;
    let frame = writer.finish(head);
    Ok([frame.header, writer.take_blocks(), frame.trailer].concat())
}

/// The log an archive in memory holds, verified and compared with the index's head.
pub fn unarchive(archive: &[u8]) -> Result<Vec<u8>> {
    let index = read_index(archive, archive.len() as u64)?;
    let log = gunzip(archive, Bound::default())?;
    let report = crate::log::verify(&log, Expectation::default());
    report.sound()?;
    if report.head != Some(index.head) {
        return Err(Error::new(ErrorKind::BadIndex, "the index names another head"));
    }
    Ok(log)
}
