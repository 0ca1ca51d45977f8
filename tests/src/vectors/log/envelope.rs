//! Checks 7 and 8: envelopes that are hashed right and spelled wrong.

use super::Case;
use crate::build::{Log, TS, entry, salt, start, start_of};

pub(super) fn cases() -> Vec<Case> {
    [first_lines(), other_lines(), at_its_place(), numbers(), sessions()].concat()
}

fn bad_first(name: &str, rest: &str) -> Case {
    Case::new(format!("first-line-{name}"), Log::of(&[rest])).fails("bad_entry", 1)
}

fn bad(name: &str, rest: &str) -> Case {
    Case::new(format!("envelope-{name}"), Log::of(&[start("").as_str(), rest]))
        .fails("bad_entry", 2)
}

fn first_lines() -> Vec<Case> {
    let good = start("");
    let edit = |name: &str, from: &str, to: &str| bad_first(name, &good.replace(from, to));
    vec![
        bad_first("of-another-kind", &entry(0, "user_input", r#","item":1"#)),
        bad_first("of-an-unknown-kind", &entry(0, "opening", "")),
        bad_first("empty", "{}"),
        edit("in-another-order", "\"seq\":0,\"format\":1", "\"format\":1,\"seq\":0"),
        edit("without-session", "\"session\":\"demo\",", ""),
        edit("without-time", &format!("\"ts\":{TS},"), ""),
        edit("seq-1", "\"seq\":0", "\"seq\":1"),
        edit("seq-00", "\"seq\":0", "\"seq\":00"),
        edit("spaces", "\"seq\":0", " \"seq\":0"),
        edit("space-after-colon", "\"seq\":0", "\"seq\": 0"),
        edit("space-before-the-end", "}", " }"),
        edit("kind-upper-case", "session_start", "Session_start"),
        edit("salt-of-other-letters", &salt(0), "AAAAAAAAAA+"),
        edit("salt-padded", &salt(0), "AAAAAAAAAAA="),
        Case::new("first-line-fields-after-a-space", Log::of(&[good.replace('}', ", \"x\":1}")])),
    ]
}

fn other_lines() -> Vec<Case> {
    let good = entry(1, "user_input", r#","item":1"#);
    let edit = |name: &str, from: &str, to: &str| bad(name, &good.replacen(from, to, 1));
    let (long, salt) = ("k".repeat(33), salt(1));
    let kind = |name: &str, kind: &str| {
        bad(&format!("kind-{name}"), &good.replacen("user_input", kind, 1))
    };
    vec![
        edit("space-before-a-key", ",\"seq\"", ", \"seq\""),
        edit("space-before-a-comma", ",\"seq\"", " ,\"seq\""),
        edit("space-after-a-colon", "\"seq\":", "\"seq\": "),
        edit("space-first", "\"kind\"", " \"kind\""),
        edit(
            "in-another-order",
            "\"kind\":\"user_input\",\"seq\":1",
            "\"seq\":1,\"kind\":\"user_input\"",
        ),
        edit("time-before-seq", "\"seq\":1,\"ts\":1760000000001", "\"ts\":1760000000001,\"seq\":1"),
        edit("without-kind", "\"kind\":\"user_input\",", ""),
        edit("without-seq", "\"seq\":1,", ""),
        edit("without-time", "\"ts\":1760000000001,", ""),
        edit("escaped-key", "\"seq\"", r#""\u0073eq""#),
        edit("key-of-another-case", "\"ts\"", "\"TS\""),
        edit("field-before", "\"seq\":1", "\"seq\":1,\"x\":1"),
        edit("space-before-the-fields", ",\"item\"", " ,\"item\""),
        edit("no-comma-before-the-fields", ",\"item\"", "\"item\""),
        bad("bare-object", "}}"),
        bad("brace-after-brace", &entry(1, "a", "").replace('}', "}}")),
        bad("start-again", &start("")),
        bad("start-with-this-seq", &start("").replace("\"seq\":0", "\"seq\":1")),
        bad("start-without-format", &entry(1, "session_start", "")),
        kind("upper-case", "User_input"),
        kind("empty", ""),
        kind("digit-first", "1st"),
        kind("underscore-first", "_a"),
        kind("dash", "user-input"),
        kind("dot", "user.input"),
        kind("space", "user input"),
        kind("escaped", r"user\u005finput"),
        kind("accent", "é"),
        kind("33-bytes", &long),
        bad("kind-number", &good.replacen("\"user_input\"", "7", 1)),
        edit("salt-of-other-letters", &salt, "AAAAAAAAAA/"),
        edit("salt-with-low-bits", &salt, "AAAAAAAAAAB"),
        edit("salt-short", &salt, "AAAAAAAAAA"),
        edit("salt-long", &salt, "AAAAAAAAAAAA"),
        edit("salt-padded", &salt, "AAAAAAAAAAA="),
        edit("salt-empty", &salt, ""),
        edit("salt-null", &format!("\"{salt}\""), "null"),
        edit("salt-number", &format!("\"{salt}\""), "5"),
        Case::new("envelope-salts-of-all-endings", Log::of(&salts())),
    ]
}

/// One line for each last character that a salt may have.
fn salts() -> Vec<String> {
    let line = |(seq, last): (u64, char)| {
        entry(seq, "x", "").replace(&salt(seq), &format!("-_azAZ09-_{last}"))
    };
    let lines = (1..).zip("AEIMQUYcgkosw048".chars()).map(line);
    [start("")].into_iter().chain(lines).collect()
}

/// `salt` and `more` belong to the envelope at their place only.
fn at_its_place() -> Vec<Case> {
    let (ts, salt) = (TS + 1, salt(1));
    let envelope = format!(r#""kind":"x","seq":1,"ts":{ts}"#);
    let of = |name: &str, members: &str| {
        let rest = format!("{envelope}{members}}}");
        Case::new(format!("envelope-{name}"), Log::of(&[start(""), rest]))
    };
    vec![
        of("more-before-salt", &format!(r#","more":1,"salt":"{salt}""#)).head(0).torn(),
        of("salt-after-a-field", &format!(r#","a":1,"salt":"{salt}""#))
            .entry_fails("duplicate_key", 1),
        of("more-after-a-field", r#","a":1,"more":1"#).entry_fails("duplicate_key", 1),
        of("salt-after-a-space", &format!(r#", "salt":"{salt}""#)).entry_fails("duplicate_key", 1),
        of("salt-twice", &format!(r#","salt":"{salt}","salt":"{salt}""#))
            .entry_fails("duplicate_key", 1),
        of("time-twice", r#","ts":1"#).entry_fails("duplicate_key", 1),
        of("seq-again", r#","seq":1"#).entry_fails("duplicate_key", 1),
        of("kind-again", r#","kind":"x""#).entry_fails("duplicate_key", 1),
        of("nothing-after-the-comma", ",").entry_fails("bad_json", 1),
        of("two-objects", "},{").fails("bad_entry", 2),
    ]
}

fn numbers() -> Vec<Case> {
    let seq = |name: &str, seq: &str, code: &'static str| {
        let rest = entry(1, "x", "").replacen("\"seq\":1", &format!("\"seq\":{seq}"), 1);
        Case::new(format!("seq-{name}"), Log::of(&[start(""), rest])).fails(code, 2)
    };
    let time = |name: &str, ts: &str| {
        let from = format!("\"ts\":{}", TS + 1);
        bad(&format!("ts-{name}"), &entry(1, "x", "").replacen(&from, &format!("\"ts\":{ts}"), 1))
    };
    let renumbered: Vec<_> =
        [start("")].into_iter().chain((1..5).map(|line| entry(line + line / 3, "x", ""))).collect();
    vec![
        seq("0", "0", "bad_seq"),
        seq("2", "2", "bad_seq"),
        seq("highest", "9007199254740991", "bad_seq"),
        seq("beyond-integers", "9007199254740992", "bad_entry"),
        seq("beyond-64-bits", "18446744073709551617", "bad_entry"),
        seq("01", "01", "bad_entry"),
        seq("negative", "-1", "bad_entry"),
        seq("exponent", "1e0", "bad_entry"),
        seq("fraction", "1.0", "bad_entry"),
        seq("text", "\"1\"", "bad_entry"),
        seq("plus", "+1", "bad_entry"),
        Case::new("seq-renumbered", Log::of(&renumbered)).fails("bad_seq", 4),
        time("beyond-integers", "9007199254740992"),
        time("negative", "-1"),
        time("fraction", "1.5"),
        time("exponent", "1e3"),
        time("leading-zero", "01"),
        time("text", "\"2025-10-09T08:53:20Z\""),
        time("null", "null"),
        time("empty", ""),
    ]
}

/// Strings that are no id.
fn sessions() -> Vec<Case> {
    let of = |name: &str, json: &str| bad_first(&format!("session-{name}"), &start_of(json, ""));
    vec![
        of("empty", r#""""#),
        of("number", "1"),
        of("null", "null"),
        of("object", r#"{"id":"demo"}"#),
        of("control-character", r#""a\u0000b""#),
        of("raw-control-character", "\"a\u{1}b\""),
        of("tab", "\"a\tb\""),
        of("delete", "\"a\u{7f}b\""),
        of("next-line", "\"a\u{85}b\""),
        of("lone-surrogate", r#""\ud800""#),
        of("bad-escape", r#""\x""#),
        of("bad-unicode-escape", r#""\u12g4""#),
        of("short-unicode-escape", r#""\u12""#),
        of("signed-unicode-escape", r#""\u+123""#),
        of("escape-without-end", r#""demo\"#),
        of("escaped-control-character", r#""a\bc""#),
        of("low-surrogate", r#""\ude00""#),
        of("surrogates-swapped", r#""\ude00\ud83d""#),
        of("high-surrogate-and-letter", r#""\ud83d\u0041""#),
        of("high-surrogate-and-end", r#""a\ud83d""#),
        of("two-high-surrogates", r#""\ud83d\ud83d\ude00""#),
        of("129-bytes", &format!("\"{}\"", "a".repeat(129))),
        of("form-201", &format!("\"{}\"", "A".repeat(67))),
        of("not-ended", "\"demo"),
    ]
}
