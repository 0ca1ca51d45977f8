//! Collecting, and what it must never take: what a flush is about to use, and everything where a
//! listing cannot be right. Losses of the hot store, and schedules by chance.

use std::sync::atomic::{AtomicU64, Ordering};

use turnkeep::core::session::tier::{Collect, Hot, collect};
use turnkeep::core::store::{Condition, Reply, Request};
use turnkeep::{Key, Store};
use turnkeep_tests::build::Random;
use turnkeep_tests::retention::{Job, Outcome, Place};
use turnkeep_tests::tiers::{
    HOUR_MS, World, appending, code, collect_later, ends_well, flushing, fsck, hydrating,
    is_collected, look, lost, past, pulling, waking,
};

/// Carries an operation out, and does something else before its request of that number; whether it
/// got there.
fn with_pause(
    world: &World,
    job: &Job,
    at: usize,
    is_long: bool,
    pause: &dyn Fn(),
) -> (Outcome, bool) {
    let host = world.host();
    let (mut running, mut count) = (job(), 0);
    while let Some(request) = running.request() {
        if !matches!(request, Request::Stamp { .. }) {
            // One that is under way for hours after the time was checked cannot be called back.
            let is_commit = matches!(&request, Request::Cold(inner) if matches!(&**inner,
                Request::Put { key, .. } if key.as_str().starts_with("sessions/")));
            if count == at && !(is_commit && is_long) {
                pause();
            }
            count += 1;
        }
        running.answer(host.perform(&request));
    }
    (running.outcome(), count > at)
}

#[test]
fn a_collection_at_any_point_of_a_flush_takes_nothing_it_uses() {
    for (name, hot) in [("hot", Hot::Clear), ("long tail", Hot::Keep), ("seven", Hot::Keep)] {
        // The very objects that the flush writes lie there, unused for long.
        let ahead = past(name).world;
        let before = ahead.cold.keys();
        ahead.host().finish(flushing(hot)()).expect("an end").expect("flushed");
        let new: Vec<Key> =
            ahead.cold.keys().into_iter().filter(|key| !before.contains(key)).collect();
        let segments = || new.iter().filter(|key| key.as_str().starts_with("segments/"));
        for has_orphans in [false, true] {
            let mut points = 0;
            for waits_ms in [0, HOUR_MS / 2, HOUR_MS + 1, 8 * 24 * HOUR_MS] {
                for at in 0.. {
                    let past = past(name);
                    let world = &past.world;
                    if has_orphans {
                        for key in segments() {
                            let bytes = ahead.cold.get(key, None).expect("there").bytes;
                            world.cold.plant(key, &bytes, world.now_ms() - 30 * 24 * HOUR_MS);
                        }
                    }
                    // It refuses as long as there are segments and no manifest.
                    collect_later(world).ok();
                    world.wait(8 * 24 * HOUR_MS);
                    let pause = || {
                        world.run(collect(Collect::default())).ok();
                        world.wait(waits_ms);
                        world.run(collect(Collect::default())).ok();
                    };
                    let (outcome, is_reached) =
                        with_pause(world, &flushing(hot), at, waits_ms > HOUR_MS, &pause);
                    let what = format!("{name}, {has_orphans}, {waits_ms} ms at {at}: {outcome:?}");
                    assert!(matches!(code(&outcome), "ok" | "conflict"), "{what}");
                    assert!(waits_ms > HOUR_MS || code(&outcome) == "ok", "{what}");
                    fsck(world, &what);
                    ends_well(world, "a", past.texts.as_deref(), &what);
                    is_collected(world, &what);
                    points += 1;
                    if !is_reached {
                        break;
                    }
                }
            }
            println!("{name}, orphans {has_orphans}: {points} points");
            assert!(points >= 24);
        }
    }
}

/// A manifest that is collected between being listed and being read has a newer one after it.
#[test]
fn who_opens_a_session_while_others_flush_and_collect_finds_it() {
    let mut points = 0;
    for at in 0.. {
        let past = past("cold");
        let world = &past.world;
        let pause = || {
            for job in [waking("new-0 and some words"), flushing(Hot::Clear)] {
                world.host().finish(job()).expect("an end").expect("done");
            }
            collect_later(world).expect("a note");
            let collected = collect_later(world).expect("a collection");
            assert!(collected.iter().any(|key| key.as_str().starts_with("sessions/")));
        };
        let (outcome, is_reached) = with_pause(world, &hydrating(), at, false, &pause);
        let what = format!("before request {at}");
        assert_eq!(code(&outcome), "ok", "{what}: {outcome:?}");
        if !is_reached {
            break;
        }
        let seen = look(world, "a", &what).expect("it opens");
        assert!(seen.contains(&"new-0 and some words".to_owned()), "{what}: {seen:?}");
        points += 1;
    }
    assert!(points >= 5, "{points}");
}

#[test]
fn a_flush_that_takes_too_long_between_segment_and_manifest_does_not_commit() {
    let world = past("hot").world;
    let host = world.host();
    let (mut running, mut refused) = (flushing(Hot::Clear)(), false);
    while let Some(request) = running.request() {
        running.answer(host.perform(&request));
        if let Request::Cold(inner) = &request
            && let Request::Put { key, .. } = &**inner
        {
            assert!(key.as_str().starts_with("segments/"), "{key} was written after too long");
            world.wait(HOUR_MS + 1);
            refused = true;
        }
    }
    assert!(refused && code(&running.outcome()) == "conflict", "{:?}", running.outcome());
}

#[test]
fn nothing_is_collected_where_a_listing_cannot_be_right() {
    for fault in ["no manifests", "a failing page", "a missing segment"] {
        let past = past("seven");
        let world = &past.world;
        world.host().finish(flushing(Hot::Clear)()).expect("an end").expect("flushed");
        collect_later(world).expect("noted");
        world.wait(8 * 24 * HOUR_MS);
        let before = world.cold.keys();
        let host = world.host();
        let mut running =
            turnkeep_tests::retention::job(|| collect(Collect::default()).with_cold_store())();
        while let Some(request) = running.request() {
            let mut reply = host.perform(&request);
            let is_list = |wanted: &str| match &request {
                Request::Cold(inner) => {
                    matches!(&**inner, Request::List { prefix, .. } if prefix == wanted)
                }
                _ => false,
            };
            match fault {
                "no manifests" if is_list("sessions/") => {
                    reply = Reply::Listing(turnkeep::core::store::Listing::default());
                }
                "a failing page" if is_list("sessions/") => reply = Reply::Failed(lost()),
                "a missing segment" if is_list("segments/") => {
                    let used = fsck(world, fault);
                    let key = used.iter().find(|key| key.as_str().starts_with("segments/"));
                    let key = key.expect("a segment");
                    world.cold.delete(key, &Condition::Any).expect("deleted");
                    reply = host.perform(&request);
                }
                _ => {}
            }
            running.answer(reply);
        }
        assert_eq!(code(&running.outcome()), "store_failed", "{fault}: {:?}", running.outcome());
        let missing = usize::from(fault == "a missing segment");
        assert_eq!(world.cold.keys().len(), before.len() - missing, "{fault}");
    }
}

#[test]
fn what_was_flushed_outlives_the_hot_store() {
    let names = [
        "hydrated",
        "kept",
        "tail",
        "long tail",
        "cold",
        "left",
        "seven",
        "archived and more",
        "created anew",
    ];
    let first: [fn() -> Option<Job>; 5] = [
        || None,
        || Some(flushing(Hot::Keep)),
        || Some(flushing(Hot::Leave)),
        || Some(waking("new-0 and some words")),
        || Some(pulling()),
    ];
    let mut losses = 0;
    for name in names {
        for (number, first) in first.iter().enumerate() {
            let past = past(name);
            if let Some(job) = first() {
                past.world.host().finish(job()).expect("an end").expect("done");
            }
            let all = look(&past.world, "a", name).expect("it opens");
            let wiped = past.world.copy();
            wiped.hot.keys().iter().for_each(|key| wiped.hot.lose(key));
            let flushed = look(&wiped, "a", name).ok();
            let keys = past.world.hot.keys();
            let each = keys.iter().map(|key| vec![key.clone()]).chain([keys.clone()]);
            // A log that is lost from behind an archive leaves an archive that nobody can tell from
            // the whole session.
            let each = each.filter(|lost| {
                lost.first().is_none_or(|key| key.as_str() != "a.jsonl")
                    || !name.starts_with("arch")
            });
            for (lost, second) in each.flat_map(|lost| (0..4).map(move |then| (lost.clone(), then)))
            {
                losses += 1;
                let world = past.world.copy();
                lost.iter().for_each(|key| world.hot.lose(key));
                let what = format!("{name}, {number}, {second}, without {lost:?}");
                let job = [flushing(Hot::Clear), flushing(Hot::Keep), hydrating(), pulling()];
                let outcome = world.host().finish(job[second]());
                let told = code(&outcome);
                let flushed = flushed.clone().unwrap_or_default();
                match look(&world, "a", &what) {
                    Ok(seen) => {
                        let is_right = seen.starts_with(&flushed) && all.starts_with(&seen);
                        assert!(is_right, "{what}: {outcome:?}, {} entries", seen.len());
                        ends_well(&world, "a", Some(&seen), &what);
                    }
                    Err(error) => {
                        let is_clear = matches!(error.code(), "not_found" | "broken_link");
                        assert!(is_clear && flushed.is_empty(), "{what}: {error}, {told}");
                    }
                }
            }
        }
    }
    println!("{losses} losses");
    assert!(losses >= 300);
}

const SCHEDULES: u64 = 2000;

#[test]
fn workers_with_faults_by_chance_lose_nothing() {
    let (start, ran) = (std::time::Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for half in 0..2 {
            let ran = &ran;
            scope.spawn(move || {
                for seed in (half..SCHEDULES).step_by(2) {
                    schedule(seed);
                    ran.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let ran = ran.into_inner();
    println!("{ran} schedules, {:?}", start.elapsed());
    assert_eq!(ran, SCHEDULES);
}

fn schedule(seed: u64) {
    let mut random = Random::new(seed);
    let names = ["hot", "hydrated", "kept", "tail", "cold", "archived", "archived and more"];
    let past = past(names[random.below(names.len())]);
    let world = &past.world;
    let before = past.texts.clone().expect("a session");
    let (mut done, mut tried) = (Vec::new(), Vec::new());
    let what = format!("seed {seed}, {}", past.name);
    let host = world.host();
    let workers = 3 + random.below(2);
    let mut running: Vec<_> = (0..workers).map(|_| None).collect();
    let mut left = 8;
    loop {
        for slot in running.iter_mut().filter(|slot| slot.is_none()) {
            if left == 0 {
                continue;
            }
            left -= 1;
            let text = format!("new-{left:02} of {seed}");
            let (job, text) = match random.below(9) {
                0 | 1 => (flushing(Hot::Clear), None),
                2 => (flushing(Hot::Keep), None),
                3 => (flushing(Hot::Leave), None),
                4 => (hydrating(), None),
                5 => (pulling(), None),
                6 => (waking(&text), Some(text)),
                _ => (appending(&text), Some(text)),
            };
            tried.extend(text.clone().map(|text| (text, done.clone())));
            *slot = Some((job(), text));
        }
        let open: Vec<_> = (0..workers).filter(|at| running[*at].is_some()).collect();
        let Some(at) = open.get(random.below(open.len().max(1))).copied() else { break };
        let (task, text) = running[at].as_mut().expect("it is open");
        let Some(request) = task.request() else {
            let outcome = task.outcome();
            let told = code(&outcome);
            let is_known = matches!(told, "ok" | "conflict" | "store_failed" | "already_exists");
            assert!(is_known, "{what}: {outcome:?}");
            if told == "ok" {
                done.extend(text.take());
            }
            running[at] = None;
            continue;
        };
        let is_stamp = matches!(request, Request::Stamp { .. });
        match random.below(60) {
            0 if !is_stamp => task.answer(Reply::Failed(lost())),
            1 if !is_stamp => {
                host.perform_for(at, &request);
                task.answer(Reply::Failed(lost()));
            }
            2 => running[at] = None,
            _ => {
                let reply = host.perform_for(at, &request);
                task.answer(reply);
            }
        }
    }
    fsck(world, &what);
    let seen = look(world, "a", &what).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(seen.starts_with(&before), "{what}: entries are missing");
    let place = |text: &String| {
        let places: Vec<_> = seen.iter().enumerate().filter(|(_, seen)| *seen == text).collect();
        assert!(places.len() <= 1, "{what}: {text} is there twice");
        places.first().map(|(place, _)| *place)
    };
    for text in &done {
        assert!(place(text).is_some(), "{what}: {text} was acknowledged, and is gone: {seen:?}");
    }
    for (text, earlier) in &tried {
        let Some(at) = place(text) else { continue };
        let is_after =
            earlier.iter().all(|earlier| place(earlier).is_some_and(|before| before < at));
        assert!(is_after, "{what}: {text} stands before what was acknowledged before");
    }
    assert!(seen.len() <= before.len() + tried.len(), "{what}");
    // How it goes on from there costs more than all before.
    if seed % 4 < 1 {
        ends_well(world, "a", Some(&seen), &what);
    }
}
