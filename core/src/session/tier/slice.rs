//! What a resumed session has to know of its past: its state slice, and the ids it has seen.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Task;
use super::gather::Facts;
use super::merge::read_ids;
use crate::cold::{Held, IdSection, fingerprint};
use crate::log::Verifier;
use crate::session::Session;
use crate::session::live::Known;
use crate::session::open::find_session;
use crate::session::range::Range;
use crate::session::read::{entry, read_page};
use crate::session::scan::{Chunks, scan};
use crate::task::Io;
use crate::{Entry, Error, ErrorKind, Result, SessionId};

/// The last state slice of a session, as JSON. Of one whose first entries lie in the cold store,
/// reads what was appended since, and what its manifest says; of another one all of it.
#[must_use]
pub fn slice(id: SessionId) -> Task<Option<String>> {
    Task::new(async move |io| last(&io, &id).await.map_err(|error| error.in_session(&id)))
}

async fn last(io: &Io, id: &SessionId) -> Result<Option<String>> {
    let (session, source) = find_session(io, id).await?;
    let Some(head) = session.head() else { return Ok(None) };
    let Some(cold) = &source.cold else {
        return Ok(crate::session::state::folded(io, id).await?.slice);
    };
    let held = cold.held()?;
    let mut facts = Facts::of(Some((cold.manifest(), held)));
    let mut verifier = Verifier::resume(Some(held.head.hash), held.head.seq + 1, held.head.bytes);
    let mut chunks = Chunks::between(io, &source, held.head.bytes, head);
    while let Some(chunk) = chunks.next().await? {
        verifier.push_each(&chunk, |verified| facts.take(verified));
    }
    verifier.into_fault().map_or(Ok(()), Err)?;
    let Some(slice) = facts.slice else { return Ok(None) };
    if slice.json.is_some() {
        return Ok(slice.json);
    }
    let line = entry(io, &source, head, slice.seq).await?;
    let entry = Entry::parse(&line)?;
    Ok(entry.present("state").map(ToString::to_string))
}

/// The ids of a session as it is opened: of one whose first entries lie in the cold store those of
/// the hot part, and the sections of the others; else all of them.
pub(in crate::session) async fn learn_ids(
    io: &Io,
    session: &Session,
) -> Result<(Known, Vec<IdSection>)> {
    let mut known = Known::default();
    let (id, Some(head)) = (session.id(), session.head()) else {
        return Ok((known, Vec::new()));
    };
    let (_, source) = find_session(io, id).await?;
    let Some(cold) = &source.cold else {
        let mut found = 0;
        scan(io, id, Some(head), &mut |chunk| {
            found += chunk.len() as u64;
            known.push(chunk)
        })
        .await?;
        check_whole(found, head.bytes)?;
        return Ok((known, Vec::new()));
    };
    let held = cold.held()?;
    let sections = sections(io, held).await?;
    if held.head.seq < head.seq {
        read(io, id, (held.head.seq + 1, head.seq), &mut known).await?;
    }
    Ok((known, sections))
}

async fn sections(io: &Io, held: &Held) -> Result<Vec<IdSection>> {
    let store = io.cold_store()?;
    let mut sections = Vec::new();
    for ids in &held.ids {
        sections.extend(read_ids(&store, ids).await?);
    }
    sections.push(held.recent_ids.clone());
    // A fork has the lists of its parent, which may go on after it.
    sections.retain(|section| section.first_seq <= held.head.seq);
    for section in &mut sections {
        section.entries = section.entries.min(held.head.seq + 1 - section.first_seq);
    }
    Ok(sections)
}

/// Reads those entries of the cold store whose items' ids may be among the wanted ones.
pub(in crate::session) async fn confirm_ids(
    io: &Io,
    session: &Session,
    wanted: &[(u64, String)],
) -> Result<()> {
    let wanted: Vec<_> = wanted.iter().map(|(_, id)| fingerprint(id)).collect();
    let may_hold = |section: &IdSection| wanted.iter().any(|id| section.holds(*id));
    let unread = session.live.lock().unread(may_hold);
    for entries in unread {
        let mut known = Known::default();
        if let Some(last) = entries.end.checked_sub(1).filter(|last| *last >= entries.start) {
            read(io, session.id(), (entries.start, last), &mut known).await?;
        }
        session.live.lock().learn_section(&known, &entries);
    }
    Ok(())
}

/// Learns the ids of some entries.
async fn read(io: &Io, id: &SessionId, (from, to): (u64, u64), known: &mut Known) -> Result<()> {
    let mut range = Range::between(from, Some(to));
    loop {
        let page = read_page(io, id, range.clone()).await?;
        check_whole(page.head.seq, to)?;
        known.push_from(&page.lines, page.first_seq)?;
        let Some(cursor) = page.next else { return Ok(()) };
        range = range.after(cursor);
    }
}

/// Nothing was evicted since the session was opened that was to be read: what is not known of is
/// appended a second time.
fn check_whole(found: u64, wanted: u64) -> Result<()> {
    if found >= wanted {
        return Ok(());
    }
    let message = "the session became shorter while it was read";
    Err(Error::new(ErrorKind::Conflict, message).retryable())
}
