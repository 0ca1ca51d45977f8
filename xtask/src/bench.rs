//! `cargo xtask bench`: measurements, see `tests/bench`.

use anyhow::Result;

use crate::files::root;
use crate::process::{cargo, run};
use crate::{npm, setup};

/// Builds the package and the benchmarks, and runs them; arguments go through.
pub(crate) fn run_bench(args: &[&str]) -> Result<()> {
    setup::ensure(setup::PACKAGE)?;
    npm::build()?;
    println!("building the benchmarks; the first time takes minutes, for SQLite …");
    let target = root().join("target/bench");
    run(cargo()
        .args(["run", "--quiet", "--release", "--manifest-path", "tests/bench/Cargo.toml"])
        .arg("--target-dir")
        .arg(target)
        .arg("--")
        .args(args))
}
