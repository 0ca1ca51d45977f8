//! What two stores hold, looked at in every way.

use std::collections::{BTreeMap, BTreeSet};

use turnkeep::core::session::tier::{self, Flush};
use turnkeep::core::session::{self, Append};
use turnkeep::core::sha256;
use turnkeep::core::store::{ObjectKey, Part};
use turnkeep::{Create, Key, Range, Result, SessionId, Store};

use super::past::draft;
use super::world::World;
use crate::sessions::id;

/// What was said in a session, as a fresh view of both stores has it; every way of reading agrees.
///
/// # Errors
///
/// Where the session cannot be opened.
///
/// # Panics
///
/// Where it is not sound.
pub fn look(world: &World, name: &str, what: &str) -> Result<Vec<String>> {
    let opened = world.run(session::open(id(name)))?;
    let head = opened.head().unwrap_or_else(|| panic!("{what}: {name} has no head"));
    let report = world.run(session::verify(id(name), None, true));
    let report = report.unwrap_or_else(|error| panic!("{what}: {name} verified: {error}"));
    assert!(report.fault.is_none(), "{what}: {name}: {report:?}");
    assert_eq!(report.head, Some(head), "{what}: {name}");
    let lines = read(world, name, Range::all(), what);
    assert_eq!(lines.concat().len() as u64, head.bytes, "{what}: {name}");
    let mut back = read(world, name, Range::all().newest_first(), what);
    back.reverse();
    assert!(lines == back, "{what}: {name}, other lines backwards");
    Ok(texts_of(&lines))
}

fn read(world: &World, name: &str, range: Range, what: &str) -> Vec<String> {
    let (mut lines, mut next) = (Vec::new(), Some(range));
    while let Some(range) = next {
        let page = world.run(session::read(id(name), range.clone()));
        let page = page.unwrap_or_else(|error| panic!("{what}: {name} read: {error}"));
        let text = String::from_utf8(page.lines).expect("text");
        lines.extend(text.split_inclusive('\n').map(str::to_owned));
        next = page.next.map(|cursor| range.after(cursor));
    }
    lines
}

/// What was said in some lines.
#[must_use]
pub fn texts_of(lines: &[String]) -> Vec<String> {
    let text = |line: &String| {
        let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let is_said = entry["kind"] == "user_input";
        is_said.then(|| entry["item"].as_str().expect("a text").to_owned())
    };
    lines.iter().filter_map(text).collect()
}

/// Looks at every manifest of the cold store: each follows the one before, and what the newest ones
/// name is there, and is what its name says. Gives what is in use: those, and the newest manifests,
/// of deleted sessions too.
///
/// # Panics
///
/// Where that is not so.
pub fn fsck(world: &World, what: &str) -> BTreeSet<Key> {
    let mut used = BTreeSet::new();
    let mut sessions: BTreeMap<SessionId, (u64, serde_json::Value)> = BTreeMap::new();
    let keys = world.cold.keys();
    for key in keys.iter().rev() {
        let Some(ObjectKey::Manifest(session, number)) = key.object() else { continue };
        let bytes = world.cold.get(key, None).expect("there").bytes;
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        if let Some((before, older)) = sessions.get(&session) {
            assert_eq!(*before + 1, number, "{what}: a manifest is missing before {key}");
            // A session that begins as a fork says so, also after a deleted one.
            let begins = older["deleted"] == true && manifest["prev_hash"].is_null();
            let follows = begins || manifest["prev_hash"] == older["hash"];
            assert!(follows, "{what}: {key} follows another one");
        }
        sessions.insert(session, (number, manifest));
    }
    for (session, (number, manifest)) in &sessions {
        used.insert(Key::manifest(session, *number));
        if manifest["deleted"] == true {
            continue;
        }
        for (list, suffix) in [("segments", ".jsonl.gz"), ("ids", ".ids")] {
            for named in manifest[list].as_array().into_iter().flatten() {
                let name = named[0].as_str().expect("a name");
                let key = Key::parse(format!("segments/{name}{suffix}")).expect("a key");
                let object = world.cold.get(&key, None);
                let object = object.unwrap_or_else(|_| panic!("{what}: {key} is missing"));
                assert_eq!(sha256(&object.bytes).to_string(), name, "{what}: {key}");
                assert_eq!(named[1], object.bytes.len() as u64, "{what}: {key}");
                used.insert(key);
            }
        }
    }
    used
}

/// Whatever happened, the session can be used: what it holds is flushed, hydrated, read and goes on;
/// one that is not there is created.
///
/// # Panics
///
/// Where that is not so.
pub fn ends_well(world: &World, name: &str, texts: Option<&[String]>, what: &str) {
    let world = world.copy();
    let session = || id(name);
    let run = |doing: &str, result: Result<()>| {
        result.unwrap_or_else(|error| {
            panic!("{what}: {name} {doing}: {error} {:?} hot {:?}", error.place(), world.hot.keys())
        });
    };
    let mut wanted = texts.unwrap_or_default().to_vec();
    if texts.is_none() {
        let gone = world.run(tier::hydrate(session())).map(|_| ()).expect_err("gone");
        assert_eq!(gone.code(), "not_found", "{what}: {gone}");
        let flushed = world.run(tier::flush(session(), Flush::default()));
        assert!(flushed.is_ok_and(|flushed| flushed.head.is_none()), "{what}");
        let create = Create::default().with_id(session());
        run("created", world.run(session::create(create)).map(|_| ()));
    }
    for round in ["again", "once more"] {
        let flushed = world.run(tier::flush(session(), Flush::default()));
        assert!(
            flushed.as_ref().is_ok_and(|flushed| flushed.merge_fault.is_none()),
            "{what}: {flushed:?}"
        );
        run("flushed", flushed.map(|_| ()));
        // What a crash left beside the log, or claimed, goes with the next flush of entries.
        let is_left = |key: &Key| match key.session() {
            Some((id, Part::Log | Part::Archive)) if id == session() => {
                let bytes = world.hot.get(key, None).expect("there").bytes;
                round != "again" || !bytes.starts_with(b"{\"claimed\":")
            }
            Some((id, part)) => id == session() && part != Part::About && round != "again",
            None => false,
        };
        let left = world.hot.keys().into_iter().find(is_left);
        assert_eq!(left, None, "{what}: {name} {round}, left in the hot store");
        let seen = look(&world, name, what).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(seen, wanted, "{what}: {name} flushed {round}");
        let hydrated = world.run(tier::hydrate(session()));
        let opened = hydrated.unwrap_or_else(|error| panic!("{what}: {name} hydrated: {error}"));
        let text = format!("{round} after all");
        let append = Append::from([draft(&text)]).once();
        run("appended", world.run(session::append(opened.session, append)).map(|_| ()));
        wanted.push(text);
        assert_eq!(look(&world, name, what).expect("it opens"), wanted, "{what}: {name} {round}");
    }
    fsck(&world, what);
}

/// Whatever happened, what is left over is collected, and nothing else.
///
/// # Panics
///
/// Where that is not so.
pub fn is_collected(world: &World, what: &str) {
    let world = world.copy();
    let used = fsck(&world, what);
    for _ in 0..4 {
        let collected = super::jobs::collect_later(&world);
        collected.unwrap_or_else(|error| panic!("{what}: not collected: {error}"));
        assert_eq!(fsck(&world, what), used, "{what}: something that is used was collected");
    }
    let notes = |key: &Key| matches!(key.object(), Some(ObjectKey::Collection(_)));
    let left: BTreeSet<_> = world.cold.keys().into_iter().filter(|key| !notes(key)).collect();
    assert_eq!(left, used, "{what}: left over");
}
