//! `cargo xtask test`: runs the steps in order, stops at the first failure, sums up.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::files::{names, root};
use crate::process::{cargo, command, show};
use crate::progress::{self, Ending};
use crate::proof::Proof;
use crate::steps::{Counts, Extent, Program, STEPS, Step};

/// Prints the steps and their commands.
pub(crate) fn list() {
    for step in STEPS {
        println!("{:12} {}", step.name, step.args.join(" "));
    }
}

/// Runs the named steps, or all; fails when one of them does.
pub(crate) fn run(names: &[&str], extent: Extent) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is no step `{unknown}`: see cargo xtask test --list");
    }
    // Looked up now: a step can build xtask anew, and then this process has no file any more.
    let xtask = env::current_exe().context("finding xtask's own file")?;
    let is_wanted = |step: &&Step| match names.is_empty() {
        true => step.extent == Extent::Usual || extent == Extent::Full,
        false => names.contains(&step.name),
    };
    let steps: Vec<&Step> = STEPS.iter().filter(is_wanted).collect();
    // A page that was built must be in the command.
    let is_page_built = steps.iter().any(|step| step.name == "npm");
    let mut reports = Vec::new();
    let mut proof = Proof::default();
    for (index, step) in steps.iter().enumerate() {
        let mut command = command_of(step, &xtask)?;
        if extent == Extent::Full {
            command.env("TURNKEEP_FULL", "1");
        }
        if is_page_built {
            command.env("TURNKEEP_PAGE_BUILT", "1");
        }
        println!("\n[{}/{}] {}: {}", index + 1, steps.len(), step.name, show(&command));
        let report = run_step(step, command, &mut proof)?;
        let failed = report.failure.is_some();
        reports.push(report);
        if failed {
            break;
        }
    }
    if !proof.is_empty() {
        print!("\nproof:\n{proof}");
    }
    Ok(sum_up(&reports, &steps))
}

fn command_of(step: &Step, xtask: &Path) -> Result<Command> {
    let mut command = match step.program {
        Program::Cargo => cargo(),
        Program::Xtask => command(xtask),
        Program::Node => command("node"),
        Program::Python => command("python3"),
    };
    for arg in step.args {
        command.args(expand(arg)?);
    }
    Ok(command)
}

/// `FOLDER/*SUFFIX` as the files it fits; anything else as it is.
fn expand(arg: &str) -> Result<Vec<PathBuf>> {
    let Some((folder, suffix)) = arg.split_once("/*") else { return Ok(vec![arg.into()]) };
    let files: Vec<PathBuf> = names(&root().join(folder))?
        .into_iter()
        .filter(|name| name.ends_with(suffix))
        .map(|name| Path::new(folder).join(name))
        .collect();
    if files.is_empty() {
        bail!("no file fits {arg}");
    }
    Ok(files)
}

fn run_step(step: &Step, command: Command, proof: &mut Proof) -> Result<Report> {
    let started = Instant::now();
    let outcome = progress::run(command, Duration::from_secs(60 * step.minutes_max))?;
    let took = started.elapsed();
    proof.read(&outcome.lines);
    let count = count_tests(&outcome.lines);
    let failure = match outcome.ending {
        Ending::Exited(status) if !status.success() => Some(status.to_string()),
        Ending::TimedOut => Some(format!("not done after {} minutes", step.minutes_max)),
        Ending::Exited(_) if step.counts == Counts::Nothing => None,
        Ending::Exited(_) if count.failed > 0 => Some(format!("{} tests failed", count.failed)),
        Ending::Exited(_) if count.passed == 0 => Some("it ran no test".to_owned()),
        Ending::Exited(_) => None,
    };
    if let Some(failure) = &failure {
        println!("{}\n{} failed: {failure}", outcome.lines.join("\n"), step.name);
    } else {
        println!("ok, {:.1} s{}", took.as_secs_f64(), count.shown());
    }
    Ok(Report { name: step.name, took, count, failure })
}

fn sum_up(reports: &[Report], steps: &[&Step]) -> ExitCode {
    println!("\nsteps:");
    for report in reports {
        let result = report.failure.as_deref().unwrap_or("ok");
        let seconds = report.took.as_secs_f64();
        println!("  {:12} {seconds:7.1} s  {result}{}", report.name, report.count.shown());
    }
    for step in &steps[reports.len()..] {
        println!("  {:12}          not run", step.name);
    }
    let total: Duration = reports.iter().map(|report| report.took).sum();
    println!("  {:12} {:7.1} s", "together", total.as_secs_f64());
    let passed: u64 = reports.iter().map(|report| report.count.passed).sum();
    let failed: u64 = reports.iter().map(|report| report.count.failed).sum();
    let failing_steps = reports.iter().filter(|report| report.failure.is_some()).count() as u64;
    println!("\n{passed} passed, {} failed", failed.max(failing_steps));
    if failing_steps > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// How one step went.
struct Report {
    name: &'static str,
    took: Duration,
    count: Count,
    failure: Option<String>,
}

/// The tests that a step's output counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    fn shown(&self) -> String {
        match (self.passed, self.failed) {
            (0, 0) => String::new(),
            (passed, 0) => format!("  ({passed} passed)"),
            (passed, failed) => format!("  ({passed} passed, {failed} failed)"),
        }
    }
}

/// Adds up the closing lines of cargo (`test result: ok. 3 passed; 0 failed; …`), of Node's
/// runner (`# pass 3`), of Python's (`Ran 3 tests in 0.1s`), and the plain `3 passed, 0 failed`.
fn count_tests(lines: &[String]) -> Count {
    let mut count = Count::default();
    for line in lines {
        let line = line.trim_start_matches(['#', 'ℹ', ' ']);
        let words: Vec<&str> =
            line.split([' ', ',', ';', '(', ')', '=']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["test", "result:", _, passed, "passed", failed, "failed", ..]
            | [passed, "passed", failed, "failed"] => {
                count.passed += number(passed);
                count.failed += number(failed);
            }
            ["pass", passed] => count.passed += number(passed),
            ["fail", failed] => count.failed += number(failed),
            ["Ran", ran, "test" | "tests", "in", _] => count.passed += number(ran),
            // Python's: these were counted as run.
            ["FAILED", kinds @ ..] => {
                let failed: u64 = kinds.iter().map(|word| number(word)).sum();
                count.failed += failed;
                count.passed = count.passed.saturating_sub(failed);
            }
            _ => {}
        }
    }
    count
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Count, count_tests};

    #[test]
    fn closing_lines_of_all_runners_are_counted() {
        let lines = [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            "# tests 5",
            "# pass 4",
            "# fail 1",
            "log: 7 passed, 0 failed",
            "10 passed, 2 failed",
            "all passed",
            "Ran 6 tests in 0.123s",
            "FAILED (failures=1, errors=1)",
        ];
        let lines = lines.map(str::to_owned);
        assert_eq!(count_tests(&lines), Count { passed: 23, failed: 6 });
    }
}
