//! Importing files that belong together: reading them, keeping them, and writing what they hold.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Import, Origin, OriginFile, existing, import_session, put_beside};
use crate::cache::CacheEntry;
use crate::import::{Chain, File, Format, Session, Skipped, detect, is_own, read};
use crate::session::Task;
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId, sha256};

/// Files of an earlier system that belong together ([`crate::import::group`] tells which).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportFiles {
    /// Their names, as [`File::name`], and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// Which system wrote them; `None`: their content tells.
    pub from: Option<Format>,
    /// The id of the session in them, in place of its own. `invalid_argument` where there are several.
    pub id: Option<SessionId>,
    /// Change nothing: only tell what would be imported.
    pub dry_run: bool,
}

impl ImportFiles {
    /// Those files.
    #[must_use]
    pub fn new(files: Vec<(String, Vec<u8>)>) -> Self {
        Self { files, ..Self::default() }
    }
}

/// What was imported from files.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImportedFiles {
    /// Which system wrote them.
    pub format: Format,
    /// Their sessions.
    pub sessions: Vec<ImportedSession>,
    /// Values that lay beside them, which no store of sessions takes.
    pub cache: Vec<CacheEntry>,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// What became of a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ImportedSession {
    /// Its id.
    pub id: SessionId,
    /// The files it was in, as positions in what was given.
    pub files: Vec<usize>,
    /// How many entries they gave.
    pub entries: u64,
    /// What its own hash chain shows, where it had one.
    pub chain: Option<Chain>,
    /// What was done, or would be. A session that fails does not keep the others.
    pub outcome: Result<Import>,
}

/// Imports files that belong together: keeps them, and writes each of their sessions whole or not at
/// all. Doing it again does nothing. `bad_entry` where no system's format is recognised in them,
/// `not_supported` where they are turnkeep's own.
#[must_use]
pub fn import_files(options: ImportFiles) -> Task<ImportedFiles> {
    Task::new(async move |io| import_all(&io, &options).await)
}

async fn import_all(io: &Io, options: &ImportFiles) -> Result<ImportedFiles> {
    let files = options.files.iter().map(|(name, bytes)| File { name, bytes });
    let files: Vec<File<'_>> = files.collect();
    let first = files.first().map_or("", |file| file.name);
    if let Some(own) = files.iter().find(|file| is_own(**file)) {
        let message = "a log or an archive of turnkeep's own needs no import: copy it";
        return Err(in_file(Error::new(ErrorKind::NotSupported, message), own.name));
    }
    let format = options.from.or_else(|| files.iter().find_map(|file| detect(*file)));
    let unknown = || {
        let message = "no format of an earlier system is recognised in it";
        in_file(Error::new(ErrorKind::BadEntry, message), first)
    };
    let format = format.ok_or_else(unknown)?;
    let read = read(&files, Some(format)).map_err(|error| in_file(error, first))?;
    if options.id.is_some() && read.sessions.len() > 1 {
        let message = "one id was given, and there are several sessions";
        return Err(in_file(Error::new(ErrorKind::InvalidArgument, message), first));
    }
    let mut sessions = Vec::new();
    for mut session in read.sessions {
        if let Some(id) = &options.id {
            session.id = id.clone();
        }
        sessions.push(one(io, options, format, session).await);
    }
    Ok(ImportedFiles { format, sessions, cache: read.cache, skipped: read.skipped })
}

async fn one(io: &Io, options: &ImportFiles, format: Format, session: Session) -> ImportedSession {
    let (id, files, chain) = (session.id.clone(), session.files.clone(), session.chain.clone());
    let entries = session.drafts.len() as u64;
    let given: Vec<_> = files.iter().filter_map(|index| options.files.get(*index)).collect();
    let origin =
        Origin { format, files: given.iter().map(|(name, bytes)| file(name, bytes)).collect() };
    let outcome = async {
        if options.dry_run {
            return Ok(existing(io, &id, &origin).await?.unwrap_or(Import::WouldImport));
        }
        for ((_, bytes), file) in given.iter().zip(&origin.files) {
            put_beside(io, Key::import(file.sha256), bytes).await?;
        }
        import_session(io, session, &origin).await
    };
    let outcome = outcome.await.map_err(|error: Error| error.in_session(&id));
    ImportedSession { id, files, entries, chain, outcome }
}

fn file(name: &str, bytes: &[u8]) -> OriginFile {
    OriginFile { name: name.into(), sha256: sha256(bytes), bytes: bytes.len() as u64 }
}

/// The same error, said to concern that file.
fn in_file(error: Error, name: &str) -> Error {
    error.at(|place| _ = place.key.get_or_insert_with(|| name.into()))
}
