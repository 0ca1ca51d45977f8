//! turnkeep keeps AI agents' sessions: one append-only, hash-chained log per session.
//!
//! ```
//! use std::sync::Arc;
//! use turnkeep::{Create, Draft, FileStore, Range, Session};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("sessions");
//! let store = Arc::new(FileStore::open(folder)?);
//! let session = Session::create(store, Create::default())?;
//! session.append(&[
//!     Draft::user_input(r#"{"role":"user","content":"What is 6 × 7?"}"#),
//!     Draft::assistant_item(r#"{"role":"assistant","content":"42"}"#),
//! ])?;
//! assert_eq!(session.state()?.history.len(), 2);
//! assert!(session.verify()?.is_whole());
//! for entry in session.entries(Range::last(1)) {
//!     println!("{}", entry?.parse()?.field("item").unwrap());
//! }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | here | is |
//! |---|---|
//! | [`Session`] | an open session |
//! | [`AsyncSession`] | the same for async code |
//! | [`sessions()`], [`recent`], [`lineage`], [`repair`], … | the sessions of a store |
//! | [`recovery`] | which sessions were interrupted |
//! | [`retention`] | archiving what is idle, pruning what is old |
//! | [`Runtime`] | all sessions of a store and a [`Cache`], as one: idle, snapshot, restore |
//! | [`Store`] | where bytes live: [`MemoryStore`], [`FileStore`], with the features of that name `S3Store` and `RedisStore`, or your own |
//! | [`Tier`] | a hot store in front of a cold one |
//! | [`drive`] | carries out any task of the core over a store |
//! | [`core`] | the format and the operations, without I/O |

#![deny(missing_docs)]

mod async_session;
mod cache;
mod drive;
mod file;
mod helpers;
mod lifecycle;
mod memory;
pub mod recovery;
#[cfg(feature = "redis")]
mod redis;
pub mod retention;
mod runtime;
#[cfg(feature = "s3")]
mod s3;
mod session;
mod sessions;
mod store;
mod tier;

pub use async_session::AsyncSession;
pub use cache::{Cache, MemoryCache};
pub use drive::{drive, drive_runtime};
pub use file::FileStore;
pub use lifecycle::{Exit, Mode, Running};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::{RedisOptions, RedisStore};
pub use runtime::{Probe, Run, Runtime, Wait, recover, restore};
#[cfg(feature = "s3")]
pub use s3::{S3Options, S3Store};
pub use session::{Entries, LogLine, Session};
pub use sessions::{
    about, ancestors, delete, import_files, lineage, recent, repair, sessions, set_about,
};
pub use store::Store;
pub use tier::Tier;
pub use turnkeep_core as core;
pub use turnkeep_core::cache::{CacheEntry, CacheValue};
pub use turnkeep_core::log::{Draft, Head, Report, Torn};
pub use turnkeep_core::session::{
    About, Ancestor, Append, Appended, Archived, At, Compact, Create, Fork, Form, From, Incomplete,
    Incompletes, LeftOut, Lineage, Listed, Page, Place, Range, Recent, RecentSessions, Repair,
    Status, Summary, View,
};
pub use turnkeep_core::store::{Capabilities, Durability, Holder, Key};
pub use turnkeep_core::{
    Entry, Error, ErrorKind, Extension, Hash, Item, Kind, OpenCall, Point, Result, SessionId,
    State, Usage,
};

/// What the documentation shows runs.
#[cfg(doctest)]
#[doc = include_str!("../../docs/runtime.md")]
struct RuntimeExamples;
#[cfg(doctest)]
#[doc = include_str!("../../docs/import.md")]
struct ImportExamples;
