//! Hydrating: what is needed to go on with a session comes into the hot store.

use alloc::boxed::Box;
use alloc::string::String;

use super::Task;
use super::anchored::is_outdated;
use super::claim::{nonce, take};
use super::flush::{Flush, flush_session};
use crate::cold::{Anchor, Manifest};
use crate::log::Writer;
use crate::session::again::{TRIES, is_overtaken};
use crate::session::cold::{deleted, newest};
use crate::session::open::find_session;
use crate::session::source::{Shift, Source};
use crate::session::{Form, Session};
use crate::store::{Condition, Key, Part};
use crate::task::{Answer, Io};
use crate::{Error, ErrorKind, Result, SessionId};

/// What hydrating did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Hydrated {
    /// The session, open.
    pub session: Session,
    /// It was in the hot store already. The cold one was asked only if that is so for an hour, or more.
    pub was_hot: bool,
}

/// Brings a session from the cold store into the hot one, as far as going on with it needs: its head,
/// and where everything else lies. Costs the same whatever the session's length. May be done again
/// at any time, and by several at once. A session that is in the hot store stays as it is, unless
/// others joined its segments since: then it is flushed first. `not_found` where no store has the
/// session.
#[must_use]
pub fn hydrate(id: SessionId) -> Task<Hydrated> {
    Task::new(async move |io| {
        hydrate_session(&io, &id).await.map_err(|error| error.in_session(&id))
    })
}

pub(super) fn hydrate_session<'a>(io: &'a Io, id: &'a SessionId) -> Answer<'a, Hydrated> {
    Box::pin(async move {
        let cold = io.cold_store()?;
        let stamp = io.stamp(16).await?;
        let mut tries = 1;
        loop {
            // Claimed before the cold store is asked: when a session is not in the hot store, all of it
            // was committed to the cold one. What is read there from now on is the newest.
            let claim = match take(io, id, &stamp).await {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let (session, source) = find_session(io, id).await?;
                    if tries < TRIES && cleared(io, id, &source, stamp.now_ms).await {
                        tries += 1;
                        continue;
                    }
                    return Ok(Hydrated { session, was_hot: true });
                }
                claim => claim?,
            };
            let found = newest(&cold, id).await.and_then(|manifest| {
                let missing = || Error::new(ErrorKind::NotFound, "there is no such session");
                manifest.filter(|manifest| manifest.held.is_some()).ok_or_else(missing)
            });
            let manifest = match found {
                Ok(manifest) => manifest,
                Err(error) => {
                    claim.release(io, id).await;
                    return Err(error);
                }
            };
            let version = Condition::Version(claim.version.clone());
            match anchor(io, id, manifest, nonce(&stamp), version).await {
                Ok((session, _)) => return Ok(Hydrated { session, was_hot: false }),
                Err(error) if is_overtaken(&error) && tries < TRIES => tries += 1,
                Err(error) => {
                    claim.release(io, id).await;
                    return Err(error);
                }
            }
        }
    })
}

/// Clears the hot store of a session whose anchor names what may be gone. Where that cannot be, it
/// stays as it is: what was appended to it is there.
async fn cleared(io: &Io, id: &SessionId, source: &Source, now_ms: u64) -> bool {
    if !is_outdated(io, source, now_ms).await.unwrap_or_default() {
        return false;
    }
    let flushed = flush_session(io, id, &Flush::default().merging(false)).await;
    flushed.is_ok_and(|flushed| flushed.cleared)
}

/// Puts an anchor of that manifest, followed by nothing, in a log's place; gives its version too.
pub(super) async fn anchor(
    io: &Io,
    id: &SessionId,
    manifest: Manifest,
    nonce: u64,
    condition: Condition,
) -> Result<(Session, String)> {
    let held = manifest.held.as_ref().ok_or_else(deleted)?;
    let writer = Writer::resume(id.clone(), held.head, held.is_salted).forked_at(held.fork);
    let (first_seq, offset, about) = (held.head.seq + 1, held.head.bytes, held.about.clone());
    let line = Anchor { manifest, first_seq, offset }.encode(nonce);
    let shift = Shift::new(offset, line.len() as u64);
    let session = Session { shift, ..Session::new(writer) }.starting_with(&line);
    let condition = if planted!(HydrateOverwrites) { Condition::Any } else { condition };
    let version = io.put(&Key::of(id, Part::Log), line, condition).await?.version;
    if let Some(about) = about {
        // One that is there is newer; and without it the session is whole.
        let about = (about + "\n").into_bytes();
        io.put(&Key::of(id, Part::About), about, Condition::Absent).await.ok();
    }
    Ok((session, version))
}

/// A session of the cold store that is about to be written to, if it is still at the same entry.
pub(in crate::session) async fn hydrated(io: &Io, session: Session) -> Result<Session> {
    let now = hydrate_session(io, session.id()).await?.session;
    if now.head() == session.head() && now.form != Form::Cold {
        return Ok(now);
    }
    let error = Error::new(ErrorKind::Conflict, "someone else wrote to the session");
    Err(now.head().map_or(error.clone(), |actual| error.with_actual(actual)))
}
