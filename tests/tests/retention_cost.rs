//! What keeping a store small costs: by the sessions there are, not by their bytes; and in bounded
//! memory.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use turnkeep::retention::{self, Policy};
use turnkeep::{FileStore, MemoryStore, Store};
use turnkeep_tests::sessions::{Folder, archive_key, bytes_of, filled, id, log_key, open, user};
use turnkeep_tests::spy::Spy;

const SESSIONS: usize = 10_000;
const ARCHIVED: usize = 5_000;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Sessions in files: archives with their records, and logs that were written to just now.
fn many() -> Folder {
    let folder = Folder::new();
    let made: Arc<dyn Store> = Arc::new(MemoryStore::new());
    drop(filled(&made, "a", 3, 100));
    let log = bytes_of(&made, &log_key("a"));
    open(&made, "a").expect("it opens").archive().expect("archived");
    let archive = bytes_of(&made, &archive_key("a"));
    let record = turnkeep::Key::of(&id("a"), turnkeep::core::store::Part::Retention);
    let record = String::from_utf8(bytes_of(&made, &record)).expect("text");
    let days_ago = SystemTime::now() - DAY * 3;
    let ms = days_ago.duration_since(SystemTime::UNIX_EPOCH).expect("later").as_millis();
    let activity = record.split("\"last_activity\":").nth(1).expect("a time");
    let activity = activity.split(',').next().expect("a number");
    let record = record.replace(activity, &ms.to_string());
    for number in 0..SESSIONS {
        let path = |suffix| folder.path().join(format!("s{number:05}.{suffix}"));
        if number < ARCHIVED {
            fs::write(path("jsonl.gz"), &archive).expect("a file");
            fs::write(path("retention.json"), &record).expect("a file");
        } else {
            fs::write(path("jsonl"), &log).expect("a file");
        }
    }
    folder
}

#[test]
fn a_sweep_looks_at_no_log_that_it_does_not_archive() {
    let folder = many();
    let spy = Spy::new(FileStore::open(folder.path()).expect("a store"));
    let start = Instant::now();
    let sweep = retention::sweep(&spy, Policy::default()).expect("a sweep");
    let cost = spy.cost();
    println!("sweep of {SESSIONS}: {:?}, {cost:?}", start.elapsed());
    assert_eq!((sweep.sessions.len(), sweep.archived, sweep.pruned), (SESSIONS, 0, 0));
    assert!(cost.bytes_read < 1000, "{cost:?}");
    assert!(cost.requests as usize <= SESSIONS - ARCHIVED + 30, "{cost:?}");

    let start = Instant::now();
    let usage = retention::usage(&spy, DAY).expect("usage");
    let cost = spy.cost();
    println!("usage of {SESSIONS}: {:?}, {cost:?}", start.elapsed());
    assert!(usage.sessions.len() == SESSIONS && cost.bytes_read == 0 && cost.requests <= 20);

    let max = sweep.archive_bytes - 100 * sweep.archive_bytes / ARCHIVED as u64;
    let start = Instant::now();
    let sweep = retention::sweep(&spy, Policy::default().at_most(max)).expect("a sweep");
    let cost = spy.cost();
    println!("sweep that prunes {}: {:?}, {cost:?}", sweep.pruned, start.elapsed());
    assert_eq!(sweep.pruned, 100);
    // Every record, to know which is oldest; never a block of an archive.
    let records = 600 * ARCHIVED as u64;
    assert!(cost.bytes_read < records + 100 * 70_000, "{cost:?}");
    assert!(cost.requests as usize <= SESSIONS + 100 * 12 + 50, "{cost:?}");
}

/// Merging writes the archive anew and reads it twice, once to copy and once to verify; of the log it
/// reads what is new.
#[test]
fn a_merge_reads_its_blocks_to_copy_and_to_verify() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = spy.clone();
    filled(&store, "a", 5000, 1000).archive().expect("archived");
    open(&store, "a").expect("it opens").append_one(&user("more")).expect("an append");
    let archive = store.info(&archive_key("a")).expect("an archive").bytes;
    spy.cost();
    open(&store, "a").expect("it opens").archive().expect("merged");
    let cost = spy.cost();
    println!("merge into {archive} bytes: {cost:?}");
    assert!(cost.bytes_read <= 2 * archive + 500_000, "{cost:?}");
    assert!(cost.bytes_written <= archive + 100_000, "{cost:?}");
}

/// `TURNKEEP_LARGE_MIB` is how large the session is (100).
#[test]
fn a_large_session_is_kept_in_bounded_memory() {
    let folder = Folder::new();
    let mib = std::env::var("TURNKEEP_LARGE_MIB").unwrap_or_else(|_| "100".into());
    let output = Command::new(env!("CARGO_BIN_EXE_large-session"))
        .args([folder.path().as_os_str(), mib.as_ref()])
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stdout).expect("text");
    println!("{text}");
    assert!(output.status.success());
    for line in text.lines() {
        let peak: u64 = line.rsplit(' ').next().and_then(|peak| peak.parse().ok()).expect("KiB");
        assert!(peak <= 64 << 10, "{line}");
    }
}
