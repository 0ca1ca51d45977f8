//! What is served, and how.

use super::*;

/// Ten bytes that may be a log's.
const TEN: &str = "{\"hash\":12";

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
    fs::write(place.path("ten.jsonl"), TEN).unwrap();
    let view = place.view(&["./ten.jsonl"]);
    for (range, body, named) in [
        ("0-0", "{", "0-0"),
        ("9-9", "2", "9-9"),
        ("0-", TEN, "0-9"),
        ("-1", "2", "9-9"),
        ("-99", TEN, "0-9"),
        ("4-99", "sh\":12", "4-9"),
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
    fs::write(&path, TEN).unwrap();
    let view = place.view(&["./a.jsonl"]);
    let first = view.get("0/a.jsonl", "").is(200);
    let tag = first.header("ETag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let part = |headers: &str| view.get("0/a.jsonl", &format!("Range: bytes=0-0\r\n{headers}"));
    assert_eq!(part("").is(206).header("ETag"), Some(&*tag));
    part(&format!("If-Range: {tag}\r\n")).is(206);
    part(&format!("If-Match: \"x\", {tag}\r\n")).is(206);
    fs::write(&path, format!("{TEN}a")).unwrap();
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
