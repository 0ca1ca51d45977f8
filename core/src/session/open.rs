//! Creating and opening.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use spin::Mutex;

use super::Task;
use super::live::Live;
use crate::archive::{HEADER_BYTES, Index, read_index};
use crate::entry::{Envelope, FORMAT_VERSION, claimed_version, utf8};
use crate::line::{FIRST_PREFIX, Line};
use crate::log::{Draft, Head, Stamp, Tail, Torn, Writer, find_tail};
use crate::store::{Durability, Info, Key, Part};
use crate::task::Io;
use crate::{Entry, Error, ErrorKind, Kind, Result, SessionId};

/// First look at a log's end: holds the last lines of most sessions.
const TAIL_BYTES: u64 = 32 << 10;
/// First look at a log's start: holds the envelope of the first line.
const START_BYTES: u64 = 1 << 10;

/// An open session: plain data, with which entries can be appended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Session {
    /// Where the next entry goes.
    pub writer: Writer,
    /// An unfinished write that was found; the next append cuts it off.
    pub torn: Option<Torn>,
    /// Live or archived.
    pub form: Form,
    /// Shared by this value's clones: each is the same session, further on.
    pub(super) live: Arc<Mutex<Live>>,
}

/// How a session is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a log.
    Live,
    /// As an archive.
    Archived,
}

/// How to create a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Create {
    /// Its id; made from time and chance where there is none.
    pub id: Option<SessionId>,
    /// The fields of its first entry: a draft of kind `session_start`.
    pub start: Option<Draft>,
    /// Whether its entries are salted, so that they can be withheld safely later.
    pub is_salted: bool,
    /// What the first entry survives.
    pub durability: Durability,
    /// Entries that are appended with the first one in the same write, all or nothing: a draft
    /// that fails a check leaves no session behind. Drafts as for [`append`]; where `start` is
    /// `None` the first of them may be of kind `session_start`. They are the session's last ones.
    pub entries: Vec<String>,
}

impl Default for Create {
    fn default() -> Self {
        let durability = Durability::default();
        Self { id: None, start: None, is_salted: true, durability, entries: Vec::new() }
    }
}

impl Create {
    /// The same, with that id.
    #[must_use]
    pub fn with_id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same, with the fields of that draft, of kind `session_start`, in the first entry.
    #[must_use]
    pub fn with_start(mut self, start: Draft) -> Self {
        self.start = Some(start);
        self
    }

    /// The same, with or without salts.
    #[must_use]
    pub fn salted(mut self, is_salted: bool) -> Self {
        self.is_salted = is_salted;
        self
    }

    /// The same, with a first entry that survives that.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}

impl Session {
    pub(super) fn new(writer: Writer, form: Form) -> Self {
        Self { writer, torn: None, form, live: Arc::default() }
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
}

/// Creates a session with its first entry. `already_exists` where there is one of that id.
#[must_use]
pub fn create(options: Create) -> Task<Session> {
    Task::new(async move |io| create_session(&io, options).await)
}

pub(super) async fn create_session(io: &Io, options: Create) -> Result<Session> {
    let start = options.start.map(|start| start.as_str().into());
    let drafts: Vec<String> = start.into_iter().chain(options.entries).collect();
    // 8 bytes for each entry's salt (one more may open the log), 10 for an id.
    let salts = 8 * (drafts.len() + 1);
    let mut stamp = io.stamp(salts + 10).await?;
    let id_random = stamp.random.split_off(stamp.random.len().min(salts));
    let id = match options.id {
        Some(id) => id,
        None => generated(&stamp, &id_random)?,
    };
    let archive = Key::of(&id, Part::Archive);
    let exists = || Error::new(ErrorKind::AlreadyExists, "the session exists").in_session(&id);
    match io.info(&archive).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Ok(_) => return Err(exists()),
        Err(error) => return Err(error.in_session(&id)),
    }
    let mut writer = Writer::create(id.clone(), options.is_salted);
    let batch = writer.write(&drafts, &stamp).map_err(|error| error.in_session(&id))?;
    let log = Key::of(&id, Part::Log);
    let added = io.append(&log, batch.bytes, (0, 0), options.durability).await;
    added.map_err(|error| match error.kind() {
        ErrorKind::Conflict => exists(),
        _ => error.in_session(&id),
    })?;
    writer.advance(batch.head);
    Ok(Session::new(writer, Form::Live))
}

/// A new id, from the time and 10 random bytes.
pub(super) fn generated(stamp: &Stamp, random: &[u8]) -> Result<SessionId> {
    let too_few = |_| Error::new(ErrorKind::StoreFailed, "the host gave too few random bytes");
    Ok(SessionId::generate(stamp.now_ms, random.try_into().map_err(too_few)?))
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

/// The session, and where it is archived its archive's index.
pub(super) async fn find_session(io: &Io, id: &SessionId) -> Result<(Session, Option<Index>)> {
    let key = Key::of(id, Part::Log);
    match io.info(&key).await {
        Err(error) if error.kind() == ErrorKind::NotFound => open_archive(io, id).await,
        Err(error) => Err(error),
        Ok(info) => {
            let tail = match read_tail(io, &key, &info).await {
                // Nothing in a log of a newer format has to look as it does in this one.
                Err(error) => return Err(newer(io, &key).await?.unwrap_or(error)),
                tail => tail?,
            };
            check_owner(io, id, &key, &tail).await?;
            let writer = Writer::resume(id.clone(), tail.head, tail.is_salted).forked_at(tail.fork);
            Ok((Session { torn: tail.torn, ..Session::new(writer, Form::Live) }, None))
        }
    }
}

/// What to say of a log whose first line claims a newer format.
async fn newer(io: &Io, key: &Key) -> Result<Option<Error>> {
    let start = io.get(key, Some(0..START_BYTES)).await?.bytes;
    let is_newer = |rest| claimed_version(rest).is_some_and(|version| version > FORMAT_VERSION);
    let found = start.get(FIRST_PREFIX..).is_some_and(is_newer);
    Ok(found.then(|| {
        let message = "the log has a newer format than 1";
        let error = Error::new(ErrorKind::UnsupportedVersion, message).at_key(key);
        error.at(|place| place.line = Some(1))
    }))
}

/// Looks at a log's end, further back until its head is found.
async fn read_tail(io: &Io, key: &Key, info: &Info) -> Result<Tail> {
    let mut window = TAIL_BYTES;
    loop {
        let start = info.bytes.saturating_sub(window);
        let object = io.get(key, Some(start..info.bytes)).await?;
        if object.bytes.len() as u64 != info.bytes - start {
            let message = "the log became shorter while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(key));
        }
        if let Some(tail) = find_tail(&object.bytes, start).map_err(|error| error.at_key(key))? {
            return Ok(tail);
        }
        window = window.saturating_mul(4);
    }
}

/// Whose log is it? Its last fork says, or its first line where it has none.
async fn check_owner(io: &Io, id: &SessionId, key: &Key, tail: &Tail) -> Result<()> {
    let first = line_at(io, key, 0, tail.head.bytes).await?;
    let at_first = |error: Error| error.at_key(key).at(|place| place.line = Some(1));
    let owner = first_owner(&first).map_err(at_first)?;
    let owner = match tail.fork {
        Some(seq) => fork_owner(io, key, tail.head, seq).await?,
        None => owner,
    };
    if owner == *id {
        return Ok(());
    }
    let message = alloc::format!("this is the log of session {:?}", owner.as_str());
    Err(Error::new(ErrorKind::WrongSession, message).at_key(key))
}

fn first_owner(line: &[u8]) -> Result<SessionId> {
    let bad = |kind, message: &str| Error::new(kind, message);
    let line = Line::split(line)
        .ok_or_else(|| bad(ErrorKind::BadLine, "not the shape of a log's line"))?;
    if claimed_version(line.rest).is_some_and(|version| version > FORMAT_VERSION) {
        return Err(bad(ErrorKind::UnsupportedVersion, "the log has a newer format than 1"));
    }
    let session = Envelope::parse(utf8(line.rest)?)?.session;
    session.ok_or_else(|| bad(ErrorKind::BadEntry, "session_start stands on the first line"))
}

async fn fork_owner(io: &Io, key: &Key, head: Head, seq: u64) -> Result<SessionId> {
    let (line, _) = super::read::entry_line(io, key, head, seq).await?;
    let entry = Entry::parse(&line)?;
    let session = entry.text("session").filter(|_| entry.kind() == Kind::Fork);
    let lost = || Error::new(ErrorKind::BadSeq, "the fork entry is not where it should be");
    SessionId::new(session.ok_or_else(lost)?)
}

/// The line that starts at that offset of a log which ends at `end`, without its `\n`.
pub(super) async fn line_at(io: &Io, key: &Key, offset: u64, end: u64) -> Result<Vec<u8>> {
    let mut window = START_BYTES;
    loop {
        let stop = end.min(offset.saturating_add(window));
        let mut bytes = io.get(key, Some(offset..stop)).await?.bytes;
        match memchr::memchr(b'\n', &bytes) {
            Some(length) => bytes.truncate(length),
            None if stop >= end => {}
            None => {
                window = window.saturating_mul(16);
                continue;
            }
        }
        return Ok(bytes);
    }
}

async fn open_archive(io: &Io, id: &SessionId) -> Result<(Session, Option<Index>)> {
    let key = Key::of(id, Part::Archive);
    let start = io.get(&key, Some(0..HEADER_BYTES as u64)).await;
    let start = start.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "there is no such session"),
        _ => error,
    })?;
    let index = read_index(&start.bytes, start.info.bytes).map_err(|e| e.at_key(&key))?;
    // Salted or not is told by the log; an archived session is restored before it is written to.
    let writer = Writer::resume(id.clone(), index.head, true);
    Ok((Session::new(writer, Form::Archived), Some(index)))
}
