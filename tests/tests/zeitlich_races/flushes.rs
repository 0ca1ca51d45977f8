//! Flushes that race with appends (Z1), with evictions (Z2), and that end late (Z8).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use turnkeep::core::session::tier::Hot;
use turnkeep::{ErrorKind, Fork, MemoryStore, Session, Store, Tier};
use turnkeep_servers::{Action, Rule};
use turnkeep_tests::build::Random;
use turnkeep_tests::real::{Rig, append, assert_all_once, create, flush, is_race, open_s3, texts};
use turnkeep_tests::sessions::{bytes_of, id, log_key, user, write};

use super::{A_SESSION, Timed, rounds, slow};

fn open(tier: &Arc<Tier>, name: &str) -> Session {
    Session::open(tier.clone(), &id(name)).expect("it opens")
}

#[test]
fn z1_an_append_during_a_flush_is_never_lost() {
    let rig = Rig::start();
    let workers = [rig.another(), rig.another()];
    let _timed = Timed::new("Z1");
    let (mut acknowledged, mut name) = (Vec::new(), String::new());
    let (mut met, conflicts) = (0, AtomicUsize::new(0));
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z1-{round}");
            acknowledged.clear();
            drop(create(&rig.tier, &name));
        }
        rig.s3.plan(if round % 2 == 0 { slow("sessions/", 3) } else { Vec::new() });
        let start = Barrier::new(3);
        let late = open(&rig.tier, &name);
        let written = thread::scope(|scope| {
            let write = |(worker, tier)| {
                let (start, name, conflicts) = (&start, &name, &conflicts);
                scope.spawn(move || {
                    let mut session = Some(open(tier, name));
                    start.wait();
                    thread::sleep(Duration::from_micros(700 * worker as u64));
                    let texts = [0, 1].map(|n| format!("{round}-{worker}-{n}"));
                    for text in &texts {
                        let again = append(tier, name, &mut session, text);
                        conflicts.fetch_add(again as usize, Ordering::Relaxed);
                    }
                    texts
                })
            };
            let writers = workers.iter().enumerate().map(write).collect::<Vec<_>>();
            start.wait();
            let hot = [Hot::Clear, Hot::Keep, Hot::Clear, Hot::Leave][round % 4];
            let flushed = flush(&rig.tier, &name, hot).expect("a flush");
            met += usize::from(hot != Hot::Leave && !flushed.cleared);
            writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
        });
        let written: Vec<String> = written;
        acknowledged.extend(written);
        // One who opened it before all that, and comes only now.
        flush(&rig.tier, &name, Hot::Clear).expect("a flush");
        let text = format!("{round}-late");
        append(&rig.tier, &name, &mut Some(late), &text);
        acknowledged.push(text);
        assert_all_once(&rig.history(&name), &acknowledged, &name);
        if round % A_SESSION == A_SESSION - 1 {
            flush(&rig.tier, &name, Hot::Clear).expect("a flush");
            assert_all_once(&rig.archived(&name), &acknowledged, &name);
        }
    }
    println!("Z1: {met} flushes met an append; {conflicts:?} appends were done again");
    assert!(met > rounds() / 20, "hardly a flush met an append: {met}");
}

#[test]
fn z2_the_archive_never_gets_shorter_whatever_redis_throws_away() {
    let rig = Rig::start();
    let others = [rig.another(), rig.another()];
    let _timed = Timed::new("Z2");
    let mut random = Random::new(2);
    let (mut name, mut session) = (String::new(), None);
    let (mut survived, mut left, mut apart) = (0, 0, 0);
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z2-{round}");
            session = Some(create(&rig.tier, &name));
            append(&rig.tier, &name, &mut session, "first");
            flush(&rig.tier, &name, Hot::Keep).expect("a flush");
        }
        rig.s3.plan(if round % 2 == 0 { slow("", 2) } else { Vec::new() });
        let before = rig.archived(&name);
        // Sometimes something is new, and sometimes nothing.
        for number in 0..random.below(3) {
            append(&rig.tier, &name, &mut session, &format!("{round}-{number}"));
        }
        let all = rig.history(&name);
        let head = open(&rig.tier, &name).head().expect("a head");
        let object = format!("turnkeep{{{name}}}.jsonl");
        let version = format!("{object}:v");
        let doomed = match random.below(4) {
            0 => vec!["DEL", &object],
            1 => vec!["DEL", &version],
            _ => vec!["DEL", &object, &version],
        };
        let pause = Duration::from_micros(random.below(6000) as u64);
        let (hot, start) = ([Hot::Clear, Hot::Keep][round % 2], Barrier::new(3));
        let flushed = thread::scope(|scope| {
            scope.spawn(|| {
                let mut redis = rig.redis.connect();
                start.wait();
                thread::sleep(pause);
                redis.command(&doomed);
            });
            scope.spawn(|| {
                start.wait();
                for _ in 0..2 {
                    let hydrated = others[0].hydrate(&id(&name)).map(|_| ());
                    assert!(hydrated.as_ref().err().is_none_or(is_race), "{hydrated:?}");
                }
            });
            start.wait();
            flush(&rig.tier, &name, hot)
        });
        rig.s3.plan(Vec::new());
        let archived = rig.archived(&name);
        assert!(archived.starts_with(&before), "{name}: {archived:?} after {before:?}");
        assert!(all.starts_with(&archived), "{name}: {archived:?} of {all:?}");
        match &flushed {
            Ok(flushed) if flushed.head.is_some_and(|flushed| flushed.seq >= head.seq) => {
                assert_eq!(archived, all, "{name}: acknowledged by the flush");
                survived += 1;
            }
            Ok(_) => left += 1,
            Err(error) => assert!(is_race(error), "{error}"),
        }
        // It goes on from what there is, in whichever store, and nothing is in between.
        append(&others[1], &name, &mut None, &format!("{round}-on"));
        if let Err(error) = flush(&others[1], &name, [Hot::Keep, Hot::Clear][round % 2]) {
            // What was thrown away was committed all the same, after another one had gone on from
            // before it: nobody's work is overwritten, and both can be kept.
            assert!(error.kind() == ErrorKind::Conflict && error.actual().is_some(), "{error}");
            apart += 1;
            let ours = texts(&open(&others[1], &name));
            let kept = open(&others[1], &name).fork(Fork::default()).expect("a fork");
            assert_eq!(texts(&kept), ours, "{name}");
            flush(&others[1], kept.id().as_str(), Hot::Clear).expect("a flush");
            assert_eq!(rig.archived(kept.id().as_str()), ours, "{name}");
            assert_eq!(rig.archived(&name), archived, "{name}");
            rig.redis.connect().command(&["DEL", &object, &version]);
            append(&others[1], &name, &mut None, &format!("{round}-on"));
            flush(&others[1], &name, Hot::Clear).expect("a flush");
        }
        let on = rig.archived(&name);
        assert!(on.starts_with(&archived), "{name}: {on:?} after {archived:?}");
        assert_eq!(on.last(), Some(&format!("{round}-on")));
        assert_all_once(&on, on.iter().collect::<BTreeSet<_>>(), &name);
        session = None;
    }
    println!("Z2: {survived} flushes were in time, {left} found nothing, {apart} went apart");
    assert!(survived > 50, "{survived}");
}

/// How a flush comes late.
fn lateness(round: usize) -> Rule {
    let rule = Rule { method: "PUT".into(), delay_ms: 8, ..Rule::default() };
    match round % 4 {
        0 => Rule { key: "sessions/".into(), ..rule },
        1 => Rule { key: "segments/".into(), ..rule },
        // S3 does it when the one who asked has long gone.
        2 => Rule { key: "sessions/".into(), action: Action::Late, ..rule },
        _ => Rule { key: "segments/".into(), action: Action::Late, ..rule },
    }
}

#[test]
fn z8_a_flush_that_ends_late_never_overwrites_what_is_newer() {
    let rig = Rig::start();
    let other = rig.another();
    let _timed = Timed::new("Z8");
    let (mut acknowledged, mut name) = (Vec::new(), String::new());
    let mut failed = 0;
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z8-{round}");
            acknowledged = vec!["first".to_owned()];
            append(&rig.tier, &name, &mut Some(create(&rig.tier, &name)), "first");
        }
        // Long enough for a segment of its own.
        let long = format!("{round}-slow-{}", Random::new(round as u64).text(3000));
        append(&rig.tier, &name, &mut None, &long);
        acknowledged.push(long);
        rig.s3.plan(vec![lateness(round)]);
        let newer = format!("{round}-newer");
        let [slow_hot, hot] = if round % 8 < 4 { [Hot::Clear; 2] } else { [Hot::Clear, Hot::Keep] };
        thread::scope(|scope| {
            let slow = scope.spawn(|| flush(&rig.tier, &name, slow_hot));
            thread::sleep(Duration::from_millis(3));
            append(&other, &name, &mut None, &newer);
            // Now and then it is the one who does not hear how it ended.
            while let Err(error) = flush(&other, &name, hot) {
                assert!(error.is_retryable() && error.kind() == ErrorKind::StoreFailed, "{error}");
            }
            let newest = rig.archived(&name);
            assert_eq!(newest.last(), Some(&newer), "{name}");
            if let Err(error) = slow.join().expect("the slow one") {
                assert!(error.is_retryable() && error.kind() == ErrorKind::StoreFailed, "{error}");
                failed += 1;
                thread::sleep(Duration::from_millis(10));
            }
        });
        acknowledged.push(newer);
        assert_eq!(rig.archived(&name), acknowledged, "{name}, round {round}");
        flush(&rig.tier, &name, slow_hot).expect("the slow one again");
        assert_eq!(rig.history(&name), acknowledged, "{name}, round {round}");
    }
    println!("Z8: {failed} flushes did not hear how they ended");
    assert!(failed > 0);
}

/// Works of the same session, each with a hot store of its own, have gone different ways: one of
/// them is flushed, and all others hear of it.
#[test]
fn one_of_many_who_commit_at_once_wins() {
    const WORKERS: usize = 32;
    /// Fewer than of `one_of_many_creators_wins_in_every_store`, on which it rests.
    const COMMITS: usize = 50;
    let rig = Rig::start();
    let _timed = Timed::rounds("32 who commit", COMMITS);
    drop(create(&rig.tier, "a"));
    flush(&rig.tier, "a", Hot::Clear).expect("a flush");
    let cold = Arc::new(open_s3(&rig.s3, Duration::from_secs(20)));
    for round in 1..=COMMITS as u64 {
        let start = Barrier::new(WORKERS);
        let hydrated = Arc::new(MemoryStore::new());
        let tier = Tier::open_reading(hydrated.clone(), cold.clone());
        drop(tier.hydrate(&id("a")).expect("hydrated"));
        let log = bytes_of(&(hydrated as Arc<dyn Store>), &log_key("a"));
        let wins: Vec<usize> = thread::scope(|scope| {
            let work = |worker| {
                let (start, log, cold) = (&start, &log, cold.clone());
                scope.spawn(move || {
                    let hot: Arc<dyn Store> = Arc::new(MemoryStore::new());
                    write(&hot, &log_key("a"), log);
                    let tier = Tier::open_reading(hot, cold);
                    let session = open(&tier, "a");
                    session.append(&[user(&format!("{round}-{worker}"))]).expect("an append");
                    start.wait();
                    match flush(&tier, "a", Hot::Clear) {
                        Ok(_) => Some(worker),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                            assert_eq!(error.actual().expect("the head").seq, round);
                            None
                        }
                    }
                })
            };
            let workers = (0..WORKERS).map(work).collect::<Vec<_>>();
            workers.into_iter().filter_map(|worker| worker.join().expect("a worker")).collect()
        });
        assert_eq!(wins.len(), 1, "round {round}: {wins:?}");
        let archived = open(&rig.tier, "a");
        assert_eq!(archived.head().expect("a head").seq, round);
        assert_eq!(texts(&archived).last(), Some(&format!("{round}-{}", wins[0])));
    }
}
