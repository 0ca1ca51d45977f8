//! What the readers have in common: files that may be gzipped, and the names of files.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{File, Imported, Skipped};
use crate::gzip::{Bound, Reader};
use crate::limits::{
    ENVELOPE_BYTES, IMPORT_BYTES_MAX, IMPORT_ENTRIES_MAX, IMPORT_SKIPPED_MAX, IMPORT_START_BYTES,
    LINE_BYTES_MAX,
};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// How much of a gzipped file is inflated at a time to see its start.
const PIECE_BYTES: usize = 16 << 10;
/// What some editors put before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file holds, inflated where it is gzipped.
pub(super) fn content(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    content_within(bytes, &mut { IMPORT_BYTES_MAX })
}

/// The same, where other files were inflated before and are to be after: what there is `room` for
/// becomes less by what this one needs.
pub(super) fn content_within<'a>(bytes: &'a [u8], room: &mut u64) -> Result<Cow<'a, [u8]>> {
    let mut left = *room;
    match readable(bytes, &mut left) {
        (content, None) => {
            *room = left;
            Ok(content)
        }
        (_, Some(error)) => Err(error),
    }
}

/// The same, and what ends it early where the file is damaged.
pub(super) fn readable<'a>(bytes: &'a [u8], room: &mut u64) -> (Cow<'a, [u8]>, Option<Error>) {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return (Cow::Borrowed(bytes), None);
    }
    let (mut out, mut reader) = (Vec::new(), reader(*room));
    let read = reader.push(bytes, |piece| {
        out.extend_from_slice(piece);
        Ok(())
    });
    *room = room.saturating_sub(out.len() as u64);
    (Cow::Owned(out), read.and_then(|()| reader.finish()).err())
}

/// How a file starts, as far as it can be read; of a file that is not gzipped, all of it.
pub(super) fn start(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Cow::Borrowed(bytes);
    }
    let (mut out, mut reader) = (Vec::new(), reader(IMPORT_BYTES_MAX));
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

/// Bounded by what may be held, and by no ratio: what tools print may shrink to nothing.
fn reader(output_bytes: u64) -> Reader {
    Reader::new(Bound { output_bytes }).of_any_ratio()
}

/// Text without the byte order mark that may stand before it.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The name of a file as if it were not gzipped.
pub(super) fn plain_name(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// Reads files that have nothing to do with each other. One that cannot be read does not keep the
/// others.
pub(super) fn each(
    files: &[File<'_>],
    read: impl Fn(File<'_>) -> Result<Imported>,
) -> Result<Imported> {
    let mut imported = Imported::default();
    for (index, file) in files.iter().enumerate() {
        match read(*file) {
            Ok(one) => imported.take(one, &[index]),
            Err(error) if files.len() == 1 => return Err(error),
            Err(error) => imported.skipped.push(Skipped { file: index, error }),
        }
    }
    Ok(imported)
}

/// Whether a session may have one more entry.
pub(super) fn room_for_one(entries: usize) -> Result<()> {
    if entries < IMPORT_ENTRIES_MAX { Ok(()) } else { Err(too_many()) }
}

pub(super) fn too_many() -> Error {
    let message = alloc::format!("only the first {IMPORT_ENTRIES_MAX} entries are taken");
    Error::new(ErrorKind::TooLarge, message)
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

/// How long text is in a JSON string, without the quotes.
pub(super) fn escaped_bytes(text: &[u8]) -> usize {
    let escapes = text.iter().map(|byte| match byte {
        b'"' | b'\\' | 8..=10 | 12 | 13 => 1,
        0..b' ' => 5,
        _ => 0,
    });
    text.len() + escapes.sum::<usize>()
}

/// Checks a draft as appending will, and gives one that takes no more memory than its text: there
/// may be millions.
pub(super) fn check(draft: &Draft) -> Result<Draft> {
    if draft.as_str().len() + ENVELOPE_BYTES > LINE_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "it is larger than an entry can be"));
    }
    draft.as_str().parse()
}

/// Notes what was left out of the first file.
pub(super) fn skip(skipped: &mut Vec<Skipped>, error: Error) {
    skip_of(skipped, 0, error);
}

/// Notes what was left out of a file. Of more than can be told one by one, that there is more.
pub(super) fn skip_of(skipped: &mut Vec<Skipped>, file: usize, error: Error) {
    let error = match skipped.len() {
        IMPORT_SKIPPED_MAX => {
            let message = "more was left out than is told one by one, from here on";
            let place = error.place().clone();
            Error::new(ErrorKind::TooLarge, message).at(|at| *at = place)
        }
        _ => error,
    };
    if skipped.len() <= IMPORT_SKIPPED_MAX {
        skipped.push(Skipped { file, error });
    }
}
