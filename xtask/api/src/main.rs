//! `xtask-api FILE`: the public API in a file of rustdoc's JSON, one item a line. Without what every type gets: blanket
//! and auto traits.

use std::env;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let file = env::args_os().nth(1).context("usage: xtask-api FILE")?;
    let api = public_api::Builder::from_rustdoc_json(file)
        .sorted(true)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    for item in api.items() {
        println!("{item}");
    }
    Ok(())
}
