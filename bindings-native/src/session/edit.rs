//! Forks, and changes of the history.

use std::sync::Arc;

use turnkeep_core::session::{self, Appended, Compact, Create, Fork, Place};
use turnkeep_core::{Point, Result, SessionId};

use super::{Session, Writing};
use crate::file::guard;
use crate::{Durability, Store, drive};

impl Session {
    /// A new session that starts with a copy of this one's entries up to a point. This one is not
    /// touched. `not_found` where there is no such point.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use turnkeep::{At, Create, Draft, Fork, MemoryStore, Session};
    /// # let session = Session::create(Arc::new(MemoryStore::new()), Create::default())?;
    /// session.append(&[Draft::user_input(r#""Hi""#), Draft::assistant_item(r#""Ho""#)])?;
    /// let other = session.fork(Fork::at(At::Seq(1)))?;
    /// assert_eq!(other.state()?.history.len(), 1);
    /// assert_eq!(other.state()?.forked_from.unwrap().session, session.id());
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn fork(&self, fork: Fork) -> Result<Self> {
        let forked = self.drive(session::fork(self.id(), fork))?;
        Ok(Self::written(self.store.clone(), forked, self.durability))
    }

    /// Makes sure that appends can go on: where someone else wrote to the session meanwhile, this
    /// handle becomes a fork of it at the entry it was at, into `id` where one is given. Then the
    /// point it was forked at is returned. Call [`Session::track`] again for the fork to have a
    /// recovery record.
    pub fn ensure_head(&self, id: Option<SessionId>) -> Result<Option<Point>> {
        let mut live = self.live();
        let ensured = self.drive(session::ensure_head(live.clone(), id))?;
        if ensured.id() == live.id() {
            return Ok(None);
        }
        let left = std::mem::replace(&mut *live, ensured);
        *guard(&self.tracked) = None;
        *guard(&self.writing) = Some(Writing::new(self.store.clone(), live.id().clone()));
        let point = |head: crate::Head| Point {
            session: left.id().clone(),
            seq: head.seq,
            hash: head.hash,
        };
        Ok(left.head().map(point))
    }

    /// Drops an item and everything after it from the history; the log keeps them. `not_found` where
    /// the history has no such item.
    pub fn truncate_from(&self, place: Place) -> Result<Appended> {
        self.change(self.durability, |session, durability| {
            session::truncate_from(session, place, durability)
        })
    }

    /// Puts other items (JSON texts) in the place of the whole history.
    pub fn replace_history(&self, items: &[impl AsRef<str>]) -> Result<Appended> {
        let items: Vec<String> = items.iter().map(|item| item.as_ref().to_owned()).collect();
        self.change(self.durability, |session, durability| {
            session::replace_history(session, &items, durability)
        })
    }

    /// Makes of the history a summary and its last items. `invalid_argument` where it has fewer
    /// items than are to stay.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use turnkeep::{Compact, Create, MemoryStore, Session, View};
    /// # let session = Session::create(Arc::new(MemoryStore::new()), Create::default())?;
    /// session.save(&[r#"{"role":"user","content":"Hi"}"#, r#"{"role":"assistant","content":"Ho"}"#])?;
    /// session.compact(Compact::new(vec![r#"{"role":"user","content":"A greeting"}"#.into()], 1))?;
    /// let state = session.state_with(View::default().since_compaction())?;
    /// assert_eq!(state.history.len(), 2);
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn compact(&self, mut compact: Compact) -> Result<Appended> {
        self.change(compact.durability, |session, durability| {
            compact.durability = durability;
            session::compact(session, compact)
        })
    }

    /// Creates a session whose history is a summary of another's and its last items, and which says
    /// where it comes from. The other is not touched.
    pub fn create_compacted(
        store: Arc<dyn Store>,
        source: &SessionId,
        compact: Compact,
        options: Create,
    ) -> Result<Self> {
        let durability: Durability = options.durability;
        let task = session::create_compacted(source.clone(), compact, options);
        let created = drive(task, &*store)?;
        Ok(Self::written(store, created, durability))
    }
}
