//! A stream as the place where a bundle is written.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Mutex;

use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Info, Key, Listing, Object, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::Store;
use crate::file::guard;

/// Takes the parts of one staged object in their order, and can do nothing else.
pub(super) struct Sink<W>(Mutex<Written<W>>);

struct Written<W> {
    writer: W,
    is_begun: bool,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(writer: W) -> Self {
        Self(Mutex::new(Written { writer, is_begun: false }))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it maps errors")]
pub(super) fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::StoreFailed, format!("the stream failed: {error}"))
}

fn only_written<T>() -> Result<T> {
    Err(Error::new(ErrorKind::NotSupported, "a stream is only written"))
}

impl<W: Write + Send> Store for Sink<W> {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all(Durability::Memory)
    }

    fn stage(&self, _: &Key) -> Result<StageId> {
        if guard(&self.0).is_begun {
            let message = "a session changed while the stream was written, which cannot begin anew";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(StageId("stream".into()))
    }

    fn stage_part(&self, _: &StageId, _: u32, bytes: &[u8]) -> Result<()> {
        let mut written = guard(&self.0);
        written.is_begun = true;
        written.writer.write_all(bytes).map_err(failed)
    }

    fn commit(&self, _: &StageId, _: &Condition) -> Result<Info> {
        guard(&self.0).writer.flush().map_err(failed)?;
        Ok(Info::default())
    }

    fn abort(&self, _: &StageId) -> Result<()> {
        Ok(())
    }

    fn get_staged(&self, _: &StageId, _: Option<Range<u64>>) -> Result<Object> {
        only_written()
    }

    fn get(&self, _: &Key, _: Option<Range<u64>>) -> Result<Object> {
        only_written()
    }

    fn info(&self, _: &Key) -> Result<Info> {
        only_written()
    }

    fn put(&self, _: &Key, _: &[u8], _: &Condition) -> Result<Info> {
        only_written()
    }

    fn append(&self, _: &Key, _: &[u8], _: &After, _: Durability) -> Result<Info> {
        only_written()
    }

    fn delete(&self, _: &Key, _: &Condition) -> Result<()> {
        only_written()
    }

    fn list(&self, _: &str, _: Option<&Key>, _: u32) -> Result<Listing> {
        only_written()
    }
}
