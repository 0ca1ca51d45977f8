//! `simulate COUNT [FIRST]`: simulates so many seeds. `simulate --seed N`: one, with what happens.

use std::process::ExitCode;

use turnkeep_simulator::plan::Plan;
use turnkeep_simulator::{shrink, simulate};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse::<u64>().ok());
    if args.first().is_some_and(|first| first == "--seed") {
        return one(number(1).unwrap_or_default());
    }
    let (count, first) = (number(0).unwrap_or(20_000), number(1).unwrap_or_default());
    let (mut requests, mut faults, mut wrong) = (0, 0, 0);
    for seed in first..first + count {
        let outcome = simulate(&Plan::of(seed), false);
        requests += outcome.requests;
        faults += outcome.faults;
        if let Some(violation) = outcome.violation {
            println!("seed {seed}: {violation}");
            wrong += 1;
        }
    }
    println!("proof: {count} seeds simulated");
    println!("proof: {requests} requests simulated");
    println!("proof: {faults} faults injected");
    println!("proof: {wrong} violations");
    ExitCode::from(u8::from(wrong > 0))
}

fn one(seed: u64) -> ExitCode {
    let plan = Plan::of(seed);
    let outcome = simulate(&plan, false);
    let Some(violation) = outcome.violation else {
        println!("seed {seed}: nothing is wrong");
        return ExitCode::SUCCESS;
    };
    let small = shrink(&plan);
    let again = simulate(&small, true);
    println!("seed {seed}: {violation}\nin small: {small:?}");
    again.told.iter().for_each(|line| println!("{line}"));
    println!("{}", again.violation.unwrap_or_default());
    ExitCode::FAILURE
}
