//! Putting a bundle's session in the place of the one there is.

use alloc::vec::Vec;

use crate::bundle::SessionRecord;
use crate::log::{Expectation, Verifier};
use crate::session::Staging;
use crate::session::source::found;
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// A session on its way into the store.
pub(super) struct Replacing {
    record: SessionRecord,
    /// What its log may replace: the one that was put aside.
    condition: Condition,
    log: Staging,
    trace: Staging,
}

impl Replacing {
    pub(super) fn new(record: SessionRecord, condition: Condition) -> Self {
        let staging = |part| Staging::in_order(Key::of(&record.id, part));
        let (log, trace) = (staging(Part::Log), staging(Part::Trace));
        Self { record, condition, log, trace }
    }

    pub(super) async fn lines(&mut self, io: &Io, bytes: &[u8]) -> Result<()> {
        self.log.add(io, bytes).await
    }

    pub(super) async fn trace(&mut self, io: &Io, bytes: &[u8]) -> Result<()> {
        self.trace.add(io, bytes).await
    }

    /// Publishes it: the log first, which is the whole session from then on.
    pub(super) async fn finish(mut self, io: &Io) -> Result<()> {
        let published = self.publish(io).await;
        if published.is_err() {
            self.log.abort(io).await;
            self.trace.abort(io).await;
        }
        published.map_err(|error| error.in_session(&self.record.id))
    }

    async fn publish(&mut self, io: &Io) -> Result<()> {
        self.log.finish(io, Vec::new()).await?;
        self.read_back(io).await?;
        self.log.commit(io, self.condition.clone()).await?;
        let id = &self.record.id;
        for part in [Part::Archive, Part::Recovery, Part::Retention, Part::About, Part::Trace] {
            let key = Key::of(id, part);
            match (part, &self.record.about) {
                (Part::About, Some(about)) => {
                    let bytes = [about.as_bytes(), b"\n"].concat();
                    io.put(&key, bytes, Condition::Any).await?;
                }
                (Part::Trace, _) if self.record.trace_bytes > 0 => {
                    self.trace.finish(io, Vec::new()).await?;
                    self.trace.commit(io, Condition::Any).await?;
                }
                _ => _ = found(io.delete(&key, Condition::Any).await)?,
            }
        }
        Ok(())
    }

    async fn read_back(&self, io: &Io) -> Result<()> {
        let (id, head) = (self.record.id.clone(), self.record.head);
        let expectation = Expectation { session: Some(id), head: Some((head.seq, head.hash)) };
        let mut verifier = Verifier::new(expectation);
        self.log.each_chunk(io, |chunk| verifier.push(chunk)).await?;
        let report = verifier.finish();
        report.sound()?;
        if report.head == Some(head) && report.torn.is_none() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::StoreFailed, "what was written is not what was read back"))
    }

    /// Gives up.
    pub(super) async fn abort(mut self, io: &Io) {
        self.log.abort(io).await;
        self.trace.abort(io).await;
    }
}
