//! How long Redis keeps a session (Z3), and hydrations at once (Z4).

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use turnkeep::core::session::tier::Hot;
use turnkeep::{About, Draft, Place, Tier, set_about};
use turnkeep_servers::RawRedis;
use turnkeep_tests::build::Random;
use turnkeep_tests::real::{
    Rig, append, assert_all_once, create, flush, is_race, open_redis, open_s3, texts,
};
use turnkeep_tests::sessions::id;

use super::{A_SESSION, Timed, rounds};

fn keeping(rig: &Rig, ttl: Duration) -> Arc<Tier> {
    let hot = Arc::new(open_redis(&rig.redis, |options| options.ttl = Some(ttl)));
    Tier::open_reading(hot, Arc::new(open_s3(&rig.s3, Duration::from_secs(20))))
}

fn names_of(redis: &mut RawRedis, name: &str) -> Vec<String> {
    redis.command(&["KEYS", &format!("turnkeep{{{name}}}*")]).texts()
}

/// A write to a session; what it added, if it did. The history after it starts with `kept`.
fn write(tier: &Arc<Tier>, name: &str, random: &mut Random, round: usize) {
    let open = || tier.hydrate(&id(name)).expect("hydrated");
    match random.below(7) {
        0 => _ = flush(tier, name, Hot::Keep).expect("a flush"),
        1 => {
            flush(tier, name, Hot::Clear).expect("a flush");
            drop(open());
        }
        2 => {
            let about = About::new(Some(format!("Title {round}")), Vec::new());
            set_about(&**tier, &id(name), about).expect("about");
        }
        3 => _ = open().truncate_from(Place::Index(0)).map_err(|error| error.code()),
        4 => _ = open().replace_history(&["\"1\"", "\"2\""]).expect("replaced"),
        5 => _ = open().append(&[Draft::state("{}")]).expect("a state"),
        _ => _ = append(tier, name, &mut None, &format!("{round}")),
    }
}

#[test]
fn z3_every_write_keeps_all_of_a_session_for_as_long() {
    let rig = Rig::start();
    let tier = keeping(&rig, Duration::from_secs(100));
    let _timed = Timed::new("Z3");
    let (mut redis, mut random) = (rig.redis.connect(), Random::new(3));
    let mut name = String::new();
    let mut seen = 0;
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z3-{round}");
            drop(create(&tier, &name));
            append(&tier, &name, &mut None, "first");
        }
        for key in names_of(&mut redis, &name) {
            redis.command(&["PEXPIRE", &key, "50000"]);
        }
        write(&tier, &name, &mut random, round);
        // Some writes find nothing to do; this one has something.
        append(&tier, &name, &mut None, &format!("{round}-on"));
        let left: Vec<_> = names_of(&mut redis, &name)
            .iter()
            .map(|key| redis.command(&["PTTL", key]).number())
            .collect();
        seen = seen.max(left.len());
        assert!(left.len() >= 2);
        let (least, most) = (left.iter().min(), left.iter().max());
        assert!(left.iter().all(|ms| (90_000..=100_000).contains(ms)), "{name}: {left:?}");
        assert!(most.zip(least).is_some_and(|(most, least)| most - least < 1000), "{left:?}");
    }
    assert!(seen >= 4, "the title expires with the log: {seen}");
    short_lived(&rig);
}

/// Sessions of a second: what is written to stays, the rest goes as a whole.
fn short_lived(rig: &Rig) {
    const LIVE: Duration = Duration::from_millis(1200);
    thread::scope(|scope| {
        for writer in 0..20 {
            scope.spawn(move || {
                let tier = keeping(rig, LIVE);
                let name = format!("z3-short-{writer}");
                let mut session = Some(create(&tier, &name));
                set_about(&*tier, &id(&name), About::new(Some("T".into()), Vec::new()))
                    .expect("about");
                append(&tier, &name, &mut session, "flushed");
                flush(&tier, &name, Hot::Keep).expect("a flush");
                let since = Instant::now();
                let mut texts_of = vec!["flushed".to_owned()];
                while since.elapsed() < LIVE * 2 {
                    thread::sleep(LIVE / 4);
                    let text = texts_of.len().to_string();
                    append(&tier, &name, &mut session, &text);
                    texts_of.push(text);
                }
                let opened = tier.hydrate(&id(&name)).expect("it is there");
                assert_eq!(texts(&opened), texts_of, "{name}");
                thread::sleep(LIVE + LIVE / 4);
                assert_eq!(names_of(&mut rig.redis.connect(), &name), [""; 0], "{name}");
                let opened = tier.hydrate(&id(&name)).expect("it is archived");
                assert_eq!(texts(&opened), ["flushed"], "{name}");
                // Who comes late hears of it.
                let late = session.expect("open").append(&["{}"]);
                assert!(late.is_err(), "{late:?}");
            });
        }
    });
}

#[test]
fn z4_hydrations_at_once_give_one_session() {
    let rig = Rig::start();
    let workers: Vec<_> = (0..4).map(|_| rig.another()).collect();
    let _timed = Timed::new("Z4");
    let (mut acknowledged, mut name) = (Vec::new(), String::new());
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z4-{round}");
            acknowledged = vec!["first".to_owned()];
            append(&rig.tier, &name, &mut Some(create(&rig.tier, &name)), "first");
        }
        flush(&rig.tier, &name, Hot::Clear).expect("a flush");
        let racing = if round % 2 == 0 { &workers[..2] } else { &workers };
        let (start, appends) = (Barrier::new(racing.len()), round % 4 >= 2);
        let written: Vec<String> = thread::scope(|scope| {
            let hydrate = |(worker, tier)| {
                let (start, name, acknowledged): (_, &String, &Vec<_>) =
                    (&start, &name, &acknowledged);
                let tier: &Arc<Tier> = tier;
                scope.spawn(move || {
                    start.wait();
                    let session = loop {
                        match tier.hydrate(&id(name)) {
                            Ok(session) => break session,
                            Err(error) => assert!(is_race(&error), "{error}"),
                        }
                    };
                    assert!(texts(&session).starts_with(acknowledged), "{name}");
                    let text = format!("{round}-{worker}");
                    appends.then(|| {
                        append(tier, name, &mut Some(session), &text);
                        text
                    })
                })
            };
            let racers = racing.iter().enumerate().map(hydrate).collect::<Vec<_>>();
            racers.into_iter().filter_map(|racer| racer.join().expect("a worker")).collect()
        });
        acknowledged.extend(written);
        let session = rig.tier.hydrate(&id(&name)).expect("hydrated");
        assert!(session.verify().expect("a report").is_whole());
        let found = texts(&session);
        assert_all_once(&found, &acknowledged, &format!("{name}, round {round}"));
        acknowledged = found;
    }
    flush(&rig.tier, &name, Hot::Clear).expect("a flush");
    assert_eq!(rig.archived(&name), acknowledged);
}
