//! Who holds a lock: a process, told apart from every other one.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind as IoKind, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use turnkeep_core::store::{Holder, Key};
use turnkeep_core::{Error, ErrorKind};

use super::{milliseconds, reading};

/// After that long without a sign of life, another machine's lock is abandoned. Long beside the
/// differences between machines' clocks.
const SILENCE_MAX: Duration = Duration::from_secs(60 * 60);

/// More of a lock's file is not read: none says so much.
const LOCK_BYTES_MAX: u64 = 64 << 10;
/// What Windows answers who reads what another has locked.
const LOCK_VIOLATION: i32 = 33;

/// Who holds a lock, as its file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pid: u32,
    /// When that process started, so that a later one with the same number is not taken for it.
    start: String,
    host: String,
    /// When it took the lock. Older locks do not say.
    since_ms: Option<u64>,
    /// When the file was last written or touched.
    heartbeat_ms: Option<u64>,
}

impl Owner {
    /// What the lock's file says of this process.
    pub(super) fn this_process_as_json() -> String {
        let pid = std::process::id();
        serde_json::json!({
            "pid": pid,
            "start": start_of(pid).unwrap_or_default(),
            "host": host(),
            "since_ms": milliseconds(SystemTime::now()),
        })
        .to_string()
    }

    /// `None`: there is no lock. One that cannot be read is nobody's.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let (file, metadata) = match reading::open(path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Err(io::Error::other("its lock is no file")),
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        match file.take(LOCK_BYTES_MAX).read_to_end(&mut text) {
            // On Windows nobody else can read what its owner has locked.
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(LOCK_VIOLATION) => {}
            read => _ = read?,
        }
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let pid = value["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        Ok(Some(Self {
            pid,
            start: text("start"),
            host: text("host"),
            since_ms: value["since_ms"].as_u64(),
            heartbeat_ms: metadata.modified().ok().and_then(milliseconds),
        }))
    }

    /// Whether the owner of the lock in that file is alive, as far as can be told from here.
    pub(super) fn is_alive(&self, path: &Path) -> bool {
        // A shared lock, so that several who look at once do not take each other for the owner.
        let looked = File::open(path).map(|file| file.try_lock_shared());
        if matches!(looked, Ok(Err(TryLockError::WouldBlock))) {
            return true;
        }
        if self.host != host() {
            // Of another machine's processes nothing is known but their signs of life.
            return !self.host.is_empty() && !self.is_silent();
        }
        is_running(self.pid, &self.start)
    }

    fn is_silent(&self) -> bool {
        let now = milliseconds(SystemTime::now()).unwrap_or_default();
        // One that far ahead is not of a clock that anyone lives by.
        let distance = |heartbeat| Duration::from_millis(now.abs_diff(heartbeat));
        self.heartbeat_ms.is_some_and(|heartbeat| distance(heartbeat) > SILENCE_MAX)
    }

    fn is_this_process(&self) -> bool {
        let pid = std::process::id();
        self.pid == pid
            && self.host == host()
            && start_of(pid).is_ok_and(|start| start == self.start)
    }

    /// What a store tells of it; `None` for a lock that is nobody's.
    pub(super) fn into_holder(self, path: &Path) -> Option<Holder> {
        let (is_alive, is_self) = (self.is_alive(path), self.is_this_process());
        let Self { pid, start, host, heartbeat_ms, .. } = self;
        (is_alive || !host.is_empty()).then_some(Holder {
            pid,
            host,
            start,
            heartbeat_ms,
            is_alive,
            is_self,
        })
    }

    /// The error of those who want what it holds.
    pub(super) fn locked(&self, key: &Key) -> Error {
        let who = if self.is_this_process() {
            "another handle of this process".to_owned()
        } else {
            format!("process {} on {}", self.pid, self.host)
        };
        let held = self.since_ms.map(|then| format!("held for {}", span(since(then))));
        let life = self.heartbeat_ms.map(|then| {
            let span = span(since(then));
            format!("last sign of life {span} ago")
        });
        let times = [held, life].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let message = format!("{who} is writing to it ({times})");
        Error::new(ErrorKind::Locked, message).at_key(key)
    }
}

/// How long ago a time was; nothing for one to come.
fn since(then_ms: u64) -> Duration {
    let now = milliseconds(SystemTime::now()).unwrap_or_default();
    Duration::from_millis(now.saturating_sub(then_ms))
}

/// In one unit that says enough.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}

/// Whether a process is there, and none that has its number since. One that cannot be looked at is.
pub(super) fn is_running(pid: u32, start: &str) -> bool {
    match start_of(pid) {
        Ok(found) => found == start,
        Err(error) => !is_missing(&error),
    }
}

/// Whether that says that there is no such process.
fn is_missing(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_gone = error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error());
    #[cfg(not(unix))]
    let is_gone = false;
    is_gone || error.kind() == IoKind::NotFound
}

/// When a process started, in a form only good for comparing.
#[cfg(target_os = "linux")]
pub(super) fn start_of(pid: u32) -> io::Result<String> {
    start_in(&std::fs::read(format!("/proc/{pid}/stat"))?).ok_or(IoKind::InvalidData.into())
}

/// Field 22; the name in field 2 may hold anything, even half a letter, so count from its closing
/// parenthesis.
#[cfg(target_os = "linux")]
fn start_in(stat: &[u8]) -> Option<String> {
    let fields = stat.rsplit(|byte| *byte == b')').next()?;
    let start = fields.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).nth(19)?;
    String::from_utf8(start.to_vec()).ok()
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn start_of(pid: u32) -> io::Result<String> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::test_kill_process(pid.ok_or(IoKind::NotFound)?)?;
    Ok(String::new())
}

#[cfg(not(unix))]
pub(super) fn start_of(pid: u32) -> io::Result<String> {
    // The system's lock on the file alone tells.
    if pid == std::process::id() { Ok(String::new()) } else { Err(IoKind::NotFound.into()) }
}

#[cfg(unix)]
pub(super) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
pub(super) fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Linux cuts a name after 15 bytes, wherever that is.
    #[test]
    fn a_process_whose_name_ends_within_a_letter_is_told_apart() {
        let stat = b"7 (a) b \xc3) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 2560 1";
        assert_eq!(start_in(stat).as_deref(), Some("4711"));
        let pid = std::process::id();
        assert!(is_running(pid, &start_of(pid).expect("its start")));
        assert!(!is_running(pid, "4711"), "another one had its number");
    }

    #[test]
    fn only_a_process_that_is_missing_is_gone() {
        assert!(is_missing(&IoKind::NotFound.into()));
        assert!(is_missing(&rustix::io::Errno::SRCH.into()));
        // Another user's, on systems that let nobody look at those.
        assert!(!is_missing(&rustix::io::Errno::PERM.into()));
        assert!(!is_missing(&rustix::io::Errno::MFILE.into()));
    }
}
