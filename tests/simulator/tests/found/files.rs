//! Sessions in a folder, and those of a runtime.

use turnkeep_core::store::Durability::{Disk, Os};
use turnkeep_simulator::plan::{Faults, Kept, What};

use crate::*;

#[test]
fn an_append_that_was_done_already_is_as_durable_as_it_is_asked_to_be() {
    let again = once(1, Disk);
    goes_right(
        Kept::Files,
        &[(0, What::Create(0)), (0, once(1, Os)), (0, again), (0, What::PowerCut)],
    );
}

/// Its seed decides how long requests take: one archiving ends while the other one, which wrote the
/// archive once more, is held up; then someone appends after that archive.
#[test]
fn an_archiving_that_is_late_leaves_the_archive_that_others_write_after() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (1, 0, 0, What::Archive(0)),
        (6, 0, 0, What::Wait(60)),
        (8, 3, 0, What::Archive(0)),
        (17, 12, 0, said_at_hand(17, (2, 0), Os, false)),
        (19, 16, 0, What::Wait(1)),
    ];
    timed_goes_right(Kept::Files, 19_138, 1, slow(132), &acts);
}

/// The journal's line that all sessions are replaced was there, but the answer was lost, and with the
/// power the line: the next start put the old sessions back, though the restoring was acknowledged.
#[test]
fn what_a_restoring_finds_in_its_journal_is_durable_before_it_counts() {
    let acts = [
        (0, 0, 2, What::Create(0)),
        (4, 57, 2, What::Snapshot { cut: None }),
        (6, 110, 0, What::Delete(0)),
        (10, 207, 2, What::RestoreBundle { cut: Some(44) }),
    ];
    let faults = Faults { fails_after: 40, ..Faults::default() };
    timed_goes_right(Kept::Runtime, 3_086_207, 3, faults, &acts);
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

/// Of two archivings one replaced the archive and was held up; a pruning put its tombstone and took it
/// back, while the other archiving removed the log: both archives were gone.
#[test]
fn an_archiver_that_comes_late_leaves_the_archive_for_which_another_removed_the_log() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (2, 6623, 0, said(2, (2, 3000), Disk)),
        (10, 16_497, 1, What::Archive(0)),
        (12, 22_344, 1, What::Archive(0)),
        (15, 95_383, 0, What::Prune(0)),
        (17, 96_247, 1, What::Wait(864_000)),
    ];
    let faults = Faults { answered_twice: 77, ..slow(71) };
    timed_goes_right(Kept::Files, 545_081_302, 2, faults, &acts);
}

/// An archiver whose answer was lost left its archive to the tombstone of a deletion, which had looked
/// for one before, and was then over.
#[test]
fn a_deletion_takes_the_archive_that_was_left_to_its_tombstone() {
    let acts = [
        (9, 422_208, 0, What::Import { session: 0, says: 9 }),
        (11, 466_920, 0, said_at_hand(11, (3, 3000), Os, false)),
        (20, 735_436, 0, What::Archive(0)),
        (22, 784_411, 0, What::Delete(0)),
    ];
    let faults = Faults { fails_after: 61, ..slow(71) };
    timed_goes_right(Kept::Files, 670_087_317, 1, faults, &acts);
}

/// Two archivings at once: the one that replaced the archive could not remove the log, which another
/// one held, and took its archive away, while the first one removed the log.
#[test]
fn an_archiver_that_may_not_remove_the_log_leaves_the_archive_that_it_replaced() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (6, 104, 1, What::Create(0)),
        (7, 104, 1, What::Archive(0)),
        (11, 106, 0, What::Wait(4000)),
        (25, 70_108, 1, What::Archive(0)),
    ];
    timed_goes_right(Kept::Files, 790_741_149, 3, slow(119), &acts);
}

/// An archiver that came after the deletion could not take its archive back: it put a tombstone, whose
/// answer was lost, and then its store failed again and again.
#[test]
fn what_a_late_archiver_cannot_take_back_may_be_pruned() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (5, 111, 2, What::Archive(0)),
        (14, 140_117, 2, What::Delete(0)),
    ];
    let faults = Faults { fails_before: 48, fails_after: 72, ..slow(66) };
    timed_goes_right(Kept::Files, 790_215_381, 3, faults, &acts);
}

/// An archive that came after the deletion was restored before its archiver, which was held up, looked.
#[test]
fn what_a_late_archiver_does_not_take_back_in_time_may_be_restored() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (
            3,
            100,
            1,
            What::Append {
                session: 0,
                says: 3,
                shares: Some(2),
                entries: 2,
                bytes: 100,
                durability: Os,
                anew: true,
                once: true,
            },
        ),
        (5, 108, 1, What::Archive(0)),
        (6, 108, 0, What::Archive(0)),
        (22, 253, 1, What::Delete(0)),
        (28, 400, 0, What::Restore(0)),
    ];
    timed_goes_right(Kept::Files, 1_100_872_394, 2, slow(38), &acts);
}

/// Two archivings at once, while the session was pruned: the one put back what the other had noted in
/// the tombstone's place, and so that one could not put the tombstone back.
#[test]
fn two_archivings_at_once_leave_the_tombstone_of_a_pruning() {
    let acts = [
        (0, 0, 0, What::Create(0)),
        (1, 100, 0, What::Archive(0)),
        (3, 134, 0, What::Wait(60)),
        (8, 178, 0, What::Wait(60)),
        (11, 70_191, 0, What::Create(0)),
        (14, 70_191, 0, What::Wait(864_000)),
        (15, 70_191, 0, What::Archive(0)),
        (16, 140_191, 0, What::Prune(0)),
        (23, 140_231, 0, What::Wait(4000)),
        (25, 140_231, 0, What::Archive(0)),
    ];
    timed_goes_right(Kept::Files, 1_150_496_353, 1, Faults::default(), &acts);
}

/// Someone else archived it once more, and another one's append failed half-way.
#[test]
fn what_a_late_archiver_does_not_take_back_in_time_may_be_archived_again() {
    let acts = [
        (2, 175, 2, appended(2, (2, 10), Disk, (true, true))),
        (3, 191, 1, What::Create(0)),
        (7, 271, 1, said(7, (2, 3000), Os)),
        (9, 306, 0, What::Archive(0)),
        (14, 546, 1, What::Archive(0)),
        (16, 603, 2, What::Delete(0)),
    ];
    timed_goes_right(Kept::Files, 1_103_650_475, 3, Faults { full: 17, ..slow(34) }, &acts);
}

/// A deletion that stood still for an hour took the archive, and failed then; meanwhile an archiving had
/// its record in the tombstone's place, and an append saw that. It is deleted again.
#[test]
fn a_deletion_that_failed_may_leave_what_went_on_after_the_archive() {
    let acts = [
        (0, 10_856, 0, What::Create(0)),
        (1, 84_492, 0, What::Archive(0)),
        (2, 103_795, 0, said(2, (1, 100), Disk)),
        (6, 231_789, 0, said(6, (3, 0), Disk)),
        (7, 303_870, 0, What::Delete(0)),
        (9, 307_744, 0, What::Archive(0)),
    ];
    let faults = Faults { fails_before: 53, ..slow(119) };
    timed_goes_right(Kept::Files, 1_411_146_960, 1, faults, &acts);
    let again = (20, 90_000_000, 0, What::Delete(0));
    let acts: Vec<_> = acts.into_iter().chain([again]).collect();
    timed_goes_right(Kept::Files, 1_411_146_960, 1, faults, &acts);
}
