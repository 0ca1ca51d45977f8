//! What a store holds of each session, from its listing alone.

use alloc::vec::Vec;

use super::tier::is_claimed;
use super::{Form, Listed, Task};
use crate::store::{Info, Key, Part};
use crate::task::Io;
use crate::{Result, SessionId};

/// Objects a listing asks for at once. A store that gives fewer says that more follow; one that looks
/// through a directory each time should not have to do so often.
const LIST_LIMIT: u32 = 100_000;

/// Every object of a store, in order of their keys.
pub(super) async fn all_objects(io: &Io) -> Result<Vec<(Key, Info)>> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let listing = io.list("", after, LIST_LIMIT).await?;
        let last = listing.objects.last().map(|(key, _)| key.clone());
        all.extend(listing.objects);
        if !listing.more || last.is_none() {
            return Ok(all);
        }
        after = last;
    }
}

/// What a store holds of a session.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) id: SessionId,
    pub(super) log: Option<Info>,
    pub(super) archive: Option<Info>,
    pub(super) has_about: bool,
    pub(super) has_recovery: bool,
    /// Bytes of what is beside the log.
    beside: u64,
}

impl Held {
    fn new(id: SessionId) -> Self {
        let (log, archive) = (None, None);
        Self { id, log, archive, has_about: false, has_recovery: false, beside: 0 }
    }

    fn add(&mut self, part: Part, info: Info) {
        match part {
            Part::Log => self.log = Some(info),
            Part::Archive => self.archive = Some(info),
            Part::About | Part::Recovery | Part::Trace | Part::Retention => {
                self.has_about |= part == Part::About;
                self.has_recovery |= part == Part::Recovery;
                self.beside = self.beside.saturating_add(info.bytes);
            }
        }
    }

    /// Whether it is archived, and nothing came after.
    pub(super) fn is_archived(&self) -> bool {
        self.archive.is_some() && self.log.is_none()
    }

    /// Its log became an archive of that length.
    pub(super) fn take_archived(&mut self, archive_bytes: u64) {
        self.log = None;
        self.archive = Some(Info { bytes: archive_bytes, ..Info::default() });
    }

    pub(super) fn listed(&self) -> Listed {
        let form = if self.is_archived() { Form::Archived } else { Form::Live };
        let written = self.log.as_ref().or(self.archive.as_ref());
        let modified_ms = written.and_then(|info| info.modified_ms);
        Listed { id: self.id.clone(), form, stored_bytes: self.bytes(), modified_ms }
    }

    fn live_bytes(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.bytes)
    }

    pub(super) fn archive_bytes(&self) -> u64 {
        self.archive.as_ref().map_or(0, |archive| archive.bytes)
    }

    /// Of its log and its archive.
    pub(super) fn bytes(&self) -> u64 {
        self.live_bytes() + self.archive_bytes()
    }
}

/// Every session of a store that has a log or an archive, in order of their encoded ids.
pub(super) async fn inventory(io: &Io) -> Result<Vec<Held>> {
    let mut all = Vec::<Held>::new();
    for (key, info) in all_objects(io).await? {
        let Some((id, part)) = key.session() else { continue };
        if part == Part::Log && is_claimed(io, &key, &info).await? {
            continue;
        }
        if all.last().is_none_or(|last| last.id != id) {
            all.push(Held::new(id));
        }
        if let Some(last) = all.last_mut() {
            last.add(part, info);
        }
    }
    all.retain(|held| held.log.is_some() || held.archive.is_some());
    Ok(all)
}

/// The room that sessions take.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct StoreUsage {
    /// Each session, in order of their encoded ids.
    pub sessions: Vec<SessionUsage>,
    /// All of them together.
    pub total: UsedBytes,
}

/// The room that a session takes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SessionUsage {
    /// Its id.
    pub id: SessionId,
    /// Live or archived.
    pub form: Form,
    /// When its log or archive was last written, in milliseconds since 1970, where the store knows.
    pub modified_ms: Option<u64>,
    /// Its bytes.
    pub bytes: UsedBytes,
}

/// Bytes, by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsedBytes {
    /// Of logs.
    pub live: u64,
    /// Of archives.
    pub archived: u64,
    /// Of what is beside them: title and tags, recovery records, traces.
    pub beside: u64,
    /// Of logs that were not written to for the given time: a sweep would archive them, which
    /// leaves about a fourth.
    pub reclaimable: u64,
}

/// Tells the room that every session of a store takes, and how much of it is in logs that were not
/// written to for `inactive_ms` milliseconds. Reads listings only.
#[must_use]
pub fn usage(inactive_ms: u64) -> Task<StoreUsage> {
    Task::new(async move |io: Io| -> Result<StoreUsage> {
        let oldest = io.stamp(0).await?.now_ms.saturating_sub(inactive_ms);
        let mut usage = StoreUsage::default();
        for held in inventory(&io).await? {
            let Listed { id, form, modified_ms, .. } = held.listed();
            let is_idle = modified_ms.is_some_and(|modified| modified <= oldest);
            let bytes = UsedBytes {
                live: held.live_bytes(),
                archived: held.archive_bytes(),
                beside: held.beside,
                reclaimable: if is_idle { held.live_bytes() } else { 0 },
            };
            usage.total = usage.total.and(bytes);
            usage.sessions.push(SessionUsage { id, form, modified_ms, bytes });
        }
        Ok(usage)
    })
}

impl UsedBytes {
    /// The sums.
    fn and(self, other: Self) -> Self {
        Self {
            live: self.live.saturating_add(other.live),
            archived: self.archived.saturating_add(other.archived),
            beside: self.beside.saturating_add(other.beside),
            reclaimable: self.reclaimable.saturating_add(other.reclaimable),
        }
    }
}
