//! Core and the verifier that was written from `docs/format.md` alone (`tests/independent`) say the same
//! of changed files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use turnkeep_core::archive::unarchive;
use turnkeep_core::gzip::{Bound, gunzip};
use turnkeep_core::log::{Expectation, Verifier};
use turnkeep_core::{Error, SessionId, sha256};
use turnkeep_fuzz_targets::mutate::{Random, mutated};
use turnkeep_fuzz_targets::{make, seeds};

/// How many changed files of each sort.
const CHANGED: usize = 600;

/// What the other verifier says of each file, in their order; one process looks at all of them.
fn told_by_python(sort: &str, files: &[Vec<u8>]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{sort}"));
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).expect("a folder");
    for (number, file) in files.iter().enumerate() {
        fs::write(folder.join(format!("{number:06}")), file).expect("a file");
    }
    let script: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../independent/reports.py"].iter().collect();
    let output = Command::new("python3").arg(script).arg(sort).arg(&folder).output();
    let output = output.expect("Python 3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let told: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(told.len(), files.len());
    told
}

/// Files of a target, as they are and changed.
fn changed(target: &str, change: fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let files = seeds(target).expect("its corpus");
    let mut random = Random::new(9);
    let changes = (0..CHANGED).map(|_| mutated(&files, &mut random)).collect::<Vec<_>>();
    files.iter().chain(&changes).map(|file| change(file)).collect()
}

/// Compares what both say, and gives how many files are sound.
fn compare(sort: &str, files: &[Vec<u8>], own: fn(&[u8]) -> Value) -> usize {
    let told = told_by_python(sort, files);
    let mut sound = 0;
    for (number, (file, told)) in files.iter().zip(&told).enumerate() {
        let own = own(file);
        assert_eq!(own, *told, "{sort} {number}: {}", String::from_utf8_lossy(file));
        sound += usize::from(own["code"].is_null() && own["verify"]["code"].is_null());
    }
    println!("{sort}: {sound} files are sound");
    println!("proof: {} files judged alike by the independent verifier", files.len());
    sound
}

fn log_report(log: &[u8]) -> Value {
    let mut verifier = Verifier::new(Expectation::default()).deep();
    verifier.push(log);
    let report = verifier.finish();
    let place = |error: &Error| {
        let place = error.place();
        match place.line {
            Some(line) => {
                json!({ "code": error.code(), "line": line, "offset": place.offset, "seq": place.seq })
            }
            None => json!({ "code": error.code() }),
        }
    };
    let head = |head: turnkeep_core::log::Head| json!({ "seq": head.seq, "hash": head.hash.to_string(), "bytes": head.bytes });
    let entries = |error: &Error| json!({ "code": error.code(), "seq": error.place().seq });
    let none = || json!({ "code": null });
    json!({
        "expect": null,
        "verify": report.fault.as_ref().map_or_else(none, place),
        "head": report.head.map(head),
        "torn": report.torn.map(|torn| json!({ "offset": torn.offset, "bytes": torn.bytes })),
        "session": report.session.as_ref().map(SessionId::as_str),
        "withheld": report.withheld,
        "entries": report.entry_fault.as_ref().map_or_else(none, entries),
    })
}

#[test]
fn both_verifiers_say_the_same_of_changed_logs() {
    let raw = compare("log", &changed("log", <[u8]>::to_vec), log_report);
    let rehashed = compare("log", &changed("log", make::rehashed), log_report);
    // Both must be there, or nothing is shown.
    assert!(raw > 0 && rehashed > 0 && raw.max(rehashed) < CHANGED);
}

#[test]
fn both_readers_say_the_same_of_changed_gzip_files() {
    compare("gzip", &changed("gzip", <[u8]>::to_vec), |file| {
        match gunzip(file, Bound::default()) {
            Ok(content) => json!({ "code": null, "sha256": sha256(&content).to_string() }),
            Err(error) => json!({ "code": error.code() }),
        }
    });
}

#[test]
fn both_readers_hold_the_same_changed_archives_for_sound() {
    for change in [<[u8]>::to_vec, make::reindexed] {
        let sound = compare("archive", &changed("archive", change), |file| match unarchive(file) {
            Ok(log) => json!({ "code": null, "sha256": sha256(&log).to_string() }),
            // Which of several faults is told first is each reader's choice.
            Err(_) => json!({ "code": "unsound" }),
        });
        assert!(sound > 0, "not one archive is sound: nothing is shown");
    }
}
