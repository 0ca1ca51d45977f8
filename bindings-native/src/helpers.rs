//! Threads that do the work a task gives away.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

/// Most threads of one task, the driving one included.
const THREADS_MAX: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

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
    waiting: VecDeque<Job>,
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
    pub(crate) fn share(&self) -> impl FnMut(Job) + Send + use<> {
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
    fn run(&self, work: Job) {
        let panic = catch_unwind(AssertUnwindSafe(work)).err();
        let mut state = self.state();
        state.ended += 1;
        state.panic = state.panic.take().or(panic);
        drop(state);
        self.ended.notify_one();
    }

    /// Waits for work; `None` once there is nothing more to come.
    fn next(&self) -> Option<Job> {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn finish(helpers: &Helpers, jobs: u64) {
        loop {
            let ended = helpers.ended();
            if ended == jobs {
                return;
            }
            helpers.help_or_wait(ended);
        }
    }

    #[test]
    fn all_work_is_done_with_any_number_of_helpers() {
        for threads_max in 0..4 {
            let helpers = Helpers::new(threads_max);
            let mut share = helpers.share();
            let done = Arc::new(AtomicUsize::new(0));
            for _ in 0..100 {
                let done = Arc::clone(&done);
                share(Box::new(move || _ = done.fetch_add(1, Ordering::Relaxed)));
            }
            finish(&helpers, 100);
            assert_eq!(done.load(Ordering::Relaxed), 100);
            assert!(helpers.0.state().threads.len() <= threads_max);
        }
    }

    #[test]
    fn a_panic_in_work_reaches_the_driver_and_nothing_hangs() {
        for threads_max in 0..4 {
            let helpers = Helpers::new(threads_max);
            let mut share = helpers.share();
            for number in 0..8 {
                share(Box::new(move || assert_ne!(number, 3, "a panic on purpose")));
            }
            finish(&helpers, 8);
            assert!(catch_unwind(AssertUnwindSafe(|| helpers.resume_panic())).is_err());
        }
    }

    #[test]
    fn work_that_nobody_waits_for_ends_with_the_task() {
        let helpers = Helpers::new(1);
        let mut share = helpers.share();
        for _ in 0..8 {
            share(Box::new(|| thread::sleep(std::time::Duration::from_millis(1))));
        }
        let shared = Arc::downgrade(&helpers.0);
        drop((helpers, share));
        assert_eq!(shared.strong_count(), 0);
    }
}
