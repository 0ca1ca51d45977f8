//! What went wrong, and whether it may pass.

use redis::{ErrorKind as RedisKind, RedisError, ServerErrorKind};
use turnkeep_core::{Error, ErrorKind};

/// A failed command.
#[derive(Debug)]
pub(super) struct Failure {
    text: String,
    may_pass: bool,
}

/// Answers that say what Redis cannot do right now.
const PASSING: [&str; 10] = [
    "LOADING",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "READONLY",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "MOVED",
];

impl Failure {
    pub(super) fn new(error: &RedisError) -> Self {
        let may_pass = match error.code() {
            Some(code) => PASSING.contains(&code) || code == "ASK",
            None => is_broken(error),
        };
        Self { text: format!("Redis: {error}"), may_pass }
    }

    /// Redis answered what it never should.
    pub(super) fn strange(text: &str) -> Self {
        Self { text: format!("Redis: {text}"), may_pass: false }
    }

    pub(super) fn into_error(self) -> Error {
        let error = Error::new(ErrorKind::StoreFailed, self.text);
        if self.may_pass { error.retryable() } else { error }
    }
}

/// Whether there is no saying what is on the connection's other end any more.
pub(super) fn is_broken(error: &RedisError) -> bool {
    matches!(error.kind(), RedisKind::Io | RedisKind::Parse | RedisKind::ClusterConnectionNotFound)
}

pub(super) fn is(error: &RedisError, kind: ServerErrorKind) -> bool {
    error.kind() == RedisKind::Server(kind)
}
