//! The cache's values while a bundle is restored: kept in the store until they are in the cache.

use alloc::vec::Vec;

use crate::bundle::{cache_entry, cache_line};
use crate::cache::CacheEntry;
use crate::entry::utf8;
use crate::limits::CACHE_KEYS;
use crate::log::LineReader;
use crate::session::Staging;
use crate::store::{CACHE_BYTES, Condition, Key};
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// How much is read at once.
const READ_BYTES: u64 = 256 << 10;

/// Values on their way into the store.
pub(super) struct Keeping(Staging);

impl Keeping {
    pub(super) fn new() -> Self {
        Self(Staging::in_order(Key::restored_cache()))
    }

    pub(super) async fn add(&mut self, io: &Io, entry: &CacheEntry) -> Result<()> {
        self.0.add(io, cache_line(entry)?.as_bytes()).await
    }

    pub(super) async fn publish(self, io: &Io) -> Result<()> {
        self.0.publish(io, Condition::Any).await
    }

    pub(super) async fn abort(mut self, io: &Io) {
        self.0.abort(io).await;
    }
}

/// Puts the values that are kept into the cache, as often as it takes; says how many.
pub(super) async fn put_kept(io: &Io) -> Result<u64> {
    let key = Key::restored_cache();
    let Some(info) = io.find(&key).await? else { return Ok(0) };
    let (mut lines, mut putting) = (LineReader::new(0), Putting::default());
    let mut at = 0;
    while at < info.bytes {
        let bytes = io.get(&key, Some(at..at + READ_BYTES)).await?.bytes;
        if bytes.is_empty() {
            return Err(crate::session::scan::shorter(&key));
        }
        at += bytes.len() as u64;
        let mut entries = Vec::new();
        lines.push(&bytes, |line, _| {
            entries.push((cache_entry(utf8(line)?)?, line.len()));
            Ok::<_, Error>(())
        })?;
        for (entry, length) in entries {
            putting.add(io, entry, length).await?;
        }
    }
    putting.finish(io).await
}

/// Values that are put together.
#[derive(Default)]
struct Putting {
    entries: Vec<CacheEntry>,
    bytes: usize,
    count: u64,
}

impl Putting {
    async fn add(&mut self, io: &Io, entry: CacheEntry, length: usize) -> Result<()> {
        self.entries.push(entry);
        self.bytes += length;
        self.count += 1;
        if self.bytes < CACHE_BYTES && self.entries.len() < CACHE_KEYS as usize {
            return Ok(());
        }
        self.put(io).await
    }

    async fn put(&mut self, io: &Io) -> Result<()> {
        self.bytes = 0;
        let entries = core::mem::take(&mut self.entries);
        io.cache_put(entries).await
    }

    async fn finish(mut self, io: &Io) -> Result<u64> {
        if !self.entries.is_empty() {
            self.put(io).await?;
        }
        Ok(self.count)
    }
}

/// What a runtime without a cache answers to a bundle whose values wait for one.
pub(super) fn no_cache() -> Error {
    let message = "values of a bundle wait for the runtime's cache: open the runtime with it, or \
                   give them up (givesUpCache, open_giving_up_cache, unbundle --give-up-cache)";
    Error::new(ErrorKind::NotSupported, message)
}
