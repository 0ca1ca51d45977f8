//! Reading a file from end to end, in bounded memory.

use std::io::{self, Read};

use turnkeep::core::log::{Expectation, Verified};
use turnkeep::core::session::FileVerifier;
use turnkeep::{Report, Result};

use crate::progress::Meter;

const CHUNK_BYTES: usize = 256 << 10;

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

/// A verifier of the chain that expects nothing.
pub(crate) fn plain() -> FileVerifier {
    FileVerifier::new(Expectation::default())
}
