//! The store that commands work on.

use std::path::PathBuf;
use std::sync::Arc;

use turnkeep::core::session::tier::Layout;
use turnkeep::{Error, ErrorKind, FileStore, Store};

use crate::args::Globals;
use crate::location::Location;
use crate::{Failure, Outcome};

impl Globals {
    /// Opens the store to read from it, wherever it is; one that is not there is not made.
    pub(crate) fn store(&self) -> Outcome<Arc<dyn Store>> {
        Ok(self.location()?.open(false)?.reading())
    }

    /// Opens the store to change sessions in it, or for what needs them as logs and archives.
    pub(crate) fn file_store(&self) -> Outcome<Arc<dyn Store>> {
        self.open_files(false)
    }

    /// Opens the store, making it where it is missing.
    pub(crate) fn store_for_writing(&self) -> Outcome<Arc<dyn Store>> {
        self.open_files(true)
    }

    /// The directory of the store, for what needs one.
    pub(crate) fn folder(&self) -> Outcome<PathBuf> {
        match self.location()? {
            Location::Folder(root) => Ok(root),
            location => {
                let message = format!("this works on a folder, which {location} is not");
                Err(Failure::from(Error::new(ErrorKind::NotSupported, message))
                    .with_hint("`turnkeep verify ID` verifies a session wherever it is."))
            }
        }
    }

    /// Where the store is.
    pub(crate) fn location(&self) -> Outcome<Location> {
        // Not clap's to read: it would take a variable that is set for an argument that was given.
        let named = self.store.clone().or_else(|| std::env::var_os("TURNKEEP_STORE"));
        let named = named.filter(|name| !name.is_empty());
        let no_home = || Failure::usage("there is no home directory; name a store with --store");
        match named {
            Some(name) => Location::parse(&name),
            None => FileStore::default_root().map(Location::Folder).ok_or_else(no_home),
        }
    }

    fn open_files(&self, makes_it: bool) -> Outcome<Arc<dyn Store>> {
        let location = self.location()?;
        // Before it is asked: that changes nothing about it.
        if matches!(location, Location::S3(_)) {
            return Err(read_only(&location));
        }
        let opened = location.open(makes_it)?;
        match opened.layout {
            Layout::Files => Ok(opened.store),
            Layout::Objects => Err(read_only(&location)),
        }
    }
}

fn read_only(location: &Location) -> Failure {
    let message = format!("this does not work on {location}, where sessions lie as objects");
    Failure::from(Error::new(ErrorKind::NotSupported, message)).with_hint(format!(
        "`turnkeep pull {location}` brings sessions into a folder, `turnkeep push` brings back what \
         is new."
    ))
}
