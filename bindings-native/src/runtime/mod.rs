//! A whole runtime: its sessions, what else is busy in it, and its cache.

mod runs;
mod stream;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use turnkeep_core::session::runtime::{
    self, Recover, Recovered, Restore, Restored, Snapshot, Snapshotted,
};
use turnkeep_core::store::{Condition, Key, PART_BYTES};
use turnkeep_core::{Result, SessionId};

use crate::drive::drive_runtime;
use crate::file::guard;
use crate::{Cache, FileStore, Store};
use runs::Runs;
pub use runs::{Probe, Run, Wait};
use stream::Sink;

/// The sessions of a store, a cache beside them, and what is busy with either: so that all of it can
/// be written into one bundle while nothing goes on, and restored from it, all or nothing.
///
/// ```
/// use std::sync::Arc;
/// use turnkeep::core::session::runtime::{Restore, Snapshot};
/// use turnkeep::{Create, MemoryStore, Runtime, Session, SessionId, Wait};
///
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("agents.bundle");
/// let runtime = Runtime::open(Arc::new(MemoryStore::new()), None)?;
/// let id = SessionId::new("talk")?;
/// Session::create(runtime.store(), Create::default().with_id(id.clone()))?;
/// {
///     let _run = runtime.start_run(&id); // while an agent has its turn
/// }
/// let written = runtime.snapshot_to(&file, Snapshot::default(), Wait::default())?;
/// assert_eq!(written.counts.sessions, 1);
///
/// let other = Runtime::open(Arc::new(MemoryStore::new()), None)?;
/// let restored = other.restore_from(&file, Restore::default(), Wait::default())?;
/// assert_eq!(restored.sessions[0].id, id);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Runtime {
    store: Arc<dyn Store>,
    cache: Option<Arc<dyn Cache>>,
    runs: Arc<Runs>,
    recovered: Recovered,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("recovered", &self.recovered).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Opens a runtime over a store and its cache, if it has one. A restoring that was cut off is
    /// finished or undone first. `locked` where another process is restoring just now.
    pub fn open(store: Arc<dyn Store>, cache: Option<Arc<dyn Cache>>) -> Result<Arc<Self>> {
        Self::open_with(store, cache, false)
    }

    /// The same, where values that an earlier restoring has yet to put into the cache are given up: what
    /// a cache refuses for good would keep the runtime from ever being opened.
    pub fn open_giving_up_cache(
        store: Arc<dyn Store>,
        cache: Option<Arc<dyn Cache>>,
    ) -> Result<Arc<Self>> {
        Self::open_with(store, cache, true)
    }

    fn open_with(
        store: Arc<dyn Store>,
        cache: Option<Arc<dyn Cache>>,
        gives_up_cache: bool,
    ) -> Result<Arc<Self>> {
        let mut options = Recover::default();
        (options.cache, options.gives_up_cache) = (cache.is_some(), gives_up_cache);
        let recovered = recover(&*store, cache.as_deref(), options)?;
        Ok(Arc::new(Self { store, cache, runs: Arc::default(), recovered }))
    }

    /// Where its sessions lie.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// What was done about a restoring that was cut off, when it was opened.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Counts a session as busy until the run is dropped. Waits while the runtime is
    /// [quiesced](Self::quiesce).
    #[must_use = "the session is busy for as long as the run is kept"]
    pub fn start_run(&self, session: &SessionId) -> Run {
        self.runs.start(session.as_str())
    }

    /// Asks something else (terminals, jobs) whether it is busy, whenever that is to be known.
    pub fn watch(&self, probe: Arc<dyn Probe>) {
        self.runs.watch(probe);
    }

    /// Tells that something watched may not be busy any more, so that nobody waits longer than
    /// needed. Ends of runs are known without.
    pub fn changed(&self) {
        self.runs.changed();
    }

    /// Waits until nothing is busy at two looks in a row, 50 ms apart. `timeout` names what was busy.
    pub fn await_idle(&self, wait: Wait<'_>) -> Result<()> {
        self.runs.await_idle(wait)
    }

    /// Runs something while nothing is busy: waits for that, and lets new runs wait until it is over. So
    /// it must wait for no run itself, nor for a snapshot or a restoring of this runtime: those wait for it.
    pub fn quiesce<T>(&self, wait: Wait<'_>, run: impl FnOnce() -> T) -> Result<T> {
        let _held = self.runs.hold(wait)?;
        Ok(run())
    }

    /// Writes all sessions and the cache's values into a bundle at a path, once nothing is busy: the
    /// file there is replaced all at once, after the new one was read back and verified.
    pub fn snapshot_to(
        &self,
        path: impl AsRef<Path>,
        options: Snapshot,
        wait: Wait<'_>,
    ) -> Result<Snapshotted> {
        let _held = self.runs.hold(wait)?;
        self.snapshot(options, &FileStore::of_file(path.as_ref()))
    }

    /// The same into a stream, which is not read back.
    pub fn snapshot_to_writer(
        &self,
        writer: impl Write + Send,
        options: Snapshot,
        wait: Wait<'_>,
    ) -> Result<Snapshotted> {
        let _held = self.runs.hold(wait)?;
        self.snapshot(options, &Sink::new(writer))
    }

    /// The same into another store, under the options' key.
    pub fn snapshot_to_store(
        &self,
        to: &dyn Store,
        options: Snapshot,
        wait: Wait<'_>,
    ) -> Result<Snapshotted> {
        let _held = self.runs.hold(wait)?;
        self.snapshot(options, to)
    }

    /// Writes one session into a bundle at a path. It waits for nobody: a session may do this in the
    /// middle of its own turn.
    pub fn export_session(&self, id: &SessionId, path: impl AsRef<Path>) -> Result<Snapshotted> {
        let mut options = Snapshot::default();
        options.sessions = Some(vec![id.clone()]);
        self.recover()?;
        let task = runtime::snapshot(options);
        drive_runtime(task, &*self.store, Some(&FileStore::of_file(path.as_ref())), None)
    }

    /// A restoring that failed before, for the cache refused it, is finished first.
    fn recover(&self) -> Result<()> {
        let mut options = Recover::default();
        options.cache = self.cache.is_some();
        recover(&*self.store, self.cache.as_deref(), options).map(|_| ())
    }

    /// Restores a bundle once nothing is busy. The whole bundle is verified before anything is changed;
    /// then each of its sessions takes the place of the one of its id. Others are left alone, and so
    /// are the cache's values under other keys.
    pub fn restore_from(
        &self,
        path: impl AsRef<Path>,
        options: Restore,
        wait: Wait<'_>,
    ) -> Result<Restored> {
        self.restore_from_store(&FileStore::of_file(path.as_ref()), options, wait)
    }

    /// The same from another store, under the options' key.
    pub fn restore_from_store(
        &self,
        from: &dyn Store,
        options: Restore,
        wait: Wait<'_>,
    ) -> Result<Restored> {
        let _held = self.runs.hold(wait)?;
        self.restore(options, from)
    }

    /// The same from a stream, which is kept in the runtime's store first; then it is waited until
    /// nothing is busy.
    pub fn restore_from_reader(
        &self,
        reader: impl Read,
        mut options: Restore,
        wait: Wait<'_>,
    ) -> Result<Restored> {
        options.key = Key::spooled(random());
        // First: no run waits for whoever sends.
        self.spool(reader, &options.key)?;
        let key = options.key.clone();
        let restored = self.runs.hold(wait).and_then(|_held| self.restore(options, &*self.store));
        // What became of the restoring is what is told.
        self.store.delete(&key, &Condition::Any).ok();
        restored
    }

    /// Replaces one session by the one of its id in a bundle, once nothing is busy.
    pub fn replace_session(
        &self,
        id: &SessionId,
        path: impl AsRef<Path>,
        wait: Wait<'_>,
    ) -> Result<Restored> {
        let mut options = Restore::default();
        options.sessions = Some(vec![id.clone()]);
        self.restore_from(path, options, wait)
    }

    fn snapshot(&self, mut options: Snapshot, to: &dyn Store) -> Result<Snapshotted> {
        options.cache = self.cache.is_some();
        self.recover()?;
        drive_runtime(runtime::snapshot(options), &*self.store, Some(to), self.cache.as_deref())
    }

    fn restore(&self, mut options: Restore, from: &dyn Store) -> Result<Restored> {
        options.cache = self.cache.is_some();
        restore(&*self.store, from, self.cache.as_deref(), options)
    }

    /// Keeps what comes as a stream, part by part.
    fn spool(&self, mut reader: impl Read, key: &Key) -> Result<()> {
        let stage = self.store.stage(key)?;
        let spooled = (|| {
            for number in 1.. {
                let mut part = Vec::new();
                let limit = PART_BYTES as u64;
                reader.by_ref().take(limit).read_to_end(&mut part).map_err(stream::failed)?;
                let is_last = part.len() < PART_BYTES;
                self.store.stage_part(&stage, number, &part)?;
                if is_last {
                    break;
                }
            }
            self.store.commit(&stage, &Condition::Any).map(|_| ())
        })();
        if spooled.is_err() {
            self.store.abort(&stage).ok();
        }
        spooled
    }
}

/// Finishes or undoes a restoring into a store that was cut off, as [`Runtime::open`] does.
pub fn recover(
    store: &dyn Store,
    cache: Option<&dyn Cache>,
    mut options: Recover,
) -> Result<Recovered> {
    let _alone = guard(&ALONE);
    options.process = *PROCESS;
    drive_runtime(runtime::recover(options), store, None, cache)
}

/// Restores a bundle, whoever is busy with the store's sessions; [`Runtime`] waits for them.
pub fn restore(
    store: &dyn Store,
    from: &dyn Store,
    cache: Option<&dyn Cache>,
    mut options: Restore,
) -> Result<Restored> {
    let _alone = guard(&ALONE);
    options.process = *PROCESS;
    drive_runtime(runtime::restore(options), store, Some(from), cache)
}

/// One restoring after the other: a process's own lock does not keep it out.
static ALONE: Mutex<()> = Mutex::new(());
/// Tells this process's restorings from those of others.
static PROCESS: LazyLock<u64> = LazyLock::new(random);

fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}
