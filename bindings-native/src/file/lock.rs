//! One writer per object, over processes and languages.
//!
//! A lock is a file beside the object, `.<name>.lock`, that says who holds it. It is made by a hard
//! link of a file already written, so it appears whole, and only where there is none: that works
//! from every language. On top of it this host keeps an OS lock on the file, which the system lets
//! go when a process dies, however it dies.
//!
//! A lock whose process is gone is taken over: renamed away, looked at once more, removed.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};

use turnkeep_core::store::Key;
use turnkeep_core::{Error, ErrorKind, Result};

use super::{failed, publish};

/// Takeovers tried before giving up.
const TRIES: u32 = 8;

/// An object's lock, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// Locked by the system as long as it is open.
    file: File,
    key: Key,
}

impl Lock {
    /// Takes an object's lock; `locked` where a living writer holds it.
    pub(super) fn acquire(object: &Path, key: &Key) -> Result<Self> {
        let name = object.file_name().unwrap_or_default().to_string_lossy();
        let path = object.with_file_name(format!(".{name}.lock"));
        let cannot = |error: io::Error| failed("cannot lock", object, &error).at_key(key);
        for _ in 0..TRIES {
            match make(&path) {
                Ok(file) => return Ok(Self { path, file, key: key.clone() }),
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
                Some(owner) => owner.bury(&path).map_err(cannot)?,
                None => {} // It was let go just now.
            }
        }
        Err(Error::new(ErrorKind::Locked, "other writers take the lock all the time").at_key(key))
    }

    /// Whether the lock is still this one's: someone may have taken it for abandoned.
    pub(super) fn check(&self) -> Result<()> {
        if is_same_file(&self.file, &self.path) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Locked, "another writer took this lock over").at_key(&self.key))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if is_same_file(&self.file, &self.path) {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Makes the lock's file, whole and locked, if there is none.
fn make(path: &Path) -> io::Result<File> {
    let own = publish::own_name(path, "new");
    let made = File::create_new(&own).and_then(|mut file| {
        file.write_all(Owner::this_process().to_json().as_bytes())?;
        file.lock()?;
        fs::hard_link(&own, path)?;
        Ok(file)
    });
    fs::remove_file(&own).ok();
    made
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    pid: u32,
    /// When that process started, so that a later one with the same number is not taken for it.
    start: String,
    host: String,
}

impl Owner {
    fn this_process() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_of(pid).unwrap_or_default(), host: host() }
    }

    fn to_json(&self) -> String {
        let Self { pid, start, host } = self;
        serde_json::json!({ "pid": pid, "start": start, "host": host }).to_string()
    }

    /// `None`: there is no lock. One that cannot be read is nobody's.
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let pid = value["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        Ok(Some(Self { pid, start: text("start"), host: text("host") }))
    }

    fn is_alive(&self, path: &Path) -> bool {
        let is_held = File::open(path).is_ok_and(|file| file.try_lock().is_err());
        if is_held || self.host != host() {
            // Of another machine's processes nothing is known.
            return is_held || !self.host.is_empty();
        }
        start_of(self.pid).is_some_and(|start| start == self.start)
    }

    fn locked(&self, key: &Key) -> Error {
        let who = if self.pid == std::process::id() {
            "another handle of this process".to_owned()
        } else {
            format!("process {} on {}", self.pid, self.host)
        };
        Error::new(ErrorKind::Locked, format!("{who} is writing to it")).at_key(key)
    }

    /// Removes the lock of a process that is gone. Whoever renames it first has it; what was
    /// renamed is looked at once more, because another writer may have been faster.
    fn bury(&self, path: &Path) -> io::Result<()> {
        let aside = publish::own_name(path, "old");
        match fs::rename(path, &aside) {
            Err(error) if error.kind() == IoKind::NotFound => return Ok(()),
            renamed => renamed?,
        }
        if Self::read(&aside)?.as_ref() != Some(self) {
            fs::hard_link(&aside, path).ok();
        }
        fs::remove_file(&aside)
    }
}

/// When a process started, in a form only good for comparing; `None`: there is no such process.
#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Field 22; the name in field 2 may hold anything, so count from its closing parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn start_of(pid: u32) -> Option<String> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    rustix::process::test_kill_process(pid).ok().map(|()| String::new())
}

#[cfg(not(unix))]
fn start_of(pid: u32) -> Option<String> {
    // The system's lock on the file alone tells.
    (pid == std::process::id()).then(String::new)
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
