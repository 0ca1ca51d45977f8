//! turnkeep's format and operations: one append-only, hash-chained log per session.
//!
//! This crate decides every byte and every step, and does no I/O: it has no clock, no randomness,
//! no threads. Operations that need a store are [`task::Task`]s that hand out requests and take
//! replies; hosts carry the bytes. `docs/format.md` is the format's normative description.
//!
//! | module | holds |
//! |---|---|
//! | [`log`] | lines, their chain, writing and verifying them |
//! | [`archive`] | a log as one gzip file with an index |
//! | [`bundle`] | many sessions and a runtime's values in one file |
//! | [`cache`] | a runtime's values |
//! | [`gzip`] | deflate, and reading anybody's gzip |
//! | [`store`] | the verbs of a store: requests and replies |
//! | [`task`] | an operation in flight |
//! | [`import`] | what earlier systems wrote |
//! | [`export`] | a session in other forms, for people and other systems |
//! | [`recovery`] | the record of what a live session is doing |
//! | [`session`] | the operations: create, open, append, read, verify, fold, archive |
//! | [`zeitlich`] | the snapshots of an earlier system |
//! | [`session::tier`] | the operations on two stores: flush, hydrate, copy, collect |

#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::get_unwrap,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        // Those of `clippy.toml`.
        clippy::disallowed_methods
    )
)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may panic"))]
#![deny(missing_docs)]

extern crate alloc;

/// Whether a defect is planted here: never, but in the simulator's tests.
macro_rules! planted {
    ($defect:ident) => {{
        #[cfg(feature = "planted")]
        let is_planted = crate::planted::is(crate::planted::Defect::$defect);
        #[cfg(not(feature = "planted"))]
        let is_planted = false;
        is_planted
    }};
}

pub mod archive;
pub mod bundle;
pub mod cache;
mod cold;
mod entry;
mod error;
pub mod export;
mod field;
pub mod gzip;
mod hash;
mod id;
pub mod import;
mod item;
mod json;
mod kind;
pub mod limits;
mod line;
pub mod log;
#[cfg(feature = "planted")]
pub mod planted;
pub mod recovery;
pub mod session;
mod state;
pub mod store;
pub mod task;
pub mod view;
mod work;
pub mod zeitlich;

pub use entry::{Entry, FORMAT_VERSION};
pub use error::{Error, ErrorClass, ErrorKind, Place, Result};
pub use field::Point;
pub use hash::{Hash, sha256};
pub use id::SessionId;
pub use kind::Kind;
pub use state::{Extension, Item, OpenCall, State, Usage};
