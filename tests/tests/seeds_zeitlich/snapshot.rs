//! snapshot.test.ts

use super::*;
use turnkeep::ErrorKind;
use turnkeep_tests::spy::Failure;

#[test]
fn encode_returns_null_when_the_thread_is_not_initialised() {
    assert_eq!(Rig::new().read(), None);
}

#[test]
fn encode_captures_messages_state_and_dedup_ids() {
    let rig = Rig::new();
    rig.filled();
    assert_eq!(rig.read(), Some(full()));
}

#[test]
fn encode_gives_no_dedup_ids_without_id_of() {
    let rig = Rig::new();
    let session = rig.create();
    session.append(&[Draft::item(&message("m1"))]).expect("an append");
    let read = rig.read().expect("a thread");
    assert_eq!(read.messages, [message("m1")]);
    assert_eq!(read.dedup_ids, [""; 0]);
}

#[test]
fn apply_restores_all_and_appending_again_is_recognised() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    let session = rig.hydrate().expect("hydrated");
    assert_eq!(rig.read(), Some(full()));
    assert!(once(&session, &["m1", "m2", "m3"]).expect("known"));
    assert_eq!(rig.read(), Some(full()));
}

#[test]
fn apply_does_nothing_when_the_thread_is_hot() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Keep).expect("a flush");
    once(&rig.open(), &["m4"]).expect("an append");
    rig.cold.cost();
    let session = rig.hydrate().expect("hydrated");
    assert_eq!(rig.cold.cost().requests, 0);
    assert_eq!(messages(&session).len(), 4);
}

/// Of a session without entries, its first one, the header, says that it exists.
#[test]
fn apply_of_an_empty_snapshot_only_marks_the_thread() {
    let rig = Rig::new();
    rig.write(Snapshot::default());
    let session = rig.hydrate().expect("hydrated");
    assert_eq!(messages(&session), [""; 0]);
    assert_eq!(rig.hot_keys().len(), 1);
    assert_eq!(rig.slice(), None);
}

/// The first write there, in place of its DEL, is the claim.
#[test]
fn apply_throws_and_writes_nothing_when_the_delete_fails() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    for request in 0..3 {
        rig.hot.fail_after(request, Failure::Before);
        assert_eq!(code(rig.hydrate()), "store_failed", "{request}");
    }
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(rig.read(), Some(full()));
}

/// There is one write, which is whole or not at all: every request fails, before or after.
#[test]
fn apply_clears_up_after_a_pipeline_that_failed_half_way() {
    for request in 0..8 {
        for failure in [Failure::Before, Failure::After] {
            let rig = Rig::new();
            rig.filled();
            rig.flush(Hot::Clear).expect("a flush");
            rig.hot.fail_after(request, failure);
            let hydrated = rig.hydrate().map(|_| ());
            rig.hot.heal();
            if let Err(error) = hydrated {
                assert_eq!(error.kind(), ErrorKind::StoreFailed);
            }
            assert_eq!(rig.read(), Some(full()), "{request} {failure:?}");
            let session = rig.hydrate().expect("hydrated");
            assert!(once(&session, &["m1", "m2", "m3"]).expect("known"));
            assert_eq!(rig.read(), Some(full()), "{request} {failure:?}");
        }
    }
}

/// What is left of a failed hydration is taken for no session by anybody who has no cold store.
#[test]
fn apply_leaves_the_thread_unmarked_after_a_pipeline_error() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    rig.cold.fail_after(0, Failure::Before);
    assert_eq!(code(rig.hydrate()), "store_failed");
    rig.cold.heal();
    let alone = Session::open(rig.hot.clone(), &thread());
    assert!(alone.is_err(), "{alone:?}");
}

/// One put of the claim and one of the anchor, each with a look before it.
#[test]
fn apply_takes_exactly_one_pipeline() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    rig.hot.cost();
    let task = turnkeep::core::session::tier::hydrate(thread());
    turnkeep::drive(task, &*rig.tier).expect("hydrated");
    assert!(rig.hot.cost().requests <= 4);
}

#[test]
fn apply_clears_what_a_half_restored_thread_left() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    // Its host was gone between claim and anchor.
    let gone = turnkeep_tests::spy::until_gone(|| {
        rig.cold.fail_after(0, Failure::Gone);
        rig.hydrate()
    });
    assert!(gone.is_none() && rig.hot_keys().len() == 1);
    let session = rig.hydrate().expect("hydrated");
    assert_eq!(messages(&session).len(), 3);
    assert_eq!(rig.read(), Some(full()));
}

#[test]
fn clear_hot_tier_removes_all_four_kinds_of_keys() {
    let rig = Rig::new();
    let session = rig.filled();
    session.track("/project").expect("a recovery record");
    let about = turnkeep::About::new(Some("A title".into()), Vec::new());
    turnkeep::set_about(&*rig.tier, &thread(), about).expect("about");
    assert!(rig.hot_keys().len() >= 3, "{:?}", rig.hot_keys());
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(rig.hot_keys(), [""; 0]);
}
