//! The values that a runtime keeps beside its sessions.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use turnkeep_core::Result;
use turnkeep_core::cache::CacheEntry;

use crate::file::guard;

/// A runtime's key-value cache, as far as a snapshot and a restoring need it.
pub trait Cache: Send + Sync {
    /// Its keys, each once. What is put meanwhile may be among them or not.
    fn list(&self) -> Result<Box<dyn Iterator<Item = Result<String>> + Send + '_>>;

    /// What it holds under a key; `None` where there is nothing, or nothing any more.
    fn get(&self, key: &str) -> Result<Option<CacheEntry>>;

    /// Puts a value in the place of the one there is, with its expiry.
    fn put(&self, entry: &CacheEntry) -> Result<()>;
}

/// A cache in memory. Values that have expired are there no more.
///
/// ```
/// use turnkeep::{Cache, CacheEntry, CacheValue, MemoryCache};
/// let cache = MemoryCache::default();
/// let value = CacheValue::Json("[1]".into());
/// cache.put(&CacheEntry { key: "result:1".into(), value, expires_ms: Some(0) })?;
/// assert_eq!(cache.get("result:1")?, None);
/// # Ok::<_, turnkeep::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryCache(Mutex<BTreeMap<String, CacheEntry>>);

impl Cache for MemoryCache {
    fn list(&self) -> Result<Box<dyn Iterator<Item = Result<String>> + Send + '_>> {
        let keys: Vec<_> = guard(&self.0).keys().cloned().map(Ok).collect();
        Ok(Box::new(keys.into_iter()))
    }

    fn get(&self, key: &str) -> Result<Option<CacheEntry>> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let lives = |entry: &CacheEntry| {
            entry.expires_ms.is_none_or(|expires| u128::from(expires) > since.as_millis())
        };
        Ok(guard(&self.0).get(key).filter(|entry| lives(entry)).cloned())
    }

    fn put(&self, entry: &CacheEntry) -> Result<()> {
        guard(&self.0).insert(entry.key.clone(), entry.clone());
        Ok(())
    }
}
