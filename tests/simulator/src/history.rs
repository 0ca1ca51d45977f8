//! What happened, and what that may have done to what was said.

use turnkeep_core::store::Durability;
use turnkeep_core::{Error, ErrorKind};

use crate::plan::{IMPORTED_BYTES, Kept, Plan, What};
use crate::world::Record;

/// When something was looked at, in numbers of events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// When it began.
    pub(crate) since: u64,
    /// When it ended.
    pub(crate) until: u64,
    /// Whether verifying found nothing wrong either: then bits that turned excuse nothing.
    pub(crate) is_verified: bool,
}

impl Look {
    /// When everything is over, and verifying found nothing wrong.
    pub(crate) const SOUND_AT_THE_END: Self =
        Self { since: u64::MAX, until: u64::MAX, is_verified: true };
}

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

    /// When all of them are over.
    pub(crate) fn over(&self) -> u64 {
        self.appends.iter().map(|record| record.over()).max().unwrap_or_default()
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
            let (to, says, entries, bytes) = match record.act.what {
                What::Append { session, says, entries, bytes, .. } => {
                    (session, says, entries, bytes)
                }
                What::Import { session, says } => (session, says, 1, IMPORTED_BYTES),
                _ => continue,
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

    /// Who wrote something into a session that must be there, for it was acknowledged and nothing took
    /// or lost it until then: an append, or a fork that took it over.
    pub(crate) fn owed(&self, session: usize, said: &Said<'_>, look: Look) -> Option<&Record> {
        let is_kept = |record: &&Record| {
            record.is_done()
                && record.over() < look.since
                && !self.may_be_deleted(session, record.began, look.until)
                && !self.is_half_deleted(said, record, look.until)
                && !self.may_be_lost(session, record, look)
                && (look.is_verified || !self.is_hidden(session, look.until))
        };
        let is_pruned = |began| self.may_be_pruned(session, began, look.until);
        let mut appends = self.records.iter().filter(|record| {
            said.session == session
                && said.appends.iter().any(|append| append.act.number == record.act.number)
        });
        let append = appends.find(|append| is_kept(append) && !is_pruned(said.began()));
        append.or_else(|| {
            self.forks(session)
                .filter(|(_, fork)| is_kept(fork) && !is_pruned(fork.began))
                .find_map(|(from, fork)| {
                    let look = Look { since: fork.began, until: fork.over(), is_verified: false };
                    (from != session && self.owed(from, said, look).is_some()).then_some(fork)
                })
        })
    }

    /// Whether an archive of the hot store may stand before what was flushed: the archiving was held up
    /// until after a flush, and reads as the session until the next one (tiers.md).
    pub(crate) fn is_hidden(&self, session: usize, until: u64) -> bool {
        let is_flush = |what| matches!(what, What::Flush { session: of, .. } if of == session);
        self.plan.kept == Kept::Tier
            && self.acts(|what| archives(what, session)).any(|archiving| {
                let mut flushes = self.go_on(is_flush, archiving.began, archiving.over());
                archiving.began <= until && flushes.next().is_some()
            })
    }

    /// Whether a flush may have cleared such an archive while someone went on with it (tiers.md).
    pub(crate) fn is_cleared_while_hidden(&self, session: usize) -> bool {
        let is_flush = |what| matches!(what, What::Flush { session: of, .. } if of == session);
        let is_append = |what| matches!(what, What::Append { session: of, .. } if of == session);
        self.is_hidden(session, u64::MAX)
            && self
                .acts(is_append)
                .any(|append| self.go_on(is_flush, append.began, append.over()).next().is_some())
    }

    /// Whether a deletion that failed may have taken the archive that someone just went on after, while an
    /// archiving had its own record in the tombstone's place (`docs/format.md` §7.1).
    pub(crate) fn is_deleted_in_part(&self, session: usize) -> bool {
        let is_append = |what| matches!(what, What::Append { session: of, .. } if of == session);
        self.acts(|what| what == What::Delete(session)).any(|deletion| {
            let meanwhile = (deletion.began, deletion.over());
            let mut appends = self.go_on(is_append, meanwhile.0, meanwhile.1);
            let mut archivings =
                self.go_on(|what| archives(what, session), meanwhile.0, meanwhile.1);
            !deletion.is_done() && appends.next().is_some() && archivings.next().is_some()
        })
    }

    /// Whether the network may have carried out a refused append after all: it came a second time, once
    /// an eviction and a hydration, or a flush, had brought back the very log that it goes after.
    pub(crate) fn is_sent_again(&self, session: usize, said: &Said<'_>) -> bool {
        let brings_back = |what| match what {
            What::Evict { session: of, .. }
            | What::Flush { session: of, .. }
            | What::Hydrate(of)
            | What::Pull(of) => of == session,
            _ => false,
        };
        self.acts(brings_back).any(|loss| {
            said.appends.iter().any(|append| append.is_resent && loss.began < append.over())
        })
    }

    /// Those that forked a session out of another one.
    fn forks(&self, session: usize) -> impl Iterator<Item = (usize, &Record)> {
        self.records.iter().filter_map(move |record| match record.act.what {
            What::Fork { from, to, at_head: true } if to == session => Some((from, record)),
            _ => None,
        })
    }

    /// Sessions that this one may have entries of.
    pub(crate) fn heritage(&self, session: usize) -> Vec<usize> {
        let mut all = vec![session];
        let mut at = 0;
        while at < all.len() {
            for (from, _) in self.forks(all[at]) {
                if !all.contains(&from) {
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

    /// Whether someone wrote through a session that was opened before the cold store heard of a
    /// deletion, which failed afterwards, or was told that it was written already: that goes with the
    /// session (tiers.md).
    fn is_half_deleted(&self, said: &Said<'_>, writer: &Record, until: u64) -> bool {
        let What::Append { session, anew, once, .. } = writer.act.what else { return false };
        self.plan.kept == Kept::Tier
            && self.acts(|what| what == What::Delete(session)).any(|deletion| {
                let is_repeated = once && said.began() < deletion.began;
                (!anew || is_repeated) && deletion.began <= until && !deletion.is_done()
            })
    }

    /// Whether a pruning may take what was said from `since` on: only what was archived goes.
    pub(crate) fn may_be_pruned(&self, session: usize, since: u64, until: u64) -> bool {
        let prunes = |what| what == What::Prune(session) || what == What::Sweep { prunes: true };
        self.go_on(prunes, since, until).any(|pruning| {
            self.go_on(|what| archives(what, session), since, pruning.over()).next().is_some()
        })
    }

    /// Such things that began before `until`, and are not over before `since`.
    pub(crate) fn go_on(
        &self,
        is_it: impl Fn(What) -> bool,
        since: u64,
        until: u64,
    ) -> impl Iterator<Item = &Record> {
        self.acts(is_it).filter(move |record| record.began <= until && record.over() >= since)
    }

    /// Whether the network may have begun the session a second time, after its log was removed: that is
    /// the session then, as it began, whatever came after it (`docs/tiers.md`).
    pub(crate) fn is_begun_again(&self, session: usize) -> bool {
        let removes = |what| match what {
            What::Flush { session: of, .. } | What::Delete(of) | What::Archive(of) => of == session,
            _ => false,
        };
        self.acts(|what| what == What::Create(session)).any(|create| {
            let mut removals = self.go_on(removes, create.began, create.over());
            create.is_resent && removals.next().is_some()
        })
    }

    /// Whether the network may have written a second time what goes on after an archive, once both were
    /// deleted or evicted (`docs/tiers.md`).
    pub(crate) fn is_followed_again(&self, session: usize) -> bool {
        let is_append = |what| matches!(what, What::Append { session: of, .. } if of == session);
        let removes = |what| match what {
            What::Evict { session: of, .. } | What::Delete(of) => of == session,
            _ => false,
        };
        self.acts(is_append).any(|append| {
            let mut removals = self.go_on(removes, append.began, append.over());
            append.is_resent && removals.next().is_some()
        })
    }

    /// Whether a loss of the store takes what someone wrote who was told that it is there.
    fn may_be_lost(&self, session: usize, writer: &Record, look: Look) -> bool {
        let over = writer.over();
        let happens = |loss: &Record| loss.began >= writer.began && loss.began <= look.until;
        let is_rotten =
            |loss: &Record| (loss.is_unfinished || !look.is_verified) && self.rots(loss, session);
        self.records.iter().any(|loss| match loss.act.what {
            _ if is_rotten(loss) && loss.began <= look.until => true,
            What::Create(of) if of == session && self.is_begun_again(session) => true,
            // Also earlier ones: what it went after may be lost where others wrote it.
            What::PowerCut => {
                durability_of(writer) != Durability::Disk
                    && happens(loss)
                    && !self.is_made_durable(session, over, loss.began)
            }
            What::Evict { session: of, .. } => {
                of == session && happens(loss) && !self.is_flushed(session, over, loss.began)
            }
            _ => false,
        })
    }

    /// Whether a flush may not find its manifest any more when it reads it back: others flushed meanwhile,
    /// and it was collected (`docs/tiers.md`).
    pub(crate) fn is_collected(&self, flush: &Record) -> bool {
        let What::Flush { session, .. } = flush.act.what else { return false };
        let is_other = |what| matches!(what, What::Flush { session: of, .. } if of == session);
        let is_meanwhile = |is_it: &dyn Fn(What) -> bool| {
            let mut others = self.go_on(is_it, flush.began, flush.over());
            others.any(|other| other.act.number != flush.act.number && other.is_done())
        };
        is_meanwhile(&is_other) && is_meanwhile(&|what| what == What::Collect)
    }

    /// Whether a bit that turned is one of what the session is made of.
    fn rots(&self, loss: &Record, session: usize) -> bool {
        self.heritage(session).iter().any(|session| loss.rotten.contains(session))
    }

    /// Whether a bit turned of what the session is made of.
    pub(crate) fn is_rotten(&self, session: usize) -> bool {
        self.records.iter().any(|loss| self.rots(loss, session))
    }

    fn is_made_durable(&self, session: usize, since: u64, until: u64) -> bool {
        self.records.iter().any(|record| {
            let makes = match record.act.what {
                What::Append { session: to, durability, .. } => {
                    to == session && durability == Durability::Disk
                }
                What::Archive(of) | What::Sync(of) => of == session,
                _ => false,
            };
            makes && record.began >= since && record.is_done() && record.over() <= until
        })
    }

    /// Whether a flush that began after `since` was done before `until`.
    fn is_flushed(&self, session: usize, since: u64, until: u64) -> bool {
        self.acts(|what| matches!(what, What::Flush { session: of, .. } if of == session))
            .any(|flush| flush.began >= since && flush.is_done() && flush.over() <= until)
    }

    /// Whether a deletion that began after an append was over is over, too, and no copy is anywhere.
    pub(crate) fn was_deleted(&self, session: usize, said: &Said<'_>, until: u64) -> bool {
        let is_brought_back = self.forks(session).next().is_some();
        !is_brought_back
            && self.acts(|what| what == What::Delete(session)).any(|deletion| {
                deletion.began > said.over()
                    && deletion.is_done()
                    && deletion.over() < until
                    && !self.is_published_late(session, deletion, until)
            })
    }

    /// Whether the archive of a session that is gone may lie beside a newer one of that id.
    pub(crate) fn has_other_archive(&self, session: usize, looked: u64) -> bool {
        self.has_late_archive(session, looked) || self.is_archived_late(session)
    }

    /// Whether that of a deleted session may be there.
    pub(crate) fn has_late_archive(&self, session: usize, looked: u64) -> bool {
        self.acts(|what| what == What::Delete(session))
            .any(|deletion| self.is_published_late(session, deletion, looked))
    }

    /// Whether an archiving went on while the log was evicted that it archives: its archive may come to
    /// lie beside a newer session (tiers.md).
    fn is_archived_late(&self, session: usize) -> bool {
        self.evicted_while_archived(session).next().is_some()
    }

    /// Whether one of those failed, perhaps when it took its archive back (tiers.md).
    pub(crate) fn is_evicted_half_archived(&self, session: usize) -> bool {
        self.evicted_while_archived(session).any(|archiving| !archiving.is_done())
    }

    fn evicted_while_archived(&self, session: usize) -> impl Iterator<Item = &Record> {
        let is_eviction =
            move |what| matches!(what, What::Evict { session: of, .. } if of == session);
        self.acts(is_eviction).flat_map(move |loss| {
            self.go_on(move |what| archives(what, session), loss.began, loss.began)
        })
    }

    /// Whether an archiving may have published its archive after that deletion, and someone looked, or
    /// went on with it, before that was seen: in a folder that is left to chance (format.md §7.1).
    fn is_published_late(&self, session: usize, deletion: &Record, looked: u64) -> bool {
        let over = deletion.over();
        let goes_on = |what| match what {
            What::Append { session: of, .. } | What::Import { session: of, .. } => of == session,
            What::Archive(of) | What::Restore(of) => of == session,
            _ => false,
        };
        self.plan.kept == Kept::Files
            && self
                .acts(|what| archives(what, session))
                .filter(|late| late.began <= over && late.over() > over)
                .any(|late| {
                    // Its archiver is gone, and looks no more; or the store fails whenever it does.
                    let failed = |error: &Error| error.kind() == ErrorKind::StoreFailed;
                    let is_gone =
                        late.ended.is_none() || late.end.error.as_ref().is_some_and(failed);
                    let end = if is_gone { u64::MAX } else { late.over() };
                    let mut others = self.go_on(goes_on, over, end);
                    looked <= end || others.any(|other| other.act.number != late.act.number)
                })
    }
}

/// Whether that may archive a session.
fn archives(what: What, session: usize) -> bool {
    what == What::Archive(session) || matches!(what, What::Sweep { .. })
}

fn durability_of(writer: &Record) -> Durability {
    match writer.act.what {
        What::Append { durability, .. } => durability,
        _ => Durability::Disk,
    }
}
