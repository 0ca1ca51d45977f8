//! What only a store in a directory has to stand: other processes, names that try to get out, and
//! what was left behind. Full and read-only disks are in `disk_full.rs`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use turnkeep::core::store::Condition;
use turnkeep::{Durability, FileStore, Key, Range, Session, Store, sessions};
use turnkeep_tests::sessions::{
    Folder, bytes_of, create, filled, head, lines, log_key, open, user, write,
};

/// A store in a fresh folder, which lies alone in another one.
struct Place {
    outer: Folder,
    store: Arc<dyn Store>,
}

impl Place {
    fn new() -> Self {
        let outer = Folder::new();
        let store = another(&outer.path().join("root"));
        Self { outer, store }
    }

    fn root(&self) -> PathBuf {
        self.outer.path().join("root")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Another handle on the same directory.
    fn again(&self) -> Arc<dyn Store> {
        another(&self.root())
    }
}

fn another(root: &Path) -> Arc<dyn Store> {
    Arc::new(FileStore::open(root).expect("a store"))
}

fn code<T: std::fmt::Debug>(outcome: turnkeep::Result<T>) -> &'static str {
    outcome.expect_err("it should fail").code()
}

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

/// The names that are not the store's own.
fn visible(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn hostile_ids_stay_in_the_directory() {
    let place = Place::new();
    let long = "é".repeat(33);
    let ids = [
        "..",
        ".",
        "../x",
        "../../x",
        "/etc/x",
        "//x",
        "a/../../x",
        "a/b",
        r"..\x",
        r"C:\x",
        "c:x",
        ".lock",
        ".x.jsonl.lock",
        "con",
        "CON",
        "nul",
        "com1",
        "a b",
        " ",
        "a.jsonl",
        "x.jsonl.gz",
        "%2e%2e",
        "%",
        "~",
        "$HOME",
        "-rf",
        "*",
        "?",
        "a|b",
        "<a>",
        "\"",
        "'",
        "`x`",
        "\u{202e}x",
        "\u{feff}",
        "🙂",
        "Ａ",
        &long,
        "a;rm -rf /",
        "a&b",
        "#",
        "a\u{2215}b",
        "x\u{301}",
    ];
    for name in ids {
        let session = filled(&place.store, name, 2, 20);
        session.archive().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(session.verify().expect("a report").is_whole());
        session.restore().expect("a log");
        assert_eq!(session.append_one(&user("x")).expect("an append"), 3);
    }
    assert_eq!(names(place.outer.path()), BTreeSet::from(["root".to_owned()]));
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'%' | b'-');
    for name in visible(&place.root()) {
        let encoded = name.strip_suffix(".jsonl").unwrap_or_else(|| panic!("{name}"));
        assert!(encoded.bytes().all(fits), "{name}");
    }
    let listed: BTreeSet<_> = sessions(&*place.store)
        .expect("a list")
        .into_iter()
        .map(|one| one.id.as_str().to_owned())
        .collect();
    assert_eq!(listed, ids.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn a_session_that_is_held_is_not_deleted_in_part() {
    let place = Place::new();
    let held = filled(&place.store, "a", 2, 20);
    held.archive().expect("an archive");
    held.append_one(&user("after it")).expect("an append");
    let before = names(&place.root());
    let other = open(&place.again(), "a").expect("a session");
    assert_eq!(code(other.delete()), "locked");
    assert_eq!(names(&place.root()), before);
    assert!(held.verify().expect("a report").is_whole());
    held.delete().expect("that it is gone");
    assert_eq!(visible(&place.root()), Vec::<String>::new());
}

#[test]
fn two_handles_cannot_write_to_one_session() {
    let place = Place::new();
    let one = filled(&place.store, "a", 2, 20);
    let store = place.again();
    let other = open(&store, "a").expect("anybody may read");
    assert_eq!(lines(&other, &Range::all()).expect("lines"), bytes_of(&place.store, &log_key("a")));
    assert_eq!(code(other.append_one(&user("x"))), "locked");
    assert_eq!(code(other.archive()), "locked");
    one.append_one(&user("still mine")).expect("an append");
    drop(one);
    assert_eq!(code(other.append_one(&user("x"))), "conflict");
    drop(other);
    let other = open(&store, "a").expect("it opens");
    assert_eq!(other.append_one(&user("x")).expect("an append"), 4);
    assert!(other.verify().expect("a report").is_whole());
    drop(other);
    assert_eq!(names(&place.root()), BTreeSet::from(["a.jsonl".to_owned()]), "nothing is left");
}

#[test]
fn what_is_held_is_let_go_with_the_last_handle_that_wrote() {
    let place = Place::new();
    let one = filled(&place.store, "a", 2, 20);
    let is_held = || place.file(".a.jsonl.lock").exists();
    drop(open(&place.store, "a").expect("a reader"));
    assert!(is_held(), "who only read has no part in it");
    let other = open(&place.store, "a").expect("it opens");
    other.append_one(&user("x")).expect("an append");
    drop(one);
    assert!(is_held(), "the other writes");
    drop(other);
    assert!(!is_held());
}

/// Other sessions of the same directory are free.
#[test]
fn a_lock_is_for_one_session() {
    let place = Place::new();
    let _one = filled(&place.store, "a", 1, 20);
    let _other = filled(&place.again(), "b", 1, 20);
}

/// A process that holds a session.
struct Holder(Child);

impl Holder {
    fn new(place: &Place, name: &str) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lock-holder"))
            .args([place.root().as_os_str(), name.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut said).expect("a line");
        (Self(child), said.trim().to_owned())
    }

    /// Lets it end by itself.
    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("it ends").success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn two_processes_cannot_write_to_one_session() {
    let place = Place::new();
    drop(filled(&place.store, "a", 2, 20));
    let session = open(&place.store, "a").expect("it opens");
    let (holder, said) = Holder::new(&place, "a");
    assert_eq!(said, "appended 3");
    assert_eq!(code(session.append_one(&user("x"))), "locked");
    let (refused, said) = Holder::new(&place, "a");
    assert_eq!(said, "locked");
    refused.end();
    holder.end();
    let error = session.append_one(&user("x")).expect_err("the other one appended");
    assert_eq!((error.code(), error.actual().map(|head| head.seq)), ("conflict", Some(3)));
    let session = open(&place.store, "a").expect("it opens");
    assert_eq!(session.append_one(&user("x")).expect("an append"), 4);
    assert!(session.verify().expect("a report").is_whole());
}

#[test]
fn a_killed_process_loses_its_lock() {
    let place = Place::new();
    drop(filled(&place.store, "a", 2, 20));
    let (holder, said) = Holder::new(&place, "a");
    assert_eq!(said, "appended 3");
    let lock = place.file(".a.jsonl.lock");
    assert!(lock.exists());
    drop(holder); // killed
    assert!(lock.exists(), "nobody removed it");
    let session = open(&place.store, "a").expect("it opens");
    assert_eq!(session.append_one(&user("x")).expect("an append"), 4);
    assert!(session.verify().expect("a report").is_whole());
    drop(session);
    assert_eq!(names(&place.root()), BTreeSet::from(["a.jsonl".to_owned()]));
}

/// Locks that others left, each as the text of its file, and whether they still hold.
#[test]
fn a_lock_that_was_left_is_taken_over_only_if_nobody_holds_it() {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let lock = |pid: u32, start: &str, host: &str| {
        format!(r#"{{"pid":{pid},"start":"{start}","host":"{host}"}}"#)
    };
    let this = std::process::id();
    let mut cases = vec![
        ("empty", String::new(), false),
        ("garbage", "no JSON".into(), false),
        ("another machine's", lock(1, "1", "another-machine"), true),
    ];
    if !host.is_empty() {
        // No process has this number: Linux's end at 2^22.
        cases.push(("of a dead process", lock(1 << 30, "5", host), false));
        cases.push(("of a process with a number used again", lock(this, "5", host), false));
    }
    for (name, content, holds) in cases {
        let place = Place::new();
        drop(filled(&place.store, "a", 2, 20));
        fs::write(place.file(".a.jsonl.lock"), content).expect("a lock");
        let session = open(&place.store, "a").expect("it opens");
        let appended = session.append_one(&user("x"));
        let found = appended.as_ref().err().map(|error| error.code());
        assert_eq!(found, holds.then_some("locked"), "{name}: {appended:?}");
    }
}

/// A lock's file, as a process of that machine wrote it so many seconds ago.
fn lock_of(place: &Place, host: &str, seconds: i64) -> PathBuf {
    let path = place.file(".a.jsonl.lock");
    let content = format!(r#"{{"pid":7,"start":"1","host":"{host}","since_ms":1700000000000}}"#);
    fs::write(&path, content).expect("a lock");
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let then = if seconds < 0 { now + distance } else { now - distance };
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(then))
        .expect("a time");
    path
}

#[test]
fn another_machines_lock_holds_as_long_as_it_shows_life() {
    let place = Place::new();
    drop(filled(&place.store, "a", 2, 20));
    let lock = lock_of(&place, "another-machine", 3500);
    let session = open(&place.store, "a").expect("it opens");
    let error = session.append_one(&user("x")).expect_err("it is held");
    assert_eq!(error.code(), "locked");
    for said in ["process 7 on another-machine", "held for", "days", "last sign of life 58 min ago"]
    {
        assert!(error.to_string().contains(said), "{error}");
    }
    let holder = place.store.holder(&log_key("a")).expect("an answer").expect("a holder");
    assert_eq!((holder.pid, &*holder.host, holder.is_alive), (7, "another-machine", true));
    assert!(lock.exists(), "to look changes nothing");
    // One to come is no sign of life either.
    for ago in [-3700, 3700] {
        lock_of(&place, "another-machine", ago);
        let holder = place.store.holder(&log_key("a")).expect("an answer").expect("a holder");
        assert!(!holder.is_alive, "{ago}: {holder:?}");
    }
    let holder = place.store.holder(&log_key("a")).expect("an answer").expect("a holder");
    assert!(!holder.is_alive && !holder.is_self && holder.heartbeat_ms.is_some(), "{holder:?}");
    session.append_one(&user("x")).expect("it was abandoned");
    let holder = place.again().holder(&log_key("a")).expect("an answer").expect("a holder");
    assert!(holder.is_alive && holder.is_self, "{holder:?}");
    assert_eq!(holder.pid, std::process::id());
    drop(session);
    assert_eq!(place.store.holder(&log_key("a")).expect("an answer"), None);
}

/// The one that was taken for abandoned comes back.
#[test]
fn who_lost_a_lock_writes_nothing() {
    let place = Place::new();
    let session = filled(&place.store, "a", 2, 20);
    let lock = place.file(".a.jsonl.lock");
    fs::remove_file(&lock).expect("a lock");
    lock_of(&place, "another-machine", 0);
    let before = bytes_of(&place.store, &log_key("a"));
    assert_eq!(code(session.append_one(&user("x"))), "locked");
    drop(session);
    assert_eq!(bytes_of(&place.store, &log_key("a")), before);
    assert!(lock.exists(), "another's lock stays");
}

/// Whoever took it over appends to the log that would be replaced.
#[test]
fn who_lost_a_lock_replaces_nothing() {
    let place = Place::new();
    let late = filled(&place.store, "a", 2, 20);
    late.archive().expect("an archive");
    late.append_one(&user("late")).expect("an append");
    fs::remove_file(place.file(".a.jsonl.lock")).expect("a lock");
    let store = place.again();
    let writer = open(&store, "a").expect("it opens");
    writer.append_one(&user("before")).expect("an append");
    assert_eq!(code(late.restore()), "locked");
    writer.append_one(&user("after")).expect("an append");
    let found = open(&place.again(), "a").expect("it opens");
    assert!(found.head() == writer.head() && found.verify().expect("a report").is_whole());
}

/// No lock keeps out `rm` and `mv`: what went into the file that was there would be read by nobody.
#[test]
fn nothing_is_acknowledged_into_a_file_that_is_gone() {
    let place = Place::new();
    let session = filled(&place.store, "a", 2, 20);
    let log = place.file("a.jsonl");
    let copy = |name: &str| fs::copy(&log, place.file(name)).expect("a copy");
    copy("older");
    session.append_one(&user("one")).expect("an append");
    copy("same");
    fs::remove_file(&log).expect("a log");
    assert_eq!(code(session.append_one(&user("into nothing"))), "conflict");
    fs::rename(place.file("same"), &log).expect("a log");
    session.append_one(&user("two")).expect("it is there again");
    fs::rename(place.file("older"), &log).expect("a log");
    assert_eq!(code(session.append_one(&user("onto what was"))), "conflict");
    let found = open(&place.again(), "a").expect("it opens");
    assert!(found.verify().expect("a report").is_whole());
    assert_eq!(head(&found).seq, 2);
}

/// A transcript that its owner hides from others stays hidden, whatever is made of it.
#[cfg(unix)]
#[test]
fn what_is_made_of_a_private_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let session = filled(&place.store, "a", 2, 20);
    let mode = |name: &str| {
        let metadata = fs::metadata(place.file(name)).expect("a file");
        metadata.permissions().mode() & 0o777
    };
    let hidden = |name: &str, mode| {
        fs::set_permissions(place.file(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    assert_ne!(mode("a.jsonl"), 0o600, "what the system gives");
    hidden("a.jsonl", 0o600);
    let log = bytes_of(&place.store, &log_key("a"));
    write(&place.store, &log_key("a"), &log);
    assert_eq!(mode("a.jsonl"), 0o600);
    session.archive().expect("an archive");
    assert_eq!(mode("a.jsonl.gz"), 0o600);
    session.append_one(&user("x")).expect("an append");
    assert_eq!(mode("a.jsonl"), 0o600, "a log after its archive");
    hidden("a.jsonl.gz", 0o644);
    session.archive().expect("an archive");
    assert_eq!(mode("a.jsonl.gz"), 0o600, "it holds the log's entries now");
    hidden("a.jsonl.gz", 0o660);
    session.restore().expect("a log");
    assert_eq!(mode("a.jsonl"), 0o660, "whatever the process's mask takes away");
}

#[test]
fn another_process_is_named_as_the_holder() {
    let place = Place::new();
    drop(filled(&place.store, "a", 2, 20));
    let (holder, said) = Holder::new(&place, "a");
    assert_eq!(said, "appended 3");
    let pid = holder.0.id();
    let found = place.store.holder(&log_key("a")).expect("an answer").expect("a holder");
    assert_eq!((found.pid, found.is_alive, found.is_self), (pid, true, false));
    let session = open(&place.store, "a").expect("it opens");
    let error = session.append_one(&user("x")).expect_err("it is held");
    assert!(error.to_string().contains(&format!("process {pid} on {}", found.host)), "{error}");
    drop(holder); // killed
    let found = place.store.holder(&log_key("a")).expect("an answer").expect("a lock");
    assert!(!found.is_alive);
}

/// Many find a dead process's lock at once; one of them gets it.
#[test]
fn a_dead_lock_is_taken_over_by_one() {
    for _ in 0..20 {
        let place = Place::new();
        drop(filled(&place.store, "a", 1, 20));
        fs::write(place.file(".a.jsonl.lock"), "no JSON").expect("a lock");
        let stores: Vec<_> = (0..6).map(|_| place.again()).collect();
        let start = std::sync::Barrier::new(stores.len());
        let codes: Vec<String> = std::thread::scope(|scope| {
            let write = |store: &Arc<dyn Store>| {
                let (store, start) = (store.clone(), &start);
                scope.spawn(move || {
                    let session = open(&store, "a").expect("it opens");
                    start.wait();
                    let appended = session.append_one(&user("x"));
                    std::mem::forget(session); // the lock stays until the store goes
                    appended.map_or_else(|error| error.code().to_owned(), |_| "won".into())
                })
            };
            let writers: Vec<_> = stores.iter().map(write).collect();
            writers.into_iter().map(|writer| writer.join().expect("a thread")).collect()
        });
        assert_eq!(codes.iter().filter(|code| *code == "won").count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| code == "won" || code == "locked"), "{codes:?}");
        let session = open(&place.store, "a").expect("it opens");
        assert!(session.verify().expect("a report").is_whole());
        assert_eq!(head(&session).seq, 2);
    }
}

#[test]
fn what_was_left_behind_is_not_listed() {
    let place = Place::new();
    drop(filled(&place.store, "a", 1, 20));
    for name in [".a.jsonl.gz.stage-0123", ".b.jsonl.stage-4567", "x/.y.jsonl.stage-89ab"] {
        fs::create_dir_all(place.file(name)).expect("a folder");
        fs::write(place.file(name).join("1"), "a part").expect("a file");
    }
    fs::create_dir_all(place.file("empty/folder")).expect("a folder");
    for name in
        [".a.jsonl.put-0123", ".b.jsonl.lock", "Capital.jsonl", "with space.jsonl", "é.jsonl"]
    {
        fs::write(place.file(name), "something").expect("a file");
    }
    let listing = place.store.list("", None, 100).expect("a list");
    let keys: Vec<_> = listing.objects.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!((keys, listing.more), (vec!["a.jsonl"], false));
    assert_eq!(sessions(&*place.store).expect("a list").len(), 1);
    let session = open(&place.store, "a").expect("it opens");
    session.archive().expect("an archive");
    session.restore().expect("a log");
    // A dead lock of a session that does not exist is in nobody's way.
    create(&place.store, "b").expect("a session");
}

/// Stages that go with their store's process are no objects, and others can write the same key.
#[test]
fn a_stage_of_another_handle_is_in_nobodys_way() {
    let place = Place::new();
    let key = log_key("a");
    let stage = place.store.stage(&key).expect("a stage");
    place.store.stage_part(&stage, 1, b"left").expect("a part");
    let other = place.again();
    assert_eq!(code(other.commit(&stage, &Condition::Any)), "not_found");
    assert!(other.list("", None, 10).expect("a list").objects.is_empty());
    other.put(&key, b"mine", &Condition::Absent).expect("a put");
    assert_eq!(code(place.store.commit(&stage, &Condition::Absent)), "already_exists");
    assert_eq!(bytes_of(&other, &key), b"mine");
}

#[cfg(target_os = "linux")]
mod devices {
    //! Linux's devices stand in for broken disks.

    use super::{Place, code};
    use std::os::unix::fs::symlink;
    use turnkeep::core::store::{After, Condition};
    use turnkeep::{Durability, Key};
    use turnkeep_tests::sessions::{bytes_of, create, filled, log_key, open, user};

    /// `/dev/null` takes every byte, and cannot be synced.
    #[test]
    fn a_failed_sync_poisons_the_file_until_it_is_opened_again() {
        let place = Place::new();
        symlink("/dev/null", place.file("a.jsonl")).expect("a link");
        let append =
            || place.store.append(&log_key("a"), b"x", &After::new(0, 0), Durability::Disk);
        assert_eq!(code(append()), "poisoned");
        assert_eq!(code(append()), "poisoned");
        let weaker = place.store.append(&log_key("a"), b"x", &After::new(0, 0), Durability::Memory);
        assert_eq!(code(weaker), "poisoned", "no weaker append either");
        place.store.release(&log_key("a"));
        place
            .again()
            .append(&log_key("a"), b"x", &After::new(0, 0), Durability::Os)
            .expect("an append");
    }

    #[test]
    fn who_only_read_does_not_lift_the_poison() {
        let place = Place::new();
        let session = filled(&place.store, "a", 1, 20);
        let log = bytes_of(&place.store, &log_key("a"));
        place.store.release(&log_key("a"));
        std::fs::remove_file(place.file("a.jsonl")).expect("the log");
        symlink("/dev/null", place.file("a.jsonl")).expect("a link");
        let after = After::new(0, 0);
        place.store.append(&log_key("a"), b"x", &after, Durability::Disk).expect_err("no disk");
        std::fs::remove_file(place.file("a.jsonl")).expect("the link");
        std::fs::write(place.file("a.jsonl"), &log).expect("the log");
        drop(open(&place.store, "a").expect("a reader"));
        assert_eq!(code(session.append_one(&user("x"))), "poisoned");
        drop(session);
        let session = open(&place.store, "a").expect("it opens");
        session.append_one(&user("x")).expect("an append");
    }

    /// `/dev/full` takes no byte, and cannot be cut.
    #[test]
    fn a_write_that_cannot_be_undone_poisons_the_file() {
        let place = Place::new();
        symlink("/dev/full", place.file("a.jsonl")).expect("a link");
        let append = || place.store.append(&log_key("a"), b"x", &After::new(0, 0), Durability::Os);
        let error = append().expect_err("it is full");
        assert!(error.code() == "store_failed" && error.is_retryable(), "{error}");
        assert_eq!(code(append()), "poisoned");
        assert_eq!(code(place.store.info(&log_key("a"))), "not_found", "a device is no object");
    }

    #[test]
    fn a_pipe_is_no_object_and_nobody_waits_for_it() {
        let place = Place::new();
        for name in ["a.jsonl", ".b.jsonl.lock"] {
            let made = std::process::Command::new("mkfifo").arg(place.file(name)).status();
            assert!(made.expect("mkfifo").success());
        }
        assert_eq!(code(place.store.get(&log_key("a"), None)), "not_found");
        assert_eq!(code(open(&place.store, "a")), "not_found");
        assert_eq!(code(create(&place.store, "b")), "store_failed");
        assert_eq!(code(place.store.holder(&log_key("b"))), "store_failed");
    }

    /// In a process of its own, which may open few files.
    #[test]
    fn where_no_more_files_can_be_opened_idle_ones_are_let_go() {
        let name = "devices::where_no_more_files_can_be_opened_idle_ones_are_let_go";
        if std::env::var_os("TURNKEEP_FEW_FILES").is_some() {
            let place = Place::new();
            let session = |number| create(&place.store, &format!("s{number}"));
            let sessions: Vec<_> = (0..40).map(|n| session(n).expect("a session")).collect();
            for session in &sessions {
                session.append_one(&user("x")).expect("an append");
            }
            return;
        }
        // An object takes two: whichever of them is the one too many.
        for limit in ["40", "41"] {
            let ran = std::process::Command::new("sh")
                .args(["-c", "ulimit -n $2 && exec \"$0\" --exact \"$1\""])
                .arg(std::env::current_exe().expect("this program"))
                .args([name, limit])
                .env("TURNKEEP_FEW_FILES", "1")
                .output()
                .expect("a shell");
            let told = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success() && told.contains("1 passed"), "{limit}: {told}");
        }
    }

    /// Its name would be lost with the power, and all that is in it.
    #[test]
    fn the_folder_of_a_store_is_synced_where_it_is_made() {
        let outer = turnkeep_tests::sessions::Folder::new();
        let traced = std::process::Command::new("strace")
            .args(["-y", "-e", "trace=mkdir,fsync"])
            .arg(env!("CARGO_BIN_EXE_lock-holder"))
            .arg(outer.path().join("one/two"))
            .arg("a")
            .output()
            .expect("strace");
        let calls = String::from_utf8_lossy(&traced.stderr).into_owned();
        for folder in [outer.path().to_owned(), outer.path().join("one")] {
            let synced = format!("<{}>)", folder.display());
            assert!(calls.contains(&synced), "{}: {calls}", folder.display());
        }
    }

    /// A folder stands where an object should be.
    #[test]
    fn a_file_where_a_folder_should_be_is_an_error_and_no_panic() {
        let place = Place::new();
        std::fs::write(place.file("x"), "a file").expect("a file");
        let key = Key::parse("x/y").expect("a key");
        assert!(place.store.put(&key, b"1", &Condition::Any).is_err());
        assert!(place.store.append(&key, b"1", &After::new(0, 0), Durability::Os).is_err());
        assert!(place.store.stage(&key).is_err());
        assert!(place.store.get(&key, None).is_err() && place.store.info(&key).is_err());
    }
}

/// Every level of durability keeps what was acknowledged, for another handle to read.
#[test]
fn every_durability_keeps_what_was_acknowledged() {
    for durability in [Durability::Memory, Durability::Os, Durability::Disk] {
        let place = Place::new();
        let session = create(&place.store, "a").expect("a session").with_durability(durability);
        session.append(&[user("one"), user("two")]).expect("an append");
        let read = open(&place.again(), "a").expect("it opens");
        assert_eq!(read.head(), session.head());
    }
}

/// More files than are held open at once.
#[test]
fn many_sessions_can_be_written_in_turn() {
    let place = Place::new();
    let mut open: Vec<Session> = (0..300)
        .map(|number| create(&place.store, &format!("s{number}")).expect("a session"))
        .collect();
    for round in 1..4 {
        for session in &mut open {
            assert_eq!(session.append_one(&user("x")).expect("an append"), round);
        }
    }
    drop(open);
    let listed = sessions(&*place.store).expect("a list");
    assert_eq!(listed.len(), 300);
    assert_eq!(names(&place.root()).len(), 300, "no lock is left");
}

/// A key's file may be replaced by another program while a session is open.
#[test]
fn a_file_that_another_program_changed_is_a_conflict() {
    let place = Place::new();
    let session = filled(&place.store, "a", 3, 50);
    let log = bytes_of(&place.store, &log_key("a"));
    fs::write(place.file("a.jsonl"), &log[..log.len() - 5]).expect("a write");
    let error = session.append_one(&user("x")).expect_err("it is shorter");
    assert_eq!((error.code(), error.actual().map(|head| head.seq)), ("conflict", Some(0)));
    fs::remove_file(place.file("a.jsonl")).expect("a file");
    assert!(session.append_one(&user("x")).is_err(), "it is gone");
    assert_eq!(code(session.verify()), "not_found");
    drop(session);
    write(&place.store, &log_key("a"), &log);
    assert!(open(&place.store, "a").expect("it opens").verify().expect("a report").is_whole());
    let _ = Key::parse("a").expect("a key");
}
