//! The store that commands work on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use turnkeep::{Error, ErrorKind, FileStore};

use crate::args::Globals;
use crate::{Failure, Outcome};

impl Globals {
    /// Opens the store to read from it; a store that is not there is not made.
    pub(crate) fn store(&self) -> Outcome<Arc<FileStore>> {
        let root = self.store_root()?;
        if !root.is_dir() {
            let message = format!("there is no store at {}", root.display());
            return Err(Failure::from(Error::new(ErrorKind::NotFound, message))
                .with_hint("Name another with --store; `turnkeep append` makes one."));
        }
        open(&root)
    }

    /// Opens the store, making it where it is missing.
    pub(crate) fn store_for_writing(&self) -> Outcome<Arc<FileStore>> {
        open(&self.store_root()?)
    }

    /// The directory of the store.
    pub(crate) fn store_root(&self) -> Outcome<PathBuf> {
        let named = self.store.clone().filter(|root| !root.as_os_str().is_empty());
        let no_home = || Failure::usage("there is no home directory; name a store with --store");
        named.or_else(FileStore::default_root).ok_or_else(no_home)
    }
}

fn open(root: &Path) -> Outcome<Arc<FileStore>> {
    Ok(Arc::new(FileStore::open(root)?))
}
