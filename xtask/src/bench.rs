//! `cargo xtask bench`: measurements.

use anyhow::{Result, bail};

/// Not built yet.
pub(crate) fn run(_args: &[&str]) -> Result<()> {
    bail!("`bench` is not built yet")
}
