//! What a session has come to: all of it, or what a resume needs.

use alloc::boxed::Box;

use super::Task;
use super::again::{again, is_moving};
use super::open::{check_same, find_session};
use super::range::Range;
use super::read::read_page;
use super::scan::{CHUNK_BYTES, check_reached, scan};
use super::source::Source;
use crate::log::{Head, Torn, Verifier};
use crate::state::{Folder, State};
use crate::task::{Answer, Io};
use crate::{Error, ErrorKind, Result, SessionId};

/// Entries that are looked at first when the last compaction is searched for.
const RECENT_ENTRIES: u64 = 128;

/// How to look at a session's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// Only read from the last compaction on: costs what came since, whatever the session's
    /// length. Usage, extensions and lineage are those since then ([`State::since`] tells).
    pub since_compaction: bool,
    /// Give a history in which every call of a tool has a result
    /// ([`State::with_calls_closed`]).
    pub closes_calls: bool,
}

impl View {
    /// From the last compaction on.
    #[must_use]
    pub fn since_compaction(mut self) -> Self {
        self.since_compaction = true;
        self
    }

    /// With open calls closed.
    #[must_use]
    pub fn with_calls_closed(mut self) -> Self {
        self.closes_calls = true;
        self
    }
}

/// Verifies and folds a session, live or archived, up to its head.
#[must_use]
pub fn state(id: SessionId, view: View) -> Task<State> {
    Task::new(async move |io| {
        let viewed = async {
            let state = match view.since_compaction {
                true => recent(&io, &id).await?,
                false => folded(&io, &id).await?,
            };
            Ok(if view.closes_calls { state.with_calls_closed() } else { state })
        };
        viewed.await.map_err(|error: crate::Error| error.in_session(&id))
    })
}

/// All of a session, folded.
pub(super) fn folded<'a>(io: &'a Io, id: &'a SessionId) -> Answer<'a, State> {
    Box::pin(again(is_moving, move || folded_once(io, id)))
}

async fn folded_once(io: &Io, id: &SessionId) -> Result<State> {
    let (session, _) = find_session(io, id).await?;
    let mut folder = Folder::default();
    let source = scan(io, id, session.head(), &mut |chunk| {
        folder.push(chunk);
        Ok(())
    })
    .await?;
    let state = folder.finish()?;
    if let Some(error) = source.disagrees(state.head) {
        // It was found at its head, and then looked for once more: others may have written between.
        let is_same = find_session(io, id).await?.0.head() == session.head();
        let moved = || Error::new(ErrorKind::Conflict, "someone else wrote to the session");
        return Err(if is_same { error } else { moved().retryable() });
    }
    check_reached(state.head, session.head())?;
    // Only of what was opened: another session may have come into its place meanwhile, as a fork that
    // begins with the lines of a third.
    if let Some(owner) = &state.session {
        check_same(id, owner)?;
    }
    if let (Some(head), Some(torn)) = (state.head, session.torn) {
        check_torn(io, id, &source, &state, head, torn).await?;
    }
    Ok(state)
}

/// Folds a log's last entries, more of them until nothing before them matters.
pub(super) async fn recent(io: &Io, id: &SessionId) -> Result<State> {
    let mut count = RECENT_ENTRIES;
    loop {
        let mut range = Range::last(count);
        let mut page = read_page(io, id, range.clone()).await?;
        let (since, head) = (page.first_seq, page.head);
        if since == 0 {
            return folded(io, id).await;
        }
        let mut folder = Folder::from_middle(since, super::read::first_prev(&page.lines));
        folder.push(&page.lines);
        while let Some(cursor) = page.next {
            range = range.after(cursor);
            page = read_page(io, id, range.clone()).await?;
            folder.push(&page.lines);
        }
        if let Some(state) = folder.finish_if_known()? {
            let (session, head) = (Some(id.clone()), Some(head));
            return Ok(State { session, head, since, ..state });
        }
        count = count.saturating_mul(4);
    }
}

/// Verifies what follows the head: it is left out, but a fault in it is one of the log.
async fn check_torn(
    io: &Io,
    id: &SessionId,
    source: &Source,
    state: &State,
    head: Head,
    torn: Torn,
) -> Result<()> {
    let Some(log) = &source.log else { return Ok(()) };
    let mut verifier = Verifier::after(head, Some(id.clone()), state.fork);
    let end = torn.offset + torn.bytes;
    let mut at = torn.offset;
    while at < end {
        let chunk = log.get(io, at..end.min(at + CHUNK_BYTES)).await?;
        if chunk.is_empty() {
            break; // Another writer cut it off just now.
        }
        at += chunk.len() as u64;
        verifier.push(&chunk);
    }
    verifier.into_fault().map_or(Ok(()), |fault| Err(fault.at_key(&log.key)))
}
