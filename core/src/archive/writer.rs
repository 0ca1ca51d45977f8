//! Lines in, archive out.

use alloc::vec::Vec;

use super::reader::ending;
use super::{Index, Span};
use crate::gzip::deflate::Deflater;
use crate::gzip::{crc32, crc32_combine, write_header};
use crate::limits::BLOCK_BYTES;
use crate::log::{Head, Verified};

/// Makes an archive of verified lines, in bounded memory: blocks leave as they fill, the header
/// comes last because it holds the index.
///
/// [`Self::collect`] and [`Self::close`] give the blocks away, so that others can deflate them, and
/// [`Self::add`] takes what became of them back, in the same order.
#[derive(Debug, Default)]
pub struct Writer {
    raw: Vec<u8>,
    open: Option<Span>,
    /// Earliest time in the last block that was closed.
    before_s: u64,
    spans: Vec<Span>,
    first_seq: Option<u64>,
    crc: u32,
    raw_bytes: u64,
    /// Bytes at the start of the open block that checksum and length count already.
    counted: usize,
    blocks: Vec<u8>,
}

/// A block's lines, to be deflated.
#[derive(Debug)]
pub struct Block {
    raw: Vec<u8>,
    span: Span,
    /// Bytes at its start that checksum and length count already.
    counted: usize,
}

/// A block as it stands in the archive, with its part in the index and in the checksum.
#[derive(Debug)]
pub struct Deflated {
    bytes: Vec<u8>,
    span: Span,
    /// Checksum and length of what is new in it.
    crc: u32,
    new_bytes: u64,
}

impl Block {
    /// Deflates it. Whichever deflater does, the bytes are the same.
    #[must_use]
    pub fn deflate(self, deflater: &mut Deflater) -> Deflated {
        let mut bytes = Vec::new();
        deflater.block(&self.raw, &mut bytes);
        let new = self.raw.get(self.counted..).unwrap_or_default();
        let (crc, new_bytes) = (crc32(0, new), new.len() as u64);
        let span = Span { compressed_bytes: bytes.len() as u64, ..self.span };
        Deflated { bytes, span, crc, new_bytes }
    }
}

/// A stored block of nothing that is not the last one (RFC 1951 §3.2.4).
const EMPTY_BLOCK: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// An archive of blocks that stand in others: their spans, the checksum and length of their content,
/// and their bytes.
pub(crate) fn join(
    head: Head,
    first_seq: u64,
    spans: Vec<Span>,
    (crc, raw_bytes): (u32, u64),
    blocks: &[u8],
) -> Vec<u8> {
    let index = Index::new(head, first_seq, spans).encode();
    [&write_header(&index)[..], blocks, &ending(crc, raw_bytes)].concat()
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
            before_s: kept.last().map_or(0, |last| last.from_s),
            spans: kept.to_vec(),
            first_seq: Some(index.first_seq),
            crc,
            raw_bytes: index.head.bytes,
            counted,
            ..Self::default()
        }
    }

    /// Adds the next line, and gives the block that it fills.
    #[must_use]
    pub fn collect(&mut self, verified: &Verified<'_>) -> Option<Block> {
        self.first_seq.get_or_insert(verified.seq);
        self.raw.extend_from_slice(verified.line);
        self.raw.push(b'\n');
        self.open = Some(grown(self.open, verified, self.before_s));
        if self.raw.len() < BLOCK_BYTES {
            return None;
        }
        self.close()
    }

    /// Ends the open block, if one is, and gives it.
    #[must_use]
    pub fn close(&mut self) -> Option<Block> {
        let span = self.open.take()?;
        self.before_s = span.from_s;
        let raw = core::mem::take(&mut self.raw);
        let counted = core::mem::take(&mut self.counted);
        Some(Block { span: Span { raw_bytes: raw.len() as u64, ..span }, raw, counted })
    }

    /// Takes what became of the first block that was given away and is not back yet.
    pub fn add(&mut self, deflated: Deflated) {
        let Deflated { bytes, span, crc, new_bytes } = deflated;
        self.blocks.extend_from_slice(&bytes);
        self.crc = crc32_combine(self.crc, crc, new_bytes);
        self.raw_bytes += new_bytes;
        self.spans.push(span);
    }

    /// Compressed blocks so far, which are not given again.
    pub fn take_blocks(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.blocks)
    }

    /// Adds so many empty blocks after the last one: the archive is another one of the same content.
    pub(crate) fn pad(&mut self, pads: u8) {
        let Some(last) = self.spans.last_mut() else { return };
        for _ in 0..pads {
            self.blocks.extend_from_slice(&EMPTY_BLOCK);
            last.compressed_bytes += EMPTY_BLOCK.len() as u64;
        }
    }

    /// Ends the archive of the log with that head. Every block must have been closed and be back.
    pub fn finish(&mut self, head: Head) -> Frame {
        let spans = core::mem::take(&mut self.spans);
        let index = Index::new(head, self.first_seq.unwrap_or_default(), spans).encode();
        let trailer = ending(self.crc, self.raw_bytes).to_vec();
        Frame { header: write_header(&index), trailer }
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
