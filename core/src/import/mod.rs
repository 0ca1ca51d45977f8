//! Reading what earlier systems wrote: files in, drafts out. Nothing is written here.
//!
//! | module | reads |
//! |---|---|
//! | `eai` | Eai.System: gzipped Erlang terms, of a whole runtime or of one session |
//! | `session_store` | session-store (yoi): JSON lines of every era, with traces |
//! | `opendev` | opendev: sessions, transcripts, events, sidechains, recovery files |
//! | `zeitlich` | zeitlich: thread snapshots of its cold store |
//! | `agentmux` | agentmux: gzipped archives of an agent's output |

mod agentmux;
mod content;
mod eai;
mod etf;
mod group;
mod lines;
mod opendev;
mod session_store;
mod zeitlich;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use session_store::entry_hash;

use crate::cache::CacheEntry;
use crate::log::Draft;
use crate::session::About;
use crate::{Error, ErrorKind, Result, SessionId};

/// A file of an earlier system.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path below what was asked for, with `/` between folders: ids are taken from names where
    /// the content has none.
    pub name: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Which system wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Eai.System.
    Eai,
    /// session-store.
    SessionStore,
    /// opendev.
    Opendev,
    /// zeitlich.
    Zeitlich,
    /// agentmux.
    Agentmux,
}

impl Format {
    /// Every format there is.
    pub const ALL: [Self; 5] =
        [Self::Eai, Self::SessionStore, Self::Opendev, Self::Zeitlich, Self::Agentmux];

    /// Its name: `eai`, `session-store`, `opendev`, `zeitlich`, `agentmux`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eai => "eai",
            Self::SessionStore => "session-store",
            Self::Opendev => "opendev",
            Self::Zeitlich => "zeitlich",
            Self::Agentmux => "agentmux",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What files held.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// Their sessions.
    pub sessions: Vec<Session>,
    /// Values that lay beside them.
    pub cache: Vec<CacheEntry>,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// A session that was read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The files it was in, as positions in what was given.
    pub files: Vec<usize>,
    /// Title, kind and tags, as far as there are any.
    pub about: About,
    /// Its entries. The first may be its `session_start`.
    pub drafts: Vec<Draft>,
    /// Events beside the log: JSON objects, one on each line.
    pub trace: String,
    /// What its own hash chain shows; `None` where it had none.
    pub chain: Option<Chain>,
}

/// A foreign hash chain that was checked under its own formula.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Chain {
    /// How many of its entries hold, from the first one on.
    pub held: u64,
    /// The first one that does not, with its place.
    pub fault: Option<Error>,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Skipped {
    /// The file, as a position in what was given.
    pub file: usize,
    /// Why, and where in it.
    pub error: Error,
}

/// Which files belong together, by their names alone: each group is read by itself. So a folder of
/// any size is read group by group.
#[must_use]
pub fn group(names: &[&str]) -> Vec<Vec<usize>> {
    group::group(names)
}

/// Whether a file is a log or an archive of turnkeep's own, which needs no import.
#[must_use]
pub fn is_own(file: File<'_>) -> bool {
    let start = content::start(file.bytes);
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // Of a long line there is only the start.
    let opens = br#","kind":"session_start","seq":0,"format":"#;
    crate::Entry::parse(first).is_ok_and(|entry| entry.seq().is_some())
        || first.starts_with(b"{\"hash\":") && memchr::memmem::find(first, opens).is_some()
}

/// Which system wrote a file, as its content tells; `None`: none of them.
#[must_use]
pub fn detect(file: File<'_>) -> Option<Format> {
    match file {
        _ if is_own(file) => None,
        _ if eai::detects(file) => Some(Format::Eai),
        _ if zeitlich::detects(file) => Some(Format::Zeitlich),
        _ if session_store::detects(file) => Some(Format::SessionStore),
        _ if opendev::detects(file) => Some(Format::Opendev),
        // Last: anything may be an agent's output.
        _ if agentmux::detects(file) => Some(Format::Agentmux),
        _ => None,
    }
}

/// Reads files that belong together. What cannot be read is in [`Imported::skipped`], with its place;
/// an error where nothing can be: `bad_entry` where no system's format is recognised.
pub fn read(files: &[File<'_>], from: Option<Format>) -> Result<Imported> {
    // The first file of a group may be the damaged one.
    let format = from.or_else(|| files.iter().copied().find_map(detect));
    match format {
        Some(Format::Eai) => eai::read(files),
        Some(Format::SessionStore) => session_store::read(files),
        Some(Format::Opendev) => opendev::read(files),
        Some(Format::Zeitlich) => zeitlich::read(files),
        Some(Format::Agentmux) => agentmux::read(files),
        None => {
            let message = "no format of an earlier system is recognised in it";
            Err(Error::new(ErrorKind::BadEntry, message))
        }
    }
}
