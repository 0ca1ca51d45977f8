//! Every test of the two systems that live sessions replace has its counterpart here, under its own
//! name: session-store's (logs, store, sessions, and later ones), then opendev's (recovery). What
//! stands elsewhere under that name: `test_snapshot_new`, `test_record_tool_result` and
//! `test_snapshot_serialization_roundtrip` in the core's `recovery`.

use std::sync::Arc;

use turnkeep::core::session::{self, At, Fork, Status, View};
use turnkeep::core::store::{Condition, Part};
use turnkeep::{
    Create, Draft, FileStore, Hash, Key, Kind, MemoryStore, Range, State, Store, drive, sessions,
};
use turnkeep_tests::live::{Live, items};
use turnkeep_tests::sessions::{
    Folder, bytes_of, create, filled, id, lines, log_key, open, over_every_store, user, write,
};
use turnkeep_tests::spy::{Failure, Spy};

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn started(store: &Arc<dyn Store>) -> Live {
    let start = Draft::new("session_start")
        .with_text("system_prompt", "You are helpful.")
        .with("config", r#"{"max_tokens":1024}"#)
        .with("history", r#"["before"]"#);
    let task = session::create(Create::default().with_id(id("a")).with_start(start));
    Live { store: store.clone(), session: drive(task, &**store).expect("a session") }
}

const CALL: &str =
    r#"{"type":"tool_call","call_id":"call_1","name":"get_weather","arguments":"{}"}"#;
const RESULT: &str =
    r#"{"type":"tool_result","call_id":"call_1","summary":"Sunny","content":"25C"}"#;

// session-store: session_log.rs

#[test]
fn replay_empty() {
    let state = Live::create(&memory(), "a").state();
    assert!(state.history.is_empty() && state.usage.is_empty() && state.extensions.is_empty());
    assert_eq!((state.turns, state.run, state.system_prompt, state.config), (0, None, None, None));
}

#[test]
fn replay_session_start_sets_initial_state() {
    let state = started(&memory()).state();
    assert_eq!(state.system_prompt.as_deref(), Some("You are helpful."));
    assert_eq!(state.config.as_deref(), Some(r#"{"max_tokens":1024}"#));
    assert_eq!(items(&state), ["\"before\""]);
}

#[test]
fn replay_full_turn() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[
        Draft::run_started(),
        user("Hi"),
        Draft::assistant_item("\"Hello\""),
        Draft::turn_end(1),
        Draft::run_completed("finished"),
    ]);
    let state = live.state();
    assert_eq!((state.history.len(), state.turns), (2, 1));
    assert_eq!(state.run.as_deref(), Some("finished"));
}

#[test]
fn replay_with_tool_calls() {
    let mut live = Live::create(&memory(), "a");
    let message = r#"{"type":"message","role":"assistant","content":[]}"#;
    let delta = [r#"{"role":"user","content":"Weather?"}"#, CALL, RESULT, message];
    live.append(&delta.map(Draft::item));
    let kinds: Vec<_> = live.state().history.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, ["user_input", "assistant_item", "tool_result", "assistant_item"]);
    assert_eq!(live.items(), delta);
}

#[test]
fn replay_config_changed() {
    let mut live = started(&memory());
    live.append(&[Draft::config_changed(r#"{"max_tokens":1}"#)]);
    assert_eq!(live.state().config.as_deref(), Some(r#"{"max_tokens":1}"#));
}

#[test]
fn hash_chain_is_deterministic() {
    use turnkeep::core::log::{Stamp, Writer};
    let write = |text: &str| {
        let writer = Writer::create(id("a"), false);
        writer.write(&[user(text)], &Stamp::default()).expect("lines").head.hash
    };
    assert_eq!(write("x"), write("x"));
}

#[test]
fn different_content_produces_different_hash() {
    use turnkeep::core::log::{Stamp, Writer};
    let write = |text: &str| {
        let writer = Writer::create(id("a"), false);
        writer.write(&[user(text)], &Stamp::default()).expect("lines").head.hash
    };
    assert_ne!(write("x"), write("y"));
}

fn usage() -> Draft {
    Draft::llm_usage().with_count("history_len", 3).with_count("input_total_tokens", 70)
}

#[test]
fn replay_llm_usage_appends_to_usage_history() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[user("Hi"), usage(), usage()]);
    let state = live.state();
    assert_eq!((state.usage.len(), state.history.len()), (2, 1));
    assert_eq!(state.usage[0].counts, [Some(3), Some(70), None, None, None]);
}

#[test]
fn replay_without_llm_usage_keeps_usage_history_empty() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[user("Hi")]);
    assert!(live.state().usage.is_empty());
}

#[test]
fn llm_usage_entry_round_trip_via_json() {
    let store = memory();
    let mut live = Live::create(&store, "a");
    live.append(&[usage()]);
    let session = open(&store, "a").expect("it opens");
    let line = session.entries(Range::last(1)).next().expect("a line").expect("a line");
    let entry = line.parse().expect("an entry");
    assert_eq!((entry.kind(), entry.count("history_len")), (Kind::LlmUsage, Some(3)));
}

#[test]
fn replay_extension_collects_domain_payload_pairs() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[Draft::extension("pod", "1"), Draft::extension("memory", r#"{"k":[]}"#)]);
    let pairs: Vec<_> =
        live.state().extensions.into_iter().map(|e| (e.domain, e.payload)).collect();
    assert_eq!(pairs, [("pod".into(), "1".into()), ("memory".into(), r#"{"k":[]}"#.into())]);
}

#[test]
fn extension_entry_round_trip_via_json() {
    let store = memory();
    let mut live = Live::create(&store, "a");
    let payload = r#"{"z":1,"a":2.50,"b":[1e21,-0.0]}"#;
    live.append(&[Draft::extension("pod", payload)]);
    let text = String::from_utf8(bytes_of(&store, &log_key("a"))).expect("text");
    assert!(text.contains(payload), "kept byte for byte");
}

#[test]
fn hash_hex_round_trip() {
    let hash = turnkeep::core::sha256(b"x");
    assert_eq!(hash.to_string().parse::<Hash>(), Ok(hash));
}

// session-store: fs_store_test.rs

#[test]
fn round_trip_write_and_read() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("Hi"), Draft::turn_end(1)]);
        let again = Live::open(&store, "a");
        assert_eq!(again.session.head(), live.session.head());
        assert_eq!(again.state(), live.state());
    });
}

#[test]
fn create_session_writes_all_entries() {
    over_every_store(|store| {
        let mut options = Create::default().with_id(id("a"));
        options.entries = vec![user("one").as_str().into(), user("two").as_str().into()];
        let session = drive(session::create(options.clone()), &*store).expect("a session");
        assert_eq!(session.head().expect("a head").seq, 2);
        let again = drive(session::create(options), &*store).map(|_| ());
        assert_eq!(again.expect_err("it exists").code(), "already_exists");
    });
}

#[test]
fn list_sessions_returns_newest_first() {
    let store = memory();
    let made = |_| drive(session::create(Create::default()), &*store).expect("a session");
    let ids: Vec<_> = (0..3)
        .map(|n| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            made(n).id().clone()
        })
        .collect();
    let mut listed: Vec<_> = sessions(&*store).expect("a list").into_iter().map(|s| s.id).collect();
    listed.reverse();
    assert_eq!(listed, ids.into_iter().rev().collect::<Vec<_>>(), "made-up ids sort by time");
}

#[test]
fn exists_returns_correct_state() {
    over_every_store(|store| {
        let _live = Live::create(&store, "a");
        assert!(store.info(&log_key("a")).is_ok());
        assert_eq!(store.info(&log_key("b")).expect_err("none").code(), "not_found");
    });
}

#[test]
fn not_found_error_for_missing_session() {
    over_every_store(|store| {
        assert_eq!(open(&store, "a").err().map(|error| error.code()), Some("not_found"));
    });
}

#[test]
fn trace_entries_in_separate_file() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        live.run(session::trace(&live.session, r#"{"Ping":{"timestamp":null}}"#.into()))
            .expect("an event");
        assert_eq!(bytes_of(&store, &log_key("a")).iter().filter(|b| **b == b'\n').count(), 1);
        assert_eq!(sessions(&*store).expect("a list").len(), 1);
    });
}

#[test]
fn read_head_hash_returns_last_entry_hash() {
    over_every_store(|store| {
        let session = filled(&store, "a", 20, 50);
        let line = session.entries(Range::last(1)).next().expect("a line").expect("a line");
        let hash = line.parse().expect("an entry").hash();
        assert_eq!(open(&store, "a").expect("it opens").head().map(|head| head.hash), Some(hash));
    });
}

// session-store: session_test.rs

#[test]
fn session_run_logs_entries() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("Hi"), Draft::run_completed("finished")]);
        let session = open(&store, "a").expect("it opens");
        let report = session.verify().expect("a report");
        assert!(report.is_whole(), "every prev_hash is the hash before");
        let text = String::from_utf8(lines(&session, &Range::all()).expect("lines")).expect("text");
        assert!(text.lines().next().is_some_and(|line| line.contains("session_start")));
        assert!(text.contains(r#""result":"finished""#));
    });
}

#[test]
fn session_restore_round_trip() {
    over_every_store(|store| {
        let mut live = started(&store);
        live.append(&[user("Hi"), Draft::turn_end(1), usage()]);
        assert_eq!(Live::open(&store, "a").state(), live.state());
    });
}

#[test]
fn session_run_with_tool_call() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[Draft::item(CALL), Draft::item(RESULT)]);
    assert!(live.state().open_calls().is_empty());
}

#[test]
fn session_resume_after_pause() {
    let store = memory();
    let mut live = Live::create(&store, "a");
    live.append(&[user("Hi"), Draft::run_completed("paused")]);
    assert_eq!(Live::open(&store, "a").state().run.as_deref(), Some("paused"));
}

#[test]
fn session_fork_preserves_state() {
    over_every_store(|store| {
        let mut live = started(&store);
        live.append(&[user("Hi"), Draft::turn_end(1), usage(), Draft::extension("d", "1")]);
        let fork = live.run(session::fork(id("a"), Fork::default())).expect("a fork");
        let fork = Live { store: store.clone(), session: fork }.state();
        let parent = live.state();
        assert_eq!((fork.history, fork.turns), (parent.history, parent.turns));
        assert_eq!((fork.usage, fork.extensions), (parent.usage, parent.extensions));
    });
}

#[test]
fn session_fork_at_truncates() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("one")]);
        let hash = live.session.head().expect("a head").hash;
        live.append(&[user("two")]);
        let fork = live.run(session::fork(id("a"), Fork::at(At::Hash(hash)))).expect("a fork");
        assert_eq!(Live { store: store.clone(), session: fork }.items(), ["\"one\""]);
        assert_eq!(live.items().len(), 2);
    });
}

#[test]
fn session_config_changed_logged() {
    let store = memory();
    let mut live = Live::create(&store, "a");
    live.append(&[Draft::config_changed("{}")]);
    let text = String::from_utf8(bytes_of(&store, &log_key("a"))).expect("text");
    assert!(text.contains(r#""kind":"config_changed""#));
}

#[test]
fn session_auto_forks_on_conflict() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        let mine = live.session.clone();
        live.append(&[user("an intruder's")]);
        let forked = live.run(session::ensure_head(mine, None)).expect("a fork");
        assert_ne!(forked.id(), &id("a"));
        assert_eq!(live.items(), ["\"an intruder's\""]);
    });
}

// session-store, later

#[test]
fn unterminated_utf8_tail_is_ignored_and_replaced_on_append() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("Hi")]);
        let bytes = [&bytes_of(&store, &log_key("a"))[..], b"\xe3"].concat();
        store.release(&log_key("a"));
        write(&store, &log_key("a"), &bytes);
        let mut live = Live::open(&store, "a");
        assert_eq!(live.items().len(), 1);
        live.append(&[user("more")]);
        assert!(open(&store, "a").expect("it opens").verify().expect("a report").is_whole());
    });
}

#[test]
fn newline_terminated_invalid_utf8_is_reported_as_corruption() {
    over_every_store(|store| {
        let _live = Live::create(&store, "a");
        let bytes = [&bytes_of(&store, &log_key("a"))[..], b"\xe3\n"].concat();
        store.release(&log_key("a"));
        write(&store, &log_key("a"), &bytes);
        let task = session::verify(id("a"), None, false);
        let fault = drive(task, &*store).expect("a report").fault.expect("a fault");
        assert_eq!(fault.place().line, Some(2));
    });
}

#[test]
fn read_entry_count_matches_append_tally() {
    over_every_store(|store| {
        let session = filled(&store, "a", 57, 20);
        assert_eq!(session.head().map(|head| head.seq + 1), Some(58));
    });
}

#[test]
fn lookup_session_of_finds_owning_session() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        live.run(session::fork(id("a"), Fork::default().with_id(id("b")))).expect("a fork");
        let line = live.run(session::ancestors(id("b"))).expect("a line");
        assert_eq!(line[0].point.session, id("a"));
    });
}

#[test]
fn nested_past_fork_leaves_ancestors_immutable() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("one"), user("two")]);
        let fork = |from: &str, into: &str| {
            let task = session::fork(id(from), Fork::at(At::Seq(1)).with_id(id(into)));
            drive(task, &*store).expect("a fork");
            bytes_of(&store, &log_key(into))
        };
        let (a, b) = (bytes_of(&store, &log_key("a")), fork("a", "b"));
        fork("b", "c");
        assert_eq!((bytes_of(&store, &log_key("a")), bytes_of(&store, &log_key("b"))), (a, b));
    });
}

#[test]
fn replay_incomplete_invoke_is_interrupted() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[Draft::run_started(), user("Hi")]);
    assert_eq!(live.state().run.as_deref(), Some("running"));
}

#[test]
fn replay_paused_turn_abandoned_clears_interrupted_marker() {
    let mut live = Live::create(&memory(), "a");
    live.append(&[Draft::run_completed("paused"), Draft::run_completed("yielded")]);
    assert_eq!(live.state().run.as_deref(), Some("yielded"));
}

#[test]
fn user_input_extensions_restore_with_the_same_committed_input() {
    let store = memory();
    let mut live = Live::create(&store, "a");
    let whole = bytes_of(&store, &log_key("a"));
    live.append(&[user("Hi"), Draft::extension("input", "1")]);
    let both = bytes_of(&store, &log_key("a"));
    let first_end = whole.len() + 1 + both[whole.len()..].iter().position(|b| *b == b'\n').unwrap();
    write(&store, &log_key("a"), &both[..first_end]);
    let state: State = Live::open(&store, "a").state();
    assert!(state.history.is_empty() && state.extensions.is_empty(), "both or none");
}

#[test]
fn canonical_layout_and_single_session_invariant() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    let live = Live::create(&store, "Run 7/b");
    assert!(folder.path().join("%52un%207%2fb.jsonl").is_file());
    store.release(&Key::of(live.session.id(), Part::Log));
    let bytes = bytes_of(&store, &Key::of(live.session.id(), Part::Log));
    write(&store, &log_key("other"), &bytes);
    assert_eq!(open(&store, "other").err().map(|error| error.code()), Some("wrong_session"));
}

#[test]
fn delete_session_removes_session_directory_only() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("mine.txt"), "x").expect("a file");
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    let live = Live::create(&store, "a");
    live.run(session::delete(id("a"))).expect("deleted");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["mine.txt"]);
}

#[test]
fn history_append_failure_stops_before_tool_execution() {
    // The caller hears of a failed append before anything else can happen: it is the call's result.
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    let mut live = Live::create(&store, "a");
    open(&store, "a").expect("it opens").append_one(&Draft::turn_end(0)).expect("an append");
    let failed = live.try_append(vec![Draft::item(CALL)]).expect_err("someone else wrote");
    assert_eq!(failed.code(), "conflict");
    assert!(Live::open(&store, "a").items().is_empty(), "no call was recorded, none may run");
}

// opendev: state_snapshot_tests.rs

fn tracked(store: &Arc<dyn Store>, name: &str) -> Live {
    let live = Live::create(store, name);
    live.run(session::track(live.session.clone(), "/home/u/proj")).expect("a record");
    live
}

#[test]
fn test_mark_completed() {
    over_every_store(|store| {
        let live = tracked(&store, "a");
        let before = live.run(session::record(id("a"))).expect("a record");
        std::thread::sleep(std::time::Duration::from_millis(2));
        let record = live.run(session::mark_completed(id("a"))).expect("a record");
        assert!(record.completed && record.snapshot_ms > before.snapshot_ms);
    });
}

#[test]
fn test_save_and_load() {
    over_every_store(|store| {
        let mut live = tracked(&store, "a");
        let cost = Draft::llm_usage().with("cost_usd", "0.15");
        live.append(&[Draft::run_started(), Draft::item(CALL), Draft::item(RESULT), cost]);
        live.append(&[Draft::run_completed("finished")]);
        let record = live.run(session::record(id("a"))).expect("a record");
        assert_eq!((record.message_count, record.project_dir.as_str()), (2, "/home/u/proj"));
        assert_eq!((record.cost_nano_usd, record.head), (150_000_000, live.session.head()));
        let result = &record.last_tool_results[0];
        assert_eq!(
            (&*result.call_id, &*result.output_preview, result.success),
            ("call_1", "25C", true)
        );
        let rebuilt = live.run(session::rebuild_record(id("a"))).expect("a record");
        assert_eq!(rebuilt.last_tool_results, record.last_tool_results);
        assert_eq!(
            (rebuilt.message_count, rebuilt.head, rebuilt.run),
            (2, record.head, record.run)
        );
    });
}

/// What was appended while it was rebuilt is not in it, and it does not say so.
#[test]
fn a_record_that_is_rebuilt_tells_the_entry_it_was_rebuilt_up_to() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = spy.clone();
    let mut live = tracked(&store, "a");
    live.append(&[Draft::run_started()]);
    for _ in 0..3 {
        live.append(&[user(&"x".repeat(700_000))]);
    }
    let whole = drive(session::rebuild_record(id("a")), &*spy).expect("a record");
    for request in 0..12 {
        let mut other = Live::open(&store, "a");
        let head = other.session.head();
        spy.before_request(request, move || {
            other.append(&[Draft::run_completed("finished")]);
        });
        let rebuilt = drive(session::rebuild_record(id("a")), &*spy).expect("a record");
        spy.leave_alone();
        let is_new = rebuilt.run.as_deref() == Some("finished");
        assert_eq!(is_new, rebuilt.head != head, "before request {request}: {rebuilt:?}");
        live = Live::open(&store, "a");
        live.append(&[Draft::run_started()]);
    }
    assert_eq!(whole.run.as_deref(), Some("running"));
}

#[test]
fn test_load_nonexistent() {
    over_every_store(|store| {
        let error = drive(session::record(id("a")), &*store).expect_err("none");
        assert_eq!(error.code(), "not_found");
    });
}

#[test]
fn test_find_incomplete_sessions() {
    over_every_store(|store| {
        let mut crashed = tracked(&store, "crashed");
        crashed.append(&[Draft::run_started(), user("Hi")]);
        std::thread::sleep(std::time::Duration::from_millis(2));
        let _abandoned = tracked(&store, "abandoned");
        let done = tracked(&store, "done");
        done.run(session::mark_completed(id("done"))).expect("a record");
        let damaged = Key::of(&id("damaged"), Part::Recovery);
        store.put(&damaged, b"{", &Condition::Any).expect("a put");
        for name in ["crashed", "abandoned", "done"] {
            store.release(&log_key(name));
        }
        let found = drive(session::find_incomplete(), &*store).expect("a list");
        let names: Vec<_> = found
            .sessions
            .iter()
            .map(|one| (one.record.session.as_str(), one.status, one.record.message_count))
            .collect();
        let expected = [("abandoned", Status::Abandoned, 0), ("crashed", Status::Crashed, 1)];
        assert_eq!(names, expected, "what was appended since the record was written is in it");
        assert_eq!(found.damaged.len(), 1, "damaged records are reported");
        assert_eq!(found.damaged[0].0, damaged);
    });
}

#[test]
fn test_find_incomplete_sessions_tells_who_is_alive() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path()).expect("a store"));
    let mut live = tracked(&store, "a");
    live.append(&[Draft::run_started()]);
    let other = FileStore::open(folder.path()).expect("a store");
    let found = drive(session::find_incomplete(), &other).expect("a list");
    assert_eq!(found.sessions[0].status, Status::Running);
    let owner = found.sessions[0].record.owner.as_ref().expect("an owner");
    assert_eq!(owner.pid, std::process::id());
}

#[test]
fn test_remove_snapshot() {
    over_every_store(|store| {
        let live = tracked(&store, "a");
        assert!(live.run(session::remove_record(id("a"))).expect("removed"));
        assert_eq!(live.run(session::record(id("a"))).expect_err("none").code(), "not_found");
    });
}

#[test]
fn test_remove_nonexistent() {
    over_every_store(|store| {
        assert!(!drive(session::remove_record(id("a")), &*store).expect("nothing to remove"));
    });
}

#[test]
fn test_snapshot_path() {
    let key = Key::of(&id("my/session"), Part::Recovery);
    assert_eq!(key.as_str(), "my%2fsession.recovery.json");
}

#[test]
fn test_cleanup_old_removes_expired() {
    over_every_store(|store| {
        for (name, snapshot) in [("old", Some(1000)), ("fresh", None)] {
            let live = tracked(&store, name);
            store.release(&log_key(name));
            if let Some(snapshot) = snapshot {
                let mut record = live.run(session::record(id(name))).expect("a record");
                record.snapshot_ms = snapshot;
                write(&store, &Key::of(&id(name), Part::Recovery), record.to_json().as_bytes());
            }
        }
        let removed = drive(session::cleanup_old(60_000), &*store).expect("a number");
        assert_eq!(removed, 1);
        assert!(drive(session::record(id("fresh")), &*store).is_ok());
        assert_eq!(
            drive(session::record(id("old")), &*store).expect_err("gone").code(),
            "not_found"
        );
    });
}

#[test]
fn a_record_that_cannot_be_removed_is_told() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = spy.clone();
    let live = tracked(&store, "a");
    store.release(&log_key("a"));
    let mut record = live.run(session::record(id("a"))).expect("a record");
    record.snapshot_ms = 1000;
    let key = Key::of(&id("a"), Part::Recovery);
    write(&store, &key, record.to_json().as_bytes());
    let mut told = 0;
    for requests in 0.. {
        spy.fail_after(requests, Failure::Before);
        let removed = drive(session::cleanup_old(60_000), &*store);
        if spy.heal() {
            assert_eq!(removed.expect("a number"), 1);
            break;
        }
        assert!(store.info(&key).is_ok() && removed.as_ref().map_or(0, |removed| *removed) == 0);
        told += u32::from(removed.is_err());
    }
    // Listed, held, removed. A record that cannot be read stays.
    assert_eq!(told, 3);
}

#[test]
fn a_record_of_another_log_is_made_anew() {
    over_every_store(|store| {
        let mut live = tracked(&store, "a");
        live.append(&[user("one"), user("two")]);
        let mut record = live.run(session::record(id("a"))).expect("a record");
        record.head = record.head.map(|mut head| {
            head.hash = turnkeep::core::sha256(b"other");
            head
        });
        record.message_count = 99;
        write(&store, &Key::of(&id("a"), Part::Recovery), record.to_json().as_bytes());
        let found = drive(session::find_incomplete(), &*store).expect("a list");
        assert_eq!(found.sessions[0].record.message_count, 2);
    });
}

#[test]
fn views_of_a_session_without_a_compaction_are_the_same() {
    over_every_store(|store| {
        let session = filled(&store, "a", 300, 20);
        let live = Live::open(&store, "a");
        assert_eq!(live.view(View::default().since_compaction()), live.state());
        drop(session);
        assert!(create(&store, "a").is_err());
    });
}
