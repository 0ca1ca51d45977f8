//! The operations on sessions. Each gives a [`Task`] for a host to carry out.

mod archive;
mod file;
mod list;
mod open;
mod read;
mod scan;

pub use archive::{Archived, archive, unarchive};
pub use file::FileVerifier;
pub use list::{Listed, Sessions, list};
pub use open::{Appended, Create, Form, Session, append, create, open};
pub use read::{Cursor, From, Page, Range, read};
pub use scan::{Summary, state, summary, verify};

use crate::task::Task;
