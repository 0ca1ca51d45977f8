//! A whole runtime: snapshot, restore, and waiting until nothing goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use turnkeep::core::session;
use turnkeep::core::session::runtime::{Change, Recovered, Restore, Restored, Snapshot};
use turnkeep::core::session::tier::Flush;
use turnkeep::core::store::{Condition, Part};
use turnkeep::{
    About, Cache, CacheEntry, CacheValue, Draft, ErrorKind, Key, MemoryCache, MemoryStore, Range,
    Runtime, Store, Tier, Wait, drive, drive_runtime, set_about,
};
use turnkeep_tests::sessions::{
    Folder, archive_key, bytes_of, create, filled, id, lines, log_key, open, over_every_store,
    user, write,
};
use turnkeep_tests::spy::Spy;

fn json(key: &str, value: &str) -> CacheEntry {
    CacheEntry { key: key.into(), value: CacheValue::Json(value.into()), expires_ms: None }
}

/// A runtime with sessions of every sort and a cache.
fn lively(store: Arc<dyn Store>) -> (Arc<Runtime>, Arc<MemoryCache>) {
    let session = filled(&store, "talk", 30, 200);
    session.trace("{\"event\":1}").expect("a trace");
    set_about(&*store, &id("talk"), About::new(Some("A talk".into()), vec!["x".into()]))
        .expect("a title");
    session.close();
    filled(&store, "Über/1", 3, 20).close();
    filled(&store, "archived", 12, 4000).close();
    drive(session::archive(id("archived")), &*store).expect("archived");
    let session = filled(&store, "tail", 12, 4000);
    session.close();
    drive(session::archive(id("tail")), &*store).expect("archived");
    let session = open(&store, "tail").expect("it is there");
    session.append(&[user("more")]).expect("an append");
    session.close();
    let cache = Arc::new(MemoryCache::default());
    cache.put(&json("result:1", "{\"a\": [1, 2.50],\n\"n\":9007199254740993}")).expect("a put");
    cache.put(&json("chat_session:talk", "1")).expect("a put");
    cache.put(&json("chat_history:talk", "1")).expect("a put");
    let bytes = CacheValue::Bytes(vec![0, 255, 10, 34]);
    let later = Some(4_000_000_000_000);
    cache
        .put(&CacheEntry { key: "raw\n\"".into(), value: bytes, expires_ms: later })
        .expect("a put");
    (Runtime::open(store, Some(cache.clone())).expect("a runtime"), cache)
}

/// Every session's log as it reads, and its title.
fn content(store: &Arc<dyn Store>) -> BTreeMap<String, (Vec<u8>, Option<String>)> {
    let mut content = BTreeMap::new();
    for listed in turnkeep::sessions(&**store).expect("a listing") {
        let session = open(store, listed.id.as_str()).expect("a session");
        assert!(session.verify().expect("verified").is_whole(), "{}", listed.id);
        let lines = lines(&session, &Range::default()).expect("lines");
        let about = turnkeep::about(&**store, &listed.id).expect("a title");
        session.close();
        content.insert(listed.id.as_str().into(), (lines, about.title));
    }
    content
}

fn restored(runtime: &Runtime, from: &dyn Store) -> Restored {
    runtime.restore_from_store(from, Restore::default(), Wait::default()).expect("restored")
}

#[test]
fn a_runtime_comes_back_whole_in_another_store() {
    over_every_store(|store| {
        let (runtime, _) = lively(store.clone());
        let place = MemoryStore::new();
        let written = runtime
            .snapshot_to_store(&place, Snapshot::default(), Wait::default())
            .expect("a snapshot");
        assert_eq!((written.counts.sessions, written.counts.cache), (4, 2));
        assert_eq!((written.cache_skipped, &written.left_out[..]), (2, &[][..]));
        let other: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let cache = Arc::new(MemoryCache::default());
        let other_runtime = Runtime::open(other.clone(), Some(cache.clone())).expect("a runtime");
        let told = restored(&other_runtime, &place);
        assert!(told.sessions.iter().all(|session| session.change == Change::New));
        assert_eq!((told.cache.put, told.cache.left_out, told.cache.expired), (2, 0, 0));
        assert_eq!(content(&other), content(&store));
        let raw = cache.get("raw\n\"").expect("a look").expect("a value");
        assert_eq!(raw.value, CacheValue::Bytes(vec![0, 255, 10, 34]));
        assert_eq!(raw.expires_ms, Some(4_000_000_000_000));
        let result = cache.get("result:1").expect("a look").expect("a value");
        let expected = "{\"a\": [1, 2.50], \"n\":9007199254740993}";
        assert_eq!(result.value, CacheValue::Json(expected.into()));
        let trace = |store: &Arc<dyn Store>| bytes_of(store, &Key::of(&id("talk"), Part::Trace));
        assert_eq!(trace(&other), trace(&store));
        // Once more: nothing changes.
        let again = restored(&other_runtime, &place);
        assert!(again.sessions.iter().all(|session| session.change == Change::Unchanged));
        // Going on.
        open(&other, "talk").expect("a session").append(&[user("on")]).expect("an append");
    });
}

#[test]
fn a_bundle_is_a_gzip_file_of_lines() {
    let (runtime, _) = lively(Arc::new(MemoryStore::new()));
    let mut file = Vec::new();
    runtime
        .snapshot_to_writer(&mut file, Snapshot::default(), Wait::default())
        .expect("a snapshot");
    let mut text = String::new();
    let mut gunzip = flate2::read::GzDecoder::new(&file[..]);
    std::io::Read::read_to_string(&mut gunzip, &mut text).expect("gzip");
    assert!(text.starts_with("{\"bundle\":1,\"kind\":\"header\",\"created\":"), "{text:.80}");
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(text.ends_with(" \n"));
    // The index leads to each session.
    let sessions = text.lines().rfind(|line| line.starts_with("{\"kind\":\"index\"")).expect("one");
    let index: serde_json::Value = serde_json::from_str(sessions).expect("JSON");
    for session in index["sessions"].as_array().expect("an array") {
        let at = session[1].as_u64().expect("an offset") as usize;
        let record = text[at..].lines().next().expect("a line");
        assert!(record.starts_with("{\"kind\":\"session\",\"id\":"), "{record}");
    }
}

#[test]
fn the_rest_of_a_runtime_stays_as_it_is() {
    over_every_store(|store| {
        let (runtime, cache) = lively(store.clone());
        let place = MemoryStore::new();
        runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
        let before = content(&store);
        create(&store, "extra").expect("a session").close();
        let talk = open(&store, "talk").expect("it is there");
        talk.append(&[user("gone again")]).expect("an append");
        talk.close();
        turnkeep::delete(&*store, &id("archived")).expect("deleted");
        cache.put(&json("other", "7")).expect("a put");
        cache.put(&json("result:1", "8")).expect("a put");

        let mut dry = Restore::default();
        dry.dry_run = true;
        let told = runtime.restore_from_store(&place, dry, Wait::default()).expect("told");
        let change = |told: &Restored, name: &str| {
            told.sessions.iter().find(|s| s.id == id(name)).expect("told").change
        };
        assert_eq!(change(&told, "talk"), Change::Replaced);
        assert_eq!(change(&told, "archived"), Change::New);
        assert_eq!(change(&told, "tail"), Change::Unchanged);
        assert_eq!(open(&store, "talk").expect("there").head().expect("a head").seq, 31);

        let really = restored(&runtime, &place);
        assert_eq!(really.sessions, told.sessions);
        let mut after = content(&store);
        assert!(after.remove("extra").is_some());
        assert_eq!(after, before);
        assert!(cache.get("other").expect("a look").is_some());
        let value = cache.get("result:1").expect("a look").expect("a value").value;
        assert!(matches!(value, CacheValue::Json(json) if json.contains("2.50")));
        let left = store.list("restore/", None, 10).expect("a listing");
        assert_eq!(left.objects, []);
    });
}

#[test]
fn every_damaged_byte_is_refused_before_anything_changes() {
    let (runtime, _) = lively(Arc::new(MemoryStore::new()));
    let mut file = Vec::new();
    runtime
        .snapshot_to_writer(&mut file, Snapshot::default(), Wait::default())
        .expect("a snapshot");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let cache = Arc::new(MemoryCache::default());
    let place: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let refused = |damaged: &[u8], what: &str| {
        write(&place, &Key::bundle(), damaged);
        let mut options = Restore::default();
        options.cache = true;
        let task = session::runtime::restore(options);
        let told = drive_runtime(task, &*store, Some(&*place), Some(&*cache));
        let error = told.expect_err(what);
        assert_eq!(error.kind().class(), turnkeep::core::ErrorClass::Data, "{what}: {error}");
        let left = store.list("", None, 10).expect("a listing");
        assert_eq!((left.objects.len(), cache.list().expect("keys").count()), (0, 0), "{what}");
    };
    // Each byte, and each bit of what frames the content.
    for at in 0..file.len() {
        let framing = at < 40 || at + 420 > file.len();
        for bit in 0..if framing { 8 } else { 1 } {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << ((at + bit) % 8);
            refused(&damaged, &format!("byte {at}, bit {}", (at + bit) % 8));
        }
    }
    for length in (0..file.len()).step_by(97).chain(file.len() - 420..file.len()) {
        refused(&file[..length], &format!("the first {length} bytes"));
    }
    refused(&[&file[..], b"\n"].concat(), "one byte more");
    refused(&[&file[..], &file[..]].concat(), "the file twice");
}

#[test]
fn a_newer_bundle_is_refused_and_both_versions_named() {
    let mut text = Vec::new();
    let mut gzip = flate2::write::GzEncoder::new(&mut text, flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, b"{\"bundle\":2,\"kind\":\"header\"}\nwhatever\n")
        .expect("gzip");
    gzip.finish().expect("gzip");
    let place: Arc<dyn Store> = Arc::new(MemoryStore::new());
    write(&place, &Key::bundle(), &text);
    let runtime = Runtime::open(Arc::new(MemoryStore::new()), None).expect("a runtime");
    let told = runtime.restore_from_store(&*place, Restore::default(), Wait::default());
    let error = told.expect_err("a newer version");
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(
        error.message().contains("version 2") && error.message().contains("reads 1"),
        "{error}"
    );
}

#[test]
fn a_damaged_session_is_left_out_and_named() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, _) = lively(store.clone());
    let mut log = bytes_of(&store, &log_key("talk"));
    let middle = log.len() / 2;
    log[middle] ^= 1;
    write(&store, &log_key("talk"), &log);
    let place = MemoryStore::new();
    let written = runtime
        .snapshot_to_store(&place, Snapshot::default(), Wait::default())
        .expect("a snapshot");
    assert_eq!(written.counts.sessions, 3);
    let [left_out] = &written.left_out[..] else { panic!("{written:?}") };
    assert_eq!((left_out.id.as_str(), left_out.error.code()), ("talk", "bad_hash"));
    assert!(left_out.error.place().line.is_some());
}

#[test]
fn a_damaged_session_is_replaced_by_the_whole_one() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, _) = lively(store.clone());
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    let whole = bytes_of(&store, &log_key("talk"));
    for at in [10, whole.len() / 2, whole.len() - 10] {
        let mut log = whole.clone();
        log[at] ^= 1;
        write(&store, &log_key("talk"), &log);
        restored(&runtime, &place);
        assert_eq!(bytes_of(&store, &log_key("talk")), whole, "damaged at {at}");
    }
}

#[test]
fn one_session_is_exported_and_replaced() {
    let folder = Folder::new();
    let file = folder.path().join("one.bundle");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, cache) = lively(store.clone());
    let run = runtime.start_run(&id("talk"));
    // In the middle of its own turn.
    let written = runtime.export_session(&id("talk"), &file).expect("exported");
    assert_eq!((written.counts.sessions, written.counts.cache), (1, 0));
    let talk = open(&store, "talk").expect("there");
    talk.append(&[user("later")]).expect("an append");
    let mine = Wait::default().except(&run);
    runtime.replace_session(&id("talk"), &file, mine).expect("replaced");
    // What was open before knows that its place is taken.
    assert_eq!(talk.append(&[user("late")]).expect_err("replaced").kind(), ErrorKind::Conflict);
    assert_eq!(open(&store, "talk").expect("there").head().expect("a head").seq, 30);
    let missing = runtime.replace_session(&id("tail"), &file, mine).expect_err("not in it");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let missing = runtime.export_session(&id("nobody"), &file).expect_err("no session");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(cache.list().expect("keys").count(), 4);
}

#[test]
fn streams_carry_bundles_too() {
    over_every_store(|store| {
        let (runtime, _) = lively(store.clone());
        let mut file = Vec::new();
        let written = runtime
            .snapshot_to_writer(&mut file, Snapshot::default(), Wait::default())
            .expect("a snapshot");
        assert_eq!(written.bytes, file.len() as u64);
        let before = content(&store);
        turnkeep::delete(&*store, &id("talk")).expect("deleted");
        let told = runtime
            .restore_from_reader(&file[..], Restore::default(), Wait::default())
            .expect("restored");
        assert_eq!(told.sessions.len(), 4);
        assert_eq!(content(&store), before);
        assert_eq!(store.list("restore/", None, 9).expect("a listing").objects, []);
        let told = runtime.restore_from_reader(&file[..99], Restore::default(), Wait::default());
        assert_eq!(told.expect_err("cut off").kind(), ErrorKind::BadBundle);
    });
}

/// A stream whose sender does something before each piece.
struct Sender<'a, F>(&'a [u8], F);

impl<F: FnMut()> std::io::Read for Sender<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (self.1)();
        self.0.read(buffer)
    }
}

#[test]
fn nobody_waits_for_the_sender_of_a_bundle() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, _) = lively(store.clone());
    let mut file = Vec::new();
    runtime.snapshot_to_writer(&mut file, Snapshot::default(), Wait::default()).expect("written");
    let run = || {
        let (started, is_started) = std::sync::mpsc::channel();
        let runtime = runtime.clone();
        std::thread::spawn(move || {
            drop(runtime.start_run(&id("talk")));
            started.send(()).ok();
        });
        is_started.recv_timeout(Duration::from_secs(10)).expect("that nobody waits");
    };
    let sent = Sender(&file, run);
    runtime.restore_from_reader(sent, Restore::default(), Wait::default()).expect("restored");
    let _run = runtime.start_run(&id("talk"));
    let at_once = Wait::at_most(Duration::ZERO);
    let told = runtime.restore_from_reader(&file[..], Restore::default(), at_once);
    assert_eq!(told.expect_err("it is busy").kind(), ErrorKind::Timeout);
    assert_eq!(store.list("restore/", None, 9).expect("a listing").objects, [], "nothing is kept");
}

#[test]
fn a_failed_snapshot_leaves_the_old_file() {
    let folder = Folder::new();
    let file = folder.path().join("agents.bundle");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, cache) = lively(store);
    runtime.snapshot_to(&file, Snapshot::default(), Wait::default()).expect("written");
    let before = std::fs::read(&file).expect("a file");
    cache.put(&json("deep", &("[".repeat(100) + &"]".repeat(100)))).expect("a put");
    let refused = runtime.snapshot_to(&file, Snapshot::default(), Wait::default());
    let error = refused.expect_err("it cannot be read again");
    assert_eq!(error.kind(), ErrorKind::TooDeep);
    assert!(error.message().contains("\"deep\""), "{error}");
    assert_eq!(std::fs::read(&file).expect("a file"), before);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn values_that_expired_stay_away() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let soon =
        std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_millis() as u64 + 300;
    let cache = Arc::new(MemoryCache::default());
    cache.put(&CacheEntry { expires_ms: Some(soon), ..json("soon", "1") }).expect("a put");
    let runtime = Runtime::open(store, Some(cache)).expect("a runtime");
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    std::thread::sleep(Duration::from_millis(400));
    let told = restored(&runtime, &place);
    assert_eq!((told.cache.put, told.cache.expired), (0, 1));
}

#[test]
fn a_runtime_without_a_cache_says_what_it_leaves_out() {
    let (runtime, _) = lively(Arc::new(MemoryStore::new()));
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    let other = Runtime::open(Arc::new(MemoryStore::new()), None).expect("a runtime");
    assert_eq!(*other.recovered(), Recovered::Nothing);
    assert_eq!(restored(&other, &place).cache.left_out, 2);
}

// Waiting until nothing goes on: seeds.md's cases of Eai.System, and what it got wrong.

fn quiet() -> Arc<Runtime> {
    Runtime::open(Arc::new(MemoryStore::new()), None).expect("a runtime")
}

fn within(ms: u64) -> Wait<'static> {
    Wait::at_most(Duration::from_millis(ms))
}

#[test]
fn idle_at_once() {
    let since = Instant::now();
    quiet().await_idle(within(0)).expect("idle");
    assert!(since.elapsed() >= Duration::from_millis(50));
}

#[test]
fn idle_as_soon_as_a_run_ends() {
    let runtime = quiet();
    let run = runtime.start_run(&id("talk"));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| runtime.await_idle(within(10_000)));
        std::thread::sleep(Duration::from_millis(120));
        drop(run);
        waiting.join().expect("no panic").expect("idle");
    });
}

#[test]
fn a_timeout_names_what_was_busy() {
    let runtime = quiet();
    let _run = runtime.start_run(&id("talk"));
    runtime.watch(Arc::new(|| vec!["terminal 3".to_owned()]));
    let error = runtime.await_idle(within(120)).expect_err("busy");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
    assert!(error.message().contains("session talk, terminal 3"), "{error}");
}

/// Its original answered `true` here, and wrote no snapshot.
#[test]
fn a_flap_at_the_second_look_starts_the_wait_again() {
    let runtime = quiet();
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    let flapping = move || match counted.fetch_add(1, Ordering::Relaxed) {
        1 => vec!["job".to_owned()],
        _ => Vec::new(),
    };
    runtime.watch(Arc::new(flapping));
    let folder = Folder::new();
    let file = folder.path().join("flap.bundle");
    runtime.snapshot_to(&file, Snapshot::default(), Wait::default()).expect("a snapshot");
    assert!(file.exists() && looks.load(Ordering::Relaxed) >= 4);
}

#[test]
fn new_runs_wait_until_a_snapshot_is_over() {
    let runtime = quiet();
    let over = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let started = runtime.quiesce(Wait::default(), || {
            let started = scope.spawn(|| {
                let _run = runtime.start_run(&id("talk"));
                over.load(Ordering::SeqCst)
            });
            std::thread::sleep(Duration::from_millis(100));
            over.store(1, Ordering::SeqCst);
            started
        });
        assert_eq!(started.expect("idle").join().expect("no panic"), 1);
    });
}

#[test]
fn an_agents_own_tool_takes_the_snapshot() {
    let runtime = quiet();
    create(&runtime.store(), "talk").expect("a session").close();
    let run = runtime.start_run(&id("talk"));
    let place = MemoryStore::new();
    let wait = within(200).except(&run);
    let written = runtime.snapshot_to_store(&place, Snapshot::default(), wait).expect("written");
    assert_eq!(written.counts.sessions, 1);
    let other = runtime.start_run(&id("other"));
    let refused = runtime.snapshot_to_store(&place, Snapshot::default(), wait);
    assert!(refused.expect_err("another one's turn").message().contains("session other"));
    drop((run, other));
}

#[test]
fn two_snapshots_take_turns() {
    let runtime = quiet();
    std::thread::scope(|scope| {
        let snapshot = || {
            let place = MemoryStore::new();
            runtime.snapshot_to_store(&place, Snapshot::default(), Wait::for_ever())
        };
        let both = [scope.spawn(snapshot), scope.spawn(snapshot)];
        for one in both {
            one.join().expect("no panic").expect("a snapshot");
        }
    });
}

#[test]
fn a_missing_file_and_one_that_is_none_are_told_apart() {
    let folder = Folder::new();
    let runtime = quiet();
    let restore = |name: &str| {
        let file = folder.path().join(name);
        runtime.restore_from(file, Restore::default(), Wait::default()).expect_err("no bundle")
    };
    assert_eq!(restore("missing").kind(), ErrorKind::NotFound);
    std::fs::write(folder.path().join("text"), "no bundle at all").expect("a file");
    assert_eq!(restore("text").kind(), ErrorKind::NotGzip);
    std::fs::write(folder.path().join("empty"), "").expect("a file");
    assert_eq!(restore("empty").kind(), ErrorKind::BadBundle);
}

/// A log that another process holds is not replaced, nor is any other.
#[test]
fn what_another_writer_holds_stays_with_all_others() {
    let folder = Folder::new();
    let root = folder.path().join("root");
    let mine: Arc<dyn Store> = Arc::new(turnkeep::FileStore::open(&root).expect("a store"));
    let (runtime, _) = lively(mine.clone());
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    for name in ["archived", "talk"] {
        let session = open(&mine, name).expect("there");
        session.append(&[Draft::turn_end(1)]).expect("an append");
        session.close();
    }
    let holder: Arc<dyn Store> = Arc::new(turnkeep::FileStore::open(&root).expect("a store"));
    let held = open(&holder, "talk").expect("there");
    held.append(&[Draft::turn_end(2)]).expect("an append");
    let before = content(&mine);
    let refused = runtime.restore_from_store(&place, Restore::default(), Wait::default());
    assert_eq!(refused.expect_err("held").kind(), ErrorKind::Locked);
    assert_eq!(content(&mine), before);
    held.close();
    drop(holder);
    restored(&runtime, &place);
    assert!(mine.info(&archive_key("archived")).is_err());
    mine.put(&Key::sweep(), b"{}", &Condition::Any).expect("a put");
}

/// 4 MB of lines that nobody asks for: they are let go as they come.
#[test]
fn an_endless_index_takes_no_memory() {
    let bundle = turnkeep_tests::build::Bundle::default();
    let line = b"{\"kind\":\"index\"}\n";
    let bundle = turnkeep_tests::build::Bundle { index: line.repeat(3_000_000), ..bundle };
    let place: Arc<dyn Store> = Arc::new(MemoryStore::new());
    write(&place, &Key::bundle(), &bundle.bytes());
    let before = peak_kib();
    let mut dry = Restore::default();
    dry.dry_run = true;
    let task = session::runtime::restore(dry);
    drive_runtime(task, &MemoryStore::new(), Some(&*place), None).expect("it is a bundle");
    let more = peak_kib() - before;
    assert!(more < 40 << 10, "{more} KiB");
}

/// The most memory this process had at once.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[test]
fn a_lost_trace_is_restored() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, _) = lively(store.clone());
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    let trace = Key::of(&id("talk"), Part::Trace);
    let before = bytes_of(&store, &trace);
    store.delete(&trace, &Condition::Any).expect("deleted");
    restored(&runtime, &place);
    assert_eq!(bytes_of(&store, &trace), before);
}

#[test]
fn a_session_named_twice_is_in_a_bundle_once() {
    let (runtime, _) = lively(Arc::new(MemoryStore::new()));
    let place = MemoryStore::new();
    let mut options = Snapshot::default();
    options.sessions = Some(vec![id("talk"), id("talk")]);
    let written = runtime.snapshot_to_store(&place, options, Wait::default()).expect("written");
    assert_eq!(written.counts.sessions, 1);
}

/// Whoever deletes a session while a bundle is written has it in there whole, or not at all.
#[test]
fn a_session_that_is_deleted_meanwhile_is_not_missed() {
    let mut counts = Vec::new();
    for request in 0.. {
        let spy = Arc::new(Spy::new(MemoryStore::new()));
        let store: Arc<dyn Store> = Arc::clone(&spy) as _;
        let (runtime, place) = (lively(Arc::clone(&store)).0, MemoryStore::new());
        spy.before_request(request, move || {
            drive(session::delete(id("talk")), &*store).expect("deleted");
        });
        let written = runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default());
        let written = written.unwrap_or_else(|error| panic!("before {request}: {error}"));
        if spy.leave_alone() {
            break;
        }
        assert_eq!(written.left_out, [], "before {request}");
        let other: Arc<dyn Store> = Arc::new(MemoryStore::new());
        restored(&Runtime::open(Arc::clone(&other), None).expect("a runtime"), &place);
        assert_eq!(content(&other).len() as u64, written.counts.sessions, "before {request}");
        counts.push(written.counts.sessions);
    }
    assert!(counts.contains(&3) && counts.contains(&4), "{counts:?}");
}

#[test]
fn a_session_of_a_newer_format_is_not_replaced() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (runtime, _) = lively(store.clone());
    let place = MemoryStore::new();
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    let text = String::from_utf8(bytes_of(&store, &log_key("talk"))).expect("text");
    write(&store, &log_key("talk"), text.replace("\"format\":1", "\"format\":2").as_bytes());
    let refused = runtime.restore_from_store(&place, Restore::default(), Wait::default());
    assert_eq!(refused.expect_err("newer").kind(), ErrorKind::UnsupportedVersion);
}

/// What would take the place of a session that was deleted there could never be flushed.
#[test]
fn a_session_that_the_cold_store_knows_is_not_replaced() {
    let made: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let place = MemoryStore::new();
    let (runtime, _) = lively(made.clone());
    runtime.snapshot_to_store(&place, Snapshot::default(), Wait::default()).expect("written");
    let tier = Tier::open(Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let tier = tier.expect("a tier");
    let runtime = Runtime::open(tier.clone(), None).expect("a runtime");
    restored(&runtime, &place);
    let store: Arc<dyn Store> = tier.clone();
    tier.flush(&id("talk"), Flush::default()).expect("a flush");
    open(&store, "talk").expect("there").append(&[user("more")]).expect("an append");
    for deletes in [false, true] {
        if deletes {
            tier.delete(&id("talk")).expect("deleted");
        }
        let before = content(&store);
        let refused = runtime.restore_from_store(&place, Restore::default(), Wait::default());
        let refused = refused.expect_err("it cannot go back");
        assert_eq!(refused.kind(), ErrorKind::NotSupported, "{refused}");
        assert_eq!(content(&store), before);
    }
    let mut others = Restore::default();
    others.sessions = Some(vec![id("tail")]);
    runtime.restore_from_store(&place, others, Wait::default()).expect("restored");
}

#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    let folder = Folder::new();
    let (link, file) = (folder.path().join("link"), folder.path().join("file"));
    std::fs::write(&file, "old").expect("a file");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    let runtime = quiet();
    runtime.snapshot_to(&link, Snapshot::default(), Wait::default()).expect("written");
    assert!(std::fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(std::fs::metadata(&file).expect("a file").len() > 300);
    for odd in ["/dev/null", "/", ".."] {
        let refused = runtime.snapshot_to(odd, Snapshot::default(), Wait::default());
        assert_eq!(refused.expect_err(odd).kind(), ErrorKind::NotSupported, "{odd}");
    }
}
