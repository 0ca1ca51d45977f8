//! Every call of the system that fails once: the operation says so, or nothing of what it does
//! depends on that call; what was acknowledged is there, and the operation can be done again. Needs
//! strace, and fails without.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use turnkeep_tests::crash::{Call, Fault, Run, SCRIPT, Step, Traced, check, each_at_once, go_on};
use turnkeep_tests::sessions::Folder;

const WRITER: Traced<'static> = Traced { writer: env!("CARGO_BIN_EXE_script-writer") };
const EIO: Fault = Fault::Fails("EIO");
const FULL: Fault = Fault::Fails("ENOSPC");

/// How a call fails: with EIO; under `cargo xtask test --full` in every way there is.
fn faults(call: &Call) -> &'static [Fault] {
    if std::env::var_os("TURNKEEP_FULL").is_none() {
        return &[EIO];
    }
    match &*call.name {
        "write" | "pwrite64" | "writev" => &[EIO, FULL, Fault::Nothing],
        "rename" | "renameat" | "renameat2" | "link" | "linkat" | "mkdir" | "mkdirat" => {
            &[EIO, FULL]
        }
        "openat" if call.is_changing() => &[EIO, FULL],
        _ => &[EIO],
    }
}

/// Without these nothing is safe: no operation may go on as if one had not failed. Of the others some
/// only clean up, or look for what need not be there.
const NEEDED: [&str; 9] = [
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "link",
    "linkat",
    "copy_file_range",
];

#[test]
fn a_call_that_fails_fails_its_operation_and_loses_nothing() {
    let (started, folder) = (Instant::now(), Folder::in_memory());
    let whole = folder.path().join("whole");
    let calls = WRITER.calls(&whole);
    let points: Vec<(&Call, Fault)> = calls
        .iter()
        .filter(|call| call.is_under(folder.path()))
        .flat_map(|call| faults(call).iter().map(move |fault| (call, *fault)))
        .collect();
    let looked = each_at_once(&points, |at, (call, fault)| {
        let told = |what: String| {
            format!(
                "{fault:?} of {} {} in step {}, {}: {what}",
                call.name, call.nth, call.step, call.shown
            )
        };
        failed(&folder.path().join(at.to_string()), call, *fault)
            .map_err(told)
            .inspect_err(|what| eprintln!("{what}"))
    });
    let mut counts = BTreeMap::<(&str, Ended), usize>::new();
    let mut wrong = Vec::new();
    for ((call, _), looked) in points.iter().zip(looked) {
        match looked {
            Ok(ended) => *counts.entry((&call.name, ended)).or_default() += 1,
            Err(what) => wrong.push(what),
        }
    }
    for ((name, ended), count) in counts {
        println!("{count:4} {name}: {ended:?}");
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("proof: {} calls failed in turn", points.len());
    println!("{} errors, {} not as they should be; {seconds:.1} s", points.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(points.len() > 700, "{} points", points.len());
}

/// How a run with a failure went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// The operation failed, and did not when it was tried again.
    Retried,
    /// It failed when it was tried again, too.
    Refused,
    /// It did not need the call.
    Unharmed,
}

/// One run, in which that call fails.
fn failed(folder: &Path, call: &Call, fault: Fault) -> Result<Ended, String> {
    let run = WRITER.disturbed(folder, call, fault);
    if let Some(ending) = run.ending {
        return Err(format!("it ended badly: {ending}"));
    }
    let ended = ended(&run)?;
    // What was put aside for a restoring goes when that is done for good.
    let is_aside = call.name == "fsync" && call.shown.contains("/store/restore>");
    if ended == Ended::Unharmed && NEEDED.contains(&&*call.name) && !is_aside {
        return Err("nothing failed".to_owned());
    }
    check_trust(call, &run)?;
    let done = run.done + usize::from(ended == Ended::Retried);
    let checked = check(folder, done..=done).and_then(|_| go_on(folder, done));
    std::fs::remove_dir_all(folder).ok();
    checked.map(|()| ended).map_err(|what| format!("{:?}, {:?}: {what}", run.failed, run.again))
}

fn ended(run: &Run) -> Result<Ended, String> {
    match (&run.failed, run.again.as_deref()) {
        (None, None) if run.is_finished => Ok(Ended::Unharmed),
        (Some(_), Some("ok")) => Ok(Ended::Retried),
        (Some(_), Some(_)) => Ok(Ended::Refused),
        // The stores could not be opened.
        (Some((0, _)), None) => Ok(Ended::Refused),
        _ => Err(format!("how did it end? {run:?}")),
    }
}

/// After a failed sync of what was appended, what the disk holds is unknown, and a second sync may
/// lie: nobody may append through what was open.
fn check_trust(call: &Call, run: &Run) -> Result<(), String> {
    let is_append = matches!(SCRIPT.get(call.step), Some(Step::Append(..)));
    if call.name != "fdatasync" || !is_append {
        return Ok(());
    }
    let codes = (run.failed.as_ref().map(|(_, code)| code.as_str()), run.again.as_deref());
    match codes {
        (Some("poisoned"), Some("poisoned")) => Ok(()),
        codes => Err(format!("it is trusted after a failed sync: {codes:?}")),
    }
}
