//! zeitlich's threads as sessions: its cold store's `read` and `write`.

use alloc::string::String;
use alloc::vec::Vec;

use super::Task;
use super::flush::{Flush, Flushed, flush_session};
use crate::limits::{BATCH_ENTRIES_MAX, THREAD_BATCH_BYTES};
use crate::log::Draft;
use crate::session::again::{again, is_raced};
use crate::session::append::{Append, apply_to};
use crate::session::create::create_session;
use crate::session::open::open_session;
use crate::session::state::folded;
use crate::session::{Create, Session};
use crate::state::State;
use crate::task::Io;
use crate::zeitlich::Snapshot;
use crate::{ErrorKind, Result, SessionId};

/// The thread that a session holds; `None` where there is no such session.
#[must_use]
pub fn read_thread(id: SessionId) -> Task<Option<Snapshot>> {
    Task::new(async move |io| match folded(&io, &id).await {
        Ok(state) => Ok(Some(Snapshot::of(&state))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.in_session(&id)),
    })
}

/// Makes a session hold a thread, and flushes it: what it holds already is not written again. The
/// session is created where there is none.
#[must_use]
pub fn write_thread(id: SessionId, snapshot: Snapshot) -> Task<Flushed> {
    Task::new(async move |io| {
        write(&io, &id, &snapshot).await.map_err(|error| error.in_session(&id))
    })
}

fn is_missing(error: &crate::Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.place().key.is_none()
}

async fn write(io: &Io, id: &SessionId, snapshot: &Snapshot) -> Result<Flushed> {
    // Someone else may write in between: what is missing is less then.
    again(is_raced, || write_once(io, id, snapshot)).await?;
    flush_session(io, id, &Flush::default()).await
}

async fn write_once(io: &Io, id: &SessionId, snapshot: &Snapshot) -> Result<()> {
    let (mut session, state) = match folded(io, id).await {
        Ok(state) => (open_session(io, id).await?, state),
        Err(error) if is_missing(&error) => {
            let create = Create::default().with_id(id.clone());
            (create_session(io, create).await?, State::default())
        }
        Err(error) => return Err(error),
    };
    let drafts = snapshot.changes(&state)?;
    // Of the state that was looked at, and nothing later.
    let mut after = state.head.or(session.head());
    for batch in batches(&drafts) {
        let append = Append { expected: after.map(|head| (head.seq, head.hash)), ..batch };
        session = next(io, session, &append, &state).await?;
        after = session.head();
    }
    Ok(())
}

async fn next(io: &Io, session: Session, append: &Append, state: &State) -> Result<Session> {
    Ok(apply_to(io, session, append, Some(state)).await?.session)
}

/// Drafts in batches that are neither long nor large. The first one holds what drops messages.
fn batches(drafts: &[Draft]) -> Vec<Append> {
    let mut batches = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut bytes = 0;
    for draft in drafts {
        let length = draft.as_str().len();
        if !open.is_empty()
            && (open.len() >= BATCH_ENTRIES_MAX / 2 || bytes + length > THREAD_BATCH_BYTES)
        {
            batches.push(Append::new(core::mem::take(&mut open)));
            bytes = 0;
        }
        bytes += length;
        open.push(draft.as_str().into());
    }
    if !open.is_empty() {
        batches.push(Append::new(open));
    }
    batches
}
