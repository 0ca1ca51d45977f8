//! A hot store in front of a cold one.

use std::ops::Range;
use std::sync::Arc;

use turnkeep_core::session::tier::{self, Flush, Flushed};
use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Holder, Info, Key, Listing, Object, StageId,
};
use turnkeep_core::zeitlich::Snapshot;
use turnkeep_core::{Result, SessionId};

use crate::{Session, Store, drive};

/// A hot store (Redis, memory, files) in front of a cold one (S3 and the like). It is a store itself:
/// sessions are created, opened, appended to and read through it as through any other, wherever
/// their entries lie. What happens now is in the hot store; [`Tier::flush`] writes what is new into
/// the cold one, and [`Tier::hydrate`] brings back what going on needs.
///
/// ```
/// use std::sync::Arc;
/// use turnkeep::{Create, Draft, MemoryStore, Session, SessionId, Tier, core::session::tier::Flush};
///
/// // In earnest: RedisStore and S3Store.
/// let tier = Tier::open(Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()))?;
/// let id = SessionId::new("thread-1")?;
/// let session = Session::create(tier.clone(), Create::default().with_id(id.clone()))?;
/// session.append(&[Draft::user_input(r#"{"role":"user","content":"Hi"}"#)])?;
/// assert_eq!(tier.flush(&id, Flush::default())?.entries, 2);
///
/// // Another worker, another day.
/// let session = tier.hydrate(&id)?;
/// session.append(&[Draft::assistant_item(r#"{"role":"assistant","content":"Ho"}"#)])?;
/// assert_eq!(session.state()?.history.len(), 2);
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub struct Tier {
    hot: Arc<dyn Store>,
    cold: Arc<dyn Store>,
}

impl Tier {
    /// Puts a hot store in front of a cold one, after trying out by a small race whether the cold one
    /// lets exactly one writer create an object. `not_supported` where it does not: sessions in it
    /// could be lost.
    pub fn open(hot: Arc<dyn Store>, cold: Arc<dyn Store>) -> Result<Arc<Self>> {
        let opened = Self { hot, cold };
        drive(tier::probe(), &opened)?;
        Ok(Arc::new(opened))
    }

    /// The same for reading only: the cold store is not tried out.
    #[must_use]
    pub fn open_reading(hot: Arc<dyn Store>, cold: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { hot, cold })
    }

    /// Brings a session into the hot store, as far as going on with it needs: two requests to the
    /// cold one, whatever the session's length; none where it is hot already. May be done again at
    /// any time, and by several at once. `not_found` where neither store has it.
    pub fn hydrate(self: &Arc<Self>, id: &SessionId) -> Result<Session> {
        drive(tier::hydrate(id.clone()), &**self)?;
        Session::open(self.clone(), id)
    }

    /// Writes what is new in the hot store into the cold one, and then clears the hot one unless
    /// something was appended meanwhile. May be done again at any time, and by several at once.
    /// `conflict` where the cold store has other entries, `not_found` where the session was deleted.
    pub fn flush(&self, id: &SessionId, options: Flush) -> Result<Flushed> {
        drive(tier::flush(id.clone(), options), self)
    }

    /// The last state slice of a session, as JSON: what was appended since the last flush is read,
    /// nothing before that.
    pub fn slice(&self, id: &SessionId) -> Result<Option<String>> {
        drive(tier::slice(id.clone()), self)
    }

    /// Brings all of a session into the hot store, as a log that stands alone.
    pub fn pull(&self, id: &SessionId) -> Result<tier::Copied> {
        drive(tier::pull(id.clone()), self)
    }

    /// Collects what no session in the cold store needs any more.
    pub fn collect(&self, options: tier::Collect) -> Result<tier::Collected> {
        drive(tier::collect(options), self)
    }

    /// Some sessions of the cold store, after that one.
    pub fn cold_sessions(
        &self,
        after: Option<&SessionId>,
        limit: u32,
    ) -> Result<tier::ColdSessions> {
        drive(tier::sessions(after.cloned(), limit), self)
    }

    /// The thread of zeitlich's that a session holds ([`turnkeep_core::zeitlich::session_id`] tells
    /// which); `None` where there is no such session.
    pub fn read_thread(&self, id: &SessionId) -> Result<Option<Snapshot>> {
        drive(tier::read_thread(id.clone()), self)
    }

    /// Makes a session hold a thread of zeitlich's, and flushes it: only what changed is written.
    pub fn write_thread(&self, id: &SessionId, snapshot: Snapshot) -> Result<Flushed> {
        drive(tier::write_thread(id.clone(), snapshot), self)
    }

    /// Deletes a session in both stores, for good: no flush under way brings it back.
    pub fn delete(&self, id: &SessionId) -> Result<()> {
        crate::delete(self, id)
    }
}

impl std::fmt::Debug for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tier").finish_non_exhaustive()
    }
}

impl Store for Tier {
    fn cold(&self) -> Option<&dyn Store> {
        Some(&*self.cold)
    }

    fn capabilities(&self) -> Capabilities {
        self.hot.capabilities()
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        self.hot.get(key, range)
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        self.hot.put(key, bytes, condition)
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        self.hot.append(key, bytes, after, durability)
    }

    fn sync(&self, key: &Key) -> Result<()> {
        self.hot.sync(key)
    }

    fn can_sync(&self) -> bool {
        self.hot.can_sync()
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>> {
        self.hot.holder(key)
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        self.hot.delete(key, condition)
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        self.hot.list(prefix, after, limit)
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.hot.info(key)
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        self.hot.stage(key)
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        self.hot.stage_part(stage, number, bytes)
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        self.hot.get_staged(stage, range)
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        self.hot.commit(stage, condition)
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.hot.abort(stage)
    }

    fn release(&self, key: &Key) {
        self.hot.release(key);
    }
}
