//! Races: operations in every order in which their requests may come.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use turnkeep::core::store::ObjectKey;

use super::does::{Does, running, text};
use super::look::{ends_well, fsck, look};
use super::past::{Past, past};
use super::world::World;
use crate::retention::{Explored, Node, Outcome, explore_some};

struct Race<'a> {
    past: &'a Past,
    does: &'a [Does],
    ends: RefCell<BTreeSet<Vec<String>>>,
    sound: RefCell<HashSet<u64>>,
}

fn code(outcome: &Outcome) -> &str {
    match outcome {
        None => "under way",
        Some(Ok(())) => "ok",
        Some(Err(error)) => error.code(),
    }
}

impl Race<'_> {
    fn check(&self, node: &Node<'_, World>) {
        let codes: Vec<_> = node.outcomes.iter().map(code).collect();
        let (name, does) = (self.past.name, self.does);
        let what = format!("{name}: {does:?}, {codes:?}, {:?}", node.path);
        if self.sound.borrow_mut().insert(node.place.cold.bytes_hash()) {
            fsck(node.place, &what);
        }
        let has_past = self.past.texts.is_some();
        for (at, code) in codes.iter().enumerate() {
            let others: Vec<_> =
                does.iter().enumerate().filter(|(other, _)| *other != at).collect();
            let others: Vec<_> = others.into_iter().map(|(_, does)| *does).collect();
            let is_told = matches!(*code, "under way" | "ok");
            let told = &node.outcomes[at];
            assert!(is_told || does[at].may_refuse(code, &others, has_past), "{what}: {told:?}");
        }
        if codes.contains(&"under way") {
            return;
        }
        self.ends.borrow_mut().insert(codes.iter().map(|code| (*code).to_owned()).collect());
        self.check_end(node.place, &codes, &what);
    }

    fn did(&self, codes: &[&str], is_it: impl Fn(Does) -> bool) -> usize {
        self.does.iter().zip(codes).filter(|(does, code)| is_it(**does) && **code == "ok").count()
    }

    fn check_end(&self, world: &World, codes: &[&str], what: &str) {
        let deleted = self.did(codes, |does| does == Does::Delete) > 0;
        let created = self.did(codes, |does| does == Does::Create);
        let has_past = self.past.texts.is_some();
        assert!(created <= 1 || deleted, "{what}: created twice");
        assert!(created == 0 || deleted || !has_past, "{what}: created though there");
        let seen = match look(world, "a", what) {
            Ok(seen) => Some(seen),
            Err(error) if error.code() == "not_found" => None,
            Err(error) => panic!("{what}: {error} {:?} {:?}", error.place(), world.hot.keys()),
        };
        match &seen {
            None if deleted => {}
            None => assert!(!has_past && created == 0, "{what}: it is gone"),
            Some(texts) if created > 0 => self.check_new(texts, codes, &[], !deleted, what),
            Some(texts) => {
                assert!(!deleted, "{what}: it came back: {:?}", world.hot.keys());
                let before = self.past.texts.as_deref().expect("nobody created it");
                self.check_new(texts, codes, before, true, what);
            }
        }
        ends_well(world, "a", seen.as_deref(), what);
        let (forked, made) =
            (self.did(codes, Does::is_fork_to), self.did(codes, |does| does == Does::CreateB));
        assert!(forked + made <= 1, "{what}: given twice");
        let is_asked = self.does.iter().any(|does| does.is_of_b());
        let is_there = has_past && !self.does.contains(&Does::Delete);
        assert!(!is_asked || !is_there || forked + made == 1, "{what}: given to nobody");
        match look(world, "b", what) {
            Ok(seen) if made > 0 => {
                let at = self.does.iter().position(|does| *does == Does::CreateB);
                assert_eq!(seen, [text(at.expect("it is there"))], "{what}");
                ends_well(world, "b", Some(&seen), what);
            }
            Ok(seen) => {
                assert_eq!(forked, 1, "{what}: nobody said so");
                self.check_child(&seen, what);
                ends_well(world, "b", Some(&seen), what);
            }
            Err(error) => assert_eq!((error.code(), forked + made), ("not_found", 0), "{what}"),
        }
        let new = others(world);
        assert_eq!(new.len(), self.did(codes, |does| does == Does::Fork), "{what}: {new:?}");
        for child in new {
            let seen = look(world, &child, what).expect("it opens");
            self.check_child(&seen, what);
            ends_well(world, &child, Some(&seen), what);
        }
    }

    /// What was acknowledged is there once; what was not, once or not at all.
    fn check_new(&self, seen: &[String], codes: &[&str], before: &[String], all: bool, what: &str) {
        assert!(seen.starts_with(before), "{what}: entries are missing");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        seen.iter().for_each(|text| *counts.entry(text).or_default() += 1);
        for (at, does) in self.does.iter().enumerate() {
            let count = counts.remove(&*text(at)).unwrap_or(0);
            let is_writing = does.is_append() || *does == Does::Create;
            let is_there = is_writing && codes[at] == "ok" && all;
            assert!(count <= usize::from(is_writing), "{what}: twice");
            assert!(count > 0 || !is_there, "{what}: an acknowledged entry is missing");
            assert!(count == 0 || codes[at] == "ok", "{what}: it was refused, and is there");
        }
        before.iter().for_each(|text| assert_eq!(counts.remove(&**text), Some(1), "{what}"));
        assert!(counts.is_empty(), "{what}: {counts:?}");
    }

    fn check_child(&self, seen: &[String], what: &str) {
        let before = self.past.texts.as_deref().unwrap_or_default();
        let is_back = self.does.contains(&Does::ForkBack) && seen.len() == 1;
        let is_anew = self.does.contains(&Does::Create);
        assert!(
            is_anew || seen.starts_with(before) || is_back && before.starts_with(seen),
            "{what}"
        );
    }
}

/// Sessions that nobody named.
fn others(world: &World) -> BTreeSet<String> {
    let hot = world.hot.keys().into_iter().filter_map(|key| Some(key.session()?.0));
    let cold = world.cold.keys().into_iter().filter_map(|key| match key.object()? {
        ObjectKey::Manifest(id, _) => Some(id),
        _ => None,
    });
    let is_new = |id: &String| id != "a" && id != "b";
    hot.chain(cold).map(|id| id.as_str().to_owned()).filter(is_new).collect()
}

/// Lets some operations race, at most so many points far.
///
/// # Panics
///
/// Where something is lost, or said that is not so.
pub fn race(name: &str, does: &[Does], most: usize) -> Explored {
    let past = past(name);
    let jobs: Vec<_> =
        does.iter().enumerate().map(|(at, does)| running(*does, at, &past)).collect();
    let jobs: Vec<_> = jobs.iter().collect();
    let race = Race { past: &past, does, ends: RefCell::default(), sound: RefCell::default() };
    let start = std::time::Instant::now();
    let explored = explore_some(&|| past.world.copy(), &jobs, most, &mut |node| race.check(node));
    let Explored { orders, points, is_complete } = explored;
    let ends: Vec<_> = race.ends.borrow().iter().map(|ends| ends.join("+")).collect();
    let (took, far) = (start.elapsed(), if is_complete { "" } else { ", and there are more" });
    println!("{does:?} of {name}: {orders} orders, {points} points{far}, {took:?}, ends {ends:?}");
    explored
}

/// Lets every two operations race, one of each sort, in every order; at least so many points in all.
///
/// # Panics
///
/// As [`race`], and where there are fewer.
pub fn pairs(pasts: &[&str], one: &[Does], other: &[Does], least: usize) {
    let (mut orders, mut points, mut failed) = (0_u128, 0, Vec::new());
    let (mut seen, start) = (BTreeSet::new(), std::time::Instant::now());
    let each =
        |past| one.iter().flat_map(move |one| other.iter().map(move |other| (past, *one, *other)));
    for (name, one, other) in pasts.iter().flat_map(each) {
        // Which one is called the first makes no difference.
        if !seen.insert((name, one.min(other), one.max(other))) {
            continue;
        }
        match std::panic::catch_unwind(|| race(name, &[one, other], usize::MAX)) {
            Ok(explored) => (orders, points) = (orders + explored.orders, points + explored.points),
            Err(_) => failed.push((name, one, other)),
        }
    }
    println!("all: {} pairs, {orders} orders, {points} points, {:?}", seen.len(), start.elapsed());
    assert!(failed.is_empty(), "{failed:?}");
    assert!(points >= least, "{points} points only");
}
