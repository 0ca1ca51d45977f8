//! Forks (§3.5).

use super::Case;
use crate::build::{Log, entry, envelope, point, start};

pub(super) fn cases() -> Vec<Case> {
    [good(), bad_parents(), bad_forks()].concat()
}

/// A log followed by a fork of it.
fn forked(log: &Log, of: &str, into: &str) -> Log {
    let last = log.lines().len() as u64 - 1;
    let parent = point(of, last, &log.hash(last));
    with(log, &entry(last + 1, "fork", &format!(r#","session":"{into}","parent":{parent}"#)))
}

fn with(log: &Log, rest: &str) -> Log {
    let mut rests: Vec<_> = log.rests().into_iter().map(<[u8]>::to_vec).collect();
    rests.push(rest.as_bytes().to_vec());
    Log::of(&rests)
}

fn good() -> Vec<Case> {
    let sample = Log::sample();
    let child = forked(&sample, "demo", "child");
    let grandchild = forked(&with(&child, &entry(8, "turn_end", r#","turn":2"#)), "child", "grand");
    let twice = forked(&child, "child", "again");
    let start_only = forked(&Log::of(&[start("")]), "demo", "early");
    let parent = point("demo", 6, &sample.hash(6)).replace(',', " , ").replace(':', " : ");
    let spaced = with(
        &sample,
        &entry(7, "fork", &format!(r#", "parent" : {parent} ,"session":"\u0063hild""#)),
    );
    let escaped = parent_of(
        &sample,
        &format!(r#"{{"hash":"{}","seq":6,"session":"\u0064emo"}}"#, sample.hash(6)),
    );
    let (batch, torn) = batches(&sample);
    let end = twice.0.len() as u64;
    vec![
        Case::new("fork", child.clone()).session("child"),
        Case::new("fork-of-a-fork", grandchild).session("grand"),
        Case::new("fork-right-after-a-fork", twice.clone()).session("again"),
        Case::new("fork-of-a-start", start_only).session("early"),
        Case::new("fork-into-the-same-id", forked(&sample, "demo", "demo")),
        Case::new("fork-back-into-the-first-id", forked(&child, "child", "demo")),
        Case::new("fork-spelled-with-spaces", spaced).session("child"),
        Case::new("fork-parent-in-another-order", escaped).session("child"),
        Case::new("fork-in-a-batch", batch).session("second"),
        Case::new("fork-in-a-torn-batch", torn).head(6).torn(),
        Case::new("fork-torn", child.cut(child.0.len() as u64 - 1)).head(6).torn(),
        Case::new("fork-of-a-fork-torn", twice.cut(end - 3)).head(7).torn().session("child"),
        Case::new("fork-expected", child.clone()).session("child").expecting_session("child"),
        Case::new("fork-parent-expected", child.clone())
            .session("child")
            .expecting_session("demo")
            .end_fails("wrong_session"),
        Case::new("fork-torn-expected", child.cut(child.0.len() as u64 - 1))
            .head(6)
            .torn()
            .expecting_session("child")
            .end_fails("wrong_session"),
        Case::new("fork-parents-head-expected", child)
            .session("child")
            .expecting_head(6, &sample.hash(6)),
    ]
}

/// Two forks in one batch, whole and torn: the second one's parent is the first one's session.
fn batches(sample: &Log) -> (Log, Log) {
    let fork = |log: &Log, of: &str, into: &str, more: u64| {
        let last = log.lines().len() as u64 - 1;
        let parent = point(of, last, &log.hash(last));
        let rest = envelope(last + 1, "fork", more)
            + &format!(r#","session":"{into}","parent":{parent}}}"#);
        with(log, &rest)
    };
    let one = fork(sample, "demo", "first", 1);
    let two = fork(&one, "first", "second", 0);
    (two, one)
}

fn parent_of(log: &Log, parent: &str) -> Log {
    with(log, &entry(7, "fork", &format!(r#","session":"child","parent":{parent}"#)))
}

fn bad_parents() -> Vec<Case> {
    let sample = Log::sample();
    let right = point("demo", 6, &sample.hash(6));
    let child = forked(&sample, "demo", "child");
    let of = |name: &str, parent: &str| {
        let log = parent_of(&sample, parent);
        Case::new(format!("fork-parent-{name}"), log).fails("bad_entry", 8)
    };
    let twice = forked(&child, "demo", "again");
    let edited = |from: &str, to: &str| right.replace(from, to);
    let (hash, upper) = (sample.hash(6), sample.hash(6).to_uppercase());
    vec![
        of("of-another-session", &point("other", 6, &hash)),
        of("of-another-hash", &point("demo", 6, &"ab".repeat(32))),
        of("of-another-seq", &point("demo", 5, &hash)),
        of("before-the-last", &point("demo", 5, &sample.hash(5))),
        of("itself", &point("demo", 7, &hash)),
        of("null", "null"),
        of("text", "\"demo\""),
        of("array", "[]"),
        of("empty", "{}"),
        of("with-a-field-more", &edited("{", "{\"x\":1,")),
        of("with-a-field-twice", &edited("\"seq\":6", "\"seq\":6,\"seq\":6")),
        of("without-hash", r#"{"session":"demo","seq":6}"#),
        of("with-an-escaped-key", &edited("\"seq\"", r#""\u0073eq""#)),
        of("with-upper-case-hash", &edited(&hash, &upper)),
        of("with-a-short-hash", &edited(&hash, &hash[1..])),
        of("with-a-fraction", &edited("\"seq\":6", "\"seq\":6.0")),
        of("with-seq-as-text", &edited("\"seq\":6", "\"seq\":\"6\"")),
        of("with-null-session", &edited("\"demo\"", "null")),
        Case::new("fork-of-a-fork-names-the-first-session", twice)
            .fails("bad_entry", 9)
            .session("child"),
    ]
}

fn bad_forks() -> Vec<Case> {
    let sample = Log::sample();
    let right = point("demo", 6, &sample.hash(6));
    let of = |name: &str, fields: &str, code: &'static str| {
        let fields = fields.replace("PARENT", &right);
        let log = with(&sample, &entry(7, "fork", &fields));
        Case::new(format!("fork-{name}"), log).fails(code, 8)
    };
    let deep =
        format!(r#","session":"child","parent":PARENT,"x":{}{}"#, "[".repeat(64), "]".repeat(64));
    let long = format!(r#","session":"{}","parent":PARENT"#, "a".repeat(129));
    let first = start("").replace("session_start", "fork");
    vec![
        of("without-session", r#","parent":PARENT"#, "bad_entry"),
        of("without-parent", r#","session":"child""#, "bad_entry"),
        of("without-fields", "", "bad_entry"),
        of("with-null-session", r#","session":null,"parent":PARENT"#, "bad_entry"),
        of("with-empty-session", r#","session":"","parent":PARENT"#, "bad_entry"),
        of("with-a-control-character", r#","session":"a\u0000","parent":PARENT"#, "bad_entry"),
        of("with-a-lone-surrogate", r#","session":"\ud800","parent":PARENT"#, "bad_entry"),
        of("with-a-long-session", &long, "bad_entry"),
        of("with-a-number-as-session", r#","session":7,"parent":PARENT"#, "bad_entry"),
        of(
            "with-a-session-twice",
            r#","session":"a","parent":PARENT,"session":"b""#,
            "duplicate_key",
        ),
        of("with-a-reserved-field", r#","session":"a","parent":PARENT,"seq":1"#, "duplicate_key"),
        of("with-an-escaped-key", r#","session":"a","parent":PARENT,"\u0078":1"#, "bad_entry"),
        of("not-json", r#","session":"a","parent":PARENT,"x":01"#, "bad_json"),
        of("too-deep", &deep, "too_deep"),
        Case::new("fork-on-the-first-line", Log::of(&[first])).fails("bad_entry", 1),
    ]
}
