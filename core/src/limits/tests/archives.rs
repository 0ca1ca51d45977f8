//! Gzip files, blocks and indexes.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::archive::{HEADER_BYTES, Index, Span, archive, read_index};
use crate::gzip::deflate::Deflater;
use crate::gzip::{Bound, Reader, crc32, gunzip};
use crate::log::{Head, Stamp, Writer};
use crate::view::inflate_block;
use crate::zeitlich::{INFLATED_BYTES_MAX, Snapshot};
use crate::{Hash, Result};

pub(super) fn deflated(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::default().block(raw, &mut out);
    out
}

/// As somebody else writes it.
pub(super) fn gzipped(raw: &[u8]) -> Vec<u8> {
    let mut bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff].to_vec();
    bytes.extend(deflated(raw));
    bytes.extend([3, 0]);
    bytes.extend(crc32(0, raw).to_le_bytes());
    bytes.extend((raw.len() as u32).to_le_bytes());
    bytes
}

#[test]
pub(super) fn a_block_is_closed_once_it_holds_enough() {
    let log = |length: usize| {
        let draft = |length: usize| {
            alloc::format!(r#"{{"kind":"user_input","item":"{}"}}"#, "x".repeat(length))
        };
        let stamp = Stamp { now_ms: 7, random: Vec::new() };
        let write =
            |drafts: &[String]| Writer::create(id("s"), false).write(drafts, &stamp).unwrap().bytes;
        let lines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).nth(1).unwrap() + 1;
        let fixed = lines(&write(&[draft(0), draft(0)]));
        let bytes = write(&[draft(length - fixed), draft(0)]);
        assert_eq!(lines(&bytes), length);
        bytes
    };
    let spans = |log: &[u8]| {
        let archive = archive(log).unwrap();
        let start = &archive[..archive.len().min(HEADER_BYTES)];
        read_index(start, archive.len() as u64).unwrap().spans.len()
    };
    assert_eq!(spans(&log(BLOCK_BYTES - 1)), 1);
    assert_eq!(spans(&log(BLOCK_BYTES)), 2);
    assert_eq!(spans(&log(BLOCK_BYTES + 1)), 2);
}

fn index(spans: u64, head: Head) -> Index {
    let span = Span {
        compressed_bytes: 70_000,
        raw_bytes: 300_000,
        entries: 130,
        from_s: 1_760_000_000,
        to_s: 1_760_000_900,
        kinds: 0x1f,
    };
    Index::new(head, 0, vec![span; spans as usize])
}

fn head_of(spans: u64) -> Head {
    Head { seq: 130 * spans - 1, hash: Hash::from_bytes([7; 32]), bytes: 300_000 * spans }
}

#[test]
pub(super) fn an_index_that_does_not_fit_is_merged() {
    let encoded = |spans: u64| index(spans, head_of(spans)).encode();
    let kept = |spans: u64| Index::decode(&encoded(spans)).unwrap().spans.len() as u64;
    let is_whole = |spans: &u64| kept(*spans) == *spans;
    let most = [7000, 6000, 5000, 4000].into_iter().find(is_whole).unwrap();
    let most = (most..).take_while(is_whole).last().unwrap();
    let each = encoded(most).len() - encoded(most - 1).len();
    assert!(encoded(most).len() <= INDEX_BYTES_MAX);
    assert!(encoded(most).len() + each > INDEX_BYTES_MAX);
    assert_eq!(kept(most + 1), (most + 1).div_ceil(2));
    assert!(encoded(most + 1).len() <= INDEX_BYTES_MAX);
}

#[test]
fn an_index_has_no_number_that_no_log_has() {
    let decoded = |head: Head| Index::decode(&index(1, head).encode());
    assert!(decoded(head_of(1)).is_ok());
    refused(decoded(Head { seq: u64::MAX - 1, ..head_of(1) }), "bad_index", "index");
    let entry = |seq: u64, bytes: u64| {
        let head = Head { seq, bytes, ..head_of(1) };
        let mut index = index(1, head);
        (index.first_seq, index.spans[0].entries, index.spans[0].raw_bytes) = (seq, 1, 9);
        Index::decode(&index.encode())
    };
    assert!(entry(INTEGER_MAX, INTEGER_MAX).is_ok());
    for (seq, bytes) in [(INTEGER_MAX + 1, 99), (u64::MAX - 1, 99), (9, INTEGER_MAX + 1)] {
        refused(entry(seq, bytes), "bad_index", "index");
    }
    let mut late = index(1, head_of(1));
    late.spans[0].to_s = u64::MAX;
    refused(Index::decode(&late.encode()), "bad_index", "index");
    let long = |compressed_bytes: u64| {
        let mut index = index(1, head_of(1));
        index.spans[0].compressed_bytes = compressed_bytes;
        Index::decode(&index.encode())
    };
    assert!(long(INTEGER_MAX).is_ok());
    refused(long(INTEGER_MAX + 1), "bad_index", "index");
}

#[test]
pub(super) fn a_foreign_file_grows_so_much() {
    // Zeros, and as much noise as makes the file nearly as long as the ratio wants.
    let of_ratio = |ratio: u64| {
        let zeros = 8 << 20;
        let noise = noise((zeros as u64 / ratio) as usize - zeros / 1024);
        let raw = [noise, vec![0; zeros]].concat();
        let file = gzipped(&raw);
        let grown = raw.len() as f64 / file.len() as f64;
        assert!((grown - ratio as f64).abs() < 2.0, "{grown}");
        gunzip(&file, Bound::default()).map(|out| out.len() == raw.len())
    };
    assert_eq!(of_ratio(RATIO_MAX - 3), Ok(true));
    refused(of_ratio(RATIO_MAX + 3), "output_limit", "bound");
}

#[test]
pub(super) fn so_much_is_free_of_the_ratio() {
    let zeros = |length: u64| gunzip(&gzipped(&vec![0; length as usize]), Bound::default());
    for length in [RATIO_FREE_BYTES - 1, RATIO_FREE_BYTES] {
        assert_eq!(zeros(length).unwrap().len() as u64, length);
    }
    refused(zeros(RATIO_FREE_BYTES + 1), "output_limit", "bound");
}

#[test]
fn a_reader_holds_to_the_bound_it_is_given() {
    let file = gzipped(&[7; 1000]);
    let bounded = |output_bytes: u64| gunzip(&file, Bound { output_bytes });
    assert!(bounded(1001).is_ok() && bounded(1000).is_ok());
    refused(bounded(999), "output_limit", "bound");
}

#[test]
pub(super) fn a_snapshot_is_inflated_to_so_much() {
    let json = br#"{"v":1,"messages":[],"state":null,"dedupIds":[]}"#;
    let padded = |length: u64| {
        let padding = vec![b' '; length as usize - json.len()];
        Snapshot::read(&gzipped(&[&json[..], &padding].concat()))
    };
    for length in [INFLATED_BYTES_MAX - 1, INFLATED_BYTES_MAX] {
        assert_eq!(padded(length), Ok(Snapshot::default()));
    }
    refused(padded(INFLATED_BYTES_MAX + 1), "output_limit", "bound");
    const { assert!(SNAPSHOT_BYTES_MAX < u64::MAX / DEFLATE_RATIO_MAX) };
}

#[test]
pub(super) fn deflate_never_gives_more() {
    let length = 32 << 20;
    let zeros = deflated(&vec![0; length]);
    let ratio = length as u64 / zeros.len() as u64;
    assert!((DEFLATE_RATIO_MAX - 32..DEFLATE_RATIO_MAX).contains(&ratio), "{ratio}");
    // So room for that many bytes is enough for whatever there is.
    let (raw, fault) = inflate_block(&zeros, length as u64);
    assert_eq!((raw.len(), fault), (length, None));
}

#[test]
pub(super) fn a_header_is_so_long() {
    let header = |length: usize| -> Result<()> {
        // With a name that does not end.
        let start = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff];
        let bytes = [&start[..], &vec![b'n'; length - start.len()]].concat();
        Reader::new(Bound::default()).push(&bytes, |_| Ok(()))
    };
    assert!(header(GZIP_HEADER_BYTES_MAX - 1).is_ok() && header(GZIP_HEADER_BYTES_MAX).is_ok());
    refused(header(GZIP_HEADER_BYTES_MAX + 1), "gzip_corrupt", "1 MiB");
}
