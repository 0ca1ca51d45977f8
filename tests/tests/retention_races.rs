//! Threads and processes append to a session while others archive, restore, sweep and prune it: what
//! was acknowledged is there once, in order, in one chain.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use turnkeep::core::store::Condition;
use turnkeep::retention::{self, Policy};
use turnkeep::{FileStore, Kind, Range, Store, drive};
use turnkeep_tests::build::Member;
use turnkeep_tests::sessions::{
    Folder, archive_key, bytes_of, filled, id, log_key, open, over_every_store, user,
};

const APPENDS: usize = 150;

/// The texts of the session's inputs but the first, by how often they are there.
fn texts(store: &Arc<dyn Store>) -> BTreeMap<String, u32> {
    let session = open(store, "a").expect("it opens");
    let report = session.verify_with(None, true).expect("a report");
    assert!(report.is_whole(), "{report:?}");
    let mut texts = BTreeMap::new();
    for line in session.entries(Range::all()).skip(2) {
        let line = line.expect("a line");
        let entry = line.parse().expect("an entry");
        assert_eq!(entry.kind(), Kind::UserInput);
        *texts.entry(entry.text("item").expect("a text").into_owned()).or_default() += 1;
    }
    texts
}

/// Appends each text until it is acknowledged. No two texts have one length: see
/// `a_stale_handle_is_refused_after_a_log_of_the_same_length`.
fn append_all(store: &Arc<dyn Store>, name: &str, bytes: usize) -> Vec<String> {
    (0..APPENDS)
        .map(|number| {
            let text = format!("{name}-{number}-{}", ".".repeat(number * 14 + bytes));
            // The others get their turn.
            thread::sleep(Duration::from_millis(if number % 5 == 0 { 60 } else { 1 }));
            for _ in 0..1_000_000 {
                let Ok(session) = open(store, "a") else { continue };
                let appended = session.append_one(&user(&text));
                if appended.is_ok() {
                    return text;
                }
            }
            panic!("{text} was never appended");
        })
        .collect()
}

/// Archives, restores, sweeps and prunes until told to stop; how often each was done.
fn reshape(store: &Arc<dyn Store>, is_done: &AtomicBool) -> [u32; 4] {
    let mut done = [0; 4];
    while !is_done.load(Ordering::Relaxed) {
        let everything = Policy::default().inactive_for(0).at_most(0).older_than(0);
        let archived = drive(turnkeep::core::session::archive(id("a")), &**store);
        done[0] += u32::from(archived.is_ok());
        let pruned = retention::prune(&**store, &id("a"), "why");
        done[3] += u32::from(pruned.is_ok());
        let restored = drive(turnkeep::core::session::restore(id("a")), &**store);
        done[1] += u32::from(restored.is_ok());
        if let Ok(sweep) = retention::sweep(&**store, everything) {
            done[2] += u32::try_from(sweep.archived).expect("one");
            done[3] += u32::try_from(sweep.pruned).expect("one");
        }
        thread::yield_now();
    }
    done
}

#[test]
fn threads_that_append_lose_nothing_to_those_that_keep_the_store() {
    over_every_store(|store| {
        drop(filled(&store, "a", 1, 50));
        let is_done = AtomicBool::new(false);
        let acknowledged: Vec<String> = thread::scope(|scope| {
            let keepers = [(); 2].map(|()| scope.spawn(|| reshape(&store, &is_done)));
            let (one, two) = (&store, &store);
            let writers = [
                scope.spawn(move || append_all(one, "x", 0)),
                scope.spawn(move || append_all(two, "y", 7)),
            ];
            let texts = writers.map(|writer| writer.join().expect("a writer")).concat();
            is_done.store(true, Ordering::Relaxed);
            let mut done = 0;
            for keeper in keepers {
                let [archived, restored, swept, pruned] = keeper.join().expect("a keeper");
                println!("archived {archived}, restored {restored}, swept {swept}");
                done += archived + restored + swept;
                assert_eq!(pruned, 0, "it was in use all the time");
            }
            assert!(done > 0);
            texts
        });
        let expected: BTreeMap<_, _> = acknowledged.into_iter().map(|text| (text, 1)).collect();
        assert_eq!(texts(&store), expected);
        assert_eq!(expected.len(), 2 * APPENDS);
    });
}

#[test]
fn processes_that_append_lose_nothing_to_those_that_keep_the_store() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    drop(filled(&store, "a", 1, 50));
    let is_done = AtomicBool::new(false);
    let spawn = |name: &str| -> Child {
        Command::new(env!("CARGO_BIN_EXE_racer"))
            .args([folder.path().as_os_str(), "a".as_ref()])
            .args([name, &APPENDS.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process")
    };
    let acknowledged = thread::scope(|scope| {
        let keeper = scope.spawn(|| reshape(&store, &is_done));
        let writers = ["x", "y"].map(spawn);
        let mut acknowledged = BTreeMap::new();
        let outputs = writers.map(|writer| writer.wait_with_output().expect("its output"));
        is_done.store(true, Ordering::Relaxed);
        for output in outputs {
            assert!(output.status.success());
            for line in String::from_utf8(output.stdout).expect("text").lines() {
                acknowledged.insert(line.strip_prefix("ok ").expect("a text").to_owned(), 1);
            }
        }
        let [archived, restored, swept, pruned] = keeper.join().expect("the keeper");
        println!("archived {archived}, restored {restored}, swept {swept}");
        assert!(archived + restored + swept > 0 && pruned == 0);
        acknowledged
    });
    assert_eq!(texts(&store), acknowledged);
    assert_eq!(acknowledged.len(), 2 * APPENDS);
}

/// A handle that was left behind appends to the log it knows, not to another one as long: a store
/// compares lengths, and the hash of the last line.
#[test]
fn a_stale_handle_is_refused_after_a_log_of_the_same_length() {
    over_every_store(|store| {
        filled(&store, "a", 1, 50).archive().expect("archived");
        let writer = open(&store, "a").expect("it opens");
        writer.append_one(&user("one")).expect("an append");
        let stale = open(&store, "a").expect("it opens");
        drop(writer);
        open(&store, "a").expect("it opens").archive().expect("merged");
        let other = open(&store, "a").expect("it opens");
        other.append_one(&user("two")).expect("an append");
        drop(other);
        let refused = stale.append_one(&user("three")).map_err(|error| error.code());
        assert!(stale.verify().expect("a report").is_whole(), "the chain is broken");
        assert_eq!(refused, Err("conflict"));
    });
}

/// The control: the order of the archiver that this one replaces, in the same race.
#[test]
fn reading_writing_and_removing_without_conditions_loses_entries() {
    let store: Arc<dyn Store> = Arc::new(turnkeep::MemoryStore::new());
    drop(filled(&store, "a", 1, 50));
    let is_done = AtomicBool::new(false);
    let (lost, acknowledged) = thread::scope(|scope| {
        let careless = scope.spawn(|| {
            let mut kept = Vec::new();
            while !is_done.load(Ordering::Relaxed) {
                let Ok(log) = store.get(&log_key("a"), None) else { continue };
                let gzip = Member::of(&log.bytes).bytes();
                write_then_remove(&store, &gzip);
                kept = log.bytes;
                // And restored from it.
                store.delete(&archive_key("a"), &Condition::Any).ok();
                store.put(&log_key("a"), &kept, &Condition::Any).ok();
            }
            kept
        });
        let acknowledged = append_all(&store, "x", 0).len();
        is_done.store(true, Ordering::Relaxed);
        careless.join().expect("the archiver");
        let log = String::from_utf8(bytes_of(&store, &log_key("a"))).expect("text");
        let found = (0..APPENDS).filter(|n| log.contains(&format!("\"x-{n}-"))).count();
        (APPENDS - found, acknowledged)
    });
    println!("{lost} of {acknowledged} acknowledged entries lost");
    assert!(lost > 0);
}

fn write_then_remove(store: &Arc<dyn Store>, gzip: &[u8]) {
    store.put(&archive_key("a"), gzip, &Condition::Any).ok();
    thread::yield_now();
    store.delete(&log_key("a"), &Condition::Any).ok();
}
