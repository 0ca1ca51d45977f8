//! Waiting until nothing goes on.

use alloc::string::String;

use crate::{Error, ErrorKind};

/// How long everything has to be idle, and how often it is looked at.
const SETTLE_MS: u64 = 50;
/// How many busy ones an error names.
const NAMED: usize = 8;

/// Decides when a runtime is idle: two looks in a row, 50 ms apart, that find nothing busy. Its host
/// looks, waits, and keeps the time (a clock that never goes back, in milliseconds).
///
/// ```
/// use turnkeep_core::session::runtime::{Idle, IdleStep};
/// let mut idle = Idle::new(0, Some(30_000));
/// assert_eq!(idle.look(0, &["job 7".into()]), IdleStep::Wait { ms: 50 });
/// assert_eq!(idle.look(50, &[]), IdleStep::Wait { ms: 50 });
/// assert_eq!(idle.look(100, &[]), IdleStep::Idle);
/// ```
#[derive(Debug, Clone)]
pub struct Idle {
    /// When it is too late; `None`: never.
    deadline_ms: Option<u64>,
    /// Since when every look found nothing busy.
    idle_since_ms: Option<u64>,
}

/// What to do after a look.
#[derive(Debug, Clone, PartialEq)]
pub enum IdleStep {
    /// It is idle.
    Idle,
    /// Look again after that time, or as soon as something that was busy signals that it is not.
    Wait {
        /// Milliseconds.
        ms: u64,
    },
    /// The time is over: `timeout`, which names what was busy.
    TimedOut(Error),
}

impl Idle {
    /// Begins to wait, for at most that long; `None`: for ever. With 0, what is idle at the first look
    /// is still given the second one.
    #[must_use]
    pub fn new(now_ms: u64, timeout_ms: Option<u64>) -> Self {
        let deadline_ms = timeout_ms.map(|timeout| now_ms.saturating_add(timeout));
        Self { deadline_ms, idle_since_ms: None }
    }

    /// Takes what a look at that time found busy.
    pub fn look(&mut self, now_ms: u64, busy: &[String]) -> IdleStep {
        if busy.is_empty() {
            let since = *self.idle_since_ms.get_or_insert(now_ms);
            let left = since.saturating_add(SETTLE_MS).saturating_sub(now_ms);
            return if left == 0 { IdleStep::Idle } else { IdleStep::Wait { ms: left } };
        }
        // Whatever was idle before: it starts again.
        if !planted!(BusyIsForgotten) {
            self.idle_since_ms = None;
        }
        let left = self.deadline_ms.map_or(SETTLE_MS, |at| at.saturating_sub(now_ms));
        if left == 0 {
            return IdleStep::TimedOut(timed_out(busy));
        }
        IdleStep::Wait { ms: left.min(SETTLE_MS) }
    }
}

fn timed_out(busy: &[String]) -> Error {
    let named = busy.get(..NAMED).unwrap_or(busy).join(", ");
    let others = busy.len().saturating_sub(NAMED);
    let others = if others > 0 { alloc::format!(" and {others} more") } else { String::new() };
    let message = alloc::format!("still busy: {named}{others}");
    Error::new(ErrorKind::Timeout, message).retryable()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn busy() -> Vec<String> {
        alloc::vec!["talk".into()]
    }

    #[test]
    fn what_is_idle_at_once_is_looked_at_twice() {
        let mut idle = Idle::new(7, Some(0));
        assert_eq!(idle.look(7, &[]), IdleStep::Wait { ms: 50 });
        assert_eq!(idle.look(40, &[]), IdleStep::Wait { ms: 17 });
        assert_eq!(idle.look(57, &[]), IdleStep::Idle);
    }

    #[test]
    fn a_flap_between_the_looks_starts_the_wait_again() {
        let mut idle = Idle::new(0, Some(1000));
        assert_eq!(idle.look(0, &[]), IdleStep::Wait { ms: 50 });
        assert_eq!(idle.look(50, &busy()), IdleStep::Wait { ms: 50 });
        assert_eq!(idle.look(100, &[]), IdleStep::Wait { ms: 50 });
        assert_eq!(idle.look(150, &[]), IdleStep::Idle);
    }

    #[test]
    fn a_flap_after_the_time_is_over_times_out() {
        let mut idle = Idle::new(0, Some(20));
        assert_eq!(idle.look(0, &[]), IdleStep::Wait { ms: 50 });
        assert!(matches!(idle.look(50, &busy()), IdleStep::TimedOut(_)));
    }

    #[test]
    fn time_is_over_with_the_names_of_what_was_busy() {
        let mut idle = Idle::new(1000, Some(80));
        assert_eq!(idle.look(1000, &busy()), IdleStep::Wait { ms: 50 });
        assert_eq!(idle.look(1050, &busy()), IdleStep::Wait { ms: 30 });
        let many: Vec<_> = (0..20).map(|n| alloc::format!("job {n}")).collect();
        let IdleStep::TimedOut(error) = idle.look(1080, &many) else { panic!() };
        assert_eq!(error.code(), "timeout");
        assert!(error.message().contains("job 7 and 12 more"), "{error}");
    }

    #[test]
    fn without_a_limit_it_waits_for_ever() {
        let mut idle = Idle::new(0, None);
        for look in 0..1000 {
            assert_eq!(idle.look(look * 1_000_000, &busy()), IdleStep::Wait { ms: 50 });
        }
        let mut late = Idle::new(u64::MAX - 1, Some(u64::MAX));
        assert_eq!(late.look(u64::MAX - 1, &busy()), IdleStep::Wait { ms: 1 });
    }
}
