//! Who wins when many write at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use turnkeep::core::ErrorKind;
use turnkeep::core::store::{Condition, Key};
use turnkeep::{Error, FileStore, MemoryStore, Store};
use turnkeep_servers::{Personality, RedisServer, S3Server};

use crate::{key, open_redis, open_s3};

const WRITERS: usize = 32;
const ROUNDS: usize = 200;

fn one_creator_wins_each_round(store: &dyn Store) {
    for round in 0..ROUNDS {
        let wins = winners(store, &key(&format!("race-{round}")), WRITERS);
        assert_eq!(wins, 1, "round {round}");
    }
}

/// How many of those who create an object at once are told that they did.
fn winners(store: &dyn Store, key: &Key, writers: usize) -> usize {
    let wins = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..writers {
            let wins = &wins;
            scope.spawn(move || {
                match store.put(key, writer.to_string().as_bytes(), &Condition::Absent) {
                    Ok(_) => _ = wins.fetch_add(1, Ordering::Relaxed),
                    Err(error) => assert!(lost(&error), "{error}"),
                }
            });
        }
    });
    wins.into_inner()
}

fn lost(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::Locked)
}

fn a_shared_counter_is_exact(store: &dyn Store) {
    let counter = key("counter");
    store.put(&counter, b"0", &Condition::Absent).expect("a counter");
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..100).for_each(|_| add_one(store, &counter)));
        }
    });
    assert_eq!(store.get(&counter, None).expect("a counter").bytes, b"1600");
}

fn add_one(store: &dyn Store, counter: &Key) {
    loop {
        let found = store.get(counter, None).expect("a counter");
        let text = String::from_utf8(found.bytes).expect("a number");
        let next = (text.parse::<u64>().expect("a number") + 1).to_string();
        match store.put(counter, next.as_bytes(), &Condition::Version(found.info.version)) {
            Ok(_) => return,
            Err(error) => assert!(lost(&error), "{error}"),
        }
    }
}

#[test]
fn one_of_many_creators_wins_in_every_store() {
    let folder = tempfile::tempdir().expect("a folder");
    one_creator_wins_each_round(&MemoryStore::new());
    one_creator_wins_each_round(&FileStore::open(folder.path().join("s")).expect("a store"));
    one_creator_wins_each_round(&open_s3(&S3Server::start(Personality::Linear)));
    one_creator_wins_each_round(&open_redis(&RedisServer::start()));
}

#[test]
fn a_counter_that_many_raise_is_exact_in_every_store() {
    a_shared_counter_is_exact(&MemoryStore::new());
    a_shared_counter_is_exact(&open_redis(&RedisServer::start()));
    a_shared_counter_is_exact(&open_s3(&S3Server::start(Personality::Linear)));
}

#[test]
fn servers_that_imitate_bad_ones_are_bad() {
    let wins = |personality| {
        let server = S3Server::start(personality);
        let store = open_s3(&server);
        let first = store.put(&key("twice"), b"1", &Condition::Absent).is_ok();
        let second = store.put(&key("twice"), b"2", &Condition::Absent).is_ok();
        // Only some of the races meet within the moment between check and write.
        let raced = (0..20).any(|round| winners(&store, &key(&format!("raced-{round}")), 16) > 1);
        (first, second, raced)
    };
    assert_eq!(wins(Personality::Linear), (true, false, false));
    assert_eq!(wins(Personality::Ignoring), (true, true, true));
    assert_eq!(wins(Personality::Racy), (true, false, true));
}
