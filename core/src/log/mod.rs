//! The log: lines in, lines out, and what its chain shows (`docs/format.md` §3).

mod draft;
mod group;
mod reader;
mod seek;
mod tail;
mod verify;
mod writer;

pub use draft::Draft;
pub use reader::LineReader;
pub use verify::{Expectation, Report, Verified, Verifier, verify};
pub use writer::{Batch, Stamp, Writer};

pub(crate) use seek::{Bisection, Found, seq_of};
pub(crate) use tail::{Tail, committed_part, find_tail};

use crate::Hash;

/// The last entry of a log: the identity of a session's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The entry's number, counted from 0.
    pub seq: u64,
    /// The entry's hash.
    pub hash: Hash,
    /// Length of the log up to and including the entry's line.
    pub bytes: u64,
}

/// The trace of a write that never finished, after the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// Where it starts; equals the head's `bytes`.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}
