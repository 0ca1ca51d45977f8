//! What must be true, whatever happened: told by what was acknowledged, in plain lists.

use turnkeep_core::store::Durability;
use turnkeep_core::{Error, ErrorKind};

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
        if let (What::Read(session), Some(texts)) = (record.act.what, &record.end.texts) {
            let span = (record.began, record.ended.unwrap_or(u64::MAX));
            history.check_texts(
                session,
                texts,
                span,
                &format!("read by act {}", record.act.number),
            )?;
        }
    }
    world.calm();
    for session in 0..SESSIONS.len() {
        history.check_session(world, session)?;
    }
    Ok(())
}

/// When everything is over.
const END: (u64, u64) = (u64::MAX, u64::MAX);

struct History<'a> {
    plan: &'a Plan,
    records: Vec<Record>,
}

/// An append, and the session it was to.
struct Said<'a> {
    record: &'a Record,
    entries: u64,
    bytes: u64,
    durability: Durability,
}

impl History<'_> {
    /// Nothing is refused that asks for no trouble: where nothing went wrong, no store failed.
    fn check_refusal(&self, record: &Record) -> Result<(), Violation> {
        let Some(error) = &record.end.error else { return Ok(()) };
        let is_rotten = self.acts(|what| what == What::Rot).next().is_some();
        let is_damage = error.kind().class() == turnkeep_core::ErrorClass::Data;
        let is_faulty = self.plan.faults.short_read > 0 && record.faults > 0;
        // An unfinished write is none: who reads passes it by.
        if is_damage && !is_rotten && !is_faulty && error.kind() != ErrorKind::EmptyLog {
            return Err(format!(
                "act {} found damage where none is: {error} {:?}",
                record.act.number,
                error.place()
            ));
        }
        Ok(())
    }

    fn acts(&self, is_it: impl Fn(What) -> bool) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| is_it(record.act.what))
    }

    fn appends_to(&self, session: usize) -> impl Iterator<Item = Said<'_>> {
        self.records.iter().filter_map(move |record| match record.act.what {
            What::Append { session: to, entries, bytes, durability, .. } if to == session => {
                Some(Said { record, entries, bytes, durability })
            }
            _ => None,
        })
    }

    /// Sessions that this one may have entries of.
    fn heritage(&self, session: usize) -> Vec<usize> {
        let mut all = vec![session];
        let mut at = 0;
        while at < all.len() {
            let child = all[at];
            for record in &self.records {
                if let What::Fork { from, to } = record.act.what
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

    /// Whether something that may take entries of a session away is not over before `since`.
    fn may_be_taken(&self, session: usize, since: u64, until: u64) -> bool {
        self.records.iter().any(|record| {
            let takes = match record.act.what {
                What::Delete(of) | What::Prune(of) => of == session,
                _ => false,
            };
            takes && record.began <= until && self.end_of(record) >= since
        })
    }

    /// When something is over for sure: what nobody heard of, or heard a failure of, may come later.
    fn end_of(&self, record: &Record) -> u64 {
        match (record.ended, &record.end.error) {
            (Some(ended), None) => ended,
            (Some(ended), Some(_)) if record.faults == 0 => ended,
            _ => u64::MAX,
        }
    }

    /// Whether a loss of the store takes an append that was acknowledged.
    fn may_be_lost(&self, session: usize, said: &Said<'_>, until: u64) -> bool {
        let ended = said.record.ended.unwrap_or(u64::MAX);
        self.records.iter().any(|loss| match loss.act.what {
            What::PowerCut => {
                // Also earlier ones: what it went after may be lost where others wrote it.
                said.durability != Durability::Disk
                    && loss.began >= said.record.began
                    && loss.began <= until
                    && !self.is_made_durable(session, ended, loss.began)
            }
            What::Evict(of) => {
                of == session
                    && loss.began >= said.record.began
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

    /// Texts as they were read within some span of events: nothing is made up, doubled, lost or turned round.
    fn check_texts(
        &self,
        session: usize,
        texts: &[String],
        span: (u64, u64),
        what: &str,
    ) -> Result<(), Violation> {
        let heritage = self.heritage(session);
        let name = SESSIONS[session];
        let said: Vec<Said<'_>> =
            heritage.iter().flat_map(|session| self.appends_to(*session)).collect();
        let mut seen: Vec<(u64, u64)> = Vec::new();
        for text in texts {
            let known = said_by(text).and_then(|(act, entry)| {
                let by = said.iter().find(|said| said.record.act.number == act)?;
                (entry < by.entries && *text == text_of(act, entry, by.bytes))
                    .then_some((act, entry))
            });
            let Some(known) = known else {
                return Err(format!("{name}, {what}: nobody said {text:?}"));
            };
            if seen.contains(&known) {
                return Err(format!("{name}, {what}: {text:?} stands twice"));
            }
            seen.push(known);
        }
        for said in &said {
            self.check_said(session, said, &seen, span, &format!("{name}, {what}"))?;
        }
        self.check_order(&said, &seen, &format!("{name}, {what}"))
    }

    fn check_said(
        &self,
        session: usize,
        said: &Said<'_>,
        seen: &[(u64, u64)],
        (since, until): (u64, u64),
        what: &str,
    ) -> Result<(), Violation> {
        let number = said.record.act.number;
        let places: Vec<usize> = (0..said.entries)
            .filter_map(|entry| seen.iter().position(|seen| *seen == (number, entry)))
            .collect();
        let is_own =
            matches!(said.record.act.what, What::Append { session: to, .. } if to == session);
        let is_whole = places.len() as u64 == said.entries
            && places.windows(2).all(|two| two[1] == two[0] + 1);
        if !places.is_empty() && !is_whole {
            return Err(format!("{what}: only a part of append {number} is there"));
        }
        let is_acknowledged =
            said.record.end.error.is_none() && said.record.ended.is_some_and(|ended| ended < since);
        let is_excused = self.may_be_taken(session, said.record.began, until)
            || self.may_be_lost(session, said, until);
        if is_own && is_acknowledged && places.is_empty() && !is_excused {
            return Err(format!("{what}: append {number} was acknowledged, and is not there"));
        }
        let is_refused = said.record.end.error.is_some() && said.record.faults == 0;
        if is_own && is_refused && !places.is_empty() {
            let error = &said.record.end.error;
            return Err(format!("{what}: append {number} was refused, and is there: {error:?}"));
        }
        if is_own && !places.is_empty() && self.was_deleted(session, said, since) {
            return Err(format!("{what}: append {number} came back after it was deleted"));
        }
        Ok(())
    }

    /// Whether a deletion that began after an append was over is over, too, and no copy is anywhere.
    fn was_deleted(&self, session: usize, said: &Said<'_>, until: u64) -> bool {
        let is_copied = self
            .acts(|what| matches!(what, What::Fork { from, .. } if from == session))
            .next()
            .is_some();
        let ended = self.end_of(said.record);
        !is_copied
            && self.acts(|what| what == What::Delete(session)).any(|record| {
                record.began > ended
                    && record.end.error.is_none()
                    && record.ended.is_some_and(|over| over < until)
            })
    }

    /// What was said after something was acknowledged stands after it.
    fn check_order(
        &self,
        said: &[Said<'_>],
        seen: &[(u64, u64)],
        what: &str,
    ) -> Result<(), Violation> {
        let place =
            |said: &Said<'_>| seen.iter().position(|seen| *seen == (said.record.act.number, 0));
        for (one, other) in said.iter().flat_map(|one| said.iter().map(move |other| (one, other))) {
            let (Some(first), Some(second)) = (place(one), place(other)) else { continue };
            let is_before = self.end_of(one.record) < other.record.began;
            let is_same = session_of(one) == session_of(other);
            if is_before && is_same && first > second {
                let numbers = (one.record.act.number, other.record.act.number);
                return Err(format!("{what}: appends {numbers:?} stand the wrong way round"));
            }
        }
        Ok(())
    }

    /// A session at the end: it is there if it must be, sound, holds what it must, and goes on.
    fn check_session(&self, world: &mut World, session: usize) -> Result<(), Violation> {
        let name = SESSIONS[session];
        let is_tier = self.plan.kept == Kept::Tier;
        let found = world.finish(read(id(session), is_tier));
        let is_rotten = self.acts(|what| what == What::Rot).next().is_some();
        match (&found.texts, &found.error) {
            (Some(texts), _) => {
                self.check_texts(session, texts, END, "at the end")?;
                let sound = world.finish(verify(id(session), is_tier));
                match sound.error {
                    Some(error) if !is_rotten => {
                        return Err(format!("{name} is not sound: {error} {:?}", error.place()));
                    }
                    Some(_) => return Ok(()),
                    None => {}
                }
            }
            (None, Some(error)) => {
                let is_gone = matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::Pruned | ErrorKind::EmptyLog
                );
                if !is_gone && !is_rotten {
                    return Err(format!("{name} cannot be read: {error} {:?}", error.place()));
                }
                if is_gone && !is_rotten {
                    self.check_texts(session, &[], END, "gone")?;
                    self.check_gone(session, error.code())?;
                }
                return Ok(());
            }
            (None, None) => return Err(format!("{name}: reading ended with nothing")),
        }
        if is_rotten { Ok(()) } else { self.check_goes_on(world, session) }
    }

    /// What was created and not taken is there.
    fn check_gone(&self, session: usize, code: &str) -> Result<(), Violation> {
        let made = self.acts(|what| {
            what == What::Create(session) || matches!(what, What::Fork { to, .. } if to == session)
        });
        for record in made {
            let is_made = record.ended.is_some() && record.end.error.is_none();
            let is_lost = self
                .acts(|what| what == What::Evict(session))
                .any(|loss| loss.began >= record.began);
            if is_made && !is_lost && !self.may_be_taken(session, record.began, u64::MAX) {
                return Err(format!(
                    "{} was created by act {}, and is {code}",
                    SESSIONS[session], record.act.number
                ));
            }
        }
        Ok(())
    }

    /// What was begun to be deleted or pruned, and was not ended, may say so.
    fn is_half_gone(&self, session: usize, error: &Error) -> bool {
        let is_told = matches!(error.kind(), ErrorKind::Pruned | ErrorKind::NotFound);
        let mut takes =
            self.acts(|what| what == What::Delete(session) || what == What::Prune(session));
        is_told && takes.any(|record| self.end_of(record) == u64::MAX)
    }

    /// Whatever happened, a session can be used.
    fn check_goes_on(&self, world: &mut World, session: usize) -> Result<(), Violation> {
        let append = |session| What::Append {
            session,
            entries: 1,
            bytes: 10,
            durability: Durability::Disk,
            anew: true,
            once: false,
        };
        let acts = match self.plan.kept {
            Kept::Files => vec![
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
                // Who goes on from what an eviction left meets what was flushed before it.
                let is_evicted = error.kind() == ErrorKind::Conflict
                    && self.acts(|what| what == What::Evict(session)).next().is_some();
                if is_evicted || self.is_half_gone(session, &error) {
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

fn session_of(said: &Said<'_>) -> Option<usize> {
    match said.record.act.what {
        What::Append { session, .. } => Some(session),
        _ => None,
    }
}
