//! `cargo xtask prove`: what the promises were tested with, on one page. Without a duration, the
//! figures of the ordinary tests; with one, the simulator, the fuzzers and the mutants share it.

use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::files::{root, target_folder};
use crate::process::{cargo, command, find_program, output, run};
use crate::progress::{self, Ending};
use crate::proof::Proof;

/// The tests that count what they prove: of which crate, which ones, and what they must count.
type Counted = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);
const TESTS: &[Counted] = &[
    (&["turnkeep-simulator"], &["seeds"], &["seeds simulated", "faults injected"]),
    (
        &["turnkeep-simulator", "--features", "planted"],
        &["planted"],
        &["planted defects found within 10000 seeds each", "planted defects found in small"],
    ),
    (
        &["turnkeep-fuzz-targets"],
        &["corpus", "differential"],
        &["changed files given to a fuzz target", "files judged alike by the independent verifier"],
    ),
    (
        &["turnkeep-tests"],
        &["damage", "bombs"],
        &["bits flipped", "cuts", "forgeries refused", "bombs within their limits of memory"],
    ),
    (
        &["turnkeep-tests"],
        &["kill_points", "io_errors", "full_disk"],
        &["kill points", "calls failed in turn", "full disks"],
    ),
    (&["turnkeep-tests"], &["power_cut", "power_cut_script"], &["power cuts"]),
    (&["turnkeep-tests"], &["write_points"], &["write points replayed"]),
];
/// How long the tests of one row take, at most.
const SHORT_MAX: Duration = Duration::from_secs(60 * 60);
/// What one mutant takes, about: it is built, and then tested.
const MUTANT_SECONDS: u64 = 60;
/// Seeds that are simulated between two looks at the clock.
const SEEDS: u64 = 20_000;

pub(crate) fn prove(args: &[&str]) -> Result<ExitCode> {
    let started = Instant::now();
    let mut proof = Proof::default();
    let is_sound = match args {
        [] => short(&mut proof)?,
        [duration] => long(seconds(duration)?, &mut proof)?,
        _ => bail!("cargo xtask prove [DURATION], as in 90s, 10m or 2h"),
    };
    println!("\n{proof}  {:>15}m  taken", started.elapsed().as_secs() / 60);
    println!(
        "{}",
        if is_sound { "Every promise held." } else { "A promise was broken: see above." }
    );
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn short(proof: &mut Proof) -> Result<bool> {
    let mut is_sound = true;
    for (crate_and_features, tests, figures) in TESTS {
        let mut command = cargo();
        command.args(["test", "-p"]).args(*crate_and_features);
        tests.iter().for_each(|test| _ = command.args(["--test", test]));
        command.args(["--", "--show-output"]);
        let outcome = progress::run(command, SHORT_MAX)?;
        proof.read(&outcome.lines);
        if !matches!(outcome.ending, Ending::Exited(status) if status.success()) {
            println!("{}", outcome.lines.join("\n"));
            is_sound = false;
        }
        for figure in figures.iter().filter(|figure| proof.count(figure) == 0) {
            println!("nothing was counted: {figure}");
            is_sound = false;
        }
    }
    Ok(is_sound)
}

/// Half of the time is the simulator's, a third the fuzzers', the rest the mutants'.
fn long(time: Duration, proof: &mut Proof) -> Result<bool> {
    for (program, install) in [("cargo-fuzz", "cargo-fuzz"), ("cargo-mutants", "cargo-mutants")] {
        if find_program(program).is_none() {
            bail!("{program} is missing: cargo install {install} --locked");
        }
    }
    let simulated = simulate(time / 2, proof)?;
    let fuzzed = fuzz(time / 3, proof)?;
    mutate(time / 6, proof)?;
    Ok(simulated && fuzzed)
}

/// Simulates seeds that nobody simulated before, on all cores.
fn simulate(time: Duration, proof: &mut Proof) -> Result<bool> {
    run(cargo().args(["build", "--release", "-p", "turnkeep-simulator", "--bin", "simulate"]))?;
    let program = target_folder().join("release/simulate");
    let cores = thread::available_parallelism()?.get() as u64;
    // A million of them in every second since 1970: no two runs share one.
    let first = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() * 1_000_000;
    println!("seeds from {first} on");
    let started = Instant::now();
    let (mut next, mut is_sound) = (first, true);
    while started.elapsed() < time {
        let children = (0..cores).map(|core| {
            let from = next + core * SEEDS;
            command(&program)
                .args([SEEDS.to_string(), from.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .context("starting the simulator")
        });
        for child in children.collect::<Result<Vec<_>>>()? {
            let outcome = child.wait_with_output()?;
            let lines: Vec<String> =
                String::from_utf8_lossy(&outcome.stdout).lines().map(String::from).collect();
            lines
                .iter()
                .filter(|line| line.starts_with("seed "))
                .for_each(|line| println!("{line}"));
            proof.read(&lines);
            is_sound &= outcome.status.success();
        }
        next += cores * SEEDS;
    }
    Ok(is_sound)
}

/// Runs each fuzzer for its share of the time.
fn fuzz(time: Duration, proof: &mut Proof) -> Result<bool> {
    let fuzzer = |args: &[&str]| {
        let mut command = command("cargo");
        command.arg("+nightly").arg("fuzz").args(args);
        command
    };
    let listed = output(&mut fuzzer(&["list"]))?;
    let targets: Vec<&str> = listed.lines().filter(|name| *name != "canary").collect();
    let share = format!("-max_total_time={}", time.as_secs().max(60) / targets.len().max(1) as u64);
    let mut is_sound = true;
    for target in targets {
        let own = root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&own)?;
        let given = root().join("tests/fuzz-corpus").join(target);
        let mut command = fuzzer(&["run", target]);
        command.args([own, given]).args(["--", &share, "-max_len=65536", "-print_final_stats=1"]);
        let outcome = progress::run(command, time + Duration::from_secs(30 * 60))?;
        let count = |line: &String| {
            line.strip_prefix("stat::number_of_executed_units:")?.trim().parse::<u64>().ok()
        };
        proof.add(outcome.lines.iter().filter_map(count).sum(), "fuzzer executions");
        if !matches!(outcome.ending, Ending::Exited(status) if status.success()) {
            println!("{target}:\n{}", outcome.lines.join("\n"));
            is_sound = false;
        }
    }
    Ok(is_sound)
}

/// Tests a random part of the mutants: as many as the time is for.
fn mutate(time: Duration, proof: &mut Proof) -> Result<()> {
    let mutants = |args: &[&str]| {
        let mut command = cargo();
        command.arg("mutants").args(args);
        command
    };
    let all = output(&mut mutants(&["--list"]))?.lines().count() as u64;
    let parts = (all * MUTANT_SECONDS / time.as_secs().max(1)).max(1);
    let part = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % parts;
    let folder = target_folder().join("mutants");
    let mut command = mutants(&["--shard", &format!("{part}/{parts}"), "--output"]);
    command.arg(&folder);
    let outcome = progress::run(command, 3 * time + Duration::from_secs(30 * 60))?;
    // 2: some lived; 3: some took too long. Anything else is no test of mutants.
    let is_tested = |code| matches!(code, Some(0 | 2 | 3));
    if let Ending::Exited(status) = &outcome.ending
        && !is_tested(status.code())
    {
        bail!("mutants could not be tested:\n{}", outcome.lines.join("\n"));
    }
    for (file, what) in [
        ("caught", "mutants killed"),
        ("timeout", "mutants killed"),
        ("missed", "mutants that lived"),
    ] {
        let path = folder.join("mutants.out").join(file).with_extension("txt");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        text.lines().filter(|_| file == "missed").for_each(|mutant| println!("lived: {mutant}"));
        proof.add(text.lines().count() as u64, what);
    }
    Ok(())
}

/// `90s`, `10m`, `2h`.
fn seconds(duration: &str) -> Result<Duration> {
    let (count, unit) =
        duration.split_at_checked(duration.len().saturating_sub(1)).unwrap_or_default();
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => bail!("`{duration}` is no duration, as 90s, 10m or 2h are"),
    };
    Ok(Duration::from_secs(seconds * count.parse::<u64>().context("the duration's number")?))
}
