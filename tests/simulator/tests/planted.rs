//! Defects of earlier systems, planted one at a time: the simulator finds each (`docs/planted.md`).
#![cfg(feature = "planted")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use turnkeep_core::archive::archive;
use turnkeep_core::gzip::{Bound, gunzip};
use turnkeep_core::log::{Draft, Expectation, Stamp, Writer, verify};
use turnkeep_core::planted::{Defect, plant};
use turnkeep_core::session::prune;
use turnkeep_core::session::runtime::{Idle, IdleStep};
use turnkeep_core::store::{Info, Object, Reply, Request};
use turnkeep_core::task::Step;
use turnkeep_core::{Error, ErrorKind, SessionId};
use turnkeep_simulator::plan::Plan;
use turnkeep_simulator::simulate;

/// Within so many seeds.
const SEEDS: u64 = 10_000;

/// What takes seeds some 50,000 tries, for two must meet between one request and the next:
/// `tests/tests/interleaved.rs` tries every place. Of no earlier system.
const INTERLEAVED: &[Defect] = &[Defect::WakeUnclaimed, Defect::DeleteLeavesOpen];

/// What no seed can find, for it is where the simulator has nothing to do: each with a case that goes
/// wrong with it.
const IN_SMALL: &[(Defect, fn() -> bool)] = &[
    (Defect::BusyIsForgotten, idle_after_one_look),
    (Defect::AnyonesLog, takes_the_log_of_another),
    (Defect::Unbounded, inflates_beyond_its_bound),
    (Defect::PruneTakesOthers, prunes_what_others_archived),
];

/// How many seeds it takes, and what is wrong then.
fn find(defect: Defect) -> Option<(u64, String)> {
    plant(Some(defect));
    let found =
        (0..SEEDS).find_map(|seed| Some((seed + 1, simulate(&Plan::of(seed), false).violation?)));
    plant(None);
    found
}

#[test]
fn every_planted_defect_is_found_within_ten_thousand_seeds() {
    let is_elsewhere = |defect: &Defect| {
        INTERLEAVED.contains(defect) || IN_SMALL.iter().any(|(other, _)| other == defect)
    };
    let defects = Defect::ALL.iter().filter(|defect| !is_elsewhere(defect));
    let (left, missed, caught) = (Mutex::new(defects), Mutex::new(Vec::new()), AtomicU64::new(0));
    let next = || left.lock().ok()?.next();
    let find_each = || {
        while let Some(defect) = next() {
            match find(*defect) {
                Some((seeds, violation)) => {
                    println!("{defect:?}: {seeds} seeds, {violation}");
                    caught.fetch_add(1, Ordering::Relaxed);
                }
                None => missed.lock().unwrap().push(defect),
            }
        }
    };
    thread::scope(|scope| {
        (0..thread::available_parallelism().map_or(1, usize::from)).for_each(|_| {
            scope.spawn(find_each);
        });
    });
    println!("proof: {} planted defects found within {SEEDS} seeds each", caught.into_inner());
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn what_no_seed_can_find_goes_wrong_in_small() {
    for (defect, is_wrong) in IN_SMALL {
        assert!(!is_wrong(), "{defect:?}, though it is not planted");
        plant(Some(*defect));
        assert!(is_wrong(), "{defect:?} is planted, and nothing goes wrong");
        plant(None);
    }
    println!("proof: {} planted defects found in small", IN_SMALL.len());
}

fn idle_after_one_look() -> bool {
    let mut idle = Idle::new(0, None);
    let looks: [(u64, &[String]); 3] = [(0, &[]), (25, &["job".into()]), (50, &[])];
    looks.iter().any(|(now_ms, busy)| idle.look(*now_ms, busy) == IdleStep::Idle)
}

fn takes_the_log_of_another() -> bool {
    verify(&log(), Expectation { session: Some(id("b")), head: None }).is_whole()
}

fn inflates_beyond_its_bound() -> bool {
    let gzip = archive(&log()).unwrap();
    gunzip(&gzip, Bound { output_bytes: 1 }).is_ok()
}

/// The record beside the archive is that of another one.
fn prunes_what_others_archived() -> bool {
    let theirs = archive(&log()).unwrap();
    let record = format!(
        r#"{{"version":1,"status":"archived","archived_at":0,"last_activity":0,"entries":1,"hash":"{:064x}","raw_bytes":9,"archive_bytes":9}}"#,
        1
    );
    let mut task = prune(id("a"), "why");
    loop {
        let Step::Requests(requests) = task.next() else { return false };
        for (number, request) in requests {
            let reply = match &request {
                Request::Get { key, .. } if key.as_str() == "a.jsonl.gz" => object(theirs.clone()),
                Request::Get { key, .. } if key.as_str() == "a.retention.json" => {
                    object(record.clone().into_bytes())
                }
                Request::Info { key } if key.as_str() == "a.jsonl.gz" => {
                    Reply::Info(info(theirs.len()))
                }
                Request::Put { .. } => return true,
                Request::Stamp { .. } => {
                    Reply::Stamp(Stamp { now_ms: 1_760_000_000_000, random: Vec::new() })
                }
                _ => Reply::Failed(Error::new(ErrorKind::NotFound, "there is none")),
            };
            task.reply(number, reply);
        }
    }
}

fn object(bytes: Vec<u8>) -> Reply {
    let info = info(bytes.len());
    Reply::Object(Object { bytes, info })
}

fn info(bytes: usize) -> Info {
    Info { bytes: bytes as u64, version: "1".into(), modified_ms: None }
}

fn id(id: &str) -> SessionId {
    SessionId::new(id).unwrap()
}

fn log() -> Vec<u8> {
    let stamp = Stamp { now_ms: 1_760_000_000_000, random: Vec::new() };
    let drafts = [Draft::user_input("\"Hi\"")];
    Writer::create(id("a"), false).write(&drafts, &stamp).unwrap().bytes
}
