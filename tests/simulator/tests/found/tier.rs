//! Sessions in a tier.

use turnkeep_core::store::Durability::{Disk, Os};
use turnkeep_simulator::plan::{Faults, Kept, What};

use crate::*;

const KEEP: What = What::Flush { session: 0, hot: 0 };
const CLEAR: What = What::Flush { session: 0, hot: 1 };
const LEAVE: What = What::Flush { session: 0, hot: 2 };

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

/// The log was evicted while the ids of its entries were read, so that an entry that was flushed was
/// not known, and came once more.
#[test]
fn an_entry_is_known_though_the_log_is_evicted_while_its_ids_are_read() {
    let acts = [
        (0, 3, 1, What::Create(0)),
        (1, 103, 2, once_anew(1, (1, 3000), Os)),
        (7, 109, 1, LEAVE),
        (9, 113, 2, said(9, (2, 0), Disk)),
        (12, 121, 0, KEEP),
        (13, 124, 0, said_at_hand(9, (2, 0), Os, true)),
        (16, 130, 0, What::Evict { session: 0, log_only: true }),
    ];
    timed_goes_right(Kept::Tier, 503_388_927, 3, Faults::default(), &acts);
}

/// The answer to writing a segment was lost, and the segment was there, from a flush before: it was
/// named though it was old enough to be collected.
#[test]
fn a_flush_whose_answer_is_lost_names_no_segment_that_is_about_to_be_collected() {
    let acts = [
        (0, 170, 0, What::Create(0)),
        (2, 589, 0, LEAVE),
        (4, 1061, 1, once_anew(4, (2, 3000), Disk)),
        (5, 1289, 0, CLEAR),
        (6, 1615, 2, What::Collect),
        (8, 2116, 2, What::Wait(4000)),
        (13, 2920, 1, said(13, (1, 3000), Disk)),
        (14, 2967, 0, What::Collect),
        (15, 3359, 1, CLEAR),
        (16, 3363, 2, What::Wait(864_000)),
    ];
    let faults = Faults { fails_after: 34, ..Faults::default() };
    timed_goes_right(Kept::Tier, 542_582_070, 3, faults, &acts);
}

/// A fork was evicted and forked again, further on, while it was opened: the entry it had begun at was
/// looked for in the other one.
#[test]
fn a_fork_that_is_replaced_while_it_is_opened_is_not_damaged() {
    let fork = What::Fork { from: 0, to: 2, at_head: true };
    let acts = [
        (0, 373, 1, What::Create(0)),
        (5, 1576, 2, once_anew(4, (3, 3000), Os)),
        (7, 1865, 2, fork),
        (8, 2245, 1, in_session(2, said(8, (2, 0), Disk))),
        (13, 2794, 2, What::Evict { session: 2, log_only: false }),
        (17, 2911, 2, said(17, (2, 0), Disk)),
        (26, 4645, 1, fork),
    ];
    timed_goes_right(Kept::Tier, 507_685_464, 3, slow(65), &acts);
    let fork = What::Fork { from: 0, to: 1, at_head: true };
    let acts = [
        (0, 2557, 0, What::Create(0)),
        (2, 23_672, 3, fork),
        (4, 42_546, 3, in_session(1, said_at_hand(4, (2, 3000), Disk, false))),
        (14, 133_607, 2, in_session(1, once_anew(14, (1, 0), Os))),
        (16, 133_607, 1, once_anew(16, (3, 3000), Disk)),
        (18, 158_583, 1, What::Evict { session: 1, log_only: true }),
        (23, 183_875, 1, fork),
    ];
    timed_goes_right(Kept::Tier, 550_449_168, 4, slow(8), &acts);
}

/// The log was evicted while its session was deleted, and a flush that had read it before committed it
/// afterwards: the deletion had found nothing to tell the cold store of.
#[test]
fn a_flush_that_is_late_does_not_bring_back_what_was_evicted_while_it_was_deleted() {
    let acts = [
        (0, 15, 1, What::Create(0)),
        (1, 138, 2, said(1, (2, 100), Disk)),
        (3, 209, 0, CLEAR),
        (4, 218, 3, What::Delete(0)),
        (8, 230, 3, What::Evict { session: 0, log_only: false }),
    ];
    timed_goes_right(Kept::Tier, 660_591_839, 4, slow(4), &acts);
}

/// Two appends at once through one session: while one read which ids a section of the cold store holds,
/// the other one took them for unknown.
#[test]
fn ids_that_others_are_about_to_read_are_not_taken_for_unknown() {
    let acts = [
        (0, 0, 3, What::Create(0)),
        (1, 100, 0, said(1, (3, 3000), Disk)),
        (10, 67_115, 0, said_at_hand(10, (1, 3000), Os, false)),
        (14, 112_977, 3, CLEAR),
        (18, 126_951, 0, said_at_hand(1, (3, 3000), Os, true)),
        (19, 130_770, 0, said_at_hand(10, (1, 3000), Disk, true)),
    ];
    timed_goes_right(Kept::Tier, 903_247_404, 4, slow(22), &acts);
}

/// The network wrote a second time what goes on after an archive, after both had been deleted: whoever
/// reads it is told so, and deleting it again removes it.
#[test]
fn what_the_network_writes_again_after_a_deletion_is_deleted_again() {
    let acts = [
        (0, 358, 3, What::Create(0)),
        (8, 2174, 3, What::Archive(0)),
        (9, 2467, 2, said(9, (1, 10), Disk)),
        (10, 2695, 0, What::Delete(0)),
    ];
    let faults = Faults { resent: 45, ..Faults::default() };
    timed_goes_right(Kept::Tier, 1_150_387_653, 4, faults, &acts);
    let again = (20, 300_000, 0, What::Delete(0));
    let acts: Vec<_> = acts.into_iter().chain([again]).collect();
    timed_goes_right(Kept::Tier, 1_150_387_653, 4, faults, &acts);
}

/// The same, where both had been evicted before anything was flushed.
#[test]
fn what_the_network_writes_again_after_an_eviction_is_deleted() {
    let acts = [
        (0, 121, 0, What::Create(0)),
        (1, 271, 0, What::Archive(0)),
        (4, 607, 0, said(4, (1, 100), Disk)),
        (10, 1888, 0, What::Evict { session: 0, log_only: true }),
    ];
    let faults = Faults { resent: 45, slow: 25, ..Faults::default() };
    timed_goes_right(Kept::Tier, 1_400_559_751, 1, faults, &acts);
    let again = (20, 300_000, 0, What::Delete(0));
    let acts: Vec<_> = acts.into_iter().chain([again]).collect();
    timed_goes_right(Kept::Tier, 1_400_559_751, 1, faults, &acts);
}

/// A deletion failed after the cold store had heard of it, and someone asked whether an entry is written:
/// it is, and goes with the session.
#[test]
fn what_is_written_already_goes_with_a_deletion_that_had_begun() {
    let acts = [
        (0, 13_618, 0, What::Create(0)),
        (1, 14_549, 0, said(1, (1, 0), Os)),
        (3, 31_625, 0, What::Flush { session: 0, hot: 0 }),
        (6, 57_653, 0, What::Delete(0)),
        (8, 72_000, 0, appended(1, (1, 0), Os, (true, true))),
        (10, 91_494, 0, CLEAR),
    ];
    let faults = Faults { late: 22, ..Faults::default() };
    timed_goes_right(Kept::Tier, 1_400_784_290, 1, faults, &acts);
}

/// A flush stood still for ten days before it read back what it had written; others had flushed and
/// collected meanwhile.
#[test]
fn a_flush_that_stood_still_until_its_manifest_was_collected_may_say_so() {
    let acts = [
        (0, 92_215, 0, What::Create(0)),
        (1, 180_343, 0, CLEAR),
        (2, 247_159, 0, said_at_hand(2, (3, 3000), Os, true)),
        (3, 262_662, 0, What::Flush { session: 0, hot: 2 }),
        (9, 690_698, 0, What::Collect),
        (13, 892_653, 0, What::Wait(864_000)),
        (16, 1_009_185, 0, What::Collect),
    ];
    timed_goes_right(Kept::Tier, 1_401_388_734, 1, slow(86), &acts);
}

/// An archive was published after a flush had removed the log that it was made of, and another flush,
/// which was held up, cleared it while someone went on with it.
#[test]
fn an_archive_that_came_late_is_cleared_while_it_is_gone_on_with() {
    let acts = [
        (0, 81, 0, What::Create(0)),
        (12, 2378, 1, appended(12, (1, 0), Os, (true, true))),
        (13, 2704, 1, What::Archive(0)),
        (17, 3695, 0, CLEAR),
        (18, 3880, 1, appended(18, (2, 0), Disk, (true, true))),
        (28, 5390, 0, CLEAR),
    ];
    timed_goes_right(Kept::Tier, 1_403_277_794, 2, slow(131), &acts);
}

/// A log was evicted while it was archived, and the store failed each time the archive was taken back.
#[test]
fn an_archive_of_what_was_evicted_may_not_be_taken_back() {
    let acts = [
        (0, 238, 2, What::Create(0)),
        (2, 433, 2, What::Archive(0)),
        (3, 610, 1, What::Evict { session: 0, log_only: false }),
    ];
    let faults = Faults { fails_after: 74, slow: 32, ..Faults::default() };
    timed_goes_right(Kept::Tier, 1_503_715_316, 3, faults, &acts);
}
