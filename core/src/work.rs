//! Pure computation that an operation gives away, so that a host with threads can use them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use spin::Mutex;

use crate::{Error, ErrorKind, Result};

/// A computation that an operation waits for. It owns all it needs: a host may [`run`](Self::run)
/// it on any thread. Its result finds its way by itself; the task is to be called again after it.
pub struct Work(Box<dyn FnOnce() + Send>);

impl Work {
    pub(crate) fn new<T: Send + 'static>(
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> (Self, Working<T>) {
        let working = Working(Arc::default());
        let place = Arc::clone(&working.0);
        let run = move || {
            let result = compute();
            *place.lock() = Some(result);
        };
        (Self(Box::new(run)), working)
    }

    /// Does it. Where it is dropped instead, the operation fails.
    pub fn run(self) {
        (self.0)();
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// Waits for a [`Work`]'s result. Dropping it does no harm: the result is then for nobody.
#[derive(Debug)]
#[must_use]
pub(crate) struct Working<T>(Arc<Mutex<Option<T>>>);

impl<T> Future for Working<T> {
    type Output = Result<T>;

    /// Ready once the work is gone: it ran, or it never will.
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<T>> {
        let lost = || Error::new(ErrorKind::NotSupported, "the host gave up work it had taken");
        match Arc::get_mut(&mut self.0) {
            None => Poll::Pending,
            Some(slot) => Poll::Ready(slot.get_mut().take().ok_or_else(lost)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Io, Step, Task};
    use alloc::vec::Vec;

    type Given = Arc<Mutex<Vec<Work>>>;

    /// A task whose work is kept to be done later.
    fn shared<T>(task: Task<T>) -> (Task<T>, Given) {
        let given = Given::default();
        let taker = Arc::clone(&given);
        (task.sharing_work(move |work| taker.lock().push(work)), given)
    }

    fn three_in_order() -> Task<Vec<u32>> {
        Task::new(async move |io: Io| {
            let working: Vec<_> = (0..3).map(|n| io.work(move || n * 10)).collect();
            let mut results = Vec::new();
            for working in working {
                results.push(working.await?);
            }
            Ok(results)
        })
    }

    #[test]
    fn a_host_that_knows_nothing_of_work_needs_no_more_calls() {
        let Step::Done(results) = three_in_order().next() else { panic!() };
        assert_eq!(results.unwrap(), [0, 10, 20]);
    }

    #[test]
    fn several_works_end_in_any_order() {
        let (mut task, given) = shared(three_in_order());
        for _ in 0..3 {
            let Step::Requests(requests) = task.next() else { panic!() };
            assert!(requests.is_empty());
            let last = given.lock().pop();
            last.unwrap().run();
        }
        let Step::Done(results) = task.next() else { panic!() };
        assert_eq!(results.unwrap(), [0, 10, 20]);
    }

    #[test]
    fn a_result_that_nobody_waits_for_does_no_harm() {
        let (mut task, given) = shared(Task::new(async move |io: Io| {
            drop(io.work(|| 1));
            io.work(|| 2).await
        }));
        assert!(matches!(task.next(), Step::Requests(_)));
        core::mem::take(&mut *given.lock()).into_iter().for_each(Work::run);
        assert!(matches!(task.next(), Step::Done(Ok(2))));
    }

    #[test]
    fn lost_work_is_an_error_and_lost_tasks_are_none() {
        let (mut task, given) = shared(three_in_order());
        assert!(matches!(task.next(), Step::Requests(_)));
        let works = core::mem::take(&mut *given.lock());
        drop(works);
        assert!(matches!(task.next(), Step::Done(Err(_))));

        let (mut task, given) = shared(three_in_order());
        assert!(matches!(task.next(), Step::Requests(_)));
        drop(task);
        core::mem::take(&mut *given.lock()).into_iter().for_each(Work::run);
    }
}
