//! Syncs that several writers share.

use std::io;
use std::sync::{Condvar, Mutex};

use super::guard;

/// The syncs of one file. Whoever comes first runs one, which covers all that was written before it
/// started; those who come while it runs share the next one.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Syncs started so far, and the last of them that ended well.
    started: u64,
    succeeded: u64,
    is_running: bool,
    /// Why nothing may be written any more.
    failure: Option<String>,
}

impl Syncs {
    /// Returns when a sync that started after this call has ended, be it this one's or another's.
    pub(super) fn join(&self, sync: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
        let mut state = guard(&self.state);
        let wanted = state.started + 1;
        while state.is_running && state.succeeded < wanted {
            state = self.ended.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if state.succeeded >= wanted {
            return Ok(());
        }
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        state.started += 1;
        state.is_running = true;
        drop(state);
        let synced = sync();
        let mut state = guard(&self.state);
        state.is_running = false;
        self.ended.notify_all();
        match synced {
            Ok(()) => {
                state.succeeded = state.started;
                Ok(())
            }
            Err(error) => {
                // What the disk holds now is unknown, and a second sync may lie.
                let failure = format!("cannot sync: {error}");
                state.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Lets nothing be written any more.
    pub(super) fn poison(&self, why: String) {
        guard(&self.state).failure = Some(why);
    }

    /// Why nothing may be written any more.
    pub(super) fn failure(&self) -> Option<String> {
        guard(&self.state).failure.clone()
    }

    #[cfg(test)]
    pub(super) fn started(&self) -> u64 {
        guard(&self.state).started
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    const THREADS: u64 = 16;
    const ROUNDS: u64 = 50;

    /// Every write gets a number; a sync covers those that were there when it started.
    #[test]
    fn nobody_returns_before_a_sync_that_started_after_its_write() {
        let syncs = Syncs::default();
        let (written, covered) = (AtomicU64::new(0), AtomicU64::new(0));
        let sync = || {
            let seen = written.load(Ordering::SeqCst);
            thread::sleep(Duration::from_micros(500));
            covered.fetch_max(seen, Ordering::SeqCst);
            Ok(())
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let mine = written.fetch_add(1, Ordering::SeqCst) + 1;
                        syncs.join(sync).expect("a sync");
                        assert!(covered.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
        let (started, calls) = (syncs.started(), THREADS * ROUNDS);
        println!("{calls} calls, {started} syncs");
        assert!(started >= ROUNDS && started <= calls / 3, "{started} syncs for {calls} calls");
    }

    #[test]
    fn one_alone_syncs_each_time() {
        let syncs = Syncs::default();
        for round in 1..=3 {
            syncs.join(|| Ok(())).expect("a sync");
            assert_eq!(syncs.started(), round);
        }
    }

    /// Those who wait for the next sync fail too: none is tried after one that failed.
    #[test]
    fn a_failed_sync_fails_everyone_from_then_on() {
        let syncs = Syncs::default();
        let fail = || {
            thread::sleep(Duration::from_millis(50));
            Err(io::Error::other("as the test wants it"))
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(syncs.join(fail).is_err()));
            }
        });
        assert_eq!(syncs.started(), 1);
        assert!(syncs.join(|| Ok(())).is_err());
        assert!(syncs.failure().is_some());
    }
}
