//! An archive in a store, inflated from its start to its end, in bounded memory.

use alloc::vec::{self, Vec};
use core::ops::Range;

use super::scan::{CHUNK_BYTES, shorter};
use super::source::ArchivePart;
use super::staging::Staging;
use crate::archive::{ENDING_BYTES, Index, Inflating, Located};
use crate::gzip::{Bound, Reader};
use crate::store::Key;
use crate::task::Io;
use crate::{Error, Result};

/// Compressed bytes that are inflated at once. Deflate gives at most 1,032 times as many.
const PIECE_BYTES: usize = 16 << 10;

/// An archive being read.
pub(super) enum Unpacking<'a> {
    /// Span by span, as its index says.
    Spans(Spans<'a>),
    /// As any gzip file.
    Stream(Stream),
}

impl<'a> Unpacking<'a> {
    /// One that is not published yet.
    pub(super) fn staged(staging: &'a Staging, index: &Index) -> Self {
        Self::Spans(Spans::new(Place::Stage(staging), index))
    }

    pub(super) fn new(part: &ArchivePart) -> Self {
        match &part.index {
            Some(index) => Self::Spans(Spans::new(Place::Key(part.clone()), index)),
            None => Self::Stream(Stream::new(part.clone())),
        }
    }

    /// The next bytes of the content, at least one; `None` at the end.
    pub(super) async fn next(&mut self, io: &Io) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Spans(spans) => spans.next(io).await.map_err(|e| e.at_key(spans.place.key())),
            Self::Stream(stream) => stream.next(io).await.map_err(|e| e.at_key(&stream.part.key)),
        }
    }
}

/// Where an archive's bytes are.
enum Place<'a> {
    Key(ArchivePart),
    Stage(&'a Staging),
}

impl Place<'_> {
    fn key(&self) -> &Key {
        match self {
            Self::Key(part) => &part.key,
            Self::Stage(staging) => staging.key(),
        }
    }

    async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
        match self {
            Self::Key(part) => part.get(io, range).await,
            Self::Stage(staging) => staging.get(io, range).await,
        }
    }
}

pub(super) struct Spans<'a> {
    place: Place<'a>,
    left: vec::IntoIter<Located>,
    inflating: Inflating,
    end: u64,
}

impl<'a> Spans<'a> {
    fn new(place: Place<'a>, index: &Index) -> Self {
        let left = index.located().collect::<Vec<_>>().into_iter();
        Self { place, left, inflating: Inflating::default(), end: index.archive_bytes() }
    }

    async fn next(&mut self, io: &Io) -> Result<Option<Vec<u8>>> {
        while !self.inflating.is_full()
            && let Some(span) = self.left.next()
        {
            let compressed = self.place.get(io, span.compressed.clone()).await?;
            self.inflating.give(io, span, compressed);
        }
        if let Some(raw) = self.inflating.take().await? {
            return Ok(Some(raw));
        }
        let ending = self.place.get(io, self.end - ENDING_BYTES..self.end).await?;
        self.inflating.check(&ending)?;
        Ok(None)
    }
}

pub(super) struct Stream {
    part: ArchivePart,
    reader: Reader,
    /// Where to read on, and the end.
    at: u64,
    end: u64,
    /// What was read, and how much of it was inflated.
    read: Vec<u8>,
    done: usize,
    /// What ends the reading, once all that precedes it was given.
    fault: Option<Error>,
}

impl Stream {
    fn new(part: ArchivePart) -> Self {
        let (reader, end) = (Reader::new(Bound::default()), part.info.bytes);
        Self { part, reader, at: 0, end, read: Vec::new(), done: 0, fault: None }
    }

    async fn next(&mut self, io: &Io) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        while out.is_empty() {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if self.done == self.read.len() {
                if self.at >= self.end {
                    self.reader.check_end()?;
                    return Ok(None);
                }
                let range = self.at..self.end.min(self.at + CHUNK_BYTES);
                (self.read, self.done) = (self.part.get(io, range).await?, 0);
                self.at += self.read.len() as u64;
                if self.read.is_empty() {
                    return Err(shorter(&self.part.key));
                }
            }
            let end = self.read.len().min(self.done + PIECE_BYTES);
            let piece = self.read.get(self.done..end).unwrap_or_default();
            self.done = end;
            let pushed = self.reader.push(piece, |bytes| {
                out.extend_from_slice(bytes);
                Ok(())
            });
            self.fault = pushed.err();
        }
        Ok(Some(out))
    }
}
