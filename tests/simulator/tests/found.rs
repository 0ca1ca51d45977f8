//! What the simulator found once, in small.

use turnkeep_core::store::Durability::{self, Disk, Os};
use turnkeep_simulator::plan::{Act, Faults, Kept, Plan, What};
use turnkeep_simulator::simulate;

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
    let (session, entries, bytes) = (0, 1, 10);
    let (shares, anew, once) = (None, false, true);
    What::Append { session, says, shares, entries, bytes, durability, anew, once }
}

#[test]
fn an_append_that_was_done_already_is_as_durable_as_it_is_asked_to_be() {
    let again = once(1, Disk);
    goes_right(
        Kept::Files,
        &[(0, What::Create(0)), (0, once(1, Os)), (0, again), (0, What::PowerCut)],
    );
}

#[test]
fn an_append_that_the_store_lost_is_not_taken_for_done() {
    let evict = What::Evict { session: 0, log_only: false };
    let flush = What::Flush { session: 0, hot: 1 };
    // Another one comes in its place.
    let acts = [
        (0, What::Create(0)),
        (0, flush),
        (0, once(2, Os)),
        (1, evict),
        (1, once(4, Os)),
        (0, once(2, Os)),
    ];
    goes_right(Kept::Tier, &acts);
    // Or none.
    let What::Append { session, bytes, durability, anew, .. } = once(4, Os) else { return };
    let (says, shares, entries, once_more) = (4, Some(2), 2, true);
    let shares =
        What::Append { session, says, shares, entries, bytes, durability, anew, once: once_more };
    goes_right(
        Kept::Tier,
        &[(0, What::Create(0)), (0, flush), (0, once(2, Os)), (1, evict), (0, shares)],
    );
}

/// Its seed decides how long requests take: one archiving ends while the other one, which wrote the
/// archive once more, is held up; then someone appends after that archive.
#[test]
fn an_archiving_that_is_late_leaves_the_archive_that_others_write_after() {
    let act = |number, at_ms, what| Act { number, at_ms, host: 0, what };
    let append = What::Append {
        session: 0,
        says: 17,
        shares: None,
        entries: 2,
        bytes: 0,
        durability: Os,
        anew: false,
        once: false,
    };
    let acts = vec![
        act(0, 0, What::Create(0)),
        act(1, 0, What::Archive(0)),
        act(6, 0, What::Wait(60)),
        act(8, 3, What::Archive(0)),
        act(17, 12, append),
        act(19, 16, What::Wait(1)),
    ];
    let faults = Faults { slow: 132, ..Faults::default() };
    plan_goes_right(&Plan { seed: 19138, kept: Kept::Files, hosts: 1, faults, acts });
}

/// The journal's line that all sessions are replaced was there, but the answer was lost, and with the
/// power the line: the next start put the old sessions back, though the restoring was acknowledged.
#[test]
fn what_a_restoring_finds_in_its_journal_is_durable_before_it_counts() {
    let act = |number, at_ms, host, what| Act { number, at_ms, host, what };
    let acts = vec![
        act(0, 0, 2, What::Create(0)),
        act(4, 57, 2, What::Snapshot { cut: None }),
        act(6, 110, 0, What::Delete(0)),
        act(10, 207, 2, What::RestoreBundle { cut: Some(44) }),
    ];
    let faults = Faults { fails_after: 40, ..Faults::default() };
    plan_goes_right(&Plan { seed: 3_086_207, kept: Kept::Runtime, hosts: 3, faults, acts });
}

fn append(session: usize, says: u64, entries: u64, bytes: u64, durability: Durability) -> What {
    let (shares, anew, once) = (None, true, false);
    What::Append { session, says, shares, entries, bytes, durability, anew, once }
}

fn files(seed: u64, hosts: usize, faults: Faults, acts: &[(u64, u64, usize, What)]) {
    let act = |&(number, at_ms, host, what)| Act { number, at_ms, host, what };
    let acts = acts.iter().map(act).collect();
    plan_goes_right(&Plan { seed, kept: Kept::Files, hosts, faults, acts });
}

/// Of a tombstone only a half was read, which was taken for a damaged record and written over, by who
/// restored and by who appended: then what was pruned was `not_found`.
#[test]
fn half_a_record_is_no_damaged_one() {
    let faults = Faults { short_read: 35, ..Faults::default() };
    let acts = [
        (0, 3523, 0, What::Create(0)),
        (2, 3523, 0, What::Archive(0)),
        (10, 15145, 0, What::Wait(864_000)),
        (12, 19370, 0, What::Prune(0)),
        (16, 21203, 0, What::Restore(0)),
    ];
    files(17611, 1, faults, &acts);
    let faults = Faults { short_read: 22, ..Faults::default() };
    let acts = [
        (0, 1851, 0, What::Create(0)),
        (3, 4362, 0, What::Archive(0)),
        (9, 12960, 0, What::Wait(4000)),
        (12, 19170, 1, What::Prune(0)),
        (16, 29639, 1, append(0, 16, 2, 0, Os)),
    ];
    files(28494, 2, faults, &acts);
}

/// Who prunes took back the tombstone of another pruning, which went on and removed the archive.
#[test]
fn a_pruning_that_is_refused_leaves_the_tombstone_of_another_one() {
    let append = What::Append {
        session: 0,
        says: 4,
        shares: None,
        entries: 3,
        bytes: 100,
        durability: Os,
        anew: false,
        once: true,
    };
    let acts = [
        (0, 30, 0, What::Create(0)),
        (3, 58, 0, What::Archive(0)),
        (4, 97, 0, append),
        (6, 136, 0, What::Prune(0)),
        (7, 145, 0, What::Wait(864_000)),
        (10, 190, 0, What::Wait(60)),
        (12, 238, 0, What::Prune(0)),
    ];
    files(23436, 1, Faults::default(), &acts);
}

/// Who archived a session that was deleted meanwhile took the archive back, though someone had said by
/// then that they go on with it, and wrote after it.
#[test]
fn an_archive_that_others_go_on_with_is_not_taken_back() {
    let faults = Faults { answered_twice: 71, slow: 124, ..Faults::default() };
    let acts = [
        (0, 11, 1, What::Create(0)),
        (1, 45, 1, What::Delete(0)),
        (8, 169, 0, What::Archive(0)),
        (9, 170, 2, append(0, 9, 2, 10, Disk)),
    ];
    files(1_088_785, 3, faults, &acts);
}

/// An archive was published after the deletion had looked for one, and before the log went.
#[test]
fn a_deletion_takes_the_archive_that_is_published_meanwhile() {
    let faults = Faults { slow: 8, ..Faults::default() };
    let acts = [
        (0, 237, 1, What::Create(0)),
        (3, 574, 0, append(0, 3, 1, 0, Os)),
        (11, 1977, 1, append(0, 11, 2, 0, Os)),
        (13, 2334, 0, What::Archive(0)),
        (14, 2369, 1, What::Delete(0)),
    ];
    files(187_292, 2, faults, &acts);
}

/// Who published an archive late did not hear of it, or could not look what became of the session: a
/// new one of the same id could never be archived.
#[test]
fn who_publishes_an_archive_sees_to_it_that_it_is_still_wanted() {
    let faults = Faults { slow: 52, short_read: 40, ..Faults::default() };
    let acts = [
        (0, 216, 1, What::Create(0)),
        (2, 716, 3, What::Archive(0)),
        (7, 1758, 2, What::Delete(0)),
        (15, 2816, 1, What::Create(0)),
    ];
    files(234_497, 4, faults, &acts);
    let faults = Faults { slow: 52, fails_after: 42, ..Faults::default() };
    files(234_497, 4, faults, &acts);
}
