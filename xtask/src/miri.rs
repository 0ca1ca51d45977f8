//! `cargo xtask miri`: core's own tests under Miri, which sees what the crates that core is built on do with memory.
//! Core itself forbids `unsafe`. It interprets, some thousand times slower than a processor: so it is no step of
//! `test`, and the tests that deflate or hash a lot are left out.

use anyhow::Result;

use crate::process::{command, run};

const TOOLCHAIN: &str = "nightly";

/// Parts of core whose tests take minutes each: they inflate, deflate or hash megabytes, or try thousands of cases.
const LEFT_OUT: &[&str] = &[
    "limits::",
    "archive::",
    "gzip::",
    "import::",
    "view::",
    "a_manifest_is_read_back_and_no_flipped_byte_is",
    "an_anchor_is_read_back_and_each_is_another",
];

/// All of it, or the tests whose names hold what is given.
pub(crate) fn check(names: &[&str]) -> Result<()> {
    let components = ["component", "add", "--toolchain", TOOLCHAIN, "miri", "rust-src"];
    run(command("rustup").args(components))?;
    let mut miri = command("rustup");
    miri.args([
        "run",
        TOOLCHAIN,
        "cargo",
        "miri",
        "test",
        "--package",
        "turnkeep-core",
        "--lib",
        "--",
    ]);
    miri.args(names);
    if names.is_empty() {
        miri.args(LEFT_OUT.iter().flat_map(|name| ["--skip", name]));
    }
    // Fixtures are read, and a few cases of each property are enough to touch what is unsafe.
    miri.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("PROPTEST_CASES", "3");
    run(&mut miri)
}
