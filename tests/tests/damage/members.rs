//! Damaged gzip files, as every reader of them sees them.

use turnkeep::Error;
use turnkeep::core::archive::{Located, read_index, unarchive};
use turnkeep::core::gzip::{Bound, gunzip};
use turnkeep::core::log::Report;
use turnkeep::core::session::FileVerifier;
use turnkeep::core::view::{Lines, archive_map};

use crate::flips::each_flip;
use crate::logs::{Known, rows_of};
use crate::samples::Zipped;

/// A file is read in pieces of this size: a fault is located no better.
const PIECE: usize = 64;

/// What damaged content may be.
pub(crate) const CONTENT_CODES: &[&str] = &[
    "gzip_corrupt",
    "gzip_checksum",
    "gzip_truncated",
    "trailing_data",
    "output_limit",
    "bad_line",
    "bad_hash",
    "broken_link",
    "unsupported_version",
];

/// Bits of the archive that make a match point to another copy of the same bytes.
pub(crate) const COPIES: [(usize, u8); 1] = [(1589, 7)];

/// What became of a damaged file.
pub(crate) enum Outcome {
    /// It is verified, and holds what it held.
    Same,
    Fault(Error),
}

/// Verifies a file by someone who knows the head.
pub(crate) fn verify(file: &[u8], known: &Known) -> Report {
    let mut verifier = FileVerifier::new(known.expectation()).deep();
    file.chunks(PIECE).for_each(|piece| verifier.push(piece));
    verifier.finish()
}

pub(crate) fn outcome(zipped: &Zipped, known: &Known, file: &[u8], what: &str) -> Outcome {
    let report = verify(file, known);
    let Some(fault) = report.fault else {
        assert_eq!(report, known.report, "{what}");
        let content = gunzip(file, Bound::default()).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(content == zipped.log.0, "{what}: another content");
        return Outcome::Same;
    };
    // What it vouches for is what was written.
    if let Some(head) = report.head {
        let line = usize::try_from(head.seq).expect("fits");
        assert_eq!(head.hash.to_string(), zipped.log.hash(head.seq), "{what}, line {line}");
    }
    Outcome::Fault(fault)
}

/// A fault of a line is in the block that was damaged; one of the file is not before the damage.
pub(crate) fn check_place(zipped: &Zipped, at: usize, fault: &Error, what: &str) {
    let place = fault.place();
    let block = zipped.blocks.iter().position(|block| block.contains(&at));
    match (place.line, place.offset) {
        (Some(line), _) => {
            let lines = match block {
                Some(block) => zipped.lines[block].clone(),
                // Taken for a log.
                None if at == 0 => 1..=1,
                // The end of the stream was taken for more of it.
                None => zipped.lines.last().cloned().expect("an archive has lines"),
            };
            // What is too much in a block is a line after its last.
            assert!((*lines.start()..=lines.end() + 1).contains(&line), "{what}: {fault}");
        }
        (None, Some(offset)) => assert!(offset as usize + PIECE > at, "{what}: {fault}"),
        // Of the index, or of all of it.
        (None, None) => {
            let is_of_all =
                matches!(fault.code(), "bad_index" | "unsupported_version" | "empty_log");
            assert!(is_of_all && at <= zipped.blocks[0].start, "{what}: {fault}");
        }
    }
}

/// Bits between the end of a block and the next byte: those of the byte before the empty stored block
/// that ends each, and those after the end of the stream. A stored block has five of its own.
pub(crate) fn is_padding(zipped: &Zipped, at: usize, bit: u8) -> bool {
    let end = zipped.blocks.last().map_or(0, |block| block.end);
    let is_of_end = at == end + 1 && bit >= 2;
    let is_before_flush =
        zipped.blocks.iter().any(|block| (block.end - 6..block.end - 4).contains(&at));
    let is_of_stored = zipped.name.contains("stored") && is_stored_start(zipped, at) && bit >= 3;
    is_of_end || is_before_flush || is_of_stored
}

/// Whether the header of a stored block is there.
fn is_stored_start(zipped: &Zipped, at: usize) -> bool {
    let block = &zipped.blocks[0];
    at == block.start || at == block.end - 5
}

/// The viewer shows every block that is not the damaged one as it was, and tells which is damaged.
pub(crate) fn check_view(zipped: &Zipped, known: &Known, at: usize, file: &[u8], what: &str) {
    let start = zipped.blocks[0].start;
    let is_mapped = archive_map(file, file.len() as u64).is_ok();
    let is_indexed = zipped.name == "archive";
    assert_eq!(is_mapped, is_indexed && at >= start, "{what}");
    if !is_mapped {
        return;
    }
    for (span, block) in spans(zipped).iter().zip(&zipped.blocks) {
        let lines = Lines::inflate(&file[block.clone()], span.span.raw_bytes, span.span.entries);
        let rows = rows_of(&lines, span.first_seq);
        let is_same = rows == known.rows[entries(span)];
        let is_told = lines.fault().is_some() || rows.iter().any(|row| row.contains(PROBLEM));
        assert!(is_same || is_told, "{what}: block at {}: nothing is told", block.start);
        let is_damaged = block.contains(&at);
        assert!(is_damaged || !is_told, "{what}: block at {}", block.start);
    }
}

const PROBLEM: &str = r#""problem":"#;

/// The spans of the file as it was.
fn spans(zipped: &Zipped) -> Vec<Located> {
    let index = read_index(&zipped.file, zipped.file.len() as u64).expect("an index");
    index.located().collect()
}

fn entries(span: &Located) -> std::ops::Range<usize> {
    let first = usize::try_from(span.first_seq).expect("fits");
    first..first + usize::try_from(span.span.entries).expect("fits")
}

/// Who reads an archive by its index takes nothing but what it says: also the end of the stream is
/// compared.
pub(crate) fn check_indexed(archive: &Zipped) {
    let start = archive.blocks[0].start;
    let mut harmless = 0;
    each_flip(&archive.file, |at, bit, flipped| {
        let what = format!("unarchive, byte {at}, bit {bit}");
        let fault = match unarchive(flipped) {
            Ok(log) => {
                let is_harmless = is_padding(archive, at, bit) || COPIES.contains(&(at, bit));
                assert!(log == archive.log.0 && is_harmless, "{what}");
                harmless += 1;
                return;
            }
            Err(fault) => fault,
        };
        let codes: &[&str] = match at {
            0..3 => &["not_gzip"],
            3 => &["bad_index", "no_index", "gzip_corrupt", "gzip_truncated"],
            10..16 => &["bad_index", "no_index", "gzip_truncated"],
            16 => &["bad_index", "unsupported_version"],
            at if at < start => &["bad_index"],
            _ => &["gzip_corrupt", "gzip_checksum"],
        };
        assert!(codes.contains(&fault.code()), "{what}: {fault}");
        let block = archive.blocks.iter().find(|block| block.contains(&at));
        if let (Some(offset), Some(block)) = (fault.place().offset, block) {
            assert_eq!(offset, block.start as u64, "{what}: {fault}");
        }
    });
    println!("  read by its index: {harmless} bits change nothing");
}

/// What is cut off of a gzip file is missed, whatever of it is left.
pub(crate) fn check_cut(zipped: &Zipped, known: &Known, end: usize, what: &str) {
    let cut = &zipped.file[..end];
    let report = verify(cut, known);
    let code = if end == 0 { "empty_log" } else { "gzip_truncated" };
    assert_eq!(report.fault.as_ref().map(Error::code), Some(code), "{what}");
    let is_of_log = |head: turnkeep::Head| head.hash.to_string() == zipped.log.hash(head.seq);
    assert!(report.head.is_none_or(is_of_log), "{what}");
    assert!(report.torn.is_none(), "{what}: a container's end is no torn tail");
    for code in [unarchive(cut).err(), gunzip(cut, Bound::default()).err()] {
        let code = code.map(|error| error.code());
        let is_of_other = zipped.name != "archive" && code == Some("no_index");
        assert!(code == Some("gzip_truncated") || is_of_other, "{what}: {code:?}");
    }
    check_cut_view(zipped, known, end, what);
}

/// The viewer shows the whole blocks, and the whole lines of the one that was cut.
fn check_cut_view(zipped: &Zipped, known: &Known, end: usize, what: &str) {
    let cut = &zipped.file[..end];
    let is_mapped = archive_map(cut, end as u64).is_ok();
    assert_eq!(is_mapped, zipped.name == "archive" && end >= zipped.blocks[0].start, "{what}");
    if !is_mapped {
        return;
    }
    for (span, block) in spans(zipped).iter().zip(&zipped.blocks) {
        let left = &cut[block.start.min(end)..block.end.min(end)];
        let lines = Lines::inflate(left, span.span.raw_bytes, span.span.entries);
        let rows = rows_of(&lines, span.first_seq);
        let good = &known.rows[entries(span)];
        assert!(good.starts_with(&rows), "{what}: block at {}", block.start);
        let is_whole = rows.len() == good.len();
        assert_eq!(lines.fault().is_none(), is_whole, "{what}: block at {}", block.start);
    }
}
