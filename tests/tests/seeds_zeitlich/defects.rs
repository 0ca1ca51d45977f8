//! Its weaknesses.

use super::*;
use std::time::Duration;
use turnkeep::{Fork, S3Options, S3Store};
use turnkeep_servers::{Personality, S3Server};

#[test]
fn append_during_flush() {
    for hot in [Hot::Clear, Hot::Keep] {
        let rig = Rig::new();
        rig.filled();
        let tier = rig.tier.clone();
        // Between what the flush reads and what it clears.
        rig.cold.before_next_put(move || {
            let session = Session::open(tier, &thread()).expect("it opens");
            once(&session, &["m4"]).expect("acknowledged");
        });
        assert!(!rig.flush(hot).expect("a flush").cleared, "{hot:?}");
        let all = snapshot(&["m1", "m2", "m3", "m4"], Some(STATE));
        assert_eq!(rig.read(), Some(all.clone()));
        rig.flush(hot).expect("a flush");
        rig.hydrate().expect("hydrated");
        assert_eq!(rig.read(), Some(all));
    }
}

#[test]
fn deleted_thread_resurrected() {
    let rig = Rig::new();
    let session = rig.filled();
    rig.flush(Hot::Keep).expect("a flush");
    once(&session, &["m4"]).expect("an append");
    // Also where a flush is under way.
    let tier = rig.tier.clone();
    rig.cold.before_next_put(move || tier.delete(&thread()).expect("deleted"));
    assert!(rig.flush(Hot::Clear).is_err());
    assert_eq!(code(rig.hydrate()), "not_found");
    assert_eq!(rig.read(), None);
    assert_eq!(rig.hot_keys(), [""; 0]);
}

#[test]
fn initialize_on_a_used_id() {
    let rig = Rig::new();
    rig.filled();
    let again = || {
        let create = Create::default().with_id(thread());
        Session::create(rig.tier.clone(), create).map(|session| session.head())
    };
    assert_eq!(code(again()), "already_exists");
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(code(again()), "already_exists");
    assert_eq!(rig.read(), Some(full()));
    // After it was deleted the id is free, and nothing of before is left.
    rig.tier.delete(&thread()).expect("deleted");
    let session = rig.create();
    assert_eq!(rig.slice(), None);
    assert!(!once(&session, &["m1"]).expect("new"));
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(rig.read(), Some(snapshot(&["m1"], None)));
}

#[test]
fn dedup_shared_across_keys() {
    let rig = Rig::new();
    let threads = ["a", "b"].map(|key| session_id(key, "t").expect("an id"));
    let create = |id: &SessionId| {
        Session::create(rig.tier.clone(), Create::default().with_id(id.clone())).expect("new")
    };
    let [a, b] = [create(&threads[0]), create(&threads[1])];
    assert!(!once(&a, &["m1"]).expect("new") && !once(&b, &["m1"]).expect("new"));
    rig.tier.flush(&threads[0], Flush::default()).expect("a flush");
    assert!(once(&b, &["m1"]).expect("known still"));
    assert!(once(&a, &["m1"]).expect("known still"));
}

#[test]
fn composite_dedup() {
    let rig = Rig::new();
    let session = rig.create();
    assert!(!once(&session, &["a:b"]).expect("new"));
    assert!(!once(&session, &["a", "b"]).expect("new"));
    rig.flush(Hot::Clear).expect("a flush");
    let session = rig.hydrate().expect("hydrated");
    assert!(once(&session, &["a", "b"]).expect("known"));
    // A member alone is there, or half of what is there: it is not new.
    assert_eq!(code(once(&session, &["a"])), "already_exists");
    assert!(once(&session, &["b"]).unwrap_or(true));
    assert_eq!(rig.read(), Some(snapshot(&["a:b", "a", "b"], None)));
}

#[test]
fn fork_without_dedup() {
    for is_cold in [false, true] {
        let rig = Rig::new();
        rig.filled();
        if is_cold {
            rig.flush(Hot::Clear).expect("a flush");
        }
        let fork = rig.open().fork(Fork::default()).expect("a fork");
        assert!(once(&fork, &["m1", "m2", "m3"]).expect("known"));
        assert_eq!(messages(&fork).len(), 3);
    }
}

/// What Redis threw away is lost where it was not flushed; but nobody goes on as if it never was.
#[test]
fn ttl_expiry_restoring_stale_data() {
    let rig = Rig::new();
    let session = rig.filled();
    rig.flush(Hot::Keep).expect("a flush");
    once(&session, &["m4"]).expect("an append");
    for key in rig.hot_keys() {
        let key = turnkeep::Key::parse(key).expect("a key");
        turnkeep::Store::delete(&*rig.hot, &key, &turnkeep::core::store::Condition::Any)
            .expect("expired");
    }
    // Who wrote it hears of it, rather than writing after something else.
    assert_eq!(code(once(&session, &["m5"])), "conflict");
    rig.flush(Hot::Clear).expect("nothing to flush");
    assert_eq!(rig.read(), Some(full()));
}

#[test]
fn no_such_bucket_as_empty() {
    let server = S3Server::start(Personality::Linear);
    let access = server.access();
    let mut options = S3Options::new("nowhere");
    options.endpoint = Some(access.endpoint);
    options.access_key_id = Some(access.access_key);
    options.secret_access_key = Some(access.secret_key);
    options.allow_http = true;
    options.timeout = Duration::from_secs(5);
    let cold = Arc::new(S3Store::open(options).expect("a store"));
    let tier = Tier::open_reading(Arc::new(MemoryStore::new()), cold);
    for failed in [
        tier.read_thread(&thread()).map(|_| ()),
        tier.hydrate(&thread()).map(|_| ()),
        Session::create(tier.clone(), Create::default().with_id(thread())).map(|_| ()),
        tier.delete(&thread()),
        tier.collect(turnkeep::core::session::tier::Collect::default()).map(|_| ()),
    ] {
        let error = failed.expect_err("there is no such bucket");
        assert_eq!((error.code(), error.is_retryable()), ("store_failed", false), "{error}");
        assert!(error.message().contains("NoSuchBucket"), "{error}");
    }
}

#[test]
fn extension_by_name_instead_of_content() {
    for gzipped in [false, true] {
        assert_eq!(Snapshot::read(&full().write(gzipped)).expect("read"), full());
    }
}

#[test]
fn version_unchecked() {
    for (json, expected) in [
        (r#"{"v":2,"messages":[],"state":null,"dedupIds":[]}"#, "unsupported_version"),
        (r#"{"v":"1","messages":[],"state":null,"dedupIds":[]}"#, "unsupported_version"),
        (r#"{"messages":[],"state":null,"dedupIds":[]}"#, "bad_entry"),
        (r#"{"v":1}"#, "bad_entry"),
        ("null", "bad_json"),
        ("", "bad_json"),
    ] {
        assert_eq!(code(Snapshot::read(json.as_bytes())), expected, "{json}");
    }
}

/// 200,000 messages at once.
#[test]
fn long_threads() {
    let rig = Rig::new();
    let ids: Vec<_> = (0..200_000).map(|n| format!("m{n}")).collect();
    let messages = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let long = Snapshot { messages, state: None, dedup_ids: ids };
    assert_eq!(Snapshot::read(&long.write(true)).expect("read"), long);
    assert!(rig.write(long.clone()).cleared);
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert!(rig.read() == Some(long.clone()));
    // One more is one more.
    let session = rig.hydrate().expect("hydrated");
    rig.cold.cost();
    once(&session, &["new"]).expect("an append");
    rig.flush(Hot::Keep).expect("a flush");
    let cost = rig.cold.cost();
    assert!(cost.bytes_written < 100_000, "{cost:?}");
}

#[test]
fn id_traversal_and_key_collisions() {
    let rig = Rig::new();
    let pairs = [
        ("messages", "a/../b"),
        ("messages", "b"),
        ("messages", "/lead"),
        ("messages", "lead"),
        ("messages", "lead/"),
        ("a", "b/c"),
        ("a/b", "c"),
        ("a%2fb", "c"),
        ("A", "meta"),
        ("A:meta", "t"),
        ("A", "meta:t"),
        ("a", "meta"),
    ];
    let ids = pairs.map(|(key, thread)| session_id(key, thread).expect("an id"));
    for (number, id) in ids.iter().enumerate() {
        let written = snapshot(&[&format!("m{number}")], None);
        rig.tier.write_thread(id, written).expect("written");
    }
    for (number, id) in ids.iter().enumerate() {
        let read = rig.tier.read_thread(id).expect("read");
        assert_eq!(read, Some(snapshot(&[&format!("m{number}")], None)), "{id:?}");
    }
    let is_strange = |key: &&String| {
        key.contains("..") || key.contains("//") || key.starts_with('/') || !key.is_ascii()
    };
    assert_eq!(rig.cold_keys().iter().find(is_strange), None);
    let lower = rig.cold_keys().iter().map(|key| key.to_lowercase()).collect::<Vec<_>>();
    assert_eq!(lower, rig.cold_keys(), "no two differ in their case alone");
}

/// The second of two who write hears of the first.
#[test]
fn last_writer_wins() {
    let rig = Rig::new();
    rig.filled();
    rig.flush(Hot::Clear).expect("a flush");
    let other = Tier::open(Arc::new(MemoryStore::new()), rig.cold.clone()).expect("a tier");
    let [ours, theirs] = [&rig.tier, &other].map(|tier| tier.hydrate(&thread()).expect("it opens"));
    once(&ours, &["ours"]).expect("an append");
    once(&theirs, &["theirs"]).expect("an append");
    rig.flush(Hot::Clear).expect("a flush");
    let error = other.flush(&thread(), Flush::default()).expect_err("someone was first");
    assert_eq!(error.code(), "conflict");
    assert!(error.actual().is_some());
    // Both can be kept.
    let kept = theirs.fork(Fork::default()).expect("a fork");
    other.flush(&kept.id(), Flush::default()).expect("a flush");
    let of = |last| snapshot(&["m1", "m2", "m3", last], Some(STATE));
    assert_eq!(rig.read(), Some(of("ours")));
    assert_eq!(rig.tier.read_thread(&kept.id()).expect("read"), Some(of("theirs")));
}

/// Z15: there each flush wrote the whole thread.
#[test]
fn whole_rewrite() {
    let rig = Rig::new();
    let text = "x".repeat(1000);
    let mut thread = Snapshot::default();
    let mut costs = Vec::new();
    for number in 0..300 {
        thread.messages.push(format!("{number} {text}"));
        rig.cold.cost();
        rig.write(thread.clone());
        costs.push(rig.cold.cost().bytes_written);
    }
    let total: u64 = costs.iter().sum();
    println!("300 writes of a thread: {total} B, at most {:?} at once", costs.iter().max());
    assert!(rig.read() == Some(thread));
    // Each writes its message and a manifest; joining segments copies some a few times.
    assert!(total < 300 * 10_000, "{total}");
}

/// Z15: an append without ids happens once where it names the entry it goes after.
#[test]
fn append_without_ids_is_not_repeated() {
    let rig = Rig::new();
    let session = rig.create();
    let head = session.head().expect("a head");
    let append = || {
        let append = Append::from([Draft::item(&message("m1"))]).after(head.seq, head.hash);
        rig.open().append_with(append).map(|appended| appended.first_seq)
    };
    append().expect("an append");
    assert_eq!(code(append()), "conflict");
    assert_eq!(messages(&rig.open()).len(), 1);
}

/// Z10: what is damaged is told, wherever it is.
#[test]
fn no_checksum() {
    let whole = full().write(true);
    for length in 0..whole.len() {
        assert!(Snapshot::read(&whole[..length]).is_err(), "{length}");
    }
    for at in 10..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(Snapshot::read(&damaged).is_err(), "{at}");
    }
}

/// Z11: only an object that is not there is no session; see also `no_such_bucket_as_empty`.
#[test]
fn a_missing_segment_is_no_missing_session() {
    let rig = Rig::new();
    let texts = (0..100).map(|n| format!("{n} {}", "x".repeat(100))).collect();
    rig.write(Snapshot { messages: texts, ..Snapshot::default() });
    let segment = rig.cold_keys().into_iter().find(|key| key.starts_with("segments/"));
    let segment = turnkeep::Key::parse(segment.expect("a segment")).expect("a key");
    turnkeep::Store::delete(&*rig.cold, &segment, &turnkeep::core::store::Condition::Any)
        .expect("deleted");
    let error = rig.tier.read_thread(&thread()).expect_err("it is not whole");
    assert_eq!(error.code(), "store_failed");
}

/// Z13: a fork whose host is gone is there whole or not at all.
#[test]
fn fork_is_all_or_nothing() {
    use turnkeep_tests::spy::{Failure, until_gone};
    let mut done = 0;
    for is_cold in [false, true] {
        for request in 0..30 {
            let rig = Rig::new();
            let session = rig.filled();
            rig.flush(if is_cold { Hot::Clear } else { Hot::Leave }).expect("a flush");
            let into = session_id("messages", "fork").expect("an id");
            let failing = if request % 2 == 0 { &rig.hot } else { &rig.cold };
            failing.fail_after(request / 2, Failure::Gone);
            let fork = || session.fork(Fork::default().with_id(into.clone())).map(|_| ());
            let forked = until_gone(fork);
            rig.hot.heal();
            rig.cold.heal();
            done += usize::from(forked.is_some());
            match rig.tier.read_thread(&into).expect("it is whole, or not there") {
                Some(forked) => assert_eq!(forked, full(), "{request}"),
                None => {
                    assert!(forked.is_none(), "{request}");
                    fork().expect("done again");
                }
            }
            assert_eq!(rig.read(), Some(full()));
        }
    }
    assert!((1..60).contains(&done), "{done}");
}

/// The same of a thread that is written: whoever is gone in the middle, it is written again.
#[test]
fn a_write_that_was_interrupted_is_done_again() {
    use turnkeep_tests::spy::{Failure, until_gone};
    for request in 0..40 {
        let rig = Rig::new();
        let failing = if request % 2 == 0 { &rig.hot } else { &rig.cold };
        failing
            .fail_after(request / 2, [Failure::Gone, Failure::GoneAfter][request as usize / 2 % 2]);
        let written = until_gone(|| rig.write(full()));
        rig.hot.heal();
        rig.cold.heal();
        let read = rig.read();
        assert!(written.is_none() || read == Some(full()), "{request}");
        rig.write(full());
        assert_eq!(rig.read(), Some(full()), "{request}");
        assert_eq!(rig.hot_keys(), [""; 0], "{request}");
    }
}
