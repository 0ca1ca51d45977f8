//! The tiers that these replace (zeitlich 0.2): its tests under their own names, and a test for each
//! of its weaknesses, which would have shown it.
//!
//! | there | here |
//! |---|---|
//! | cold store: `read`, `write` | `Tier::read_thread`, `Tier::write_thread`; `Snapshot` reads and writes its objects |
//! | cold store: prefix, one object per thread, content type | none: the object layout (`docs/format.md` §7.3); a store's prefix is its option |
//! | `encodeSnapshot` | `Tier::read_thread` |
//! | `applySnapshot`: pipeline, meta last | `Tier::hydrate`: one anchor, put whole under a condition; nothing else to be half done |
//! | `clearHotTier` | `Hot::Clear` |
//! | hydrate, flush without a cold store do nothing | `not_supported`: a tier without one is no tier |
//! | `deleteHot: false` | `Hot::Keep`, `Hot::Leave` |
//! | hydrate of what is nowhere does nothing | `not_found` |
//! | meta key, dedup keys | none: the log itself, and its items' ids |
//! | `saveState`, `loadState`, `deleteState` | an entry `state`, `Tier::slice`, an entry with `null` |
//! | fork into an id | `Session::fork` |
//! | activities of a session | `Tier::run` |
//! | key formats, 90 days | names of `RedisStore` (`scripts/README.md`), `RedisOptions::ttl` |

mod cold_store;
mod defects;
mod keys;
mod manager;
mod session;
mod snapshot;
mod tiered;

use std::sync::Arc;

use turnkeep::core::session::tier::{Flush, Flushed, Hot};
use turnkeep::core::zeitlich::{Snapshot, session_id};
use turnkeep::{Append, Create, Draft, MemoryStore, Result, Session, SessionId, Tier};
use turnkeep_tests::real::keys as keys_of;
use turnkeep_tests::spy::Spy;

/// A tier over memory.
struct Rig {
    hot: Arc<Spy<MemoryStore>>,
    cold: Arc<Spy<MemoryStore>>,
    tier: Arc<Tier>,
}

const STATE: &str = r#"{"tasks":[["t1",{"id":"t1"}]],"custom":{"counter":3}}"#;

impl Rig {
    fn new() -> Self {
        let [hot, cold] = [(); 2].map(|()| Arc::new(Spy::new(MemoryStore::new())));
        let tier = Tier::open(hot.clone(), cold.clone()).expect("a tier");
        hot.cost();
        cold.cost();
        Self { hot, cold, tier }
    }

    fn create(&self) -> Session {
        let create = Create::default().with_id(thread());
        Session::create(self.tier.clone(), create).expect("a new session")
    }

    fn open(&self) -> Session {
        Session::open(self.tier.clone(), &thread()).expect("it opens")
    }

    fn flush(&self, hot: Hot) -> Result<Flushed> {
        self.tier.flush(&thread(), Flush::default().hot(hot))
    }

    fn hydrate(&self) -> Result<Session> {
        self.tier.hydrate(&thread())
    }

    fn read(&self) -> Option<Snapshot> {
        self.tier.read_thread(&thread()).expect("it is read")
    }

    fn slice(&self) -> Option<String> {
        self.tier.slice(&thread()).expect("a slice")
    }

    fn write(&self, snapshot: Snapshot) -> Flushed {
        self.tier.write_thread(&thread(), snapshot).expect("it is written")
    }

    /// With three messages and a state.
    fn filled(&self) -> Session {
        let session = self.create();
        once(&session, &["m1", "m2", "m3"]).expect("an append");
        session.append(&[Draft::state(STATE)]).expect("a state");
        session
    }

    fn hot_keys(&self) -> Vec<String> {
        keys_of(&*self.hot)
    }

    fn cold_keys(&self) -> Vec<String> {
        keys_of(&*self.cold)
    }
}

fn thread() -> SessionId {
    session_id("messages", "t-1").expect("an id")
}

fn message(id: &str) -> String {
    format!(r#"{{"id":"{id}","text":"日本"}}"#)
}

/// Appends messages of those ids, unless they are there; whether they were.
fn once(session: &Session, ids: &[&str]) -> Result<bool> {
    let draft = |id: &&str| Draft::item(&message(id)).with_text("id", id);
    let drafts: Vec<_> = ids.iter().map(draft).collect();
    session.append_with(Append::from(drafts).once()).map(|appended| appended.already_applied)
}

fn snapshot(ids: &[&str], state: Option<&str>) -> Snapshot {
    Snapshot {
        messages: ids.iter().map(|id| message(id)).collect(),
        state: state.map(str::to_owned),
        dedup_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn full() -> Snapshot {
    snapshot(&["m1", "m2", "m3"], Some(STATE))
}

fn messages(session: &Session) -> Vec<String> {
    session.state().expect("a state").history.into_iter().map(|item| item.item).collect()
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    outcome.expect_err("an error").code()
}
