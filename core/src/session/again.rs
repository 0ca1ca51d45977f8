//! Doing again what others got in the way of. Nothing is locked, so now and then two hosts meet.

use crate::{Error, ErrorKind, Result};

/// How often something is done that others get in the way of.
pub(super) const TRIES: u32 = 4;

/// Does something again, while it fails in such a way, [`TRIES`] times in all.
pub(super) async fn again<T, F: Future<Output = Result<T>>>(
    is_such: impl Fn(&Error) -> bool,
    once: impl Fn() -> F,
) -> Result<T> {
    let mut tries = 1;
    loop {
        match once().await {
            Err(error) if is_such(&error) && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

/// How often the loops of one operation go round, all together: more often than [`TRIES`], where to
/// give up would leave it half done.
pub(super) struct Tries(u32);

impl Default for Tries {
    fn default() -> Self {
        Self(32)
    }
}

impl Tries {
    /// Whether it may be done once more.
    pub(super) fn next(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// What is heard of a session that is archived or restored just now.
pub(super) fn is_moving(error: &Error) -> bool {
    let key = error.place().key.as_ref();
    match error.kind() {
        ErrorKind::Conflict => true,
        ErrorKind::NotFound => key.is_some(),
        ErrorKind::BrokenLink => key.is_some_and(|key| key.ends_with(".jsonl")),
        _ => false,
    }
}

/// The same, where nobody wrote to it: with another head it is not to be done again.
pub(super) fn is_only_moving(error: &Error) -> bool {
    is_moving(error) && error.actual().is_none()
}

/// What a change says where others moved the session between two looks at it.
pub(super) fn moved_by_others(error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound && is_moving(&error) {
        let message = "someone else archived, restored or removed the session meanwhile";
        return Error::new(ErrorKind::Conflict, message).retryable();
    }
    error
}

/// What is heard where others wrote an object first.
pub(super) fn is_raced(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists)
}

/// The same, or where they removed it.
pub(super) fn is_overtaken(error: &Error) -> bool {
    is_raced(error) || error.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::future::ready;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use super::*;

    /// What comes of that many failures of that kind, and how often it was done.
    fn done(failures: u32, kind: ErrorKind) -> (Result<u32>, u32) {
        let count = Cell::new(0);
        let once = || {
            count.set(count.get() + 1);
            ready(if count.get() <= failures { Err(Error::new(kind, "")) } else { Ok(count.get()) })
        };
        let done = pin!(again(is_raced, once));
        let Poll::Ready(done) = done.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it waits for nothing")
        };
        (done, count.get())
    }

    #[test]
    fn what_others_get_in_the_way_of_is_done_four_times_and_then_told() {
        assert_eq!(done(3, ErrorKind::Conflict).0.unwrap(), 4);
        let (told, count) = done(9, ErrorKind::Conflict);
        assert_eq!((told.unwrap_err().kind(), count), (ErrorKind::Conflict, 4));
    }

    #[test]
    fn what_fails_otherwise_is_told_at_once() {
        let (told, count) = done(1, ErrorKind::StoreFailed);
        assert_eq!((told.unwrap_err().kind(), count), (ErrorKind::StoreFailed, 1));
    }
}
