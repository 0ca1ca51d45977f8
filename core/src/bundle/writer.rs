//! Content in, bundle out: blocks are deflated while the next ones are read, and leave in parts.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use sha2::{Digest as _, Sha256};

use super::record::{cache_line, header};
use super::{Counts, End, HEADER, STORED, SessionRecord};
use crate::cache::CacheEntry;
use crate::gzip::deflate::Deflater;
use crate::gzip::{crc32, crc32_combine};
use crate::json::push_text;
use crate::limits::BLOCK_BYTES;
use crate::session::Staging;
use crate::store::Key;
use crate::task::Io;
use crate::work::Working;
use crate::{Hash, Result};

/// Most blocks that are out at a time.
const OUT_MAX: usize = 4;
/// How many blocks, or sessions, a line of the index tells of.
const INDEXED: usize = 1024;

/// Writes a bundle.
pub(crate) struct Writer {
    staging: Staging,
    /// Content that no block holds yet.
    open: Vec<u8>,
    out: VecDeque<Working<Packed>>,
    /// Deflaters are large: each is used again.
    idle: Vec<Deflater>,
    /// Of all content so far.
    sha: Sha256,
    raw_bytes: u64,
    /// Of what is packed.
    crc: u32,
    packed_bytes: u64,
    packed_crc: u32,
    blocks: Vec<u64>,
    sessions: Vec<(String, u64)>,
    counts: Counts,
}

/// A block as it stands in the file.
struct Packed {
    bytes: Vec<u8>,
    crc: u32,
    raw_bytes: u64,
    deflater: Deflater,
}

fn pack(raw: &[u8], mut deflater: Deflater) -> Packed {
    let mut bytes = Vec::new();
    deflater.block(raw, &mut bytes);
    Packed { bytes, crc: crc32(0, raw), raw_bytes: raw.len() as u64, deflater }
}

impl Writer {
    /// A bundle to be, with its header.
    pub(crate) async fn begin(io: &Io, key: Key, now_ms: u64) -> Result<Self> {
        let mut writer = Self {
            staging: Staging::in_order(key),
            open: Vec::new(),
            out: VecDeque::new(),
            idle: Vec::new(),
            sha: Sha256::new(),
            raw_bytes: 0,
            crc: 0,
            packed_bytes: 0,
            packed_crc: 0,
            blocks: Vec::new(),
            sessions: Vec::new(),
            counts: Counts::default(),
        };
        writer.emit(io, &HEADER).await?;
        writer.add(io, header(now_ms).as_bytes()).await?;
        Ok(writer)
    }

    /// Begins a session: its lines and trace are added next, as many bytes as the record says.
    pub(crate) async fn session(&mut self, io: &Io, record: &SessionRecord) -> Result<()> {
        self.sessions.push((record.id.as_str().into(), self.raw_bytes));
        self.counts.sessions += 1;
        self.counts.entries += record.head.seq + 1;
        self.add(io, record.line().as_bytes()).await
    }

    /// Adds a value of the cache. Sessions all come before.
    pub(crate) async fn cache(&mut self, io: &Io, entry: &CacheEntry) -> Result<()> {
        self.counts.cache += 1;
        self.add(io, cache_line(entry)?.as_bytes()).await
    }

    /// Adds content.
    pub(crate) async fn add(&mut self, io: &Io, mut bytes: &[u8]) -> Result<()> {
        self.sha.update(bytes);
        self.raw_bytes += bytes.len() as u64;
        while self.open.len() + bytes.len() >= BLOCK_BYTES {
            let room = BLOCK_BYTES.saturating_sub(self.open.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.open.extend_from_slice(now);
            bytes = later;
            self.close(io).await?;
        }
        self.open.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends the bundle. It can be read back then, and is there once it is committed.
    pub(crate) async fn finish(mut self, io: &Io) -> Result<(Staging, End)> {
        self.flush(io).await?;
        let index = (self.packed_bytes, self.raw_bytes);
        for blocks in take(&mut self.blocks).chunks(INDEXED) {
            self.add(io, blocks_line(blocks).as_bytes()).await?;
        }
        for sessions in take(&mut self.sessions).chunks(INDEXED) {
            self.add(io, sessions_line(sessions).as_bytes()).await?;
        }
        self.flush(io).await?;
        let end = End {
            counts: self.counts,
            bytes: self.raw_bytes,
            index,
            packed_crc: self.packed_crc,
            digest: Hash::from_bytes(self.sha.finalize_reset().into()),
        };
        let line = end.line();
        let crc = crc32(self.crc, line.as_bytes());
        let length = (self.raw_bytes + line.len() as u64) as u32;
        let sums = [crc.to_le_bytes(), length.to_le_bytes()].concat();
        self.emit(io, &[&STORED[..], line.as_bytes(), &sums].concat()).await?;
        self.staging.finish(io, Vec::new()).await?;
        Ok((self.staging, end))
    }

    /// Gives up what was written.
    pub(crate) async fn abort(mut self, io: &Io) {
        self.staging.abort(io).await;
    }

    /// Packs all there is.
    async fn flush(&mut self, io: &Io) -> Result<()> {
        if !self.open.is_empty() {
            self.close(io).await?;
        }
        while !self.out.is_empty() {
            self.take_first(io).await?;
        }
        Ok(())
    }

    async fn close(&mut self, io: &Io) -> Result<()> {
        if self.out.len() == OUT_MAX {
            self.take_first(io).await?;
        }
        let raw = core::mem::replace(&mut self.open, Vec::with_capacity(BLOCK_BYTES));
        let deflater = self.idle.pop().unwrap_or_default();
        self.out.push_back(io.work(move || pack(&raw, deflater)));
        Ok(())
    }

    async fn take_first(&mut self, io: &Io) -> Result<()> {
        let Some(first) = self.out.pop_front() else { return Ok(()) };
        let packed = first.await?;
        self.blocks.push(self.packed_bytes);
        self.crc = crc32_combine(self.crc, packed.crc, packed.raw_bytes);
        self.idle.push(packed.deflater);
        self.emit(io, &packed.bytes).await
    }

    /// Writes bytes of the file.
    async fn emit(&mut self, io: &Io, bytes: &[u8]) -> Result<()> {
        self.packed_bytes += bytes.len() as u64;
        self.packed_crc = crc32(self.packed_crc, bytes);
        self.staging.add(io, bytes).await
    }
}

fn blocks_line(blocks: &[u64]) -> String {
    let mut line = format!("{{\"kind\":\"index\",\"block_bytes\":{BLOCK_BYTES},\"blocks\":[");
    for (index, at) in blocks.iter().enumerate() {
        line += &format!("{}{at}", if index > 0 { "," } else { "" });
    }
    line + "]}\n"
}

fn sessions_line(sessions: &[(String, u64)]) -> String {
    let mut line = String::from(r#"{"kind":"index","sessions":["#);
    for (index, (id, at)) in sessions.iter().enumerate() {
        line += if index > 0 { ",[" } else { "[" };
        push_text(&mut line, id);
        line += &format!(",{at}]");
    }
    line + "]}\n"
}
