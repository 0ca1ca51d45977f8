//! What the readers have in common: files that may be gzipped, and the names of files.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::Skipped;
use crate::gzip::{Bound, Reader, gunzip};
use crate::limits::{IMPORT_BYTES_MAX, IMPORT_START_BYTES, LINE_BYTES_MAX};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// How much of a gzipped file is inflated at a time to see its start.
const PIECE_BYTES: usize = 16 << 10;
/// What a line has besides its draft, at most.
const ENVELOPE_BYTES: usize = 512;

/// What a file holds, inflated where it is gzipped.
pub(super) fn content(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    match bytes.starts_with(&GZIP_MAGIC) {
        true => gunzip(bytes, BOUND).map(Cow::Owned),
        false => Ok(Cow::Borrowed(bytes)),
    }
}

/// The same, and what ends it early where the file is damaged.
pub(super) fn readable(bytes: &[u8]) -> (Cow<'_, [u8]>, Option<Error>) {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return (Cow::Borrowed(bytes), None);
    }
    let (mut out, mut reader) = (Vec::new(), Reader::new(BOUND));
    let read = reader.push(bytes, |piece| {
        out.extend_from_slice(piece);
        Ok(())
    });
    (Cow::Owned(out), read.and_then(|()| reader.finish()).err())
}

/// How a file starts, as far as it can be read; of a file that is not gzipped, all of it.
pub(super) fn start(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Cow::Borrowed(bytes);
    }
    let (mut out, mut reader) = (Vec::new(), Reader::new(BOUND));
    for piece in bytes.chunks(PIECE_BYTES) {
        let enough = || Error::new(ErrorKind::OutputLimit, "enough was read");
        let read = reader.push(piece, |inflated| {
            out.extend_from_slice(inflated);
            (out.len() < IMPORT_START_BYTES).then_some(()).ok_or_else(enough)
        });
        if read.is_err() {
            break;
        }
    }
    Cow::Owned(out)
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The name of a file without folders and endings.
pub(super) fn stem<'a>(path: &'a str, endings: &[&str]) -> &'a str {
    let mut stem = file_name(path);
    for ending in endings {
        stem = stem.strip_suffix(ending).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    }
    stem
}

/// The same draft, at that time where one is known.
pub(super) fn at_time(draft: Draft, ts: Option<u64>) -> Draft {
    match ts {
        Some(ts) => draft.with_count("ts", ts),
        None => draft,
    }
}

/// Checks a draft as appending will.
pub(super) fn check(draft: &Draft) -> Result<()> {
    if draft.as_str().len() + ENVELOPE_BYTES > LINE_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "it is larger than an entry can be"));
    }
    draft.as_str().parse::<Draft>().map(|_| ())
}

/// Notes what was left out of the first file.
pub(super) fn skip(skipped: &mut Vec<Skipped>, error: Error) {
    skipped.push(Skipped { file: 0, error });
}

const BOUND: Bound = Bound { output_bytes: IMPORT_BYTES_MAX };
