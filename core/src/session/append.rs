//! Appending to an open session.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::again::{TRIES, again, is_only_moving, moved_by_others};
use super::live::Seen;
use super::once::applied_at;
use super::open::{find_session, open_session, wake};
use super::source::LogPart;
use super::tier::{claim_after, release};
use super::{Form, Session, Task};
use crate::Hash;
use crate::line::last_line;
use crate::log::{Draft, Head, LineReader, Stamp, Torn};
use crate::state::{History, State};
use crate::store::{After, Durability, Key, Part};
use crate::task::{Answer, Io, found};
use crate::{Entry, Error, ErrorKind, Kind, Result};

/// What to append, and under which conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Append {
    /// Drafts (see [`Draft`]), all or nothing.
    pub drafts: Vec<String>,
    /// What they survive once they are acknowledged.
    pub durability: Durability,
    /// The entry (number and hash) they must follow; else `conflict`.
    pub expected: Option<(u64, Hash)>,
    /// Do nothing if items with the drafts' ids are in the session already, as they are where a
    /// reply was lost: ids tell. The first such append to a session that was just opened reads its
    /// log once.
    pub once: bool,
}

impl Append {
    /// Those drafts, without conditions.
    #[must_use]
    pub fn new(drafts: Vec<String>) -> Self {
        Self { drafts, ..Self::default() }
    }

    /// The same, surviving that.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The same, only after that entry.
    #[must_use]
    pub fn after(mut self, seq: u64, hash: Hash) -> Self {
        self.expected = Some((seq, hash));
        self
    }

    /// The same, unless it was applied already.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

impl<D: Into<Vec<Draft>>> From<D> for Append {
    fn from(drafts: D) -> Self {
        let drafts: Vec<Draft> = drafts.into();
        Self::new(drafts.iter().map(|draft| draft.as_str().into()).collect())
    }
}

/// What an append did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Appended {
    /// The session as it is now.
    pub session: Session,
    /// Number of the first entry that was appended; they follow one another.
    pub first_seq: u64,
    /// Nothing was appended: the same append was there. Then `first_seq` is what it was for it.
    pub already_applied: bool,
    /// An unfinished write that was cut off before.
    pub recovered: Option<Torn>,
    /// Why the recovery record could not be written, if it was to be. The append holds.
    pub record_fault: Option<Error>,
}

/// Appends drafts (see [`Draft`]) to an open session, all or nothing. `conflict` where someone else
/// wrote in between, or the session is not at the expected entry, with the head there is now in
/// [`Error::actual`].
#[must_use]
pub fn append(session: Session, append: impl Into<Append>) -> Task<Appended> {
    let append = append.into();
    Task::new(async move |io| {
        let id = session.id().clone();
        apply(&io, session, &append).await.map_err(|e| e.in_session(&id))
    })
}

/// Makes everything that was appended durable; calls that come at the same time may share the work.
#[must_use]
pub fn sync(session: &Session) -> Task<()> {
    let id = session.id().clone();
    Task::new(async move |io| {
        if planted!(SyncIsNothing) {
            return Ok(());
        }
        io.sync(&Key::of(&id, Part::Log)).await.map_err(|error| error.in_session(&id))
    })
}

async fn apply(io: &Io, session: Session, append: &Append) -> Result<Appended> {
    apply_to(io, session, append, None).await
}

/// The same, where the session's state is at hand.
pub(super) fn apply_to<'a>(
    io: &'a Io,
    session: Session,
    append: &'a Append,
    state: Option<&'a State>,
) -> Answer<'a, Appended> {
    Box::pin(async move {
        check_expected(&session, append)?;
        if append.once
            && let Some(first_seq) = applied_at(io, &session, &append.drafts).await?
        {
            if append.durability == Durability::Disk {
                // Whoever wrote it may have asked for less. What is archived or cold is durable.
                found(io.sync(&Key::of(session.id(), Part::Log)).await)?;
            }
            let (already_applied, recovered, record_fault) = (true, None, None);
            return Ok(Appended { session, first_seq, already_applied, recovered, record_fault });
        }
        write(io, session, append, state).await
    })
}

fn check_expected(session: &Session, append: &Append) -> Result<()> {
    let (Some(expected), Some(head)) = (append.expected, session.head()) else { return Ok(()) };
    if expected == (head.seq, head.hash) {
        return Ok(());
    }
    let message = alloc::format!("the session is at entry {}, not at the expected one", head.seq);
    Err(Error::new(ErrorKind::Conflict, message).with_actual(head))
}

async fn write(
    io: &Io,
    mut session: Session,
    append: &Append,
    state: Option<&State>,
) -> Result<Appended> {
    if session.form != Form::Live {
        session = woken(io, session).await?;
    }
    let (id, claimed) = (session.id().clone(), session.claimed.clone());
    let written = write_lines(io, session, append, state).await;
    if let (Err(_), Some(claim)) = (&written, claimed) {
        release(io, &id, claim).await;
    }
    written
}

async fn write_lines(
    io: &Io,
    mut session: Session,
    append: &Append,
    state: Option<&State>,
) -> Result<Appended> {
    let stamp = io.stamp(session.writer.random_bytes(append.drafts.len())).await?;
    let batch = session.writer.write(&append.drafts, &stamp)?;
    check_kept(io, &session, &batch.bytes, append, state).await?;
    let seen = session.live.lock().look_at(&batch.bytes, batch.first_seq, session.head())?;
    let key = Key::of(session.id(), Part::Log);
    let last_line = last_line(&batch.bytes);
    let mut bytes = batch.bytes;
    let mut tries = 1;
    loop {
        let (mut after, mut durability) = (session.place(), append.durability);
        if planted!(AppendAnywhere) {
            after = After::new(io.info(&key).await?.bytes, 0);
        }
        if planted!(TornTailStays) {
            (after.at, after.torn, after.torn_start) = (after.at + after.torn, 0, Vec::new());
        }
        if planted!(NothingIsSynced) {
            durability = Durability::Os;
        }
        match io.append(&key, bytes, after, durability).await {
            Err(error) if error.is_retryable() && planted!(LostAnswerIsRepeated) => {
                session = open_session(io, session.id()).await?;
                bytes = session.writer.write(&append.drafts, &stamp)?.bytes;
            }
            Err(error) if error.kind() == ErrorKind::Conflict && tries < TRIES => {
                tries += 1;
                session = moved(io, session, error).await?;
                // The same lines again: they are made of the same head, drafts and chance.
                bytes = session.writer.write(&append.drafts, &stamp)?.bytes;
            }
            appended => {
                appended?;
                break;
            }
        }
    }
    let line = session.place().at + last_line;
    session = session.at(batch.head, line);
    (session.form, session.claimed) = (Form::Live, None);
    let recovered = session.torn.take();
    let record_fault = follow(io, &session, seen, batch.head, &stamp).await.err();
    let (first_seq, already_applied) = (batch.first_seq, false);
    Ok(Appended { session, first_seq, already_applied, recovered, record_fault })
}

/// An archived session that may be written to, if it is still at the same entry.
pub(super) fn woken(io: &Io, session: Session) -> Answer<'_, Session> {
    Box::pin(async move {
        // It may be restored between two looks at it.
        let woken = again(is_only_moving, || woken_once(io, session.clone())).await;
        woken.map_err(moved_by_others)
    })
}

async fn woken_once(io: &Io, session: Session) -> Result<Session> {
    let (mut now, source) = find_session(io, session.id()).await?;
    if let (Some(actual), true) = (now.head(), now.head() != session.head()) {
        let message = "someone else wrote to the session";
        return Err(Error::new(ErrorKind::Conflict, message).with_actual(actual));
    }
    match now.form {
        Form::Live => {}
        Form::Archived => {
            wake(io, &mut now, &source).await?;
            let empty = source.log.as_ref();
            if let (Some(archive), true, false) =
                (&source.archive, empty.is_none_or(LogPart::is_empty), planted!(WakeUnclaimed))
            {
                let claim = claim_after(io, now.id(), &archive.info, empty).await?;
                now.claimed = Some(claim.version);
                now = now.starting_with(&claim.bytes);
            }
        }
        Form::Cold => now = super::tier::hydrated(io, now).await?,
    }
    now.live = session.live;
    Ok(now)
}

/// A session that refused an append, where it only went from one form to the other meanwhile.
async fn moved(io: &Io, session: Session, conflict: Error) -> Result<Session> {
    let Ok(now) = open_session(io, session.id()).await else { return Err(conflict) };
    let place = |of: &Session| (of.form, of.shift, of.mark, of.torn, of.torn_start.clone());
    let is_moved = place(&now) != place(&session);
    match now.head() {
        head if head == session.head() && is_moved => woken(io, session).await,
        Some(actual) => Err(conflict.with_actual(actual)),
        None => Err(conflict),
    }
}

/// What is kept beside the log follows what was appended.
async fn follow(io: &Io, session: &Session, seen: Seen, head: Head, stamp: &Stamp) -> Result<()> {
    let due = session.live.lock().take_over(seen, head, stamp.now_ms);
    if due { super::recovery::save(io, session, stamp.now_ms).await } else { Ok(()) }
}

/// Entries that keep some of the history must not keep more than there is: such a log could not be
/// folded any more. They are rare, so the history's length is only looked up for them.
async fn check_kept(
    io: &Io,
    session: &Session,
    lines: &[u8],
    append: &Append,
    state: Option<&State>,
) -> Result<()> {
    let keeps = |draft: &String| draft.contains("truncated") || draft.contains("compaction");
    if !append.drafts.iter().any(keeps) {
        return Ok(());
    }
    let mut entries = Vec::new();
    each_line(lines, &mut |line| {
        entries.push(line.to_vec());
        Ok(())
    })?;
    let entries = entries.iter().map(|line| Entry::parse(line)).collect::<Result<Vec<_>>>()?;
    let is_keeping = |entry: &Entry<'_>| matches!(entry.kind(), Kind::Truncated | Kind::Compaction);
    if !entries.iter().any(is_keeping) {
        return Ok(());
    }
    let mut history = match state {
        Some(state) => History::of(state),
        None if session.head().is_some() => {
            History::of(&super::state::folded(io, session.id()).await?)
        }
        None => History::default(),
    };
    entries.iter().zip(0..).try_for_each(|(entry, index)| {
        history.apply(entry).map_err(|e| e.at(|place| place.draft = Some(index)))
    })
}

/// Gives every line of some whole ones, without its `\n`.
pub(super) fn each_line(lines: &[u8], found: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    LineReader::new(0).push(lines, |line, _| found(line))
}
