//! What is to happen: everything that a seed decides before the first request.

use turnkeep_core::store::Durability;

use crate::chance::Chance;

/// Sessions are few, so that hosts meet.
pub const SESSIONS: [&str; 3] = ["a", "b", "c"];

/// A second, in milliseconds.
pub const SECOND_MS: u64 = 1000;
/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400 * SECOND_MS;

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In files: locked while written, durable when synced.
    Files,
    /// In a hot store that may lose things, with a bucket behind it.
    Tier,
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
        entries: u64,
        bytes: u64,
        durability: Durability,
        anew: bool,
        once: bool,
    },
    Sync(usize),
    Archive(usize),
    Restore(usize),
    Prune(usize),
    Sweep,
    Delete(usize),
    Fork {
        from: usize,
        to: usize,
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
    /// A process is gone; whether requests under way still arrive is left to chance.
    Crash,
    /// All are gone, and what was not synced may be too.
    PowerCut,
    /// The hot store drops a session's objects.
    Evict(usize),
    /// A bit of an object turns.
    Rot,
    /// A host's clock is wrong from now on, by so many days, or minus 10 to 10.
    Clock(i64),
    /// So many seconds go by for everybody.
    Wait(u64),
}

/// How often a request meets a fault, of 1,000 times each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the words say it")]
pub struct Faults {
    pub fails_before: u64,
    pub fails_after: u64,
    pub answered_twice: u64,
    pub slow: u64,
    pub full: u64,
    pub short_read: u64,
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
        let kept = *chance.one_of(&[Kept::Files, Kept::Tier]);
        let hosts = 1 + chance.below(4) as usize;
        let mut some = |most: u64| match chance.happens(400) {
            true => 1 + chance.below(most),
            false => 0,
        };
        let (fails_before, fails_after, answered_twice) = (some(80), some(80), some(100));
        let (slow, full, short_read) = (some(150), some(40), some(40));
        let faults = Faults { fails_before, fails_after, answered_twice, slow, full, short_read };
        let mut chance = Chance::of(seed, &[2]);
        let sorts = sorts(kept, &mut chance);
        let count = 6 + chance.below(26);
        // Crowded or one after the other: both find things.
        let crowd_ms = *chance.one_of(&[5, 40, 400]);
        let mut at_ms = 0;
        let acts = (0..count).map(|number| {
            let mut chance = Chance::of(seed, &[3, number]);
            at_ms += chance.below(crowd_ms);
            let what = match number {
                0 => What::Create(0),
                _ => what(*chance.one_of(&sorts), &mut chance),
            };
            Act { number, at_ms, host: chance.below(hosts as u64) as usize, what }
        });
        let acts = acts.collect();
        Self { seed, kept, hosts, faults, acts }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Create,
    Append,
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
    Crash,
    PowerCut,
    Evict,
    Rot,
    Clock,
    Wait,
}

/// The sorts of a seed, the usual ones several times.
fn sorts(kept: Kept, chance: &mut Chance) -> Vec<Sort> {
    use Sort::*;
    let of_kept: &[Sort] = match kept {
        Kept::Files => &[Archive, Archive, Restore, Sweep, Prune, Sync, PowerCut],
        Kept::Tier => &[Flush, Flush, Flush, Hydrate, Hydrate, Pull, Collect, Archive, Evict],
    };
    let all: &[Sort] = &[Create, Delete, Fork, Compact, Crash, Rot, Clock, Wait, Wait];
    let mut sorts = vec![Append, Append, Append, Read];
    // Rot hides what else goes wrong: it is rare.
    let is_in =
        |sort: Sort, chance: &mut Chance| chance.happens(if sort == Rot { 100 } else { 600 });
    sorts.extend(of_kept.iter().chain(all).filter(|sort| is_in(**sort, chance)));
    sorts
}

fn what(sort: Sort, chance: &mut Chance) -> What {
    // One session most of the time.
    let session = chance.below(5).saturating_sub(2) as usize;
    match sort {
        Sort::Create => What::Create(session),
        Sort::Append => What::Append {
            session,
            entries: 1 + chance.below(3),
            bytes: *chance.one_of(&[0, 10, 100, 3000]),
            durability: *chance.one_of(&[Durability::Os, Durability::Disk]),
            anew: chance.happens(700),
            once: chance.happens(300),
        },
        Sort::Sync => What::Sync(session),
        Sort::Archive => What::Archive(session),
        Sort::Restore => What::Restore(session),
        Sort::Prune => What::Prune(session),
        Sort::Sweep => What::Sweep,
        Sort::Delete => What::Delete(session),
        Sort::Fork => {
            What::Fork { from: session, to: chance.below(SESSIONS.len() as u64) as usize }
        }
        Sort::Compact => What::Compact(session),
        Sort::Read => What::Read(session),
        Sort::Flush => What::Flush { session, hot: chance.below(3) },
        Sort::Hydrate => What::Hydrate(session),
        Sort::Pull => What::Pull(session),
        Sort::Collect => What::Collect,
        Sort::Crash => What::Crash,
        Sort::PowerCut => What::PowerCut,
        Sort::Evict => What::Evict(session),
        Sort::Rot => What::Rot,
        Sort::Clock => What::Clock(chance.below(21).cast_signed() - 10),
        Sort::Wait => What::Wait(*chance.one_of(&[1, 60, 4000, 10 * 86_400])),
    }
}
