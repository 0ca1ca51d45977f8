//! Two stores for one session: flush, hydrate, fork, delete, collect; what they cost.

use std::sync::Arc;

use turnkeep::core::session::tier::{Flush, Hot};
use turnkeep::core::session::{Append, At, Fork};
use turnkeep::core::store::Condition;
use turnkeep::{
    Create, Draft, ErrorKind, Form, Key, MemoryStore, Range, Result, Session, SessionId, Store,
    Tier,
};
use turnkeep_tests::sessions::{id, user};
use turnkeep_tests::spy::{Cost, Spy};
use turnkeep_tests::tiers::noise;

/// A tier over memory, whose both stores are watched.
struct Rig {
    hot: Arc<Spy<MemoryStore>>,
    cold: Arc<Spy<MemoryStore>>,
    tier: Arc<Tier>,
}

impl Rig {
    fn new() -> Self {
        let hot = Arc::new(Spy::new(MemoryStore::new()));
        let cold = Arc::new(Spy::new(MemoryStore::new()));
        let tier = Tier::open(hot.clone(), cold.clone()).expect("a tier");
        let rig = Self { hot, cold, tier };
        rig.cost();
        rig
    }

    fn create(&self, name: &str) -> Session {
        let create = Create::default().with_id(id(name));
        Session::create(self.tier.clone(), create).expect("a session")
    }

    fn open(&self, name: &str) -> Result<Session> {
        Session::open(self.tier.clone(), &id(name))
    }

    fn cost(&self) -> (Cost, Cost) {
        (self.hot.cost(), self.cold.cost())
    }

    /// The keys of the hot store.
    fn hot_keys(&self) -> Vec<String> {
        keys(&*self.hot)
    }
}

fn keys(store: &dyn Store) -> Vec<String> {
    let listing = store.list("", None, 10_000).expect("a listing");
    listing.objects.into_iter().map(|(key, _)| key.to_string()).collect()
}

/// Seven messages and a turn's end.
fn turn(session: &Session, number: u64) {
    let text =
        |n: u64| format!("turn {number}, message {n}: {}", turnkeep::core::sha256(&[n as u8]));
    let mut drafts: Vec<_> =
        (0..7).map(|n| user(&text(n)).with_text("id", &format!("m{number}-{n}"))).collect();
    drafts.push(Draft::turn_end(number));
    session.append(&drafts).expect("an append");
}

fn texts(session: &Session) -> Vec<String> {
    session.state().expect("a state").history.into_iter().map(|item| item.item).collect()
}

#[test]
fn what_was_flushed_and_hydrated_is_what_was_appended() {
    let rig = Rig::new();
    let session = rig.create("a");
    for number in 1..=30 {
        turn(&session, number);
        let hot = [Hot::Clear, Hot::Keep, Hot::Leave][number as usize % 3];
        let flushed = rig.tier.flush(&id("a"), Flush::default().hot(hot)).expect("a flush");
        assert_eq!(flushed.entries, 8 + u64::from(number == 1), "turn {number}");
        assert_eq!((flushed.cleared, flushed.merge_fault), (hot != Hot::Leave, None));
        assert_eq!(rig.hot_keys().is_empty(), hot == Hot::Clear, "turn {number}");
        assert!(session.verify().expect("a report").is_whole(), "turn {number}");
        assert_eq!(texts(&session).len() as u64, 7 * number);
    }
    let other = rig.open("a").expect("opened by another");
    assert_eq!(other.form(), Form::Cold);
    assert_eq!(other.head(), session.head());
    assert_eq!(texts(&other), texts(&session));
    let entries: Vec<_> =
        other.entries(Range::all()).map(|entry| entry.expect("an entry")).collect();
    assert_eq!(entries.len(), 241);
    let back: Vec<_> =
        other.entries(Range::all().newest_first()).map(|entry| entry.expect("an entry")).collect();
    assert_eq!(back.len(), 241);
    let page = other.read(Range::between(100, Some(104))).expect("a page");
    assert_eq!(page.seqs, [100, 101, 102, 103, 104]);
    turn(&other, 31);
    assert_eq!(other.form(), Form::Live);
    assert_eq!(texts(&session).len(), 7 * 31);
    assert!(session.append(&[user("late")]).is_err());
}

/// What a flush of one turn cost each store, and the length of the turn's drafts, gzipped.
fn flush_after(messages: usize) -> (Cost, Cost, u64) {
    let rig = Rig::new();
    let session = rig.create("a");
    let drafts: Vec<String> =
        turnkeep_corpus::turns(1, messages + 8).into_iter().flatten().collect();
    let (before, rest) = drafts.split_at(messages);
    let keep = Flush::default().hot(Hot::Keep);
    for turn in before.chunks(7) {
        session.append(turn).expect("an append");
        rig.tier.flush(&id("a"), keep.clone()).expect("a flush");
    }
    let turn = &rest[..7];
    session.append(turn).expect("an append");
    rig.cost();
    rig.tier.flush(&id("a"), keep.merging(false)).expect("a flush");
    let (hot, cold) = rig.cost();
    (hot, cold, gzipped(turn.join("\n").as_bytes()))
}

fn gzipped(bytes: &[u8]) -> u64 {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory").len() as u64
}

#[test]
fn a_flush_costs_what_is_new_whatever_the_length() {
    for messages in [10, 1_000, 10_000] {
        let (hot, cold, turn) = flush_after(messages);
        println!("{messages}: turn {turn} B gzipped; hot {hot:?}; cold {cold:?}");
        assert_eq!(cold.requests, 3, "{messages}");
        assert!(cold.bytes_written <= 2 * turn, "{messages}: {cold:?}, turn {turn}");
        assert!(hot.bytes_read + hot.bytes_written <= 150_000, "{messages}: {hot:?}");
    }
}

#[test]
fn a_hydration_costs_two_requests_whatever_the_length() {
    for turns in [1, 10, 300] {
        let rig = Rig::new();
        let session = rig.create("a");
        for number in 1..=turns {
            turn(&session, number);
            rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
        }
        rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
        rig.cost();
        let task = turnkeep::core::session::tier::hydrate(id("a"));
        let hydrated = turnkeep::drive(task, &*rig.tier).expect("hydrated");
        let (hot, cold) = rig.cost();
        assert_eq!((hot.requests, cold.requests, hydrated.was_hot), (4, 2, false), "{turns}");
        assert!(cold.bytes_read < 4096, "{turns}: {cold:?}");
        let task = turnkeep::core::session::tier::hydrate(id("a"));
        assert!(turnkeep::drive(task, &*rig.tier).expect("hydrated").was_hot);
        assert_eq!(rig.cost().1, Cost::default(), "what is hot needs no look at the cold store");
        rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
        let (_, cold) = rig.cost();
        assert_eq!((cold.requests, cold.bytes_written), (0, 0), "nothing is new");
    }
}

#[test]
fn a_list_of_segments_stays_short_and_each_entry_is_copied_a_few_times() {
    let rig = Rig::new();
    let session = rig.create("a");
    let mut appended = 0;
    rig.cost();
    let mut most = 0;
    for number in 1..=400 {
        turn(&session, number);
        let before = rig.cost().1;
        rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
        let cost = rig.cost().1;
        appended += cost.bytes_written + before.bytes_written;
        most = most.max(cost.requests);
    }
    let used: u64 = keys(&*rig.cold)
        .iter()
        .filter(|key| key.ends_with(".gz"))
        .map(|key| {
            rig.cold.info(&Key::parse(key.as_str()).expect("a key")).expect("an object").bytes
        })
        .sum();
    println!("written {appended} B, objects {used} B, at most {most} requests");
    assert!(most <= 3 + 2 * 8 + 8, "{most}");
}

#[test]
fn a_fork_names_its_parents_segments() {
    let rig = Rig::new();
    let session = rig.create("a");
    for number in 1..=40 {
        turn(&session, number);
        rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    }
    rig.cost();
    let child = session.fork(Fork::default().with_id(id("b"))).expect("a fork");
    let (_, cold) = rig.cost();
    assert!(cold.requests <= 2 && cold.bytes_written <= 8 << 10, "{cold:?}");
    turn(&child, 41);
    assert_eq!(texts(&child).len(), 7 * 41);
    assert_eq!(texts(&child)[..7 * 40], texts(&session)[..]);
    rig.tier.flush(&id("b"), Flush::default()).expect("a flush");
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    assert!(rig.hot_keys().is_empty());
    let point = rig.open("a").expect("a").read(Range::turn(17)).expect("a page");
    for at in [At::Turn(17), At::Seq(point.seqs[0] - 3), At::Head] {
        let parent = rig.open("a").expect("a");
        let child = parent.fork(Fork::at(at)).expect("a fork");
        assert!(child.verify().expect("a report").is_whole(), "{at:?}");
        let history = texts(&child);
        assert_eq!(history[..], texts(&parent)[..history.len()]);
        rig.tier.flush(&child.id(), Flush::default()).expect("a flush");
        assert_eq!(texts(&child), history, "{at:?}");
    }
    assert_eq!(rig.open("b").expect("b").summary().expect("a summary").head.seq, 329);
}

#[test]
fn ids_are_recognised_across_flushes_and_forks() {
    let rig = Rig::new();
    let session = rig.create("a");
    for number in 1..=60 {
        turn(&session, number);
        rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    }
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    let again = |session: &Session, number: u64| {
        let draft = |n| user("again").with_text("id", &format!("m{number}-{n}"));
        let mut drafts: Vec<_> = (0..7).map(draft).collect();
        drafts.push(Draft::turn_end(number));
        session.append_with(Append::from(drafts).once()).map(|appended| appended.already_applied)
    };
    let session = rig.tier.hydrate(&id("a")).expect("hydrated");
    for number in [1, 17, 59, 60] {
        assert!(again(&session, number).expect("recognised"), "turn {number}");
    }
    let child = session.fork(Fork::default()).expect("a fork");
    assert!(again(&child, 33).expect("recognised"));
    assert!(!again(&child, 61).expect("new"));
    assert!(again(&child, 61).expect("recognised"));
    assert!(!again(&session, 61).expect("new"));
}

#[test]
fn a_deleted_session_stays_deleted_and_its_id_is_free() {
    let rig = Rig::new();
    let session = rig.create("a");
    turn(&session, 1);
    rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    turn(&session, 2);
    rig.tier.delete(&id("a")).expect("deleted");
    assert!(rig.hot_keys().is_empty());
    for error in [
        rig.tier.hydrate(&id("a")).map(|_| ()).expect_err("gone"),
        rig.open("a").map(|_| ()).expect_err("gone"),
        session.append(&[user("late")]).map(|_| ()).expect_err("gone"),
        rig.tier.delete(&id("a")).expect_err("gone"),
    ] {
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict), "{error}");
    }
    assert_eq!(rig.tier.flush(&id("a"), Flush::default()).expect("nothing").head, None);
    assert!(rig.hot_keys().is_empty());
    let anew = rig.create("a");
    turn(&anew, 1);
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    assert_eq!(texts(&rig.open("a").expect("a")).len(), 7);
}

#[test]
fn a_session_that_is_cold_cannot_be_created_again() {
    let rig = Rig::new();
    let session = rig.create("a");
    turn(&session, 1);
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    let create = Create::default().with_id(id("a"));
    let error = Session::create(rig.tier.clone(), create).map(|_| ()).expect_err("exists");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(rig.hot_keys().is_empty());
    let error = session.fork(Fork::default().with_id(id("a"))).map(|_| ()).expect_err("exists");
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn the_state_slice_and_the_title_travel() {
    let rig = Rig::new();
    let session = rig.create("a");
    turn(&session, 1);
    session.append(&[Draft::state(r#"{"tasks":[["t1",{"n":1.50}]]}"#)]).expect("a state");
    let about = turnkeep::About::new(Some("A title".into()), vec!["tag".into()]);
    turnkeep::set_about(&*rig.tier, &id("a"), about.clone()).expect("about");
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    assert!(rig.hot_keys().is_empty());
    rig.cost();
    let slice = rig.tier.slice(&id("a")).expect("a slice");
    assert_eq!(slice.as_deref(), Some(r#"{"tasks":[["t1",{"n":1.50}]]}"#));
    assert_eq!(rig.cost().1.requests, 2);
    let session = rig.tier.hydrate(&id("a")).expect("hydrated");
    assert_eq!(turnkeep::about(&*rig.tier, &id("a")).expect("about"), about);
    session.append(&[Draft::state("7")]).expect("a state");
    assert_eq!(rig.tier.slice(&id("a")).expect("a slice").as_deref(), Some("7"));
}

#[test]
fn what_other_entries_call_their_state_is_not_the_sessions() {
    let rig = Rig::new();
    let session = rig.create("a");
    session.append(&[Draft::state("7")]).expect("a state");
    session.append(&[user("hi").with("state", r#""typed""#)]).expect("a message");
    assert_eq!(session.state().expect("a state").slice.as_deref(), Some("7"), "hot");
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    let slice = rig.tier.slice(&id("a")).expect("a slice");
    assert_eq!(slice.as_deref(), Some("7"), "cold");
}

#[test]
fn a_state_of_null_is_none() {
    let rig = Rig::new();
    let session = rig.create("a");
    session.append(&[Draft::state("7")]).expect("a state");
    rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    session.append(&[Draft::state("null")]).expect("a state");
    let nothing = |what: &str| {
        assert_eq!(rig.tier.slice(&id("a")).expect("a slice"), None, "{what}");
        assert_eq!(session.state().expect("a state").slice, None, "{what}");
    };
    nothing("hot");
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    nothing("cold");
}

#[test]
fn a_hot_part_that_is_left_can_be_flushed_again_and_again() {
    let rig = Rig::new();
    let session = rig.create("a");
    rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    for number in 1..=40 {
        turn(&session, number);
        let flushed = rig.tier.flush(&id("a"), Flush::default().hot(Hot::Leave)).expect("a flush");
        assert_eq!((flushed.entries, flushed.head), (8, session.head()), "turn {number}");
    }
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    assert!(session.verify().expect("a report").is_whole());
}

#[test]
fn many_that_hydrate_at_once_all_succeed() {
    let rig = Rig::new();
    let session = rig.create("a");
    turn(&session, 1);
    for round in 0..200 {
        rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
        std::thread::scope(|scope| {
            let hydrate = || rig.tier.hydrate(&id("a")).expect("hydrated").head();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(hydrate)).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("no panic"), session.head(), "round {round}");
            }
        });
    }
}

#[test]
fn all_of_a_session_is_pulled_and_what_is_new_is_added() {
    let rig = Rig::new();
    let session = rig.create("a");
    for number in 1..=5 {
        turn(&session, number);
        rig.tier.flush(&id("a"), Flush::default().hot(Hot::Keep)).expect("a flush");
    }
    turn(&session, 6);
    let copied = rig.tier.pull(&id("a")).expect("pulled");
    assert_eq!(copied.head, session.head().expect("a head"));
    let alone = Session::open(rig.hot.clone(), &id("a")).expect("stands alone");
    assert_eq!(texts(&alone).len(), 42);
    rig.tier.flush(&id("a"), Flush::default().hot(Hot::Leave)).expect("a flush");
    // Another machine has an older copy.
    let other = Arc::new(MemoryStore::new());
    let elsewhere = Tier::open(other.clone(), rig.cold.clone()).expect("a tier");
    elsewhere.pull(&id("a")).expect("pulled");
    turn(&alone, 7);
    rig.tier.flush(&id("a"), Flush::default().hot(Hot::Leave)).expect("a flush");
    assert_eq!(elsewhere.pull(&id("a")).expect("pulled").entries, 8);
    let there = Session::open(other, &id("a")).expect("there");
    assert_eq!(texts(&there), texts(&alone));
}

#[test]
fn a_missing_cold_store_is_told() {
    let store = MemoryStore::new();
    let key = Key::parse("x").expect("a key");
    assert!(store.get(&key, None).is_err());
    let id = SessionId::new("a").expect("an id");
    let task = turnkeep::core::session::tier::flush(id, Flush::default());
    let error = turnkeep::drive(task, &store).expect_err("no cold store");
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[test]
fn a_repair_of_a_flushed_session_reads_each_entry_once() {
    let rig = Rig::new();
    let session = rig.create("a");
    turn(&session, 1);
    rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    let look = || turnkeep::repair(&*rig.tier, &id("a"), None, true).expect("a look");
    assert_eq!((look().fault, look().sound), (None, session.head()));
    for text in ["one", "two"] {
        session.append_one(&user(text)).expect("an append");
    }
    assert_eq!((look().fault, look().sound), (None, session.head()));
}

#[test]
fn a_repair_keeps_what_precedes_and_follows_a_damaged_segment() {
    let rig = Rig::new();
    let session = rig.create("a");
    for n in 0..3 {
        session.append_one(&user(&format!("{n} {}", noise(n, 300_000)))).expect("an append");
        rig.tier.flush(&id("a"), Flush::default()).expect("a flush");
    }
    session.append_one(&user("3 after")).expect("an append");
    let segments = keys(&*rig.cold).into_iter().filter(|key| key.ends_with(".gz"));
    let segments: Vec<_> = segments.map(|key| Key::parse(key).expect("a key")).collect();
    assert_eq!(segments.len(), 3);
    for (number, key) in segments.iter().enumerate() {
        let whole = rig.cold.get(key, None).expect("a segment").bytes;
        let mut damaged = whole.clone();
        let middle = whole.len() / 2;
        damaged[middle..middle + 1000].fill(0);
        rig.cold.put(key, &damaged, &Condition::Any).expect("a put");
        let into = id(&format!("b{number}"));
        let done = turnkeep::repair(&*rig.tier, &id("a"), Some(into.clone()), false);
        let left_out = done.expect("a repair").left_out;
        assert_eq!((left_out.len(), left_out[0].code), (1, "gzip_corrupt"));
        let texts = texts(&rig.open(into.as_str()).expect("it opens"));
        let lost = (0..4).filter(|n| !texts.iter().any(|text| text.contains(&format!("\"{n} "))));
        assert_eq!((texts.len(), lost.count()), (3, 1));
        rig.cold.put(key, &whole, &Condition::Any).expect("a put");
    }
}
