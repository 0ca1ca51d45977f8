//! A whole runtime at once: its sessions and the values of its cache, written into one bundle and
//! restored from it, all or nothing.

mod aside;
mod cache;
mod idle;
mod journal;
mod opened;
mod recover;
mod replace;
mod restore;
mod snapshot;

pub use idle::{Idle, IdleStep};
pub use recover::{Recover, Recovered, recover};
pub use restore::{CacheChanges, Change, Restore, Restored, RestoredSession, restore};
pub use snapshot::{LeftOut, RESERVED_PREFIXES, Snapshot, Snapshotted, snapshot};

use super::Task;
