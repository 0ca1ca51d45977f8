//! Looking at a session's files from outside: what people who read them see.
//!
//! Everything here is lenient. A damaged line is a row that says what is wrong with it; what cannot be
//! read at all is a gap; the rest is shown. Whether a session is whole, [`crate::session::FileVerifier`]
//! says. Answers that hosts show are JSON, as `npm/viewer/src/engine/api.ts` describes it.

mod gzip;
mod lines;
mod part;
mod row;
mod search;
#[cfg(test)]
mod tests;
mod writing;

pub use gzip::{
    archive_map, bundle_created, bundle_end, bundle_index, bundle_session, inflate_block,
};
pub use lines::Lines;
pub(crate) use part::push_item;
pub use part::{Part, parts};
pub use row::{PART_BYTES, Place};
pub use writing::{problem, report};
