//! Area `draft`: drafts in, lines out (§4.1, §4.2).

use serde_json::{Value, json};

use super::Vector;
use crate::build::{Log, SESSION, TS, salt};

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let vectors = [good(), fields(), starts(), shapes(), keys(), kinds(), times(), types()];
    let items = [frameworks(), rules(), texts(), bad_items()];
    [vectors.concat(), items.concat(), places(), sizes()].concat()
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
    let full = r#"{"system_prompt":"x","kind":"session_start","config":{},"history":[1],"turns":2,"state":{}}"#;
    let fields = r#","system_prompt":"x","config":{},"history":[1],"turns":2,"state":{}"#;
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
        Case::new("start-with-fork", &[&[&with("\"fork\":0")]]).fails("duplicate_key", 0, 0),
        Case::new("start-with-bad-turns", &[&[&with("\"turns\":\"2\"")]]).fails("bad_entry", 0, 0),
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
    let reserved = ["hash", "prev_hash", "seq", "fork", "salt", "more", "format", "digest"];
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
    let opened = Log::of(&[first("", "")]);
    let parent = format!(r#"{{"session":"demo","seq":0,"hash":"{}"}}"#, opened.hash(0));
    let fork = format!(r#"{{"kind":"fork","session":"child","parent":{parent}}}"#);
    let fork_with_seq = fork.replace("}}", "},\"fork\":0}");
    vec![
        // Only forking writes it, whatever it says.
        Case::new("kind-fork", &[&[r#"{"kind":"session_start"}"#], &[&fork]]).fails(
            "bad_entry",
            1,
            0,
        ),
        Case::new("kind-fork-first", &[&[&fork]]).fails("bad_entry", 0, 0),
        Case::new("kind-fork-in-a-batch", &[&[TURN], &[TURN, &fork]]).fails("bad_entry", 1, 1),
        Case::new("kind-fork-with-a-number", &[&[&fork_with_seq]]).fails("duplicate_key", 0, 0),
        bad("fork-without-fields", "\"fork\""),
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
    let compaction = |name: &str, field: &str| {
        let draft = format!(r#"{{"kind":"compaction","summary":[],"keep_last":0,{field}}}"#);
        Case::new(&format!("type-compaction-{name}"), &[&[&draft]]).fails("bad_entry", 0, 0)
    };
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
        compaction("system-prompt", r#""system_prompt":1"#),
        compaction("turns-text", r#""turns":"1""#),
    ]
}

/// Items without a kind: the kind that each gets (§4.2). Each is a batch of its own.
fn items(name: &str, items: &[(&str, &str)]) -> Vector {
    let drafts: Vec<_> = items.iter().map(|(item, _)| format!("{{\"item\":{item}}}")).collect();
    let batches = drafts.iter().map(|draft| vec![draft.clone()]).collect();
    let entries = (1..).zip(items);
    let lines = entries.map(|(seq, (item, kind))| line(seq, kind, &format!(",\"item\":{item}")));
    let rests: Vec<_> = [first("", "")].into_iter().chain(lines).collect();
    Case { batches, ..Case::new(&format!("item-{name}"), &[]) }.writes(&rests)
}

const USER: &str = "user_input";
const ASSISTANT: &str = "assistant_item";
const RESULT: &str = "tool_result";
const SYSTEM: &str = "system_item";

/// What frameworks write.
fn frameworks() -> Vec<Vector> {
    vec![
        items(
            "of-chat-completions",
            &[
                (r#"{"role":"system","content":"Be brief."}"#, SYSTEM),
                (r#"{"role":"developer","content":"Be brief."}"#, SYSTEM),
                (r#"{"role":"user","content":[{"type":"text","text":"Hi"}]}"#, USER),
                (r#"{"role":"assistant","content":"Hello"}"#, ASSISTANT),
                (
                    r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
                    ASSISTANT,
                ),
                (r#"{"role":"tool","tool_call_id":"c","content":"done"}"#, RESULT),
                (r#"{"role":"function","name":"f","content":"done"}"#, RESULT),
            ],
        ),
        items(
            "of-responses",
            &[
                (
                    r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}"#,
                    USER,
                ),
                (r#"{"type":"message","role":"assistant","id":"msg_1","content":[]}"#, ASSISTANT),
                (r#"{"type":"message","role":"system","content":"Be brief."}"#, SYSTEM),
                (r#"{"type":"reasoning","id":"rs_1","summary":[]}"#, ASSISTANT),
                (
                    r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}"#,
                    ASSISTANT,
                ),
                (r#"{"type":"function_call_output","call_id":"c","output":"done"}"#, RESULT),
                (r#"{"type":"custom_tool_call","call_id":"c","name":"f","input":"x"}"#, ASSISTANT),
                (r#"{"type":"custom_tool_call_output","call_id":"c","output":"done"}"#, RESULT),
                (r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#, ASSISTANT),
                (r#"{"type":"computer_call_output","call_id":"c","output":{}}"#, RESULT),
                (r#"{"type":"item_reference","id":"msg_1"}"#, SYSTEM),
            ],
        ),
        items(
            "of-anthropic",
            &[
                (r#"{"role":"user","content":"Hi"}"#, USER),
                (r#"{"role":"user","content":[{"type":"text","text":"Hi"}]}"#, USER),
                (
                    r#"{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"c","name":"f","input":{}}]}"#,
                    ASSISTANT,
                ),
                (
                    r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"done"}]}"#,
                    RESULT,
                ),
                (
                    r#"{"role":"user","content":[{"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"c"}]}"#,
                    RESULT,
                ),
                (r#"{"type":"tool_use","id":"c","name":"f","input":{}}"#, ASSISTANT),
                (r#"{"type":"tool_result","tool_use_id":"c","content":"done"}"#, RESULT),
            ],
        ),
        items(
            "of-the-ai-sdk",
            &[
                (
                    r#"{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c","toolName":"f","input":{}}]}"#,
                    ASSISTANT,
                ),
                (
                    r#"{"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","output":{"type":"text","value":"x"}}]}"#,
                    RESULT,
                ),
                (r#"{"type":"tool-call","toolCallId":"c","toolName":"f","input":{}}"#, ASSISTANT),
                (r#"{"type":"tool-result","toolCallId":"c","output":{}}"#, RESULT),
            ],
        ),
        items(
            "of-pi",
            &[
                (
                    r#"{"role":"assistant","content":[{"type":"toolCall","id":"c","name":"f","arguments":{}}]}"#,
                    ASSISTANT,
                ),
                (
                    r#"{"role":"toolResult","toolCallId":"c","toolName":"f","content":[],"isError":false}"#,
                    RESULT,
                ),
                (r#"{"type":"toolCall","id":"c","name":"f","arguments":{}}"#, ASSISTANT),
            ],
        ),
        items(
            "of-session-store",
            &[
                (r#"{"type":"tool_call","call_id":"c","name":"f","arguments":"{}"}"#, ASSISTANT),
                (r#"{"type":"tool_result","call_id":"c","summary":"s","content":"x"}"#, RESULT),
                (r#"{"kind":"tool_call","call_id":"c","name":"f","arguments":"{}"}"#, ASSISTANT),
                (r#"{"kind":"tool_result","call_id":"c","summary":"s"}"#, RESULT),
                (r#"{"kind":"message","role":"user","content":[]}"#, USER),
                (r#"{"kind":"reasoning","text":"x"}"#, ASSISTANT),
            ],
        ),
        items(
            "of-others",
            &[
                (r#"{"role":"model","parts":[{"text":"Hello"}]}"#, ASSISTANT),
                (r#"{"type":"human","content":"Hi"}"#, USER),
                (r#"{"type":"ai","content":"Hello"}"#, ASSISTANT),
                (r#"{"type":"tool","tool_call_id":"c","content":"x"}"#, RESULT),
                (r#"{"type":"system","content":"x"}"#, SYSTEM),
            ],
        ),
    ]
}

/// The rules one by one, each where it ends and what stands before it.
fn rules() -> Vec<Vector> {
    let results: Vec<String> = ["call_id", "tool_call_id", "tool_use_id", "toolCallId"]
        .iter()
        .map(|id| format!(r#"{{"role":"user","type":"tool_result","{id}":"c"}}"#))
        .collect();
    let results: Vec<_> = results.iter().map(|item| (&**item, RESULT)).collect();
    let calls = ["function", "function_call", "tool_use", "tool-call", "toolCall", "tool_call"];
    let calls: Vec<String> = calls
        .iter()
        .zip(["call_id", "toolCallId", "id"].iter().cycle())
        .map(|(tag, id)| format!(r#"{{"type":"{tag}","{id}":"c"}}"#))
        .collect();
    let calls: Vec<_> = calls.iter().map(|item| (&**item, ASSISTANT)).collect();
    vec![
        items(
            "that-is-no-object",
            &[
                ("null", SYSTEM),
                ("true", SYSTEM),
                ("7", SYSTEM),
                (r#""user""#, SYSTEM),
                (r#"[{"role":"user"}]"#, SYSTEM),
                ("{}", SYSTEM),
            ],
        ),
        items("with-each-id-of-a-result", &results),
        items(
            "that-brings-results",
            &[
                (r#"{"role":"assistant","type":"tool-result","call_id":"c"}"#, RESULT),
                (r#"{"role":"system","type":"tool","call_id":"c"}"#, RESULT),
                (r#"{"role":"user","type":"x_call_output","call_id":"c"}"#, RESULT),
                (r#"{"role":"user","type":"tool_result","call_id":""}"#, RESULT),
                (
                    r#"{"role":"assistant","content":[1,{"role":"tool","tool_call_id":"c"}]}"#,
                    RESULT,
                ),
                (r#"{"content":[{"kind":"tool_result","call_id":"c"}]}"#, RESULT),
                // Not a result: no id, another tag, not an element, too deep inside.
                (r#"{"role":"user","type":"tool_result"}"#, USER),
                (r#"{"role":"user","type":"tool_result","id":"c"}"#, USER),
                (r#"{"role":"user","type":"tool_result","call_id":7}"#, USER),
                (r#"{"role":"user","type":"tool_results","call_id":"c"}"#, USER),
                (r#"{"role":"user","type":"x_output","call_id":"c"}"#, USER),
                (r#"{"role":"user","content":{"type":"tool_result","call_id":"c"}}"#, USER),
                (r#"{"role":"user","content":[[{"type":"tool_result","call_id":"c"}]]}"#, USER),
                (
                    r#"{"role":"user","content":[{"content":[{"type":"tool_result","call_id":"c"}]}]}"#,
                    USER,
                ),
                (r#"{"role":"user","contents":[{"type":"tool_result","call_id":"c"}]}"#, USER),
            ],
        ),
        items(
            "of-a-user",
            &[
                (r#"{"role":"user"}"#, USER),
                (r#"{"role":"human"}"#, USER),
                (r#"{"kind":"human"}"#, USER),
                (r#"{"role":"user","type":"reasoning"}"#, USER),
                (r#"{"role":"system","type":"human"}"#, SYSTEM),
                (r#"{"type":"user"}"#, SYSTEM),
                (r#"{"role":"User"}"#, SYSTEM),
                (r#"{"role":"user "}"#, SYSTEM),
            ],
        ),
        items(
            "of-an-assistant",
            &[
                (r#"{"role":"assistant"}"#, ASSISTANT),
                (r#"{"role":"ai"}"#, ASSISTANT),
                (r#"{"role":"model"}"#, ASSISTANT),
                (r#"{"role":"assistant","type":"human"}"#, ASSISTANT),
                (r#"{"type":"ai"}"#, ASSISTANT),
                (r#"{"type":"reasoning"}"#, ASSISTANT),
                (r#"{"role":"system","type":"reasoning"}"#, SYSTEM),
                (r#"{"type":"assistant"}"#, SYSTEM),
                (r#"{"type":"model"}"#, SYSTEM),
            ],
        ),
        items(
            "of-a-tool",
            &[
                (r#"{"role":"tool"}"#, RESULT),
                (r#"{"role":"toolResult","content":"x"}"#, RESULT),
                (r#"{"role":"function","id":"c"}"#, RESULT),
                (r#"{"type":"tool"}"#, RESULT),
                (r#"{"type":"local_shell_output","id":"c"}"#, RESULT),
                (r#"{"type":"function_call_output"}"#, RESULT),
                (r#"{"type":"_output"}"#, RESULT),
                (r#"{"type":"output"}"#, SYSTEM),
                (r#"{"type":"tool_result"}"#, SYSTEM),
                (r#"{"role":"system","type":"tool"}"#, SYSTEM),
                (r#"{"role":"system","type":"x_output"}"#, SYSTEM),
            ],
        ),
        items("with-each-tag-of-a-call", &calls),
        items(
            "that-is-a-call",
            &[
                (r#"{"type":"mcp_call"}"#, ASSISTANT),
                (r#"{"type":"_call"}"#, ASSISTANT),
                (r#"{"kind":"custom_tool_call"}"#, ASSISTANT),
                (r#"{"id":"c","function":{"name":"f"}}"#, ASSISTANT),
                (r#"{"type":"x","call_id":"c","function":null}"#, ASSISTANT),
                (r#"{"type":"tool_use","id":""}"#, ASSISTANT),
                (r#"{"type":"tool_use","call_id":7,"id":"c"}"#, ASSISTANT),
                (r#"{"type":"tool_use"}"#, SYSTEM),
                (r#"{"type":"tool_use","id":7}"#, SYSTEM),
                (r#"{"type":"tool_use","tool_call_id":"c"}"#, SYSTEM),
                (r#"{"function":{"name":"f"}}"#, SYSTEM),
                (r#"{"type":"call","id":"c"}"#, SYSTEM),
                (r#"{"role":"system","type":"mcp_call"}"#, SYSTEM),
                (r#"{"role":"system","id":"c","function":{}}"#, SYSTEM),
                // Calls inside of it do not count.
                (r#"{"content":[{"type":"tool_use","id":"c"}]}"#, SYSTEM),
                (r#"{"tool_calls":[{"type":"function","id":"c"}]}"#, SYSTEM),
            ],
        ),
        items(
            "of-another-sort",
            &[
                (r#"{"role":"system"}"#, SYSTEM),
                (r#"{"role":"developer"}"#, SYSTEM),
                (r#"{"note":1}"#, SYSTEM),
                (r#"{"type":"message"}"#, SYSTEM),
                (r#"{"type":"compaction","id":"c"}"#, SYSTEM),
            ],
        ),
    ]
}

/// What is text, and which member is meant.
fn texts() -> Vec<Vector> {
    let is = |name: &str, draft: &str, kind: &str, members: &str| {
        Case::new(name, &[&[draft]]).writes(&[first("", ""), line(1, kind, members)])
    };
    vec![
        items(
            "with-escapes",
            &[
                (r#"{"role":"\u0075ser"}"#, USER),
                (r#"{"type":"reasonin\u0067"}"#, ASSISTANT),
                (r#"{"r\u006fle":"user"}"#, SYSTEM), // Names count as they are spelled.
                (r#"{"role":"\ud800","type":"human"}"#, USER), // That is no text.
            ],
        ),
        items(
            "whose-texts-are-none",
            &[
                (r#"{"role":null,"type":"human"}"#, USER),
                (r#"{"role":["user"],"type":"ai"}"#, ASSISTANT),
                (r#"{"role":"","type":"human"}"#, USER),
                (r#"{"type":null,"kind":"human"}"#, USER),
                (r#"{"type":7,"kind":"mcp_call"}"#, ASSISTANT),
                (r#"{"type":"","kind":"human"}"#, SYSTEM),
                (r#"{"type":"x","kind":"human"}"#, SYSTEM),
                (r#"{"kind":"x","type":"human"}"#, USER),
            ],
        ),
        items(
            "with-members-twice",
            &[
                (r#"{"role":"user","role":"assistant"}"#, USER),
                (r#"{"role":null,"role":"user","type":"ai"}"#, ASSISTANT),
                (
                    r#"{"role":"user","content":[],"content":[{"type":"tool_result","call_id":"c"}]}"#,
                    USER,
                ),
            ],
        ),
        items(
            "with-white-space",
            &[
                ("{ \"role\"\t: \"user\" }", USER),
                (
                    "{ \"content\" : [ { \"type\" : \"tool_result\" , \"call_id\" : \"c\" } ] }",
                    RESULT,
                ),
            ],
        ),
        is(
            "item-with-other-members",
            r#"{"parent":"p","item" : {"role":"user"} ,"ts":1760000000000,"id":"i","kinds":[]}"#,
            "user_input",
            r#","parent":"p","item":{"role":"user"},"id":"i","kinds":[]"#,
        ),
        is(
            "item-with-a-kind-of-its-own",
            r#"{"kind":"system_item","item":{"role":"user"}}"#,
            "system_item",
            r#","item":{"role":"user"}"#,
        ),
        is(
            "item-of-an-unknown-kind",
            r#"{"item":{"role":"user"},"kind":"later"}"#,
            "later",
            r#","item":{"role":"user"}"#,
        ),
        Case::new("item-in-a-batch", &[&[r#"{"item":{"role":"user"}}"#, r#"{"item":1}"#, TURN]])
            .writes(&[
                first("", ""),
                line(1, "user_input", r#","more":2,"item":{"role":"user"}"#),
                line(2, "system_item", r#","more":1,"item":1"#),
                line(3, "turn_end", r#","turn":1"#),
            ]),
    ]
}

fn bad_items() -> Vec<Vector> {
    let bad = |name: &str, draft: &str, code: &str| {
        Case::new(&format!("item-bad-{name}"), &[&[draft]]).fails(code, 0, 0)
    };
    vec![
        bad("kind-null", r#"{"kind":null,"item":{"role":"user"}}"#, "bad_entry"),
        bad("kind-empty", r#"{"kind":"","item":{"role":"user"}}"#, "bad_entry"),
        bad("key-escaped", r#"{"\u0069tem":{"role":"user"}}"#, "bad_entry"),
        bad("key-twice", r#"{"item":{"role":"user"},"item":1}"#, "duplicate_key"),
        bad("key-reserved", r#"{"item":{"role":"user"},"fork":1}"#, "duplicate_key"),
        bad("id-number", r#"{"item":{"role":"user"},"id":1}"#, "bad_entry"),
        bad("time-null", r#"{"item":{"role":"user"},"ts":null}"#, "bad_entry"),
        bad("json", r#"{"item":{"role":"user",}}"#, "bad_json"),
        bad("items", r#"{"items":[{"role":"user"}]}"#, "bad_entry"),
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
