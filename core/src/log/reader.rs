//! Lines out of bytes, however they are cut.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::limits::LINE_BYTES_MAX;
use crate::{Error, ErrorKind, Result};

/// Cuts a stream of bytes into lines. Lines that lie whole in a chunk are not copied.
///
/// ```
/// use turnkeep_core::log::LineReader;
/// let mut lines = Vec::new();
/// let mut reader = LineReader::new(0);
/// for chunk in ["one\ntw", "o\nthr"] {
///     reader.push(chunk.as_bytes(), |line, offset| {
///         lines.push((line.to_vec(), offset));
///         Ok(())
///     })?;
/// }
/// assert_eq!(lines, [(b"one".to_vec(), 0), (b"two".to_vec(), 4)]);
/// assert_eq!(reader.rest(), b"thr"); // not ended by a line break: no line yet
/// assert_eq!(reader.offset(), 8);
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct LineReader {
    carry: Vec<u8>,
    offset: u64,
}

/// A line without its `\n`, and the offset of its start.
#[derive(Debug)]
pub(crate) struct ReadLine<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) offset: u64,
}

impl LineReader {
    /// A reader of bytes that start at that offset of a log.
    #[must_use]
    pub fn new(offset: u64) -> Self {
        Self { carry: Vec::new(), offset }
    }

    /// Takes bytes and gives every line they complete, without its `\n`, with the offset of its
    /// start. Stops at the first error `found` answers; a line over the limit is `line_too_long`.
    pub fn push(
        &mut self,
        chunk: &[u8],
        mut found: impl FnMut(&[u8], u64) -> Result<()>,
    ) -> Result<()> {
        let mut rest = chunk;
        while let Some(line) = self.next(&mut rest)? {
            found(&line.bytes, line.offset)?;
        }
        Ok(())
    }

    /// Takes the first line off some bytes. `None`: they have no more line breaks, and were kept.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<ReadLine<'a>>> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.keep(core::mem::take(bytes))?;
            return Ok(None);
        };
        let (line, after) = bytes.split_at_checked(end).unwrap_or_default();
        *bytes = after.get(1..).unwrap_or_default();
        let bytes = if self.carry.is_empty() {
            self.check_length(line.len())?;
            Cow::Borrowed(line)
        } else {
            self.keep(line)?;
            Cow::Owned(core::mem::take(&mut self.carry))
        };
        let offset = self.offset;
        self.offset += bytes.len() as u64 + 1;
        Ok(Some(ReadLine { bytes, offset }))
    }

    /// The bytes after the last line break.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.carry
    }

    /// Where [`Self::rest`] starts: the end of the last line.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_length(self.carry.len() + bytes.len())?;
        self.carry.extend_from_slice(bytes);
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<()> {
        if length <= LINE_BYTES_MAX {
            return Ok(());
        }
        let error = Error::new(ErrorKind::LineTooLong, "a line exceeds 32 MiB");
        Err(error.at(|place| place.offset = Some(self.offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8], cuts: &[usize]) -> (Vec<(Vec<u8>, u64)>, Vec<u8>) {
        let mut lines = Vec::new();
        let mut reader = LineReader::new(0);
        let mut start = 0;
        for cut in cuts.iter().copied().chain([text.len()]) {
            let end = cut.clamp(start, text.len());
            reader
                .push(&text[start..end], |line, offset| {
                    lines.push((line.to_vec(), offset));
                    Ok(())
                })
                .unwrap();
            start = end;
        }
        (lines, reader.rest().to_vec())
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_bytes_are_cut(
            text in prop::collection::vec(prop::sample::select(b"a\n\r".to_vec()), 0..40),
            mut cuts in prop::collection::vec(0..40_usize, 0..6),
        ) {
            cuts.sort_unstable();
            prop_assert_eq!(split(&text, &cuts), split(&text, &[]));
        }
    }
}
