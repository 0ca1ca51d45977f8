//! The first entries: in an archive, or in a segment in the cold store.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Source, known};
use crate::archive::{HEADER_BYTES, Index, read_index};
use crate::log::{Expectation, Head, Verifier};
use crate::session::scan::Chunks;
use crate::store::{Info, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// The first entries of a session.
#[derive(Debug, Clone)]
pub(in crate::session) struct ArchivePart {
    pub(in crate::session) key: Key,
    pub(in crate::session) info: Info,
    /// `None`: a gzip file that turnkeep did not write.
    pub(in crate::session) index: Option<Index>,
    /// Its first bytes, as far as they are at hand.
    pub(in crate::session) start: Vec<u8>,
    /// It is a segment in the cold store.
    pub(in crate::session) is_cold: bool,
}

impl ArchivePart {
    /// Bytes of it, as long as it is the one that was found.
    pub(in crate::session) async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
        if let Some(known) = known(&self.start, range.start, range.end) {
            return Ok(known.to_vec());
        }
        if self.is_cold {
            // Its name is that of its content: there is no other one.
            return Ok(io.cold_store()?.get(&self.key, Some(range)).await?.bytes);
        }
        let object = io.get(&self.key, Some(range)).await?;
        if object.info.version == self.info.version {
            return Ok(object.bytes);
        }
        let message = "the archive was replaced while it was read";
        Err(Error::new(ErrorKind::Conflict, message).at_key(&self.key).retryable())
    }

    pub(in crate::session) async fn find(io: &Io, id: &SessionId) -> Result<Option<Self>> {
        let key = Key::of(id, Part::Archive);
        let Some(start) = found(io.get(&key, Some(0..HEADER_BYTES as u64)).await)? else {
            return Ok(None);
        };
        let index = match read_index(&start.bytes, start.info.bytes) {
            Err(error) if error.kind() != ErrorKind::NoIndex => return Err(error.at_key(&key)),
            index => index.ok(),
        };
        let start = start.info;
        Ok(Some(Self { key, info: start, index, start: Vec::new(), is_cold: false }))
    }

    /// Its last entry. Without an index, all of it has to be read to know.
    pub(in crate::session) async fn head(&self, io: &Io) -> Result<Head> {
        if let Some(index) = &self.index {
            return Ok(index.head);
        }
        let source = Source { archive: Some(self.clone()), cold: None, log: None };
        let mut chunks = Chunks::of(io, &source, None);
        let mut verifier = Verifier::new(Expectation::default());
        while let Some(chunk) = chunks.next().await? {
            verifier.push(&chunk);
        }
        let report = verifier.finish();
        report.sound().map_err(|error| error.at_key(&self.key))?;
        report.head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "not one whole entry"))
    }
}
