//! turnkeep keeps AI agents' sessions: one append-only, hash-chained log per session.
//!
//! ```
//! use std::sync::Arc;
//! use turnkeep::{Create, Draft, FileStore, Range, Session};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("sessions");
//! let store = Arc::new(FileStore::open(folder)?);
//! let mut session = Session::create(store, Create::default())?;
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
//! | [`Store`] | where bytes live: [`MemoryStore`], [`FileStore`], or your own |
//! | [`drive`] | carries out any task of the core over a store |
//! | [`core`] | the format and the operations, without I/O |

#![deny(missing_docs)]

mod drive;
mod file;
mod memory;
mod session;
mod store;

pub use drive::drive;
pub use file::FileStore;
pub use memory::MemoryStore;
pub use session::{Entries, LogLine, Session, sessions};
pub use store::Store;
pub use turnkeep_core as core;
pub use turnkeep_core::log::{Draft, Head, Report};
pub use turnkeep_core::session::{Create, Form, Page, Range};
pub use turnkeep_core::store::{Capabilities, Durability, Holder, Key};
pub use turnkeep_core::{Entry, Error, ErrorKind, Hash, Kind, Result, SessionId, State};
