mod kept;

use alloc::string::ToString;

use proptest::prelude::*;

use super::*;
use crate::State;
use crate::import::{Format, detect as detect_any, group, read as read_any};
use crate::log::{Draft, Stamp, Writer};

macro_rules! fixture {
    ($name:literal) => {
        File {
            name: concat!("s/", $name),
            bytes: include_bytes!(concat!("../../../../tests/fixtures/opendev/", $name)),
        }
    };
}

const METADATA: File<'_> = fixture!("a1b2c3d4e5f6.json");
const TRANSCRIPT: File<'_> = fixture!("a1b2c3d4e5f6.jsonl");
const EVENTS: File<'_> = fixture!("a1b2c3d4e5f6.events.jsonl");
const SIDECHAIN: File<'_> = fixture!("agents/agent-7.jsonl");
const SNAPSHOT: File<'_> = fixture!("sess-1_session_snapshot.json");
const FILES: [File<'_>; 5] = [METADATA, TRANSCRIPT, EVENTS, SIDECHAIN, SNAPSHOT];

const CREATED: &str = r#"{"created_at":"2024-06-15T10:30:00+00:00","updated_at":"2024-06-15T10:31:00.250+00:00","context_files":[],"working_directory":"/home/u/my \"proj\"","metadata":{"title":"Fix the build: ü \\ \"x\"","tags":["rust","build","rust"],"cost":1.50},"file_changes":[],"channel":"cli","chat_type":"direct","channel_user_id":"","delivery_context":{},"workspace_confirmed":false,"subagent_sessions":{"call_9":"agent-7"}}"#;

fn imported(files: &[File<'_>]) -> Imported {
    read_any(files, Some(Format::Opendev)).unwrap()
}

fn texts(session: &Session) -> Vec<&str> {
    session.drafts.iter().map(Draft::as_str).collect()
}

fn folded(session: &Session) -> State {
    let writer = Writer::create(session.id.clone(), false);
    let batch = writer.write(&session.drafts, &Stamp::default()).unwrap();
    State::fold(&batch.bytes).unwrap()
}

fn codes(imported: &Imported) -> Vec<(usize, &str)> {
    imported.skipped.iter().map(|s| (s.file, s.error.code())).collect()
}

#[test]
fn a_session_becomes_these_drafts() {
    let imported = imported(&[METADATA, TRANSCRIPT, EVENTS]);
    assert_eq!(imported.skipped, []);
    let [session] = &imported.sessions[..] else { panic!("{imported:?}") };
    assert_eq!((session.id.as_str(), &session.files[..]), ("a1b2c3d4e5f6", &[0, 1, 2][..]));
    assert_eq!(session.about.title.as_deref(), Some(r#"Fix the build: ü \ "x""#));
    assert_eq!(session.about.tags, ["build", "rust"]);
    assert_eq!(session.trace.as_bytes(), EVENTS.bytes);
    let start = format!(
        r#"{{"kind":"session_start","ts":1718447400000,"config":{CREATED},"origin":{{"parent_id":"000000000000"}}}}"#
    );
    let expected = [
        &*start,
        r#"{"kind":"user_input","ts":1718447400500,"item":{"role":"user","content":"Fix \"it\", please 日本","opendev":{"timestamp":"2024-06-15T10:30:00.500+00:00","metadata":{}}}}"#,
        r#"{"kind":"assistant_item","ts":1718447401000,"item":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","type":"function","function":{"name":"bash","arguments":"{\"command\":\"cargo build\",\"n\":9007199254740993}"},"opendev":{"result_summary":"built","timestamp":"2024-06-15T10:30:02+00:00","approved":true,"nested_tool_calls":[]}},{"id":"call_2","type":"function","function":{"name":"read","arguments":"{}"},"opendev":{"timestamp":"2024-06-15T10:30:02+00:00","approved":true,"nested_tool_calls":[]}},{"id":"call_3","type":"function","function":{"name":"bash","arguments":"{\"command\":\"rm\"}"},"opendev":{"timestamp":"2024-06-15T10:30:02+00:00","approved":false,"nested_tool_calls":[]}},{"id":"call_4","type":"function","function":{"name":"bash","arguments":"{}"},"opendev":{"timestamp":"2024-06-15T10:30:02+00:00","approved":false,"nested_tool_calls":[]}}],"opendev":{"timestamp":"2024-06-15T10:30:01+00:00","metadata":{"k":1.0},"tokens":12}}}"#,
        r#"{"kind":"tool_result","ts":1718447401000,"item":{"role":"tool","tool_call_id":"call_1","name":"bash","content":"ok\n"}}"#,
        r#"{"kind":"tool_result","ts":1718447401000,"item":{"role":"tool","tool_call_id":"call_2","name":"read","content":"{\"lines\":[1,2.50]}"}}"#,
        r#"{"kind":"tool_result","ts":1718447401000,"item":{"role":"tool","tool_call_id":"call_3","name":"bash","content":"denied","is_error":true}}"#,
        r#"{"kind":"assistant_item","ts":1718447405000,"item":{"role":"assistant","content":"Done.","opendev":{"timestamp":"2024-06-15T10:30:05","metadata":{},"thinking_trace":"hm"}}}"#,
        r#"{"kind":"system_item","item":{"role":"system","content":"note","opendev":{"timestamp":"yesterday","metadata":{}}}}"#,
    ];
    assert_eq!(texts(session), expected);
    // What has no result is told to be open, and nothing else.
    let open: Vec<_> = folded(session).open_calls().into_iter().map(|call| call.call_id).collect();
    assert_eq!(open, ["call_4"]);
}

#[test]
fn events_tell_the_messages_where_nothing_else_does() {
    let imported = imported(&[EVENTS]);
    assert_eq!(imported.skipped, []);
    let session = &imported.sessions[0];
    let expected = [
        r#"{"kind":"session_start","config":{"working_directory":"/w","channel":"cli","metadata":{"a":1}}}"#,
        r#"{"kind":"user_input","ts":1718447401000,"item":{"role":"user","content":"one, edited","opendev":{"timestamp":"2024-06-15T10:30:01+00:00","tokens":null,"thinking_trace":null,"reasoning_content":null}}}"#,
        r#"{"kind":"assistant_item","ts":1718447404000,"item":{"role":"assistant","content":"two","opendev":{"timestamp":"2024-06-15T10:30:04+00:00","tokens":3,"thinking_trace":null,"reasoning_content":null}}}"#,
    ];
    assert_eq!(texts(session), expected);
    assert_eq!(session.about.title.as_deref(), Some("Second"));
    assert_eq!(session.trace.as_bytes(), EVENTS.bytes);
}

#[test]
fn only_the_latest_tombstone_counts() {
    let added = |seq: u64, content: &str| {
        format!(
            r#"{{"aggregate_id":"s","seq":{seq},"event_type":"MessageAdded","data":{{"type":"MessageAdded","role":"user","content":"{content}"}}}}"#
        )
    };
    let undo = |seq: u64, to: u64| {
        format!(
            r#"{{"aggregate_id":"s","seq":{seq},"event_type":"Tombstone","data":{{"type":"Tombstone","undo_to_seq":{to}}}}}"#
        )
    };
    let fork = r#"{"aggregate_id":"s","seq":9,"event_type":"SessionForked","data":{"type":"SessionForked","source_session_id":"p","fork_point":2}}"#;
    // The first one undid 2, the second one 4: so 2 is back. Out of order, as lines may be.
    let lines = [
        added(1, "a"),
        added(2, "b"),
        undo(3, 1),
        undo(5, 3),
        added(4, "c"),
        added(6, "d"),
        fork.to_string(),
    ];
    let text = lines.join("\n");
    let imported = imported(&[File { name: "s.events.jsonl", bytes: text.as_bytes() }]);
    assert_eq!(
        texts(&imported.sessions[0]),
        [
            r#"{"kind":"user_input","item":{"role":"user","content":"a"}}"#,
            r#"{"kind":"user_input","item":{"role":"user","content":"b"}}"#,
        ]
    );
}

#[test]
fn messages_that_are_no_list_are_kept_as_they_are() {
    let json = r#"{"id":"s","created_at":"x","messages":{"lost":"no"}}"#;
    let file = File { name: "s.json", bytes: json.as_bytes() };
    let kept = r#"{"kind":"session_start","config":{"created_at":"x","messages":{"lost":"no"}}}"#;
    assert_eq!(texts(&imported(&[file]).sessions[0]), [kept]);
}

#[test]
fn messages_inside_the_metadata_are_read_where_there_is_no_transcript() {
    let json = "{\n \"id\": \"s\",\n \"created_at\": \"x\",\n \"messages\": [\n  {\n   \"role\": \"user\",\n   \"content\": \"a  b\",\n   \"metadata\": { }\n  },\n  7,\n  {\"role\": \"tool\"}\n ]\n}\n";
    let file = File { name: "s.json", bytes: json.as_bytes() };
    assert_eq!(detect_any(file), Some(Format::Opendev));
    let inside = [
        r#"{"kind":"session_start","config":{"created_at":"x"}}"#,
        r#"{"kind":"user_input","item":{"role":"user","content":"a  b","opendev":{"metadata":{}}}}"#,
    ];
    let legacy = imported(&[file]);
    assert_eq!(texts(&legacy.sessions[0]), inside);
    assert_eq!(codes(&legacy), [(0, "bad_entry"), (0, "bad_entry")]);
    // A transcript with nothing in it, or nothing but damage, gives way …
    for bytes in [&b""[..], b"\n", b"x\n"] {
        let both = imported(&[file, File { name: "s.jsonl", bytes }]);
        assert_eq!(texts(&both.sessions[0]), inside);
    }
    // … and one with a message does not.
    let transcript = br#"{"role":"user","content":"other"}"#;
    let both = imported(&[file, File { name: "s.jsonl", bytes: transcript }]);
    assert_eq!(
        texts(&both.sessions[0])[1..],
        [r#"{"kind":"user_input","item":{"role":"user","content":"other"}}"#]
    );
    assert_eq!(codes(&both), [(0, "not_supported")]);
}

#[test]
fn a_transcript_that_was_emptied_stays_so_and_one_that_is_damaged_is_made_good() {
    let empty = imported(&[METADATA, File { name: "s/a1b2c3d4e5f6.jsonl", bytes: b"" }, EVENTS]);
    assert_eq!(empty.sessions[0].drafts.len(), 1);
    let damaged = File { name: "s/a1b2c3d4e5f6.jsonl", bytes: b"\xff\n" };
    let damaged = imported(&[METADATA, damaged, EVENTS]);
    assert_eq!(damaged.sessions[0].drafts.len(), 3);
    assert_eq!(codes(&damaged), [(1, "invalid_utf8")]);
}

#[test]
fn subagents_have_sessions_of_their_own() {
    let drafts = [
        r#"{"kind":"session_start","ts":1718447401000,"system_prompt":"You look."}"#,
        r#"{"kind":"assistant_item","ts":1718447402000,"item":{"role":"assistant","content":"Looking","tool_calls":[{"id":"c1","type":"function","function":{"name":"grep","arguments":"{}"}}]}}"#,
        r#"{"kind":"tool_result","ts":1718447403000,"item":{"role":"tool","tool_call_id":"c1","name":"grep","content":"none","is_error":true}}"#,
        r#"{"kind":"llm_usage","ts":1718447404000,"input_total_tokens":10,"output_tokens":2}"#,
        r#"{"kind":"extension","ts":1718447405000,"domain":"opendev.state","payload":{"from":"running","to":"completed"}}"#,
    ];
    let alone = imported(&[SIDECHAIN]);
    assert_eq!(texts(&alone.sessions[0]), drafts);
    assert_eq!(alone.sessions[0].about.kind.as_deref(), Some("subagent"));
    assert_eq!(alone.sessions[0].id.as_str(), "agent-7");
    let other = File { name: "s/other.json", bytes: b"{\"id\":\"other\"}" };
    // The metadata names it, however many sessions there are; else there has to be only one.
    for (files, id) in [
        (&[METADATA, other, SIDECHAIN][..], "a1b2c3d4e5f6/agent-7"),
        (&[SIDECHAIN, TRANSCRIPT], "a1b2c3d4e5f6/agent-7"),
        (&[other, TRANSCRIPT, SIDECHAIN], "agent-7"),
    ] {
        let imported = imported(files);
        assert!(imported.sessions.iter().any(|session| session.id.as_str() == id), "{id}");
    }
    let odd = "{\"k\":\"sys\",\"content\":\"a\"}\n{\"k\":\"sys\",\"content\":\"b\"}\n{\"k\":\"new\",\"x\":1}\n{\"x\":1}\n{\"k\":\"tr\"}\n{\"k\":\"sys\",\"content\":7";
    let odd = imported(&[File { name: "agents/x.jsonl", bytes: odd.as_bytes() }]);
    assert_eq!(codes(&odd), [(0, "bad_entry"), (0, "bad_entry"), (0, "torn_tail")]);
    assert_eq!(
        texts(&odd.sessions[0]),
        [
            r#"{"kind":"session_start","system_prompt":"a"}"#,
            r#"{"kind":"system_item","item":{"role":"system","content":"b"}}"#,
            r#"{"kind":"extension","domain":"opendev.new","payload":{"x":1}}"#,
        ]
    );
}

#[test]
fn recovery_files_are_extensions_of_their_session() {
    let draft = r#"{"kind":"extension","ts":1700000000123,"domain":"opendev.snapshot","payload":{"session_id":"sess-1","message_count":42,"last_tool_results":[{"tool_name":"bash","call_id":"c1","output_preview":"hello \"w\"\n日","success":true}],"snapshot_timestamp_ms":1700000000123,"completed":false,"project_dir":"/home/u/proj","cost_usd":0.15}}"#;
    let alone = imported(&[SNAPSHOT]);
    assert_eq!(alone.sessions[0].id.as_str(), "sess-1");
    assert_eq!(texts(&alone.sessions[0]), [draft]);
    let message = File { name: "p/sess-1.jsonl", bytes: br#"{"role":"user","content":"x"}"# };
    let both = imported(&[SNAPSHOT, message]);
    assert_eq!(both.sessions.len(), 1);
    assert_eq!(both.sessions[0].files, [0, 1]);
    assert_eq!(texts(&both.sessions[0])[1..], [draft]);
}

#[test]
fn every_file_is_recognised_and_finds_its_group() {
    assert_eq!(FILES.map(detect_any), [Some(Format::Opendev); 5]);
    assert_eq!(group(&FILES.map(|file| file.name)), [&[0, 1, 2, 3][..], &[4]]);
    let index = br#"{"version":1,"entries":[{"sessionId":"a"}]}"#;
    let index = File { name: "s/sessions-index.json", bytes: index };
    assert_eq!(detect_any(index), Some(Format::Opendev));
    let rest = File { name: "s/.a.json.tmp", bytes: b"" };
    assert_eq!(codes(&imported(&[index, rest])), [(0, "not_supported"), (1, "not_supported")]);
    for bytes in [&b"{}"[..], b"[]", b"", b"{\"role\":\"user\",\"content\":\"x\"}", b"\x1f\x8b"] {
        assert_eq!(detect_any(File { name: "s.json", bytes }), None);
    }
}

#[test]
fn faults_have_their_places() {
    let broken = METADATA.bytes.len() - 1;
    let cut = File { bytes: &METADATA.bytes[..broken], ..METADATA };
    let imported_cut = imported(&[cut, TRANSCRIPT]);
    assert_eq!(imported_cut.skipped[0].error.place().offset, Some(broken as u64 - 2));
    assert_eq!(imported_cut.sessions[0].drafts.len(), 7);
    let nothing = imported(&[cut]);
    assert_eq!(codes(&nothing), [(0, "bad_json"), (0, "empty_log")]);
    let long = format!("{}.json", "x".repeat(200));
    let named = imported(&[File { name: &long, bytes: METADATA.bytes }]);
    assert_eq!(named.sessions[0].id.as_str(), "a1b2c3d4e5f6");
    let unnamed = imported(&[File { name: &long, bytes: b"{}" }]);
    assert_eq!(codes(&unnamed), [(0, "invalid_id")]);
}

#[test]
fn titles_and_tags_are_bounded() {
    let tags: Vec<_> = (0..99).map(|n| format!("\"{n}{}\"", "\\u0001".repeat(n))).collect();
    let title = "é".repeat(9000);
    let json = format!(r#"{{"metadata":{{"title":"{title}","tags":[{}]}}}}"#, tags.join(","));
    let imported = imported(&[File { name: "s.json", bytes: json.as_bytes() }]);
    let about = &imported.sessions[0].about;
    assert_eq!(about.title.as_ref().unwrap().len(), 1024);
    assert!(about.tags.len() > 20 && about.tags.len() <= 64);
}

fn survives(files: &[File<'_>]) {
    let imported = imported(files);
    for skipped in &imported.skipped {
        let place = skipped.error.place();
        let is_placed = place.offset.is_some()
            || matches!(
                skipped.error.code(),
                "empty_log" | "not_supported" | "bad_entry" | "too_deep" | "duplicate_key"
            );
        assert!(is_placed, "{}", skipped.error);
    }
    for session in &imported.sessions {
        if !session.drafts.is_empty() {
            folded(session);
        }
    }
}

#[test]
fn every_truncation_and_every_changed_byte_is_survived() {
    for file in FILES {
        for end in 0..file.bytes.len() {
            survives(&[File { bytes: &file.bytes[..end], ..file }]);
        }
        let mut bytes = file.bytes.to_vec();
        for at in 0..bytes.len() {
            let was = bytes[at];
            for now in [was ^ 1, was ^ 0x80, b'"', b'\n'] {
                bytes[at] = now;
                survives(&[File { name: file.name, bytes: &bytes }]);
            }
            bytes[at] = was;
        }
    }
}

proptest! {
    #[test]
    fn random_lines_are_survived(which in 0..5_usize, pieces in prop::collection::vec(
        prop::sample::select(alloc::vec![
            "{\"role\":\"assistant\",", "{\"role\":7,", "\"content\":\"x\"}", "\"content\":[]}",
            "\"tool_calls\":[{\"id\":\"c\",\"result\":1},7],", "\"tool_calls\":[{\"error\":\"e\",\"id\":7}],",
            "{\"seq\":1,\"k\":\"tr\",", "{\"seq\":2,\"k\":\"sys\",", "\"ts\":-1,", "\n", "{", "}", "\"", "é",
            "{\"seq\":3,\"data\":{\"type\":\"MessageAdded\",\"role\":\"user\"}}",
            "{\"seq\":4,\"data\":{\"type\":\"MessageEdited\",\"seq\":0,\"content\":1}}",
            "{\"seq\":5,\"data\":{\"type\":\"Tombstone\",\"undo_to_seq\":3}}",
            "\"metadata\":{\"title\":7,\"tags\":[1,\"a\"]}}", "{\"messages\":[{}],", "\"parent_id\":[],",
        ]), 0..16))
    {
        let names = ["s.json", "s.jsonl", "s.events.jsonl", "agents/s.jsonl", "s_session_snapshot.json"];
        survives(&[File { name: names[which], bytes: pieces.concat().as_bytes() }]);
    }
}
