//! The commands that work on several stores: push, pull, copy, gc; and reading from a bucket or Redis.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::core::store::Condition;
use turnkeep::{
    About, Create, Draft, FileStore, S3Options, S3Store, Session, SessionId, Store, Tier, set_about,
};
use turnkeep_servers::{Personality, RedisServer, Rule, S3Server};

const BUCKET: &str = "s3://test/agents";

/// A folder with a store in it, and a bucket.
struct Place {
    folder: TempDir,
    s3: S3Server,
}

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
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder, s3: S3Server::start(Personality::Linear) };
        names.iter().for_each(|name| place.create(name));
        place
    }

    /// A session of 22 entries, too long to stand in a manifest.
    fn create(&self, name: &str) {
        let session = Session::create(self.open(), Create::default().with_id(id(name))).unwrap();
        let text = format!("\"{}\"", "What is 6 × 7? ".repeat(40));
        let drafts: Vec<_> = (0..20).map(|_| Draft::user_input(&text)).collect();
        session.append(&drafts).unwrap();
        session.append(&[Draft::turn_end(1)]).unwrap();
    }

    fn open(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(self.path("store")).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bucket, as a program has it.
    fn bucket(&self) -> Arc<S3Store> {
        let access = self.s3.access();
        let mut options = S3Options::new(access.bucket);
        options.prefix = "agents".into();
        options.endpoint = Some(access.endpoint);
        options.access_key_id = Some(access.access_key);
        options.secret_access_key = Some(access.secret_key);
        options.allow_http = true;
        Arc::new(S3Store::open(options).unwrap())
    }

    /// The log of a session in a store that is a folder.
    #[track_caller]
    fn log(&self, store: &str, name: &str) -> Vec<u8> {
        fs::read(self.path(store).join(format!("{name}.jsonl"))).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let access = self.s3.access();
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).current_dir(&self.folder).env("TURNKEEP_STORE", "store");
        command.env_remove("NO_COLOR").env("AWS_ENDPOINT_URL", access.endpoint);
        command.env("AWS_ACCESS_KEY_ID", access.access_key);
        command.env("AWS_SECRET_ACCESS_KEY", access.secret_key).env("AWS_ALLOW_HTTP", "true");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    #[track_caller]
    fn run(&self, code: i32, args: &[&str]) -> Ran {
        ended(self.start(args), "").ends_with(code)
    }

    /// The documents that a run gives, the last of which sums up.
    #[track_caller]
    fn json(&self, code: i32, args: &[&str]) -> (Vec<Value>, Value) {
        let ran = self.run(code, &[args, &["--json"]].concat());
        let mut documents = documents(&ran.out);
        let summary = documents.pop().unwrap()["summary"].take();
        (documents, summary)
    }

    #[track_caller]
    fn append(&self, store: &str, name: &str) {
        let args = ["append", name, "--store", store];
        let line = "{\"kind\":\"user_input\",\"item\":\"more\"}";
        ended(self.start(&args), line).ends_with(0);
    }

    #[track_caller]
    fn damage(&self, name: &str) {
        let mut log = self.log("store", name);
        let middle = log.len() / 2;
        let text = log[middle..].windows(4).position(|bytes| bytes == b"What").unwrap();
        log[middle + text] ^= 1;
        fs::write(self.path("store").join(format!("{name}.jsonl")), log).unwrap();
    }
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Says that on stderr.
    #[track_caller]
    fn says(&self, texts: &[&str]) {
        assert!(texts.iter().all(|text| self.err.contains(text)), "{self:?}");
    }
}

fn ended(mut child: Child, stdin: &str) -> Ran {
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn documents(lines: &str) -> Vec<Value> {
    let documents: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(documents.iter().all(|document| document["schema_version"] == 1), "{lines}");
    documents
}

mod copying {
    use super::*;

    #[test]
    fn only_what_is_new_is_pushed_and_pulling_gives_the_same_bytes() {
        let place = Place::with(&["a", "b"]);
        let ran = place.run(0, &["push", BUCKET]);
        assert!(ran.out.starts_with("pushed a: 22 entries, head 21 "), "{}", ran.out);
        assert!(ran.out.ends_with("\n2 pushed (44 entries), 0 unchanged, 0 failed\n"));
        let ran = place.run(0, &["push", BUCKET]);
        assert_eq!(ran.out, "0 pushed (0 entries), 2 unchanged, 0 failed\n");
        place.append("store", "b");
        let (told, summary) = place.json(0, &["push", BUCKET]);
        let outcomes: Vec<_> = told.iter().map(|told| &told["outcome"]).collect();
        assert_eq!(outcomes, ["unchanged", "copied"]);
        assert_eq!((&told[1]["session"], &told[1]["entries"]), (&"b".into(), &1.into()));
        assert_eq!((&told[1]["head"]["seq"], &summary["entries"]), (&22.into(), &1.into()));

        // Elsewhere.
        place.run(0, &["pull", BUCKET, "b", "--store", "other"]);
        assert!(!place.path("other/a.jsonl").exists());
        assert_eq!(place.log("other", "b"), place.log("store", "b"));
        place.append("other", "b");
        let ran = place.run(0, &["push", BUCKET, "--store", "other"]);
        assert!(ran.out.starts_with("pushed b: 1 entry, head 23 "), "{}", ran.out);
        let ran = place.run(0, &["pull", BUCKET, "-v"]);
        let lines: Vec<_> = ran.out.lines().collect();
        assert!(lines[0].starts_with("unchanged a: head 21 "), "{}", ran.out);
        assert!(lines[1].starts_with("pulled b: 1 entry, head 23 "), "{}", ran.out);
        assert_eq!(place.log("other", "b"), place.log("store", "b"));
        place.run(0, &["fsck", "--deep"]);
        place.append("store", "b");
    }

    #[test]
    fn through_every_sort_of_store_a_log_stays_the_same() {
        let place = Place::with(&["a", "b"]);
        let redis = RedisServer::start();
        let about = About::new(Some("Tables".into()), vec!["maths".into()]);
        set_about(&*place.open(), &id("a"), about).unwrap();
        place.run(0, &["archive", "b"]);
        for (from, to) in [
            ("store", redis.url().as_str()),
            (&redis.url(), BUCKET),
            (BUCKET, "s3://test/second"),
            ("s3://test/second", "end"),
        ] {
            let ran = place.run(0, &["copy", from, to]);
            assert!(ran.out.ends_with("2 copied (44 entries), 0 unchanged, 0 failed\n"), "{ran:?}");
            let ran = place.run(0, &["copy", from, to]);
            assert_eq!(ran.out, "0 copied (0 entries), 2 unchanged, 0 failed\n");
        }
        assert_eq!(place.log("end", "a"), place.log("store", "a"));
        place.run(0, &["restore", "b"]);
        assert_eq!(place.log("end", "b"), place.log("store", "b"));
        let recent = place.run(0, &["ls", "--recent", "--store", "end"]);
        assert!(recent.out.contains("  a  Tables  #maths\n"), "{}", recent.out);
    }

    #[test]
    fn a_dry_run_tells_and_writes_nothing() {
        let place = Place::with(&["a", "b"]);
        let ran = place.run(0, &["push", BUCKET, "--dry-run"]);
        let line = "would push a: 22 entries, head here 21, there none\n";
        assert!(ran.out.starts_with(line), "{}", ran.out);
        assert!(ran.out.ends_with("\ndry run: 2 pushed (44 entries), 0 unchanged, 0 failed\n"));
        assert!(place.s3.requests().iter().all(|request| request.method != "PUT"));
        place.run(0, &["push", BUCKET]);
        place.append("store", "a");
        let (told, summary) = place.json(0, &["push", BUCKET, "-n"]);
        let (first, second) = (&told[0], &told[1]);
        assert_eq!((&first["outcome"], &first["entries"]), (&"copied".into(), &1.into()));
        assert_eq!((&first["head"]["seq"], &first["target_head"]["seq"]), (&22.into(), &21.into()));
        assert_eq!((&second["outcome"], &second["entries"]), (&"unchanged".into(), &0.into()));
        assert_eq!((&summary["dry_run"], &summary["copied"]), (&true.into(), &1.into()));
        let ran = place.run(0, &["copy", BUCKET, "nowhere", "-n"]);
        assert!(ran.out.contains("would copy b: 22 entries") && !place.path("nowhere").exists());
    }

    #[test]
    fn a_damaged_session_is_told_and_the_others_go_on() {
        let place = Place::with(&["a", "bad", "c"]);
        place.damage("bad");
        for target in [BUCKET, "other"] {
            let ran = place.run(3, &["push", target]);
            assert!(ran.out.ends_with("2 pushed (44 entries), 0 unchanged, 1 failed\n"), "{ran:?}");
            ran.says(&["turnkeep: bad_hash: ", "session \"bad\"", "\n  hint: "]);
            let (told, summary) = place.json(3, &["push", target]);
            assert_eq!((told.len(), &summary["failed"]), (2, &1.into()));
        }
        let ran = place.run(20, &["push", BUCKET, "bad", "--json"]);
        let error = &documents(&ran.err)[0]["error"];
        assert_eq!((&error["session"], &error["code"]), (&"bad".into(), &"bad_hash".into()));
        place.run(10, &["push", BUCKET, "none"]);
        place.run(3, &["pull", BUCKET, "bad", "a", "--store", "third"]);
        assert!(place.path("third/a.jsonl").exists() && !place.path("third/bad.jsonl").exists());
    }

    #[test]
    fn a_hydrated_session_is_pushed_to_where_it_came_from_and_pulled_whole() {
        let place = Place::with(&["a"]);
        place.run(0, &["push", BUCKET]);
        let hot = Arc::new(FileStore::open(place.path("hot")).unwrap());
        let session = Tier::open(hot, place.bucket()).unwrap().hydrate(&id("a")).unwrap();
        session.append(&[Draft::turn_end(2)]).unwrap();
        drop(session);
        let ran = place.run(1, &["copy", "hot", "other"]);
        ran.says(&["session \"a\"", "store_failed: ", "hint: It is hydrated: "]);
        // What was not pushed yet is not replaced.
        let hot = place.log("hot", "a");
        place
            .run(12, &["pull", BUCKET, "--store", "hot"])
            .says(&["already_exists", "push it from there"]);
        assert_eq!(place.log("hot", "a"), hot);
        let ran = place.run(0, &["push", BUCKET, "--store", "hot"]);
        assert!(ran.out.starts_with("pushed a: 1 entry, head 22 "), "{}", ran.out);
        place.run(0, &["pull", BUCKET]);
        assert_eq!(place.log("store", "a").iter().filter(|byte| **byte == b'\n').count(), 23);
    }

    #[test]
    fn other_entries_there_are_a_conflict() {
        let place = Place::with(&["a", "b"]);
        place.run(0, &["push", BUCKET]);
        place.run(0, &["pull", BUCKET, "a", "--store", "other"]);
        place.append("store", "a");
        place.append("other", "a");
        place.run(0, &["push", BUCKET]);
        let before = place.log("other", "a");
        for args in [&["push", BUCKET][..], &["push", BUCKET, "-n"], &["pull", BUCKET, "a"]] {
            let ran = place.run(12, &[args, &["--store", "other"]].concat());
            ran.says(&["turnkeep: conflict: ", "session \"a\"", "hint: Each store has entries"]);
        }
        assert_eq!(place.log("other", "a"), before);
        place.run(3, &["pull", BUCKET, "--store", "other"]);
        assert_eq!(place.log("other", "b"), place.log("store", "b"));
    }
}

mod interrupted {
    use super::*;

    fn slow(skip: u32, delay_ms: u64) -> Vec<Rule> {
        vec![Rule {
            method: "PUT".into(),
            key: "agents/se".into(),
            skip,
            times: 1,
            delay_ms,
            ..Rule::default()
        }]
    }

    /// Waits until so much was written, and a little, so that the next request waits.
    fn wait_for_writes(place: &Place, count: usize) {
        let is_write = |request: &&turnkeep_servers::Request| {
            request.method == "PUT" && request.key.starts_with("agents/se")
        };
        while place.s3.requests().iter().filter(is_write).count() < count {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
    }

    #[test]
    fn a_push_that_was_killed_is_done_again() {
        // In the second session: before its segment, and before its manifest.
        for writes in [2, 3] {
            let place = Place::with(&["a", "b", "c"]);
            place.s3.plan(slow(writes, 60_000));
            let mut child = place.start(&["push", BUCKET]);
            wait_for_writes(&place, writes as usize);
            child.kill().unwrap();
            child.wait().unwrap();
            place.s3.plan(Vec::new());
            let (_, summary) = place.json(0, &["push", BUCKET]);
            assert_eq!((&summary["copied"], &summary["unchanged"]), (&2.into(), &1.into()));
            place.run(0, &["pull", BUCKET, "--store", "other"]);
            for name in ["a", "b", "c"] {
                assert_eq!(place.log("other", name), place.log("store", name), "{name}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn asked_to_end_it_ends_after_the_session_it_is_at() {
        let place = Place::with(&["a", "b", "c"]);
        place.s3.plan(slow(2, 2000));
        let child = place.start(&["push", BUCKET]);
        wait_for_writes(&place, 2);
        let pid = child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        let ran = ended(child, "").ends_with(3);
        assert!(ran.out.ends_with("2 pushed (44 entries), 0 unchanged, 0 failed, 1 left\n"));
        let ran = place.run(0, &["push", BUCKET]);
        assert!(ran.out.ends_with("1 pushed (22 entries), 2 unchanged, 0 failed\n"), "{ran:?}");
    }
}

mod reading {
    use super::*;

    #[test]
    fn commands_that_read_work_wherever_sessions_are() {
        let place = Place::with(&["a", "b"]);
        let redis = RedisServer::start();
        place.run(0, &["push", BUCKET]);
        place.run(0, &["push", &redis.url()]);
        for store in [BUCKET, redis.url().as_str()] {
            let run = |args: &[&str]| place.run(0, &[args, &["--store", store]].concat());
            for args in [
                &["ls"][..],
                &["cat", "a", "--raw"],
                &["cat", "a", "--last", "2"],
                &["log", "a"],
                &["log", "--all"],
                &["log", "--all", "--graph"],
                &["resume", "a"],
            ] {
                assert_eq!(run(args).out, place.run(0, args).out, "{store} {args:?}");
            }
            run(&["verify", "a", "--deep"]);
            assert!(run(&["show", "a"]).out.contains("entries  22 ("));
            let listed = documents(&run(&["ls", "--json"]).out);
            let form = if store == BUCKET { "cold" } else { "live" };
            assert_eq!(listed[0]["sessions"][1]["form"], form);
            place.run(10, &["cat", "none", "--store", store]);
            place.run(1, &["fsck", "--store", store]).says(&["not_supported"]);
        }
        place.append(&redis.url(), "a");
        place.run(0, &["pull", &redis.url(), "a"]);
        assert_eq!(place.log("store", "a").iter().filter(|byte| **byte == b'\n').count(), 23);
    }

    #[test]
    fn what_would_write_into_a_bucket_is_refused() {
        let place = Place::with(&["a"]);
        place.run(0, &["push", BUCKET]);
        place.s3.plan(Vec::new());
        let writes = |place: &Place| {
            let requests = place.s3.requests();
            requests.iter().filter(|request| request.method != "GET").count()
        };
        let before = writes(&place);
        for args in [
            &["append", "a"][..],
            &["append"],
            &["archive", "a"],
            &["restore", "a"],
            &["sweep"],
            &["prune", "a", "--yes"],
            &["fork", "a", "b"],
            &["compact", "a"],
            &["repair", "a"],
            &["rm", "a", "--yes"],
        ] {
            let ran = place.start(&[args, &["--store", BUCKET]].concat());
            let ran = ended(ran, "{\"kind\":\"user_input\",\"item\":\"Hi\"}");
            assert!(matches!(ran.code, 1 | 2), "{args:?} {ran:?}");
            assert!(ran.code == 2 || ran.err.contains("not_supported: "), "{args:?} {ran:?}");
        }
        assert_eq!(writes(&place), before);
    }

    #[test]
    fn damage_in_a_bucket_is_told() {
        let place = Place::with(&["a"]);
        place.run(0, &["push", BUCKET]);
        place.run(1, &["cat", "a", "--inflate", "--store", BUCKET]).says(&["not_supported"]);
        let bucket = place.bucket();
        let (key, _) = bucket.list("segments/", None, 1).unwrap().objects.remove(0);
        let mut bytes = bucket.get(&key, None).unwrap().bytes;
        let middle = bytes.len() - 20;
        bytes[middle] ^= 1;
        bucket.put(&key, &bytes, &Condition::Any).unwrap();
        for args in [&["verify", "a"][..], &["cat", "a"], &["show", "a"]] {
            let ran = place.run(20, &[args, &["--store", BUCKET]].concat());
            assert!(format!("{}{}", ran.out, ran.err).contains("gzip_corrupt"), "{ran:?}");
        }
        place.run(20, &["pull", BUCKET, "--store", "other"]).says(&["gzip_corrupt"]);
        assert!(!place.path("other/a.jsonl").exists());
    }
}

mod gc {
    use super::*;

    #[test]
    fn what_is_unused_is_noted_and_told() {
        let place = Place::with(&["a"]);
        place.run(0, &["push", BUCKET]);
        place.append("store", "a");
        place.run(0, &["push", BUCKET]);
        let notes = |place: &Place| {
            let requests = place.s3.requests();
            let is_note = |key: &str| key.starts_with("agents/collect/");
            requests.iter().filter(|it| it.method == "PUT" && is_note(&it.key)).count()
        };
        let ran = place.run(0, &["gc", BUCKET, "-n"]);
        let mut lines = ran.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(lines.next().unwrap(), ["sessions", "1"]);
        assert_eq!(lines.next().unwrap()[..3], ["used", "1", "objects"]);
        assert_eq!(lines.next().unwrap()[..3], ["unused", "1", "objects"]);
        assert_eq!(lines.next().unwrap()[..4], ["would", "delete", "0", "objects"]);
        assert_eq!(notes(&place), 0);
        let ran = place.run(0, &["gc", BUCKET]);
        assert!(ran.out.contains("what is unused was noted; a run after "), "{}", ran.out);
        assert_eq!(notes(&place), 1);
        let ran = place.run(0, &["gc", BUCKET, "--json"]);
        let document = &documents(&ran.out)[0];
        assert_eq!(document["unused"].as_array().unwrap().len(), 1);
        assert_eq!((&document["sessions"], &document["dry_run"]), (&1.into(), &false.into()));
        assert!(document["deletable_after"].is_string() && document["deleted_bytes"] == 0);
        place.run(0, &["verify", "a", "--store", BUCKET]);
        place.run(2, &["gc", BUCKET, "--grace", "1h"]).says(&["two hours"]);
        place.run(1, &["gc", "store"]).says(&["not_supported", "turnkeep sweep"]);
        place.run(10, &["gc", "nowhere"]);
    }
}

mod refusals {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let place = Place::with(&["a"]);
        for (code, target, texts) in [
            (10, "s3://missing/x", ["there is no bucket \"missing\"", "Make it first"]),
            (2, "gs://bucket", ["no stores at gs://", "A store is a folder, s3://"]),
            (2, "s3:bucket", ["// is missing", "A store is a folder, s3://"]),
            (2, "s3://", ["is no bucket", "s3://BUCKET"]),
            (2, "store", ["source and target are both store", "hint"]),
            (2, "rediss://127.0.0.1:1", ["TLS", "through a tunnel"]),
            (1, "redis://u:secret@127.0.0.1:1", ["Redis: ", "Check host, port and password"]),
        ] {
            let ran = place.run(code, &["push", target]);
            ran.says(&texts);
            assert!(!ran.err.contains("secret"), "{ran:?}");
        }
        let ran = |change: &dyn Fn(&mut Command)| {
            let mut command = place.command(&["push", BUCKET]);
            change(&mut command);
            ended(command.spawn().unwrap(), "")
        };
        let wrong = ran(&|command| _ = command.env("AWS_SECRET_ACCESS_KEY", "wrong"));
        wrong.ends_with(1).says(&["SignatureDoesNotMatch", "Check AWS_ACCESS_KEY_ID"]);
        let half = ran(&|command| _ = command.env_remove("AWS_ACCESS_KEY_ID"));
        half.ends_with(2).says(&["AWS_ACCESS_KEY_ID", "one is missing"]);
        let plain = ran(&|command| _ = command.env_remove("AWS_ALLOW_HTTP"));
        plain.ends_with(2).says(&["http://", "AWS_ALLOW_HTTP=true"]);
    }

    #[test]
    fn a_bucket_that_lets_two_writers_win_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder, s3: S3Server::start(Personality::Ignoring) };
        place.create("a");
        place.run(1, &["push", BUCKET]).says(&["not_supported", "could be lost", "can be read"]);
    }

    #[test]
    fn help_gives_examples_and_shells_complete_the_commands() {
        let place = Place::with(&[]);
        for command in ["push", "pull", "copy", "gc"] {
            let help = place.run(0, &[command, "--help"]).out;
            assert!(help.contains(&format!("Examples:\n    turnkeep {command} ")), "{help}");
            for shell in ["bash", "zsh", "fish"] {
                assert!(place.run(0, &["completions", shell]).out.contains(command));
            }
        }
    }
}
