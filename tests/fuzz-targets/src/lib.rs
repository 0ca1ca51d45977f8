//! What is done with arbitrary bytes: the targets of the fuzzers in `fuzz/`, which also run over
//! `tests/fuzz-corpus` and seeded changes of it in the ordinary tests (`docs/testing.md`).
//!
//! A target takes any bytes and panics where a promise is broken.

pub mod check;
pub mod host;
pub mod input;
pub mod make;
pub mod manifest;
pub mod mutate;

mod boundary;
mod bundle;
mod canary;
mod draft;
mod gzip;
mod import;
mod log;
mod replies;
mod view;

use std::path::{Path, PathBuf};

pub use boundary::boundary;
pub use bundle::bundle;
pub use canary::canary;
pub use draft::{draft, item};
pub use gzip::{archive, gzip};
pub use import::{
    import_agentmux, import_eai, import_files, import_opendev, import_session_store,
    import_zeitlich,
};
pub use log::{line, log};
pub use manifest::manifest;
pub use replies::replies;
pub use view::view;

/// Takes any bytes, and panics where a promise is broken.
pub type Target = fn(&[u8]);

/// Every target by its name, but for the [`canary`], which must fail.
pub const TARGETS: [(&str, Target); 17] = [
    ("line", line),
    ("log", log),
    ("gzip", gzip),
    ("archive", archive),
    ("manifest", manifest),
    ("bundle", bundle),
    ("import_eai", import_eai),
    ("import_session_store", import_session_store),
    ("import_opendev", import_opendev),
    ("import_zeitlich", import_zeitlich),
    ("import_agentmux", import_agentmux),
    ("import_files", import_files),
    ("replies", replies),
    ("view", view),
    ("draft", draft),
    ("item", item),
    ("boundary", boundary),
];

/// Where the files lie that targets begin with.
#[must_use]
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz-corpus")
}

/// The files that a target begins with, in the order of their names.
///
/// # Errors
///
/// Where they cannot be read.
pub fn seeds(target: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths = std::fs::read_dir(corpus().join(target))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(std::fs::read).collect()
}
