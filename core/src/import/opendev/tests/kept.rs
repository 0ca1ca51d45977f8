//! Odd messages and metadata, of which nothing is lost, and subagents of several sessions.

use super::*;

fn of_lines(lines: &str) -> Vec<alloc::string::String> {
    let imported = imported(&[File { name: "s.jsonl", bytes: lines.as_bytes() }]);
    assert_eq!(imported.skipped, []);
    texts(&imported.sessions[0]).into_iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_message_has_beside_an_item_is_kept() {
    for (line, item) in [
        (
            r#"{"role":"assistant","content":"x","type":"T","content":"y"}"#,
            r#"{"role":"assistant","content":"x","opendev":{"type":"T","content":"y"}}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","tool_calls":{"a":1}}"#,
            r#"{"role":"assistant","content":"x","opendev":{"tool_calls":{"a":1}}}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","tool_calls":null}"#,
            r#"{"role":"assistant","content":"x"}"#,
        ),
        (
            r#"{"role":"assistant","content":"x","tool_calls":[{"id":5,"name":"f","result":"r","error":null},{"name":"g","error":"e"}]}"#,
            r#"{"role":"assistant","content":"x","tool_calls":[{"id":5,"type":"function","function":{"name":"f","arguments":"{}"},"opendev":{"result":"r","error":null}},{"id":null,"type":"function","function":{"name":"g","arguments":"{}"},"opendev":{"error":"e"}}]}"#,
        ),
    ] {
        assert_eq!(of_lines(line), [format!(r#"{{"kind":"assistant_item","item":{item}}}"#)]);
    }
}

#[test]
fn what_metadata_has_beside_its_meaning_is_kept() {
    let json = br#"{"id":"other","title":"T","type":"x","messages":[],"created_at":"x"}"#;
    let imported = imported(&[File { name: "s.json", bytes: json }]);
    assert_eq!(
        texts(&imported.sessions[0]),
        [
            r#"{"kind":"session_start","config":{"id":"other","title":"T","type":"x","created_at":"x"}}"#
        ]
    );
}

#[test]
fn what_a_subagents_line_has_beside_its_meaning_is_kept() {
    let lines = [
        r#"{"seq":0,"ts":1,"k":"sys","content":"S","model":"m"}"#,
        r#"{"seq":1,"ts":1,"k":"ast","content":"x","tool_calls":{"a":1},"reasoning":"r"}"#,
        r#"{"seq":2,"ts":1,"k":"tr","call_id":"c","name":"f","output":"o","ok":false,"more":1}"#,
        r#"{"seq":3,"ts":"x","k":"tok","inp":5,"out":6,"cached":7}"#,
        r#"{"seq":4,"ts":1,"k":"sys","content":"S","model":"m"}"#,
    ];
    let text = lines.join("\n");
    let imported = imported(&[File { name: "agents/a.jsonl", bytes: text.as_bytes() }]);
    assert_eq!(imported.skipped, []);
    assert_eq!(
        texts(&imported.sessions[0]),
        [
            r#"{"kind":"session_start","ts":1,"system_prompt":"S","opendev":{"model":"m"}}"#,
            r#"{"kind":"assistant_item","ts":1,"item":{"role":"assistant","content":"x","opendev":{"tool_calls":{"a":1},"reasoning":"r"}}}"#,
            r#"{"kind":"tool_result","ts":1,"item":{"role":"tool","tool_call_id":"c","name":"f","content":"o","is_error":true,"opendev":{"more":1}}}"#,
            r#"{"kind":"llm_usage","input_total_tokens":5,"output_tokens":6,"opendev":{"ts":"x","cached":7}}"#,
            r#"{"kind":"system_item","ts":1,"item":{"role":"system","content":"S","opendev":{"model":"m"}}}"#,
        ]
    );
    folded(&imported.sessions[0]);
}

#[test]
fn messages_that_are_left_out_have_their_places() {
    let json = "{\n \"id\": \"s\",\n \"messages\": [\n  7,\n  {\"role\": \"tool\"}\n ]\n}\n";
    let told = imported(&[File { name: "s.json", bytes: json.as_bytes() }]);
    let places: Vec<_> = told.skipped.iter().map(|s| s.error.place().offset).collect();
    let at = |found: &str| json.find(found).map(|at| at as u64);
    assert_eq!(places, [at("7"), at("{\"role")]);
    assert!(told.skipped[1].error.message().starts_with("messages[1]: "));
    let event = r#"{"seq":1,"data":{"type":"MessageAdded","role":"tool"}}"#;
    let events = format!("\n{event}\n");
    let told = imported(&[File { name: "s.events.jsonl", bytes: events.as_bytes() }]);
    let place = told.skipped[0].error.place();
    assert_eq!((place.line, place.offset), (Some(2), Some(1)));
}

#[test]
fn a_session_has_so_many_entries_at_most() {
    let most = crate::limits::IMPORT_ENTRIES_MAX;
    let event = r#"{"seq":1,"data":{"type":"MessageAdded","role":"user","content":1}}"#;
    let message = r#"{"role":"user","content":1}"#;
    let line = r#"{"seq":1,"ts":1,"k":"ast","content":1}"#;
    for (name, line) in [("s.events.jsonl", event), ("s.jsonl", message), ("agents/s.jsonl", line)]
    {
        let text = format!("{line}\n").repeat(most + 5);
        let imported = imported(&[File { name, bytes: text.as_bytes() }]);
        assert_eq!(
            (imported.sessions[0].drafts.len(), imported.skipped.len()),
            (most, 1),
            "{name}"
        );
        let error = &imported.skipped[0].error;
        assert_eq!((error.code(), error.place().line), ("too_large", Some(most as u64 + 1)));
    }
}

#[test]
fn subagents_belong_to_the_session_that_names_them() {
    let named = br#"{"id":"a","created_at":"x","messages":[],"subagent_sessions":{"tc":"agA"}}"#;
    let other = br#"{"id":"b","created_at":"x","messages":[]}"#;
    let line = br#"{"seq":0,"ts":1,"k":"ast","content":"x"}"#;
    let files = [
        File { name: "sub/b.json", bytes: other },
        File { name: "sub/a.json", bytes: named },
        File { name: "sub/agents/agA.jsonl", bytes: line },
        File { name: "sub/agents/agB.jsonl", bytes: line },
        File { name: "sub/b/agents/agC.jsonl", bytes: line },
    ];
    assert_eq!(group(&files.map(|file| file.name)), [[0, 1, 2, 3, 4]]);
    let imported = read_any(&files, None).unwrap();
    let ids: Vec<_> = imported.sessions.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(ids, ["b", "a", "a/agA", "agB", "b/agC"]);
    assert_eq!(imported.skipped, []);
}

#[test]
fn the_same_file_twice_is_told() {
    let line = br#"{"role":"user","content":"x","timestamp":"x","metadata":{}}"#;
    let files = ["s.jsonl", "s.jsonl.gz"].map(|name| File { name, bytes: line });
    let imported = read_any(&files, None).unwrap();
    assert_eq!((imported.sessions.len(), codes(&imported)), (1, [(1, "not_supported")].to_vec()));
}
