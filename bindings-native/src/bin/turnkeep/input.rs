//! Lines of standard input, bounded.

use std::io::{BufRead, Read, StdinLock};

use turnkeep::core::limits::LINE_BYTES_MAX;
use turnkeep::{Error, ErrorKind};

use crate::{Failure, Outcome};

/// Lines that are not blank, with their numbers.
#[derive(Debug)]
pub(crate) struct Lines {
    stdin: StdinLock<'static>,
    number: u64,
}

/// A line of standard input, without white space around it.
#[derive(Debug)]
pub(crate) struct InputLine {
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) number: u64,
}

impl Lines {
    pub(crate) fn of_stdin() -> Self {
        Self { stdin: std::io::stdin().lock(), number: 0 }
    }

    fn next_line(&mut self) -> Outcome<Option<InputLine>> {
        loop {
            let mut bytes = Vec::new();
            let bound = LINE_BYTES_MAX as u64 + 1;
            let read = self.stdin.by_ref().take(bound).read_until(b'\n', &mut bytes);
            read.map_err(|error| Failure::reading("standard input", &error))?;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.number += 1;
            let wrong =
                |kind, message: &str| Failure::input(Error::new(kind, message), self.number);
            if bytes.len() > LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
                return Err(wrong(ErrorKind::TooLarge, "an entry has at most 32 MiB"));
            }
            let text = str::from_utf8(&bytes);
            let text = text.map_err(|_| wrong(ErrorKind::InvalidUtf8, "the line is not UTF-8"))?;
            let text = text.trim_matches([' ', '\t', '\r', '\n']);
            if !text.is_empty() {
                return Ok(Some(InputLine { text: text.to_owned(), number: self.number }));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Outcome<InputLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().transpose()
    }
}
