//! Gzip, deflate and archives.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use turnkeep_core::archive::{inflate_span, read_index, unarchive};
use turnkeep_core::gzip::deflate::Inflater;
use turnkeep_core::gzip::{Bound, Reader};
use turnkeep_core::log::{Expectation, verify};
use turnkeep_core::session::FileVerifier;
use turnkeep_core::view;
use turnkeep_core::{Error, Result};

use crate::check::{is_json, stable};
use crate::make;

/// More than this is not inflated.
const OUTPUT_MAX: usize = 1 << 18;

/// Any gzip file: the same however it is cut, within its bound, and the oracle agrees.
pub fn gzip(data: &[u8]) {
    let whole = gunzip(data, usize::MAX, OUTPUT_MAX as u64);
    let pieces = gunzip(data, 1 + data.len() % 97, OUTPUT_MAX as u64);
    let is_limited = |code: Option<&str>| code == Some("output_limit");
    let codes = [&whole, &pieces].map(|outcome| outcome.as_ref().err().map(Error::code));
    // How much was read by then depends on the pieces.
    if !codes.into_iter().any(is_limited) {
        assert_eq!(codes[0], codes[1]);
        assert_eq!(whole.as_ref().ok(), pieces.as_ref().ok());
    }
    for content in [&whole, &pieces].into_iter().flatten() {
        assert!(content.len() <= OUTPUT_MAX);
    }
    agrees(data);
    let packed = make::gzip(data);
    assert!(gunzip(&packed, usize::MAX, u64::MAX).expect("just packed") == data);
    let other = miniz_oxide::deflate::compress_to_vec(data, 6);
    assert!(inflate(&other).expect("the oracle's").0 == data);
}

fn gunzip(file: &[u8], size: usize, output_bytes: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut reader = Reader::new(Bound { output_bytes });
    for chunk in file.chunks(size) {
        reader
            .push(chunk, |bytes| {
                content.extend_from_slice(bytes);
                Ok(())
            })
            .inspect_err(stable)?;
    }
    reader.finish().inspect_err(stable)?;
    Ok(content)
}

/// A deflate stream that core inflates to its end is the same stream to miniz_oxide. (Not the other
/// way round: that takes codes that zlib refuses.)
fn agrees(stream: &[u8]) {
    let Some((content, taken)) = inflate(stream) else { return };
    let mut room = vec![0; OUTPUT_MAX];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, given) =
        decompress(&mut DecompressorOxide::new(), stream, &mut room, 0, flags);
    assert_eq!((status, read, given), (TINFLStatus::Done, taken, content.len()));
    assert!(room[..given] == content);
}

/// What a deflate stream holds, and how long it is; `None` where it is damaged, cut or too long.
fn inflate(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut room = vec![0; OUTPUT_MAX];
    let (mut inflater, mut taken, mut given) = (Inflater::new(), 0, 0);
    loop {
        let step = inflater.step(&stream[taken..], &mut room[given..])?;
        (taken, given) = (taken + step.taken, given + step.given);
        if step.ended {
            room.truncate(given);
            return Some((room, taken));
        }
        if step.taken == 0 && step.given == 0 {
            return None;
        }
    }
}

/// An archive: as it is, and with a right check of its index.
pub fn archive(data: &[u8]) {
    check(data);
    check(&make::reindexed(data));
}

fn check(file: &[u8]) {
    match view::archive_map(file, file.len() as u64) {
        Ok(json) => is_json(&json),
        Err(error) => stable(&error),
    }
    let index = match read_index(file, file.len() as u64) {
        Ok(index) => index,
        Err(error) => {
            stable(&error);
            assert!(unarchive(file).is_err());
            return;
        }
    };
    assert_eq!(index.archive_bytes(), file.len() as u64);
    let mut next = (0, 0, None);
    for located in index.located() {
        assert_eq!((located.raw.start, located.first_seq), (next.0, next.1));
        assert!(next.2.is_none_or(|end| located.compressed.start == end));
        next = (
            located.raw.end,
            located.first_seq + located.span.entries,
            Some(located.compressed.end),
        );
        let place = |at| usize::try_from(at).expect("fits");
        let compressed = &file[place(located.compressed.start)..place(located.compressed.end)];
        match inflate_span(&located, compressed) {
            Ok(raw) => assert_eq!(raw.len() as u64, located.span.raw_bytes),
            Err(error) => stable(&error),
        }
        let lines = view::Lines::inflate(compressed, located.span.raw_bytes, located.span.entries);
        assert!(lines.bytes().len() as u64 <= located.span.raw_bytes);
    }
    assert_eq!((next.0, next.1), (index.head.bytes, index.head.seq + 1));
    let mut verifier = FileVerifier::new(Expectation::default());
    file.chunks(501).for_each(|chunk| verifier.push(chunk));
    let report = verifier.finish();
    match unarchive(file) {
        Err(error) => stable(&error),
        Ok(log) => {
            assert!(gunzip(file, usize::MAX, u64::MAX).expect("any reader reads it") == log);
            let own = verify(&log, Expectation::default());
            assert!(own.is_whole() && own.head == Some(index.head));
            assert!(report.is_whole(), "{report:?}");
        }
    }
}
