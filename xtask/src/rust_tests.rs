//! `cargo xtask rust-tests`: the workspace's Rust tests, as many test programs at a time as there are
//! cores. Cargo runs one after the other, and many of them wait: for disks, locks, servers.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{cargo, output, run};

/// They take longest, on one core each: begun last, one would be left with the machine for itself.
const LONG: [&str; 6] =
    ["io_errors", "zeitlich_races", "tier_trouble", "retention_crash", "power_cut", "seeds"];

/// A test program, and the folder of its package, which is where cargo starts it.
struct Program {
    name: String,
    file: PathBuf,
    package: PathBuf,
}

/// Builds and runs all of them, then the examples in the docs.
pub(crate) fn check() -> Result<()> {
    let mut programs = programs()?;
    programs.sort_by_key(|program| {
        LONG.iter().position(|name| *name == program.name).unwrap_or(LONG.len())
    });
    let waiting = Mutex::new(VecDeque::from(programs));
    let failed = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let lane = || {
        while let Some(program) = next() {
            if let Err(error) = program.run() {
                println!("{error:#}");
                failed.lock().unwrap_or_else(PoisonError::into_inner).push(program.name);
            }
        }
    };
    let lanes = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    thread::scope(|scope| (0..lanes).for_each(|_| _ = scope.spawn(lane)));
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failed.is_empty() {
        bail!("tests failed in {}", failed.join(", "));
    }
    run(cargo().args(["test", "--workspace", "--doc"]))
}

/// What cargo builds tests into.
fn programs() -> Result<Vec<Program>> {
    let format = "--message-format=json-render-diagnostics";
    let told = output(cargo().args(["test", "--workspace", "--no-run", format]))?;
    let messages = told.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let programs: Vec<Program> = messages
        .iter()
        .filter(|message| message["profile"]["test"] == true)
        .filter_map(Program::told)
        .collect();
    if programs.is_empty() {
        bail!("cargo names no test program");
    }
    Ok(programs)
}

impl Program {
    /// The one that a message of cargo's tells of, if it does.
    fn told(message: &Value) -> Option<Self> {
        let manifest = Path::new(message["manifest_path"].as_str()?);
        Some(Self {
            name: message["target"]["name"].as_str()?.to_owned(),
            file: message["executable"].as_str()?.into(),
            package: manifest.parent()?.to_owned(),
        })
    }

    /// Runs it, and prints what it printed once it is over.
    fn run(&self) -> Result<()> {
        println!("Running {}", self.name);
        let output = Command::new(&self.file)
            .arg("--show-output")
            .current_dir(&self.package)
            .env("CARGO_MANIFEST_DIR", &self.package)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting {}", self.file.display()))?;
        let printed = [output.stdout, output.stderr].concat();
        println!("{}\n{}", self.name, String::from_utf8_lossy(&printed));
        if !output.status.success() {
            bail!("{} failed: {}", self.name, output.status);
        }
        Ok(())
    }
}
