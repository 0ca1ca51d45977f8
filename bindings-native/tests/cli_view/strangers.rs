//! Who is not answered, and what ends nothing.

use std::io::ErrorKind;
use std::net::Shutdown;

use super::*;

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
fn of_many_connections_the_last_wait_and_none_is_forgotten() {
    let place = Place::new();
    let view = place.view(&["demo"]);
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", view.path, view.host);
    let mut open: Vec<_> = (0..32).map(|_| view.connect()).collect();
    let mut last = view.connect();
    last.write_all(request.as_bytes()).unwrap();
    last.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(last.read(&mut [0; 1]).is_err());
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut first = open.swap_remove(0);
    first.write_all(request.as_bytes()).unwrap();
    Answer::read(first).is(200);
    Answer::read(last).is(200);
    drop(open);
    view.send(&request).is(200);
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
    view.ask("GET", &view.path, "").is(200);
}
