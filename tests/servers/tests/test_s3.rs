//! The server that tests in other languages start.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_says_where_it_is_and_ends_with_who_started_it() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_test-s3"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let out = server.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let access: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert!(access["endpoint"].as_str().is_some_and(|at| at.starts_with("http://127.0.0.1:")));
    drop(server.stdin.take());
    assert!(server.wait().expect("it ends").success());
}
