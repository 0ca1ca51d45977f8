//! Installs what the other commands need, and only that. Says what it does, is silent about
//! what is there already.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::files::{root, times};
use crate::process::{command, find_program, output, run};

/// One thing that a command needs on the machine.
#[derive(Clone, Copy)]
pub(crate) enum Need {
    /// The standard library for `WASM_TARGET`.
    WasmTarget,
    /// Checks that the crate compiles there.
    WindowsTarget,
    /// Node and the npm packages of one folder.
    NpmPackages(&'static str),
    /// The browser of the browser tests.
    Chromium,
    /// The other one, which is shown what attacks the page.
    Firefox,
    /// What makes and mounts the file systems of the crash tests, kills and fails their processes,
    /// and runs a machine of its own. Only on Linux.
    CrashTools,
    /// A real Redis for the tests of stores in it.
    Redis,
    /// Runs the independent verifier.
    Python,
}

/// What `setup` by itself installs, and `test` needs.
pub(crate) const EVERYTHING: &[Need] = &[
    Need::WasmTarget,
    Need::NpmPackages("npm"),
    Need::NpmPackages("tests/hosts"),
    Need::NpmPackages("tests/packaging"),
    Need::Chromium,
    Need::Firefox,
    Need::CrashTools,
    Need::Redis,
    Need::Python,
    Need::WindowsTarget,
];

/// What building the npm package needs.
pub(crate) const PACKAGE: &[Need] = &[Need::WasmTarget, Need::NpmPackages("npm")];

/// The target of `bindings-wasm`.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// Whether the crate compiles on Windows, too, is checked for this one.
pub(crate) const WINDOWS_TARGET: &str = "x86_64-pc-windows-gnu";

/// Installs what is missing of `needs`.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    for need in needs {
        match need {
            Need::WasmTarget => rust_target(WASM_TARGET)?,
            Need::WindowsTarget => rust_target(WINDOWS_TARGET)?,
            Need::NpmPackages(folder) => npm_packages(folder)?,
            Need::Chromium => browser("CHROMIUM", "/usr/bin/chromium", "chromium")?,
            Need::Firefox => browser("FIREFOX", "/usr/bin/firefox-esr", "firefox-esr")?,
            Need::CrashTools => crash_tools()?,
            Need::Redis => redis()?,
            Need::Python => python()?,
        }
    }
    Ok(())
}

fn rust_target(target: &str) -> Result<()> {
    let sysroot = PathBuf::from(output(command("rustc").args(["--print", "sysroot"]))?);
    if sysroot.join("lib/rustlib").join(target).exists() {
        return Ok(());
    }
    if find_program("rustup").is_none() {
        bail!(
            "Rust's target {target} is not installed in {} and there is no rustup to add it: \
             install the target the way Rust itself was installed",
            sysroot.display()
        );
    }
    say(&format!("adding the Rust target {target}"));
    run(command("rustup").args(["target", "add", target]))
}

fn npm_packages(folder: &str) -> Result<()> {
    let folder_path = root().join(folder);
    if !folder_path.join("package.json").exists() {
        return Ok(());
    }
    check_node()?;
    // npm writes this file last, so it tells of a complete installation.
    let installed = times(&[folder_path.join("node_modules/.package-lock.json")]);
    let wanted = times(&[folder_path.join("package-lock.json")])
        .with_context(|| format!("{folder}/package-lock.json is missing: run npm install there"))?;
    if installed.is_some_and(|installed| installed.oldest >= wanted.newest) {
        return Ok(());
    }
    say(&format!("installing the npm packages of {folder}"));
    run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder_path))
}

fn check_node() -> Result<()> {
    let (Some(_), Some(_)) = (find_program("node"), find_program("npm")) else {
        bail!("Node {NODE_MAJOR_MIN} or newer, with npm, is needed and not on the PATH");
    };
    let version = output(command("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
    if major.parse::<u32>().is_ok_and(|major| major < NODE_MAJOR_MIN) {
        bail!("Node {NODE_MAJOR_MIN} or newer is needed; this one is {version}");
    }
    Ok(())
}

/// A browser, where a variable says or where a Debian package puts it.
fn browser(variable: &str, usual: &str, package: &str) -> Result<()> {
    let path = std::env::var_os(variable).map_or_else(|| usual.into(), PathBuf::from);
    if path.exists() {
        return Ok(());
    }
    let by_hand = format!(
        "A browser is needed at {}: install Debian's package `{package}`, \
         or set {variable} to the path of one",
        path.display()
    );
    if path != Path::new(usual) {
        bail!(by_hand);
    }
    debian_packages(&[package], &by_hand)
}

fn crash_tools() -> Result<()> {
    let missing = |(program, _): &&(&str, &str)| find_system_program(program).is_none();
    let mut packages: Vec<&str> = CRASH_TOOLS
        .iter()
        .filter(|_| cfg!(target_os = "linux"))
        .filter(missing)
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "The tests of crashes need Debian's packages {}: install them, or what other \
         distributions call them",
        packages.join(", ")
    );
    debian_packages(&packages, &by_hand)
}

fn redis() -> Result<()> {
    if REDIS.iter().all(|program| find_program(program).is_some()) {
        return Ok(());
    }
    let by_hand = "The tests of stores in Redis need redis-server and redis-cli: install Debian's \
                   package redis-server, or what other distributions call it";
    debian_packages(&["redis-server"], by_hand)
}

fn python() -> Result<()> {
    if find_program("python3").is_some() {
        return Ok(());
    }
    let by_hand = "The independent verifier needs Python 3: install Debian's package python3, or \
                   what other distributions call it";
    debian_packages(&["python3"], by_hand)
}

/// Where a program is that may lie where only root's PATH leads.
fn find_system_program(name: &str) -> Option<PathBuf> {
    let by_root =
        ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(name));
    find_program(name).or_else(|| by_root.into_iter().find(|path| path.exists()))
}

/// Installs packages, or says what is to be done `by_hand` where that is impossible.
fn debian_packages(packages: &[&str], by_hand: &str) -> Result<()> {
    if find_program("apt-get").is_none() {
        bail!("{by_hand}");
    }
    let Some(sudo) = privilege()? else { bail!("{by_hand}. (Not root, and there is no sudo.)") };
    say(&format!("installing Debian's packages {}", packages.join(", ")));
    run(&mut apt_get(sudo, &["update"]))?;
    run(apt_get(sudo, &["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// How to become root: `Some(false)` when we are, `Some(true)` when sudo can.
fn privilege() -> Result<Option<bool>> {
    if output(command("id").arg("-u"))? == "0" {
        return Ok(Some(false));
    }
    Ok(find_program("sudo").map(|_| true))
}

fn apt_get(sudo: bool, args: &[&str]) -> Command {
    let mut apt = if sudo { command("sudo") } else { command("env") };
    apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]).args(args);
    apt
}

fn say(what: &str) {
    println!("setup: {what}");
}

/// Programs, and the packages that hold them, one after another.
const CRASH_TOOLS: &[(&str, &str)] = &[
    ("mkfs.ext4", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mount", "mount"),
    ("umount", "mount"),
    ("unshare", "util-linux"),
    ("strace", "strace"),
    ("timeout", "coreutils"),
    ("linux.uml", "user-mode-linux"),
    ("busybox", "busybox-static"),
    ("dmsetup", "dmsetup"),
    ("ps", "procps"),
    ("cc", "gcc"),
    ("cc", "libc6-dev"),
];
const REDIS: [&str; 2] = ["redis-server", "redis-cli"];
const NODE_MAJOR_MIN: u32 = 20;
