//! Verifying a file that lies outside of any store.

use alloc::vec::Vec;

use super::Form;
use crate::archive::{HEADER_BYTES, read_index};
use crate::gzip::{Bound, Reader};
use crate::log::{Expectation, Report, Verified, Verifier};
use crate::{Error, ErrorKind, Result};

/// What a gzip file starts with, and no log does.
const GZIP_START: u8 = 0x1f;

/// Verifies a session's file from its bytes, in any chunking and in bounded memory, whatever its
/// name: a log, an archive, or any gzip file of a log's lines. The first byte tells which.
///
/// As [`super::verify`] does for a session in a store, an archive is read whole and compared with
/// its index. A container's damage is a fault of the [`Report`]; what it gave before that was
/// verified.
///
/// ```
/// use turnkeep_core::log::{Draft, Expectation, Stamp, Writer};
/// use turnkeep_core::{SessionId, archive::archive, session::FileVerifier};
/// let writer = Writer::create(SessionId::new("demo")?, false);
/// let log = writer.write(&[Draft::user_input("\"Hi\"")], &Stamp::default())?.bytes;
/// for file in [&log, &archive(&log)?] {
///     let mut verifier = FileVerifier::new(Expectation::default());
///     file.chunks(7).for_each(|chunk| verifier.push(chunk));
///     assert!(verifier.finish().is_whole());
/// }
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug)]
pub struct FileVerifier {
    verifier: Verifier,
    gzip: Option<Gzip>,
    bytes: u64,
}

/// A gzip file being read.
#[derive(Debug)]
struct Gzip {
    reader: Reader,
    /// The file's first bytes, where its index lies.
    start: Vec<u8>,
    fault: Option<Error>,
}

impl FileVerifier {
    /// A verifier of the chain.
    #[must_use]
    pub fn new(expectation: Expectation) -> Self {
        Self { verifier: Verifier::new(expectation), gzip: None, bytes: 0 }
    }

    /// The same, and every entry's content is checked too, as a fold would.
    #[must_use]
    pub fn deep(self) -> Self {
        Self { verifier: self.verifier.deep(), ..self }
    }

    /// Takes the file's next bytes. After a fault the rest is ignored.
    pub fn push(&mut self, chunk: &[u8]) {
        self.push_each(chunk, |_| Ok(()));
    }

    /// Takes the file's next bytes and gives every line that holds, as [`Verifier::push_each`]
    /// does.
    pub fn push_each(&mut self, chunk: &[u8], mut found: impl FnMut(&Verified<'_>) -> Result<()>) {
        if self.bytes == 0 && chunk.first() == Some(&GZIP_START) {
            let reader = Reader::new(Bound::default());
            self.gzip = Some(Gzip { reader, start: Vec::new(), fault: None });
        }
        self.bytes += chunk.len() as u64;
        let verifier = &mut self.verifier;
        match &mut self.gzip {
            None => verifier.push_each(chunk, found),
            Some(gzip) => gzip.push(chunk, |raw| verifier.push_each(raw, &mut found)),
        }
    }

    /// A log or an archive; `None` before the first byte.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        let form = if self.gzip.is_some() { Form::Archived } else { Form::Live };
        (self.bytes > 0).then_some(form)
    }

    /// Ends the input.
    #[must_use]
    pub fn finish(self) -> Report {
        let mut report = self.verifier.finish();
        if let Some(fault) = self.gzip.and_then(|gzip| gzip.finish(&report, self.bytes)) {
            // The lines end where the container does: nothing is torn, and nothing else is missing.
            let is_of_line = |fault: &Error| fault.place().line.is_some();
            report.torn = None;
            report.fault = report.fault.filter(is_of_line).or(Some(fault));
        }
        report
    }
}

impl Gzip {
    fn push(&mut self, chunk: &[u8], mut found: impl FnMut(&[u8])) {
        let room = HEADER_BYTES.saturating_sub(self.start.len());
        self.start.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
        if self.fault.is_some() {
            return;
        }
        let pushed = self.reader.push(chunk, |raw| {
            found(raw);
            Ok(())
        });
        self.fault = pushed.err();
    }

    /// What does not hold of the container: its gzip, or its index where it has one.
    fn finish(self, report: &Report, bytes: u64) -> Option<Error> {
        if let Err(fault) = self.fault.map_or_else(|| self.reader.finish(), Err) {
            return Some(fault);
        }
        match read_index(&self.start, bytes) {
            Ok(index) if Some(index.head) == report.head => None,
            Ok(_) => Some(Error::new(ErrorKind::BadIndex, "the index names another head")),
            Err(error) if error.kind() == ErrorKind::NoIndex => None,
            Err(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::archive;
    use crate::log::{Draft, Stamp, Writer};
    use crate::{Result, SessionId};

    fn log() -> Vec<u8> {
        let writer = Writer::create(SessionId::new("a").unwrap(), false);
        writer.write(&[Draft::user_input("\"Hi\"")], &Stamp::default()).unwrap().bytes
    }

    fn verify(file: &[u8]) -> Report {
        let mut verifier = FileVerifier::new(Expectation::default());
        file.chunks(5).for_each(|chunk| verifier.push(chunk));
        verifier.finish()
    }

    fn code(file: &[u8]) -> Option<&'static str> {
        verify(file).fault.map(|fault| fault.code())
    }

    #[test]
    fn a_file_has_a_form_from_its_first_byte_on() {
        let mut verifier = FileVerifier::new(Expectation::default());
        assert_eq!(verifier.form(), None);
        verifier.push(&log()[..1]);
        assert_eq!(verifier.form(), Some(Form::Live));
    }

    #[test]
    fn a_log_and_its_archive_give_the_same_report() -> Result<()> {
        let log = log();
        let (of_log, of_archive) = (verify(&log), verify(&archive(&log)?));
        assert!(of_log.is_whole());
        assert_eq!(of_log, of_archive);
        Ok(())
    }

    #[test]
    fn a_torn_log_is_torn_and_a_cut_archive_is_damaged() -> Result<()> {
        let log = log();
        let archive = archive(&log)?;
        let torn = verify(&log[..log.len() - 1]);
        assert_eq!((torn.fault, torn.torn.is_some()), (None, true));
        let cut = verify(&archive[..archive.len() - 1]);
        assert_eq!((cut.fault.unwrap().code(), cut.torn), ("gzip_truncated", None));
        Ok(())
    }

    #[test]
    fn what_a_damaged_archive_says_is_the_containers_fault() -> Result<()> {
        let mut archive = archive(&log())?;
        let last = archive.len() - 1;
        archive[last] ^= 1;
        assert_eq!(code(&archive), Some("gzip_checksum"));
        archive[last] ^= 1;
        archive[30] ^= 1;
        assert_eq!(code(&archive), Some("bad_index"));
        assert_eq!((code(b""), code(b"\x1fno gzip")), (Some("empty_log"), Some("not_gzip")));
        Ok(())
    }
}
