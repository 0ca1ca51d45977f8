//! The command line, as its users meet it: what it writes, where, and how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use turnkeep::core::log::{Stamp, Writer};
use turnkeep::{FileStore, Session, SessionId};

/// A store of its own for each test.
struct Place(TempDir);

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);
const HI: &str = r#"{"kind":"user_input","item":{"role":"user","content":"Hi"}}"#;
const TURN: &str = r#"{"kind":"turn_end","turn":1}"#;

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with the session `demo` of three entries.
    fn with_demo() -> Self {
        let place = Self::new();
        let ran = place.run_with(&["append", "demo"], format!("{HI}\n{TURN}\n"));
        assert_eq!(ran.code, 0, "{ran:?}");
        place
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.args(args).env("TURNKEEP_STORE", self.store()).env_remove("NO_COLOR");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn run_with(&self, args: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
        let mut child = self.start(args);
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.as_ref().to_vec();
        // A command that ends early leaves some of it unread.
        let writer = std::thread::spawn(move || pipe.write_all(&stdin).ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn log(&self) -> PathBuf {
        self.store().join("demo.jsonl")
    }

    /// Adds an entry to the log of `demo` that fits the chain, whatever it says.
    fn write_unchecked(&self, draft: &str) {
        let store = Arc::new(FileStore::open(self.store()).unwrap());
        let session = Session::open(store, &SessionId::new("demo").unwrap()).unwrap();
        let writer = Writer::resume(session.id(), session.head().unwrap(), true);
        let batch = writer.write(&[draft], &Stamp { now_ms: 1, random: vec![7; 8] }).unwrap();
        let mut log = fs::OpenOptions::new().append(true).open(self.log()).unwrap();
        log.write_all(&batch.bytes).unwrap();
    }

    fn archive(&self) -> PathBuf {
        self.store().join("demo.jsonl.gz")
    }

    /// A file outside of the store.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The only document on stdout.
    #[track_caller]
    fn document(&self) -> Value {
        let documents = self.documents();
        assert_eq!(documents.len(), 1, "{self:?}");
        documents.into_iter().next().unwrap()
    }

    /// Every line of stdout is a document with a version.
    #[track_caller]
    fn documents(&self) -> Vec<Value> {
        let documents: Vec<Value> =
            self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(documents.iter().all(|document| document["schema_version"] == 1), "{self:?}");
        documents
    }

    /// The error on stderr, with nothing beside it.
    #[track_caller]
    fn error(&self) -> Value {
        let document: Value = serde_json::from_str(&self.err).unwrap();
        assert_eq!(document["schema_version"], 1);
        let names = [
            "code",
            "message",
            "class",
            "retryable",
            "session",
            "key",
            "seq",
            "line",
            "offset",
            "hint",
        ];
        let error = &document["error"];
        assert!(names.iter().all(|name| error.get(name).is_some()), "{error}");
        error.clone()
    }
}

/// Lines as they arrive, to be waited for, but not without end.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            sender.send(line).ok();
        }
    });
    receiver
}

fn flip(path: &Path, at: impl Fn(&[u8]) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(&bytes);
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A byte in the content of the log's line of that number, counted from 0.
fn in_line(line: usize) -> impl Fn(&[u8]) -> usize {
    move |bytes| {
        let end = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line);
        end.unwrap().0 - 3
    }
}

fn tear(path: &Path) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(br#"{"hash":"00"#).unwrap();
}

fn newer_log(session: &str) -> String {
    let zeros = "0".repeat(64);
    format!(
        "{{\"hash\":\"{zeros}\",\"prev_hash\":null,\"kind\":\"session_start\",\"seq\":0,\
         \"format\":2,\"session\":\"{session}\",\"when\":1}}\n"
    )
}

mod append {
    use super::*;

    #[test]
    fn entries_are_acknowledged_with_number_and_hash() {
        let place = Place::new();
        let ran = place.run_with(&["append", "demo"], format!("{HI}\n\n{TURN}")).ends_with(0);
        let lines: Vec<_> = ran.out.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line.0).collect::<Vec<_>>(), ["1", "2"]);
        let log = fs::read_to_string(place.log()).unwrap();
        for ((_, hash), line) in lines.iter().zip(log.lines().skip(1)) {
            assert!(line.starts_with(&format!("{{\"hash\":\"{hash}\"")));
        }
        assert_eq!(ran.err, "created session demo\n");
    }

    #[test]
    fn json_tells_of_a_new_session_first_and_of_an_old_one_nothing() {
        let place = Place::new();
        let first = place.run_with(&["append", "demo", "--json"], HI).ends_with(0);
        let documents = first.documents();
        assert_eq!(
            (&documents[0]["session"], &documents[0]["created"]),
            (&"demo".into(), &true.into())
        );
        assert_eq!((documents.len(), &documents[1]["seq"]), (2, &1.into()));
        let next = place.run_with(&["append", "demo", "--json"], HI).ends_with(0);
        assert_eq!(next.document()["seq"], 2);
        assert_eq!((first.err, next.err), (String::new(), String::new()));
    }

    #[test]
    fn without_an_id_a_new_session_gets_one_even_when_quiet() {
        let place = Place::new();
        let ran = place.run_with(&["append", "-q"], HI).ends_with(0);
        let id = ran.err.strip_prefix("created session ").unwrap().trim();
        assert_eq!(place.run(&["ls"]).out, format!("{id}\n"));
    }

    #[test]
    fn an_acknowledgement_arrives_before_the_next_line_is_given() {
        let place = Place::new();
        let mut child = place.start(&["append", "demo"]);
        let mut stdin = child.stdin.take().unwrap();
        let acknowledgements = lines_of(child.stdout.take().unwrap());
        for seq in 1..=3 {
            writeln!(stdin, "{HI}").unwrap();
            let line = acknowledgements.recv_timeout(PATIENCE).unwrap();
            assert!(line.starts_with(&format!("{seq} ")), "{line}");
            // It was stored before it was acknowledged.
            assert_eq!(fs::read_to_string(place.log()).unwrap().lines().count(), seq + 1);
        }
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_bad_line_is_named_and_what_was_acknowledged_stays() {
        let place = Place::new();
        let input = format!("{HI}\n\n{{\"kind\":\"turn_end\"}}\n{HI}\n");
        let ran = place.run_with(&["append", "demo", "--json"], &input).ends_with(3);
        assert_eq!(ran.documents().len(), 2);
        let error = ran.error();
        assert_eq!((&error["code"], &error["line"]), (&"bad_entry".into(), &3.into()));
        assert_eq!(place.run(&["verify", "demo", "--json"]).document()["head"]["seq"], 1);
    }

    #[test]
    fn a_bad_first_line_leaves_no_session() {
        let place = Place::new();
        for bad in [&b"{"[..], b"7", b"\xff", b"{\"kind\":\"turn_end\",\"turn\":1,\"seq\":5}"] {
            place.run_with(&["append", "demo"], bad).ends_with(1);
        }
        place.run_with(&["append", "demo", "--batch"], format!("{HI}\n[]")).ends_with(1);
        assert!(!place.log().exists());
    }

    #[test]
    fn a_batch_is_appended_all_or_nothing() {
        let place = Place::with_demo();
        let bad = place.run_with(&["append", "demo", "--batch", "--json"], format!("{HI}\n\n[]\n"));
        assert_eq!(bad.ends_with(1).error()["line"], 3);
        let good = place.run_with(&["append", "demo", "--batch"], format!("{HI}\n{HI}\n{TURN}\n"));
        let seqs = good.ends_with(0).out;
        let seqs: Vec<_> = seqs.lines().map(|line| &line[..2]).collect();
        assert_eq!(seqs, ["3 ", "4 ", "5 "]);
        let log = fs::read_to_string(place.log()).unwrap();
        assert!(log.lines().nth(3).unwrap().contains(r#","more":2,"#));
    }

    #[test]
    fn a_new_session_and_its_batch_begin_together() {
        let place = Place::new();
        let start = r#"{"kind":"session_start","system_prompt":"Be brief."}"#;
        let ran = place.run_with(&["append", "demo", "--batch"], format!("{start}\n{HI}"));
        assert!(ran.ends_with(0).out.starts_with("0 "));
        assert!(fs::read_to_string(place.log()).unwrap().contains("Be brief."));
    }

    #[test]
    fn items_of_a_kind_are_bare_json_and_nothing_more() {
        let place = Place::new();
        let args = ["append", "demo", "--kind", "tool_result"];
        place.run_with(&args, "{\"a\": 1.50}\n").ends_with(0);
        let line = fs::read_to_string(place.log()).unwrap();
        assert!(line.ends_with(",\"item\":{\"a\": 1.50}}\n"), "{line}");
        let smuggled = place.run_with(&args, "1,\"id\":\"x\"");
        assert!(smuggled.ends_with(1).err.starts_with("turnkeep: bad_json: "));
        place.run(&["append", "demo", "--kind", "redacted"]).ends_with(2);
    }

    #[test]
    fn salt_and_durability_can_be_chosen() {
        let place = Place::new();
        let args = ["append", "demo", "--no-salt", "--durability", "disk"];
        place.run_with(&args, HI).ends_with(0);
        assert!(!fs::read_to_string(place.log()).unwrap().contains("salt"));
        place.run(&["append", "demo", "--durability", "paper"]).ends_with(2);
    }

    #[test]
    fn no_input_makes_an_empty_session_and_changes_none() {
        let place = Place::new();
        for _ in 0..2 {
            assert_eq!(place.run(&["append", "demo"]).ends_with(0).out, "");
        }
        assert_eq!(fs::read_to_string(place.log()).unwrap().lines().count(), 1);
    }

    #[test]
    fn new_refuses_a_session_that_exists() {
        let place = Place::with_demo();
        let ran = place.run_with(&["append", "demo", "--new"], HI).ends_with(12);
        assert!(ran.err.starts_with("turnkeep: already_exists: "), "{}", ran.err);
        assert!(ran.err.contains("\n  hint: "));
    }

    #[test]
    fn a_session_that_another_writer_holds_is_locked() {
        let place = Place::with_demo();
        let mut writer = place.start(&["append", "demo"]);
        let mut stdin = writer.stdin.take().unwrap();
        writeln!(stdin, "{HI}").unwrap();
        lines_of(writer.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
        let ran = place.run_with(&["append", "demo", "--json"], HI).ends_with(11);
        assert_eq!(ran.error()["code"], "locked");
        drop(stdin);
        assert!(writer.wait().unwrap().success());
        place.run_with(&["append", "demo"], HI).ends_with(0);
    }

    #[test]
    fn a_torn_tail_is_cut_off_by_the_next_append() {
        let place = Place::with_demo();
        tear(&place.log());
        place.run_with(&["append", "demo"], HI).ends_with(0);
        place.run(&["verify", "demo"]).ends_with(0);
    }

    #[test]
    fn entries_are_stored_even_if_nobody_reads_the_acknowledgements() {
        let place = Place::new();
        let mut child = place.start(&["append", "demo"]);
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{HI}\n").repeat(20).as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
        assert_eq!(fs::read_to_string(place.log()).unwrap().lines().count(), 21);
    }
}

mod listing {
    use super::*;

    #[test]
    fn sessions_are_listed_in_the_order_asked_for() {
        let place = Place::new();
        for (id, items) in [("b", 1), ("a", 9), ("c", 3)] {
            place.run_with(&["append", id], format!("{HI}\n").repeat(items)).ends_with(0);
            let time = std::time::UNIX_EPOCH + Duration::from_secs(10 - items as u64);
            let path = place.store().join(format!("{id}.jsonl"));
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(time).unwrap();
        }
        for (sort, order) in
            [("id", "a\nb\nc\n"), ("modified", "b\nc\na\n"), ("bytes", "a\nc\nb\n")]
        {
            assert_eq!(place.run(&["ls", "--sort", sort]).ends_with(0).out, order);
        }
        let long = place.run(&["ls", "--long"]).out;
        assert!(long.starts_with("live ") && long.contains("  1970-01-01T00:00:01.000Z  a\n"));
    }

    #[test]
    fn json_lists_all_in_one_document() {
        let place = Place::with_demo();
        place.run_with(&["append", "über/2"], HI).ends_with(0);
        place.run(&["archive", "demo"]).ends_with(0);
        let sessions = place.run(&["ls", "--json"]).document()["sessions"].clone();
        assert_eq!(
            (&sessions[0]["session"], &sessions[1]["session"]),
            (&"über/2".into(), &"demo".into())
        );
        assert_eq!(
            (&sessions[0]["form"], &sessions[1]["form"]),
            (&"live".into(), &"archived".into())
        );
        assert!(sessions[0]["modified"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let place = Place::new();
        for command in
            [&["ls"][..], &["fsck"], &["cat", "demo"], &["verify", "demo"], &["archive", "demo"]]
        {
            place.run(command).ends_with(10);
        }
        assert!(!place.store().exists());
    }

    #[test]
    fn the_default_store_is_in_the_data_directory() {
        let place = Place::new();
        let ran = |args: &[&str]| {
            let mut command = place.command(args);
            command.env_remove("TURNKEEP_STORE").env("XDG_DATA_HOME", place.0.path());
            command.stdin(Stdio::null()).output().unwrap()
        };
        assert!(ran(&["append", "demo"]).status.success());
        assert!(place.0.path().join("turnkeep/sessions/demo.jsonl").exists());
        assert_eq!(ran(&["ls"]).stdout, b"demo\n");
    }

    #[test]
    fn show_sums_a_session_up() {
        let place = Place::with_demo();
        tear(&place.log());
        let raw = fs::metadata(place.log()).unwrap().len() - 11;
        let shown = place.run(&["show", "demo", "--json"]).ends_with(0).document();
        assert_eq!(shown["kinds"]["turn_end"], 1);
        assert_eq!((&shown["entries"], &shown["form"]), (&3.into(), &"live".into()));
        assert_eq!(
            (&shown["raw_bytes"], &shown["stored_bytes"]),
            (&raw.into(), &(raw + 11).into())
        );
        assert_eq!((&shown["withheld"], &shown["torn"]["bytes"]), (&0.into(), &11.into()));
        assert!(shown["last_time"].as_str() >= shown["first_time"].as_str());
        let text = place.run(&["show", "demo"]).ends_with(0).out;
        assert!(
            text.contains("\nentries  3 (session_start 1, turn_end 1, user_input 1)\n"),
            "{text}"
        );
        place.run(&["show", "other"]).ends_with(10);
    }
}

mod cat {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_no_file_and_nobody_waits_for_it() {
        let place = Place::new();
        let pipe = place.file("pipe.jsonl", "");
        fs::remove_file(&pipe).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let ran = place.run(&["cat", &pipe]).ends_with(2);
        assert!(ran.err.contains("no regular file"), "{}", ran.err);
    }

    /// What a transcript could hold to act on the terminal that shows it.
    const HOSTILE: &str = "a\\u001b]52;c;cm0gLXJm\\u0007b\\u001b[2J\\u009b31m\u{9b}1m\u{7f}\u{202e}c\u{2066}d\\r#9  fake";

    fn hostile() -> Place {
        let place = Place::with_demo();
        let drafts = format!(
            "{{\"kind\":\"user_input\",\"id\":\"\u{202e}\\u001b[1m\",\"item\":{{\"content\":\"{HOSTILE}\\n#9  fake\"}}}}\n\
             {{\"kind\":\"extension\",\"domain\":\"{HOSTILE}\",\"payload\":{{\"{HOSTILE}\":\"{HOSTILE}\"}}}}\n\
             {{\"kind\":\"tool_result\",\"item\":{{\"odd\":\"{HOSTILE}\"}}}}\n"
        );
        place.run_with(&["append", "demo"], drafts).ends_with(0);
        place
    }

    fn acts(char: char) -> bool {
        (char.is_control() && char != '\n')
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }

    #[test]
    fn people_get_headers_and_text() {
        let place = Place::with_demo();
        let out = place.run(&["cat", "demo"]).ends_with(0).out;
        let lines: Vec<_> = out.lines().collect();
        assert!(lines[0].starts_with("#0  20") && lines[0].ends_with("Z  session_start"));
        assert!(lines[1].ends_with("Z  user_input"));
        assert_eq!(lines[2], "    Hi");
        assert_eq!(lines[4], "    turn: 1");
    }

    #[test]
    fn hostile_text_never_acts_on_a_terminal() {
        let place = hostile();
        for args in
            [&["cat", "demo"][..], &["cat", "demo", "--color", "never"], &["cat", "demo", "--json"]]
        {
            let out = place.run(args).ends_with(0).out;
            assert!(!out.contains(acts), "{args:?}: {out:?}");
        }
        let out = place.run(&["cat", "demo"]).out;
        assert!(out.contains("␛]52;c;cm0gLXJm␇b␛[2J<U+009B>31m"), "{out}");
        assert!(!out.contains("\n#9"), "no text can pass for a header");
        let coloured = place.run(&["cat", "demo", "--color", "always"]).out;
        let own = coloured.replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert!(coloured.contains("\x1b[1muser_input\x1b[0m") && !own.contains(acts));
    }

    #[test]
    fn hostile_ids_and_names_never_act_on_a_terminal() {
        let place = Place::new();
        let id = "x\u{202e}y";
        let ran = place.run_with(&["append", id], HI).ends_with(0);
        let outputs = [ran.err, place.run(&["ls"]).out, place.run(&["ls", "--json"]).out];
        let more = [place.run(&["show", id]).out, place.run(&["archive", id]).out];
        let errors = [
            place.run(&["cat", "\u{202e}z"]).err,
            place.run(&["cat", "/\u{202e}.gz", "--json"]).err,
        ];
        for text in outputs.iter().chain(&more).chain(&errors) {
            assert!(!text.is_empty() && !text.contains(acts), "{text:?}");
        }
    }

    #[test]
    fn raw_is_the_log_byte_for_byte() {
        let place = hostile();
        let log = fs::read_to_string(place.log()).unwrap();
        assert_eq!(place.run(&["cat", "demo", "--raw"]).ends_with(0).out, log);
        let third = format!("{}\n", log.lines().nth(3).unwrap());
        assert_eq!(place.run(&["cat", "demo", "--raw", "--from", "3", "--to", "3"]).out, third);
        assert!(third.contains('\u{202e}'));
    }

    #[test]
    fn json_holds_the_line_and_its_payload_as_it_was() {
        let place = Place::new();
        let item = r#"{"big":18446744073709551616,"n":1.50}"#;
        place.run_with(&["append", "demo", "--kind", "user_input"], item).ends_with(0);
        let ran = place.run(&["cat", "demo", "--json", "--last", "1"]).ends_with(0);
        assert!(ran.out.contains(&format!("\"item\":{item}}}}}\n")), "{}", ran.out);
        let document = ran.document();
        assert_eq!((&document["seq"], &document["entry"]["seq"]), (&1.into(), &1.into()));
        assert!(document["time"].as_str().unwrap().ends_with('Z'));
        let hostile = hostile();
        let ran = hostile.run(&["cat", "demo", "--json", "--from", "3"]);
        let text = ran.documents()[0]["entry"]["item"]["content"].as_str().unwrap().to_owned();
        assert!(text.contains("\u{9b}1m\u{7f}\u{202e}c"), "escaped, but the same text");
    }

    #[test]
    fn ranges_of_the_log_and_of_its_archive_agree() {
        let place = Place::new();
        let text = "lorem ipsum ".repeat(700);
        let items: String = (0..600).map(|n| format!("\"{n} {text}\"\n")).collect();
        place.run_with(&["append", "demo", "--kind", "user_input", "--batch"], items).ends_with(0);
        let ranges: [&[&str]; 7] = [
            &[],
            &["--last", "3"],
            &["--last", "0"],
            &["--last", "999"],
            &["--from", "590"],
            &["--to", "2"],
            &["--from", "300", "--to", "310"],
        ];
        let all = |place: &Place| -> Vec<String> {
            let forms = [&["--raw"][..], &["--json"], &[]];
            let runs = ranges
                .iter()
                .flat_map(|range| forms.map(|form| [&["cat", "demo"], *range, form].concat()));
            runs.map(|args| place.run(&args).ends_with(0).out).collect()
        };
        let of_log = all(&place);
        let log = fs::read_to_string(place.log()).unwrap();
        assert!(log.len() > 4 << 20, "several pages");
        place.run(&["archive", "demo"]).ends_with(0);
        assert!(!place.log().exists());
        assert!(all(&place) == of_log);
        assert!(of_log[0] == log);
        assert_eq!(of_log[3].lines().count(), 3);
        assert_eq!(of_log[18].lines().count(), 11);
        let archive = place.archive();
        let file = ["cat", archive.to_str().unwrap(), "--raw"];
        assert!(place.run(&file).ends_with(0).out == log);
    }

    #[test]
    fn files_anywhere_are_recognised_by_their_content() {
        let place = Place::with_demo();
        let log = fs::read_to_string(place.log()).unwrap();
        let live = place.file("copy.gz", &log);
        place.run(&["archive", "demo"]).ends_with(0);
        let archived = place.file("copy.jsonl", fs::read(place.archive()).unwrap());
        let plain = place.file("plain", &log);
        for (name, flags) in [(&live, &[][..]), (&archived, &[]), (&plain, &["--file"])] {
            let args = [&["cat", name, "--raw"], flags].concat();
            assert_eq!(place.run(&args).ends_with(0).out, log);
            place.run(&[&["verify", name], flags].concat()).ends_with(0);
        }
        place.run(&["cat", &live, "--id"]).ends_with(10);
        place.run(&["cat", "demo", "--file"]).ends_with(10);
    }

    #[test]
    fn gzip_of_others_is_read_too() {
        let place = Place::with_demo();
        let log = fs::read(place.log()).unwrap();
        // Stored blocks: the simplest gzip there is.
        let length = u16::try_from(log.len()).unwrap();
        let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(&log);
        gzip.extend(crc32(&log).to_le_bytes());
        gzip.extend(u32::from(length).to_le_bytes());
        let file = place.file("foreign.gz", gzip);
        place.run(&["verify", &file]).ends_with(0);
        let last = place.run(&["cat", &file, "--raw", "--last", "1"]).ends_with(0).out;
        assert_eq!(last, String::from_utf8(log).unwrap().lines().last().unwrap().to_owned() + "\n");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn what_precedes_damage_is_printed_before_the_error() {
        let place = Place::with_demo();
        let log = fs::read_to_string(place.log()).unwrap();
        for line in 1..3 {
            fs::write(place.log(), &log).unwrap();
            flip(&place.log(), in_line(line));
            let whole: String = log.split_inclusive('\n').take(line).collect();
            let ran = place.run(&["cat", "demo", "--raw"]).ends_with(20);
            assert_eq!(ran.out, whole);
            assert!(ran.err.starts_with("turnkeep: bad_hash: "), "{}", ran.err);
        }
    }

    #[test]
    fn what_precedes_damage_far_into_a_log_is_printed_once() {
        let place = Place::new();
        let items = format!("\"{}\"\n", "x".repeat(9000)).repeat(400);
        place.run_with(&["append", "demo", "--kind", "user_input", "--batch"], items).ends_with(0);
        place.run_with(&["append", "demo"], format!("{HI}\n{TURN}\n")).ends_with(0);
        let log = fs::read_to_string(place.log()).unwrap();
        fs::write(place.log(), log.replacen("\"Hi\"", "\"Ho\"", 1)).unwrap();
        place.run(&["verify", "demo"]).ends_with(20);
        let whole: String = log.split_inclusive('\n').take(401).collect();
        assert!(place.run(&["cat", "demo", "--raw"]).ends_with(20).out == whole);
        // What follows the damage holds in itself, and leads to the head.
        let last = place.run(&["cat", "demo", "--raw", "--last", "1"]).ends_with(0).out;
        assert!(log.ends_with(&last) && last.lines().count() == 1);
    }

    #[test]
    fn a_torn_tail_is_left_out_and_told_of() {
        let place = Place::with_demo();
        let log = fs::read_to_string(place.log()).unwrap();
        tear(&place.log());
        let ran = place.run(&["cat", "demo", "--raw"]).ends_with(0);
        assert_eq!(ran.out, log);
        assert!(ran.err.starts_with("left out torn_tail: 11 bytes"), "{}", ran.err);
        assert_eq!(place.run(&["cat", "demo", "--raw", "-q"]).err, "");
    }

    #[test]
    fn a_reader_that_stops_is_no_failure() {
        let place = Place::new();
        let items = format!("\"{}\"\n", "x".repeat(5000)).repeat(200);
        place.run_with(&["append", "demo", "--kind", "user_input", "--batch"], items).ends_with(0);
        for form in ["--raw", "--json", "--quiet"] {
            let mut child = place.start(&["cat", "demo", form]);
            let mut first = [0; 10];
            let mut stdout = child.stdout.take().unwrap();
            stdout.read_exact(&mut first).unwrap();
            drop(stdout);
            let output = child.wait_with_output().unwrap();
            assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{form}");
        }
    }

    #[test]
    fn a_range_that_makes_no_sense_is_wrong_usage() {
        let place = Place::with_demo();
        place.run(&["cat", "demo", "--from", "2", "--to", "1"]).ends_with(2);
        place.run(&["cat", "demo", "--last", "2", "--to", "1"]).ends_with(2);
        place.run(&["cat", "demo", "--raw", "--json"]).ends_with(2);
        assert_eq!(place.run(&["cat", "demo", "--from", "99"]).ends_with(0).out, "");
    }
}

mod verify {
    use super::*;

    #[test]
    fn a_whole_session_says_up_to_where_and_what_cannot_be_shown() {
        let place = Place::with_demo();
        let ran = place.run(&["verify", "demo"]).ends_with(0);
        assert!(ran.out.starts_with("ok up to head 2 ") && ran.out.contains("no --head was given"));
        let document = place.run(&["verify", "demo", "--json"]).ends_with(0).document();
        assert_eq!((&document["verdict"], &document["head"]["seq"]), (&"whole".into(), &2.into()));
        assert_eq!(
            (&document["head_was_expected"], &document["fault"]),
            (&false.into(), &Value::Null)
        );
    }

    #[test]
    fn a_head_that_was_noted_shows_that_the_end_was_cut_off() {
        let place = Place::with_demo();
        let head = place.run(&["verify", "demo", "--json"]).document()["head"]["hash"].clone();
        let head = format!("2:{}", head.as_str().unwrap());
        let ran = place.run(&["verify", "demo", "--head", &head]).ends_with(0);
        assert!(!ran.out.contains("--head"), "{}", ran.out);
        let log = fs::read_to_string(place.log()).unwrap();
        let cut: String = log.split_inclusive('\n').take(2).collect();
        fs::write(place.log(), cut).unwrap();
        place.run(&["verify", "demo"]).ends_with(0);
        let ran = place.run(&["verify", "demo", "--head", &head]).ends_with(20);
        assert!(ran.out.starts_with("broken head_mismatch: "), "{}", ran.out);
        for wrong in ["2", "x:y", "2:abc", "-1:00"] {
            place.run(&["verify", "demo", "--head", wrong]).ends_with(2);
        }
    }

    #[test]
    fn a_flipped_byte_is_placed_and_the_next_step_works() {
        let place = Place::with_demo();
        let log = fs::read_to_string(place.log()).unwrap();
        let offset = log.split_inclusive('\n').take(2).map(str::len).sum::<usize>();
        flip(&place.log(), in_line(2));
        let document = place.run(&["verify", "demo", "--json"]).ends_with(20).document();
        let fault = &document["fault"];
        assert_eq!((&document["verdict"], &fault["code"]), (&"broken".into(), &"bad_hash".into()));
        assert_eq!(
            (&fault["line"], &fault["seq"], &fault["offset"]),
            (&3.into(), &2.into(), &offset.into())
        );
        assert_eq!(document["head"]["seq"], 1);
        let ran = place.run(&["verify", "demo"]).ends_with(20);
        assert!(ran.out.contains("\neverything up to head 1 "), "{}", ran.out);
        let command = ran.out.split('`').find(|part| part.starts_with("turnkeep ")).unwrap();
        let args: Vec<_> = command.split(' ').skip(1).collect();
        let saved = place.run(&args);
        let whole: String = log.split_inclusive('\n').take(2).collect();
        assert_eq!(saved.out, whole);
    }

    /// As an import writes it: all of a session in one batch.
    fn one_batch() -> Vec<u8> {
        let writer = Writer::create(SessionId::new("one").unwrap(), false);
        let drafts = [r#"{"kind":"session_start"}"#, HI, HI, TURN];
        writer.write(&drafts, &Stamp::default()).unwrap().bytes
    }

    #[test]
    fn of_a_batch_that_is_cut_or_damaged_it_says_what_holds_and_names_repair() {
        let place = Place::with_demo();
        let log = one_batch();
        let file = place.store().join("one.jsonl");
        fs::write(&file, &log[..log.len() - 5]).unwrap();
        for args in [&["verify", "one"][..], &["resume", "one"], &["append", "one"]] {
            let ran = place.run_with(args, HI).ends_with(20);
            let said = ran.out + &ran.err;
            assert!(said.contains("lines 1 to 3 are of it"), "{said}");
            assert!(said.contains("`repair` saves"), "{said}");
        }
        let mut damaged = log.clone();
        let third = line_after(&log, 2);
        damaged[third + 30] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let ran = place.run(&["verify", "one"]).ends_with(20);
        assert!(ran.out.contains("; entries 0 to 1 hold, but their batch is not whole"), "{ran:?}");
        assert!(ran.out.contains("\nno batch of entries is whole\n"), "{ran:?}");
        assert!(ran.out.contains("`repair` saves what else is whole"), "{ran:?}");
    }

    /// Where the line after so many line ends starts.
    fn line_after(log: &[u8], ends: usize) -> usize {
        let mut starts = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        starts.nth(ends - 1).unwrap().0 + 1
    }

    #[test]
    fn a_torn_tail_is_not_damage() {
        let place = Place::with_demo();
        tear(&place.log());
        let document = place.run(&["verify", "demo", "--json"]).ends_with(21).document();
        assert_eq!(
            (&document["verdict"], &document["torn"]["bytes"]),
            (&"torn".into(), &11.into())
        );
        assert!(
            place.run(&["verify", "demo"]).ends_with(21).out.starts_with("torn torn_tail: 11 ")
        );
    }

    #[test]
    fn a_newer_format_is_told_from_damage_by_every_command() {
        let place = Place::with_demo();
        let newer = newer_log("later");
        fs::write(place.store().join("later.jsonl"), &newer).unwrap();
        let file = place.file("later.jsonl", &newer);
        for args in [
            &["verify", "later"],
            &["verify", &file],
            &["cat", "later"],
            &["cat", &file],
            &["show", "later"],
        ] {
            place.run(args).ends_with(22);
        }
        place.run_with(&["append", "later"], HI).ends_with(22);
        place.run_with(&["verify", "-"], &newer).ends_with(22);
    }

    #[test]
    fn standard_input_is_verified_as_it_streams() {
        let place = Place::with_demo();
        let log = fs::read(place.log()).unwrap();
        place.run(&["archive", "demo"]).ends_with(0);
        let archive = fs::read(place.archive()).unwrap();
        for bytes in [&log, &archive] {
            let document =
                place.run_with(&["verify", "-", "--json"], bytes).ends_with(0).document();
            assert_eq!(
                (&document["session"], &document["head"]["seq"]),
                (&"demo".into(), &2.into())
            );
        }
        place.run_with(&["verify", "-"], &log[..log.len() - 1]).ends_with(21);
        place.run_with(&["verify", "-"], &archive[..archive.len() - 1]).ends_with(20);
        place.run_with(&["verify", "-"], "").ends_with(20);
        place.run_with(&["verify", "-", "--id"], &log).ends_with(10);
    }

    #[test]
    fn damage_of_an_archive_is_found_in_store_and_file() {
        let place = Place::with_demo();
        place.run(&["archive", "demo"]).ends_with(0);
        flip(&place.archive(), |bytes| bytes.len() - 12);
        let file = place.archive();
        for name in ["demo", file.to_str().unwrap()] {
            let ran = place.run(&["verify", name]).ends_with(20);
            assert!(ran.out.starts_with("broken "), "{}", ran.out);
        }
    }

    #[test]
    fn another_sessions_log_is_not_taken_for_it() {
        let place = Place::with_demo();
        fs::rename(place.log(), place.store().join("other.jsonl")).unwrap();
        let ran = place.run(&["verify", "other"]).ends_with(20);
        assert!(ran.out.starts_with("broken wrong_session: "), "{}", ran.out);
    }

    #[test]
    fn only_a_deep_verification_looks_at_content() {
        let place = Place::with_demo();
        let keep = r#"{"kind":"truncated","keep":9}"#;
        place.run_with(&["append", "demo"], keep).ends_with(1);
        place.write_unchecked(keep);
        place.run(&["verify", "demo"]).ends_with(0);
        let document = place.run(&["verify", "demo", "--deep", "--json"]).ends_with(20).document();
        assert_eq!(
            (&document["entry_fault"]["code"], &document["head"]["seq"]),
            (&"bad_entry".into(), &3.into())
        );
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let place = Place::with_demo();
        let ran = place.run(&["verify", "/nowhere/x.jsonl", "--json"]).ends_with(10);
        assert_eq!(ran.out, "");
        assert_eq!(ran.error()["code"], "not_found");
        assert_eq!(ran.error()["hint"], "There is no file of that name either.");
    }
}

mod archive {
    use super::*;

    #[test]
    fn archiving_and_back_keeps_every_byte() {
        let place = Place::with_demo();
        let log = fs::read(place.log()).unwrap();
        let document = place.run(&["archive", "demo", "--json"]).ends_with(0).document();
        assert_eq!(
            (&document["form"], &document["raw_bytes"]),
            (&"archived".into(), &log.len().into())
        );
        assert!(place.archive().exists() && !place.log().exists());
        let text = place.run(&["restore", "demo"]).ends_with(0).out;
        assert!(text.starts_with("live demo: "), "{text}");
        assert_eq!(fs::read(place.log()).unwrap(), log);
        assert!(!place.archive().exists());
    }

    #[test]
    fn what_is_done_already_is_a_conflict() {
        let place = Place::with_demo();
        place.run(&["restore", "demo"]).ends_with(12);
        place.run(&["archive", "demo"]).ends_with(0);
        place.run(&["archive", "demo"]).ends_with(12);
        place.run_with(&["append", "demo"], HI).ends_with(0);
        place.run(&["archive", "demo"]).ends_with(0);
        place.run(&["archive", "other"]).ends_with(10);
    }

    #[test]
    fn a_damaged_log_is_not_archived() {
        let place = Place::with_demo();
        flip(&place.log(), in_line(1));
        place.run(&["archive", "demo"]).ends_with(20);
        assert!(place.log().exists() && !place.archive().exists());
    }

    #[test]
    fn a_torn_tail_is_left_out_and_told_of() {
        let place = Place::with_demo();
        let log = fs::read_to_string(place.log()).unwrap();
        tear(&place.log());
        assert!(place.run(&["archive", "demo"]).ends_with(0).err.contains("torn_tail"));
        assert_eq!(place.run(&["cat", "demo", "--raw"]).out, log);
    }

    #[test]
    fn an_interrupted_archiving_can_be_done_again() {
        let place = Place::with_demo();
        let log = fs::read(place.log()).unwrap();
        place.run(&["archive", "demo"]).ends_with(0);
        for appended in [false, true] {
            fs::write(place.log(), &log).unwrap();
            if appended {
                place.run_with(&["append", "demo"], HI).ends_with(0);
            }
            assert_eq!(
                place.run(&["ls", "--json"]).document()["sessions"].as_array().unwrap().len(),
                1
            );
            let documents = place.run(&["fsck", "--json"]).ends_with(0).documents();
            assert_eq!((&documents[0]["leftover"], documents.len()), (&true.into(), 2));
            assert_eq!(documents[1]["summary"]["leftovers"], 1);
            place.run(&["archive", "demo"]).ends_with(0);
            assert!(!place.log().exists());
            let head = place.run(&["verify", "demo", "--json"]).ends_with(0).document();
            assert_eq!(head["head"]["seq"], if appended { 3 } else { 2 });
        }
    }
}

mod fsck {
    use super::*;

    #[test]
    fn what_is_withheld_is_told() {
        let place = Place::with_demo();
        let redacted = include_str!("../../tests/vectors/log/redacted-all-but-the-first.jsonl");
        fs::write(place.log(), redacted).unwrap();
        let text = place.run(&["verify", "demo"]).ends_with(0).out;
        assert!(text.starts_with("ok up to head 6 ") && text.contains(", 6 withheld ("), "{text}");
        let text = place.run(&["fsck"]).ends_with(0).out;
        assert!(text.contains(" bytes, 6 withheld, 0 damaged"), "{text}");
    }

    #[test]
    fn an_archive_that_holds_what_the_log_lacks_is_told() {
        let place = Place::with_demo();
        let older = fs::read(place.log()).unwrap();
        place.run_with(&["append", "demo"], HI).ends_with(0);
        place.run(&["archive", "demo"]).ends_with(0);
        fs::write(place.log(), older).unwrap();
        let text = place.run(&["verify", "demo"]).ends_with(20).out;
        assert!(
            text.contains("head_mismatch") && text.contains("everything up to head 2"),
            "{text}"
        );
        let text = place.run(&["fsck"]).ends_with(20).out;
        assert!(text.starts_with("broken demo: head_mismatch: "), "{text}");
        assert!(text.contains("1 damaged"), "{text}");
    }

    #[test]
    fn a_whole_store_is_summed_up() {
        let place = Place::with_demo();
        place.run_with(&["append", "two"], HI).ends_with(0);
        place.run(&["archive", "two"]).ends_with(0);
        fs::write(place.store().join("notes.txt"), "mine").unwrap();
        fs::write(place.store().join(".own"), "the store's").unwrap();
        let documents = place.run(&["fsck", "--json"]).ends_with(0).documents();
        assert_eq!(documents[0]["file"], "notes.txt");
        let summary = &documents[1]["summary"];
        for (name, count) in [
            ("sessions", 2),
            ("live", 1),
            ("archived", 1),
            ("entries", 5),
            ("damaged", 0),
            ("other_files", 1),
        ] {
            assert_eq!(summary[name], count, "{name}");
        }
        let text = place.run(&["fsck"]).ends_with(0).out;
        assert!(
            text.starts_with(
                "no session's: notes.txt\n2 sessions, 1 live, 1 archived, 5 entries, "
            ),
            "{text}"
        );
    }

    #[test]
    fn torn_then_damaged_sessions_decide_how_it_ends_and_none_stops_it() {
        let place = Place::with_demo();
        for id in ["a", "z"] {
            place.run_with(&["append", id], HI).ends_with(0);
        }
        tear(&place.log());
        assert!(place.run(&["fsck"]).ends_with(21).out.starts_with("torn demo: torn_tail: "));
        fs::write(place.store().join("later.jsonl"), newer_log("later")).unwrap();
        place.run(&["fsck"]).ends_with(22);
        for id in ["a", "z"] {
            flip(&place.store().join(format!("{id}.jsonl")), in_line(1));
        }
        let documents = place.run(&["fsck", "--json"]).ends_with(20).documents();
        let verdicts: Vec<_> =
            documents.iter().map(|document| (&document["session"], &document["verdict"])).collect();
        let expected = [("a", "broken"), ("demo", "torn"), ("later", "newer"), ("z", "broken")];
        let expected = expected.map(|(id, verdict)| (Value::from(id), Value::from(verdict)));
        assert!(
            verdicts
                .iter()
                .zip(&expected)
                .all(|(found, expected)| (found.0, found.1) == (&expected.0, &expected.1))
        );
        assert_eq!(documents[4]["summary"]["damaged"], 2);
        assert_eq!(place.run(&["fsck"]).out.lines().count(), 5);
    }
}

mod usage {
    use super::*;

    #[test]
    fn a_store_in_the_environment_is_no_argument() {
        let ran = Place::new().run(&[]).ends_with(2);
        assert!(ran.err.contains("Commands:") && !ran.err.contains("requires"), "{}", ran.err);
        let ran = Place::new().run(&["cat"]).ends_with(2);
        assert!(!ran.err.contains("--store <STORE>"), "{}", ran.err);
    }

    #[test]
    fn wrong_usage_is_told_as_text_or_json() {
        let place = Place::with_demo();
        for args in
            [&["nonsense"][..], &["cat"], &["ls", "--sort", "x"], &["cat", ""], &["show", ""]]
        {
            assert!(!place.run(args).ends_with(2).err.is_empty());
            let ran = place.run(&[args, &["--json"]].concat()).ends_with(2);
            assert_eq!((ran.error()["class"].clone(), ran.out), ("misuse".into(), String::new()));
        }
    }

    #[test]
    fn help_lists_the_exit_codes() {
        let place = Place::new();
        let help = place.run(&["--help"]).ends_with(0).out;
        for code in ["0", "1", "2", "3", "10", "11", "12", "20", "21", "22", "130"] {
            assert!(help.contains(&format!("\n{code:>5}  ")), "{code}");
        }
        assert!(help.contains("TURNKEEP_STORE") && help.contains("XDG_DATA_HOME"));
    }

    #[test]
    fn versions_and_completions_are_told() {
        let place = Place::new();
        let document = place.run(&["version", "--json"]).ends_with(0).document();
        assert_eq!((&document["name"], &document["format"]), (&"turnkeep".into(), &1.into()));
        assert!(place.run(&["version"]).out.starts_with("turnkeep "));
        assert!(place.run(&["completions", "bash"]).ends_with(0).out.contains("fsck"));
    }

    #[test]
    fn colour_is_for_terminals_or_on_demand() {
        let place = Place::with_demo();
        assert!(!place.run(&["verify", "demo"]).out.contains('\x1b'));
        assert!(place.run(&["verify", "demo", "--color", "always"]).out.starts_with("\x1b["));
        assert!(place.run(&["cat", "x", "--color", "always"]).err.starts_with("\x1b["));
        assert!(!place.run(&["cat", "x", "--color", "never"]).err.contains('\x1b'));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn output_that_cannot_be_written_is_a_failure() {
        let place = Place::with_demo();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = place.command(&["cat", "demo"]).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("turnkeep: store_failed: "));
        for args in [&["--version"][..], &["help"], &["--help", "--json"], &["cat", "--help"]] {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = place.command(args).stdout(full).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{args:?}");
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains("store_failed"), "{args:?}: {stderr}");
        }
    }

    /// It was done, but nobody heard of it.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_done_without_a_word_is_a_partial_result() {
        let place = Place::with_demo();
        for args in [
            &["archive", "demo"][..],
            &["restore", "demo"],
            &["fork", "demo", "other"],
            &["rm", "--yes", "demo", "gone"],
        ] {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = place.command(args).stdout(full).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        }
        assert!(!place.log().exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn entries_that_are_stored_without_a_word_are_a_partial_result() {
        for (args, stored) in [(&["append", "demo"][..], 1), (&["append", "demo", "--batch"], 2)] {
            for json in [&[][..], &["--json"]] {
                let place = Place::new();
                let drafts = fs::File::open(place.file("in", format!("{HI}\n{TURN}\n"))).unwrap();
                let full = fs::File::options().write(true).open("/dev/full").unwrap();
                let mut command = place.command(&[args, json].concat());
                let output = command.stdin(drafts).stdout(full).output().unwrap();
                assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
                let lines = fs::read_to_string(place.log()).unwrap().lines().count();
                assert_eq!(lines, 1 + stored, "{args:?}");
            }
        }
    }
}
