//! Archiving, restoring, pruning and sweeping, cut off between every two requests to the store, and
//! with every request failing, before or after it was carried out: whatever is left is the session,
//! whole, and doing it again ends as if nothing had happened.

use turnkeep::core::session::{self, Append, Policy};
use turnkeep::core::store::{Condition, Part};
use turnkeep::{Key, Store};
use turnkeep_tests::retention::{
    DAY_MS, Fault, Host, Job, NOW_MS, Outcome, Places, Scene, agrees, job, look, objects,
    open_then, scenes,
};
use turnkeep_tests::sessions::{archive_key, id, log_key, user};

const FAULTS: [Fault; 3] = [Fault::Stop, Fault::Before, Fault::After];
/// When it is done again: no lease of what was cut off holds any more.
const LATER_MS: u64 = NOW_MS + 3_600_000;

/// What must be true of a store: after the fault (with the outcome), and after the second run.
type Check<'a> = &'a dyn Fn(&dyn Store, &Outcome, &str);

/// Carries out an operation with every fault at every request; gives how many there were.
fn cut_everywhere(scene: &Scene, is_files: bool, job: &Job, after: Check, again: Check) -> usize {
    let mut cuts = 0;
    for fault in FAULTS {
        for at in 0.. {
            let place = Places::new(scene, is_files);
            let what = format!("{}, files {is_files}, {fault:?} at {at}", scene.name);
            let (outcome, is_reached, open) = place.within(|store| {
                let host = Host::new(store, NOW_MS, NOW_MS - DAY_MS);
                let (outcome, is_reached) = host.finish_with(job(), fault, at);
                (outcome, is_reached, host.open_stages())
            });
            if !is_reached {
                assert!(matches!(outcome, Some(Ok(()))), "{what}: nothing failed, but {outcome:?}");
                break;
            }
            cuts += 1;
            assert!(outcome.is_none() || open == 0, "{what}: a stage is left");
            let what = format!("{what}: {outcome:?}");
            after(&*place.open(), &outcome, &what);
            let store = place.open();
            let second = Host::new(&*store, LATER_MS, NOW_MS - DAY_MS).finish(job());
            drop(store);
            let what = format!("{what}, then {second:?}");
            again(&*place.open(), &second, &what);
            if fault != Fault::Stop || is_files {
                let stages = |name: &String| name.contains(".stage-") || name.contains(".put-");
                assert!(!place.left().iter().any(stages), "{what}: {:?}", place.left());
            }
        }
    }
    cuts
}

fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        None => "stopped",
        Some(Ok(())) => "ok",
        Some(Err(error)) => error.code(),
    }
}

/// What the operation leaves where nothing fails.
fn undisturbed(scene: &Scene, job: &Job) -> Vec<(Key, Vec<u8>)> {
    let place = Places::new(scene, false);
    place.within(|store| {
        let outcome = Host::new(store, NOW_MS, NOW_MS - DAY_MS).finish(job());
        assert_eq!(code(&outcome), "ok", "{}: {outcome:?}", scene.name);
        objects(store)
    })
}

fn object(objects: &[(Key, Vec<u8>)], key: &Key) -> Option<Vec<u8>> {
    objects.iter().find(|(found, _)| found == key).map(|(_, bytes)| bytes.clone())
}

/// Cuts an operation that leaves the session as it is, in another shape.
fn cut_reshaping(scene: &Scene, is_files: bool, job: &Job) -> usize {
    let wanted = undisturbed(scene, job);
    let is_whole = |store: &dyn Store, _: &Outcome, what: &str| {
        agrees(store, "a", (&scene.lines, scene.head), what);
    };
    let ends_alike = |store: &dyn Store, outcome: &Outcome, what: &str| {
        assert!(matches!(code(outcome), "ok" | "already_exists"), "{what}");
        is_whole(store, outcome, what);
        for key in [log_key("a"), archive_key("a")] {
            let found = store.get(&key, None).ok().map(|object| object.bytes);
            assert!(found == object(&wanted, &key), "{what}: {} differs", key.as_str());
        }
        let record = |objects: &[(Key, Vec<u8>)]| {
            object(objects, &Key::of(&id("a"), Part::Retention)).is_some()
        };
        assert!(record(&objects(store)) || !record(&wanted), "{what}: no record");
    };
    cut_everywhere(scene, is_files, job, &is_whole, &ends_alike)
}

fn has(scene: &Scene, key: &Key) -> bool {
    object(&scene.objects, key).is_some()
}

#[test]
fn an_archiving_that_is_cut_off_leaves_the_session_whole() {
    let archive = job(|| session::archive(id("a")));
    for is_files in [false, true] {
        let mut cuts = 0;
        for scene in scenes() {
            let is_done = scene.name == "an archive";
            if !is_done {
                cuts += cut_reshaping(&scene, is_files, &archive);
            }
        }
        println!("archive, files {is_files}: {cuts} cuts");
        assert!(cuts > 300);
    }
}

#[test]
fn a_restoring_that_is_cut_off_leaves_the_session_whole() {
    let restore = job(|| session::restore(id("a")));
    for is_files in [false, true] {
        let mut cuts = 0;
        for scene in scenes().iter().filter(|scene| has(scene, &archive_key("a"))) {
            cuts += cut_reshaping(scene, is_files, &restore);
        }
        println!("restore, files {is_files}: {cuts} cuts");
        assert!(cuts > 150);
    }
}

#[test]
fn archives_of_several_parts_are_merged_whole_or_not_at_all() {
    let scene = Scene::several_parts();
    let archive = object(&scene.objects, &archive_key("a")).expect("an archive");
    assert!(archive.len() > 8 << 20, "{} bytes", archive.len());
    let task = || session::archive(id("a"));
    let wanted = object(&undisturbed(&scene, &job(task)), &archive_key("a"));
    let mut cuts = 0;
    for (fault, at) in writes_of(&scene, &job(task)) {
        let place = Places::new(&scene, false);
        let outcome = place.within(|store| {
            Host::new(store, NOW_MS, NOW_MS - DAY_MS).finish_with(job(task)(), fault, at).0
        });
        let what = format!("{fault:?} at {at}: {outcome:?}");
        let store = place.open();
        let seen = turnkeep::drive(session::verify(id("a"), None, false), &*store);
        assert_eq!(seen.expect("a report").head, Some(scene.head), "{what}");
        let second = Host::new(&*store, LATER_MS, NOW_MS).finish(job(task)());
        assert!(matches!(code(&second), "ok" | "already_exists"), "{what}, then {second:?}");
        assert!(store.get(&archive_key("a"), None).ok().map(|found| found.bytes) == wanted);
        assert_eq!(store.info(&log_key("a")).map_err(|error| error.code()), Err("not_found"));
        cuts += 1;
    }
    println!("several parts: {cuts} cuts");
    assert!(cuts >= 15);
}

/// The requests that change something, with every fault: what is only read leaves nothing behind.
fn writes_of(scene: &Scene, job: &Job) -> Vec<(Fault, usize)> {
    use turnkeep::core::store::Request;
    let place = Places::new(scene, false);
    let mut writes = Vec::new();
    place.within(|store| {
        let host = Host::new(store, NOW_MS, NOW_MS - DAY_MS);
        let (mut running, mut at) = (job(), 0);
        while let Some(request) = running.request() {
            let is_reading = matches!(
                request,
                Request::Get { .. } | Request::GetStaged { .. } | Request::Info { .. }
            );
            let is_stamp = matches!(request, Request::Stamp { .. });
            if !is_reading && !is_stamp {
                writes.extend(FAULTS.map(|fault| (fault, at)));
            }
            at += usize::from(!is_stamp);
            running.answer(host.perform(&request));
        }
    });
    writes
}

/// An archived session with all that may lie beside it.
fn with_notes() -> Scene {
    let mut scene = Scene::named("an archive");
    for part in [Part::Trace, Part::Recovery] {
        scene.objects.push((Key::of(&id("a"), part), b"{}\n".to_vec()));
    }
    scene
}

/// Whole, or pruned; never anything between.
fn is_whole_or_pruned(store: &dyn Store, name: &str, scene: &Scene, what: &str) -> bool {
    match look(store, name, what) {
        Ok(seen) => {
            assert!(seen.lines == scene.lines && seen.head == scene.head, "{what}");
            false
        }
        Err(code) => {
            assert_eq!(code, "pruned", "{what}");
            true
        }
    }
}

#[test]
fn a_pruning_that_is_cut_off_leaves_the_session_whole_or_pruned() {
    let scene = with_notes();
    let prune = job(|| session::prune(id("a"), "to make room"));
    for is_files in [false, true] {
        let after = |store: &dyn Store, outcome: &Outcome, what: &str| {
            let is_pruned = is_whole_or_pruned(store, "a", &scene, what);
            assert!(is_pruned || code(outcome) != "ok", "{what}");
        };
        let again = |store: &dyn Store, outcome: &Outcome, what: &str| {
            assert!(matches!(code(outcome), "ok" | "pruned"), "{what}");
            assert!(is_whole_or_pruned(store, "a", &scene, what), "{what}");
            let left: Vec<_> = objects(store).into_iter().map(|(key, _)| key).collect();
            assert_eq!(left, [Key::of(&id("a"), Part::Retention)], "{what}");
        };
        let cuts = cut_everywhere(&scene, is_files, &prune, &after, &again);
        println!("prune, files {is_files}: {cuts} cuts");
        assert!(cuts >= 21);
    }
}

/// Nobody prunes a live session, however far a pruning of it came.
#[test]
fn a_pruning_of_a_live_session_that_is_cut_off_leaves_it_whole() {
    let prune = job(|| session::prune(id("a"), "to make room"));
    for name in ["a log and an archive of it", "an archive and an unfinished write"] {
        let scene = Scene::named(name);
        let mut cuts = 0;
        for fault in FAULTS {
            for at in 0..12 {
                let place = Places::new(&scene, false);
                place.within(|store| {
                    Host::new(store, NOW_MS, NOW_MS - DAY_MS).finish_with(prune(), fault, at)
                });
                let store = place.open();
                let what = format!("{name}, {fault:?} at {at}");
                agrees(&*store, "a", (&scene.lines, scene.head), &what);
                let host = Host::new(&*store, LATER_MS, NOW_MS - DAY_MS);
                assert_eq!(code(&host.finish(prune())), "conflict", "{what}");
                let archived = host.finish(job(|| session::archive(id("a")))());
                assert_eq!(code(&archived), "ok", "{what}: {archived:?}");
                assert_eq!(code(&host.finish(prune())), "ok", "{what}");
                cuts += 1;
            }
        }
        println!("prune of {name}: {cuts} cuts");
    }
}

/// Several sessions: some to be archived, and some archives that are too many.
fn store_to_sweep() -> (Scene, Vec<(&'static str, Scene)>) {
    let mut all = Scene::named("a log");
    let mut sessions = vec![("a", all.clone())];
    let other = turnkeep::MemoryStore::new();
    for name in ["b", "c", "d"] {
        let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(turnkeep::MemoryStore::new());
        drop(turnkeep_tests::sessions::filled(&store, name, 3, 30));
        if name != "b" {
            let host = Host::new(&*store, NOW_MS - 2 * DAY_MS, NOW_MS - 2 * DAY_MS);
            let archived = host.finish(job(move || session::archive(id(name)))());
            assert_eq!(code(&archived), "ok");
        }
        let session = turnkeep_tests::sessions::open(&store, name).expect("it opens");
        let lines = turnkeep_tests::sessions::lines(&session, &turnkeep::Range::all());
        let head = session.head().expect("a head");
        let objects = objects(&*store);
        for (key, bytes) in &objects {
            other.put(key, bytes, &Condition::Absent).expect("a put");
        }
        sessions.push((name, Scene { name, objects, lines: lines.expect("lines"), head }));
    }
    all.objects.extend(objects(&other));
    all.name = "four sessions";
    (all, sessions)
}

#[test]
fn a_sweep_that_is_cut_off_leaves_every_session_whole_or_pruned() {
    let (all, sessions) = store_to_sweep();
    let policy = || Policy::default().inactive_for(DAY_MS).at_most(0).older_than(2 * DAY_MS);
    let sweep = job(move || session::sweep(policy()));
    for is_files in [false, true] {
        let after = |store: &dyn Store, _: &Outcome, what: &str| {
            for (name, scene) in &sessions {
                let is_pruned = is_whole_or_pruned(store, name, scene, &format!("{name}, {what}"));
                assert!(!is_pruned || matches!(*name, "c" | "d"), "{name}, {what}");
            }
        };
        let again = |store: &dyn Store, outcome: &Outcome, what: &str| {
            assert_eq!(code(outcome), "ok", "{what}");
            for (name, scene) in &sessions {
                let is_pruned = is_whole_or_pruned(store, name, scene, &format!("{name}, {what}"));
                assert_eq!(is_pruned, matches!(*name, "c" | "d"), "{name}, {what}");
                assert!(store.info(&log_key(name)).is_err(), "{name}, {what}: it has a log");
            }
        };
        let cuts = cut_everywhere(&all, is_files, &sweep, &after, &again);
        println!("sweep, files {is_files}: {cuts} cuts");
        assert!(cuts > 100);
    }
}

#[test]
fn an_append_to_an_archive_that_is_cut_off_is_there_whole_or_not_at_all() {
    let append = open_then(|opened| session::append(opened, Append::from([user("new")])));
    let names = [
        "an archive",
        "an archive and an unfinished write",
        "a foreign archive",
        "a log that its archive holds",
    ];
    for is_files in [false, true] {
        let mut cuts = 0;
        for scene in names.map(Scene::named) {
            let after = |store: &dyn Store, outcome: &Outcome, what: &str| {
                let seen = look(store, "a", what).unwrap_or_else(|code| panic!("{what}: {code}"));
                let new = seen.lines.strip_prefix(&scene.lines[..]).expect("what was there");
                let lines = new.iter().filter(|byte| **byte == b'\n').count();
                assert!(lines == 1 || code(outcome) != "ok" && lines == 0, "{what}");
            };
            let again = |store: &dyn Store, outcome: &Outcome, what: &str| {
                assert_eq!(code(outcome), "ok", "{what}");
                let seen = look(store, "a", what).unwrap_or_else(|code| panic!("{what}: {code}"));
                let new = seen.lines.strip_prefix(&scene.lines[..]).expect("what was there");
                assert!(new.ends_with(b"\n"), "{what}");
            };
            cuts += cut_everywhere(&scene, is_files, &append, &after, &again);
        }
        println!("append, files {is_files}: {cuts} cuts");
        assert!(cuts > 60);
    }
}
