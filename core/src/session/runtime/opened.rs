//! A bundle that is read, from where it lies or while it is staged.

use alloc::vec::Vec;

use crate::bundle::{End, Event, Reader, TAIL_BYTES, check_start};
use crate::session::Staging;
use crate::session::scan::shorter;
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// How much of the file is inflated at once: deflate gives at most 1,032 times as much, which bounds
/// the memory that a hostile file takes.
const FEED_BYTES: usize = 32 << 10;
/// How much of it is read at once.
const READ_BYTES: u64 = 256 << 10;
/// The header's line stands within the first bytes.
const START_BYTES: u64 = 4 << 10;

/// A bundle whose start and end were looked at.
pub(super) struct Opened<'a> {
    io: &'a Io,
    from: From<'a>,
    length: u64,
    tail: Vec<u8>,
}

enum From<'a> {
    Object { key: &'a Key, version: alloc::string::String },
    Staged(&'a Staging),
}

impl<'a> Opened<'a> {
    /// The bundle in a store. `unsupported_version` where it is newer, `bad_bundle` where it is none.
    pub(super) async fn find(io: &'a Io, key: &'a Key) -> Result<Self> {
        let info = io.info(key).await?;
        let from = From::Object { key, version: info.version };
        Self::open(io, from, info.bytes).await
    }

    /// One that is not published yet.
    pub(super) async fn staged(io: &'a Io, staging: &'a Staging) -> Result<Self> {
        Self::open(io, From::Staged(staging), staging.bytes()).await
    }

    async fn open(io: &'a Io, from: From<'a>, length: u64) -> Result<Self> {
        let mut opened = Self { io, from, length, tail: Vec::new() };
        let start = opened.get(0, START_BYTES).await?;
        check_start(&start)?;
        let too_short = || Error::new(ErrorKind::BadBundle, "the file is shorter than any bundle");
        let tail = length.checked_sub(TAIL_BYTES as u64).ok_or_else(too_short)?;
        opened.tail = opened.get(tail, length).await?;
        Reader::new(length, &opened.tail)?;
        Ok(opened)
    }

    async fn get(&self, start: u64, end: u64) -> Result<Vec<u8>> {
        let range = start..end.min(self.length);
        match &self.from {
            From::Staged(staging) => staging.get(self.io, range).await,
            From::Object { key, version } => {
                let object = self.io.get(key, Some(range)).await?;
                if object.info.version != *version {
                    let message = "the bundle changed while it was read";
                    return Err(Error::new(ErrorKind::Conflict, message).at_key(key));
                }
                Ok(object.bytes)
            }
        }
    }

    /// Starts to read it from its start.
    pub(super) fn events(&self) -> Result<Events<'_>> {
        let reader = Reader::new(self.length, &self.tail)?;
        Ok(Events { opened: self, reader, at: 0, read: Vec::new(), used: 0 })
    }

    /// Reads all of it, for its being whole.
    pub(super) async fn verify(&self) -> Result<End> {
        let mut events = self.events()?;
        while events.next().await?.is_some() {}
        events.finish()
    }
}

/// What a bundle holds, piece by piece.
pub(super) struct Events<'a> {
    opened: &'a Opened<'a>,
    reader: Reader,
    /// Bytes of the file that were read, and how many of them are used.
    at: u64,
    read: Vec<u8>,
    used: usize,
}

impl Events<'_> {
    /// What comes next; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.reader.next()? {
                return Ok(Some(event));
            }
            if self.used == self.read.len() {
                if self.at == self.opened.length {
                    return Ok(None);
                }
                self.read = self.opened.get(self.at, self.at + READ_BYTES).await?;
                if self.read.is_empty() {
                    return Err(shorter(&Key::bundle()));
                }
                (self.at, self.used) = (self.at + self.read.len() as u64, 0);
            }
            let rest = self.read.get(self.used..).unwrap_or_default();
            let now = rest.get(..FEED_BYTES).unwrap_or(rest);
            self.reader.push(now)?;
            self.used += now.len();
        }
    }

    /// Whether all of it was whole. Only after the end.
    pub(super) fn finish(self) -> Result<End> {
        self.reader.finish()
    }
}
