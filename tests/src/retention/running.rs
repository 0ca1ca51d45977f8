//! Operations under way, request by request.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use turnkeep::Result;
use turnkeep::core::session;
use turnkeep::core::store::{Reply, Request};
use turnkeep::core::task::{RequestId, Step, Task};

use crate::sessions::id;

/// How an operation ended; `None` where its host was gone before.
pub type Outcome = Option<Result<()>>;

/// An operation under way.
pub trait Running {
    /// What it asks for; `None` once it is over.
    fn request(&mut self) -> Option<Request>;
    /// Answers what it asked for last.
    fn answer(&mut self, reply: Reply);
    /// How it ended, if it did.
    fn outcome(&self) -> Outcome;
    /// Changes with everything that it was told.
    fn heard(&self) -> u64;
}

/// An operation that can be started again and again.
pub type Job = Box<dyn Fn() -> Box<dyn Running>>;

/// An operation by its task.
pub fn job<T: Debug + 'static>(task: impl Fn() -> Task<T> + 'static) -> Job {
    Box::new(move || Box::new(Of::new(task())))
}

/// An operation whose result is looked at: what it fails for, it is said to have failed for.
pub fn judged<T: 'static>(
    task: impl Fn() -> Task<T> + 'static,
    judge: impl Fn(&T) -> Result<()> + Clone + 'static,
) -> Job {
    Box::new(move || {
        let judge: Option<Judge<T>> = Some(Box::new(judge.clone()));
        Box::new(Of { judge, ..Of::new(task()) })
    })
}

/// An operation on the session "a", which is opened first.
pub fn open_then<T: Debug + 'static>(
    then: impl Fn(session::Session) -> Task<T> + Clone + 'static,
) -> Job {
    first_then(|| session::open(id("a")), then)
}

/// An operation on what another one gives.
pub fn first_then<F: Debug + Clone + 'static, T: Debug + 'static>(
    first: impl Fn() -> Task<F> + 'static,
    then: impl Fn(F) -> Task<T> + Clone + 'static,
) -> Job {
    Box::new(move || Box::new(Then { first: Of::new(first()), then: then.clone(), second: None }))
}

type Judge<T> = Box<dyn Fn(&T) -> Result<()>>;

struct Of<T> {
    judge: Option<Judge<T>>,
    task: Task<T>,
    waiting: VecDeque<(RequestId, Request)>,
    outcome: Option<Result<T>>,
    heard: DefaultHasher,
}

impl<T> Of<T> {
    fn new(task: Task<T>) -> Self {
        let (waiting, heard) = (VecDeque::new(), DefaultHasher::new());
        let mut of = Self { judge: None, task, waiting, outcome: None, heard };
        of.go_on();
        of
    }

    fn go_on(&mut self) {
        match self.task.next() {
            Step::Done(result) => self.outcome = Some(result),
            Step::Requests(requests) => self.waiting.extend(requests),
        }
    }
}

impl<T> Running for Of<T> {
    fn request(&mut self) -> Option<Request> {
        self.waiting.front().map(|(_, request)| request.clone())
    }

    fn answer(&mut self, reply: Reply) {
        match &reply {
            Reply::Object(object) => (&object.bytes, &object.info.version).hash(&mut self.heard),
            other => format!("{other:?}").hash(&mut self.heard),
        }
        if let Some((id, _)) = self.waiting.pop_front() {
            self.task.reply(id, reply);
            self.go_on();
        }
    }

    fn outcome(&self) -> Outcome {
        let judge = |value| self.judge.as_ref().map_or(Ok(()), |judge| judge(value));
        let outcome = self.outcome.as_ref()?;
        Some(outcome.as_ref().map_err(Clone::clone).and_then(judge))
    }

    fn heard(&self) -> u64 {
        self.heard.finish()
    }
}

struct Then<F, T, G> {
    first: Of<F>,
    then: G,
    second: Option<Of<T>>,
}

impl<F: Clone, T, G: Fn(F) -> Task<T>> Running for Then<F, T, G> {
    fn request(&mut self) -> Option<Request> {
        if let (None, Some(Ok(found))) = (&self.second, &self.first.outcome) {
            self.second = Some(Of::new((self.then)(found.clone())));
        }
        match &mut self.second {
            Some(second) => second.request(),
            None => self.first.request(),
        }
    }

    fn answer(&mut self, reply: Reply) {
        match &mut self.second {
            Some(second) => second.answer(reply),
            None => self.first.answer(reply),
        }
    }

    fn outcome(&self) -> Outcome {
        match (&self.second, &self.first.outcome) {
            (Some(second), _) => second.outcome(),
            (None, Some(Err(error))) => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn heard(&self) -> u64 {
        self.first.heard() ^ self.second.as_ref().map_or(0, Of::heard).rotate_left(1)
    }
}
