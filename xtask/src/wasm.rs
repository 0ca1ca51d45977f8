//! `cargo xtask wasm`: `bindings-wasm` into `npm/src/wasm`, and what the page needs of it into
//! `npm/viewer/src/wasm`.
//!
//! cargo links the `.wasm`; `xtask-bindgen` writes the glue; `wasm-opt` shrinks it; a script of
//! the package adds the base64 module and prints the sizes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::files::{copy_files, fresh_folder, names, root, target_folder, times};
use crate::process::{cargo, command, run};
use crate::setup::{self, WASM_TARGET};

/// A `.wasm` and its glue.
struct Output {
    /// The feature of `bindings-wasm` that says what it exports.
    feature: &'static str,
    /// What its files' names start with.
    name: &'static str,
    /// The folder they are put in.
    folder: &'static str,
    /// Whether a module holds it as base64 too.
    is_embedded: bool,
}

/// Builds what is not newer than every source.
pub(crate) fn build() -> Result<()> {
    setup::ensure(setup::PACKAGE)?;
    OUTPUTS.iter().try_for_each(build_one)
}

fn build_one(output: &Output) -> Result<()> {
    let Output { feature, name, folder, is_embedded } = output;
    if is_current(output) {
        println!("wasm: {folder} is newer than its sources");
        return Ok(());
    }
    let staging = target_folder().join("npm-wasm");
    fresh_folder(&staging)?;

    println!("wasm: building the generator (the first time takes about a minute)");
    run(cargo().args(["build", "--package", "xtask-bindgen"]))?;
    println!("wasm: building bindings-wasm for the {feature}");
    let linked = link(feature)?;
    let generator = target_folder().join("debug/xtask-bindgen");
    run(command(generator).arg(linked).arg(&staging).arg(name))?;
    println!("wasm: wasm-opt");
    optimize(&staging, name)?;
    if *is_embedded {
        run(command("node").arg("npm/scripts/embed-wasm.mjs").arg(&staging).arg(name))?;
    }
    let out = root().join(folder);
    fresh_folder(&out)?;
    copy_files(&staging, &out)
}

fn is_current(output: &Output) -> bool {
    let root = root();
    let sources: Vec<_> = SOURCES.iter().map(|path| root.join(path)).collect();
    let made = ["js", "d.ts"].map(|kind| format!("{}.{kind}", output.name));
    let made = made.into_iter().chain([format!("{}_bg.wasm", output.name)]);
    let made: Vec<_> = made.map(|name| root.join(output.folder).join(name)).collect();
    match (times(&sources), times(&made)) {
        (Some(sources), Some(made)) => sources.newest < made.oldest,
        _ => false,
    }
}

/// Compiles and links `bindings-wasm`; returns the path of the `.wasm`.
fn link(feature: &str) -> Result<PathBuf> {
    let flags: Vec<String> =
        path_remaps()?.iter().map(|flag| format!("\"--remap-path-prefix={flag}\"")).collect();
    // `--config` adds to the flags of .cargo/config.toml. RUSTFLAGS would replace them, and a
    // .wasm without SIMD would come out.
    let config = format!("target.{WASM_TARGET}.rustflags=[{}]", flags.join(","));
    run(cargo()
        .args(["build", "--package", "turnkeep-wasm", "--profile", PROFILE])
        .args(["--no-default-features", "--features", feature])
        .args(["--target", WASM_TARGET, "--config", &config])
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    Ok(target_folder().join(WASM_TARGET).join(PROFILE).join("turnkeep_wasm.wasm"))
}

/// Panic messages name source files. Without this they would name folders of this machine, and
/// the `.wasm` would differ from machine to machine.
fn path_remaps() -> Result<Vec<String>> {
    let home = env::var("HOME").unwrap_or_default();
    let cargo_home = env::var("CARGO_HOME").unwrap_or_else(|_| format!("{home}/.cargo"));
    let mut remaps = vec![format!("{cargo_home}=cargo"), format!("{}=turnkeep", root().display())];
    let registries = Path::new(&cargo_home).join("registry/src");
    if registries.exists() {
        for name in names(&registries)? {
            remaps.push(format!("{}/{name}=crates", registries.display()));
        }
    }
    Ok(remaps)
}

fn optimize(folder: &Path, name: &str) -> Result<()> {
    let shipped = folder.join(format!("{name}_bg.wasm"));
    let smaller = folder.join("optimized.wasm");
    run(command("npm/node_modules/.bin/wasm-opt")
        .args(WASM_OPT)
        .arg(&shipped)
        .arg("--output")
        .arg(&smaller))?;
    fs::rename(smaller, shipped)?;
    // It describes the raw exports, and would be taken for the types of the `.wasm` as a module.
    fs::remove_file(folder.join(format!("{name}_bg.wasm.d.ts")))?;
    Ok(())
}

const PROFILE: &str = "wasm";

const OUTPUTS: &[Output] = &[
    Output { feature: "package", name: "turnkeep", folder: "npm/src/wasm", is_embedded: true },
    Output { feature: "page", name: "page", folder: "npm/viewer/src/wasm", is_embedded: false },
];

/// What the `.wasm` is made from.
const SOURCES: &[&str] = &[
    "core/src",
    "core/Cargo.toml",
    "bindings-wasm",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "rust-toolchain.toml",
    "xtask/bindgen",
    "xtask/src/wasm.rs",
    "npm/scripts/embed-wasm.mjs",
    "npm/package-lock.json",
];

/// Features by name: every browser since March 2023 (Safari 16.4) has these. `--all-features`
/// would let the optimizer use some that no browser has.
const WASM_OPT: &[&str] = &[
    "-Os",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];
