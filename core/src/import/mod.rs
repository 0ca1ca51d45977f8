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

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use session_store::entry_hash;

use crate::cache::CacheEntry;
use crate::limits::IMPORT_BYTES_MAX;
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
    /// Which system wrote it.
    pub format: Format,
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

/// Whether a file only lies beside a session, by its name: the session can be imported without it.
#[must_use]
pub fn is_beside(name: &str) -> bool {
    name.ends_with(".trace.jsonl") || name.ends_with(".events.jsonl")
}

/// Whether a file is a log or an archive of turnkeep's own, which needs no import.
#[must_use]
pub fn is_own(file: File<'_>) -> bool {
    starts_as_own(&content::start(file.bytes))
}

fn starts_as_own(start: &[u8]) -> bool {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // Of a long line there is only the start.
    let opens = br#","kind":"session_start","seq":0,"format":"#;
    crate::Entry::parse(first).is_ok_and(|entry| entry.seq().is_some())
        || first.starts_with(b"{\"hash\":") && memchr::memmem::find(first, opens).is_some()
}

/// Which system wrote a file, as its content tells; `None`: none of them.
#[must_use]
pub fn detect(file: File<'_>) -> Option<Format> {
    let start = content::start(file.bytes);
    let seen = File { name: content::plain_name(file.name), bytes: &start };
    match file {
        _ if starts_as_own(&start) => None,
        _ if eai::detects(&start) => Some(Format::Eai),
        _ if zeitlich::detects(file, &start) => Some(Format::Zeitlich),
        _ if session_store::detects(seen) => Some(Format::SessionStore),
        _ if opendev::detects(seen) => Some(Format::Opendev),
        // Last: anything may be an agent's output.
        _ if agentmux::detects(file, &start) => Some(Format::Agentmux),
        _ => None,
    }
}

/// Reads files that belong together, each as what it is: their names may be alike and their systems
/// not. What cannot be read is in [`Imported::skipped`], with its place; an error where nothing can
/// be: `bad_entry` where no system's format is recognised.
pub fn read(files: &[File<'_>], from: Option<Format>) -> Result<Imported> {
    let told: Vec<_> = files.iter().map(|file| from.or_else(|| detect(*file))).collect();
    // A damaged file shows no format: it is read as its neighbours, if its name is one of theirs.
    let first = told.iter().copied().flatten().next().ok_or_else(unknown)?;
    let mut imported = Imported::default();
    let mut formats = Vec::new();
    for (index, (file, told)) in files.iter().zip(told).enumerate() {
        let joins = || joins(first, *file).map(|()| first);
        match told.map_or_else(joins, Ok) {
            Ok(format) => formats.push((format, index, *file)),
            Err(error) => imported.skipped.push(Skipped { file: index, error }),
        }
    }
    for format in Format::ALL {
        let own = formats.iter().filter(|(other, ..)| *other == format);
        let (places, own): (Vec<_>, Vec<_>) = own.map(|(_, index, file)| (*index, *file)).unzip();
        let Some(place) = places.first() else { continue };
        match read_as(format, &own) {
            Ok(part) => imported.take(part, &places),
            Err(error) if files.len() > 1 => {
                imported.skipped.push(Skipped { file: *place, error });
            }
            Err(error) => return Err(error),
        }
    }
    imported.sessions.sort_by(|one, other| one.files.cmp(&other.files));
    imported.skipped.sort_by_key(|skipped| skipped.file);
    Ok(imported)
}

fn read_as(format: Format, files: &[File<'_>]) -> Result<Imported> {
    match format {
        Format::Eai => eai::read(files),
        Format::SessionStore => of_lines(files, session_store::read),
        Format::Opendev => of_lines(files, opendev::read),
        Format::Zeitlich => zeitlich::read(files),
        Format::Agentmux => agentmux::read(files),
    }
}

/// Reads files of lines, inflated as far as they can be, all of them together to no more than one may.
fn of_lines(files: &[File<'_>], read: fn(&[File<'_>]) -> Result<Imported>) -> Result<Imported> {
    let mut room = IMPORT_BYTES_MAX;
    let (contents, damages): (Vec<Cow<'_, [u8]>>, Vec<_>) =
        files.iter().map(|file| content::readable(file.bytes, &mut room)).unzip();
    let plain = files.iter().zip(&contents);
    let plain = plain
        .map(|(file, bytes)| File { name: content::plain_name(file.name), bytes: bytes.as_ref() });
    let mut imported = read(&plain.collect::<Vec<_>>())?;
    for (file, damage) in damages.into_iter().enumerate() {
        imported.skipped.extend(damage.map(|error| Skipped { file, error }));
    }
    Ok(imported)
}

/// Whether a file that shows no format may be a damaged one of that system's.
fn joins(format: Format, file: File<'_>) -> Result<()> {
    let name = content::plain_name(file.name);
    let is_metadata = format == Format::Opendev && name.ends_with(".json");
    match format {
        _ if is_own(file) => {
            let message = "a log or an archive of turnkeep's own needs no import: copy it";
            Err(Error::new(ErrorKind::NotSupported, message))
        }
        Format::SessionStore | Format::Opendev if name.ends_with(".jsonl") => Ok(()),
        _ if is_metadata && opendev::may_be_metadata(file) => Ok(()),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::BadEntry, "no format of an earlier system is recognised in it")
}

impl Imported {
    /// Adds what was read of some of the files; `places` says which those are.
    fn take(&mut self, part: Self, places: &[usize]) {
        let place = |file: usize| places.get(file).copied().unwrap_or(file);
        self.cache.extend(part.cache);
        let skipped = part.skipped.into_iter();
        self.skipped.extend(skipped.map(|s| Skipped { file: place(s.file), ..s }));
        self.sessions.extend(part.sessions.into_iter().map(|mut session| {
            session.files = session.files.into_iter().map(place).collect();
            session
        }));
    }
}

impl Session {
    /// A session of the first file, of which nothing but its entries is known.
    fn new(format: Format, id: SessionId, drafts: Vec<Draft>) -> Self {
        let (about, trace, files) = (About::default(), String::new(), Vec::from([0]));
        Self { id, format, files, about, drafts, trace, chain: None }
    }
}

#[cfg(test)]
mod tests;
