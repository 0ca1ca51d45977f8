//! Every store does what `tests/store-cases.json` says.

use std::path::Path;

use turnkeep::{FileStore, MemoryStore};
use turnkeep_tests::store_cases::{self, Case, run_all};

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
    run_all("MemoryStore", |case| case.run_if_it_applies(&MemoryStore::new()));
}

#[test]
fn the_store_in_a_directory_does_what_the_cases_say() {
    run_all("FileStore", |case| {
        let outer = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = outer.path().join("middle").join("root");
        let store = FileStore::open(root).map_err(|error| error.to_string())?;
        let outcome = case.run_if_it_applies(&store)?;
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
