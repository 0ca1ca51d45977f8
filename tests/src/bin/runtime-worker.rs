//! A runtime over a folder, for tests of several hosts: `runtime-worker snapshot|restore FOLDER FILE`.
//!
//! Its cache holds two values for a snapshot and none for a restoring, which prints how many sessions
//! and values it restored, and then each value.

use std::sync::Arc;

use turnkeep::core::session::runtime::{Restore, Snapshot};
use turnkeep::{Cache, CacheEntry, CacheValue, FileStore, MemoryCache, Result, Runtime, Wait};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [action, folder, file] = &args[..] else {
        panic!("runtime-worker snapshot|restore FOLDER FILE");
    };
    let cache = Arc::new(MemoryCache::default());
    let runtime = Runtime::open(Arc::new(FileStore::open(folder)?), Some(cache.clone()))?;
    match action.as_str() {
        "snapshot" => {
            let value = CacheValue::Json("{\"n\":9007199254740993,\"x\":2.50}".into());
            cache.put(&CacheEntry { key: "result:ü".into(), value, expires_ms: None })?;
            let value = CacheValue::Bytes(vec![0, 255, 10, 34]);
            let expires_ms = Some(4_000_000_000_000);
            cache.put(&CacheEntry { key: "raw".into(), value, expires_ms })?;
            let written = runtime.snapshot_to(file, Snapshot::default(), Wait::default())?;
            println!("{} {}", written.counts.sessions, written.counts.cache);
        }
        "restore" => {
            let restored = runtime.restore_from(file, Restore::default(), Wait::default())?;
            println!("{} {}", restored.sessions.len(), restored.cache.put);
            for key in cache.list()? {
                println!("{:?}", cache.get(&key?)?);
            }
        }
        other => panic!("runtime-worker does not {other}"),
    }
    Ok(())
}
