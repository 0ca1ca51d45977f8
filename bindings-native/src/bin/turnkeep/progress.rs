//! Progress of what takes long: on stderr, only where that is a terminal.

use std::io::{IsTerminal, stderr};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use turnkeep::core::store::{
    After, Capabilities, Condition, Durability, Info, Listing, Object, StageId,
};
use turnkeep::{Holder, Key, Result, Store};

use crate::output::{Context, write_stderr};

/// Shorter work shows none.
const AFTER_MS: u64 = 500;
const EVERY_MS: u64 = 100;

/// Counts the bytes that were read, and shows them.
#[derive(Debug)]
pub(crate) struct Meter {
    what: Mutex<String>,
    total: Option<u64>,
    is_shown: bool,
    start: Instant,
    done: AtomicU64,
    /// Milliseconds from the start to the last time it was shown; 0: never.
    shown: AtomicU64,
}

impl Meter {
    /// `total` is how many bytes will be read, where that is known.
    pub(crate) fn new(context: &Context, what: &str, total: Option<u64>) -> Self {
        let is_shown = !context.globals.quiet && !context.globals.json && stderr().is_terminal();
        let mut meter = Self::silent();
        (meter.total, meter.is_shown) = (total, is_shown);
        meter.name(what);
        meter
    }

    /// Counts, and shows nothing.
    pub(crate) fn silent() -> Self {
        let (done, shown) = (AtomicU64::new(0), AtomicU64::new(0));
        Self {
            what: Mutex::default(),
            total: None,
            is_shown: false,
            start: Instant::now(),
            done,
            shown,
        }
    }

    pub(crate) fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.shown.load(Ordering::Relaxed).max(AFTER_MS - EVERY_MS) + EVERY_MS;
        if !self.is_shown || elapsed < due {
            return;
        }
        self.shown.store(elapsed, Ordering::Relaxed);
        let mebibytes = done >> 20;
        let share = match self.total {
            Some(total) if total > 0 => format!(", {} %", (done * 100 / total).min(100)),
            _ => String::new(),
        };
        let what = self.what.lock().map(|what| what.clone()).unwrap_or_default();
        write_stderr(&format!("\r\x1b[K{what}: {mebibytes} MiB{share}"));
    }

    /// Says what goes on from now on.
    pub(crate) fn name(&self, what: &str) {
        if let Ok(mut named) = self.what.lock() {
            what.clone_into(&mut named);
        }
    }

    /// Makes room for other output.
    pub(crate) fn clear(&self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            write_stderr("\r\x1b[K");
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A store whose reads are counted.
pub(crate) struct Metered<'a> {
    store: &'a dyn Store,
    meter: &'a Meter,
    cold: Option<Box<Self>>,
}

impl<'a> Metered<'a> {
    /// That store, and the cold one behind it, if there is one.
    pub(crate) fn new(store: &'a dyn Store, meter: &'a Meter) -> Self {
        let cold = store.cold().map(|cold| Box::new(Self::new(cold, meter)));
        Self { store, meter, cold }
    }

    /// The same, with that one as the cold store behind it.
    pub(crate) fn before(self, cold: Self) -> Self {
        Self { cold: Some(Box::new(cold)), ..self }
    }
}

impl Store for Metered<'_> {
    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let object = self.store.get(key, range)?;
        self.meter.add(object.bytes.len() as u64);
        Ok(object)
    }

    fn cold(&self) -> Option<&dyn Store> {
        self.cold.as_deref().map(|cold| cold as &dyn Store)
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        self.store.put(key, bytes, condition)
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        self.store.append(key, bytes, after, durability)
    }

    fn sync(&self, key: &Key) -> Result<()> {
        self.store.sync(key)
    }

    fn can_sync(&self) -> bool {
        self.store.can_sync()
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>> {
        self.store.holder(key)
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        self.store.delete(key, condition)
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        self.store.list(prefix, after, limit)
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.store.info(key)
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        self.store.stage(key)
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        self.store.stage_part(stage, number, bytes)
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        let object = self.store.get_staged(stage, range)?;
        self.meter.add(object.bytes.len() as u64);
        Ok(object)
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        self.store.commit(stage, condition)
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.store.abort(stage)
    }

    fn release(&self, key: &Key) {
        self.store.release(key);
    }
}
