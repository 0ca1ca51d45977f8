//! The sessions of a cold store.

use alloc::vec::Vec;

use super::Task;
use crate::log::Head;
use crate::session::cold::manifest;
use crate::store::{Key, ObjectKey};
use crate::task::Io;
use crate::{Result, SessionId};

/// How many objects are asked for at once.
const PAGE: u32 = 1000;

/// A session of a cold store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColdSession {
    /// Its id.
    pub id: SessionId,
    /// Its last entry.
    pub head: Head,
    /// Length of its segments, which it may share with others.
    pub stored_bytes: u64,
    /// When it was last flushed, in milliseconds since 1970.
    pub flushed_ms: u64,
}

/// Some sessions of a cold store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColdSessions {
    /// In order of their keys.
    pub sessions: Vec<ColdSession>,
    /// Where to go on; `None` after the last one.
    pub next: Option<SessionId>,
}

/// The sessions of the cold store, after that one, at most `limit` of them. Each costs a look at its
/// newest manifest.
#[must_use]
pub fn sessions(after: Option<SessionId>, limit: u32) -> Task<ColdSessions> {
    Task::new(async move |io| some(&io.cold_store()?, after, limit).await)
}

pub(in crate::session) async fn some(
    cold: &Io,
    mut after: Option<SessionId>,
    limit: u32,
) -> Result<ColdSessions> {
    let mut sessions = Vec::new();
    loop {
        let newest = newest_numbers(cold, after.as_ref()).await?;
        let is_last = newest.is_empty();
        for (id, number) in newest {
            if sessions.len() >= limit.max(1) as usize {
                return Ok(ColdSessions { sessions, next: after });
            }
            after = Some(id.clone());
            let Some(manifest) = manifest(cold, &id, number).await? else { continue };
            if let Some(held) = &manifest.held {
                let stored_bytes = held.segments.iter().map(|segment| segment.bytes).sum();
                let (head, flushed_ms) = (held.head, manifest.written_ms);
                sessions.push(ColdSession { id, head, stored_bytes, flushed_ms });
            }
        }
        if is_last {
            return Ok(ColdSessions { sessions, next: None });
        }
    }
}

/// Sessions after that one, each with the number of its newest manifest; none at the end. Older
/// manifests are passed over.
pub(super) async fn newest_numbers(
    cold: &Io,
    after: Option<&SessionId>,
) -> Result<Vec<(SessionId, u64)>> {
    // A session's first manifest comes last.
    let after = after.map(|id| Key::manifest(id, 0));
    let listing = cold.list("sessions/", after, PAGE).await?;
    let mut newest: Vec<(SessionId, u64)> = Vec::new();
    for (key, _) in listing.objects {
        if let Some(ObjectKey::Manifest(id, number)) = key.object()
            && newest.last().is_none_or(|(last, _)| *last != id)
        {
            newest.push((id, number));
        }
    }
    Ok(newest)
}
