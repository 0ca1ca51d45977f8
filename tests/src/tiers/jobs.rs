//! What is done with the session "a".

use turnkeep::core::session::tier::{self, Flush, Hot};
use turnkeep::core::session::{self, Append, At, Fork};
use turnkeep::{Create, Result};

use super::past::draft;
use super::world::World;
use crate::retention::{Job, Outcome, first_then, job};
use crate::sessions::id;

/// A flush.
#[must_use]
pub fn flushing(hot: Hot) -> Job {
    job(move || tier::flush(id("a"), Flush::default().hot(hot)).with_cold_store())
}

/// An append of a text, unless it is there, to the session as it is found.
#[must_use]
pub fn appending(text: &str) -> Job {
    let append = Append::from([draft(text)]).once();
    let open = || session::open(id("a")).with_cold_store();
    first_then(open, move |opened| session::append(opened, append.clone()).with_cold_store())
}

/// The same, after hydrating it.
#[must_use]
pub fn waking(text: &str) -> Job {
    let append = Append::from([draft(text)]).once();
    let hydrate = || tier::hydrate(id("a")).with_cold_store();
    first_then(hydrate, move |hydrated| {
        session::append(hydrated.session, append.clone()).with_cold_store()
    })
}

/// A hydration.
#[must_use]
pub fn hydrating() -> Job {
    job(|| tier::hydrate(id("a")).with_cold_store())
}

/// A creation, with a text.
#[must_use]
pub fn creating(text: &str) -> Job {
    let mut create = Create::default().with_id(id("a"));
    create.entries = Append::from([draft(text)]).drafts;
    job(move || session::create(create.clone()).with_cold_store())
}

/// A deletion.
#[must_use]
pub fn deleting() -> Job {
    job(|| session::delete(id("a")).with_cold_store())
}

/// A fork into "b".
#[must_use]
pub fn forking(at: At) -> Job {
    let fork = Fork::at(at).with_id(id("b"));
    job(move || session::fork(id("a"), fork.clone()).with_cold_store())
}

/// A pull.
#[must_use]
pub fn pulling() -> Job {
    job(|| tier::pull(id("a")).with_cold_store())
}

/// How an operation ended, in a word.
#[must_use]
pub fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        None => "stopped",
        Some(Ok(())) => "ok",
        Some(Err(error)) => error.code(),
    }
}

/// Collects what was not used for eight days, and says what was deleted.
///
/// # Errors
///
/// As the collection.
pub fn collect_later(world: &World) -> Result<Vec<turnkeep::Key>> {
    world.wait(8 * crate::retention::DAY_MS);
    world.run(tier::collect(tier::Collect::default())).map(|collected| collected.deleted)
}
