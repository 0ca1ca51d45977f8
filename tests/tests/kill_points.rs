//! A process that is killed at every call of the system that changes anything: whatever it
//! acknowledged is there, and what it was at can be done again. Needs strace, and fails without.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use turnkeep_tests::crash::{Call, Fault, SCRIPT, Traced, check, each_at_once, go_on};
use turnkeep_tests::sessions::{Folder, create, log_key, over_every_store, user, write};

const WRITER: Traced<'static> = Traced { writer: env!("CARGO_BIN_EXE_script-writer") };

#[test]
fn a_process_killed_at_any_call_loses_nothing_that_it_acknowledged() {
    let (started, folder) = (Instant::now(), Folder::in_memory());
    let whole = folder.path().join("whole");
    let calls = WRITER.calls(&whole);
    check(&whole, SCRIPT.len()..=SCRIPT.len()).expect("the script, undisturbed");
    let points: Vec<&Call> = calls.iter().filter(|call| call.is_changing()).collect();
    let lost: Vec<String> =
        each_at_once(&points, |at, point| killed(&folder.path().join(at.to_string()), point).err())
            .into_iter()
            .flatten()
            .collect();
    print(&points);
    println!("proof: {} kill points", points.len());
    println!(
        "{} kill points, {} lost; {:.1} s",
        points.len(),
        lost.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(points.len() > 300, "{} points", points.len());
}

/// What a creation leaves that is killed between cutting off its claim and writing its first entry.
#[test]
fn a_creation_that_left_an_empty_log_can_be_done_again() {
    over_every_store(|store| {
        write(&store, &log_key("a"), b"");
        let session = create(&store, "a").expect("a session");
        session.append_one(&user("first")).expect("an append");
        assert!(session.verify().expect("a report").is_whole());
        write(&store, &log_key("b"), b"{");
        let error = create(&store, "b").expect_err("that is something");
        assert_eq!(error.code(), "already_exists");
    });
}

/// One run, killed at that call.
fn killed(folder: &Path, point: &Call) -> Result<(), String> {
    let told = |what: String| {
        format!("{} {} in step {}, {}: {what}", point.name, point.nth, point.step, point.shown)
    };
    let run = WRITER.disturbed(folder, point, Fault::Killed);
    if run.ending.is_none() {
        return Err(told("it was not killed".to_owned()));
    }
    let checked = check(folder, run.done..=run.done).and_then(|_| go_on(folder, run.done));
    std::fs::remove_dir_all(folder).ok();
    checked.map_err(told)
}

/// How many points there are in each step.
fn print(points: &[&Call]) {
    let mut steps = BTreeMap::<usize, usize>::new();
    points.iter().for_each(|point| *steps.entry(point.step).or_default() += 1);
    for (step, count) in steps {
        println!("{count:4} {:?}", SCRIPT.get(step));
    }
}
