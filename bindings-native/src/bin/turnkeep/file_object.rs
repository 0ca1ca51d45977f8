//! A file anywhere on disk as a store with one session, so that what reads sessions by ranges
//! reads it too.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use turnkeep::core::limits::LINE_BYTES_MAX;
use turnkeep::core::session;
use turnkeep::core::store::{
    After, Capabilities, Condition, Durability, Info, Listing, Object, Part, StageId,
};
use turnkeep::{Entry, Error, ErrorKind, Key, Range as Selected, Result, SessionId, Store, drive};

use crate::stream::GZIP_START;
use crate::{Failure, Outcome};

/// The file, read only.
#[derive(Debug)]
pub(crate) struct FileObject {
    path: PathBuf,
    id: SessionId,
    part: Part,
}

impl FileObject {
    /// Looks at the file's start: is it a log or an archive, and whose?
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let cannot = |error: io::Error| Failure::reading(&path.display().to_string(), &error);
        // Looked at first: opening a pipe would wait.
        if !fs::metadata(path).map_err(cannot)?.is_file() {
            let message = "it is no regular file, so it cannot be read by ranges";
            return Err(Failure::usage(message).with_hint("Copy it to a file first."));
        }
        let mut file = BufReader::new(File::open(path).map_err(cannot)?);
        let part = match file.fill_buf().map_err(cannot)?.first() {
            Some(&GZIP_START) => Part::Archive,
            _ => Part::Log,
        };
        let mut line = Vec::new();
        if part == Part::Log {
            file.take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).map_err(cannot)?;
        }
        let id = session_of(&line).map_or_else(|| SessionId::new("file"), Ok)?;
        Ok(Self { path: path.to_owned(), id, part })
    }

    /// The session that its first line names. (Of an archive any id will do to read it.)
    pub(crate) fn id(&self) -> &SessionId {
        &self.id
    }

    /// Whose session it is: of an archive, its first entry has to be unpacked to know.
    pub(crate) fn owner(&self) -> Result<SessionId> {
        if self.part == Part::Log {
            return Ok(self.id.clone());
        }
        let first = session::read(self.id.clone(), Selected::between(0, Some(0)));
        let lines = drive(first, self)?.lines;
        Ok(session_of(&lines).unwrap_or_else(|| self.id.clone()))
    }

    fn file(&self, key: &Key) -> Result<(File, Info)> {
        if key.session().is_none_or(|(_, part)| part != self.part) {
            return Err(Error::new(ErrorKind::NotFound, "there is no such object").at_key(key));
        }
        let opened = File::open(&self.path).and_then(|file| {
            let bytes = file.metadata()?.len();
            Ok((file, Info { bytes, ..Info::default() }))
        });
        opened.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Error {
        let message = format!("cannot read {}: {error}", self.path.display());
        Error::new(ErrorKind::StoreFailed, message)
    }
}

fn session_of(line: &[u8]) -> Option<SessionId> {
    let entry = Entry::parse(line.strip_suffix(b"\n")?).ok()?;
    SessionId::new(entry.text("session")?).ok()
}

fn read_only<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotSupported, "a file is only read"))
}

impl Store for FileObject {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all(Durability::Memory)
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let (mut file, info) = self.file(key)?;
        let range = range.unwrap_or(0..info.bytes);
        let mut bytes = Vec::new();
        let length = range.end.min(info.bytes).saturating_sub(range.start);
        file.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.take(length).read_to_end(&mut bytes))
            .map_err(|error| self.failed(&error))?;
        Ok(Object { bytes, info })
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.file(key).map(|(_, info)| info)
    }

    fn put(&self, _: &Key, _: &[u8], _: &Condition) -> Result<Info> {
        read_only()
    }

    fn append(&self, _: &Key, _: &[u8], _: &After, _: Durability) -> Result<Info> {
        read_only()
    }

    fn delete(&self, _: &Key, _: &Condition) -> Result<()> {
        read_only()
    }

    fn list(&self, _: &str, _: Option<&Key>, _: u32) -> Result<Listing> {
        read_only()
    }

    fn stage(&self, _: &Key) -> Result<StageId> {
        read_only()
    }

    fn stage_part(&self, _: &StageId, _: u32, _: &[u8]) -> Result<()> {
        read_only()
    }

    fn get_staged(&self, _: &StageId, _: Option<Range<u64>>) -> Result<Object> {
        read_only()
    }

    fn commit(&self, _: &StageId, _: &Condition) -> Result<Info> {
        read_only()
    }

    fn abort(&self, _: &StageId) -> Result<()> {
        read_only()
    }
}
