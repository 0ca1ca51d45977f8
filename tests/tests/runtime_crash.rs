//! A restoring that is cut off, or fails, at every one of its requests: afterwards, and after the next
//! start, everything is as it was before or as the bundle has it, never a mixture.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use turnkeep::core::session;
use turnkeep::core::session::runtime::{Recover, Recovered, Restore, Restored, Snapshot, restore};
use turnkeep::core::session::tier::Flush;
use turnkeep::core::store::{Condition, Part};
use turnkeep::{
    About, Cache, CacheEntry, CacheValue, Error, ErrorKind, Key, MemoryCache, MemoryStore, Result,
    Runtime, Store, Tier, Wait, drive, drive_runtime, set_about,
};
use turnkeep_tests::sessions::{archive_key, filled, id, log_key, open, user, write};
use turnkeep_tests::spy::{Failure, Gone, Spy, until_gone};

type Objects = BTreeMap<Key, Vec<u8>>;

/// A cache that is gone, or fails, after so many puts.
#[derive(Default)]
struct Fragile {
    cache: MemoryCache,
    left: Option<(AtomicI64, Failure)>,
}

impl Cache for Fragile {
    fn list(&self) -> Result<Box<dyn Iterator<Item = Result<String>> + Send + '_>> {
        self.cache.list()
    }

    fn get(&self, key: &str) -> Result<Option<CacheEntry>> {
        self.cache.get(key)
    }

    fn put(&self, entry: &CacheEntry) -> Result<()> {
        match &self.left {
            Some((left, failure)) if left.fetch_sub(1, Ordering::SeqCst) == 0 => match failure {
                Failure::Before => Err(Error::new(ErrorKind::StoreFailed, "as the test wants it")),
                _ => resume_unwind(Box::new(Gone)),
            },
            _ => self.cache.put(entry),
        }
    }
}

/// What a runtime holds before, what its bundle holds, and both as they are to be afterwards.
struct Scene {
    before: Objects,
    values_before: Vec<CacheEntry>,
    bundle: Vec<u8>,
    old: State,
    new: State,
}

/// What can be seen of a runtime.
#[derive(Debug, Clone, PartialEq)]
struct State {
    logs: BTreeMap<String, Vec<u8>>,
    beside: Objects,
    values: Vec<CacheEntry>,
}

fn value(key: &str, json: &str) -> CacheEntry {
    CacheEntry { key: key.into(), value: CacheValue::Json(json.into()), expires_ms: None }
}

/// Sessions that are live, archived, both, titled and traced, and one that the bundle has not.
fn fill(store: &Arc<dyn Store>, items: usize) {
    for name in ["live", "archived", "tail", "mine"] {
        let session = filled(store, name, items, 60);
        if name == "live" {
            session.trace("{\"event\":1}").expect("a trace");
        }
        session.close();
    }
    set_about(&**store, &id("live"), About::new(Some(format!("{items} items")), Vec::new()))
        .expect("a title");
    for name in ["archived", "tail"] {
        drive(session::archive(id(name)), &**store).expect("archived");
    }
    let tail = open(store, "tail").expect("it is there");
    tail.append(&[user("after the archive")]).expect("an append");
    tail.close();
}

fn objects(store: &dyn Store) -> Objects {
    let listing = store.list("", None, 1000).expect("a listing");
    let of = |(key, _): (Key, _)| (key.clone(), store.get(&key, None).expect("an object").bytes);
    listing.objects.into_iter().map(of).collect()
}

fn values(cache: &dyn Cache) -> Vec<CacheEntry> {
    let keys = cache.list().expect("keys").map(|key| key.expect("a key"));
    keys.filter_map(|key| cache.get(&key).expect("a look")).collect()
}

fn state(store: &Arc<dyn Store>, cache: &dyn Cache) -> State {
    let mut logs = BTreeMap::new();
    for listed in turnkeep::sessions(&**store).expect("a listing") {
        let session = open(store, listed.id.as_str()).expect("a session");
        assert!(session.verify().expect("verified").is_whole(), "{}", listed.id);
        let range = turnkeep::Range::default();
        let lines = turnkeep_tests::sessions::lines(&session, &range).expect("lines");
        logs.insert(listed.id.as_str().to_owned(), lines);
    }
    let mut beside = objects(&**store);
    beside.retain(|key, _| {
        matches!(key.session(), Some((_, Part::About | Part::Trace | Part::Retention)))
    });
    State { logs, beside, values: values(cache) }
}

fn store_of(objects: &Objects) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    objects.iter().for_each(|(key, bytes)| write(&store, key, bytes));
    store
}

impl Scene {
    fn new() -> Self {
        let other: Arc<dyn Store> = Arc::new(MemoryStore::new());
        fill(&other, 7);
        turnkeep::delete(&*other, &id("mine")).expect("deleted");
        filled(&other, "new", 3, 40).close();
        let cache = Arc::new(MemoryCache::default());
        (0..6).for_each(|n| cache.put(&value(&format!("key {n}"), "\"new\"")).expect("a put"));
        let runtime = Runtime::open(other, Some(cache)).expect("a runtime");
        let mut bundle = Vec::new();
        runtime
            .snapshot_to_writer(&mut bundle, Snapshot::default(), Wait::default())
            .expect("a snapshot");
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        fill(&store, 4);
        let values_before = vec![value("key 1", "1"), value("mine", "2")];
        let before = objects(&*store);
        let mut scene = Self {
            before,
            values_before,
            bundle,
            old: State { logs: BTreeMap::new(), beside: Objects::new(), values: Vec::new() },
            new: State { logs: BTreeMap::new(), beside: Objects::new(), values: Vec::new() },
        };
        let (store, cache) = (store_of(&scene.before), scene.cache(None));
        scene.old = state(&store, &cache);
        scene.restore(&*store, &cache).expect("restored");
        scene.new = state(&store, &cache);
        assert_ne!(scene.new, scene.old);
        assert_eq!((scene.new.logs.len(), scene.new.values.len()), (5, 7));
        scene
    }

    fn cache(&self, left: Option<(AtomicI64, Failure)>) -> Fragile {
        let fragile = Fragile { left, ..Fragile::default() };
        self.values_before.iter().for_each(|value| fragile.cache.put(value).expect("a put"));
        fragile
    }

    fn restore(&self, store: &dyn Store, cache: &dyn Cache) -> Result<Restored> {
        let place: Arc<dyn Store> = Arc::new(MemoryStore::new());
        write(&place, &Key::bundle(), &self.bundle);
        let mut options = Restore::default();
        options.cache = true;
        turnkeep::restore(store, &*place, Some(cache), options)
    }

    /// All is old or all is new, and nothing is left over.
    fn check(&self, store: &Arc<dyn Store>, cache: &dyn Cache, what: &str) -> bool {
        let state = state(store, cache);
        let is_new = state == self.new;
        assert!(is_new || state == self.old, "{what}: a mixture: {state:#?}");
        let left = store.list("restore/", None, 10).expect("a listing").objects;
        assert_eq!(left, [], "{what}");
        is_new
    }
}

fn with_cache(cache: bool) -> Recover {
    let mut options = Recover::default();
    options.cache = cache;
    options
}

fn next_start(store: &dyn Store, cache: &dyn Cache) -> Result<Recovered> {
    turnkeep::recover(store, Some(cache), with_cache(true))
}

fn spied(objects: &Objects) -> (Arc<Spy<MemoryStore>>, Arc<dyn Store>) {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = spy.clone();
    objects.iter().for_each(|(key, bytes)| write(&store, key, bytes));
    (spy, store)
}

#[test]
fn a_crash_at_any_request_leaves_the_old_or_the_new() {
    let scene = Scene::new();
    for failure in [Failure::Gone, Failure::GoneAfter] {
        let (mut olds, mut news) = (0, 0);
        for requests in 0.. {
            let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
            spy.fail_after(requests, failure);
            let done = until_gone(|| scene.restore(&*store, &cache));
            if done.is_some() && spy.heal() {
                break;
            }
            let what = format!("{failure:?} at request {requests}");
            next_start(&*store, &cache).unwrap_or_else(|error| panic!("{what}: {error}"));
            match scene.check(&store, &cache, &what) {
                true => news += 1,
                false => olds += 1,
            }
        }
        println!("{failure:?}: {olds} times the old state, {news} times the new one");
        assert!(olds > 120 && news > 15, "{olds} {news}");
    }
}

#[test]
fn a_failure_at_any_request_leaves_the_old_or_the_new() {
    let scene = Scene::new();
    for failure in [Failure::Before, Failure::After] {
        let mut points = 0;
        for requests in 0.. {
            let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
            spy.fail_after(requests, failure);
            let restored = scene.restore(&*store, &cache);
            if spy.heal() {
                break;
            }
            points += 1;
            let what = format!("{failure:?} at request {requests}");
            if restored.is_ok() {
                next_start(&*store, &cache).expect("nothing to do");
                assert!(scene.check(&store, &cache, &what), "{what}: it said it was restored");
                continue;
            }
            let error = restored.expect_err("checked");
            if !error.message().contains("next start") {
                // Undone at once, or never begun.
                let now = state(&store, &cache);
                assert!(now == scene.old, "{what}: {error}: {now:#?}");
            }
            next_start(&*store, &cache).unwrap_or_else(|error| panic!("{what}: {error}"));
            scene.check(&store, &cache, &what);
        }
        println!("{failure:?}: {points} points");
        assert!(points > 140, "{points}");
    }
}

/// Whoever restores dies, and so does whoever cleans up after it, and the next one.
#[test]
fn a_crash_while_recovering_is_recovered_from() {
    let scene = Scene::new();
    let mut points = 0;
    for requests in (0..).step_by(3) {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        spy.fail_after(requests, Failure::Gone);
        if until_gone(|| scene.restore(&*store, &cache)).is_some() {
            break;
        }
        let crashed = objects(&*store);
        let crashed_values = values(&cache);
        for failure in [Failure::Gone, Failure::GoneAfter, Failure::Before, Failure::After] {
            for again in 0.. {
                let ((spy, store), cache) = (spied(&crashed), Fragile::default());
                crashed_values.iter().for_each(|value| cache.cache.put(value).expect("a put"));
                spy.fail_after(again, failure);
                let done = until_gone(|| next_start(&*store, &cache));
                if done.is_some() && spy.heal() {
                    break;
                }
                points += 1;
                let what = format!("request {requests}, then {failure:?} at {again}");
                next_start(&*store, &cache).unwrap_or_else(|error| panic!("{what}: {error}"));
                scene.check(&store, &cache, &what);
            }
        }
    }
    println!("{points} pairs");
    assert!(points > 2000, "{points}");
}

#[test]
fn a_cache_that_fails_is_filled_at_the_next_start() {
    let scene = Scene::new();
    for failure in [Failure::Before, Failure::Gone] {
        for puts in 0..6 {
            let store = store_of(&scene.before);
            let cache = scene.cache(Some((AtomicI64::new(puts), failure)));
            match until_gone(|| scene.restore(&*store, &cache)) {
                Some(Ok(_)) => panic!("put {puts} failed"),
                Some(Err(error)) => assert!(error.message().contains("next start"), "{error}"),
                None => {}
            }
            let refused = turnkeep::recover(&*store, None, with_cache(false));
            assert_eq!(refused.expect_err("no cache").kind(), ErrorKind::NotSupported);
            let recovered = next_start(&*store, &cache).expect("recovered");
            assert_eq!(recovered, Recovered::Finished { cache: 6 });
            assert!(scene.check(&store, &cache, &format!("{failure:?} at put {puts}")));
        }
    }
}

/// Someone who wrote to a session after the crash keeps what was acknowledged.
#[test]
fn what_was_appended_after_the_crash_is_kept() {
    let scene = Scene::new();
    let mut kept = 0;
    for requests in 0.. {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        spy.fail_after(requests, Failure::Gone);
        if until_gone(|| scene.restore(&*store, &cache)).is_some() {
            break;
        }
        let session = open(&store, "live").expect("it is there");
        session.append(&[user("acknowledged")]).expect("an append");
        session.close();
        let recovered = next_start(&*store, &cache).expect("recovered");
        let session = open(&store, "live").expect("it is there");
        let last = session.read(turnkeep::Range::last(1)).expect("a page").lines;
        let text = String::from_utf8(last).expect("text");
        assert!(text.contains("acknowledged"), "request {requests}: {recovered:?}");
        kept += u32::from(recovered == Recovered::Undone { kept: vec![id("live")] });
    }
    assert!(kept > 10, "{kept}");
}

/// A snapshot that is cut off leaves the bundle that was there.
#[test]
fn a_crash_at_any_request_of_a_snapshot_leaves_the_old_bundle_or_the_new() {
    let scene = Scene::new();
    let (mut olds, mut news) = (0, 0);
    for failure in [Failure::Gone, Failure::GoneAfter, Failure::Before, Failure::After] {
        for requests in 0.. {
            let (spy, place) = spied(&BTreeMap::from([(Key::bundle(), scene.bundle.clone())]));
            let (store, cache) = (store_of(&scene.before), scene.cache(None));
            spy.fail_after(requests, failure);
            let task = session::runtime::snapshot(Snapshot::default());
            until_gone(|| drive_runtime(task, &*store, Some(&*place), Some(&cache)).ok());
            if spy.heal() {
                break;
            }
            let bundle = place.get(&Key::bundle(), None).expect("a bundle").bytes;
            if bundle == scene.bundle {
                olds += 1;
                continue;
            }
            news += 1;
            let other: Arc<dyn Store> = Arc::new(MemoryStore::new());
            drive_runtime(restore(Restore::default()), &*other, Some(&*place), None)
                .expect("a whole bundle");
        }
    }
    println!("{olds} times the old bundle, {news} times the new one");
    assert!(olds >= 12 && news >= 2, "{olds} {news}");
    assert!(scene.before.contains_key(&log_key("live")));
    assert!(scene.before.contains_key(&archive_key("archived")));
    let store = store_of(&scene.before);
    store.put(&Key::sweep(), b"{}", &Condition::Any).expect("a put");
}

/// Where a store cannot tell whether a writer lives, a young journal is somebody's.
#[test]
fn nobody_recovers_from_under_a_restoring_that_goes_on() {
    let scene = Scene::new();
    let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
    let place: Arc<dyn Store> = Arc::new(MemoryStore::new());
    write(&place, &Key::bundle(), &scene.bundle);
    let mut options = Restore::default();
    (options.cache, options.process) = (true, 1);
    spy.fail_after(100, Failure::Gone);
    let task = restore(options);
    assert!(until_gone(|| drive_runtime(task, &*store, Some(&*place), Some(&cache))).is_none());
    let recovering = |process| {
        let mut options = with_cache(true);
        options.process = process;
        drive_runtime(session::runtime::recover(options), &*store, None, Some(&cache))
    };
    let before = objects(&*store);
    let refused = recovering(2).expect_err("it may go on");
    assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::Locked, true));
    let task = session::runtime::snapshot(Snapshot::default());
    let refused = drive_runtime(task, &*store, Some(&*place), None).expect_err("half restored");
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert_eq!(objects(&*store), before);
    recovering(1).expect("its own");
    scene.check(&store, &cache, "its own");
}

/// A replaced session that was archived before the next start is undone all the same, or named.
#[test]
fn what_was_archived_after_the_crash_is_undone_or_kept() {
    let scene = Scene::new();
    let mut undone = 0;
    for requests in 0.. {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        spy.fail_after(requests, Failure::Gone);
        if until_gone(|| scene.restore(&*store, &cache)).is_some() {
            break;
        }
        let archived = drive(session::archive(id("live")), &*store);
        let recovered = next_start(&*store, &cache).expect("recovered");
        let now = state(&store, &cache);
        let is = |state: &State| now.logs["live"] == state.logs["live"];
        match recovered {
            Recovered::Undone { kept } => {
                assert!(is(&scene.old) || kept == [id("live")], "request {requests}: {archived:?}");
                undone += 1;
            }
            Recovered::Finished { .. } => assert!(is(&scene.new), "request {requests}"),
            _ => assert!(is(&scene.old) || is(&scene.new), "request {requests}"),
        }
    }
    assert!(undone > 10, "{undone}");
}

/// It is so, too, where the store fails at any request while that is undone: the session is not given up.
#[test]
fn a_failure_while_what_was_archived_is_undone_gives_nothing_up() {
    let scene = Scene::new();
    let mut points = 0;
    for requests in (100..).step_by(11) {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        spy.fail_after(requests, Failure::Gone);
        if until_gone(|| scene.restore(&*store, &cache)).is_some() {
            break;
        }
        drive(session::archive(id("live")), &*store).ok();
        let (crashed, crashed_values) = (objects(&*store), values(&cache));
        next_start(&*store, &cache).expect("recovered");
        let undone = state(&store, &cache);
        for again in 0.. {
            let ((spy, store), cache) = (spied(&crashed), Fragile::default());
            crashed_values.iter().for_each(|value| cache.cache.put(value).expect("a put"));
            spy.fail_after(again, Failure::Before);
            let recovered = next_start(&*store, &cache);
            if spy.heal() {
                break;
            }
            let what = format!("request {requests}, then {again}: {recovered:?}");
            next_start(&*store, &cache).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(state(&store, &cache).logs, undone.logs, "{what}");
            points += 1;
        }
    }
    println!("{points} points");
    assert!(points > 200, "{points}");
}

/// What others do at some moment, to a session; whether an append was acknowledged.
fn others_append(store: &Arc<dyn Store>, name: &str, archives: [bool; 2]) -> bool {
    let archive = || drive(session::archive(id(name)), &**store);
    if archives[0] && archive().is_err() {
        return false;
    }
    let Ok(session) = open(store, name) else { return false };
    let is_acknowledged = session.append(&[user("acknowledged")]).is_ok();
    session.close();
    if archives[1] {
        archive().ok();
    }
    is_acknowledged
}

fn last_line(store: &Arc<dyn Store>, name: &str) -> String {
    let session = open(store, name).expect("it is there");
    assert!(session.verify().expect("verified").is_whole(), "{name}");
    let last = session.read(turnkeep::Range::last(1)).expect("a page").lines;
    String::from_utf8(last).expect("text")
}

/// Someone who writes to a session while it is undone keeps what was acknowledged, whatever the others
/// are.
#[test]
fn what_is_appended_while_others_recover_is_kept() {
    let scene = Scene::new();
    let (mut appended, mut kept) = (0, 0);
    for crash in (100..).step_by(23) {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        spy.fail_after(crash, Failure::Gone);
        if until_gone(|| scene.restore(&*store, &cache)).is_some() {
            break;
        }
        let (crashed, crashed_values) = (objects(&*store), values(&cache));
        for name in ["live", "archived", "tail"] {
            for archives in [[false, false], [false, true], [true, true]] {
                for request in 0.. {
                    let ((spy, store), cache) = (spied(&crashed), Fragile::default());
                    crashed_values.iter().for_each(|value| cache.cache.put(value).expect("a put"));
                    let is_acknowledged = Arc::new(AtomicBool::new(false));
                    let (them, told) = (store.clone(), is_acknowledged.clone());
                    spy.before_request(request, move || {
                        let done = others_append(&them, name, archives);
                        told.store(done, Ordering::SeqCst);
                    });
                    let recovered = next_start(&*store, &cache);
                    if spy.leave_alone() {
                        break;
                    }
                    let what = format!("{crash}, {name}, {archives:?} before {request}");
                    let recovered = recovered.unwrap_or_else(|error| panic!("{what}: {error}"));
                    if is_acknowledged.load(Ordering::SeqCst) {
                        let last = last_line(&store, name);
                        assert!(last.contains("acknowledged"), "{what}: {recovered:?}");
                        appended += 1;
                    }
                    kept += u32::from(recovered == Recovered::Undone { kept: vec![id(name)] });
                }
            }
        }
    }
    println!("{appended} appended, {kept} kept");
    assert!(appended > 300 && kept > 30, "{appended} {kept}");
}

/// Someone who writes to a session once everything was put aside keeps what was acknowledged, whether or
/// not it is restored.
#[test]
fn what_is_appended_while_others_restore_is_kept() {
    let scene = Scene::new();
    let (mut appended, mut undone) = (0, 0);
    for name in ["live", "archived", "tail", "new"] {
        for archives in [[false, false], [false, true], [true, false], [true, true]] {
            for request in 0.. {
                let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
                let is_acknowledged = Arc::new(AtomicBool::new(false));
                let (them, told) = (store.clone(), is_acknowledged.clone());
                spy.before_request(request, move || {
                    let journal = them.get(&Key::restoring(), None).map(|journal| journal.bytes);
                    let journal = String::from_utf8(journal.unwrap_or_default()).expect("text");
                    if name == "new" {
                        turnkeep_tests::sessions::create(&them, name).map(|new| new.close()).ok();
                    }
                    let done = others_append(&them, name, archives);
                    told.store(done && journal.contains("replacing"), Ordering::SeqCst);
                });
                let restored = scene.restore(&*store, &cache);
                if spy.leave_alone() {
                    break;
                }
                let what = format!("{name}, {archives:?} before {request}: {:?}", restored.err());
                next_start(&*store, &cache).unwrap_or_else(|error| panic!("{what}: {error}"));
                if is_acknowledged.load(Ordering::SeqCst) {
                    assert!(last_line(&store, name).contains("acknowledged"), "{what}");
                    appended += 1;
                    undone += u32::from(what.contains("conflict"));
                }
            }
        }
    }
    println!("{appended} appended, {undone} undone");
    assert!(appended > 300, "{appended} {undone}");
}

/// Who was taken for dead, and lives, ends at most what it does to one session.
#[test]
fn a_restoring_that_others_took_over_goes_on_with_no_other_session() {
    let scene = Scene::new();
    let theirs = b"{\"owner\":\"0000000000000007\",\"ts\":1,\"locked\":false}\n";
    let mut stopped = 0;
    for request in 0.. {
        let ((spy, store), cache) = (spied(&scene.before), scene.cache(None));
        let (seen, them) = (Arc::new(Mutex::new(None)), store.clone());
        let told = seen.clone();
        spy.before_request(request, move || {
            let Ok(journal) = them.get(&Key::restoring(), None) else { return };
            write(&them, &Key::restoring(), &[&journal.bytes[..], theirs].concat());
            *told.lock().expect("a lock") = Some(objects(&*them));
        });
        let restored = scene.restore(&*store, &cache);
        if spy.leave_alone() {
            break;
        }
        let Some(seen) = seen.lock().expect("a lock").take() else { continue };
        let now = objects(&*store);
        let is_same = |key: &&Key| seen.get(*key) == now.get(*key);
        let changed = seen.keys().chain(now.keys()).filter(|key| !is_same(key));
        let changed: BTreeSet<_> = changed.filter_map(|key| Some(key.session()?.0)).collect();
        assert!(changed.len() <= 1, "before request {request}: {changed:?}, {restored:?}");
        stopped += u32::from(restored.is_err());
    }
    assert!(stopped > 30, "{stopped}");
}

/// Whoever creates a session in a tier, while a bundle that has one of that id is restored, and flushes
/// it, finds it afterwards.
#[test]
fn what_is_flushed_while_others_restore_is_not_hidden() {
    let scene = Scene::new();
    let mut flushed = 0;
    for request in 0.. {
        let hot = Arc::new(Spy::new(MemoryStore::new()));
        let store = Tier::open(hot.clone(), Arc::new(MemoryStore::new())).expect("a tier");
        let (them, is_flushed) = (store.clone(), Arc::new(AtomicBool::new(false)));
        let told = is_flushed.clone();
        hot.before_request(request, move || {
            let shared: Arc<dyn Store> = them.clone();
            let Ok(session) = turnkeep_tests::sessions::create(&shared, "new") else { return };
            session.append(&[user("acknowledged")]).expect("an append");
            session.close();
            them.flush(&id("new"), Flush::default()).expect("a flush");
            told.store(true, Ordering::SeqCst);
        });
        let cache = Fragile::default();
        let restored = scene.restore(&*store, &cache);
        if hot.leave_alone() {
            break;
        }
        next_start(&*store, &cache).expect("recovered");
        if is_flushed.load(Ordering::SeqCst) {
            let shared: Arc<dyn Store> = store.clone();
            let last = last_line(&shared, "new");
            assert!(last.contains("acknowledged"), "before {request}: {restored:?}");
            flushed += 1;
        }
    }
    println!("{flushed} flushed");
    assert!(flushed > 30, "{flushed}");
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let scene = Scene::new();
    let (store, cache) = (store_of(&scene.before), scene.cache(None));
    let journal = b"{\"owner\":\"00\",\"ts\":1,\"locked\":false,\"version\":2,\"stage\":\"x\"}\n";
    write(&store, &Key::restoring(), journal);
    let before = objects(&*store);
    let refused = next_start(&*store, &cache).expect_err("newer");
    assert_eq!(refused.kind(), ErrorKind::UnsupportedVersion);
    assert!(refused.message().contains("version 2, and this reads 1"), "{refused}");
    assert_eq!(objects(&*store), before);
}

#[test]
fn values_that_a_cache_refuses_can_be_given_up() {
    let scene = Scene::new();
    let store = store_of(&scene.before);
    let cache = scene.cache(Some((AtomicI64::new(2), Failure::Before)));
    scene.restore(&*store, &cache).expect_err("the cache refuses");
    let values_then = values(&cache);
    let mut options = with_cache(false);
    options.gives_up_cache = true;
    turnkeep::recover(&*store, None, options).expect("given up");
    assert_eq!(values(&cache), values_then);
    assert_eq!(state(&store, &cache).logs, scene.new.logs);
}
