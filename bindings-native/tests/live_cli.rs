//! The commands on live sessions: resume, log, fork, compact, incomplete, repair, rm.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::{Create, Draft, FileStore, Session, SessionId};

/// A store of its own for each test.
struct Place(TempDir);

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

const CALL: &str =
    r#"{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"ls","input":{}}]}"#;

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with the session `demo`: two turns, the second one with a call that has no result.
    fn with_demo() -> Self {
        let place = Self::new();
        let session = place.create("demo");
        session.append_one(&Draft::run_started()).unwrap();
        session.save(&[message("user", "Say hello"), message("assistant", "Hello")]).unwrap();
        session.append(&[Draft::turn_end(1), Draft::run_completed("finished")]).unwrap();
        session.append_one(&Draft::run_started()).unwrap();
        session.save(&[message("user", "List\u{202e} files"), CALL.to_owned()]).unwrap();
        place
    }

    fn create(&self, id: &str) -> Session {
        let options = Create::default().with_id(SessionId::new(id).unwrap());
        Session::create(Arc::new(FileStore::open(self.store()).unwrap()), options).unwrap()
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn log(&self) -> PathBuf {
        self.store().join("demo.jsonl")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).env("TURNKEEP_STORE", self.store()).env_remove("NO_COLOR");
        command
    }

    #[track_caller]
    fn run(&self, code: i32, args: &[&str]) -> Ran {
        let output = self.command(args).stdin(Stdio::null()).output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(ran.code, code, "{ran:?}");
        ran
    }

    /// The documents that a command writes with --json.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.run(0, &[args, &["--json"]].concat());
        let documents: Vec<Value> =
            ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(documents.iter().all(|document| document["schema_version"] == 1), "{ran:?}");
        documents
    }

    /// How many items the history has.
    fn items(&self, id: &str) -> usize {
        self.json(&["resume", id])[0]["state"]["history"].as_array().unwrap().len()
    }
}

fn message(role: &str, text: &str) -> String {
    format!(r#"{{"role":"{role}","content":"{text}"}}"#)
}

mod append {
    use super::*;

    #[test]
    fn an_item_may_go_without_its_kind() {
        let place = Place::new();
        let mut command = place.command(&["append", "demo"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let draft = format!(r#"{{"item":{}}}"#, message("assistant", "Hi"));
        child.stdin.take().unwrap().write_all(draft.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let document = &place.json(&["resume", "demo"])[0];
        assert_eq!(document["state"]["history"][0]["kind"], "assistant_item");
    }
}

mod resume {
    use super::*;

    #[test]
    fn the_history_is_given_with_its_calls_closed() {
        let place = Place::with_demo();
        let ran = place.run(0, &["resume", "demo"]);
        let items: Vec<Value> =
            ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(items.len(), 5);
        assert_eq!(items[0]["content"], "Say hello");
        assert_eq!(items[4]["content"][0]["tool_use_id"], "c1");
        assert!(!ran.out.contains('\u{202e}'));
        assert!(ran.err.contains("closed call c1 of ls"), "{ran:?}");
        assert!(ran.err.contains("5 items, 1 turns, run running"), "{ran:?}");
    }

    #[test]
    fn json_tells_what_was_closed_and_left_out() {
        let place = Place::with_demo();
        let mut log = fs::OpenOptions::new().append(true).open(place.log()).unwrap();
        log.write_all(br#"{"hash":"00"#).unwrap();
        let document = &place.json(&["resume", "demo"])[0];
        assert_eq!(document["closed"][0]["call_id"], "c1");
        assert_eq!(document["torn"]["bytes"], 11);
        assert_eq!(document["state"]["history"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn since_a_compaction_the_history_is_the_same() {
        let place = Place::with_demo();
        place.run(0, &["compact", "demo", "--summary", "Short", "--keep-last", "2"]);
        let whole = place.run(0, &["resume", "demo"]);
        let since = place.run(0, &["resume", "demo", "--since-compaction"]);
        assert_eq!(whole.out, since.out);
    }

    #[test]
    fn a_session_that_is_not_there_is_not_found() {
        Place::with_demo().run(10, &["resume", "other"]);
    }
}

mod fork {
    use super::*;

    #[test]
    fn a_fork_starts_where_it_is_told_to() {
        let place = Place::with_demo();
        for (new, at, seq) in [("a", "2", 2), ("b", "turn:1", 4)] {
            let document = &place.json(&["fork", "demo", new, "--at", at])[0];
            assert_eq!(
                (&document["session"], &document["forked_from"]["seq"]),
                (&new.into(), &seq.into())
            );
        }
        let hash = place.json(&["fork", "demo", "c"])[0]["forked_from"]["hash"].clone();
        let ran = place.run(0, &["fork", "demo", "d", "--at", hash.as_str().unwrap()]);
        assert!(ran.out.starts_with("forked demo at 8 ") && ran.out.ends_with(" into d\n"));
        assert_eq!((place.items("a"), place.items("b")), (1, 2));
    }

    #[test]
    fn what_cannot_be_forked_is_told() {
        let place = Place::with_demo();
        let ran = place.run(10, &["fork", "demo", "--at", "99"]);
        assert!(ran.err.contains("hint: `turnkeep log demo`"), "{}", ran.err);
        place.run(2, &["fork", "demo", "--at", "turn:x"]);
        place.run(12, &["fork", "demo", "demo"]);
    }
}

mod compact {
    use super::*;

    #[test]
    fn the_history_becomes_a_summary_and_its_last_items() {
        let place = Place::with_demo();
        place.run(0, &["compact", "demo", "--summary", "Short", "--keep-last", "2"]);
        let ran = place.run(0, &["resume", "demo"]);
        assert!(ran.out.starts_with(r#"{"role":"user","content":"Short"}"#), "{ran:?}");
        place.run(2, &["compact", "demo", "--summary", "Short", "--keep-last", "99"]);
    }

    #[test]
    fn another_session_can_have_the_summary_of_a_file() {
        let place = Place::with_demo();
        let file = place.0.path().join("summary");
        fs::write(&file, "[{\"role\":\"user\",\n\"content\":\"1\"},\"2\"]\n").unwrap();
        let summary = format!("@{}", file.display());
        let document = &place.json(&["compact", "demo", "--summary", &summary, "--into", "b"])[0];
        assert_eq!(
            (&document["session"], &document["compacted_from"]),
            (&"b".into(), &"demo".into())
        );
        assert_eq!((place.items("b"), place.items("demo")), (2, 5));
        place.run(10, &["compact", "demo", "--summary", "@nowhere"]);
    }
}

mod log {
    use super::*;

    #[test]
    fn every_turn_has_a_line() {
        let place = Place::with_demo();
        let turns = place.json(&["log", "demo"]);
        assert_eq!(turns.len(), 2);
        assert_eq!((&turns[0]["turn"], &turns[0]["result"]), (&1.into(), &"finished".into()));
        assert_eq!((&turns[0]["first_seq"], &turns[0]["last_seq"]), (&0.into(), &5.into()));
        assert_eq!((&turns[1]["turn"], &turns[1]["tools"][0]), (&Value::Null, &"ls".into()));
        let text = place.run(0, &["log", "demo"]).out;
        assert!(text.contains("Say hello  (finished)\n"), "{text}");
        assert!(text.contains("List<U+202E> files  [ls]\n"), "{text}");
    }

    #[test]
    fn of_all_sessions_each_is_named() {
        let place = Place::with_demo();
        place.create("other");
        let text = place.run(0, &["log", "--all"]).out;
        assert!(text.starts_with("demo\n") && text.ends_with("other\n"), "{text}");
        place.run(2, &["log"]);
    }

    #[test]
    fn forks_are_drawn_as_a_tree() {
        let place = Place::with_demo();
        place.create("apart");
        for (id, new, at) in
            [("demo", "a", "2"), ("demo", "b", "4"), ("a", "c", "1"), ("a", "d", "3")]
        {
            place.run(0, &["fork", id, new, "--at", at]);
        }
        place.run(0, &["compact", "b", "--summary", "x", "--into", "e"]);
        // What `c` shares with `a` is older than `a`: it is the demo's.
        let tree = "\
demo
├─ c  forked at 1
├─ a  forked at 2
│  └─ d  forked at 3
└─ b  forked at 4
   └─ e  compacted at 5
";
        assert_eq!(place.run(0, &["log", "e", "--graph"]).out, tree);
        assert_eq!(place.run(0, &["log", "--all", "--graph"]).out, format!("apart\n{tree}"));
        let documents = place.json(&["log", "--all", "--graph"]);
        assert_eq!((&documents[6]["session"], &documents[6]["depth"]), (&"e".into(), &2.into()));
    }

    /// Names that were used again: each of the two comes from the other one.
    #[test]
    fn sessions_that_no_root_reaches_are_drawn_too() {
        let place = Place::with_demo();
        place.run(0, &["fork", "demo", "other", "--at", "4"]);
        place.run(0, &["rm", "--yes", "demo"]);
        place.run(0, &["fork", "other", "demo"]);
        place.run(0, &["fork", "other", "a"]);
        let all = place.run(0, &["log", "--all", "--graph"]).out;
        let names = ["a", "demo", "other"];
        let count = |name: &&str| {
            all.lines()
                .filter(|line| {
                    line.trim_start_matches(['├', '└', '─', ' ', '│']).starts_with(*name)
                })
                .count()
        };
        assert_eq!(names.each_ref().map(count), [1; 3], "{all}");
        assert_eq!(all.lines().filter(|line| line.contains(" from ")).count(), 1, "{all}");
        assert_eq!(place.run(0, &["log", "demo", "--graph"]).out, all);
    }
}

mod incomplete {
    use super::*;

    #[test]
    fn what_was_not_completed_is_listed() {
        let place = Place::with_demo();
        // The demo is incomplete, and nobody tracks it.
        let none = place.run(0, &["incomplete"]);
        assert_eq!((&*none.out, none.err.contains("tracks is incomplete")), ("", true));
        place.create("running").track("/project").unwrap();
        let session = place.create("crashed");
        session.track("/project").unwrap();
        session.append_one(&Draft::run_started()).unwrap();
        drop(session);
        let document = &place.json(&["incomplete"])[0];
        let find = |id: &str| {
            let sessions = document["sessions"].as_array().unwrap();
            sessions.iter().find(|found| found["session"] == id).unwrap().clone()
        };
        assert_eq!(find("crashed")["status"], "crashed");
        assert_eq!(find("running")["project_dir"], "/project");
        assert!(place.run(0, &["incomplete"]).out.contains("0 messages  $0.0000  /project"));
    }

    #[test]
    fn damaged_records_are_told_and_give_an_exit_code() {
        let place = Place::with_demo();
        place.create("a").track("").unwrap();
        let record = fs::read_dir(place.store()).unwrap().map(|entry| entry.unwrap().path());
        let record =
            record.into_iter().find(|path| path.to_string_lossy().contains("recovery")).unwrap();
        fs::write(record, "{").unwrap();
        assert!(place.run(20, &["incomplete"]).out.starts_with("damaged    a"));
        let ran = place.run(20, &["incomplete", "--json"]);
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["damaged"][0]["fault"]["code"], "bad_entry");
    }
}

mod ls {
    use super::*;

    #[test]
    fn the_last_written_comes_first_with_its_title_and_tags() {
        let place = Place::with_demo();
        let other = place.create("other");
        let store = FileStore::open(place.store()).unwrap();
        let about = turnkeep::About::new(Some("A title".into()), vec!["x".into()]);
        turnkeep::set_about(&store, &other.id(), about.with_kind("agent")).unwrap();
        let ran = place.run(0, &["ls", "--recent"]);
        let lines: Vec<_> = ran.out.lines().collect();
        assert!(lines[0].ends_with("  other  A title  #x"), "{ran:?}");
        assert!(lines[1].ends_with("  demo  Say hello"), "{ran:?}");
        let tagged = &place.json(&["ls", "--recent", "--tag", "x"])[0]["sessions"];
        assert_eq!((tagged.as_array().unwrap().len(), &tagged[0]["title"]), (1, &"A title".into()));
        assert_eq!(tagged[0]["kind"], "agent");
    }
}

mod repair {
    use super::*;

    fn damage(place: &Place) {
        let log = fs::read_to_string(place.log()).unwrap();
        fs::write(place.log(), log.replace("Say hello", "Say HELLO")).unwrap();
    }

    #[test]
    fn what_holds_is_saved_into_a_new_session() {
        let place = Place::with_demo();
        damage(&place);
        let ran = place.run(0, &["repair", "demo", "--into", "b"]);
        assert!(ran.out.contains("left out: line 3, "), "{ran:?}");
        assert!(
            ran.out.contains("repaired demo into b: 2 entries before the damage, 6 after it\n")
        );
        place.run(0, &["verify", "b"]);
        assert_eq!(place.items("b"), 4);
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        let place = Place::with_demo();
        damage(&place);
        let document = &place.json(&["repair", "demo", "--dry-run"])[0];
        assert_eq!(
            (&document["repaired"], &document["left_out"][0]["line"]),
            (&Value::Null, &3.into())
        );
        assert_eq!(place.run(0, &["ls"]).out, "demo\n");
    }

    #[test]
    fn a_whole_session_needs_no_repair() {
        let place = Place::with_demo();
        assert_eq!(place.run(0, &["repair", "demo"]).out, "nothing to repair: demo is whole\n");
    }
}

mod rm {
    use super::*;

    #[test]
    fn nothing_is_deleted_unasked() {
        let place = Place::with_demo();
        assert!(place.run(2, &["rm", "demo"]).err.contains("--yes"));
        assert_eq!(place.run(0, &["ls"]).out, "demo\n");
    }

    #[test]
    fn sessions_are_deleted_but_for_those_that_are_not_there() {
        let place = Place::with_demo();
        place.create("other");
        assert_eq!(place.json(&["rm", "demo", "--yes"])[0]["deleted"], true);
        assert_eq!(place.run(3, &["rm", "demo", "other", "-y"]).out, "deleted other\n");
        place.run(10, &["rm", "other", "demo", "-y"]);
    }

    #[test]
    fn a_session_in_use_is_locked() {
        let place = Place::with_demo();
        let session = place.create("used");
        session.append_one(&Draft::run_started()).unwrap();
        place.run(11, &["rm", "used", "--yes"]);
        assert!(session.verify().unwrap().is_whole());
    }
}
