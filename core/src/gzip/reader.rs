//! Streams any gzip file's content: several members, foreign headers, with a bound on the output.

use alloc::vec::Vec;

use super::crc32;
use super::deflate::Inflater;
use super::header::{INDEX_OFFSET, read_header};
use crate::archive::Index;
use crate::limits::{RATIO_FREE_BYTES, RATIO_MAX};
use crate::{Error, ErrorKind, Result};

/// Bytes inflated in one step: fits into a second-level cache.
const STEP_BYTES: usize = 128 << 10;
/// CRC-32 and length.
const TRAILER_BYTES: usize = 8;

/// How much a file may inflate to.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Bytes of output at most.
    pub output_bytes: u64,
}

impl Default for Bound {
    /// No bound but the ratio of §6.4.
    fn default() -> Self {
        Self { output_bytes: u64::MAX }
    }
}

/// Inflates a gzip file from bytes in any chunking.
///
/// ```
/// use turnkeep_core::gzip::{Bound, Reader};
/// let hello = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
/// let mut out = Vec::new();
/// let mut reader = Reader::new(Bound::default());
/// for chunk in hello.chunks(7) {
///     reader.push(chunk, |bytes| Ok(out.extend_from_slice(bytes)))?;
/// }
/// reader.finish()?;
/// assert_eq!(out, b"hello");
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    bound: Bound,
    /// Whether the output is bounded by the input too.
    is_ratio_bound: bool,
    /// An archive's index says how much it holds: then that is the bound, and no ratio.
    indexed: Option<u64>,
    inflater: Inflater,
    buffer: Vec<u8>,
    part: Part,
    /// Bytes of a header or trailer so far.
    pending: Vec<u8>,
    members: u32,
    crc: u32,
    member_bytes: u32,
    taken: u64,
    given: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Content,
    Trailer,
}

impl Reader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new(bound: Bound) -> Self {
        Self {
            bound,
            is_ratio_bound: true,
            indexed: None,
            inflater: Inflater::new(),
            buffer: Vec::new(),
            part: Part::Header,
            pending: Vec::new(),
            members: 0,
            crc: 0,
            member_bytes: 0,
            taken: 0,
            given: 0,
        }
    }

    /// The same, where the bound is known to be what the file holds: it may be small beside that.
    pub(crate) fn of_any_ratio(mut self) -> Self {
        self.is_ratio_bound = false;
        self
    }

    /// Takes bytes of the file and gives what they inflate to, piece by piece. An error that
    /// `found` answers ends the reading.
    pub fn push(&mut self, input: &[u8], mut found: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.push_to(input, &mut found)
    }

    /// Not generic: it is large, and would stand in the wasm once for each caller.
    fn push_to(
        &mut self,
        mut input: &[u8],
        found: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while !input.is_empty() {
            let before = input.len();
            input = match self.part {
                Part::Header => self.header(input),
                Part::Content => self.content(input, found),
                Part::Trailer => self.trailer(input),
            }
            .map_err(|error| error.at(|place| _ = place.offset.get_or_insert(self.taken)))?;
            self.taken += (before - input.len()) as u64;
        }
        Ok(())
    }

    /// Ends the input: the file must end here.
    pub fn finish(self) -> Result<()> {
        self.check_end()
    }

    /// Whether the file may end here.
    pub(crate) fn check_end(&self) -> Result<()> {
        if self.part == Part::Header && self.members > 0 && self.pending.is_empty() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::GzipTruncated, "the file ends in the middle");
        Err(error.at(|place| place.offset = Some(self.taken)))
    }

    fn header<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8]> {
        let had = self.pending.len();
        // A header that lies whole in the input is not copied: there may be one every few bytes.
        let bytes: &[u8] = match had {
            0 => input,
            _ => {
                self.pending.extend_from_slice(input);
                &self.pending
            }
        };
        let header = match read_header(bytes) {
            Err(error) if self.members > 0 && error.kind() == ErrorKind::NotGzip => {
                let message = "bytes follow the end of the gzip file";
                return Err(Error::new(ErrorKind::TrailingData, message));
            }
            other => other?,
        };
        let Some(header) = header else {
            if had == 0 {
                self.pending.extend_from_slice(input);
            }
            return Ok(&[]);
        };
        self.indexed = None;
        if header.is_ours && self.members == 0 {
            let index = bytes.get(INDEX_OFFSET..header.length).unwrap_or_default();
            let index = Index::decode(index).ok().filter(|index| index.first_seq == 0);
            self.indexed = index.map(|index| index.head.bytes);
        }
        self.pending.clear();
        self.inflater.reset();
        (self.crc, self.member_bytes, self.part) = (0, 0, Part::Content);
        Ok(input.get(header.length - had..).unwrap_or_default())
    }

    fn content<'a>(
        &mut self,
        mut input: &'a [u8],
        found: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<&'a [u8]> {
        let corrupt = || Error::new(ErrorKind::GzipCorrupt, "the compressed data is damaged");
        self.buffer.resize(STEP_BYTES, 0);
        let mut taken = self.taken;
        loop {
            let step = self.inflater.step(input, &mut self.buffer).ok_or_else(corrupt)?;
            input = input.get(step.taken..).unwrap_or_default();
            let output = self.buffer.get(..step.given).unwrap_or_default();
            self.crc = crc32(self.crc, output);
            self.member_bytes = self.member_bytes.wrapping_add(step.given as u32);
            self.given += step.given as u64;
            taken += step.taken as u64;
            let indexed = if self.is_ratio_bound { self.indexed } else { Some(u64::MAX) };
            check_bound(self.bound, indexed, taken, self.given)?;
            if step.given > 0 {
                found(output)?;
            }
            let is_starved = step.taken == 0 && step.given == 0;
            if is_starved && !input.is_empty() && !step.ended {
                return Err(corrupt());
            }
            if step.ended {
                self.part = Part::Trailer;
            }
            if step.ended || is_starved || (input.is_empty() && step.given < STEP_BYTES) {
                return Ok(input);
            }
        }
    }

    fn trailer<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8]> {
        let missing = TRAILER_BYTES - self.pending.len();
        let (now, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        self.pending.extend_from_slice(now);
        let Some([a, b, c, d, size @ ..]) = self.pending.first_chunk::<TRAILER_BYTES>() else {
            return Ok(rest);
        };
        if u32::from_le_bytes([*a, *b, *c, *d]) != self.crc
            || u32::from_le_bytes(*size) != self.member_bytes
        {
            let message = "the content does not match its checksum";
            return Err(Error::new(ErrorKind::GzipChecksum, message));
        }
        self.pending.clear();
        self.members += 1;
        self.part = Part::Header;
        Ok(rest)
    }
}

fn check_bound(bound: Bound, indexed: Option<u64>, taken: u64, given: u64) -> Result<()> {
    let by_ratio = match indexed {
        Some(bytes) => bytes,
        None => taken.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES),
    };
    if planted!(Unbounded) || given <= bound.output_bytes.min(by_ratio) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::OutputLimit, "it inflates to more than its bound"))
}

/// Inflates a gzip file that lies whole in memory.
pub fn gunzip(file: &[u8], bound: Bound) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = Reader::new(bound);
    reader.push(file, |bytes| {
        out.extend_from_slice(bytes);
        Ok(())
    })?;
    reader.finish()?;
    Ok(out)
}
