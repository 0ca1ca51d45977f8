//! A store in a directory.
//!
//! Objects are files named by their keys. Names that start with a dot are the store's own: locks,
//! staged writes. What is published is published by a rename or a hard link of a file that was
//! synced, and then the directory is synced too.

mod appender;
mod lock;
mod own;
mod owner;
mod publish;
mod reading;
mod syncs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::ErrorKind as IoKind;
use std::iter;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Holder, Info, Key, Listing, Object, Part, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::Store;
use crate::memory::{already_exists, conflict, no_stage, not_found};
use appender::Appenders;
use lock::Lock;
use reading::{info_of, read_range, version};

/// Objects as files in a directory. Several processes, and hosts in other languages, can share it:
/// whoever appends to an object holds its lock until the object is released or the store dropped.
#[derive(Debug)]
pub struct FileStore {
    root: PathBuf,
    /// Every key is this one file.
    only: Option<PathBuf>,
    appenders: Appenders,
    stages: Mutex<HashMap<String, Stage>>,
    /// Folders that were looked through for what dead processes left.
    swept: Mutex<HashSet<PathBuf>>,
}

#[derive(Debug)]
struct Stage {
    key: Key,
    folder: PathBuf,
    /// The lengths of the parts, by number.
    parts: BTreeMap<u32, u64>,
}

impl FileStore {
    /// Opens a directory as a store, making it where it is missing.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        publish::make_folder(&root).map_err(|error| failed("cannot make", &root, &error))?;
        let (appenders, stages, swept) = Default::default();
        Ok(Self { root, only: None, appenders, stages, swept })
    }

    /// A store of one file, whatever the key: a bundle where its user wants it. A folder
    /// that is missing is made once something is written.
    #[must_use]
    pub fn of_file(path: &Path) -> Self {
        // Where a link leads: the link stays what it is.
        let resolved = path.canonicalize();
        let path = resolved.as_deref().unwrap_or(path);
        let root = path.parent().unwrap_or(Path::new("")).to_owned();
        let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root };
        // One without a name is a folder: publishing says so.
        let only = path.file_name().map_or_else(|| path.to_owned(), |name| root.join(name));
        let (appenders, stages, swept) = Default::default();
        Self { root, only: Some(only), appenders, stages, swept }
    }

    /// Where the sessions of a user are kept unless another place is named: `turnkeep/sessions` in
    /// `$XDG_DATA_HOME`, which is `~/.local/share` unless set. `None` where there is no home.
    #[must_use]
    pub fn default_root() -> Option<PathBuf> {
        // A relative one has to be ignored.
        let absolute =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("LOCALAPPDATA").filter(|_| cfg!(windows)))
            .or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
        Some(data.join("turnkeep").join("sessions"))
    }

    /// Shows other machines that this process is alive, where it holds an object for appending:
    /// after an hour without an append or this they take the object for abandoned. `locked` where
    /// one has.
    pub fn heartbeat(&self, key: &Key) -> Result<()> {
        self.appenders.heartbeat(key).unwrap_or(Ok(()))
    }

    /// Where an object's file lies.
    #[must_use]
    pub fn path(&self, key: &Key) -> PathBuf {
        self.only.clone().unwrap_or_else(|| self.root.join(key.as_str()))
    }

    fn open_file(&self, key: &Key) -> Result<(File, Metadata)> {
        let path = self.path(key);
        self.appenders.with_room(&path, || match reading::open(&path) {
            Ok(opened) => opened.ok_or_else(|| not_found(key)),
            Err(error) => Err(missing_or_failed(key, "cannot open", &path, &error)),
        })
    }

    /// Runs something while no other writer, here or in another process, can change the object.
    fn guarded<T>(&self, key: &Key, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.appenders.alone(key, |held| {
            // What this store holds itself for appending would be in its own way.
            let lock = match held.take() {
                Some(appender) => appender.into_lock(),
                None => Lock::acquire(&self.path(key), key)?,
            };
            // What was held for long may have been taken over.
            lock.check()?;
            run()
        })
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<()> {
        let path = self.path(key);
        let there = match fs::metadata(&path) {
            Ok(metadata) => Some(version(&metadata)),
            Err(error) if error.kind() == IoKind::NotFound => None,
            Err(error) => return Err(failed("cannot look at", &path, &error).at_key(key)),
        };
        match condition {
            Condition::Absent if there.is_some() => Err(already_exists(key)),
            Condition::Version(expected) if there.as_ref() != Some(expected) => {
                Err(conflict(key, "the object has another version"))
            }
            _ => Ok(()),
        }
    }

    fn publish(&self, key: &Key, staged: &Path, condition: &Condition) -> Result<Info> {
        let path = self.path(key);
        if self.only.is_some() && fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            // A device would become a file.
            let message = format!("{} is no regular file: write to it as a stream", path.display());
            return Err(Error::new(ErrorKind::NotSupported, message));
        }
        let cannot = |error: std::io::Error| match error.kind() {
            IoKind::AlreadyExists => already_exists(key),
            _ => failed("cannot publish", &path, &error),
        };
        // Looked at before: once published, another's may be in its place. A new name changes none of it.
        let info = fs::metadata(staged).map(|metadata| info_of(&metadata)).map_err(cannot)?;
        if *condition == Condition::Absent {
            publish::link(staged, &path).map_err(cannot)?;
        } else {
            self.guarded(key, || {
                self.check(key, condition)?;
                publish::rename(staged, &path).map_err(cannot)
            })?;
        }
        Ok(info)
    }
}

pub(crate) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    let passes = matches!(
        error.kind(),
        IoKind::StorageFull | IoKind::QuotaExceeded | IoKind::Interrupted | IoKind::WouldBlock
    ) || is_out_of_files(error);
    let advice = if passes { "; this may pass" } else { "" };
    let message = format!("{what} {}: {error}{advice}", path.display());
    let failure = Error::new(ErrorKind::StoreFailed, message);
    if passes { failure.retryable() } else { failure }
}

/// Whether too many files are open, here or on the whole machine.
fn is_out_of_files(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    let codes =
        [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(|code| code.raw_os_error());
    #[cfg(not(unix))]
    let codes = [4];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

fn missing_or_failed(key: &Key, what: &str, path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        IoKind::NotFound => not_found(key),
        _ => failed(what, path, error),
    }
}

fn milliseconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

impl Store for FileStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all(Durability::Disk)
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let (file, metadata) = self.open_file(key)?;
        let Range { start, end } = range.unwrap_or(0..metadata.len());
        let mut bytes = Vec::new();
        read_range(file, start..end.min(metadata.len()), &mut bytes)
            .map_err(|error| failed("cannot read", &self.path(key), &error))?;
        Ok(Object { bytes, info: info_of(&metadata) })
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        let path = self.path(key);
        self.sweep_once(&path);
        let staged = self.appenders.with_room(&path, || {
            publish::Staged::write(&path, bytes, self.mode(key))
                .map_err(|error| failed("cannot write beside", &path, &error))
        })?;
        self.publish(key, staged.path(), condition)
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        self.appenders.append(&self.path(key), key, bytes, after, durability)
    }

    fn sync(&self, key: &Key) -> Result<()> {
        self.appenders.sync(key).unwrap_or_else(|| self.sync_unheld(key))
    }

    fn can_sync(&self) -> bool {
        true
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>> {
        let path = self.path(key);
        Lock::holder(&path).map_err(|error| failed("cannot look at the lock of", &path, &error))
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        let path = self.path(key);
        self.info(key)?;
        self.guarded(key, || {
            self.info(key)?;
            self.check(key, condition)?;
            publish::remove(&path)
                .map_err(|error| missing_or_failed(key, "cannot remove", &path, &error))
        })
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        let mut keys = Vec::new();
        self.collect(&self.root, "", prefix, &mut keys)?;
        keys.retain(|key| after.is_none_or(|after| key > after));
        keys.sort_unstable();
        let more = keys.len() > limit as usize;
        keys.truncate(limit as usize);
        let info = |key: Key| match self.info(&key) {
            // A file that went away since is no object any more.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            info => Some(info.map(|info| (key, info))),
        };
        Ok(Listing { objects: keys.into_iter().filter_map(info).collect::<Result<_>>()?, more })
    }

    fn info(&self, key: &Key) -> Result<Info> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(info_of(&metadata)),
            Ok(_) => Err(not_found(key)),
            Err(error) => Err(missing_or_failed(key, "cannot look at", &path, &error)),
        }
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        let folder = own::name(&self.path(key), "stage");
        self.sweep_once(&folder);
        publish::make_folder(&folder).map_err(|error| failed("cannot make", &folder, &error))?;
        let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stage = Stage { key: key.clone(), folder, parts: BTreeMap::new() };
        guard(&self.stages).insert(id.clone(), stage);
        Ok(StageId(id))
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        let (key, folder) = self.stage_of(stage)?;
        let path = folder.join(number.to_string());
        publish::write(&path, bytes, self.mode(&key))
            .map_err(|error| failed("cannot write", &path, &error))?;
        let mut stages = guard(&self.stages);
        let stage = stages.get_mut(&stage.0).ok_or_else(no_stage)?;
        stage.parts.insert(number, bytes.len() as u64);
        Ok(())
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        let folder = self.stage_folder(stage)?;
        let (bytes, whole) = publish::read_parts(&folder, range.unwrap_or(0..u64::MAX))
            .map_err(|error| failed("cannot read", &folder, &error))?;
        Ok(Object { bytes, info: Info { bytes: whole, ..Info::default() } })
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        let stage = guard(&self.stages).remove(&stage.0).ok_or_else(no_stage)?;
        let joined = publish::join_parts(&stage.folder, &stage.parts)
            .map_err(|error| failed("cannot join", &stage.folder, &error));
        let published = joined.and_then(|whole| self.publish(&stage.key, &whole, condition));
        fs::remove_dir_all(&stage.folder).ok();
        published
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        let stage = guard(&self.stages).remove(&stage.0).ok_or_else(no_stage)?;
        fs::remove_dir_all(&stage.folder)
            .map_err(|error| failed("cannot remove", &stage.folder, &error))
    }

    fn release(&self, key: &Key) {
        self.appenders.release(key);
    }
}

impl FileStore {
    fn stage_folder(&self, stage: &StageId) -> Result<PathBuf> {
        self.stage_of(stage).map(|(_, folder)| folder)
    }

    fn stage_of(&self, stage: &StageId) -> Result<(Key, PathBuf)> {
        let stages = guard(&self.stages);
        stages.get(&stage.0).map(|s| (s.key.clone(), s.folder.clone())).ok_or_else(no_stage)
    }

    /// Who may read what is put there: only who may read what it replaces, and the session's log and
    /// archive, which hold the same. Where there is none of them, the system decides.
    fn mode(&self, key: &Key) -> Option<publish::Mode> {
        let of_session = key.session().into_iter().flat_map(|(session, _)| {
            [Part::Log, Part::Archive].map(|part| Key::of(&session, part))
        });
        let keys = iter::once(key.clone()).chain(of_session);
        keys.filter_map(|key| publish::mode_of(&self.path(&key))).reduce(|one, other| one & other)
    }

    /// Syncs a file that this store does not hold: whatever was appended before it was let go.
    fn sync_unheld(&self, key: &Key) -> Result<()> {
        let path = self.path(key);
        self.info(key)?;
        // Windows syncs only what is open for writing.
        let opened = OpenOptions::new().read(true).append(cfg!(windows)).open(&path);
        let file = opened.map_err(|error| missing_or_failed(key, "cannot open", &path, &error))?;
        file.sync_data().and_then(|()| publish::sync_folder(&path)).map_err(|error| {
            let message = format!("{}: cannot sync: {error}", path.display());
            Error::new(ErrorKind::Poisoned, message).at_key(key)
        })
    }

    /// Removes what dead processes left beside `path`, the first time that something is put or
    /// staged there: reading a folder takes long where many objects are.
    fn sweep_once(&self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        if guard(&self.swept).insert(folder.to_owned()) {
            own::sweep(folder);
        }
    }

    /// Collects the keys under a folder. Whatever is not named like a key is none of ours.
    fn collect(
        &self,
        folder: &Path,
        parent: &str,
        prefix: &str,
        keys: &mut Vec<Key>,
    ) -> Result<()> {
        let cannot = |error: std::io::Error| failed("cannot list", folder, &error);
        for entry in fs::read_dir(folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(key) = Key::parse(format!("{parent}{name}")) else { continue };
            if entry.file_type().map_err(cannot)?.is_dir() {
                let parent = format!("{key}/");
                if parent.starts_with(prefix) || prefix.starts_with(&parent) {
                    self.collect(&entry.path(), &parent, prefix, keys)?;
                }
            } else if key.as_str().starts_with(prefix) {
                keys.push(key);
            }
        }
        Ok(())
    }
}
