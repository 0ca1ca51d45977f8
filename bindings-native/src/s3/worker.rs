//! A thread that does what is asynchronous, for callers that wait.

use std::future::Future;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};
use turnkeep_core::{Error, ErrorKind, Result};

/// A runtime of its own: a caller may be in another one, whose threads must not enter a second.
pub(super) struct Worker(Option<Runtime>);

impl Worker {
    pub(super) fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("turnkeep-s3")
            .enable_all()
            .build();
        let failed = |error| {
            Error::new(ErrorKind::StoreFailed, format!("no thread for S3: {error}")).retryable()
        };
        runtime.map(|runtime| Self(Some(runtime))).map_err(failed)
    }

    /// Does it there, and waits for it here.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let ended = || Error::new(ErrorKind::StoreFailed, "the thread for S3 ended");
        let runtime = self.0.as_ref().ok_or_else(ended)?;
        runtime.spawn(async move {
            // Nobody waits any more only where the caller's thread is gone.
            let _ = sender.send(work.await);
        });
        receiver.recv().map_err(|_| ended())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Waiting for its end is forbidden in another runtime's threads.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
