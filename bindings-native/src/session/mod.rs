//! An open session.

mod edit;
mod entries;
mod writing;

pub use entries::{Entries, LogLine};
pub(crate) use writing::release;

use std::sync::{Arc, Mutex, MutexGuard};

use turnkeep_core::log::{Report, Torn};
use turnkeep_core::recovery::Record;
use turnkeep_core::session::{
    self, Append, Appended, Archived, Create, Form, Page, Range, Summary, View,
};
use turnkeep_core::store::Durability;
use turnkeep_core::task::Task;
use turnkeep_core::{Hash, Result, SessionId, State};

use crate::file::guard;
use crate::{Draft, Head, Store, drive};
use writing::Writing;

/// An open session: appends to its log, reads from it, and verifies it. Threads share one as
/// `Arc<Session>`: their appends follow one another in one chain, and those that must survive loss
/// of power share the disk's syncs. Dropping it (or [`Session::close`]) lets go of what the store
/// holds for writing, once no other handle that wrote to the session is left.
///
/// ```
/// use std::{sync::Arc, thread};
/// use turnkeep::{Create, Draft, MemoryStore, Session};
/// let session = Arc::new(Session::create(Arc::new(MemoryStore::new()), Create::default())?);
/// thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| session.append_one(&Draft::user_input(r#""Hi""#)));
///     }
/// });
/// assert_eq!(session.head().unwrap().seq, 4);
/// assert!(session.verify()?.is_whole());
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub struct Session {
    store: Arc<dyn Store>,
    session: Mutex<session::Session>,
    /// Once it wrote.
    writing: Mutex<Option<Writing>>,
    /// The project of the recovery record that it keeps.
    tracked: Mutex<Option<String>>,
    durability: Durability,
}

impl Session {
    /// Creates a session with its first entry. `already_exists` where there is one of that id.
    pub fn create(store: Arc<dyn Store>, options: Create) -> Result<Self> {
        let durability = options.durability;
        let session = drive(session::create(options), &*store)?;
        Ok(Self::written(store, session, durability))
    }

    /// Opens a session at its head, whatever its length. `not_found` where there is none.
    pub fn open(store: Arc<dyn Store>, id: &SessionId) -> Result<Self> {
        let session = drive(session::open(id.clone()), &*store)?;
        Ok(Self::new(store, session, Durability::default()))
    }

    fn new(store: Arc<dyn Store>, session: session::Session, durability: Durability) -> Self {
        let session = Mutex::new(session);
        Self { store, session, writing: Mutex::default(), tracked: Mutex::default(), durability }
    }

    /// The handle that has just created it.
    fn written(store: Arc<dyn Store>, session: session::Session, durability: Durability) -> Self {
        let created = Self::new(store, session, durability);
        created.writes(created.live().id());
        created
    }

    /// Takes its part in what the store holds for writing.
    fn writes(&self, id: &SessionId) {
        let mut writing = guard(&self.writing);
        writing.get_or_insert_with(|| Writing::new(self.store.clone(), id.clone()));
    }

    /// The same session, whose appends survive this from now on.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    fn live(&self) -> MutexGuard<'_, session::Session> {
        guard(&self.session)
    }

    fn drive<T>(&self, task: Task<T>) -> Result<T> {
        drive(task, &*self.store)
    }

    /// Its id. Only [`Session::ensure_head`] changes it.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.live().id().clone()
    }

    /// Its last entry, as far as this handle knows: what it opened, then what it appended.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.live().head()
    }

    /// Live or archived.
    #[must_use]
    pub fn form(&self) -> Form {
        self.live().form
    }

    /// An unfinished write that was found on opening; the next append cuts it off.
    #[must_use]
    pub fn torn(&self) -> Option<Torn> {
        self.live().torn
    }

    /// Appends entries, all or nothing, and gives the number of the first. `conflict` where someone
    /// else wrote in between: nothing was appended; open the session again, or
    /// [make it a fork](Session::ensure_head).
    pub fn append(&self, drafts: &[impl AsRef<str>]) -> Result<u64> {
        let drafts = drafts.iter().map(|draft| draft.as_ref().to_owned()).collect();
        Ok(self.append_with(Append::new(drafts))?.first_seq)
    }

    /// Appends one entry and gives its number.
    pub fn append_one(&self, draft: &Draft) -> Result<u64> {
        self.append(&[draft])
    }

    /// Appends entries under conditions: after an expected entry, or only if it was not done
    /// already. It survives what the session's appends do, or more where `append` says so.
    ///
    /// With [`Durability::Disk`] on a store that [can sync](Store::can_sync) the entries are written
    /// first, and the sync that follows is shared with other threads. Where only the sync fails, the
    /// entries are in the log, but may not survive.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use turnkeep::{Append, Create, Draft, MemoryStore, Session};
    /// # let session = Session::create(Arc::new(MemoryStore::new()), Create::default())?;
    /// let draft = Draft::user_input(r#""Hi""#).with_text("id", "message-1");
    /// let append = Append::from([draft]).once();
    /// assert!(!session.append_with(append.clone())?.already_applied);
    /// assert!(session.append_with(append)?.already_applied);
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn append_with(&self, append: Append) -> Result<Appended> {
        self.change(append.durability, |session, durability| {
            session::append(session, append.with_durability(durability))
        })
    }

    /// Appends items of the history (JSON texts), all or nothing, and gives the number of the first.
    /// Whether one is the user's, the model's or a tool's, its content tells.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use turnkeep::{Create, MemoryStore, Session};
    /// # let session = Session::create(Arc::new(MemoryStore::new()), Create::default())?;
    /// session.save(&[r#"{"role":"user","content":"Hi"}"#, r#"{"role":"assistant","content":"Ho"}"#])?;
    /// assert_eq!(session.state()?.history[1].kind, "assistant_item");
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn save(&self, items: &[impl AsRef<str>]) -> Result<u64> {
        let drafts: Vec<_> = items.iter().map(|item| Draft::item(item.as_ref())).collect();
        self.append(&drafts)
    }

    /// Changes the session while no other thread does, then makes it durable together with others.
    fn change(
        &self,
        durability: Durability,
        task: impl FnOnce(session::Session, Durability) -> Task<Appended>,
    ) -> Result<Appended> {
        let durability = stronger(durability, self.durability);
        let syncs = durability == Durability::Disk && self.store.can_sync();
        let durability = if syncs { Durability::Os } else { durability };
        let appended = {
            let mut live = self.live();
            self.writes(live.id());
            let appended = self.drive(task(live.clone(), durability))?;
            *live = appended.session.clone();
            appended
        };
        if syncs {
            self.drive(session::sync(&appended.session))?;
        }
        Ok(appended)
    }

    /// Reads a page of entries.
    pub fn read(&self, range: Range) -> Result<Page> {
        self.drive(session::read(self.id(), range))
    }

    /// Reads entries one by one, page after page.
    #[must_use]
    pub fn entries(&self, range: Range) -> Entries<'_> {
        Entries::new(self, range)
    }

    /// Verifies the chain from end to end.
    pub fn verify(&self) -> Result<Report> {
        self.verify_with(None, false)
    }

    /// Verifies the chain, that it contains the `expected` entry (number and hash), and, if `deep`,
    /// every entry's content.
    pub fn verify_with(&self, expected: Option<(u64, Hash)>, deep: bool) -> Result<Report> {
        self.drive(session::verify(self.id(), expected, deep))
    }

    /// What the session has come to.
    pub fn state(&self) -> Result<State> {
        self.state_with(View::default())
    }

    /// What the session has come to, as a resume needs it: with its calls closed, or read only from
    /// the last compaction on.
    pub fn state_with(&self, view: View) -> Result<State> {
        self.drive(session::state(self.id(), view))
    }

    /// The session in numbers.
    pub fn summary(&self) -> Result<Summary> {
        self.drive(session::summary(self.id()))
    }

    /// Archives the session. It can be read and appended to as before.
    pub fn archive(&self) -> Result<Archived> {
        self.moved(session::archive)
    }

    /// Makes an archived session live again, byte for byte as it was.
    pub fn restore(&self) -> Result<Archived> {
        self.moved(session::restore)
    }

    /// What takes the session from one form to the other, and where it is then.
    fn moved(&self, task: impl FnOnce(SessionId) -> Task<Archived>) -> Result<Archived> {
        let mut live = self.live();
        let archived = self.drive(task(live.id().clone()))?;
        *live = self.drive(session::open(live.id().clone()))?;
        if let Some(project_dir) = &*guard(&self.tracked) {
            self.drive(session::track(live.clone(), project_dir))?;
        }
        Ok(archived)
    }

    /// Adds an event (any JSON) to what is kept beside the log for whoever looks for what happened.
    /// The session stays as it is, and a failure only says that this event is lost.
    pub fn trace(&self, event_json: &str) -> Result<()> {
        let live = self.live();
        self.writes(live.id());
        self.drive(session::trace(&live, event_json.to_owned()))
    }

    /// Keeps a recovery record of the session from now on, so that it is found after a crash
    /// ([`crate::recovery::find_incomplete`]).
    pub fn track(&self, project_dir: &str) -> Result<()> {
        let live = self.live();
        *guard(&self.tracked) = Some(project_dir.to_owned());
        self.drive(session::track(live.clone(), project_dir))
    }

    /// Says in its recovery record that the session was ended on purpose.
    pub fn mark_completed(&self) -> Result<Record> {
        let live = self.live();
        // Tracking it anew would change that.
        *guard(&self.tracked) = None;
        self.drive(session::mark_completed(live.id().clone()))
    }

    /// Deletes the session and all that is kept beside it.
    pub fn delete(self) -> Result<()> {
        self.delete_shared()
    }

    pub(crate) fn delete_shared(&self) -> Result<()> {
        let live = self.live();
        self.drive(session::delete(live.id().clone()))
    }

    /// Lets go of the session.
    pub fn close(self) {}
}

/// What survives more.
fn stronger(one: Durability, other: Durability) -> Durability {
    let rank = |durability: &Durability| match durability {
        Durability::Memory => 0,
        Durability::Os => 1,
        Durability::Disk => 2,
    };
    std::cmp::max_by_key(one, other, rank)
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("session", &*self.live()).finish_non_exhaustive()
    }
}
