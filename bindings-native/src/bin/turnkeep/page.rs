//! The page that shows sessions, as it was built into the command.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use turnkeep::core::gzip::{Bound, gunzip};
use turnkeep::{Error, ErrorKind};

use crate::stream::GZIP_START;
use crate::{Failure, Outcome};

/// Gzipped; empty where the command was built without it.
static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz"));

/// Which page it is.
#[derive(Debug, clap::Args)]
pub(crate) struct PageArgs {
    /// This page, gzipped or not, instead of the command's own: for those who work on it
    #[arg(long, value_name = "FILE", hide = true)]
    page: Option<PathBuf>,
}

/// The page.
pub(crate) struct Page {
    pub(crate) html: Vec<u8>,
    /// The same, where it is at hand.
    pub(crate) gzipped: Option<Cow<'static, [u8]>>,
}

impl PageArgs {
    pub(crate) fn load(&self) -> Outcome<Page> {
        match &self.page {
            Some(path) => {
                let cannot = |error| Failure::reading(&path.display().to_string(), &error);
                Page::of(fs::read(path).map_err(cannot)?.into())
            }
            None if BUILT_IN.is_empty() => Err(missing()),
            None => Page::of(BUILT_IN.into()),
        }
    }
}

impl Page {
    fn of(bytes: Cow<'static, [u8]>) -> Outcome<Self> {
        if bytes.first() == Some(&GZIP_START) {
            let html = gunzip(&bytes, Bound::default())?;
            return Ok(Self { html, gzipped: Some(bytes) });
        }
        Ok(Self { html: bytes.into_owned(), gzipped: None })
    }
}

fn missing() -> Failure {
    let message = "this turnkeep was built without the page that shows sessions";
    Failure::from(Error::new(ErrorKind::NotSupported, message))
        .with_hint("In turnkeep's sources, run `cargo xtask npm` and build turnkeep again.")
}
