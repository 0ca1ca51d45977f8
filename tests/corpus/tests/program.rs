//! The program prints what the library makes.

use std::process::{Command, Output};

use turnkeep_corpus::{Corpus, Message};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_turnkeep-corpus")).args(arguments).output().expect("to run it")
}

#[test]
fn prints_draft_lines() {
    let expected: String =
        Corpus::new(11).take(50).map(|message: Message| message.draft() + "\n").collect();
    let output = run(&["--seed", "11", "--messages", "50"]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn stops_after_so_many_bytes() {
    let output = run(&["--seed", "11", "--bytes", "100000"]).stdout;
    let last = output[..output.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    assert!(output.len() >= 100_000 && last < 100_000);
    assert_eq!(output.last(), Some(&b'\n'));
}

#[test]
fn says_how_it_is_used() {
    for arguments in [
        &["--seed", "1"][..],
        &["--messages", "1"],
        &["--seed", "x", "--messages", "1"],
        &["--seed", "1", "--messages", "1", "--bytes", "1"],
        &["--seed", "1", "--messages"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stderr.starts_with(b"usage: "));
    }
}
