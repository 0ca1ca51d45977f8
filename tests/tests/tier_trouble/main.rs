//! What goes wrong with servers, at every request of every operation on a tier: the error is clear,
//! doing it again ends well, and nothing that was flushed is lost.

mod opened;
mod redis;
mod s3;

use std::sync::Arc;
use std::time::{Duration, Instant};

use turnkeep::core::session::tier::{Collect, Flush, Hot};
use turnkeep::{Error, ErrorKind, Fork, Result, Session, Tier};
use turnkeep_tests::build::Random;
use turnkeep_tests::real::{Rig, append, assert_all_once, create, flush, is_race, texts};
use turnkeep_tests::sessions::id;

/// What is done while something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Flush(Hot),
    Hydrate,
    Open,
    Fork,
    Delete,
    Collect,
    Create,
}

const OPERATIONS: [Operation; 8] = [
    Operation::Flush(Hot::Clear),
    Operation::Flush(Hot::Keep),
    Operation::Hydrate,
    Operation::Open,
    Operation::Fork,
    Operation::Delete,
    Operation::Collect,
    Operation::Create,
];

/// A session, before something is done to it.
struct Scene {
    name: String,
    /// What the cold store acknowledged, and what only the hot one did.
    flushed: Vec<String>,
    hot: Vec<String>,
    tier: Arc<Tier>,
}

impl Scene {
    /// A session with a segment in the cold store, and for what needs it something new.
    fn new(rig: &Rig, tier: &Arc<Tier>, name: String, operation: Operation) -> Self {
        let mut session = Some(create(&rig.tier, &name));
        let long = Random::new(1).text(3000);
        let flushed = vec![format!("{name} {long}"), "short".to_owned()];
        flushed.iter().for_each(|text| _ = append(&rig.tier, &name, &mut session, text));
        let is_hot = matches!(operation, Operation::Flush(_) | Operation::Delete);
        flush(&rig.tier, &name, if is_hot { Hot::Keep } else { Hot::Clear }).expect("a flush");
        let hot = match is_hot {
            true => vec![format!("{name} new {long}"), "new".to_owned()],
            false => Vec::new(),
        };
        hot.iter().for_each(|text| _ = append(&rig.tier, &name, &mut session, text));
        Self { name, flushed, hot, tier: tier.clone() }
    }

    fn all(&self) -> Vec<String> {
        [&self.flushed[..], &self.hot].concat()
    }

    fn child(&self) -> String {
        format!("{}-child", self.name)
    }

    fn act(&self, operation: Operation) -> Result<()> {
        self.act_on(&self.tier, operation)
    }

    fn act_on(&self, tier: &Arc<Tier>, operation: Operation) -> Result<()> {
        let session = id(&self.name);
        match operation {
            Operation::Flush(hot) => tier.flush(&session, Flush::default().hot(hot)).map(|_| ()),
            Operation::Hydrate => tier.hydrate(&session).map(|_| ()),
            Operation::Open => {
                let session = Session::open(tier.clone(), &session)?;
                session.state().map(|state| assert_eq!(state.history.len(), 2))
            }
            Operation::Fork => {
                let parent = Session::open(tier.clone(), &session)?;
                parent.fork(Fork::default().with_id(id(&self.child()))).map(|_| ())
            }
            Operation::Delete => tier.delete(&session),
            Operation::Collect => tier.collect(Collect::default()).map(|_| ()),
            Operation::Create => {
                let create = turnkeep::Create::default().with_id(id(&self.child()));
                Session::create(tier.clone(), create).map(|_| ())
            }
        }
    }

    /// Does it again until it is done, now that nothing goes wrong any more, and looks at what came
    /// of it. Whether it had been done is told by its first error.
    fn finish(&self, rig: &Rig, operation: Operation, at: &str) {
        // Patiently: on a busy machine what works takes longer than what was waited for.
        let again = self.act_on(&rig.tier, operation);
        let may_be_done = match operation {
            Operation::Delete => Some(ErrorKind::NotFound),
            Operation::Fork | Operation::Create => Some(ErrorKind::AlreadyExists),
            _ => None,
        };
        if let Err(error) = again {
            assert_eq!(Some(error.kind()), may_be_done, "{at}: {error}");
        }
        let opened = Session::open(rig.tier.clone(), &id(&self.name));
        if operation == Operation::Delete {
            assert_eq!(opened.expect_err("deleted").kind(), ErrorKind::NotFound, "{at}");
            assert_eq!(rig.archived(&self.name), [""; 0], "{at}");
            return;
        }
        assert_eq!(texts(&opened.expect("it opens")), self.all(), "{at}");
        if let Operation::Flush(_) = operation {
            assert_eq!(rig.archived(&self.name), self.all(), "{at}");
        } else {
            assert_eq!(rig.archived(&self.name), self.flushed, "{at}");
        }
        if matches!(operation, Operation::Fork | Operation::Create) {
            let child = rig.tier.hydrate(&id(&self.child()));
            let child = child.or_else(|_| Session::open(rig.tier.clone(), &id(&self.child())));
            let found = texts(&child.expect("the child"));
            let wanted = if operation == Operation::Fork { self.all() } else { Vec::new() };
            assert_eq!(found, wanted, "{at}");
        }
        // And it goes on.
        append(&rig.tier, &self.name, &mut None, "on");
        flush(&rig.tier, &self.name, Hot::Clear).expect("a flush");
        let mut wanted = self.all();
        wanted.push("on".into());
        assert_all_once(&rig.archived(&self.name), &wanted, at);
    }
}

/// What a caller is told when a server fails.
#[track_caller]
fn assert_clear(error: &Error, at: &str) {
    let is_store = error.kind() == ErrorKind::StoreFailed && error.is_retryable();
    assert!(is_store || is_race(error), "{at}: {error}");
    assert!(!error.message().is_empty());
}

fn seconds(since: Instant) -> f64 {
    Duration::as_secs_f64(&since.elapsed())
}
