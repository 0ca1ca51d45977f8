//! What only the inside shows: how many syncs there were, and names left behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;
use turnkeep_core::store::After;

use super::*;

const THREADS: u64 = 8;
const ROUNDS: u64 = 40;

fn key(name: &str) -> Key {
    Key::parse(name).expect("a key")
}

fn store() -> (tempfile::TempDir, FileStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::open(folder.path().join("root")).expect("a store");
    (folder, store)
}

/// Runs `write` so often in each of many threads; it gets a place to append to, one after another.
fn at_once(write: impl Fn(&Mutex<u64>) + Sync) {
    let end = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..ROUNDS).for_each(|_| write(&end)));
        }
    });
}

/// How many syncs that takes depends on the disk: the next test is the one that must hold anywhere.
#[test]
fn threads_append_and_sync_one_file() {
    let (_folder, store) = store();
    let key = key("a.jsonl");
    at_once(|end| {
        let mut at = guard(end);
        *at = store
            .append(&key, b"line\n", &After::new(*at, 0), Durability::Os)
            .expect("an append")
            .bytes;
        drop(at);
        store.sync(&key).expect("a sync");
    });
    let (syncs, calls) = (store.appenders.syncs_started(&key), THREADS * ROUNDS);
    println!("{THREADS} threads: {calls} appends and syncs, {syncs} times to the disk");
    assert!(syncs >= ROUNDS && syncs <= calls, "{syncs} syncs for {calls} calls");
    assert_eq!(store.info(&key).expect("an object").bytes, calls * 5);
}

#[test]
fn those_who_come_while_a_sync_runs_share_the_next() {
    let (_folder, store) = store();
    let key = key("a.jsonl");
    store.append(&key, b"0", &After::new(0, 0), Durability::Os).expect("an append");
    let end = Mutex::new(1);
    let write = || {
        let mut at = guard(&end);
        *at =
            store.append(&key, b"1", &After::new(*at, 0), Durability::Os).expect("an append").bytes;
        drop(at);
        store.sync(&key).expect("a sync");
    };
    thread::scope(|scope| {
        store.appenders.sync_with(&key, || {
            (0..THREADS).for_each(|_| drop(scope.spawn(write)));
            while *guard(&end) <= THREADS {
                thread::yield_now();
            }
            // Written; a little more, and they wait.
            thread::sleep(Duration::from_millis(50));
            Ok(())
        });
    });
    let syncs = store.appenders.syncs_started(&key);
    assert!(syncs <= 1 + THREADS / 2, "{syncs} syncs");
}

/// A sync that takes long holds up neither writes to the same file nor anything of another.
#[test]
fn a_long_sync_blocks_nobody() {
    let (_folder, store) = store();
    let (one, other) = (key("one"), key("other"));
    store.append(&one, b"1", &After::new(0, 0), Durability::Os).expect("an append");
    let (syncing, is_done) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            store.appenders.sync_with(&one, || {
                syncing.wait();
                while !is_done.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            });
        });
        syncing.wait();
        store.append(&one, b"2", &After::new(1, 0), Durability::Os).expect("an append");
        store.append(&other, b"1", &After::new(0, 0), Durability::Disk).expect("an append");
        store.sync(&other).expect("a sync");
        store.release(&one);
        is_done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn what_is_let_go_is_forgotten() {
    let (_folder, store) = store();
    let key = key("a");
    store.append(&key, b"1", &After::new(0, 0), Durability::Os).expect("an append");
    assert!(store.append(&key, b"1", &After::new(0, 0), Durability::Os).is_err(), "it is longer");
    assert_eq!(store.appenders.held(), 1);
    store.release(&key);
    assert_eq!(store.appenders.held(), 0);
    assert!(
        store.append(&super::tests::key("b"), b"1", &After::new(5, 0), Durability::Os).is_err()
    );
    store.put(&key, b"2", &Condition::Any).expect("a put");
    assert_eq!(store.appenders.held(), 0);
}

#[test]
fn what_dead_processes_left_is_swept_by_the_next_write() {
    let (_folder, store) = store();
    let mine = own::name(&store.path(&key("a")), "stage");
    let name = mine.file_name().and_then(|name| name.to_str()).expect("a name");
    let this = format!("-{}-", std::process::id());
    assert!(name.contains(&this), "{name}");
    // No process has this number: Linux's end at 2^22.
    let dead = name.replace(&this, "-1073741824-");
    let elsewhere = format!("{}{}", &dead[..dead.len() - 25], "00000000-0123456789abcdef");
    let strange = ".a.stage-0123";
    for name in [name, &dead, &elsewhere, strange] {
        fs::create_dir(store.root.join(name)).expect("a folder");
        fs::write(store.root.join(name).join("1"), "a part").expect("a part");
        fs::write(store.root.join(name.replace(".stage", ".new")), "{}").expect("a file");
    }
    let stage = store.stage(&key("b")).expect("a stage");
    for name in [name, &elsewhere, strange, &stage.0] {
        assert!(store.root.join(name).is_dir(), "{name}");
    }
    assert!(!store.root.join(&dead).exists());
    assert!(!store.root.join(dead.replace(".stage", ".new")).exists());
    assert!(store.root.join(elsewhere.replace(".stage", ".new")).exists());
}

#[test]
fn the_longest_key_can_be_written_and_staged() {
    let (_folder, store) = store();
    let key = key(&"x".repeat(224));
    store.append(&key, b"1", &After::new(0, 0), Durability::Disk).expect("an append");
    let stage = store.stage(&key).expect("a stage");
    store.stage_part(&stage, 1, b"2").expect("a part");
    store.commit(&stage, &Condition::Any).expect("a commit");
}

/// Left out, its session would be missing from a bundle that is to hold all.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_looked_at_is_not_left_out_of_a_listing() {
    let (folder, store) = store();
    store.put(&key("a.jsonl"), b"1", &Condition::Absent).expect("a put");
    let link = folder.path().join("root/b.jsonl");
    std::os::unix::fs::symlink("nowhere", &link).expect("a link");
    assert_eq!(store.list("", None, 10).expect("a list").objects.len(), 1, "that is no object");
    fs::remove_file(&link).expect("the link");
    std::os::unix::fs::symlink("b.jsonl", &link).expect("a link to itself");
    assert_eq!(store.list("", None, 10).expect_err("it is something").code(), "store_failed");
}

/// Whoever took this process for gone swept its stage.
#[test]
fn a_stage_that_lost_bytes_is_not_published() {
    let (_folder, store) = store();
    let key = key("a");
    store.put(&key, b"before", &Condition::Absent).expect("a put");
    let lose: [fn(&Path); 4] = [
        |folder| fs::remove_file(folder.join("1")).expect("a part"),
        |folder| fs::remove_file(folder.join("2")).expect("a part"),
        |folder| fs::write(folder.join("3"), "").expect("a part"),
        |folder| fs::remove_dir_all(folder).expect("a folder"),
    ];
    for lose in lose {
        let stage = store.stage(&key).expect("a stage");
        for number in 1..=3 {
            store.stage_part(&stage, number, b"part").expect("a part");
        }
        lose(&store.root.join(&stage.0));
        let error = store.commit(&stage, &Condition::Any).expect_err("something is missing");
        assert_eq!(error.code(), "store_failed", "{error}");
        assert_eq!(store.get(&key, None).expect("an object").bytes, b"before");
        assert_eq!(fs::read_dir(&store.root).expect("a folder").count(), 1, "nothing is left");
    }
}

#[test]
fn a_file_that_seems_longer_than_memory_is_an_error() {
    let (_folder, store) = store();
    store.put(&key("a"), b"1", &Condition::Any).expect("a put");
    let (file, _) = reading::open(&store.path(&key("a"))).expect("a file").expect("a file");
    let error = read_range(file, 0..u64::MAX, &mut Vec::new()).expect_err("so much memory");
    assert_eq!(error.kind(), IoKind::OutOfMemory);
}

#[test]
fn too_many_open_files_may_pass() {
    #[cfg(unix)]
    let error = rustix::io::Errno::MFILE.into();
    #[cfg(not(unix))]
    let error = std::io::Error::from_raw_os_error(4);
    assert!(failed("cannot open", Path::new("a"), &error).is_retryable());
}
