//! Restoring a runtime from a bundle, all or nothing.
//!
//! The bundle is verified whole. What it replaces is put aside; then the journal says that sessions
//! are replaced, and from then on the next start puts back what was put aside. Once all are, the
//! journal says that, and the next start puts what is left into the cache.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::cache::Keeping;
use super::journal::{Journal, Replaced, Stage};
use super::opened::Opened;
use super::recover::{Recover, Recovered, close, recover_store, undo};
use super::replace::{Replacing, Seen, is_cold, put_aside};
use super::snapshot::about;
use super::{Task, aside, cache};
use crate::bundle::{End, Event, SessionRecord};
use crate::cache::CacheEntry;
use crate::log::{Expectation, Head, Verifier};
use crate::session::archive::check_unheld;
use crate::session::open::find_session;
use crate::session::scan::Chunks;
use crate::store::{Key, Part};
use crate::task::Io;
use crate::{Error, ErrorClass, ErrorKind, Result, SessionId};

/// What to restore from a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restore {
    /// These sessions only, and nothing of the cache; `None`: all there is. `not_found` where the
    /// bundle has one of them not.
    pub sessions: Option<Vec<SessionId>>,
    /// The host answers for the runtime's cache.
    pub cache: bool,
    /// Change nothing: only tell what would change.
    pub dry_run: bool,
    /// As [`Recover::process`].
    pub process: u64,
    /// Where the bundle lies in its store ([`crate::store::Request::Bundle`]).
    pub key: Key,
}

impl Default for Restore {
    fn default() -> Self {
        Self { sessions: None, cache: false, dry_run: false, process: 0, key: Key::bundle() }
    }
}

/// What was restored, or would be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Restored {
    /// The bundle's sessions, in its order.
    pub sessions: Vec<RestoredSession>,
    /// The bundle's values.
    pub cache: CacheChanges,
    /// What was done about an earlier restoring that was cut off.
    pub recovered: Recovered,
}

/// A session of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredSession {
    /// Its id.
    pub id: SessionId,
    /// Its last entry.
    pub head: Head,
    /// What becomes of the one there is.
    pub change: Change,
}

/// What restoring does to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There is none of that id.
    New,
    /// There is another one, which is replaced.
    Replaced,
    /// It is the same already.
    Unchanged,
}

impl Change {
    /// Its name: `new`, `replaced`, `unchanged`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What restoring does to a cache. Keys that the bundle has not are left alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheChanges {
    /// Values that are put.
    pub put: u64,
    /// Values that have expired since: they are left out.
    pub expired: u64,
    /// Values that are left out because there is no cache.
    pub left_out: u64,
}

/// Restores a bundle's sessions and values: each session takes the place of the one of its id, others
/// are left alone. The whole bundle is verified before anything is changed; an error before the end
/// of the sessions leaves everything as it was, and a crash does so at the next start
/// ([`super::recover`]).
/// `locked` where a session is held by another writer.
#[must_use]
pub fn restore(options: Restore) -> Task<Restored> {
    Task::new(async move |io| restore_bundle(&io, &options).await)
}

async fn restore_bundle(io: &Io, options: &Restore) -> Result<Restored> {
    let from = io.bundle();
    let opened = Opened::find(&from, &options.key).await?;
    let mut recovered = Recovered::Nothing;
    if !options.dry_run {
        let Restore { cache, process, .. } = *options;
        recovered = recover_store(io, Recover { cache, process, ..Recover::default() }).await?;
    }
    let now_ms = io.stamp(0).await?.now_ms;
    let mut restoring = Restoring { io, options, now_ms, cache: CacheChanges::default() };
    let (records, end, kept) = restoring.look_through(&opened).await?;
    let planned = plan(io, records).await;
    let sessions = match planned {
        Ok(planned) => planned,
        Err(error) => {
            give_up(io, kept).await;
            return Err(error);
        }
    };
    let told = sessions.iter().map(|(record, change)| RestoredSession {
        id: record.id.clone(),
        head: record.head,
        change: *change,
    });
    let told = told.collect();
    if !options.dry_run {
        restoring.carry_out(&opened, end, sessions, kept).await?;
    }
    Ok(Restored { sessions: told, cache: restoring.cache, recovered })
}

async fn give_up(io: &Io, kept: Option<Keeping>) {
    if let Some(kept) = kept {
        kept.abort(io).await;
    }
}

struct Restoring<'a> {
    io: &'a Io,
    options: &'a Restore,
    now_ms: u64,
    cache: CacheChanges,
}

impl Restoring<'_> {
    /// Verifies all of the bundle, and takes out what is to be restored; the cache's values are staged.
    async fn look_through(
        &mut self,
        opened: &Opened<'_>,
    ) -> Result<(Vec<SessionRecord>, End, Option<Keeping>)> {
        let keeps = self.options.cache && !self.options.dry_run;
        let mut kept = keeps.then(Keeping::new);
        let looked = async {
            let mut records = Vec::new();
            let mut events = opened.events()?;
            while let Some(event) = events.next().await? {
                match event {
                    Event::Session(record) if self.is_wanted(&record.id) => records.push(record),
                    Event::Cache(entry) if self.options.sessions.is_none() => {
                        self.keep(entry, kept.as_mut()).await?;
                    }
                    _ => {}
                }
            }
            let end = events.finish()?;
            let has = |id: &&SessionId| records.iter().any(|record| record.id == **id);
            let missing = self.options.sessions.iter().flatten().find(|id| !has(id));
            match missing {
                None => Ok((records, end)),
                Some(id) => {
                    let message = "the bundle has no such session";
                    Err(Error::new(ErrorKind::NotFound, message).in_session(id))
                }
            }
        };
        match looked.await {
            Ok((records, end)) => Ok((records, end, kept)),
            Err(error) => {
                give_up(self.io, kept).await;
                Err(error)
            }
        }
    }

    fn is_wanted(&self, id: &SessionId) -> bool {
        self.options.sessions.as_ref().is_none_or(|ids| ids.contains(id))
    }

    async fn keep(&mut self, entry: CacheEntry, kept: Option<&mut Keeping>) -> Result<()> {
        let counted = match entry.expires_ms {
            Some(expires) if expires <= self.now_ms => &mut self.cache.expired,
            _ if !self.options.cache => &mut self.cache.left_out,
            _ => {
                if let Some(kept) = kept {
                    kept.add(self.io, &entry).await?;
                }
                &mut self.cache.put
            }
        };
        *counted += 1;
        Ok(())
    }

    async fn carry_out(
        &self,
        opened: &Opened<'_>,
        end: End,
        sessions: Vec<(SessionRecord, Change)>,
        kept: Option<Keeping>,
    ) -> Result<()> {
        let io = self.io;
        let mut journal = match Journal::begin(io, self.options.process).await {
            Ok(journal) => journal,
            Err(error) => {
                give_up(io, kept).await;
                return Err(error);
            }
        };
        let prepared = self.prepare(&mut journal, &sessions, kept).await;
        let (replaced, seen) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                // Nothing was changed; what cannot be removed now the next start removes.
                if journal.beat(io).await.is_ok() && aside::tidy(io).await.is_ok() {
                    journal.remove(io).await.ok();
                }
                return Err(error);
            }
        };
        if let Err(error) = self.replace(&mut journal, opened, end, (&replaced, seen)).await {
            return Err(self.undone(journal, &replaced, error).await);
        }
        if let Err(error) = journal.write(io, &Stage::Replaced).await {
            // It may have been written down all the same; what stands there counts.
            match journal.stage_now(io).await {
                Ok(Stage::Replaced) => {}
                Ok(_) => return Err(self.undone(journal, &replaced, error).await),
                // What that is only the next start can see.
                Err(_) => return Err(undecided(&error)),
            }
        }
        if self.options.cache {
            cache::put_kept(io).await.map_err(|error| half(&error))?;
        }
        // All is restored, whether or not what is left over can be removed now.
        let closed = close(io, journal).await;
        let is_left = io.find(&Key::restored_cache()).await.map_or(true, |info| info.is_some());
        closed.or_else(|error| if is_left { Err(half(&error)) } else { Ok(()) })
    }

    /// Puts aside what will be replaced, and writes down that it will.
    async fn prepare(
        &self,
        journal: &mut Journal,
        sessions: &[(SessionRecord, Change)],
        mut kept: Option<Keeping>,
    ) -> Result<(Vec<Replaced>, BTreeMap<SessionId, Seen>)> {
        let io = self.io;
        let (mut replaced, mut all_seen) = (Vec::new(), BTreeMap::new());
        let put_aside = async {
            for (record, _) in sessions.iter().filter(|(_, change)| *change != Change::Unchanged) {
                let (aside, seen) = put_aside(io, &record.id).await?;
                all_seen.insert(record.id.clone(), seen);
                replaced.push(Replaced { id: record.id.clone(), head: record.head, aside });
            }
            if let Some(kept) = kept.take()
                && self.cache.put > 0
            {
                kept.publish(io).await?;
            }
            journal.write(io, &Stage::Replacing(replaced.clone())).await
        };
        let prepared = put_aside.await;
        match prepared {
            Ok(()) => Ok((replaced, all_seen)),
            Err(error) => {
                give_up(io, kept).await;
                Err(error)
            }
        }
    }

    /// Reads the bundle once more, and replaces its sessions one by one.
    async fn replace(
        &self,
        journal: &mut Journal,
        opened: &Opened<'_>,
        end: End,
        (replaced, mut all_seen): (&[Replaced], BTreeMap<SessionId, Seen>),
    ) -> Result<()> {
        if replaced.is_empty() {
            return Ok(());
        }
        let io = self.io;
        let mut current = None::<Replacing>;
        let mut events = opened.events()?;
        let replaced = async {
            while let Some(event) = events.next().await? {
                match (event, &mut current) {
                    (Event::Lines(bytes), Some(current)) => current.lines(io, &bytes).await?,
                    (Event::Trace(bytes), Some(current)) => current.trace(io, &bytes).await?,
                    (Event::Session(record), _) => {
                        finish(io, current.take()).await?;
                        journal.beat(io).await?;
                        let seen = all_seen.remove(&record.id);
                        current = seen.map(|seen| Replacing::new(record, seen));
                    }
                    // Values come after the last session.
                    (Event::Cache(_), _) => finish(io, current.take()).await?,
                    _ => {}
                }
            }
            finish(io, current.take()).await
        };
        let replaced = replaced.await;
        if let Some(current) = current {
            current.abort(io).await;
        }
        replaced?;
        if events.finish()? == end && all_seen.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "the bundle changed while it was read"))
    }

    /// Undoes what was begun, and gives the error that it was undone for.
    async fn undone(&self, mut journal: Journal, replaced: &[Replaced], error: Error) -> Error {
        let undone = async {
            let kept = undo(self.io, &mut journal, replaced).await?;
            close(self.io, journal).await.map(|()| kept)
        };
        match undone.await {
            Ok(kept) => staying(error, &kept),
            Err(undoing) => {
                let (what, why) = (error.message(), undoing.message());
                let message = alloc::format!(
                    "{what}; some sessions are replaced, and will be put back at the next start: {why}"
                );
                Error::new(error.kind(), message)
            }
        }
    }
}

async fn finish(io: &Io, current: Option<Replacing>) -> Result<()> {
    match current {
        Some(current) => current.finish(io).await,
        None => Ok(()),
    }
}

/// The error that a restoring was undone for, which names a session that was not.
fn staying(error: Error, kept: &[SessionId]) -> Error {
    let Some(first) = kept.first() else { return error };
    let (what, count, first) = (error.message(), kept.len(), first.as_str());
    let message = alloc::format!(
        "{what}; all is as it was, but for what someone wrote to meanwhile: {first}, {count} in all"
    );
    Error::new(error.kind(), message)
}

fn half(error: &Error) -> Error {
    let message = alloc::format!(
        "the sessions are restored, and what is left for the cache is put there at the next start: {}",
        error.message()
    );
    Error::new(error.kind(), message)
}

fn undecided(error: &Error) -> Error {
    let message = alloc::format!(
        "whether the sessions are restored is decided at the next start: {}",
        error.message()
    );
    Error::new(error.kind(), message)
}

/// What becomes of each session; refuses what cannot be replaced.
async fn plan(io: &Io, records: Vec<SessionRecord>) -> Result<Vec<(SessionRecord, Change)>> {
    let mut planned = Vec::new();
    for record in records {
        let change = change(io, &record).await.map_err(|error| error.in_session(&record.id))?;
        planned.push((record, change));
    }
    Ok(planned)
}

async fn change(io: &Io, record: &SessionRecord) -> Result<Change> {
    let (session, source) = match find_session(io, &record.id).await {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned) => {
            check_never_cold(io, &record.id).await?;
            return Ok(Change::New);
        }
        // A damaged one may be what the bundle is for; of a newer one nothing can be said.
        Err(error)
            if error.kind().class() == ErrorClass::Data
                && error.kind() != ErrorKind::UnsupportedVersion =>
        {
            check_never_cold(io, &record.id).await?;
            check_unheld(io, &Key::of(&record.id, Part::Log)).await?;
            return Ok(Change::Replaced);
        }
        Err(error) => return Err(error),
    };
    let is_same = session.head() == Some(record.head)
        && about(io, &record.id, &source).await? == record.about
        && trace_bytes(io, &record.id).await? == record.trace_bytes
        && is_whole(io, &source, record).await?;
    if is_same {
        return Ok(Change::Unchanged);
    }
    check_never_cold(io, &record.id).await?;
    check_unheld(io, &Key::of(&record.id, Part::Log)).await?;
    Ok(Change::Replaced)
}

/// Refuses a session that the cold store tells anything of, were it that it was deleted: what would be
/// put in its place could never be flushed.
async fn check_never_cold(io: &Io, id: &SessionId) -> Result<()> {
    if !is_cold(io, id).await? {
        return Ok(());
    }
    let message = "the cold store has the session, or that it was deleted, and cannot go back: \
                   restore it into a store without that cold store";
    Err(Error::new(ErrorKind::NotSupported, message))
}

async fn trace_bytes(io: &Io, id: &SessionId) -> Result<u64> {
    Ok(io.find(&Key::of(id, Part::Trace)).await?.map_or(0, |info| info.bytes))
}

/// Whether all of its entries are what the record's head says.
async fn is_whole(
    io: &Io,
    source: &crate::session::source::Source,
    record: &SessionRecord,
) -> Result<bool> {
    let mut verifier = Verifier::new(Expectation { session: Some(record.id.clone()), head: None });
    let mut chunks = Chunks::of(io, source, Some(record.head));
    loop {
        match chunks.next().await {
            Ok(Some(chunk)) => verifier.push(&chunk),
            Ok(None) => break,
            Err(error) if error.kind().class() == ErrorClass::Data => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    let report = verifier.finish();
    Ok(report.fault.is_none() && report.head == Some(record.head))
}
