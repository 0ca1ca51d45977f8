//! Reading from a bucket or Redis, and what may not write there.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use super::*;

#[test]
fn commands_that_read_work_wherever_sessions_are() {
    let place = Place::with(&["a", "b"]);
    let redis = RedisServer::start();
    place.run(0, &["push", BUCKET]);
    place.run(0, &["push", &redis.url()]);
    fs::write(place.path("page.html"), "<body></body>").unwrap();
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
            &["export", "a", "--html", "--page", "page.html"],
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

/// What `view` serves first.
fn shown(place: &Place, args: &[&str]) -> (String, Vec<u8>) {
    let view = ["view", "--no-open", "--page", "page.html", "--json"];
    let mut child = place.start(&[&view, args].concat());
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let document: Value = serde_json::from_str(&line).unwrap();
    let (address, query) = document["url"].as_str().unwrap().split_once("?src=").unwrap();
    let host = address.split('/').nth(2).unwrap();
    let path = query.split('#').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nRange: bytes=0-\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 206 "), "{}", String::from_utf8_lossy(&answer));
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    (query.to_owned(), answer.split_off(end + 4))
}

#[test]
fn sessions_are_shown_wherever_they_are() {
    let place = Place::with(&["a"]);
    let redis = RedisServer::start();
    place.run(0, &["push", BUCKET]);
    place.run(0, &["push", &redis.url()]);
    fs::write(place.path("page.html"), "<body></body>").unwrap();
    let log = place.log("store", "a");
    let (query, bytes) = shown(&place, &["a", "--store", &redis.url()]);
    assert!(query.ends_with("/data/0/a.jsonl") && bytes == log, "{query}");
    // Segments are no file: they are put together, and the manifest says where they end.
    let (query, bytes) = shown(&place, &["a", "--store", BUCKET]);
    assert!(query.contains("/data/0/a.jsonl.gz#head=21:"), "{query}");
    assert!(turnkeep::core::archive::unarchive(&bytes).unwrap() == log);
    place.run(10, &["view", "none", "--store", BUCKET, "--page", "page.html"]).says(&["not_found"]);
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
