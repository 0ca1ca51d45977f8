//! What must be true, whatever happened: told by what was acknowledged, in plain lists.

use turnkeep_core::store::Durability;
use turnkeep_core::{Error, ErrorKind};

use crate::history::{History, Look, Said};
use crate::operation::{End, begin, id, read, verify};
use crate::plan::{Kept, Plan, SESSIONS, What};
use crate::text::{said_by, text_of};
use crate::world::{Record, World};

/// What is wrong.
pub(crate) type Violation = String;

/// Checks what was read while things went wrong, then lets all go well, and checks what is there.
///
/// # Errors
///
/// The first violation.
pub(crate) fn check(plan: &Plan, world: &mut World) -> Result<(), Violation> {
    let history = History { plan, records: world.records.clone() };
    for record in &history.records {
        history.check_refusal(record)?;
        check_fork(record)?;
        if let (What::Read(session), Some(texts)) = (record.act.what, &record.end.texts) {
            let look = Look { since: record.began, until: record.over(), is_verified: false };
            let what = format!("read by act {}", record.act.number);
            history.check_texts(session, texts, look, &what)?;
        }
    }
    world.calm();
    for session in 0..SESSIONS.len() {
        history.check_session(world, session)?;
    }
    Ok(())
}

/// Who forks at an entry that is not there is told so, and gets nothing.
fn check_fork(record: &Record) -> Result<(), Violation> {
    let is_unknown = matches!(record.act.what, What::Fork { at_head: false, .. });
    match is_unknown && record.is_done() {
        true => Err(format!("act {} forked at an entry that nobody knows", record.act.number)),
        false => Ok(()),
    }
}

impl History<'_> {
    /// Nothing is refused for no reason: where nothing went wrong, no store failed and nothing is damaged.
    fn check_refusal(&self, record: &Record) -> Result<(), Violation> {
        let Some(error) = &record.end.error else { return Ok(()) };
        let is_store = error.kind() == ErrorKind::StoreFailed;
        let is_damage = error.kind().class() == turnkeep_core::ErrorClass::Data;
        let touched = sessions_of(record.act.what);
        let is_rotten = touched.iter().any(|session| self.is_rotten(*session));
        let is_beside = error.kind() == ErrorKind::HeadMismatch
            && touched.iter().any(|session| self.has_other_archive(*session, record.began));
        // Segments without a manifest are none that a listing may show: nothing is collected then.
        // Who writes the same segment just then may have it damaged on its way.
        let mut beside = self.go_on(|_| true, record.began, record.over());
        let is_met = beside.any(|other| other.damaged > 0);
        let has_reason = record.faults > 0 || is_met || is_rotten || self.is_collected(record);
        if is_store && !has_reason && record.act.what != What::Collect {
            return Err(format!("act {} failed for no reason: {error}", record.act.number));
        }
        // An unfinished write is none: who reads passes it by.
        // Of a session that is being deleted the archive may be gone, and what follows it not yet.
        let is_going = error.kind() == ErrorKind::BrokenLink
            && touched.iter().any(|of| self.may_be_deleted(*of, record.began, record.over()));
        let is_known = is_rotten || is_beside || is_going || error.kind() == ErrorKind::EmptyLog;
        if is_damage && !is_known && record.damaged == 0 {
            return Err(format!(
                "act {} found damage where none is: {error} {:?}",
                record.act.number,
                error.place()
            ));
        }
        Ok(())
    }

    /// Texts as they were read within some span of events: nothing is made up, doubled, lost or turned round.
    fn check_texts(
        &self,
        session: usize,
        texts: &[String],
        look: Look,
        what: &str,
    ) -> Result<(), Violation> {
        let heritage = self.heritage(session);
        let name = SESSIONS[session];
        let said: Vec<Said<'_>> =
            heritage.iter().flat_map(|session| self.said_to(*session)).collect();
        let mut seen: Vec<(u64, u64)> = Vec::new();
        for text in texts {
            let known = said_by(text).and_then(|(act, entry)| {
                let by = said.iter().find(|said| said.number == act)?;
                (entry < by.entries && *text == text_of(act, entry, by.bytes))
                    .then_some((act, entry))
            });
            let Some(known) = known else {
                return Err(format!("{name}, {what}: nobody said {:?}", start_of(text)));
            };
            if seen.contains(&known) {
                return Err(format!("{name}, {what}: {:?} stands twice", start_of(text)));
            }
            seen.push(known);
        }
        for said in &said {
            self.check_said(session, said, &seen, look, &format!("{name}, {what}"))?;
        }
        self.check_order(&said, &seen, &format!("{name}, {what}"))
    }

    fn check_said(
        &self,
        session: usize,
        said: &Said<'_>,
        seen: &[(u64, u64)],
        look: Look,
        what: &str,
    ) -> Result<(), Violation> {
        let number = said.number;
        let places: Vec<usize> = (0..said.entries)
            .filter_map(|entry| seen.iter().position(|seen| *seen == (number, entry)))
            .collect();
        let is_whole = places.len() as u64 == said.entries
            && places.windows(2).all(|two| two[1] == two[0] + 1);
        if !places.is_empty() && !is_whole {
            return Err(format!("{what}: only a part of append {number} is there"));
        }
        if let (true, Some(by)) = (places.is_empty(), self.owed(session, said, look)) {
            let by = by.act.number;
            return Err(format!(
                "{what}: append {number} was acknowledged by act {by}, and is not there"
            ));
        }
        if said.session != session {
            return Ok(());
        }
        if said.is_refused() && !places.is_empty() && !self.is_sent_again(session, said) {
            return Err(format!("{what}: append {number} was refused, and is there"));
        }
        if !places.is_empty() && self.was_deleted(session, said, look.since) {
            return Err(format!("{what}: append {number} came back after it was deleted"));
        }
        Ok(())
    }

    /// What was said after something was acknowledged stands after it.
    fn check_order(
        &self,
        said: &[Said<'_>],
        seen: &[(u64, u64)],
        what: &str,
    ) -> Result<(), Violation> {
        let place = |said: &Said<'_>| seen.iter().position(|seen| *seen == (said.number, 0));
        for (one, other) in said.iter().flat_map(|one| said.iter().map(move |other| (one, other))) {
            let (Some(first), Some(second)) = (place(one), place(other)) else { continue };
            let is_before = one.over() < other.began();
            if is_before && one.session == other.session && first > second {
                let numbers = (one.number, other.number);
                return Err(format!("{what}: appends {numbers:?} stand the wrong way round"));
            }
        }
        Ok(())
    }

    /// A session at the end: it is there if it must be, sound, holds what it must, and goes on.
    fn check_session(&self, world: &mut World, session: usize) -> Result<(), Violation> {
        if self.is_begun_again(session) {
            return Ok(());
        }
        let name = SESSIONS[session];
        let is_tier = self.plan.kept == Kept::Tier;
        let is_rotten = self.is_rotten(session);
        if self.is_hidden(session, Look::SOUND_AT_THE_END.until) {
            let flush = What::Flush { session, hot: 1 };
            let flushed = begin(0, flush, self.plan.kept, None).map(|flush| world.finish(flush));
            let error = flushed.and_then(|end| end.error);
            if error.is_some_and(|error| error.kind() == ErrorKind::Conflict) {
                // Others went on with it, another way.
                return Ok(());
            }
        }
        let End { texts, error, .. } = world.finish(read(id(session), is_tier));
        let sound = world.finish(verify(id(session), is_tier)).error;
        let wrong = match (&texts, error.clone(), sound) {
            (Some(_), None, None) => None,
            (Some(_), None, Some(error)) => {
                let wrong = format!("is not sound: {error} {:?}", error.place());
                Some((error, wrong))
            }
            (_, Some(error), _) => {
                let is_gone = matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::Pruned | ErrorKind::EmptyLog
                );
                if is_gone && !is_rotten {
                    self.check_texts(session, &[], Look::SOUND_AT_THE_END, "gone")?;
                    return self.check_gone(session, error.code());
                }
                let wrong = format!("cannot be read: {error} {:?}", error.place());
                Some((error, wrong))
            }
            (None, None, _) => return Err(format!("{name}: reading ended with nothing")),
        };
        if let Some((error, wrong)) = wrong {
            let is_beside = error.kind() == ErrorKind::HeadMismatch
                && self.has_other_archive(session, Look::SOUND_AT_THE_END.since);
            let is_left = error.kind() == ErrorKind::BrokenLink
                && (self.is_followed_again(session)
                    || self.is_cleared_while_hidden(session)
                    || self.is_deleted_in_part(session));
            let is_known = is_rotten || is_beside || is_left;
            return if is_known { Ok(()) } else { Err(format!("{name} {wrong}")) };
        }
        let texts = texts.unwrap_or_default();
        self.check_texts(session, &texts, Look::SOUND_AT_THE_END, "at the end")?;
        if is_rotten { Ok(()) } else { self.check_goes_on(world, session) }
    }

    /// What was created and not taken is there.
    fn check_gone(&self, session: usize, code: &str) -> Result<(), Violation> {
        let made = self.acts(|what| {
            what == What::Create(session)
                || matches!(what, What::Fork { to, .. } if to == session)
                || matches!(what, What::Import { session: to, .. } if to == session)
        });
        for record in made {
            let is_lost = self
                .acts(|what| matches!(what, What::Evict { session: of, .. } if of == session))
                .any(|loss| loss.began >= record.began);
            // An import that was done before makes nothing anew: an archive may be as old as the first.
            let is_import =
                |what| matches!(what, What::Import { session: to, .. } if to == session);
            let first = self.acts(is_import).next().filter(|_| is_import(record.act.what));
            let since = first.map_or(record.began, |first| first.began);
            // Who looks for what was pruned is told so.
            let is_taken = self.may_be_deleted(session, record.began, u64::MAX)
                || code == ErrorKind::Pruned.code() && self.may_be_pruned(session, since, u64::MAX);
            if record.is_done() && !is_lost && !is_taken {
                return Err(format!(
                    "{} was created by act {}, and is {code}",
                    SESSIONS[session], record.act.number
                ));
            }
        }
        Ok(())
    }

    /// What was begun to be deleted or pruned, and was not ended, may say so; and so may an archive of
    /// what was deleted, or evicted, that came late, and was not taken back to the end.
    fn is_half_gone(&self, session: usize, error: &Error) -> bool {
        let is_told = matches!(error.kind(), ErrorKind::Pruned | ErrorKind::NotFound);
        let mut takes =
            self.acts(|what| what == What::Delete(session) || what == What::Prune(session));
        // A sweep goes on with others where it fails for one.
        let mut sweeps = self.acts(|what| what == What::Sweep { prunes: true });
        is_told
            && (takes.any(|record| !record.is_done())
                || sweeps.any(|record| !record.is_done() || record.faults > 0)
                || self.has_late_archive(session, u64::MAX)
                || self.is_evicted_half_archived(session))
    }

    /// Who goes on from what an eviction left meets what was flushed before it.
    fn is_behind(&self, session: usize) -> bool {
        let is_eviction = |what| matches!(what, What::Evict { session: of, .. } if of == session);
        self.acts(is_eviction).next().is_some()
    }

    /// Whatever happened, a session can be used.
    pub(crate) fn check_goes_on(&self, world: &mut World, session: usize) -> Result<(), Violation> {
        let append = |session| What::Append {
            session,
            says: 1_000_000,
            shares: None,
            entries: 1,
            bytes: 10,
            durability: Durability::Disk,
            anew: true,
            once: false,
        };
        let acts = match self.plan.kept {
            Kept::Files | Kept::Runtime => vec![
                append(session),
                What::Archive(session),
                What::Restore(session),
                append(session),
            ],
            Kept::Tier => vec![
                append(session),
                What::Flush { session, hot: 1 },
                What::Hydrate(session),
                append(session),
                What::Flush { session, hot: 0 },
            ],
        };
        for (step, what) in acts.into_iter().enumerate() {
            let number = 1_000_000 + step as u64;
            let Some(operation) = begin(number, what, self.plan.kept, None) else { continue };
            let End { error, .. } = world.finish(operation);
            if let Some(error) = error {
                let is_behind = matches!(what, What::Flush { .. })
                    && error.kind() == ErrorKind::Conflict
                    && self.is_behind(session);
                if is_behind || self.is_half_gone(session, &error) {
                    return Ok(());
                }
                let name = SESSIONS[session];
                return Err(format!("{name}: {what:?} at the end: {error} {:?}", error.place()));
            }
        }
        let is_tier = self.plan.kept == Kept::Tier;
        match world.finish(verify(id(session), is_tier)).error {
            Some(error) => {
                Err(format!("{} is not sound after going on: {error}", SESSIONS[session]))
            }
            None => Ok(()),
        }
    }
}

/// The sessions that an act meets.
fn sessions_of(what: What) -> Vec<usize> {
    match what {
        What::Fork { from, to, .. } => vec![from, to],
        What::Sweep { .. } | What::Collect => (0..SESSIONS.len()).collect(),
        what => what.session().into_iter().collect(),
    }
}

/// Enough of a text to know it by.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}
