//! One writer per object, over processes and languages.
//!
//! A lock is a file beside the object, `.<name>.lock`, that says who holds it. It is made by a hard
//! link of a file already written, so it appears whole, and only where there is none: that works
//! from every language. On top of it this host keeps an OS lock on the file, which the system lets
//! go when a process dies, however it dies.
//!
//! A lock whose process is gone is taken over: looked at once more and removed, by one at a time.
//! Whether a process of another machine is gone only its signs of life tell: the file's time of
//! change.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use turnkeep_core::store::{Holder, Key};
use turnkeep_core::{Error, ErrorKind, Result};

use super::owner::Owner;
use super::{failed, own};

/// Takeovers tried before giving up.
const TRIES: u32 = 8;
/// Signs of life are no closer to each other than that.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// An object's lock, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// Locked by the system as long as it is open.
    file: File,
    key: Key,
    /// When it last showed a sign of life.
    shown: Instant,
}

impl Lock {
    /// Takes an object's lock; `locked` where a living writer holds it.
    pub(super) fn acquire(object: &Path, key: &Key) -> Result<Self> {
        let path = path_of(object);
        let cannot = |error: io::Error| failed("cannot lock", object, &error).at_key(key);
        for _ in 0..TRIES {
            match make(&path) {
                Ok(file) => return Ok(Self::new(path, file, key)),
                Err(error) if error.kind() == IoKind::AlreadyExists => {}
                Err(error) if error.kind() == IoKind::NotFound => {
                    return Err(
                        Error::new(ErrorKind::NotFound, "there is no such object").at_key(key)
                    );
                }
                Err(error) => return Err(cannot(error)),
            }
            match Owner::read(&path).map_err(cannot)? {
                Some(owner) if owner.is_alive(&path) => return Err(owner.locked(key)),
                Some(owner) => bury(&path, &owner).map_err(cannot)?,
                None => {} // It was let go just now.
            }
        }
        Err(Error::new(ErrorKind::Locked, "other writers take the lock all the time").at_key(key))
    }

    fn new(path: PathBuf, file: File, key: &Key) -> Self {
        Self { path, file, key: key.clone(), shown: Instant::now() }
    }

    /// Who holds an object's lock.
    pub(super) fn holder(object: &Path) -> io::Result<Option<Holder>> {
        let path = path_of(object);
        Ok(Owner::read(&path)?.and_then(|owner| owner.into_holder(&path)))
    }

    /// Whether the lock is still this one's: someone may have taken it for abandoned.
    pub(super) fn check(&self) -> Result<()> {
        if is_same_file(&self.file, &self.path) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Locked, "another writer took this lock over").at_key(&self.key))
    }

    /// Shows a sign of life, if there was none for some time.
    pub(super) fn show_life(&mut self) {
        if self.shown.elapsed() >= HEARTBEAT {
            // Where it fails, so will what the lock is held for, and say why.
            self.file.set_modified(SystemTime::now()).ok();
            self.shown = Instant::now();
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if is_same_file(&self.file, &self.path) {
            fs::remove_file(&self.path).ok();
        }
    }
}

fn path_of(object: &Path) -> PathBuf {
    let name = object.file_name().unwrap_or_default().to_string_lossy();
    object.with_file_name(format!(".{name}.lock"))
}

/// Makes the lock's file, whole and locked, if there is none.
fn make(path: &Path) -> io::Result<File> {
    let own = own::name(path, "new");
    let made = File::create_new(&own).and_then(|mut file| {
        file.write_all(Owner::this_process_as_json().as_bytes())?;
        file.lock()?;
        fs::hard_link(&own, path)?;
        Ok(file)
    });
    fs::remove_file(&own).ok();
    made
}

/// Whether that name is still the open file's.
#[cfg(unix)]
pub(super) fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(super) fn is_same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Removes an abandoned lock. Only one process at a time may, under a lock of its own: so between
/// the second look and the removal it cannot become a living writer's.
fn bury(path: &Path, owner: &Owner) -> io::Result<()> {
    let mut right = path.as_os_str().to_owned();
    right.push("-bury");
    let right = PathBuf::from(right);
    match make(&right) {
        Ok(_held) => {
            let removed = Owner::read(path).and_then(|found| {
                let is_still = found.as_ref() == Some(owner) && !owner.is_alive(path);
                if is_still { fs::remove_file(path) } else { Ok(()) }
            });
            fs::remove_file(&right).ok();
            removed
        }
        Err(error) if error.kind() == IoKind::AlreadyExists => match Owner::read(&right)? {
            Some(other) if !other.is_alive(&right) => set_aside(&right, &other),
            _ => {
                // Whoever is at it needs but a moment.
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            }
        },
        Err(error) => Err(error),
    }
}

/// Removes the right to bury of a process that died at it. Whoever renames it first has it; what
/// was renamed is looked at once more, because another one may have been faster.
fn set_aside(path: &Path, owner: &Owner) -> io::Result<()> {
    let aside = own::name(path, "old");
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == IoKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    if Owner::read(&aside)?.as_ref() != Some(owner) {
        fs::hard_link(&aside, path).ok();
    }
    fs::remove_file(&aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_to_bury_is_let_go_where_the_lock_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".a.lock");
        fs::write(&path, "{}").expect("a lock");
        let owner = Owner::read(&path).expect("a lock").expect("an owner");
        fs::remove_file(&path).expect("a lock");
        fs::create_dir(&path).expect("a folder in its place");
        bury(&path, &owner).expect_err("it cannot be read");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn signs_of_life_are_shown_from_time_to_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::parse("a").expect("a key");
        let mut lock = Lock::acquire(&folder.path().join("a"), &key).expect("a lock");
        lock.file.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
        let age = |lock: &Lock| {
            let shown = fs::metadata(&lock.path).and_then(|metadata| metadata.modified());
            shown.expect("a time").elapsed().unwrap_or_default()
        };
        lock.show_life();
        assert!(age(&lock) > HEARTBEAT, "one was shown just now");
        lock.shown -= HEARTBEAT;
        lock.show_life();
        assert!(age(&lock) < HEARTBEAT);
    }
}
