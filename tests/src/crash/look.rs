//! What there is under a folder, and whether it is what must be there.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use turnkeep::core::session::runtime::{Recover, Restore};
use turnkeep::core::store::Condition;
use turnkeep::{
    Durability, Error, ErrorKind, FileStore, Key, MemoryStore, Result, Session, SessionId, Store,
    Tier, recover, restore, sessions,
};

use super::desk::Desk;
use super::script::{Content, SCRIPT, Sessions, World, is_tiered};

/// Checks that what lies under a folder is what is there after so many steps, or within the next
/// one; gives how many steps were done for sure. With several numbers, any of them.
///
/// # Errors
///
/// Tells what is otherwise.
pub fn check(folder: &Path, done: RangeInclusive<usize>) -> std::result::Result<usize, String> {
    let seen = look(folder).map_err(|error| format!("{}: {error}", error.code()))?;
    let is_after = |steps: &usize| seen == World::after(*steps);
    let is_within = |steps: &usize| World::within(*steps).contains(&seen);
    let last = (*done.end()).min(SCRIPT.len());
    // The earlier first: of a step that changes nothing to be seen nobody knows how far it came.
    (*done.start()..=last + 1)
        .find(|steps| is_after(steps))
        .or_else(|| (*done.start()..=last).find(|steps| is_within(steps)))
        .ok_or_else(|| {
            let was = World::after(*done.start());
            format!("after {done:?} steps there is {}", difference(&was, &seen))
        })
}

/// Goes on after so many steps, with one that may be half done, to the end; checks that all is as if
/// nothing had happened, and that nothing is left of what happened.
///
/// # Errors
///
/// Tells what is otherwise.
pub fn go_on(folder: &Path, done: usize) -> std::result::Result<(), String> {
    let told = |step: usize| move |error: Error| format!("going on with step {step}: {error}");
    let mut desk = Desk::open(folder, Durability::Os).map_err(told(done))?;
    for number in done..SCRIPT.len() {
        match number == done {
            true => desk.carry_out_again(number),
            false => desk.carry_out(number),
        }
        .map_err(told(number))?;
    }
    drop(desk);
    check(folder, SCRIPT.len()..=SCRIPT.len()).map_err(|what| format!("gone on with, {what}"))?;
    match left(folder) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("these are left: {left:?}")),
    }
}

/// All there is. A restoring that was cut off is looked after first, as the next start does.
fn look(folder: &Path) -> Result<World> {
    let at = |name: &str| FileStore::open(folder.join(name)).map(Arc::new);
    let store = at("store")?;
    match recover(&*store, None, Recover::default()) {
        // The lock went with the power before the journal said that there was one: then only time
        // tells that its owner is gone, two minutes of it. Nothing was replaced yet.
        Err(error) if error.kind() == ErrorKind::Locked && is_only_begun(folder) => {
            std::fs::remove_file(journal(folder)).expect("the journal");
        }
        recovered => _ = recovered?,
    }
    let mut all = look_at(&(store as Arc<dyn Store>))?;
    let tier = Tier::open_reading(at("hot")?, at("cold")?);
    let mut names: Vec<SessionId> =
        tier.cold_sessions(None, 100)?.sessions.into_iter().map(|session| session.id).collect();
    names.extend(sessions(&*tier)?.into_iter().map(|listed| listed.id));
    for id in names {
        let content = content_of(&(tier.clone() as Arc<dyn Store>), &id)?;
        all.insert(id.as_str().to_owned(), content);
    }
    Ok(World { sessions: all, bundle: look_into(&folder.join("bundle"))? })
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("store/restore/journal.jsonl")
}

/// Whether a restoring came no further than to say so.
fn is_only_begun(folder: &Path) -> bool {
    let text = std::fs::read_to_string(journal(folder)).unwrap_or_default();
    text.lines().count() == 1 && text.contains("\"stage\":\"preparing\"")
}

/// The sessions of a store, each of which must be listed once.
fn look_at(store: &Arc<dyn Store>) -> Result<Sessions> {
    let mut found = BTreeMap::new();
    for listed in sessions(&**store)? {
        let name = listed.id.as_str();
        assert!(!is_tiered(name), "what is {name}?");
        let twice = found.insert(name.to_owned(), content_of(store, &listed.id)?);
        assert!(twice.is_none(), "{name} is listed twice");
    }
    // A tombstone is no session any more.
    for name in ["old", "d", "c"] {
        let id = SessionId::new(name)?;
        if !found.contains_key(name) && is_pruned(store, &id)? {
            found.insert(name.to_owned(), Content::Pruned);
        }
    }
    Ok(found)
}

fn is_pruned(store: &Arc<dyn Store>, id: &SessionId) -> Result<bool> {
    match Session::open(store.clone(), id) {
        Err(error) if error.kind() == ErrorKind::Pruned => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        Ok(_) => Ok(false),
    }
}

fn content_of(store: &Arc<dyn Store>, id: &SessionId) -> Result<Content> {
    let session = match Session::open(store.clone(), id) {
        Err(error) if error.kind() == ErrorKind::EmptyLog => return Ok(Content::Empty),
        Err(error) if error.kind() == ErrorKind::Pruned => return Ok(Content::Pruned),
        session => session?,
    };
    session.verify()?.sound()?;
    texts_of(&session).map(Content::Texts)
}

/// The texts of a session's history.
pub(super) fn texts_of(session: &Session) -> Result<Vec<String>> {
    let history = session.state()?.history;
    Ok(history.iter().map(|item| serde_json::from_str(&item.item).unwrap_or_default()).collect())
}

/// What a bundle has, where there is one.
fn look_into(bundle: &Path) -> Result<Option<Sessions>> {
    if !bundle.exists() {
        return Ok(None);
    }
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    restore(&*store, &FileStore::of_file(bundle), None, Restore::default())?;
    look_at(&store).map(Some)
}

/// What is there otherwise than it was.
fn difference(was: &World, seen: &World) -> String {
    let shown = |sessions: &Sessions, name: &String| match sessions.get(name) {
        None => "nothing".to_owned(),
        Some(Content::Texts(texts)) => {
            let starts: Vec<&str> =
                texts.iter().map(|text| text.split(' ').next().unwrap_or("")).collect();
            format!("{starts:?}")
        }
        Some(other) => format!("{other:?}"),
    };
    let both = |was: &Sessions, seen: &Sessions| {
        let names = was.keys().chain(seen.keys()).collect::<std::collections::BTreeSet<_>>();
        let other = names.into_iter().filter(|name| was.get(*name) != seen.get(*name));
        let told =
            other.map(|name| format!("{name}: {} and not {}", shown(seen, name), shown(was, name)));
        told.collect::<Vec<_>>().join("; ")
    };
    let none = Sessions::new();
    let bundles = both(was.bundle.as_ref().unwrap_or(&none), seen.bundle.as_ref().unwrap_or(&none));
    format!("{}; in the bundle {bundles}", both(&was.sessions, &seen.sessions))
}

/// Names of the stores' own that nobody needs any more, once the stores looked for such.
fn left(folder: &Path) -> Vec<String> {
    let key = Key::parse("swept").expect("a key");
    let mut left = Vec::new();
    for name in ["store", "hot", "cold"] {
        let store = FileStore::open(folder.join(name)).expect("a store");
        store.put(&key, b"", &Condition::Any).expect("a put");
        store.delete(&key, &Condition::Any).expect("a deletion");
        drop(store);
        for entry in std::fs::read_dir(folder.join(name)).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let is_staged =
                [".put-", ".stage-", ".new-", ".old-"].iter().any(|of| name.contains(of));
            left.extend((name.starts_with('.') && is_staged).then_some(name));
        }
    }
    left
}
