//! Archives beside a tier's stores, and what deleting says and costs.

use std::sync::Arc;

use turnkeep::core::session::archive;
use turnkeep::core::session::tier::{Flush, Layout, copy};
use turnkeep::core::store::{Condition, Part};
use turnkeep::{Create, Fork, Key, MemoryStore, Session, Store, Tier, drive};
use turnkeep_tests::sessions::{id, user};
use turnkeep_tests::spy::Spy;

type Watched = Arc<Spy<MemoryStore>>;

fn tier() -> (Watched, Watched, Arc<Tier>) {
    let (hot, cold) =
        (Arc::new(Spy::new(MemoryStore::new())), Arc::new(Spy::new(MemoryStore::new())));
    let tier = Tier::open(hot.clone(), cold.clone()).expect("a tier");
    (hot, cold, tier)
}

fn created(tier: &Arc<Tier>) -> Session {
    let session = Session::create(tier.clone(), Create::default().with_id(id("a")));
    let session = session.expect("a session");
    session.append(&[user("one")]).expect("an append");
    session
}

#[test]
fn the_end_of_an_archived_fork_names_the_entry_that_opened_it() {
    let (_, cold, tier) = tier();
    let fork = created(&tier).fork(Fork::default().with_id(id("b"))).expect("a fork");
    let opened_by = fork.head().expect("a head").hash;
    fork.append(&[user("two")]).expect("an append");
    drive(archive(id("b")), &*tier).expect("archived");
    tier.delete(&id("b")).expect("deleted");
    let grave = cold.get(&Key::manifest(&id("b"), 0), None).expect("a manifest").bytes;
    let grave = String::from_utf8(grave).expect("text");
    assert!(grave.contains(&format!("\"origin\":\"{opened_by}\"")), "{grave}");
}

#[test]
fn deleting_what_is_cold_costs_three_requests_there() {
    let (_, cold, tier) = tier();
    created(&tier);
    tier.flush(&id("a"), Flush::default()).expect("a flush");
    cold.cost();
    tier.delete(&id("a")).expect("deleted");
    assert_eq!(cold.cost().requests, 3);
}

#[test]
fn what_is_copied_goes_after_an_archive_whose_logs_place_is_claimed() {
    let (_, to, tier) = tier();
    let session = created(&tier);
    let copied = || drive(copy(id("a"), Layout::Files), &*tier).expect("a copy").entries;
    assert_eq!(copied(), 2);
    drive(archive(id("a")), &*to).expect("archived");
    let claim = format!("{{\"claimed\":\"{:061x}", 7);
    let key = Key::of(&id("a"), Part::Log);
    to.put(&key, claim.as_bytes(), &Condition::Absent).expect("a claim");
    session.append(&[user("two")]).expect("an append");
    assert_eq!(copied(), 1);
    let there = Session::open(to, &id("a")).expect("the copy");
    assert_eq!(there.head(), session.head());
    assert!(there.verify().expect("a report").is_whole());
}
