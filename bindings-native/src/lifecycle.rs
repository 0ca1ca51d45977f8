//! A run of an agent on a session of a tier: made ready before, saved and flushed after, whatever
//! becomes of it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use turnkeep_core::session::tier::Flush;
use turnkeep_core::session::{Create, Fork};
use turnkeep_core::{Error, Result, SessionId};

use crate::file::guard;
use crate::{Draft, Session, Tier};

/// Which session a run is on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Mode {
    /// A new one. One that exists is `already_exists`, in whichever store: nothing is replaced.
    New(Create),
    /// One that exists.
    Continue(SessionId),
    /// A fork of one that exists, which stays as it is.
    Fork(SessionId, Fork),
}

/// A run under way.
#[derive(Debug)]
pub struct Running {
    /// The session.
    pub session: Session,
    /// The state slice as it was loaded, then as it was set.
    slice: Mutex<Slice>,
}

#[derive(Debug, Default)]
struct Slice {
    json: Option<String>,
    is_changed: bool,
}

/// What became of a run.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Exit<T, E> {
    /// What the run itself gave. Nothing that failed after it is in here.
    pub result: std::result::Result<T, E>,
    /// The session it was on.
    pub session: SessionId,
    /// Why the state could not be saved, or the session not be flushed. What was appended is in the
    /// hot store; flushing can be done again.
    pub fault: Option<Error>,
}

impl Running {
    /// The state slice, as JSON: as the last run left it, until it is set.
    #[must_use]
    pub fn slice(&self) -> Option<String> {
        guard(&self.slice).json.clone()
    }

    /// Sets the state slice (JSON), which is appended when the run is over, if it is another one.
    pub fn set_slice(&self, json: impl Into<String>) {
        let json = json.into();
        let mut slice = guard(&self.slice);
        slice.is_changed |= slice.json.as_ref() != Some(&json);
        slice.json = Some(json);
    }

    /// Appends the state slice, if it changed since it was last saved.
    pub fn save_slice(&self) -> Result<()> {
        let mut slice = guard(&self.slice);
        if let (true, Some(json)) = (slice.is_changed, &slice.json) {
            self.session.append(&[Draft::state(json)])?;
            slice.is_changed = false;
        }
        Ok(())
    }
}

impl Tier {
    /// Runs something on a session. Before: a new one is created; one that is continued is hydrated
    /// and its state slice loaded; of a fork the source is hydrated, and the fork has its slice.
    /// After, on every way out, by return, error or panic: the state slice is saved if it changed,
    /// and the session flushed, once each. What fails there is in [`Exit::fault`], and changes
    /// nothing of what the run gave. Fails where the session could not be made ready.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use turnkeep::{Create, Draft, Error, MemoryStore, Mode, Tier};
    /// let tier = Tier::open(Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()))?;
    /// let exit = tier.run(Mode::New(Create::default()), |run| {
    ///     run.session.append(&[Draft::user_input(r#""Hi""#)])?;
    ///     run.set_slice(r#"{"turns":1}"#);
    ///     Ok::<_, Error>(())
    /// })?;
    /// assert!(exit.result.is_ok() && exit.fault.is_none());
    /// let exit = tier.run(Mode::Continue(exit.session), |run| Ok::<_, Error>(run.slice()))?;
    /// assert_eq!(exit.result?.as_deref(), Some(r#"{"turns":1}"#));
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn run<T, E>(
        self: &Arc<Self>,
        mode: Mode,
        run: impl FnOnce(&Running) -> std::result::Result<T, E>,
    ) -> Result<Exit<T, E>> {
        let running = self.made_ready(mode)?;
        // What panics leaves the session as it is: appends are whole or not at all.
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&running)));
        let session = running.session.id();
        let saved = running.save_slice();
        drop(running);
        let flushed = self.flush(&session, Flush::default());
        match outcome {
            Ok(result) => Ok(Exit { result, session, fault: saved.err().or(flushed.err()) }),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn made_ready(self: &Arc<Self>, mode: Mode) -> Result<Running> {
        let session = match mode {
            Mode::New(create) => {
                let session = Session::create(self.clone(), create)?;
                return Ok(Running { session, slice: Mutex::default() });
            }
            Mode::Continue(id) => self.hydrate(&id)?,
            Mode::Fork(parent, fork) => self.hydrate(&parent)?.fork(fork)?,
        };
        let json = self.slice(&session.id())?;
        Ok(Running { session, slice: Mutex::new(Slice { json, is_changed: false }) })
    }
}
