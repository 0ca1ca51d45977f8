//! `cargo xtask freeze NAME`: what this version writes of fixed inputs, kept under a new name for all later ones to
//! read.

use anyhow::{Result, bail};

use crate::process::{self, cargo};

pub(crate) fn run(args: &[&str]) -> Result<()> {
    let [name] = args else { bail!("usage: cargo xtask freeze NAME (v<format> or v<format>.<n>)") };
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "turnkeep-tests", "--bin", "freeze", "--"]);
    process::run(command.arg(name))
}
