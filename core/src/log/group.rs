//! Lines that are hashed together, before they are checked one by one.

use alloc::vec::Vec;

use super::LineReader;
use super::reader::ReadLine;
use crate::Result;
use crate::entry::redacted_digest;
use crate::hash::{Hash, body_digests, chains, link};
use crate::line::Line;

/// A group is full with that many lines or bytes: enough to keep every lane busy, and little that
/// was hashed in vain where one of its first lines has a fault.
const LINES: usize = 64;
const BYTES: usize = 256 << 10;

/// A line taken apart, with the hash it has if its `prev_hash` is right.
#[derive(Debug, Clone, Copy)]
pub(super) struct HashedLine<'a> {
    pub(super) line: Line<'a>,
    pub(super) hash: Hash,
}

/// Takes the next lines off a chunk. With them: whether it may have more, or what is wrong with the
/// line after them.
pub(super) fn read_group<'a>(
    reader: &mut LineReader,
    chunk: &mut &'a [u8],
) -> (Vec<ReadLine<'a>>, Result<bool>) {
    let mut lines = Vec::new();
    let mut bytes = 0;
    while lines.len() < LINES && bytes < BYTES {
        match reader.next(chunk) {
            Ok(Some(line)) => {
                bytes += line.bytes.len();
                lines.push(line);
            }
            Ok(None) => return (lines, Ok(false)),
            Err(error) => return (lines, Err(error)),
        }
    }
    (lines, Ok(true))
}

/// Each line hashed; `None` for one that has not the shape of a log's line, and for those after it.
pub(super) fn hash_group<'a>(
    group: &'a [ReadLine<'_>],
) -> impl Iterator<Item = Option<HashedLine<'a>>> {
    let mut lines = Vec::with_capacity(group.len());
    lines.extend(group.iter().map_while(|line| Line::split(&line.bytes)));
    let rests: Vec<_> = lines.iter().map(|line| line.rest).collect();
    let digests = body_digests(&rests);
    let mut links = Vec::with_capacity(lines.len());
    for (line, digest) in lines.iter().zip(digests) {
        // The hash of the entry before is known only once that was hashed. Every line says it,
        // though, and the checks look at a line's hash only where it says so truly.
        let prev = line.prev.and_then(|hex| Hash::from_hex(hex));
        links.push(link(prev, redacted_digest(line.rest).unwrap_or(digest)));
    }
    let hashes = chains(&links);
    let hashed = lines.into_iter().zip(hashes).map(|(line, hash)| Some(HashedLine { line, hash }));
    hashed.chain(core::iter::repeat(None))
}
