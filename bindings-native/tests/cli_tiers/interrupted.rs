//! What becomes of a push that does not end.

use std::time::Instant;

use turnkeep_servers::Action;

use super::*;

fn slow(skip: u32, delay_ms: u64) -> Vec<Rule> {
    vec![Rule {
        method: "PUT".into(),
        key: "agents/se".into(),
        skip,
        times: 1,
        delay_ms,
        ..Rule::default()
    }]
}

/// Longer than any push takes to come that far.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until so much was written, and a little, so that the next request waits.
fn wait_for_writes(place: &Place, push: &mut Child, count: usize) {
    let since = Instant::now();
    let is_write = |request: &&turnkeep_servers::Request| {
        request.method == "PUT" && request.key.starts_with("agents/se")
    };
    while place.s3.requests().iter().filter(is_write).count() < count {
        assert_eq!(push.try_wait().unwrap(), None, "the push ended");
        assert!(since.elapsed() < PATIENCE, "waited in vain for {count} writes");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
}

#[test]
fn a_push_that_was_killed_is_done_again() {
    // In the second session: before its segment, and before its manifest.
    for writes in [2, 3] {
        let place = Place::with(&["a", "b", "c"]);
        place.s3.plan(slow(writes, 60_000));
        let mut child = place.start(&["push", BUCKET]);
        wait_for_writes(&place, &mut child, writes as usize);
        child.kill().unwrap();
        child.wait().unwrap();
        place.s3.plan(Vec::new());
        let (_, summary) = place.json(0, &["push", BUCKET]);
        assert_eq!((&summary["copied"], &summary["unchanged"]), (&2.into(), &1.into()));
        place.run(0, &["pull", BUCKET, "--store", "other"]);
        for name in ["a", "b", "c"] {
            assert_eq!(place.log("other", name), place.log("store", name), "{name}");
        }
    }
}

#[test]
fn where_a_store_does_not_answer_it_ends_and_says_what_is_left() {
    let place = Place::with(&["a", "b", "c", "d", "e"]);
    let rule = Rule { method: "PUT".into(), key: "agents/segments".into(), ..Rule::default() };
    place.s3.plan(vec![Rule { times: 100, action: Action::Status, status: 503, ..rule }]);
    let ran = place.run(3, &["push", BUCKET]);
    assert_eq!(ran.out, "0 pushed (0 entries), 0 unchanged, 3 failed, 2 left\n");
    ran.says(&["turnkeep: store_failed: ", "nothing more is tried"]);
    place.s3.plan(Vec::new());
    place.run(0, &["push", BUCKET]);
}

#[cfg(unix)]
#[test]
fn asked_to_end_it_ends_after_the_session_it_is_at() {
    let place = Place::with(&["a", "b", "c"]);
    place.s3.plan(slow(2, 2000));
    let mut child = place.start(&["push", BUCKET]);
    wait_for_writes(&place, &mut child, 2);
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let ran = ended(child, "").ends_with(3);
    assert!(ran.out.ends_with("2 pushed (44 entries), 0 unchanged, 0 failed, 1 left\n"));
    let ran = place.run(0, &["push", BUCKET]);
    assert!(ran.out.ends_with("1 pushed (22 entries), 2 unchanged, 0 failed\n"), "{ran:?}");
}
