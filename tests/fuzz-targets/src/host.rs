//! A host for tasks: stores in memory, time and chance that are the same every time.

use std::sync::Arc;

use turnkeep::{MemoryStore, Store};
use turnkeep_core::log::Stamp;
use turnkeep_core::store::{CacheRequest, Condition, Key, Reply, Request};
use turnkeep_core::task::{Step, Task};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::mutate::Random;

/// The time when everything here happens: 2025-10-09.
pub const NOW_MS: u64 = 1_760_000_000_000;
/// No operation here needs as many requests.
const REQUESTS_MAX: u32 = 20_000;

/// A hot store, a cold one behind it, and where a bundle lies.
#[derive(Debug)]
pub struct Host {
    /// What happens now.
    pub hot: MemoryStore,
    /// What happened.
    pub cold: MemoryStore,
    /// Where a bundle lies.
    pub bundle: MemoryStore,
    chance: Random,
    now_ms: u64,
}

impl Default for Host {
    fn default() -> Self {
        Self::of(std::array::from_fn(|_| MemoryStore::new()))
    }
}

impl Host {
    /// A host of these stores: hot, cold, and for bundles.
    #[must_use]
    pub fn of([hot, cold, bundle]: [MemoryStore; 3]) -> Self {
        Self { hot, cold, bundle, chance: Random::new(7), now_ms: NOW_MS }
    }

    /// Carries out an operation to its end, as it asks.
    ///
    /// # Errors
    ///
    /// As the operation.
    ///
    /// # Panics
    ///
    /// Where it does not end.
    pub fn run<T>(&mut self, task: Task<T>) -> Result<T> {
        run(task.with_cold_store(), |request| self.answer(request))
    }

    /// The same, which must succeed.
    ///
    /// # Panics
    ///
    /// Where it fails.
    pub fn done<T>(&mut self, task: Task<T>) -> T {
        self.run(task).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Carries out a request.
    pub fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Stamp { random_bytes } => {
                self.now_ms += 1;
                let random = (0..random_bytes).map(|_| self.chance.number().to_le_bytes()[0]);
                Reply::Stamp(Stamp { now_ms: self.now_ms, random: random.collect() })
            }
            Request::Cache(CacheRequest::Keys { .. }) => Reply::Keys(Vec::new()),
            Request::Cache(CacheRequest::Put { .. }) => Reply::Done,
            Request::Cold(request) => perform(*request, &self.cold),
            Request::Bundle(request) => perform(*request, &self.bundle),
            request => perform(request, &self.hot),
        }
    }
}

/// Drives a task with that host, which answers everything.
///
/// # Errors
///
/// As the task.
///
/// # Panics
///
/// Where the task does not end.
pub fn run<T>(mut task: Task<T>, mut answer: impl FnMut(Request) -> Reply) -> Result<T> {
    let mut asked = 0;
    loop {
        match task.next() {
            Step::Done(result) => return result,
            Step::Requests(requests) => {
                assert!(!requests.is_empty(), "it waits for nothing");
                for (id, request) in requests {
                    asked += 1;
                    assert!(asked < REQUESTS_MAX, "it asks for ever: {request:?}");
                    let reply = answer(request);
                    task.reply(id, reply.clone());
                    // One that comes twice does no harm.
                    task.reply(id, reply);
                }
            }
        }
    }
}

fn perform(request: Request, store: &MemoryStore) -> Reply {
    let answer = match request {
        Request::Get { key, range } => store.get(&key, range).map(Reply::Object),
        Request::Put { key, bytes, condition } => {
            store.put(&key, &bytes, &condition).map(Reply::Info)
        }
        Request::Append { key, bytes, after, durability } => {
            store.append(&key, &bytes, &after, durability).map(Reply::Info)
        }
        Request::Sync { key } => store.sync(&key).map(|()| Reply::Done),
        Request::Holder { key } => store.holder(&key).map(Reply::Holder),
        Request::Delete { key, condition } => store.delete(&key, &condition).map(|()| Reply::Done),
        Request::List { prefix, after, limit } => {
            store.list(&prefix, after.as_ref(), limit).map(Reply::Listing)
        }
        Request::Info { key } => store.info(&key).map(Reply::Info),
        Request::Stage { key } => store.stage(&key).map(Reply::Stage),
        Request::StagePart { stage, number, bytes } => {
            store.stage_part(&stage, number, &bytes).map(|()| Reply::Done)
        }
        Request::GetStaged { stage, range } => store.get_staged(&stage, range).map(Reply::Object),
        Request::Commit { stage, condition } => store.commit(&stage, &condition).map(Reply::Info),
        Request::Abort { stage } => store.abort(&stage).map(|()| Reply::Done),
        _ => Err(Error::new(ErrorKind::NotSupported, "a request this host does not know")),
    };
    answer.unwrap_or_else(Reply::Failed)
}

/// What a store holds, in the order of its keys.
pub type Contents = Arc<Vec<(Key, Vec<u8>)>>;

/// Everything in a store.
///
/// # Panics
///
/// Never: a store in memory does not fail.
#[must_use]
pub fn contents(store: &MemoryStore) -> Contents {
    let listing = store.list("", None, u32::MAX).expect("a listing");
    let keys = listing.objects.into_iter().map(|(key, _)| key);
    let read = |key: Key| {
        let bytes = store.get(&key, None).expect("an object").bytes;
        (key, bytes)
    };
    Arc::new(keys.map(read).collect())
}

/// A store that holds that.
///
/// # Panics
///
/// Never: a store in memory does not fail.
#[must_use]
pub fn store_of(contents: &Contents) -> MemoryStore {
    let store = MemoryStore::new();
    for (key, bytes) in contents.iter() {
        store.put(key, bytes, &Condition::Any).expect("a put");
    }
    store
}
