//! A runtime as a whole: one host writes its sessions and values into a bundle and restores them from
//! it, while requests fail and the host is cut off. Each time the old or the new is there, whole.

use std::collections::BTreeMap;

use turnkeep_core::ErrorKind;
use turnkeep_core::cache::CacheEntry;
use turnkeep_core::session::runtime::{self, Recover, Restore, Snapshot, Snapshotted};
use turnkeep_core::store::Key;

use crate::alone::Cut;
use crate::cache::value;
use crate::check::Violation;
use crate::history::History;
use crate::operation::{End, Operation, begin, done, ended, id, of, read, verify};
use crate::plan::{Act, IMPORTED_BYTES, Plan, SECOND_MS, SESSIONS, What};
use crate::text::text_of;
use crate::world::World;

/// Texts as they were read, while the objects they were read of are the same.
#[derive(Default)]
struct Seen(BTreeMap<usize, Texts>);

/// What a session said, if it was there, and what it was read of.
struct Texts {
    versions: Vec<(Key, u64)>,
    texts: Option<Vec<String>>,
}

/// What a runtime holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Content {
    sessions: BTreeMap<usize, Vec<String>>,
    values: BTreeMap<String, CacheEntry>,
}

impl Content {
    fn is_part_of(&self, all: &Self) -> bool {
        let is_in = |(session, texts): (&usize, &Vec<String>)| {
            all.sessions.get(session).is_some_and(|all| all == texts)
        };
        self.values == all.values && self.sessions.iter().all(is_in)
    }

    /// What there is once that was done.
    fn changed(mut self, what: What) -> Self {
        match what {
            What::Create(session) => _ = self.sessions.insert(session, Vec::new()),
            What::Append { session, says, entries, bytes, .. } => {
                let texts = self.sessions.entry(session).or_default();
                let said = (0..entries).map(|entry| text_of(says, entry, bytes));
                // Done once: it may be there.
                let new: Vec<String> = said.filter(|text| !texts.contains(text)).collect();
                texts.extend(new);
            }
            What::Import { session, says } => {
                let texts = self.sessions.entry(session).or_default();
                if texts.is_empty() {
                    texts.push(text_of(says, 0, IMPORTED_BYTES));
                }
            }
            What::Fork { from, to, .. } => {
                let texts = self.sessions.get(&from).cloned();
                self.sessions.insert(to, texts.unwrap_or_default());
            }
            What::Delete(session) => _ = self.sessions.remove(&session),
            _ => {}
        }
        self
    }

    /// What there is once that was restored over it.
    fn overlaid(&self, bundled: &Self) -> Self {
        let mut all = self.clone();
        all.sessions.extend(bundled.sessions.clone());
        all.values.extend(bundled.values.clone());
        all
    }
}

/// Lets one act happen after the other.
///
/// # Errors
///
/// The first violation.
pub(crate) fn run(plan: &Plan, world: &mut World) -> Result<(), Violation> {
    let (mut bundled, mut seen) = (None, Seen::default());
    for act in &plan.acts {
        match act.what {
            What::Snapshot { cut } => {
                bundled = snapshot(world, &mut seen, act, cut, bundled.as_ref())?;
            }
            What::RestoreBundle { cut } => restore(world, &mut seen, act, cut, bundled.as_ref())?,
            What::Wait(seconds) => world.now_ms += seconds * SECOND_MS,
            _ => change(plan, world, &mut seen, act)?,
        }
    }
    let nothing = History { plan, records: Vec::new() };
    for session in content(world, &mut seen)?.sessions.into_keys() {
        nothing.check_goes_on(world, session)?;
    }
    Ok(())
}

/// What nothing goes wrong with changes what it is to change, or is refused and changes nothing.
fn change(plan: &Plan, world: &mut World, seen: &mut Seen, act: &Act) -> Result<(), Violation> {
    let Some(operation) = begin(act.number, act.what, plan.kept, None) else { return Ok(()) };
    let before = content(world, seen)?;
    let error = world.finish(operation).error;
    // What is lost with the power is another matter.
    world.hot.sync_all();
    let after = content(world, seen)?;
    world.ended.push((act.what, error.is_none()));
    let refusals = [
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::Pruned,
        ErrorKind::InvalidArgument,
        ErrorKind::Conflict,
    ];
    let wanted = match &error {
        None => before.changed(act.what),
        Some(error) if refusals.contains(&error.kind()) => before,
        Some(error) => return Err(format!("act {} failed for no reason: {error}", act.number)),
    };
    match after == wanted {
        true => Ok(()),
        false => Err(format!("act {} left something else than it was to ({error:?})", act.number)),
    }
}

/// Writes a bundle; gives what is in it then.
fn snapshot(
    world: &mut World,
    seen: &mut Seen,
    act: &Act,
    cut: Option<u64>,
    old: Option<&Content>,
) -> Result<Option<Content>, Violation> {
    world.cache.values = BTreeMap::from([value(act.number)]);
    let now = content(world, seen)?;
    let mut snapshot = Snapshot::default();
    snapshot.cache = true;
    let named = |snapshotted: Snapshotted| {
        let error = snapshotted.left_out.into_iter().next().map(|left_out| left_out.error);
        ended(End { error, ..End::default() })
    };
    let how = world.attempt(of(runtime::snapshot(snapshot), named), act.number, cut);
    world.ended.push((act.what, matches!(how, Cut::Done)));
    world.restart(act.number);
    let there = world.apart(unpacked)?;
    let number = act.number;
    let is_new = there.as_ref() == Some(&now);
    // What could not be read is left out and named, where no older bundle may have it.
    let is_part = old.is_none() && there.as_ref().is_some_and(|there| there.is_part_of(&now));
    match how {
        Cut::Refused(error) => Err(format!("act {number} failed for no reason: {error}")),
        Cut::Done if is_new => Ok(there),
        Cut::Done => Err(format!("act {number} said that a bundle holds what it does not hold")),
        Cut::Failed | Cut::Short if is_part => Ok(there),
        _ if is_new || there.as_ref() == old => Ok(there),
        _ => Err(format!("the bundle is neither the old nor the new one after act {number}")),
    }
}

/// Restores the bundle there is.
fn restore(
    world: &mut World,
    seen: &mut Seen,
    act: &Act,
    cut: Option<u64>,
    bundled: Option<&Content>,
) -> Result<(), Violation> {
    let number = act.number;
    let before = content(world, seen)?;
    let wanted = bundled.map(|bundled| before.overlaid(bundled));
    let how = world.attempt(restoring(number), number, cut);
    world.ended.push((act.what, matches!(how, Cut::Done)));
    world.restart(number);
    let mut recover = Recover::default();
    (recover.cache, recover.process) = (true, u64::MAX);
    if let Some(error) = world.finish(of(runtime::recover(recover), done)).error {
        return Err(format!(
            "nothing is recovered after act {number}: {error} {:?}",
            error.place()
        ));
    }
    let after = content(world, seen)?;
    let is_new = wanted.as_ref() == Some(&after);
    match how {
        Cut::Done if is_new => Ok(()),
        Cut::Done => Err(format!("act {number} said that it restored what it did not")),
        Cut::Refused(error) if bundled.is_some() => {
            Err(format!("act {number} failed for no reason: {error}"))
        }
        _ if is_new || after == before => Ok(()),
        _ => Err(format!("act {number} left neither the old nor the new")),
    }
}

fn restoring(process: u64) -> Box<dyn Operation> {
    let mut restore = Restore::default();
    (restore.cache, restore.process) = (true, process);
    of(runtime::restore(restore), done)
}

/// What a bundle gives to a store where nothing is; nothing where there is no bundle.
fn unpacked(world: &mut World) -> Result<Option<Content>, Violation> {
    match world.finish(restoring(u64::MAX)).error {
        Some(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Some(error) => Err(format!("the bundle cannot be restored: {error} {:?}", error.place())),
        None => content(world, &mut Seen::default()).map(Some),
    }
}

fn content(world: &mut World, seen: &mut Seen) -> Result<Content, Violation> {
    let mut sessions = BTreeMap::new();
    for session in 0..SESSIONS.len() {
        let versions = world.hot.versions_of(&id(session));
        let texts = match seen.0.remove(&session) {
            Some(seen) if seen.versions == versions => seen.texts,
            _ => texts_of(world, session)?,
        };
        sessions.extend(texts.clone().map(|texts| (session, texts)));
        seen.0.insert(session, Texts { versions, texts });
    }
    Ok(Content { sessions, values: world.cache.values.clone() })
}

/// What is said in a session, if there is one: it must be sound.
fn texts_of(world: &mut World, session: usize) -> Result<Option<Vec<String>>, Violation> {
    let name = SESSIONS[session];
    let found = world.finish(read(id(session), false));
    match found.error {
        None => {}
        Some(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned) => {
            return Ok(None);
        }
        Some(error) => return Err(format!("{name} cannot be read: {error} {:?}", error.place())),
    }
    match world.finish(verify(id(session), false)).error {
        Some(error) => Err(format!("{name} is not sound: {error} {:?}", error.place())),
        None => Ok(Some(found.texts.unwrap_or_default())),
    }
}
