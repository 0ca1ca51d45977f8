//! Removing what was seen, and nothing else.

use crate::store::{Condition, Key};
use crate::task::Io;
use crate::{ErrorKind, Result};

/// What became of an object that was to be removed.
pub(super) enum Removal {
    Done,
    Missing,
    /// There is another one by now.
    Replaced,
}

/// Removes an object that meets the condition; where the store knows no conditions on removing, any.
pub(super) async fn remove_if(io: &Io, key: &Key, condition: Condition) -> Result<Removal> {
    let removed = match io.delete(key, condition).await {
        Err(error) if error.kind() == ErrorKind::NotSupported => {
            io.delete(key, Condition::Any).await
        }
        removed => removed,
    };
    match removed {
        Ok(()) => Ok(Removal::Done),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Removal::Missing),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(Removal::Replaced),
        Err(error) => Err(error),
    }
}
