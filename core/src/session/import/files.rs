//! Importing files that belong together: reading them, keeping them, and writing what they hold.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Import, Origin, OriginFile, existing, import_session, put_beside};
use crate::cache::CacheEntry;
use crate::import::{Chain, File, Format, Session, Skipped, is_own, read};
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
    /// Only the session that has this id of its own; `None`: all of them.
    pub only: Option<SessionId>,
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
    /// Which system wrote it.
    pub format: Format,
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
/// all. Doing it again does nothing; asked to end early, it begins no other session. `bad_entry` where no
/// system's format is recognised in them, `not_supported` where they are turnkeep's own.
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
    let mut read = read(&files, options.from).map_err(|error| in_file(error, first))?;
    if let Some(only) = &options.only {
        let names = read.sessions.iter().take(8).map(|session| session.id.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        read.sessions.retain(|session| session.id == *only);
        if read.sessions.is_empty() {
            let message = alloc::format!("the files have no such session; they have: {names}");
            return Err(in_file(Error::new(ErrorKind::NotFound, message), first));
        }
    }
    if options.id.is_some() && read.sessions.len() > 1 {
        let message = "one id was given, and there are several sessions";
        return Err(in_file(Error::new(ErrorKind::InvalidArgument, message), first));
    }
    let mut importing = Importing { io, options, files: Vec::new() };
    importing.files.resize_with(options.files.len(), || None);
    let (mut sessions, mut seen) = (Vec::new(), BTreeSet::new());
    for mut session in read.sessions {
        if io.is_stopping() {
            break;
        }
        if let Some(id) = &options.id {
            session.id = id.clone();
        }
        let is_new = seen.insert(session.id.clone());
        sessions.push(importing.one(session, is_new).await);
    }
    Ok(ImportedFiles { sessions, cache: read.cache, skipped: read.skipped })
}

struct Importing<'a> {
    io: &'a Io,
    options: &'a ImportFiles,
    /// Files that were hashed, and kept unless nothing is to be changed: once, however many sessions
    /// are in them.
    files: Vec<Option<OriginFile>>,
}

impl Importing<'_> {
    async fn one(&mut self, session: Session, is_new: bool) -> ImportedSession {
        let (id, files, chain) = (session.id.clone(), session.files.clone(), session.chain.clone());
        let (format, entries) = (session.format, session.drafts.len() as u64);
        let outcome = async {
            if !is_new {
                let message = "the files hold another session of that id, which came first";
                return Err(Error::new(ErrorKind::AlreadyExists, message));
            }
            let origin = self.origin(&session).await?;
            if self.options.dry_run {
                let there = existing(self.io, &session.id, &origin).await?;
                return Ok(there.unwrap_or(Import::WouldImport));
            }
            import_session(self.io, session, &origin).await
        };
        let outcome = outcome.await.map_err(|error: Error| error.in_session(&id));
        ImportedSession { id, format, files, entries, chain, outcome }
    }

    /// Where a session came from: its files are kept from now on.
    async fn origin(&mut self, session: &Session) -> Result<Origin> {
        let mut origin = Origin { format: session.format, files: Vec::new() };
        for index in &session.files {
            let known = (self.files.get_mut(*index), self.options.files.get(*index));
            let (Some(kept), Some((name, bytes))) = known else { continue };
            if kept.is_none() {
                let file = OriginFile {
                    name: name.clone(),
                    sha256: sha256(bytes),
                    bytes: bytes.len() as u64,
                };
                if !self.options.dry_run {
                    put_beside(self.io, Key::import(file.sha256), bytes).await?;
                }
                *kept = Some(file);
            }
            origin.files.extend(kept.clone());
        }
        Ok(origin)
    }
}

/// The same error, said to concern that file.
fn in_file(error: Error, name: &str) -> Error {
    error.at(|place| _ = place.key.get_or_insert_with(|| name.into()))
}
