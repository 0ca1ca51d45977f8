//! The operations on sessions. Each gives a [`Task`] for a host to carry out.

mod about;
mod again;
mod anew;
mod announce;
mod append;
mod archive;
mod back;
mod closing;
mod cold;
mod create;
mod delete;
mod edit;
mod export;
mod file;
mod fork;
mod import;
mod inventory;
mod layout;
mod lineage;
mod list;
mod live;
mod once;
mod open;
mod pick;
mod prune;
mod range;
mod read;
mod recovery;
mod remains;
mod removal;
mod repair;
mod restore;
mod retention;
pub mod runtime;
mod salvage;
mod scan;
mod schedule;
mod source;
mod staging;
mod state;
mod sweep;
pub mod tier;
mod trace;
mod unpacking;

pub use about::{About, about, set_about};
pub use append::{Append, Appended, append, sync};
pub use archive::{Archived, archive};
pub use create::{Create, create};
pub use delete::delete;
pub use edit::{Compact, Place, compact, create_compacted, replace_history, truncate_from};
pub use export::export;
pub use file::FileVerifier;
pub use fork::{At, Fork, ensure_head, fork};
pub use import::{
    Import, ImportFiles, ImportedFiles, ImportedSession, Origin, OriginFile, import, import_files,
    keep_import,
};
pub use inventory::{SessionUsage, StoreUsage, UsedBytes, usage};
pub use layout::{Layout, layout};
pub use lineage::{Ancestor, Lineage, ancestors, lineage};
pub use list::{Listed, Recent, RecentSessions, Sessions, list, recent};
pub use open::{Form, Session, open};
pub use prune::prune;
pub use range::{Cursor, From, Range};
pub use read::{Page, read};
pub use recovery::{
    Incomplete, Incompletes, Status, cleanup_old, find_incomplete, mark_completed, rebuild_record,
    record, remove_record, track,
};
pub use repair::{LeftOut, Repair, repair};
pub use restore::restore;
pub use retention::{Pruned, Retention, retention};
pub(crate) use scan::shorter;
pub use scan::{Summary, summary, verify};
pub use schedule::{Scheduled, sweep_if_due};
pub(crate) use staging::Staging;
pub use state::{View, state};
pub use sweep::{Outcome, Policy, Reason, Sweep, Swept, sweep};
pub use trace::trace;

use crate::task::Task;
