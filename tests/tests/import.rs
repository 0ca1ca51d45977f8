//! Importing what earlier systems wrote: whole or not at all, once, and with its files kept.

use std::sync::Arc;

use turnkeep::core::import::{self, File, Format};
use turnkeep::core::session::{self, Import, Origin, OriginFile};
use turnkeep::core::sha256;
use turnkeep::core::store::Part;
use turnkeep::{About, Key, Range, Store, drive};
use turnkeep_tests::retention::{
    DAY_MS, Fault, Host, Job, NOW_MS, Places, Scene, first_then, objects,
};
use turnkeep_tests::sessions::{self, bytes_of, id, log_key, over_every_store};
use turnkeep_tests::spy::Spy;

const FIXTURES: [(&str, &[u8], usize); 4] = [
    ("eai_snapshot.gz", include_bytes!("../fixtures/eai_snapshot.gz"), 2),
    ("eai_session_default.gz", include_bytes!("../fixtures/eai_session_default.gz"), 1),
    ("zeitlich_t-1.json.gz", include_bytes!("../fixtures/zeitlich_t-1.json.gz"), 1),
    (
        "11111111-2222-4333-8444-555555555555.jsonl.gz",
        include_bytes!("../fixtures/11111111-2222-4333-8444-555555555555.jsonl.gz"),
        1,
    ),
];
const FAULTS: [Fault; 3] = [Fault::Stop, Fault::Before, Fault::After];

fn read(name: &str, bytes: &[u8]) -> (Vec<import::Session>, Origin) {
    let file = File { name, bytes };
    let imported = import::read(&[file], None).expect("it is read");
    assert_eq!(imported.skipped, [], "{name}");
    let format = import::detect(file).expect("a format");
    let kept = OriginFile { name: name.into(), sha256: sha256(bytes), bytes: bytes.len() as u64 };
    (imported.sessions, Origin { format, files: vec![kept] })
}

/// A session of lines that an agent put out.
fn output(name: &str, lines: &str) -> (import::Session, Origin, Vec<u8>) {
    let (sessions, origin) = read(&format!("{name}.jsonl"), lines.as_bytes());
    let session = sessions.into_iter().next().expect("a session");
    (session, origin, lines.as_bytes().to_vec())
}

fn import(store: &dyn Store, session: &import::Session, origin: &Origin) -> Import {
    drive(session::import(session.clone(), origin.clone()), store).expect("it is imported")
}

#[test]
fn every_fixture_is_imported_once_with_its_file() {
    over_every_store(|store| {
        for (name, bytes, count) in FIXTURES {
            let (sessions, origin) = read(name, bytes);
            assert_eq!(sessions.len(), count, "{name}");
            let hash = drive(session::keep_import(bytes.to_vec()), &*store).expect("it is kept");
            assert_eq!(bytes_of(&store, &Key::import(hash)), bytes, "{name}");
            for session in &sessions {
                let Import::Imported(head) = import(&*store, session, &origin) else {
                    panic!("{name}: there already")
                };
                let verified = drive(session::verify(session.id.clone(), None, true), &*store);
                let report = verified.expect("a report");
                report.sound().expect("it is sound");
                assert_eq!((report.head, report.entry_fault), (Some(head), None), "{name}");
                assert_eq!(import(&*store, session, &origin), Import::AlreadyImported(head));
            }
        }
    });
}

#[test]
fn the_entry_after_the_first_says_where_a_session_came_from() {
    over_every_store(|store| {
        let (session, origin, bytes) = output("a", "{\"type\":\"system\"}\n");
        drive(session::keep_import(bytes.clone()), &*store).expect("it is kept");
        import(&*store, &session, &origin);
        let opened = sessions::open(&store, "a").expect("it opens");
        let lines = sessions::lines(&opened, &Range::between(1, Some(2))).expect("lines");
        let lines = String::from_utf8(lines).expect("text");
        let (note, event) = lines.split_once('\n').expect("two lines");
        let payload = format!(
            r#""domain":"turnkeep.import","payload":{{"from":"agentmux","files":[{{"name":"a.jsonl","sha256":"{}","bytes":18}}],"chain":null}}}}"#,
            sha256(&bytes)
        );
        assert!(note.ends_with(&payload), "{note}");
        assert!(event.ends_with("\"domain\":\"agentmux\",\"payload\":{\"type\":\"system\"}}\n"));
    });
}

#[test]
fn another_session_of_that_id_stays_as_it_is() {
    over_every_store(|store| {
        drop(sessions::filled(&store, "a", 3, 10));
        let before = bytes_of(&store, &log_key("a"));
        let (session, origin, bytes) = output("a", "{\"type\":\"system\"}\n");
        drive(session::keep_import(bytes), &*store).expect("it is kept");
        assert!(matches!(import(&*store, &session, &origin), Import::Exists(_)));
        assert_eq!(bytes_of(&store, &log_key("a")), before);
        // As another one it can be had; other content under its id cannot.
        let mut other = session.clone();
        other.id = id("b");
        assert!(matches!(import(&*store, &other, &origin), Import::Imported(_)));
        let (mut session, origin, bytes) = output("a", "{\"type\":\"system\",\"n\":1}\n");
        session.id = id("b");
        drive(session::keep_import(bytes), &*store).expect("it is kept");
        assert!(matches!(import(&*store, &session, &origin), Import::Exists(_)));
    });
}

#[test]
fn a_session_whose_file_is_not_kept_is_not_imported() {
    over_every_store(|store| {
        let (session, origin, _) = output("a", "{\"type\":\"system\"}\n");
        let task = session::import(session, origin);
        assert_eq!(drive(task, &*store).expect_err("no file").code(), "not_found");
        assert!(objects(&*store).is_empty());
    });
}

#[test]
fn long_sessions_are_written_in_batches_and_parts() {
    over_every_store(|store| {
        let line = format!("{{\"type\":\"system\",\"text\":\"{}\"}}\n", "x".repeat(4000));
        let (session, origin, bytes) = output("a", &line.repeat(5000));
        drive(session::keep_import(bytes), &*store).expect("it is kept");
        let Import::Imported(head) = import(&*store, &session, &origin) else { panic!("there") };
        assert_eq!(head.seq, 5001);
        let verified = drive(session::verify(id("a"), None, true), &*store);
        assert_eq!(verified.expect("a report").head, Some(head));
    });
}

#[test]
fn what_fails_a_check_is_told_by_its_draft_and_nothing_is_there() {
    let store: Arc<dyn Store> = Arc::new(turnkeep::MemoryStore::new());
    let (mut session, origin, bytes) = output("a", &"{\"type\":\"system\"}\n".repeat(3000));
    session.drafts[2500] = turnkeep::Draft::new("session_start");
    drive(session::keep_import(bytes), &*store).expect("it is kept");
    let error = drive(session::import(session, origin), &*store).expect_err("no draft");
    assert_eq!((error.code(), error.place().draft), ("bad_entry", Some(2500)));
    assert_eq!(objects(&*store).len(), 1, "only the file is there");
}

/// A session with title and trace, from a file that is kept first.
fn whole_import(lines: &str) -> (Job, About, String) {
    let (mut session, origin, bytes) = output("a", lines);
    session.about.title = Some("A title".into());
    session.trace = "{\"event\":1}\n{\"event\":2}\n".into();
    let (about, trace) = (session.about.clone(), session.trace.clone());
    let job = first_then(
        move || session::keep_import(bytes.clone()),
        move |_| session::import(session.clone(), origin.clone()),
    );
    (job, about, trace)
}

/// Nothing of it, or all of it.
fn is_there(store: &dyn Store, about: &About, trace: &str, what: &str) -> bool {
    match drive(session::verify(id("a"), None, true), store) {
        Err(error) => {
            assert_eq!(error.code(), "not_found", "{what}");
            let listed = drive(session::list("", None, 10), store).expect("a list");
            assert!(listed.sessions.is_empty(), "{what}");
            false
        }
        Ok(report) => {
            report.sound().expect(what);
            let found = drive(session::about(id("a")), store).expect(what);
            assert_eq!(&found, about, "{what}");
            let found = store.get(&Key::of(&id("a"), Part::Trace), None).expect(what);
            assert_eq!(found.bytes, trace.as_bytes(), "{what}");
            let kept = objects(store).into_iter().find(|(key, _)| key.imported().is_some());
            let (key, bytes) = kept.expect(what);
            assert_eq!(key.imported(), Some(sha256(&bytes)), "{what}");
            true
        }
    }
}

fn cut_everywhere(lines: &str, is_files: bool, faults: &[Fault]) -> usize {
    let (job, about, trace) = whole_import(lines);
    let scene = Scene { objects: Vec::new(), ..Scene::named("a log") };
    let mut cuts = 0;
    for &fault in faults {
        for at in 0.. {
            let place = Places::new(&scene, is_files);
            let what = format!("files {is_files}, {fault:?} at {at}");
            let (outcome, is_reached, open) = place.within(|store| {
                let host = Host::new(store, NOW_MS, NOW_MS - DAY_MS);
                let (outcome, is_reached) = host.finish_with(job(), fault, at);
                (outcome, is_reached, host.open_stages())
            });
            let what = format!("{what}: {outcome:?}");
            let was_there = is_there(&*place.open(), &about, &trace, &what);
            if !is_reached {
                assert!(was_there && matches!(outcome, Some(Ok(()))), "{what}");
                break;
            }
            cuts += 1;
            assert!(outcome.is_none() || open == 0, "{what}: a stage is left");
            assert!(was_there || !matches!(outcome, Some(Ok(()))), "{what}");
            let store = place.open();
            let log = store.get(&log_key("a"), None).map(|object| object.bytes);
            let again = Host::new(&*store, NOW_MS + 1, NOW_MS).finish(job());
            assert!(matches!(again, Some(Ok(()))), "{what}, then {again:?}");
            drop(store);
            let store = place.open();
            assert!(is_there(&*store, &about, &trace, &what), "{what}");
            if was_there {
                let found = store.get(&log_key("a"), None).map(|object| object.bytes);
                assert!(found.ok() == log.ok(), "{what}: it was written twice");
            }
        }
    }
    cuts
}

#[test]
fn an_import_that_is_cut_off_leaves_all_of_the_session_or_nothing() {
    let long = format!("{{\"type\":\"system\",\"text\":\"{}\"}}\n", "x".repeat(1 << 20)).repeat(9);
    for is_files in [false, true] {
        let cuts = cut_everywhere("{\"type\":\"system\"}\n", is_files, &FAULTS);
        println!("short, files {is_files}: {cuts} cuts");
        assert!(cuts >= 20);
    }
    // What it leaves is the same in each case, and looking at it takes long.
    let cuts = cut_everywhere(&long, false, &[Fault::After]);
    println!("several parts: {cuts} cuts");
    assert!(cuts >= 15);
}

/// Whoever keeps a file, or imports it, while another one does so too, finds it kept.
#[test]
fn two_who_import_the_same_at_once_keep_its_file() {
    let (_, _, bytes) = output("a", "{\"type\":\"system\"}\n");
    let keep = |store: &dyn Store, bytes: &[u8]| {
        drive(session::keep_import(bytes.to_vec()), store).expect("it is kept")
    };
    for request in 0.. {
        let spy = Arc::new(Spy::new(turnkeep::MemoryStore::new()));
        let (them, theirs) = (spy.clone(), bytes.clone());
        spy.before_request(request, move || _ = keep(&*them, &theirs));
        let hash = keep(&*spy, &bytes);
        if spy.leave_alone() {
            assert!(request >= 2, "{request}");
            break;
        }
        let store: Arc<dyn Store> = spy.clone();
        assert_eq!(bytes_of(&store, &Key::import(hash)), bytes, "before {request}");
    }
}

#[test]
fn what_was_flushed_is_not_imported_again() {
    let (hot, cold) = (turnkeep::MemoryStore::new(), turnkeep::MemoryStore::new());
    let tier = turnkeep::Tier::open(Arc::new(hot), Arc::new(cold)).expect("a tier");
    let (session, origin, bytes) = output("a", "{\"type\":\"system\"}\n");
    drive(session::keep_import(bytes), &*tier).expect("it is kept");
    let Import::Imported(head) = import(&*tier, &session, &origin) else { panic!("there") };
    tier.flush(&id("a"), turnkeep::core::session::tier::Flush::default()).expect("a flush");
    assert_eq!(import(&*tier, &session, &origin), Import::AlreadyImported(head));
    let (other, origin, bytes) = output("a", "{\"type\":\"system\",\"n\":1}\n");
    drive(session::keep_import(bytes), &*tier).expect("it is kept");
    assert_eq!(import(&*tier, &other, &origin), Import::Exists(head));
}

#[test]
fn of_two_who_import_the_same_one_does() {
    over_every_store(|store| {
        let (session, origin, bytes) = output("a", "{\"type\":\"system\"}\n");
        drive(session::keep_import(bytes), &*store).expect("it is kept");
        let outcomes: Vec<Import> = std::thread::scope(|scope| {
            let run = || scope.spawn(|| import(&*store, &session, &origin));
            let threads: Vec<_> = (0..4).map(|_| run()).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        let imported = |outcome: &&Import| matches!(outcome, Import::Imported(_));
        assert_eq!(outcomes.iter().filter(imported).count(), 1, "{outcomes:?}");
        assert!(!outcomes.iter().any(|outcome| matches!(outcome, Import::Exists(_))));
    });
    assert_eq!(Format::of("agentmux"), Some(Format::Agentmux));
}
