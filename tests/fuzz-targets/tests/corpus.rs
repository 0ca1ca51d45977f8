//! Every target over the files it begins with, and over seeded changes of them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use turnkeep_fuzz_targets::mutate::{Random, mutated};
use turnkeep_fuzz_targets::{self as targets, TARGETS, Target, corpus, seeds};

/// How many changed files each target gets.
const CHANGED: usize = 2000;
/// How many bytes of files are committed, at most.
const CORPUS_BYTES_MAX: u64 = 200_000;

/// The first file that a target does not bear, and what it said.
fn first_failure(name: &str, target: Target, changed: usize) -> Option<(Vec<u8>, String)> {
    let files = seeds(name).expect("its corpus");
    assert!(!files.is_empty(), "{name} begins with nothing");
    let mut random = Random::new(1);
    let changes = (0..changed).map(|_| mutated(&files, &mut random));
    files.iter().cloned().chain(changes).find_map(|file| {
        let panic = catch_unwind(AssertUnwindSafe(|| target(&file))).err()?;
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Some((file, text.unwrap_or_default()))
    })
}

fn holds(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    println!("proof: {CHANGED} changed files given to a fuzz target");
    if let Some((file, said)) = first_failure(name, *target, CHANGED) {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
        fs::write(&path, &file).expect("the file is kept");
        panic!("{name}: {said}\nwith the {} bytes in {}", file.len(), path.display());
    }
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_target_is_run() {
            let run = [$(stringify!($name)),*];
            assert!(TARGETS.iter().map(|(name, _)| *name).eq(run));
        }
    };
}

tests! {
    line log gzip archive manifest bundle import_eai import_session_store import_opendev
    import_zeitlich import_agentmux import_files replies view draft item boundary
}

#[test]
fn the_canary_is_found() {
    let (file, said) = first_failure("canary", targets::canary, CHANGED).expect("it must fail");
    assert!(file.starts_with(b"canary!") && said.contains("the canary was found"), "{said}");
}

#[test]
fn the_true_manifest_is_believed() {
    targets::manifest::sound();
}

#[test]
fn every_target_has_a_fuzzer_and_a_small_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("its manifest");
    let mut bytes = 0;
    for name in TARGETS.iter().map(|(name, _)| *name).chain(["canary"]) {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
        let fuzzer = fuzz.join(format!("fuzz_targets/{name}.rs"));
        let text = fs::read_to_string(&fuzzer).unwrap_or_default();
        assert!(text.contains(&format!("turnkeep_fuzz_targets::{name}(data)")), "{name}");
        let files = fs::read_dir(corpus().join(name)).expect("its corpus");
        bytes += files
            .map(|file| file.expect("a file").metadata().expect("its length").len())
            .sum::<u64>();
    }
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}
