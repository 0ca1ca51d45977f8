//! What is to happen: everything that a seed decides before the first request.

use turnkeep_core::store::Durability;

use crate::chance::Chance;

/// Sessions are few, so that hosts meet; their names look alike.
pub const SESSIONS: [&str; 3] = ["a", "A", "b"];

/// A second, in milliseconds.
pub const SECOND_MS: u64 = 1000;
/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400 * SECOND_MS;
/// Bytes of the one text in an imported session.
pub const IMPORTED_BYTES: u64 = 100;

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In files: locked while written, durable when synced.
    Files,
    /// In a hot store that may lose things, with a bucket behind it.
    Tier,
    /// In files; all of it is written into bundles and restored, one thing after the other.
    Runtime,
}

/// Something that is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// Its number: decides all chance within it.
    pub number: u64,
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// Which host it happens to.
    pub host: usize,
    /// What.
    pub what: What,
}

/// What a host does, or what is done to it. Sessions by their places in [`SESSIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub enum What {
    Create(usize),
    /// So many entries at once; `anew`: by a session that is opened for it, else by the one at hand.
    Append {
        session: usize,
        /// The number of the act that says it first: its own, or that of an append that is tried again.
        says: u64,
        /// An append of which the first item has the id too: this one is another one all the same.
        shares: Option<u64>,
        entries: u64,
        bytes: u64,
        durability: Durability,
        anew: bool,
        once: bool,
    },
    /// A file of another system, which an act of that number says something in.
    Import {
        session: usize,
        says: u64,
    },
    Sync(usize),
    Archive(usize),
    Restore(usize),
    Prune(usize),
    /// What nobody used for a day is archived; `prunes`: and every archive goes.
    Sweep {
        prunes: bool,
    },
    Delete(usize),
    Fork {
        from: usize,
        to: usize,
        /// At the head; else at an entry that nobody knows.
        at_head: bool,
    },
    Compact(usize),
    Read(usize),
    /// Keeps, clears or leaves what is hot.
    Flush {
        session: usize,
        hot: u64,
    },
    Hydrate(usize),
    Pull(usize),
    Collect,
    /// All sessions and values go into a bundle; `cut`: the host is gone at that request.
    Snapshot {
        cut: Option<u64>,
    },
    /// The bundle's sessions and values take the place of those there are.
    RestoreBundle {
        cut: Option<u64>,
    },
    /// A process is gone; whether requests under way still arrive is left to chance.
    Crash,
    /// All are gone, and what was not synced may be too.
    PowerCut,
    /// The hot store drops a session's objects, or its log alone.
    Evict {
        session: usize,
        log_only: bool,
    },
    /// A bit of an object turns.
    Rot,
    /// A host's clock is wrong from now on, by so many days, or minus 10 to 10.
    Clock(i64),
    /// So many seconds go by for everybody.
    Wait(u64),
}

impl What {
    /// The session that it is about, if it is about one.
    #[must_use]
    pub fn session(self) -> Option<usize> {
        match self {
            Self::Create(session)
            | Self::Append { session, .. }
            | Self::Import { session, .. }
            | Self::Sync(session)
            | Self::Archive(session)
            | Self::Restore(session)
            | Self::Prune(session)
            | Self::Delete(session)
            | Self::Compact(session)
            | Self::Read(session)
            | Self::Flush { session, .. }
            | Self::Hydrate(session)
            | Self::Pull(session)
            | Self::Evict { session, .. } => Some(session),
            Self::Fork { to, .. } => Some(to),
            _ => None,
        }
    }

    /// The session that its host goes on with afterwards.
    #[must_use]
    pub fn at_hand(self) -> Option<usize> {
        let goes_on = matches!(
            self,
            Self::Create(_)
                | Self::Append { .. }
                | Self::Sync(_)
                | Self::Compact(_)
                | Self::Hydrate(_)
                | Self::Fork { .. }
        );
        self.session().filter(|_| goes_on)
    }
}

/// How often a request meets a fault, of 1,000 times each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the words say it")]
pub struct Faults {
    pub fails_before: u64,
    pub fails_after: u64,
    pub late: u64,
    pub resent: u64,
    pub answered_twice: u64,
    pub slow: u64,
    pub full: u64,
    pub short_read: u64,
    pub damaged: u64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words say it")]
pub struct Plan {
    pub seed: u64,
    pub kept: Kept,
    pub hosts: usize,
    pub faults: Faults,
    pub acts: Vec<Act>,
}

impl Plan {
    /// What a seed decides. Each seed leaves some sorts of faults and acts out, so that others come
    /// more often (swarm testing).
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, &[1]);
        let kept =
            *chance.one_of(&[Kept::Files, Kept::Files, Kept::Tier, Kept::Tier, Kept::Runtime]);
        let hosts = 1 + chance.below(4) as usize;
        let mut some = |most: u64| match chance.happens(400) {
            true => 1 + chance.below(most),
            false => 0,
        };
        let (fails_before, fails_after, answered_twice) = (some(80), some(80), some(100));
        let (slow, full, short_read, damaged) = (some(150), some(40), some(40), some(200));
        // A network may keep a request, or send it twice; a disk does not.
        let (late, resent) = match kept {
            Kept::Tier => (some(60), some(60)),
            Kept::Files | Kept::Runtime => (0, 0),
        };
        let faults = Faults {
            fails_before,
            fails_after,
            late,
            resent,
            answered_twice,
            slow,
            full,
            short_read,
            damaged,
        };
        let mut chance = Chance::of(seed, &[2]);
        let is_meeting = chance.happens(400);
        let sorts = match is_meeting {
            true => [&[Sort::Append, Sort::Append], *chance.one_of(meetings(kept))].concat(),
            false => sorts(kept, &mut chance),
        };
        let count = 6 + chance.below(26);
        // Crowded or one after the other: both find things.
        let crowd_ms = match is_meeting {
            true => *chance.one_of(&[40, 400, 4000, 100_000]),
            false => *chance.one_of(&[5, 40, 400, 20_000]),
        };
        // Some come at the same time as the one before.
        let at_once = *chance.one_of(&[0, 300, 700]);
        let is_one_session = is_meeting || chance.happens(500);
        let mut at_ms = 0;
        let mut acts: Vec<Act> = Vec::new();
        for number in 0..count {
            let mut chance = Chance::of(seed, &[3, number]);
            at_ms += if chance.happens(at_once) { 0 } else { chance.below(crowd_ms) };
            // Most of the time there is a session before others look for it.
            if number == 1 && chance.happens(900) {
                at_ms += CREATED_MS;
            }
            let what = match number {
                0 => What::Create(0),
                _ => {
                    let sort = *chance.one_of(&sorts);
                    let session = match is_one_session && kept != Kept::Runtime {
                        true => 0,
                        // One session most of the time.
                        false => chance.below(5).saturating_sub(2) as usize,
                    };
                    let sort = sensible(sort, session, &acts, &mut chance);
                    what(sort, session, number, &acts, &mut chance)
                }
            };
            // What is in use is not pruned; half of the time whoever restores waits likewise.
            at_ms += match what {
                What::Prune(_) if chance.happens(700) => REST_MS,
                What::Restore(_) if chance.happens(500) => CREATED_MS,
                _ => 0,
            };
            acts.push(Act { number, at_ms, host: chance.below(hosts as u64) as usize, what });
        }
        Self { seed, kept, hosts, faults, acts }
    }
}

/// As long as creating a session takes, or archiving it.
const CREATED_MS: u64 = 100;
/// Longer than what is archived has to rest before it is pruned.
const REST_MS: u64 = 70 * SECOND_MS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Create,
    Append,
    Again,
    Import,
    Sync,
    Archive,
    Restore,
    Prune,
    Sweep,
    Delete,
    Fork,
    Compact,
    Read,
    Flush,
    Hydrate,
    Pull,
    Collect,
    Snapshot,
    RestoreBundle,
    Crash,
    PowerCut,
    Evict,
    Rot,
    Clock,
    Wait,
}

impl Sort {
    /// Whether it needs a session.
    fn is_of_session(self) -> bool {
        !matches!(
            self,
            Self::Sweep
                | Self::Collect
                | Self::Snapshot
                | Self::RestoreBundle
                | Self::Crash
                | Self::PowerCut
                | Self::Rot
                | Self::Clock
                | Self::Wait
        )
    }
}

/// What must get along: some seeds have one of these lists alone, so that it meets often.
fn meetings(kept: Kept) -> &'static [&'static [Sort]] {
    use Sort::*;
    match kept {
        Kept::Files => &[
            &[Archive, Prune, Prune, Wait, Wait],
            &[Archive, Archive, Prune, Wait],
            &[Archive, Restore, Prune, Wait],
            &[Archive, Restore],
            &[Archive, Restore, Delete, Create],
            &[Import, Archive, Delete],
            &[Sweep, Sweep, Restore, Wait],
            &[Archive, Delete, Create],
            &[Archive, Delete, Fork],
            &[Create, Delete, Crash],
            &[PowerCut, Crash, Sync, Again],
        ],
        Kept::Tier => &[
            &[Flush, Collect],
            &[Flush, Flush, Collect, Wait],
            &[Flush, Hydrate],
            &[Flush, Evict, Hydrate],
            &[Flush, Delete, Create],
            &[Flush, Archive, Delete, Hydrate],
            &[Flush, Fork, Delete, Collect],
            &[Archive, Delete, Create],
            &[Import, Flush, Delete],
            &[Create, Delete, Crash, Again],
        ],
        Kept::Runtime => &[&[Archive, Snapshot, RestoreBundle], &[Snapshot, RestoreBundle, Delete]],
    }
}

/// The sorts of a seed, the usual ones several times.
fn sorts(kept: Kept, chance: &mut Chance) -> Vec<Sort> {
    use Sort::*;
    let of_kept: &[Sort] = match kept {
        Kept::Files => {
            &[Archive, Archive, Archive, Restore, Restore, Prune, Prune, Sweep, Sync, PowerCut]
        }
        Kept::Tier => {
            &[Flush, Flush, Flush, Hydrate, Hydrate, Pull, Collect, Collect, Archive, Evict]
        }
        Kept::Runtime => {
            &[Create, Archive, Snapshot, Snapshot, Snapshot, RestoreBundle, RestoreBundle]
        }
    };
    let all: &[Sort] = &[
        Create, Create, Delete, Fork, Fork, Again, Import, Compact, Crash, Rot, Clock, Wait, Wait,
    ];
    let mut sorts = vec![Append, Append, Append, Read];
    // Few sorts meet more often; rot hides what else goes wrong, so it is rare.
    let rate = *chance.one_of(&[150, 300, 600]);
    let is_in =
        |sort: Sort, chance: &mut Chance| chance.happens(if sort == Rot { 100 } else { rate });
    sorts.extend(of_kept.iter().chain(all).filter(|sort| is_in(**sort, chance)));
    sorts
}

/// Most of the time what is to be used is made first, if nobody did; the rest finds nothing.
fn sensible(sort: Sort, session: usize, before: &[Act], chance: &mut Chance) -> Sort {
    let last = |is_it: &dyn Fn(What) -> bool| before.iter().rposition(|act| is_it(act.what));
    let made = last(&|what| match what {
        What::Create(of) | What::Import { session: of, .. } => of == session,
        What::Fork { to, at_head, .. } => to == session && at_head,
        _ => false,
    });
    let archived = last(&|what| what == What::Archive(session));
    let is_there = made > last(&|what| what == What::Delete(session));
    let is_archived = archived > last(&|what| what == What::Restore(session)) && archived > made;
    match sort {
        Sort::Create | Sort::Import => sort,
        Sort::Prune | Sort::Restore if is_there && !is_archived && chance.happens(700) => {
            Sort::Archive
        }
        _ if sort.is_of_session() && !is_there && chance.happens(700) => Sort::Create,
        _ => sort,
    }
}

fn what(sort: Sort, session: usize, number: u64, before: &[Act], chance: &mut Chance) -> What {
    match sort {
        Sort::Create => What::Create(session),
        Sort::Append => append(session, number, before, chance),
        Sort::Again => again(number, before, chance),
        Sort::Sync => What::Sync(session),
        Sort::Archive => What::Archive(session),
        Sort::Restore => What::Restore(session),
        Sort::Prune => What::Prune(session),
        Sort::Sweep => What::Sweep { prunes: chance.happens(300) },
        Sort::Import => import(session, number, before, chance),
        Sort::Delete => What::Delete(session),
        Sort::Fork => {
            let to = chance.below(SESSIONS.len() as u64) as usize;
            What::Fork { from: session, to, at_head: chance.happens(800) }
        }
        Sort::Compact => What::Compact(session),
        Sort::Read => What::Read(session),
        Sort::Flush => What::Flush { session, hot: chance.below(3) },
        Sort::Hydrate => What::Hydrate(session),
        Sort::Pull => What::Pull(session),
        Sort::Collect => What::Collect,
        Sort::Snapshot => What::Snapshot { cut: cut(chance) },
        Sort::RestoreBundle => What::RestoreBundle { cut: cut(chance) },
        Sort::Crash => What::Crash,
        Sort::PowerCut => What::PowerCut,
        Sort::Evict => What::Evict { session, log_only: chance.happens(400) },
        Sort::Rot => What::Rot,
        Sort::Clock => What::Clock(chance.below(21).cast_signed() - 10),
        Sort::Wait => What::Wait(*chance.one_of(&[1, 60, 4000, 10 * 86_400])),
    }
}

fn cut(chance: &mut Chance) -> Option<u64> {
    let at = chance.below(100);
    chance.happens(600).then_some(at)
}

fn append(session: usize, number: u64, before: &[Act], chance: &mut Chance) -> What {
    let append = What::Append {
        session,
        says: number,
        shares: None,
        entries: 1 + chance.below(3),
        bytes: *chance.one_of(&[0, 10, 100, 3000]),
        durability: *chance.one_of(&[Durability::Os, Durability::Disk]),
        anew: chance.happens(700),
        once: chance.happens(300),
    };
    let shares = earlier(before, chance).filter(|_| chance.happens(100));
    match (append, shares) {
        (
            What::Append { bytes, durability, anew, .. },
            Some(What::Append { session, says, .. }),
        ) => {
            let (shares, entries, says) = (Some(says), 2, number);
            What::Append { session, says, shares, entries, bytes, durability, anew, once: true }
        }
        _ => append,
    }
}

/// An earlier append once more, as one that does not know what became of it.
fn again(number: u64, before: &[Act], chance: &mut Chance) -> What {
    match earlier(before, chance) {
        Some(What::Append { session, says, shares, entries, bytes, .. }) => What::Append {
            session,
            says,
            shares,
            entries,
            bytes,
            durability: *chance.one_of(&[Durability::Os, Durability::Disk]),
            anew: chance.happens(700),
            once: true,
        },
        _ => append(0, number, before, chance),
    }
}

/// A file that nobody imported yet, or the last one that somebody did.
fn import(session: usize, number: u64, before: &[Act], chance: &mut Chance) -> What {
    let earlier =
        before.iter().rev().map(|act| act.what).find(|what| matches!(what, What::Import { .. }));
    let again = earlier.filter(|_| chance.happens(500));
    again.unwrap_or(What::Import { session, says: number })
}

/// One of the last appends whose items have ids of their own.
fn earlier(before: &[Act], chance: &mut Chance) -> Option<What> {
    let is_own = |what: &What| matches!(what, What::Append { shares: None, .. });
    let mut all = before.iter().rev().map(|act| act.what).filter(is_own);
    all.nth(chance.below(3) as usize)
}
