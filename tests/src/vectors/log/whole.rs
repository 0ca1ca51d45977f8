//! Logs that hold.

use super::Case;
use crate::build::{Log, after_fork, entry, envelope, point, start, start_of};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "worked-example",
            Log::of(&[
                start(""),
                entry(1, "user_input", r#","item":{"role":"user","content":"Hi"}"#),
            ]),
        ),
        Case::new("sample", Log::sample()),
        Case::new("start-only", Log::of(&[start("")])),
        Case::new("every-kind", every_kind()),
        Case::new("every-optional-field-null", optional_nulls()),
        Case::new(
            "unsalted",
            Log::of(&[
                r#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":0}"#,
                r#""kind":"user_input","seq":1,"ts":9007199254740991,"item":null}"#,
            ]),
        ),
        Case::new(
            "salted-and-unsalted-entries",
            Log::of(&[start("").as_str(), r#""kind":"turn_end","seq":1,"ts":1,"turn":1}"#]),
        ),
        Case::new(
            "times-run-backwards",
            Log::of(&[
                start("").as_str(),
                r#""kind":"turn_end","seq":1,"ts":1,"turn":1}"#,
                r#""kind":"turn_end","seq":2,"ts":0,"turn":2}"#,
            ]),
        ),
        Case::new("many-lines", Log::text(300, 40, 3)),
    ];
    cases.extend(payloads());
    cases.extend(spaces());
    cases.extend(sessions());
    cases
}

/// What payloads may hold, and keep.
fn payloads() -> Vec<Case> {
    let of = |name: &str, fields: &str| {
        Case::new(format!("payload-{name}"), Log::of(&[start(""), entry(1, "user_input", fields)]))
    };
    vec![
        of(
            "64-bit-integers",
            r#","item":[18446744073709551615,-9223372036854775808,9007199254740993]"#,
        ),
        of("numbers", r#","item":[0,-0,1.50,1e400,-1E-7,0.1e+2,123456789012345678901234567890]"#),
        of("escapes", r#","item":"\" \\ \/ \b \f \n \r \t \u00e9 \u00E9 \u0000""#),
        of("lone-surrogates", r#","item":["\ud800","\udc00x","\udc00\ud800"]"#),
        of("line-separators", ",\"item\":\"a\u{2028}b\u{2029}c\u{85}d\""),
        of("delete-character", ",\"item\":\"\u{7f}\""),
        of("byte-order-mark", ",\"item\":\"\u{feff}\""),
        of("beyond-the-basic-plane", ",\"item\":\"🙂 𝄞 \u{10ffff}\""),
        of("duplicate-keys-inside", r#","item":{"a":1,"a":2,"hash":"x","seq":0}"#),
        of("escaped-keys-inside", r#","item":{"\u0061":1,"":2}"#),
        of("scalars", r#","item":false"#),
        of("empty-containers", r#","item":[{},[],""," "]"#),
        of("unknown-fields", r#","item":1,"later":{"any":[1]},"session":"x","keep":-1"#),
        Case::new(
            "unknown-kind",
            Log::of(&[
                start(""),
                entry(1, "later_kind_2", r#","item":7,"turn":"no number""#),
                entry(2, "x", ""),
                entry(3, &"k".repeat(32), ""),
            ]),
        ),
    ]
}

/// White space may stand in a body after its envelope, but for line breaks.
fn spaces() -> Vec<Case> {
    vec![
        Case::new(
            "spaces-after-the-envelope",
            Log::of(&[
                start(""),
                envelope(1, "user_input", 0) + ", \"item\" :\t{ \"a\" : [ 1 , 2 ] } \t}",
            ]),
        ),
        Case::new(
            "spaces-at-the-end-of-a-value",
            Log::of(&[start(""), entry(1, "turn_end", ",\t\"turn\" : 1 ")]),
        ),
    ]
}

/// Ids of all sorts are ids, however hostile they look.
fn sessions() -> Vec<Case> {
    let of = |name: &str, json: &str, id: &str| {
        Case::new(format!("session-{name}"), Log::of(&[start_of(json, "")])).session(id)
    };
    let long = "a".repeat(128);
    let capitals = "A".repeat(66);
    vec![
        of("path", r#""../../etc/passwd""#, "../../etc/passwd"),
        of("backslash", r#""..\\x""#, r"..\x"),
        of("device", r#""con""#, "con"),
        of("quotes", r#""a\"b""#, "a\"b"),
        of("escaped", r#""\u0064emo\ud83d\ude42""#, "demo🙂"),
        of("escaped-signs", r#""a\/b\\\u005C\u002F""#, r"a/b\\/"),
        of("accent", r#""é""#, "é"),
        of("html", r#""<script>alert(1)</script>""#, "<script>alert(1)</script>"),
        of("longest", &format!("\"{long}\""), &long),
        of("longest-form", &format!("\"{capitals}\""), &capitals),
        of("space", r#"" ""#, " "),
    ]
}

fn every_kind() -> Log {
    let at = point("old", 3, &"ab".repeat(32));
    let first = format!(
        r#","system_prompt":"é","config":{{"model":"m"}},"history":[1,{{"a":2}}],"turns":4,"state":[0],"forked_from":{at},"compacted_from":{at}"#
    );
    let entries = [
        ("user_input", r#","item":{"text":"Hi"},"id":"u1""#),
        ("assistant_item", r#","item":{"text":"Hello"},"id":"a1","parent":"u1""#),
        ("tool_result", r#","item":42"#),
        ("system_item", r#","item":"Be kind.""#),
        ("turn_end", r#","turn":1"#),
        ("run_started", r#","run":"r1""#),
        ("run_completed", r#","result":"paused","run":"r1""#),
        ("run_errored", r#","message":"no network","run":"r2""#),
        ("config_changed", r#","config":null"#),
        (
            "llm_usage",
            r#","history_len":4,"input_total_tokens":100,"cache_read_tokens":0,"cache_write_tokens":9007199254740991,"output_tokens":7"#,
        ),
        ("extension", r#","domain":"example.org","payload":[1,2]"#),
        ("state", r#","state":{"slice":true}"#),
        ("truncated", r#","keep":5"#),
        ("replaced", r#","history":["a","b","c"]"#),
        (
            "compaction",
            r#","summary":["s"],"keep_last":2,"system_prompt":"","config":[],"turns":5,"state":1"#,
        ),
        ("later_kind", r#","anything":0"#),
    ];
    let mut rests = vec![start(&first)];
    rests.extend((1..).zip(entries).map(|(seq, (kind, fields))| entry(seq, kind, fields)));
    let log = Log::of(&rests);
    let last = rests.len() as u64 - 1;
    let parent = point("demo", last, &log.hash(last));
    rests.push(entry(last + 1, "fork", &format!(r#","session":"demo","parent":{parent}"#)));
    rests.push(after_fork(last + 1, &entry(last + 2, "user_input", r#","item":"withheld""#)));
    Log::of(&rests)
}

fn optional_nulls() -> Log {
    let first = r#","system_prompt":null,"config":null,"history":null,"turns":null,"state":null,"forked_from":null,"compacted_from":null"#;
    Log::of(&[
        start(first),
        entry(1, "user_input", r#","item":null,"id":null,"parent":null"#),
        entry(2, "run_started", r#","run":null"#),
        entry(3, "run_completed", r#","result":"yielded","run":null"#),
        entry(4, "run_errored", r#","message":"","run":null"#),
        entry(
            5,
            "llm_usage",
            r#","history_len":null,"input_total_tokens":null,"cache_read_tokens":null,"cache_write_tokens":null,"output_tokens":null"#,
        ),
        entry(6, "llm_usage", ""),
        entry(7, "config_changed", r#","config":null"#),
        entry(8, "extension", r#","domain":"","payload":null"#),
        entry(9, "state", r#","state":null"#),
        entry(
            10,
            "compaction",
            r#","summary":[],"keep_last":0,"system_prompt":null,"config":null,"turns":null,"state":null"#,
        ),
    ])
}
