//! The steps of the script, carried out over stores of files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use turnkeep::core::session::runtime::{self, Restore, Snapshot};
use turnkeep::core::session::tier::Flush;
use turnkeep::{
    Append, At, Create, Durability, Error, ErrorKind, FileStore, Fork, Result, Session, Store,
    Tier, drive_runtime, retention,
};

use super::look::texts_of;
use super::script::{Name, SCRIPT, Step, is_tiered, texts};
use crate::sessions::{id, log_key, open, user};

/// The stores under one folder, and the sessions that are open.
pub struct Desk {
    folder: PathBuf,
    store: Arc<dyn Store>,
    tier: Arc<Tier>,
    durability: Durability,
    open: BTreeMap<Name, Session>,
}

impl Desk {
    /// Opens the stores, which are made where they are missing. What is appended is as durable as
    /// told: but for [`Durability::Disk`] a power cut may lose it.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`].
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let store = Arc::new(FileStore::open(folder.join("store"))?);
        let hot = Arc::new(FileStore::open(folder.join("hot"))?);
        let cold = Arc::new(FileStore::open(folder.join("cold"))?);
        let tier = Tier::open_reading(hot, cold);
        Ok(Self { folder: folder.to_owned(), store, tier, durability, open: BTreeMap::new() })
    }

    /// Carries out a step.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub fn carry_out(&mut self, number: usize) -> Result<()> {
        match SCRIPT[number] {
            Step::Create(name) => {
                let options = Create::default().with_id(id(name)).with_durability(self.durability);
                let session = Session::create(self.store_of(name), options)?;
                self.open.insert(name, session);
            }
            Step::Append(name, _) => {
                let drafts: Vec<_> = texts(number).iter().map(|text| user(text)).collect();
                let append = Append::from(drafts).with_durability(self.durability);
                self.session(name)?.append_with(append)?;
            }
            Step::Fork(parent, child) => {
                let seq = self.session(parent)?.head().map_or(0, |head| head.seq);
                let fork = Fork::at(At::Seq(seq)).with_id(id(child));
                let forked = self.session(parent)?.fork(fork)?;
                self.open.insert(child, forked);
            }
            Step::Archive(name) => {
                self.age(name)?;
                self.session(name)?.archive()?;
            }
            Step::Restore(name) => _ = self.session(name)?.restore()?,
            Step::Prune(name) => {
                self.open.remove(name);
                retention::prune(&*self.store, &id(name), "it is old")?;
            }
            Step::Delete(name) => {
                self.open.remove(name);
                turnkeep::delete(&*self.store, &id(name))?;
            }
            Step::Bundle => {
                let task = runtime::snapshot(Snapshot::default());
                drive_runtime(task, &*self.store, Some(&self.bundle()), None)?;
            }
            Step::Unbundle => {
                self.open.clear();
                turnkeep::restore(&*self.store, &self.bundle(), None, Restore::default())?;
            }
            Step::Flush(name) => {
                self.open.remove(name);
                self.tier.flush(&id(name), Flush::default())?;
            }
        }
        Ok(())
    }

    /// Carries out a step that was cut off, however far it came.
    ///
    /// # Errors
    ///
    /// Those of the operation, but for the ones that say that it was done.
    pub fn carry_out_again(&mut self, number: usize) -> Result<()> {
        if self.is_done(number) {
            return Ok(());
        }
        match self.carry_out(number) {
            Err(error) if says_done(SCRIPT[number], error.kind()) => Ok(()),
            other => other,
        }
    }

    /// Whether what a step appends is there already.
    fn is_done(&mut self, number: usize) -> bool {
        let Step::Append(name, _) = SCRIPT[number] else { return false };
        self.session(name).is_ok_and(|session| {
            let there = texts_of(session).unwrap_or_default();
            there.ends_with(&texts(number))
        })
    }

    fn session(&mut self, name: Name) -> Result<&Session> {
        if !self.open.contains_key(name) {
            let session = match is_tiered(name) {
                true => self.tier.hydrate(&id(name))?,
                false => open(&self.store, name)?,
            };
            self.open.insert(name, session);
        }
        Ok(&self.open[name])
    }

    fn store_of(&self, name: &str) -> Arc<dyn Store> {
        if is_tiered(name) { self.tier.clone() } else { self.store.clone() }
    }

    fn bundle(&self) -> FileStore {
        FileStore::of_file(&self.folder.join("bundle"))
    }

    /// Makes a session look unused: nothing is pruned that was in use within the last minute.
    fn age(&self, name: &str) -> Result<()> {
        let hour = Duration::from_secs(3600);
        let path = self.folder.join("store").join(log_key(name).as_str());
        let log = File::options().write(true).open(path);
        match log.and_then(|log| log.set_modified(SystemTime::now() - hour)) {
            // There is none where the archive is there already.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            aged => aged.map_err(|error| Error::new(ErrorKind::StoreFailed, error.to_string())),
        }
    }
}

/// Whether an error says that a step was done before.
fn says_done(step: Step, kind: ErrorKind) -> bool {
    match step {
        Step::Create(_) | Step::Fork(..) | Step::Archive(_) | Step::Restore(_) => {
            kind == ErrorKind::AlreadyExists
        }
        Step::Prune(_) => kind == ErrorKind::Pruned,
        Step::Delete(_) => kind == ErrorKind::NotFound,
        _ => false,
    }
}
