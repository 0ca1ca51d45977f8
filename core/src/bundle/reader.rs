//! Bundle in, what it holds out: verified as it comes, and only good once all of it came.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::record::{Record, bad, check_header};
use super::{Counts, END_BYTES, End, SessionRecord, TAIL_BYTES};
use crate::cache::CacheEntry;
use crate::entry::utf8;
use crate::gzip::{self, Bound, crc32};
use crate::limits::LINE_BYTES_MAX;
use crate::log::{Expectation, Verifier};
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// Content that was given out is let go once it is this long.
const USED_BYTES_MAX: usize = 1 << 20;

/// Reads a bundle from its bytes, and verifies it: each session's chain up to the head its record
/// names, the digest of all content, and every byte of the file. Only after [`Self::finish`] all of
/// it is known to be whole.
pub struct Reader {
    end: End,
    gzip: gzip::Reader,
    /// Bytes of the file so far, and how many it has.
    taken: u64,
    length: u64,
    packed_crc: u32,
    /// Content, of which the first `used` bytes were given out and no line break stands before
    /// `searched`.
    content: Vec<u8>,
    used: usize,
    searched: usize,
    /// Offset of the content's next byte.
    at: u64,
    sha: Sha256,
    state: State,
    counts: Counts,
    ids: BTreeSet<SessionId>,
}

enum State {
    Header,
    Records,
    Lines(Box<Lines>),
    Trace { left: u64 },
    Cache,
    Index,
    Ended,
}

/// A session whose lines come.
struct Lines {
    left: u64,
    record: SessionRecord,
    verifier: Verifier,
}

/// What a bundle holds, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session begins.
    Session(SessionRecord),
    /// Bytes of its lines.
    Lines(Vec<u8>),
    /// Bytes of its trace.
    Trace(Vec<u8>),
    /// A value of the cache.
    Cache(CacheEntry),
}

impl Reader {
    /// A reader of a file of that many bytes, of which these are the last [`TAIL_BYTES`].
    pub fn new(length: u64, tail: &[u8]) -> Result<Self> {
        let end = End::read(tail)?;
        // The end says how much there is: it is a stored block, so it cannot be what inflates.
        let declared = end.bytes.saturating_add(END_BYTES as u64);
        Ok(Self {
            end,
            gzip: gzip::Reader::new(Bound { output_bytes: declared }).of_any_ratio(),
            taken: 0,
            length,
            packed_crc: 0,
            content: Vec::new(),
            used: 0,
            searched: 0,
            at: 0,
            sha: Sha256::new(),
            state: State::Header,
            counts: Counts::default(),
            ids: BTreeSet::new(),
        })
    }

    /// What the end says.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// Takes the file's next bytes. What they hold is then to be taken with [`Self::next`], before
    /// more are given: so what is held in memory is bounded by what these inflate to.
    pub fn push(&mut self, packed: &[u8]) -> Result<()> {
        let covered = self.length.saturating_sub(TAIL_BYTES as u64).saturating_sub(self.taken);
        let covered = usize::try_from(covered).unwrap_or(usize::MAX).min(packed.len());
        self.packed_crc = crc32(self.packed_crc, packed.get(..covered).unwrap_or_default());
        self.taken += packed.len() as u64;
        let content = &mut self.content;
        let inflated = self.gzip.push(packed, |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        });
        inflated.map_err(|error| match error.kind() {
            ErrorKind::OutputLimit => bad("the content is longer than the end says"),
            _ => error,
        })
    }

    /// What comes next; `None` where more of the file is needed.
    #[allow(clippy::should_implement_trait, reason = "it fails, and waits for more")]
    pub fn next(&mut self) -> Result<Option<Event>> {
        loop {
            let event = match &mut self.state {
                State::Lines(lines) => {
                    let bytes = take(&mut self.content, &mut self.used, &mut lines.left);
                    if bytes.is_empty() && lines.left > 0 {
                        return Ok(None);
                    }
                    lines.verifier.push(&bytes);
                    if lines.left == 0 {
                        self.end_session()?;
                    }
                    self.count(&bytes);
                    Event::Lines(bytes)
                }
                State::Trace { left } => {
                    let bytes = take(&mut self.content, &mut self.used, left);
                    if bytes.is_empty() {
                        return Ok(None);
                    }
                    if *left == 0 {
                        self.state = State::Records;
                    }
                    self.count(&bytes);
                    Event::Trace(bytes)
                }
                State::Ended if self.used < self.content.len() => {
                    return Err(bad("content follows the bundle's end"));
                }
                State::Ended => return Ok(None),
                _ => match self.line()? {
                    None => {
                        self.tidy();
                        return Ok(None);
                    }
                    Some(None) => {
                        self.tidy();
                        continue;
                    }
                    Some(Some(event)) => event,
                },
            };
            self.tidy();
            return Ok(Some(event));
        }
    }

    /// Ends the file: whether all of it is whole.
    pub fn finish(self) -> Result<End> {
        if !matches!(self.state, State::Ended) || self.taken != self.length {
            return Err(self.placed(bad("the file ends in the middle")));
        }
        self.gzip.finish()?;
        if self.packed_crc != self.end.packed_crc {
            let message = "bytes of the file are not those that were written";
            return Err(Error::new(ErrorKind::GzipChecksum, message));
        }
        Ok(self.end)
    }

    /// The next line, unless more is needed; and what it says, if that is for others.
    fn line(&mut self) -> Result<Option<Option<Event>>> {
        let unread = self.content.get(self.searched..).unwrap_or_default();
        let length = memchr::memchr(b'\n', unread);
        let so_far = self.searched + length.unwrap_or(unread.len()) - self.used;
        if so_far > LINE_BYTES_MAX {
            return Err(self.placed(Error::new(ErrorKind::LineTooLong, "a line exceeds 32 MiB")));
        }
        let Some(length) = length else {
            self.searched = self.content.len();
            return Ok(None);
        };
        let end = self.searched + length + 1;
        let line = self.content.get(self.used..end).unwrap_or_default().to_vec();
        let told = self.record(&line).map_err(|error| self.placed(error))?;
        (self.used, self.searched) = (end, end);
        if !matches!(self.state, State::Ended) {
            self.count(&line);
        }
        Ok(Some(told))
    }

    fn record(&mut self, line: &[u8]) -> Result<Option<Event>> {
        let text = utf8(line.strip_suffix(b"\n").unwrap_or_default())?;
        if matches!(self.state, State::Header) {
            check_header(text)?;
            self.state = State::Records;
            return Ok(None);
        }
        match (Record::parse(text)?, &self.state) {
            (Record::Session(record), State::Records) => {
                self.begin(&record)?;
                Ok(Some(Event::Session(record)))
            }
            (Record::Cache(entry), State::Records | State::Cache) => {
                self.counts.cache += 1;
                self.state = State::Cache;
                Ok(Some(Event::Cache(entry)))
            }
            (Record::Index, state) => {
                if !matches!(state, State::Index) && self.at != self.end.index.1 {
                    return Err(bad("the index is not where the end says"));
                }
                self.state = State::Index;
                Ok(None)
            }
            (Record::End, _) => self.check_end(text).map(|()| None),
            _ => Err(bad("a line is not where its kind belongs")),
        }
    }

    fn begin(&mut self, record: &SessionRecord) -> Result<()> {
        if !self.ids.insert(record.id.clone()) {
            return Err(bad("a session stands twice").in_session(&record.id));
        }
        self.counts.sessions += 1;
        self.counts.entries += record.head.seq + 1;
        let expected = Some((record.head.seq, record.head.hash));
        let expectation = Expectation { session: Some(record.id.clone()), head: expected };
        let (record, verifier) = (record.clone(), Verifier::new(expectation));
        let left = record.head.bytes;
        self.state = State::Lines(Box::new(Lines { left, record, verifier }));
        Ok(())
    }

    fn end_session(&mut self) -> Result<()> {
        let State::Lines(lines) = core::mem::replace(&mut self.state, State::Records) else {
            return Ok(());
        };
        let left = lines.record.trace_bytes;
        if left > 0 {
            self.state = State::Trace { left };
        }
        check_session(&lines.record, lines.verifier)
    }

    fn check_end(&mut self, line: &str) -> Result<()> {
        self.state = State::Ended;
        let digest = Hash::from_bytes(self.sha.finalize_reset().into());
        if End::parse(line) != Some(self.end) || self.at != self.end.bytes {
            return Err(bad("the end is not where it says"));
        }
        if digest != self.end.digest || self.counts != self.end.counts {
            return Err(bad("the content is not what was written"));
        }
        Ok(())
    }

    /// Counts content that was given out.
    fn count(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.at += bytes.len() as u64;
        self.searched = self.searched.max(self.used);
    }

    /// Lets go of content that was given out.
    fn tidy(&mut self) {
        if self.used == self.content.len() {
            self.content.clear();
        } else if self.used > USED_BYTES_MAX {
            self.content.drain(..self.used);
        } else {
            return;
        }
        self.searched = self.searched.saturating_sub(self.used);
        self.used = 0;
    }

    fn placed(&self, error: Error) -> Error {
        error.at(|place| _ = place.offset.get_or_insert(self.at))
    }
}

/// Takes content up to what is left of something.
fn take(content: &mut [u8], used: &mut usize, left: &mut u64) -> Vec<u8> {
    let there = content.get(*used..).unwrap_or_default();
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(there.len());
    let bytes = there.get(..length).unwrap_or_default().to_vec();
    *used += length;
    *left -= length as u64;
    bytes
}

fn check_session(record: &SessionRecord, verifier: Verifier) -> Result<()> {
    let report = verifier.finish();
    let sound = report.sound().and_then(|()| match report.head == Some(record.head) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::HeadMismatch, "the lines do not lead to the head")),
    });
    sound.map_err(|error| error.in_session(&record.id))
}

/// Checks a file's first bytes: that it is gzip, and a bundle of a version that is known. Too few of
/// them say nothing.
pub(crate) fn check_start(start: &[u8]) -> Result<()> {
    let mut content = Vec::new();
    let mut reader = gzip::Reader::new(Bound::default());
    let inflated = reader.push(start, |bytes| {
        content.extend_from_slice(bytes);
        Ok(())
    });
    match memchr::memchr(b'\n', &content) {
        Some(end) => check_header(utf8(content.get(..end).unwrap_or_default())?),
        None => inflated,
    }
}
