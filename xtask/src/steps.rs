//! The steps of `cargo xtask test`, as data. To add a check, add a row.

use crate::setup::WINDOWS_TARGET;

/// One step: a command that fails when something is wrong.
pub(crate) struct Step {
    /// How `cargo xtask test NAME` calls it.
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// An argument `FOLDER/*SUFFIX` becomes the files it fits; none is a failure.
    pub(crate) args: &'static [&'static str],
    /// How long it may take at most, in minutes, on a machine where nothing is built yet.
    pub(crate) minutes_max: u64,
    /// Whether its output must count tests; then, counting none is a failure.
    pub(crate) counts: Counts,
    /// Whether it is in every run, or takes long and runs with `--full` or where it is named.
    pub(crate) extent: Extent,
}

/// How much of what takes long is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Usual,
    Full,
}

/// What a step starts.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Cargo,
    Xtask,
    Node,
    Python,
}

/// Whether a step's output counts tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Tests,
    Nothing,
}

/// The order: what is quick to fail first, then what the later ones need.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "setup",
        program: Program::Xtask,
        args: &["setup"],
        minutes_max: 20,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    Step {
        name: "fmt",
        program: Program::Cargo,
        args: &["fmt", "--all", "--check", "--", "--color=never"],
        minutes_max: 2,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    // The command is built with the page in it.
    Step {
        name: "npm",
        program: Program::Xtask,
        args: &["npm"],
        minutes_max: 15,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    Step {
        name: "clippy",
        program: Program::Cargo,
        args: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        minutes_max: 25,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    // Without what needs a C compiler for it.
    Step {
        name: "clippy-windows",
        program: Program::Cargo,
        args: &[
            "clippy",
            "-p",
            "turnkeep",
            "--lib",
            "--no-default-features",
            "--target",
            WINDOWS_TARGET,
            "--",
            "-D",
            "warnings",
        ],
        minutes_max: 10,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    Step {
        name: "clippy-page",
        program: Program::Cargo,
        args: &[
            "clippy",
            "-p",
            "turnkeep-wasm",
            "--no-default-features",
            "--features",
            "page",
            "--",
            "-D",
            "warnings",
        ],
        minutes_max: 10,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    Step {
        name: "cargo-test",
        program: Program::Xtask,
        args: &["rust-tests"],
        minutes_max: 60,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    // Defects are compiled in, of which each must be found.
    Step {
        name: "planted",
        program: Program::Cargo,
        args: &[
            "test",
            "-p",
            "turnkeep-simulator",
            "--features",
            "planted",
            "--test",
            "planted",
            "--",
            "--show-output",
        ],
        minutes_max: 20,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "planted-between",
        program: Program::Cargo,
        args: &[
            "test",
            "-p",
            "turnkeep-tests",
            "--features",
            "planted",
            "--test",
            "interleaved",
            "what_is_planted_is_found",
            "--",
            "--show-output",
        ],
        minutes_max: 20,
        counts: Counts::Tests,
        extent: Extent::Full,
    },
    // What takes minutes: every order of a tier's operations, a Redis cluster.
    Step {
        name: "long",
        program: Program::Cargo,
        args: &[
            "test",
            "-p",
            "turnkeep-tests",
            "--test",
            "tier_orders",
            "--test",
            "remote_stores",
            "--",
            "--ignored",
            "--show-output",
        ],
        minutes_max: 60,
        counts: Counts::Tests,
        extent: Extent::Full,
    },
    Step {
        name: "independent",
        program: Program::Python,
        args: &["tests/independent/selftest.py"],
        minutes_max: 10,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "vectors",
        program: Program::Python,
        args: &["tests/independent/verify.py", "vectors", "tests/vectors"],
        minutes_max: 10,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "frozen",
        program: Program::Python,
        args: &["tests/independent/frozen.py"],
        minutes_max: 5,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    // As cargo-test builds it: with other targets its dependencies have other features, and are built anew.
    Step {
        name: "servers",
        program: Program::Cargo,
        args: &["test", "--workspace", "--no-run"],
        minutes_max: 30,
        counts: Counts::Nothing,
        extent: Extent::Usual,
    },
    Step {
        name: "node",
        program: Program::Node,
        args: &["--test", "--test-concurrency=2", "tests/hosts/*.test.mjs"],
        minutes_max: 20,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "browser",
        program: Program::Node,
        args: &["tests/hosts/browser.mjs"],
        minutes_max: 10,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "hosts",
        program: Program::Node,
        args: &["tests/hosts/others/run.mjs"],
        minutes_max: 15,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "page",
        program: Program::Node,
        args: &[
            "--test",
            "--test-concurrency=2",
            "npm/viewer/test/*.test.mjs",
            "tests/hosts/viewer/*.test.mjs",
        ],
        minutes_max: 15,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "packaging",
        program: Program::Node,
        args: &["tests/packaging/run.mjs"],
        minutes_max: 10,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    Step {
        name: "api",
        program: Program::Xtask,
        args: &["api"],
        minutes_max: 10,
        counts: Counts::Tests,
        extent: Extent::Usual,
    },
    // A workspace of its own, which no other step builds.
    Step {
        name: "bench",
        program: Program::Cargo,
        args: &[
            "check",
            "--manifest-path",
            "tests/bench/Cargo.toml",
            "--target-dir",
            "target/bench",
        ],
        minutes_max: 30,
        counts: Counts::Nothing,
        extent: Extent::Full,
    },
    // Another one; what the fuzzers run is tested in `cargo-test`. Needs a C++ compiler.
    Step {
        name: "fuzz",
        program: Program::Cargo,
        args: &["check", "--manifest-path", "fuzz/Cargo.toml", "--target-dir", "target/fuzz"],
        minutes_max: 30,
        counts: Counts::Nothing,
        extent: Extent::Full,
    },
    // Builds each crate from what would be published, and nothing else.
    Step {
        name: "crates",
        program: Program::Cargo,
        args: &["package", "-p", "turnkeep-core", "-p", "turnkeep", "--allow-dirty"],
        minutes_max: 20,
        counts: Counts::Nothing,
        extent: Extent::Full,
    },
];
