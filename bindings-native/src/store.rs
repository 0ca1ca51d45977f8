//! What a store has to do.

use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Holder, Info, Key, Listing, Object, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

/// Where bytes live. The verbs are those of [`turnkeep_core::store::Request`], which says what each
/// promises; a store never sees what a session is. What it cannot do it answers with
/// `not_supported`.
pub trait Store: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// An object's bytes, or those of a range.
    fn get(&self, key: &Key, range: Option<std::ops::Range<u64>>) -> Result<Object>;

    /// Writes an object whole.
    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info>;

    /// Adds bytes after what `after` says, if it is there.
    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info>;

    /// Makes everything that was appended to an object durable.
    fn sync(&self, key: &Key) -> Result<()> {
        Err(Error::new(ErrorKind::NotSupported, "this store makes nothing durable").at_key(key))
    }

    /// Whether [`Store::sync`] works. Then appends that must survive loss of power are written
    /// first, and share the sync that follows; else each is appended with [`Durability::Disk`].
    fn can_sync(&self) -> bool {
        false
    }

    /// Who holds an object for appending.
    fn holder(&self, key: &Key) -> Result<Option<Holder>> {
        let _ = key;
        Ok(None)
    }

    /// Removes an object.
    fn delete(&self, key: &Key, condition: &Condition) -> Result<()>;

    /// Names objects in order.
    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing>;

    /// An object's length and version.
    fn info(&self, key: &Key) -> Result<Info>;

    /// Begins to write an object in parts.
    fn stage(&self, key: &Key) -> Result<StageId>;

    /// Writes a part.
    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()>;

    /// The parts' bytes as they would be published now, or those of a range.
    fn get_staged(&self, stage: &StageId, range: Option<std::ops::Range<u64>>) -> Result<Object>;

    /// Publishes the parts as one object.
    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info>;

    /// Gives the parts up.
    fn abort(&self, stage: &StageId) -> Result<()>;

    /// The cold store behind this one, if there is one: see [`crate::Tier`].
    fn cold(&self) -> Option<&dyn Store> {
        None
    }

    /// Lets go of what is held for writing to an object, such as a lock, so that others can write.
    fn release(&self, key: &Key) {
        let _ = key;
    }
}
