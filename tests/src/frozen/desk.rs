//! A host whose time and chance are always the same.

use std::cell::Cell;
use std::fmt::Debug;

use turnkeep::core::store::{CacheRequest, Reply, Request};
use turnkeep::core::task::{Step, Task};
use turnkeep::{Cache, MemoryCache, MemoryStore, Store};

use super::Files;
use crate::build::TS;
use crate::retention::{Host, Place};
use crate::tiers::World;

const SECOND_MS: u64 = 1000;

/// Two stores, a place for bundles, and a cache. Each operation is a second after the one before it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) world: World,
    pub(super) bundles: MemoryStore,
    pub(super) cache: MemoryCache,
    /// How many keys of the cache were told.
    told: Cell<usize>,
}

impl Default for Desk {
    /// In the past of whoever reads this: some of what is written tells how old it is.
    fn default() -> Self {
        let (bundles, cache, told) = Default::default();
        Self { world: World::at(TS), bundles, cache, told }
    }
}

impl Desk {
    /// Carries out an operation on the hot store alone.
    pub(super) fn run<T: Debug>(&self, task: Task<T>) -> T {
        self.run_until(task, || false).expect("nobody stops it")
    }

    /// Carries out an operation on both stores.
    pub(super) fn run_tiered<T: Debug>(&self, task: Task<T>) -> T {
        self.run(task.with_cold_store())
    }

    /// The same as [`Self::run`]; the host is gone as soon as `is_over`.
    pub(super) fn run_until<T: Debug>(
        &self,
        mut task: Task<T>,
        is_over: impl Fn() -> bool,
    ) -> Option<T> {
        self.world.wait(SECOND_MS);
        let host = self.world.host();
        loop {
            let requests = match task.next() {
                Step::Done(result) => return Some(result.expect("the operation succeeds")),
                Step::Requests(requests) => requests,
            };
            for (id, request) in requests {
                task.reply(id, self.answer(&host, request));
                if is_over() {
                    return None;
                }
            }
        }
    }

    fn answer(&self, host: &Host<'_>, request: Request) -> Reply {
        match request {
            Request::Bundle(request) => {
                let now_ms = self.world.now_ms();
                Host::new(&self.bundles, now_ms, now_ms).perform(&request)
            }
            Request::Cache(request) => self.ask_cache(request),
            request => host.perform(&request),
        }
    }

    fn ask_cache(&self, request: CacheRequest) -> Reply {
        match request {
            CacheRequest::Keys { limit } => {
                let keys = self.cache.list().expect("keys").skip(self.told.get());
                let keys: Vec<String> = keys.take(limit as usize).map(Result::unwrap).collect();
                self.told.set(self.told.get() + keys.len());
                Reply::Keys(keys)
            }
            CacheRequest::Get { keys } => Reply::Values(
                keys.iter().map(|key| self.cache.get(key).expect("a value")).collect(),
            ),
            unknown => panic!("no request known here: {unknown:?}"),
        }
    }
}

/// Everything that a store holds.
pub(super) fn objects(store: &dyn Store) -> Files {
    let (mut files, mut after) = (Files::new(), None);
    loop {
        let page = store.list("", after.as_ref(), 100).expect("a listing");
        for (key, _) in &page.objects {
            let object = store.get(key, None).expect("an object");
            files.insert(key.to_string(), object.bytes);
        }
        after = page.objects.last().map(|(key, _)| key.clone());
        if !page.more {
            return files;
        }
    }
}
