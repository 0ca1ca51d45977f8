//! How a session's objects lie: what is told of a store besides whether its logs hold.

use alloc::vec::Vec;

use super::Task;
use super::cold::is_buried;
use super::open::{START_BYTES, find_session};
use super::read::entry;
use super::source::{ArchivePart, Source};
use crate::line::Line;
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// How a session's objects lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// It has an archive that turnkeep did not write: gzip without an index.
    pub is_foreign: bool,
    /// It has an archive, or a part in the cold store, and a log that goes on after it.
    pub has_tail: bool,
    /// An interrupted archiving or restoring left what is not needed: an archive beside a log that
    /// holds everything, or a log whose first entries the archive holds too. Archiving the session
    /// puts it right.
    pub has_leftover: bool,
}

/// Tells how a session's objects lie. Looks at the start of its log and at its archive's header;
/// `broken_link` where the log does not follow the archive beside it, or that is not there;
/// `head_mismatch` where the archive beside a whole log is none of it.
#[must_use]
pub fn layout(id: SessionId) -> Task<Layout> {
    Task::new(async move |io| look(&io, &id).await.map_err(|error| error.in_session(&id)))
}

async fn look(io: &Io, id: &SessionId) -> Result<Layout> {
    let Source { archive, log, cold } = Source::find(io, id, START_BYTES).await?;
    if cold.is_some() {
        return Ok(Layout { has_tail: log.is_some(), ..Layout::default() });
    }
    let Some(archive) = archive else {
        let has_leftover = check_beside(io, id).await?;
        return Ok(Layout { has_leftover, ..Layout::default() });
    };
    Ok(Layout {
        is_foreign: archive.index.is_none(),
        has_tail: log.is_some(),
        has_leftover: log.is_some_and(|log| log.holds_archived()),
    })
}

/// Whether there is an archive beside a whole log. It was made of that, or is of another history:
/// `head_mismatch`, unless the cold store says that this one was deleted, or a bundle is being restored,
/// where the archive goes last.
pub(super) async fn check_beside(io: &Io, id: &SessionId) -> Result<bool> {
    let Some(archive) = ArchivePart::find(io, id).await? else { return Ok(false) };
    if is_contained(io, id, &archive).await? || io.find(&Key::restoring()).await?.is_some() {
        return Ok(true);
    }
    // Left of one that was deleted.
    if is_buried(io, id, &archive).await? {
        return Ok(true);
    }
    if io.find(&archive.key).await?.is_none_or(|now| now.version != archive.info.version) {
        let message = "the archive was replaced while it was looked at";
        return Err(Error::new(ErrorKind::Conflict, message).at_key(&archive.key).retryable());
    }
    let message = "the log does not hold what the archive beside it does";
    Err(Error::new(ErrorKind::HeadMismatch, message).at_key(&archive.key))
}

async fn is_contained(io: &Io, id: &SessionId, archive: &ArchivePart) -> Result<bool> {
    let contained = archive.head(io).await?;
    let (session, source) = find_session(io, id).await?;
    let head = session.head().filter(|head| head.seq >= contained.seq);
    let line = match head {
        Some(head) => entry(io, &source, head, contained.seq).await?,
        None => Vec::new(),
    };
    Ok(Line::split(&line).and_then(|line| line.hash()) == Some(contained.hash))
}
