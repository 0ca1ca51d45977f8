//! Every operation on a session in two stores, stopped at every request, and with every request
//! failing, before or after it was carried out: nothing is lost, and doing it again ends as if
//! nothing had happened.

use turnkeep::core::session::At;
use turnkeep::core::session::tier::Hot;
use turnkeep_tests::retention::{Fault, Job, Place};
use turnkeep_tests::tiers::{
    Past, World, appending, code, creating, deleting, ends_well, flushing, forking, fsck,
    hydrating, is_collected, look, past, pulling, waking,
};

const FAULTS: [Fault; 3] = [Fault::Stop, Fault::Before, Fault::After];
const PASTS: [&str; 10] = [
    "hot",
    "short",
    "hydrated",
    "kept",
    "tail",
    "long tail",
    "cold",
    "left",
    "archived",
    "archived and more",
];

/// What an operation does to the texts of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Nothing,
    Adds,
    Creates,
    Deletes,
    /// Into "b"; all of it, or the first entry only.
    Forks(bool),
}

const NEW: &str = "new-0 and some words";

fn texts(world: &World, name: &str, what: &str) -> Option<Vec<String>> {
    match look(world, name, what) {
        Ok(seen) => Some(seen),
        Err(error) if error.code() == "not_found" => None,
        Err(error) => panic!("{what}: {error} {:?} {:?}", error.place(), world.hot.keys()),
    }
}

/// Cuts an operation off everywhere; gives how often.
fn cut(past: &Past, doing: &str, effect: Effect, job: &Job) -> usize {
    let with_new = |texts: &Option<Vec<String>>| {
        let mut texts = texts.clone().unwrap_or_default();
        texts.push(NEW.to_owned());
        Some(texts)
    };
    let before = past.texts.clone();
    let after = match effect {
        Effect::Nothing | Effect::Forks(_) => before.clone(),
        Effect::Adds | Effect::Creates => with_new(&before),
        Effect::Deletes => None,
    };
    let mut cuts = 0;
    for fault in FAULTS {
        for at in 0.. {
            let world = past.world.copy();
            let (outcome, is_reached) = world.host().finish_with(job(), fault, at);
            if !is_reached {
                assert_eq!(code(&outcome), "ok", "{doing} of {}: {outcome:?}", past.name);
                break;
            }
            cuts += 1;
            let what = format!("{doing} of {}, {fault:?} at {at}: {outcome:?}", past.name);
            fsck(&world, &what);
            // What is being deleted may lie there in parts.
            if effect != Effect::Deletes {
                let seen = texts(&world, "a", &what);
                assert!(seen == before || seen == after, "{what}: {seen:?}");
                assert!(seen == after || code(&outcome) != "ok", "{what}: {seen:?}");
            }
            if effect == Effect::Nothing {
                ends_well(&world, "a", before.as_deref(), &what);
            }
            world.wait(1000);
            let second = world.host().finish(job());
            let what = format!("{what}, then {second:?}, hot {:?}", world.hot.keys());
            let is_done = match effect {
                Effect::Creates | Effect::Forks(_) => code(&second) == "already_exists",
                Effect::Deletes => code(&second) == "not_found",
                _ => false,
            };
            assert!(is_done || code(&second) == "ok", "{what}");
            assert_eq!(texts(&world, "a", &what), after, "{what}");
            if let Effect::Forks(is_whole) = effect {
                let child = texts(&world, "b", &what).expect("it was forked");
                let parent = after.clone().unwrap_or_default();
                let length = if is_whole { parent.len() } else { 1 };
                assert_eq!(child, parent[..length], "{what}");
                ends_well(&world, "b", Some(&child), &what);
            }
            is_collected(&world, &what);
            ends_well(&world, "a", after.as_deref(), &what);
        }
    }
    cuts
}

fn cut_all(pasts: &[&str], doing: &str, effect: Effect, job: &Job) {
    let start = std::time::Instant::now();
    let (mut cuts, mut failed) = (0, Vec::new());
    for name in pasts {
        let past = past(name);
        let run = std::panic::AssertUnwindSafe(|| cut(&past, doing, effect, job));
        match std::panic::catch_unwind(run) {
            Ok(count) => cuts += count,
            Err(_) => failed.push(*name),
        }
    }
    println!("{doing}: {cuts} cuts, {:?}", start.elapsed());
    assert!(failed.is_empty(), "{doing}: {failed:?}");
    assert!(cuts >= 8 * pasts.len(), "{doing}: {cuts} cuts only");
}

#[test]
fn a_flush_that_is_cut_off_loses_nothing() {
    for hot in [Hot::Clear, Hot::Keep, Hot::Leave] {
        cut_all(&PASTS, &format!("flush, {hot:?}"), Effect::Nothing, &flushing(hot));
        cut_all(&["archived beside"], "flush", Effect::Nothing, &flushing(hot));
    }
}

#[test]
fn a_flush_that_joins_segments_loses_nothing_when_cut_off() {
    cut_all(&["seven"], "merge", Effect::Nothing, &flushing(Hot::Keep));
}

#[test]
fn an_append_that_is_cut_off_is_there_whole_or_not_at_all() {
    cut_all(&PASTS, "append", Effect::Adds, &appending(NEW));
    cut_all(&PASTS, "hydrate and append", Effect::Adds, &waking(NEW));
}

#[test]
fn a_hydration_that_is_cut_off_leaves_the_session_whole() {
    cut_all(&PASTS, "hydrate", Effect::Nothing, &hydrating());
}

#[test]
fn a_pull_that_is_cut_off_leaves_the_session_whole() {
    cut_all(&PASTS, "pull", Effect::Nothing, &pulling());
}

#[test]
fn a_deletion_that_is_cut_off_is_ended_by_doing_it_again() {
    cut_all(&PASTS, "delete", Effect::Deletes, &deleting());
}

#[test]
fn a_creation_that_is_cut_off_leaves_the_id_free_or_taken() {
    cut_all(&["none", "deleted", "deleted hot"], "create", Effect::Creates, &creating(NEW));
}

#[test]
fn a_fork_that_is_cut_off_is_there_whole_or_not_at_all() {
    cut_all(&PASTS, "fork", Effect::Forks(true), &forking(At::Head));
    cut_all(&PASTS, "fork back", Effect::Forks(false), &forking(At::Seq(1)));
}
