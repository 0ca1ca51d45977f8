//! A host that carries out a task request by request, at a time of the test's own, and stops or
//! fails where it is told to.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use turnkeep::core::log::Stamp;
use turnkeep::core::session;
use turnkeep::core::store::{Info, Reply, Request, StageId};
use turnkeep::core::task::{RequestId, Step, Task};
use turnkeep::{Error, ErrorKind, FileStore, Key, MemoryStore, Result, Store};

use super::scene::{Scene, put_all};
use crate::sessions::{Folder, id};

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

/// How an operation ended; `None` where its host was gone before.
pub type Outcome = Option<Result<()>>;

/// A store, and the time.
pub struct Host<'a> {
    store: &'a dyn Store,
    now_ms: u64,
    modified_ms: u64,
    stages: RefCell<BTreeSet<StageId>>,
    /// What was written since.
    written: RefCell<BTreeSet<Key>>,
}

impl<'a> Host<'a> {
    /// A host at that time, whose objects were all last written at another.
    #[must_use]
    pub fn new(store: &'a dyn Store, now_ms: u64, modified_ms: u64) -> Self {
        let (stages, written) = Default::default();
        Self { store, now_ms, modified_ms, stages, written }
    }

    /// Stages that were begun, and neither published nor given up.
    #[must_use]
    pub fn open_stages(&self) -> usize {
        self.stages.borrow().len()
    }

    /// Carries out a request.
    pub fn perform(&self, request: &Request) -> Reply {
        self.answer(request).unwrap_or_else(Reply::Failed)
    }

    fn answer(&self, request: &Request) -> Result<Reply> {
        let store = self.store;
        let info = |key: &Key, info: Info| {
            let is_new = self.written.borrow().contains(key);
            Info { modified_ms: Some(if is_new { self.now_ms } else { self.modified_ms }), ..info }
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
            Request::Stamp { random_bytes } => {
                Reply::Stamp(Stamp { now_ms: self.now_ms, random: vec![7; *random_bytes] })
            }
            staging => self.stage(staging)?,
        })
    }

    fn stage(&self, request: &Request) -> Result<Reply> {
        let store = self.store;
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

/// An operation under way.
pub trait Running {
    /// What it asks for; `None` once it is over.
    fn request(&mut self) -> Option<Request>;
    /// Answers what it asked for last.
    fn answer(&mut self, reply: Reply);
    /// How it ended, if it did.
    fn outcome(&self) -> Outcome;
    /// Changes with everything that it was told.
    fn heard(&self) -> u64;
}

/// An operation that can be started again and again.
pub type Job = Box<dyn Fn() -> Box<dyn Running>>;

/// An operation by its task.
pub fn job<T: Debug + 'static>(task: impl Fn() -> Task<T> + 'static) -> Job {
    Box::new(move || Box::new(Of::new(task())))
}

/// An operation on the session "a", which is opened first.
pub fn open_then<T: Debug + 'static>(
    then: impl Fn(session::Session) -> Task<T> + Clone + 'static,
) -> Job {
    Box::new(move || {
        let first = Of::new(session::open(id("a")));
        Box::new(Opening { first, then: then.clone(), second: None })
    })
}

struct Of<T> {
    task: Task<T>,
    waiting: VecDeque<(RequestId, Request)>,
    outcome: Option<Result<T>>,
    heard: DefaultHasher,
}

impl<T> Of<T> {
    fn new(task: Task<T>) -> Self {
        let mut of =
            Self { task, waiting: VecDeque::new(), outcome: None, heard: DefaultHasher::new() };
        of.go_on();
        of
    }

    fn go_on(&mut self) {
        match self.task.next() {
            Step::Done(result) => self.outcome = Some(result),
            Step::Requests(requests) => self.waiting.extend(requests),
        }
    }
}

impl<T> Running for Of<T> {
    fn request(&mut self) -> Option<Request> {
        self.waiting.front().map(|(_, request)| request.clone())
    }

    fn answer(&mut self, reply: Reply) {
        match &reply {
            Reply::Object(object) => (&object.bytes, &object.info.version).hash(&mut self.heard),
            other => format!("{other:?}").hash(&mut self.heard),
        }
        if let Some((id, _)) = self.waiting.pop_front() {
            self.task.reply(id, reply);
            self.go_on();
        }
    }

    fn outcome(&self) -> Outcome {
        self.outcome.as_ref().map(|outcome| outcome.as_ref().map(|_| ()).map_err(Clone::clone))
    }

    fn heard(&self) -> u64 {
        self.heard.finish()
    }
}

struct Opening<T, F> {
    first: Of<session::Session>,
    then: F,
    second: Option<Of<T>>,
}

impl<T, F: Fn(session::Session) -> Task<T>> Running for Opening<T, F> {
    fn request(&mut self) -> Option<Request> {
        if let (None, Some(Ok(opened))) = (&self.second, &self.first.outcome) {
            self.second = Some(Of::new((self.then)(opened.clone())));
        }
        match &mut self.second {
            Some(second) => second.request(),
            None => self.first.request(),
        }
    }

    fn answer(&mut self, reply: Reply) {
        match &mut self.second {
            Some(second) => second.answer(reply),
            None => self.first.answer(reply),
        }
    }

    fn outcome(&self) -> Outcome {
        match (&self.second, &self.first.outcome) {
            (Some(second), _) => second.outcome(),
            (None, Some(Err(error))) => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn heard(&self) -> u64 {
        self.first.heard() ^ self.second.as_ref().map_or(0, Of::heard).rotate_left(1)
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
