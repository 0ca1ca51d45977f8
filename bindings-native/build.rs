//! Puts the page that shows sessions into the command, where it was built.

use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;
use std::{env, fs};

/// Where the page's build leaves it.
const PAGE: &str = "page/index.html.gz";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // The folder, which is always there: a file that is missing would mean to build again each time.
    println!("cargo::rerun-if-changed=page");
    let page = match fs::read(PAGE) {
        // The command then says that it has none.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        page => page.map_err(|error| format!("cannot read {PAGE}: {error}"))?,
    };
    let folder = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(Path::new(&folder).join("page.html.gz"), page)?;
    Ok(())
}
