//! Sessions to test with, over every store there is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use turnkeep::core::store::{Condition, Part};
use turnkeep::{
    Create, Draft, FileStore, Head, Key, MemoryStore, Page, Range, Result, Session, SessionId,
    Store,
};

use crate::build::Random;

/// A folder of its own under the system's, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A fresh folder.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("turnkeep-tests-{}-{count}", std::process::id());
        Self::at(std::env::temp_dir().join(name))
    }

    /// One in memory, where the system has a place for that: syncs cost nothing there.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    #[must_use]
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = Self::new();
        match (memory.is_dir(), folder.0.file_name()) {
            (true, Some(name)) => Self::at(memory.join(name)),
            _ => folder,
        }
    }

    fn at(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Runs a test over a fresh store of each sort.
pub fn over_every_store(test: impl Fn(Arc<dyn Store>)) {
    println!("over MemoryStore");
    test(Arc::new(MemoryStore::new()));
    println!("over FileStore");
    let folder = Folder::new();
    test(Arc::new(FileStore::open(folder.path().join("root")).expect("a store")));
}

/// The id of that name.
///
/// # Panics
///
/// Where it is none.
#[must_use]
pub fn id(name: &str) -> SessionId {
    SessionId::new(name).expect("an id")
}

/// The key of a session's live log.
#[must_use]
pub fn log_key(name: &str) -> Key {
    Key::of(&id(name), Part::Log)
}

/// The key of a session's archive.
#[must_use]
pub fn archive_key(name: &str) -> Key {
    Key::of(&id(name), Part::Archive)
}

/// A new session.
///
/// # Errors
///
/// As [`Session::create`].
pub fn create(store: &Arc<dyn Store>, name: &str) -> Result<Session> {
    let mut options = Create::default();
    options.id = Some(id(name));
    Session::create(store.clone(), options)
}

/// Opens a session.
///
/// # Errors
///
/// As [`Session::open`].
pub fn open(store: &Arc<dyn Store>, name: &str) -> Result<Session> {
    Session::open(store.clone(), &id(name))
}

/// A draft of a user's input that is that text.
#[must_use]
pub fn user(text: &str) -> Draft {
    Draft::new("user_input").with_text("item", text)
}

/// Creates a session with so many items, of running text of about that many bytes, ten at a time.
///
/// # Panics
///
/// Where the store refuses.
#[must_use]
pub fn filled(store: &Arc<dyn Store>, name: &str, items: usize, bytes: usize) -> Session {
    let session = create(store, name).expect("a session");
    let mut random = Random::new(items as u64);
    let drafts: Vec<_> = (0..items).map(|_| user(&random.text(bytes))).collect();
    for batch in drafts.chunks(10) {
        session.append(batch).expect("an append");
    }
    session
}

/// The whole object.
///
/// # Panics
///
/// Where there is none.
#[must_use]
pub fn bytes_of(store: &Arc<dyn Store>, key: &Key) -> Vec<u8> {
    store.get(key, None).expect("an object").bytes
}

/// Writes an object, whatever was there.
///
/// # Panics
///
/// Where the store refuses.
pub fn write(store: &Arc<dyn Store>, key: &Key, bytes: &[u8]) {
    store.put(key, bytes, &Condition::Any).expect("a put");
}

/// All pages of a range.
///
/// # Errors
///
/// As [`Session::read`].
pub fn pages(session: &Session, range: &Range) -> Result<Vec<Page>> {
    let mut pages = vec![session.read(range.clone())?];
    while let Some(cursor) = pages.last().and_then(|page| page.next.clone()) {
        pages.push(session.read(range.after(cursor))?);
    }
    Ok(pages)
}

/// The lines of all pages of a range.
///
/// # Errors
///
/// As [`Session::read`].
pub fn lines(session: &Session, range: &Range) -> Result<Vec<u8>> {
    Ok(pages(session, range)?.into_iter().flat_map(|page| page.lines).collect())
}

/// The head of a session, which has one.
///
/// # Panics
///
/// Where it has none.
#[must_use]
pub fn head(session: &Session) -> Head {
    session.head().expect("a head")
}
