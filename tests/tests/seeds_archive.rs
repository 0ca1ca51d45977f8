//! The archiver that this one replaces (agentmux): its tests under their own names, and a test for
//! each of its weaknesses, which would have shown it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use turnkeep::core::store::{Condition, Part};
use turnkeep::retention::{self, Outcome, Policy, Reason};
use turnkeep::{
    Draft, FileStore, Form, Key, MemoryStore, Range, Result, Session, SessionId, Store, recovery,
};
use turnkeep_tests::build::Member;
use turnkeep_tests::retention::{DAY_MS, Host, Job, NOW_MS, job};
use turnkeep_tests::sessions::{
    Folder, archive_key, bytes_of, create, filled, id, lines, log_key, open, user, write,
};

const DAY: Duration = Duration::from_millis(DAY_MS);

/// A store in files, whose clock the test turns back.
struct Files {
    folder: Folder,
    store: Arc<dyn Store>,
}

impl Files {
    fn new() -> Self {
        let folder = Folder::new();
        let store = Arc::new(FileStore::open(folder.path()).expect("a store"));
        Self { folder, store }
    }

    /// A session that was not written to for so many days.
    fn idle(&self, name: &str, items: usize, days: u32) -> Vec<u8> {
        drop(filled(&self.store, name, items, 200));
        self.age(&log_key(name), days);
        bytes_of(&self.store, &log_key(name))
    }

    fn age(&self, key: &Key, days: u32) {
        let path = self.folder.path().join(key.as_str());
        let file = fs::File::options().append(true).open(path).expect("a file");
        file.set_modified(SystemTime::now() - DAY * days).expect("another time");
    }

    fn sweep(&self, policy: Policy) -> retention::Sweep {
        retention::sweep(&*self.store, policy).expect("a sweep")
    }

    fn has(&self, key: &Key) -> bool {
        self.store.info(key).is_ok()
    }
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    outcome.expect_err("an error").code()
}

fn outcomes(sweep: &retention::Sweep) -> BTreeMap<String, Outcome> {
    let told = |swept: &retention::Swept| (swept.id.as_str().to_owned(), swept.outcome.clone());
    sweep.sessions.iter().map(told).collect()
}

/// Carries out an operation on a store in memory at a time of the test's own.
fn at(store: &Arc<dyn Store>, now_ms: u64, job: &Job) -> Result<()> {
    Host::new(&**store, now_ms, now_ms).finish(job()).expect("an end")
}

// Its tests

#[test]
fn test_sweep_archives_inactive_session() {
    let files = Files::new();
    let log = files.idle("a", 5, 10);
    let sweep = files.sweep(Policy::default().inactive_for(DAY_MS));
    assert_eq!((sweep.archived, sweep.pruned), (1, 0));
    assert!(sweep.freed_bytes > 0 && sweep.archive_bytes > 0);
    assert!(!files.has(&log_key("a")) && files.has(&archive_key("a")));
    let session = open(&files.store, "a").expect("it opens");
    assert_eq!(session.form(), Form::Archived);
    assert!(lines(&session, &Range::all()).expect("lines") == log);
}

/// An empty line is no entry, and nothing recorded is nothing to archive.
#[test]
fn test_bytecount_lines() {
    let files = Files::new();
    write(&files.store, &log_key("empty"), b"");
    files.age(&log_key("empty"), 10);
    files.idle("two", 1, 10);
    let sweep = files.sweep(Policy::default());
    assert_eq!(outcomes(&sweep)["empty"], Outcome::Kept(Reason::Empty));
    let two = open(&files.store, "two").expect("it opens");
    assert_eq!(two.read(Range::all()).expect("a page").entries, 2);
}

#[test]
fn test_gz_roundtrip() {
    let files = Files::new();
    let log = files.idle("a", 50, 10);
    let session = open(&files.store, "a").expect("it opens");
    session.archive().expect("archived");
    session.restore().expect("restored");
    assert!(bytes_of(&files.store, &log_key("a")) == log);
}

// Its weaknesses

/// There, what was restored was archived again by the next sweep, for restoring was no activity.
#[test]
fn what_was_restored_is_not_archived_again_by_the_next_sweep() {
    let files = Files::new();
    files.idle("a", 5, 10);
    files.sweep(Policy::default());
    open(&files.store, "a").expect("it opens").restore().expect("restored");
    let sweep = files.sweep(Policy::default());
    assert_eq!(outcomes(&sweep)["a"], Outcome::Kept(Reason::Recent));
    assert!(files.has(&log_key("a")) && !files.has(&archive_key("a")));
}

/// There, a run that was not written to for long was archived under its writer.
#[test]
fn a_sweep_keeps_what_runs_and_takes_what_ran() {
    let files = Files::new();
    let runs = |name: &str, ended: bool| {
        let session = create(&files.store, name).expect("a session");
        session.track("/project").expect("a record");
        session.append(&[Draft::run_started()]).expect("a run");
        if ended {
            session.append(&[Draft::run_completed("finished")]).expect("its end");
        }
        drop(session);
        // Records are written now and then.
        recovery::rebuild_record(&*files.store, &id(name)).expect("a record");
        files.age(&log_key(name), 10);
    };
    runs("runs", false);
    runs("ran", true);
    runs("given-up", false);
    recovery::mark_completed(&*files.store, &id("given-up")).expect("a record");
    let swept = outcomes(&files.sweep(Policy::default()));
    assert_eq!(swept["runs"], Outcome::Kept(Reason::Running));
    assert_eq!([&swept["ran"], &swept["given-up"]], [&Outcome::Archived; 2]);
}

/// There, pruning left meta that pointed at nothing: every read failed with a mystery for ever.
#[test]
fn what_was_pruned_says_so_and_why() {
    let files = Files::new();
    files.idle("a", 5, 10);
    files.idle("b", 5, 9);
    let sweep = files.sweep(Policy::default().at_most(0));
    assert_eq!((sweep.archived, sweep.pruned, sweep.archive_bytes), (2, 2, 0));
    for name in ["a", "b"] {
        let error = open(&files.store, name).map(drop).expect_err("it is gone");
        assert_eq!(error.code(), "pruned");
        assert!(error.message().contains("more than 0 bytes"), "{error}");
        let read =
            turnkeep::drive(turnkeep::core::session::read(id(name), Range::all()), &*files.store);
        assert_eq!(code(read), "pruned");
        assert_eq!(code(create(&files.store, name).map(|_| ())), "pruned");
    }
}

/// There, the archive whose file was oldest went, and a copied folder made all of one age.
#[test]
fn what_was_unused_for_longest_is_pruned_first_whatever_the_files_say() {
    let files = Files::new();
    files.idle("new", 5, 8);
    files.idle("old", 5, 20);
    let sweep = files.sweep(Policy::default());
    files.age(&archive_key("new"), 100);
    let policy = Policy::default().at_most(sweep.archive_bytes - 1);
    let sweep = files.sweep(policy);
    assert_eq!(outcomes(&sweep)["old"], Outcome::Pruned);
    assert_eq!(outcomes(&sweep)["new"], Outcome::Kept(Reason::Archived));
}

/// There, any file that ended with `.gz` was pruned, whosever it was.
#[test]
fn archives_that_the_store_did_not_make_are_never_pruned() {
    let files = Files::new();
    let log = files.idle("a", 5, 10);
    let gzip = Member::of(&log).bytes();
    fs::write(files.folder.path().join("notes.gz"), &gzip).expect("a file");
    fs::write(files.folder.path().join("Foreign.jsonl.gz"), &gzip).expect("a file");
    write(&files.store, &archive_key("foreign"), &gzip);
    let made = turnkeep::core::archive::archive(&log).expect("an archive");
    write(&files.store, &archive_key("copied"), &made);
    let sweep = files.sweep(Policy::default().at_most(0).older_than(0));
    let told = outcomes(&sweep);
    assert_eq!(told["a"], Outcome::Pruned);
    assert_eq!(told["foreign"], Outcome::Kept(Reason::Foreign));
    assert_eq!(told["copied"], Outcome::Kept(Reason::Foreign));
    assert_eq!(code(retention::prune(&*files.store, &id("foreign"), "why")), "not_supported");
    for name in ["notes.gz", "Foreign.jsonl.gz", "foreign.jsonl.gz", "copied.jsonl.gz"] {
        assert!(files.folder.path().join(name).exists(), "{name}");
    }
}

/// There, output after the archiving was not exported, never archived, and deleted on restoring.
#[test]
fn what_is_written_after_the_archiving_is_kept() {
    let files = Files::new();
    files.idle("a", 5, 10);
    files.sweep(Policy::default());
    let session = open(&files.store, "a").expect("it opens");
    session.append_one(&user("after")).expect("an append");
    let all = lines(&session, &Range::all()).expect("lines");
    assert!(all.windows(5).any(|word| word == b"after"));
    drop(session);
    files.age(&log_key("a"), 10);
    assert_eq!(files.sweep(Policy::default()).archived, 1);
    let session = open(&files.store, "a").expect("it opens");
    assert!(lines(&session, &Range::all()).expect("lines") == all);
    session.restore().expect("restored");
    assert!(bytes_of(&files.store, &log_key("a")) == all);
}

/// What an append that comes between the steps of archiving does: the seed's order (read all, write
/// the archive, remove) loses it; here the archiving is refused, and nothing is lost.
#[test]
fn what_is_appended_between_the_steps_is_lost_there_and_not_here() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = filled(&store, "a", 5, 50);
    let read = bytes_of(&store, &log_key("a"));
    session.append_one(&user("between")).expect("an append");
    let expected = bytes_of(&store, &log_key("a"));
    let seed: Arc<dyn Store> = Arc::new(MemoryStore::new());
    write(&seed, &log_key("a"), &expected);
    write(&seed, &archive_key("a"), &Member::of(&read).bytes());
    seed.delete(&log_key("a"), &Condition::Any).expect("a delete");
    let left = open(&seed, "a").and_then(|session| lines(&session, &Range::all()));
    assert!(left.expect("lines") == read, "the control loses the line");

    let archive = job(|| turnkeep::core::session::archive(id("a")));
    for step in 0..30 {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        write(&store, &log_key("a"), &read);
        let writer = open(&store, "a").expect("it opens");
        let (host, mut running) = (Host::new(&*store, NOW_MS, NOW_MS), archive());
        for _ in 0..step {
            let Some(request) = running.request() else { break };
            running.answer(host.perform(&request));
        }
        writer.append_one(&user("between")).expect("an append");
        while let Some(request) = running.request() {
            running.answer(host.perform(&request));
        }
        let found = lines(&open(&store, "a").expect("it opens"), &Range::all()).expect("lines");
        assert!(found.windows(7).any(|word| word == b"between"), "lost after {step} requests");
    }
}

/// There, the archive of before was truncated in place, and deleted when the meta failed (A9).
#[test]
fn an_archive_of_before_stays_until_there_is_a_better_one() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    filled(&store, "a", 5, 50).archive().expect("archived");
    let before = bytes_of(&store, &archive_key("a"));
    open(&store, "a").expect("it opens").append_one(&user("more")).expect("an append");
    let all = lines(&open(&store, "a").expect("it opens"), &Range::all()).expect("lines");
    let archive = job(|| turnkeep::core::session::archive(id("a")));
    let host = Host::new(&*store, NOW_MS, NOW_MS);
    let (outcome, _) = host.finish_with(archive(), turnkeep_tests::retention::Fault::Before, 9);
    assert!(outcome.expect("an end").is_err());
    let now = bytes_of(&store, &archive_key("a"));
    let session = open(&store, "a").expect("it opens");
    assert!(lines(&session, &Range::all()).expect("lines") == all);
    assert!(now == before || turnkeep::core::archive::unarchive(&now).expect("sound") == all);
}

/// There, two members gave the first one's 105 of 210 bytes.
#[test]
fn every_member_of_a_gzip_file_is_read() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let log = {
        drop(filled(&store, "a", 5, 50));
        bytes_of(&store, &log_key("a"))
    };
    let cut = log.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let two = [Member::of(&log[..cut]).bytes(), Member::of(&log[cut..]).bytes()].concat();
    store.delete(&log_key("a"), &Condition::Any).expect("a delete");
    write(&store, &archive_key("a"), &two);
    let session = open(&store, "a").expect("it opens");
    assert!(lines(&session, &Range::all()).expect("lines") == log);
    session.restore().expect("restored");
    assert!(bytes_of(&store, &log_key("a")) == log);
}

/// There, an archive was inflated whole, however large. Here a line's length bounds it.
#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let bomb = Member::of(&vec![b'x'; 200 << 20]).bytes();
    assert!(bomb.len() < 1 << 20);
    write(&store, &archive_key("a"), &bomb);
    let refused = open(&store, "a").map(|_| ());
    assert_eq!(code(refused), "output_limit");
}

/// There, an id was joined into a path as it came, and a path was taken from changeable meta.
#[test]
fn ids_lead_nowhere_but_into_the_store() {
    let files = Files::new();
    for name in ["../up", "a/b", "/etc/passwd", "..", "CON", "a\\b"] {
        let session = SessionId::new(name).expect("an id");
        let key = Key::of(&session, Part::Archive);
        assert!(!key.as_str().contains(['/', '\\']) && !key.as_str().starts_with('.'), "{name}");
        create(&files.store, name).expect("a session").archive().expect("archived");
        assert!(files.folder.path().join(key.as_str()).is_file(), "{name}");
    }
    assert_eq!(code(SessionId::new("a\0b")), "invalid_id");
}

/// There, absolute paths were noted, so that a home that was moved lost its archives.
#[test]
fn a_store_that_was_moved_has_its_archives() {
    let files = Files::new();
    let log = files.idle("a", 5, 10);
    files.sweep(Policy::default());
    let moved = Folder::new();
    for entry in fs::read_dir(files.folder.path()).expect("a folder") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), moved.path().join(entry.file_name())).expect("a copy");
    }
    let store: Arc<dyn Store> = Arc::new(FileStore::open(moved.path()).expect("a store"));
    let session = open(&store, "a").expect("it opens");
    assert!(lines(&session, &Range::all()).expect("lines") == log);
    session.restore().expect("restored");
    assert!(bytes_of(&store, &log_key("a")) == log);
}

/// There, nothing to archive was told as archived now.
#[test]
fn nothing_to_archive_is_said_so() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let archive = || turnkeep::drive(turnkeep::core::session::archive(id("a")), &*store);
    assert_eq!(code(archive()), "not_found");
    write(&store, &log_key("a"), b"");
    assert_eq!(code(archive()), "empty_log");
    assert!(store.info(&archive_key("a")).is_err());
    store.delete(&log_key("a"), &Condition::Any).expect("a delete");
    drop(filled(&store, "a", 1, 10));
    archive().expect("archived");
    assert_eq!(code(archive()), "already_exists");
}

/// There, a restoring that was cut off before the meta was written deleted newer lines when it was
/// done again (A4).
#[test]
fn restoring_again_deletes_nothing_newer() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    filled(&store, "a", 5, 50).archive().expect("archived");
    let archive = bytes_of(&store, &archive_key("a"));
    let session = open(&store, "a").expect("it opens");
    session.restore().expect("restored");
    write(&store, &archive_key("a"), &archive);
    Session::open(store.clone(), &id("a"))
        .and_then(|session| session.append_one(&user("newer")))
        .expect("an append");
    let newer = bytes_of(&store, &log_key("a"));
    at(&store, NOW_MS, &job(|| turnkeep::core::session::restore(id("a")))).expect("restored");
    assert!(bytes_of(&store, &log_key("a")) == newer);
}

/// There, nothing was checked but the gzip's CRC (A8): another session's log passed as this one's.
#[test]
fn another_sessions_archive_is_noticed() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    filled(&store, "b", 5, 50).archive().expect("archived");
    write(&store, &archive_key("a"), &bytes_of(&store, &archive_key("b")));
    let restore = turnkeep::drive(turnkeep::core::session::restore(id("a")), &*store);
    assert_eq!(code(restore), "wrong_session");
}
