//! What shall go wrong, and what was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What shall happen to some requests. In JSON the members have the same names; absent ones have
/// the values that [`Rule::default`] gives them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Of which method; empty: of any.
    pub method: String,
    /// Whose key contains this; empty: of any. What is asked of the bucket has the key "".
    pub key: String,
    /// How many of these pass untouched first.
    pub skip: u32,
    /// How many are hit after those.
    pub times: u32,
    /// How long they wait first, in milliseconds.
    pub delay_ms: u64,
    /// What happens then.
    pub action: Action,
    /// The status of [`Action::Status`].
    pub status: u16,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// What always happens.
    #[default]
    Pass,
    /// It is answered with a status, and not carried out.
    Status,
    /// The connection ends, and it is not carried out.
    DropBefore,
    /// It is carried out, and the connection ends without an answer.
    DropAfter,
    /// It is carried out, and the connection ends half way through the answer's body.
    CutBody,
    /// It is carried out, and never answered.
    Stall,
    /// The connection ends, and it is carried out after the delay all the same.
    Late,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            method: String::new(),
            key: String::new(),
            skip: 0,
            times: 1,
            delay_ms: 0,
            action: Action::Pass,
            status: 500,
        }
    }
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The object's key, decoded; "" where the bucket itself was asked.
    pub key: String,
    /// What follows the `?`, as it was sent.
    pub query: String,
    /// The answer's; 0 where there was none.
    pub status: u16,
    /// Length of the request's body.
    pub bytes_in: u64,
    /// Length of the answer's body, as far as it was sent.
    pub bytes_out: u64,
}

/// The plan and the log of a server.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Rule>>,
    requests: Mutex<Vec<Request>>,
}

impl Faults {
    pub(crate) fn plan(&self, rules: Vec<Rule>) {
        *lock(&self.rules) = rules;
    }

    /// What happens to this request: the first rule that hits it decides.
    pub(crate) fn rule_for(&self, method: &str, key: &str) -> Option<Rule> {
        let mut rules = lock(&self.rules);
        let fits = |rule: &&mut Rule| {
            (rule.method.is_empty() || rule.method == method) && key.contains(&rule.key)
        };
        for rule in rules.iter_mut().filter(fits) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                return Some(rule.clone());
            }
        }
        None
    }

    pub(crate) fn note(&self, request: Request) {
        lock(&self.requests).push(request);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    pub(crate) fn reset(&self) {
        lock(&self.rules).clear();
        lock(&self.requests).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
