//! Writing an object that may be larger than memory: part by part, and read back before it is there.

use alloc::format;
use alloc::vec::Vec;
use core::mem::take;
use core::ops::Range;

use super::scan::{CHUNK_BYTES, shorter};
use crate::store::{Condition, Info, Key, PART_BYTES, StageId};
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// A part that is this long grows to its full length at once: by doubling it would take twice as much.
const SMALL_BYTES: usize = 1 << 20;

/// An object under way. Its start may be known last, so its first part stays in memory until then.
pub(crate) struct Staging {
    key: Key,
    stage: Option<StageId>,
    /// Parts so far.
    parts: u32,
    /// Nothing is put before its first part later.
    is_in_order: bool,
    first: Vec<u8>,
    open: Vec<u8>,
    bytes: u64,
}

impl Staging {
    pub(crate) fn new(key: Key) -> Self {
        let (first, open) = (Vec::new(), Vec::new());
        Self { key, stage: None, parts: 0, is_in_order: false, first, open, bytes: 0 }
    }

    /// An object whose parts are written in their order: nothing comes before what is added first.
    pub(crate) fn in_order(key: Key) -> Self {
        Self { is_in_order: true, ..Self::new(key) }
    }

    /// Adds bytes at the end.
    pub(crate) async fn add(&mut self, io: &Io, bytes: &[u8]) -> Result<()> {
        let room = self.open.capacity() - self.open.len();
        if room < bytes.len() && self.open.len() + bytes.len() > SMALL_BYTES {
            let full = PART_BYTES + CHUNK_BYTES as usize;
            self.open.reserve_exact(full.saturating_sub(self.open.len()).max(bytes.len()));
        }
        self.open.extend_from_slice(bytes);
        if self.open.len() < PART_BYTES {
            return Ok(());
        }
        let part = take(&mut self.open);
        if self.parts == 0 && !self.is_in_order {
            (self.first, self.parts) = (part, 1);
            return Ok(());
        }
        self.part(io, self.parts + 1, part).await
    }

    /// Ends the object, which has `start` before all that was added.
    pub(crate) async fn finish(&mut self, io: &Io, start: Vec<u8>) -> Result<()> {
        let last = take(&mut self.open);
        if self.parts == 0 {
            return self.part(io, 1, joined(start, last)).await;
        }
        if !last.is_empty() {
            self.part(io, self.parts + 1, last).await?;
        }
        if self.is_in_order {
            return Ok(());
        }
        let first = take(&mut self.first);
        self.part(io, 1, joined(start, first)).await
    }

    async fn part(&mut self, io: &Io, number: u32, bytes: Vec<u8>) -> Result<()> {
        let stage = match &self.stage {
            Some(stage) => stage,
            None => self.stage.insert(io.stage(&self.key).await?),
        };
        self.bytes += bytes.len() as u64;
        self.parts = self.parts.max(number);
        io.stage_part(stage, number, bytes).await.map_err(|error| error.at_key(&self.key))
    }

    /// The object to be.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Its length.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads back what was written.
    pub(crate) async fn get(&self, io: &Io, range: Range<u64>) -> Result<Vec<u8>> {
        let missing = || Error::new(ErrorKind::StoreFailed, "nothing was staged");
        let stage = self.stage.as_ref().ok_or_else(missing)?;
        let object = io.get_staged(stage, Some(range)).await;
        Ok(object.map_err(|error| error.at_key(&self.key))?.bytes)
    }

    /// Reads all of it back.
    pub(crate) async fn each_chunk(&self, io: &Io, mut found: impl FnMut(&[u8])) -> Result<()> {
        let mut at = 0;
        while at < self.bytes {
            let chunk = self.get(io, at..self.bytes.min(at + CHUNK_BYTES)).await?;
            if chunk.is_empty() {
                return Err(shorter(&self.key));
            }
            at += chunk.len() as u64;
            found(&chunk);
        }
        Ok(())
    }

    /// Ends and publishes what need not be read back: what is small at once, the rest from its parts.
    pub(crate) async fn publish(mut self, io: &Io, condition: Condition) -> Result<()> {
        if self.parts == 0 {
            return io.put(&self.key, self.open, condition).await.map(|_| ());
        }
        let published = async {
            self.finish(io, Vec::new()).await?;
            self.commit(io, condition).await.map(|_| ())
        };
        let published = published.await;
        if published.is_err() {
            self.abort(io).await;
        }
        published
    }

    /// Publishes it, all of it. Where that fails it may still have to be given up: the store may not
    /// have heard.
    pub(crate) async fn commit(&mut self, io: &Io, condition: Condition) -> Result<Info> {
        let info = self.commit_unmeasured(io, condition).await?;
        // It may be longer: others can write to it by now.
        if info.bytes < self.bytes {
            let message = format!("{} of {} bytes were published", info.bytes, self.bytes);
            return Err(Error::new(ErrorKind::StoreFailed, message).at_key(&self.key));
        }
        Ok(info)
    }

    /// The same where a stream may be what it goes into, which does not tell its length.
    pub(crate) async fn commit_unmeasured(
        &mut self,
        io: &Io,
        condition: Condition,
    ) -> Result<Info> {
        let missing = || Error::new(ErrorKind::StoreFailed, "nothing was staged");
        let stage = self.stage.as_ref().ok_or_else(missing)?;
        let info = io.commit(stage, condition).await.map_err(|error| error.at_key(&self.key))?;
        self.stage = None;
        Ok(info)
    }

    /// Gives it up, unless it was published.
    pub(crate) async fn abort(&mut self, io: &Io) {
        if let Some(stage) = self.stage.take() {
            io.abort(&stage).await.ok();
        }
    }
}

/// Both, without a copy where there is nothing to join.
fn joined(start: Vec<u8>, rest: Vec<u8>) -> Vec<u8> {
    if start.is_empty() { rest } else { [start, rest].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Reply, Request};
    use crate::task::{Step, Task};

    /// Stages five bytes in a store that says how many of them it published.
    fn published(bytes: u64) -> Result<u64> {
        let mut task = Task::new(|io| async move {
            let mut staging = Staging::new(Key::parse("a")?);
            staging.add(&io, b"bytes").await?;
            staging.finish(&io, Vec::new()).await?;
            staging.commit(&io, Condition::Absent).await.map(|info| info.bytes)
        });
        loop {
            let requests = match task.next() {
                Step::Done(result) => return result,
                Step::Requests(requests) => requests,
            };
            for (id, request) in requests {
                let reply = match request {
                    Request::Stage { .. } => Reply::Stage(StageId("stage".into())),
                    Request::StagePart { .. } => Reply::Done,
                    _ => Reply::Info(Info { bytes, ..Info::default() }),
                };
                task.reply(id, reply);
            }
        }
    }

    #[test]
    fn what_was_published_in_part_is_not_relied_on() {
        assert_eq!(published(5), Ok(5));
        assert_eq!(published(6), Ok(6), "somebody appended to it");
        assert_eq!(published(4).map_err(|error| error.code()), Err("store_failed"));
    }
}
