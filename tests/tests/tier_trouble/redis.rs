//! Trouble with Redis.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use super::*;
use turnkeep::{RedisStore, S3Store};
use turnkeep_servers::RedisServer;
use turnkeep_tests::real::{open_redis, open_s3};
use turnkeep_tests::spy::{Failure, Spy};

/// The connection breaks at every request, before or after Redis did it.
#[test]
fn a_connection_that_breaks_at_every_request() {
    let rig = Rig::start();
    let hot: Arc<Spy<RedisStore>> = Arc::new(Spy::new(open_redis(&rig.redis, |_| {})));
    let cold: Arc<S3Store> = Arc::new(open_s3(&rig.s3, Duration::from_secs(20)));
    let tier = Tier::open_reading(hot.clone(), cold);
    let since = Instant::now();
    let (mut points, mut failed) = (0, 0);
    for operation in OPERATIONS.into_iter().filter(|operation| *operation != Operation::Collect) {
        for failure in [Failure::Before, Failure::After] {
            for request in 0.. {
                let at = format!("{operation:?}, request {request}: {failure:?}");
                let scene = Scene::new(&rig, &tier, format!("r{points}"), operation);
                hot.fail_after(request, failure);
                let done = scene.act(operation);
                let is_over = hot.heal();
                if let Err(error) = done {
                    assert_clear(&error, &at);
                    failed += 1;
                }
                scene.finish(&rig, operation, &at);
                points += 1;
                if is_over {
                    break;
                }
            }
        }
    }
    println!("Redis: {points} points, {failed} failed, {:.1} s", seconds(since));
}

/// How long connections are left alone at least.
const PAUSE: Duration = Duration::from_millis(15);

/// Redis itself ends all connections again and again, while much is done.
#[test]
fn connections_that_redis_ends_at_any_time() {
    let rig = Rig::start();
    let (stop, done) = (AtomicBool::new(false), AtomicU32::new(0));
    let cuts = thread::scope(|scope| {
        let cutter = scope.spawn(|| {
            let mut redis = rig.redis.connect();
            let (mut cuts, mut before, mut pause) = (0, 0, PAUSE);
            while !stop.load(Ordering::Relaxed) {
                redis.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                // On a busy machine nothing would ever come to its end between two cuts.
                let now = done.load(Ordering::Relaxed);
                pause = if now == before { pause * 17 / 16 } else { PAUSE.max(pause * 7 / 8) };
                before = now;
                thread::sleep(pause);
                cuts += 1;
            }
            cuts
        });
        let tier = rig.another();
        let mut failed = 0;
        for round in 0..50 {
            let name = format!("cut-{round}");
            // An append whose answer is lost may have happened: its id tells.
            let mut act = |act: &dyn Fn() -> Result<()>, known: Option<ErrorKind>| {
                loop {
                    match act() {
                        Ok(()) => break,
                        Err(error) if Some(error.kind()) == known => break,
                        Err(error) => assert_clear(&error, &name),
                    }
                    failed += 1;
                }
                done.fetch_add(1, Ordering::Relaxed);
            };
            let open = || tier.hydrate(&id(&name));
            let created = turnkeep::Create::default().with_id(id(&name));
            act(
                &|| Session::create(tier.clone(), created.clone()).map(|_| ()),
                Some(ErrorKind::AlreadyExists),
            );
            for text in ["1", "2"] {
                let once = || turnkeep::Append::from([turnkeep_tests::real::named(text)]).once();
                act(&|| open()?.append_with(once()).map(|_| ()), None);
                act(&|| flush(&tier, &name, Hot::Clear).map(|_| ()), None);
            }
            assert_eq!(rig.archived(&name), ["1", "2"], "{name}");
        }
        stop.store(true, Ordering::Relaxed);
        println!("{failed} failed");
        assert!(failed > 0);
        cutter.join().expect("cut")
    });
    println!("connections were ended {cuts} times");
}

/// Killed, and started empty: between operations, and within them.
#[test]
fn a_redis_that_restarts_empty_loses_nothing_that_was_flushed() {
    let mut rig = Rig::start();
    let since = Instant::now();
    let mut lost = 0;
    for round in 0..40 {
        let name = format!("e{round}");
        let tier = rig.another();
        let mut session = Some(create(&tier, &name));
        append(&tier, &name, &mut session, "flushed");
        flush(&tier, &name, Hot::Keep).expect("a flush");
        append(&tier, &name, &mut session, "hot");
        let is_within = round % 2 == 0;
        let flushed = if is_within {
            let redis: &mut RedisServer = &mut rig.redis;
            thread::scope(|scope| {
                let flushing = scope.spawn(|| flush(&tier, &name, Hot::Clear));
                thread::sleep(Duration::from_micros(300 * round));
                redis.restart_empty();
                flushing.join().expect("a flush")
            })
        } else {
            rig.redis.stop();
            let error = tier.hydrate(&id(&name)).map(|_| ()).expect_err("it is down");
            assert_clear(&error, &name);
            let error = flush(&tier, &name, Hot::Clear).expect_err("it is down");
            assert_clear(&error, &name);
            rig.redis.resume();
            Err(error)
        };
        let archived = rig.archived(&name);
        match flushed {
            Ok(flushed) if flushed.entries > 0 => assert_eq!(archived, ["flushed", "hot"]),
            Ok(_) => {}
            Err(error) => assert_clear(&error, &name),
        }
        assert!(
            ["flushed", "hot"]
                .starts_with(&archived.iter().map(String::as_str).collect::<Vec<_>>())
        );
        assert!(!archived.is_empty(), "{name}");
        lost += usize::from(archived.len() == 1);
        // Whoever still has it open hears of what was lost, or goes on after it.
        let late = session.expect("open").append(&[turnkeep_tests::sessions::user("late")]);
        if let Err(error) = &late {
            assert_clear(error, &name);
        }
        let mut wanted = archived;
        if late.is_ok() {
            wanted.push("late".into());
        }
        // The first request of a connection that is dead tells so.
        let mut hydrated = tier.hydrate(&id(&name));
        for _ in 0..3 {
            if let Err(error) = &hydrated {
                assert_clear(error, &name);
                hydrated = tier.hydrate(&id(&name));
            }
        }
        assert_eq!(texts(&hydrated.expect("hydrated")), wanted, "{name}");
        append(&tier, &name, &mut None, "on");
        flush(&tier, &name, Hot::Clear).expect("a flush");
        wanted.push("on".into());
        assert_eq!(rig.archived(&name), wanted, "{name}");
    }
    println!("40 restarts, {lost} lost what was not flushed, {:.1} s", seconds(since));
}

/// Redis throws single keys away, as it does where memory is short.
#[test]
fn single_keys_that_redis_throws_away() {
    let rig = Rig::start();
    let mut redis = rig.redis.connect();
    let since = Instant::now();
    let mut points = 0;
    for operation in OPERATIONS {
        for suffix in [".jsonl", ".jsonl:v", ".about.json", ".recovery.json", ".recovery.json:v"] {
            let name = format!("k{points}");
            let at = format!("{operation:?} without {suffix}");
            let mut scene = Scene::new(&rig, &rig.tier, name.clone(), operation);
            redis.command(&["DEL", &format!("turnkeep{{{name}}}{suffix}")]);
            if suffix == ".jsonl" {
                // What was not flushed is lost, and nothing else.
                scene.hot.clear();
            }
            if let Err(error) = scene.act(operation) {
                assert_clear(&error, &at);
            }
            scene.finish(&rig, operation, &at);
            points += 1;
        }
    }
    println!("{points} evictions, {:.1} s", seconds(since));
}
