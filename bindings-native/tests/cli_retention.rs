//! The commands that keep a store small: archive, restore, sweep, prune, du; and what the others say
//! of archived and pruned sessions.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::{About, Create, Draft, FileStore, Session, SessionId, set_about};

const DAY: u64 = 24 * 3600;

/// A store of its own for each test.
struct Place(TempDir);

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn id(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

impl Place {
    fn with(names: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        names.iter().for_each(|name| place.create(name));
        place
    }

    /// A session that was not written to for ten days.
    fn create(&self, name: &str) {
        let session = Session::create(self.open(), Create::default().with_id(id(name))).unwrap();
        session.append(&[Draft::user_input("\"Hi\""), Draft::turn_end(1)]).unwrap();
        drop(session);
        self.age(&format!("{name}.jsonl"));
    }

    /// As if it had been written ten days ago.
    fn age(&self, file: &str) {
        let file = fs::File::options().write(true).open(self.path(file)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(10 * DAY)).unwrap();
    }

    fn open(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(self.store()).unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.store().join(file)
    }

    /// A file outside of the store.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn start(&self, args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).env("TURNKEEP_STORE", self.store()).env_remove("NO_COLOR");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    #[track_caller]
    fn run_with(&self, code: i32, args: &[&str], stdin: &str) -> Ran {
        let mut child = self.start(args);
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
        ended(child).ends_with(code)
    }

    #[track_caller]
    fn run(&self, code: i32, args: &[&str]) -> Ran {
        self.run_with(code, args, "")
    }

    /// The only document that a run gives.
    #[track_caller]
    fn json(&self, code: i32, args: &[&str]) -> Value {
        let ran = self.run(code, &[args, &["--json"]].concat());
        let documents = documents(&ran.out);
        assert_eq!(documents.len(), 1, "{ran:?}");
        documents[0].clone()
    }

    #[track_caller]
    fn append(&self, name: &str) {
        self.run_with(0, &["append", name], "{\"kind\":\"user_input\",\"item\":\"more\"}");
    }

    /// An archive that was last used ten days ago.
    fn archive(&self, name: &str) {
        self.run(0, &["archive", name]);
    }

    /// Every file with its bytes, but for the note of the last sweep.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(self.store()).unwrap().map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| path.is_file() && !path.ends_with("sweep.json"));
        let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.sort();
        files
    }
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn documents(lines: &str) -> Vec<Value> {
    let documents: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(documents.iter().all(|document| document["schema_version"] == 1), "{lines}");
    documents
}

/// A gzip member with stored blocks, as other programs may write it.
fn member(content: &[u8]) -> Vec<u8> {
    let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    let mut pieces = content.chunks(60_000).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap();
        gzip.push(u8::from(pieces.peek().is_none()));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(piece);
    }
    gzip.extend(crc32(content).to_le_bytes());
    gzip.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    gzip
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// A log as two members.
fn members(log: &[u8]) -> Vec<u8> {
    let (first, second) = log.split_at(log.iter().position(|byte| *byte == b'\n').unwrap() + 9);
    [member(first), member(second)].concat()
}

mod archive {
    use super::*;

    #[test]
    fn several_sessions_go_on_after_a_failure() {
        let place = Place::with(&["a", "b"]);
        let before = place.files();
        let ran = place.run(3, &["archive", "a", "none", "b"]);
        let lines: Vec<_> = ran.out.lines().collect();
        assert!(
            lines[0].starts_with("archived a: log ") && lines[1].starts_with("archived b: log ")
        );
        assert!(ran.err.starts_with("turnkeep: not_found: "), "{}", ran.err);
        let ran = place.run(3, &["restore", "none", "b", "a", "--json"]);
        let restored = documents(&ran.out);
        assert_eq!((&restored[0]["session"], &restored[1]["form"]), (&"b".into(), &"live".into()));
        let errors = documents(&ran.err);
        assert_eq!((&errors[0]["error"]["session"], errors.len()), (&"none".into(), 1));
        assert_eq!(place.files(), before);
        place.run(12, &["restore", "a", "none"]);
        place.run(10, &["archive", "none", "nobody"]);
    }

    #[test]
    fn what_is_appended_to_an_archive_is_put_in_by_archiving_again() {
        let place = Place::with(&["a"]);
        place.archive("a");
        let archived = fs::read(place.path("a.jsonl.gz")).unwrap();
        place.append("a");
        assert_eq!(fs::read(place.path("a.jsonl.gz")).unwrap(), archived);
        assert_eq!(fs::read_to_string(place.path("a.jsonl")).unwrap().lines().count(), 1);
        let raw = place.run(0, &["cat", "a", "--raw"]).out;
        assert_eq!(raw.lines().count(), 4);
        for args in [&["verify", "a"][..], &["show", "a"], &["fsck"], &["log", "a"]] {
            place.run(0, args);
        }
        assert_eq!(place.json(0, &["fsck"])["summary"]["leftovers"], 0);
        place.archive("a");
        assert!(!place.path("a.jsonl").exists());
        assert_eq!(place.run(0, &["cat", "a", "--raw"]).out, raw);
        place.append("a");
        place.run(0, &["restore", "a"]);
        assert_eq!(fs::read_to_string(place.path("a.jsonl")).unwrap().lines().count(), 5);
    }
}

mod sweep {
    use super::*;

    #[test]
    fn what_is_idle_is_archived_and_what_is_not_stays() {
        let place = Place::with(&["idle", "new"]);
        place.append("new");
        let before = place.files();
        let ran = place.run(0, &["sweep", "--dry-run"]);
        assert!(ran.out.starts_with("would archive idle: "), "{}", ran.out);
        assert!(ran.out.contains("\ndry run: 1 archived, 0 pruned, 0 failed, 1 kept, "));
        assert_eq!(place.files(), before);
        let ran = place.run(0, &["sweep", "-v"]);
        assert!(ran.out.starts_with("archived idle: "), "{}", ran.out);
        assert!(ran.out.contains("\nkept new: recent\n1 archived, 0 pruned, 0 failed, 1 kept, "));
        assert!(!place.path("idle.jsonl").exists() && place.path("new.jsonl").exists());
        assert_eq!(place.run(0, &["sweep"]).out.lines().count(), 1);
        let document = place.json(0, &["sweep", "--inactive", "0s"]);
        let sessions = document["sessions"].as_array().unwrap();
        assert_eq!(
            (&sessions[0]["outcome"], &sessions[0]["reason"]),
            (&"kept".into(), &"archived".into())
        );
        assert_eq!(
            (&sessions[1]["outcome"], &document["archived"]),
            (&"archived".into(), &1.into())
        );
        assert_eq!((&document["failed"], &document["dry_run"]), (&0.into(), &false.into()));
        assert_eq!(place.json(0, &["fsck"])["summary"]["other_files"], 0);
    }

    #[test]
    fn the_longest_unused_are_pruned_until_the_rest_fit() {
        let place = Place::with(&["a", "b"]);
        place.run(0, &["sweep", "--max-bytes", "none"]);
        let before = place.files();
        let dry = place.json(0, &["sweep", "-n", "--max-bytes", "0"]);
        assert_eq!((&dry["pruned"], &dry["dry_run"]), (&2.into(), &true.into()));
        assert_eq!(place.files(), before);
        place.run(0, &["sweep", "--max-bytes", "0", "--min-age", "30d"]);
        assert_eq!(place.files(), before);
        let done = place.json(0, &["sweep", "--max-bytes", "0"]);
        assert_eq!((&done["pruned"], &done["freed_bytes"]), (&2.into(), &dry["freed_bytes"]));
        assert!(!place.path("a.jsonl.gz").exists() && !place.path("b.jsonl.gz").exists());
    }

    #[test]
    fn kinds_and_tags_choose() {
        let place = Place::with(&["agent", "pinned", "plain"]);
        for (name, kind, tag) in [("agent", "agent", "x"), ("pinned", "agent", "keep")] {
            let mut about = About::default();
            about.kind = Some(kind.into());
            about.tags = vec![tag.into()];
            set_about(&*place.open(), &id(name), about).unwrap();
        }
        let args = ["sweep", "-v", "--kind", "agent", "--kind", "other", "--keep-tag", "keep"];
        let ran = place.run(0, &args);
        assert!(ran.out.starts_with("archived agent: "), "{}", ran.out);
        assert!(ran.out.contains("\nkept pinned: tag\nkept plain: kind\n"), "{}", ran.out);
    }

    #[test]
    fn a_failure_is_told_and_the_others_go_on() {
        let place = Place::with(&["a", "bad", "c"]);
        let mut log = fs::read(place.path("bad.jsonl")).unwrap();
        let last = log.len() - 3;
        log[last] ^= 1;
        fs::write(place.path("bad.jsonl"), log).unwrap();
        place.age("bad.jsonl");
        let ran = place.run(3, &["sweep"]);
        let starts = [
            "archived a: ",
            "failed bad: bad_hash: ",
            "archived c: ",
            "2 archived, 0 pruned, 1 failed",
        ];
        assert!(
            ran.out.lines().zip(starts).all(|(line, start)| line.starts_with(start)),
            "{ran:?}"
        );
        let document = place.json(3, &["sweep"]);
        assert_eq!(document["sessions"][1]["error"]["code"], "bad_hash");
    }

    #[test]
    fn a_session_that_is_held_stays() {
        let place = Place::with(&["held"]);
        let session = Session::open(place.open(), &id("held")).unwrap();
        session.append_one(&Draft::user_input("\"more\"")).unwrap();
        let ran = place.run(0, &["sweep", "-v", "--inactive", "0s"]);
        assert!(ran.out.starts_with("kept held: held\n"), "{}", ran.out);
        drop(session);
    }

    #[test]
    fn durations_and_sizes_that_are_none_are_wrong_usage() {
        let place = Place::with(&["a"]);
        for args in [
            &["sweep", "--inactive", "7"][..],
            &["sweep", "--inactive", "-7d"],
            &["sweep", "--inactive", "99999999999999999d"],
            &["sweep", "--max-bytes", "2G"],
            &["sweep", "--max-bytes", "never"],
            &["sweep", "--min-age", "never"],
            &["sweep", "--every", "0s"],
            &["sweep", "--every", "1h", "--dry-run"],
            &["du", "--inactive", "x"],
            &["prune", "--max-bytes", "none", "--yes"],
        ] {
            assert!(!place.run(2, args).err.is_empty());
        }
        assert!(place.path("a.jsonl").exists());
    }

    #[cfg(unix)]
    #[test]
    fn again_and_again_until_a_signal_ends_it() {
        for signal in ["TERM", "INT"] {
            let place = Place::with(&["a"]);
            let child = place.start(&["sweep", "--every", "1s", "--json"]);
            wait_for(|| !place.path("a.jsonl").exists());
            place.create("b");
            wait_for(|| !place.path("b.jsonl").exists());
            let kill = Command::new("kill")
                .args([&format!("-{signal}"), &child.id().to_string()])
                .status();
            assert!(kill.unwrap().success());
            let ran = ended(child).ends_with(0);
            let archived: u64 =
                documents(&ran.out).iter().map(|sweep| sweep["archived"].as_u64().unwrap()).sum();
            assert_eq!((archived, ran.err), (2, String::new()));
            // Nothing keeps others from sweeping.
            place.run(0, &["sweep"]);
        }
    }

    #[cfg(unix)]
    #[track_caller]
    fn wait_for(is_so: impl Fn() -> bool) {
        for _ in 0..1500 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not happen");
    }
}

mod prune {
    use super::*;

    #[test]
    fn nothing_is_pruned_unasked() {
        let place = Place::with(&["a"]);
        place.archive("a");
        let before = place.files();
        for args in [&["prune", "--max-bytes", "0"][..], &["prune", "a", "--reason", "x"]] {
            let ran = place.run(2, args);
            assert!(
                ran.err.contains("nobody can be asked") && ran.err.contains("--yes"),
                "{ran:?}"
            );
        }
        // Where nothing would go, nobody has to be asked.
        assert!(place.run(0, &["prune"]).out.contains("0 pruned"));
        let dry = place.run(0, &["prune", "--max-bytes", "0", "--dry-run"]);
        assert!(dry.out.starts_with("would prune a: "), "{}", dry.out);
        assert_eq!(place.files(), before);
    }

    #[test]
    fn archives_are_pruned_and_logs_are_not() {
        let place = Place::with(&["a", "live"]);
        place.archive("a");
        let ran = place.run(0, &["prune", "--max-bytes", "0", "--yes"]);
        assert!(ran.out.starts_with("pruned a: ") && ran.out.contains("\n0 archived, 1 pruned, "));
        assert!(place.path("live.jsonl").exists() && !place.path("a.jsonl.gz").exists());
        let document = place.json(0, &["prune", "-y"]);
        assert_eq!((&document["pruned"], &document["kept"]), (&0.into(), &1.into()));
    }

    #[test]
    fn named_sessions_are_pruned_with_a_reason() {
        let place = Place::with(&["a", "b", "live"]);
        place.run(0, &["archive", "a", "b"]);
        place.run(2, &["prune", "a", "--yes"]);
        place.run(2, &["prune", "--reason", "x", "--yes"]);
        place.run(2, &["prune", "a", "--reason", "x", "--yes", "--min-age", "1d"]);
        place.run(2, &["prune", "a", "--reason", "x", "--dry-run"]);
        let ran = place.run(3, &["prune", "live", "a", "--reason", "asked for", "--yes"]);
        assert!(ran.out.starts_with("pruned a: archive "), "{}", ran.out);
        assert!(ran.err.starts_with("turnkeep: conflict: "), "{}", ran.err);
        assert!(ran.err.contains("hint: `turnkeep archive live`"), "{}", ran.err);
        let document = place.json(0, &["prune", "b", "--reason", "asked for", "-y"]);
        assert_eq!((&document["session"], &document["reason"]), (&"b".into(), &"asked for".into()));
        assert!(document["pruned_at"].is_string() && document["archive_bytes"].is_u64());
        place.run(10, &["prune", "a", "--reason", "again", "--yes"]);
        place.run_with(0, &["append", "new"], "{\"kind\":\"user_input\",\"item\":\"Hi\"}");
        place.run(0, &["archive", "new"]);
        let ran = place.run(11, &["prune", "new", "--reason", "x", "--yes"]);
        assert!(ran.err.contains("hint: Try again in a minute"), "{}", ran.err);
    }

    #[test]
    fn a_pruned_session_says_when_and_why() {
        let place = Place::with(&["a", "other"]);
        place.archive("a");
        place.run(0, &["prune", "a", "--reason", "no longer needed", "--yes"]);
        for args in [
            &["show", "a"][..],
            &["cat", "a"],
            &["cat", "a", "--inflate"],
            &["log", "a"],
            &["log", "a", "--graph"],
            &["verify", "a"],
            &["append", "a"],
            &["fork", "a", "b"],
            &["resume", "a"],
            &["compact", "a", "--summary", "x"],
            &["repair", "a"],
            &["archive", "a"],
            &["restore", "a"],
            &["du", "a"],
        ] {
            let ran = place.run_with(10, args, "{\"kind\":\"user_input\",\"item\":\"more\"}");
            let error = &ran.err;
            assert!(
                error.starts_with("turnkeep: pruned: the session was pruned at 2"),
                "{args:?} {error}"
            );
            assert!(error.contains("Z: no longer needed"), "{args:?} {error}");
        }
        let documents = documents(&place.run(0, &["fsck", "--json"]).out);
        assert_eq!(
            (&documents[0]["verdict"], &documents[0]["fault"]["code"]),
            (&"pruned".into(), &"pruned".into())
        );
        assert_eq!(documents[1]["summary"]["pruned"], 1);
        assert!(place.run(0, &["fsck"]).out.starts_with("pruned a: the session was pruned at 2"));
        assert_eq!(place.run(0, &["ls"]).out, "other\n");
    }
}

mod du {
    use super::*;

    #[test]
    fn the_largest_is_first_and_all_are_summed_up() {
        let place = Place::with(&["a", "b", "c"]);
        place.archive("a");
        place.append("b");
        let document = place.json(0, &["du"]);
        let sessions = document["sessions"].as_array().unwrap();
        let names: Vec<_> =
            sessions.iter().map(|session| session["session"].as_str().unwrap()).collect();
        assert_eq!(names[0], "b");
        let of = |name: &str| sessions.iter().find(|session| session["session"] == name).unwrap();
        assert_eq!((&of("a")["live_bytes"], &of("a")["form"]), (&0.into(), &"archived".into()));
        assert!(of("a")["beside_bytes"].as_u64().unwrap() > 0);
        assert_eq!(of("b")["reclaimable_bytes"], 0);
        assert_eq!(of("c")["reclaimable_bytes"], of("c")["live_bytes"]);
        for name in
            ["all", "live", "archived", "beside", "reclaimable"].map(|name| format!("{name}_bytes"))
        {
            let sum: u64 = sessions.iter().map(|session| session[&name].as_u64().unwrap()).sum();
            assert_eq!(document["total"][&name], sum, "{name}");
        }
        let text = place.run(0, &["du"]).out;
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["all", "live", "archived", "beside", "reclaimable", "session"]);
        assert_eq!((lines[1][5], lines[4][5]), ("b", "(total)"));
        assert_eq!(lines[4][0], document["total"]["all_bytes"].to_string());
        assert_eq!(place.json(0, &["du", "--inactive", "30d"])["total"]["reclaimable_bytes"], 0);
    }

    #[test]
    fn some_sessions_and_one_that_is_not_there() {
        let place = Place::with(&["a", "b"]);
        let ran = place.run(3, &["du", "a", "none", "--json"]);
        let document = documents(&ran.out)[0].clone();
        assert_eq!(document["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(document["total"]["all_bytes"], document["sessions"][0]["all_bytes"]);
        assert_eq!(documents(&ran.err)[0]["error"]["code"], "not_found");
        place.run(10, &["du", "none"]);
    }
}

mod foreign {
    use turnkeep::core::gzip::deflate::Deflater;

    use super::*;

    #[test]
    fn gzip_of_several_members_is_read_appended_to_and_archived_anew() {
        let place = Place::with(&["a"]);
        let log = fs::read(place.path("a.jsonl")).unwrap();
        fs::remove_file(place.path("a.jsonl")).unwrap();
        fs::write(place.path("a.jsonl.gz"), members(&log)).unwrap();
        let check = |entries: usize| {
            assert_eq!(place.run(0, &["cat", "a", "--raw"]).out.lines().count(), entries);
            assert_eq!(place.json(0, &["show", "a"])["entries"], entries);
            assert_eq!(place.json(0, &["verify", "a"])["verdict"], "whole");
            place.run(0, &["log", "a"]);
            let documents = documents(&place.run(0, &["fsck", "--json"]).out);
            assert_eq!(
                (&documents[0]["foreign_archive"], &documents[0]["verdict"]),
                (&true.into(), &"whole".into())
            );
            assert_eq!(documents[1]["summary"]["foreign_archives"], 1);
            assert!(place.run(0, &["fsck"]).out.starts_with("foreign a: "));
        };
        check(3);
        place.append("a");
        check(4);
        place.archive("a");
        assert_eq!(place.json(0, &["fsck"])["summary"]["foreign_archives"], 0);
        assert_eq!(place.run(0, &["cat", "a", "--raw"]).out.lines().count(), 4);
    }

    #[test]
    fn a_file_of_several_members_is_read() {
        let place = Place::with(&["a"]);
        let log = fs::read_to_string(place.path("a.jsonl")).unwrap();
        let file = place.file("x.jsonl.gz", &members(log.as_bytes()));
        assert_eq!(place.run(0, &["cat", &file, "--raw"]).out, log);
        assert_eq!(place.run(0, &["cat", &file, "--inflate"]).out, log);
        place.run(0, &["verify", &file]);
    }

    #[test]
    fn lines_that_are_no_log_can_be_inflated() {
        let place = Place::with(&["a"]);
        let lines = "{\"type\":\"assistant\"}\n{\"type\":\"result\"}\n";
        let file = place.file("foreign.jsonl.gz", &member(lines.as_bytes()));
        let ran = place.run(20, &["cat", &file]);
        assert!(ran.out.is_empty() && ran.err.contains("cat --inflate"), "{ran:?}");
        assert_eq!(place.run(0, &["cat", &file, "--inflate"]).out, lines);
        let file = place.file("cut.gz", &member(lines.as_bytes())[..40]);
        assert!(place.run(20, &["cat", &file, "--inflate"]).err.contains("gzip_truncated"));
        place.run(2, &["cat", &file, "--inflate", "--json"]);
    }

    #[test]
    fn a_bomb_is_refused() {
        let place = Place::with(&["a"]);
        let bomb = bomb();
        let file = place.file("bomb.jsonl.gz", &bomb);
        let ran = place.run(20, &["cat", &file, "--inflate"]);
        assert!(ran.err.starts_with("turnkeep: output_limit: "), "{}", ran.err);
        assert!(ran.err.contains("gzip -dc") && ran.out.len() <= 4 << 20);
        for args in [&["cat", &file][..], &["verify", &file]] {
            let ran = place.run(20, args);
            assert!(
                ran.err.contains("output_limit") || ran.out.contains("output_limit"),
                "{ran:?}"
            );
        }
        fs::write(place.path("bomb.jsonl.gz"), &bomb).unwrap();
        assert!(place.run(20, &["fsck"]).out.contains("broken bomb: output_limit: "));
    }

    /// 8 MiB of zeros in some kilobytes.
    fn bomb() -> Vec<u8> {
        let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        let mut deflater = Deflater::new();
        (0..8).for_each(|_| deflater.block(&[0; 1 << 20], &mut gzip));
        gzip
    }
}

mod damage {
    use super::*;

    #[test]
    fn a_log_that_does_not_follow_its_archive_is_told() {
        let place = Place::with(&["a", "b"]);
        place.archive("a");
        place.append("a");
        place.archive("b");
        fs::copy(place.path("b.jsonl.gz"), place.path("a.jsonl.gz")).unwrap();
        let ran = place.run(20, &["fsck"]);
        assert!(ran.out.starts_with("broken a: broken_link: "), "{}", ran.out);
        for args in [&["cat", "a"][..], &["show", "a"], &["verify", "a"]] {
            let ran = place.run(20, args);
            assert!(format!("{}{}", ran.out, ran.err).contains("broken_link: "), "{ran:?}");
        }
        fs::remove_file(place.path("a.jsonl.gz")).unwrap();
        assert!(place.run(20, &["fsck"]).out.starts_with("broken a: broken_link: "));
    }

    #[test]
    fn what_holds_of_an_archive_with_a_tail_is_printed() {
        let place = Place::with(&["a"]);
        place.archive("a");
        place.append("a");
        place.append("a");
        let raw = place.run(0, &["cat", "a", "--raw"]).out;
        let mut tail = fs::read(place.path("a.jsonl")).unwrap();
        let last = tail.len() - 3;
        tail[last] ^= 1;
        fs::write(place.path("a.jsonl"), tail).unwrap();
        let ran = place.run(20, &["cat", "a", "--raw"]);
        assert_eq!(ran.out.lines().collect::<Vec<_>>(), raw.lines().take(4).collect::<Vec<_>>());
        let mut archive = fs::read(place.path("a.jsonl.gz")).unwrap();
        let last = archive.len() - 12;
        archive[last] ^= 1;
        fs::write(place.path("a.jsonl.gz"), archive).unwrap();
        place.run(20, &["cat", "a", "--raw"]);
        place.run(20, &["verify", "a"]);
    }

    #[test]
    fn a_damaged_tail_is_repaired_with_what_the_archive_holds() {
        let place = Place::with(&["a"]);
        place.archive("a");
        (0..3).for_each(|_| place.append("a"));
        assert_eq!(place.json(0, &["repair", "a"])["fault"], Value::Null);
        let mut tail = fs::read(place.path("a.jsonl")).unwrap();
        let middle = tail.len() / 2;
        tail[middle] ^= 1;
        fs::write(place.path("a.jsonl"), tail).unwrap();
        let repair = place.json(0, &["repair", "a", "--into", "b"]);
        assert_eq!((&repair["sound"]["seq"], &repair["saved"]), (&3.into(), &1.into()));
        place.run(0, &["verify", "b"]);
    }
}
