//! What the next start does with a restoring that was cut off.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::journal::{Journal, Replaced, Stage};
use super::{Task, aside, cache};
use crate::line::Line;
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::session::source::found;
use crate::store::{Condition, Key, Part};
use crate::task::{Answer, Io};
use crate::{Error, ErrorClass, ErrorKind, Result, SessionId};

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

/// How to recover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recover {
    /// The host answers for the runtime's cache.
    pub cache: bool,
    /// Give up values that are yet to be put into the cache.
    pub gives_up_cache: bool,
    /// A number that the host's process has alone, which stays the same: tells its own restorings from
    /// those of others. Of one process only one task may restore or recover at a time.
    pub process: u64,
}

/// Finishes or undoes a restoring that was cut off; to be called before a store's sessions are used.
/// `locked` where another process is restoring just now, `not_supported` where values wait for a cache
/// that the host has not.
#[must_use]
pub fn recover(options: Recover) -> Task<Recovered> {
    Task::new(async move |io| recover_store(&io, options).await)
}

pub(super) fn recover_store(io: &Io, options: Recover) -> Answer<'_, Recovered> {
    Box::pin(async move {
        let Some((mut journal, stage)) = Journal::take(io, options.process).await? else {
            return Ok(Recovered::Nothing);
        };
        let recovered = match stage {
            Stage::Preparing | Stage::Over => Recovered::Nothing,
            Stage::Replacing(_) if planted!(HalfRestoredStays) => Recovered::Nothing,
            Stage::Replacing(sessions) => undo(io, &mut journal, &sessions).await?,
            Stage::Replaced if options.gives_up_cache => Recovered::Finished { cache: 0 },
            Stage::Replaced => {
                let waits = found(io.info(&Key::restored_cache()).await)?.is_some();
                if waits && !options.cache {
                    return Err(cache::no_cache());
                }
                Recovered::Finished { cache: cache::put_kept(io).await? }
            }
        };
        close(io, journal).await?;
        Ok(recovered)
    })
}

/// Ends a restoring. The values first: once they are gone nothing is put twice.
pub(super) async fn close(io: &Io, mut journal: Journal) -> Result<()> {
    found(io.delete(&Key::restored_cache(), Condition::Any).await)?;
    journal.write(io, &Stage::Over).await?;
    aside::tidy(io).await?;
    journal.remove(io).await
}

/// Puts back what was put aside.
pub(super) async fn undo(
    io: &Io,
    journal: &mut Journal,
    sessions: &[Replaced],
) -> Result<Recovered> {
    let mut kept = Vec::new();
    for session in sessions {
        journal.beat(io).await?;
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
    let now = match find_session(io, &session.id).await {
        Ok((now, _)) => now.head(),
        Err(error) if is_missing(&error) || error.kind().class() == ErrorClass::Data => None,
        Err(error) => return Err(error),
    };
    if now != Some(session.head) {
        if is_untouched(io, session).await? {
            return Ok(false);
        }
        finish_replaced(io, session).await?;
        return Ok(true);
    }
    // The log last: as long as the session is the bundle's, this is done again. An archive that was
    // made of it since goes only after that.
    let parts = [Part::Recovery, Part::About, Part::Trace, Part::Retention];
    for part in parts {
        put_back_or_remove(io, session, part).await?;
    }
    let is_archived = session.aside.contains(&Part::Archive);
    if is_archived {
        put_back(io, &key(Part::Archive)).await?;
    }
    put_back_or_remove(io, session, Part::Log).await?;
    if !is_archived {
        found(io.delete(&key(Part::Archive), Condition::Any).await)?;
    }
    Ok(false)
}

fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned)
}

/// Whether log and archive are still what was put aside. The log is replaced first, so then nothing
/// was.
async fn is_untouched(io: &Io, session: &Replaced) -> Result<bool> {
    for part in [Part::Log, Part::Archive] {
        let key = Key::of(&session.id, part);
        let now = found(io.info(&key).await)?.map(|info| info.bytes);
        let was = match session.aside.contains(&part) {
            true => found(io.info(&key.aside()).await)?.map(|info| info.bytes),
            false => None,
        };
        if now != was {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A session that was replaced and written to since stays; what lay beside the old one goes, as it was
/// about to.
async fn finish_replaced(io: &Io, session: &Replaced) -> Result<()> {
    let Ok((now, source)) = find_session(io, &session.id).await else { return Ok(()) };
    let Some(head) = now.head().filter(|head| head.seq > session.head.seq) else { return Ok(()) };
    if source.archive.is_some() || source.cold.is_some() {
        return Ok(());
    }
    let line = entry(io, &source, head, session.head.seq).await?;
    if Line::split(&line).and_then(|line| line.hash()) != Some(session.head.hash) {
        return Ok(());
    }
    for part in [Part::Archive, Part::Recovery, Part::Retention] {
        found(io.delete(&Key::of(&session.id, part), Condition::Any).await)?;
    }
    Ok(())
}

async fn put_back_or_remove(io: &Io, session: &Replaced, part: Part) -> Result<()> {
    let key = Key::of(&session.id, part);
    match session.aside.contains(&part) {
        true => put_back(io, &key).await,
        false => found(io.delete(&key, Condition::Any).await).map(|_| ()),
    }
}

async fn put_back(io: &Io, key: &Key) -> Result<()> {
    if aside::copy(io, &key.aside(), key).await?.is_some() {
        return Ok(());
    }
    let message = "what was put aside is gone, so the restoring cannot be undone";
    Err(Error::new(ErrorKind::StoreFailed, message).at_key(&key.aside()))
}
