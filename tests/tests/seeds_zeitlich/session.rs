//! session.test.ts

use super::*;
use turnkeep::{Error, Fork, Mode, Running};
use turnkeep_tests::spy::Failure;

fn new() -> Mode {
    Mode::New(Create::default().with_id(thread()))
}

fn proceed(run: &Running) -> Result<Option<String>> {
    Ok(run.slice())
}

/// One run that appends and leaves a slice.
fn first_run(rig: &Rig) {
    let exit = rig.tier.run(new(), |run| {
        run.set_slice(STATE);
        once(&run.session, &["m1"])
    });
    let exit = exit.expect("a run");
    assert!(exit.result.is_ok() && exit.fault.is_none(), "{exit:?}");
}

#[test]
fn rehydrates_the_slice_on_continue_before_the_loop() {
    let rig = Rig::new();
    first_run(&rig);
    let exit = rig.tier.run(Mode::Continue(thread()), proceed).expect("a run");
    assert_eq!(exit.result.expect("a slice").as_deref(), Some(STATE));
}

#[test]
fn fork_copies_the_slice() {
    let rig = Rig::new();
    first_run(&rig);
    let exit = rig.tier.run(Mode::Fork(thread(), Fork::default()), proceed).expect("a run");
    assert_eq!(exit.result.expect("a slice").as_deref(), Some(STATE));
    assert_ne!(exit.session, thread());
    assert_eq!(rig.tier.slice(&exit.session).expect("a slice").as_deref(), Some(STATE));
}

#[test]
fn new_skips_hydration_but_flushes() {
    let rig = Rig::new();
    first_run(&rig);
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(rig.read(), Some(snapshot(&["m1"], Some(STATE))));
}

#[test]
fn hydrates_before_the_state_is_loaded_on_continue() {
    let rig = Rig::new();
    first_run(&rig);
    let exit = rig.tier.run(Mode::Continue(thread()), |run| {
        assert!(!rig.hot_keys().is_empty(), "it is hot");
        assert_eq!(run.slice().as_deref(), Some(STATE));
        once(&run.session, &["m1"])
    });
    assert!(exit.expect("a run").result.expect("known"), "its ids are known");
}

#[test]
fn fork_hydrates_the_source_and_flushes_the_new_thread() {
    let rig = Rig::new();
    first_run(&rig);
    let mode = Mode::Fork(thread(), Fork::default());
    let exit = rig.tier.run(mode, |run| once(&run.session, &["m2"])).expect("a run");
    assert!(exit.result.is_ok() && exit.fault.is_none());
    let forked = rig.tier.read_thread(&exit.session).expect("read");
    assert_eq!(forked, Some(snapshot(&["m1", "m2"], Some(STATE))));
    assert_eq!(rig.read(), Some(snapshot(&["m1"], Some(STATE))));
    let encoded = exit.session.encoded();
    assert!(rig.hot_keys().iter().all(|key| !key.contains(&encoded)), "{:?}", rig.hot_keys());
}

#[test]
fn flushes_when_the_run_fails() {
    let rig = Rig::new();
    let exit = rig.tier.run(new(), |run| {
        once(&run.session, &["m1"])?;
        Err::<(), _>(Error::new(turnkeep::ErrorKind::InvalidArgument, "the model said no"))
    });
    let exit = exit.expect("a run");
    assert!(exit.result.is_err() && exit.fault.is_none());
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(rig.read(), Some(snapshot(&["m1"], None)));
}

#[test]
fn flushes_after_the_slice_is_saved() {
    let rig = Rig::new();
    first_run(&rig);
    assert!(rig.cold.cost().requests > 0);
    assert_eq!(rig.slice().as_deref(), Some(STATE));
}

/// Nothing runs there once a workflow is cancelled; here a run ends by return, error or panic.
#[test]
fn cancellation() {
    let rig = Rig::new();
    let gone = turnkeep_tests::spy::until_gone(|| {
        rig.tier.run(new(), |run| {
            run.set_slice(STATE);
            once(&run.session, &["m1"]).expect("an append");
            std::panic::resume_unwind(Box::new(turnkeep_tests::spy::Gone));
            #[expect(unreachable_code, reason = "the run has a type")]
            Ok::<_, Error>(())
        })
    });
    assert!(gone.is_none());
    assert_eq!(rig.hot_keys(), [""; 0]);
    assert_eq!(rig.read(), Some(snapshot(&["m1"], Some(STATE))));
}

/// Z14: there a flush that failed at the end was a line in a log.
#[test]
fn a_failed_flush_at_the_end_is_told() {
    let rig = Rig::new();
    let exit = rig.tier.run(new(), |run| {
        let appended = once(&run.session, &["m1"]);
        rig.cold.fail_after(0, Failure::Before);
        appended
    });
    let exit = exit.expect("a run");
    assert!(exit.result.is_ok());
    assert_eq!(exit.fault.expect("told").code(), "store_failed");
    // Nothing is lost, and it is done again.
    rig.flush(Hot::Clear).expect("a flush");
    assert_eq!(rig.read(), Some(snapshot(&["m1"], None)));
}
