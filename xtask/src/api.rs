//! `cargo xtask api`: the public API of each published crate, against what it was when somebody last looked at it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files::{root, target_folder};
use crate::process::{cargo, command, output, run};

/// Each published package, and its library's name.
const CRATES: [(&str, &str); 2] = [("turnkeep-core", "turnkeep_core"), ("turnkeep", "turnkeep")];
/// How many differing lines are shown.
const SHOWN: usize = 20;

/// Compares; with `--bless` writes down what is found.
pub(crate) fn check(args: &[&str]) -> Result<()> {
    let is_blessing = match args {
        [] => false,
        ["--bless"] => true,
        _ => bail!("usage: cargo xtask api [--bless]"),
    };
    let rustdoc = rustdoc()?;
    run(cargo().args(["build", "--quiet", "--package", "xtask-api"]))?;
    let mut failed = 0;
    for (package, library) in CRATES {
        let found = found(package, library, &rustdoc)?;
        let snapshot = root().join("tests/api").join(format!("{package}.txt"));
        if is_blessing {
            fs::write(&snapshot, &found)?;
            continue;
        }
        let expected = fs::read_to_string(&snapshot)
            .with_context(|| format!("{}: run cargo xtask api --bless", snapshot.display()))?;
        failed += usize::from(!is_same(package, &expected, &found));
    }
    println!("{} passed, {failed} failed", CRATES.len() - failed);
    if failed > 0 {
        bail!("where that is meant: write it into CHANGELOG.md, and run cargo xtask api --bless");
    }
    Ok(())
}

fn found(package: &str, library: &str, rustdoc: &Path) -> Result<String> {
    run(cargo()
        .env("RUSTDOC", rustdoc)
        .args(["rustdoc", "--quiet", "--package", package, "--lib", "--"])
        .args(["-Zunstable-options", "--output-format=json"]))?;
    let json = target_folder().join("doc").join(format!("{library}.json"));
    let mut found = output(command(target_folder().join("debug/xtask-api")).arg(json))?;
    found.push('\n');
    Ok(found)
}

/// A rustdoc that gives JSON although it is a stable one. Only it hears so: in cargo's own environment that would
/// build dependencies anew.
fn rustdoc() -> Result<PathBuf> {
    let path = target_folder().join("rustdoc-json");
    fs::create_dir_all(target_folder())?;
    fs::write(&path, "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")?;
    run(command("chmod").arg("+x").arg(&path))?;
    Ok(path)
}

fn is_same(package: &str, expected: &str, found: &str) -> bool {
    let missing = expected.lines().filter(|line| !found.lines().any(|other| other == *line));
    let new = found.lines().filter(|line| !expected.lines().any(|other| other == *line));
    let told: Vec<String> = missing
        .map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect();
    if told.is_empty() {
        return true;
    }
    println!("the API of {package} changed in {} lines:", told.len());
    told.iter().take(SHOWN).for_each(|line| println!("  {line}"));
    false
}
