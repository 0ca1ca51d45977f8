//! What Redis keeps together, loses, and says when something goes wrong.

use std::time::Duration;

use turnkeep::core::store::{After, Condition, Key, Part};
use turnkeep::core::{ErrorKind, SessionId};
use turnkeep::{Durability, RedisOptions, RedisStore, Store};
use turnkeep_servers::RedisServer;

use crate::{assert_failed, key, open_redis};

fn log_of(id: &str) -> Key {
    Key::of(&SessionId::new(id).expect("an id"), Part::Log)
}

#[test]
fn all_of_a_session_expires_together() {
    let server = RedisServer::start();
    let mut options = RedisOptions::default();
    options.ttl = Some(Duration::from_secs(100));
    let store = RedisStore::open(&server.url(), options).expect("a store");
    let id = SessionId::new("Über/1").expect("an id");
    let log = Key::of(&id, Part::Log);
    let all = [Part::Log, Part::Archive, Part::Recovery, Part::About, Part::Trace, Part::Retention];
    let all = all.map(|part| Key::of(&id, part));
    for key in &all[1..] {
        store.put(key, b"1", &Condition::Any).expect("put");
    }
    let append = |at, bytes: &[u8]| store.append(&log, bytes, &After::new(at, 0), Durability::Os);
    append(0, b"first\n").expect("appended");
    let writes: [&dyn Fn(); 4] = [
        &|| _ = append(6, b"second\n").expect("appended"),
        &|| _ = store.put(&all[1], b"2", &Condition::Any).expect("put"),
        &|| {
            let stage = store.stage(&all[2]).expect("a stage");
            store.stage_part(&stage, 1, b"3").expect("a part");
            _ = store.commit(&stage, &Condition::Any).expect("committed");
        },
        &|| _ = store.append(&log, b"", &After::new(6, 7), Durability::Os).expect("cut off"),
    ];
    let encoded = id.encoded();
    let pattern = format!("turnkeep{{{encoded}}}*");
    for write in writes {
        let names = server.command(&["KEYS", &pattern]);
        assert_eq!(names.lines().count(), 12, "{names}");
        names.lines().for_each(|name| _ = server.command(&["EXPIRE", name, "50"]));
        write();
        for name in names.lines() {
            let left: i64 = server.command(&["TTL", name]).trim().parse().expect("seconds");
            assert!((90..=100).contains(&left), "{name} expires in {left} s");
        }
    }
}

/// How many milliseconds the objects of the session `a` have left: -1 for ever.
fn left(server: &RedisServer) -> Vec<i64> {
    let names = server.command(&["KEYS", "turnkeep{a}*"]);
    let left = |name| server.command(&["PTTL", name]).trim().parse().expect("milliseconds");
    names.lines().map(left).collect()
}

fn keeping(server: &RedisServer, seconds: Option<u64>, leaves_expiry: bool) -> RedisStore {
    let mut options = RedisOptions::default();
    options.ttl = seconds.map(Duration::from_secs);
    options.leaves_expiry = leaves_expiry;
    RedisStore::open(&server.url(), options).expect("a store")
}

fn append(store: &RedisStore, at: u64, torn: u64, bytes: &[u8]) {
    let after = After::new(at, torn);
    store.append(&log_of("a"), bytes, &after, Durability::Os).expect("appended");
}

/// Every way to write to a session whose log has nine bytes.
const WRITES: [fn(&RedisStore); 4] = [
    |store| append(store, 9, 0, b"more\n"),
    |store| append(store, 5, 4, b"\n"),
    |store| _ = store.put(&about_a(), b"2", &Condition::Any).expect("put"),
    |store| {
        let stage = store.stage(&about_a()).expect("a stage");
        store.stage_part(&stage, 1, b"3").expect("a part");
        _ = store.commit(&stage, &Condition::Any).expect("committed");
    },
];

fn about_a() -> Key {
    Key::of(&SessionId::new("a").expect("an id"), Part::About)
}

#[test]
fn what_is_to_be_kept_for_ever_expires_no_more() {
    let server = RedisServer::start();
    let (short, for_ever) = (keeping(&server, Some(100), false), keeping(&server, None, false));
    for write in WRITES {
        server.command(&["FLUSHALL"]);
        append(&short, 0, 0, b"line\ntorn");
        assert!(left(&server).iter().all(|left| *left > 0));
        write(&for_ever);
        assert!(left(&server).iter().all(|left| *left == -1), "{:?}", left(&server));
    }
}

/// So does the command: it does not know how long a session's hosts keep it.
#[test]
fn what_leaves_the_expiry_gives_one_to_new_sessions_only() {
    let server = RedisServer::start();
    let leaving = keeping(&server, Some(1000), true);
    for (seconds, expected) in [(None, -1..=-1), (Some(100), 50_000..=100_000)] {
        for write in WRITES {
            server.command(&["FLUSHALL"]);
            append(&keeping(&server, seconds, false), 0, 0, b"line\ntorn");
            write(&leaving);
            assert!(
                left(&server).iter().all(|left| expected.contains(left)),
                "{:?}",
                left(&server)
            );
        }
    }
    for write in &WRITES[2..] {
        server.command(&["FLUSHALL"]);
        write(&leaving);
        assert!(left(&server).iter().all(|left| *left > 900_000), "{:?}", left(&server));
    }
}

#[test]
fn an_empty_redis_has_nothing_and_works_on() {
    let mut server = RedisServer::start();
    let store = open_redis(&server);
    store.put(&log_of("a"), b"1", &Condition::Absent).expect("put");
    server.restart_empty();
    let gone = |store: &RedisStore| store.get(&log_of("a"), None).unwrap_err();
    let first = gone(&store);
    if first.kind() != ErrorKind::NotFound {
        assert_failed(&first, true);
    }
    assert_eq!(gone(&store).kind(), ErrorKind::NotFound);
    assert!(store.list("", None, 10).expect("listed").objects.is_empty());
    store.put(&log_of("a"), b"2", &Condition::Absent).expect("put");
    server.command(&["FLUSHALL"]);
    assert_eq!(gone(&store).kind(), ErrorKind::NotFound);
    store.put(&log_of("a"), b"3", &Condition::Absent).expect("put");
}

/// After a failover its address is another server's.
#[test]
fn a_redis_that_only_reads_is_connected_to_anew() {
    let server = RedisServer::start();
    let store = open_redis(&server);
    store.put(&key("a"), b"1", &Condition::Absent).expect("put");
    let connections = || server.command(&["CLIENT", "LIST", "TYPE", "normal"]).lines().count();
    let before = connections();
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_failed(&store.put(&key("a"), b"2", &Condition::Any).unwrap_err(), true);
    assert_eq!(connections(), before - 1, "it is let go");
    server.command(&["REPLICAOF", "NO", "ONE"]);
    store.put(&key("a"), b"2", &Condition::Any).expect("put");
}

#[test]
fn a_dead_redis_may_come_back() {
    let mut server = RedisServer::start();
    let store = open_redis(&server);
    store.put(&key("a"), b"1", &Condition::Absent).expect("put");
    server.stop();
    for _ in 0..3 {
        assert_failed(&store.get(&key("a"), None).unwrap_err(), true);
        assert_failed(&store.put(&key("a"), b"2", &Condition::Any).unwrap_err(), true);
        assert_failed(&store.list("", None, 10).unwrap_err(), true);
    }
    server.resume();
    store.put(&key("a"), b"3", &Condition::Absent).expect("put");
    assert_eq!(store.get(&key("a"), None).expect("got").bytes, b"3");
}

#[test]
fn what_redis_refuses_is_not_a_missing_object() {
    let server = RedisServer::start();
    let store = open_redis(&server);
    server.command(&["LPUSH", "turnkeep{a}", "1"]);
    assert_failed(&store.get(&key("a"), None).unwrap_err(), false);
    assert_failed(&store.info(&key("a")).unwrap_err(), false);
    store.put(&key("b"), b"1", &Condition::Any).expect("put");
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_failed(&store.put(&key("b"), b"2", &Condition::Any).unwrap_err(), true);
    assert_eq!(store.get(&key("b"), None).expect("got").bytes, b"1");
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    server.command(&["CONFIG", "SET", "requirepass", "secret"]);
    let stranger = open_redis(&server);
    assert_failed(&stranger.get(&key("b"), None).unwrap_err(), false);
    let invited = server.url().replace("//", "//:secret@");
    let invited = RedisStore::open(&invited, RedisOptions::default()).expect("a store");
    assert_eq!(invited.get(&key("b"), None).expect("got").bytes, b"1");
}

#[test]
fn a_version_that_redis_threw_away_is_another_one() {
    let server = RedisServer::start();
    let store = open_redis(&server);
    let before = store.put(&key("a"), b"1", &Condition::Any).expect("put").version;
    server.command(&["DEL", "turnkeep{a}:v"]);
    let after = store.info(&key("a")).expect("known").version;
    assert_ne!(before, after);
    assert_eq!(store.info(&key("a")).expect("known").version, after);
    let error = store.put(&key("a"), b"2", &Condition::Version(before)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    store.put(&key("a"), b"2", &Condition::Version(after)).expect("put");
}

#[test]
fn the_index_forgets_what_is_long_gone_and_nothing_else() {
    let server = RedisServer::start();
    let store = open_redis(&server);
    for name in ["a", "b", "c"] {
        store.put(&key(name), b"1", &Condition::Any).expect("put");
    }
    server.command(&["DEL", "turnkeep{a}", "turnkeep{b}"]);
    server.command(&["ZADD", "turnkeep{#index}:seen", "1", "b"]);
    server.command(&["ZADD", "turnkeep{#index}:seen", "1", "c"]);
    for _ in 0..2 {
        let listed = store.list("", None, 1).expect("listed");
        assert_eq!(listed.objects.len(), 1);
        assert!(!listed.more);
    }
    let left = server.command(&["ZRANGE", "turnkeep{#index}", "0", "-1"]);
    assert_eq!(left.lines().collect::<Vec<_>>(), ["a", "c"]);
}
