//! What a store in Redis is told.

use std::time::Duration;

use turnkeep_core::{Error, ErrorKind, Result};

/// Under which names objects lie in Redis, and for how long.
///
/// ```
/// use turnkeep::RedisOptions;
/// let mut options = RedisOptions::default();
/// options.ttl = None;
/// assert_eq!(options.prefix, "turnkeep");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// What all names start with. Stores of different prefixes do not see each other.
    pub prefix: String,
    /// How long after its last write a session is kept, all of it together; absent: for ever.
    pub ttl: Option<Duration>,
    /// `ttl` is for new sessions only: one that is there keeps the time it has left, or stays for ever.
    pub leaves_expiry: bool,
    /// How long Redis may take to answer.
    pub timeout: Duration,
}

impl Default for RedisOptions {
    /// `turnkeep`, 90 days, 30 seconds.
    fn default() -> Self {
        Self {
            prefix: "turnkeep".into(),
            ttl: Some(Duration::from_secs(90 * 24 * 60 * 60)),
            leaves_expiry: false,
            timeout: Duration::from_secs(30),
        }
    }
}

impl RedisOptions {
    /// Checks what is said.
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |message: &str| Err(Error::new(ErrorKind::InvalidArgument, message));
        if self.prefix.contains(['{', '}']) {
            return invalid("a prefix must not contain { or }");
        }
        if self.ttl.is_some_and(|ttl| ttl.as_millis() == 0) {
            return invalid("a session must be kept for a millisecond at least");
        }
        if self.timeout.is_zero() {
            return invalid("Redis must have some time to answer");
        }
        Ok(())
    }

    /// As the scripts have it.
    pub(super) fn ttl_ms(&self) -> String {
        let ms = self.ttl.map_or(0, |ttl| ttl.as_millis().min(i64::MAX as u128 / 4));
        let sign = if self.leaves_expiry { "=" } else { "" };
        format!("{sign}{ms}")
    }
}
