//! What is asked of a store does not grow with a session's log, and what fails in the middle of
//! something leaves the session whole.

use std::sync::Arc;

use turnkeep::core::session::{Range as SessionRange, append, create, open, read, verify};
use turnkeep::core::store::{Condition, Part};
use turnkeep::core::task::Task;
use turnkeep::{Create, Key, MemoryStore, Range, Result, Session, Store, drive};
use turnkeep_tests::sessions::{archive_key, bytes_of, filled, id, log_key, user, write};
use turnkeep_tests::spy::{Cost, Failure, Spy};

/// A spy on a store with a session of so many entries, live or archived.
fn watched(entries: usize, is_archived: bool) -> Spy<MemoryStore> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = filled(&store, "a", entries, 600);
    if is_archived {
        session.archive().expect("an archive");
    }
    let spy = Spy::new(MemoryStore::new());
    let key = if is_archived { archive_key("a") } else { log_key("a") };
    spy.store.put(&key, &bytes_of(&store, &key), &Condition::Absent).expect("a put");
    spy
}

fn cost<T>(spy: &Spy<MemoryStore>, task: Task<T>) -> Cost {
    spy.cost();
    drive(task, spy).unwrap_or_else(|error| panic!("{error}"));
    spy.cost()
}

/// The costs of something on a log and on one of ten times its length.
fn costs<T>(is_archived: bool, task: impl Fn() -> Task<T>) -> (Cost, Cost) {
    let (small, large) = (watched(2000, is_archived), watched(20_000, is_archived));
    (cost(&small, task()), cost(&large, task()))
}

#[test]
fn opening_costs_the_same_whatever_the_length() {
    for is_archived in [false, true] {
        let (small, large) = costs(is_archived, || open(id("a")));
        println!("open, archived {is_archived}: {small:?}, ten times longer {large:?}");
        assert_eq!(small.requests, large.requests);
        assert!(large.requests <= 4 && large.bytes_read <= 100_000, "{large:?}");
        assert!(large.bytes_read <= small.bytes_read + 1000);
    }
}

#[test]
fn the_last_50_entries_cost_the_same_whatever_the_length() {
    for is_archived in [false, true] {
        let (small, large) = costs(is_archived, || read(id("a"), SessionRange::last(50)));
        println!("last 50, archived {is_archived}: {small:?}, ten times longer {large:?}");
        assert!(large.requests <= small.requests + 2 && large.requests <= 8, "{large:?}");
        assert!(large.bytes_read <= 500_000, "{large:?}");
    }
}

#[test]
fn any_entry_costs_a_few_looks() {
    for is_archived in [false, true] {
        let spy = watched(20_000, is_archived);
        for seq in [1, 37, 5000, 10_001, 19_990] {
            let found = cost(&spy, read(id("a"), SessionRange::between(seq, Some(seq + 9))));
            println!("entry {seq}, archived {is_archived}: {found:?}");
            assert!(found.requests <= 12, "entry {seq}: {found:?}");
            assert!(found.bytes_read <= 2_000_000, "entry {seq}: {found:?}");
        }
    }
}

#[test]
fn an_append_costs_one_request_and_its_own_bytes() {
    let spy = watched(2000, false);
    let session = drive(open(id("a")), &spy).expect("it opens");
    let append_one = turnkeep::core::session::Append::from([user("Hi")]);
    let task = append(session, append_one);
    let found = cost(&spy, task);
    assert_eq!((found.requests, found.bytes_read), (1, 0));
    assert!(found.bytes_written < 400, "{found:?}");
}

#[test]
fn verifying_reads_everything_once() {
    let spy = watched(2000, false);
    let length = spy.store.info(&log_key("a")).expect("an object").bytes;
    let found = cost(&spy, verify(id("a"), None, true));
    assert_eq!(found.bytes_read, length);
}

/// An append whose answer is lost may have happened: the next one finds out.
#[test]
fn a_lost_answer_to_an_append_is_a_conflict_the_next_time() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = spy.clone();
    let session = filled(&store, "a", 3, 50);
    spy.fail_after(0, Failure::After);
    let error = session.append_one(&user("lost?")).expect_err("it fails");
    assert!(error.code() == "store_failed" && error.is_retryable());
    let error = session.append_one(&user("again")).expect_err("it happened");
    assert_eq!((error.code(), error.actual().map(|head| head.seq)), ("conflict", Some(4)));
    spy.fail_after(0, Failure::Before);
    let session = Session::open(store.clone(), &id("a"))
        .or_else(|_| Session::open(store, &id("a")))
        .expect("it opens");
    spy.fail_after(0, Failure::Before);
    session.append_one(&user("not done")).expect_err("it fails");
    assert_eq!(session.append_one(&user("done")).expect("an append"), 5);
    assert!(session.verify().expect("a report").is_whole());
}

/// A session that is created while every request fails once is there whole, or not at all.
#[test]
fn an_interrupted_creation_leaves_all_or_nothing() {
    for failure in [Failure::Before, Failure::After] {
        for request in 0..4 {
            let spy = Spy::new(MemoryStore::new());
            spy.fail_after(request, failure);
            let options = || {
                let mut options = Create::default();
                options.id = Some(id("a"));
                options
            };
            let outcome: Result<_> = drive(create(options()), &spy);
            if spy.heal() {
                assert!(outcome.is_ok());
                break;
            }
            let again = drive(create(options()), &spy).map(|_| ());
            let code = again.err().map_or("", |error| error.code());
            assert!(code.is_empty() || code == "already_exists", "{code}");
            assert!(drive(verify(id("a"), None, true), &spy).expect("a report").is_whole());
        }
    }
}

/// What lies in the way of an archive is replaced only if the log holds all of it.
#[test]
fn an_archive_beside_its_log_is_never_lost() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = filled(&store, "a", 20, 100);
    let older = bytes_of(&store, &log_key("a"));
    session.append_one(&user("more")).expect("an append");
    let log = bytes_of(&store, &log_key("a"));
    let key = Key::of(&id("a"), Part::Archive);
    let archive_of = |log: &[u8]| turnkeep::core::archive::archive(log).expect("an archive");
    for (content, code) in [
        (archive_of(&older), None),
        (archive_of(&log), None),
        (b"no archive at all".to_vec(), Some("already_exists")),
        (archive_of(&turnkeep_tests::build::Log::sample().0), Some("already_exists")),
    ] {
        write(&store, &log_key("a"), &log);
        write(&store, &key, &content);
        let session = Session::open(store.clone(), &id("a")).expect("the log is the session");
        let found = session.archive().err().map(|error| error.code());
        assert_eq!(found, code);
        if code.is_some() {
            assert!(bytes_of(&store, &key) == content && bytes_of(&store, &log_key("a")) == log);
        } else {
            assert!(session.read(Range::all()).expect("a page").lines == log);
            store.delete(&key, &Condition::Any).expect("a delete");
        }
    }
}
