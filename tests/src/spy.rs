//! A store that watches another: counts what it is asked, and fails when told to.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use turnkeep::core::store::{After, Condition, Info, Listing, Object, StageId};
use turnkeep::{Capabilities, Durability, Error, ErrorKind, Holder, Key, Result, Store};

/// Watches a store.
#[derive(Debug)]
pub struct Spy<S> {
    /// The store that is watched.
    pub store: S,
    seen: Mutex<Seen>,
    meddling: Mutex<Meddling>,
}

/// What happens before some request, and before which.
#[derive(Default)]
struct Meddling(Option<(Before, Box<dyn FnOnce() + Send>)>);

/// A request before which something happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    NextPut,
    /// That many are passed over.
    Request(u64),
}

impl std::fmt::Debug for Meddling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Meddling").field(&self.0.is_some()).finish()
    }
}

/// What a spy has seen since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests of any sort.
    pub requests: u64,
    /// Bytes that came from the store.
    pub bytes_read: u64,
    /// Bytes that went to the store.
    pub bytes_written: u64,
}

#[derive(Debug, Default)]
struct Seen {
    cost: Cost,
    /// The next request to fail, counted from the one after this was set, and how.
    failure: Option<(u64, Failure)>,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done.
    Before,
    /// It was done, and the answer was lost.
    After,
    /// Whoever asks is gone before it is done: this unwinds with [`Gone`].
    Gone,
    /// Whoever asks is gone once it is done.
    GoneAfter,
}

/// What a task that is gone unwinds with.
#[derive(Debug)]
pub struct Gone;

/// Does something that may be [`Gone`] in the middle: `None` where it was.
pub fn until_gone<T>(act: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => Some(done),
        Err(panic) if panic.is::<Gone>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

impl<S: Store> Spy<S> {
    /// Watches that store.
    pub fn new(store: S) -> Self {
        Self { store, seen: Mutex::default(), meddling: Mutex::default() }
    }

    /// What was seen since this was last asked.
    pub fn cost(&self) -> Cost {
        std::mem::take(&mut self.seen().cost)
    }

    /// Lets one request fail, after so many others.
    pub fn fail_after(&self, requests: u64, failure: Failure) {
        self.seen().failure = Some((requests, failure));
    }

    /// Lets nothing fail any more; whether something was still to fail.
    pub fn heal(&self) -> bool {
        self.seen().failure.take().is_some()
    }

    /// Does something just before the next object is written whole.
    pub fn before_next_put(&self, act: impl FnOnce() + Send + 'static) {
        self.meddling().0 = Some((Before::NextPut, Box::new(act)));
    }

    /// Does something just before a request, after so many others.
    pub fn before_request(&self, requests: u64, act: impl FnOnce() + Send + 'static) {
        self.meddling().0 = Some((Before::Request(requests), Box::new(act)));
    }

    /// Does nothing any more; whether something was still to be done.
    pub fn leave_alone(&self) -> bool {
        self.meddling().0.take().is_some()
    }

    fn meddle(&self, before: Before) {
        let act = {
            let mut meddling = self.meddling();
            match &mut meddling.0 {
                Some((Before::Request(left), _)) if *left > 0 => {
                    *left -= u64::from(before != Before::NextPut);
                    None
                }
                Some((wanted, _)) if *wanted == before => meddling.0.take(),
                _ => None,
            }
        };
        if let Some((_, act)) = act {
            act();
        }
    }

    fn meddling(&self) -> MutexGuard<'_, Meddling> {
        self.meddling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch<T>(&self, written: usize, request: impl FnOnce() -> Result<T>) -> Result<T> {
        self.meddle(Before::Request(0));
        let failure = {
            let mut seen = self.seen();
            seen.cost.requests += 1;
            seen.cost.bytes_written += written as u64;
            match seen.failure {
                Some((0, failure)) => {
                    seen.failure = None;
                    Some(failure)
                }
                Some((requests, failure)) => {
                    seen.failure = Some((requests - 1, failure));
                    None
                }
                None => None,
            }
        };
        let lost = || Error::new(ErrorKind::StoreFailed, "as the test wants it").retryable();
        match failure {
            None => request(),
            Some(Failure::Before) => Err(lost()),
            Some(Failure::After) => request().and_then(|_| Err(lost())),
            Some(Failure::Gone) => resume_unwind(Box::new(Gone)),
            Some(Failure::GoneAfter) => {
                request().ok();
                resume_unwind(Box::new(Gone))
            }
        }
    }
}

impl<S: Store> Store for Spy<S> {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn get(&self, key: &Key, range: Option<std::ops::Range<u64>>) -> Result<Object> {
        let object = self.watch(0, || self.store.get(key, range))?;
        self.seen().cost.bytes_read += object.bytes.len() as u64;
        Ok(object)
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        self.meddle(Before::NextPut);
        self.watch(bytes.len(), || self.store.put(key, bytes, condition))
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        self.watch(bytes.len(), || self.store.append(key, bytes, after, durability))
    }

    fn sync(&self, key: &Key) -> Result<()> {
        self.watch(0, || self.store.sync(key))
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>> {
        self.watch(0, || self.store.holder(key))
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        self.watch(0, || self.store.delete(key, condition))
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        self.watch(0, || self.store.list(prefix, after, limit))
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.watch(0, || self.store.info(key))
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        self.watch(0, || self.store.stage(key))
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        self.watch(bytes.len(), || self.store.stage_part(stage, number, bytes))
    }

    fn get_staged(&self, stage: &StageId, range: Option<std::ops::Range<u64>>) -> Result<Object> {
        let object = self.watch(0, || self.store.get_staged(stage, range))?;
        self.seen().cost.bytes_read += object.bytes.len() as u64;
        Ok(object)
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        self.watch(0, || self.store.commit(stage, condition))
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.watch(0, || self.store.abort(stage))
    }

    fn release(&self, key: &Key) {
        self.store.release(key);
    }
}
