//! The entry checks of §4: the chain holds, the content does not.

use super::Case;
use crate::build::{Log, entry, point, start};

pub(super) fn cases() -> Vec<Case> {
    [json(), depth(), keys(), types(), starts(), points(), folds(), order()].concat()
}

/// The sample's start, then an entry with these fields.
fn of(name: &str, kind: &str, fields: &str) -> Case {
    Case::new(name, Log::of(&[start(""), entry(1, kind, fields)]))
}

/// Check 1.
fn json() -> Vec<Case> {
    let bad = |name: &str, value: &str| {
        let fields = format!(",\"item\":{value}");
        of(&format!("json-{name}"), "user_input", &fields).entry_fails("bad_json", 1)
    };
    let text = |name: &str, fields: &str| {
        of(&format!("json-{name}"), "user_input", fields).entry_fails("bad_json", 1)
    };
    vec![
        bad("leading-zero", "01"),
        bad("minus-zero-one", "-01"),
        bad("no-fraction", "1."),
        bad("no-whole", ".5"),
        bad("plus", "+1"),
        bad("no-exponent", "1e"),
        bad("minus-alone", "-"),
        bad("hexadecimal", "0x10"),
        bad("not-a-number", "NaN"),
        bad("infinity", "Infinity"),
        bad("bad-literal", "nulL"),
        bad("single-quotes", "'x'"),
        bad("bad-escape", r#""\x41""#),
        bad("short-unicode-escape", r#""\u12""#),
        bad("unicode-escape-of-other-digits", r#""\u12g4""#),
        bad("raw-nul", "\"\0\""),
        bad("raw-tab", "\"\t\""),
        bad("raw-escape-character", "\"\u{1b}\""),
        bad("raw-carriage-return-in-text", "\"a\rb\""),
        bad("raw-carriage-return-outside", "[1,\r2]"),
        bad("vertical-tab-outside", "[1,\u{b}2]"),
        bad("no-break-space-outside", "[1,\u{a0}2]"),
        bad("byte-order-mark-outside", "\u{feff}1"),
        bad("comment", "1/*one*/"),
        bad("trailing-comma-in-array", "[1,]"),
        bad("trailing-comma-in-object", r#"{"a":1,}"#),
        bad("missing-comma", "[1 2]"),
        bad("missing-colon", r#"{"a" 1}"#),
        bad("bare-key", "{a:1}"),
        bad("number-as-key", "{1:1}"),
        bad("not-closed", "[1"),
        bad("closed-by-another", "[1}"),
        bad("text-not-closed", "\"x"),
        bad("nothing", ""),
        bad("two-values", "1 2"),
        text("trailing-comma", r#","item":1,"#),
        text("two-commas", r#","item":1,,"x":2"#),
        text("no-colon", r#","item""#),
        text("bare-member", ",item:1"),
        text("text-after-the-body", r#","item":1} {"x":1"#),
    ]
}

/// Check 2: 64 levels, the body's own among them.
fn depth() -> Vec<Case> {
    let arrays = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let objects = |levels: usize| r#"{"a":"#.repeat(levels) + "0" + &"}".repeat(levels);
    let item = |name: &str, value: String| {
        of(&format!("depth-{name}"), "user_input", &format!(",\"item\":{value}"))
    };
    let deep = |name: &str, value: String| item(name, value).entry_fails("too_deep", 1);
    vec![
        item("64-arrays", arrays(63)),
        item("64-objects", objects(63)),
        item("64-many-times", format!("[{}]", vec![arrays(62); 3].join(","))),
        item("brackets-in-text", format!("\"{}\"", "[".repeat(500))),
        deep("65-arrays", arrays(64)),
        deep("65-objects", objects(64)),
        deep("65-after-others", format!("[[],{{}},{}]", arrays(63))),
        deep("very-deep", arrays(20_000)),
        deep("never-closed", "[".repeat(20_000)),
        deep("before-bad-json", format!("[{},01]", arrays(64))),
        item("after-bad-json", format!("[01,{}]", arrays(64))).entry_fails("bad_json", 1),
        of("depth-of-an-unknown-field", "turn_end", &format!(",\"turn\":1,\"x\":{}", arrays(64)))
            .entry_fails("too_deep", 1),
    ]
}

/// Checks 3 and 4.
fn keys() -> Vec<Case> {
    let of = |name: &str, fields: &str, code: &'static str| {
        of(&format!("key-{name}"), "user_input", &format!(",\"item\":1{fields}"))
            .entry_fails(code, 1)
    };
    let reserved = ["hash", "prev_hash", "seq", "ts", "fork", "salt", "more", "format", "digest"];
    let reserved = reserved
        .iter()
        .map(|key| of(&format!("reserved-{key}"), &format!(",\"{key}\":1"), "duplicate_key"));
    let mut cases: Vec<_> = reserved.collect();
    cases.extend([
        of("twice", r#","item":1"#, "duplicate_key"),
        of("twice-unknown", r#","x":1,"y":2,"x":1"#, "duplicate_key"),
        of("kind-twice", r#","kind":"user_input""#, "duplicate_key"),
        of("escaped", r#","\u0078":1"#, "bad_entry"),
        of("escaped-quote", r#","a\"b":1"#, "bad_entry"),
        of("escaped-reserved", r#","\u0073eq":1"#, "bad_entry"),
        of("escaped-twice", r#","a\\b":1,"a\\b":1"#, "bad_entry"),
        Case::new("key-empty", Log::of(&[start(""), entry(1, "x", r#","":1," ":2"#)])),
        Case::new("key-session", Log::of(&[start(""), entry(1, "x", r#","session":1"#)])),
        Case::new(
            "key-of-another-case",
            Log::of(&[start(""), entry(1, "x", r#","Seq":1,"HASH":2"#)]),
        ),
        Case::new("key-session-on-the-first-line", Log::of(&[start(r#","session":"x""#)]))
            .entry_fails("duplicate_key", 0),
        Case::new("key-digest-on-the-first-line", Log::of(&[start(r#","digest":"x""#)]))
            .entry_fails("duplicate_key", 0),
        Case::new("key-kind-on-the-first-line", Log::of(&[start(r#","kind":"x""#)]))
            .entry_fails("duplicate_key", 0),
    ]);
    cases
}

/// Check 5: a bad field of every type, for every kind that has one.
fn types() -> Vec<Case> {
    let bad = |name: &str, kind: &str, fields: &str| {
        of(&format!("type-{kind}-{name}"), kind, fields).entry_fails("bad_entry", 1)
    };
    let compaction = |name: &str, field: &str| {
        bad(name, "compaction", &format!(r#","summary":[],"keep_last":0,{field}"#))
    };
    let long_id = "i".repeat(513);
    let long_id = format!(r#","item":1,"id":"{long_id}""#);
    let accents = format!(r#","item":1,"parent":"{}""#, "é".repeat(257));
    let escaped = format!(r#","item":1,"id":"{}""#, r"\u0041".repeat(513));
    let at_512 =
        format!(r#","item":1,"id":"{}","parent":"{}""#, "é".repeat(256), r"\u0041".repeat(512));
    vec![
        bad("without-item", "user_input", ""),
        bad("without-item", "assistant_item", r#","id":"a""#),
        bad("without-item", "tool_result", ""),
        bad("without-item", "system_item", ""),
        bad("id-number", "user_input", r#","item":1,"id":7"#),
        bad("id-lone-surrogate", "user_input", r#","item":1,"id":"\ud800""#),
        bad("id-513-bytes", "user_input", &long_id),
        bad("id-513-escapes", "user_input", &escaped),
        bad("parent-514-bytes", "tool_result", &accents),
        bad("parent-object", "assistant_item", r#","item":1,"parent":{}"#),
        of("type-user_input-id-512-bytes", "user_input", &at_512),
        of("type-user_input-id-empty", "user_input", r#","item":1,"id":"","parent":"\u0000""#),
        bad("without-turn", "turn_end", ""),
        bad("turn-null", "turn_end", r#","turn":null"#),
        bad("turn-text", "turn_end", r#","turn":"1""#),
        bad("turn-negative", "turn_end", r#","turn":-1"#),
        bad("turn-minus-zero", "turn_end", r#","turn":-0"#),
        bad("turn-fraction", "turn_end", r#","turn":1.0"#),
        bad("turn-exponent", "turn_end", r#","turn":1e2"#),
        bad("turn-beyond-integers", "turn_end", r#","turn":9007199254740992"#),
        of("type-turn_end-turn-highest", "turn_end", r#","turn":9007199254740991"#),
        bad("run-number", "run_started", r#","run":1"#),
        bad("run-lone-surrogate", "run_started", r#","run":"\udfff""#),
        bad("without-result", "run_completed", r#","run":"r""#),
        bad("result-unknown", "run_completed", r#","result":"done""#),
        bad("result-null", "run_completed", r#","result":null"#),
        bad("result-of-another-case", "run_completed", r#","result":"Finished""#),
        of("type-run_completed-result-escaped", "run_completed", r#","result":"\u0066inished""#),
        of("type-run_completed-result-limit", "run_completed", r#","result":"limit_reached""#),
        bad("without-message", "run_errored", ""),
        bad("message-null", "run_errored", r#","message":null"#),
        bad("message-object", "run_errored", r#","message":{"text":"x"}"#),
        bad("without-config", "config_changed", ""),
        bad("count-text", "llm_usage", r#","output_tokens":"7""#),
        bad("count-negative", "llm_usage", r#","history_len":-7"#),
        bad("count-flag", "llm_usage", r#","cache_read_tokens":true"#),
        bad("without-domain", "extension", r#","payload":1"#),
        bad("without-payload", "extension", r#","domain":"d""#),
        bad("domain-null", "extension", r#","domain":null,"payload":1"#),
        bad("without-state", "state", ""),
        bad("without-keep", "truncated", ""),
        bad("keep-null", "truncated", r#","keep":null"#),
        bad("without-history", "replaced", ""),
        bad("history-null", "replaced", r#","history":null"#),
        bad("history-object", "replaced", r#","history":{"0":1}"#),
        bad("history-text", "replaced", r#","history":"[]""#),
        bad("without-summary", "compaction", r#","keep_last":0"#),
        bad("without-keep-last", "compaction", r#","summary":[]"#),
        bad("summary-null", "compaction", r#","summary":null,"keep_last":0"#),
        compaction("system-prompt-number", r#""system_prompt":7"#),
        compaction("system-prompt-lone-surrogate", r#""system_prompt":"\udc00""#),
        compaction("turns-text", r#""turns":"3""#),
        compaction("turns-negative", r#""turns":-3"#),
        compaction("turns-beyond-integers", r#""turns":9007199254740992"#),
        of("type-of-an-unknown-kind", "later", r#","item":1,"turn":"x","history":7"#),
    ]
}

/// Check 5 on the first line.
fn starts() -> Vec<Case> {
    let bad = |name: &str, fields: &str| {
        Case::new(format!("type-session_start-{name}"), Log::of(&[start(fields)]))
            .entry_fails("bad_entry", 0)
    };
    vec![
        bad("system-prompt-number", r#","system_prompt":7"#),
        bad("system-prompt-array", r#","system_prompt":["x"]"#),
        bad("system-prompt-lone-surrogate", r#","system_prompt":"\ud83d""#),
        bad("history-object", r#","history":{}"#),
        bad("history-number", r#","history":0"#),
        bad("turns-text", r#","turns":"3""#),
        bad("turns-fraction", r#","turns":3.5"#),
        bad("turns-flag", r#","turns":true"#),
        bad("turns-beyond-integers", r#","turns":9007199254740992"#),
        bad("forked-from-text", r#","forked_from":"demo""#),
        bad("compacted-from-empty", r#","compacted_from":{}"#),
    ]
}

/// Points, where no chain depends on them.
fn points() -> Vec<Case> {
    let hash = "ab".repeat(32);
    let good = point("old", 3, &hash);
    let of = |name: &str, point: &str| {
        let log = Log::of(&[start(&format!(",\"forked_from\":{point}"))]);
        Case::new(format!("point-{name}"), log)
    };
    let bad = |name: &str, from: &str, to: &str| {
        of(name, &good.replace(from, to)).entry_fails("bad_entry", 0)
    };
    vec![
        of("plain", &good),
        of("null", "null"),
        of("in-another-order", &format!(r#"{{ "hash":"{hash}","session":"o\u006cd" , "seq":0}}"#)),
        of("of-a-hostile-id", &good.replace("old", "../../x")),
        bad("with-more", "{", "{\"at\":1,"),
        bad("without-seq", "\"seq\":3,", ""),
        bad("with-an-escaped-key", "\"hash\"", r#""h\u0061sh""#),
        bad("with-session-twice", "{", "{\"session\":\"old\","),
        bad(
            "without-session-but-hash-twice",
            "\"session\":\"old\"",
            &format!("\"hash\":\"{hash}\""),
        ),
        bad("with-an-empty-session", "\"old\"", "\"\""),
        bad("with-seq-beyond-integers", ":3", ":9007199254740992"),
        bad("with-seq-negative", ":3", ":-3"),
        bad("with-an-upper-case-hash", &hash, &hash.to_uppercase()),
        bad("with-a-long-hash", &hash, &format!("{hash}ab")),
        bad("with-hash-null", &format!("\"{hash}\""), "null"),
    ]
}

/// What can be read and cannot be folded.
fn folds() -> Vec<Case> {
    let of = |name: &str, kind: &str, fields: &str| {
        let log = Log::of(&[
            start(r#","history":[1,2]"#),
            entry(1, "user_input", r#","item":3"#),
            entry(2, kind, fields),
        ]);
        Case::new(format!("fold-{name}"), log)
    };
    let bad =
        |name: &str, kind: &str, fields: &str| of(name, kind, fields).entry_fails("bad_entry", 2);
    vec![
        of("truncated-to-nothing", "truncated", r#","keep":0"#),
        of("truncated-to-all", "truncated", r#","keep":3"#),
        bad("truncated-beyond", "truncated", r#","keep":4"#),
        bad("truncated-far-beyond", "truncated", r#","keep":9007199254740991"#),
        of("compaction-of-all", "compaction", r#","summary":[0],"keep_last":3"#),
        of("compaction-of-nothing", "compaction", r#","summary":[],"keep_last":0"#),
        bad("compaction-beyond", "compaction", r#","summary":[0],"keep_last":4"#),
    ]
}

/// Which fault is told, where there are several.
fn order() -> Vec<Case> {
    let two = Log::of(&[
        start(""),
        entry(1, "turn_end", r#","turn":"x""#),
        entry(2, "user_input", r#","item":01"#),
    ]);
    let torn = Log::of(&[start(""), entry(1, "turn_end", r#","turn":01"#)]);
    let torn = torn.cut(torn.0.len() as u64 - 1);
    let changed = Log::of(&[
        start(""),
        entry(1, "turn_end", r#","turn":-1"#),
        entry(2, "user_input", r#","item":2"#),
    ]);
    vec![
        of("order-json-before-keys", "x", r#","\u0061":1,"b":01"#).entry_fails("bad_json", 1),
        of("order-depth-before-keys", "x", &format!(r#","\u0061":1,"b":{}"#, "[".repeat(64)))
            .entry_fails("too_deep", 1),
        of("order-escapes-before-doubles", "x", r#","b":1,"b":1,"\u0061":1"#)
            .entry_fails("bad_entry", 1),
        of("order-doubles-before-types", "turn_end", r#","turn":"x","a":1,"a":1"#)
            .entry_fails("duplicate_key", 1),
        Case::new("order-first-entry-first", two).entry_fails("bad_entry", 1),
        Case::new("order-torn-entry-is-not-looked-at", torn).head(0).torn(),
        Case::new("order-chain-and-entry", changed.replace("\"item\":2", "\"item\":3"))
            .fails("bad_hash", 3)
            .entry_fails("bad_entry", 1),
        Case::new("order-entry-after-the-head", changed.replace("\"turn\":-1", "\"turn\":-2"))
            .fails("bad_hash", 2),
    ]
}
