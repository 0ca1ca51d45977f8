//! What each era wrote, and what becomes of it.

/// A file of an era: whether it is hashed, its entries, the drafts.
pub(super) type Era = (&'static str, bool, &'static [&'static str], &'static [&'static str]);

/// An input of the first eras.
pub(super) const USER: &str = r#"{"kind":"user_input","ts":2,"item":{"type":"message","role":"user","content":[{"type":"text","text":"Hi"}]}}"#;

/// A small file of each era.
pub(super) const ERAS: &[Era] = &[
    (
        "A",
        false,
        &[
            r#"{"kind":"session_start","ts":1,"system_prompt":null,"config":{},"history":[]}"#,
            USER,
            r#"{"kind":"cache_locked","ts":3,"locked_prefix_len":1}"#,
            r#"{"kind":"cache_unlocked","ts":4}"#,
            r#"{"kind":"run_outcome","ts":5,"outcome":"paused","interrupted":true}"#,
            r#"{"kind":"run_outcome","ts":6,"outcome":{"error":{"message":"no \"net\""}},"interrupted":true}"#,
        ],
        &[
            r#"{"kind":"session_start","ts":1,"config":{},"history":[]}"#,
            USER,
            r#"{"kind":"extension","ts":3,"domain":"session_store.cache_locked","payload":{"kind":"cache_locked","ts":3,"locked_prefix_len":1}}"#,
            r#"{"kind":"extension","ts":4,"domain":"session_store.cache_unlocked","payload":{"kind":"cache_unlocked","ts":4}}"#,
            r#"{"kind":"run_completed","ts":5,"result":"paused","interrupted":true}"#,
            r#"{"kind":"run_errored","ts":6,"outcome":{"error":{"message":"no \"net\""}},"interrupted":true,"message":"no \"net\""}"#,
        ],
    ),
    (
        "B",
        true,
        &[
            r#"{"kind":"session_start","ts":1,"system_prompt":"Be.","config":null,"history":[],"compacted_from":{"session_id":"x","at_hash":"ab"}}"#,
            r#"{"kind":"locked","ts":2,"locked_prefix_len":7}"#,
        ],
        &[
            r#"{"kind":"session_start","ts":1,"system_prompt":"Be.","history":[],"origin":{"compacted_from":{"session_id":"x","at_hash":"ab"}}}"#,
            r#"{"kind":"extension","ts":2,"domain":"session_store.locked","payload":{"kind":"locked","ts":2,"locked_prefix_len":7}}"#,
        ],
    ),
    (
        "C",
        true,
        &[
            r#"{"kind":"llm_usage","ts":1,"history_len":4,"input_total_tokens":65,"cache_read_tokens":50,"cache_write_tokens":0,"output_tokens":5}"#,
            r#"{"kind":"extension","ts":2,"domain":"d","payload":[1]}"#,
        ],
        &[
            r#"{"kind":"llm_usage","ts":1,"history_len":4,"input_total_tokens":65,"cache_read_tokens":50,"cache_write_tokens":0,"output_tokens":5}"#,
            r#"{"kind":"extension","ts":2,"domain":"d","payload":[1]}"#,
        ],
    ),
    (
        "D",
        true,
        &[
            r#"{"kind":"run_completed","ts":1,"interrupted":false,"result":"yielded"}"#,
            r#"{"kind":"tool_results","ts":2,"items":[]}"#,
        ],
        &[r#"{"kind":"run_completed","ts":1,"interrupted":false,"result":"yielded"}"#],
    ),
    (
        "E",
        true,
        &[
            r#"{"kind":"assistant_items","ts":1,"items":[{"kind":"message","role":"assistant","content":[{"kind":"text","text":"Hi"}]},{"kind":"tool_call","call_id":"c","name":"f","arguments":"{}"}]}"#,
            r#"{"kind":"tool_results","ts":2,"items":[{"kind":"tool_result","call_id":"c","summary":"s"}]}"#,
        ],
        &[
            r#"{"kind":"assistant_item","ts":1,"item":{"kind":"message","role":"assistant","content":[{"kind":"text","text":"Hi"}]}}"#,
            r#"{"kind":"assistant_item","ts":1,"item":{"kind":"tool_call","call_id":"c","name":"f","arguments":"{}"}}"#,
            r#"{"kind":"tool_result","ts":2,"item":{"kind":"tool_result","call_id":"c","summary":"s"}}"#,
        ],
    ),
    (
        "F",
        true,
        &[
            r##"{"kind":"user_input","ts":1,"segments":[{"kind":"text","content":"see \"it\": "},{"kind":"file_ref","path":"a/b.rs"},{"kind":"paste","id":1,"chars":3,"lines":1,"content":" x\n"},{"kind":"knowledge_ref","slug":"k"},{"kind":"workflow_invoke","slug":"w"},{"kind":"unknown"}]}"##,
        ],
        &[
            r##"{"kind":"user_input","ts":1,"segments":[{"kind":"text","content":"see \"it\": "},{"kind":"file_ref","path":"a/b.rs"},{"kind":"paste","id":1,"chars":3,"lines":1,"content":" x\n"},{"kind":"knowledge_ref","slug":"k"},{"kind":"workflow_invoke","slug":"w"},{"kind":"unknown"}],"item":{"type":"message","role":"user","content":[{"type":"text","text":"see \"it\": @a/b.rs x\n#k/w[unknown input segment]"}]}}"##,
        ],
    ),
    (
        "G",
        true,
        &[
            r#"{"kind":"system_items","ts":1,"items":[{"kind":"notification","message":"m","body":"[m]"}]}"#,
            r#"{"kind":"assistant_item","ts":2,"item":{"kind":"message","role":"assistant","content":[]}}"#,
            r#"{"kind":"system_item","ts":3,"item":{"kind":"file_attachment","path":"p","body":"b"}}"#,
            r#"{"kind":"tool_result","ts":4,"item":{"kind":"tool_result","call_id":"c","summary":"s"}}"#,
        ],
        &[
            r#"{"kind":"system_item","ts":1,"item":{"kind":"notification","message":"m","body":"[m]"}}"#,
            r#"{"kind":"assistant_item","ts":2,"item":{"kind":"message","role":"assistant","content":[]}}"#,
            r#"{"kind":"system_item","ts":3,"item":{"kind":"file_attachment","path":"p","body":"b"}}"#,
            r#"{"kind":"tool_result","ts":4,"item":{"kind":"tool_result","call_id":"c","summary":"s"}}"#,
        ],
    ),
    (
        "H",
        true,
        &[r#"{"kind":"invoke","ts":1,"trigger":"user_send"}"#],
        &[r#"{"kind":"run_started","ts":1,"trigger":"user_send"}"#],
    ),
    (
        "I",
        false,
        &[
            r#"{"kind":"session_start","ts":1,"system_prompt":null,"config":{},"history":[],"forked_from":{"session_id":"x","at_turn_index":2}}"#,
        ],
        &[
            r#"{"kind":"session_start","ts":1,"config":{},"history":[],"origin":{"forked_from":{"session_id":"x","at_turn_index":2}}}"#,
        ],
    ),
    (
        "J",
        false,
        &[
            r#"{"kind":"segment_start","ts":1,"session_id":"whole","system_prompt":"P","config":{},"history":[]}"#,
            r#"{"kind":"run_errored","ts":2,"interrupted":true,"message":"m"}"#,
        ],
        &[
            r#"{"kind":"session_start","ts":1,"system_prompt":"P","config":{},"history":[],"origin":{"session_id":"whole"}}"#,
            r#"{"kind":"run_errored","ts":2,"interrupted":true,"message":"m"}"#,
        ],
    ),
    (
        "K",
        false,
        &[
            r#"{"kind":"user_input","ts":1,"segments":[{"kind":"flow","selector":"s"}],"extensions":[{"domain":"flow","payload":{"at":1}}]}"#,
            r#"{"kind":"paused_turn_abandoned","ts":2}"#,
            r#"{"kind":"of_tomorrow","ts":3,"x":1.50}"#,
        ],
        &[
            r#"{"kind":"user_input","ts":1,"segments":[{"kind":"flow","selector":"s"}],"item":{"type":"message","role":"user","content":[{"type":"text","text":"[Flow: s]"}]}}"#,
            r#"{"kind":"extension","ts":1,"domain":"flow","payload":{"at":1}}"#,
            r#"{"kind":"extension","ts":2,"domain":"session_store.paused_turn_abandoned","payload":{"kind":"paused_turn_abandoned","ts":2}}"#,
            r#"{"kind":"extension","ts":3,"domain":"session_store.of_tomorrow","payload":{"kind":"of_tomorrow","ts":3,"x":1.50}}"#,
        ],
    ),
];
