//! Spans that are inflated while the ones before them are verified.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{Located, check_ending, inflate_span};
use crate::Result;
use crate::gzip::{crc32, crc32_combine};
use crate::task::Io;
use crate::work::Working;

/// Most spans that are out at a time.
const OUT_MAX: usize = 4;

/// Gives an archive's spans away, and their content back in order.
#[derive(Debug, Default)]
pub(crate) struct Inflating {
    out: VecDeque<Working<Result<Inflated>>>,
    crc: u32,
    raw_bytes: u64,
}

#[derive(Debug)]
struct Inflated {
    raw: Vec<u8>,
    crc: u32,
}

impl Inflating {
    /// Whether something has to be taken before more is given.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= OUT_MAX
    }

    /// Gives the next span away.
    pub(crate) fn give(&mut self, io: &Io, span: Located, compressed: Vec<u8>) {
        self.out.push_back(io.work(move || {
            let raw = inflate_span(&span, &compressed)?;
            Ok(Inflated { crc: crc32(0, &raw), raw })
        }));
    }

    /// The content of the first span that was not taken yet; `None` where there is none.
    pub(crate) async fn take(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(first) = self.out.pop_front() else { return Ok(None) };
        let Inflated { raw, crc } = first.await??;
        self.crc = crc32_combine(self.crc, crc, raw.len() as u64);
        self.raw_bytes += raw.len() as u64;
        Ok(Some(raw))
    }

    /// Checks the archive's last bytes, once all of its spans were taken.
    pub(crate) fn check(&self, ending: &[u8]) -> Result<()> {
        check_ending(ending, self.crc, self.raw_bytes)
    }
}
