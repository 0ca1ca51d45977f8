//! zlib-rs.

use alloc::vec::Vec;
use core::fmt;

use super::{LEVEL, Step};
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Status, compress_bound};

/// Window of 32 KiB, deflate's largest.
const WINDOW_BITS: u8 = 15;
/// The empty stored block that ends a flush.
const FLUSH_BYTES: usize = 16;

/// Makes blocks.
pub struct Deflater(Deflate);

impl Deflater {
    /// A deflater; costs some 300 KiB of memory, so keep it for the next block.
    #[must_use]
    pub fn new() -> Self {
        Self(Deflate::new(i32::from(LEVEL), false, WINDOW_BITS))
    }

    /// Appends `raw` as a block that can be inflated alone: fresh window, flushed, not final.
    pub fn block(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let start = out.len();
        out.resize(start + compress_bound(raw.len()) + FLUSH_BYTES, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        // Cannot fail: the state is new and the room is what zlib guarantees to be enough.
        let status = self.0.compress(raw, room, DeflateFlush::FullFlush);
        debug_assert_eq!(status, Ok(Status::Ok));
        out.truncate(start + self.0.total_out() as usize);
    }
}

/// Inflates a raw deflate stream, step by step.
pub struct Inflater(Inflate);

impl Inflater {
    /// An inflater at the start of a stream or block.
    #[must_use]
    pub fn new() -> Self {
        Self(Inflate::new(false, WINDOW_BITS))
    }

    /// Forgets the stream before.
    pub fn reset(&mut self) {
        self.0.reset(false);
    }

    /// Inflates what fits into `out`. `None`: the stream is damaged.
    pub fn step(&mut self, input: &[u8], out: &mut [u8]) -> Option<Step> {
        let (taken, given) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out, InflateFlush::SyncFlush).ok()?;
        Some(Step {
            taken: (self.0.total_in() - taken) as usize,
            given: (self.0.total_out() - given) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deflater")
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflater")
    }
}
