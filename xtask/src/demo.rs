//! `cargo xtask demo`: a tour of the library.

use anyhow::{Result, bail};

/// Not built yet.
pub(crate) fn run(_args: &[&str]) -> Result<()> {
    bail!("`demo` is not built yet")
}
