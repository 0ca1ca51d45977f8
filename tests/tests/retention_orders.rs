//! Two operations on one session, in every order in which their requests may come: what was
//! acknowledged is there, in one chain, whichever way it is read, at every point between.

use std::cell::RefCell;
use std::collections::BTreeSet;

use turnkeep::core::session::{self, Append, Policy, Session};
use turnkeep::core::store::Part;
use turnkeep::{Key, MemoryStore, Range, Store};
use turnkeep_tests::retention::{
    DAY_MS, Host, Job, NOW_MS, Node, Outcome, Scene, explore, job, look, open_then,
};
use turnkeep_tests::sessions::{archive_key, id, log_key, user};

/// What one of two operations is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Append,
    Archive,
    Restore,
    Prune,
    Sweep,
    Delete,
    Read,
}

impl Does {
    /// What it may say where the other one was faster.
    fn may_refuse(self, code: &str, other: Self) -> bool {
        match code {
            "conflict" | "locked" => self != Self::Read,
            "already_exists" => matches!(self, Self::Archive | Self::Restore),
            "pruned" => {
                matches!(other, Self::Prune | Self::Sweep | Self::Delete) || self == Self::Prune
            }
            "not_found" | "broken_link" | "empty_log" => other == Self::Delete,
            _ => false,
        }
    }
}

fn running(does: Does) -> Job {
    match does {
        Does::Append => open_then(|opened| session::append(opened, Append::from([user("new")]))),
        Does::Archive => job(|| session::archive(id("a"))),
        Does::Restore => job(|| session::restore(id("a"))),
        Does::Prune => job(|| session::prune(id("a"), "why")),
        Does::Sweep => job(|| session::sweep(policy())),
        Does::Delete => job(|| session::delete(id("a"))),
        Does::Read => job(|| session::read(id("a"), Range::all())),
    }
}

fn policy() -> Policy {
    Policy::default().inactive_for(DAY_MS / 2).at_most(0).older_than(DAY_MS / 2)
}

/// A handle that was opened in that scene.
fn opened(scene: &Scene) -> Session {
    turnkeep::drive(session::open(id("a")), &scene.store()).expect("it opens")
}

/// An append with a handle that was opened before the two began.
fn stale_append(scene: &Scene) -> Job {
    let opened = opened(scene);
    job(move || session::append(opened.clone(), Append::from([user("new")])))
}

struct Race<'a> {
    scene: &'a Scene,
    does: [Does; 2],
    /// How the two ended.
    ends: RefCell<BTreeSet<[String; 2]>>,
}

fn code(outcome: &Outcome) -> &str {
    match outcome {
        None => "under way",
        Some(Ok(())) => "ok",
        Some(Err(error)) => error.code(),
    }
}

impl Race<'_> {
    fn check(&self, node: &Node<'_, MemoryStore>) {
        let codes = [code(&node.outcomes[0]), code(&node.outcomes[1])];
        let what = format!("{}: {:?}, {codes:?}, {:?}", self.scene.name, self.does, node.path);
        let did = |does: Does| (0..2).any(|at| self.does[at] == does && codes[at] == "ok");
        let is_wanted = |does: Does| self.does.contains(&does);
        let [one, other] = self.does;
        for (does, other, code) in [(one, other, codes[0]), (other, one, codes[1])] {
            let is_told = matches!(code, "under way" | "ok");
            assert!(is_told || does.may_refuse(code, other), "{what}: {:?}", node.outcomes);
        }
        let is_over = !codes.contains(&"under way");
        if is_over {
            self.ends.borrow_mut().insert(codes.map(str::to_owned));
        }
        if is_wanted(Does::Delete) {
            return self.check_deleted(node, is_over && did(Does::Delete), &what);
        }
        match look(node.place, "a", &what) {
            Ok(seen) => {
                assert!(seen.lines.starts_with(&self.scene.lines), "{what}: entries are missing");
                let new = seen.lines.len() > self.scene.lines.len();
                assert!(new || !did(Does::Append), "{what}: an acknowledged entry is missing");
                assert!(!did(Does::Prune), "{what}: it was said to be pruned");
            }
            Err(code) => {
                assert_eq!(code, "pruned", "{what}");
                assert!(is_wanted(Does::Prune) || is_wanted(Does::Sweep), "{what}");
                assert!(!did(Does::Append) && !did(Does::Restore), "{what}: it was in use");
            }
        }
        if is_over {
            self.check_record(node, &what);
        }
    }

    /// Nothing comes back.
    fn check_deleted(&self, node: &Node<'_, MemoryStore>, is_done: bool, what: &str) {
        if is_done {
            for part in [Part::Log, Part::Archive] {
                let found = node.place.info(&Key::of(&id("a"), part));
                assert!(found.is_err(), "{what}: {part:?} came back");
            }
        }
    }

    /// What was archived can be pruned later: its record says what the archive is.
    fn check_record(&self, node: &Node<'_, MemoryStore>, what: &str) {
        let is_archived =
            node.place.info(&log_key("a")).is_err() && node.place.info(&archive_key("a")).is_ok();
        if is_archived {
            let later = Host::new(node.place, NOW_MS + 2 * DAY_MS, NOW_MS);
            let pruned = later.finish(job(|| session::prune(id("a"), "later"))());
            assert!(matches!(pruned, Some(Ok(()))), "{what}: not to be pruned later: {pruned:?}");
        }
    }
}

fn race(scene: &str, does: [Does; 2], jobs: [&Job; 2]) {
    let scene = Scene::named(scene);
    let race = Race { scene: &scene, does, ends: RefCell::default() };
    let explored = explore(&|| scene.store(), &jobs, &mut |node| race.check(node));
    println!(
        "{:?} of {}: {} orders, {} points, ends {:?}",
        does,
        scene.name,
        explored.orders,
        explored.points,
        race.ends.borrow()
    );
}

fn of(scenes: &[&str], does: [Does; 2]) {
    for name in scenes {
        let stale = stale_append(&Scene::named(name));
        race(name, does, [&running(does[0]), &running(does[1])]);
        if does[0] == Does::Append {
            race(name, does, [&stale, &running(does[1])]);
        }
    }
}

const LOGS: [&str; 3] = ["a log", "a torn log", "a log and an archive of its start"];
const MERGES: [&str; 3] =
    ["an archive and more", "an archive and an unfinished write", "a log that its archive holds"];

#[test]
fn an_append_and_an_archiving_lose_nothing() {
    of(&LOGS, [Does::Append, Does::Archive]);
    of(&MERGES, [Does::Append, Does::Archive]);
}

#[test]
fn an_append_and_a_restoring_lose_nothing() {
    of(&["an archive", "a log and an archive of it"], [Does::Append, Does::Restore]);
    of(&MERGES, [Does::Append, Does::Restore]);
}

#[test]
fn an_append_and_a_pruning_exclude_each_other() {
    of(&["an archive", "an archive and an unfinished write"], [Does::Append, Does::Prune]);
    of(&["a log and an archive of it"], [Does::Append, Does::Prune]);
}

#[test]
fn two_archivings_make_one_archive() {
    of(&LOGS, [Does::Archive, Does::Archive]);
    of(&MERGES, [Does::Archive, Does::Archive]);
}

#[test]
fn an_archiving_and_a_restoring_leave_it_whole() {
    of(&LOGS, [Does::Archive, Does::Restore]);
    of(&MERGES, [Does::Archive, Does::Restore]);
    of(&["an archive"], [Does::Archive, Does::Restore]);
}

#[test]
fn two_restorings_leave_it_whole() {
    of(&["an archive", "an archive and more"], [Does::Restore, Does::Restore]);
}

#[test]
fn a_pruning_and_a_restoring_exclude_each_other() {
    of(&["an archive", "an archive and an unfinished write"], [Does::Prune, Does::Restore]);
    of(&["a log and an archive of it"], [Does::Prune, Does::Restore]);
}

#[test]
fn a_pruning_and_an_archiving_leave_it_whole_or_pruned() {
    of(&LOGS, [Does::Prune, Does::Archive]);
    of(&MERGES, [Does::Prune, Does::Archive]);
}

#[test]
fn two_prunings_prune_once() {
    of(&["an archive"], [Does::Prune, Does::Prune]);
}

#[test]
fn two_sweeps_exclude_each_other() {
    of(&["a log", "an archive", "an archive and more"], [Does::Sweep, Does::Sweep]);
}

#[test]
fn a_sweep_and_an_append_lose_nothing() {
    of(&["a log", "an archive", "an archive and more"], [Does::Append, Does::Sweep]);
}

#[test]
fn readers_see_the_session_whatever_becomes_of_it() {
    for does in [Does::Archive, Does::Restore, Does::Append] {
        of(&["a log", "an archive", "an archive and more"], [Does::Read, does]);
    }
    of(&["an archive"], [Does::Read, Does::Prune]);
}

#[test]
fn verifying_and_folding_see_the_session_whatever_becomes_of_it() {
    for name in ["a log", "an archive", "an archive and more"] {
        for does in [Does::Archive, Does::Restore] {
            let verify = job(|| session::verify(id("a"), None, true));
            let fold = job(|| session::state(id("a"), session::View::default()));
            let open = job(|| session::open(id("a")));
            for reader in [verify, fold, open] {
                race(name, [Does::Read, does], [&reader, &running(does)]);
            }
        }
    }
}

#[test]
fn what_is_deleted_stays_deleted_whoever_archives_it() {
    of(&["a log", "an archive and more"], [Does::Delete, Does::Archive]);
}
