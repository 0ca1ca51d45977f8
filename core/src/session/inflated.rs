//! The content of a gzip object.

use alloc::vec::Vec;

use super::scan::{CHUNK_BYTES, Found};
use crate::gzip::{Bound, Inflating};
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Result};

/// Gives what an object's first `end` bytes inflate to, in order: the next piece is inflated while
/// `found` looks at the last one. They must be whole gzip members.
pub(super) async fn each_inflated(io: &Io, key: &Key, end: u64, found: Found<'_>) -> Result<()> {
    let mut inflating = Inflating::new(Bound::default());
    let mut at = 0;
    while at < end {
        match get_chunk(io, key, at, end).await {
            Ok(chunk) => {
                at += chunk.len() as u64;
                inflating.push(io, chunk, found).await?;
            }
            Err(error) => {
                // What does not hold in the bytes before comes first.
                inflating.drain(io, found).await?;
                return Err(error);
            }
        }
    }
    inflating.finish(io, found).await
}

/// The next bytes of an object, at least one.
pub(super) async fn get_chunk(io: &Io, key: &Key, at: u64, end: u64) -> Result<Vec<u8>> {
    let chunk = io.get(key, Some(at..end.min(at + CHUNK_BYTES))).await?.bytes;
    if chunk.is_empty() {
        let message = "the object became shorter while it was read";
        return Err(Error::new(ErrorKind::Conflict, message).at_key(key));
    }
    Ok(chunk)
}
