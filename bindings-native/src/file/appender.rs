//! Appending to files, each under its lock.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use turnkeep_core::store::{After, Durability, Info, Key};
use turnkeep_core::{Error, ErrorKind, Result};

use super::lock::{Lock, is_same_file};
use super::reading::info_of;
use super::syncs::Syncs;
use super::{failed, guard, is_out_of_files, publish};
use crate::memory::{check_after, conflict};

/// Files held for appending at once; the one unused for longest is let go for another.
const HELD_MAX: usize = 256;
/// How many are let go for another where no more files can be opened.
const LET_GO: usize = 4;

/// No object needs as many files open at once: its own, its lock, a folder.
const OPENED_MAX: usize = 4;

/// The files this store holds for appending. Each has a mutex of its own, so that who writes to one
/// waits for nobody who writes to another; and nobody waits for a sync but those who want it.
#[derive(Debug, Default)]
pub(super) struct Appenders(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    slots: HashMap<Key, (Slot, u64)>,
    uses: u64,
}

/// A file, once it is held.
type Slot = Arc<Mutex<Option<Appender>>>;

impl Appenders {
    pub(super) fn append(
        &self,
        path: &Path,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        let (info, file) = self.alone(key, |held| {
            let appender = match held {
                Some(appender) => appender,
                None => {
                    let may_create = after.at + after.torn == 0;
                    let open = || Appender::open(path, key, may_create);
                    held.insert(self.with_room(path, open)?)
                }
            };
            let file = appender.file.clone();
            let appended = appender.append(key, bytes, after);
            if appended.is_err() && (appender.is_new || !appender.has_its_name()) {
                *held = None;
            }
            Ok((appended?, file))
        })?;
        if durability == Durability::Disk {
            file.sync(key)?;
        }
        Ok(info)
    }

    /// Does what opens files beside `path`; where no more can be opened, others are let go for it.
    pub(super) fn with_room<T>(&self, path: &Path, run: impl Fn() -> Result<T>) -> Result<T> {
        loop {
            match run() {
                Err(error) if error.is_retryable() && path.parent().is_some_and(lacks_room) => {
                    if !guard(&self.0).let_go(LET_GO) {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    /// Makes all that was appended to an object durable; `None` where it is not held.
    pub(super) fn sync(&self, key: &Key) -> Option<Result<()>> {
        Some(self.file(key)?.sync(key))
    }

    /// Shows a sign of life; `None` where the object is not held.
    pub(super) fn heartbeat(&self, key: &Key) -> Option<Result<()>> {
        let slot = self.existing(key)?;
        guard(&slot).as_mut().map(|appender| {
            appender.lock.check()?;
            appender.lock.show_life();
            Ok(())
        })
    }

    /// Lets go of a file.
    pub(super) fn release(&self, key: &Key) {
        if let Some(slot) = self.existing(key) {
            *guard(&slot) = None;
            guard(&self.0).tidy(key, slot);
        }
    }

    /// Runs something while no other thread of this store writes to the object.
    pub(super) fn alone<T>(
        &self,
        key: &Key,
        run: impl FnOnce(&mut Option<Appender>) -> Result<T>,
    ) -> Result<T> {
        let slot = guard(&self.0).slot(key);
        let mut held = guard(&slot);
        let result = run(&mut held);
        let is_empty = held.is_none();
        drop(held);
        if is_empty {
            guard(&self.0).tidy(key, slot);
        }
        result
    }

    fn file(&self, key: &Key) -> Option<Arc<Synced>> {
        let slot = self.existing(key)?;
        guard(&slot).as_ref().map(|appender| appender.file.clone())
    }

    fn existing(&self, key: &Key) -> Option<Slot> {
        guard(&self.0).slots.get(key).map(|(slot, _)| slot.clone())
    }
}

#[cfg(test)]
impl Appenders {
    pub(super) fn syncs_started(&self, key: &Key) -> u64 {
        self.file(key).expect("it is held").syncs.started()
    }

    /// Puts another sync in place of the system's.
    pub(super) fn sync_with(&self, key: &Key, sync: impl FnOnce() -> io::Result<()>) {
        self.file(key).expect("it is held").syncs.join(sync).expect("a sync");
    }

    pub(super) fn held(&self) -> usize {
        guard(&self.0).slots.len()
    }
}

impl Slots {
    fn slot(&mut self, key: &Key) -> Slot {
        self.uses += 1;
        if let Some((slot, last_use)) = self.slots.get_mut(key) {
            *last_use = self.uses;
            return slot.clone();
        }
        if self.slots.len() >= HELD_MAX {
            self.let_go(1);
        }
        let slot = Slot::default();
        self.slots.insert(key.clone(), (slot.clone(), self.uses));
        slot
    }

    /// Forgets a file that is not held, unless another thread is about to use its slot.
    fn tidy(&mut self, key: &Key, slot: Slot) {
        let is_free = Arc::strong_count(&slot) == 2 && guard(&slot).is_none();
        // Given up while the others wait, so that the last of several sees that it is the last.
        drop(slot);
        if is_free {
            self.slots.remove(key);
        }
    }

    /// Lets go of those unused for longest; whether there were any.
    fn let_go(&mut self, count: usize) -> bool {
        let idle = self.slots.iter().filter(|(_, (slot, _))| is_idle(slot));
        let mut idle: Vec<_> = idle.map(|(key, (_, last_use))| (*last_use, key.clone())).collect();
        idle.sort_unstable();
        for (_, key) in idle.iter().take(count) {
            self.slots.remove(key);
        }
        !idle.is_empty()
    }
}

/// Whether so few more files can be opened that an object may be one too many. What failed has closed
/// its own again, so one that opens proves nothing.
fn lacks_room(folder: &Path) -> bool {
    let opened: Vec<_> = (0..OPENED_MAX).map(|_| File::open(folder)).collect();
    opened.iter().any(|file| file.as_ref().is_err_and(is_out_of_files))
}

/// Whether nobody uses it just now. What is poisoned stays so until it is released.
fn is_idle(slot: &Slot) -> bool {
    let is_sound = |held: &Appender| held.file.syncs.failure().is_none();
    Arc::strong_count(slot) == 1 && guard(slot).as_ref().is_none_or(is_sound)
}

/// A file held for appending.
#[derive(Debug)]
pub(super) struct Appender {
    file: Arc<Synced>,
    lock: Lock,
    /// Nothing was written to it yet.
    is_new: bool,
}

impl Appender {
    fn open(path: &Path, key: &Key, may_create: bool) -> Result<Self> {
        let cannot = |error: io::Error| failed("cannot open", path, &error).at_key(key);
        if may_create && let Some(folder) = path.parent() {
            publish::make_folder(folder).map_err(cannot)?;
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
        let file = Arc::new(Synced::new(file, path));
        Ok(Self { file, lock, is_new })
    }

    fn append(&mut self, key: &Key, bytes: &[u8], after: &After) -> Result<Info> {
        if let Some(failure) = self.file.syncs.failure() {
            return Err(self.file.poisoned(key, &failure));
        }
        self.lock.check()?;
        if !self.has_its_name() {
            let message = "its file was removed or replaced while this process wrote to it";
            return Err(conflict(key, message));
        }
        self.lock.show_life();
        let path = &self.file.path;
        let cannot = |error: io::Error| failed("cannot append to", path, &error).at_key(key);
        let length = self.file.file.metadata().map_err(cannot)?.len();
        let mark = self.file.part(after.mark_at, after.mark.len()).map_err(cannot)?;
        let torn = self.file.part(after.at, after.torn_start.len()).map_err(cannot)?;
        check_after(key, after, length, &mark, &torn)?;
        if let Err(error) = self.file.write(bytes, after.at, after.torn) {
            if self.is_new {
                std::fs::remove_file(path).ok();
            }
            return Err(cannot(error));
        }
        self.is_new = false;
        Ok(info_of(&self.file.file.metadata().map_err(cannot)?))
    }

    /// Whether what is appended can be read again: locks keep out other writers, not `rm` and `mv`.
    fn has_its_name(&self) -> bool {
        is_same_file(&self.file.file, &self.file.path)
    }

    /// Closes the file but keeps its lock.
    pub(super) fn into_lock(self) -> Lock {
        self.lock
    }
}

/// A file whose syncs are shared. It outlives its appender while somebody waits for one.
#[derive(Debug)]
struct Synced {
    file: File,
    path: PathBuf,
    syncs: Syncs,
    /// Not known of a file that was there: whoever made it may not have synced it.
    is_name_synced: AtomicBool,
}

impl Synced {
    fn new(file: File, path: &Path) -> Self {
        let is_name_synced = AtomicBool::new(false);
        Self { file, path: path.to_owned(), syncs: Syncs::default(), is_name_synced }
    }

    /// Writes after the first `at` bytes, in place of the `torn` ones there are: all or nothing.
    fn write(&self, bytes: &[u8], at: u64, torn: u64) -> io::Result<()> {
        let cut = self.cut(at, torn)?;
        let Err(error) = (&self.file).write_all(bytes) else { return Ok(()) };
        // Back to what it was, so that a half-written line is never seen.
        let undone = self.file.set_len(at).and_then(|()| (&self.file).write_all(&cut));
        if let Err(undoing) = undone {
            self.syncs.poison(format!("a write failed and could not be undone: {undoing}"));
        }
        Err(error)
    }

    /// So many bytes of it, or fewer at its end.
    fn part(&self, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        if bytes > 0 {
            (&self.file).seek(SeekFrom::Start(at))?;
            (&self.file).take(bytes as u64).read_to_end(&mut part)?;
        }
        Ok(part)
    }

    /// Cuts off what follows the first `at` bytes, and gives it.
    fn cut(&self, at: u64, torn: u64) -> io::Result<Vec<u8>> {
        let mut cut = Vec::new();
        if torn > 0 {
            (&self.file).seek(SeekFrom::Start(at))?;
            (&self.file).take(torn).read_to_end(&mut cut)?;
            self.file.set_len(at)?;
        }
        Ok(cut)
    }

    /// Makes all that was written before this call durable.
    fn sync(&self, key: &Key) -> Result<()> {
        let synced = self.syncs.join(|| {
            self.file.sync_data()?;
            if !self.is_name_synced.load(Ordering::Relaxed) {
                publish::sync_folder(&self.path)?;
                self.is_name_synced.store(true, Ordering::Relaxed);
            }
            Ok(())
        });
        synced.map_err(|failure| self.poisoned(key, &failure))
    }

    fn poisoned(&self, key: &Key, failure: &str) -> Error {
        let message = format!("{}: {failure}", self.path.display());
        Error::new(ErrorKind::Poisoned, message).at_key(key)
    }
}
