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
    said_at_hand(says, (1, 10), durability, true)
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
    let append = said_at_hand(17, (2, 0), Os, false);
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

// Sessions in a folder.

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
    timed_goes_right(Kept::Files, 17611, 1, faults, &acts);
    let faults = Faults { short_read: 22, ..Faults::default() };
    let acts = [
        (0, 1851, 0, What::Create(0)),
        (3, 4362, 0, What::Archive(0)),
        (9, 12960, 0, What::Wait(4000)),
        (12, 19170, 1, What::Prune(0)),
        (16, 29639, 1, said(16, (2, 0), Os)),
    ];
    timed_goes_right(Kept::Files, 28494, 2, faults, &acts);
}

/// Who prunes took back the tombstone of another pruning, which went on and removed the archive.
#[test]
fn a_pruning_that_is_refused_leaves_the_tombstone_of_another_one() {
    let append = said_at_hand(4, (3, 100), Os, true);
    let acts = [
        (0, 30, 0, What::Create(0)),
        (3, 58, 0, What::Archive(0)),
        (4, 97, 0, append),
        (6, 136, 0, What::Prune(0)),
        (7, 145, 0, What::Wait(864_000)),
        (10, 190, 0, What::Wait(60)),
        (12, 238, 0, What::Prune(0)),
    ];
    timed_goes_right(Kept::Files, 23436, 1, Faults::default(), &acts);
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
        (9, 170, 2, said(9, (2, 10), Disk)),
    ];
    timed_goes_right(Kept::Files, 1_088_785, 3, faults, &acts);
}

/// An archive was published after the deletion had looked for one, and before the log went.
#[test]
fn a_deletion_takes_the_archive_that_is_published_meanwhile() {
    let faults = Faults { slow: 8, ..Faults::default() };
    let acts = [
        (0, 237, 1, What::Create(0)),
        (3, 574, 0, said(3, (1, 0), Os)),
        (11, 1977, 1, said(11, (2, 0), Os)),
        (13, 2334, 0, What::Archive(0)),
        (14, 2369, 1, What::Delete(0)),
    ];
    timed_goes_right(Kept::Files, 187_292, 2, faults, &acts);
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
    timed_goes_right(Kept::Files, 234_497, 4, faults, &acts);
    let faults = Faults { slow: 52, fails_after: 42, ..Faults::default() };
    timed_goes_right(Kept::Files, 234_497, 4, faults, &acts);
}

// Sessions in a tier.

const KEEP: What = What::Flush { session: 0, hot: 0 };
const CLEAR: What = What::Flush { session: 0, hot: 1 };
const LEAVE: What = What::Flush { session: 0, hot: 2 };

fn slow(slow: u64) -> Faults {
    Faults { slow, ..Faults::default() }
}

/// Someone flushes, but is slow: the session is deleted before it looks at the cold store, and the one
/// that follows too, so what it finds there is the end of another session than the one it has read.
#[test]
fn a_flush_that_is_late_does_not_bring_back_what_was_deleted_before_another_session_was() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (2, 155, 0, said(2, (1, 10), Os)),
        (5, 644, 0, What::Delete(0)),
        (6, 644, 0, LEAVE),
        (7, 768, 1, What::Delete(0)),
        (10, 1261, 0, What::Create(0)),
    ];
    timed_goes_right(Kept::Tier, 2767, 2, slow(69), &acts);
}

/// One append learns the ids of the session while another one appends.
#[test]
fn ids_that_were_appended_while_others_were_learnt_are_known() {
    let acts = [
        (0, 10, 0, What::Create(0)),
        (8, 201, 0, said_at_hand(8, (1, 10), Os, false)),
        (9, 201, 0, said_at_hand(3, (1, 10), Disk, true)),
        (11, 215, 0, said_at_hand(8, (1, 10), Os, true)),
    ];
    timed_goes_right(Kept::Tier, 1_200_497, 1, Faults::default(), &acts);
}

/// A flush has read the log, then the log is damaged, and then deleted: nobody can tell by it any more
/// which session that was.
#[test]
fn a_flush_that_is_late_does_not_bring_back_what_was_damaged_and_deleted() {
    let acts = [
        (0, 242, 0, What::Create(0)),
        (1, 242, 0, said_at_hand(1, (2, 100), Disk, true)),
        (2, 242, 0, said_at_hand(2, (1, 100), Os, false)),
        (6, 922, 0, said_at_hand(6, (1, 100), Disk, false)),
        (7, 922, 0, CLEAR),
        (9, 935, 0, said_at_hand(9, (3, 10), Disk, true)),
        (15, 1453, 0, What::Rot),
        (18, 1924, 0, What::Delete(0)),
    ];
    timed_goes_right(Kept::Tier, 1_274_962, 1, slow(93), &acts);
}

/// The hot part is left as it is by each flush, so its anchor is old: the manifest after it was
/// collected, and its number is free again.
#[test]
fn a_flush_goes_on_after_the_newest_manifest_though_the_one_after_its_anchor_was_collected() {
    let acts = [
        (0, What::Create(0)),
        (0, KEEP),
        (0, said(2, (1, 10), Disk)),
        (0, LEAVE),
        (0, said(4, (1, 10), Disk)),
        (0, LEAVE),
        (1, What::Collect),
        (1, What::Wait(864_000)),
        (1, What::Collect),
        (0, said(9, (1, 10), Disk)),
        (0, CLEAR),
    ];
    goes_right(Kept::Tier, &acts);
}

/// It looked at the manifests before a segment was committed, and ten days later took the note of
/// another collection, written in between, for one that was old when it looked.
#[test]
fn a_collection_that_is_late_does_not_take_what_was_committed_since_it_looked() {
    let acts = [
        (0, 27, 1, What::Create(0)),
        (3, 1066, 3, CLEAR),
        (4, 1207, 0, said_at_hand(4, (3, 3000), Disk, true)),
        (5, 1276, 3, CLEAR),
        (7, 1835, 2, What::Collect),
        (8, 2072, 2, What::Collect),
        (9, 2353, 3, LEAVE),
        (11, 2923, 0, What::Wait(864_000)),
    ];
    timed_goes_right(Kept::Tier, 112_787, 4, slow(49), &acts);
}

/// The archive was published after the deletion, and taken back later: meanwhile someone appended.
#[test]
fn nobody_goes_on_after_an_archive_of_what_was_deleted() {
    let acts = [
        (0, 25, 0, What::Create(0)),
        (2, 54, 0, What::Archive(0)),
        (16, 315, 0, said(16, (1, 10), Disk)),
        (25, 398, 0, What::Delete(0)),
    ];
    timed_goes_right(Kept::Tier, 283_099, 2, slow(130), &acts);
}

/// And nobody could take it back.
#[test]
fn an_archive_that_a_failed_archiving_left_of_what_was_deleted_is_no_session() {
    let acts =
        [(2, 97, 0, What::Create(0)), (3, 125, 1, What::Archive(0)), (7, 199, 0, What::Delete(0))];
    let faults = Faults { fails_before: 27, slow: 20, ..Faults::default() };
    timed_goes_right(Kept::Tier, 1_378_515, 4, faults, &acts);
}

/// A flush took the archive away, for the cold store has it, and then the deletion fails: the cold
/// store has it no longer.
#[test]
fn what_a_deletion_that_failed_left_of_a_flushed_session_is_no_damage() {
    let acts = [
        (0, 2346, 1, What::Create(0)),
        (1, 3340, 0, What::Archive(0)),
        (3, 6968, 1, said(3, (2, 0), Disk)),
        (4, 10_776, 1, What::Delete(0)),
        (6, 10_776, 0, said(6, (2, 0), Os)),
        (7, 10_776, 0, CLEAR),
    ];
    let faults = Faults { fails_before: 53, ..Faults::default() };
    timed_goes_right(Kept::Tier, 302_194, 2, faults, &acts);
}

/// Of the last lines, which stay hot, a read gave the first ones only.
#[test]
fn a_flush_keeps_the_last_lines_or_none() {
    let acts = [
        (0, 492, 0, What::Create(0)),
        (1, 2605, 0, once_anew(1, (1, 0), Disk)),
        (2, 6346, 1, CLEAR),
        (5, 12_300, 2, said(5, (1, 100), Os)),
        (6, 14_908, 3, said(6, (1, 0), Disk)),
        (7, 16_621, 1, said_at_hand(7, (3, 0), Os, false)),
        (8, 17_922, 1, KEEP),
        (13, 28_266, 2, said(13, (1, 100), Os)),
        (14, 31_970, 1, KEEP),
    ];
    let faults = Faults { short_read: 39, ..Faults::default() };
    timed_goes_right(Kept::Tier, 783_947, 4, faults, &acts);
}

/// While a session was folded another one came into its place, a fork, which begins with a third one's
/// lines: that was told of as damage.
#[test]
fn a_session_that_others_replace_while_it_is_read_is_not_damaged() {
    let acts = [
        (0, 376, 2, What::Create(0)),
        (4, 1488, 2, What::Create(2)),
        (6, 2002, 1, What::Compact(0)),
        (10, 2397, 2, What::Evict { session: 0, log_only: true }),
        (16, 3582, 2, What::Fork { from: 2, to: 0, at_head: true }),
    ];
    timed_goes_right(Kept::Tier, 330_711_589, 3, slow(44), &acts);
}

/// A bit of the line break between the two lines of the last batch turned: that was taken for a batch
/// that was never finished, and the next append cut it off.
#[test]
fn a_damaged_batch_is_not_taken_for_an_unfinished_one() {
    let acts = [
        (0, 0, 1, What::Create(0)),
        (2, 0, 1, said(2, (2, 10), Os)),
        (3, 242, 2, What::Rot),
        (6, 523, 0, once_anew(6, (1, 3000), Disk)),
    ];
    timed_goes_right(Kept::Tier, 300_205_227, 4, Faults::default(), &acts);
}

/// An archive that was published after its session had been deleted and begun anew, and before its
/// archiver looked: that it is of another session is told, and nothing is lost.
#[test]
fn a_restoring_beside_the_archive_of_a_deleted_session_is_refused() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (7, 1673, 1, What::Restore(0)),
        (8, 2004, 0, What::Archive(0)),
        (12, 2557, 1, What::Delete(0)),
        (26, 3866, 0, What::Create(0)),
    ];
    timed_goes_right(Kept::Files, 100_870_772, 2, slow(96), &acts);
}

/// An archiver that was held up found its session pruned, and took the tombstone away for a moment:
/// the disk was full when it was to be put back.
#[test]
fn an_archiver_that_comes_late_leaves_a_tombstone_where_it_is() {
    let acts = [
        (0, 2487, 0, What::Create(0)),
        (3, 4777, 0, What::Archive(0)),
        (7, 74_777, 0, What::Archive(0)),
        (8, 144_777, 0, What::Prune(0)),
    ];
    let faults = Faults { slow: 117, full: 38, ..Faults::default() };
    timed_goes_right(Kept::Files, 101_013_886, 1, faults, &acts);
}

/// An append looked for its session again and again, while that was created, archived and appended to;
/// the last time, others restored it between a look at the log and one for the archive.
#[test]
fn a_session_that_is_restored_while_it_is_looked_for_is_not_damaged() {
    let acts = [
        (0, 19, 1, What::Create(0)),
        (5, 93, 3, What::Wait(864_000)),
        (7, 158, 0, What::Archive(0)),
        (8, 186, 1, once_anew(8, (3, 3000), Disk)),
        (13, 296, 1, once_anew(13, (2, 3000), Os)),
        (19, 70_541, 2, once_anew(19, (2, 0), Disk)),
        (20, 70_680, 2, What::Restore(0)),
        (21, 70_685, 2, What::Wait(4000)),
    ];
    timed_goes_right(Kept::Files, 101_366_973, 4, slow(87), &acts);
}

/// Its entries were read up to the head that the first page had, which by then stood in the middle of
/// a batch: the end that was first seen had been evicted, and something else appended.
#[test]
fn who_reads_in_pages_gets_no_half_of_a_batch() {
    let acts = [
        (0, 5797, 1, What::Create(0)),
        (6, 62_948, 2, What::Flush { session: 0, hot: 0 }),
        (7, 76_277, 2, What::Evict { session: 0, log_only: false }),
        (9, 93_561, 2, once_anew(9, (2, 10), Os)),
        (10, 110_941, 0, What::Wait(60)),
        (12, 119_917, 0, What::Read(0)),
        (14, 145_823, 0, What::Wait(864_000)),
        (15, 146_861, 0, said(15, (3, 100), Os)),
        (19, 198_332, 0, What::Evict { session: 0, log_only: false }),
    ];
    timed_goes_right(Kept::Tier, 130_111_265, 3, Faults::default(), &acts);
}

/// The first request of a creation came a second time, after others had taken that over and flushed,
/// and its creator went on with it.
#[test]
fn a_creation_that_a_network_begins_again_is_told_by_the_flush() {
    let acts = [
        (0, 2596, 0, What::Create(0)),
        (3, 30_706, 1, What::Create(0)),
        (5, 45_509, 2, What::Flush { session: 0, hot: 1 }),
    ];
    let faults = Faults { resent: 45, answered_twice: 92, slow: 131, ..Faults::default() };
    timed_goes_right(Kept::Tier, 130_239_112, 3, faults, &acts);
}

/// An archiver that came late read only a half of its record, gave up, and left the archive of a session
/// that was being deleted.
#[test]
fn an_archiver_that_comes_late_reads_its_record_until_it_has_it() {
    let acts = [
        (4, 7973, 0, What::Create(0)),
        (11, 17_787, 0, What::Archive(0)),
        (14, 20_747, 0, once_anew(14, (1, 10), Disk)),
        (16, 23_745, 0, What::Delete(0)),
    ];
    let faults = Faults { slow: 82, short_read: 23, ..Faults::default() };
    timed_goes_right(Kept::Files, 200_555_750, 1, faults, &acts);
}

/// The archive of the last but one session of an id came to lie beside the newest one: the cold store
/// says that it was deleted.
#[test]
fn an_archive_of_any_session_of_that_id_that_was_deleted_counts_for_nothing() {
    let acts = [
        (0, 91, 0, What::Create(0)),
        (4, 8677, 2, What::Delete(0)),
        (5, 11_809, 1, What::Create(0)),
        (8, 18_088, 0, What::Archive(0)),
        (12, 24_833, 2, What::Delete(0)),
        (17, 34_931, 1, What::Create(0)),
    ];
    let faults = Faults { late: 18, answered_twice: 77, slow: 114, ..Faults::default() };
    timed_goes_right(Kept::Tier, 230_302_905, 4, faults, &acts);
}

/// Of two deletions one took the other's tombstone away; then an archiver published, and others went on
/// with its archive before the second deletion was over.
#[test]
fn a_deletion_that_is_over_last_looks_for_what_came_after_the_first() {
    let acts = [
        (8, 2011, 0, What::Create(0)),
        (11, 2169, 0, What::Archive(0)),
        (14, 2863, 2, said_at_hand(14, (1, 3000), Disk, true)),
        (15, 2895, 1, said(15, (3, 3000), Disk)),
        (16, 3079, 1, once_anew(16, (3, 100), Os)),
        (17, 3219, 1, What::Delete(0)),
        (20, 3400, 1, What::Delete(0)),
    ];
    timed_goes_right(Kept::Files, 300_898_429, 3, slow(140), &acts);
}

/// An archiver was held up while the log was evicted, and the session begun anew: its archive came to
/// lie beside the new one.
#[test]
fn an_archive_of_a_session_that_was_evicted_comes_to_lie_beside_no_new_one() {
    let acts = [
        (8, 1804, 2, What::Create(0)),
        (9, 2130, 2, What::Archive(0)),
        (11, 2637, 0, What::Evict { session: 0, log_only: true }),
        (20, 4588, 1, What::Create(0)),
    ];
    timed_goes_right(Kept::Tier, 500_670_745, 3, slow(43), &acts);
}

/// The session that a reader reads page by page was deleted, and begun anew: where the next page was to
/// begin is within a line of that.
#[test]
fn a_reader_whose_session_was_replaced_between_two_pages_finds_no_damage() {
    let again = What::Append {
        session: 0,
        says: 10,
        shares: Some(3),
        entries: 2,
        bytes: 10,
        durability: Disk,
        anew: true,
        once: true,
    };
    let acts = [
        (0, 4265, 3, What::Create(0)),
        (1, 9651, 2, said_at_hand(1, (1, 10), Disk, false)),
        (2, 29_395, 2, What::Archive(0)),
        (3, 30_999, 2, said_at_hand(3, (1, 0), Disk, true)),
        (4, 35_300, 2, What::Read(0)),
        (6, 54_750, 2, What::Create(0)),
        (7, 68_639, 3, What::Delete(0)),
        (8, 72_447, 0, What::Create(0)),
        (10, 95_890, 2, again),
    ];
    timed_goes_right(Kept::Files, 500_689_530, 4, slow(16), &acts);
}

/// A deletion failed once the cold store had heard of it; importing the same file again told that the
/// session is there, and the next flush took it away.
#[test]
fn an_import_of_a_half_deleted_session_is_not_told_to_be_there() {
    let import = What::Import { session: 0, says: 10 };
    let acts = [
        (10, 2458, 0, import),
        (13, 3156, 0, What::Flush { session: 0, hot: 0 }),
        (14, 3276, 2, What::Delete(0)),
        (15, 3318, 1, import),
        (16, 3616, 0, What::Flush { session: 0, hot: 1 }),
    ];
    let faults = Faults { fails_after: 49, ..Faults::default() };
    timed_goes_right(Kept::Tier, 500_792_294, 3, faults, &acts);
}
