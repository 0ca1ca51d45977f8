//! `cargo xtask vectors`: the test vectors, written anew.

use anyhow::{Result, bail};

/// Not built yet.
pub(crate) fn run(_args: &[&str]) -> Result<()> {
    bail!("`vectors` is not built yet")
}
