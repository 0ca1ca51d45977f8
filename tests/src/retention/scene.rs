//! What a store holds before something happens.

use std::sync::Arc;

use turnkeep::core::session::{self, Append};
use turnkeep::core::store::{After, Condition};
use turnkeep::core::task::Task;
use turnkeep::{Durability, Head, Key, MemoryStore, SessionId, Store};

use super::host::Host;
use super::running::job;
use crate::build::{Member, Random};
use crate::sessions::{archive_key, bytes_of, id, log_key, user};

/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;
/// When the scenes are played; all is a day old then.
pub const NOW_MS: u64 = 1_800_000_000_000;

/// The objects of a store, and what the session "a" is in them.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What it is about.
    pub name: &'static str,
    /// The objects.
    pub objects: Vec<(Key, Vec<u8>)>,
    /// The log of the session "a", without what is torn.
    pub lines: Vec<u8>,
    /// Its head.
    pub head: Head,
}

/// All objects of a store.
#[must_use]
pub fn objects(store: &dyn Store) -> Vec<(Key, Vec<u8>)> {
    let listed = store.list("", None, 1000).expect("a list").objects;
    listed
        .into_iter()
        .map(|(key, _)| (key.clone(), store.get(&key, None).expect("there").bytes))
        .collect()
}

pub(super) fn put_all(store: &dyn Store, objects: &[(Key, Vec<u8>)]) {
    for (key, bytes) in objects {
        store.put(key, bytes, &Condition::Absent).expect("a put");
    }
}

/// The same objects in memory.
#[must_use]
pub fn copied(store: &dyn Store) -> Arc<dyn Store> {
    let copy = MemoryStore::new();
    put_all(&copy, &objects(store));
    Arc::new(copy)
}

/// Appends texts to a session that is opened first.
pub fn appended(store: &dyn Store, name: &SessionId, texts: &[&str]) {
    let session = turnkeep::drive(session::open(name.clone()), store).expect("it opens");
    let drafts: Vec<_> = texts.iter().map(|text| user(text)).collect();
    run(store, move || session::append(session.clone(), Append::from(drafts.clone())));
}

/// Carries out an operation, a day before the scenes are played.
fn run<T: std::fmt::Debug + 'static>(store: &dyn Store, task: impl Fn() -> Task<T> + 'static) {
    let outcome = Host::new(store, NOW_MS - DAY_MS, NOW_MS - DAY_MS).finish(job(task)());
    outcome.expect("an end").expect("no fault");
}

fn create(store: &dyn Store, name: &str) {
    let name = id(name);
    run(store, move || session::create(turnkeep::Create::default().with_id(name.clone())));
}

fn archive(store: &dyn Store) {
    run(store, || session::archive(id("a")));
}

/// Builds a scene: what comes first, then what is archived with it, and what comes after.
struct Builder {
    store: Arc<dyn Store>,
}

impl Builder {
    fn new(texts: &[&str]) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        create(&*store, "a");
        appended(&*store, &id("a"), texts);
        Self { store }
    }

    fn archived(self) -> Self {
        archive(&*self.store);
        self
    }

    fn with(self, texts: &[&str]) -> Self {
        appended(&*self.store, &id("a"), texts);
        self
    }

    /// An object as it was before what was done since.
    fn keeping(self, key: &Key, change: impl FnOnce(Self) -> Self) -> Self {
        let kept = bytes_of(&self.store, key);
        let changed = change(self);
        changed.store.put(key, &kept, &Condition::Any).expect("a put");
        changed
    }

    fn torn(self) -> Self {
        let key = log_key("a");
        let at = self.store.info(&key).map_or(0, |info| info.bytes);
        let torn = self.store.append(&key, b"{\"hash\":\"0a", &After::new(at, 0), Durability::Os);
        torn.expect("an append");
        self
    }

    /// The archive as another program would have written it.
    fn foreign(self) -> Self {
        let log = turnkeep::core::archive::unarchive(&bytes_of(&self.store, &archive_key("a")));
        let gzip = Member::of(&log.expect("an archive")).bytes();
        self.store.put(&archive_key("a"), &gzip, &Condition::Any).expect("a put");
        let record = Key::of(&id("a"), turnkeep::core::store::Part::Retention);
        self.store.delete(&record, &Condition::Any).expect("a delete");
        self
    }

    fn scene(self, name: &'static str) -> Scene {
        let session = crate::sessions::open(&self.store, "a").expect("it opens");
        let lines = crate::sessions::lines(&session, &turnkeep::Range::all()).expect("lines");
        let head = crate::sessions::head(&session);
        Scene { name, objects: objects(&*self.store), lines, head }
    }
}

/// Text that hardly compresses.
fn noise(bytes: usize) -> String {
    let mut random = Random::new(bytes as u64);
    (0..bytes).map(|_| char::from(b'#' + random.below(57) as u8)).collect()
}

/// Sessions in every shape that something may leave them in.
#[must_use]
pub fn scenes() -> Vec<Scene> {
    let start = || Builder::new(&["one", "two", "three"]);
    let large = noise(200_000);
    vec![
        start().scene("a log"),
        start().torn().scene("a torn log"),
        start().archived().scene("an archive"),
        start().archived().with(&["four"]).scene("an archive and more"),
        start().archived().with(&["four"]).torn().scene("an archive and more, torn"),
        start().archived().torn().scene("an archive and an unfinished write"),
        Builder::new(&[&large])
            .archived()
            .with(&["four"])
            .scene("an archive with a large last block and more"),
        start()
            .archived()
            .with(&["four"])
            .archived()
            .with(&["five"])
            .scene("an archive that was merged, and more"),
        start().archived().foreign().scene("a foreign archive"),
        start().archived().foreign().with(&["four"]).scene("a foreign archive and more"),
        start().keeping(&log_key("a"), Builder::archived).scene("a log and an archive of it"),
        start()
            .keeping(&log_key("a"), Builder::archived)
            .with(&["four"])
            .scene("a log and an archive of its start"),
        start()
            .archived()
            .with(&["four"])
            .keeping(&log_key("a"), Builder::archived)
            .scene("a log that its archive holds"),
        start()
            .archived()
            .with(&["four"])
            .keeping(&log_key("a"), Builder::archived)
            .with(&["five"])
            .scene("a log that its archive holds a part of"),
    ]
}

/// An archive of several parts, and more after it.
impl Scene {
    /// An archive of several parts, and more after it.
    #[must_use]
    pub fn several_parts() -> Self {
        let text = noise(4_500_000);
        Builder::new(&[&text, &text[1..], &text[2..]])
            .archived()
            .with(&["more"])
            .scene("several parts")
    }

    /// A store that holds it.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        put_all(&store, &self.objects);
        store
    }

    /// The scene of that name.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        scenes().into_iter().find(|scene| scene.name == name).expect("a scene")
    }
}
