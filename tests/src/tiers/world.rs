//! A hot store, a cold one, and the time.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use turnkeep::core::store::Request;
use turnkeep::core::task::{Step, Task};
use turnkeep::{Error, Result, Tier};

use super::dated::Dated;
use crate::retention::{Clock, Host, NOW_MS, Place, hash};

/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 3_600_000;

/// Two stores by one clock.
#[derive(Debug)]
pub struct World {
    /// What happens now.
    pub hot: Arc<Dated>,
    /// What happened.
    pub cold: Arc<Dated>,
    /// Both.
    pub tier: Arc<Tier>,
    clock: Clock,
    /// How many hosts there were: each has other random numbers.
    hosts: Cell<u64>,
}

impl Default for World {
    fn default() -> Self {
        Self::at(NOW_MS)
    }
}

impl World {
    /// Two empty stores at that time.
    #[must_use]
    pub fn at(now_ms: u64) -> Self {
        let clock = Clock::new(now_ms.into());
        Self::of(Dated::new(&clock), Dated::new(&clock), clock, 1)
    }

    fn of(hot: Dated, cold: Dated, clock: Clock, hosts: u64) -> Self {
        let (hot, cold) = (Arc::new(hot), Arc::new(cold));
        let tier = Tier::open_reading(hot.clone(), cold.clone());
        Self { hot, cold, tier, clock, hosts: Cell::new(hosts) }
    }

    /// The same world, from where it goes on by itself.
    #[must_use]
    pub fn copy(&self) -> Self {
        let clock = Clock::new(self.now_ms().into());
        let (hot, cold) = (self.hot.copy(&clock), self.cold.copy(&clock));
        Self::of(hot, cold, clock, self.hosts.get() + 1000)
    }

    /// The time.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Lets some time pass.
    pub fn wait(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// Carries out an operation to its end.
    ///
    /// # Errors
    ///
    /// As the operation.
    pub fn run<T: Debug>(&self, task: Task<T>) -> Result<T> {
        let host = self.host();
        let mut task = task.with_cold_store();
        loop {
            match task.next() {
                Step::Done(result) => return result,
                Step::Requests(requests) => {
                    for (id, request) in requests {
                        task.reply(id, host.perform(&request));
                    }
                }
            }
        }
    }

    /// The same; a failure fails the test.
    ///
    /// # Panics
    ///
    /// Where the operation fails.
    pub fn done<T: Debug>(&self, task: Task<T>) -> T {
        self.run(task).unwrap_or_else(|error| panic!("{error}: {:?}", error.place()))
    }
}

impl Place for World {
    fn host(&self) -> Host<'_> {
        self.hosts.set(self.hosts.get() + 1);
        Host::by(&*self.tier, &self.clock, self.hosts.get())
    }

    fn state(&self) -> u64 {
        hash(&(self.hot.state_hash(), self.cold.state_hash()))
    }

    fn contents(&self) -> u64 {
        hash(&(self.hot.bytes_hash(), self.cold.bytes_hash()))
    }
}

/// Whether a request is for the cold store.
#[must_use]
pub fn is_cold(request: &Request) -> bool {
    matches!(request, Request::Cold(_))
}

/// A failure whose reason the store does not know.
#[must_use]
pub fn lost() -> Error {
    Error::new(turnkeep::ErrorKind::StoreFailed, "as the test wants it").retryable()
}
