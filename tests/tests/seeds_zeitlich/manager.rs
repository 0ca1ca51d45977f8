//! manager.test.ts

use super::*;
use turnkeep::Fork;

#[test]
fn load_state_returns_null_when_nothing_was_saved() {
    let rig = Rig::new();
    drop(rig.create());
    assert_eq!(rig.slice(), None);
}

#[test]
fn save_state_round_trips() {
    let rig = Rig::new();
    rig.filled();
    assert_eq!(rig.slice().as_deref(), Some(STATE));
}

#[test]
fn save_state_throws_when_the_thread_does_not_exist() {
    let rig = Rig::new();
    let session = rig.create();
    rig.tier.delete(&thread()).expect("deleted");
    let saved = session.append(&[Draft::state(STATE)]);
    assert!(["conflict", "not_found"].contains(&code(saved)));
    assert_eq!(code(rig.tier.slice(&thread())), "not_found");
}

#[test]
fn fork_copies_the_state() {
    let rig = Rig::new();
    let fork = rig.filled().fork(Fork::default()).expect("a fork");
    assert_eq!(rig.tier.slice(&fork.id()).expect("a slice").as_deref(), Some(STATE));
}

#[test]
fn fork_of_a_thread_without_state_has_none() {
    let rig = Rig::new();
    let fork = rig.create().fork(Fork::default()).expect("a fork");
    assert_eq!(rig.tier.slice(&fork.id()).expect("a slice"), None);
}

#[test]
fn delete_state_removes_only_the_state() {
    let rig = Rig::new();
    let session = rig.filled();
    rig.flush(Hot::Keep).expect("a flush");
    session.append(&[Draft::state("null")]).expect("a state");
    assert_eq!(rig.read(), Some(snapshot(&["m1", "m2", "m3"], None)));
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(rig.slice().filter(|slice| slice != "null"), None);
    assert_eq!(rig.read(), Some(snapshot(&["m1", "m2", "m3"], None)));
}

#[test]
fn delete_removes_list_meta_and_state() {
    let rig = Rig::new();
    rig.filled();
    rig.tier.delete(&thread()).expect("deleted");
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(code(Session::open(rig.tier.clone(), &thread())), "not_found");
}
