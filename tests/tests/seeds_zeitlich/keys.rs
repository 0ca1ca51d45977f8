//! keys.test.ts

use super::*;
use turnkeep::{RedisOptions, RedisStore};
use turnkeep_servers::RedisServer;

/// All that a session has in Redis.
fn names(options: RedisOptions) -> (RedisServer, Vec<String>) {
    let server = RedisServer::start();
    let hot = Arc::new(RedisStore::open(&server.url(), options).expect("a store"));
    let tier = Tier::open(hot, Arc::new(MemoryStore::new())).expect("a tier");
    let create = Create::default().with_id(thread());
    let session = Session::create(tier, create).expect("a session");
    session.append(&[Draft::state(STATE)]).expect("a state");
    let mut names = server.connect().command(&["KEYS", "*"]).texts();
    names.sort();
    (server, names)
}

/// One form for all: what it is, whose it is, and the version.
#[test]
fn keys_have_their_formats() {
    let (_server, names) = names(RedisOptions::default());
    let encoded = thread().encoded().to_string();
    let log = format!("turnkeep{{{encoded}}}.jsonl");
    let index = ["turnkeep{#index}", "turnkeep{#index}:seen"].map(str::to_owned);
    assert_eq!(names, [index.to_vec(), vec![log.clone(), log + ":v"]].concat());
}

#[test]
fn the_ttl_is_ninety_days() {
    let (server, names) = names(RedisOptions::default());
    for name in names.iter().filter(|name| !name.contains("#index")) {
        let left = server.connect().command(&["TTL", name]).number();
        assert!((7_776_000 - 60..=7_776_000).contains(&left), "{name}: {left}");
    }
}

#[test]
fn writes_go_through_exactly_those_keys() {
    let mut options = RedisOptions::default();
    options.prefix = "elsewhere".into();
    options.ttl = Some(std::time::Duration::from_secs(100));
    let (server, names) = names(options);
    assert!(names.iter().all(|name| name.starts_with("elsewhere{")), "{names:?}");
    for name in names.iter().filter(|name| !name.contains("#index")) {
        let left = server.connect().command(&["TTL", name]).number();
        assert!((90..=100).contains(&left), "{name}: {left}");
    }
}

/// Z9: in a cluster, all keys of a session have one slot: what stands in braces is the same.
#[test]
fn cluster_slots() {
    let (_server, names) = names(RedisOptions::default());
    let tag = |name: &String| {
        let (_, rest) = name.split_once('{').expect("a tag");
        rest.split_once('}').expect("a tag").0.to_owned()
    };
    let tags: std::collections::BTreeSet<_> = names.iter().map(tag).collect();
    assert_eq!(tags.len(), 2, "the session's, and the index's: {tags:?}");
}
