//! `turnkeep import`, as its users meet it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a store, and files to import.
struct Place(TempDir);

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

const SNAPSHOT: &str = "eai_snapshot.gz";
const ARCHIVE: &str = "11111111-2222-4333-8444-555555555555.jsonl.gz";

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with every fixture where its system would have put it.
    fn with_files() -> Self {
        let place = Self::new();
        for (name, to) in [
            (SNAPSHOT, SNAPSHOT),
            ("zeitlich_t-1.json.gz", "cold/threads/messages/t-1.json.gz"),
            (ARCHIVE, "archives/11111111-2222-4333-8444-555555555555.jsonl.gz"),
        ] {
            let to = place.file("in").join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(fixture(name), to).unwrap();
        }
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).env("TURNKEEP_STORE", self.file("store")).current_dir(self.0.path());
        let output = command.env_remove("NO_COLOR").output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn documents(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.run(&[args, &["--json"]].concat());
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

#[test]
fn a_folder_is_imported_once() {
    let place = Place::with_files();
    fs::write(place.file("in/notes.txt"), "something else").unwrap();
    let ran = place.run(&["import", "in"]);
    assert_eq!((ran.code, &*ran.err), (0, NOTE), "{ran:?}");
    let lines = [
        "imported 11111111-2222-4333-8444-555555555555: 2 entries from agentmux, archives/11111111-2222-4333-8444-555555555555.jsonl.gz",
        "imported messages/t-1: 3 entries from zeitlich, cold/threads/messages/t-1.json.gz",
        "imported default: 5 entries from eai, eai_snapshot.gz",
        "imported work: 1 entries from eai, eai_snapshot.gz",
        "skipped in notes.txt: bad_entry: no format of an earlier system is recognised in it",
        "4 imported, 0 there already, 1 skipped, 0 failed",
    ];
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), lines);
    let ran = place.run(&["import", "in"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.ends_with("0 imported, 4 there already, 1 skipped, 0 failed\n"), "{ran:?}");
    let ran = place.run(&["fsck"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("4 sessions, 4 live"), "{ran:?}");
    assert!(ran.out.ends_with(" 0 other files\n"), "{ran:?}");
    let ran = place.run(&["cat", "default", "--last", "1"]);
    assert!(ran.out.contains("日本"), "{ran:?}");
}

const NOTE: &str = "2 values of a cache are no session: --cache FILE writes them\n";

#[test]
fn programs_hear_the_same() {
    let place = Place::with_files();
    let documents = place.documents(&["import", "in/eai_snapshot.gz"]);
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[0]["session"], "default");
    assert_eq!(documents[0]["outcome"], "imported");
    assert_eq!(documents[0]["from"], "eai");
    assert_eq!(documents[0]["head"]["seq"], 5);
    assert_eq!(documents[2]["summary"]["imported"], 2);
    assert_eq!(documents[2]["summary"]["cache_entries"], 2);
    let documents = place.documents(&["import", "in/eai_snapshot.gz"]);
    assert_eq!(documents[0]["outcome"], "already_imported");
}

#[test]
fn a_dry_run_makes_nothing() {
    let place = Place::with_files();
    let ran = place.run(&["import", "in", "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("would import default: 5 entries"), "{ran:?}");
    assert!(ran.out.ends_with("dry run: 4 imported, 0 there already, 0 skipped, 0 failed\n"));
    assert!(!place.file("store").exists());
}

#[test]
fn a_cache_goes_to_a_file_of_its_own() {
    let place = Place::with_files();
    let ran = place.run(&["import", "in/eai_snapshot.gz", "--cache", "cache.json"]);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    let json = fs::read(place.file("cache.json")).unwrap();
    let cache: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(cache[0]["key"], "result:task_1");
    assert_eq!(cache[0]["value"]["$keys"], "atoms");
    assert_eq!(cache[1]["expires"], Value::Null);
    let ran = place.run(&["import", "in/eai_snapshot.gz", "--cache", "cache.json"]);
    assert_eq!(ran.code, 12, "{ran:?}");
    assert_eq!(fs::read(place.file("cache.json")).unwrap(), json);
}

#[test]
fn another_session_of_that_id_stays_and_the_new_one_can_have_another() {
    let place = Place::with_files();
    let archive = "in/z/t-1.json.gz";
    fs::create_dir(place.file("in/z")).unwrap();
    fs::copy(fixture("zeitlich_t-1.json.gz"), place.file(archive)).unwrap();
    fs::write(place.file("in/t-1.jsonl"), "{\"type\":\"system\"}\n").unwrap();
    assert_eq!(place.run(&["import", "in/t-1.jsonl"]).code, 0);
    let ran = place.run(&["import", archive]);
    assert_eq!(ran.code, 12, "{ran:?}");
    assert!(ran.err.contains("already_exists") && ran.err.contains("--as"), "{ran:?}");
    let ran = place.run(&["import", archive, "--as", "other"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("imported other: 3 entries"), "{ran:?}");
    let ran = place.run(&["import", "in/eai_snapshot.gz", "--as", "third"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(place.run(&["show", "third"]).code, 10);
}

#[test]
fn what_turnkeep_wrote_is_to_be_copied() {
    let place = Place::with_files();
    assert_eq!(place.run(&["import", "in"]).code, 0);
    assert_eq!(place.run(&["archive", "work"]).code, 0);
    for id in ["default", "work"] {
        let ending = if id == "work" { "jsonl.gz" } else { "jsonl" };
        let ran = place.run(&["import", &format!("store/{id}.{ending}")]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("not_supported") && ran.err.contains("turnkeep copy"), "{ran:?}");
    }
}

#[test]
fn what_cannot_be_read_fails_and_the_others_go_on() {
    let place = Place::with_files();
    let bytes = fs::read(fixture(SNAPSHOT)).unwrap();
    fs::write(place.file("in/broken.gz"), &bytes[..bytes.len() / 2]).unwrap();
    let ran = place.run(&["import", "in"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("gzip_truncated") && ran.err.contains("broken.gz"), "{ran:?}");
    assert!(ran.out.ends_with("4 imported, 0 there already, 0 skipped, 1 failed\n"), "{ran:?}");
    fs::write(place.file("in/text"), "nothing known").unwrap();
    let ran = place.run(&["import", "in/text"]);
    assert_eq!((ran.code, &*ran.out), (1, "0 imported, 0 there already, 0 skipped, 1 failed\n"));
    assert!(ran.err.contains("--from") && ran.err.contains("(key in/text)"), "{ran:?}");
    assert_eq!(place.run(&["import", "missing"]).code, 10);
    assert_eq!(place.run(&["import"]).code, 2);
    assert_eq!(place.run(&["import", "in/text", "--from", "other"]).code, 2);
}

#[test]
fn a_path_that_is_not_there_keeps_no_other_from_being_read() {
    let place = Place::with_files();
    fs::write(place.file("in/text"), "nothing known").unwrap();
    let ran = place.run(&["import", "missing", "in/text", "in/eai_snapshot.gz"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.ends_with("2 imported, 0 there already, 0 skipped, 2 failed\n"), "{ran:?}");
    assert!(ran.err.contains("cannot read missing") && ran.err.contains("Check the path."));
    assert!(!ran.err.contains("List the store"), "{ran:?}");
    let empty = Place::new();
    assert_eq!(empty.run(&["import", "missing"]).code, 10);
    assert!(!empty.file("store").exists());
}

#[test]
fn what_a_store_keeps_of_its_own_is_passed_over() {
    let place = Place::with_files();
    assert_eq!(place.run(&["import", "in"]).code, 0);
    assert_eq!(place.run(&["archive", "work"]).code, 0);
    let ran = place.run(&["import", "store"]);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    assert!(ran.out.contains("0 imported, 0 there already, ") && ran.out.ends_with(" 0 failed\n"));
    assert!(
        ran.out.contains("skipped in imports/") && ran.out.contains("skipped in work.jsonl.gz")
    );
    let listed = place.run(&["ls"]);
    assert_eq!(listed.out.lines().count(), 4, "{listed:?}");
}

/// A file that is all hole.
#[cfg(unix)]
#[test]
fn files_that_are_too_large_are_not_read() {
    let place = Place::new();
    let file = fs::File::create(place.file("large.gz")).unwrap();
    file.set_len((1 << 30) + 1).unwrap();
    let ran = place.run(&["import", "large.gz"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("too_large") && ran.err.contains("1 GiB"), "{ran:?}");
}

/// As a shell expands `sessions/*`.
#[test]
fn files_of_one_session_that_are_named_one_by_one_belong_together() {
    let place = Place::new();
    let folder = fixture("opendev");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let names = ["a1b2c3d4e5f6.events.jsonl", "a1b2c3d4e5f6.json", "a1b2c3d4e5f6.jsonl"].map(path);
    let ran = place.run(&["import", &names[0], &names[1], &names[2]]);
    assert!(ran.out.contains("imported a1b2c3d4e5f6"), "{ran:?}");
    assert!(
        ran.out.contains("1 imported, 0 there already") && !ran.err.contains("exists"),
        "{ran:?}"
    );
}

#[test]
fn one_session_of_several_can_have_another_id() {
    let place = Place::with_files();
    assert_eq!(place.run(&["import", "in/eai_snapshot.gz"]).code, 0);
    let mut other = fs::read(fixture("eai_session_default.gz")).unwrap();
    fs::write(place.file("in/default.gz"), &other).unwrap();
    let ran = place.run(&["import", "in/default.gz"]);
    assert_eq!(ran.code, 12, "{ran:?}");
    assert!(ran.err.contains("--only default --as"), "{ran:?}");
    let args = ["import", "in/eai_snapshot.gz", "--only", "default", "--as", "again"];
    assert_eq!(place.run(&args).code, 0);
    assert_eq!(place.run(&["show", "again"]).code, 0);
    other.clear();
    let ran = place.run(&["import", "in", "--as", "one"]);
    assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
    assert_eq!(place.run(&["show", "one"]).code, 10);
}

#[test]
fn a_dry_run_tells_what_would_fail() {
    let place = Place::with_files();
    fs::write(place.file("in/default.jsonl"), "{\"type\":\"system\"}\n").unwrap();
    let dry = place.run(&["import", "in", "-n"]);
    let real = place.run(&["import", "in"]);
    assert_eq!((dry.code, real.code), (3, 3), "{dry:?} {real:?}");
    assert!(dry.out.contains("4 imported, 0 there already, 0 skipped, 1 failed"), "{dry:?}");
    assert!(real.out.contains("4 imported, 0 there already, 0 skipped, 1 failed"), "{real:?}");
}

#[test]
fn nothing_that_could_be_read_is_a_failure() {
    let place = Place::new();
    fs::write(place.file("torn.jsonl"), "{\"kind\":\"session_st").unwrap();
    let ran = place.run(&["import", "torn.jsonl", "--from", "session-store"]);
    assert_ne!(ran.code, 0, "{ran:?}");
}

#[cfg(unix)]
#[test]
fn links_in_folders_are_told_and_devices_are_not_read() {
    let place = Place::with_files();
    fs::create_dir(place.file("links")).unwrap();
    std::os::unix::fs::symlink("../in/eai_snapshot.gz", place.file("links/single.gz")).unwrap();
    let ran = place.run(&["import", "links"]);
    assert!(ran.out.contains("skipped in single.gz: not_supported"), "{ran:?}");
    let ran = place.run(&["import", "links/single.gz"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = place.run(&["import", "/dev/zero"]);
    assert!(ran.err.contains("no regular file"), "{ran:?}");
    let ran = place.run(&["export", "default", "--to", "messages", "-o", "/dev/null"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = place.run(&["bundle", "/dev/null"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_session_that_the_files_have_not_is_told() {
    let place = Place::with_files();
    let ran = place.run(&["import", "in/eai_snapshot.gz", "--only", "typo"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(ran.err.contains("they have: default, work"), "{ran:?}");
}

/// Paths tell files apart, not what is shown of them.
#[cfg(target_os = "linux")]
#[test]
fn files_whose_names_look_alike_are_all_told_of() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    fs::create_dir_all(place.file("in/x")).unwrap();
    let snapshot = fs::read(fixture("zeitlich_t-1.json.gz")).unwrap();
    for name in [&b"x\\a.json.gz"[..], b"x/a.json.gz", b"b\xfe.json.gz", b"b\xff.json.gz"] {
        let path = place.file("in").join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, &snapshot).unwrap();
    }
    let told = place.documents(&["import", "in"]);
    let summary = &told.last().unwrap()["summary"];
    // What is shown of the last two gives them one id, which only the first can have.
    assert_eq!((&summary["imported"], &summary["failed"]), (&3.into(), &1.into()), "{told:?}");
}
