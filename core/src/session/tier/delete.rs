//! Deleting a session from the cold store: a last manifest says so, for whoever comes late.

use super::claim::nonce;
use super::commit::{Committed, commit};
use crate::cold::Manifest;
use crate::line::Line;
use crate::session::cold::newest;
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// How often it is tried while others commit.
const TRIES: u32 = 32;

/// Says in the cold store that the session was deleted, so that no flush under way brings it back.
/// Whether there was anything to delete.
pub(in crate::session) async fn bury(io: &Io, id: &SessionId) -> Result<bool> {
    let Some(cold) = io.cold() else { return Ok(false) };
    let stamp = io.stamp(16).await?;
    let mut before = newest(&cold, id).await?;
    for _ in 0..TRIES {
        let origin = match &before {
            Some(before) if before.held.is_some() => Some(before.origin),
            _ => hot_origin(io, id).await?,
        };
        let Some(origin) = origin else {
            // Flushed and cleared between the two looks?
            let now = newest(&cold, id).await?;
            if now == before {
                return Ok(false);
            }
            before = now;
            continue;
        };
        let is_buried = |before: &Manifest| before.held.is_none() && before.origin == origin;
        if before.as_ref().is_some_and(is_buried) {
            return Ok(false);
        }
        let grave = Manifest {
            session: id.clone(),
            number: before.as_ref().map_or(0, |before| before.number + 1),
            prev: before.as_ref().map(Manifest::hash),
            origin,
            written_ms: stamp.now_ms,
            nonce: nonce(&stamp),
            held: None,
        };
        match commit(&cold, &grave).await? {
            Committed::Ours => return Ok(true),
            Committed::Theirs(theirs) => before = Some(*theirs),
        }
    }
    let message = "others kept committing to the session meanwhile";
    Err(Error::new(ErrorKind::Conflict, message).retryable())
}

/// The hash of the entry that opened the session in the hot store, as far as it can be read.
async fn hot_origin(io: &Io, id: &SessionId) -> Result<Option<Hash>> {
    let found = async {
        let (session, source) = find_session(io, id).await?;
        let Some(head) = session.head() else { return Ok(None) };
        let seq = session.writer.fork_seq().unwrap_or_default();
        let line = entry(io, &source, head, seq).await?;
        Ok(Line::split(&line).and_then(|line| line.hash()))
    };
    let found: Result<Option<Hash>> = found.await;
    match found {
        Ok(origin) => Ok(origin),
        // What cannot be read was never flushed either.
        Err(error) if error.kind().class() != crate::ErrorClass::Store => Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned) => Ok(None),
        Err(error) => Err(error),
    }
}
