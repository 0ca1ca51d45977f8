//! `cargo xtask vectors`: the test vectors, written anew; with `--check`, a failure where that would
//! change them.

use anyhow::{Result, bail};

use crate::process::{self, cargo};

pub(crate) fn run(args: &[&str]) -> Result<()> {
    if !matches!(args, [] | ["--check"]) {
        bail!("usage: cargo xtask vectors [--check]");
    }
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "turnkeep-tests", "--bin", "vectors", "--"]);
    process::run(command.args(args))
}
