//! Keeping a store small: what is idle is archived, what is oldest is pruned, by a policy, once or
//! again and again. Nothing of this runs unless asked.
//!
//! ```
//! use turnkeep::MemoryStore;
//! use turnkeep::retention::{self, Policy};
//! let store = MemoryStore::new();
//! let week_ms = 7 * 24 * 3600 * 1000;
//! let policy = Policy::default().inactive_for(week_ms).at_most(2 << 30).keeping(["pinned".into()]);
//! let sweep = retention::sweep(&store, policy.dry_run())?;
//! for swept in &sweep.sessions {
//!     println!("{}: {:?}", swept.id, swept.outcome);
//! }
//! assert_eq!((sweep.archived, sweep.pruned), (0, 0));
//! # Ok::<_, turnkeep::Error>(())
//! ```

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use turnkeep_core::session;
pub use turnkeep_core::session::{
    Outcome, Policy, Pruned, Reason, Retention, SessionUsage, StoreUsage, Sweep, Swept, UsedBytes,
};
use turnkeep_core::task::Stopper;
use turnkeep_core::{Result, SessionId};

use crate::file::guard;
use crate::{Store, drive};

/// How long a sweeper waits after a failure before it looks again.
const RETRY: Duration = Duration::from_secs(60);

/// Archives the sessions of a store that are idle, then prunes the longest unused archives until
/// they fit. `locked` where another sweep is under way.
pub fn sweep(store: &dyn Store, policy: Policy) -> Result<Sweep> {
    drive(session::sweep(policy), store)
}

/// Removes an archived session and leaves a tombstone: whoever looks for it hears `pruned`, with
/// time and reason.
pub fn prune(store: &dyn Store, id: &SessionId, reason: &str) -> Result<Retention> {
    drive(session::prune(id.clone(), reason), store)
}

/// The room that every session of a store takes, and how much of it is in logs that were not
/// written to for that long.
pub fn usage(store: &dyn Store, inactive: Duration) -> Result<StoreUsage> {
    drive(session::usage(milliseconds(inactive)), store)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Sweeps a store again and again, on a thread of its own, until it is stopped or dropped. Any number
/// of processes may do so: one sweeps at a time, and each only when the last sweep, whosever it was,
/// is long enough ago. The first one starts at once where it is due.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use turnkeep::MemoryStore;
/// use turnkeep::retention::{Policy, Sweeper};
/// let store = Arc::new(MemoryStore::new());
/// let sweeper = Sweeper::start(store, Policy::default(), Duration::from_secs(3600), |sweep| {
///     match sweep {
///         Ok(sweep) => println!("{} archived, {} pruned", sweep.archived, sweep.pruned),
///         Err(error) => eprintln!("{error}"),
///     }
/// })?;
/// sweeper.stop();
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Sweeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopped: bool,
    /// Of the sweep under way.
    stopper: Option<Stopper>,
}

impl Sweeper {
    /// Starts; `told` hears what each sweep did, or why it failed. Fails where there is no thread.
    pub fn start(
        store: Arc<dyn Store>,
        policy: Policy,
        every: Duration,
        mut told: impl FnMut(Result<Sweep>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let sweeping = shared.clone();
        let run = move || {
            loop {
                let task = session::sweep_if_due(policy.clone(), milliseconds(every));
                if !sweeping.begin(task.stopper()) {
                    return;
                }
                let wait = match drive(task, &*store) {
                    Ok(scheduled) => {
                        scheduled.sweep.into_iter().for_each(|sweep| told(Ok(sweep)));
                        Duration::from_millis(scheduled.wait_ms)
                    }
                    Err(error) => {
                        told(Err(error));
                        every.min(RETRY)
                    }
                };
                if !sweeping.wait(wait) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("turnkeep sweeper".into()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Ends it, once the session it is at is done.
    pub fn stop(self) {}
}

impl Shared {
    /// Whether a sweep may begin.
    fn begin(&self, stopper: Stopper) -> bool {
        let mut state = guard(&self.state);
        state.stopper = Some(stopper);
        !state.is_stopped
    }

    /// Waits that long; false where it was stopped.
    fn wait(&self, wait: Duration) -> bool {
        let state = guard(&self.state);
        let waited = self.stopped.wait_timeout_while(state, wait, |state| !state.is_stopped);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_stopped
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        {
            let mut state = guard(&self.shared.state);
            state.is_stopped = true;
            state.stopper.iter().for_each(Stopper::stop);
        }
        self.shared.stopped.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
