//! The core's operations on open sessions, driven over a store.

use std::sync::Arc;

use turnkeep::core::session::{self, Append, Session};
use turnkeep::core::task::Task;
use turnkeep::{Create, Draft, Result, State, Store, drive};

use crate::sessions::id;

/// A store and an open session of it, as plain data.
pub struct Live {
    /// Where it is.
    pub store: Arc<dyn Store>,
    /// The session as it is now.
    pub session: Session,
}

impl Live {
    /// A new session.
    ///
    /// # Panics
    ///
    /// Where the store refuses.
    #[must_use]
    pub fn create(store: &Arc<dyn Store>, name: &str) -> Self {
        let task = session::create(Create::default().with_id(id(name)));
        let session = drive(task, &**store).expect("a new session");
        Self { store: store.clone(), session }
    }

    /// An existing session.
    ///
    /// # Panics
    ///
    /// Where it does not open.
    #[must_use]
    pub fn open(store: &Arc<dyn Store>, name: &str) -> Self {
        let session = drive(session::open(id(name)), &**store).expect("it opens");
        Self { store: store.clone(), session }
    }

    /// Carries a task out.
    ///
    /// # Errors
    ///
    /// As the task.
    pub fn run<T>(&self, task: Task<T>) -> Result<T> {
        drive(task, &*self.store)
    }

    /// Appends, and goes on from there.
    ///
    /// # Errors
    ///
    /// As [`session::append`].
    pub fn try_append(&mut self, append: impl Into<Append>) -> Result<session::Appended> {
        let appended = self.run(session::append(self.session.clone(), append.into()))?;
        self.session = appended.session.clone();
        Ok(appended)
    }

    /// Appends drafts.
    ///
    /// # Panics
    ///
    /// Where that fails.
    pub fn append(&mut self, drafts: &[Draft]) -> u64 {
        self.try_append(drafts.to_vec()).expect("an append").first_seq
    }

    /// The folded state.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn state(&self) -> State {
        self.view(session::View::default())
    }

    /// The state, looked at in a certain way.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn view(&self, view: session::View) -> State {
        self.run(session::state(self.session.id().clone(), view)).expect("a state")
    }

    /// The history's items.
    #[must_use]
    pub fn items(&self) -> Vec<String> {
        items(&self.state())
    }
}

/// The JSON texts of a history's items.
#[must_use]
pub fn items(state: &State) -> Vec<String> {
    state.history.iter().map(|item| item.item.clone()).collect()
}
