//! Defects of earlier systems, planted one at a time: the simulator finds each (`docs/planted.md`).
#![cfg(feature = "planted")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use turnkeep_core::planted::{Defect, plant};
use turnkeep_simulator::plan::Plan;
use turnkeep_simulator::simulate;

/// Within so many seeds.
const SEEDS: u64 = 10_000;

/// What no seed can find: it is where the simulator has nothing to do. Tests find it that
/// `docs/planted.md` names.
const ELSEWHERE: &[Defect] = &[Defect::BusyIsForgotten, Defect::AnyonesLog, Defect::Unbounded];

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
    let defects = Defect::ALL.iter().filter(|defect| !ELSEWHERE.contains(defect));
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
