//! Forking what lies in the cold store: a manifest that names the parent's segments.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::anchored::renewed;
use super::claim::{Claim, claim, nonce};
use super::commit::{Committed, check_in_time, commit};
use super::gather::{Facts, Gathered};
use super::hydrate::anchor;
use super::merge::list_many_ids;
use crate::cold::{Held, Manifest, Segment};
use crate::entry::utf8;
use crate::limits::INLINE_TAIL_BYTES;
use crate::log::{Batch, Head, Stamp, Verifier, Writer};
use crate::session::Session;
use crate::session::again::{TRIES, is_overtaken};
use crate::session::fork::{At, Copy, Fork, Found};
use crate::session::scan::Chunks;
use crate::session::source::Source;
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// Forks a session whose first entries lie in the cold store. Its lines are not copied: only those
/// that only the hot store has are written, and the fork itself.
pub(in crate::session) async fn fork(
    io: &Io,
    parent: &Session,
    source: &Source,
    fork: &Fork,
    (id, is_new): (SessionId, bool),
    stamp: &Stamp,
) -> Result<Session> {
    let mut tries = 1;
    loop {
        // A new id has nobody else; one that was given may.
        let claimed =
            if is_new { None } else { Some(claim(io, &id).await.map_err(|e| e.in_session(&id))?) };
        match write(io, parent, source, fork, &id, stamp, claimed.as_ref()).await {
            // Who shared the claim gave it up: if the place is taken, the next claim tells.
            Err(error) if !is_new && is_overtaken(&error) && tries < TRIES => tries += 1,
            Err(error) => {
                if let Some(claim) = claimed {
                    claim.release(io, &id).await;
                }
                return Err(error);
            }
            forked => return forked,
        }
    }
}

async fn write(
    io: &Io,
    parent: &Session,
    source: &Source,
    fork: &Fork,
    id: &SessionId,
    stamp: &Stamp,
    claim: Option<&Claim>,
) -> Result<Session> {
    let lost = || Error::new(ErrorKind::NotFound, "there is no such session");
    let head = parent.head().ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
    let source = &renewed(io, parent.id(), source, head, stamp.now_ms).await?;
    let manifest = source.cold.as_ref().ok_or_else(lost)?.manifest();
    let (held, found) = prefix(io, parent, source, manifest, fork.at, head).await?;
    let writer = Writer::resume(found.owner.clone(), found.head, found.is_salted);
    let (_, batch) = writer.forked_at(found.fork).fork(id.clone(), &fork.entries, stamp)?;
    let seed = Manifest { held: Some(held), ..manifest.clone() };
    let mut child = written(io, &seed, source, &found, &batch, stamp).await?;
    if let Some(held) = &mut child.held {
        list_many_ids(io, held, stamp).await?;
    }
    child.session = id.clone();
    let buried = claim.and_then(|claim| claim.buried.as_ref());
    child.number = buried.map_or(0, |buried| buried.number + 1);
    // Also after a session that was deleted: by this it is known for the fork's own first one.
    child.prev = None;
    check_in_time(io, stamp.now_ms).await?;
    let condition = match claim {
        Some(claim) => Condition::Version(claim.version.clone()),
        None => Condition::Absent,
    };
    // The hot store first, as for every session that begins: there is one place to be had.
    let (session, version) = anchor(io, id, child.clone(), nonce(stamp), condition).await?;
    let cold = io.cold_store()?;
    let failed = match commit(&cold, &child).await {
        Ok(Committed::Ours) => return Ok(session),
        Ok(Committed::Theirs(_)) => {
            Error::new(ErrorKind::AlreadyExists, "the session to fork into exists").in_session(id)
        }
        Err(error) => error,
    };
    let gone = io.delete(&Key::of(id, Part::Log), Condition::Version(version)).await;
    // What the store may still write comes too late then, also for who has the id by that time.
    if gone.is_ok() && failed.is_retryable() {
        commit(&cold, &Manifest { held: None, ..child }).await.ok();
    }
    Err(failed)
}

/// What the parent's manifest holds up to the point of the fork, and what a writer has to know there.
async fn prefix(
    io: &Io,
    parent: &Session,
    source: &Source,
    manifest: &Manifest,
    at: At,
    head: Head,
) -> Result<(Held, Found)> {
    let lost = || Error::new(ErrorKind::NotFound, "there is no such session");
    let held = manifest.held.clone().ok_or_else(lost)?;
    let is_head = match at {
        At::Head => true,
        At::Seq(seq) => seq == head.seq,
        At::Hash(hash) => hash == head.hash,
        At::Turn(_) => false,
    };
    // Of more than that the slice would be another one.
    if is_head && held.head.seq <= head.seq {
        let owner = parent.id().clone();
        let (is_salted, fork) = (parent.writer.is_salted(), parent.writer.fork_seq());
        return Ok((held, Found { head, owner, is_salted, fork }));
    }
    // Where the point is, its lines tell: they are read, and none of them is written.
    let mut copy = Copy::new(parent.id(), at, head);
    let (mut facts, mut verifier) = (Facts::of(None), Verifier::default());
    let mut chunks = Chunks::of(io, source, Some(head));
    while copy.point().is_none()
        && let Some(chunk) = chunks.next().await?
    {
        copy.push(&chunk)?;
        let last = copy.point().map_or(u64::MAX, |point| point.seq);
        verifier.push_each(&chunk, |verified| match verified.seq <= last {
            true => facts.take(verified),
            false => Ok(()),
        });
    }
    let found = copy.finish()?;
    let held = cut(held, found.head)?;
    Ok((Held { slice: facts.slice, ..held }, found))
}

/// The first entries of what a session holds; all of it where the point comes later.
fn cut(mut held: Held, at: Head) -> Result<Held> {
    if at.seq >= held.head.seq {
        return Ok(held);
    }
    let (tail_seq, tail_offset) = held.tail_place();
    if at.seq + 1 >= tail_seq {
        let length = at.bytes.checked_sub(tail_offset).ok_or_else(elsewhere)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        held.tail = held.tail.get(..length).unwrap_or_default().to_string();
    } else {
        held.tail.clear();
        let first_ones = |(segment, seq, offset): (Segment, u64, u64)| {
            let raw_bytes = at.bytes.checked_sub(offset).ok_or_else(elsewhere)?;
            Ok(Segment {
                entries: segment.entries.min(at.seq + 1 - seq),
                raw_bytes: segment.raw_bytes.min(raw_bytes),
                ..segment
            })
        };
        let is_needed = |(_, seq, _): &(Segment, u64, u64)| *seq <= at.seq;
        let segments = held.located().take_while(is_needed).map(first_ones);
        held.segments = segments.collect::<Result<_>>()?;
    }
    held.head = at;
    Ok(held)
}

fn elsewhere() -> Error {
    Error::new(ErrorKind::BadSeq, "an entry is not where the manifest says")
}

/// Writes what follows the seed's head up to the point, and the fork; gives the child's manifest,
/// which has the parent's name and number yet.
async fn written(
    io: &Io,
    seed: &Manifest,
    source: &Source,
    found: &Found,
    batch: &Batch,
    stamp: &Stamp,
) -> Result<Manifest> {
    let lost = || Error::new(ErrorKind::NotFound, "there is no such session");
    let held = seed.held.as_ref().ok_or_else(lost)?;
    let after = held.head;
    let new_bytes = batch.head.bytes.saturating_sub(after.bytes);
    let is_inline = held.tail.len() as u64 + new_bytes <= INLINE_TAIL_BYTES as u64;
    let mut pads = 0;
    let (segments, facts, tail) = loop {
        let mut gathered = Gathered::after(&seed.session, Some((seed, held)), pads, stamp.now_ms);
        let mut tail = Vec::new();
        let mut chunks = Chunks::between(io, source, after.bytes, found.head);
        let mut next = Some(held.tail.as_bytes().to_vec());
        let mut is_free = true;
        let mut has_fork = false;
        while let Some(lines) = next {
            if is_inline {
                gathered.look_at(&lines);
                tail.extend_from_slice(&lines);
            } else {
                is_free &= gathered.push(io, &lines).await?;
            }
            next = chunks.next().await?;
            if next.is_none() && !has_fork {
                (next, has_fork) = (Some(batch.bytes.clone()), true);
            }
        }
        let finished = gathered.finish(io, batch.head, Some(after), is_inline).await?;
        match finished.filter(|_| is_free) {
            Some((segments, facts)) => break (segments, facts, tail),
            None => pads = pads.wrapping_add(1 | stamp.random.last().copied().unwrap_or_default()),
        }
    };
    Ok(manifest(seed, held, segments, facts, utf8(&tail)?, batch.head, stamp))
}

fn manifest(
    seed: &Manifest,
    held: &Held,
    segments: Vec<Segment>,
    mut facts: Facts,
    tail: &str,
    head: Head,
    stamp: &Stamp,
) -> Manifest {
    let listed = held.ids.iter().map(|ids| ids.entries).sum();
    let origin = facts.origin.unwrap_or(seed.origin);
    let held = Held {
        head,
        is_salted: facts.is_salted,
        fork: facts.fork,
        segments: [held.segments.clone(), segments].concat(),
        tail: tail.to_string(),
        slice: facts.slice.clone(),
        recent_ids: facts.recent_ids(listed),
        ids: held.ids.clone(),
        about: None,
    };
    let (written_ms, nonce) = (stamp.now_ms, nonce(stamp));
    Manifest { origin, written_ms, nonce, held: Some(held), ..seed.clone() }
}
