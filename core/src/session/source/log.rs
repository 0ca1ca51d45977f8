//! What was appended since: a log, alone or after what precedes it.

use alloc::vec::Vec;
use core::ops::Range;

use super::known;
use crate::cold::Anchor;
use crate::limits::{BATCH_BYTES_MAX, LINE_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::line::{IDENTITY, Line};
use crate::log::{Head, LineReader};
use crate::session::again::TRIES;
use crate::session::open::START_BYTES;
use crate::session::scan::{CHUNK_BYTES, shorter};
use crate::session::tier::is_claim;
use crate::store::{Info, Key, Object};
use crate::task::Io;
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// The entries that were appended since.
#[derive(Debug, Clone)]
pub(in crate::session) struct LogPart {
    pub(in crate::session) key: Key,
    pub(in crate::session) info: Info,
    /// The object's first bytes.
    start: Vec<u8>,
    /// Bytes of the object before its first line that counts: those that the archive holds too, of a
    /// log that an interrupted archiving left; or the anchor.
    skip: u64,
    is_anchored: bool,
    /// Number of the first entry after those.
    pub(in crate::session) first_seq: u64,
    /// Where that one stands in the session's log.
    pub(in crate::session) offset: u64,
}

impl LogPart {
    pub(super) fn new(key: Key, start: Object) -> Self {
        let Object { bytes, info } = start;
        let (skip, is_anchored) = (0, false);
        Self { key, info, start: bytes, skip, is_anchored, first_seq: 0, offset: 0 }
    }

    /// Reads the anchor that it starts with, and takes its place after that.
    pub(super) async fn anchor(&mut self, io: &Io, id: &SessionId) -> Result<Anchor> {
        while memchr::memchr(b'\n', &self.start).is_none() {
            let read = self.start.len() as u64;
            if read >= self.info.bytes || read > 2 * MANIFEST_BYTES_MAX as u64 {
                let message = "the anchor of the log has no end";
                return Err(Error::new(ErrorKind::BadLine, message).at_key(&self.key));
            }
            let object = io.get(&self.key, Some(0..read.saturating_mul(8))).await?;
            if !object.bytes.starts_with(&self.start) {
                let message = "the log was replaced while it was read";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&self.key).retryable());
            }
            if object.bytes.len() as u64 <= read {
                return Err(shorter(&self.key));
            }
            (self.start, self.info) = (object.bytes, object.info);
        }
        let end = memchr::memchr(b'\n', &self.start).unwrap_or_default();
        let line = self.start.get(..end).unwrap_or_default();
        let anchor = Anchor::decode(line, id).map_err(|error| error.at_key(&self.key))?;
        (self.skip, self.is_anchored) = (end as u64 + 1, true);
        (self.first_seq, self.offset) = (anchor.first_seq, anchor.offset);
        Ok(anchor)
    }

    /// Whether it holds an entry, or the start of one.
    pub(in crate::session) fn has_lines(&self) -> bool {
        self.info.bytes > self.skip && !self.is_claim()
    }

    /// Whether nothing is there but the object: a writer was killed as it wrote over its claim.
    pub(in crate::session) fn is_empty(&self) -> bool {
        self.info.bytes == 0
    }

    /// Whether it only keeps the place for a log.
    pub(in crate::session) fn is_claim(&self) -> bool {
        is_claim(&self.start, self.info.bytes)
    }

    /// Whether it is the start of a first line and nothing else.
    pub(super) fn is_unfinished(&self) -> bool {
        self.info.bytes <= self.start.len() as u64 && memchr::memchr(b'\n', &self.start).is_none()
    }

    /// Whether it holds not one whole line, however long it is: a loss of power leaves zeros.
    pub(super) async fn is_torn(&self, io: &Io) -> Result<bool> {
        let mut at = 0;
        while at < self.info.bytes {
            let end = self.info.bytes.min(at + CHUNK_BYTES);
            let chunk = self.get_object(io, at..end).await?;
            if chunk.is_empty() || memchr::memchr(b'\n', &chunk).is_some() {
                return Ok(false);
            }
            at = end;
        }
        Ok(self.info.bytes <= BATCH_BYTES_MAX as u64)
    }

    /// Takes its place after an archive that ends with `head`.
    pub(super) async fn follow(
        &mut self,
        io: &Io,
        head: Head,
        followed: Option<Hash>,
    ) -> Result<()> {
        (self.first_seq, self.offset) = (head.seq + 1, head.bytes);
        // An unfinished first line follows whatever there is: it was never acknowledged.
        if followed.is_some_and(|followed| followed != head.hash) {
            self.skip = self.end_of(io, head.hash).await?;
        }
        Ok(())
    }

    /// The same; what is wrong, where it is damaged so that it does not.
    pub(super) async fn followed_by(
        &mut self,
        io: &Io,
        head: Head,
        followed: Option<Hash>,
    ) -> Result<Option<Error>> {
        match self.follow(io, head, followed).await {
            Ok(()) => Ok(None),
            Err(error) if error.kind().class() == ErrorClass::Data => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    /// Where the line with that hash ends in the object.
    async fn end_of(&self, io: &Io, hash: Hash) -> Result<u64> {
        let mut reader = LineReader::new(0);
        let mut end = None;
        let mut at = 0;
        while end.is_none() && at < self.info.bytes {
            let range = at..self.info.bytes.min(at + CHUNK_BYTES);
            let chunk = self.get_object(io, range).await?;
            if chunk.is_empty() {
                break;
            }
            at += chunk.len() as u64;
            reader.push(&chunk, |line, offset| {
                let is_it = Line::split(line).and_then(|line| line.hash()) == Some(hash);
                if is_it {
                    end.get_or_insert(offset + line.len() as u64 + 1);
                }
                Ok(())
            })?;
        }
        end.ok_or_else(|| {
            let message = "the log is not the one that follows the archive beside it";
            Error::new(ErrorKind::BrokenLink, message).at_key(&self.key)
        })
    }

    /// Whether the archive holds some of it too.
    pub(in crate::session) fn holds_archived(&self) -> bool {
        self.skip > 0 && !self.is_anchored
    }

    /// The object's first bytes.
    pub(in crate::session) fn start(&self) -> &[u8] {
        &self.start
    }

    /// How the object lies to the session's log.
    pub(in crate::session) fn shift(&self) -> Shift {
        Shift { offset: self.offset, skip: self.skip }
    }

    /// Where the object ends in the session's log.
    pub(in crate::session) fn end(&self) -> u64 {
        if self.is_claim() {
            return self.offset;
        }
        (self.offset + self.info.bytes).saturating_sub(self.skip)
    }

    /// Bytes of the session's log, as far as they lie in the object.
    pub(in crate::session) async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
        let shift = self.shift();
        let (start, end) = (shift.in_object(range.start), shift.in_object(range.end));
        match known(&self.start, start, end) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.get_object(io, start..end).await,
        }
    }

    /// Bytes of the object that was found, which may have grown since, and not of another one that
    /// took its place.
    async fn get_object(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
        let mut object = io.get(&self.key, Some(range.clone())).await?;
        let mut tries = 1;
        while object.info.version != self.info.version {
            let start = self.start.get(..IDENTITY).unwrap_or(&self.start);
            let now = io.get(&self.key, Some(0..start.len() as u64)).await?;
            if now.bytes != start {
                let message = "the log was replaced while it was read";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&self.key).retryable());
            }
            // Both are of one object; or it grows too fast to tell.
            if now.info.version == object.info.version || tries == TRIES {
                break;
            }
            tries += 1;
            object = io.get(&self.key, Some(range.clone())).await?;
        }
        Ok(object.bytes)
    }

    /// Its first lines' bytes, as far as they are known.
    pub(in crate::session) fn first_bytes(&self) -> &[u8] {
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        self.start.get(skip..).unwrap_or_default()
    }

    /// The line of the session's log that starts at that offset, without its `\n`; at most what
    /// precedes `end`.
    pub(in crate::session) async fn line_at(
        &self,
        io: &Io,
        offset: u64,
        end: u64,
    ) -> Result<Vec<u8>> {
        let mut window = START_BYTES;
        loop {
            let stop = end.min(offset.saturating_add(window));
            let mut bytes = self.get(io, offset..stop).await?;
            match memchr::memchr(b'\n', &bytes) {
                Some(length) => bytes.truncate(length),
                None if stop >= end || window > LINE_BYTES_MAX as u64 => {}
                None => {
                    window = window.saturating_mul(16);
                    continue;
                }
            }
            return Ok(bytes);
        }
    }
}

/// How a log's object lies to the session's log: `offset` of the one is `skip` of the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::session) struct Shift {
    offset: u64,
    skip: u64,
}

impl Shift {
    pub(in crate::session) fn new(offset: u64, skip: u64) -> Self {
        Self { offset, skip }
    }

    /// The shift of a log whose object would start there.
    pub(in crate::session) fn after(offset: u64) -> Self {
        Self { offset, skip: 0 }
    }

    /// Where an offset of the session's log lies in the object.
    pub(in crate::session) fn in_object(self, at: u64) -> u64 {
        (at + self.skip).saturating_sub(self.offset)
    }
}
