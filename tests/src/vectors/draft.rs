//! Area `draft`: drafts in, lines out (§4.1).

use serde_json::{Value, json};

use super::Vector;
use crate::build::{Log, SESSION, TS, salt};

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    [good(), fields(), starts(), shapes(), keys(), kinds(), times(), types(), places(), sizes()]
        .concat()
}

/// What is to be written, and the session it is written to.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    session: String,
    is_salted: bool,
    batches: Vec<Vec<String>>,
}

impl Case {
    fn new(name: &str, batches: &[&[&str]]) -> Self {
        let batch = |batch: &&[&str]| batch.iter().map(|draft| (*draft).to_owned()).collect();
        let batches = batches.iter().map(batch).collect();
        Self { name: name.into(), session: SESSION.into(), is_salted: true, batches }
    }

    fn unsalted(self) -> Self {
        Self { is_salted: false, ..self }
    }

    fn session(self, session: &str) -> Self {
        Self { session: session.into(), ..self }
    }

    fn input(&self) -> Value {
        // One salt more than drafts: a draft that does not open the log has a line before it.
        let drafts = self.batches.iter().map(Vec::len).sum::<usize>() as u64;
        let salts: Vec<String> = (0..=drafts).map(salt).collect();
        let salts = if self.is_salted { json!(salts) } else { Value::Null };
        json!({ "session": self.session, "ts": TS, "salts": salts, "batches": self.batches })
    }

    /// These RESTs are written.
    fn writes<R: AsRef<str>>(self, rests: &[R]) -> Vector {
        let rests: Vec<&str> = rests.iter().map(AsRef::as_ref).collect();
        let log = String::from_utf8_lossy(&Log::of(&rests).0).into_owned();
        Vector::of_json("draft", &self.name, &self.input(), json!({ "log": log }))
    }

    /// That draft of that batch is refused.
    fn fails(self, code: &str, batch: u64, index: u64) -> Vector {
        let expected = json!({ "code": code, "batch": batch, "index": index });
        Vector::of_json("draft", &self.name, &self.input(), expected)
    }
}

/// REST of the first line, with these fields.
fn first(more: &str, fields: &str) -> String {
    let salt = salt(0);
    format!(
        r#""kind":"session_start","seq":0,"format":1,"session":"demo","ts":{TS},"salt":"{salt}"{more}{fields}}}"#
    )
}

/// REST of another line, with these members after its salt.
fn line(seq: u64, kind: &str, members: &str) -> String {
    let salt = salt(seq);
    format!(r#""kind":"{kind}","seq":{seq},"ts":{TS},"salt":"{salt}"{members}}}"#)
}

const TURN: &str = r#"{"kind":"turn_end","turn":1}"#;

fn good() -> Vec<Vector> {
    let bare = |rest: String, seq: u64| rest.replace(&format!(",\"salt\":\"{}\"", salt(seq)), "");
    let turn = |seq: u64, more: &str| line(seq, "turn_end", &format!(r#"{more},"turn":1"#));
    vec![
        Case::new("one", &[&[TURN]]).writes(&[first("", ""), turn(1, "")]),
        Case::new("two-batches-of-one", &[&[TURN], &[TURN]]).writes(&[
            first("", ""),
            turn(1, ""),
            turn(2, ""),
        ]),
        Case::new("batch-of-three", &[&[TURN, TURN, TURN]]).writes(&[
            first("", ""),
            turn(1, r#","more":2"#),
            turn(2, r#","more":1"#),
            turn(3, ""),
        ]),
        Case::new("batches", &[&[TURN, TURN], &[TURN], &[TURN, TURN]]).writes(&[
            first("", ""),
            turn(1, r#","more":1"#),
            turn(2, ""),
            turn(3, ""),
            turn(4, r#","more":1"#),
            turn(5, ""),
        ]),
        Case::new("unsalted", &[&[TURN, TURN]]).unsalted().writes(&[
            bare(first("", ""), 0),
            bare(turn(1, r#","more":1"#), 1),
            bare(turn(2, ""), 2),
        ]),
        Case::new(
            "worked-example",
            &[&[
                r#"{"kind":"user_input","ts":1760000000001,"item":{"role":"user","content":"Hi"}}"#,
            ]],
        )
        .writes(&[
            first("", ""),
            line(1, "user_input", r#","item":{"role":"user","content":"Hi"}"#)
                .replace(&TS.to_string(), "1760000000001"),
        ]),
        Case::new("session-with-escapes", &[&[TURN]])
            .session("a\"\\/b é🙂")
            .writes(&[first("", "").replace("\"demo\"", r#""a\"\\/b é🙂""#), turn(1, "")]),
        Case::new("session-of-a-path", &[&[TURN]])
            .session("../../x")
            .writes(&[first("", "").replace("demo", "../../x"), turn(1, "")]),
    ]
}

/// Fields keep their bytes and their order; the white space between them goes.
fn fields() -> Vec<Vector> {
    let is = |name: &str, draft: &str, kind: &str, members: &str| {
        Case::new(name, &[&[draft]]).writes(&[first("", ""), line(1, kind, members)])
    };
    vec![
        is(
            "white-space-goes",
            "{ \"item\" : {\"b\" : 1.50 ,\"a\":[ ]} ,\t\"id\":\"x\"  ,\"kind\" :\"user_input\" }",
            "user_input",
            r#","item":{"b" : 1.50 ,"a":[ ]},"id":"x""#,
        ),
        is(
            "order-is-kept",
            r#"{"z":1,"kind":"user_input","parent":"p","item":0,"a":2,"id":"i"}"#,
            "user_input",
            r#","z":1,"parent":"p","item":0,"a":2,"id":"i""#,
        ),
        is(
            "payload-is-kept",
            "{\"kind\":\"tool_result\",\"item\":[18446744073709551615,1e400,-0.10,\"\\ud800\\/\\u00E9\",\"\u{2028}\",{\"a\":1,\"a\":2}]}",
            "tool_result",
            ",\"item\":[18446744073709551615,1e400,-0.10,\"\\ud800\\/\\u00E9\",\"\u{2028}\",{\"a\":1,\"a\":2}]",
        ),
        is(
            "text-is-kept",
            r#"{"kind":"run_started","run":"\u0041\/"}"#,
            "run_started",
            r#","run":"\u0041\/""#,
        ),
        is(
            "nulls-are-kept",
            r#"{"kind":"llm_usage","history_len":null}"#,
            "llm_usage",
            r#","history_len":null"#,
        ),
        is(
            "unknown-kind",
            r#"{"kind":"later_kind","x":{"y":[]}}"#,
            "later_kind",
            r#","x":{"y":[]}"#,
        ),
        is("unknown-kind-without-fields", r#"{"kind":"a"}"#, "a", ""),
        is("kind-of-32-bytes", &format!(r#"{{"kind":"{}"}}"#, "k".repeat(32)), &"k".repeat(32), ""),
        is("empty-key", r#"{"kind":"a","":1}"#, "a", r#","":1"#),
        is("session-as-a-field", r#"{"kind":"a","session":1}"#, "a", r#","session":1"#),
        is(
            "state-as-a-field",
            r#"{"kind":"state","state":{"kind":"x","seq":1}}"#,
            "state",
            r#","state":{"kind":"x","seq":1}"#,
        ),
        is("time-given", r#"{"kind":"a","ts":0}"#, "a", "").replace_time("0"),
        is("time-given-last", r#"{"kind":"a","x":1,"ts":9007199254740991}"#, "a", r#","x":1"#)
            .replace_time("9007199254740991"),
        is("time-given-with-spaces", r#"{"ts" : 5 , "kind":"a"}"#, "a", "").replace_time("5"),
        is("white-space-around", "\t {\"kind\":\"a\"} \t", "a", ""),
        is("depth-64", &nested(63), "a", &format!(",\"x\":{}{}", "[".repeat(63), "]".repeat(63))),
    ]
}

fn nested(levels: usize) -> String {
    format!(r#"{{"kind":"a","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

impl Vector {
    /// The same, where the last line has another time.
    fn replace_time(mut self, time: &str) -> Self {
        let text = self.expected["log"].as_str().unwrap_or_default();
        let mut rests: Vec<String> = Log(text.as_bytes().to_vec())
            .rests()
            .into_iter()
            .map(|rest| String::from_utf8_lossy(rest).into_owned())
            .collect();
        if let Some(last) = rests.last_mut() {
            *last = last.replacen(&TS.to_string(), time, 1);
        }
        self.expected["log"] = String::from_utf8_lossy(&Log::of(&rests).0).into();
        self
    }
}

/// Drafts that open a log themselves.
fn starts() -> Vec<Vector> {
    let start = r#"{"kind":"session_start"}"#;
    let full = r#"{"system_prompt":"x","kind":"session_start","config":{},"history":[1]}"#;
    let fields = r#","system_prompt":"x","config":{},"history":[1]"#;
    let with = |field: &str| format!(r#"{{"kind":"session_start",{field}}}"#);
    vec![
        Case::new("start", &[&[start]]).writes(&[first("", "")]),
        Case::new("start-with-fields", &[&[full]]).writes(&[first("", fields)]),
        Case::new("start-in-a-batch", &[&[full, TURN]])
            .writes(&[first(r#","more":1"#, fields), line(1, "turn_end", r#","turn":1"#)]),
        Case::new("start-in-a-batch-unsalted", &[&[start, TURN]]).unsalted().writes(&[
            first(r#","more":1"#, "").replace(&format!(",\"salt\":\"{}\"", salt(0)), ""),
            line(1, "turn_end", r#","turn":1"#).replace(&format!(",\"salt\":\"{}\"", salt(1)), ""),
        ]),
        Case::new("start-then-another-batch", &[&[start], &[TURN]])
            .writes(&[first("", ""), line(1, "turn_end", r#","turn":1"#)]),
        Case::new("start-with-a-time", &[&[&with("\"ts\":7")]]).writes(&[first("", "").replacen(
            &TS.to_string(),
            "7",
            1,
        )]),
        Case::new("start-second", &[&[TURN, start]]).fails("bad_entry", 0, 1),
        Case::new("start-in-the-second-batch", &[&[TURN], &[start]]).fails("bad_entry", 1, 0),
        Case::new("start-twice", &[&[start, start]]).fails("bad_entry", 0, 1),
        Case::new("start-with-session", &[&[&with("\"session\":\"demo\"")]]).fails(
            "duplicate_key",
            0,
            0,
        ),
        Case::new("start-with-format", &[&[&with("\"format\":1")]]).fails("duplicate_key", 0, 0),
        Case::new("start-with-seq", &[&[&with("\"seq\":0")]]).fails("duplicate_key", 0, 0),
        Case::new("start-with-bad-history", &[&[&with("\"history\":{}")]]).fails("bad_entry", 0, 0),
        Case::new("start-with-bad-point", &[&[&with("\"forked_from\":{}")]]).fails(
            "bad_entry",
            0,
            0,
        ),
    ]
}

/// Texts that are no object, or no JSON.
fn shapes() -> Vec<Vector> {
    let bad = |name: &str, draft: &str, code: &str| {
        Case::new(&format!("json-{name}"), &[&[draft]]).fails(code, 0, 0)
    };
    let depth = |name: &str, draft: &str| bad(name, draft, "too_deep");
    let bad = |name: &str, draft: &str| bad(name, draft, "bad_json");
    vec![
        bad("nothing", ""),
        bad("space", " "),
        bad("array", "[1]"),
        bad("text", "\"turn_end\""),
        bad("number", "1"),
        bad("null", "null"),
        bad("word", "turn_end"),
        bad("line-break-inside", "{\"kind\":\"turn_end\",\n\"turn\":1}"),
        bad("line-break-in-payload", "{\"kind\":\"user_input\",\"item\":[1,\n2]}"),
        bad("carriage-return-inside", "{\"kind\":\"turn_end\",\r\n\"turn\":1}"),
        bad("line-break-in-text", "{\"kind\":\"run_started\",\"run\":\"a\nb\"}"),
        bad("tab-in-text", "{\"kind\":\"run_started\",\"run\":\"a\tb\"}"),
        bad("not-closed", r#"{"kind":"turn_end","turn":1"#),
        bad("two-objects", r#"{"kind":"turn_end","turn":1}{"x":1}"#),
        bad("text-after", r#"{"kind":"turn_end","turn":1}x"#),
        bad("trailing-comma", r#"{"kind":"turn_end","turn":1,}"#),
        bad("leading-zero", r#"{"kind":"turn_end","turn":01}"#),
        bad("not-a-number", r#"{"kind":"user_input","item":NaN}"#),
        bad("single-quotes", "{'kind':'turn_end','turn':1}"),
        bad("comment", "{\"kind\":\"turn_end\",/* */\"turn\":1}"),
        bad("bad-escape", r#"{"kind":"run_started","run":"\x"}"#),
        depth("depth-65", &nested(64)),
        depth("depth-very-deep", &nested(5000)),
    ]
}

fn keys() -> Vec<Vector> {
    let bad = |name: &str, member: &str, code: &str| {
        let draft = format!(r#"{{"kind":"turn_end","turn":1,{member}}}"#);
        Case::new(&format!("key-{name}"), &[&[&draft]]).fails(code, 0, 0)
    };
    let reserved = ["hash", "prev_hash", "seq", "salt", "more", "format", "digest"];
    let mut vectors: Vec<_> = reserved
        .iter()
        .map(|key| bad(&format!("reserved-{key}"), &format!("\"{key}\":1"), "duplicate_key"))
        .collect();
    vectors.extend([
        bad("twice", r#""turn":1"#, "duplicate_key"),
        bad("twice-unknown", r#""x":1,"x":1"#, "duplicate_key"),
        bad("kind-twice", r#""kind":"turn_end""#, "duplicate_key"),
        bad("time-twice", r#""ts":1,"ts":1"#, "duplicate_key"),
        bad("escaped", r#""\u0078":1"#, "bad_entry"),
        bad("escaped-reserved", r#""\u0073eq":1"#, "bad_entry"),
        Case::new("key-reserved-and-no-kind", &[&[r#"{"turn":1,"seq":1}"#]]).fails(
            "duplicate_key",
            0,
            0,
        ),
        Case::new("key-kind-escaped", &[&[r#"{"k\u0069nd":"turn_end","turn":1}"#]]).fails(
            "bad_entry",
            0,
            0,
        ),
    ]);
    vectors
}

fn kinds() -> Vec<Vector> {
    let bad = |name: &str, kind: &str| {
        let draft = format!(r#"{{"kind":{kind},"turn":1}}"#);
        Case::new(&format!("kind-{name}"), &[&[&draft]]).fails("bad_entry", 0, 0)
    };
    let digest = "ab".repeat(32);
    let redacted = format!(r#"{{"kind":"redacted","digest":"{digest}"}}"#);
    vec![
        Case::new("kind-missing", &[&[r#"{"turn":1}"#]]).fails("bad_entry", 0, 0),
        Case::new("kind-missing-in-empty-object", &[&["{}"]]).fails("bad_entry", 0, 0),
        Case::new("kind-redacted-with-digest", &[&[&redacted]]).fails("duplicate_key", 0, 0),
        bad("redacted", "\"redacted\""),
        bad("null", "null"),
        bad("number", "7"),
        bad("array", "[\"turn_end\"]"),
        bad("empty", "\"\""),
        bad("upper-case", "\"Turn_end\""),
        bad("dash", "\"turn-end\""),
        bad("digit-first", "\"1st\""),
        bad("space", "\" turn_end\""),
        bad("escaped", r#""turn\u005fend""#),
        bad("accent", "\"é\""),
        bad("33-bytes", &format!("\"{}\"", "k".repeat(33))),
    ]
}

fn times() -> Vec<Vector> {
    let bad = |name: &str, ts: &str| {
        let draft = format!(r#"{{"kind":"turn_end","turn":1,"ts":{ts}}}"#);
        Case::new(&format!("time-{name}"), &[&[&draft]]).fails("bad_entry", 0, 0)
    };
    vec![
        bad("null", "null"),
        bad("text", "\"1\""),
        bad("negative", "-1"),
        bad("fraction", "1.5"),
        bad("exponent", "1e3"),
        bad("minus-zero", "-0"),
        bad("beyond-integers", "9007199254740992"),
        bad("beyond-64-bits", "99999999999999999999"),
        bad("object", "{}"),
    ]
}

/// Fields of wrong types; area `log` has more of them.
fn types() -> Vec<Vector> {
    let bad = |kind: &str, fields: &str| {
        let draft = format!(r#"{{"kind":"{kind}"{fields}}}"#);
        Case::new(&format!("type-{kind}"), &[&[&draft]]).fails("bad_entry", 0, 0)
    };
    let hash = "ab".repeat(32);
    let fork = format!(r#","session":"","parent":{{"session":"demo","seq":0,"hash":"{hash}"}}"#);
    let long = format!(r#","item":1,"id":"{}""#, "i".repeat(513));
    vec![
        bad("user_input", ""),
        bad("assistant_item", &long),
        bad("tool_result", r#","item":1,"parent":7"#),
        bad("system_item", r#","content":1"#),
        bad("turn_end", r#","turn":null"#),
        bad("run_started", r#","run":1"#),
        bad("run_completed", r#","result":"done""#),
        bad("run_errored", ""),
        bad("config_changed", ""),
        bad("llm_usage", r#","output_tokens":1.5"#),
        bad("extension", r#","domain":"d""#),
        bad("state", ""),
        bad("truncated", r#","keep":"1""#),
        bad("replaced", r#","history":null"#),
        bad("compaction", r#","summary":{},"keep_last":1"#),
        bad("fork", &fork),
    ]
}

/// Which draft is named.
fn places() -> Vec<Vector> {
    let bad = r#"{"kind":"turn_end"}"#;
    let empty = |name: &str, session: &str| {
        let input = Case::new(name, &[&[TURN]]).session(session).input();
        Vector::of_json("draft", name, &input, json!({ "code": "invalid_id" }))
    };
    vec![
        Case::new("place-last-of-batch", &[&[TURN, TURN, bad]]).fails("bad_entry", 0, 2),
        Case::new("place-first-of-several", &[&[TURN, bad, "[]", bad]]).fails("bad_entry", 0, 1),
        Case::new("place-in-the-third-batch", &[&[TURN, TURN], &[TURN], &[TURN, bad]]).fails(
            "bad_entry",
            2,
            1,
        ),
        empty("session-empty", ""),
        empty("session-control-character", "a\nb"),
        empty("session-129-bytes", &"a".repeat(129)),
        empty("session-form-201", &"A".repeat(67)),
    ]
}

fn sizes() -> Vec<Vector> {
    let draft = r#"{"kind":"a"}"#;
    let input = Case::new("batch-of-4097", &[&vec![draft; 4097]]).unsalted().input();
    let expected = json!({ "code": "too_large", "batch": 0 });
    vec![Vector::of_json("draft", "batch-of-4097", &input, expected)]
}
