//! What the simulator found once, in small.

use turnkeep_core::store::Durability;
use turnkeep_simulator::plan::{Act, Faults, Kept, Plan, What};
use turnkeep_simulator::simulate;

mod files;
mod tier;

/// Lets one thing happen after the other, each by the host that stands before it.
fn goes_right(kept: Kept, acts: &[(usize, What)]) {
    let act = |(number, (host, what)): (u64, &(usize, What))| Act {
        number,
        at_ms: number * 10_000,
        host: *host,
        what: *what,
    };
    let acts = (0..).zip(acts).map(act).collect();
    plan_goes_right(&Plan { seed: 1, kept, hosts: 2, faults: Faults::default(), acts });
}

fn plan_goes_right(plan: &Plan) {
    let outcome = simulate(plan, true);
    assert_eq!(outcome.violation, None, "{}", outcome.told.join("\n"));
}

/// One entry that happens once, which act `says` says, through the session that the host has at hand.
fn once(says: u64, durability: Durability) -> What {
    said_at_hand(says, (1, 10), durability, true)
}

/// Acts with their numbers, times and hosts; the seed decides how long their requests take.
fn timed_goes_right(
    kept: Kept,
    seed: u64,
    hosts: usize,
    faults: Faults,
    acts: &[(u64, u64, usize, What)],
) {
    let act = |&(number, at_ms, host, what)| Act { number, at_ms, host, what };
    let acts = acts.iter().map(act).collect();
    plan_goes_right(&Plan { seed, kept, hosts, faults, acts });
}

/// How an append is asked for: by a session that is opened for it or the one at hand, and whether once.
type Way = (bool, bool);

fn appended(says: u64, size: (u64, u64), durability: Durability, (anew, once): Way) -> What {
    let ((entries, bytes), shares) = (size, None);
    What::Append { session: 0, says, shares, entries, bytes, durability, anew, once }
}

/// That so many entries of so many bytes are appended, by the act of that number first.
fn said(says: u64, size: (u64, u64), durability: Durability) -> What {
    appended(says, size, durability, (true, false))
}

/// The same, by the session that the host has at hand.
fn said_at_hand(says: u64, size: (u64, u64), durability: Durability, once: bool) -> What {
    appended(says, size, durability, (false, once))
}

/// The same, once, by a session that is opened for it.
fn once_anew(says: u64, size: (u64, u64), durability: Durability) -> What {
    appended(says, size, durability, (true, true))
}

fn slow(slow: u64) -> Faults {
    Faults { slow, ..Faults::default() }
}

/// The same append, in another session.
fn in_session(session: usize, said: What) -> What {
    let What::Append { says, shares, entries, bytes, durability, anew, once, .. } = said else {
        panic!("only an append says something");
    };
    What::Append { session, says, shares, entries, bytes, durability, anew, once }
}
