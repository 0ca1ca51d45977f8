//! Logs, gzip files and archives made by hand, from `docs/format.md`: right ones and wrong ones.
//!
//! Nothing here asks core what it would write, but for SHA-256 and raw deflate.

mod archive;
mod bundle;
mod gzip;
mod log;
mod random;

pub use archive::{Archive, Record, varint};
pub use bundle::Bundle;
pub use gzip::{Member, crc32, deflated, stored, trailer};
pub use log::{
    Log, SESSION, TS, after_fork, entry, envelope, hex, point, prefixed, salt, start, start_of,
};
pub use random::Random;
