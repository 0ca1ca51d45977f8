//! Recovery records: which sessions were interrupted, and what they were doing.
//!
//! ```
//! use std::sync::Arc;
//! use turnkeep::{Create, Draft, MemoryStore, Session, Status, recovery};
//! let store = Arc::new(MemoryStore::new());
//! let session = Session::create(store.clone(), Create::default())?;
//! session.track("/home/u/project")?;
//! session.append_one(&Draft::run_started())?;
//! session.close(); // without a word on how the run ended
//! let found = recovery::find_incomplete(&*store)?;
//! assert_eq!(found.sessions[0].status, Status::Crashed);
//! # Ok::<_, turnkeep::Error>(())
//! ```

use std::time::Duration;

pub use turnkeep_core::recovery::{LastResult, Owner, Record};
use turnkeep_core::session;
pub use turnkeep_core::session::{Incomplete, Incompletes, Status};
use turnkeep_core::{Result, SessionId};

use crate::{Store, drive};

/// A session's recovery record as it is stored. `not_found` where there is none.
pub fn record(store: &dyn Store, id: &SessionId) -> Result<Record> {
    drive(session::record(id.clone()), store)
}

/// The sessions of a store that were not completed, the latest first, and the damaged records.
pub fn find_incomplete(store: &dyn Store) -> Result<Incompletes> {
    drive(session::find_incomplete(), store)
}

/// Says that a session was ended on purpose. Without a record, one is made.
pub fn mark_completed(store: &dyn Store, id: &SessionId) -> Result<Record> {
    drive(session::mark_completed(id.clone()), store)
}

/// Removes a session's recovery record; says whether there was one.
pub fn remove_record(store: &dyn Store, id: &SessionId) -> Result<bool> {
    drive(session::remove_record(id.clone()), store)
}

/// Removes the records older than that, but those of sessions that a living process holds, and
/// damaged ones; gives how many.
pub fn cleanup_old(store: &dyn Store, max_age: Duration) -> Result<u64> {
    let max_age_ms = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
    drive(session::cleanup_old(max_age_ms), store)
}

/// Makes a session's recovery record anew from its log, and writes it.
pub fn rebuild_record(store: &dyn Store, id: &SessionId) -> Result<Record> {
    drive(session::rebuild_record(id.clone()), store)
}
