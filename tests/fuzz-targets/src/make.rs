//! Files with right checksums around whatever they hold: what is behind a checksum is reached too.

use turnkeep_core::gzip::deflate::Deflater;
use turnkeep_core::{Hash, sha256};

/// Before the rest of a line: on the first line, and on others.
const PREFIXES: [usize; 2] = [92, 154];
/// Where an archive's index starts; and its content, after version and check.
const INDEX: usize = 16;
const INDEX_CONTENT: usize = INDEX + 5;

/// The hash of a line with that rest (`docs/format.md` §3.1).
#[must_use]
pub fn hash(prev: Option<Hash>, rest: &[u8]) -> Hash {
    let digest = redacted(rest).unwrap_or_else(|| sha256(&[b"{", rest].concat()));
    let prev = prev.map_or([0; 32], |prev| *prev.as_bytes());
    sha256(&[&b"turnkeep/1\n"[..], &prev, digest.as_bytes()].concat())
}

/// What a redacted entry says its digest is.
fn redacted(rest: &[u8]) -> Option<Hash> {
    let digest = rest.strip_prefix(br#""kind":"redacted","digest":""#)?.strip_suffix(b"\"}")?;
    std::str::from_utf8(digest).ok()?.parse().ok()
}

/// A line with that rest, without its `\n`.
#[must_use]
pub fn line(prev: Option<Hash>, rest: &[u8]) -> Vec<u8> {
    let told = prev.map_or("null".into(), |prev| format!("\"{prev}\""));
    let start = format!("{{\"hash\":\"{}\",\"prev_hash\":{told},", hash(prev, rest));
    [start.as_bytes(), rest].concat()
}

/// What follows a line's hashes; all of it where it has none.
#[must_use]
pub fn rest(line: &[u8]) -> &[u8] {
    let is_hashed = line.starts_with(b"{\"hash\":\"");
    let has_prev = line.get(87..91) != Some(b"null");
    line.get(PREFIXES[usize::from(has_prev)]..).filter(|_| is_hashed).unwrap_or(line)
}

/// The same lines with right hashes; what follows the last line break stays.
#[must_use]
pub fn rehashed(log: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    let mut prev = None;
    for piece in log.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = piece.strip_suffix(b"\n") else {
            made.extend_from_slice(piece);
            break;
        };
        let rest = rest(text);
        made.extend(line(prev, rest));
        made.push(b'\n');
        prev = Some(hash(prev, rest));
    }
    made
}

/// The same archive with a right check of its index.
#[must_use]
pub fn reindexed(archive: &[u8]) -> Vec<u8> {
    let mut made = archive.to_vec();
    let length =
        archive.get(INDEX - 2..INDEX).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
    let content = archive.get(INDEX_CONTENT..INDEX + usize::from(length));
    if let Some(check) = content.map(|content| crc32(content).to_le_bytes()) {
        made[INDEX + 1..INDEX_CONTENT].copy_from_slice(&check);
    }
    made
}

/// CRC-32 as gzip has it (RFC 1952).
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// A gzip header without time, name or system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// What ends a gzip member of that content.
fn trailer(content: &[u8]) -> [u8; 8] {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let (check, length) = (crc32(content).to_le_bytes(), length.to_le_bytes());
    [check[0], check[1], check[2], check[3], length[0], length[1], length[2], length[3]]
}

/// A gzip file.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    Deflater::new().block(content, &mut file);
    file.extend([3, 0]);
    file.extend(trailer(content));
    file
}

/// Length of the line that ends a bundle.
const END_BYTES: usize = 384;

/// A bundle of that content (`docs/format.md` §7.5), whose end says what is right for it.
#[must_use]
pub fn bundle(content: &[u8]) -> Vec<u8> {
    let index = find(content, b"\n{\"kind\":\"index\"").map_or(content.len(), |at| at + 1);
    let mut file = HEADER.to_vec();
    Deflater::new().block(&content[..index], &mut file);
    let packed_index = file.len();
    if index < content.len() {
        Deflater::new().block(&content[index..], &mut file);
    }
    let count = |start: &[u8]| {
        content.split(|byte| *byte == b'\n').filter(|line| line.starts_with(start)).count()
    };
    let (sessions, cache) = (count(b"{\"kind\":\"session\""), count(b"{\"kind\":\"cache\""));
    let mut end = format!(
        "{{\"kind\":\"end\",\"sessions\":{sessions},\"entries\":{},\"cache\":{cache},\"bytes\":{},\
         \"index\":[{packed_index},{index}],\"packed_crc\":{},\"digest\":\"{}\"}}",
        count(b"{\"hash\":"),
        content.len(),
        crc32(&file),
        sha256(content)
    );
    end += &" ".repeat(END_BYTES - 1 - end.len());
    end.push('\n');
    let stored = [1, 0x80, 0x01, 0x7f, 0xfe];
    let whole = [content, end.as_bytes()].concat();
    [&file[..], &stored, end.as_bytes(), &trailer(&whole)].concat()
}

/// Where some bytes stand first in others.
#[must_use]
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}
