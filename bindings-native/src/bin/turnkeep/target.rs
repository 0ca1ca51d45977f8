//! What a command works on: a session of the store, a file anywhere, or standard input.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use turnkeep::core::store::Part;
use turnkeep::{Error, ErrorKind, Key, SessionId, Store};

use crate::args::Globals;
use crate::file_object::FileObject;
use crate::location::Location;
use crate::{Failure, Outcome};

/// Names a session or a file.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// A session's id, or a log or archive anywhere on disk: what holds a path separator or ends
    /// in .jsonl or .gz, and is a file, is taken for a file
    #[arg(value_name = "ID|FILE")]
    pub(crate) name: OsString,
    #[command(flatten)]
    pub(crate) taken: Taken,
}

/// What a name is taken for, whatever it looks like.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Taken {
    /// Take it for an id
    #[arg(long, conflicts_with = "file")]
    id: bool,
    /// Take it for a file
    #[arg(long)]
    file: bool,
}

/// What is named.
#[derive(Debug)]
pub(crate) enum Target {
    Id(SessionId),
    File(PathBuf),
}

impl TargetArgs {
    /// Whether standard input is named.
    pub(crate) fn is_stdin(&self) -> bool {
        self.name == "-" && !self.taken.id && !self.taken.file
    }

    pub(crate) fn target(&self) -> Outcome<Target> {
        let path = Path::new(&self.name);
        let looks_like_file = looks_like_file(&self.name);
        if self.taken.file || (!self.taken.id && looks_like_file && path.exists() && !path.is_dir())
        {
            return Ok(Target::File(path.to_owned()));
        }
        let named = self.name.to_str().and_then(|name| SessionId::new(name).ok());
        match named {
            Some(id) => Ok(Target::Id(id)),
            None if looks_like_file && !self.taken.id => Err(no_file(&self.name)),
            None => Err(Error::new(ErrorKind::InvalidId, "not a session id").into()),
        }
    }

    /// The same failure, with a word on files where no session was found for what looks like one.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match &failure {
            Failure::Failed(failed)
                if failed.error.kind() == ErrorKind::NotFound
                    && !self.taken.id
                    && looks_like_file(&self.name) =>
            {
                failure.with_hint("There is no file of that name either.")
            }
            _ => failure,
        }
    }
}

fn looks_like_file(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.contains(std::path::is_separator) || name.ends_with(".jsonl") || name.ends_with(".gz")
}

fn no_file(name: &OsStr) -> Failure {
    let message = format!("there is no file {}", Path::new(name).display());
    Failure::from(Error::new(ErrorKind::NotFound, message)).with_hint("Check the path.")
}

/// A session's bytes, as an object of a store and as a file.
pub(crate) struct Source {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) id: SessionId,
    /// The archive and what follows it, or either; none where they are no files.
    pub(crate) files: Vec<PathBuf>,
}

impl Target {
    pub(crate) fn source(&self, globals: &Globals) -> Outcome<Source> {
        match self {
            Self::File(path) => {
                let object = FileObject::open(path)?;
                let (id, files) = (object.id().clone(), vec![path.clone()]);
                Ok(Source { store: Arc::new(object), id, files })
            }
            Self::Id(id) => {
                let store = globals.store()?;
                let parts = [Part::Archive, Part::Log].map(|part| Key::of(id, part));
                let files = match globals.location()? {
                    Location::Folder(root) => parts.map(|key| root.join(key.as_str())).into(),
                    _ => Vec::new(),
                };
                let files = files.into_iter().filter(|path| path.is_file()).collect();
                Ok(Source { store, id: id.clone(), files })
            }
        }
    }
}
