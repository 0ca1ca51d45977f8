//! Area `state`: what folding a log gives, to the byte (§5).

use serde_json::json;

use super::Vector;
use crate::build::{Log, after_fork, entry, envelope, point, start, start_of};

/// All vectors of the area.
pub(super) fn all() -> Vec<Vector> {
    let vectors = [starts(), items(), settings(), records(), cuts(), lineage(), forks()].concat();
    [vectors, restated(), withheld(), texts(), wrong()].concat()
}

/// What the state is, member by member; what is not said is as in an empty one. `HEAD` and `HASHn`
/// stand for the log's own.
fn of(name: &str, log: &Log, members: &[(&str, &str)]) -> Vector {
    let head = log.lines().len() as u64 - 1;
    up_to(name, log, head, members)
}

fn up_to(name: &str, log: &Log, head: u64, members: &[(&str, &str)]) -> Vector {
    let end = log.offset(head + 2);
    let head_json = format!(r#"{{"seq":{head},"hash":"{}","bytes":{end}}}"#, log.hash(head));
    let mut all = [
        ("session", "\"demo\""),
        ("head", &head_json),
        ("system_prompt", "null"),
        ("config", "null"),
        ("history", "[]"),
        ("turns", "0"),
        ("run", "null"),
        ("usage", "[]"),
        ("extensions", "[]"),
        ("slice", "null"),
        ("forked_from", "null"),
        ("compacted_from", "null"),
        ("withheld", "0"),
    ];
    for (name, value) in members {
        let member = all.iter_mut().find(|(known, _)| known == name);
        member.expect("a member of the state").1 = value;
    }
    let members = all.map(|(name, value)| format!("\"{name}\":{value}"));
    let state = format!("{{{}}}", members.join(","));
    Vector::new("state", name, log.0.clone(), json!({ "state": state }))
}

fn fails(name: &str, log: &Log, code: &str) -> Vector {
    Vector::new("state", name, log.0.clone(), json!({ "code": code }))
}

/// A start with these fields, then these entries from 1 on.
fn log(first: &str, entries: &[(&str, &str)]) -> Log {
    let rest = |(seq, (kind, fields)): (u64, &(&str, &str))| entry(seq, kind, fields);
    let rests = [start(first)].into_iter().chain((1..).zip(entries).map(rest));
    Log::of(&rests.collect::<Vec<_>>())
}

fn starts() -> Vec<Vector> {
    let first = r#","system_prompt":"Be brief.","config":{"b":1.50,"a":[ ]},"history":[{"x":1}, "two" ,[3]]"#;
    let history = r#"[{"kind":"initial","seq":0,"id":null,"parent":null,"item":{"x":1}},{"kind":"initial","seq":0,"id":null,"parent":null,"item":"two"},{"kind":"initial","seq":0,"id":null,"parent":null,"item":[3]}]"#;
    let nulls = r#","system_prompt":null,"config":null,"history":null,"turns":null,"state":null,"forked_from":null,"compacted_from":null"#;
    vec![
        of("start", &log("", &[]), &[]),
        of(
            "start-with-everything",
            &log(first, &[]),
            &[
                ("system_prompt", "\"Be brief.\""),
                ("config", r#"{"b":1.50,"a":[ ]}"#),
                ("history", history),
            ],
        ),
        of("start-of-nulls", &log(nulls, &[]), &[]),
        of("start-with-empty-history", &log(r#","history":[]"#, &[]), &[]),
        of("start-with-empty-history-and-space", &log(",\"history\":[ \t ]", &[]), &[]),
        of(
            "session-with-escapes",
            &Log::of(&[start_of(r#""a\"\\\/b\u00e9 🙂""#, "")]),
            &[("session", r#""a\"\\/bé 🙂""#)],
        ),
    ]
}

fn items() -> Vec<Vector> {
    let four = log(
        "",
        &[
            ("user_input", r#","item":{"role":"user"},"id":"u1""#),
            ("assistant_item", r#","parent":"u1","item":"Hello","id":"a1""#),
            ("tool_result", r#","item":null,"id":null"#),
            ("system_item", r#","item":7,"parent":null,"more_of_it":1"#),
        ],
    );
    let history = r#"[{"kind":"user_input","seq":1,"id":"u1","parent":null,"item":{"role":"user"}},{"kind":"assistant_item","seq":2,"id":"a1","parent":"u1","item":"Hello"},{"kind":"tool_result","seq":3,"id":null,"parent":null,"item":null},{"kind":"system_item","seq":4,"id":null,"parent":null,"item":7}]"#;
    let payload = "{ \"b\" : [1.0, 18446744073709551615 ,1e400],\t\"a\":\"\\u00e9\\/\\ud800 \u{2028}\",\"a\":2 }";
    let kept = log("", &[("user_input", &format!(",\"item\":{payload}"))]);
    let kept_history =
        format!(r#"[{{"kind":"user_input","seq":1,"id":null,"parent":null,"item":{payload}}}]"#);
    let batch = Log::of(&[
        start(""),
        envelope(1, "user_input", 1) + r#","item":1}"#,
        envelope(2, "user_input", 0) + r#","item":2}"#,
    ]);
    let batch_history = r#"[{"kind":"user_input","seq":1,"id":null,"parent":null,"item":1},{"kind":"user_input","seq":2,"id":null,"parent":null,"item":2}]"#;
    vec![
        of("items", &four, &[("history", history)]),
        of("items-keep-their-bytes", &kept, &[("history", &kept_history)]),
        of("items-of-a-batch", &batch, &[("history", batch_history)]),
        of("unknown-kinds-are-skipped", &log("", &[("later", r#","item":1,"turn":9"#)]), &[]),
    ]
}

/// What the last entry of a kind sets.
fn settings() -> Vec<Vector> {
    let run = |name: &str, entries: &[(&str, &str)], run: &str| {
        of(&format!("run-{name}"), &log("", entries), &[("run", run)])
    };
    let done = |result: &str| format!(r#","result":"{result}""#);
    let completed = |result: &str| {
        let fields = done(result);
        run(result, &[("run_started", ""), ("run_completed", &fields)], &format!("\"{result}\""))
    };
    let first = r#","config":{"a":1}"#;
    vec![
        of(
            "turns",
            &log("", &[("turn_end", r#","turn":1"#), ("turn_end", r#","turn":7"#)]),
            &[("turns", "7")],
        ),
        of(
            "turns-may-fall",
            &log("", &[("turn_end", r#","turn":9007199254740991"#), ("turn_end", r#","turn":0"#)]),
            &[],
        ),
        of(
            "turns-highest",
            &log("", &[("turn_end", r#","turn":9007199254740991"#)]),
            &[("turns", "9007199254740991")],
        ),
        run("running", &[("run_started", r#","run":"r1""#)], "\"running\""),
        run("errored", &[("run_started", ""), ("run_errored", r#","message":"x""#)], "\"errored\""),
        run("again", &[("run_errored", r#","message":"x""#), ("run_started", "")], "\"running\""),
        run("escaped", &[("run_completed", r#","result":"\u0070aused""#)], "\"paused\""),
        completed("finished"),
        completed("paused"),
        completed("limit_reached"),
        completed("yielded"),
        of(
            "config-changed",
            &log(first, &[("config_changed", r#","config": [ 1 ] "#)]),
            &[("config", "[ 1 ]")],
        ),
        of("config-changed-to-null", &log(first, &[("config_changed", r#","config":null"#)]), &[]),
        of(
            "slice",
            &log("", &[("state", r#","state":{"a":1}"#), ("state", r#","state": {"b" :2}"#)]),
            &[("slice", r#"{"b" :2}"#)],
        ),
        of(
            "slice-back-to-null",
            &log("", &[("state", r#","state":1"#), ("state", r#","state":null"#)]),
            &[],
        ),
    ]
}

fn records() -> Vec<Vector> {
    let usage = log(
        "",
        &[
            (
                "llm_usage",
                r#","history_len":4,"input_total_tokens":100,"cache_read_tokens":0,"cache_write_tokens":9007199254740991,"output_tokens":7"#,
            ),
            ("llm_usage", ""),
            ("llm_usage", r#","output_tokens":1,"history_len":null,"model":"m""#),
        ],
    );
    let used = r#"[{"seq":1,"history_len":4,"input_total_tokens":100,"cache_read_tokens":0,"cache_write_tokens":9007199254740991,"output_tokens":7},{"seq":2,"history_len":null,"input_total_tokens":null,"cache_read_tokens":null,"cache_write_tokens":null,"output_tokens":null},{"seq":3,"history_len":null,"input_total_tokens":null,"cache_read_tokens":null,"cache_write_tokens":null,"output_tokens":1}]"#;
    let extensions = log(
        "",
        &[
            ("extension", r#","domain":"a/b","payload":{"x" : 1}"#),
            ("extension", r#","payload":null,"domain":"\u0000""#),
        ],
    );
    let extended = r#"[{"seq":1,"domain":"a/b","payload":{"x" : 1}},{"seq":2,"domain":"\u0000","payload":null}]"#;
    vec![
        of("usage", &usage, &[("usage", used)]),
        of("extensions", &extensions, &[("extensions", extended)]),
    ]
}

/// Three items, and what shortens them.
fn cuts() -> Vec<Vector> {
    let items = [
        ("user_input", r#","item":"a","id":"1""#),
        ("assistant_item", r#","item":"b","id":"2""#),
        ("tool_result", r#","item":"c","id":"3""#),
    ];
    let after = |more: &[(&str, &str)]| log("", &[&items[..], more].concat());
    let (a, b, c) = (
        r#"{"kind":"user_input","seq":1,"id":"1","parent":null,"item":"a"}"#,
        r#"{"kind":"assistant_item","seq":2,"id":"2","parent":null,"item":"b"}"#,
        r#"{"kind":"tool_result","seq":3,"id":"3","parent":null,"item":"c"}"#,
    );
    let other = |kind: &str, seq: u64, item: &str| {
        format!(r#"{{"kind":"{kind}","seq":{seq},"id":null,"parent":null,"item":{item}}}"#)
    };
    let is = |name: &str, more: &[(&str, &str)], history: &[&str]| {
        let history = format!("[{}]", history.join(","));
        of(name, &after(more), &[("history", &history)])
    };
    let (s, t) = (other("summary", 4, "\"s\""), other("summary", 4, "{\"t\":[1,2]}"));
    let (x, y) = (other("replaced", 4, "1"), other("replaced", 4, "[2,\"]\"]"));
    let u = other("user_input", 5, "\"u\"");
    let later = ("user_input", r#","item":"u""#);
    vec![
        is("truncated-to-two", &[("truncated", r#","keep":2"#)], &[a, b]),
        is("truncated-to-none", &[("truncated", r#","keep":0"#)], &[]),
        is("truncated-to-all", &[("truncated", r#","keep":3"#)], &[a, b, c]),
        is("truncated-and-more", &[("truncated", r#","keep":1"#), later], &[a, &u]),
        is("replaced", &[("replaced", r#","history":[1, [2,"]"] ]"#)], &[&x, &y]),
        is("replaced-by-none", &[("replaced", r#","history":[]"#)], &[]),
        is("replaced-and-more", &[("replaced", r#","history":[1]"#), later], &[&x, &u]),
        is(
            "compacted",
            &[("compaction", r#","summary":["s",{"t":[1,2]}],"keep_last":1"#)],
            &[&s, &t, c],
        ),
        is("compacted-keeping-none", &[("compaction", r#","keep_last":0,"summary":["s"]"#)], &[&s]),
        is(
            "compacted-keeping-all",
            &[("compaction", r#","summary":["s"],"keep_last":3"#)],
            &[&s, a, b, c],
        ),
        is(
            "compacted-without-summary",
            &[("compaction", r#","summary":[],"keep_last":2"#)],
            &[b, c],
        ),
        is(
            "compacted-twice",
            &[
                ("compaction", r#","summary":["s"],"keep_last":1"#),
                ("compaction", r#","summary":["again"],"keep_last":2"#),
            ],
            &[&other("summary", 5, "\"again\""), &s, c],
        ),
        is(
            "compacted-then-truncated",
            &[("compaction", r#","summary":["s"],"keep_last":2"#), ("truncated", r#","keep":2"#)],
            &[&s, b],
        ),
        fails("truncated-beyond", &after(&[("truncated", r#","keep":4"#)]), "bad_entry"),
        fails(
            "compacted-beyond",
            &after(&[("compaction", r#","summary":[],"keep_last":4"#)]),
            "bad_entry",
        ),
        fails(
            "truncated-beyond-after-a-compaction",
            &after(&[
                ("compaction", r#","summary":[],"keep_last":1"#),
                ("truncated", r#","keep":2"#),
            ]),
            "bad_entry",
        ),
    ]
}

fn lineage() -> Vec<Vector> {
    let hash = "ab".repeat(32);
    let (old, older) = (point("old", 3, &hash), point("older", 0, &hash));
    let first = format!(r#","compacted_from":{older},"forked_from":{old}"#);
    let odd = format!(
        r#","forked_from":{{ "seq":9007199254740991, "hash" : "{hash}","session":"a\u00e8b\/é" }}"#
    );
    let parent = log(&first, &[("user_input", r#","item":"a""#)]);
    let fork = |log: &Log, seq: u64, of: &str, into: &str| {
        let mut rests: Vec<_> = log.rests().into_iter().map(<[u8]>::to_vec).collect();
        let parent = point(of, seq - 1, &log.hash(seq - 1));
        let fields = format!(r#","parent":{parent},"session":"{into}""#);
        let rest = entry(seq, "fork", &fields);
        let rest = if of == "demo" { rest } else { after_fork(seq - 1, &rest) };
        rests.push(rest.into_bytes());
        Log::of(&rests)
    };
    let child = fork(&parent, 2, "demo", "child");
    let grandchild = fork(&child, 3, "child", r#"gr\"and"#);
    let history = r#"[{"kind":"user_input","seq":1,"id":null,"parent":null,"item":"a"}]"#;
    let (from_demo, from_child) =
        (point("demo", 1, &child.hash(1)), point("child", 2, &child.hash(2)));
    let torn = child.cut(child.0.len() as u64 - 1);
    vec![
        of("points", &log(&first, &[]), &[("forked_from", &old), ("compacted_from", &older)]),
        of(
            "point-in-its-own-spelling",
            &log(&odd, &[]),
            &[(
                "forked_from",
                &format!(r#"{{"session":"aèb/é","seq":9007199254740991,"hash":"{hash}"}}"#),
            )],
        ),
        of(
            "fork",
            &child,
            &[
                ("session", "\"child\""),
                ("history", history),
                ("forked_from", &from_demo),
                ("compacted_from", &older),
            ],
        ),
        of(
            "fork-of-a-fork",
            &grandchild,
            &[
                ("session", r#""gr\"and""#),
                ("history", history),
                ("forked_from", &from_child),
                ("compacted_from", &older),
            ],
        ),
        up_to(
            "fork-torn",
            &torn,
            1,
            &[("history", history), ("forked_from", &old), ("compacted_from", &older)],
        ),
    ]
}

/// What a fork cuts short is in the state, and so is what follows the fork.
fn forks() -> Vec<Vector> {
    let user =
        |seq: u64, more: u64| envelope(seq, "user_input", more) + &format!(r#","item":{seq}}}"#);
    let parent = Log::of(&[start(""), user(1, 2)]);
    let from = point("demo", 1, &parent.hash(1));
    let fields = format!(r#","session":"child","parent":{from}}}"#);
    let forked = |more: u64| {
        let rests = [start(""), user(1, 2), envelope(2, "fork", more) + &fields];
        Log::of(&[&rests[..], &[after_fork(2, &user(3, 0))]].concat())
    };
    let (log, batch) = (forked(0), forked(1));
    let later = user(4, 1);
    let unnumbered = [log.rests(), vec![later.as_bytes()]].concat();
    let item = |seq: u64| {
        format!(r#"{{"kind":"user_input","seq":{seq},"id":null,"parent":null,"item":{seq}}}"#)
    };
    let both = format!("[{},{}]", item(1), item(3));
    let one = format!("[{}]", item(1));
    let members =
        |history| [("session", "\"child\""), ("history", history), ("forked_from", &*from)];
    let withheld = [&members(&one)[..], &[("withheld", "1")]].concat();
    vec![
        of("fork-within-a-batch", &log, &members(&both)),
        of("fork-within-a-batch-and-a-batch", &batch, &members(&both)),
        of("fork-then-withheld", &log.redact(&[3]), &withheld),
        up_to("fork-within-a-batch-then-torn", &log.cut(log.offset(4) + 9), 2, &members(&one)),
        up_to("fork-within-a-batch-torn", &batch.cut(batch.offset(4)), 0, &[]),
        // A fault in what is torn is one of the log.
        fails("fork-unnumbered-in-a-torn-batch", &Log::of(&unnumbered), "bad_entry"),
    ]
}

/// What a start and a compaction say of the state beside the history.
fn restated() -> Vec<Vector> {
    let all = r#","turns":7,"state": {"a" :1} "#;
    let before = r#","system_prompt":"old","config":{"old":1},"turns":7,"state":"old""#;
    let compacted = |fields: &str| {
        let fields = format!(r#","summary":["s"],"keep_last":0{fields}"#);
        log(before, &[("user_input", r#","item":1"#), ("compaction", &fields)])
    };
    let summary = r#"[{"kind":"summary","seq":2,"id":null,"parent":null,"item":"s"}]"#;
    let is = |name: &str, fields: &str, changed: &[(&str, &str)]| {
        let mut members = vec![
            ("history", summary),
            ("system_prompt", "\"old\""),
            ("config", r#"{"old":1}"#),
            ("turns", "7"),
            ("slice", "\"old\""),
        ];
        members.extend(changed); // The last one of a name holds.
        of(&format!("compacted-{name}"), &compacted(fields), &members)
    };
    let bad = |name: &str, log: &Log| fails(name, log, "bad_entry");
    let later = log(all, &[("turn_end", r#","turn":8"#), ("state", r#","state":[]"#)]);
    let then = |fields: &str, more: &[(&str, &str)]| {
        let fields = format!(r#","summary":[],"keep_last":0{fields}"#);
        log("", &[&[("compaction", &*fields)], more].concat())
    };
    vec![
        of("start-restates", &log(all, &[]), &[("turns", "7"), ("slice", r#"{"a" :1}"#)]),
        of("start-restates-turns-of-0", &log(r#","turns":0"#, &[]), &[]),
        of("start-restates-and-goes-on", &later, &[("turns", "8"), ("slice", "[]")]),
        is("restating-nothing", "", &[]),
        is(
            "restating-nulls",
            r#","system_prompt":null,"config":null,"turns":null,"state":null"#,
            &[],
        ),
        is(
            "restating-everything",
            r#","system_prompt":"n\u0065w","config": {"new" :1} ,"turns":9,"state": [ 1e400 ]"#,
            &[
                ("system_prompt", "\"new\""),
                ("config", r#"{"new" :1}"#),
                ("turns", "9"),
                ("slice", "[ 1e400 ]"),
            ],
        ),
        is("restating-the-prompt", r#","system_prompt":"""#, &[("system_prompt", "\"\"")]),
        is("restating-the-config", r#","config":false"#, &[("config", "false")]),
        is("restating-turns-of-0", r#","turns":0"#, &[("turns", "0")]),
        is("restating-the-run", r#","run":"running""#, &[("run", "\"running\"")]),
        is("restating-the-slice", r#","state":0"#, &[("slice", "0")]),
        of(
            "compacted-restating-and-going-on",
            &then(
                r#","config":1,"turns":3,"state":1"#,
                &[
                    ("config_changed", r#","config":null"#),
                    ("turn_end", r#","turn":4"#),
                    ("state", r#","state":null"#),
                ],
            ),
            &[("turns", "4")],
        ),
        of(
            "compacted-restating-then-withheld",
            &then(r#","turns":3"#, &[]).redact(&[1]),
            &[("withheld", "1")],
        ),
        bad("start-restates-turns-as-text", &log(r#","turns":"7""#, &[])),
        bad("start-restates-turns-below-0", &log(r#","turns":-1"#, &[])),
        bad("compacted-restating-turns-as-text", &compacted(r#","turns":"7""#)),
        bad("compacted-restating-turns-with-a-fraction", &compacted(r#","turns":7.0"#)),
        bad("compacted-restating-a-run-that-is-no-text", &compacted(r#","run":1"#)),
        bad("compacted-restating-a-prompt-that-is-no-text", &compacted(r#","system_prompt":[]"#)),
    ]
}

fn withheld() -> Vec<Vector> {
    let items = [
        ("user_input", r#","item":"a""#),
        ("user_input", r#","item":"b""#),
        ("user_input", r#","item":"c""#),
    ];
    let item = |seq: u64, text: &str| {
        format!(r#"{{"kind":"user_input","seq":{seq},"id":null,"parent":null,"item":"{text}"}}"#)
    };
    let then = |more: (&str, &str)| log("", &[&items[..], &[more]].concat());
    let (a, b, c) = (item(1, "a"), item(2, "b"), item(3, "c"));
    let summary = r#"{"kind":"summary","seq":4,"id":null,"parent":null,"item":"s"}"#;
    let is = |name: &str, log: &Log, withheld: &str, history: &[&str]| {
        let history = format!("[{}]", history.join(","));
        of(name, log, &[("history", &history), ("withheld", withheld)])
    };
    let truncated = then(("truncated", r#","keep":3"#));
    let compacted = then(("compaction", r#","summary":["s"],"keep_last":3"#));
    let twice = log(
        "",
        &[&items[..], &[("truncated", r#","keep":3"#), ("truncated", r#","keep":9"#)]].concat(),
    );
    let settings =
        log("", &[("turn_end", r#","turn":3"#), ("state", r#","state":1"#), ("run_started", "")]);
    let before = then(("truncated", r#","keep":4"#));
    vec![
        is("withheld-item", &log("", &items).redact(&[2]), "1", &[&a, &c]),
        is("withheld-all", &log("", &items).redact(&[1, 2, 3]), "3", &[]),
        is("withheld-then-truncated-beyond", &truncated.redact(&[2]), "1", &[&a, &c]),
        is(
            "withheld-then-truncated-within",
            &then(("truncated", r#","keep":1"#)).redact(&[1]),
            "1",
            &[&b],
        ),
        is("withheld-then-compacted-beyond", &compacted.redact(&[1]), "1", &[summary, &b, &c]),
        is("withheld-then-truncated-twice", &twice.redact(&[3]), "1", &[&a, &b]),
        is(
            "withheld-truncation",
            &then(("truncated", r#","keep":1"#)).redact(&[4]),
            "1",
            &[&a, &b, &c],
        ),
        of("withheld-settings", &settings.redact(&[1, 2, 3]), &[("withheld", "3")]),
        fails(
            "withheld-after-truncated-beyond",
            &Log::of(
                &[before.rests(), vec![entry(5, "user_input", r#","item":1"#).as_bytes()]].concat(),
            )
            .redact(&[5]),
            "bad_entry",
        ),
    ]
}

/// How texts are spelled: as few escapes as JSON allows, whatever they were before.
fn texts() -> Vec<Vector> {
    let of = |name: &str, json: &str, text: &str| {
        of(
            &format!("text-{name}"),
            &log(&format!(",\"system_prompt\":{json}"), &[]),
            &[("system_prompt", text)],
        )
    };
    let low: String = (0..0x20).map(|code| format!("\\u{code:04X}")).collect();
    let low_text = r#"\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"#;
    vec![
        of("empty", r#""""#, r#""""#),
        of("low-characters", &format!("\"{low}\""), &format!("\"{low_text}\"")),
        of("short-escapes", r#""\"\\\/\b\f\n\r\t""#, r#""\"\\/\b\f\n\r\t""#),
        of("delete-and-next-line", r#""\u007f\u0080\u0085""#, "\"\u{7f}\u{80}\u{85}\""),
        of("separators", r#""\u2028\u2029""#, "\"\u{2028}\u{2029}\""),
        of("surrogate-pairs", r#""\ud83d\ude42\uD834\uDD1E""#, "\"🙂𝄞\""),
        of("beyond-ascii", "\"é\u{feff}\u{fffd}\u{10ffff}\"", "\"é\u{feff}\u{fffd}\u{10ffff}\""),
        of("html", r#""\u003c/script\u003e&'""#, r#""</script>&'""#),
    ]
}

/// Only a log without a fault has a state.
fn wrong() -> Vec<Vector> {
    let sample = Log::sample();
    let torn = Log::sample_and(&[entry(7, "turn_end", r#","turn":"no number""#)]);
    let torn = torn.cut(torn.0.len() as u64 - 1);
    let history = r#"[{"kind":"user_input","seq":2,"id":"u1","parent":null,"item":{"role":"user","content":"What is 6 × 7?"}},{"kind":"assistant_item","seq":3,"id":"a1","parent":"u1","item":{"call":"multiply","args":[6,7]}},{"kind":"tool_result","seq":4,"id":"t1","parent":"a1","item":{"call":"multiply","result":42}}]"#;
    let members = [
        ("system_prompt", "\"Be brief.\""),
        ("history", history),
        ("turns", "1"),
        ("run", "\"finished\""),
    ];
    let in_batch = sample.cut(sample.offset(5));
    let redacted = sample.redact(&[0]);
    vec![
        of("sample", &sample, &members),
        up_to("torn-tail-is-left-out", &torn, 6, &members),
        up_to(
            "torn-batch-is-left-out",
            &in_batch,
            1,
            &[("system_prompt", "\"Be brief.\""), ("run", "\"running\"")],
        ),
        fails("empty", &Log(Vec::new()), "empty_log"),
        fails("torn-only", &sample.cut(50), "empty_log"),
        fails("changed", &sample.replace("\"turn\":1", "\"turn\":2"), "bad_hash"),
        fails(
            "line-removed",
            &Log::from_lines(&[sample.lines()[0], sample.lines()[2]]),
            "broken_link",
        ),
        fails("first-redacted", &redacted, "bad_entry"),
        fails("not-json", &log("", &[("x", r#","a":01"#)]), "bad_json"),
        fails(
            "too-deep",
            &log("", &[("x", &format!(",\"a\":{}{}", "[".repeat(64), "]".repeat(64)))]),
            "too_deep",
        ),
        fails("key-twice", &log("", &[("x", r#","a":1,"a":2"#)]), "duplicate_key"),
        fails("bad-field", &log("", &[("turn_end", "")]), "bad_entry"),
        fails(
            "newer",
            &Log::of(&[start("").replace("\"format\":1", "\"format\":2")]),
            "unsupported_version",
        ),
    ]
}
