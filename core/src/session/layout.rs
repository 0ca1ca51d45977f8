//! How a session's objects lie: what is told of a store besides whether its logs hold.

use alloc::vec::Vec;

use super::Task;
use super::open::{START_BYTES, find_session};
use super::read::entry;
use super::source::{ArchivePart, Source};
use crate::line::Line;
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
        let beside = ArchivePart::find(io, id).await?;
        if let Some(archive) = &beside {
            check_contained(io, id, archive).await?;
        }
        return Ok(Layout { has_leftover: beside.is_some(), ..Layout::default() });
    };
    Ok(Layout {
        is_foreign: archive.index.is_none(),
        has_tail: log.is_some(),
        has_leftover: log.is_some_and(|log| log.holds_archived()),
    })
}

/// An archive beside a whole log was made of it, or is of another history.
async fn check_contained(io: &Io, id: &SessionId, archive: &ArchivePart) -> Result<()> {
    let contained = archive.head(io).await?;
    let (session, source) = find_session(io, id).await?;
    let head = session.head().filter(|head| head.seq >= contained.seq);
    let line = match head {
        Some(head) => entry(io, &source, head, contained.seq).await?,
        None => Vec::new(),
    };
    if Line::split(&line).and_then(|line| line.hash()) == Some(contained.hash) {
        return Ok(());
    }
    let message = "the log does not hold what the archive beside it does";
    Err(Error::new(ErrorKind::HeadMismatch, message).at_key(&archive.key))
}
