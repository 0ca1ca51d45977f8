//! Recovery records: kept up to date by appends, read after a crash.

use alloc::string::String;
use alloc::vec::Vec;

use super::append::each_line;
use super::inventory::all_objects;
use super::live::Recording;
use super::open::open_session;
use super::range::Range;
use super::read::{first_prev, read_page};
use super::{Session, Task};
use crate::limits::RECORD_BYTES_MAX;
use crate::log::Head;
use crate::recovery::{Change, Owner, Record};
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// How a session stands that was not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A living process holds it.
    Running,
    /// Nobody does, and a run of it never ended.
    Crashed,
    /// Nobody does, its last run ended, and it was not completed.
    Abandoned,
}

impl Status {
    /// `running`, `crashed`, `abandoned`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Crashed => "crashed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A session that was not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incomplete {
    /// What it was doing, up to its head.
    pub record: Record,
    /// How it stands.
    pub status: Status,
}

/// The sessions that were not completed.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Incompletes {
    /// The latest first.
    pub sessions: Vec<Incomplete>,
    /// Records that could not be read, or whose session could not: nothing is known of these.
    pub damaged: Vec<(Key, Error)>,
}

/// Keeps a recovery record of an open session from now on: it is written now, whenever a run ends,
/// and by the first append that finds it older than 5 seconds.
#[must_use]
pub fn track(session: Session, project_dir: impl Into<String>) -> Task<()> {
    let project_dir = project_dir.into();
    Task::new(async move |io| {
        let id = session.id().clone();
        let tracked = async {
            let now_ms = io.stamp(0).await?.now_ms;
            let mut record = current(&io, &id, now_ms).await?;
            record.project_dir = project_dir;
            record.completed = false;
            session.live.lock().record = Some(Recording { record, saved_ms: now_ms });
            save(&io, &session, now_ms).await
        };
        tracked.await.map_err(|error: Error| error.in_session(&id))
    })
}

fn is_unreadable(error: &Error) -> bool {
    let is_data = error.kind().class() == crate::ErrorClass::Data;
    error.kind() == ErrorKind::NotFound || is_data
}

/// Writes the record that an open session keeps.
pub(super) async fn save(io: &Io, session: &Session, now_ms: u64) -> Result<()> {
    let holder = io.holder(&Key::of(session.id(), Part::Log)).await.ok().flatten();
    let json = {
        let mut live = session.live.lock();
        let Some(recording) = &mut live.record else { return Ok(()) };
        // Not again and again, where it fails.
        recording.saved_ms = now_ms;
        recording.record.snapshot_ms = now_ms;
        if let Some(holder) = holder.filter(|holder| holder.is_self) {
            let (pid, host, start) = (holder.pid, holder.host, holder.start);
            recording.record.owner = Some(Owner { pid, host, start });
        }
        recording.record.to_json()
    };
    write(io, session.id(), json).await
}

async fn write(io: &Io, id: &SessionId, json: String) -> Result<()> {
    let key = Key::of(id, Part::Recovery);
    if json.len() > RECORD_BYTES_MAX {
        // What it holds of the log is bounded.
        let message = "a recovery record has at most 256 KiB: the folder's name is too long";
        return Err(Error::new(ErrorKind::TooLarge, message).at_key(&key));
    }
    io.put(&key, json.into_bytes(), Condition::Any).await.map(|_| ())
}

/// A session's recovery record as it is stored. `not_found` where there is none.
#[must_use]
pub fn record(id: SessionId) -> Task<Record> {
    Task::new(async move |io| read(&io, &id).await.map_err(|error| error.in_session(&id)))
}

async fn read(io: &Io, id: &SessionId) -> Result<Record> {
    let key = Key::of(id, Part::Recovery);
    let object = io.get(&key, Some(0..RECORD_BYTES_MAX as u64 + 1)).await?;
    Record::from_json(&object.bytes).map_err(|error| error.at_key(&key))
}

/// Makes a session's recovery record anew from its log, and writes it.
#[must_use]
pub fn rebuild_record(id: SessionId) -> Task<Record> {
    Task::new(async move |io| {
        let rebuilding = async {
            let now_ms = io.stamp(0).await?.now_ms;
            let record = match read(&io, &id).await {
                Ok(old) if old.session == id => anew(&io, old).await?,
                _ => rebuilt(&io, &id, now_ms).await?,
            };
            write(&io, &id, record.to_json()).await?;
            Ok(record)
        };
        rebuilding.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// A session's record up to its head, made anew where there is none to go on from.
async fn current(io: &Io, id: &SessionId, now_ms: u64) -> Result<Record> {
    match read(io, id).await {
        Ok(record) if record.session == *id => up_to_date(io, record).await,
        Ok(_) => rebuilt(io, id, now_ms).await,
        Err(error) if is_unreadable(&error) => rebuilt(io, id, now_ms).await,
        Err(error) => Err(error),
    }
}

async fn rebuilt(io: &Io, id: &SessionId, now_ms: u64) -> Result<Record> {
    follow(io, Record::new(id.clone(), "", now_ms), 0).await
}

/// The record with what was appended since it was written.
async fn up_to_date(io: &Io, record: Record) -> Result<Record> {
    let Some(Head { seq, hash, .. }) = record.head else {
        return anew(io, record).await;
    };
    let head = open_session(io, &record.session).await?.head();
    if head == record.head {
        return Ok(record);
    }
    if head.is_none_or(|head| head.seq <= seq) {
        return anew(io, record).await;
    }
    let page = read_page(io, &record.session, Range::between(seq + 1, Some(seq + 1))).await?;
    match first_prev(&page.lines) == Some(hash) {
        true => follow(io, record, seq + 1).await,
        false => anew(io, record).await,
    }
}

/// A record that does not belong to its log is made anew; what the log does not tell stays.
async fn anew(io: &Io, old: Record) -> Result<Record> {
    let new = rebuilt(io, &old.session, old.snapshot_ms).await?;
    let cost_nano_usd = old.cost_nano_usd.max(new.cost_nano_usd);
    // Completed it was up to that entry only.
    let completed = old.completed && old.head == new.head;
    Ok(Record { project_dir: old.project_dir, owner: old.owner, cost_nano_usd, completed, ..new })
}

/// The record with the entries from that one on.
async fn follow(io: &Io, mut record: Record, from: u64) -> Result<Record> {
    let mut range = Range::between(from, None);
    let mut head = None;
    loop {
        let page = read_page(io, &record.session, range.clone()).await?;
        // Later pages end where the first one's session did, whatever was appended meanwhile.
        record.head = *head.get_or_insert(Some(page.head));
        each_line(&page.lines, &mut |line| {
            if let Some(change) = Change::of(line)? {
                record.apply(change);
            }
            Ok(())
        })?;
        match page.next {
            Some(cursor) => range = range.after(cursor),
            None => return Ok(record),
        }
    }
}

/// The sessions of a store whose record says that they were not completed, the latest first, each
/// brought up to date from its log, and with what is known of who holds it.
#[must_use]
pub fn find_incomplete() -> Task<Incompletes> {
    Task::new(async move |io| {
        let mut found = Incompletes::default();
        for (key, id) in records(&io).await? {
            match incomplete(&io, &id).await {
                Ok(incomplete) => found.sessions.extend(incomplete),
                Err(error) if is_unreadable(&error) => found.damaged.push((key, error)),
                Err(error) => return Err(error.in_session(&id)),
            }
        }
        found.sessions.sort_by_key(|found| core::cmp::Reverse(found.record.snapshot_ms));
        Ok(found)
    })
}

async fn incomplete(io: &Io, id: &SessionId) -> Result<Option<Incomplete>> {
    let record = read(io, id).await?;
    if record.session != *id {
        let message = "the record is another session's";
        return Err(Error::new(ErrorKind::WrongSession, message).in_session(id));
    }
    if record.completed {
        return Ok(None);
    }
    let record = up_to_date(io, record).await?;
    let holder = io.holder(&Key::of(id, Part::Log)).await?;
    let status = if holder.is_some_and(|holder| holder.is_alive) {
        Status::Running
    } else if record.run.as_deref() == Some("running") {
        Status::Crashed
    } else {
        Status::Abandoned
    };
    Ok(Some(Incomplete { record, status }))
}

/// Says that a session was ended on purpose. Without a record, one is made.
#[must_use]
pub fn mark_completed(id: SessionId) -> Task<Record> {
    Task::new(async move |io| {
        let marked = async {
            let now_ms = io.stamp(0).await?.now_ms;
            let mut record = current(&io, &id, now_ms).await?;
            record.completed = true;
            record.snapshot_ms = now_ms;
            write(&io, &id, record.to_json()).await?;
            Ok(record)
        };
        marked.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// Removes a session's recovery record; says whether there was one.
#[must_use]
pub fn remove_record(id: SessionId) -> Task<bool> {
    Task::new(async move |io| {
        match io.delete(&Key::of(&id, Part::Recovery), Condition::Any).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.in_session(&id)),
        }
    })
}

/// Removes the records that are older than that, completed or not, but those of sessions that a
/// living process holds, and damaged ones; gives how many.
#[must_use]
pub fn cleanup_old(max_age_ms: u64) -> Task<u64> {
    Task::new(async move |io| -> Result<u64> {
        let oldest = io.stamp(0).await?.now_ms.saturating_sub(max_age_ms);
        let mut removed = 0;
        for (key, id) in records(&io).await? {
            let is_old = read(&io, &id).await.is_ok_and(|record| record.snapshot_ms < oldest);
            if !is_old {
                continue;
            }
            let holder = io.holder(&Key::of(&id, Part::Log)).await?;
            if holder.is_some_and(|holder| holder.is_alive) {
                continue;
            }
            match io.delete(&key, Condition::Any).await {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    })
}

async fn records(io: &Io) -> Result<Vec<(Key, SessionId)>> {
    let recovery = |(key, _): (Key, _)| match key.session()? {
        (id, Part::Recovery) => Some((key, id)),
        _ => None,
    };
    Ok(all_objects(io).await?.into_iter().filter_map(recovery).collect())
}

/// Whether a session's record says that a run of it has not ended.
pub(super) async fn is_running(io: &Io, id: &SessionId) -> Result<bool> {
    match read(io, id).await {
        Ok(record) => Ok(!record.completed && record.run.as_deref() == Some("running")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
