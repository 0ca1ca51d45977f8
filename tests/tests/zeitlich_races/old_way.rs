//! How zeitlich does it, as far as that loses something.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use turnkeep_servers::{Raw, RawRedis, RedisServer};

const TRIES: usize = 200;

/// A thread's list and what says that it exists, in Redis; its archive is simply a map.
struct Old<'a> {
    redis: RawRedis,
    archive: &'a Archive,
    writing: Duration,
}

type Archive = Mutex<BTreeMap<String, Vec<String>>>;

impl<'a> Old<'a> {
    fn new(server: &RedisServer, archive: &'a Archive) -> Self {
        Self { redis: server.connect(), archive, writing: Duration::from_millis(1) }
    }

    fn exists(&mut self, name: &str) -> bool {
        self.redis.command(&["EXISTS", &meta(name)]).number() == 1
    }

    fn initialize(&mut self, name: &str) {
        self.redis.command(&["DEL", name]);
        self.redis.command(&["SET", &meta(name), "1", "EX", "100"]);
    }

    /// Whether it was acknowledged.
    fn append(&mut self, name: &str, text: &str) -> bool {
        if !self.exists(name) {
            return false;
        }
        self.redis.command(&["RPUSH", name, text]);
        self.redis.command(&["EXPIRE", name, "100"]);
        true
    }

    /// Whether it appended them: there is one mark for all ids together.
    fn append_once(&mut self, name: &str, thread: &str, ids: &[&str]) -> bool {
        let mark = format!("dedup:{}:thread:{thread}", ids.join(":"));
        if self.redis.command(&["SETNX", &mark, "1"]).number() == 0 {
            return false;
        }
        ids.iter().all(|id| self.append(name, id))
    }

    fn messages(&mut self, name: &str) -> Vec<String> {
        self.redis.command(&["LRANGE", name, "0", "-1"]).texts()
    }

    fn read(&mut self, name: &str) -> Option<Vec<String>> {
        self.exists(name).then(|| self.messages(name))
    }

    fn write(&mut self, name: &str, snapshot: Vec<String>) {
        thread::sleep(self.writing);
        self.archive.lock().expect("an archive").insert(name.into(), snapshot);
    }

    fn flush(&mut self, name: &str) {
        if let Some(snapshot) = self.read(name) {
            self.write(name, snapshot);
            self.redis.command(&["DEL", name, &meta(name)]);
        }
    }

    fn hydrate(&mut self, name: &str) {
        if self.exists(name) {
            return;
        }
        let Some(snapshot) = self.archived(name) else { return };
        self.redis.command(&["DEL", name]);
        let mut push = vec!["RPUSH", name];
        push.extend(snapshot.iter().map(String::as_str));
        self.redis.command(&push);
        self.redis.command(&["SET", &meta(name), "1", "EX", "100"]);
    }

    fn archived(&self, name: &str) -> Option<Vec<String>> {
        self.archive.lock().expect("an archive").get(name).cloned()
    }
}

fn meta(name: &str) -> String {
    format!("{name}:meta")
}

#[test]
fn z1_the_old_way_loses_an_append_during_a_flush() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let mut lost = 0;
    let (mut flusher, mut writer) = (Old::new(&server, &archive), Old::new(&server, &archive));
    for round in 0..TRIES {
        let name = format!("z1-{round}");
        flusher.initialize(&name);
        flusher.append(&name, "1");
        let start = Barrier::new(2);
        let acknowledged = thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                flusher.flush(&name);
            });
            start.wait();
            thread::sleep(Duration::from_micros(500));
            writer.append(&name, "2")
        });
        flusher.hydrate(&name);
        lost += usize::from(acknowledged && !flusher.messages(&name).contains(&"2".to_owned()));
    }
    println!("Z1, the old way: {lost} of {TRIES} lost");
    assert!(lost > 0);
}

#[test]
fn z2_the_old_way_archives_an_evicted_list_as_an_empty_one() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let mut old = Old::new(&server, &archive);
    old.initialize("a");
    for text in ["1", "2", "3"] {
        assert!(old.append("a", text));
    }
    old.flush("a");
    old.hydrate("a");
    old.redis.command(&["DEL", "a"]);
    old.flush("a");
    assert_eq!(old.archived("a").expect("archived"), [""; 0]);
}

#[test]
fn z3_the_old_way_lets_a_thread_expire_that_is_written_to() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let mut old = Old::new(&server, &archive);
    old.initialize("a");
    old.redis.command(&["EXPIRE", "a:meta", "50"]);
    old.append("a", "1");
    assert!(old.redis.command(&["TTL", "a:meta"]).number() <= 50);
    assert!(old.redis.command(&["TTL", "a"]).number() > 90);
    old.redis.command(&["DEL", "a:meta"]);
    assert!(!old.append("a", "2") && !old.messages("a").is_empty());
    old.flush("a");
    assert_eq!(old.archived("a"), None);
}

#[test]
fn z4_the_old_way_has_everything_twice_after_two_hydrations() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let [mut first, mut second] = [(); 2].map(|()| Old::new(&server, &archive));
    let texts = ["1", "2", "3"].map(str::to_owned).to_vec();
    let mut twice = 0;
    for round in 0..TRIES {
        let name = format!("z4-{round}");
        first.write(&name, texts.clone());
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for old in [&mut first, &mut second] {
                scope.spawn(|| {
                    start.wait();
                    old.hydrate(&name);
                });
            }
        });
        twice += usize::from(first.messages(&name).len() > 3);
    }
    println!("Z4, the old way: {twice} of {TRIES} twice");
    assert!(twice > 0);
}

#[test]
fn z5_and_z6_the_old_way_takes_other_messages_for_ones_it_has() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let mut old = Old::new(&server, &archive);
    old.initialize("k1");
    old.initialize("k2");
    assert!(old.append_once("k1", "t", &["a:b"]));
    assert!(!old.append_once("k1", "t", &["a", "b"]));
    assert!(old.append_once("k1", "t", &["c"]));
    assert!(!old.append_once("k2", "t", &["c"]));
    assert!(old.append_once("k1", "t", &["d", "e"]) && old.append_once("k1", "t", &["e"]));
    assert_eq!(old.messages("k1"), ["a:b", "c", "d", "e", "e"]);
    assert_eq!(old.messages("k2"), [""; 0]);
}

#[test]
fn z7_the_old_way_archives_the_nothing_between_two_histories() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let mut old = Old::new(&server, &archive);
    old.initialize("a");
    old.append("a", "1");
    old.flush("a");
    old.hydrate("a");
    // Here the one who replaces is gone, before it adds what comes instead.
    assert_eq!(old.redis.command(&["DEL", "a"]), Raw::Number(1));
    old.flush("a");
    assert_eq!(old.archived("a").expect("archived"), [""; 0]);
}

#[test]
fn z8_the_old_way_overwrites_what_is_newer() {
    let (server, archive) = (RedisServer::start(), Archive::default());
    let [mut slow, mut quick] = [(); 2].map(|()| Old::new(&server, &archive));
    quick.initialize("a");
    quick.append("a", "1");
    let read = slow.read("a").expect("it exists");
    quick.append("a", "2");
    quick.flush("a");
    slow.write("a", read);
    assert_eq!(quick.archived("a").expect("archived"), ["1"]);
}
