//! A runtime of 1,000 sessions of half a megabyte and 100,000 values, a step a process, so that each
//! step's memory can be told: `large-runtime make|snapshot|restore FOLDER FILE [SHARE]`, or the SHAREth
//! part of all that. Prints the most memory that the process had, in kibibytes, and how long it took,
//! in milliseconds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use turnkeep::core::session::runtime::{Restore, Snapshot};
use turnkeep::{
    Cache, CacheEntry, CacheValue, Create, Draft, FileStore, Result, Runtime, Session, SessionId,
    Wait,
};
use turnkeep_tests::build::Random;

const SESSIONS: u64 = 1000;
const VALUES: u64 = 100_000;

/// Values that take no memory.
struct Made {
    put: AtomicU64,
    count: u64,
}

fn value(key: &str) -> CacheEntry {
    let json = format!("{{\"key\":\"{key}\",\"text\":\"{}\"}}", "what came of it ".repeat(4));
    CacheEntry { key: key.into(), value: CacheValue::Json(json), expires_ms: None }
}

impl Cache for Made {
    fn list(&self) -> Result<Box<dyn Iterator<Item = Result<String>> + Send + '_>> {
        Ok(Box::new((0..self.count).map(|number| Ok(format!("result:{number}")))))
    }

    fn get(&self, key: &str) -> Result<Option<CacheEntry>> {
        Ok(Some(value(key)))
    }

    fn put(&self, entry: &CacheEntry) -> Result<()> {
        assert_eq!(*entry, value(&entry.key));
        self.put.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [step, folder, file, share @ ..] = &args[..] else { panic!("a step, a folder, a file") };
    let share: u64 = share.first().map_or(1, |share| share.parse().expect("a number"));
    let (sessions, values) = (SESSIONS / share, VALUES / share);
    let since = Instant::now();
    match step.as_str() {
        "make" => make(Path::new(folder), sessions),
        "snapshot" => {
            let options = Snapshot::default();
            let written = runtime(folder, values).0.snapshot_to(file, options, Wait::default());
            let counts = written.expect("a snapshot").counts;
            assert_eq!((counts.sessions, counts.cache), (sessions, values));
        }
        "restore" => {
            let (runtime, cache) = runtime(folder, values);
            let options = Restore::default();
            runtime.restore_from(file, options, Wait::default()).expect("restored");
            assert_eq!(cache.put.load(Ordering::Relaxed), values);
        }
        _ => panic!("no such step"),
    }
    println!("{} {}", peak_kib(), since.elapsed().as_millis());
}

fn runtime(folder: &str, count: u64) -> (Arc<Runtime>, Arc<Made>) {
    let store = Arc::new(FileStore::open(folder).expect("a store"));
    let cache = Arc::new(Made { put: AtomicU64::new(0), count });
    (Runtime::open(store, Some(cache.clone())).expect("a runtime"), cache)
}

/// Sessions of half a megabyte; made again they get one entry more each.
fn make(folder: &Path, sessions: u64) {
    let store = Arc::new(FileStore::open(folder).expect("a store"));
    let mut random = Random::new(1);
    let texts: Vec<_> = (0..64).map(|_| format!("\"{}\"", random.text(8000))).collect();
    for number in 0..sessions {
        let id = SessionId::new(format!("session-{number}")).expect("an id");
        let text = |n: u64| &texts[((n * 7 + number) % 64) as usize];
        match Session::open(store.clone(), &id) {
            Ok(session) => _ = session.append(&[Draft::turn_end(1)]).expect("an append"),
            Err(_) => {
                let session = Session::create(store.clone(), Create::default().with_id(id));
                let drafts: Vec<_> = (0..66).map(|n| Draft::user_input(text(n))).collect();
                session.expect("a session").append(&drafts).expect("an append");
            }
        }
    }
}

/// The most memory this process had at once.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}
