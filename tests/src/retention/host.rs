//! A host that carries out a task request by request, at a time of the test's own, and stops or
//! fails where it is told to.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use turnkeep::core::log::Stamp;
use turnkeep::core::store::{Info, Reply, Request, StageId};
use turnkeep::{Error, ErrorKind, FileStore, Key, MemoryStore, Result, Store};

use super::running::{Outcome, Running};
use super::scene::{Scene, put_all};
use crate::build::Random;
use crate::sessions::Folder;

/// A time that passes when the test says so, in milliseconds since 1970.
pub type Clock = Arc<AtomicU64>;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The host is gone before it is carried out; that is also what a host leaves that is gone
    /// after the request before.
    Stop,
    /// It fails, and was not carried out.
    Before,
    /// It fails, but was carried out.
    After,
}

/// A store, perhaps with a cold one behind it, and the time.
pub struct Host<'a> {
    store: &'a dyn Store,
    clock: Clock,
    /// When the objects were written of which the store does not say it.
    modified_ms: u64,
    /// Where each worker's chance comes from; `None`: it is always the same.
    chances: Option<RefCell<Vec<Random>>>,
    stages: RefCell<BTreeSet<StageId>>,
    /// What was written since.
    written: RefCell<BTreeSet<Key>>,
}

/// Most workers of a host.
const WORKERS: u64 = 8;

impl<'a> Host<'a> {
    /// A host at that time, whose objects were all last written at another.
    #[must_use]
    pub fn new(store: &'a dyn Store, now_ms: u64, modified_ms: u64) -> Self {
        let (stages, written, chances) = Default::default();
        let clock = Clock::new(now_ms.into());
        Self { store, clock, modified_ms, chances, stages, written }
    }

    /// A host by that clock, each of whose workers has other random numbers.
    #[must_use]
    pub fn by(store: &'a dyn Store, clock: &Clock, seed: u64) -> Self {
        let chances = (0..WORKERS).map(|worker| Random::new(seed * WORKERS + worker)).collect();
        let chances = Some(RefCell::new(chances));
        Self { clock: clock.clone(), chances, ..Self::new(store, 0, 0) }
    }

    /// Stages that were begun, and neither published nor given up.
    #[must_use]
    pub fn open_stages(&self) -> usize {
        self.stages.borrow().len()
    }

    fn now_ms(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Carries out a request.
    pub fn perform(&self, request: &Request) -> Reply {
        self.perform_for(0, request)
    }

    /// Carries out a request of one of the workers.
    pub fn perform_for(&self, worker: usize, request: &Request) -> Reply {
        let answer = match request {
            Request::Stamp { random_bytes } => return self.stamp(worker, *random_bytes),
            Request::Cold(request) => {
                self.answer(self.store.cold().expect("a cold store"), request)
            }
            request => self.answer(self.store, request),
        };
        answer.unwrap_or_else(Reply::Failed)
    }

    fn stamp(&self, worker: usize, random_bytes: usize) -> Reply {
        let random = match &self.chances {
            Some(chances) => {
                let byte = || chances.borrow_mut()[worker].number() as u8;
                (0..random_bytes).map(|_| byte()).collect()
            }
            None => vec![7; random_bytes],
        };
        Reply::Stamp(Stamp { now_ms: self.now_ms(), random })
    }

    fn answer(&self, store: &dyn Store, request: &Request) -> Result<Reply> {
        let info = |key: &Key, info: Info| {
            let is_new = self.written.borrow().contains(key);
            let known = if is_new { self.now_ms() } else { self.modified_ms };
            // What a store says by the time of day means nothing at a time that is made up.
            let told = info.modified_ms.filter(|_| self.chances.is_some());
            Info { modified_ms: told.or(Some(known)), ..info }
        };
        if let Request::Put { key, .. } | Request::Append { key, .. } | Request::Stage { key } =
            request
        {
            self.written.borrow_mut().insert(key.clone());
        }
        Ok(match request {
            Request::Get { key, range } => {
                let mut object = store.get(key, range.clone())?;
                object.info = info(key, object.info);
                Reply::Object(object)
            }
            Request::Put { key, bytes, condition } => {
                Reply::Info(store.put(key, bytes, condition)?)
            }
            Request::Append { key, bytes, after, durability } => {
                Reply::Info(store.append(key, bytes, after, *durability)?)
            }
            Request::Sync { key } => store.sync(key).map(|()| Reply::Done)?,
            Request::Holder { key } => Reply::Holder(store.holder(key)?),
            Request::Delete { key, condition } => {
                store.delete(key, condition).map(|()| Reply::Done)?
            }
            Request::List { prefix, after, limit } => {
                let mut listing = store.list(prefix, after.as_ref(), *limit)?;
                for (key, found) in &mut listing.objects {
                    *found = info(key, found.clone());
                }
                Reply::Listing(listing)
            }
            Request::Info { key } => Reply::Info(info(key, store.info(key)?)),
            staging => self.stage(store, staging)?,
        })
    }

    fn stage(&self, store: &dyn Store, request: &Request) -> Result<Reply> {
        Ok(match request {
            Request::Stage { key } => {
                let stage = store.stage(key)?;
                self.stages.borrow_mut().insert(stage.clone());
                Reply::Stage(stage)
            }
            Request::StagePart { stage, number, bytes } => {
                store.stage_part(stage, *number, bytes).map(|()| Reply::Done)?
            }
            Request::GetStaged { stage, range } => {
                Reply::Object(store.get_staged(stage, range.clone())?)
            }
            Request::Commit { stage, condition } => {
                self.stages.borrow_mut().remove(stage);
                Reply::Info(store.commit(stage, condition)?)
            }
            Request::Abort { stage } => {
                self.stages.borrow_mut().remove(stage);
                store.abort(stage).map(|()| Reply::Done)?
            }
            unknown => panic!("no request known here: {unknown:?}"),
        })
    }

    /// Carries out an operation to its end.
    pub fn finish(&self, mut running: Box<dyn Running>) -> Outcome {
        while let Some(request) = running.request() {
            running.answer(self.perform(&request));
        }
        running.outcome()
    }

    /// Carries out an operation with a fault at request `at`, not counting those for the time; and
    /// whether it got there.
    pub fn finish_with(
        &self,
        mut running: Box<dyn Running>,
        fault: Fault,
        at: usize,
    ) -> (Outcome, bool) {
        let lost = || Error::new(ErrorKind::StoreFailed, "as the test wants it").retryable();
        let mut count = 0;
        while let Some(request) = running.request() {
            let is_it = count == at && !matches!(request, Request::Stamp { .. });
            count += usize::from(!matches!(request, Request::Stamp { .. }));
            if is_it && fault == Fault::Stop {
                return (None, true);
            }
            if is_it && fault == Fault::Before {
                running.answer(Reply::Failed(lost()));
                continue;
            }
            let reply = self.perform(&request);
            if let (true, Reply::Stage(stage)) = (is_it, &reply) {
                // Nobody heard of it, so nobody can give it up.
                self.stages.borrow_mut().remove(stage);
            }
            running.answer(if is_it { Reply::Failed(lost()) } else { reply });
        }
        (running.outcome(), count > at)
    }
}

/// Where a scene is played: a store that a crash takes away, but not what it holds.
pub enum Places {
    /// In memory.
    Memory(RefCell<Arc<MemoryStore>>),
    /// In files.
    Files(Folder),
}

impl Places {
    /// A place with the objects of a scene.
    #[must_use]
    pub fn new(scene: &Scene, is_files: bool) -> Self {
        if is_files {
            let folder = Folder::new();
            for (key, bytes) in &scene.objects {
                std::fs::write(folder.path().join(key.as_str()), bytes).expect("a file");
            }
            return Self::Files(folder);
        }
        let store = MemoryStore::new();
        put_all(&store, &scene.objects);
        Self::Memory(RefCell::new(Arc::new(store)))
    }

    /// What is there, as another process sees it.
    #[must_use]
    pub fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Files(folder) => {
                bury_own(folder);
                Arc::new(FileStore::open(folder.path()).expect("a store"))
            }
            Self::Memory(store) => {
                let again = Arc::new(MemoryStore::new());
                put_all(&*again, &super::scene::objects(&**store.borrow()));
                store.replace(again.clone());
                again
            }
        }
    }

    /// The store itself, for the operation that a crash ends.
    pub fn within<T>(&self, run: impl FnOnce(&dyn Store) -> T) -> T {
        match self {
            Self::Memory(store) => run(&**store.borrow()),
            Self::Files(folder) => run(&FileStore::open(folder.path()).expect("a store")),
        }
    }

    /// Files of the store's own that are left.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        match self {
            Self::Memory(_) => Vec::new(),
            Self::Files(folder) => own_names(folder).map(|(name, _)| name).collect(),
        }
    }
}

fn own_names(folder: &Folder) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = std::fs::read_dir(folder.path()).expect("a folder").map(|entry| {
        let entry = entry.expect("a name");
        (entry.file_name().to_string_lossy().into_owned(), entry.path())
    });
    entries.filter(|(name, _)| name.starts_with('.'))
}

/// Makes what this process left look like that of one that is gone.
fn bury_own(folder: &Folder) {
    for (name, path) in own_names(folder) {
        let parts: Vec<_> = name.rsplitn(5, '-').collect();
        if let [nonce, host, _, pid, rest] = parts[..] {
            let buried = path.with_file_name(format!("{rest}-{pid}-gone-{host}-{nonce}"));
            std::fs::rename(&path, buried).expect("a rename");
        }
    }
}
