//! A store in memory: the reference for what a store does.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Info, Key, Listing, Object, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::Store;

/// Objects in this process's memory, gone with it.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    objects: BTreeMap<Key, Stored>,
    stages: HashMap<String, (Key, BTreeMap<u32, Vec<u8>>)>,
    /// Counts writes: every version is another number.
    writes: u64,
}

#[derive(Debug, Default)]
struct Stored {
    bytes: Vec<u8>,
    version: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // A panic of another thread cannot leave the contents half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn info(&self) -> Info {
        let (bytes, version) = (self.bytes.len() as u64, self.version.to_string());
        Info { bytes, version, modified_ms: None }
    }
}

impl Contents {
    fn find(&self, key: &Key) -> Result<&Stored> {
        self.objects.get(key).ok_or_else(|| not_found(key))
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<()> {
        let found = self.objects.get(key);
        match (condition, found) {
            (Condition::Absent, Some(_)) => Err(already_exists(key)),
            (Condition::Version(version), found)
                if found.is_none_or(|found| found.version.to_string() != *version) =>
            {
                Err(conflict(key, "the object has another version"))
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, key: &Key, bytes: Vec<u8>) -> Info {
        self.writes += 1;
        let stored = Stored { bytes, version: self.writes };
        let info = stored.info();
        self.objects.insert(key.clone(), stored);
        info
    }
}

/// The bytes of a range, cut off at the end.
fn cut(bytes: &[u8], range: Range<u64>) -> &[u8] {
    let clamp = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(clamp(range.start)..clamp(range.end)).unwrap_or_default()
}

pub(crate) fn not_found(key: &Key) -> Error {
    Error::new(ErrorKind::NotFound, "there is no such object").at_key(key)
}

pub(crate) fn already_exists(key: &Key) -> Error {
    Error::new(ErrorKind::AlreadyExists, "the object exists").at_key(key)
}

/// Whether an append finds what it goes after: an object of that length with that mark, and what is
/// cut off of it starts so.
pub(crate) fn check_after(
    key: &Key,
    after: &After,
    length: u64,
    mark: &[u8],
    torn: &[u8],
) -> Result<()> {
    if length != after.at + after.torn {
        let message = format!("the object has {length} bytes, not {}", after.at + after.torn);
        return Err(conflict(key, &message));
    }
    if !mark.starts_with(&after.mark) {
        return Err(conflict(key, "another object is in its place"));
    }
    if !torn.starts_with(&after.torn_start) {
        return Err(conflict(key, "something else was written in place of the torn write"));
    }
    Ok(())
}

pub(crate) fn conflict(key: &Key, message: &str) -> Error {
    Error::new(ErrorKind::Conflict, message).at_key(key)
}

fn volatile(key: &Key) -> Error {
    Error::new(ErrorKind::NotSupported, "memory cannot be made durable").at_key(key)
}

pub(crate) fn no_stage() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such stage")
}

impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all(Durability::Memory)
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let contents = self.contents();
        let stored = contents.find(key)?;
        let bytes = cut(&stored.bytes, range.unwrap_or(0..u64::MAX)).to_vec();
        Ok(Object { bytes, info: stored.info() })
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        let mut contents = self.contents();
        contents.check(key, condition)?;
        Ok(contents.write(key, bytes.to_vec()))
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        if durability == Durability::Disk {
            return Err(volatile(key));
        }
        let mut contents = self.contents();
        let stored = contents.objects.get(key).map_or(&[][..], |stored| &stored.bytes);
        let at = usize::try_from(after.at).unwrap_or(usize::MAX);
        let mark_at = usize::try_from(after.mark_at).unwrap_or(usize::MAX);
        let from = |at| stored.get(at..).unwrap_or_default();
        check_after(key, after, stored.len() as u64, from(mark_at), from(at))?;
        contents.writes += 1;
        let version = contents.writes;
        let stored = contents.objects.entry(key.clone()).or_default();
        stored.bytes.truncate(at);
        stored.bytes.extend_from_slice(bytes);
        stored.version = version;
        Ok(stored.info())
    }

    fn sync(&self, key: &Key) -> Result<()> {
        Err(volatile(key))
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        let mut contents = self.contents();
        contents.find(key)?;
        contents.check(key, condition)?;
        contents.objects.remove(key);
        Ok(())
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        let contents = self.contents();
        let follows =
            |key: &Key| key.as_str().starts_with(prefix) && after.is_none_or(|after| key > after);
        let mut found = contents.objects.iter().filter(|(key, _)| follows(key));
        let limit = limit as usize;
        let page = found.by_ref().take(limit);
        let objects = page.map(|(key, stored)| (key.clone(), stored.info())).collect();
        Ok(Listing { objects, more: found.next().is_some() })
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.contents().find(key).map(Stored::info)
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        let mut contents = self.contents();
        contents.writes += 1;
        let id = contents.writes.to_string();
        contents.stages.insert(id.clone(), (key.clone(), BTreeMap::new()));
        Ok(StageId(id))
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        let mut contents = self.contents();
        let (_, parts) = contents.stages.get_mut(&stage.0).ok_or_else(no_stage)?;
        parts.insert(number, bytes.to_vec());
        Ok(())
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        let contents = self.contents();
        let (_, parts) = contents.stages.get(&stage.0).ok_or_else(no_stage)?;
        let Range { start, end } = range.unwrap_or(0..u64::MAX);
        let (mut bytes, mut before) = (Vec::new(), 0);
        for part in parts.values() {
            let stretch = start.saturating_sub(before)..end.saturating_sub(before);
            bytes.extend_from_slice(cut(part, stretch));
            before += part.len() as u64;
        }
        Ok(Object { bytes, info: Info { bytes: before, ..Info::default() } })
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        let mut contents = self.contents();
        let (key, parts) = contents.stages.remove(&stage.0).ok_or_else(no_stage)?;
        contents.check(&key, condition)?;
        let bytes = parts.into_values().collect::<Vec<_>>().concat();
        Ok(contents.write(&key, bytes))
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.contents().stages.remove(&stage.0).map(|_| ()).ok_or_else(no_stage)
    }
}
