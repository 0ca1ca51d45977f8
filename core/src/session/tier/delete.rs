//! Deleting a session from the cold store: a last manifest says so, for whoever comes late.

use core::ops::ControlFlow;

use super::claim::nonce;
use super::commit::{Committed, commit};
use crate::cold::Manifest;
use crate::line::Line;
use crate::log::Stamp;
use crate::session::Form;
use crate::session::again::Tries;
use crate::session::cold::{archived_origin, newest};
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::task::Io;
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// Says in the cold store that the session was deleted, so that no flush under way brings it back.
/// `was_hot` where the hot store had it a moment ago. Whether there was anything to delete.
pub(in crate::session) async fn bury(
    io: &Io,
    id: &SessionId,
    was_hot: bool,
    tries: &mut Tries,
) -> Result<bool> {
    let Some(cold) = io.cold() else { return Ok(false) };
    let stamp = io.stamp(16).await?;
    let mut newest = newest(&cold, id).await?;
    loop {
        newest = match bury_after(io, &cold, id, newest, was_hot, &stamp).await? {
            ControlFlow::Break(is_new) => return Ok(is_new),
            ControlFlow::Continue(theirs) => theirs,
        };
        if !tries.next() {
            let message = "others kept committing to the session meanwhile";
            return Err(Error::new(ErrorKind::Conflict, message).retryable());
        }
    }
}

/// Buries what that manifest names, or what the hot store has. Goes on with the newest manifest where
/// others committed one meanwhile.
async fn bury_after(
    io: &Io,
    cold: &Io,
    id: &SessionId,
    before: Option<Manifest>,
    was_hot: bool,
    stamp: &Stamp,
) -> Result<ControlFlow<bool, Option<Manifest>>> {
    let origin = match &before {
        Some(before) if before.held.is_some() => before.origin,
        _ => match hot_origin(io, id).await? {
            Hot::Origin(origin) => {
                if before.as_ref().is_some_and(|before| before.origin == origin) {
                    return Ok(ControlFlow::Break(false));
                }
                origin
            }
            Hot::Unreadable => UNKNOWN,
            Hot::Nothing => {
                // Flushed and cleared between the two looks?
                let now = newest(cold, id).await?;
                if now != before {
                    return Ok(ControlFlow::Continue(now));
                }
                if !was_hot {
                    return Ok(ControlFlow::Break(false));
                }
                // Evicted, and who flushes it may have read it before.
                UNKNOWN
            }
        },
    };
    let grave = Manifest {
        session: id.clone(),
        number: before.as_ref().map_or(0, |before| before.number + 1),
        prev: before.as_ref().map(Manifest::hash),
        origin,
        written_ms: stamp.now_ms,
        nonce: nonce(stamp),
        held: None,
    };
    Ok(match commit(cold, &grave).await? {
        Committed::Ours => ControlFlow::Break(true),
        Committed::Theirs(theirs) => ControlFlow::Continue(Some(*theirs)),
    })
}

/// The origin of a session that cannot be read, or no longer. Who read it before and is about to
/// commit it finds the number taken, and cannot read it either then.
const UNKNOWN: Hash = Hash::from_bytes([0; 32]);

/// What the hot store has of a session.
enum Hot {
    Nothing,
    /// The hash of the entry that opened it.
    Origin(Hash),
    Unreadable,
}

async fn hot_origin(io: &Io, id: &SessionId) -> Result<Hot> {
    let found = async {
        let (session, source) = find_session(io, id).await?;
        let Some(head) = session.head() else { return Ok(None) };
        if session.form == Form::Archived {
            return archived_origin(io, &source, head).await;
        }
        let seq = session.writer.fork_seq().unwrap_or_default();
        let line = entry(io, &source, head, seq).await?;
        Ok(Line::split(&line).and_then(|line| line.hash()))
    };
    let found: Result<Option<Hash>> = found.await;
    match found {
        Ok(origin) => Ok(origin.map_or(Hot::Unreadable, Hot::Origin)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned) => {
            Ok(Hot::Nothing)
        }
        Err(error) if error.kind().class() != ErrorClass::Store => Ok(Hot::Unreadable),
        Err(error) => Err(error),
    }
}
