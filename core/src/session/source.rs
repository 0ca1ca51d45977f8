//! Where a session's log lies: its first entries in an archive or in the cold store, what was
//! appended since in a log. Either may be missing.

use alloc::vec::Vec;
use core::ops::Range;

use super::cold::{ColdPart, buried_head, check_unburied, deleted};
use super::open::TRIES;
use super::scan::Chunks;
use crate::archive::{HEADER_BYTES, Index, read_index};
use crate::cold::{Anchor, is_anchor};
use crate::limits::{BATCH_BYTES_MAX, LINE_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::line::{IDENTITY, Line, followed, is_first};
use crate::log::{Expectation, Head, LineReader, Verifier};
use crate::store::{Info, Key, Object, Part};
use crate::task::Io;
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// The objects that hold a session's log.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The archived part.
    pub(super) archive: Option<ArchivePart>,
    /// The part in the cold store. Never beside an archive.
    pub(super) cold: Option<ColdPart>,
    /// What follows the archive; all of it where there is none.
    pub(super) log: Option<LogPart>,
}

impl Source {
    /// What to say of a fault that was found in what was read: where others changed that meanwhile, it
    /// is none.
    pub(super) async fn blamed(&self, io: &Io, error: Error) -> Error {
        if error.kind().class() != ErrorClass::Data {
            return error;
        }
        let log = self.log.as_ref().map(|log| (&log.key, &log.info));
        let archive = self.archive.as_ref().map(|archive| (&archive.key, &archive.info));
        for (key, info) in [log, archive].into_iter().flatten() {
            let now = match found(io.info(key).await) {
                Ok(now) => now,
                Err(unknown) => return unknown,
            };
            if now.is_none_or(|now| now.version != info.version) {
                let message = "someone else changed the session meanwhile";
                return Error::new(ErrorKind::Conflict, message).at_key(key).retryable();
            }
        }
        error
    }
}

/// The first entries of a session.
#[derive(Debug, Clone)]
pub(super) struct ArchivePart {
    pub(super) key: Key,
    pub(super) info: Info,
    /// `None`: a gzip file that turnkeep did not write.
    pub(super) index: Option<Index>,
    /// Its first bytes, as far as they are at hand.
    pub(super) start: Vec<u8>,
    /// It is a segment in the cold store.
    pub(super) is_cold: bool,
}

/// The entries that were appended since.
#[derive(Debug, Clone)]
pub(super) struct LogPart {
    pub(super) key: Key,
    pub(super) info: Info,
    /// The object's first bytes.
    start: Vec<u8>,
    /// Bytes of the object before its first line that counts: those that the archive holds too, of a
    /// log that an interrupted archiving left; or the anchor.
    skip: u64,
    is_anchored: bool,
    /// Number of the first entry after those.
    pub(super) first_seq: u64,
    /// Where that one stands in the session's log.
    pub(super) offset: u64,
}

impl Source {
    /// Finds a session's objects, and looks at the first `window` bytes of the log.
    pub(super) async fn find(io: &Io, id: &SessionId, window: u64) -> Result<Self> {
        let (source, fault) = Self::find_sound(io, id, window).await?;
        fault.map_or(Ok(source), Err)
    }

    /// The same. Where the log is damaged so that it does not follow what precedes it: that alone, and
    /// what is wrong.
    pub(super) async fn find_sound(
        io: &Io,
        id: &SessionId,
        window: u64,
    ) -> Result<(Self, Option<Error>)> {
        let key = Key::of(id, Part::Log);
        let Some(start) = found(io.get(&key, Some(0..window)).await)? else {
            if let Some(archive) = ArchivePart::find(io, id).await? {
                check_unburied(io, id, &archive).await?;
                return Ok((Self { archive: Some(archive), cold: None, log: None }, None));
            }
            if found(io.info(&key).await)?.is_some() {
                let message = "the session was restored while it was looked for";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&key));
            }
            return match ColdPart::find(io, id).await? {
                None => Err(super::retention::missing(io, id).await),
                cold => Ok((Self { archive: None, cold, log: None }, None)),
            };
        };
        let mut log = LogPart::new(key, start);
        if is_anchor(&log.start) {
            let anchor = log.anchor(io, id).await?;
            let cold = Some(ColdPart::new(anchor.manifest)?);
            return Ok((Self { archive: None, cold, log: Some(log) }, None));
        }
        let followed = followed(&log.start);
        // A log that stands alone starts with the entry that opens it.
        if is_first(&log.start) && !log.is_unfinished() {
            return Ok((Self { archive: None, cold: None, log: Some(log) }, None));
        }
        let archive = ArchivePart::find(io, id).await?;
        let cold = match &archive {
            None => ColdPart::find(io, id).await?,
            Some(_) => None,
        };
        if let Some(cold) = &cold {
            let mut source = Self { archive, cold: Some(cold.clone()), log: None };
            // What claims a log's place while it is hydrated is nothing that follows.
            if log.is_unfinished() {
                return Ok((source, None));
            }
            let head = cold.held()?.head;
            let fault = log.followed_by(io, head, followed).await?;
            source.log = fault.is_none().then_some(log);
            return Ok((source, fault));
        }
        match &archive {
            Some(_) if followed.is_none() && !(log.is_unfinished() || log.is_torn(io).await?) => {
                let message = "the log after the archive does not start with a line";
                let fault = Error::new(ErrorKind::BadLine, message).at_key(&log.key);
                return Ok((Self { archive, cold: None, log: None }, Some(fault)));
            }
            Some(archive) => {
                check_unburied(io, id, archive).await?;
                let head = archive.head(io).await?;
                if let Some(fault) = log.followed_by(io, head, followed).await? {
                    let archive = Some(archive.clone());
                    return Ok((Self { archive, cold: None, log: None }, Some(fault)));
                }
            }
            None if followed.is_some() => {
                // Behind a deletion that was cut off it is no damage.
                if let Some(head) = buried_head(io, id).await?
                    && log.follow(io, head, followed).await.is_ok()
                {
                    return Err(deleted());
                }
                return Err(super::retention::lost(io, id, &log.key).await);
            }
            None if io.info(&log.key).await?.version != log.info.version => {
                let message = "the session was restored while it was looked for";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&log.key));
            }
            None if log.is_claim() => return Err(super::retention::missing(io, id).await),
            None => {}
        }
        Ok((Self { archive, cold: None, log: Some(log) }, None))
    }

    /// The head of what precedes the log.
    pub(super) async fn head_before(&self, io: &Io) -> Result<Option<Head>> {
        match (&self.archive, &self.cold) {
            (Some(archive), _) => archive.head(io).await.map(Some),
            (None, Some(cold)) => Ok(Some(cold.held()?.head)),
            (None, None) => Ok(None),
        }
    }

    /// Whether nothing precedes the log.
    pub(super) fn is_alone(&self) -> bool {
        self.archive.is_none() && self.cold.is_none()
    }

    /// Length of the objects.
    pub(super) fn stored_bytes(&self) -> u64 {
        let archive = self.archive.as_ref().map_or(0, |archive| archive.info.bytes);
        let cold = self.cold.as_ref().map_or(0, ColdPart::stored_bytes);
        archive + cold + self.log.as_ref().map_or(0, |log| log.info.bytes)
    }

    /// An archive whose index names another head than its content has; `head` is what was found.
    pub(super) fn disagrees(&self, head: Option<Head>) -> Option<Error> {
        let archive = self.archive.as_ref()?;
        let indexed = archive.index.as_ref()?.head;
        // What follows an archive says which entry it follows.
        let is_followed = self.log.is_some() && head.is_some_and(|head| head.seq > indexed.seq);
        let differs = !is_followed && head != Some(indexed);
        let message = "the index names another head";
        differs.then(|| Error::new(ErrorKind::BadIndex, message).at_key(&archive.key))
    }
}

/// How a log's object lies to the session's log: `offset` of the one is `skip` of the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shift {
    offset: u64,
    skip: u64,
}

impl Shift {
    pub(super) fn new(offset: u64, skip: u64) -> Self {
        Self { offset, skip }
    }

    /// The shift of a log whose object would start there.
    pub(super) fn after(offset: u64) -> Self {
        Self { offset, skip: 0 }
    }

    /// Where an offset of the session's log lies in the object.
    pub(super) fn in_object(self, at: u64) -> u64 {
        (at + self.skip).saturating_sub(self.offset)
    }
}

/// Bytes of an object that were looked at already.
fn known(start: &[u8], from: u64, to: u64) -> Option<&[u8]> {
    let place = |at: u64| usize::try_from(at).ok();
    start.get(place(from)?..place(to)?)
}

/// `None` for an object that is not there.
pub(super) fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl ArchivePart {
    /// Bytes of it, as long as it is the one that was found.
    pub(super) async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
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

    pub(super) async fn find(io: &Io, id: &SessionId) -> Result<Option<Self>> {
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
    pub(super) async fn head(&self, io: &Io) -> Result<Head> {
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

impl LogPart {
    fn new(key: Key, start: Object) -> Self {
        let Object { bytes, info } = start;
        let (skip, is_anchored) = (0, false);
        Self { key, info, start: bytes, skip, is_anchored, first_seq: 0, offset: 0 }
    }

    /// Reads the anchor that it starts with, and takes its place after that.
    async fn anchor(&mut self, io: &Io, id: &SessionId) -> Result<Anchor> {
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
                return Err(super::scan::shorter(&self.key));
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
    pub(super) fn has_lines(&self) -> bool {
        self.info.bytes > self.skip && !self.is_claim()
    }

    /// Whether nothing is there but the object: a writer was killed as it wrote over its claim.
    pub(super) fn is_empty(&self) -> bool {
        self.info.bytes == 0
    }

    /// Whether it only keeps the place for a log.
    pub(super) fn is_claim(&self) -> bool {
        super::tier::is_claim(&self.start, self.info.bytes)
    }

    /// Whether it is the start of a first line and nothing else.
    fn is_unfinished(&self) -> bool {
        self.info.bytes <= self.start.len() as u64 && memchr::memchr(b'\n', &self.start).is_none()
    }

    /// Whether it holds not one whole line, however long it is: a loss of power leaves zeros.
    async fn is_torn(&self, io: &Io) -> Result<bool> {
        let mut at = 0;
        while at < self.info.bytes {
            let end = self.info.bytes.min(at + super::scan::CHUNK_BYTES);
            let chunk = self.get_object(io, at..end).await?;
            if chunk.is_empty() || memchr::memchr(b'\n', &chunk).is_some() {
                return Ok(false);
            }
            at = end;
        }
        Ok(self.info.bytes <= BATCH_BYTES_MAX as u64)
    }

    /// Takes its place after an archive that ends with `head`.
    async fn follow(&mut self, io: &Io, head: Head, followed: Option<Hash>) -> Result<()> {
        (self.first_seq, self.offset) = (head.seq + 1, head.bytes);
        // An unfinished first line follows whatever there is: it was never acknowledged.
        if followed.is_some_and(|followed| followed != head.hash) {
            self.skip = self.end_of(io, head.hash).await?;
        }
        Ok(())
    }

    /// The same; what is wrong, where it is damaged so that it does not.
    async fn followed_by(
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
            let range = at..self.info.bytes.min(at + super::scan::CHUNK_BYTES);
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
    pub(super) fn holds_archived(&self) -> bool {
        self.skip > 0 && !self.is_anchored
    }

    /// The object's first bytes.
    pub(super) fn start(&self) -> &[u8] {
        &self.start
    }

    /// How the object lies to the session's log.
    pub(super) fn shift(&self) -> Shift {
        Shift { offset: self.offset, skip: self.skip }
    }

    /// Where the object ends in the session's log.
    pub(super) fn end(&self) -> u64 {
        if self.is_claim() {
            return self.offset;
        }
        (self.offset + self.info.bytes).saturating_sub(self.skip)
    }

    /// Bytes of the session's log, as far as they lie in the object.
    pub(super) async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
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
    pub(super) fn first_bytes(&self) -> &[u8] {
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        self.start.get(skip..).unwrap_or_default()
    }

    /// The line of the session's log that starts at that offset, without its `\n`; at most what
    /// precedes `end`.
    pub(super) async fn line_at(&self, io: &Io, offset: u64, end: u64) -> Result<Vec<u8>> {
        let mut window = super::open::START_BYTES;
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
