//! What the next start does with a restoring that was cut off.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::journal::{Journal, Replaced, Stage};
use super::{Task, aside, cache};
use crate::session::open::find_session;
use crate::session::source::found;
use crate::store::{Condition, Key, Part};
use crate::task::{Answer, Io};
use crate::{Error, ErrorKind, Result, SessionId};

/// What was done about a restoring that was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// There was none.
    #[default]
    Nothing,
    /// It was undone: every session is as it was before. But for these, which someone wrote to since:
    /// they were left as they are.
    Undone {
        /// Those sessions.
        kept: Vec<SessionId>,
    },
    /// It was finished: every session is the bundle's, and so are the cache's values.
    Finished {
        /// How many values were put into the cache.
        cache: u64,
    },
}

/// Finishes or undoes a restoring that was cut off; to be called before a store's sessions are used.
/// `has_cache`: the host answers for the runtime's cache. `locked` where another process is restoring
/// just now.
#[must_use]
pub fn recover(has_cache: bool) -> Task<Recovered> {
    Task::new(async move |io| recover_store(&io, has_cache).await)
}

pub(super) fn recover_store(io: &Io, has_cache: bool) -> Answer<'_, Recovered> {
    Box::pin(async move {
        let Some((mut journal, stage)) = Journal::find(io).await? else {
            return Ok(Recovered::Nothing);
        };
        let recovered = match stage {
            Stage::Preparing | Stage::Over => Recovered::Nothing,
            Stage::Replacing(sessions) => undo(io, &sessions).await?,
            Stage::Replaced => {
                let waits = found(io.info(&Key::restored_cache()).await)?.is_some();
                if waits && !has_cache {
                    return Err(cache::no_cache());
                }
                Recovered::Finished { cache: cache::put_kept(io).await? }
            }
        };
        journal.write(io, &Stage::Over).await?;
        aside::tidy(io).await?;
        Ok(recovered)
    })
}

/// Puts back what was put aside.
pub(super) async fn undo(io: &Io, sessions: &[Replaced]) -> Result<Recovered> {
    let mut kept = Vec::new();
    for session in sessions {
        let is_kept = undo_session(io, session).await;
        if is_kept.map_err(|error| error.in_session(&session.id))? {
            kept.push(session.id.clone());
        }
    }
    Ok(Recovered::Undone { kept })
}

/// Whether someone wrote to it since.
async fn undo_session(io: &Io, session: &Replaced) -> Result<bool> {
    let key = |part| Key::of(&session.id, part);
    let log = found(io.info(&key(Part::Log)).await)?;
    let was = match session.aside.contains(&Part::Log) {
        true => found(io.info(&key(Part::Log).aside()).await)?,
        false => None,
    };
    let now = find_session(io, &session.id).await.ok().and_then(|(now, _)| now.head());
    if now != Some(session.head) || log.is_none() {
        // The log is replaced first: nothing was, unless someone wrote to it.
        return Ok(log.map(|log| log.bytes) != was.map(|was| was.bytes));
    }
    // The log last: as long as it is the bundle's, this is done again.
    let parts = [Part::Recovery, Part::About, Part::Trace, Part::Retention, Part::Archive];
    for part in parts.into_iter().chain([Part::Log]) {
        if session.aside.contains(&part) {
            put_back(io, &key(part)).await?;
        } else {
            found(io.delete(&key(part), Condition::Any).await)?;
        }
    }
    Ok(false)
}

async fn put_back(io: &Io, key: &Key) -> Result<()> {
    if aside::copy(io, &key.aside(), key).await?.is_some() {
        return Ok(());
    }
    let message = "what was put aside is gone, so the restoring cannot be undone";
    Err(Error::new(ErrorKind::StoreFailed, message).at_key(&key.aside()))
}
