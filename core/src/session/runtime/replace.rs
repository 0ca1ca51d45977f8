//! Putting a bundle's session in the place of the one there is.

use alloc::string::String;
use alloc::vec::Vec;

use super::aside::{self, as_seen, is_vacant};
use super::journal::PARTS;
use crate::bundle::SessionRecord;
use crate::log::{Expectation, Verifier};
use crate::session::Staging;
use crate::session::cold::newest_number;
use crate::session::removal::{Removal, remove_if};
use crate::session::source::archive_info;
use crate::session::tier::claim_seen;
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// What was put aside of a session: nothing else is replaced or removed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What lay in its log's place, by its version.
    log: Option<String>,
    /// That was a log.
    has_lines: bool,
    archive: Option<String>,
    record: Option<String>,
}

/// Copies all of a session, and tells what there was.
pub(super) async fn put_aside(io: &Io, id: &SessionId) -> Result<(Vec<Part>, Seen)> {
    let (mut aside, mut seen) = (Vec::new(), Seen::default());
    let copied = async {
        for (_, part) in PARTS {
            let key = Key::of(id, part);
            if part == Part::Log
                && let Some(info) = io.find(&key).await?
                && is_vacant(io, &key, &info).await?
            {
                seen.log = Some(info.version);
                continue;
            }
            let copied = aside::copy(io, &key, &key.aside(), Condition::Any).await?;
            let Some(info) = copied else { continue };
            aside.push(part);
            match part {
                Part::Log => (seen.log, seen.has_lines) = (Some(info.version), true),
                Part::Archive => seen.archive = Some(info.version),
                Part::Retention => seen.record = Some(info.version),
                _ => {}
            }
        }
        Ok(())
    };
    let copied: Result<()> = copied.await;
    copied.map_err(|error| error.in_session(id))?;
    Ok((aside, seen))
}

/// Whether the cold store behind the store knows of a session, were it only that it was deleted.
pub(super) async fn is_cold(io: &Io, id: &SessionId) -> Result<bool> {
    match io.cold() {
        Some(cold) => Ok(newest_number(&cold, id).await?.is_some()),
        None => Ok(false),
    }
}

/// A session on its way into the store.
pub(super) struct Replacing {
    record: SessionRecord,
    seen: Seen,
    log: Staging,
    trace: Staging,
}

impl Replacing {
    pub(super) fn new(record: SessionRecord, seen: Seen) -> Self {
        let staging = |part| Staging::in_order(Key::of(&record.id, part));
        let (log, trace) = (staging(Part::Log), staging(Part::Trace));
        Self { record, seen, log, trace }
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
        self.publish_log(io).await?;
        self.remove_old(io).await?;
        let id = &self.record.id;
        for part in [Part::Recovery, Part::About, Part::Trace] {
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

    async fn publish_log(&mut self, io: &Io) -> Result<()> {
        let id = self.record.id.clone();
        let condition = as_seen(self.seen.log.clone());
        if self.seen.has_lines {
            self.log.commit(io, condition).await?;
            // Flushed since it was planned, it could never be flushed again.
            return if is_cold(io, &id).await? { Err(self.moved()) } else { Ok(()) };
        }
        // Others may create the session, or write to it, and archive or flush that: then its place is
        // as free as before, and only a claim tells.
        let claim = claim_seen(io, &id, condition, self.is_as_seen(io)).await?;
        let committed = self.log.commit(io, Condition::Version(claim.version.clone())).await;
        if committed.is_err() {
            claim.release(io, &id).await;
        }
        committed.map(|_| ())
    }

    /// Whether what the log hides is what was put aside.
    async fn is_as_seen(&self, io: &Io) -> Result<bool> {
        let id = &self.record.id;
        let archive = archive_info(io, id).await?;
        let archive = archive.map(|info| info.version);
        Ok(archive == self.seen.archive && !is_cold(io, id).await?)
    }

    /// Removes the archive and the record that were put aside. Another archive may hold what was
    /// written since.
    async fn remove_old(&self, io: &Io) -> Result<()> {
        let key = |part| Key::of(&self.record.id, part);
        let archive = key(Part::Archive);
        let is_other = match &self.seen.archive {
            Some(version) => {
                let removed = remove_if(io, &archive, Condition::Version(version.clone())).await?;
                matches!(removed, Removal::Replaced)
            }
            None => io.find(&archive).await?.is_some(),
        };
        if is_other {
            return Err(self.moved());
        }
        if let Some(version) = &self.seen.record {
            remove_if(io, &key(Part::Retention), Condition::Version(version.clone())).await?;
        }
        Ok(())
    }

    fn moved(&self) -> Error {
        let message =
            "someone wrote to the session, or archived, restored or flushed it, meanwhile";
        let error = Error::new(ErrorKind::Conflict, message).retryable();
        error.at_key(&Key::of(&self.record.id, Part::Log))
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
