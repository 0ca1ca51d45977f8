//! Where sessions lie: a folder, a bucket or a server.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use turnkeep::core::session::tier::{self, Layout};
use turnkeep::{Error, ErrorKind, FileStore, Form, Listed, Result, SessionId, Store, Tier, drive};

use crate::{Failure, Outcome, remote};

/// What may stand for a store.
const FORMS: &str = "A store is a folder, s3://BUCKET/PREFIX or redis://HOST:PORT.";
/// Sessions of a cold store that are asked for at once.
const PAGE: u32 = 1000;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`
    S3(String),
    /// `redis://…`, which may hold a password.
    Redis(String),
}

impl Location {
    pub(crate) fn parse(name: &OsStr) -> Outcome<Self> {
        let text = name.to_string_lossy();
        if text.is_empty() {
            return Err(Failure::usage("the name of a store is empty").with_hint(FORMS));
        }
        let is_word = |scheme: &str| scheme.chars().all(|char| char.is_ascii_alphanumeric());
        match text.split_once(':').filter(|(scheme, _)| is_word(scheme)) {
            Some(("s3", rest)) if rest.starts_with("//") => Ok(Self::S3(text.into_owned())),
            Some(("redis" | "rediss", rest)) if rest.starts_with("//") => {
                Ok(Self::Redis(text.into_owned()))
            }
            Some((scheme @ ("s3" | "redis" | "rediss"), _)) => {
                Err(Failure::usage(format!("// is missing after {scheme}:")).with_hint(FORMS))
            }
            Some((scheme, rest)) if rest.starts_with("//") => {
                let message = format!("turnkeep knows no stores at {scheme}://");
                Err(Failure::usage(message).with_hint(FORMS))
            }
            _ => Ok(Self::Folder(PathBuf::from(name))),
        }
    }

    /// Opens it. A folder that is not there is only made where that is wanted.
    pub(crate) fn open(&self, makes_it: bool) -> Outcome<Opened> {
        let store: Arc<dyn Store> = match self {
            Self::Folder(root) => {
                if !makes_it && !root.is_dir() {
                    let message = format!("there is no store at {}", root.display());
                    return Err(Failure::from(Error::new(ErrorKind::NotFound, message)).with_hint(
                        "Name another with --store; `turnkeep append` and `pull` make one.",
                    ));
                }
                Arc::new(FileStore::open(root)?)
            }
            Self::S3(url) => remote::s3(url)?,
            Self::Redis(url) => remote::redis(url)?,
        };
        let layout = match self {
            Self::S3(_) => Layout::Objects,
            Self::Folder(root) if holds_objects(root, &*store)? => Layout::Objects,
            Self::Folder(_) | Self::Redis(_) => Layout::Files,
        };
        Ok(Opened { store, layout })
    }

    /// Whether both are the same place.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) => canonical(one) == canonical(other),
            (Self::S3(one) | Self::Redis(one), Self::S3(other) | Self::Redis(other)) => {
                one.trim_end_matches('/') == other.trim_end_matches('/')
            }
            _ => false,
        }
    }

    /// Refuses to write a file into the folder where the sessions are, by a link neither: there it
    /// would be taken for a session, or take a log's place.
    pub(crate) fn check_outside(&self, file: &Path) -> Outcome<()> {
        let Self::Folder(root) = self else { return Ok(()) };
        // Where a link leads is what is written.
        let resolved = file.canonicalize();
        let file = resolved.as_deref().unwrap_or(file);
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        let is_inside =
            root.canonicalize().is_ok_and(|root| folder.is_ok_and(|folder| folder == root));
        if !is_inside {
            return Ok(());
        }
        Err(Failure::usage("the file is to be in the folder where the sessions are")
            .with_hint("Name a file elsewhere: there it would be taken for a session."))
    }
}

impl fmt::Display for Location {
    /// Without passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(root) => root.display().fmt(f),
            Self::S3(url) => url.fmt(f),
            Self::Redis(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "{scheme}://{host}")
            }
        }
    }
}

/// Whether a folder holds sessions as a bucket would.
fn holds_objects(root: &Path, store: &dyn Store) -> Result<bool> {
    if !root.join("sessions").is_dir() {
        return Ok(false);
    }
    let listing = store.list("sessions/", None, 1)?;
    Ok(listing.objects.iter().any(|(key, _)| key.object().is_some()))
}

/// An open store, as it lies.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) layout: Layout,
}

impl Opened {
    /// The store as sessions are read from it, whatever its layout.
    pub(crate) fn reading(&self) -> Arc<dyn Store> {
        match self.layout {
            Layout::Files => self.store.clone(),
            Layout::Objects => {
                Tier::open_reading(Arc::new(turnkeep::MemoryStore::new()), self.store.clone())
            }
        }
    }
}

/// A session, as a listing tells of it.
pub(crate) struct Found {
    pub(crate) id: SessionId,
    pub(crate) form: Form,
    pub(crate) stored_bytes: u64,
    pub(crate) modified_ms: Option<u64>,
}

impl From<Listed> for Found {
    fn from(Listed { id, form, stored_bytes, modified_ms, .. }: Listed) -> Self {
        Self { id, form, stored_bytes, modified_ms }
    }
}

/// Every session of a store, those of a cold store behind it too.
pub(crate) fn sessions(store: &dyn Store) -> Result<Vec<Found>> {
    let mut found: Vec<_> = turnkeep::sessions(store)?.into_iter().map(Found::from).collect();
    if store.cold().is_none() {
        return Ok(found);
    }
    let hot: BTreeSet<SessionId> = found.iter().map(|listed| listed.id.clone()).collect();
    let mut after = None;
    loop {
        let page = drive(tier::sessions(after, PAGE), store)?;
        let cold = page.sessions.into_iter().filter(|session| !hot.contains(&session.id));
        found.extend(cold.map(|session| Found {
            id: session.id,
            form: Form::Cold,
            stored_bytes: session.stored_bytes,
            modified_ms: Some(session.flushed_ms),
        }));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Outcome<Location> {
        Location::parse(OsStr::new(name))
    }

    #[test]
    fn a_name_tells_what_it_is() {
        for folder in ["sessions", "./s3", "/a/b", r"C:\sessions", "a:b", "./x://y"] {
            let location = parse(folder).unwrap();
            assert_eq!(location, Location::Folder(folder.into()), "{folder}");
        }
        assert_eq!(parse("s3://b/p").unwrap(), Location::S3("s3://b/p".into()));
        let redis = parse("rediss://user:secret@host:1/2").unwrap();
        assert_eq!(redis.to_string(), "rediss://host:1/2");
        for bad in ["", "gs://bucket", "s3:bucket", "redis:host", "https://host/x", "file:///x"] {
            let Err(Failure::Failed(failed)) = parse(bad) else { panic!("{bad}") };
            assert_eq!(failed.error.kind(), ErrorKind::InvalidArgument, "{bad}");
        }
    }

    #[test]
    fn the_same_place_is_told_by_its_name() {
        let is = |one: &str, other: &str| parse(one).unwrap().is(&parse(other).unwrap());
        assert!(is("s3://b/p", "s3://b/p/") && is(".", "./") && is("none", "none"));
        assert!(!is("s3://b/p", "s3://b/q") && !is(".", "..") && !is("s3://b", "b"));
    }
}
