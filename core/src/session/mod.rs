//! The operations on sessions. Each gives a [`Task`] for a host to carry out.

mod about;
mod append;
mod archive;
mod back;
mod delete;
mod edit;
mod file;
mod fork;
mod inflated;
mod lineage;
mod list;
mod live;
mod open;
mod pick;
mod read;
mod recovery;
mod repair;
mod scan;
mod state;
mod trace;

pub use about::{About, about, set_about};
pub use append::{Append, Appended, append, sync};
pub use archive::{Archived, archive, unarchive};
pub use delete::delete;
pub use edit::{Compact, Place, compact, create_compacted, replace_history, truncate_from};
pub use file::FileVerifier;
pub use fork::{At, Fork, ensure_head, fork};
pub use lineage::{Ancestor, Lineage, ancestors, lineage};
pub use list::{Listed, Recent, RecentSessions, Sessions, list, recent};
pub use open::{Create, Form, Session, create, open};
pub use read::{Cursor, From, Page, Range, read};
pub use recovery::{
    Incomplete, Incompletes, Status, cleanup_old, find_incomplete, mark_completed, rebuild_record,
    record, remove_record, track,
};
pub use repair::{LeftOut, Repair, repair};
pub use scan::{Summary, summary, verify};
pub use state::{View, state};
pub use trace::trace;

use crate::task::Task;
