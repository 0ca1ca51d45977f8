//! Who holds a lock: a process, told apart from every other one.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind as IoKind, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use turnkeep_core::store::{Holder, Key};
use turnkeep_core::{Error, ErrorKind};

use super::milliseconds;

/// After that long without a sign of life, another machine's lock is abandoned. Long beside the
/// differences between machines' clocks.
const SILENCE_MAX: Duration = Duration::from_secs(60 * 60);

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
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let pid = value["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        Ok(Some(Self {
            pid,
            start: text("start"),
            host: text("host"),
            since_ms: value["since_ms"].as_u64(),
            heartbeat_ms: file.metadata()?.modified().ok().and_then(milliseconds),
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
        start_of(self.pid).is_some_and(|start| start == self.start)
    }

    fn is_silent(&self) -> bool {
        self.heartbeat_ms.is_some_and(|heartbeat| since(heartbeat) > SILENCE_MAX)
    }

    fn is_this_process(&self) -> bool {
        let pid = std::process::id();
        self.pid == pid && self.host == host() && start_of(pid).as_ref() == Some(&self.start)
    }

    /// What a store tells of it; `None` for a lock that is nobody's.
    pub(super) fn into_holder(self, path: &Path) -> Option<Holder> {
        let (is_alive, is_self) = (self.is_alive(path), self.is_this_process());
        let Self { pid, start, host, heartbeat_ms, .. } = self;
        (!host.is_empty()).then_some(Holder { pid, host, start, heartbeat_ms, is_alive, is_self })
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

/// When a process started, in a form only good for comparing; `None`: there is no such process.
#[cfg(target_os = "linux")]
pub(super) fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Field 22; the name in field 2 may hold anything, so count from its closing parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn start_of(pid: u32) -> Option<String> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    rustix::process::test_kill_process(pid).ok().map(|()| String::new())
}

#[cfg(not(unix))]
pub(super) fn start_of(pid: u32) -> Option<String> {
    // The system's lock on the file alone tells.
    (pid == std::process::id()).then(String::new)
}

#[cfg(unix)]
pub(super) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
pub(super) fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
