//! gzip (RFC 1952): reading anybody's files, bounded.

pub mod deflate;
mod header;
mod reader;

pub(crate) use header::{INDEX_OFFSET, read_header, write_header};
pub use reader::{Bound, Reader, gunzip};

pub(crate) use zlib_rs::crc32::{crc32, crc32_combine};
