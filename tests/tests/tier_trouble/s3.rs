//! Trouble with S3.

use super::*;
use turnkeep_servers::{Action, Rule};

/// All that can go wrong with a request, some of it for as long as it is tried again.
fn troubles() -> Vec<(&'static str, Rule)> {
    let often = Rule { times: 100, ..Rule::default() };
    vec![
        ("dropped before", Rule { action: Action::DropBefore, ..Rule::default() }),
        ("dropped after", Rule { action: Action::DropAfter, ..Rule::default() }),
        ("500", Rule { action: Action::Status, status: 500, ..Rule::default() }),
        ("503", Rule { action: Action::Status, status: 503, ..Rule::default() }),
        ("cut", Rule { action: Action::CutBody, ..Rule::default() }),
        ("never answered", Rule { action: Action::Stall, ..Rule::default() }),
        ("done late", Rule { action: Action::Late, delay_ms: 5, ..Rule::default() }),
        ("503 from there on", Rule { action: Action::Status, status: 503, ..often.clone() }),
        ("slow", Rule { delay_ms: 60, ..often }),
    ]
}

/// Who waits no longer than that for S3.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many requests an operation makes where nothing goes wrong.
fn requests_of(rig: &Rig, tier: &Arc<Tier>, operation: Operation) -> u32 {
    let scene =
        Scene::new(rig, tier, format!("count-{operation:?}").replace(['(', ')'], "-"), operation);
    let before = rig.s3.requests().len();
    scene.act(operation).expect("nothing goes wrong");
    let after = rig.s3.requests().len();
    rig.s3.reset();
    u32::try_from(after - before).expect("a few")
}

fn trouble_at_every_request(operations: &[Operation]) {
    let rig = Rig::start();
    let tier = rig.impatient(PATIENCE);
    let since = Instant::now();
    let (mut points, mut failed) = (0, 0);
    for operation in operations {
        let requests = requests_of(&rig, &tier, *operation);
        assert!(requests >= 1, "{operation:?}");
        for (trouble, rule) in troubles() {
            for skip in 0..requests {
                rig.s3.reset();
                rig.redis.connect().command(&["FLUSHALL"]);
                let at = format!("{operation:?}, request {skip} of {requests}: {trouble}");
                let scene = Scene::new(&rig, &tier, format!("s{points}"), *operation);
                rig.s3.plan(vec![Rule { skip, ..rule.clone() }]);
                if let Err(error) = scene.act(*operation) {
                    assert_clear(&error, &at);
                    failed += 1;
                }
                if trouble == "done late" {
                    std::thread::sleep(Duration::from_millis(10));
                }
                rig.s3.plan(Vec::new());
                scene.finish(&rig, *operation, &at);
                points += 1;
            }
        }
    }
    println!("{operations:?}: {points} points, {failed} failed, {:.1} s", seconds(since));
}

#[test]
fn trouble_at_every_request_of_a_flush() {
    trouble_at_every_request(&OPERATIONS[..2]);
}

#[test]
fn trouble_at_every_request_of_hydrating_opening_and_forking() {
    trouble_at_every_request(&OPERATIONS[2..5]);
}

#[test]
fn trouble_at_every_request_of_deleting_collecting_and_creating() {
    trouble_at_every_request(&OPERATIONS[5..]);
}
