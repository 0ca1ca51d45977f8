//! An open session.

use std::sync::Arc;

use turnkeep_core::log::Report;
use turnkeep_core::session::{self, Archived, Create, Cursor, Form, Listed, Page, Range, Summary};
use turnkeep_core::store::{Durability, Key, Part};
use turnkeep_core::{Entry, Hash, Result, SessionId, State};

use crate::{Draft, Head, Store, drive};

/// Ids a listing asks for at once.
const LIST_LIMIT: u32 = 1000;

/// An open session: appends to its log, reads from it, and verifies it. Dropping it (or
/// [`Session::close`]) lets go of what the store holds for writing.
pub struct Session {
    store: Arc<dyn Store>,
    session: session::Session,
    durability: Durability,
}

impl Session {
    /// Creates a session with its first entry. `already_exists` where there is one of that id.
    pub fn create(store: Arc<dyn Store>, options: Create) -> Result<Self> {
        let durability = options.durability;
        let session = drive(session::create(options), &*store)?;
        Ok(Self { store, session, durability })
    }

    /// Opens a session at its head, whatever its length. `not_found` where there is none.
    pub fn open(store: Arc<dyn Store>, id: &SessionId) -> Result<Self> {
        let session = drive(session::open(id.clone()), &*store)?;
        Ok(Self { store, session, durability: Durability::default() })
    }

    /// The same session, whose appends survive this from now on.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        self.session.id()
    }

    /// Its last entry.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.session.head()
    }

    /// Live or archived.
    #[must_use]
    pub fn form(&self) -> Form {
        self.session.form
    }

    /// An unfinished write that was found on opening; the next append cuts it off.
    #[must_use]
    pub fn torn(&self) -> Option<turnkeep_core::log::Torn> {
        self.session.torn
    }

    /// Appends entries, all or nothing, and gives the number of the first. `conflict` where someone
    /// else wrote in between: nothing was appended; open the session again.
    pub fn append(&mut self, drafts: &[impl AsRef<str>]) -> Result<u64> {
        let drafts = drafts.iter().map(|draft| draft.as_ref().to_owned()).collect();
        let append = session::Append::new(drafts).with_durability(self.durability);
        let task = session::append(self.session.clone(), append);
        let appended = drive(task, &*self.store)?;
        self.session = appended.session;
        Ok(appended.first_seq)
    }

    /// Appends one entry and gives its number.
    pub fn append_one(&mut self, draft: &Draft) -> Result<u64> {
        self.append(&[draft])
    }

    /// Reads a page of entries.
    pub fn read(&self, range: Range) -> Result<Page> {
        drive(session::read(self.id().clone(), range), &*self.store)
    }

    /// Reads entries one by one, page after page.
    #[must_use]
    pub fn entries(&self, range: Range) -> Entries<'_> {
        Entries { session: self, range, next: Some(None), lines: Vec::new().into_iter() }
    }

    /// Verifies the chain from end to end.
    pub fn verify(&self) -> Result<Report> {
        self.verify_with(None, false)
    }

    /// Verifies the chain, that it contains the `expected` entry (number and hash), and, if `deep`,
    /// every entry's content.
    pub fn verify_with(&self, expected: Option<(u64, Hash)>, deep: bool) -> Result<Report> {
        drive(session::verify(self.id().clone(), expected, deep), &*self.store)
    }

    /// What the session has come to.
    pub fn state(&self) -> Result<State> {
        drive(session::state(self.id().clone(), session::View::default()), &*self.store)
    }

    /// The session in numbers.
    pub fn summary(&self) -> Result<Summary> {
        drive(session::summary(self.id().clone()), &*self.store)
    }

    /// Archives the session.
    pub fn archive(&mut self) -> Result<Archived> {
        let archived = drive(session::archive(self.id().clone()), &*self.store)?;
        self.session.form = Form::Archived;
        self.session.torn = None;
        Ok(archived)
    }

    /// Makes an archived session live again.
    pub fn unarchive(&mut self) -> Result<Archived> {
        let unarchived = drive(session::unarchive(self.id().clone()), &*self.store)?;
        self.session = drive(session::open(self.id().clone()), &*self.store)?;
        Ok(unarchived)
    }

    /// Lets go of the session.
    pub fn close(self) {}
}

impl Drop for Session {
    fn drop(&mut self) {
        self.store.release(&Key::of(self.session.id(), Part::Log));
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Entries of a session, one by one. An error ends them.
#[derive(Debug)]
pub struct Entries<'a> {
    session: &'a Session,
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

impl Entries<'_> {
    fn turn_page(&mut self, cursor: Option<Cursor>) -> Result<()> {
        let range = cursor.map_or_else(|| self.range.clone(), |cursor| self.range.after(cursor));
        let page = self.session.read(range)?;
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

/// Every session of a store, in order of their encoded ids.
pub fn sessions(store: &dyn Store) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = drive(session::list("", after, LIST_LIMIT), store)?;
        found.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
