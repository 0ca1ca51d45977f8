//! What is busy in a runtime, and waiting until nothing is.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use turnkeep_core::Result;
use turnkeep_core::session::runtime::{Idle, IdleStep};

use crate::file::guard;

/// Something besides sessions that can be busy: terminals, jobs, timers.
pub trait Probe: Send + Sync {
    /// The names of what is busy just now; none where nothing is. What cannot tell is busy.
    fn busy(&self) -> Vec<String>;
}

impl<F: Fn() -> Vec<String> + Send + Sync> Probe for F {
    fn busy(&self) -> Vec<String> {
        self()
    }
}

/// How to wait until nothing is busy.
#[derive(Debug, Clone, Copy)]
pub struct Wait<'a> {
    timeout: Option<Duration>,
    except: Option<&'a Run>,
}

impl Default for Wait<'_> {
    /// For at most 30 seconds.
    fn default() -> Self {
        Self::at_most(Duration::from_secs(30))
    }
}

impl Wait<'_> {
    /// For at most that long.
    #[must_use]
    pub fn at_most(timeout: Duration) -> Self {
        Self { timeout: Some(timeout), except: None }
    }

    /// For ever.
    #[must_use]
    pub fn for_ever() -> Self {
        Self { timeout: None, except: None }
    }

    /// The same, whether or not that run is over: the caller's own, so that an agent's tool can take
    /// a snapshot.
    #[must_use]
    pub fn except(self, run: &Run) -> Wait<'_> {
        Wait { timeout: self.timeout, except: Some(run) }
    }
}

/// Someone's turn: its session is busy until this is dropped.
#[derive(Debug)]
#[must_use = "the session is busy for as long as the run is kept"]
pub struct Run {
    runs: Arc<Runs>,
    number: u64,
}

impl Drop for Run {
    fn drop(&mut self) {
        guard(&self.runs.state).open.retain(|(number, _)| *number != self.number);
        self.runs.changed.notify_all();
    }
}

/// The runs of a runtime.
#[derive(Default)]
pub(super) struct Runs {
    state: Mutex<State>,
    changed: Condvar,
    probes: Mutex<Vec<Arc<dyn Probe>>>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    open: Vec<(u64, String)>,
    /// Who quiesces lets new runs wait.
    is_held: bool,
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Runs {
    pub(super) fn watch(&self, probe: Arc<dyn Probe>) {
        guard(&self.probes).push(probe);
    }

    pub(super) fn changed(&self) {
        let _state = guard(&self.state);
        self.changed.notify_all();
    }

    pub(super) fn start(self: &Arc<Self>, name: &str) -> Run {
        let mut state = guard(&self.state);
        while state.is_held {
            state = self.changed.wait(state).unwrap_or_else(|error| error.into_inner());
        }
        state.last += 1;
        let number = state.last;
        state.open.push((number, name.to_owned()));
        Run { runs: self.clone(), number }
    }

    pub(super) fn await_idle(&self, wait: Wait<'_>) -> Result<()> {
        self.wait_for(wait, false)
    }

    /// Waits until nothing is busy, and lets new runs wait from that moment on.
    pub(super) fn hold(&self, wait: Wait<'_>) -> Result<Held<'_>> {
        self.wait_for(wait, true)?;
        Ok(Held(self))
    }

    fn wait_for(&self, wait: Wait<'_>, holds: bool) -> Result<()> {
        let since = Instant::now();
        let now_ms = || u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let timeout = wait.timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let mut idle = Idle::new(0, timeout);
        loop {
            // Probes may take their time: no lock is held meanwhile.
            let probed = self.probed();
            let mut state = guard(&self.state);
            let except = wait.except.filter(|run| std::ptr::eq(&*run.runs, self));
            let mut busy = state.busy(except);
            busy.extend(probed);
            match idle.look(now_ms(), &busy) {
                IdleStep::Idle => {
                    state.is_held |= holds;
                    return Ok(());
                }
                IdleStep::TimedOut(error) => return Err(error),
                IdleStep::Wait { ms } => {
                    let waited = self.changed.wait_timeout(state, Duration::from_millis(ms));
                    drop(waited);
                }
            }
        }
    }

    fn probed(&self) -> Vec<String> {
        let probes = guard(&self.probes).clone();
        probes.iter().flat_map(|probe| probe.busy()).collect()
    }
}

impl State {
    fn busy(&self, except: Option<&Run>) -> Vec<String> {
        let is_counted = |number: u64| except.is_none_or(|run| run.number != number);
        let open = self.open.iter().filter(|(number, _)| is_counted(*number));
        let mut busy: Vec<_> = open.map(|(_, name)| format!("session {name}")).collect();
        if self.is_held {
            busy.push("another snapshot or restoring".into());
        }
        busy
    }
}

/// New runs wait until this is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a Runs);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        guard(&self.0.state).is_held = false;
        self.0.changed.notify_all();
    }
}
