//! Operations in flight: requests out, replies in, a result at the end.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::ops::Range;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use spin::Mutex;

use crate::cache::CacheEntry;
use crate::limits::INTEGER_MAX;
use crate::log::Stamp;
use crate::store::{
    After, CacheRequest, Condition, Durability, Holder, Info, Key, Listing, Object, Reply, Request,
    StageId,
};
use crate::work::Working;
use crate::{Error, ErrorKind, Result};

pub use crate::work::Work;

/// One operation of the core in flight. It does nothing by itself: its host carries out what
/// [`Task::next`] asks for and gives the answers to [`Task::reply`], until it is done. Dropping it
/// gives the operation up; what was requested may still have happened.
///
/// ```
/// use turnkeep_core::store::{Info, Reply, Request};
/// use turnkeep_core::task::{Step, Task};
/// use turnkeep_core::{session, SessionId};
///
/// let mut task = session::list("", None, 10);
/// let Step::Requests(requests) = task.next() else { panic!() };
/// let [(id, Request::List { .. })] = &requests[..] else { panic!() };
/// task.reply(*id, Reply::Listing(Default::default()));
/// let Step::Done(sessions) = task.next() else { panic!() };
/// assert!(sessions.unwrap().sessions.is_empty());
/// ```
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = Result<T>> + Send>>,
    mailbox: Mailbox,
    open: Vec<RequestId>,
    is_over: bool,
}

/// Names a request of a task.
pub type RequestId = u32;

/// What a task wants next.
#[derive(Debug)]
#[must_use]
pub enum Step<T> {
    /// Carry these out, in any order or at once, and reply to each. Empty while replies to earlier
    /// ones are missing, or [`Work`] that was given away is still being done.
    Requests(Vec<(RequestId, Request)>),
    /// The operation is over.
    Done(Result<T>),
}

impl<T> Task<T> {
    pub(crate) fn new<F>(operation: impl FnOnce(Io) -> F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let mailbox = Mailbox::default();
        let future = Box::pin(operation(Io::new(mailbox.clone())));
        Self { future, mailbox, open: Vec::new(), is_over: false }
    }

    /// The same task, which gives its heavy computations to `share` as soon as it has them, so that
    /// other threads can do them meanwhile. Call [`Task::next`] again after each that has ended.
    /// A task without this computes everything itself while it is called.
    #[must_use]
    pub fn sharing_work(self, share: impl FnMut(Work) + Send + 'static) -> Self {
        self.mailbox.0.lock().share = Some(Box::new(share));
        self
    }

    /// The same task, over a store that has a cold store behind it: the host also carries out
    /// [`Request::Cold`]. Without this the task asks for none, and sees what the store itself has.
    #[must_use]
    pub fn with_cold_store(self) -> Self {
        self.mailbox.0.lock().has_cold = true;
        self
    }

    /// What asks this task to end early, from any thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.mailbox.0.lock().is_stopping.clone())
    }

    /// Goes on as far as possible. Call it first, then after every reply (or several).
    #[allow(clippy::should_implement_trait, reason = "a task is no iterator: it needs replies")]
    pub fn next(&mut self) -> Step<T> {
        if self.is_over {
            let message = "the task is over already";
            return Step::Done(Err(Error::new(ErrorKind::InvalidArgument, message)));
        }
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => {
                self.is_over = true;
                Step::Done(result)
            }
            Poll::Pending => {
                let requests = core::mem::take(&mut self.mailbox.0.lock().requests);
                self.open.extend(requests.iter().map(|(id, _)| *id));
                Step::Requests(requests)
            }
        }
    }

    /// Gives the answer to a request. One that was not asked for, or was answered before, is
    /// dropped: a reply that arrives twice does no harm.
    pub fn reply(&mut self, id: RequestId, reply: Reply) {
        if let Some(place) = self.open.iter().position(|open| *open == id) {
            self.open.swap_remove(place);
            self.mailbox.0.lock().replies.push((id, reply));
        }
    }
}

/// Asks a long operation, such as a sweep, to end at the next good place: it then gives what it did
/// so far. Others go on to their end.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// Asks it to end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("open", &self.open).finish_non_exhaustive()
    }
}

/// Carries out an operation that asks for no store, here and now.
pub(crate) fn at_once<T>(operation: impl AsyncFnOnce(Io) -> Result<T>) -> Result<T> {
    let future = core::pin::pin!(operation(Io::new(Mailbox::default())));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err(Error::new(ErrorKind::NotSupported, "the operation needs a store, and has none"))
        }
    }
}

/// What an operation gives that is part of many others: it stands once in the wasm, not once in each
/// of them.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// What lies between an operation and its task. Only ever touched by the thread that calls the
/// task, so the lock is always free.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Letters>>);

#[derive(Default)]
struct Letters {
    last_id: RequestId,
    requests: Vec<(RequestId, Request)>,
    replies: Vec<(RequestId, Reply)>,
    /// Takes work, where the host does.
    share: Option<Box<dyn FnMut(Work) + Send>>,
    is_stopping: Arc<AtomicBool>,
    /// Whether the host carries out [`Request::Cold`].
    has_cold: bool,
}

/// Which of a host's stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StorePlace {
    Hot,
    Cold,
    /// Where a bundle lies.
    Bundle,
}

/// A store as an operation sees it.
#[derive(Clone)]
pub(crate) struct Io {
    mailbox: Mailbox,
    place: StorePlace,
    /// Both layouts lie in it.
    is_alone: bool,
}

macro_rules! answer {
    ($reply:expr, $pattern:pat => $value:expr) => {
        match $reply {
            $pattern => Ok($value),
            Reply::Failed(error) => Err(error),
            _ => Err(Error::new(ErrorKind::StoreFailed, "the host gave another sort of answer")),
        }
    };
}

impl Io {
    fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, place: StorePlace::Hot, is_alone: false }
    }

    /// The cold store behind this one, where there is one.
    pub(crate) fn cold(&self) -> Option<Self> {
        if self.is_alone {
            return Some(self.clone());
        }
        let has_cold = self.mailbox.0.lock().has_cold;
        let place = StorePlace::Cold;
        has_cold.then(|| Self { mailbox: self.mailbox.clone(), place, is_alone: true })
    }

    /// Where the bundle lies.
    pub(crate) fn bundle(&self) -> Self {
        Self { mailbox: self.mailbox.clone(), place: StorePlace::Bundle, is_alone: true }
    }

    /// The same store by itself: what is looked for in a cold store is looked for in it too.
    pub(crate) fn alone(&self) -> Self {
        Self { is_alone: true, ..self.clone() }
    }

    /// The same, where an operation cannot do without.
    pub(crate) fn cold_store(&self) -> Result<Self> {
        let message = "there is no cold store behind this one: open both as a tier";
        self.cold().ok_or_else(|| Error::new(ErrorKind::NotSupported, message))
    }

    pub(crate) fn get<'a>(&'a self, key: &'a Key, range: Option<Range<u64>>) -> Answer<'a, Object> {
        Box::pin(async move {
            let request = Request::Get { key: key.clone(), range: range.clone() };
            let object = self.object_of(request).await.map_err(|e| e.at_key(key))?;
            match is_cut(&object, range) {
                true => Err(crate::session::shorter(key)),
                false => Ok(object),
            }
        })
    }

    pub(crate) fn put<'a>(
        &'a self,
        key: &'a Key,
        bytes: Vec<u8>,
        condition: Condition,
    ) -> Answer<'a, Info> {
        Box::pin(async move {
            let request = Request::Put { key: key.clone(), bytes, condition };
            self.info_of(request).await.map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn append<'a>(
        &'a self,
        key: &'a Key,
        bytes: Vec<u8>,
        after: After,
        durability: Durability,
    ) -> Answer<'a, Info> {
        Box::pin(async move {
            let request = Request::Append { key: key.clone(), bytes, after, durability };
            self.info_of(request).await.map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn sync<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            let request = Request::Sync { key: key.clone() };
            answer!(self.call(request).await, Reply::Done => ()).map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn holder<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Holder>> {
        Box::pin(async move {
            let request = Request::Holder { key: key.clone() };
            answer!(self.call(request).await, Reply::Holder(holder) => holder)
                .map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn delete<'a>(&'a self, key: &'a Key, condition: Condition) -> Answer<'a, ()> {
        Box::pin(async move {
            let request = Request::Delete { key: key.clone(), condition };
            answer!(self.call(request).await, Reply::Done => ()).map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<Key>,
        limit: u32,
    ) -> Answer<'a, Listing> {
        Box::pin(async move {
            let request =
                Request::List { prefix: String::from(prefix), after: after.clone(), limit };
            let listing = answer!(self.call(request).await, Reply::Listing(listing) => listing)?;
            check_listing(&listing, after.as_ref()).map(|()| listing)
        })
    }

    pub(crate) fn info<'a>(&'a self, key: &'a Key) -> Answer<'a, Info> {
        Box::pin(async move {
            let request = Request::Info { key: key.clone() };
            self.info_of(request).await.map_err(|e| e.at_key(key))
        })
    }

    /// `None` where nothing is there.
    pub(crate) fn find<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Info>> {
        Box::pin(async move { found(self.info(key).await) })
    }

    pub(crate) fn stage<'a>(&'a self, key: &'a Key) -> Answer<'a, StageId> {
        Box::pin(async move {
            let request = Request::Stage { key: key.clone() };
            answer!(self.call(request).await, Reply::Stage(stage) => stage)
                .map_err(|e| e.at_key(key))
        })
    }

    pub(crate) fn stage_part<'a>(
        &'a self,
        stage: &'a StageId,
        number: u32,
        bytes: Vec<u8>,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let request = Request::StagePart { stage: stage.clone(), number, bytes };
            answer!(self.call(request).await, Reply::Done => ())
        })
    }

    pub(crate) fn get_staged<'a>(
        &'a self,
        stage: &'a StageId,
        range: Option<Range<u64>>,
    ) -> Answer<'a, Object> {
        Box::pin(async move {
            let request = Request::GetStaged { stage: stage.clone(), range };
            self.object_of(request).await
        })
    }

    pub(crate) fn commit<'a>(
        &'a self,
        stage: &'a StageId,
        condition: Condition,
    ) -> Answer<'a, Info> {
        Box::pin(async move {
            let request = Request::Commit { stage: stage.clone(), condition };
            self.info_of(request).await
        })
    }

    pub(crate) fn abort<'a>(&'a self, stage: &'a StageId) -> Answer<'a, ()> {
        Box::pin(async move {
            let request = Request::Abort { stage: stage.clone() };
            answer!(self.call(request).await, Reply::Done => ())
        })
    }

    /// The next keys of the runtime's cache; none at the end.
    pub(crate) async fn cache_keys(&self, limit: u32) -> Result<Vec<String>> {
        let request = Request::Cache(CacheRequest::Keys { limit });
        answer!(self.call(request).await, Reply::Keys(keys) => keys)
    }

    /// Values of the first of those keys, at least one.
    pub(crate) async fn cache_get(&self, keys: &[String]) -> Result<Vec<Option<CacheEntry>>> {
        let request = Request::Cache(CacheRequest::Get { keys: keys.to_vec() });
        let values = answer!(self.call(request).await, Reply::Values(values) => values)?;
        let strange = "the cache answered for none of the keys, or for more than there were";
        let is_sound = (1..=keys.len()).contains(&values.len());
        is_sound.then_some(values).ok_or_else(|| Error::new(ErrorKind::StoreFailed, strange))
    }

    pub(crate) async fn cache_put(&self, entries: Vec<CacheEntry>) -> Result<()> {
        let request = Request::Cache(CacheRequest::Put { entries });
        answer!(self.call(request).await, Reply::Done => ())
    }

    pub(crate) fn stamp<'a>(&'a self, random_bytes: usize) -> Answer<'a, Stamp> {
        Box::pin(async move {
            let request = Request::Stamp { random_bytes };
            let stamp = answer!(self.call(request).await, Reply::Stamp(stamp) => stamp)?;
            let message = "the host tells no time, or gives too few random bytes";
            let is_sound = stamp.now_ms <= INTEGER_MAX && stamp.random.len() >= random_bytes;
            is_sound.then_some(stamp).ok_or_else(|| Error::new(ErrorKind::StoreFailed, message))
        })
    }

    /// Whether the operation was asked to end early.
    pub(crate) fn is_stopping(&self) -> bool {
        self.mailbox.0.lock().is_stopping.load(Ordering::Relaxed)
    }

    /// Gives a computation away, or does it at once where the host takes none. Whoever calls this
    /// bounds how many are out at a time, for each holds what it works on in memory.
    pub(crate) fn work<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Working<T> {
        let (work, working) = Work::new(compute);
        self.share(work);
        working
    }

    /// Not generic: it would stand in the wasm once for each computation.
    fn share(&self, work: Work) {
        let mut letters = self.mailbox.0.lock();
        match &mut letters.share {
            Some(share) => share(work),
            None => {
                drop(letters);
                work.run();
            }
        }
    }

    /// Asks for several things at once, which the host may do at the same time.
    pub(crate) async fn all(&self, requests: Vec<Request>) -> Vec<Reply> {
        let calls = requests.into_iter().map(|request| self.call(request)).collect();
        Calls { calls, replies: Vec::new() }.await
    }

    fn info_of(&self, request: Request) -> Answer<'_, Info> {
        Box::pin(async move {
            let info = answer!(self.call(request).await, Reply::Info(info) => info)?;
            check_info(&info).map(|()| info)
        })
    }

    fn object_of(&self, request: Request) -> Answer<'_, Object> {
        Box::pin(async move {
            let most = match &request {
                Request::Get { range: Some(range), .. }
                | Request::GetStaged { range: Some(range), .. } => {
                    range.end.saturating_sub(range.start)
                }
                _ => u64::MAX,
            };
            let object = answer!(self.call(request).await, Reply::Object(object) => object)?;
            check_info(&object.info)?;
            if object.bytes.len() as u64 <= most {
                return Ok(object);
            }
            let message = "the store gives more bytes than it was asked for";
            Err(Error::new(ErrorKind::StoreFailed, message))
        })
    }

    fn call(&self, request: Request) -> Call<'_> {
        let request = match (self.place, &request) {
            (StorePlace::Hot, _) | (_, Request::Stamp { .. } | Request::Cache(_)) => request,
            (StorePlace::Cold, _) => Request::Cold(Box::new(request)),
            (StorePlace::Bundle, _) => Request::Bundle(Box::new(request)),
        };
        Call { mailbox: &self.mailbox, state: CallState::New(Some(request)) }
    }
}

/// A length is one that every host can hold, so that sums of some are numbers too.
fn check_info(info: &Info) -> Result<()> {
    let message = "the store tells a length that no object has";
    let is_length = info.bytes <= INTEGER_MAX;
    is_length.then_some(()).ok_or_else(|| Error::new(ErrorKind::StoreFailed, message))
}

/// Whether a read ended before what was asked for, or the object, did: what is missing may be what
/// matters.
fn is_cut(object: &Object, range: Option<Range<u64>>) -> bool {
    let all = object.info.bytes;
    let due = range.map_or(all, |range| range.end.min(all).saturating_sub(range.start));
    (object.bytes.len() as u64) < due
}

/// A listing goes on after the one before: else it would be asked for for ever.
fn check_listing(listing: &Listing, after: Option<&Key>) -> Result<()> {
    let keys = after.into_iter().chain(listing.objects.iter().map(|(key, _)| key));
    if !keys.is_sorted_by(|one, next| one < next) {
        let message = "the store's listing is not in the order of its keys, or does not go on";
        return Err(Error::new(ErrorKind::StoreFailed, message));
    }
    listing.objects.iter().try_for_each(|(_, info)| check_info(info))
}

struct Call<'a> {
    mailbox: &'a Mailbox,
    state: CallState,
}

/// Calls that were made together.
struct Calls<'a> {
    calls: Vec<Call<'a>>,
    replies: Vec<Option<Reply>>,
}

impl Future for Calls<'_> {
    type Output = Vec<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<Reply>> {
        let Self { calls, replies } = &mut *self;
        replies.resize_with(calls.len(), || None);
        for (call, reply) in calls.iter_mut().zip(replies.iter_mut()) {
            if reply.is_none()
                && let Poll::Ready(ready) = Pin::new(call).poll(context)
            {
                *reply = Some(ready);
            }
        }
        if replies.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(core::mem::take(replies).into_iter().flatten().collect())
    }
}

enum CallState {
    New(Option<Request>),
    Sent(RequestId),
}

impl Future for Call<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Reply> {
        let mailbox = self.mailbox;
        let mut letters = mailbox.0.lock();
        match &mut self.state {
            CallState::New(request) => {
                letters.last_id += 1;
                let id = letters.last_id;
                letters.requests.extend(request.take().map(|request| (id, request)));
                self.state = CallState::Sent(id);
                Poll::Pending
            }
            CallState::Sent(id) => {
                let place = letters.replies.iter().position(|(reply, _)| reply == id);
                let reply = place.map(|place| letters.replies.swap_remove(place).1);
                reply.map_or(Poll::Pending, Poll::Ready)
            }
        }
    }
}

/// `None` for an object that is not there.
pub(crate) fn found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
