//! `turnkeep bundle` and `turnkeep unbundle`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::{Create, Draft, FileStore, Session, SessionId};

fn filled(root: &Path, names: &[&str]) {
    let store = Arc::new(FileStore::open(root).unwrap());
    for name in names {
        let id = SessionId::new(*name).unwrap();
        let session = Session::create(store.clone(), Create::default().with_id(id)).unwrap();
        session.append(&[Draft::user_input("\"Hi\"")]).unwrap();
    }
}

fn append(root: &Path, name: &str) {
    let store = Arc::new(FileStore::open(root).unwrap());
    let session = Session::open(store, &SessionId::new(name).unwrap()).unwrap();
    session.append(&[Draft::turn_end(1)]).unwrap();
}

fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
    command.args(args).arg("--store").arg(root).env_remove("TURNKEEP_STORE");
    command
}

fn run(root: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(root, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        filled(&place.root("one"), &["a", "b", "Über/1"]);
        place
    }

    fn root(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.root(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn sessions_move_in_a_bundle_and_change_nothing_the_second_time() {
    let place = Place::new();
    let file = place.file("all.bundle");
    let (code, out, err) = run(&place.root("one"), &["bundle", &file]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.contains("3 sessions, 6 entries"), "{out}");
    let (code, out, err) = run(&place.root("two"), &["unbundle", &file]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.contains("new        Über/1  2 entries"), "{out}");
    let (_, ours, _) = run(&place.root("one"), &["cat", "a", "--raw"]);
    assert_eq!(run(&place.root("two"), &["cat", "a", "--raw"]).1, ours);
    let (code, out, _) = run(&place.root("two"), &["unbundle", &file, "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, told["sessions"][0]["change"].as_str()), (0, Some("unchanged")));
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let place = Place::new();
    let file = place.file("all.bundle");
    run(&place.root("one"), &["bundle", &file, "a", "b"]);
    append(&place.root("one"), "a");
    let before = run(&place.root("one"), &["cat", "a", "--raw"]).1;
    let (code, out, _) = run(&place.root("one"), &["unbundle", &file, "-n"]);
    assert_eq!(code, 0);
    assert!(out.contains("replaced   a  2 entries\nunchanged  b"), "{out}");
    assert!(out.ends_with("2 sessions: nothing was changed\n"), "{out}");
    assert_eq!(run(&place.root("one"), &["cat", "a", "--raw"]).1, before);
    run(&place.root("one"), &["unbundle", &file, "a"]);
    assert_ne!(run(&place.root("one"), &["cat", "a", "--raw"]).1, before);
}

#[test]
fn a_folder_that_is_not_there_is_not_made_for_a_bundle() {
    let place = Place::new();
    let (code, _, err) = run(&place.root("one"), &["bundle", &place.file("typo/all.bundle")]);
    assert!(code == 10 && err.contains("there is no folder"), "{code} {err}");
    assert!(!place.root("typo").exists());
}

#[test]
fn bundles_go_through_pipes() {
    let place = Place::new();
    let mut from = command(&place.root("one"), &["bundle", "-"]);
    let mut from = from.stdout(Stdio::piped()).spawn().unwrap();
    let mut to = command(&place.root("two"), &["unbundle", "-"]);
    let out = to.stdin(from.stdout.take().unwrap()).output().unwrap();
    assert!(from.wait().unwrap().success() && out.status.success(), "{out:?}");
    assert!(String::from_utf8(out.stdout).unwrap().ends_with("3 sessions: restored\n"));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_changed() {
    let place = Place::new();
    let file = place.file("all.bundle");
    run(&place.root("one"), &["bundle", &file]);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 4;
    std::fs::write(&file, &bytes).unwrap();
    let (code, _, err) = run(&place.root("two"), &["unbundle", &file]);
    assert_eq!(code, 20, "{err}");
    assert!(run(&place.root("two"), &["ls"]).1.is_empty());
    let (code, _, err) = run(&place.root("two"), &["unbundle", &place.file("none")]);
    assert_eq!(code, 10, "{err}");
    let (code, _, err) = run(&place.root("one"), &["bundle", &file, "nobody"]);
    assert_eq!(code, 10, "{err}");
    let (code, _, err) = run(&place.root("one"), &["bundle", &place.file("all.bundle/x")]);
    assert_eq!(code, 1, "{err}");
}

/// What an interrupted restoring replaced cannot be told: nothing says that nothing was changed.
#[test]
fn a_journal_that_cannot_be_read_says_what_to_do() {
    let place = Place::new();
    let folder = place.root("one").join("restore");
    std::fs::create_dir(&folder).unwrap();
    let journal = folder.join("journal.jsonl");
    let garbage: [&[u8]; 2] = [b"garbage\n", b"\xff\n"];
    for bytes in garbage {
        std::fs::write(&journal, bytes).unwrap();
        let (code, _, err) = run(&place.root("one"), &["bundle", &place.file("all.bundle")]);
        assert_eq!(code, 20, "{err}");
        assert!(err.contains("half replaced") && err.contains("restore/aside"), "{err}");
        assert!(!err.contains("nothing was changed") && !err.contains("Copy"), "{err}");
    }
    // Far longer than any, and never read whole.
    std::fs::File::create(&journal).unwrap().set_len(1 << 40).unwrap();
    let (code, _, err) = run(&place.root("one"), &["bundle", &place.file("all.bundle")]);
    assert!(code == 20 && err.contains("half replaced"), "{err}");
}

#[test]
fn a_damaged_session_is_named_and_the_others_are_in_it() {
    let place = Place::new();
    let log = place.root("one").join("a.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("\"Hi\"", "\"Ho\"", 1)).unwrap();
    let (code, out, err) = run(&place.root("one"), &["bundle", &place.file("all.bundle")]);
    assert_eq!(code, 20);
    assert!(out.contains("2 sessions") && err.contains("left out a: bad_hash"), "{out}{err}");
}

/// The older one may be the only place where the session is whole.
#[test]
fn a_fuller_bundle_is_only_replaced_when_told() {
    let place = Place::new();
    let file = place.file("all.bundle");
    run(&place.root("one"), &["bundle", &file]);
    let before = std::fs::read(&file).unwrap();
    let log = place.root("one").join("a.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("\"Hi\"", "\"Ho\"", 1)).unwrap();
    let (code, _, err) = run(&place.root("one"), &["bundle", &file]);
    assert_eq!(code, 12, "{err}");
    assert!(err.contains("already_exists") && err.contains("of a"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let (code, _, _) = run(&place.root("one"), &["bundle", &file, "--leave-out-damaged"]);
    assert_eq!(code, 20);
    assert_ne!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn what_is_no_files_name_is_refused() {
    let place = Place::new();
    let (code, _, err) = run(&place.root("one"), &["bundle", "a"]);
    assert_eq!(code, 2);
    assert!(err.contains("the file comes first"), "{err}");
    assert_eq!(run(&place.root("one"), &["bundle", "s3://bucket/x"]).0, 2);
    let inside = place.root("one").join("backup.jsonl.gz");
    let (code, _, err) = run(&place.root("one"), &["bundle", inside.to_str().unwrap()]);
    assert_eq!(code, 2, "{err}");
}

/// A link is written through: what it leads to is what has to be outside.
#[cfg(unix)]
#[test]
fn a_link_leads_to_no_log() {
    let place = Place::new();
    let log = place.root("one").join("a.jsonl");
    let before = std::fs::read(&log).unwrap();
    let link = place.root("link.bundle");
    std::os::unix::fs::symlink(&log, &link).unwrap();
    let (code, _, err) = run(&place.root("one"), &["bundle", link.to_str().unwrap()]);
    assert_eq!(code, 2, "{err}");
    assert_eq!(std::fs::read(&log).unwrap(), before);
}

#[test]
fn a_dry_run_makes_no_store_and_wrong_files_are_told() {
    let place = Place::new();
    let file = place.file("all.bundle");
    run(&place.root("one"), &["bundle", &file]);
    let (code, out, _) = run(&place.root("two"), &["unbundle", "-n", &file]);
    assert_eq!((code, out.lines().count()), (0, 4));
    assert!(!place.root("two").exists());
    let (code, _, err) = run(&place.root("two"), &["unbundle", &place.file("none")]);
    assert_eq!(code, 10);
    assert!(err.contains("none: ") && !err.contains("runtime.bundle"), "{err}");
    let log = place.root("one").join("a.jsonl");
    let (_, _, err) = run(&place.root("two"), &["unbundle", log.to_str().unwrap()]);
    assert!(err.contains("turnkeep copy"), "{err}");
    let (_, _, err) = run(&place.root("two"), &["import", &file]);
    assert!(err.contains("turnkeep unbundle"), "{err}");
}

#[test]
fn a_dry_run_of_a_stream_leaves_the_store_alone() {
    let place = Place::new();
    let file = place.file("all.bundle");
    run(&place.root("one"), &["bundle", &file]);
    let kept = place.root("kept");
    std::fs::create_dir(&kept).unwrap();
    for root in ["one", "two"] {
        let mut command = command(&place.root(root), &["unbundle", "-", "-n"]);
        command.stdin(std::fs::File::open(&file).unwrap()).env("TMPDIR", &kept);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{out:?}");
        assert!(String::from_utf8(out.stdout).unwrap().ends_with("nothing was changed\n"));
    }
    assert!(!place.root("one/restore").exists() && !place.root("two").exists());
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0, "nothing is left of it");
}
