//! A runtime's cache.

use std::collections::BTreeMap;

use turnkeep_core::cache::{CacheEntry, CacheValue};
use turnkeep_core::store::{CacheRequest, Reply};

/// Values, and the last key that was given.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(crate) values: BTreeMap<String, CacheEntry>,
    last: Option<String>,
}

/// A value that tells which act put it.
#[must_use]
pub(crate) fn value(act: u64) -> (String, CacheEntry) {
    let (key, value) = ("result".to_owned(), CacheValue::Json(act.to_string()));
    (key.clone(), CacheEntry { key, value, expires_ms: None })
}

impl Cache {
    /// The next task begins at the first key.
    pub(crate) fn rewind(&mut self) {
        self.last = None;
    }

    /// Carries a request out.
    pub(crate) fn perform(&mut self, request: &CacheRequest) -> Option<Reply> {
        Some(match request {
            CacheRequest::Keys { limit } => {
                let follows = |key: &&String| self.last.as_ref().is_none_or(|last| *key > last);
                let keys = self.values.keys().filter(follows).take(*limit as usize);
                let keys: Vec<String> = keys.cloned().collect();
                self.last = keys.last().cloned().or_else(|| self.last.take());
                Reply::Keys(keys)
            }
            CacheRequest::Get { keys } => {
                Reply::Values(keys.iter().map(|key| self.values.get(key).cloned()).collect())
            }
            CacheRequest::Put { entries } => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.clone()));
                self.values.extend(entries);
                Reply::Done
            }
            _ => return None,
        })
    }
}
