//! Live sessions: conditions of appends, forks, edits, views, repair, lineage, reading.

use std::sync::Arc;

use turnkeep::core::session::{self, Append, At, Compact, Fork, From, Place, View};
use turnkeep::core::store::{Condition, Part};
use turnkeep::{
    Create, Draft, Durability, ErrorKind, Key, Kind, MemoryStore, Range, Result, Store, drive,
};
use turnkeep_tests::build::Log;
use turnkeep_tests::live::{Live, items};
use turnkeep_tests::sessions::{bytes_of, id, log_key, over_every_store, user, write};
use turnkeep_tests::spy::{Failure, Spy};

fn code<T>(result: Result<T>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

fn numbered(count: usize) -> Vec<Draft> {
    (0..count).map(|n| user(&n.to_string())).collect()
}

fn with_id(text: &str) -> Draft {
    user(text).with_text("id", text)
}

/// Turns of a user's input, an answer, and the turn's end.
fn turns(live: &mut Live, from: u64, count: u64) {
    for turn in from..from + count {
        live.append(&[
            user(&format!("question {turn}")),
            Draft::assistant_item(&format!("\"answer {turn}\"")),
            Draft::turn_end(turn),
        ]);
    }
}

#[test]
fn an_append_after_another_head_than_expected_is_a_conflict() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        let first = live.session.head().expect("a head");
        live.append(&numbered(1));
        let append = Append::from(numbered(1)).after(first.seq, first.hash);
        let error = live.try_append(append).expect_err("a conflict");
        assert_eq!((error.code(), error.actual()), ("conflict", live.session.head()));
        let now = live.session.head().expect("a head");
        assert!(live.try_append(Append::from(numbered(1)).after(now.seq, now.hash)).is_ok());
    });
}

#[test]
fn a_retried_append_is_recognised_also_by_another_handle() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        let drafts = vec![with_id("m1"), with_id("m2"), Draft::turn_end(1)];
        let once = || Append::from(drafts.clone()).once();
        assert!(!live.try_append(once()).expect("an append").already_applied);
        let again = live.try_append(once()).expect("a retry");
        assert_eq!((again.already_applied, again.first_seq), (true, 1));
        let mut other = Live::open(&store, "a");
        other.session = live.session.clone();
        let mut reopened = Live::open(&store, "a");
        let again = reopened.try_append(once()).expect("a retry");
        assert_eq!((again.already_applied, again.first_seq), (true, 1));
        assert_eq!(live.items().len(), 2);
        let later = || Append::from([Draft::run_started(), with_id("m4")]).once();
        let first_seq = reopened.try_append(later()).expect("an append").first_seq;
        let again = reopened.try_append(later()).expect("a retry");
        assert_eq!((again.already_applied, again.first_seq), (true, first_seq));
        let partly = vec![with_id("m2"), with_id("m3")];
        let error = reopened.try_append(Append::from(partly).once()).expect_err("partly there");
        assert_eq!((error.code(), error.place().draft), ("already_exists", Some(1)));
        let nothing = Append::from(numbered(1)).once();
        assert_eq!(code(reopened.try_append(nothing)), "invalid_argument");
    });
}

#[test]
fn a_torn_tail_is_cut_off_by_the_next_append_and_reported() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&numbered(1));
        let whole = bytes_of(&store, &log_key("a"));
        store.release(&log_key("a"));
        write(&store, &log_key("a"), &[&whole[..], b"{\"hash\":\"\xe3"].concat());
        let mut live = Live::open(&store, "a");
        let appended = live.try_append(numbered(1)).expect("an append");
        let torn = appended.recovered.expect("a torn tail");
        assert_eq!((torn.offset, torn.bytes), (whole.len() as u64, 10));
        assert_eq!(live.items().len(), 2);
    });
}

#[test]
fn forks_share_their_past_and_go_their_own_ways() {
    over_every_store(|store| {
        let mut parent = Live::create(&store, "a");
        turns(&mut parent, 1, 3);
        let before = bytes_of(&store, &log_key("a"));
        let hash = parent.session.head().expect("a head").hash;
        for (n, (at, seq)) in [
            (At::Head, 9),
            (At::Seq(4), 4),
            (At::Seq(5), 5),
            (At::Hash(hash), 9),
            (At::Turn(2), 6),
            (At::Seq(0), 0),
        ]
        .into_iter()
        .enumerate()
        {
            let child = id(&format!("child-{n}"));
            let fork = Fork::at(at).with_id(child.clone());
            let session = parent.run(session::fork(id("a"), fork)).expect("a fork");
            assert_eq!(session.head().expect("a head").seq, seq + 1, "{at:?}");
            let mut child = Live { store: store.clone(), session };
            child.append(&numbered(1));
            let state = child.state();
            let from = state.forked_from.expect("an origin");
            assert_eq!((from.session.as_str(), from.seq), ("a", seq));
            let report = child.run(session::verify(child.session.id().clone(), None, true));
            assert!(report.expect("a report").is_whole());
            let reopened = Live::open(&store, child.session.id().as_str());
            assert_eq!(reopened.session.head(), child.session.head());
        }
        assert_eq!(bytes_of(&store, &log_key("a")), before, "the parent stays as it was");
    });
}

#[test]
fn a_fork_at_an_unknown_point_is_not_found_and_leaves_nothing() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 1);
        let unknown = turnkeep::core::sha256(b"unknown");
        for at in [At::Seq(99), At::Hash(unknown), At::Turn(7)] {
            let fork = Fork::at(at).with_id(id("child"));
            assert_eq!(code(live.run(session::fork(id("a"), fork))), "not_found", "{at:?}");
            assert_eq!(code(live.run(session::open(id("child")))), "not_found");
        }
        let into = Fork::at(At::Head).with_id(id("a"));
        assert_eq!(code(live.run(session::fork(id("a"), into))), "already_exists");
        assert_eq!(code(live.run(session::fork(id("none"), Fork::default()))), "not_found");
    });
}

#[test]
fn a_fork_may_be_forked_before_the_point_where_it_began() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 3);
        let fork = |from: &str, into: &str, at| {
            let task = session::fork(id(from), Fork::at(at).with_id(id(into)));
            Live { store: store.clone(), session: drive(task, &*store).expect("a fork") }
        };
        fork("a", "b", At::Seq(6));
        for (at, origin) in [(At::Seq(2), "a"), (At::Turn(1), "a"), (At::Head, "b")] {
            let name = format!("c-{at:?}").to_lowercase().replace(['(', ')'], "-");
            let mut child = fork("b", &name, at);
            child.append(&[user("more")]);
            let report = child.run(session::verify(child.session.id().clone(), None, true));
            assert!(report.expect("a report").is_whole(), "{at:?}");
            assert_eq!(child.state().forked_from.expect("one").session, id(origin));
        }
        let stale = Live::open(&store, "b").session;
        let mut other = Live::open(&store, "b");
        other.append(&[user("an intruder's")]);
        let ensured = other.run(session::ensure_head(stale, Some(id("d")))).expect("a fork");
        let report = other.run(session::verify(ensured.id().clone(), None, true));
        assert!(report.expect("a report").is_whole());
    });
}

#[test]
fn once_tells_the_same_append_from_one_that_shares_items_with_it() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[with_id("m1")]);
        live.append(&[user("other"), user("other")]);
        let mut once = |drafts: Vec<Draft>| code(live.try_append(Append::from(drafts).once()));
        let answer = || Draft::assistant_item("\"new\"");
        assert_eq!(once(vec![with_id("m1"), answer(), Draft::turn_end(1)]), "already_exists");
        assert_eq!(once(vec![answer(), with_id("m1")]), "already_exists");
        assert_eq!(once(vec![with_id("m2"), with_id("m2")]), "invalid_argument");
        assert_eq!(once(vec![with_id("m1")]), "ok");
        assert_eq!(live.items().len(), 3);
    });
}

#[test]
fn a_repair_takes_nothing_over_twice_and_heeds_whose_log_it_is() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("one"), user("two")]);
        let bytes = bytes_of(&store, &log_key("a"));
        store.release(&log_key("a"));
        write(&store, &log_key("twice"), &[&bytes[..], &bytes].concat());
        let fork = live.run(session::fork(id("a"), Fork::default().with_id(id("b"))));
        let whole = bytes_of(&store, &log_key("b"));
        drop(fork);
        write(&store, &log_key("other"), &whole);
        let crlf = String::from_utf8(bytes.clone()).expect("text").replace('\n', "\r\n");
        write(&store, &log_key("crlf"), crlf.as_bytes());
        for (name, items) in [("other", 2), ("crlf", 2)] {
            let into = id(&format!("{name}-repaired"));
            let done = live.run(session::repair(id(name), Some(into), false)).expect("a repair");
            let repaired = Live { store: store.clone(), session: done.session.expect("one") };
            assert_eq!(repaired.items().len(), items, "{name}");
        }
        let done = live.run(session::repair(id("twice"), None, true)).expect("a look");
        assert_eq!(done.saved, 0, "{:?}", done.left_out);
    });
}

#[test]
fn an_archived_session_can_be_forked() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 5);
        let items = live.items();
        store.release(&log_key("a"));
        live.run(session::archive(id("a"))).expect("an archive");
        let child = live.run(session::fork(id("a"), Fork::default().with_id(id("b"))));
        let child = Live { store: store.clone(), session: child.expect("a fork") };
        assert_eq!(child.items(), items);
        store.release(&log_key("b"));
        child.run(session::archive(id("b"))).expect("an archive");
        let line = child.run(session::ancestors(id("b"))).expect("a line");
        assert_eq!(line[0].point.session.as_str(), "a");
    });
}

#[test]
fn a_stale_handle_becomes_a_fork_with_its_origin_recorded() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 1);
        let stale = live.session.clone();
        let same = live.run(session::ensure_head(stale.clone(), None)).expect("the same");
        assert_eq!(same.id(), stale.id());
        live.append(&[user("an intruder's")]);
        let fork = live.run(session::ensure_head(stale.clone(), None)).expect("a fork");
        assert_ne!(fork.id(), stale.id());
        let fork = Live { store: store.clone(), session: fork };
        let origin = fork.state().forked_from.expect("an origin");
        assert_eq!(Some(origin.hash), stale.head().map(|head| head.hash));
        assert!(live.items().iter().any(|item| item.contains("intruder")));
        assert!(!fork.items().iter().any(|item| item.contains("intruder")));
    });
}

#[test]
fn a_fork_under_its_parents_name_is_refused() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        live.run(session::fork(id("a"), Fork::default().with_id(id("b")))).expect("a fork");
        let bytes = bytes_of(&store, &log_key("b"));
        store.release(&log_key("a"));
        write(&store, &log_key("a"), &bytes);
        assert_eq!(code(live.run(session::open(id("a")))), "wrong_session");
    });
}

#[test]
fn history_is_cut_from_an_item_on() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[with_id("m1"), with_id("m2"), with_id("m3")]);
        let truncate = |live: &Live, place| {
            live.run(session::truncate_from(live.session.clone(), place, Durability::Os))
        };
        assert_eq!(code(truncate(&live, Place::Id("m9".into()))), "not_found");
        assert_eq!(code(truncate(&live, Place::Seq(99))), "not_found");
        assert_eq!(code(truncate(&live, Place::Index(3))), "not_found");
        live.session = truncate(&live, Place::Id("m3".into())).expect("cut").session;
        assert_eq!(live.items(), ["\"m1\"", "\"m2\""]);
        live.session = truncate(&live, Place::Seq(2)).expect("cut").session;
        live.session = truncate(&live, Place::Index(0)).expect("cut").session;
        assert!(live.items().is_empty());
    });
}

#[test]
fn entries_that_keep_more_than_there_is_are_refused_before_they_are_written() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&numbered(2));
        let truncated = |keep| Draft::new("truncated").with_count("keep", keep);
        let compaction =
            |keep| Draft::new("compaction").with("summary", "[]").with_count("keep_last", keep);
        for draft in [truncated(3), compaction(3)] {
            let error = live.try_append(vec![draft]).expect_err("too much");
            assert_eq!((error.code(), error.place().draft), ("bad_entry", Some(0)));
        }
        live.append(&[user("third"), truncated(3)]);
        assert_eq!(live.items().len(), 3);
        live.append(&[compaction(1), truncated(1)]);
        assert_eq!(live.items(), ["\"third\""]);
    });
}

/// What was withheld may have been an item: then nobody knows how many there were.
#[test]
fn where_entries_were_withheld_more_may_be_kept_than_is_known() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&numbered(3));
        let log = Log(bytes_of(&store, &log_key("a")));
        write(&store, &log_key("a"), &log.redact(&[2]).0);
        live.session = drive(session::open(id("a")), &*store).expect("it opens");
        live.append(&[Draft::new("truncated").with_count("keep", 3)]);
        assert_eq!(live.items().len(), 2);
    });
}

#[test]
fn a_compaction_can_be_started_from() {
    over_every_store(|store| {
        let start = Draft::new("session_start").with_text("system_prompt", "Be brief.");
        let options = Create::default().with_id(id("a")).with_start(start);
        let session = drive(session::create(options), &*store).expect("a session");
        let mut live = Live { store: store.clone(), session };
        live.append(&[Draft::config_changed(r#"{"model":"m"}"#), Draft::state("[1]")]);
        turns(&mut live, 1, 300);
        live.append(&[Draft::run_started()]);
        let compact = Compact::new(vec!["\"summary\"".into()], 4);
        let compacted = live.run(session::compact(live.session.clone(), compact));
        live.session = compacted.expect("a compaction").session;
        turns(&mut live, 301, 2);
        let (full, recent) = (live.state(), live.view(View::default().since_compaction()));
        assert!(recent.since > 0, "it did not read everything");
        assert_eq!(items(&recent), items(&full));
        assert_eq!(full.history.len(), 1 + 4 + 4);
        assert_eq!((recent.turns, &recent.run), (full.turns, &full.run));
        assert_eq!((&recent.config, &recent.slice), (&full.config, &full.slice));
        assert_eq!((&recent.system_prompt, recent.head), (&full.system_prompt, full.head));
        let too_many = Compact::new(Vec::new(), 1000);
        let refused = live.run(session::compact(live.session.clone(), too_many));
        assert_eq!(code(refused), "invalid_argument");
    });
}

/// Also where what they added makes the question meaningless: who asked did not know of it.
#[test]
fn what_is_decided_over_entries_of_others_is_a_conflict() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&numbered(3));
        let stale = live.session.clone();
        live.append(&[Draft::new("truncated").with_count("keep", 0)]);
        let compact = session::compact(stale.clone(), Compact::new(Vec::new(), 3));
        assert_eq!(code(live.run(compact)), "conflict");
        let truncate = session::truncate_from(stale, Place::Index(2), Durability::default());
        assert_eq!(code(live.run(truncate)), "conflict");
    });
}

#[test]
fn views_since_the_last_compaction_equal_the_whole_fold() {
    let store: Arc<dyn Store> = Arc::new(turnkeep::MemoryStore::new());
    let mut random = turnkeep_tests::build::Random::new(7);
    let mut live = Live::create(&store, "a");
    for round in 0..200 {
        let length = live.state().history.len();
        let some = random.below(length + 1) as u64;
        match random.below(9) {
            0 => _ = live.append(&[Draft::new("truncated").with_count("keep", some)]),
            1 => _ = live.append(&[Draft::new("replaced").with("history", "[1,2,3]")]),
            2 => {
                let draft = Draft::new("compaction").with("summary", "[0]");
                live.append(&[draft.with_count("keep_last", some)]);
            }
            3 | 4 => {
                let compact = Compact::new(vec!["0".into()], some);
                let done = live.run(session::compact(live.session.clone(), compact));
                live.session = done.expect("a compaction").session;
            }
            _ => turns(&mut live, round, 20),
        }
        let (full, recent) = (live.state(), live.view(View::default().since_compaction()));
        assert_eq!(items(&recent), items(&full), "round {round}");
        assert_eq!((recent.turns, recent.run), (full.turns, full.run), "round {round}");
    }
}

#[test]
fn a_compacted_session_says_where_it_comes_from() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 3);
        live.append(&[Draft::state("{\"k\":1}")]);
        let compact = Compact::new(vec!["\"summary\"".into()], 2);
        let options = Create::default().with_id(id("b"));
        let created = live.run(session::create_compacted(id("a"), compact, options));
        let state = Live { store: store.clone(), session: created.expect("a session") }.state();
        assert_eq!(items(&state), ["\"summary\"", "\"question 3\"", "\"answer 3\""]);
        assert_eq!((state.turns, state.slice.as_deref()), (3, Some("{\"k\":1}")));
        let from = state.compacted_from.expect("an origin");
        assert_eq!(Some(from.hash), live.session.head().map(|head| head.hash));
    });
}

#[test]
fn lineage_tells_ancestors_and_descendants() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 1);
        for (from, into) in [("a", "b"), ("b", "c"), ("a", "d")] {
            live.run(session::fork(id(from), Fork::default().with_id(id(into)))).expect("a fork");
        }
        let compact = Compact::new(vec!["0".into()], 0);
        let options = Create::default().with_id(id("e"));
        live.run(session::create_compacted(id("c"), compact, options)).expect("a session");
        let line = live.run(session::ancestors(id("e"))).expect("a line");
        let names: Vec<_> = line.iter().map(|a| a.point.session.as_str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
        assert!(line[0].is_compacted && !line[1].is_compacted);
        let lineage = live.run(session::lineage(id("b"))).expect("a lineage");
        let below: Vec<_> = lineage.descendants.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(below, ["c", "e"]);
        assert_eq!(lineage.ancestors.len(), 1);
    });
}

#[test]
fn deleting_leaves_nothing_of_a_session_and_nothing_else_goes() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        let _other = Live::create(&store, "b");
        live.run(session::trace(&live.session, "{\"x\":1}".into())).expect("a trace");
        let about = session::About::new(Some("T".into()), vec!["t".into()]);
        live.run(session::set_about(id("a"), about)).expect("about");
        live.run(session::track(live.session.clone(), "/p")).expect("a record");
        live.run(session::delete(id("a"))).expect("deleted");
        let left = store.list("", None, 100).expect("a list").objects;
        assert_eq!(left.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b.jsonl"]);
        assert_eq!(code(live.run(session::delete(id("a")))), "not_found");
    });
}

#[test]
fn sessions_are_listed_newest_first_with_titles_and_tags() {
    over_every_store(|store| {
        for name in ["x", "y", "z"] {
            let mut live = Live::create(&store, name);
            live.append(&[Draft::user_input(&format!(
                r#"{{"role":"user","content":"Hello  from {name}"}}"#
            ))]);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let live = Live::open(&store, "y");
        let about = session::About::new(Some("Why".into()), vec!["t".into(), "t".into()]);
        live.run(session::set_about(id("y"), about.with_kind("agent"))).expect("about");
        let first = live.run(session::recent(None, 2, None)).expect("a page");
        let rest = live.run(session::recent(first.next.clone(), 2, None)).expect("a page");
        let mut all: Vec<_> = first.sessions.iter().chain(&rest.sessions).collect();
        let titled: Vec<_> = all.iter().map(|s| s.title.clone().unwrap_or_default()).collect();
        if all[0].listed.modified_ms.is_some() {
            assert_eq!(titled, ["Hello from z", "Why", "Hello from x"]);
        }
        all.sort_by_key(|recent| recent.listed.id.clone());
        assert_eq!((all.len(), rest.next), (3, None));
        let tagged = live.run(session::recent(None, 9, Some("t".into()))).expect("a page");
        assert_eq!(tagged.sessions.len(), 1);
        assert_eq!(tagged.sessions[0].tags, ["t"]);
        assert_eq!(tagged.sessions[0].kind.as_deref(), Some("agent"));
        assert_eq!(all[0].kind, None);
    });
}

#[test]
fn title_kind_and_tags_are_kept_beside_the_log() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        let key = Key::of(&id("a"), Part::About);
        let stored = || store.get(&key, None).expect("the record").bytes;
        let about = || live.run(session::about(id("a"))).expect("about");
        assert_eq!(about(), session::About::default());
        let set =
            session::About::new(Some("T".into()), vec!["t".into()]).with_kind("sub\n\"agent\"");
        live.run(session::set_about(id("a"), set.clone())).expect("set");
        assert_eq!(about(), set);
        let json = br#"{"version":1,"title":"T","kind":"sub\n\"agent\"","tags":["t"]}"#;
        assert_eq!(stored(), [&json[..], b"\n"].concat());
        let none = session::About::default();
        live.run(session::set_about(id("a"), none.clone())).expect("set");
        assert_eq!(about(), none);
        assert_eq!(stored(), b"{\"version\":1,\"title\":null,\"kind\":null,\"tags\":[]}\n");
        let large = session::About::default().with_kind("x".repeat(20_000));
        assert_eq!(code(live.run(session::set_about(id("a"), large))), "too_large");
        // As it was written before there were kinds.
        let older = br#"{"version":1,"title":"T","tags":["t"]}"#;
        store.put(&key, older, &Condition::Any).expect("a put");
        assert_eq!(about(), session::About::new(Some("T".into()), vec!["t".into()]));
    });
}

#[test]
fn a_trace_never_changes_its_session() {
    over_every_store(|store| {
        let live = Live::create(&store, "a");
        let head = live.session.head();
        let key = Key::of(&id("a"), Part::Trace);
        live.run(session::trace(&live.session, "{\"n\":1}".into())).expect("an event");
        store.release(&key);
        let torn = [&bytes_of(&store, &key)[..], b"{\"ts\""].concat();
        write(&store, &key, &torn);
        live.run(session::trace(&live.session, "[2]".into())).expect("an event");
        let text = String::from_utf8(bytes_of(&store, &key)).expect("text");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with(r#""seq":0,"event":{"n":1}}"#), "{text}");
        assert_eq!((lines[1], lines.len()), ("{\"ts\"", 3));
        assert_eq!(code(live.run(session::trace(&live.session, "{".into()))), "bad_json");
        assert_eq!(Live::open(&store, "a").session.head(), head);
    });
}

#[test]
fn an_event_whose_trace_cannot_be_looked_at_is_not_written() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = Arc::clone(&spy) as _;
    let live = Live::create(&store, "a");
    spy.fail_after(0, Failure::Before);
    assert_eq!(code(live.run(session::trace(&live.session, "1".into()))), "store_failed");
    assert!(store.info(&Key::of(&id("a"), Part::Trace)).is_err());
}

#[test]
fn a_recovery_record_that_cannot_be_looked_at_is_not_made_anew() {
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Arc<dyn Store> = Arc::clone(&spy) as _;
    let live = Live::create(&store, "a");
    live.run(session::track(live.session.clone(), "/one")).expect("a record");
    let key = Key::of(&id("a"), Part::Recovery);
    let record = bytes_of(&store, &key);
    spy.fail_after(0, Failure::Before);
    assert_eq!(code(live.run(session::track(live.session.clone(), "/two"))), "store_failed");
    assert_eq!(bytes_of(&store, &key), record);
}

/// A log whose line of that number (from 0) has a byte changed.
fn damaged(store: &Arc<dyn Store>, name: &str, line: usize) {
    let key = log_key(name);
    let mut bytes = bytes_of(store, &key);
    let start: usize = bytes.split_inclusive(|b| *b == b'\n').take(line).map(<[u8]>::len).sum();
    bytes[start + 200] ^= 1;
    store.release(&key);
    write(store, &key, &bytes);
}

#[test]
fn a_damaged_log_is_readable_up_to_the_damage_and_then_says_so() {
    over_every_store(|store| {
        for line in [3, 6] {
            let name = format!("a{line}");
            let mut live = Live::create(&store, &name);
            live.append(&[user("one two three four five six seven")]);
            for _ in 0..5 {
                live.append(&[user("one two three four five six seven")]);
            }
            damaged(&store, &name, line);
            let session = turnkeep_tests::sessions::open(&store, &name);
            assert_eq!(session.is_err(), line == 6, "only the last line is looked at");
            let mut read = 0;
            let mut range = Range::all();
            let fault = loop {
                match live.run(session::read(id(&name), range.clone())) {
                    Ok(page) => {
                        read += page.entries;
                        let next = page.next.expect("the damage follows");
                        range = range.after(next);
                    }
                    Err(error) => break error,
                }
            };
            assert_eq!((read, fault.code()), (line as u64, "bad_hash"));
            assert_eq!(fault.place().line, Some(line as u64 + 1));
        }
    });
}

#[test]
fn damage_is_told_of_whatever_part_of_it_is_wanted() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        for _ in 0..6 {
            live.append(&[user("one two three four five six seven")]);
        }
        damaged(&store, "a", 6);
        // Whole up to entry 5; each entry that can be read is given first.
        let read = |mut range: Range| {
            let mut seqs = Vec::new();
            loop {
                match live.run(session::read(id("a"), range.clone())) {
                    Ok(page) => {
                        seqs.extend(page.seqs);
                        let Some(next) = page.next else { return (seqs, None) };
                        range = range.after(next);
                    }
                    Err(error) => return (seqs, Some(error.code())),
                }
            }
        };
        let damage = Some("bad_hash");
        assert_eq!(read(Range::between(4, Some(6))), (vec![4, 5], damage));
        assert_eq!(read(Range::between(6, Some(6))), (vec![], damage));
        assert_eq!(read(Range::between(4, Some(5))), (vec![4, 5], None));
        assert_eq!(read(Range::all().newest_first()), (vec![5, 4, 3, 2, 1, 0], damage));
        assert_eq!(read(Range::last(2).newest_first()), (vec![5, 4], damage));
        let small = Range::last(3).newest_first().in_pages_of(1);
        assert_eq!(read(small), (vec![5, 4, 3], damage));
        let kind = Range::last(2).of_kinds([Kind::UserInput]);
        assert_eq!(read(kind), (vec![4, 5], damage));
        let more = Range::last(9).of_kinds([Kind::UserInput]);
        assert_eq!(read(more), (vec![1, 2, 3, 4, 5], damage));
        assert_eq!(read(Range::turn(7)), (vec![], damage), "it may have been there");
    });
}

#[test]
fn a_turn_of_a_damaged_session_can_be_read() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        for draft in [user("one"), Draft::turn_end(1), user("one two three four five six seven")] {
            live.append(&[draft]);
        }
        damaged(&store, "a", 3);
        let page = live.run(session::read(id("a"), Range::turn(1))).expect("a page");
        assert_eq!((page.seqs, page.next), (vec![1, 2], None));
    });
}

#[test]
fn the_last_of_a_kind_are_found_however_much_follows_them() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[Draft::state("1"), Draft::state("2"), Draft::state("3")]);
        for n in 0..6 {
            live.append(&[user(&format!("{n}{}", "x".repeat(400_000)))]);
        }
        let last = || {
            let range = Range::last(2).of_kinds([Kind::State]);
            live.run(session::read(id("a"), range)).expect("a page").seqs
        };
        assert_eq!(last(), [2, 3]);
        damaged(&store, "a", 9);
        assert_eq!(last(), [2, 3]);
    });
}

#[test]
fn a_repair_saves_what_is_whole_and_lists_what_is_not() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        for n in 0..6 {
            live.append(&[user(&format!("text number {n}, with enough bytes in it"))]);
        }
        damaged(&store, "a", 3);
        let before = bytes_of(&store, &log_key("a"));
        let look = live.run(session::repair(id("a"), None, true)).expect("a look");
        assert!(look.session.is_none() && look.fault.is_some());
        assert_eq!((look.saved, look.left_out.len(), look.left_out[0].line), (3, 1, 4));
        assert_eq!(look.left_out[0].code, "bad_hash");
        let repaired = live.run(session::repair(id("a"), Some(id("b")), false)).expect("a repair");
        let repaired = Live { store: store.clone(), session: repaired.session.expect("one") };
        let items = repaired.items();
        assert_eq!(items.len(), 5);
        assert!(items[1].contains("number 1") && items[2].contains("number 3"), "{items:?}");
        let state = repaired.state();
        assert_eq!(state.extensions[0].domain, "turnkeep.repair");
        assert!(state.extensions[0].payload.contains(r#""line":4"#));
        let report = repaired.run(session::verify(id("b"), None, true)).expect("a report");
        assert!(report.is_whole());
        assert_eq!(bytes_of(&store, &log_key("a")), before);
    });
}

#[test]
fn a_repair_of_a_log_without_one_sound_line_starts_anew() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        live.append(&[user("the only input, long enough to hold damage somewhere")]);
        let key = log_key("a");
        let mut bytes = bytes_of(&store, &key);
        bytes[100] ^= 1;
        store.release(&key);
        write(&store, &key, &bytes);
        let repair = live.run(session::repair(id("a"), Some(id("b")), false)).expect("a repair");
        let repaired = Live { store: store.clone(), session: repair.session.expect("one") };
        assert_eq!((repaired.items().len(), repair.sound), (1, None));
        let whole = repaired.run(session::repair(id("b"), None, false)).expect("a look");
        assert!(whole.fault.is_none() && whole.session.is_none());
    });
}

#[test]
fn a_repair_keeps_how_a_session_began() {
    over_every_store(|store| {
        let start = Draft::new("session_start")
            .with_text("system_prompt", "Be brief.")
            .with("history", r#"["before"]"#);
        let text = "long enough to hold damage somewhere ".repeat(3);
        let entries = [user(&text), user("kept")].map(|draft| draft.as_str().into()).to_vec();
        let mut create = Create::default().with_id(id("a")).with_start(start);
        create.entries = entries;
        let session = turnkeep::drive(session::create(create), &*store).expect("a session");
        let live = Live { store: store.clone(), session };
        damaged(&store, "a", 1);
        let repair = live.run(session::repair(id("a"), Some(id("b")), false)).expect("a repair");
        assert_eq!((repair.sound, repair.saved, repair.left_out.len()), (None, 2, 1));
        let repaired = Live { store: store.clone(), session: repair.session.expect("one") };
        let (state, items) = (repaired.state(), repaired.items());
        assert_eq!(state.system_prompt.as_deref(), Some("Be brief."));
        assert!(items.len() == 2 && items[0].contains("before") && items[1].contains("kept"));
        let report = repaired.run(session::verify(id("b"), None, true)).expect("a report");
        assert!(report.is_whole());
    });
}

#[test]
fn a_repair_lists_a_line_that_would_become_too_long() {
    use turnkeep::core::limits::LINE_BYTES_MAX;
    let store: Arc<dyn Store> = Arc::new(turnkeep::MemoryStore::new());
    let mut live = Live::create(&store, "a");
    live.append(&[user("whole")]);
    live.append(&[user(&"damaged".repeat(20))]);
    let before = bytes_of(&store, &log_key("a")).len();
    live.append(&[user("x")]);
    let line = bytes_of(&store, &log_key("a")).len() - before;
    live.append(&[user(&"x".repeat(LINE_BYTES_MAX + 2 - line))]);
    live.append(&[user("kept")]);
    let log = bytes_of(&store, &log_key("a"));
    let longest = log.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert_eq!(longest, Some(LINE_BYTES_MAX));
    damaged(&store, "a", 2);
    let repair = live.run(session::repair(id("a"), Some(id("b")), false)).expect("a repair");
    let codes: Vec<_> = repair.left_out.iter().map(|left| left.code).collect();
    assert_eq!((repair.saved, codes), (2, vec!["bad_hash", "too_large"]));
}

#[test]
fn entries_are_read_backwards_by_kind_by_turn_and_so_many() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        turns(&mut live, 1, 40);
        for form in ["live", "archived"] {
            let seqs = |range: Range| -> Vec<u64> {
                let mut found = Vec::new();
                let mut range = range;
                loop {
                    let page = live.run(session::read(id("a"), range.clone())).expect("a page");
                    found.extend(&page.seqs);
                    match page.next {
                        Some(next) => range = range.after(next),
                        None => return found,
                    }
                }
            };
            let all: Vec<u64> = (0..=120).collect();
            let reversed: Vec<u64> = all.iter().rev().copied().collect();
            for bytes in [1, 700, 1 << 20] {
                let small = Range::all().in_pages_of(bytes);
                assert_eq!(seqs(small.clone()), all, "{form}");
                assert_eq!(seqs(small.clone().newest_first()), reversed, "{form}");
                let some = Range::between(7, Some(13)).in_pages_of(bytes);
                assert_eq!(seqs(some.clone()), [7, 8, 9, 10, 11, 12, 13], "{form}");
                assert_eq!(seqs(some.newest_first()), [13, 12, 11, 10, 9, 8, 7], "{form}");
                let ends = small.clone().of_kinds([Kind::TurnEnd]);
                assert_eq!(seqs(ends.clone()).len(), 40, "{form}");
                assert_eq!(seqs(ends.clone().at_most(2)), [3, 6], "{form}");
                assert_eq!(seqs(ends.newest_first().at_most(2)), [120, 117], "{form}");
                assert_eq!(seqs(small.newest_first().at_most(3)), [120, 119, 118], "{form}");
            }
            assert_eq!(seqs(Range::turn(2)), [4, 5, 6], "{form}");
            assert_eq!(seqs(Range::turn(1)), [1, 2, 3], "{form}");
            let unknown = live.run(session::read(id("a"), Range::turn(99)));
            assert_eq!(code(unknown), "not_found");
            let inputs = Range::last(3).of_kinds([Kind::UserInput]);
            assert_eq!(seqs(inputs.clone()), [112, 115, 118], "{form}");
            assert!(matches!(inputs.from, From::Last(3)));
            if form == "live" {
                store.release(&log_key("a"));
                live.run(session::archive(id("a"))).expect("an archive");
            }
        }
    });
}

#[test]
fn open_calls_are_told_and_closed_in_a_view() {
    over_every_store(|store| {
        let mut live = Live::create(&store, "a");
        let call = r#"{"type":"function_call","call_id":"c1","name":"search","arguments":"{}"}"#;
        live.append(&[Draft::item(r#"{"role":"user","content":"Go"}"#), Draft::item(call)]);
        let state = live.state();
        assert_eq!(state.history[1].kind, "assistant_item");
        let open = state.open_calls();
        assert_eq!((&*open[0].call_id, &*open[0].name, open[0].seq), ("c1", "search", 2));
        let closed = live.view(View::default().with_calls_closed());
        assert_eq!((closed.history.len(), closed.open_calls().len()), (3, 0));
        assert_eq!(live.state().history.len(), 2, "the log is as it was");
    });
}

#[test]
fn a_failed_append_leaves_the_session_usable() {
    let folder = turnkeep_tests::sessions::Folder::new();
    let files = turnkeep::FileStore::open(folder.path()).expect("a store");
    let store: Arc<dyn Store> = Arc::new(files);
    let mut live = Live::create(&store, "a");
    let bad = Draft::new("turn_end");
    assert_eq!(live.try_append(vec![bad]).expect_err("bad").kind(), ErrorKind::BadEntry);
    live.append(&numbered(1));
    assert_eq!(live.items().len(), 1);
}

/// A session that was forked again starts as the one before it did, and may be as long.
#[test]
fn who_opened_a_fork_before_it_was_deleted_and_made_again_does_not_append_to_the_new_one() {
    over_every_store(|store| {
        let parent = Live::create(&store, "a");
        let fork = || parent.run(session::fork(id("a"), Fork::default().with_id(id("b"))));
        let made = Live { store: store.clone(), session: fork().expect("a fork") };
        let opened = Live::open(&store, "b");
        parent.run(session::delete(id("b"))).expect("deleted");
        let session = fork().expect("a fork again");
        assert_eq!(
            session.head().map(|head| head.bytes),
            made.session.head().map(|head| head.bytes)
        );
        for mut stale in [made, opened] {
            assert_eq!(code(stale.try_append(numbered(1))), "conflict");
        }
        Live { store: store.clone(), session }.append(&numbered(1));
        let report = parent.run(session::verify(id("b"), None, true));
        assert!(report.expect("a report").is_whole());
    });
}
