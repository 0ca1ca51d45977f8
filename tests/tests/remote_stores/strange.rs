//! Servers that answer what S3 and Redis never would.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use turnkeep::{RedisOptions, RedisStore, S3Options, S3Store, Store};

use crate::{assert_failed, key};

/// Listens on a free port, and leaves each connection to a thread.
fn serve(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || answer(stream));
        }
    });
    port
}

/// A store in what answers every request, of which it gets the method, like that.
fn s3(answer: fn(&str) -> String) -> S3Store {
    let port = serve(move |mut stream| {
        let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        lines.take_while(|line| !line.is_empty()).for_each(drop);
        let method = first.split(' ').next().unwrap_or_default();
        stream.write_all(answer(method).as_bytes()).ok();
    });
    let mut options = S3Options::new("bucket");
    options.endpoint = Some(format!("http://127.0.0.1:{port}"));
    options.access_key_id = Some("id".into());
    options.secret_access_key = Some("secret".into());
    options.allow_http = true;
    options.timeout = std::time::Duration::from_secs(5);
    S3Store::open(options).expect("a store")
}

#[test]
fn s3_that_says_neither_that_an_object_is_there_nor_that_it_is_not_is_asked_twice() {
    let store = s3(|method| {
        let status = if method == "HEAD" { "404 Not Found" } else { "416 Range Not Satisfiable" };
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    assert_failed(&store.info(&key("a")).unwrap_err(), false);
    assert_failed(&store.get(&key("a"), None).unwrap_err(), false);
    assert_failed(&store.get(&key("a"), Some(5..9)).unwrap_err(), false);
}

#[test]
fn no_memory_is_taken_for_what_s3_only_announces() {
    let store = s3(|_| {
        let body = "x".repeat(100_000);
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", 1_u64 << 62)
    });
    assert_failed(&store.get(&key("a"), None).unwrap_err(), true);
}

#[test]
fn more_than_s3_announces_is_not_taken() {
    let store = s3(|_| {
        let start = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\n";
        format!("{start}Transfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n")
    });
    assert_failed(&store.get(&key("a"), Some(0..4)).unwrap_err(), true);
}

#[test]
fn a_listing_of_s3_that_does_not_go_on_fails() {
    let store = s3(|_| {
        let body = "<ListBucketResult><NextContinuationToken>again</NextContinuationToken>\
            <Contents><Key>Foreign</Key><LastModified>2026-01-01T00:00:00Z</LastModified>\
            <Size>1</Size></Contents></ListBucketResult>";
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    });
    assert_failed(&store.list("", None, 10).unwrap_err(), false);
}

/// Reads a command; `None` at the end.
fn command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let words = line()?.strip_prefix('*')?.parse().ok()?;
    // Before each word its length stands.
    (0..words).map(|_| line().and_then(|_| line())).collect()
}

#[test]
fn a_listing_of_redis_that_does_not_go_on_fails() {
    let port = serve(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a connection"));
        while let Some(words) = command(&mut reader) {
            let answer = match words[0].as_str() {
                // As many as are asked for, none of which is a key.
                "ZRANGEBYLEX" => {
                    let count = words[words.len() - 1].parse().expect("a number");
                    format!("*{count}\r\n{}", "$1\r\nA\r\n".repeat(count))
                }
                _ => "+OK\r\n".to_owned(),
            };
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    let mut options = RedisOptions::default();
    options.timeout = std::time::Duration::from_secs(5);
    let store = RedisStore::open(&format!("redis://127.0.0.1:{port}"), options).expect("a store");
    assert_failed(&store.list("", None, 10).unwrap_err(), false);
}
