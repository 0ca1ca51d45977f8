//! Every store does what `tests/store-cases.json` says.

use std::path::Path;

use turnkeep::{FileStore, MemoryStore, Store};
use turnkeep_tests::store_cases::{self, Case};

/// Runs every case on a store of its own and gives the names of those that do not apply.
fn run_all(name: &str, mut run: impl FnMut(&Case) -> Result<Option<String>, String>) {
    let (mut passed, mut failures, mut gated) = (0, Vec::new(), Vec::new());
    for case in store_cases::all() {
        match run(&case) {
            Ok(None) => passed += 1,
            Ok(Some(lacks)) => gated.push(format!("{} (lacks {lacks})", case.name())),
            Err(why) => failures.push(format!("{}: {why}", case.name())),
        }
    }
    println!("{name}: {passed} cases passed, {} do not apply", gated.len());
    for case in &gated {
        println!("{name} does not apply: {case}");
    }
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert!(passed >= 100, "{name}: only {passed} cases applied");
}

fn run(case: &Case, store: &dyn Store) -> Result<Option<String>, String> {
    if let Some(lacks) = case.lacks(&store.capabilities()) {
        return Ok(Some(lacks));
    }
    case.run(store).map(|()| None)
}

/// Nothing but the store's own folder may appear beside it.
fn is_alone(outer: &Path) -> Result<(), String> {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        Ok::<_, String>(entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>())
    };
    if names(outer)? == ["middle"] && names(&outer.join("middle"))? == ["root"] {
        return Ok(());
    }
    Err(format!("something was made outside of the store: {:?}", names(outer)?))
}

#[test]
fn the_store_in_memory_does_what_the_cases_say() {
    run_all("MemoryStore", |case| run(case, &MemoryStore::new()));
}

#[test]
fn the_store_in_a_directory_does_what_the_cases_say() {
    run_all("FileStore", |case| {
        let outer = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = outer.path().join("middle").join("root");
        let store = FileStore::open(root).map_err(|error| error.to_string())?;
        let outcome = run(case, &store)?;
        is_alone(outer.path())?;
        Ok(outcome)
    });
}

#[test]
fn names_of_cases_are_unique() {
    let cases = store_cases::all();
    let names: std::collections::BTreeSet<_> = cases.iter().map(Case::name).collect();
    assert_eq!(names.len(), cases.len());
}
