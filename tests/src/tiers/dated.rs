//! A store in memory that can be copied, and knows when its objects were written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use turnkeep::core::store::{After, Capabilities, Condition, Info, Listing, Object, StageId};
use turnkeep::{Durability, Error, ErrorKind, Key, Result, Store};

use crate::retention::{Clock, hash};

/// Objects in memory, by a clock of the test's.
#[derive(Debug)]
pub struct Dated {
    clock: Clock,
    contents: Mutex<Contents>,
}

#[derive(Debug, Clone, Default)]
struct Contents {
    objects: BTreeMap<Key, Stored>,
    /// How often each object was written: its versions, which never come again. What is written
    /// elsewhere changes none, so that more orders lead to one point.
    writes: BTreeMap<Key, u64>,
    stages: BTreeMap<String, (Key, BTreeMap<u32, Vec<u8>>)>,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    version: u64,
    modified_ms: u64,
}

impl Stored {
    fn info(&self) -> Info {
        let (bytes, version) = (self.bytes.len() as u64, self.version.to_string());
        Info { bytes, version, modified_ms: Some(self.modified_ms) }
    }
}

fn error<T>(kind: ErrorKind, key: &Key) -> Result<T> {
    Err(Error::new(kind, "as a store says").at_key(key))
}

impl Contents {
    fn check(&self, key: &Key, condition: &Condition) -> Result<()> {
        let version = self.objects.get(key).map(|stored| stored.version.to_string());
        match condition {
            Condition::Absent if version.is_some() => error(ErrorKind::AlreadyExists, key),
            Condition::Version(wanted) if version.as_ref() != Some(wanted) => {
                error(ErrorKind::Conflict, key)
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, key: &Key, bytes: Vec<u8>, modified_ms: u64) -> Info {
        let writes = self.writes.entry(key.clone()).or_default();
        *writes += 1;
        let stored = Stored { bytes: Arc::new(bytes), version: *writes, modified_ms };
        let info = stored.info();
        self.objects.insert(key.clone(), stored);
        info
    }
}

fn cut(bytes: &[u8], range: Option<Range<u64>>) -> Vec<u8> {
    let Range { start, end } = range.unwrap_or(0..u64::MAX);
    let clamp = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(clamp(start)..clamp(end)).unwrap_or_default().to_vec()
}

impl Dated {
    /// An empty store.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), contents: Mutex::default() }
    }

    /// The same objects, by another clock.
    #[must_use]
    pub fn copy(&self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), contents: Mutex::new(self.contents().clone()) }
    }

    /// Its objects' names.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.contents().objects.keys().cloned().collect()
    }

    /// Loses an object, as an eviction does.
    pub fn lose(&self, key: &Key) {
        self.contents().objects.remove(key);
    }

    /// Writes an object as if it had been written then.
    pub fn plant(&self, key: &Key, bytes: &[u8], modified_ms: u64) {
        self.contents().write(key, bytes.to_vec(), modified_ms);
    }

    /// A hash of the objects.
    #[must_use]
    pub fn bytes_hash(&self) -> u64 {
        let contents = self.contents();
        hash(&contents.objects.iter().map(|(key, held)| (key, &held.bytes)).collect::<Vec<_>>())
    }

    /// A hash of the objects and their versions.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let writes = hash(&self.contents().writes);
        hash(&(self.bytes_hash(), writes))
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }
}

impl Store for Dated {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all(Durability::Os)
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let contents = self.contents();
        let Some(stored) = contents.objects.get(key) else {
            return error(ErrorKind::NotFound, key);
        };
        Ok(Object { bytes: cut(&stored.bytes, range), info: stored.info() })
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        let mut contents = self.contents();
        contents.check(key, condition)?;
        Ok(contents.write(key, bytes.to_vec(), self.now_ms()))
    }

    fn append(&self, key: &Key, bytes: &[u8], after: &After, _: Durability) -> Result<Info> {
        let mut contents = self.contents();
        let stored = contents.objects.get(key).map_or(&[][..], |stored| &stored.bytes);
        if !after.fits(stored) {
            return error(ErrorKind::Conflict, key);
        }
        let kept = cut(stored, Some(0..after.at));
        Ok(contents.write(key, [&kept, bytes].concat(), self.now_ms()))
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        let mut contents = self.contents();
        if !contents.objects.contains_key(key) {
            return error(ErrorKind::NotFound, key);
        }
        contents.check(key, condition)?;
        contents.objects.remove(key);
        Ok(())
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        let contents = self.contents();
        let follows =
            |key: &Key| key.as_str().starts_with(prefix) && after.is_none_or(|after| key > after);
        let mut found = contents.objects.iter().filter(|(key, _)| follows(key));
        let page = found.by_ref().take(limit as usize);
        let objects = page.map(|(key, stored)| (key.clone(), stored.info())).collect();
        Ok(Listing { objects, more: found.next().is_some() })
    }

    fn info(&self, key: &Key) -> Result<Info> {
        let found = self.contents().objects.get(key).map(Stored::info);
        found.map_or_else(|| error(ErrorKind::NotFound, key), Ok)
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        let mut contents = self.contents();
        let id = format!("{key}-{}", contents.stages.len());
        contents.stages.insert(id.clone(), (key.clone(), BTreeMap::new()));
        Ok(StageId(id))
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        let mut contents = self.contents();
        let (_, parts) = contents.stages.get_mut(&stage.0).expect("a stage");
        parts.insert(number, bytes.to_vec());
        Ok(())
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        let contents = self.contents();
        let (_, parts) = contents.stages.get(&stage.0).expect("a stage");
        let whole: Vec<u8> = parts.values().flatten().copied().collect();
        let info = Info { bytes: whole.len() as u64, ..Info::default() };
        Ok(Object { bytes: cut(&whole, range), info })
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        let mut contents = self.contents();
        let (key, parts) = contents.stages.remove(&stage.0).expect("a stage");
        contents.check(&key, condition)?;
        let bytes = parts.into_values().flatten().collect();
        Ok(contents.write(&key, bytes, self.now_ms()))
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.contents().stages.remove(&stage.0);
        Ok(())
    }
}
