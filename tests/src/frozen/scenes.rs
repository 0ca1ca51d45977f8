//! What is recorded to be frozen: every sort of file that a store can hold.

use turnkeep::core::session::runtime::{Restore, Snapshot, restore, snapshot};
use turnkeep::core::session::tier::{self, Collect, Flush, Hot};
use turnkeep::core::session::{self, Append, Policy, Session};
use turnkeep::core::store::Condition;
use turnkeep::{
    About, At, Cache, CacheEntry, CacheValue, Compact, Create, Draft, Fork, Key, Place, Store,
};

use super::Files;
use super::desk::{Desk, objects};
use crate::build::{Log, Random};
use crate::sessions::{id, log_key};
use crate::tiers::HOUR_MS;

/// A name whose key is spelled otherwise.
const EVERY_KIND: &str = "Every kind/é";
const DAY_MS: u64 = 24 * HOUR_MS;

/// A store, and the bundle of all that it holds.
pub(super) fn store() -> (Files, Files) {
    let desk = Desk::default();
    every_kind(&desk);
    salted(&desk);
    forks(&desk);
    incomplete(&desk);
    archived(&desk);
    pruned(&desk);
    let policy = Policy::default().of_kinds(["none of these".to_owned()]);
    desk.run(session::sweep_if_due(policy, HOUR_MS));
    fill(&desk.cache);
    let mut options = Snapshot::default();
    options.cache = true;
    desk.run(snapshot(options));
    (objects(&*desk.world.hot), objects(&desk.bundles))
}

/// An unsalted session with every kind of entry, and what JSON has that parsers lose.
fn every_kind(desk: &Desk) {
    let start = Draft::new("session_start")
        .with_text("system_prompt", "Be \"brief\".\n\u{1f980}")
        .with("config", r#"{"model":"m","temperature":1.0e+2,"big":12345678901234567890}"#)
        .with("history", r#"[{"role":"user","content":"before"}]"#)
        .with_count("turns", 0)
        .with("own_field", "[null,true]");
    let create = Create::default().with_id(id(EVERY_KIND)).salted(false).with_start(start);
    let mut session = desk.run(session::create(create));
    let batches = [
        vec![
            Draft::user_input(r#"{"role":"user","content":"Hi \u0000 \ud800 \u2028"}"#)
                .with_text("id", "m1"),
            Draft::assistant_item(r#"{"b":1,"a":2,"a":3}"#)
                .with_text("id", "m2")
                .with_text("parent", "m1"),
            Draft::tool_result(r#"{"call_id":"c1","output":[1,-0.0,1E400]}"#),
            Draft::system_item(r#""plain text""#),
        ],
        vec![Draft::run_started()],
        vec![Draft::item(r#"{"type":"function_call","call_id":"c2","name":"f"}"#)],
        vec![
            Draft::llm_usage().with_count("input_total_tokens", 9_007_199_254_740_991),
            Draft::config_changed("null").with_count("ts", 1),
            Draft::extension("plan", r#"{"steps":[]}"#),
            Draft::state(r#"{"step":1}"#),
            Draft::turn_end(1),
        ],
        vec![Draft::run_errored("it broke"), Draft::run_completed("limit_reached")],
        vec![Draft::new("a_later_kind").with("anything", "{}")],
    ];
    for batch in batches {
        session = append(desk, session, &batch);
    }
    let os = Default::default();
    session = desk.run(session::truncate_from(session, Place::Index(4), os)).session;
    let items = [r#"{"role":"user","content":"instead"}"#.to_owned(), "2".to_owned()];
    session = desk.run(session::replace_history(session, &items, os)).session;
    desk.run(session::compact(session, Compact::new(vec!["\"in short\"".into()], 1)));
}

/// A salted session with all that lies beside it; and what may be withheld or cut off of such a one.
fn salted(desk: &Desk) {
    let session = talk(desk, "salted", 3);
    desk.run(session::trace(&session, r#"{"event":"asked"}"#.into()));
    desk.run(session::trace(&session, "\"again\"".into()));
    let about = About::new(Some("A title".into()), vec!["b".into(), "a".into()]);
    desk.run(session::set_about(id("salted"), about.with_kind("agent")));

    talk(desk, "redacted", 3);
    let log = Log(bytes(desk, &log_key("redacted")));
    put(desk, &log_key("redacted"), &log.redact(&[2, 3, 8]).0);

    talk(desk, "torn", 2);
    let log = Log(bytes(desk, &log_key("torn")));
    put(desk, &log_key("torn"), &log.and(&log.lines()[3][..77]).0);
}

/// A fork in the middle of a batch, and a fork of that.
fn forks(desk: &Desk) {
    let mut fork = Fork::at(At::Seq(6)).with_id(id("forked"));
    fork.entries = vec![Draft::user_input("\"otherwise\"").as_str().to_owned()];
    desk.run(session::fork(id("salted"), fork));
    let again = desk.run(session::fork(id("forked"), Fork::default().with_id(id("forked-again"))));
    append(desk, again, &[Draft::turn_end(2)]);
    desk.run(session::create_compacted(
        id("salted"),
        Compact::new(vec!["\"in short\"".into()], 2),
        Create::default().with_id(id("compacted")),
    ));
}

/// A session that a crash ended in the middle of a run.
fn incomplete(desk: &Desk) {
    let session = talk(desk, "incomplete", 1);
    desk.run(session::track(session.clone(), "/home/agent/project"));
    let result = r#"{"type":"tool_result","tool_use_id":"c9","name":"read","content":"done"}"#;
    let cost = Draft::llm_usage().with("cost_usd", "0.0125");
    let session = append(desk, session, &[Draft::tool_result(result), cost]);
    let session = append(desk, session, &[Draft::run_completed("paused")]);
    append(desk, session, &[Draft::run_started()]);
}

/// An archive of two blocks that was added to, and one that a log follows.
fn archived(desk: &Desk) {
    let mut random = Random::new(1);
    let items = |count| {
        let text = |_| format!(r#"{{"role":"user","content":"{}"}}"#, random.text(2000));
        (0..count).map(text).map(|item| Draft::user_input(&item)).collect::<Vec<_>>()
    };
    let create = Create::default().with_id(id("archived"));
    let session = desk.run(session::create(create));
    append(desk, session, &{ items }(165));
    desk.run(session::archive(id("archived")));
    let session = desk.run(session::open(id("archived")));
    append(desk, session, &[Draft::turn_end(1)]);
    desk.run(session::archive(id("archived")));

    talk(desk, "continued", 2);
    desk.run(session::archive(id("continued")));
    let session = desk.run(session::open(id("continued")));
    append(desk, session, &[Draft::user_input("\"more\"")]);
}

fn pruned(desk: &Desk) {
    talk(desk, "pruned", 1);
    desk.run(session::archive(id("pruned")));
    desk.world.wait(DAY_MS);
    desk.run(session::prune(id("pruned"), "it was \"old\""));
}

fn fill(cache: &dyn Cache) {
    let put = |key: &str, value, expires_ms| {
        cache.put(&CacheEntry { key: key.into(), value, expires_ms }).expect("a value");
    };
    put("result:1", CacheValue::Json(r#"{"n":12345678901234567890,"x":1.0e+2}"#.into()), None);
    put("bytes \"é\"", CacheValue::Bytes(vec![0, 255, 10]), Some(9_000_000_000_000));
    put("chat_session:1", CacheValue::Json("\"left out\"".into()), None);
}

/// A hot store and a cold one, with a session in each way that one may lie in them.
pub(super) fn tier() -> (Files, Files) {
    let desk = Desk::default();
    let (clear, keep) = (Flush::default(), Flush::default().hot(Hot::Keep));

    many_items(&desk, "cold", 40);
    desk.run_tiered(tier::flush(id("cold"), clear.clone()));

    // Enough for lists of ids, and for segments that are joined.
    many_items(&desk, "kept", 150);
    for round in 0..6 {
        desk.run_tiered(tier::flush(id("kept"), keep.clone()));
        let mut session = desk.run_tiered(session::open(id("kept")));
        for number in 0..20 {
            let draft = item(1000 * (round + 1) + number);
            session = desk.run_tiered(session::append(session, [draft])).session;
        }
    }

    many_items(&desk, "hydrated", 5);
    desk.run_tiered(session::set_about(id("hydrated"), About::new(Some("A title".into()), vec![])));
    desk.run_tiered(tier::flush(id("hydrated"), clear.clone()));
    desk.run_tiered(tier::hydrate(id("hydrated")));

    let fork = Fork::at(At::Seq(10)).with_id(id("forked"));
    desk.run_tiered(session::fork(id("cold"), fork));
    desk.run_tiered(tier::flush(id("forked"), clear.clone()));

    many_items(&desk, "deleted", 5);
    desk.run_tiered(tier::flush(id("deleted"), clear));
    desk.run_tiered(session::delete(id("deleted")));

    many_items(&desk, "hot", 5);
    desk.world.wait(3 * HOUR_MS);
    desk.run_tiered(tier::collect(Collect::default()));
    (objects(&*desk.world.hot), objects(&*desk.world.cold))
}

/// Some items with ids, and a state.
fn many_items(desk: &Desk, name: &str, count: u64) {
    let session = desk.run_tiered(session::create(Create::default().with_id(id(name))));
    let mut drafts: Vec<Draft> = (0..count).map(item).collect();
    drafts.push(Draft::state(r#"{"step":7}"#));
    desk.run_tiered(session::append(session, drafts));
}

fn item(number: u64) -> Draft {
    let text = Random::new(number).text(40);
    Draft::user_input(&format!(r#"{{"role":"user","content":"{text}"}}"#))
        .with_text("id", &format!("m{number}"))
}

/// A store in which a restoring was cut off after the first of its sessions was replaced.
pub(super) fn interrupted(bundles: &Files) -> Files {
    let desk = Desk::default();
    for (key, bytes) in bundles {
        let key = Key::parse(key.clone()).expect("a key");
        desk.bundles.put(&key, bytes, &Condition::Absent).expect("a bundle");
    }
    for name in ["continued", "salted", "torn"] {
        let session = desk.run(session::create(Create::default().with_id(id(name))));
        append(&desk, session, &[Draft::user_input("\"as it was before\"")]);
    }
    desk.run(session::archive(id("torn")));
    let mut options = Restore::default();
    options.sessions = Some(["continued", "salted", "torn"].map(id).to_vec());
    let before = bytes(&desk, &log_key("continued"));
    let is_replaced = || bytes(&desk, &log_key("continued")) != before;
    let restored = desk.run_until(restore(options), is_replaced);
    assert!(restored.is_none(), "the restoring was not cut off");
    objects(&*desk.world.hot)
}

/// A session of some turns; the entries of each are one batch.
fn talk(desk: &Desk, name: &str, turns: u64) -> Session {
    let mut session = desk.run(session::create(Create::default().with_id(id(name))));
    for turn in 1..=turns {
        let call = format!(r#"{{"type":"function_call","call_id":"c{turn}","name":"read"}}"#);
        let output = format!(r#"{{"type":"function_call_output","call_id":"c{turn}"}}"#);
        let batch = [
            Draft::run_started(),
            Draft::user_input(&format!(r#"{{"role":"user","content":"question {turn}"}}"#)),
            Draft::assistant_item(&call),
            Draft::tool_result(&output),
            Draft::assistant_item(r#"{"role":"assistant","content":"answer"}"#),
            Draft::turn_end(turn),
            Draft::run_completed("finished"),
        ];
        session = append(desk, session, &batch);
    }
    session
}

fn append(desk: &Desk, session: Session, drafts: &[Draft]) -> Session {
    desk.run(session::append(session, Append::from(drafts))).session
}

fn bytes(desk: &Desk, key: &Key) -> Vec<u8> {
    desk.world.hot.get(key, None).map(|object| object.bytes).unwrap_or_default()
}

fn put(desk: &Desk, key: &Key, bytes: &[u8]) {
    desk.world.hot.put(key, bytes, &Condition::Any).expect("a put");
}
