//! A session as one archive in memory, wherever and however it lies.

use turnkeep::core::archive::{HEADER_BYTES, archiving, read_index};
use turnkeep::core::log::Torn;
use turnkeep::core::session;
use turnkeep::{Error, ErrorKind, Head, MemoryStore, Range, SessionId, Store, drive};

use crate::Outcome;

/// Longest log that is held in memory for it.
const LOG_BYTES_MAX: u64 = 512 << 20;

/// The archive, and what it holds.
pub(crate) struct Sealed {
    pub(crate) archive: Vec<u8>,
    pub(crate) head: Head,
    /// What was left out: an unfinished write after the head.
    pub(crate) torn: Option<Torn>,
}

/// Reads a session up to its head, verifies it, and archives it in memory. Where it lies it stays as
/// it is.
pub(crate) fn seal(id: &SessionId, store: &dyn Store) -> Outcome<Sealed> {
    let session = drive(session::open(id.clone()), store)?;
    let head = session.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    if head.bytes > LOG_BYTES_MAX {
        let message = format!(
            "its log has {} bytes, and at most {LOG_BYTES_MAX} are held in memory",
            head.bytes
        );
        return Err(Error::new(ErrorKind::TooLarge, message).in_session(id).into());
    }
    let log = lines(id, head, store)?;
    // Asks the store for nothing.
    let archive = drive(archiving(log), &MemoryStore::new());
    let archive = archive.map_err(|error| error.in_session(id))?;
    let start = archive.get(..HEADER_BYTES).unwrap_or(&archive);
    let head = read_index(start, archive.len() as u64)?.head;
    Ok(Sealed { archive, head, torn: session.torn })
}

fn lines(id: &SessionId, head: Head, store: &dyn Store) -> Outcome<Vec<u8>> {
    let mut lines = Vec::new();
    let mut range = Range::between(0, Some(head.seq));
    loop {
        let page = drive(session::read(id.clone(), range.clone()), store)?;
        lines.extend_from_slice(&page.lines);
        match page.next {
            Some(cursor) => range = range.after(cursor),
            None => return Ok(lines),
        }
    }
}
