//! Reading a file from end to end, in bounded memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use turnkeep::core::gzip::{Bound, Reader};
use turnkeep::core::log::{Expectation, Verified};
use turnkeep::core::session::FileVerifier;
use turnkeep::{Error, ErrorKind, Report, Result};

use crate::progress::Meter;
use crate::{Failure, Outcome};

const CHUNK_BYTES: usize = 256 << 10;
/// What a gzip file starts with, and no log does.
pub(crate) const GZIP_START: u8 = 0x1f;

/// Verifies what a reader gives, and hands on every line that holds. An error that `found` answers
/// becomes the report's fault.
pub(crate) fn verify(
    mut reader: impl Read,
    mut verifier: FileVerifier,
    meter: &Meter,
    mut found: impl FnMut(&Verified<'_>) -> Result<()>,
) -> io::Result<Report> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(verifier.finish()),
            Ok(length) => {
                meter.add(length as u64);
                verifier.push_each(&chunk[..length], &mut found);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Verifies what files hold together, the second going on where the first ends, and hands on every
/// line that holds.
pub(crate) fn verify_files(
    files: &[PathBuf],
    meter: &Meter,
    mut found: impl FnMut(&Verified<'_>) -> Result<()>,
) -> Outcome<Report> {
    if let [path] = files {
        let cannot = |error| Failure::reading(&path.display().to_string(), &error);
        let file = File::open(path).map_err(cannot)?;
        return verify(file, plain(), meter, found).map_err(cannot);
    }
    let mut verifier = plain();
    let mut fault = None;
    for path in files {
        let read = each_piece(path, meter, |bytes| {
            verifier.push_each(bytes, &mut found);
            Ok(())
        });
        match read {
            Err(Failure::Failed(failed)) => {
                fault = Some(failed.error);
                break;
            }
            read => read?,
        }
    }
    let mut report = verifier.finish();
    report.fault = report.fault.or(fault);
    Ok(report)
}

/// Gives what a file holds, piece by piece: of a gzip file what it inflates to, within the format's
/// bounds.
pub(crate) fn each_piece(
    path: &Path,
    meter: &Meter,
    mut found: impl FnMut(&[u8]) -> Outcome<()>,
) -> Outcome<()> {
    let cannot = |error: io::Error| Failure::reading(&path.display().to_string(), &error);
    let mut file = File::open(path).map_err(cannot)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut gzip = None;
    let mut is_begun = false;
    loop {
        let length = match file.read(&mut chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot(error)),
        };
        let bytes = &chunk[..length];
        meter.add(length as u64);
        if !is_begun && bytes.first() == Some(&GZIP_START) {
            gzip = Some(Reader::new(Bound::default()));
        }
        is_begun = true;
        match &mut gzip {
            _ if length == 0 => return Ok(gzip.map_or(Ok(()), Reader::finish)?),
            Some(gzip) => inflate(gzip, bytes, &mut found)?,
            None => found(bytes)?,
        }
    }
}

fn inflate(
    gzip: &mut Reader,
    bytes: &[u8],
    found: &mut impl FnMut(&[u8]) -> Outcome<()>,
) -> Outcome<()> {
    let mut stopped = None;
    let pushed = gzip.push(bytes, |raw| {
        found(raw).map_err(|failure| {
            stopped = Some(failure);
            Error::new(ErrorKind::StoreFailed, "stop")
        })
    });
    stopped.map_or(Ok(()), Err)?;
    Ok(pushed?)
}

/// A verifier of the chain that expects nothing.
pub(crate) fn plain() -> FileVerifier {
    FileVerifier::new(Expectation::default())
}
