//! Opening.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use spin::Mutex;

use super::Task;
use super::again::{again, is_moving};
use super::live::Live;
use super::read::entry;
use super::scan::shorter;
use super::source::{LogPart, Shift, Source};
use super::tier::CLAIM_BYTES;
use crate::entry::{Envelope, FORMAT_VERSION, claimed_version, utf8};
use crate::line::{FIRST_PREFIX, IDENTITY, Line, identity};
use crate::log::{Head, Tail, Torn, Writer, find_tail};
use crate::store::After;
use crate::task::{Answer, Io};
use crate::{Entry, Error, ErrorKind, Kind, Result, SessionId};

/// First look at a log's end: holds the last lines of most sessions.
const TAIL_BYTES: u64 = 32 << 10;
/// First look at a log's start: holds the envelope of the first line, or most anchors.
pub(super) const START_BYTES: u64 = 4 << 10;

/// An open session: plain data, with which entries can be appended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Session {
    /// Where the next entry goes.
    pub writer: Writer,
    /// An unfinished write that was found; the next append cuts it off.
    pub torn: Option<Torn>,
    /// How that starts.
    pub(super) torn_start: Arc<[u8]>,
    /// Live or archived.
    pub form: Form,
    /// How the log's object lies to the log: what precedes it lies where no append touches it.
    pub(super) shift: Shift,
    /// What tells the log's object from others, and where that stands in it: the hash of the head's
    /// line; how the object starts, where that line is not in it. `None` where there is no object yet.
    pub(super) mark: Option<(u64, [u8; IDENTITY])>,
    /// The version of a claim that keeps the log's place, over which the next append writes.
    pub(super) claimed: Option<String>,
    /// Shared by this value's clones: each is the same session, further on.
    pub(super) live: Arc<Mutex<Live>>,
}

/// How a session is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a log; its first entries may be in an archive.
    Live,
    /// As an archive.
    Archived,
    /// In the cold store; the first append brings what it needs into the hot one.
    Cold,
}

impl Form {
    /// Its name: `live`, `archived`, `cold`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Archived => "archived",
            Self::Cold => "cold",
        }
    }
}

impl Session {
    pub(super) fn new(writer: Writer) -> Self {
        let (form, shift, live) = (Form::Live, Shift::default(), Arc::default());
        let (torn, torn_start) = (None, Arc::default());
        let (mark, claimed) = (None, None);
        Self { writer, torn, torn_start, form, shift, mark, claimed, live }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        self.writer.session()
    }

    /// Its last entry.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.writer.head()
    }

    /// What the next entry goes after, in the log's object.
    pub(super) fn place(&self) -> After {
        let at = self.head().map_or(0, |head| self.shift.in_object(head.bytes));
        let claim = self.claimed.as_ref().map_or(0, |_| CLAIM_BYTES as u64);
        let after = After::new(at, self.torn.map_or(claim, |torn| torn.bytes));
        let after = match self.mark {
            Some((at, mark)) => after.marked(at, mark),
            None => after,
        };
        if self.torn.is_some() { after.replacing(&*self.torn_start) } else { after }
    }

    /// The same session, at a head that was stored, whose line starts there in the log's object.
    pub(super) fn at(mut self, head: Head, line: u64) -> Self {
        self.writer.advance(head);
        self.marked_at(line)
    }

    /// Takes note of where the head's line starts in the log's object. Its hash is one of all that
    /// precedes it.
    pub(super) fn marked_at(mut self, line: u64) -> Self {
        self.mark = self.head().map(|head| (line, identity(head.hash)));
        self
    }

    /// Takes note of how the log's object starts, where it has no line of the session.
    pub(super) fn starting_with(mut self, object: &[u8]) -> Self {
        self.mark = object.first_chunk().map(|&start| (0, start));
        self
    }
}

/// Opens a session at its head, whatever its length: a look at the log's end and at its start, or
/// at the archive's header. The chain between is not checked; [`super::verify`] does that.
#[must_use]
pub fn open(id: SessionId) -> Task<Session> {
    Task::new(async move |io| open_session(&io, &id).await.map_err(|error| error.in_session(&id)))
}

pub(super) async fn open_session(io: &Io, id: &SessionId) -> Result<Session> {
    find_session(io, id).await.map(|(session, _)| session)
}

/// The session, and where its log lies.
pub(super) fn find_session<'a>(io: &'a Io, id: &'a SessionId) -> Answer<'a, (Session, Source)> {
    Box::pin(again(is_moving, move || look(io, id)))
}

async fn look(io: &Io, id: &SessionId) -> Result<(Session, Source)> {
    let source = Source::find(io, id, START_BYTES).await?;
    match opened(io, id, &source).await {
        Ok(session) => Ok((session, source)),
        // Another session of that id may have come in its place, which starts alike: a fork.
        Err(error) => Err(source.blamed(io, error).await),
    }
}

async fn opened(io: &Io, id: &SessionId, source: &Source) -> Result<Session> {
    let before = source.head_before(io).await?;
    let tail = match &source.log {
        Some(log) if log.has_lines() || before.is_none() => {
            tail_of(io, log, before.is_some()).await?
        }
        _ => None,
    };
    let session = match (&source.log, tail, before) {
        (Some(log), Some((tail, torn_start)), _) => {
            check_owner(io, id, source, &tail).await?;
            let (is_salted, fork) = match before {
                Some(head) if !tail.is_told => told_before(io, source, head).await?,
                _ => (tail.is_salted, tail.fork),
            };
            let writer = Writer::resume(id.clone(), tail.head, is_salted).forked_at(fork);
            let session = Session::new(writer).marked_at(log.shift().in_object(tail.line));
            Session { torn: tail.torn, torn_start, shift: log.shift(), ..session }
        }
        (log, _, Some(head)) => {
            let unfinished = log.as_ref().map_or(0, |log| log.end().saturating_sub(head.bytes));
            let torn = Torn { offset: head.bytes, bytes: unfinished };
            let torn = (unfinished > 0).then_some(torn);
            let shift = log.as_ref().map_or(Shift::after(head.bytes), LogPart::shift);
            let session = match &source.cold {
                Some(cold) => cold.session(id, log.as_ref())?,
                // What else a writer has to know is looked up when something is to be written.
                None => {
                    let writer = Writer::resume(id.clone(), head, true);
                    let start = log.as_ref().map_or(&[][..], LogPart::start);
                    let claimed = log.as_ref().filter(|log| log.is_claim());
                    let claimed = claimed.map(|log| log.info.version.clone());
                    let session = Session::new(writer).starting_with(start);
                    Session { form: Form::Archived, claimed, ..session }
                }
            };
            let torn_start = match &log {
                Some(log) => log.get(io, head.bytes..head.bytes + unfinished.min(SHOWN)).await?,
                None => Vec::new(),
            };
            Session { torn, torn_start: torn_start.into(), shift, ..session }
        }
        _ => return Err(Error::new(ErrorKind::NotFound, "there is no such session")),
    };
    Ok(session)
}

/// How much of an unfinished write tells it from an entry in its place.
const SHOWN: u64 = IDENTITY as u64;

/// How the log ends, and how an unfinished write there starts; `None` where it has not one whole entry
/// after the archive's.
async fn tail_of(
    io: &Io,
    log: &LogPart,
    follows_archive: bool,
) -> Result<Option<(Tail, Arc<[u8]>)>> {
    match read_tail(io, log).await {
        Err(error) if error.kind() == ErrorKind::EmptyLog && follows_archive => Ok(None),
        // Nothing in a log of a newer format has to look as it does in this one.
        Err(error) => Err(newer(log).unwrap_or(error)),
        Ok(tail) => Ok(Some(tail)),
    }
}

/// What to say of a log whose first line claims a newer format.
fn newer(log: &LogPart) -> Option<Error> {
    let is_newer = |rest| claimed_version(rest).is_some_and(|version| version > FORMAT_VERSION);
    let found = log.first_bytes().get(FIRST_PREFIX..).is_some_and(is_newer);
    found.then(|| {
        let message = "the log has a newer format than 1";
        let error = Error::new(ErrorKind::UnsupportedVersion, message).at_key(&log.key);
        error.at(|place| place.line = Some(1))
    })
}

/// Looks at a log's end, further back until its head is found.
async fn read_tail(io: &Io, log: &LogPart) -> Result<(Tail, Arc<[u8]>)> {
    let mut window = TAIL_BYTES;
    let end = log.end();
    loop {
        let start = end.saturating_sub(window).max(log.offset);
        let bytes = log.get(io, start..end).await?;
        if bytes.len() as u64 != end - start {
            return Err(shorter(&log.key));
        }
        // A part of a log is searched as if it were one: its start is an end of the search too.
        let moved = |error: Error| {
            let base = log.offset;
            error.at_key(&log.key).at(|place| place.offset = place.offset.map(|at| at + base))
        };
        let found = find_tail(&bytes, start - log.offset, log.first_seq).map_err(moved)?;
        if let Some(mut tail) = found {
            // Of the same bytes: at another look they may be someone else's entry.
            let at = tail.torn.map(|torn| torn.offset.saturating_sub(start - log.offset));
            let at = at.and_then(|at| usize::try_from(at).ok());
            let torn = at.and_then(|at| bytes.get(at..)).unwrap_or_default();
            let torn_start = torn.get(..IDENTITY).unwrap_or(torn).into();
            tail.head.bytes += log.offset;
            tail.line += log.offset;
            tail.torn = tail.torn.map(|torn| Torn { offset: torn.offset + log.offset, ..torn });
            return Ok((tail, torn_start));
        }
        window = window.saturating_mul(4);
    }
}

/// Whose log is it? Its last fork says, or its first line where it has none.
async fn check_owner(io: &Io, id: &SessionId, source: &Source, tail: &Tail) -> Result<()> {
    let Some(log) = &source.log else { return Ok(()) };
    let mut owner = None;
    // Whose the cold part is, its manifest says.
    if source.archive.is_none() && source.cold.is_none() {
        owner = Some(first_owner(io, log, tail.head).await?);
    }
    // Whose an archive is, is looked at when something is first written after it.
    if let Some(seq) = tail.fork.filter(|seq| *seq >= log.first_seq) {
        owner = Some(fork_owner(io, source, tail.head, seq).await?);
    }
    let Some(owner) = owner else { return Ok(()) };
    check_same(id, &owner).map_err(|error| error.at_key(&log.key))
}

pub(crate) fn check_same(id: &SessionId, owner: &SessionId) -> Result<()> {
    if owner == id {
        return Ok(());
    }
    let message = alloc::format!("this is the log of session {:?}", owner.as_str());
    Err(Error::new(ErrorKind::WrongSession, message))
}

async fn first_owner(io: &Io, log: &LogPart, head: Head) -> Result<SessionId> {
    let line = log.line_at(io, 0, head.bytes).await?;
    owner_of_first(&line).map_err(|e| e.at_key(&log.key).at(|place| place.line = Some(1)))
}

fn owner_of_first(line: &[u8]) -> Result<SessionId> {
    let bad = |kind, message: &str| Error::new(kind, message);
    let line = Line::split(line)
        .ok_or_else(|| bad(ErrorKind::BadLine, "not the shape of a log's line"))?;
    if claimed_version(line.rest).is_some_and(|version| version > FORMAT_VERSION) {
        return Err(bad(ErrorKind::UnsupportedVersion, "the log has a newer format than 1"));
    }
    let session = Envelope::parse(utf8(line.rest)?)?.session;
    session.ok_or_else(|| bad(ErrorKind::BadEntry, "session_start stands on the first line"))
}

async fn fork_owner(io: &Io, source: &Source, head: Head, seq: u64) -> Result<SessionId> {
    let line = entry(io, source, head, seq).await?;
    let entry = Entry::parse(&line)?;
    let session = entry.text("session").filter(|_| entry.kind() == Kind::Fork);
    let lost = || Error::new(ErrorKind::BadSeq, "the fork entry is not where it should be");
    SessionId::new(session.ok_or_else(lost)?)
}

/// An archived session that is about to be written to: what its log's last lines tell, and that it
/// is this session's. Counts as activity.
pub(super) async fn wake(io: &Io, session: &mut Session, source: &Source) -> Result<()> {
    let Some(head) = session.head() else { return Ok(()) };
    let id = session.id().clone();
    super::retention::touch(io, &id).await?;
    let (is_salted, fork) = told_by_last(io, source, head).await?;
    let owner = match fork {
        Some(fork) => fork_owner(io, source, head, fork).await?,
        None => owner_of_first(&entry(io, source, head, 0).await?)?,
    };
    check_same(&id, &owner)?;
    session.writer = Writer::resume(id, head, is_salted).forked_at(fork);
    Ok(())
}

/// The same of what precedes the log, whose lines tell nothing of it.
async fn told_before(io: &Io, source: &Source, head: Head) -> Result<(bool, Option<u64>)> {
    match &source.cold {
        Some(cold) => cold.held().map(|held| (held.is_salted, held.fork)),
        None => told_by_last(io, source, head).await,
    }
}

/// What a session's last entry tells: whether entries are salted, and which is the last fork.
pub(super) async fn told_by_last(
    io: &Io,
    source: &Source,
    head: Head,
) -> Result<(bool, Option<u64>)> {
    let mut seq = head.seq;
    loop {
        let line = entry(io, source, head, seq).await?;
        let rest = Line::split(&line).map(|line| line.rest).unwrap_or_default();
        let envelope = Envelope::parse(utf8(rest)?)?;
        if envelope.kind != Kind::Redacted || seq == 0 {
            let is_fork = envelope.kind == Kind::Fork;
            return Ok((envelope.is_salted, if is_fork { Some(seq) } else { envelope.fork }));
        }
        // It tells nothing of this.
        seq -= 1;
    }
}
