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

impl<T> Working<T> {
    /// Of something that is known already.
    pub(crate) fn done(result: T) -> Self {
        Self(Arc::new(Mutex::new(Some(result))))
    }
}

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
