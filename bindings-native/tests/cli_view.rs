//! `turnkeep view`, as browsers and others on the machine meet it: over its socket.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use turnkeep::{Create, Draft, FileStore, Session, SessionId};

const PAGE: &str = "<!doctype html><title>A page</title><body><!-- session --></body>";
/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a store in it, and a page.
struct Place(TempDir);

/// A running command.
struct View {
    child: Child,
    /// `127.0.0.1:PORT`
    host: String,
    /// `/TOKEN/`, and what follows it.
    path: String,
    query: String,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Place {
    /// A place with the session `demo`.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("page.html"), PAGE).unwrap();
        let session = Session::create(place.store(), Create::default().with_id(id())).unwrap();
        session.append(&[Draft::user_input("\"Hi\""), Draft::turn_end(1)]).unwrap();
        session.close();
        place
    }

    fn store(&self) -> std::sync::Arc<FileStore> {
        std::sync::Arc::new(FileStore::open(self.path("store")).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_turnkeep"));
        command.arg("view").args(args).env("TURNKEEP_STORE", "store").current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn view(&self, args: &[&str]) -> View {
        View::of(self.command(&[args, &["--no-open", "--page", "page.html"]].concat()))
    }

    fn archive(&self) {
        turnkeep::drive(turnkeep::core::session::archive(id()), &*self.store()).unwrap();
    }
}

fn id() -> SessionId {
    SessionId::new("demo").unwrap()
}

impl View {
    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").unwrap_or_else(|| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{line:?} {said}");
        });
        let (host, rest) = address.split_once('/').unwrap();
        let (token, query) = rest.split_once('/').unwrap();
        assert_eq!(token.len(), 32, "{address}");
        let (host, path) = (host.to_owned(), format!("/{token}/"));
        Self { child, host, path, query: query.to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends that, and reads the answer to its end.
    fn send(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// Asks as a browser does, with some more headers.
    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let host = &self.host;
        self.send(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"))
    }

    fn data(&self, rest: &str) -> String {
        format!("{}data/{rest}", self.path)
    }

    fn get(&self, rest: &str, headers: &str) -> Answer {
        self.ask("GET", &self.data(rest), headers)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

#[test]
fn a_page_and_what_it_shows_are_served() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    assert_eq!(view.query, format!("?src={}data/0/demo.jsonl", view.path));
    let page = view.ask("GET", &format!("{}{}", view.path, view.query), "").is(200);
    assert_eq!(page.body, PAGE.as_bytes());
    assert_eq!(page.header("Content-Type"), Some("text/html; charset=utf-8"));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && policy.contains("connect-src 'self'"));
    let data = view.get("0/demo.jsonl", "").is(200);
    assert_eq!(data.body, fs::read(place.path("store/demo.jsonl")).unwrap());
    assert_eq!(data.header("Accept-Ranges"), Some("bytes"));
    for (name, value) in [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
        ("Connection", "close"),
    ] {
        for answer in [&page, &data, &view.ask("GET", "/", "")] {
            assert_eq!(answer.header(name), Some(value));
        }
    }
    for answer in [&page, &data] {
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{}", answer.head);
    }
}

#[test]
fn a_head_is_an_answer_without_its_body() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    for path in [view.path.clone(), view.data("0/demo.jsonl")] {
        let (head, get) = (view.ask("HEAD", &path, ""), view.ask("GET", &path, ""));
        assert_eq!((head.head, head.body), (get.head, Vec::new()));
    }
    // Ranges are for GET.
    let head = view.ask("HEAD", &view.data("0/demo.jsonl"), "Range: bytes=0-0\r\n").is(200);
    let length = fs::metadata(place.path("store/demo.jsonl")).unwrap().len();
    assert_eq!(head.header("Content-Length"), Some(&*length.to_string()));
}

#[test]
fn a_gzipped_page_is_given_as_it_is_to_who_takes_it() {
    let place = Place::new();
    // `hello`
    let page = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
    fs::write(place.path("page.html"), page).unwrap();
    let view = place.view(&[]);
    assert_eq!(view.query, "");
    for takes in ["gzip", "br, gzip", "deflate, GZIP;q=0.5"] {
        let answer = view.ask("GET", &view.path, &format!("Accept-Encoding: {takes}\r\n")).is(200);
        assert_eq!(
            (&answer.body[..], answer.header("Content-Encoding")),
            (&page[..], Some("gzip"))
        );
    }
    for takes in ["", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n"] {
        let answer = view.ask("GET", &view.path, takes).is(200);
        assert_eq!((&answer.body[..], answer.header("Content-Encoding")), (&b"hello"[..], None));
    }
}

#[test]
fn ranges_are_given_exactly() {
    let place = Place::new();
    fs::write(place.path("ten.jsonl"), "0123456789").unwrap();
    let view = place.view(&["./ten.jsonl"]);
    for (range, body, named) in [
        ("0-0", "0", "0-0"),
        ("9-9", "9", "9-9"),
        ("0-", "0123456789", "0-9"),
        ("-1", "9", "9-9"),
        ("-99", "0123456789", "0-9"),
        ("4-99", "456789", "4-9"),
    ] {
        let answer = view.get("0/ten.jsonl", &format!("Range: bytes={range}\r\n")).is(206);
        assert_eq!(answer.body, body.as_bytes(), "{range}");
        assert_eq!(answer.header("Content-Range"), Some(&*format!("bytes {named}/10")));
        assert_eq!(answer.header("Content-Length"), Some(&*body.len().to_string()));
    }
    for range in ["10-", "10-12", "-0"] {
        let answer = view.get("0/ten.jsonl", &format!("Range: bytes={range}\r\n")).is(416);
        assert_eq!(answer.header("Content-Range"), Some("bytes */10"), "{range}");
    }
    // Several ranges, and what is none, are not understood: then everything is given.
    for range in ["bytes=0-0,2-2", "bytes=2-1", "bytes=x", "lines=0-1"] {
        let answer = view.get("0/ten.jsonl", &format!("Range: {range}\r\n")).is(200);
        assert_eq!((answer.body.len(), answer.header("Content-Range")), (10, None), "{range}");
    }
    let twice = "Range: bytes=0-0\r\nRange: bytes=1-1\r\n";
    assert_eq!(view.get("0/ten.jsonl", twice).is(200).body.len(), 10);
}

#[test]
fn a_changed_file_is_noticed() {
    let place = Place::new();
    let path = place.path("a.jsonl");
    fs::write(&path, "0123456789").unwrap();
    let view = place.view(&["./a.jsonl"]);
    let first = view.get("0/a.jsonl", "").is(200);
    let tag = first.header("ETag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let part = |headers: &str| view.get("0/a.jsonl", &format!("Range: bytes=0-0\r\n{headers}"));
    assert_eq!(part("").is(206).header("ETag"), Some(&*tag));
    part(&format!("If-Range: {tag}\r\n")).is(206);
    part(&format!("If-Match: \"x\", {tag}\r\n")).is(206);
    fs::write(&path, "0123456789a").unwrap();
    let now = part("").is(206);
    assert_ne!(now.header("ETag"), Some(&*tag));
    assert_eq!(now.header("Content-Range"), Some("bytes 0-0/11"));
    assert_eq!(part(&format!("If-Range: {tag}\r\n")).is(200).body.len(), 11);
    part(&format!("If-Match: {tag}\r\n")).is(412);
    part("If-Match: *\r\n").is(206);
    fs::remove_file(&path).unwrap();
    part("").is(404);
}

#[test]
fn nobody_else_is_answered() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    let (host, path) = (view.host.clone(), view.data("0/demo.jsonl"));
    let port = host.split_once(':').unwrap().1;
    let with = |headers: &str| view.send(&format!("GET {path} HTTP/1.1\r\n{headers}\r\n"));
    with(&format!("Host: {host}\r\n")).is(200);
    with(&format!("Host: localhost:{port}\r\n")).is(200);
    with(&format!("Host: {host}\r\nOrigin: http://{host}\r\n")).is(200);
    let wrong = [
        String::new(),
        "Host: evil.example\r\n".to_owned(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        format!("Host: 127.0.0.1:{port}.evil.example\r\n"),
        format!("Host: {host}\r\nHost: evil.example\r\n"),
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nOrigin: null\r\n"),
        format!("Host: {host}\r\nOrigin: https://{host}\r\n"),
        format!("Host: {host}\r\nOrigin: http://127.0.0.1:1\r\n"),
        format!("Host: {host}\r\nOrigin: http://localhost:{port}\r\n"),
        format!("Host: {host}\r\nOrigin: http://{host}\r\nOrigin: http://evil.example\r\n"),
    ];
    for headers in &wrong {
        let answer = with(headers).is(403);
        assert_eq!(answer.body, b"Forbidden", "{headers}");
    }
}

#[test]
fn only_what_is_shown_has_a_path() {
    let place = Place::new();
    fs::write(place.path("secret.txt"), "secret").unwrap();
    let view = place.view(&["demo"]);
    let token = view.path.trim_matches('/').to_owned();
    let wrong = "0".repeat(32);
    for path in [
        "/".to_owned(),
        format!("/{token}"),
        format!("//{token}/"),
        format!("/{}/", token.to_uppercase() + "x"),
        format!("/{wrong}/"),
        format!("/{wrong}/data/0/demo.jsonl"),
        "/data/0/demo.jsonl".to_owned(),
        view.data(""),
        view.data("0"),
        view.data("0/"),
        view.data("0/other.jsonl"),
        view.data("0/demo.jsonl/"),
        view.data("00/demo.jsonl"),
        view.data("1/demo.jsonl"),
        view.data("-1/demo.jsonl"),
        view.data("0/../0/demo.jsonl"),
        view.data("0/%64emo.jsonl"),
        view.data("../../page.html"),
        view.data("0/../../../secret.txt"),
        view.data("0/..%2f..%2fsecret.txt"),
        view.data("0//etc/passwd"),
        format!("{}page.html", view.path),
        format!("http://{}{}", view.host, view.data("0/demo.jsonl")),
        "*".to_owned(),
    ] {
        let answer = view.ask("GET", &path, "").is(404);
        assert_eq!(answer.body, b"Not Found", "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "TRACE"] {
        let answer = view.ask(method, &view.data("0/demo.jsonl"), "").is(405);
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"), "{method}");
    }
    // The answer comes although nobody reads the body.
    let body = "x".repeat(100_000);
    view.ask("POST", &view.path, &format!("Content-Length: 100000\r\n\r\n{body}")).is(405);
}

#[test]
fn what_is_no_request_is_refused() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    for request in
        ["\r\n\r\n\r\n \r\n", "GET\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "\x16\x03\x01\x02"]
    {
        view.send(request).is(400);
    }
    let long = "a".repeat(17 << 10);
    view.ask("GET", &format!("/{long}"), "").is(431);
    view.ask("GET", "/", &format!("X: {long}\r\n")).is(431);
    view.ask("GET", "/", &"X: y\r\n".repeat(65)).is(431);
    // One that never ends is cut off.
    let mut stream = view.connect();
    let sent = (0..1000).try_for_each(|_| stream.write_all(long.as_bytes()));
    assert!(sent.is_err());
    // Whoever goes away in the middle is no matter.
    view.connect().write_all(b"GET /").unwrap();
    view.ask("GET", &view.path, "").is(200);
}

#[test]
fn several_files_keep_their_names_and_lie_in_any_folder() {
    let place = Place::new();
    fs::create_dir(place.path("sub")).unwrap();
    fs::write(place.path("sub/a b&ü%.jsonl"), "one").unwrap();
    fs::write(place.path("b.jsonl"), "two").unwrap();
    let view = place.view(&["sub/a b&ü%.jsonl", "./b.jsonl", "demo"]);
    let names = ["0/a%20b%26%C3%BC%25.jsonl", "1/b.jsonl", "2/demo.jsonl"];
    let query = names.map(|name| format!("src={}", view.data(name).replace('%', "%25"))).join("&");
    assert_eq!(view.query, format!("?{query}"));
    assert_eq!(view.get(names[0], "").is(200).body, b"one");
    assert_eq!(view.get(names[1], "").is(200).body, b"two");
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
#[cfg(target_os = "linux")]
fn a_large_file_is_given_in_bounded_memory() {
    const BYTES: u64 = 2 << 30;
    let place = Place::new();
    fs::File::create(place.path("large.jsonl")).unwrap().set_len(BYTES).unwrap();
    let view = place.view(&["./large.jsonl"]);
    let last = view.get("0/large.jsonl", &format!("Range: bytes={}-\r\n", BYTES - 1)).is(206);
    assert_eq!(last.body, [0]);
    let mut stream = view.connect();
    let (path, host) = (view.data("0/large.jsonl"), &view.host);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let read = std::io::copy(&mut stream.take(256 << 20), &mut std::io::sink()).unwrap();
    assert_eq!(read, 256 << 20);
    let status = fs::read_to_string(format!("/proc/{}/status", view.child.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kibibytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kibibytes < 64 << 10, "{peak}");
}

#[test]
fn slow_clients_are_waited_for_no_longer_than_it_takes() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    let start = Instant::now();
    let mut slow = view.connect();
    // A byte now and then does not buy more time.
    let answer = loop {
        if slow.write_all(b"G").is_err() {
            break String::new();
        }
        slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut chunk = [0; 64];
        match slow.read(&mut chunk) {
            Ok(length) => break String::from_utf8_lossy(&chunk[..length]).into_owned(),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break String::new(),
            Err(_) => view.ask("GET", &view.path, "").is(200),
        };
        assert!(start.elapsed() < PATIENCE);
    };
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(start.elapsed() > Duration::from_secs(8));
}

#[test]
fn of_many_connections_some_are_turned_away_and_none_is_forgotten() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    let mut open: Vec<_> = (0..32).map(|_| view.connect()).collect();
    // All of them are held by then; who comes last is told.
    let mut stream = view.connect();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    // Those that wait are still answered.
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", view.path, view.host);
    let mut first = open.swap_remove(0);
    first.write_all(request.as_bytes()).unwrap();
    Answer::read(first).is(200);
    // Once they end there is room again.
    drop(open);
    let end = Instant::now() + PATIENCE;
    while view.send(&request).status != 200 {
        assert!(Instant::now() < end);
    }
}

#[test]
fn who_goes_away_while_being_answered_ends_nothing() {
    let place = Place::new();
    fs::File::create(place.path("large.jsonl")).unwrap().set_len(64 << 20).unwrap();
    let view = place.view(&["./large.jsonl"]);
    for _ in 0..40 {
        let mut stream = view.connect();
        let (path, host) = (view.data("0/large.jsonl"), &view.host);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    let end = Instant::now() + PATIENCE;
    while view.ask("GET", &view.path, "").status != 200 {
        assert!(Instant::now() < end);
    }
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

/// Whether the command has a page depends on whether one was built: without, it says what to do.
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
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("not_supported") && stderr.contains("cargo xtask viewer"), "{stderr}");
}
