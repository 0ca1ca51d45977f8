//! tiered.test.ts

use super::*;
use turnkeep::core::session::tier;
use turnkeep::{Fork, Place, drive};

/// Here it is an error: a store alone is used as a store.
#[test]
fn hydrate_is_a_no_op_without_a_cold_store() {
    let store = MemoryStore::new();
    assert_eq!(code(drive(tier::hydrate(thread()), &store)), "not_supported");
}

/// Likewise.
#[test]
fn flush_is_a_no_op_without_a_cold_store() {
    let store = Arc::new(MemoryStore::new());
    let create = Create::default().with_id(thread());
    let session = Session::create(store.clone(), create).expect("a session");
    once(&session, &["m1"]).expect("an append");
    assert_eq!(code(drive(tier::flush(thread(), Flush::default()), &*store)), "not_supported");
    assert_eq!(messages(&session).len(), 1);
}

#[test]
fn delegates_the_base_operations() {
    let rig = Rig::new();
    let session = rig.filled();
    assert_eq!(messages(&session).len(), 3);
    session.truncate_from(Place::Id("m2".into())).expect("truncated");
    assert_eq!(messages(&rig.open()), [message("m1")]);
    session.replace_history(&[message("m9")]).expect("replaced");
    assert_eq!(messages(&rig.open()), [message("m9")]);
    let fork = session.fork(Fork::default()).expect("a fork");
    assert_eq!(messages(&fork), [message("m9")]);
}

#[test]
fn flush_writes_messages_state_and_dedup_ids() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    let elsewhere = Tier::open(Arc::new(MemoryStore::new()), rig.cold.clone()).expect("a tier");
    assert_eq!(elsewhere.read_thread(&thread()).expect("read"), Some(full()));
}

#[test]
fn flush_on_a_cold_thread_writes_nothing() {
    let rig = Rig::new();
    rig.cold.cost();
    assert_eq!(rig.flush(Hot::Clear).expect("nothing").head, None);
    assert_eq!(rig.cold.cost().bytes_written, 0);
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    rig.cold.cost();
    assert_eq!(rig.flush(Hot::Clear).expect("nothing").entries, 0);
    assert_eq!(rig.cold.cost().bytes_written, 0);
}

#[test]
fn flush_deletes_the_hot_tier_by_default() {
    let rig = Rig::new();
    rig.filled();
    assert!(rig.tier.flush(&thread(), Flush::default()).expect("a flush").cleared);
    assert_eq!(rig.hot_keys(), [""; 0]);
}

#[test]
fn flush_with_delete_hot_false_keeps_the_hot_tier() {
    for hot in [Hot::Keep, Hot::Leave] {
        let rig = Rig::new();
        rig.filled();
        rig.flush(hot).expect("a flush");
        rig.cold.cost();
        let session = rig.hydrate().expect("hydrated");
        assert_eq!(rig.cold.cost().requests, 0);
        once(&session, &["m4"]).expect("an append");
        assert_eq!(messages(&rig.open()).len(), 4);
    }
}

#[test]
fn hydrate_restores_the_thread_and_its_dedup_ids() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    let session = rig.hydrate().expect("hydrated");
    assert!(once(&session, &["m1", "m2", "m3"]).expect("known"));
    assert!(!once(&session, &["m4"]).expect("new"));
    assert_eq!(rig.read(), Some(snapshot(&["m1", "m2", "m3", "m4"], Some(STATE))));
}

#[test]
fn hydrate_is_a_no_op_when_the_thread_is_hot() {
    let rig = Rig::new();
    rig.filled();
    rig.cold.cost();
    assert_eq!(messages(&rig.hydrate().expect("hot")).len(), 3);
    assert_eq!(rig.cold.cost().requests, 0);
}

/// Here it is told, after one look.
#[test]
fn hydrate_is_a_no_op_when_nothing_is_archived() {
    let rig = Rig::new();
    rig.cold.cost();
    assert_eq!(code(rig.hydrate()), "not_found");
    assert_eq!(rig.cold.cost().requests, 1);
    assert_eq!(rig.hot_keys(), [""; 0]);
}

#[test]
fn an_empty_thread_survives_the_round_trip() {
    let rig = Rig::new();
    drop(rig.create());
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(messages(&rig.hydrate().expect("hydrated")), [""; 0]);
    assert_eq!(rig.read(), Some(Snapshot::default()));
}

#[test]
fn two_flushes_converge() {
    let rig = Rig::new();
    rig.filled();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| rig.flush(Hot::Clear).expect("a flush"));
        }
    });
    assert_eq!(rig.read(), Some(full()));
    assert_eq!(rig.hot_keys(), [""; 0]);
}

#[test]
fn two_hydrates_converge() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| rig.hydrate().expect("hydrated"));
        }
    });
    assert_eq!(rig.read(), Some(full()));
}

#[test]
fn forks_from_a_hydrated_source() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    let source = rig.hydrate().expect("hydrated");
    let fork = source.fork(Fork::default()).expect("a fork");
    let forked = rig.tier.read_thread(&fork.id()).expect("read").expect("a thread");
    assert_eq!(forked, full());
    assert_eq!(rig.read(), Some(full()));
}

// "A custom ttl is on meta, list and dedup": what a store in Redis does for every write, on all of
// a session's keys: `z3_every_write_keeps_all_of_a_session_for_as_long`, and in `keys`.
