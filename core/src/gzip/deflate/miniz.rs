//! miniz_oxide: the reference, and the oracle of the differential tests.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{LEVEL, Step};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// Makes blocks.
pub struct Deflater(Box<CompressorOxide>);

impl Deflater {
    /// A deflater.
    #[must_use]
    pub fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(i32::from(LEVEL), -15, 0);
        Self(Box::new(CompressorOxide::new(flags)))
    }

    /// Appends `raw` as a block that can be inflated alone: fresh window, flushed, not final.
    pub fn block(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let start = out.len();
        let (mut taken, mut given) = (0, 0);
        loop {
            out.resize(start + given + raw.len() / 2 + 1024, 0);
            let input = raw.get(taken..).unwrap_or_default();
            let room = out.get_mut(start + given..).unwrap_or_default();
            let size = room.len();
            let (status, read, written) = compress(&mut self.0, input, room, TDEFLFlush::Full);
            taken += read;
            given += written;
            let done = taken == raw.len() && written < size;
            if done || status != TDEFLStatus::Okay {
                return out.truncate(start + given);
            }
        }
    }
}

/// Inflates a raw deflate stream, step by step.
pub struct Inflater(Box<InflateState>);

impl Inflater {
    /// An inflater at the start of a stream or block.
    #[must_use]
    pub fn new() -> Self {
        Self(InflateState::new_boxed(DataFormat::Raw))
    }

    /// Forgets the stream before.
    pub fn reset(&mut self) {
        self.0.reset(DataFormat::Raw);
    }

    /// Inflates what fits into `out`. `None`: the stream is damaged.
    pub fn step(&mut self, input: &[u8], out: &mut [u8]) -> Option<Step> {
        let result = inflate(&mut self.0, input, out, MZFlush::None);
        let ended = match result.status {
            Ok(MZStatus::StreamEnd) => true,
            Ok(_) | Err(MZError::Buf) => false,
            Err(_) => return None,
        };
        Some(Step { taken: result.bytes_consumed, given: result.bytes_written, ended })
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
