//! Threads that do the work a task gives away.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use turnkeep_core::task::Work;

/// Most threads of one task, the driving one included.
const THREADS_MAX: usize = 4;

/// The helpers of one task. The first starts with the first work; all end when this is dropped.
pub(crate) struct Helpers(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There is work for helpers, or nothing more to come.
    given: Condvar,
    /// A work has ended.
    ended: Condvar,
}

struct State {
    waiting: VecDeque<Work>,
    threads: Vec<JoinHandle<()>>,
    threads_max: usize,
    /// How many threads do nothing.
    idle: usize,
    /// How many works have ended.
    ended: u64,
    /// Of a work that panicked.
    panic: Option<Box<dyn Any + Send>>,
    is_over: bool,
}

impl Helpers {
    pub(crate) fn new(threads_max: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            threads: Vec::new(),
            threads_max,
            idle: 0,
            ended: 0,
            panic: None,
            is_over: false,
        };
        let (given, ended) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { state: Mutex::new(state), given, ended }))
    }

    /// Takes work for them.
    pub(crate) fn share(&self) -> impl FnMut(Work) + Send + use<> {
        let shared = Arc::clone(&self.0);
        move |work| {
            let mut state = shared.state();
            state.waiting.push_back(work);
            if state.idle < state.waiting.len() && state.threads.len() < state.threads_max {
                let helped = Arc::clone(&shared);
                // Without a thread the driving one does it.
                let thread = thread::Builder::new().spawn(move || helped.help()).ok();
                state.threads.extend(thread);
            }
            drop(state);
            shared.given.notify_one();
        }
    }

    /// How many works have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.0.state().ended
    }

    /// Does a work that waits, or waits until more than that many have ended.
    pub(crate) fn help_or_wait(&self, ended: u64) {
        let mut state = self.0.state();
        if let Some(work) = state.waiting.pop_front() {
            drop(state);
            self.0.run(work);
            return;
        }
        while state.ended == ended {
            state = self.0.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Goes on with the panic of a work, where one panicked.
    pub(crate) fn resume_panic(&self) {
        let panic = self.0.state().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_over = true;
        state.waiting.clear();
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.0.given.notify_all();
        // A helper catches what its work panics with.
        threads.into_iter().for_each(|thread| _ = thread.join());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn help(&self) {
        while let Some(work) = self.next() {
            self.run(work);
        }
    }

    /// Where it panics, the operation fails, and has its chance to clean up; then the driver panics.
    fn run(&self, work: Work) {
        let panic = catch_unwind(AssertUnwindSafe(|| work.run())).err();
        let mut state = self.state();
        state.ended += 1;
        state.panic = state.panic.take().or(panic);
        drop(state);
        self.ended.notify_one();
    }

    /// Waits for work; `None` once there is nothing more to come.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(work) = state.waiting.pop_front() {
                return Some(work);
            }
            state.idle += 1;
            state = self.given.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// How many threads may help a driving one on this machine.
pub(crate) fn helpers_max() -> usize {
    static HELPERS_MAX: OnceLock<usize> = OnceLock::new();
    *HELPERS_MAX
        .get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX) - 1)
}
