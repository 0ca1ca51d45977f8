//! What the next start does with a restoring that was cut off.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::aside::as_seen;
use super::journal::{Journal, Replaced, Stage};
use super::{Task, aside, cache};
use crate::line::Line;
use crate::session::again::{again, is_raced, moved_by_others};
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::session::removal::{Removal, remove_if};
use crate::session::restore::restore_session;
use crate::session::source::Source;
use crate::session::tier::{claim_seen, moved};
use crate::store::{Condition, Key, Part};
use crate::task::{Answer, Io, found};
use crate::{Error, ErrorClass, ErrorKind, Result, SessionId};

/// What was done about a restoring that was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// There was none.
    #[default]
    Nothing,
    /// It was undone: every session is as it was before. But for these, which someone wrote to since,
    /// or flushed to the cold store of a tier: they were left as they are.
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
    Task::new(async move |io| {
        aside::sweep_spooled(&io).await?;
        recover_store(&io, options).await
    })
}

pub(super) fn recover_store(io: &Io, options: Recover) -> Answer<'_, Recovered> {
    Box::pin(async move {
        let Some((mut journal, stage)) = Journal::take(io, options.process).await? else {
            return Ok(Recovered::Nothing);
        };
        let recovered = match stage {
            Stage::Preparing | Stage::Over => Recovered::Nothing,
            Stage::Replacing(_) if planted!(HalfRestoredStays) => Recovered::Nothing,
            Stage::Replacing(sessions) => {
                Recovered::Undone { kept: undo(io, &mut journal, &sessions).await? }
            }
            Stage::Replaced if options.gives_up_cache => Recovered::Finished { cache: 0 },
            Stage::Replaced => {
                let waits = io.find(&Key::restored_cache()).await?.is_some();
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

/// Puts back what was put aside; gives the sessions that someone wrote to since, which stay.
pub(super) async fn undo(
    io: &Io,
    journal: &mut Journal,
    sessions: &[Replaced],
) -> Result<Vec<SessionId>> {
    let mut kept = Vec::new();
    for session in sessions {
        journal.beat(io).await?;
        // Someone may write to it, or archive it, after it was looked at.
        let is_kept = again(is_raced, || undo_session(io, session)).await;
        if is_kept.map_err(|error| error.in_session(&session.id))? {
            kept.push(session.id.clone());
        }
    }
    Ok(kept)
}

/// Whether someone wrote to it since.
async fn undo_session(io: &Io, session: &Replaced) -> Result<bool> {
    // These first: an archive that is there before the log is seen whole holds nothing that it lacks.
    let beside = Beside::of(io, session).await?;
    let (now, source) = match find_session(io, &session.id).await {
        Ok((now, source)) => (now.head(), Some(source)),
        Err(error) if is_missing(&error) || error.kind().class() == ErrorClass::Data => {
            (None, None)
        }
        Err(error) => return Err(error),
    };
    let Some(source) = source.filter(|_| now == Some(session.head)) else {
        return undo_other(io, session, beside).await;
    };
    match source {
        Source { cold: None, archive: None, log: Some(log) } => {
            put_all_back(io, session, beside, log.info.version).await.map(|()| false)
        }
        Source { cold: None, .. } => match Box::pin(restore_session(io, &session.id)).await {
            // Live again, it is undone like the others.
            Ok(_) => Err(moved(&Key::of(&session.id, Part::Archive))),
            // Someone is about to remove it.
            Err(error) if error.kind() == ErrorKind::Pruned => Ok(true),
            Err(error) => Err(moved_by_others(error)),
        },
        // It was flushed, and the cold store cannot go back.
        _ => Ok(true),
    }
}

/// What lies beside a session's log, by its version.
struct Beside {
    archive: Option<String>,
    record: Option<String>,
}

impl Beside {
    async fn of(io: &Io, session: &Replaced) -> Result<Self> {
        let version = async |part| {
            let info = io.find(&Key::of(&session.id, part)).await?;
            Ok::<_, Error>(info.map(|info| info.version))
        };
        let (archive, record) = (version(Part::Archive).await?, version(Part::Retention).await?);
        Ok(Self { archive, record })
    }
}

/// Puts all parts back, in the place of the bundle's log of that version. `conflict` where someone
/// wrote to it, or archived it, meanwhile.
async fn put_all_back(io: &Io, session: &Replaced, beside: Beside, version: String) -> Result<()> {
    let (log, archive) = (Key::of(&session.id, Part::Log), Key::of(&session.id, Part::Archive));
    // The log last: as long as the session is the bundle's, this is done again. An archive that was
    // made of it since goes only after that, and so does the record: it may be a tombstone.
    for part in [Part::Recovery, Part::About, Part::Trace] {
        let key = Key::of(&session.id, part);
        match session.aside.contains(&part) {
            true => put_back(io, &key, Condition::Any).await?,
            false => _ = found(io.delete(&key, Condition::Any).await)?,
        }
    }
    let is_archived = session.aside.contains(&Part::Archive);
    if is_archived {
        put_back(io, &archive, as_seen(beside.archive.clone())).await?;
    }
    let seen = Condition::Version(version);
    if session.aside.contains(&Part::Log) {
        put_back(io, &log, seen).await?;
    } else if !matches!(remove_if(io, &log, seen).await?, Removal::Done) {
        return Err(moved(&log));
    }
    if let Some(version) = beside.archive.filter(|_| !is_archived) {
        remove_if(io, &archive, Condition::Version(version)).await?;
    }
    put_record_back(io, session, beside.record).await
}

/// Undoes what is left to do where the session is not the bundle's: it was not replaced yet, was put
/// back already, or someone wrote to it.
async fn undo_other(io: &Io, session: &Replaced, beside: Beside) -> Result<bool> {
    let has = |part| session.aside.contains(&part);
    let is_archive_old = is_old(io, session, Part::Archive).await?;
    let mut is_log_old = is_old(io, session, Part::Log).await?;
    // Put back, but for the log: someone archived the bundle's just then, and removed it.
    if is_archive_old && has(Part::Archive) && has(Part::Log) {
        is_log_old |= put_log_back(io, session, &beside).await?;
    }
    if is_archive_old && is_log_old {
        if has(Part::Retention) && beside.record.is_none() {
            put_record_back(io, session, None).await?;
        }
        return Ok(false);
    }
    let archive = beside.archive.filter(|_| is_archive_old);
    finish_replaced(io, session, Beside { archive, ..beside }).await?;
    Ok(true)
}

/// Puts the log back after the archive that was seen, if no log is in its place; whether it did.
async fn put_log_back(io: &Io, session: &Replaced, beside: &Beside) -> Result<bool> {
    let key = Key::of(&session.id, Part::Log);
    let place = match io.find(&key).await? {
        None => Condition::Absent,
        Some(info) if aside::is_vacant(io, &key, &info).await? => Condition::Version(info.version),
        Some(_) => return Ok(false),
    };
    // Others may write after the archive, and archive that: only a claim tells.
    let is_as_seen = async { Ok(Beside::of(io, session).await?.archive == beside.archive) };
    let claim = claim_seen(io, &session.id, place, is_as_seen).await?;
    let put = put_back(io, &key, Condition::Version(claim.version.clone())).await;
    if put.is_err() {
        claim.release(io, &session.id).await;
    }
    put.map(|()| true)
}

fn is_missing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned)
}

/// Whether log or archive is what was put aside.
async fn is_old(io: &Io, session: &Replaced, part: Part) -> Result<bool> {
    let key = Key::of(&session.id, part);
    let now = match io.find(&key).await? {
        Some(info)
            if part == Part::Log
                && !session.aside.contains(&part)
                && aside::is_vacant(io, &key, &info).await? =>
        {
            None
        }
        now => now.map(|info| info.bytes),
    };
    let was = match session.aside.contains(&part) {
        true => io.find(&key.aside()).await?.map(|info| info.bytes),
        false => None,
    };
    Ok(now == was)
}

/// A session that was replaced and written to since stays; what lay beside the old one goes, as it was
/// about to.
async fn finish_replaced(io: &Io, session: &Replaced, beside: Beside) -> Result<()> {
    let Ok((now, source)) = find_session(io, &session.id).await else { return Ok(()) };
    let Some(head) = now.head().filter(|head| head.seq > session.head.seq) else { return Ok(()) };
    if source.archive.is_some() || source.cold.is_some() {
        return Ok(());
    }
    let line = entry(io, &source, head, session.head.seq).await?;
    if Line::split(&line).and_then(|line| line.hash()) != Some(session.head.hash) {
        return Ok(());
    }
    for (part, version) in [(Part::Archive, beside.archive), (Part::Retention, beside.record)] {
        if let Some(version) = version {
            remove_if(io, &Key::of(&session.id, part), Condition::Version(version)).await?;
        }
    }
    found(io.delete(&Key::of(&session.id, Part::Recovery), Condition::Any).await).map(|_| ())
}

async fn put_back(io: &Io, key: &Key, condition: Condition) -> Result<()> {
    if aside::copy(io, &key.aside(), key, condition).await?.is_some() {
        return Ok(());
    }
    let message = "what was put aside is gone, so the restoring cannot be undone";
    Err(Error::new(ErrorKind::StoreFailed, message).at_key(&key.aside()))
}

/// Puts the record back in the place of the one that was seen, unless someone noted another by now.
async fn put_record_back(io: &Io, session: &Replaced, seen: Option<String>) -> Result<()> {
    let key = Key::of(&session.id, Part::Retention);
    if session.aside.contains(&Part::Retention) {
        return match put_back(io, &key, as_seen(seen)).await {
            Err(error) if is_raced(&error) => Ok(()),
            put => put,
        };
    }
    match seen {
        Some(version) => remove_if(io, &key, Condition::Version(version)).await.map(|_| ()),
        None => Ok(()),
    }
}
