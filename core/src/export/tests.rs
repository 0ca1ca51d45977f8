use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::import::{self, File, Format};
use crate::log::{Draft, Stamp, Writer};
use crate::session::About;
use crate::{SessionId, zeitlich};

fn log_of(drafts: &[Draft]) -> Vec<u8> {
    let writer = Writer::create(SessionId::new("s").unwrap(), false);
    writer.write(drafts, &Stamp { now_ms: 5, random: Vec::new() }).unwrap().bytes
}

fn exported(log: &[u8]) -> String {
    let (mut export, mut lines) = (SessionStore::default(), Vec::new());
    for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        export.push(line, &mut lines).unwrap();
    }
    String::from_utf8(lines).unwrap()
}

/// What comes back of an export is the same to a model; gives the state.
fn comes_back(drafts: &[Draft]) -> State {
    let log = log_of(drafts);
    let state = State::fold(&log).unwrap();
    let lines = exported(&log);
    let file = File { name: "s.jsonl", bytes: lines.as_bytes() };
    assert_eq!(import::detect(file), Some(Format::SessionStore));
    let imported = import::read(&[file], None).unwrap();
    assert_eq!(imported.skipped, []);
    let session = &imported.sessions[0];
    let chain = session.chain.clone().unwrap();
    assert_eq!((chain.held, chain.fault), (lines.lines().count() as u64, None));
    let back = State::fold(&log_of(&session.drafts)).unwrap();
    assert_eq!(messages(&back), messages(&state));
    assert_eq!((back.turns, &back.system_prompt), (state.turns, &state.system_prompt));
    if state.config.is_some() {
        assert_eq!(back.config, state.config);
    }
    let counts = |state: &State| -> Vec<_> {
        state.usage.iter().map(|usage| usage.counts.map(Option::unwrap_or_default)).collect()
    };
    assert_eq!(counts(&back), counts(&state));
    state
}

#[test]
fn members_that_are_called_what_others_become_get_another_name() {
    for (draft, line) in [
        (
            r#"{"kind":"turn_end","turn_count":5,"turn":11}"#,
            r#""kind":"turn_end","ts":5,"turnkeep_turn_count":5,"turn_count":11}"#,
        ),
        (
            r#"{"kind":"assistant_item","item":1,"items":[2],"turnkeep_items":3}"#,
            r#""kind":"assistant_items","ts":5,"items":[1],"turnkeep_turnkeep_items":[2],"turnkeep_items":3}"#,
        ),
    ] {
        let draft: Draft = draft.parse().unwrap();
        let lines = exported(&log_of(core::slice::from_ref(&draft)));
        assert!(lines.trim_end().ends_with(line), "{lines}");
        comes_back(&[draft]);
    }
}

#[test]
fn a_log_becomes_these_lines_of_session_store() {
    let start = Draft::new("session_start").with_text("system_prompt", "P").with("history", "[1]");
    let drafts = [
        start.with_count("turns", 2).with("state", "{}"),
        Draft::user_input("\"Hi\"").with_text("id", "u"),
        Draft::assistant_item(r#"{"role":"assistant","content":1.50}"#),
        Draft::run_started(),
        Draft::run_completed("paused"),
        Draft::run_errored("no").with("interrupted", "false"),
        Draft::llm_usage().with_count("output_tokens", 3),
        Draft::config_changed("{\"a\":1}"),
        Draft::extension("d", "[]"),
        Draft::new("truncated").with_count("keep", 1),
        Draft::new("of_tomorrow").with("x", "null"),
    ];
    comes_back(&drafts);
    let lines = exported(&log_of(&drafts));
    let entries: Vec<_> =
        lines.lines().map(|line| line.split_once("\"kind\":").unwrap().1).collect();
    assert_eq!(
        entries,
        [
            r#""session_start","ts":5,"system_prompt":"P","config":{"max_tokens":null,"temperature":null,"top_p":null,"top_k":null,"stop_sequences":[],"reasoning":null},"history":[1]}"#,
            r#""turn_end","ts":5,"turn_count":2}"#,
            r#""extension","ts":5,"domain":"turnkeep.session_start","payload":{"state":{}}}"#,
            r#""user_input","ts":5,"item":"Hi","id":"u"}"#,
            r#""assistant_items","ts":5,"items":[{"role":"assistant","content":1.50}]}"#,
            r#""extension","ts":5,"domain":"turnkeep.run_started","payload":{}}"#,
            r#""run_completed","ts":5,"interrupted":true,"result":"paused"}"#,
            r#""run_errored","ts":5,"message":"no","interrupted":false}"#,
            r#""llm_usage","ts":5,"history_len":0,"input_total_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,"output_tokens":3}"#,
            r#""config_changed","ts":5,"config":{"a":1}}"#,
            r#""extension","ts":5,"domain":"d","payload":[]}"#,
            r#""session_start","ts":5,"system_prompt":"P","config":{"a":1},"history":[1]}"#,
            r#""extension","ts":5,"domain":"turnkeep.truncated","payload":{"keep":1}}"#,
            r#""extension","ts":5,"domain":"turnkeep.of_tomorrow","payload":{"x":null}}"#,
        ]
    );
}

#[test]
fn what_session_store_wrote_goes_there_and_back() {
    let bytes = include_bytes!(
        "../../../tests/fixtures/session-store/01969a00-0000-7000-8000-000000000001.jsonl"
    );
    let file = File { name: "s.jsonl", bytes };
    let imported = import::read(&[file], None).unwrap();
    let drafts = &imported.sessions[0].drafts;
    for count in 1..=drafts.len() {
        comes_back(&drafts[..count]);
    }
    // Up to where a second start takes the first one's place, the entries are the same bytes.
    let lines = exported(&log_of(&drafts[..2]));
    let original = core::str::from_utf8(bytes).unwrap();
    for (line, original) in lines.lines().zip(original.lines()) {
        assert_eq!(line, original);
    }
}

proptest! {
    #[test]
    fn histories_come_back_however_they_were_made(steps in prop::collection::vec((0..9_u8, 0..4_u64), 0..24)) {
        let mut drafts = Vec::new();
        let mut length = 0;
        for (step, number) in steps {
            let keep = length.min(number);
            let (draft, now) = match step {
                0 => (Draft::user_input("{\"n\":1}"), length + 1),
                1 => (Draft::assistant_item("7"), length + 1),
                2 => (Draft::tool_result("{\"type\":\"tool_result\",\"call_id\":\"c\"}"), length + 1),
                3 => (Draft::system_item("null"), length + 1),
                4 => (Draft::new("truncated").with_count("keep", keep), keep),
                5 => (Draft::new("replaced").with("history", "[1, 2 ]"), 2),
                6 => {
                    let draft = Draft::new("compaction").with("summary", "[\"s\"]");
                    (draft.with_count("keep_last", keep).with_count("turns", number), keep + 1)
                }
                7 => (Draft::config_changed("null"), length),
                _ => (Draft::turn_end(number), length),
            };
            drafts.push(draft);
            length = now;
        }
        drafts.insert(0, Draft::new("session_start"));
        let log = log_of(&drafts);
        let file = exported(&log);
        let file = File { name: "s.jsonl", bytes: file.as_bytes() };
        let imported = import::read(&[file], None).unwrap();
        let back = State::fold(&log_of(&imported.sessions[0].drafts)).unwrap();
        let state = State::fold(&log).unwrap();
        prop_assert_eq!(messages(&back), messages(&state));
        prop_assert_eq!(back.turns, state.turns);
        let snapshot = zeitlich::Snapshot::of(&state);
        prop_assert_eq!(zeitlich::Snapshot::read(&snapshot.write(true)).unwrap(), snapshot);
    }

    #[test]
    fn any_item_can_be_shown(item in prop::sample::select(alloc::vec![
        "7", "null", "[]", "{}", "\"\"", "{\"content\":7}", "{\"content\":[7,{}]}",
        "{\"tool_calls\":[7,{\"id\":7}]}", "{\"type\":\"image\"}", "{\"content\":null}",
    ])) {
        let state = State::fold(&log_of(&[Draft::system_item(item)])).unwrap();
        prop_assert!(markdown(&state, &About::default()).starts_with("# s\n"));
    }
}

#[test]
fn a_session_as_markdown() {
    let start = Draft::new("session_start").with_text("system_prompt", "Be *kind*.");
    let items = [
        r#"{"role":"user","content":"Look:\n\n```rust\nfn main() {}"}"#,
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"run_<b>","arguments":"{\"x\":1}"}}]}"#,
        r#"{"role":"tool","tool_call_id":"c","content":"a ```` b\n"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"data:…"}}]}"#,
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":"Hm"},{"type":"tool_use","id":"d","name":"f","input":{"y":2}}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"d","content":"bad","is_error":true}]}"#,
        r#"{"kind":"tool_result","call_id":"e","summary":"short"}"#,
        r#"{"type":"reasoning","text":"So."}"#,
        r#"{"kind":"notification","body":"b"}"#,
        "\"plain\"",
    ];
    let mut drafts = alloc::vec![start];
    drafts.extend(items.map(Draft::item));
    let state = State::fold(&log_of(&drafts)).unwrap();
    let about = About::new(Some("A <b>*title*\n# x".to_string()), Vec::new());
    let expected = "\
# A \\<b\\>\\*title\\* \\# x

## System prompt

Be *kind*.

## User

Look:

```rust
fn main() {}
```

## Assistant

### Call: run\\_\\<b\\>

```json
{\"x\":1}
```

## Tool

### Result: c

`````
a ```` b
`````

## User

See

*(an image)*

## Assistant

### Reasoning

Hm

### Call: f

```json
{\"y\":2}
```

## Tool

### Error: d

```
bad
```

## Tool

### Result: e

```
short
```

## Assistant

### Reasoning

So.

## System

```json
{\"kind\":\"notification\",\"body\":\"b\"}
```

## System

plain
";
    assert_eq!(markdown(&state, &about), expected);
    let lines = messages(&state);
    assert_eq!(lines.lines().collect::<Vec<_>>(), items);
}
