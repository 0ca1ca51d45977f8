//! `simulate COUNT [FIRST]`: simulates so many seeds. `simulate --seed N`: one, with what happens.

use std::ops::Range;
use std::process::ExitCode;

use turnkeep_simulator::plan::Plan;
use turnkeep_simulator::{shrink, simulate};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match asked(&args) {
        Some(Asked::One(seed)) => one(seed),
        Some(Asked::Many(seeds)) => many(seeds),
        None => {
            eprintln!("simulate [COUNT [FIRST]], or simulate --seed N: whole numbers");
            ExitCode::from(2)
        }
    }
}

/// What the arguments say.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    One(u64),
    Many(Range<u64>),
}

/// `None`: they make no sense.
fn asked(args: &[&str]) -> Option<Asked> {
    let number = |text: &str| text.parse::<u64>().ok();
    let (count, first) = match args {
        ["--seed", seed] => return number(seed).map(Asked::One),
        [] => (20_000, 0),
        [count] => (number(count)?, 0),
        [count, first] => (number(count)?, number(first)?),
        _ => return None,
    };
    Some(Asked::Many(first..first.checked_add(count)?))
}

fn many(seeds: Range<u64>) -> ExitCode {
    let count = seeds.end - seeds.start;
    let (mut requests, mut faults, mut wrong) = (0, 0, 0);
    for seed in seeds {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_no_default() {
        assert_eq!(asked(&[]), Some(Asked::Many(0..20_000)));
        assert_eq!(asked(&["5"]), Some(Asked::Many(0..5)));
        assert_eq!(asked(&["5", "7"]), Some(Asked::Many(7..12)));
        assert_eq!(asked(&["--seed", "3"]), Some(Asked::One(3)));
        let last = u64::MAX.to_string();
        for wrong in [
            &["--help"][..],
            &["1e6"],
            &["--seed"],
            &["--seed", "abc"],
            &["--seed", "1", "2"],
            &["5", "x"],
            &["1", "2", "3"],
            &["1", &last],
        ] {
            assert_eq!(asked(wrong), None, "{wrong:?}");
        }
    }
}
