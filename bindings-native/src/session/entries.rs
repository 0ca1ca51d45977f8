//! Reading entries one by one.

use turnkeep_core::session::{self, Cursor, Range};
use turnkeep_core::{Entry, Result, SessionId};

use super::Session;

/// Entries of a session, one by one. An error ends them.
#[derive(Debug)]
pub struct Entries<'a> {
    session: &'a Session,
    id: SessionId,
    range: Range,
    /// Outer `None`: no page follows.
    next: Option<Option<Cursor>>,
    lines: std::vec::IntoIter<LogLine>,
}

/// A line of a log, verified, without its `\n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine(Vec<u8>);

impl LogLine {
    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its entry.
    pub fn parse(&self) -> Result<Entry<'_>> {
        Entry::parse(&self.0)
    }
}

impl<'a> Entries<'a> {
    pub(super) fn new(session: &'a Session, range: Range) -> Self {
        let id = session.id();
        Self { session, id, range, next: Some(None), lines: Vec::new().into_iter() }
    }

    fn turn_page(&mut self, cursor: Option<Cursor>) -> Result<()> {
        let range = cursor.map_or_else(|| self.range.clone(), |cursor| self.range.after(cursor));
        let page = self.session.drive(session::read(self.id.clone(), range))?;
        let lines = page.lines.split_inclusive(|byte| *byte == b'\n');
        let lines: Vec<_> = lines.map(|line| LogLine(line[..line.len() - 1].to_vec())).collect();
        self.lines = lines.into_iter();
        self.next = page.next.map(Some);
        Ok(())
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<LogLine>;

    fn next(&mut self) -> Option<Result<LogLine>> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(Ok(line));
            }
            let cursor = self.next.take()?;
            if let Err(error) = self.turn_page(cursor) {
                return Some(Err(error));
            }
        }
    }
}
