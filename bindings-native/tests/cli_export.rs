//! `turnkeep export`, as its users meet it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;
use turnkeep::core::archive::unarchive;
use turnkeep::core::import::{self, File, Format};
use turnkeep::core::zeitlich::Snapshot;
use turnkeep::{Create, Draft, FileStore, Session, SessionId};

const HI: &str = r#"{"role":"user","content":"Hi \u001b[31m\u0007 # <b>"}"#;
const CALL: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"n\":1.50}"}}]}"#;

const PAGE: &str = "<!doctype html><body><!-- session --></body>";

struct Place(TempDir);

impl Place {
    /// A place with the session `demo`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let store = FileStore::open(place.path("store")).unwrap();
        let id = SessionId::new("demo").unwrap();
        let create = Create::default().with_id(id);
        let session = Session::create(std::sync::Arc::new(store), create).unwrap();
        let drafts = [
            Draft::item(HI),
            Draft::item(CALL),
            Draft::turn_end(1),
            Draft::state(r#"{"tasks":[]}"#),
        ];
        session.append(&drafts).unwrap();
        session.close();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        let command = command.args(args).env("TURNKEEP_STORE", self.path("store"));
        command.current_dir(self.0.path()).output().unwrap()
    }

    /// What a run writes that ends well.
    fn out(&self, args: &[&str]) -> Vec<u8> {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(output.stderr, b"", "{output:?}");
        output.stdout
    }
}

#[test]
fn each_form_is_what_it_should_be() {
    let place = Place::new();
    let to = |form| place.out(&["export", "demo", "--to", form]);
    assert_eq!(to("messages"), format!("{HI}\n{CALL}\n").into_bytes());
    let page = String::from_utf8(to("markdown")).unwrap();
    assert!(page.starts_with("# demo\n\n## User\n\nHi \u{1b}[31m"), "{page:?}");
    assert!(page.ends_with("### Call: f\n\n```json\n{\"n\":1.50}\n```\n"), "{page:?}");
    let lines = to("session-store");
    let file = File { name: "demo.jsonl", bytes: &lines };
    let imported = import::read(&[file], None).unwrap();
    assert_eq!(import::detect(file), Some(Format::SessionStore));
    let chain = imported.sessions[0].chain.clone().unwrap();
    assert_eq!((chain.held, chain.fault), (5, None));
    let document = place.out(&["export", "demo", "--to", "session-store", "--json"]);
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["content"], String::from_utf8(lines).unwrap());
    let snapshot = Snapshot::read(&to("zeitlich")).unwrap();
    assert_eq!(snapshot.messages, [HI, CALL]);
    assert_eq!(snapshot.state.as_deref(), Some(r#"{"tasks":[]}"#));
}

#[test]
fn a_file_is_replaced_all_at_once_and_told_of() {
    let place = Place::new();
    fs::write(place.path("out.jsonl"), "old").unwrap();
    let told = place.out(&["export", "demo", "--to", "messages", "-o", "out.jsonl"]);
    let bytes = HI.len() + CALL.len() + 2;
    assert_eq!(told, format!("exported demo to out.jsonl: {bytes} bytes\n").into_bytes());
    assert_eq!(fs::read_to_string(place.path("out.jsonl")).unwrap(), format!("{HI}\n{CALL}\n"));
    let told = place.out(&["export", "demo", "--to", "zeitlich", "-o", "t.json.gz", "--json"]);
    let document: Value = serde_json::from_slice(&told).unwrap();
    let length = fs::metadata(place.path("t.json.gz")).unwrap().len();
    assert_eq!(document["bytes"], length);
    assert_eq!((&document["to"], &document["file"]), (&"zeitlich".into(), &"t.json.gz".into()));
    // Nothing of the writing is left.
    let mut names: Vec<_> =
        fs::read_dir(place.0.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["out.jsonl", "store", "t.json.gz"]);
}

#[test]
fn what_cannot_be_done_is_told_and_leaves_nothing() {
    let place = Place::new();
    fs::write(place.path("page.html"), PAGE).unwrap();
    fs::write(place.path("place.html"), "<p>").unwrap();
    for (args, code, error) in [
        (&["export", "demo"][..], 2, "--to"),
        (&["export", "demo", "--to", "pdf"], 2, "session-store"),
        (&["export", "demo", "--to", "zeitlich", "--json"], 2, "-o"),
        (&["export", "demo", "--to", "messages", "-o", "no/such/folder"], 1, "cannot write"),
        (&["export", "demo", "--to", "messages", "-o", "store"], 1, "cannot write"),
        (&["export", "gone", "--to", "messages", "-o", "x"], 10, "not_found"),
        (&["export", "./gone.gz", "--to", "messages", "-o", "x"], 10, "no file of that name"),
        (&["export", "demo", "--html", "--to", "html"], 2, "--to"),
        (&["export", "gone", "--html", "--page", "page.html", "-o", "x"], 10, "not_found"),
        (&["export", "demo", "--html", "--page", "gone.html", "-o", "x"], 10, "gone.html"),
        (&["export", "demo", "--html", "--page", "place.html", "-o", "x"], 1, "</body>"),
    ] {
        let output = place.run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(error), "{args:?}: {stderr}");
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 3);
}

#[test]
fn no_session_is_replaced() {
    let place = Place::new();
    let log = place.path("store/demo.jsonl");
    let before = fs::read(&log).unwrap();
    fs::copy(&log, place.path("copy.jsonl")).unwrap();
    fs::write(place.path("page.html"), PAGE).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&log, place.path("link.md")).unwrap();
    #[cfg(not(unix))]
    fs::copy(&log, place.path("store/link.md")).unwrap();
    let link = if cfg!(unix) { "link.md" } else { "store/link.md" };
    for args in [
        &["demo", "--to", "messages", "-o", "store/demo.jsonl"][..],
        &["demo", "--to", "messages", "-o", "store/new.jsonl"],
        &["demo", "--to", "markdown", "-o", link],
        &["./copy.jsonl", "--to", "markdown", "-o", "copy.jsonl"],
        &["copy.jsonl", "--html", "--page", "page.html", "-o", "store/../copy.jsonl"],
    ] {
        let output = place.run(&[&["export"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(fs::read(place.path("copy.jsonl")).unwrap(), before);
    assert!(!place.path("store/new.jsonl").exists());
}

/// What only its owner may read is not shown to others.
#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let path = place.path("out.md");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    place.out(&["export", "demo", "--to", "markdown", "-o", "out.md"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_damaged_session_is_not_exported() {
    let place = Place::new();
    let log = place.path("store/demo.jsonl");
    let text = fs::read_to_string(&log).unwrap().replacen("Hi ", "Ho ", 1);
    fs::write(&log, text).unwrap();
    fs::write(place.path("page.html"), PAGE).unwrap();
    for form in ["messages", "markdown", "session-store", "zeitlich", "html"] {
        let page: &[&str] = if form == "html" { &["--page", "page.html"] } else { &[] };
        let output = place.run(&[&["export", "demo", "--to", form, "-o", "x"], page].concat());
        assert!(String::from_utf8(output.stderr).unwrap().contains("bad_hash"), "{form}");
        assert!(!place.path("x").exists(), "{form}");
    }
}

/// The session that stands in a page: its file's name, and the log in its archive.
fn held(page: &[u8]) -> (String, Vec<u8>) {
    let page = str::from_utf8(page).unwrap();
    let (before, rest) = page.split_once("<script type=\"application/octet-stream\" ").unwrap();
    let (block, after) = rest.split_once("</script>\n").unwrap();
    assert_eq!(format!("{before}{after}"), PAGE);
    let (attributes, archive) = block.split_once('>').unwrap();
    let attributes = attributes.strip_prefix("id=\"turnkeep-session\" data-name=\"").unwrap();
    let archive = unarchive(&STANDARD.decode(archive).unwrap()).unwrap();
    (attributes.trim_end_matches('"').to_owned(), archive)
}

#[test]
fn a_page_holds_the_session_whole_however_it_lies() {
    let place = Place::new();
    fs::write(place.path("page.html"), PAGE).unwrap();
    let html = |target: &str| place.out(&["export", target, "--html", "--page", "page.html"]);
    let log = fs::read(place.path("store/demo.jsonl")).unwrap();
    let open = || {
        let store = std::sync::Arc::new(FileStore::open(place.path("store")).unwrap());
        Session::open(store, &SessionId::new("demo").unwrap()).unwrap()
    };
    let whole = |name: &str| (name.to_owned(), log.clone());
    assert_eq!(held(&html("demo")), whole("demo.jsonl.gz"));
    fs::copy(place.path("store/demo.jsonl"), place.path("a'b.jsonl")).unwrap();
    assert_eq!(held(&html("a'b.jsonl")), whole("a&#39;b.jsonl.gz"));
    // It stays live.
    assert_eq!(fs::read(place.path("store/demo.jsonl")).unwrap(), log);
    open().archive().unwrap();
    assert_eq!(held(&html("demo")), whole("demo.jsonl.gz"));
    fs::copy(place.path("store/demo.jsonl.gz"), place.path("old.gz")).unwrap();
    assert_eq!(held(&html("./old.gz")), whole("old.gz"));
    // Of an archive and what follows it one archive is made.
    let session = open();
    session.append(&[Draft::item(HI)]).unwrap();
    session.close();
    let (name, longer) = held(&html("demo"));
    assert_eq!(name, "demo.jsonl.gz");
    assert!(longer.len() > log.len() && longer.starts_with(&log));
    assert_eq!(place.out(&["export", "demo", "--to", "html", "--page", "page.html"]), html("demo"));
}

#[test]
fn what_is_torn_off_is_left_out_of_a_page() {
    let place = Place::new();
    fs::write(place.path("page.html"), PAGE).unwrap();
    let log = fs::read(place.path("store/demo.jsonl")).unwrap();
    fs::write(place.path("torn.jsonl"), [&log[..], b"{\"hash\""].concat()).unwrap();
    let output = place.run(&["export", "torn.jsonl", "--html", "--page", "page.html"]);
    assert_eq!(held(&output.stdout).1, log);
    assert!(String::from_utf8(output.stderr).unwrap().contains("torn_tail: 7 bytes"));
}

#[test]
fn files_are_exported_in_any_form() {
    let place = Place::new();
    let forms = ["messages", "markdown", "session-store", "zeitlich"];
    let (log, archive) = (place.path("store/demo.jsonl"), place.path("store/demo.jsonl.gz"));
    fs::copy(&log, place.path("log.jsonl")).unwrap();
    let pages = forms.map(|form| place.out(&["export", "demo", "--to", form]));
    assert_eq!(forms.map(|form| place.out(&["export", "log.jsonl", "--to", form])), pages);
    place.out(&["archive", "demo"]);
    fs::copy(&archive, place.path("archive.gz")).unwrap();
    assert_eq!(forms.map(|form| place.out(&["export", "./archive.gz", "--to", form])), pages);
    let told = place.out(&["export", "log.jsonl", "--to", "messages", "-o", "x", "--json"]);
    let document: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&document["session"], &document["target"]), (&Value::Null, &"log.jsonl".into()));
}
