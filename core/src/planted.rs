//! Defects that earlier systems had, each as a switch at the place that keeps it out. Only the
//! simulator's tests compile them, and switch on one at a time.

extern crate std;

use core::cell::Cell;

macro_rules! defects {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Something that goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Defect { $($(#[$doc])* $name,)* }

        impl Defect {
            /// Every defect there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

defects! {
    /// Z1: who flushed removes what is hot, whatever came in between.
    FlushClearsWhatCame,
    /// Z8: the last to commit wins.
    CommitOverwrites,
    /// Z4: who hydrates puts what is cold in the place of whatever is hot.
    HydrateOverwrites,
    /// Z7, Z13: who forks puts the copy in the place of whatever is there.
    ForkOverwrites,
    /// Z14: a commit that failed is taken for done.
    FailedCommitIsDone,
    /// A3: who archived removes the log, whatever came in between.
    ArchiveRemovesWhatCame,
    /// A1: the log goes before the archive is published.
    LogGoesFirst,
    /// A4: the archive goes before the log is published.
    ArchiveGoesFirst,
    /// A4: who restores overwrites a newer log.
    RestoreOverwrites,
    /// A2: an archive is pruned whatever was appended after it.
    PruneTakesWhatLives,
    /// A9: an archiving that was refused removes an archive that others need.
    RefusedArchivingRemoves,
    /// H6: an append goes after whatever is there.
    AppendAnywhere,
    /// H8: creating truncates the log that is there.
    CreateTruncates,
    /// O9: an unfinished line is not cut off, and the next one sticks to it.
    TornTailStays,
    /// H1: hashes are believed.
    HashesAreBelieved,
    /// O1, O10: what is to be durable is not synced.
    NothingIsSynced,
    /// An append whose answer was lost is done once more.
    LostAnswerIsRepeated,
    /// Deleting leaves the archive.
    DeleteLeavesArchive,
    /// Deleting tells the cold store nothing.
    DeleteLeavesCold,
    /// Objects are collected at once.
    NoGrace,
    /// An append to an archived session does not claim the log's place.
    WakeUnclaimed,
    /// Creating does not claim the log's place.
    CreateUnclaimed,
    /// Syncing does nothing.
    SyncIsNothing,
    /// A fork lacks the last entry.
    ForkTakesLess,
    /// Z5, Z6: an append that happens once is taken for another one.
    OnceForAll,
    /// A deletion does not close what is archived.
    DeleteLeavesOpen,
    /// A1: an archive is not read back before the log goes.
    ArchiveUnread,
    /// A restored log is not read back before the archive goes.
    RestoreUnread,
    /// Segments are not read back before a manifest names them.
    SegmentUnread,
    /// Z2: a session that the hot store lost is flushed as an empty one.
    LostIsEmpty,
    /// H7: a fork at an entry that nobody knows is one at the head.
    UnknownIsHead,
    /// Z12: sessions of different ids share a key.
    KeysCollide,
    /// H5, O8: half a batch counts.
    HalfBatchCounts,
    /// E1: the older bundle goes first.
    OldBundleGoesFirst,
    /// A bundle is not read back before it takes the older one's place.
    BundleUnread,
    /// E3: sessions that a restoring replaced stay replaced where it was cut off.
    HalfRestoredStays,
    /// E5: a cache that cannot be read is an empty one.
    CacheFailureIsEmpty,
    /// E2: what was busy between two looks is forgotten.
    BusyIsForgotten,
    /// H3: whose log it is counts for nothing.
    AnyonesLog,
    /// Z10, A6: nothing bounds what is inflated.
    Unbounded,
    /// A2: archives are pruned that this store did not make.
    PruneTakesOthers,
}

std::thread_local! {
    /// Which one is on in this thread.
    static ON: Cell<Option<Defect>> = const { Cell::new(None) };
}

/// Switches a defect on in this thread, and any other one off.
pub fn plant(defect: Option<Defect>) {
    ON.set(defect);
}

pub(crate) fn is(defect: Defect) -> bool {
    ON.get() == Some(defect)
}
