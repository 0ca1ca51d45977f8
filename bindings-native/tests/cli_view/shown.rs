//! What is shown, and how it is begun and ended.

use super::*;

const ONE: &[u8] = br#"{"hash":"one"#;
const TWO: &[u8] = br#"{"hash":"two"#;

#[test]
fn several_files_keep_their_names_and_lie_in_any_folder() {
    let place = Place::new();
    fs::create_dir(place.path("sub")).unwrap();
    fs::write(place.path("sub/a b&ü%.jsonl"), ONE).unwrap();
    fs::write(place.path("b.jsonl"), TWO).unwrap();
    let view = place.view(&["sub/a b&ü%.jsonl", "./b.jsonl", "demo"]);
    let names = ["0/a%20b%26%C3%BC%25.jsonl", "1/b.jsonl", "2/demo.jsonl"];
    let query = names.map(|name| format!("src={}", view.data(name).replace('%', "%25"))).join("&");
    assert_eq!(view.query, format!("?{query}"));
    assert_eq!(view.get(names[0], "").is(200).body, ONE);
    assert_eq!(view.get(names[1], "").is(200).body, TWO);
    view.get(names[2], "").is(200);
}

#[test]
fn an_archive_and_what_follows_it_are_shown_with_the_head_that_is_noted() {
    let place = Place::new();
    let head = Session::open(place.store(), &id()).unwrap().head().unwrap();
    place.archive();
    let view = place.view(&["demo"]);
    let fragment = format!("#head={}:{}", head.seq, head.hash);
    assert_eq!(view.query, format!("?src={}{fragment}", view.data("0/demo.jsonl.gz")));
    let archive = fs::read(place.path("store/demo.jsonl.gz")).unwrap();
    assert_eq!(view.get("0/demo.jsonl.gz", "").is(200).body, archive);
    let first = view.get("0/demo.jsonl.gz", "Range: bytes=-8\r\n").is(206);
    assert_eq!(first.body, archive[archive.len() - 8..]);
    drop(view);
    let session = Session::open(place.store(), &id()).unwrap();
    session.append(&[Draft::user_input("\"Ho\"")]).unwrap();
    session.close();
    let view = place.view(&["demo"]);
    let sources =
        ["0/demo.jsonl.gz", "1/demo.jsonl"].map(|name| format!("src={}", view.data(name)));
    assert_eq!(view.query, format!("?{}{fragment}", sources.join("&")));
    assert_eq!(
        view.get("1/demo.jsonl", "").is(200).body,
        fs::read(place.path("store/demo.jsonl")).unwrap()
    );
}

#[test]
fn a_damaged_session_is_shown_as_it_is() {
    let place = Place::new();
    place.archive();
    let path = place.path("store/demo.jsonl.gz");
    let mut archive = fs::read(&path).unwrap();
    archive.truncate(40);
    fs::write(&path, &archive).unwrap();
    let view = place.view(&["demo"]);
    assert_eq!(view.get("0/demo.jsonl.gz", "").is(200).body, archive);
}

#[test]
fn what_is_no_log_is_refused_before_it_is_shown() {
    let place = Place::new();
    fs::write(place.path("notes.md"), "# Notes\n\nNo log.\n").unwrap();
    let gzipped = Command::new("gzip").arg("-k").arg(place.path("notes.md")).status().unwrap();
    assert!(gzipped.success());
    for name in ["./notes.md", "./notes.md.gz"] {
        let args = [name, "--no-open", "--page", "page.html"];
        let mut child = place.command(&args).spawn().unwrap();
        let end = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > end {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let ran = child.wait_with_output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!((ran.status.code(), &*ran.stdout), (Some(20), &b""[..]), "{said}");
        assert!(said.contains("no log, archive or bundle"), "{said}");
    }
    place.archive();
    let store = place.path("store");
    let bundled = Command::new(env!("CARGO_BIN_EXE_turnkeep"))
        .args(["bundle", "all.gz", "--store"])
        .arg(store)
        .current_dir(place.0.path())
        .status();
    assert!(bundled.unwrap().success());
    drop(place.view(&["./all.gz", "store/demo.jsonl.gz"]));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_well() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        let mut view = place.view(&["demo"]);
        let _open = view.connect();
        let kill = Command::new("kill").args([signal, &view.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match view.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < end),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(0));
        assert!(TcpStream::connect(&view.host).is_err());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_browser_is_given_an_address_without_the_token() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let script = "#!/bin/sh\necho \"$@\" > opened.tmp && mv opened.tmp opened\n";
    fs::write(place.path("xdg-open"), script).unwrap();
    fs::set_permissions(place.path("xdg-open"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.command(&["demo", "--page", "page.html"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [place.0.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    let view = View::of(command);
    let end = Instant::now() + PATIENCE;
    let opened = loop {
        match fs::read_to_string(place.path("opened")) {
            Ok(opened) => break opened,
            Err(_) => assert!(Instant::now() < end),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let path = opened.trim_end().strip_prefix(&format!("http://{}", view.host)).unwrap();
    assert!(!opened.contains(view.path.trim_matches('/')), "{opened}");
    let answer = view.ask("GET", path, "").is(302);
    let leads_to = format!("{}{}", view.path, view.query);
    assert_eq!(answer.header("Location"), Some(&*leads_to));
}

#[test]
fn programs_get_a_document() {
    let place = Place::new();
    let mut command = place.command(&["demo", "--json", "--no-open", "--page", "page.html"]);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["files"], serde_json::json!(["demo.jsonl"]));
    assert!(document["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{document}");
}

#[test]
fn what_cannot_be_shown_is_told() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (args, code, said) in [
        (&["gone"][..], 10, "not_found"),
        (&["./gone.jsonl"], 10, "There is no file of that name either."),
        (&["demo", "gone"], 10, "not_found"),
        (&["demo", "--port", &port], 1, "cannot listen on 127.0.0.1"),
        (&["demo", "--port", "80"], 2, "1024"),
        (&["--file", "store"], 2, "no regular file"),
        (&["demo", "--page", "gone.html"], 10, "cannot read gone.html"),
    ] {
        let page: &[&str] = if args.contains(&"--page") { &[] } else { &["--page", "page.html"] };
        let output = place.command(&[args, page, &["--no-open"]].concat()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
        assert_eq!(output.stdout, b"");
    }
}

/// Set where one was built.
const BUILT: &str = "TURNKEEP_PAGE_BUILT";

/// Whether it has one depends on whether one was built: without, it says what to do.
#[test]
fn the_page_of_the_command_is_served_where_it_has_one() {
    let place = Place::new();
    let mut child = place.command(&["demo", "--no-open"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
        child.wait().unwrap();
        let view = View::of(place.command(&["demo", "--no-open"]));
        let page = view.ask("GET", &view.path, "").is(200);
        assert!(page.body.windows(7).any(|bytes| bytes == b"</body>"));
        return;
    }
    assert!(std::env::var_os(BUILT).is_none(), "the command was built without its page");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("not_supported") && stderr.contains("cargo xtask npm"), "{stderr}");
}
