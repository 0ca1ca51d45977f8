//! Creating.

use alloc::string::String;
use alloc::vec::Vec;

use super::again::TRIES;
use super::tier::{CLAIM_BYTES, Claim};
use super::{Session, Task};
use crate::line::last_line;
use crate::log::{Draft, Stamp, Writer};
use crate::store::{After, Durability, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

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
    /// that fails a check leaves no session behind. Drafts as for [`super::append`]; where `start` is
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
    let exists = || Error::new(ErrorKind::AlreadyExists, "the session exists").in_session(&id);
    let mut tries = 1;
    loop {
        // The place first: looked at before, it may have been taken, archived and freed again.
        let claim = super::tier::claim(io, &id).await.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(),
            _ => error.in_session(&id),
        })?;
        let how = (options.is_salted, options.durability);
        match write_first(io, &id, &drafts, how, &stamp, &claim).await {
            Err(error) if is_gone(&error) && tries < TRIES => {
                // Who shared the claim gave it up: if the place is taken, the next claim tells.
                tries += 1;
            }
            Err(error) => {
                claim.release(io, &id).await;
                return Err(match error.kind() {
                    ErrorKind::Conflict => exists(),
                    _ => error.in_session(&id),
                });
            }
            created => return created,
        }
    }
}

/// Whether what was to be replaced is there no more.
fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
}

/// Writes a session's first entries into the place it has.
async fn write_first(
    io: &Io,
    id: &SessionId,
    drafts: &[String],
    (is_salted, durability): (bool, Durability),
    stamp: &Stamp,
    claim: &Claim,
) -> Result<Session> {
    let writer = Writer::create(id.clone(), is_salted);
    let batch = writer.write(drafts, stamp).map_err(|error| error.in_session(id))?;
    let log = Key::of(id, Part::Log);
    let session = Session::new(writer).at(batch.head, last_line(&batch.bytes));
    // In the very claim's place: another one is as long.
    let after = After::new(0, CLAIM_BYTES as u64).marked(0, claim.bytes.clone());
    if planted!(CreateTruncates) {
        io.put(&log, batch.bytes, crate::store::Condition::Any).await?;
        return Ok(session);
    }
    io.append(&log, batch.bytes, after, durability).await?;
    Ok(session)
}

/// A new id, from the time and 10 random bytes.
pub(super) fn generated(stamp: &Stamp, random: &[u8]) -> Result<SessionId> {
    let too_few = |_| Error::new(ErrorKind::StoreFailed, "the host gave too few random bytes");
    Ok(SessionId::generate(stamp.now_ms, random.try_into().map_err(too_few)?))
}
