//! Collecting what no session needs any more: found unused now and a grace ago, then deleted.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Task;
use super::commit::check_in_time;
use crate::cold::Manifest;
use crate::entry::utf8;
use crate::field;
use crate::json::Object;
use crate::limits::{COLLECTION_BYTES_MAX, COLLECTION_KEYS_MAX, GRACE_MS_MIN, GRAVE_MS_MIN};
use crate::session::cold::manifest;
use crate::session::removal::remove_if;
use crate::store::{Condition, Info, Key, ObjectKey};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

const GRACE_MS: u64 = 7 * 24 * 3_600_000;
/// Objects that are asked for at once.
const PAGE: u32 = 1000;

/// How to collect.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Collect {
    /// For how long an object must have been unused, in milliseconds: seven days, at least two hours.
    pub grace_ms: u64,
    /// Only tell what would be done.
    pub is_dry_run: bool,
}

impl Default for Collect {
    fn default() -> Self {
        Self { grace_ms: GRACE_MS, is_dry_run: false }
    }
}

impl Collect {
    /// The same, after that many milliseconds.
    #[must_use]
    pub fn after(mut self, grace_ms: u64) -> Self {
        self.grace_ms = grace_ms;
        self
    }

    /// The same, only telling what would be done.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }
}

/// What collecting found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Sessions that are not deleted.
    pub sessions: u64,
    /// Segments and lists that they use.
    pub used: u64,
    /// The length of those.
    pub used_bytes: u64,
    /// What nothing uses, and stays for now.
    pub unused: Vec<Key>,
    /// The length of those.
    pub unused_bytes: u64,
    /// What was deleted, or would be.
    pub deleted: Vec<Key>,
    /// The length of those.
    pub deleted_bytes: u64,
}

/// Looks for what no session in the cold store needs any more: segments and lists that no newest
/// manifest names, manifests that are not the newest, and what remains of deleted sessions; what says
/// that one was deleted only once that is [`GRAVE_MS_MIN`] ago. It is noted; what was in every note for
/// as long as the grace is deleted. Refuses where a listing cannot be right. Looks at every session's
/// newest manifest, and lists every object.
#[must_use]
pub fn collect(options: Collect) -> Task<Collected> {
    Task::new(async move |io| {
        if options.grace_ms < GRACE_MS_MIN {
            let message = "the grace is at least two hours: others may be writing";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        run(&io, &io.cold_store()?, options).await
    })
}

async fn run(io: &Io, cold: &Io, options: Collect) -> Result<Collected> {
    let now_ms = io.stamp(0).await?.now_ms;
    let mut store = look(cold, now_ms).await?;
    let notes = read_notes(cold).await?;
    let unused = core::mem::take(&mut store.unused);
    let noted: Vec<&Key> = unused.keys().take(COLLECTION_KEYS_MAX).collect();
    let mut now = (now_ms, None);
    if !options.is_dry_run && !noted.is_empty() {
        now = write_note(cold, &noted, now_ms).await?;
    }
    let expired = expired(&unused, &notes, now, options.grace_ms);
    let mut collected = store.collected;
    for (key, info) in &unused {
        let (keys, bytes) = match expired.contains(key) {
            true => (&mut collected.deleted, &mut collected.deleted_bytes),
            false => (&mut collected.unused, &mut collected.unused_bytes),
        };
        keys.push(key.clone());
        *bytes = bytes.saturating_add(info.bytes);
    }
    if !options.is_dry_run {
        // Segments come before manifests, and of those the oldest first.
        let (manifests, others): (Vec<_>, Vec<_>) =
            collected.deleted.iter().partition(|key| is_manifest(key));
        for key in others.into_iter().chain(manifests.into_iter().rev()) {
            // Long after that look others may have deleted it, and written and used it again.
            check_in_time(io, now_ms).await?;
            let Some(seen) = unused.get(key) else { continue };
            remove(cold, key, seen).await?;
        }
        remove_old_notes(cold, &notes, now, options.grace_ms).await?;
    }
    Ok(collected)
}

/// Removes what was seen. Another collection may have done so, and someone may have written the same
/// again since, and rely on it: where a store knows no conditions on removing, or gives the same bytes
/// the same version, the time alone tells.
async fn remove(cold: &Io, key: &Key, seen: &Info) -> Result<()> {
    let Some(now) = found(cold.info(key).await)? else { return Ok(()) };
    // Later, not another one: some stores tell a listed object's time more precisely.
    if matches!((now.modified_ms, seen.modified_ms), (Some(now), Some(seen)) if now > seen) {
        return Ok(());
    }
    remove_if(cold, key, Condition::Version(seen.version.clone())).await.map(|_| ())
}

fn is_manifest(key: &Key) -> bool {
    matches!(key.object(), Some(ObjectKey::Manifest(..)))
}

/// What lies in the store.
struct Looked {
    collected: Collected,
    unused: BTreeMap<Key, Info>,
}

async fn look(cold: &Io, now_ms: u64) -> Result<Looked> {
    // Segments first: what is written after that is not even seen, what is committed after that is.
    let segments = list_all(cold, "segments/").await?;
    let manifests = list_all(cold, "sessions/").await?;
    let mut collected = Collected::default();
    let mut unused = BTreeMap::new();
    let mut used: BTreeMap<Key, SessionId> = BTreeMap::new();
    let mut newest: Option<(SessionId, bool)> = None;
    for (index, (key, info)) in manifests.iter().enumerate() {
        let Some(ObjectKey::Manifest(id, number)) = key.object() else { continue };
        if newest.as_ref().is_some_and(|(session, _)| *session == id) {
            unused.insert(key.clone(), info.clone());
            continue;
        }
        let vanished = || Error::new(ErrorKind::Conflict, "a manifest vanished").retryable();
        let manifest = manifest(cold, &id, number).await?.ok_or_else(vanished)?;
        let is_alive = name_used(&manifest, &mut used);
        let next = manifests.get(index + 1).and_then(|(key, _)| key.object());
        let is_last = !matches!(next, Some(ObjectKey::Manifest(next, _)) if next == id);
        // What says that a session was deleted goes last of all, and long after that: it hides what
        // is left of the session elsewhere.
        let written_ms = manifest.written_ms.max(info.modified_ms.unwrap_or_default());
        if !is_alive && is_last && now_ms.saturating_sub(written_ms) >= GRAVE_MS_MIN {
            unused.insert(key.clone(), info.clone());
        }
        collected.sessions += u64::from(is_alive);
        newest = Some((id, is_alive));
    }
    if newest.is_none() && !segments.is_empty() {
        let message = format!("{} segments are listed, and not one manifest", segments.len());
        return Err(refused(&message));
    }
    let listed: BTreeSet<&Key> = segments.iter().map(|(key, _)| key).collect();
    for (key, session) in &used {
        // One that was committed just now may have come after the listing.
        if !listed.contains(key) && found(cold.info(key).await)?.is_none() {
            let message = "an object that a manifest names is not there";
            return Err(refused(message).at_key(key).in_session(session));
        }
    }
    for (key, info) in segments {
        if used.contains_key(&key) {
            collected.used += 1;
            collected.used_bytes = collected.used_bytes.saturating_add(info.bytes);
        } else if key.object().is_some() {
            unused.insert(key, info);
        }
    }
    Ok(Looked { collected, unused })
}

fn refused(message: &str) -> Error {
    let message = format!("nothing is collected: {message}");
    Error::new(ErrorKind::StoreFailed, message)
}

/// Notes what a manifest names; whether its session is there at all.
fn name_used(manifest: &Manifest, used: &mut BTreeMap<Key, SessionId>) -> bool {
    let Some(held) = &manifest.held else { return false };
    let segments = held.segments.iter().map(|segment| Key::segment(segment.name));
    let ids = held.ids.iter().map(|ids| Key::ids(ids.name));
    used.extend(segments.chain(ids).map(|key| (key, manifest.session.clone())));
    true
}

async fn list_all(cold: &Io, prefix: &str) -> Result<Vec<(Key, Info)>> {
    let mut objects = Vec::new();
    let mut after = None;
    loop {
        let listing = cold.list(prefix, after.clone(), PAGE).await?;
        let is_stuck = listing.more && listing.objects.is_empty();
        after = listing.objects.last().map(|(key, _)| key.clone());
        objects.extend(listing.objects);
        if is_stuck {
            return Err(refused("a listing says that more follows, and gives nothing"));
        }
        if !listing.more {
            return Ok(objects);
        }
    }
}

/// What was unused at some time.
struct Note {
    key: Key,
    /// By the clock of who wrote it, and by that of the store.
    at: (u64, Option<u64>),
    unused: BTreeSet<String>,
}

async fn read_notes(cold: &Io) -> Result<Vec<Note>> {
    let mut notes = Vec::new();
    for (key, info) in list_all(cold, "collect/").await? {
        let Some(ObjectKey::Collection(at_ms)) = key.object() else { continue };
        let Some(object) = found(cold.get(&key, Some(0..COLLECTION_BYTES_MAX as u64)).await)?
        else {
            continue;
        };
        // One that cannot be read says that nothing was unused.
        let unused = read_note(&object.bytes).unwrap_or_default();
        notes.push(Note { key, at: (at_ms, info.modified_ms), unused });
    }
    Ok(notes)
}

fn read_note(json: &[u8]) -> Option<BTreeSet<String>> {
    let object = Object::of(utf8(json).ok()?)?;
    let is_known = object.get("format").and_then(field::count) == Some(1);
    let keys = object.elements("unused").into_iter().map(field::text);
    let keys = keys.map(|key| key.map(|key| key.into_owned())).collect::<Option<BTreeSet<_>>>()?;
    is_known.then_some(keys)
}

/// Writes a note; gives its time.
async fn write_note(cold: &Io, unused: &[&Key], now_ms: u64) -> Result<(u64, Option<u64>)> {
    let keys: Vec<_> = unused.iter().map(|key| format!("\"{key}\"")).collect();
    let json = format!("{{\"format\":1,\"ts\":{now_ms},\"unused\":[{}]}}\n", keys.join(","));
    let key = Key::collection(now_ms);
    let bytes = json.into_bytes();
    match cold.put(&key, bytes, Condition::Absent).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok((now_ms, cold.info(&key).await?.modified_ms))
}

/// How long ago a time was, by both clocks the shorter.
fn age(at: (u64, Option<u64>), now: (u64, Option<u64>)) -> u64 {
    let by_host = now.0.saturating_sub(at.0);
    match (at.1, now.1) {
        (Some(at), Some(now)) => by_host.min(now.saturating_sub(at)),
        _ => by_host,
    }
}

/// What stands in every note since one that is as old as the grace.
fn expired(
    unused: &BTreeMap<Key, Info>,
    notes: &[Note],
    now: (u64, Option<u64>),
    grace_ms: u64,
) -> BTreeSet<Key> {
    if planted!(NoGrace) {
        return unused.keys().cloned().collect();
    }
    let Some(first) = notes.iter().rposition(|note| age(note.at, now) >= grace_ms) else {
        return BTreeSet::new();
    };
    let since = notes.get(first..).unwrap_or_default();
    let is_expired = |(key, info): &(&Key, &Info)| {
        let is_noted = since.iter().all(|note| note.unused.contains(key.as_str()));
        // Written anew since: someone relies on it.
        let noted_at = since.first().and_then(|note| note.at.1);
        is_noted && !matches!((info.modified_ms, noted_at), (Some(m), Some(n)) if m > n)
    };
    unused.iter().filter(is_expired).map(|(key, _)| key.clone()).collect()
}

/// Removes the notes before the one that counts.
async fn remove_old_notes(
    cold: &Io,
    notes: &[Note],
    now: (u64, Option<u64>),
    grace_ms: u64,
) -> Result<()> {
    let first = notes.iter().rposition(|note| age(note.at, now) >= grace_ms).unwrap_or_default();
    for note in notes.iter().take(first) {
        found(cold.delete(&note.key, Condition::Any).await)?;
    }
    Ok(())
}
