//! An open session for async code, on any runtime.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use turnkeep_core::log::{Report, Torn};
use turnkeep_core::recovery::Record;
use turnkeep_core::session::{
    Append, Appended, Archived, Compact, Create, Fork, Form, Page, Place, Range, Summary, View,
};
use turnkeep_core::{Hash, Point, Result, SessionId, State};

use crate::{Draft, Head, Session, Store};

/// A [`Session`] whose operations run on a pool of threads, so that no async task waits for a disk.
/// It needs no runtime of a certain kind. Clones are the same session; together with
/// [`AsyncSession::blocking`] it can be used from async and other code at once. What appends survive
/// is said where the session is made, or by [`Session::with_durability`] before it is turned into
/// one of these.
///
/// An operation starts when its future is first polled. From then on it runs to its end, even where
/// the future is dropped: a cancelled append is appended, or not, but never by half.
///
/// ```
/// use std::sync::Arc;
/// use turnkeep::{AsyncSession, Create, Draft, MemoryStore};
/// # futures_lite::future::block_on(async {
/// let session = AsyncSession::create(Arc::new(MemoryStore::new()), Create::default()).await?;
/// session.append_one(&Draft::user_input(r#""Hi""#)).await?;
/// assert_eq!(session.state().await?.history.len(), 1);
/// # Ok::<_, turnkeep::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct AsyncSession(Arc<Session>);

/// Runs on the pool; goes on where the future is dropped.
async fn run<T: Send + 'static>(operation: impl FnOnce() -> T + Send + 'static) -> T {
    Running(Some(blocking::unblock(operation))).await
}

struct Running<T>(Option<blocking::Task<T>>);

impl<T> Future for Running<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(task) = &mut self.0 else { return Poll::Pending };
        let result = Pin::new(task).poll(context);
        if result.is_ready() {
            self.0 = None;
        }
        result
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

macro_rules! on_the_pool {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {$(
        #[doc = concat!("[`Session::", stringify!($name), "`], on the pool.")]
        pub async fn $name(&self, $($argument: $type),*) -> $output {
            let session = self.0.clone();
            run(move || session.$name($($argument),*)).await
        }
    )*};
}

impl AsyncSession {
    on_the_pool! {
        append_with(append: Append) -> Result<Appended>;
        id() -> SessionId;
        head() -> Option<Head>;
        form() -> Form;
        torn() -> Option<Torn>;
        read(range: Range) -> Result<Page>;
        verify() -> Result<Report>;
        verify_with(expected: Option<(u64, Hash)>, deep: bool) -> Result<Report>;
        state() -> Result<State>;
        state_with(view: View) -> Result<State>;
        summary() -> Result<Summary>;
        ensure_head(id: Option<SessionId>) -> Result<Option<Point>>;
        truncate_from(place: Place) -> Result<Appended>;
        compact(compact: Compact) -> Result<Appended>;
        archive() -> Result<Archived>;
        restore() -> Result<Archived>;
        mark_completed() -> Result<Record>;
    }

    /// [`Session::create`], on the pool.
    pub async fn create(store: Arc<dyn Store>, options: Create) -> Result<Self> {
        run(move || Session::create(store, options)).await.map(Self::from)
    }

    /// [`Session::create_compacted`], on the pool.
    pub async fn create_compacted(
        store: Arc<dyn Store>,
        source: SessionId,
        compact: Compact,
        options: Create,
    ) -> Result<Self> {
        let created = run(move || Session::create_compacted(store, &source, compact, options));
        created.await.map(Self::from)
    }

    /// [`Session::open`], on the pool.
    pub async fn open(store: Arc<dyn Store>, id: &SessionId) -> Result<Self> {
        let id = id.clone();
        run(move || Session::open(store, &id)).await.map(Self::from)
    }

    /// The session for code that may block.
    #[must_use]
    pub fn blocking(&self) -> &Arc<Session> {
        &self.0
    }

    /// Deletes the session and all that is kept beside it; other clones' appends fail from then on.
    pub async fn delete(self) -> Result<()> {
        run(move || self.0.delete_shared()).await
    }

    /// [`Session::append`], on the pool.
    pub async fn append(&self, drafts: &[impl AsRef<str>]) -> Result<u64> {
        let (session, drafts) = (self.0.clone(), owned(drafts));
        run(move || session.append(&drafts)).await
    }

    /// [`Session::append_one`], on the pool.
    pub async fn append_one(&self, draft: &Draft) -> Result<u64> {
        self.append(&[draft]).await
    }

    /// [`Session::save`], on the pool.
    pub async fn save(&self, items: &[impl AsRef<str>]) -> Result<u64> {
        let (session, items) = (self.0.clone(), owned(items));
        run(move || session.save(&items)).await
    }

    /// [`Session::replace_history`], on the pool.
    pub async fn replace_history(&self, items: &[impl AsRef<str>]) -> Result<Appended> {
        let (session, items) = (self.0.clone(), owned(items));
        run(move || session.replace_history(&items)).await
    }

    /// [`Session::fork`], on the pool.
    pub async fn fork(&self, fork: Fork) -> Result<Self> {
        let session = self.0.clone();
        run(move || session.fork(fork)).await.map(Self::from)
    }

    /// [`Session::trace`], on the pool.
    pub async fn trace(&self, event_json: &str) -> Result<()> {
        let (session, event) = (self.0.clone(), event_json.to_owned());
        run(move || session.trace(&event)).await
    }

    /// [`Session::track`], on the pool.
    pub async fn track(&self, project_dir: &str) -> Result<()> {
        let (session, project_dir) = (self.0.clone(), project_dir.to_owned());
        run(move || session.track(&project_dir)).await
    }
}

impl From<Session> for AsyncSession {
    fn from(session: Session) -> Self {
        Self(Arc::new(session))
    }
}

impl From<Arc<Session>> for AsyncSession {
    fn from(session: Arc<Session>) -> Self {
        Self(session)
    }
}

fn owned(texts: &[impl AsRef<str>]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().to_owned()).collect()
}
