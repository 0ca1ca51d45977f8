//! Redis in a cluster: seconds each, and only run when asked for.

use std::thread;
use std::time::Duration;

use turnkeep::core::SessionId;
use turnkeep::core::store::{Condition, Key, Part};
use turnkeep::{RedisOptions, RedisStore, Store};
use turnkeep_servers::{RedisCluster, RedisServer};
use turnkeep_tests::store_cases::run_all;

use crate::assert_failed;
use crate::cases::options;

fn log_of(id: &str) -> Key {
    Key::of(&SessionId::new(id).expect("an id"), Part::Log)
}

#[test]
#[ignore = "long: cargo test -p turnkeep-tests -- --ignored cluster"]
fn the_store_in_a_cluster_does_what_the_cases_say() {
    let cluster = RedisCluster::start();
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut number = 0;
    run_all("RedisStore in a cluster", |case| {
        number += 1;
        let store = RedisStore::open_cluster(&urls, options(&format!("case-{number}:")));
        case.run_if_it_applies(&store.map_err(|error| error.to_string())?)
    });
}

#[test]
#[ignore = "long: cargo test -p turnkeep-tests -- --ignored cluster"]
fn all_of_a_session_lies_in_one_slot_of_a_cluster() {
    let mut cluster = RedisCluster::start();
    let urls = cluster.urls();
    let store = RedisStore::open_cluster(&[&urls[0]], RedisOptions::default()).expect("a store");
    let id = SessionId::new("Über/1").expect("an id");
    for part in [Part::Log, Part::Archive, Part::Recovery, Part::About, Part::Trace] {
        store.put(&Key::of(&id, part), b"1", &Condition::Absent).expect("put");
    }
    let stage = store.stage(&Key::of(&id, Part::Retention)).expect("a stage");
    store.stage_part(&stage, 1, b"1").expect("a part");
    let mut names: Vec<String> = Vec::new();
    for node in cluster.nodes() {
        let found = node.command(&["KEYS", &format!("*{{{}}}*", id.encoded())]);
        names.extend(found.lines().filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 11, "{names:?}");
    let node = &cluster.nodes()[0];
    let slot = |name: &String| node.command(&["CLUSTER", "KEYSLOT", name]);
    assert!(names.iter().all(|name| slot(name) == slot(&names[0])));
}

#[test]
#[ignore = "long: cargo test -p turnkeep-tests -- --ignored cluster"]
fn a_cluster_outlives_a_master() {
    let mut cluster = RedisCluster::start();
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = RedisStore::open_cluster(&urls, RedisOptions::default()).expect("a store");
    for number in 0..30 {
        store.put(&log_of(&format!("s{number}")), b"1", &Condition::Absent).expect("put");
    }
    // Replicas follow later: a log, its version, and twice the index. What they lack dies with a master.
    let held = |node: &mut RedisServer| -> u64 {
        node.command(&["DBSIZE"]).trim().parse().expect("a number")
    };
    while cluster.nodes().iter_mut().map(held).sum::<u64>() < 2 * (30 * 2 + 2) {
        thread::sleep(Duration::from_millis(50));
    }
    cluster.nodes()[0].stop();
    let mut failures = 0;
    for number in 0..30 {
        let log = log_of(&format!("s{number}"));
        let found = loop {
            match store.get(&log, None) {
                Ok(found) => break found,
                Err(error) => assert_failed(&error, true),
            }
            failures += 1;
            assert!(failures < 300, "no other master took over");
            thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(found.bytes, b"1");
        let version = Condition::Version(found.info.version);
        store.put(&log, b"2", &version).expect("put");
    }
    assert!(failures > 0, "nothing was lost");
    assert_eq!(store.list("", None, 100).expect("listed").objects.len(), 30);
}
