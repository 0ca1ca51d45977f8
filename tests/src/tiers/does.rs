//! What may be done to the session "a" while others do something too.

use turnkeep::core::session::tier::{self, Flush, Hot};
use turnkeep::core::session::{self, Append, At, Fork};
use turnkeep::{Create, Error, ErrorKind, Range};

use super::look::texts_of;
use super::past::{Past, draft};
use crate::retention::{Job, Running, first_then, job, judged};
use crate::sessions::id;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// Flushes, and removes the hot part.
    Clear,
    /// Flushes, and keeps the session hydrated.
    Keep,
    /// Flushes, and leaves the hot part.
    Leave,
    /// Appends by a handle that was opened before.
    Stale,
    /// Opens, then appends.
    Append,
    /// The same, unless it is there.
    Once,
    /// Hydrates.
    Hydrate,
    /// Hydrates, then appends.
    Wake,
    /// Deletes.
    Delete,
    /// Creates it.
    Create,
    /// Creates the session "b".
    CreateB,
    /// Forks into a new id.
    Fork,
    /// Forks into the id "b".
    ForkTo,
    /// The same, at an entry before the head.
    ForkBack,
    /// Pulls.
    Pull,
    /// Collects what is not used.
    Collect,
    /// Reads all of it, at once.
    Read,
    /// The same, the last entry first.
    ReadBack,
    /// Verifies.
    Verify,
}

use Does::{
    Append as Appends, Clear, Collect, Create as Creates, CreateB, Delete, Fork as Forks, ForkBack,
    ForkTo, Hydrate, Keep, Leave, Once, Pull, Read, ReadBack, Stale, Verify, Wake,
};

impl Does {
    /// Whether it appends.
    #[must_use]
    pub fn is_append(self) -> bool {
        matches!(self, Stale | Appends | Once | Wake)
    }

    /// Whether it forks into "b".
    #[must_use]
    pub fn is_fork_to(self) -> bool {
        matches!(self, ForkTo | ForkBack)
    }

    /// Whether it gives the id "b".
    #[must_use]
    pub fn is_of_b(self) -> bool {
        self.is_fork_to() || self == CreateB
    }

    /// Whether it may move a session from one store to the other.
    fn is_moving(self) -> bool {
        matches!(self, Clear | Keep | Hydrate | Wake | Pull)
    }

    /// What it may say for reasons of its own or of the others.
    #[must_use]
    pub fn may_refuse(self, code: &str, others: &[Self], has_past: bool) -> bool {
        let is_gone = !has_past || others.contains(&Delete);
        let is_new = others.contains(&Creates);
        let is_raced = others.iter().any(|other| other.is_append());
        // Nothing is lost where it is told so: it gives up after some tries.
        let is_moved = others.iter().filter(|other| other.is_moving()).count() > 1;
        match code {
            "conflict" if self.is_append() => is_raced || is_moved || is_gone || is_new,
            "conflict" => is_gone && is_new && self != Creates,
            "already_exists" if self == Creates => true,
            "already_exists" => self.is_of_b() && others.iter().any(|other| other.is_of_b()),
            "not_found" => is_gone || self == Delete,
            // What is being deleted may lie there in parts.
            "broken_link" | "pruned" => others.contains(&Delete),
            _ => false,
        }
    }
}

/// What the operation of that number says.
#[must_use]
pub(super) fn text(at: usize) -> String {
    format!("new-{at} and some words")
}

fn drafts(at: usize) -> Append {
    Append::from([draft(&text(at))])
}

/// The operation, as the one of that number.
///
/// # Panics
///
/// Where a handle is needed, and there is no session.
#[must_use]
pub(super) fn running(does: Does, at: usize, past: &Past) -> Job {
    let flush =
        |hot| job(move || tier::flush(id("a"), Flush::default().hot(hot)).with_cold_store());
    let open = || session::open(id("a")).with_cold_store();
    let fork = |fork: Fork| job(move || session::fork(id("a"), fork.clone()).with_cold_store());
    match does {
        Clear => flush(Hot::Clear),
        Keep => flush(Hot::Keep),
        Leave => flush(Hot::Leave),
        Stale => {
            let world = past.world.copy();
            Box::new(move || -> Box<dyn Running> {
                // Clones of a handle share what they know.
                let opened = world.run(session::open(id("a")));
                let append = move || match &opened {
                    Ok(opened) => session::append(opened.clone(), drafts(at)).with_cold_store(),
                    Err(_) => panic!("there is no session"),
                };
                job(append)()
            })
        }
        Appends => {
            first_then(open, move |opened| session::append(opened, drafts(at)).with_cold_store())
        }
        Once => first_then(open, move |opened| {
            session::append(opened, drafts(at).once()).with_cold_store()
        }),
        Hydrate => job(|| tier::hydrate(id("a")).with_cold_store()),
        Wake => first_then(
            || tier::hydrate(id("a")).with_cold_store(),
            move |hydrated| session::append(hydrated.session, drafts(at)).with_cold_store(),
        ),
        Delete => job(|| session::delete(id("a")).with_cold_store()),
        Creates => creating("a", at),
        CreateB => creating("b", at),
        Forks => fork(Fork::default()),
        ForkTo => fork(Fork::default().with_id(id("b"))),
        ForkBack => fork(Fork::at(At::Seq(1)).with_id(id("b"))),
        Pull => job(|| tier::pull(id("a")).with_cold_store()),
        Read => reader(past, Range::all(), |lines| lines),
        ReadBack => reader(past, Range::all().newest_first(), |mut lines| {
            lines.reverse();
            lines
        }),
        Verify => judged(
            || session::verify(id("a"), None, true).with_cold_store(),
            |report| report.fault.clone().map_or(Ok(()), Err),
        ),
        Collect => job(|| tier::collect(tier::Collect::default()).with_cold_store()),
    }
}

fn creating(name: &'static str, at: usize) -> Job {
    job(move || {
        let mut create = Create::default().with_id(id(name));
        create.entries = drafts(at).drafts;
        session::create(create).with_cold_store()
    })
}

/// Reads what was there before, and perhaps what came since.
fn reader(past: &Past, range: Range, order: fn(Vec<String>) -> Vec<String>) -> Job {
    let before = past.texts.clone().unwrap_or_default();
    judged(
        move || session::read(id("a"), range.clone()).with_cold_store(),
        move |page| {
            let lines = String::from_utf8(page.lines.clone()).expect("text");
            let lines = order(lines.split_inclusive('\n').map(str::to_owned).collect());
            let mut texts = texts_of(&lines);
            // A page ends where a part does.
            let is_right = match page.next {
                None => texts.starts_with(&before),
                Some(_) => {
                    texts.retain(|text| !text.starts_with("new-"));
                    before.starts_with(&texts) || before.ends_with(&texts)
                }
            };
            let wrong = || Error::new(ErrorKind::BadSeq, format!("a wrong read: {lines:?}"));
            is_right.then_some(()).ok_or_else(wrong)
        },
    )
}
