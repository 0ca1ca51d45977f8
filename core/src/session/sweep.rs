//! Keeping a store small: archiving what is idle, pruning what is oldest, and telling what the rest
//! stays for.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Task;
use super::about::read_about;
use super::archive::archive_session;
use super::inventory::{Held, inventory};
use super::lineage::own;
use super::prune::{REST_MS, prune_session};
use super::recovery::is_running;
use super::retention;
use super::schedule::Lease;
use crate::store::{Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

const DAY_MS: u64 = 86_400_000;

/// What a sweep archives and prunes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Archive what was not written to for that long, in milliseconds; 7 days unless set. `None`:
    /// archive nothing.
    pub inactive_ms: Option<u64>,
    /// Prune the longest unused archives until all of them together have at most so many bytes;
    /// 2 GiB unless set. `None`: prune nothing.
    pub max_bytes: Option<u64>,
    /// Prune nothing that was in use since then, whatever the bytes; 1 day unless set, a minute at
    /// least.
    pub min_age_ms: u64,
    /// Only sessions of these kinds ([`super::About::kind`]); of any where there are none.
    pub kinds: Vec<String>,
    /// Leave sessions alone that have one of these tags.
    pub keep_tags: Vec<String>,
    /// Change nothing, and tell what would be done.
    pub dry_run: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            inactive_ms: Some(7 * DAY_MS),
            max_bytes: Some(2 << 30),
            min_age_ms: DAY_MS,
            kinds: Vec::new(),
            keep_tags: Vec::new(),
            dry_run: false,
        }
    }
}

impl Policy {
    /// The same, archiving what was not written to for that long (`None`: nothing).
    #[must_use]
    pub fn inactive_for(mut self, inactive_ms: impl Into<Option<u64>>) -> Self {
        self.inactive_ms = inactive_ms.into();
        self
    }

    /// The same, pruning archives beyond so many bytes (`None`: nothing).
    #[must_use]
    pub fn at_most(mut self, max_bytes: impl Into<Option<u64>>) -> Self {
        self.max_bytes = max_bytes.into();
        self
    }

    /// The same, pruning nothing that was in use since then.
    #[must_use]
    pub fn older_than(mut self, min_age_ms: u64) -> Self {
        self.min_age_ms = min_age_ms;
        self
    }

    /// The same, only for sessions of these kinds.
    #[must_use]
    pub fn of_kinds(mut self, kinds: impl Into<Vec<String>>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// The same, leaving alone what has one of these tags.
    #[must_use]
    pub fn keeping(mut self, tags: impl Into<Vec<String>>) -> Self {
        self.keep_tags = tags.into();
        self
    }

    /// The same, changing nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

/// What a sweep did, or, with [`Policy::dry_run`], would do.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Sweep {
    /// Every session of the store, in order of their encoded ids.
    pub sessions: Vec<Swept>,
    /// How many were archived.
    pub archived: u64,
    /// How many were pruned.
    pub pruned: u64,
    /// Bytes of logs and archives that the store has less now; what archiving would save is not known
    /// beforehand.
    pub freed_bytes: u64,
    /// Bytes of all archives afterwards.
    pub archive_bytes: u64,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Swept {
    /// Its id.
    pub id: SessionId,
    /// What was done.
    pub outcome: Outcome,
    /// Bytes of its log and its archive before.
    pub bytes: u64,
    /// How many of them are gone.
    pub freed_bytes: u64,
}

/// What a sweep did with a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was archived.
    Archived,
    /// Its archive was removed.
    Pruned,
    /// Nothing, for that reason.
    Kept(Reason),
    /// It could not be done; the sweep went on.
    Failed(Error),
}

/// Why a sweep left a session as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was in use not long ago.
    Recent,
    /// The store does not know when it was last written.
    UnknownActivity,
    /// It is of another kind than those to be swept.
    Kind,
    /// It has a tag that keeps it.
    Tag,
    /// A living process holds it for writing.
    Held,
    /// A run of it has not ended.
    Running,
    /// A living process holds a fork of it.
    ForkHeld,
    /// It is archived, and there is room for it.
    Archived,
    /// It is archived, but this store did not note that it did so.
    Foreign,
    /// Nothing was recorded in it.
    Empty,
    /// Its first entries lie in the cold store of a tier: it is flushed, not archived.
    Tiered,
    /// The policy archives nothing.
    Live,
    /// The sweep was asked to end before ([`crate::task::Stopper`]).
    Stopped,
}

impl Reason {
    /// Its name, such as `recent` or `fork_held`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::UnknownActivity => "unknown_activity",
            Self::Kind => "kind",
            Self::Tag => "tag",
            Self::Held => "held",
            Self::Running => "running",
            Self::ForkHeld => "fork_held",
            Self::Archived => "archived",
            Self::Foreign => "foreign",
            Self::Empty => "empty",
            Self::Tiered => "tiered",
            Self::Live => "live",
            Self::Stopped => "stopped",
        }
    }
}

/// Archives the sessions of a store that are idle, then prunes the longest unused archives until
/// they fit. Looks at what is noted of sessions, and at the logs of those only that it archives.
/// What fails for one session is told, and the others go on. `locked` where another sweep is under
/// way.
#[must_use]
pub fn sweep(policy: Policy) -> Task<Sweep> {
    Task::new(async move |io: Io| -> Result<Sweep> {
        if policy.dry_run {
            return run(&io, &policy, None).await;
        }
        let mut lease = Lease::take(&io).await?;
        let swept = run(&io, &policy, Some(&mut lease)).await;
        lease.end(&io, swept.is_ok()).await?;
        swept
    })
}

/// What a sweep knows of the whole store.
struct Context<'a> {
    policy: &'a Policy,
    now_ms: u64,
    /// Sessions that living processes hold, and those that these were forked from.
    held: BTreeSet<SessionId>,
    forked: BTreeSet<SessionId>,
}

pub(super) async fn run(io: &Io, policy: &Policy, mut lease: Option<&mut Lease>) -> Result<Sweep> {
    let now_ms = io.stamp(0).await?.now_ms;
    let mut all = inventory(io).await?;
    let (held, forked) = in_use(io, &all).await?;
    let context = Context { policy, now_ms, held, forked };
    let mut sweep = Sweep::default();
    for held in &mut all {
        if let Some(lease) = &mut lease {
            lease.keep(io).await?;
        }
        let bytes = held.bytes();
        let outcome = match held.log {
            None => Outcome::Kept(Reason::Archived),
            Some(_) if io.is_stopping() => Outcome::Kept(Reason::Stopped),
            Some(_) => shelve(io, &context, held).await,
        };
        sweep.archived += u64::from(outcome == Outcome::Archived);
        let freed_bytes = bytes.saturating_sub(held.bytes());
        sweep.sessions.push(Swept { id: held.id.clone(), outcome, bytes, freed_bytes });
    }
    sweep.archive_bytes = all.iter().map(Held::archive_bytes).fold(0, u64::saturating_add);
    if let Some(max) = policy.max_bytes.filter(|max| sweep.archive_bytes > *max) {
        make_room(io, &context, &mut all, max, &mut sweep, lease).await?;
    }
    let freed = sweep.sessions.iter().map(|swept| swept.freed_bytes);
    sweep.freed_bytes = freed.fold(0, u64::saturating_add);
    Ok(sweep)
}

/// The sessions that living processes hold, and the ones these come from.
async fn in_use(io: &Io, all: &[Held]) -> Result<(BTreeSet<SessionId>, BTreeSet<SessionId>)> {
    let (mut held, mut forked) = (BTreeSet::new(), BTreeSet::new());
    for session in all.iter().filter(|session| session.log.is_some()) {
        let holder = io.holder(&Key::of(&session.id, Part::Log)).await?;
        if holder.is_some_and(|holder| holder.is_alive) {
            // One that cannot be read has no origin that could be told.
            let origins = own(io, &session.id).await.unwrap_or_default();
            forked.extend(origins.into_iter().map(|origin| origin.point.session));
            held.insert(session.id.clone());
        }
    }
    Ok((held, forked))
}

/// Archives a live session, if the policy wants it.
async fn shelve(io: &Io, context: &Context<'_>, held: &mut Held) -> Outcome {
    let Some(log) = &held.log else { return Outcome::Kept(Reason::Archived) };
    let Some(inactive_ms) = context.policy.inactive_ms else {
        return Outcome::Kept(Reason::Live);
    };
    let Some(modified_ms) = log.modified_ms else {
        return Outcome::Kept(Reason::UnknownActivity);
    };
    if context.now_ms.saturating_sub(modified_ms) < inactive_ms {
        return Outcome::Kept(Reason::Recent);
    }
    match kept(io, context, held).await {
        Err(error) => return Outcome::Failed(error),
        Ok(Some(reason)) => return Outcome::Kept(reason),
        Ok(None) if context.policy.dry_run => return Outcome::Archived,
        Ok(None) => {}
    }
    match archive_session(io, &held.id).await {
        Ok(archived) => {
            held.take_archived(archived.archive_bytes);
            Outcome::Archived
        }
        Err(error) if error.kind() == ErrorKind::EmptyLog => Outcome::Kept(Reason::Empty),
        Err(error) if error.kind() == ErrorKind::Locked => Outcome::Kept(Reason::Held),
        Err(error) if error.kind() == ErrorKind::NotSupported => Outcome::Kept(Reason::Tiered),
        Err(error) => Outcome::Failed(error.in_session(&held.id)),
    }
}

/// Why a session is left alone, whatever its age.
async fn kept(io: &Io, context: &Context<'_>, held: &Held) -> Result<Option<Reason>> {
    let id = &held.id;
    if context.held.contains(id) {
        return Ok(Some(Reason::Held));
    }
    if context.forked.contains(id) {
        return Ok(Some(Reason::ForkHeld));
    }
    let Policy { kinds, keep_tags, .. } = context.policy;
    if !(kinds.is_empty() && keep_tags.is_empty()) {
        let about = if held.has_about { read_about(io, id).await? } else { Default::default() };
        if !kinds.is_empty() && about.kind.is_none_or(|kind| !kinds.contains(&kind)) {
            return Ok(Some(Reason::Kind));
        }
        if about.tags.iter().any(|tag| keep_tags.contains(tag)) {
            return Ok(Some(Reason::Tag));
        }
    }
    let is_running = held.has_recovery && is_running(io, id).await?;
    Ok(is_running.then_some(Reason::Running))
}

/// Prunes the longest unused archives until the rest fit.
async fn make_room(
    io: &Io,
    context: &Context<'_>,
    all: &mut [Held],
    max: u64,
    sweep: &mut Sweep,
    mut lease: Option<&mut Lease>,
) -> Result<()> {
    let mut candidates = Vec::new();
    for (place, held) in all.iter().enumerate().filter(|(_, held)| held.is_archived()) {
        let outcome = match retention::of(io, &held.id).await {
            Ok(Some((record, _))) => {
                candidates.push((record.last_activity_ms, place));
                continue;
            }
            Ok(None) => Outcome::Kept(Reason::Foreign),
            Err(error) => Outcome::Failed(error.in_session(&held.id)),
        };
        tell(sweep, place, outcome, 0);
    }
    candidates.sort_unstable();
    for (last_activity_ms, place) in candidates {
        if io.is_stopping() {
            break;
        }
        let Some(held) = all.get(place).filter(|_| sweep.archive_bytes > max) else { break };
        if let Some(lease) = &mut lease {
            lease.keep(io).await?;
        }
        let outcome = thin(io, context, held, last_activity_ms, max).await;
        let freed_bytes = if outcome == Outcome::Pruned { held.bytes() } else { 0 };
        let freed_archive = if freed_bytes > 0 { held.archive_bytes() } else { 0 };
        sweep.archive_bytes = sweep.archive_bytes.saturating_sub(freed_archive);
        sweep.pruned += u64::from(freed_bytes > 0);
        tell(sweep, place, outcome, freed_bytes);
    }
    Ok(())
}

fn tell(sweep: &mut Sweep, place: usize, outcome: Outcome, freed_bytes: u64) {
    if let Some(swept) = sweep.sessions.get_mut(place) {
        swept.outcome = outcome;
        swept.freed_bytes += freed_bytes;
    }
}

/// Prunes an archived session, unless something keeps it.
async fn thin(
    io: &Io,
    context: &Context<'_>,
    held: &Held,
    last_activity_ms: u64,
    max: u64,
) -> Outcome {
    let min_age_ms = context.policy.min_age_ms.max(REST_MS);
    if context.now_ms.saturating_sub(last_activity_ms) < min_age_ms {
        return Outcome::Kept(Reason::Recent);
    }
    match kept(io, context, held).await {
        Err(error) => return Outcome::Failed(error),
        Ok(Some(reason)) => return Outcome::Kept(reason),
        Ok(None) if context.policy.dry_run => return Outcome::Pruned,
        Ok(None) => {}
    }
    let reason = format!("all archives together had more than {max} bytes");
    // What was seen of it may be minutes old: it is held against the record that is replaced.
    match prune_session(io, &held.id, &reason, min_age_ms).await {
        Ok(_) => Outcome::Pruned,
        Err(error) if error.kind() == ErrorKind::Locked => Outcome::Kept(Reason::Recent),
        Err(error) => Outcome::Failed(error.in_session(&held.id)),
    }
}
