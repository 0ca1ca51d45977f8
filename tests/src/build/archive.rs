//! Archives (§6 of `docs/format.md`), with blocks of any size and an index that says anything.

use serde_json::Value;

use super::gzip::{Member, crc32, deflated, trailer};
use super::log::Log;

/// The names of the kinds in the order of their bits; any other kind is the last bit.
const KINDS: [&str; 18] = [
    "user_input",
    "assistant_item",
    "tool_result",
    "turn_end",
    "llm_usage",
    "run_started",
    "run_completed",
    "system_item",
    "run_errored",
    "config_changed",
    "extension",
    "state",
    "truncated",
    "replaced",
    "compaction",
    "fork",
    "session_start",
    "redacted",
];

/// What the index tells of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Length in the archive.
    pub compressed: u64,
    /// Length in the log.
    pub raw: u64,
    /// Entries in it.
    pub entries: u64,
    /// Earliest time in seconds.
    pub from_s: u64,
    /// Latest time in seconds.
    pub to_s: u64,
    /// Its kinds.
    pub kinds: u64,
}

/// The parts of an archive, each of which may be changed before they are joined.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The index's version.
    pub version: u8,
    /// The head's number.
    pub seq: u64,
    /// The head's hash.
    pub hash: [u8; 32],
    /// Length of the log.
    pub log_bytes: u64,
    /// Number of the first entry.
    pub first_seq: u64,
    /// One for each span.
    pub records: Vec<Record>,
    /// The deflate stream of each block.
    pub blocks: Vec<Vec<u8>>,
    /// CRC-32 and length of the log.
    pub trailer: Vec<u8>,
}

impl Archive {
    /// The archive of a log that holds, with blocks of at least `block_bytes`, deflated.
    #[must_use]
    pub fn of(log: &Log, block_bytes: usize) -> Self {
        Self::with(log, block_bytes, deflated)
    }

    /// The same, with another way to deflate.
    #[must_use]
    pub fn with(log: &Log, block_bytes: usize, deflate: fn(&[u8]) -> Vec<u8>) -> Self {
        let lines = log.lines();
        let (mut blocks, mut records) = (Vec::new(), Vec::<Record>::new());
        let mut rest = &lines[..];
        while !rest.is_empty() {
            let mut bytes = 0;
            let is_open = |line: &&&[u8]| {
                let fits = bytes < block_bytes;
                bytes += line.len();
                fits
            };
            let (block, after) = rest.split_at(rest.iter().take_while(is_open).count());
            let raw = block.concat();
            let deflate = deflate(&raw);
            let before = records.last().map_or(0, |record| record.from_s);
            records.push(Record::of(block, raw.len(), deflate.len(), before));
            blocks.push(deflate);
            rest = after;
        }
        let seq = lines.len() as u64 - 1;
        Self {
            version: 1,
            seq,
            hash: from_hex(&log.hash(seq)),
            log_bytes: log.0.len() as u64,
            first_seq: 0,
            records,
            blocks,
            trailer: trailer(&log.0),
        }
    }

    /// The same with records merged in pairs, as in an index that had grown too long.
    #[must_use]
    pub fn merged(mut self) -> Self {
        let merge = |pair: &[Record]| {
            pair.iter().copied().reduce(|one, next| Record {
                compressed: one.compressed + next.compressed,
                raw: one.raw + next.raw,
                entries: one.entries + next.entries,
                from_s: one.from_s.min(next.from_s),
                to_s: one.to_s.max(next.to_s),
                kinds: one.kinds | next.kinds,
            })
        };
        self.records = self.records.chunks(2).filter_map(merge).collect();
        self
    }

    /// The same after a change.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What follows version and check in the index.
    #[must_use]
    pub fn index_content(&self) -> Vec<u8> {
        let mut content = varint(self.seq);
        content.extend(self.hash);
        for number in [self.log_bytes, self.first_seq, self.records.len() as u64] {
            content.extend(varint(number));
        }
        let mut before = 0;
        for record in &self.records {
            let delta = record.from_s.wrapping_sub(before).cast_signed();
            let zigzag = (delta << 1 ^ delta >> 63).cast_unsigned();
            let (span, kinds) = (record.to_s - record.from_s, record.kinds);
            let sizes = [record.compressed, record.raw, record.entries];
            content.extend(sizes.into_iter().chain([zigzag, span, kinds]).flat_map(varint));
            before = record.from_s;
        }
        content
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> Vec<u8> {
        self.index_with(&self.index_content())
    }

    /// An index of that content, with a right check.
    #[must_use]
    pub fn index_with(&self, content: &[u8]) -> Vec<u8> {
        [&[self.version][..], &crc32(content).to_le_bytes(), content].concat()
    }

    /// The file as a gzip member, whose header can be changed.
    #[must_use]
    pub fn member(&self) -> Member {
        self.member_with(&self.index())
    }

    /// The file with another index.
    #[must_use]
    pub fn member_with(&self, index: &[u8]) -> Member {
        let length = u16::try_from(index.len()).unwrap_or(u16::MAX).to_le_bytes();
        Member {
            extra: Some([b"TK", &length[..], index].concat()),
            trailer: self.trailer.clone(),
            ..Member::with(&[], self.blocks.concat())
        }
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.member().bytes()
    }
}

impl Record {
    fn of(lines: &[&[u8]], raw: usize, compressed: usize, before: u64) -> Self {
        let (mut kinds, mut times) = (0, Vec::new());
        for line in lines {
            let entry: Value = serde_json::from_slice(line).unwrap_or_default();
            let kind = entry["kind"].as_str().unwrap_or_default();
            let bit = KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len());
            kinds |= 1 << bit;
            times.extend(entry["ts"].as_u64());
        }
        let from_s = times.iter().min().map_or(before, |ts| ts / 1000);
        let to_s = times.iter().max().map_or(before, |ts| ts.div_ceil(1000));
        let (compressed, raw, entries) = (compressed as u64, raw as u64, lines.len() as u64);
        Self { compressed, raw, entries, from_s, to_s, kinds }
    }
}

/// A number as LEB128.
#[must_use]
pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn from_hex(hex: &str) -> [u8; 32] {
    let byte = |at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap_or_default();
    std::array::from_fn(byte)
}
