//! A store that can be crashed: files, a hot store or a bucket.

use std::collections::BTreeMap;
use std::ops::Range;

use turnkeep_core::store::{
    After, Condition, Durability, Holder, Info, Key, Listing, Object, ObjectKey, Part, Reply,
    Request, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result, SessionId};

use crate::chance::Chance;

/// Disks keep a page whole, or not at all.
const PAGE_BYTES: usize = 4096;

/// A process: the host's place, and how often it was started.
pub(crate) type Process = (usize, u64);

/// Objects.
#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Held>,
    stages: BTreeMap<String, (Key, BTreeMap<u32, Vec<u8>>)>,
    /// Counts writes, for versions.
    writes: u64,
    /// Whether appends hold a log, and are lost with the power unless they are synced.
    is_files: bool,
    locks: BTreeMap<Key, Process>,
}

#[derive(Debug, Clone)]
struct Held {
    bytes: Vec<u8>,
    /// How many of them survive a loss of power.
    synced: usize,
    version: u64,
    modified_ms: u64,
}

impl Held {
    fn info(&self) -> Info {
        Info {
            bytes: self.bytes.len() as u64,
            version: self.version.to_string(),
            modified_ms: Some(self.modified_ms),
        }
    }
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the words say it")]
pub(crate) struct By {
    pub(crate) process: Process,
    pub(crate) now_ms: u64,
}

fn refused<T>(kind: ErrorKind, key: &Key) -> Result<T> {
    Err(Error::new(kind, "as the store says").at_key(key))
}

fn cut(bytes: &[u8], range: Option<&Range<u64>>) -> Vec<u8> {
    let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let (start, end) =
        range.map_or((0, bytes.len()), |range| (clamp(range.start), clamp(range.end)));
    bytes.get(start..end).unwrap_or_default().to_vec()
}

impl Store {
    /// Files in a folder.
    #[must_use]
    pub(crate) fn of_files() -> Self {
        Self { is_files: true, ..Self::default() }
    }

    /// Carries out a request.
    ///
    /// # Errors
    ///
    /// As a store.
    pub(crate) fn perform(&mut self, request: &Request, by: By) -> Result<Reply> {
        Ok(match request {
            Request::Get { key, range } => Reply::Object(self.get(key, range.as_ref())?),
            Request::Put { key, bytes, condition } => {
                self.take(key, by)?;
                self.check(key, condition)?;
                Reply::Info(self.write(key, bytes.clone(), bytes.len(), by))
            }
            Request::Append { key, bytes, after, durability } => {
                Reply::Info(self.append(key, bytes, after, *durability, by)?)
            }
            Request::Sync { key } => {
                let Some(held) = self.objects.get_mut(key) else {
                    return refused(ErrorKind::NotFound, key);
                };
                held.synced = held.bytes.len();
                Reply::Done
            }
            Request::Holder { key } => Reply::Holder(self.holder(key, by)),
            Request::Delete { key, condition } => {
                if !self.objects.contains_key(key) {
                    return refused(ErrorKind::NotFound, key);
                }
                self.take(key, by)?;
                self.check(key, condition)?;
                self.objects.remove(key);
                Reply::Done
            }
            Request::List { prefix, after, limit } => {
                Reply::Listing(self.list(prefix, after.as_ref(), *limit))
            }
            Request::Info { key } => match self.objects.get(key) {
                Some(held) => Reply::Info(held.info()),
                None => return refused(ErrorKind::NotFound, key),
            },
            staging => self.stage(staging, by)?,
        })
    }

    fn get(&self, key: &Key, range: Option<&Range<u64>>) -> Result<Object> {
        let Some(held) = self.objects.get(key) else { return refused(ErrorKind::NotFound, key) };
        Ok(Object { bytes: cut(&held.bytes, range), info: held.info() })
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<()> {
        let version = self.objects.get(key).map(|held| held.version.to_string());
        match condition {
            Condition::Absent if version.is_some() => refused(ErrorKind::AlreadyExists, key),
            Condition::Version(wanted) if version.as_ref() != Some(wanted) => {
                refused(ErrorKind::Conflict, key)
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, key: &Key, bytes: Vec<u8>, synced: usize, by: By) -> Info {
        self.writes += 1;
        let held = Held { bytes, synced, version: self.writes, modified_ms: by.now_ms };
        let info = held.info();
        self.objects.insert(key.clone(), held);
        info
    }

    fn append(
        &mut self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
        by: By,
    ) -> Result<Info> {
        self.take(key, by)?;
        if self.is_files {
            self.locks.insert(key.clone(), by.process);
        }
        let (there, synced) = match self.objects.get(key) {
            Some(held) => (&held.bytes[..], held.synced),
            None => (&[][..], 0),
        };
        if !after.fits(there) {
            return refused(ErrorKind::Conflict, key);
        }
        let kept = cut(there, Some(&(0..after.at)));
        let synced = synced.min(kept.len());
        let whole = [&kept, bytes].concat();
        let synced =
            if durability == Durability::Disk || !self.is_files { whole.len() } else { synced };
        Ok(self.write(key, whole, synced, by))
    }

    /// Refuses what another process holds; what this one holds it holds no longer.
    fn take(&mut self, key: &Key, by: By) -> Result<()> {
        match self.locks.get(key) {
            Some(process) if *process != by.process => refused(ErrorKind::Locked, key),
            _ => {
                self.locks.remove(key);
                Ok(())
            }
        }
    }

    fn holder(&self, key: &Key, by: By) -> Option<Holder> {
        let process = self.locks.get(key)?;
        let is_self = *process == by.process;
        let pid = u32::try_from(process.0).unwrap_or_default();
        Some(Holder { pid, is_alive: true, is_self, ..Holder::default() })
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Listing {
        let follows =
            |key: &Key| key.as_str().starts_with(prefix) && after.is_none_or(|after| key > after);
        let mut found = self.objects.iter().filter(|(key, _)| follows(key));
        let page = found.by_ref().take(limit as usize);
        let objects = page.map(|(key, held)| (key.clone(), held.info())).collect();
        Listing { objects, more: found.next().is_some() }
    }

    fn stage(&mut self, request: &Request, by: By) -> Result<Reply> {
        let gone = |stage: &StageId| {
            Error::new(ErrorKind::NotFound, format!("there is no stage {}", stage.0))
        };
        Ok(match request {
            Request::Stage { key } => {
                self.writes += 1;
                let stage = format!("{}-{}", key.as_str(), self.writes);
                self.stages.insert(stage.clone(), (key.clone(), BTreeMap::new()));
                Reply::Stage(StageId(stage))
            }
            Request::StagePart { stage, number, bytes } => {
                let (_, parts) = self.stages.get_mut(&stage.0).ok_or_else(|| gone(stage))?;
                parts.insert(*number, bytes.clone());
                Reply::Done
            }
            Request::GetStaged { stage, range } => {
                let (_, parts) = self.stages.get(&stage.0).ok_or_else(|| gone(stage))?;
                let whole = parts.values().flatten().copied().collect::<Vec<_>>();
                let info = Info { bytes: whole.len() as u64, ..Info::default() };
                Reply::Object(Object { bytes: cut(&whole, range.as_ref()), info })
            }
            Request::Commit { stage, condition } => {
                let (key, parts) = self.stages.remove(&stage.0).ok_or_else(|| gone(stage))?;
                self.take(&key, by)?;
                self.check(&key, condition)?;
                let bytes: Vec<u8> = parts.into_values().flatten().collect();
                let synced = bytes.len();
                Reply::Info(self.write(&key, bytes, synced, by))
            }
            Request::Abort { stage } => {
                self.stages.remove(&stage.0);
                Reply::Done
            }
            other => {
                let message = format!("no request known here: {other:?}");
                return Err(Error::new(ErrorKind::NotSupported, message));
            }
        })
    }

    /// Writes only a part of what an append was to add: its process is killed, or the disk is full.
    pub(crate) fn tear(&mut self, request: &Request, by: By, chance: &mut Chance) {
        let Request::Append { key, bytes, after, .. } = request else { return };
        let part = chance.below(bytes.len() as u64 + 1) as usize;
        if self.is_files && part > 0 {
            _ = self.append(key, &bytes[..part], after, Durability::Os, by);
        }
    }

    /// A process is gone: it holds nothing any more.
    pub(crate) fn leave(&mut self, process: Process) {
        self.locks.retain(|_, holder| *holder != process);
    }

    /// What is written is not held any longer: its writer closed it.
    pub(crate) fn close(&mut self, key: &Key, process: Process) {
        if self.locks.get(key) == Some(&process) {
            self.locks.remove(key);
        }
    }

    /// All there is survives a loss of power.
    pub(crate) fn sync_all(&mut self) {
        self.objects.values_mut().for_each(|held| held.synced = held.bytes.len());
    }

    /// The power is lost: of what was not synced something is left, or zeros where some of it was to be.
    /// Gives what later parts are left of, and earlier ones are not.
    pub(crate) fn lose_power(&mut self, chance: &mut Chance) -> Vec<Key> {
        self.locks.clear();
        self.stages.clear();
        let mut holed = Vec::new();
        for (key, held) in &mut self.objects {
            let unsynced = held.bytes.len() - held.synced.min(held.bytes.len());
            if unsynced == 0 {
                continue;
            }
            let left = held.synced + chance.below(unsynced as u64 + 1) as usize;
            match chance.below(6) {
                0 => held.bytes[left..].fill(0),
                1 => {
                    let end = held.bytes.len().min(left.next_multiple_of(PAGE_BYTES));
                    let start = held.synced.max(end.saturating_sub(PAGE_BYTES));
                    if end < held.bytes.len() {
                        holed.push(key.clone());
                    }
                    held.bytes[start..end].fill(0);
                }
                _ => held.bytes.truncate(left),
            }
            held.synced = held.bytes.len();
            self.writes += 1;
            held.version = self.writes;
        }
        holed
    }

    /// Objects of a session go, as an eviction takes them: all, or its log alone. Beside an archive the
    /// log does not go alone: the archive would be the session again (`docs/tiers.md`). Whether any went.
    pub(crate) fn evict(&mut self, id: &SessionId, log_only: bool) -> bool {
        let log_only = log_only && !self.objects.contains_key(&Key::of(id, Part::Archive));
        let beside = [Part::Archive, Part::Recovery, Part::About, Part::Trace, Part::Retention];
        let beside = if log_only { &[][..] } else { &beside };
        let keys = [Part::Log].iter().chain(beside).map(|part| Key::of(id, *part));
        keys.filter(|key| self.objects.remove(key).is_some()).count() > 0
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// A session's own objects, and which writes they are of.
    pub(crate) fn versions_of(&self, id: &SessionId) -> Vec<(Key, u64)> {
        let is_own = |key: &Key| key.session().is_some_and(|(session, _)| session == *id);
        let own = self.objects.iter().filter(|(key, _)| is_own(key));
        own.map(|(key, held)| (key.clone(), held.version)).collect()
    }

    /// Whether an object is one of a session's own, or one of them names it.
    pub(crate) fn is_made_of(&self, id: &SessionId, key: &Key) -> bool {
        let owner = |key: &Key| match key.object() {
            Some(ObjectKey::Manifest(session, _)) => Some(session),
            _ => key.session().map(|(session, _)| session),
        };
        let name = match key.object() {
            Some(ObjectKey::Segment(hash) | ObjectKey::Ids(hash)) => hash.to_string(),
            _ => key.as_str().to_owned(),
        };
        let names =
            |held: &Held| held.bytes.windows(name.len()).any(|window| window == name.as_bytes());
        owner(key).as_ref() == Some(id)
            || self
                .objects
                .iter()
                .any(|(other, held)| owner(other).as_ref() == Some(id) && names(held))
    }

    /// A bit of some object turns; says which object, and whether in its last byte.
    pub(crate) fn rot(&mut self, chance: &mut Chance) -> Option<(Key, bool)> {
        let keys: Vec<Key> = self.objects.keys().cloned().collect();
        if keys.is_empty() {
            return None;
        }
        let key = chance.one_of(&keys).clone();
        let held = self.objects.get_mut(&key)?;
        let bit = chance.below(held.bytes.len() as u64 * 8);
        let at = (bit / 8) as usize;
        let is_last = at + 1 == held.bytes.len();
        // Silently: its version stays.
        *held.bytes.get_mut(at)? ^= 1 << (bit % 8);
        Some((key, is_last))
    }
}
