//! A stream that is kept in a file until it was looked at.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use turnkeep::{Error, ErrorKind};

use crate::{Failure, Outcome};

/// A file in the system's folder for temporary ones, removed when dropped.
pub(crate) struct Spooled(PathBuf);

impl Spooled {
    /// Keeps all that a stream gives.
    pub(crate) fn new(mut stream: impl Read) -> Outcome<Self> {
        let nonce = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
        let path = std::env::temp_dir().join(format!("turnkeep-{nonce:016x}"));
        let cannot = |error: &io::Error| {
            let message = format!("cannot keep the stream in {}: {error}", path.display());
            Failure::from(Error::new(ErrorKind::StoreFailed, message))
                .with_hint("TMPDIR names another folder for it.")
        };
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| cannot(&error))?;
        let spooled = Self(path.clone());
        io::copy(&mut stream, &mut file).map_err(|error| cannot(&error))?;
        Ok(spooled)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}
