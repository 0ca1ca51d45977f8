//! Seeds: each one is simulated twice, goes right, and does the same both times.

use std::collections::BTreeMap;

use turnkeep_simulator::plan::Plan;
use turnkeep_simulator::{shrink, simulate};

/// How many seeds the test command simulates.
const SEEDS: u64 = 20_000;

/// How often something of each sort came to an end, and was done.
type Ended = BTreeMap<String, (u64, u64)>;

fn check(seed: u64, ended: &mut Ended) -> (u64, u64) {
    let plan = Plan::of(seed);
    let outcome = simulate(&plan, false);
    if let Some(violation) = &outcome.violation {
        let small = shrink(&plan);
        let told = simulate(&small, true);
        let lines = told.told.join("\n");
        let again = told.violation.unwrap_or_default();
        panic!(
            "seed {seed}: {violation}\nin small: {:?}, {:?}\n{lines}\n{again}",
            small.kept, small.faults
        );
    }
    assert_eq!(simulate(&plan, false), outcome, "seed {seed} does something else the second time");
    for (what, is_done) in outcome.ended {
        let told = format!("{what:?}");
        let sort = told.split(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
        let counts = ended.entry(sort.to_owned()).or_default();
        *counts = (counts.0 + 1, counts.1 + u64::from(is_done));
    }
    (outcome.requests, outcome.faults)
}

#[test]
fn twenty_thousand_seeds_lose_nothing() {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) as u64;
    let run = |thread: u64| {
        let (mut sums, mut ended) = ((0, 0), Ended::new());
        for seed in (0..SEEDS).filter(|seed| seed % threads == thread) {
            let (requests, faults) = check(seed, &mut ended);
            sums = (sums.0 + requests, sums.1 + faults);
        }
        (sums, ended)
    };
    let sums: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        all.into_iter().map(|one| one.join()).collect()
    });
    let all: Vec<((u64, u64), Ended)> =
        sums.into_iter().map(|sum| sum.expect("all seeds go right")).collect();
    let sums: Vec<(u64, u64)> = all.iter().map(|(sums, _)| *sums).collect();
    check_done(all.into_iter().flat_map(|(_, ended)| ended));
    let requests: u64 = sums.iter().map(|sum| sum.0).sum();
    let faults: u64 = sums.iter().map(|sum| sum.1).sum();
    println!("proof: {SEEDS} seeds simulated");
    println!("proof: {requests} requests simulated");
    println!("proof: {faults} faults injected");
    assert!(faults > 10 * SEEDS / 4, "too few faults: {faults}");
}

/// What never works would never do harm: each sort of operation is done often enough.
fn check_done(all: impl Iterator<Item = (String, (u64, u64))>) {
    let mut sums = Ended::new();
    for (sort, (ended, done)) in all {
        let sum = sums.entry(sort).or_default();
        *sum = (sum.0 + ended, sum.1 + done);
    }
    assert!(sums.len() >= 18, "operations are missing: {sums:?}");
    for (sort, (ended, done)) in &sums {
        println!("{sort}: {done} of {ended} done");
        assert!(*done >= 200 && done * 30 >= *ended, "{sort} works too seldom: {sums:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_plan_and_another_one_is_not() {
    assert_eq!(Plan::of(7), Plan::of(7));
    assert_ne!(Plan::of(7).acts, Plan::of(8).acts);
}
