//! Disks that are full or cannot be written, as small file systems in memory. Where none can be
//! mounted these tests fail: what they promise would not be known.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use turnkeep::core::store::{After, Condition};
use turnkeep::{Durability, Error, FileStore, Key, Store, sessions};
use turnkeep_tests::sessions::{
    Folder, archive_key, bytes_of, create, filled, head, log_key, open, user,
};

/// Set where a test runs again, as the root of its own mounts.
const INSIDE: &str = "TURNKEEP_TESTS_OWN_MOUNTS";

/// A file system as small as its options say.
struct Disk(Folder);

impl Disk {
    /// Runs a test, whose name that is, on such a disk.
    fn with(options: &str, name: &str, test: impl FnOnce(&Self)) {
        let disk = Self(Folder::new());
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(disk.path());
        if is_done(mount.stderr(Stdio::null())) {
            return test(&disk);
        }
        assert!(std::env::var_os(INSIDE).is_none(), "no file system can be mounted");
        // Whoever may not mount may be allowed to where nobody else sees it.
        let this = std::env::current_exe().expect("this test");
        let mut inside = Command::new("unshare");
        inside.arg("-rm").arg(this).args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
        let ran = inside.output().expect("the command unshare");
        let told = String::from_utf8_lossy(&ran.stdout);
        let errors = String::from_utf8_lossy(&ran.stderr);
        // A test of another name is none, and none succeeds too.
        let is_passed = ran.status.success() && told.contains("1 passed");
        assert!(is_passed, "{name} failed, or no file system can be mounted:\n{told}\n{errors}");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn root(&self) -> PathBuf {
        self.path().join("root")
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(FileStore::open(self.root()).expect("a store"))
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        // With its type and source told, or else all the options that there were are given too.
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(self.path());
        assert!(is_done(&mut mount));
    }

    /// Takes all the room there is, until the answer is removed.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let error = fs::write(&path, vec![b'x'; 16 << 20]).expect_err("it is larger");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        path
    }

    /// Gives the room back. Emptied first: a process that another test starts holds what is open
    /// here until it runs its program, and with it the room of a file that has no name any more.
    fn free(filler: &Path) {
        fs::write(filler, "").expect("an empty filler");
        fs::remove_file(filler).expect("the filler");
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.root()).expect("a folder");
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.path()).stderr(Stdio::null()).status().ok();
    }
}

fn is_done(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

fn code<T: std::fmt::Debug>(outcome: turnkeep::Result<T>) -> &'static str {
    outcome.expect_err("it should fail").code()
}

#[track_caller]
fn is_full(error: &Error) {
    assert!(error.code() == "store_failed" && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("may pass"), "{error}");
}

#[track_caller]
fn is_refused(error: &Error) {
    assert!(error.code() == "store_failed" && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("Read-only file system"), "{error}");
}

#[test]
fn a_failed_append_leaves_the_file_as_it_was() {
    Disk::with("size=1m", "a_failed_append_leaves_the_file_as_it_was", |disk| {
        for (durability, name) in [(Durability::Os, "a"), (Durability::Disk, "b")] {
            let (store, key) = (disk.store(), log_key(name));
            store.append(&key, b"kept\ntorn", &After::new(0, 0), durability).expect("an append");
            let filler = disk.fill();
            let long = vec![b'y'; 100_000];
            is_full(
                &store.append(&key, &long, &After::new(9, 0), durability).expect_err("no room"),
            );
            assert_eq!(bytes_of(&store, &key), b"kept\ntorn");
            // What was torn is there again too: the same call can be made again.
            is_full(
                &store.append(&key, &long, &After::new(5, 4), durability).expect_err("no room"),
            );
            assert_eq!(bytes_of(&store, &key), b"kept\ntorn");
            store.append(&key, b"fits\n", &After::new(5, 4), durability).expect("a few bytes fit");
            Disk::free(&filler);
            store.append(&key, &long, &After::new(10, 0), durability).expect("room again");
            assert_eq!(store.info(&key).expect("an object").bytes, 100_010);
            store.sync(&key).expect("a sync");
        }
    });
}

#[test]
fn a_new_session_on_a_full_disk_leaves_nothing() {
    Disk::with("size=1m", "a_new_session_on_a_full_disk_leaves_nothing", |disk| {
        let store = disk.store();
        let filler = disk.fill();
        is_full(&create(&store, "a").expect_err("no room"));
        assert_eq!(disk.names(), BTreeSet::new());
        // Room for the lock, and not for the file's content.
        fs::write(&filler, vec![b'x'; (1 << 20) - 8192]).expect("a shorter filler");
        let long = vec![b'y'; 100_000];
        let append = || store.append(&log_key("a"), &long, &After::new(0, 0), Durability::Disk);
        is_full(&append().expect_err("no room"));
        assert_eq!(disk.names(), BTreeSet::new());
        Disk::free(&filler);
        append().expect("room again");
        create(&store, "b").expect("a session");
    });
}

#[test]
fn a_disk_without_inodes_leaves_nothing() {
    Disk::with("size=1m,nr_inodes=5", "a_disk_without_inodes_leaves_nothing", |disk| {
        let store = disk.store();
        for number in 0..2 {
            fs::write(disk.path().join(number.to_string()), "").expect("a file");
        }
        // One is left for the lock, none for the file.
        let append = || store.append(&log_key("a"), b"1", &After::new(0, 0), Durability::Os);
        is_full(&append().expect_err("no room"));
        assert_eq!(disk.names(), BTreeSet::new());
        fs::remove_file(disk.path().join("0")).expect("a file");
        append().expect("room again");
    });
}

#[test]
fn a_full_disk_fails_an_append_and_keeps_the_rest() {
    Disk::with("size=256k", "a_full_disk_fails_an_append_and_keeps_the_rest", |disk| {
        let store = disk.store();
        let session = create(&store, "a").expect("a session");
        let text = "x".repeat(10_000);
        let error = loop {
            if let Err(error) = session.append_one(&user(&text)) {
                break error;
            }
        };
        is_full(&error);
        let expected = session.head();
        assert!(head(&session).seq > 5);
        assert!(session.verify().expect("a report").is_whole(), "nothing is torn");
        assert_eq!(code(session.append_one(&user(&text))), "store_failed");
        // Neither a new session nor an archive leaves anything visible.
        assert_eq!(
            code(create(&store, "b").and_then(|session| session.append_one(&user(&text)))),
            "store_failed"
        );
        session.archive().map_or_else(
            |error| assert_eq!(error.code(), "store_failed"),
            |_| println!("the archive is small enough to fit"),
        );
        if session.form() == turnkeep::Form::Archived {
            return;
        }
        drop(session);
        let session = open(&disk.store(), "a").expect("it opens");
        assert_eq!((session.head(), session.torn()), (expected, None));
        assert!(disk.names().iter().all(|name| name == "a.jsonl" || name == "b.jsonl"));
        // Room again.
        fs::remove_file(disk.root().join("b.jsonl")).ok();
        disk.remount("size=2m");
        session.append_one(&user(&text)).expect("an append");
        assert!(session.verify().expect("a report").is_whole());
    });
}

/// An archive needs room beside its log: text that does not compress, on a disk that is half full.
#[test]
fn a_full_disk_fails_an_archiving_and_keeps_the_log() {
    Disk::with("size=1m", "a_full_disk_fails_an_archiving_and_keeps_the_log", |disk| {
        let store = disk.store();
        let session = create(&store, "a").expect("a session");
        let mut random = turnkeep_tests::build::Random::new(3);
        let noise: String = (0..700_000)
            .map(|_| char::from(b'0' + u8::try_from(random.below(64)).unwrap_or(0)))
            .collect();
        let noise = noise.replace('\\', "/");
        session.append_one(&user(&noise)).expect("an append");
        let log = bytes_of(&store, &log_key("a"));
        let error = session.archive().expect_err("no room");
        is_full(&error);
        assert_eq!(bytes_of(&store, &log_key("a")), log);
        assert_eq!(code(store.info(&archive_key("a"))), "not_found");
        session.append_one(&user("room is free again")).expect("an append");
        assert!(session.verify().expect("a report").is_whole());
    });
}

#[test]
fn a_read_only_disk_can_be_read() {
    Disk::with("size=2m", "a_read_only_disk_can_be_read", |disk| {
        drop(filled(&disk.store(), "a", 3, 50));
        filled(&disk.store(), "b", 3, 50).archive().expect("an archive");
        disk.remount("ro");
        let store = disk.store();
        for name in ["a", "b"] {
            let session = open(&store, name).expect("it opens");
            assert!(session.verify().expect("a report").is_whole());
            assert_eq!(session.state().expect("a state").history.len(), 3);
            let error = if name == "a" {
                session.append_one(&user("x")).map(|_| ())
            } else {
                session.restore().map(|_| ())
            };
            let error = error.expect_err("nothing can be written");
            is_refused(&error);
        }
        assert_eq!(code(open(&store, "a").expect("it opens").archive()), "store_failed");
        is_refused(&create(&store, "c").expect_err("nothing can be written"));
        let key = Key::parse("x/y").expect("a key");
        is_refused(&store.put(&key, b"1", &Condition::Any).expect_err("nothing can be written"));
        assert_eq!(store.holder(&log_key("a")).expect("an answer"), None);
        assert_eq!(sessions(&*store).expect("a list").len(), 2);
        disk.remount("rw");
        let session = open(&store, "a").expect("it opens");
        assert_eq!(session.append_one(&user("x")).expect("an append"), 4);
    });
}
