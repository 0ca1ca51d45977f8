//! Many at once: every acknowledged entry is in the log exactly once, and nothing else is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use turnkeep::{Kind, Range, Session, Store};
use turnkeep_tests::sessions::{create, filled, lines, open, over_every_store, user};

const WRITERS: usize = 8;
const APPENDS: usize = 25;

/// Appends so often, opening the session again after each conflict; gives the texts by their
/// numbers, and how many conflicts there were.
fn write(store: &Arc<dyn Store>, writer: usize, batch: usize) -> (BTreeMap<u64, String>, u64) {
    let mut acknowledged = BTreeMap::new();
    let mut conflicts = 0;
    let mut session = open(store, "a").expect("it opens");
    for number in 0..APPENDS {
        let texts: Vec<_> = (0..batch).map(|part| format!("{writer}-{number}-{part}")).collect();
        let drafts: Vec<_> = texts.iter().map(|text| user(text)).collect();
        let first = loop {
            match session.append(&drafts) {
                Ok(first) => break first,
                Err(error) => {
                    assert_eq!(error.code(), "conflict", "{error}");
                    conflicts += 1;
                    session = open(store, "a").expect("it opens");
                }
            }
        };
        acknowledged.extend((first..).zip(texts));
    }
    (acknowledged, conflicts)
}

/// The texts of all user inputs by their numbers.
fn texts(session: &Session) -> BTreeMap<u64, String> {
    let mut texts = BTreeMap::new();
    for line in session.entries(Range::all()) {
        let line = line.expect("a line");
        let entry = line.parse().expect("an entry");
        if entry.kind() == Kind::UserInput {
            let text = entry.text("item").expect("a text").into_owned();
            texts.insert(entry.seq().expect("a number"), text);
        }
    }
    texts
}

fn many_writers(batch: usize) {
    over_every_store(|store| {
        drop(create(&store, "a").expect("a session"));
        let outcomes: Vec<_> = thread::scope(|scope| {
            let start = |writer| {
                let store = store.clone();
                scope.spawn(move || write(&store, writer, batch))
            };
            let writers: Vec<_> = (0..WRITERS).map(start).collect();
            writers.into_iter().map(|writer| writer.join().expect("a writer")).collect()
        });
        let conflicts: u64 = outcomes.iter().map(|(_, conflicts)| conflicts).sum();
        println!("{conflicts} conflicts");
        let mut acknowledged = BTreeMap::new();
        for (seq, text) in outcomes.into_iter().flat_map(|(texts, _)| texts) {
            assert_eq!(acknowledged.insert(seq, text), None, "two were told the number {seq}");
        }
        let session = open(&store, "a").expect("it opens");
        assert_eq!(acknowledged.len(), WRITERS * APPENDS * batch);
        assert_eq!(texts(&session), acknowledged);
        assert!(session.verify_with(None, true).expect("a report").is_whole());
    });
}

#[test]
fn many_writers_of_single_entries_make_one_chain() {
    many_writers(1);
}

#[test]
fn many_writers_of_batches_make_one_chain() {
    many_writers(5);
}

/// Whoever reads while another writes sees a log that holds, up to some batch.
#[test]
fn a_reader_sees_whole_batches_while_another_writes() {
    over_every_store(|store| {
        let session = filled(&store, "a", 1, 50);
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let read = || {
                let mut looks = 0;
                while !is_done.load(Ordering::Relaxed) || looks == 0 {
                    let reader = open(&store, "a").expect("it opens");
                    let seen = reader.head().expect("a head").seq;
                    assert_eq!(seen % 10, 1, "batches of ten");
                    let report = reader.verify().expect("a report");
                    assert!(report.fault.is_none(), "{report:?}");
                    let state = reader.state().expect("a state");
                    assert_eq!(state.history.len() as u64, state.head.expect("a head").seq);
                    let last = lines(&reader, &Range::last(20)).expect("lines");
                    assert!(last.ends_with(b"\n"));
                    looks += 1;
                }
                looks
            };
            let readers = [scope.spawn(read), scope.spawn(read)];
            for _ in 0..60 {
                session.append(&vec![user("some text, again and again"); 10]).expect("an append");
            }
            is_done.store(true, Ordering::Relaxed);
            for reader in readers {
                println!("looked {} times", reader.join().expect("a reader"));
            }
        });
    });
}

/// Some append while others archive and restore: nothing that was acknowledged is lost or doubled.
#[test]
fn archiving_beside_appends_loses_nothing() {
    over_every_store(|store| {
        drop(filled(&store, "a", 1, 50));
        let (is_done, archived) = (AtomicBool::new(false), AtomicU64::new(0));
        let archive = || {
            while !is_done.load(Ordering::Relaxed) {
                let Ok(session) = open(&store, "a") else { continue };
                archived.fetch_add(u64::from(session.archive().is_ok()), Ordering::Relaxed);
                session.restore().ok();
            }
        };
        let is_enough =
            |number: &u32| *number >= BESIDE_MIN && archived.load(Ordering::Relaxed) > 0;
        let acknowledged = thread::scope(|scope| {
            scope.spawn(archive);
            // More where the other thread does not come to archive for long.
            let numbers = (0..BESIDE_MAX).take_while(|number| !is_enough(number));
            let acknowledged: Vec<_> =
                numbers.map_while(|number| append_beside(&store, number)).collect();
            is_done.store(true, Ordering::Relaxed);
            acknowledged
        });
        println!("archived {archived:?} times beside {} appends", acknowledged.len());
        let session = open(&store, "a").expect("it opens");
        assert!(session.verify_with(None, true).expect("a report").is_whole());
        let found: Vec<_> = texts(&session).into_values().skip(1).collect();
        assert_eq!(found, acknowledged);
        assert!(acknowledged.len() >= BESIDE_MIN as usize);
        assert!(archived.into_inner() > 0);
    });
}

const BESIDE_MIN: u32 = 40;
const BESIDE_MAX: u32 = 1000;

/// Appends a text until it is acknowledged: meanwhile the session may be archived, or gone for the
/// moment between two looks.
fn append_beside(store: &Arc<dyn Store>, number: u32) -> Option<String> {
    let text = number.to_string();
    // Without a pause whoever archives always comes too late.
    thread::sleep(Duration::from_millis(if number.is_multiple_of(5) { 60 } else { 1 }));
    let is_appended = || open(store, "a").is_ok_and(|one| one.append_one(&user(&text)).is_ok());
    (0..100_000).any(|_| is_appended()).then_some(text)
}
