//! Operations on a session in two stores, in every order in which their requests may come: what was
//! acknowledged is there once, in one chain, what is deleted stays deleted, and the session goes on.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use turnkeep::core::session::tier::{self, Flush, Hot};
use turnkeep::core::session::{self, Append, At, Fork};
use turnkeep::core::store::ObjectKey;
use turnkeep::{Create, Error, ErrorKind, Range};
use turnkeep_tests::retention::{
    Explored, Job, Node, Outcome, Running, explore, first_then, job, judged,
};
use turnkeep_tests::sessions::id;
use turnkeep_tests::tiers::{Past, World, draft, ends_well, fsck, look, past, texts_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Clear,
    Keep,
    Leave,
    /// Appends by a handle that was opened before.
    Stale,
    Append,
    Once,
    Hydrate,
    /// Hydrates, then appends.
    Wake,
    Delete,
    Create,
    /// Forks into a new id.
    Fork,
    /// Forks into the id "b".
    ForkTo,
    /// The same, at an entry before the head.
    ForkBack,
    Pull,
    Collect,
    /// Reads all of it, at once.
    Read,
    /// The same, the last entry first.
    ReadBack,
    Verify,
}

use Does::{
    Append as Appends, Clear, Collect, Create as Creates, Delete, Fork as Forks, ForkBack, ForkTo,
    Hydrate, Keep, Leave, Once, Pull, Read, ReadBack, Stale, Verify, Wake,
};

const FLUSHES: [Does; 3] = [Clear, Keep, Leave];
const PASTS: [&str; 6] = ["hot", "hydrated", "tail", "cold", "archived", "archived and more"];

impl Does {
    fn is_append(self) -> bool {
        matches!(self, Stale | Appends | Once | Wake)
    }

    fn is_fork_to(self) -> bool {
        matches!(self, ForkTo | ForkBack)
    }

    /// What it may say for reasons of its own or of the others.
    fn may_refuse(self, code: &str, others: &[Self], has_past: bool) -> bool {
        let is_gone = !has_past || others.contains(&Delete);
        let is_new = others.contains(&Creates);
        let is_raced = others.iter().any(|other| other.is_append());
        match code {
            "conflict" if self.is_append() => is_raced || is_gone || is_new,
            "conflict" => is_gone && is_new && self != Creates,
            "already_exists" if self == Creates => true,
            "already_exists" => self.is_fork_to() && others.iter().any(|other| other.is_fork_to()),
            "not_found" => is_gone || self == Delete,
            // What is being deleted may lie there in parts.
            "broken_link" => others.contains(&Delete),
            _ => false,
        }
    }
}

fn text(at: usize) -> String {
    format!("new-{at} and some words")
}

fn drafts(at: usize) -> Append {
    Append::from([draft(&text(at))])
}

/// The operation, as the one of that number.
fn running(does: Does, at: usize, past: &Past) -> Job {
    let flush =
        |hot| job(move || tier::flush(id("a"), Flush::default().hot(hot)).with_cold_store());
    let open = || session::open(id("a")).with_cold_store();
    let fork = |fork: Fork| job(move || session::fork(id("a"), fork.clone()).with_cold_store());
    match does {
        Clear => flush(Hot::Clear),
        Keep => flush(Hot::Keep),
        Leave => flush(Hot::Leave),
        Stale => {
            let world = past.world.copy();
            Box::new(move || -> Box<dyn Running> {
                // Clones of a handle share what they know.
                let opened = world.run(session::open(id("a")));
                let append = move || match &opened {
                    Ok(opened) => session::append(opened.clone(), drafts(at)).with_cold_store(),
                    Err(_) => panic!("there is no session"),
                };
                job(append)()
            })
        }
        Appends => {
            first_then(open, move |opened| session::append(opened, drafts(at)).with_cold_store())
        }
        Once => first_then(open, move |opened| {
            session::append(opened, drafts(at).once()).with_cold_store()
        }),
        Hydrate => job(|| tier::hydrate(id("a")).with_cold_store()),
        Wake => first_then(
            || tier::hydrate(id("a")).with_cold_store(),
            move |hydrated| session::append(hydrated.session, drafts(at)).with_cold_store(),
        ),
        Delete => job(|| session::delete(id("a")).with_cold_store()),
        Creates => job(move || {
            let mut create = Create::default().with_id(id("a"));
            create.entries = drafts(at).drafts;
            session::create(create).with_cold_store()
        }),
        Forks => fork(Fork::default()),
        ForkTo => fork(Fork::default().with_id(id("b"))),
        ForkBack => fork(Fork::at(At::Seq(1)).with_id(id("b"))),
        Pull => job(|| tier::pull(id("a")).with_cold_store()),
        Read => reader(past, Range::all(), |lines| lines),
        ReadBack => reader(past, Range::all().newest_first(), |mut lines| {
            lines.reverse();
            lines
        }),
        Verify => judged(
            || session::verify(id("a"), None, true).with_cold_store(),
            |report| report.fault.clone().map_or(Ok(()), Err),
        ),
        Collect => job(|| tier::collect(tier::Collect::default()).with_cold_store()),
    }
}

/// Reads what was there before, and perhaps what came since.
fn reader(past: &Past, range: Range, order: fn(Vec<String>) -> Vec<String>) -> Job {
    let before = past.texts.clone().unwrap_or_default();
    judged(
        move || session::read(id("a"), range.clone()).with_cold_store(),
        move |page| {
            let lines = String::from_utf8(page.lines.clone()).expect("text");
            let lines = order(lines.split_inclusive('\n').map(str::to_owned).collect());
            let mut texts = texts_of(&lines);
            // A page ends where a part does.
            let is_right = match page.next {
                None => texts.starts_with(&before),
                Some(_) => {
                    texts.retain(|text| !text.starts_with("new-"));
                    before.starts_with(&texts) || before.ends_with(&texts)
                }
            };
            let wrong = || Error::new(ErrorKind::BadSeq, format!("a wrong read: {lines:?}"));
            is_right.then_some(()).ok_or_else(wrong)
        },
    )
}

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
        let deleted = self.did(codes, |does| does == Delete) > 0;
        let created = self.did(codes, |does| does == Creates);
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
        let forked = self.did(codes, Does::is_fork_to);
        assert!(forked <= 1, "{what}: forked twice into one");
        match look(world, "b", what) {
            Ok(seen) => {
                assert_eq!(forked, 1, "{what}: nobody said so");
                self.check_child(&seen, what);
                ends_well(world, "b", Some(&seen), what);
            }
            Err(error) => assert_eq!((error.code(), forked), ("not_found", 0), "{what}"),
        }
        let new = others(world);
        assert_eq!(new.len(), self.did(codes, |does| does == Forks), "{what}: {new:?}");
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
            let is_writing = does.is_append() || *does == Creates;
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
        let is_back = self.does.contains(&ForkBack) && seen.len() == 1;
        let is_anew = self.does.contains(&Creates);
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

fn race(name: &str, does: &[Does]) -> Explored {
    let past = past(name);
    let jobs: Vec<_> =
        does.iter().enumerate().map(|(at, does)| running(*does, at, &past)).collect();
    let jobs: Vec<_> = jobs.iter().collect();
    let race = Race { past: &past, does, ends: RefCell::default(), sound: RefCell::default() };
    let start = std::time::Instant::now();
    let explored = explore(&|| past.world.copy(), &jobs, &mut |node| race.check(node));
    let Explored { orders, points } = explored;
    let ends = race.ends.borrow();
    let took = start.elapsed();
    println!("{does:?} of {name}: {orders} orders, {points} points, {took:?}, ends {ends:?}");
    explored
}

fn pairs(pasts: &[&str], one: &[Does], other: &[Does]) {
    let (mut orders, mut points, mut failed) = (0_u128, 0, Vec::new());
    for name in pasts {
        for one in one {
            for other in other {
                let Ok(explored) = std::panic::catch_unwind(|| race(name, &[*one, *other])) else {
                    failed.push((name, one, other));
                    continue;
                };
                orders += explored.orders;
                points += explored.points;
            }
        }
    }
    println!("all: {orders} orders, {points} points");
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn two_flushes_write_everything_once() {
    pairs(&PASTS, &FLUSHES, &FLUSHES);
}

#[test]
fn an_append_and_a_flush_lose_nothing() {
    pairs(&PASTS, &[Stale, Appends, Once, Wake], &FLUSHES);
    pairs(&["kept", "left", "archived beside", "long tail"], &[Stale, Wake], &FLUSHES);
}

#[test]
fn two_appends_and_hydrations_follow_each_other() {
    let appends = [Stale, Once, Wake, Hydrate];
    pairs(&["hydrated", "tail", "cold", "archived"], &appends, &appends);
}

#[test]
fn a_hydration_and_a_flush_leave_the_session_whole() {
    pairs(&PASTS, &[Hydrate], &FLUSHES);
}

#[test]
fn what_is_deleted_stays_deleted_whoever_goes_on() {
    let others = [Clear, Keep, Leave, Hydrate, Delete, Forks, ForkTo, Pull];
    pairs(&PASTS, &[Delete], &others);
    pairs(&PASTS[..4], &[Delete], &[Stale, Wake]);
}

#[test]
fn an_id_is_given_once() {
    pairs(&PASTS, &[Creates], &[Clear, Keep, Hydrate, Delete, Wake]);
    let others = [Creates, Clear, Hydrate, Delete, Pull];
    pairs(&["none", "deleted", "deleted hot"], &[Creates], &others);
    pairs(&["created anew"], &[Delete, Stale], &[Clear, Keep, Hydrate, Creates]);
}

#[test]
fn forks_are_whole_and_made_once() {
    let others = [Clear, Keep, Stale, Hydrate, ForkTo];
    pairs(&PASTS, &[Forks, ForkTo, ForkBack], &others);
}

#[test]
fn a_pull_leaves_the_session_whole() {
    pairs(&PASTS[..4], &[Pull], &[Clear, Keep, Leave, Stale, Wake, Hydrate, Pull]);
}

#[test]
fn a_flush_that_joins_segments_leaves_them_whole() {
    pairs(&["seven"], &FLUSHES, &[Clear, Keep, Stale, Wake, Hydrate, ForkTo, Delete]);
}

#[test]
fn readers_see_the_session_wherever_it_lies() {
    let others = [Clear, Keep, Stale, Wake, Hydrate, Pull];
    pairs(&PASTS, &[Read, ReadBack, Verify], &others);
}

#[test]
fn a_collection_takes_nothing_that_is_used() {
    let others = [Clear, Keep, Wake, ForkTo, Delete, Pull, Read, Collect];
    pairs(&["tail", "created anew", "seven"], &[Collect], &others);
}

#[test]
fn three_at_once_lose_nothing() {
    for name in ["short", "tail"] {
        race(name, &[Clear, Clear, Stale]);
        race(name, &[Clear, Stale, Hydrate]);
        race(name, &[Clear, Delete, Hydrate]);
    }
}
