//! Appending to files, each under its lock.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use turnkeep_core::store::{Durability, Info, Key};
use turnkeep_core::{Error, ErrorKind, Result};

use super::lock::Lock;
use super::{failed, info_of, publish};
use crate::memory::conflict;

/// Files held for appending at once; the one unused for longest is let go for another.
const HELD_MAX: usize = 256;

/// The files this store holds for appending.
#[derive(Debug, Default)]
pub(super) struct Appenders {
    held: HashMap<Key, Appender>,
    uses: u64,
}

impl Appenders {
    pub(super) fn append(
        &mut self,
        path: &Path,
        key: &Key,
        bytes: &[u8],
        at: (u64, u64),
        durability: Durability,
    ) -> Result<Info> {
        self.uses += 1;
        if !self.held.contains_key(key) {
            self.make_room();
            let appender = Appender::open(path, key, at.0 + at.1 == 0)?;
            self.held.insert(key.clone(), appender);
        }
        let Some(appender) = self.held.get_mut(key) else {
            return Err(Error::new(ErrorKind::StoreFailed, "the file was let go"));
        };
        appender.last_use = self.uses;
        let appended = appender.append(path, key, bytes, at, durability);
        if appended.is_err() && appender.is_new {
            self.held.remove(key);
        }
        appended
    }

    /// Lets go of a file.
    pub(super) fn take(&mut self, key: &Key) -> Option<Appender> {
        self.held.remove(key)
    }

    fn make_room(&mut self) {
        if self.held.len() < HELD_MAX {
            return;
        }
        let oldest = self.held.iter().min_by_key(|(_, appender)| appender.last_use);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.held.remove(&key);
        }
    }
}

/// A file held for appending.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    lock: Lock,
    /// Nothing was written to it yet, and its name may not be durable.
    is_new: bool,
    is_name_synced: bool,
    is_poisoned: bool,
    last_use: u64,
}

impl Appender {
    fn open(path: &Path, key: &Key, may_create: bool) -> Result<Self> {
        let cannot = |error: io::Error| failed("cannot open", path, &error);
        if may_create && let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        let missing = || conflict(key, "the object has 0 bytes");
        let lock = Lock::acquire(path, key).map_err(|error| match error.kind() {
            ErrorKind::NotFound => missing(),
            _ => error,
        })?;
        let mut options = OpenOptions::new();
        options.append(true).read(true);
        let (file, is_new) = match options.open(path) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_create => {
                (options.create_new(true).open(path).map_err(cannot)?, true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(missing());
            }
            Err(error) => return Err(cannot(error)),
        };
        let is_name_synced = !is_new;
        Ok(Self { file, lock, is_new, is_name_synced, is_poisoned: false, last_use: 0 })
    }

    fn append(
        &mut self,
        path: &Path,
        key: &Key,
        bytes: &[u8],
        (at, torn): (u64, u64),
        durability: Durability,
    ) -> Result<Info> {
        let poisoned = |message: &str| Error::new(ErrorKind::Poisoned, message).at_key(key);
        if self.is_poisoned {
            return Err(poisoned("an earlier write to this file could not be made whole"));
        }
        self.lock.check()?;
        let cannot = |error: io::Error| failed("cannot append to", path, &error);
        let length = self.file.metadata().map_err(cannot)?.len();
        if length != at + torn {
            return Err(conflict(
                key,
                &format!("the object has {length} bytes, not {}", at + torn),
            ));
        }
        if torn > 0 {
            self.file.set_len(at).map_err(cannot)?;
        }
        if let Err(error) = self.file.write_all(bytes) {
            // Back to what it was, so that a half-written line is never seen.
            self.is_poisoned = self.file.set_len(at).is_err();
            if self.is_new {
                std::fs::remove_file(path).ok();
            }
            return Err(cannot(error).at_key(key));
        }
        self.is_new = false;
        if durability == Durability::Disk
            && let Err(error) = self.sync(path)
        {
            // What the disk holds now is unknown, and a second sync may lie.
            self.is_poisoned = true;
            return Err(poisoned(&format!("cannot sync {}: {error}", path.display())));
        }
        Ok(info_of(&self.file.metadata().map_err(cannot)?))
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.is_name_synced {
            publish::sync_folder(path)?;
            self.is_name_synced = true;
        }
        Ok(())
    }

    /// Closes the file but keeps its lock.
    pub(super) fn into_lock(self) -> Lock {
        self.lock
    }
}
