//! Lines in, archive out.

use alloc::vec::Vec;

use super::reader::ending;
use super::{Index, Span};
use crate::gzip::deflate::Deflater;
use crate::gzip::{crc32, write_header};
use crate::limits::BLOCK_BYTES;
use crate::log::{Head, Verified};

/// Makes an archive of verified lines, in bounded memory: blocks leave as they fill, the header
/// comes last because it holds the index.
#[derive(Debug, Default)]
pub struct Writer {
    deflater: Deflater,
    raw: Vec<u8>,
    open: Option<Span>,
    spans: Vec<Span>,
    first_seq: Option<u64>,
    crc: u32,
    raw_bytes: u64,
    /// Bytes at the start of the open block that checksum and length count already.
    counted: usize,
    blocks: Vec<u8>,
}

/// What stands around the blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Stands before the blocks.
    pub header: Vec<u8>,
    /// Stands after them.
    pub trailer: Vec<u8>,
}

impl Writer {
    /// A writer of an archive without entries, which is none yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that goes on after an archive's first `kept` spans, which its caller copies as they
    /// are, and whose content has that checksum. The lines of the other spans have to come again
    /// first: they must be less than a block.
    pub(crate) fn after(index: &Index, kept: usize, crc: u32) -> Self {
        let (kept, again) = index.spans.split_at_checked(kept).unwrap_or((&index.spans, &[]));
        let counted = again.iter().map(|span| span.raw_bytes as usize).sum();
        Self {
            spans: kept.to_vec(),
            first_seq: Some(index.first_seq),
            crc,
            raw_bytes: index.head.bytes,
            counted,
            ..Self::default()
        }
    }

    /// Adds the next line.
    pub fn push(&mut self, verified: &Verified<'_>) {
        self.first_seq.get_or_insert(verified.seq);
        self.raw.extend_from_slice(verified.line);
        self.raw.push(b'\n');
        let before = self.spans.last().map_or(0, |span| span.from_s);
        self.open = Some(grown(self.open, verified, before));
        if self.raw.len() >= BLOCK_BYTES {
            self.close_block();
        }
    }

    /// Compressed blocks so far, which are not given again.
    pub fn take_blocks(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.blocks)
    }

    /// How many bytes [`Self::take_blocks`] would give.
    #[must_use]
    pub fn ready_bytes(&self) -> usize {
        self.blocks.len()
    }

    /// Ends the archive of the log with that head; the last blocks are then ready to be taken.
    pub fn finish(&mut self, head: Head) -> Frame {
        self.close_block();
        let spans = core::mem::take(&mut self.spans);
        let index = Index::new(head, self.first_seq.unwrap_or_default(), spans).encode();
        let trailer = ending(self.crc, self.raw_bytes).to_vec();
        Frame { header: write_header(&index), trailer }
    }

    fn close_block(&mut self) {
        let Some(span) = self.open.take() else { return };
        let start = self.blocks.len();
        self.deflater.block(&self.raw, &mut self.blocks);
        let new = self.raw.get(core::mem::take(&mut self.counted)..).unwrap_or_default();
        self.crc = crc32(self.crc, new);
        self.raw_bytes += new.len() as u64;
        self.spans.push(Span {
            compressed_bytes: (self.blocks.len() - start) as u64,
            raw_bytes: self.raw.len() as u64,
            ..span
        });
        self.raw.clear();
    }
}

/// The open block's record with one more line. Without any time it repeats `before`.
fn grown(open: Option<Span>, line: &Verified<'_>, before: u64) -> Span {
    let is_timeless = Span {
        compressed_bytes: 0,
        raw_bytes: 0,
        entries: 0,
        from_s: before,
        to_s: before,
        kinds: 0,
    };
    let mut span = open.unwrap_or(is_timeless);
    if let Some(ts) = line.ts() {
        let (from, to) = (ts / 1000, ts.div_ceil(1000));
        // Until the first time is seen, only redacted entries are in it.
        let is_first = span.kinds & !crate::Kind::Redacted.bit() == 0;
        (span.from_s, span.to_s) =
            if is_first { (from, to) } else { (span.from_s.min(from), span.to_s.max(to)) };
    }
    span.entries += 1;
    span.kinds |= line.kind().bit();
    span
}
