//! Defects of earlier systems, planted one at a time: the simulator finds each (`docs/planted.md`).
#![cfg(feature = "planted")]

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
    let (mut missed, mut caught) = (Vec::new(), 0);
    for defect in Defect::ALL.iter().filter(|defect| !ELSEWHERE.contains(defect)) {
        match find(*defect) {
            Some((seeds, violation)) => {
                println!("{defect:?}: {seeds} seeds, {violation}");
                caught += 1;
            }
            None => missed.push(defect),
        }
    }
    println!("proof: {caught} planted defects found within {SEEDS} seeds each");
    assert!(missed.is_empty(), "not found: {missed:?}");
}
