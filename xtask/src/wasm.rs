//! `cargo xtask wasm`: `bindings-wasm` into `npm/src/wasm`.
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

/// Builds what `npm/src/wasm` holds, unless it is newer than every source.
pub(crate) fn build() -> Result<()> {
    setup::ensure(setup::PACKAGE)?;
    if is_current() {
        println!("wasm: npm/src/wasm is newer than its sources");
        return Ok(());
    }
    let staging = target_folder().join("npm-wasm");
    fresh_folder(&staging)?;

    println!("wasm: building the generator (the first time takes about a minute)");
    run(cargo().args(["build", "--package", "xtask-bindgen"]))?;
    println!("wasm: building bindings-wasm");
    let linked = link()?;
    let generator = target_folder().join("debug/xtask-bindgen");
    run(command(generator).arg(linked).arg(&staging).arg(NAME))?;
    println!("wasm: wasm-opt");
    optimize(&staging)?;
    run(command("node").arg("npm/scripts/embed-wasm.mjs").arg(&staging).arg(NAME))?;

    let out = root().join(OUT);
    fresh_folder(&out)?;
    copy_files(&staging, &out)
}

fn is_current() -> bool {
    let root = root();
    let absolute = |paths: &[&str]| paths.iter().map(|path| root.join(path)).collect::<Vec<_>>();
    match (times(&absolute(SOURCES)), times(&absolute(OUTPUTS))) {
        (Some(sources), Some(outputs)) => sources.newest < outputs.oldest,
        _ => false,
    }
}

/// Compiles and links `bindings-wasm`; returns the path of the `.wasm`.
fn link() -> Result<PathBuf> {
    let flags: Vec<String> =
        path_remaps()?.iter().map(|flag| format!("\"--remap-path-prefix={flag}\"")).collect();
    // `--config` adds to the flags of .cargo/config.toml. RUSTFLAGS would replace them, and a
    // .wasm without SIMD would come out.
    let config = format!("target.{WASM_TARGET}.rustflags=[{}]", flags.join(","));
    run(cargo()
        .args(["build", "--package", "turnkeep-wasm", "--profile", PROFILE])
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

fn optimize(folder: &Path) -> Result<()> {
    let shipped = folder.join(format!("{NAME}_bg.wasm"));
    let smaller = folder.join("optimized.wasm");
    run(command("npm/node_modules/.bin/wasm-opt")
        .args(WASM_OPT)
        .arg(&shipped)
        .arg("--output")
        .arg(&smaller))?;
    fs::rename(smaller, shipped)?;
    // It describes the raw exports, and would be taken for the types of the `.wasm` as a module.
    fs::remove_file(folder.join(format!("{NAME}_bg.wasm.d.ts")))?;
    Ok(())
}

const NAME: &str = "turnkeep";
const PROFILE: &str = "wasm";
const OUT: &str = "npm/src/wasm";

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

/// What must be there, and newer than the sources.
const OUTPUTS: &[&str] = &[
    "npm/src/wasm/turnkeep.js",
    "npm/src/wasm/turnkeep.d.ts",
    "npm/src/wasm/turnkeep_bg.wasm",
    "npm/src/wasm/turnkeep_bg.d.wasm.ts",
    "npm/src/wasm/turnkeep_base64.js",
    "npm/src/wasm/turnkeep_base64.d.ts",
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
