//! Compatibility: what earlier versions wrote is read, and what this one writes has not changed unnoticed.

use serde_json::Value;
use turnkeep::core::FORMAT_VERSION;
use turnkeep::{Draft, Session, SessionId};
use turnkeep_tests::frozen::{self, Files, Frozen, hashes};

/// What to do about bytes that changed.
const HOW_TO_BLESS: &str = "\
This version writes other bytes of the same inputs than the one that was frozen last. If that is not meant, mend \
the writer. If it is: a change of what the bytes mean takes a new format version (docs/format.md §10); then, or \
where only the spelling changed and every reader of this format reads it, run `cargo xtask freeze NAME` \
(v<format>, or v<format>.<n>) and commit the new folder beside the old ones.";

fn all() -> Vec<Frozen> {
    let all = frozen::all().unwrap_or_else(|why| panic!("{why}"));
    assert!(!all.is_empty(), "nothing was ever frozen");
    all
}

#[test]
fn frozen_files_are_as_they_were_frozen() {
    for Frozen { name, files, manifest, manifest_sha256: [found, listed] } in all() {
        assert_eq!(found, listed, "{name}: the manifest is another");
        let found: Vec<_> = hashes(&files)
            .into_iter()
            .map(|(path, hash)| (path, Value::from(hash.to_string())))
            .collect();
        let listed: Vec<_> =
            manifest["files"].as_object().expect("files").clone().into_iter().collect();
        assert_eq!(found, listed, "{name}");
    }
}

#[test]
fn files_of_every_version_are_read_as_they_were_then() {
    for Frozen { name, files, manifest, .. } in all() {
        let reads = frozen::read(&files);
        for part in ["store", "tier", "bundles", "interrupted"] {
            assert_eq!(reads[part], manifest["reads"][part], "{name}, {part}");
        }
    }
}

/// All but deleted and pruned sessions can be gone on with, wherever they lie.
#[test]
fn sessions_of_every_version_go_on() {
    for Frozen { name, files, manifest, .. } in all() {
        let folder = frozen::unpacked(&files);
        let stores = frozen::stores(&folder);
        for (part, store) in [("store", stores.store), ("tier", stores.tier)] {
            let mut count = 0;
            for (id, told) in manifest["reads"][part].as_object().expect("sessions") {
                if told["code"].is_string() {
                    continue;
                }
                let id = SessionId::new(id).expect("an id");
                let session = Session::open(store.clone(), &id).expect("a session");
                let appended = session.append(&[Draft::user_input("\"more\"")]);
                let seq = told["head"]["seq"].as_u64().expect("a number");
                assert_eq!(appended, Ok(seq + 1), "{name}, {part}, {id}");
                assert!(session.verify().expect("a report").is_whole(), "{name}, {part}, {id}");
                count += 1;
            }
            assert!(count > 3, "{name}, {part}: {count} sessions");
        }
    }
}

#[test]
fn this_version_writes_the_bytes_that_were_frozen_last() {
    let Frozen { name, files, .. } = all().pop().expect("something");
    let written = frozen::written();
    let differing = differing(&files, &written);
    assert!(differing.is_empty(), "{name}: {differing:#?}\n{HOW_TO_BLESS}");
}

/// Twice in one process: nothing of the time or the place gets in.
#[test]
fn the_same_inputs_give_the_same_bytes() {
    assert!(frozen::written() == frozen::written());
}

#[test]
fn what_was_frozen_last_is_of_this_format() {
    let Frozen { name, files, .. } = all().pop().expect("something");
    let format = name.trim_start_matches('v').split('.').next().map(str::parse);
    assert_eq!(format, Some(Ok(FORMAT_VERSION)), "{name}");
    let sorts = [
        "store/salted.jsonl",
        "store/archived.jsonl.gz",
        "store/pruned.retention.json",
        "store/salted.about.json",
        "store/salted.trace.jsonl",
        "store/incomplete.recovery.json",
        "store/sweep.json",
        "bundles/bundles/runtime.bundle",
        "cold/sessions/",
        "cold/segments/",
        "cold/collect/",
        "hot/kept.jsonl",
        "interrupted/restore/journal.jsonl",
        "interrupted/restore/aside/",
    ];
    for sort in sorts {
        assert!(files.keys().any(|path| path.starts_with(sort)), "nothing like {sort}");
    }
    assert!(files.keys().any(|path| path.ends_with(".ids")), "no list of ids");
}

fn differing(frozen: &Files, written: &Files) -> Vec<String> {
    let paths: std::collections::BTreeSet<&String> = frozen.keys().chain(written.keys()).collect();
    let told = |path: &String| match (frozen.get(path), written.get(path)) {
        (Some(one), Some(other)) if one == other => None,
        (Some(one), Some(other)) => {
            let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
            Some(format!("{path} differs from byte {at} on"))
        }
        (Some(_), None) => Some(format!("{path} is not written any more")),
        (None, _) => Some(format!("{path} is new")),
    };
    paths.into_iter().filter_map(told).collect()
}
