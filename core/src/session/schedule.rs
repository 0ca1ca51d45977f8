//! Sweeping again and again: when it is due, and one process at a time.

use alloc::format;
use alloc::string::String;

use super::Task;
use super::sweep::{Policy, Sweep, run};
use crate::entry::utf8;
use crate::field;
use crate::json::Object;
use crate::limits::SWEEP_NOTE_BYTES_MAX;
use crate::store::{Condition, Key};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result};

/// How long a sweep that shows no sign of life keeps others from sweeping, in milliseconds.
const LEASE_MS: u64 = 300_000;

/// What came of looking whether a sweep is due.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scheduled {
    /// What was done, if it was.
    pub sweep: Option<Sweep>,
    /// When to look again, in milliseconds from now.
    pub wait_ms: u64,
}

/// Sweeps a store if the last sweep, of whatever process, ended at least `every_ms` milliseconds
/// ago, and says when to look again: with up to a tenth of that time at random on top, so that
/// several processes do not all look at once.
#[must_use]
pub fn sweep_if_due(policy: Policy, every_ms: u64) -> Task<Scheduled> {
    Task::new(async move |io: Io| -> Result<Scheduled> {
        let stamp = io.stamp(8).await?;
        let random = stamp.random.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let jitter_ms = random % (every_ms / 10).max(1);
        let note = Note::read(&io).await?.map(|(note, _)| note).unwrap_or_default();
        // One that ended in the future was told by a clock that ran ahead: it says nothing.
        let finished_ms = note.finished_ms.filter(|finished| *finished <= stamp.now_ms);
        let due_ms = finished_ms.map_or(0, |finished| finished.saturating_add(every_ms));
        let wait_ms = due_ms.saturating_sub(stamp.now_ms);
        if wait_ms > 0 {
            return Ok(Scheduled { sweep: None, wait_ms: wait_ms.saturating_add(jitter_ms) });
        }
        let mut lease = match Lease::take(&io).await {
            Err(error) if error.kind() == ErrorKind::Locked => {
                let wait_ms = every_ms.min(LEASE_MS) + jitter_ms;
                return Ok(Scheduled { sweep: None, wait_ms });
            }
            lease => lease?,
        };
        let swept = run(&io, &policy, Some(&mut lease)).await;
        lease.end(&io, swept.is_ok()).await?;
        Ok(Scheduled { sweep: Some(swept?), wait_ms: every_ms.saturating_add(jitter_ms) })
    })
}

/// What is noted of the last sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Note {
    /// Until when others wait for it.
    until_ms: u64,
    finished_ms: Option<u64>,
}

impl Note {
    async fn read(io: &Io) -> Result<Option<(Self, String)>> {
        let key = Key::sweep();
        let Some(object) = found(io.get(&key, Some(0..SWEEP_NOTE_BYTES_MAX as u64)).await)? else {
            return Ok(None);
        };
        // One that cannot be read says nothing, and is written anew.
        Ok(Some((Self::from_json(&object.bytes).unwrap_or_default(), object.info.version)))
    }

    fn from_json(json: &[u8]) -> Option<Self> {
        let object = Object::of(utf8(json).ok()?.trim_end_matches('\n'))?;
        let count = |name| object.get(name).and_then(field::count);
        Some(Self { until_ms: count("until")?, finished_ms: count("finished") })
    }

    fn to_json(&self) -> String {
        let finished = self.finished_ms.map_or("null".into(), |ms| format!("{ms}"));
        format!("{{\"version\":1,\"until\":{},\"finished\":{finished}}}\n", self.until_ms)
    }

    async fn put(&self, io: &Io, condition: Condition) -> Result<String> {
        let json = self.to_json().into_bytes();
        Ok(io.put(&Key::sweep(), json, condition).await?.version)
    }
}

/// The right to sweep a store: others wait while it is kept, and for some time after a crash.
pub(super) struct Lease {
    note: Note,
    version: String,
}

impl Lease {
    pub(super) async fn take(io: &Io) -> Result<Self> {
        let now_ms = io.stamp(0).await?.now_ms;
        let noted = Note::read(io).await?;
        let busy = || {
            let message = "another sweep of this store is under way";
            Error::new(ErrorKind::Locked, message).retryable().at_key(&Key::sweep())
        };
        let (note, condition) = match noted {
            // One that claims more than a lease was written by a clock that ran ahead.
            Some((note, _)) if (now_ms..now_ms + LEASE_MS + 1).contains(&note.until_ms) => {
                return Err(busy());
            }
            Some((note, version)) => (note, Condition::Version(version)),
            None => (Note::default(), Condition::Absent),
        };
        let note = Note { until_ms: now_ms + LEASE_MS, ..note };
        let taken = note.put(io, condition).await.map_err(|error| match error.kind() {
            ErrorKind::Conflict | ErrorKind::AlreadyExists => busy(),
            _ => error,
        });
        Ok(Self { note, version: taken? })
    }

    /// Shows a sign of life now and then.
    pub(super) async fn keep(&mut self, io: &Io) -> Result<()> {
        let now_ms = io.stamp(0).await?.now_ms;
        if self.note.until_ms.saturating_sub(now_ms) < LEASE_MS / 2 {
            self.note.until_ms = now_ms + LEASE_MS;
            let version = core::mem::take(&mut self.version);
            self.version = self.note.put(io, Condition::Version(version)).await?;
        }
        Ok(())
    }

    /// Lets others sweep: at once where this one did not come to its end.
    pub(super) async fn end(mut self, io: &Io, is_finished: bool) -> Result<()> {
        let now_ms = io.stamp(0).await?.now_ms;
        self.note.until_ms = 0;
        if is_finished && !io.is_stopping() {
            self.note.finished_ms = Some(now_ms);
        }
        match self.note.put(io, Condition::Version(self.version)).await {
            // Another took over, and tells of its own.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            ended => ended.map(|_| ()),
        }
    }
}
