//! Where sessions come from, and what came of them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::list::all_sessions;
use super::open::{find_session, told_by_last};
use super::read::entry;
use super::{Form, Task};
use crate::entry::Entry;
use crate::field::{self, Point};
use crate::limits::ANCESTORS_MAX;
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// A session's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// The point that was taken over.
    pub point: Point,
    /// Whether the history was compacted on the way; else it was forked.
    pub is_compacted: bool,
}

/// The sessions around one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lineage {
    /// Where it comes from, the nearest first.
    pub ancestors: Vec<Ancestor>,
    /// What comes from it, nearer or further, with their own nearest origin.
    pub descendants: Vec<(SessionId, Ancestor)>,
}

/// Where a session comes from, the nearest first: its forks, which its own log tells, then what it
/// was compacted from, as far as that session is still there to tell of its own.
#[must_use]
pub fn ancestors(id: SessionId) -> Task<Vec<Ancestor>> {
    Task::new(async move |io| follow(&io, &id).await.map_err(|error: Error| error.in_session(&id)))
}

/// The ancestors of a session and its descendants. Looks at every session of the store once.
#[must_use]
pub fn lineage(id: SessionId) -> Task<Lineage> {
    Task::new(async move |io| {
        let found = async {
            let ancestors = follow(&io, &id).await?;
            let mut descendants = Vec::new();
            for listed in all_sessions(&io).await? {
                // A session that cannot be read has no origin that could be told.
                let Ok(line) = follow(&io, &listed.id).await else { continue };
                let is_of = |ancestor: &Ancestor| ancestor.point.session == id;
                if listed.id != id && line.iter().any(is_of) {
                    descendants.extend(line.into_iter().next().map(|first| (listed.id, first)));
                }
            }
            Ok(Lineage { ancestors, descendants })
        };
        found.await.map_err(|error: Error| error.in_session(&id))
    })
}

async fn follow(io: &Io, id: &SessionId) -> Result<Vec<Ancestor>> {
    let mut line = own(io, id).await?;
    let mut seen = BTreeSet::from([id.clone()]);
    // Only a compaction leads out of the session's own log.
    while let Some(last) = line.last()
        && last.is_compacted
        && line.len() < ANCESTORS_MAX
        && seen.insert(last.point.session.clone())
    {
        match own(io, &last.point.session.clone()).await {
            Ok(further) if !further.is_empty() => line.extend(further),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => break,
        }
    }
    Ok(line)
}

/// The origins that a session's own log tells.
pub(super) async fn own(io: &Io, id: &SessionId) -> Result<Vec<Ancestor>> {
    let (session, source) = find_session(io, id).await?;
    let Some(head) = session.head() else { return Ok(Vec::new()) };
    let mut line = Vec::new();
    let mut fork = match session.form {
        Form::Live | Form::Cold => session.writer.fork_seq(),
        Form::Archived => told_by_last(io, &source, head).await?.1,
    };
    while let Some(seq) = fork {
        let bytes = entry(io, &source, head, seq).await?;
        let entry = Entry::parse(&bytes)?;
        if let Some(point) = entry.field("parent").and_then(field::point) {
            line.push(Ancestor { point, is_compacted: false });
        }
        fork = entry.fork().filter(|earlier| *earlier < seq && line.len() < ANCESTORS_MAX);
    }
    let bytes = entry(io, &source, head, 0).await?;
    let start = Entry::parse(&bytes)?;
    for (name, is_compacted) in [("forked_from", false), ("compacted_from", true)] {
        let point = start.field(name).and_then(field::point);
        line.extend(point.map(|point| Ancestor { point, is_compacted }));
    }
    Ok(line)
}
