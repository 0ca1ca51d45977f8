//! What happened, and what that may have done to what was said.

use turnkeep_core::store::Durability;

use crate::plan::{Kept, Plan, What};
use crate::world::Record;

/// Everything that happened.
pub(crate) struct History<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) records: Vec<Record>,
}

/// Some entries, and the appends that were to say them: the first one, and those that tried again.
pub(crate) struct Said<'a> {
    /// The number of the first one.
    pub(crate) number: u64,
    pub(crate) session: usize,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) appends: Vec<&'a Record>,
}

impl Said<'_> {
    /// When the first of them began.
    pub(crate) fn began(&self) -> u64 {
        self.appends.iter().map(|record| record.began).min().unwrap_or(u64::MAX)
    }

    /// Whether all of them were refused, and nothing went wrong with them.
    pub(crate) fn is_refused(&self) -> bool {
        self.appends.iter().all(|record| record.end.error.is_some() && record.faults == 0)
    }
}

impl History<'_> {
    pub(crate) fn acts(&self, is_it: impl Fn(What) -> bool) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| is_it(record.act.what))
    }

    /// What was to be said in a session.
    pub(crate) fn said_to(&self, session: usize) -> Vec<Said<'_>> {
        let mut all: Vec<Said<'_>> = Vec::new();
        for record in &self.records {
            let What::Append { session: to, says, entries, bytes, .. } = record.act.what else {
                continue;
            };
            match all.iter_mut().find(|said| said.number == says) {
                _ if to != session => {}
                Some(said) => said.appends.push(record),
                None => {
                    let appends = vec![record];
                    all.push(Said { number: says, session, entries, bytes, appends });
                }
            }
        }
        all
    }

    /// When all that was to say something is over for sure.
    pub(crate) fn end_of_all(&self, said: &Said<'_>) -> u64 {
        said.appends.iter().map(|record| self.end_of(record)).max().unwrap_or_default()
    }

    /// An append that was acknowledged before then, and that nothing took or lost until then.
    pub(crate) fn unexcused(&self, said: &Said<'_>, (since, until): (u64, u64)) -> Option<&Record> {
        let is_acknowledged = |append: &&Record| {
            append.end.error.is_none() && append.ended.is_some_and(|ended| ended < since)
        };
        let mut acknowledged = said.appends.iter().copied().filter(is_acknowledged);
        let number = acknowledged.find(|append| {
            !self.may_be_deleted(said.session, append.began, until)
                && !self.may_be_pruned(said.session, said.began(), until)
                && !self.may_be_lost(said.session, append, until)
        })?;
        self.records.iter().find(|record| record.act.number == number.act.number)
    }

    /// Sessions that this one may have entries of.
    pub(crate) fn heritage(&self, session: usize) -> Vec<usize> {
        let mut all = vec![session];
        let mut at = 0;
        while at < all.len() {
            let child = all[at];
            for record in &self.records {
                if let What::Fork { from, to, at_head: true } = record.act.what
                    && to == child
                    && !all.contains(&from)
                {
                    all.push(from);
                }
            }
            at += 1;
        }
        all
    }

    /// Whether a deletion of a session is not over before `since`.
    pub(crate) fn may_be_deleted(&self, session: usize, since: u64, until: u64) -> bool {
        self.go_on(|what| what == What::Delete(session), since, until).next().is_some()
    }

    /// Whether a pruning may take what was said from `since` on: only what was archived goes.
    pub(crate) fn may_be_pruned(&self, session: usize, since: u64, until: u64) -> bool {
        let is_archiving = |what| what == What::Archive(session) || what == What::Sweep;
        self.go_on(|what| what == What::Prune(session), since, until)
            .any(|pruning| self.go_on(is_archiving, since, self.end_of(pruning)).next().is_some())
    }

    /// Such things that began before `until`, and are not over before `since`.
    fn go_on(
        &self,
        is_it: impl Fn(What) -> bool,
        since: u64,
        until: u64,
    ) -> impl Iterator<Item = &Record> {
        self.acts(is_it).filter(move |record| record.began <= until && self.end_of(record) >= since)
    }

    /// When something is over for sure: what nobody heard of, or heard a failure of, may come later.
    pub(crate) fn end_of(&self, record: &Record) -> u64 {
        match (record.ended, &record.end.error) {
            (Some(ended), None) => ended,
            (Some(ended), Some(_)) if record.faults == 0 => ended,
            _ => u64::MAX,
        }
    }

    /// Whether a loss of the store takes an append that was acknowledged.
    fn may_be_lost(&self, session: usize, append: &Record, until: u64) -> bool {
        let ended = append.ended.unwrap_or(u64::MAX);
        let durability = durability_of(append);
        self.records.iter().any(|loss| match loss.act.what {
            What::PowerCut => {
                // Also earlier ones: what it went after may be lost where others wrote it.
                durability != Durability::Disk
                    && loss.began >= append.began
                    && loss.began <= until
                    && !self.is_made_durable(session, ended, loss.began)
            }
            What::Evict { session: of, .. } => {
                of == session
                    && loss.began >= append.began
                    && loss.began <= until
                    && !self.is_flushed(session, ended, loss.began)
            }
            // What is known of a session may be what is damaged.
            What::Rot => loss.began <= until,
            _ => false,
        })
    }

    fn is_made_durable(&self, session: usize, since: u64, until: u64) -> bool {
        self.records.iter().any(|record| {
            let makes = match record.act.what {
                What::Append { session: to, durability, .. } => {
                    to == session && durability == Durability::Disk
                }
                What::Archive(of) => of == session,
                _ => false,
            };
            makes
                && record.began >= since
                && record.end.error.is_none()
                && record.ended.is_some_and(|ended| ended <= until)
        })
    }

    fn is_flushed(&self, session: usize, since: u64, until: u64) -> bool {
        self.records.iter().any(|record| {
            matches!(record.act.what, What::Flush { session: of, .. } if of == session)
                && record.began >= since
                && record.end.error.is_none()
                && record.ended.is_some_and(|ended| ended <= until)
        })
    }

    /// Whether a deletion that began after an append was over is over, too, and no copy is anywhere.
    pub(crate) fn was_deleted(&self, session: usize, said: &Said<'_>, until: u64) -> bool {
        let is_copied = self
            .acts(|what| matches!(what, What::Fork { from, .. } if from == session))
            .next()
            .is_some();
        let ended = self.end_of_all(said);
        !is_copied
            && self.acts(|what| what == What::Delete(session)).any(|record| {
                record.began > ended
                    && record.end.error.is_none()
                    && record.ended.is_some_and(|over| over < until)
                    && !self.is_published_late(session, record, until)
            })
    }

    /// Whether an archiving may have published its archive after that deletion, and someone looked, or
    /// appended after it, before that was seen: in a folder that is left to chance (format.md §7.1).
    fn is_published_late(&self, session: usize, deletion: &Record, looked: u64) -> bool {
        let over = deletion.ended.unwrap_or(u64::MAX);
        let is_archiving = |what| what == What::Archive(session) || what == What::Sweep;
        let is_append = |what| matches!(what, What::Append { session: of, .. } if of == session);
        self.plan.kept == Kept::Files
            && self
                .acts(is_archiving)
                .filter(|late| late.began <= over && self.end_of(late) > over)
                .any(|late| {
                    let end = self.end_of(late);
                    looked <= end
                        || self.go_on(is_append, over, end).any(|append| append.end.error.is_none())
                })
    }
}

fn durability_of(append: &Record) -> Durability {
    match append.act.what {
        What::Append { durability, .. } => durability,
        _ => Durability::Os,
    }
}
