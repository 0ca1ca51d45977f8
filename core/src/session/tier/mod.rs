//! Two stores for one session: what happens now in a hot one, what happened in a cold one.
//!
//! The hot store has the file layout (`docs/format.md` §7), the cold one the object layout (§7.3). A
//! session that was [flushed](flush) lies in the cold store; one that is [hydrated](hydrate) has an
//! anchor in the hot store, and after it what was appended since. Everything else works on such
//! sessions as on others.

mod anchored;
mod claim;
mod clear;
mod collect;
mod commit;
mod copy;
mod delete;
mod flush;
mod fork;
mod gather;
mod hydrate;
mod list;
mod merge;
mod probe;
mod slice;
mod thread;

pub use collect::{Collect, Collected, collect};
pub use copy::{Copied, Layout, copy, pull};
pub use flush::{Flush, Flushed, Hot, flush};
pub use hydrate::{Hydrated, hydrate};
pub use list::{ColdSession, ColdSessions, sessions};
pub use probe::probe;
pub use slice::slice;
pub use thread::{read_thread, write_thread};

pub(super) use claim::{
    CLAIM_BYTES, Claim, claim, claim_after, claim_for, claim_seen, is_claim, is_claimed, moved,
    release,
};
pub(super) use delete::bury;
pub(super) use flush::known_about;
pub(super) use fork::fork;
pub(super) use hydrate::hydrated;
pub(super) use list::some;
pub(super) use slice::{confirm_ids, learn_ids};
#[cfg(test)]
pub(crate) use {commit::encoded, merge::joins};

use super::Task;
