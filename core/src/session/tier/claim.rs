//! Claiming a session's place in the hot store before the cold one is looked at: whoever reads there
//! what is old by then finds the place taken, or its claim replaced.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;

use crate::cold::Manifest;
use crate::line::IDENTITY;
use crate::log::Stamp;
use crate::session::again::{TRIES, is_overtaken};
use crate::session::cold::newest;
use crate::session::retention::{self, check_unpruned};
use crate::session::source::{LogPart, archive_info};
use crate::session::staging::Staging;
use crate::store::{Condition, Info, Key, Object, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Result, SessionId};

/// Puts a claim after the archive of that version, where no log is, or that empty one. From then on,
/// and as long as it stands, that archive is the whole session: nothing was written after it, or
/// archived, meanwhile. `conflict` where that happened before.
pub(in crate::session) async fn claim_after(
    io: &Io,
    id: &SessionId,
    archive: &Info,
    empty: Option<&LogPart>,
) -> Result<Claim> {
    let there = empty.map(|log| log.info.version.clone());
    let condition = there.map_or(Condition::Absent, Condition::Version);
    claim_seen(io, id, condition, is_kept(io, id, archive)).await
}

/// Puts a claim in a log's place, only where that meets the condition: there is no log, or one without
/// a line. Then looks whether all else is as it was seen: `conflict` where it is not.
pub(in crate::session) async fn claim_seen(
    io: &Io,
    id: &SessionId,
    condition: Condition,
    is_as_seen: impl Future<Output = Result<bool>>,
) -> Result<Claim> {
    let stamp = io.stamp(8).await?;
    let moved = || moved(&Key::of(id, Part::Archive));
    let put = io.put(&Key::of(id, Part::Log), bytes(&stamp), condition).await;
    let put = put.map_err(|error| if is_overtaken(&error) { moved() } else { error })?;
    let claim = Claim::new(put, bytes(&stamp));
    match is_as_seen.await {
        Ok(true) => Ok(claim),
        looked => {
            claim.release(io, id).await;
            Err(looked.err().unwrap_or_else(moved))
        }
    }
}

/// What is said where others went on with a session between two looks at it.
pub(in crate::session) fn moved(key: &Key) -> Error {
    let message = "someone else wrote to the session, or archived or restored it, meanwhile";
    Error::new(ErrorKind::Conflict, message).at_key(key).retryable()
}

/// Whether an archive is the one that was seen, and nobody is about to remove it. In that order: a
/// tombstone goes after the archive does.
async fn is_kept(io: &Io, id: &SessionId, archive: &Info) -> Result<bool> {
    let noted = retention::of(io, id).await?;
    let now = archive_info(io, id).await?;
    let is_same = now.is_some_and(|now| now.version == archive.version);
    Ok(is_same && noted.is_none_or(|(record, _)| record.pruned.is_none()))
}

/// Claims the place of a session whose log is staged; the stage is given up where that cannot be.
pub(in crate::session) async fn claim_for(
    io: &Io,
    id: &SessionId,
    staging: &mut Staging,
) -> Result<Claim> {
    let claimed = claim(io, id).await;
    if claimed.is_err() {
        staging.abort(io).await;
    }
    claimed
}

/// What a claim starts with. It has no line break: readers take it for a line that was never
/// finished.
const START: &[u8] = b"{\"claimed\":\"";
/// As long as what tells logs apart, so that it is told apart from others as they are.
pub(in crate::session) const CLAIM_BYTES: usize = IDENTITY;

/// A claimed place.
#[derive(Debug)]
pub(in crate::session) struct Claim {
    pub(in crate::session) version: String,
    /// What lies there meanwhile.
    pub(in crate::session) bytes: Vec<u8>,
    /// What the cold store says of a session of that id: that it was deleted.
    pub(super) buried: Option<Manifest>,
}

impl Claim {
    fn new(info: Info, bytes: Vec<u8>) -> Self {
        Self { version: info.version, bytes, buried: None }
    }

    /// Publishes the session's log in its place; where that fails, gives the place up.
    pub(in crate::session) async fn publish(
        &self,
        io: &Io,
        id: &SessionId,
        staging: Staging,
    ) -> Result<()> {
        let published = staging.publish(io, Condition::Version(self.version.clone())).await;
        if published.is_err() {
            self.release(io, id).await;
        }
        published
    }

    /// Gives the place up, if it is still claimed.
    pub(in crate::session) async fn release(&self, io: &Io, id: &SessionId) {
        release(io, id, self.version.clone()).await;
    }
}

/// Gives a place up, if it is still claimed by that.
pub(in crate::session) async fn release(io: &Io, id: &SessionId, claim: String) {
    io.delete(&Key::of(id, Part::Log), Condition::Version(claim)).await.ok();
}

/// Whether an object of that length that starts so is a claim and nothing else.
pub(in crate::session) fn is_claim(start: &[u8], bytes: u64) -> bool {
    start.starts_with(START) && bytes == CLAIM_BYTES as u64
}

/// Whether an object is a claim that lies there: no session yet, or no more than its archive.
pub(in crate::session) async fn is_claimed(io: &Io, key: &Key, info: &Info) -> Result<bool> {
    if info.bytes != CLAIM_BYTES as u64 {
        return Ok(false);
    }
    let there = found(io.get(key, Some(0..CLAIM_BYTES as u64)).await)?;
    Ok(there.is_none_or(|object| is_claim(&object.bytes, object.info.bytes)))
}

/// Claims a session's place. A claim that is there is shared: as long as it stands, nobody else had
/// the place either. An empty log, which is left of a writer that was killed as it wrote over its
/// claim, makes room for a claim. `already_exists` where a log or an archive is there.
pub(super) async fn take(io: &Io, id: &SessionId, stamp: &Stamp) -> Result<Claim> {
    let key = Key::of(id, Part::Log);
    let mut tries = 1;
    loop {
        let there = found(io.get(&key, Some(0..2 * CLAIM_BYTES as u64)).await)?;
        let (is_ours, claim) = match there {
            Some(object) if is_claim(&object.bytes, object.info.bytes) => {
                (false, Claim::new(object.info, object.bytes))
            }
            Some(object) if object.info.bytes > 0 => return Err(exists()),
            free => match io.put(&key, bytes(stamp), as_it_is(free)).await {
                Err(error) if is_overtaken(&error) && tries < TRIES => {
                    tries += 1;
                    continue;
                }
                // That writer is alive.
                Err(error) if error.kind() == ErrorKind::Locked => return Err(exists()),
                put => (true, Claim::new(put?, bytes(stamp))),
            },
        };
        // Only now: what was looked at before the place was claimed may have been archived since.
        match archive_info(io, id).await {
            _ if planted!(CreateUnclaimed) => {}
            Ok(None) => {}
            looked => {
                if is_ours {
                    claim.release(io, id).await;
                }
                return Err(looked.err().unwrap_or_else(exists));
            }
        }
        // That of others is still there after that look: nobody restored the session from an
        // archive meanwhile.
        if is_ours || io.find(&key).await?.is_some_and(|now| now.version == claim.version) {
            return Ok(claim);
        }
        if tries == TRIES {
            let message = "someone else writes to the session just now";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(&key).retryable());
        }
        tries += 1;
    }
}

/// Only if it is still so.
fn as_it_is(object: Option<Object>) -> Condition {
    object.map_or(Condition::Absent, |object| Condition::Version(object.info.version))
}

fn exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "the session is in the store")
}

fn bytes(stamp: &Stamp) -> Vec<u8> {
    let mut claim = START.to_vec();
    let digits = CLAIM_BYTES - START.len();
    claim.extend_from_slice(format!("{:0digits$x}", nonce(stamp)).as_bytes());
    claim
}

/// A number that nobody else has.
pub(super) fn nonce(stamp: &Stamp) -> u64 {
    stamp.random.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Claims the place of a session that is to be created. As long as the claim stands, there is no
/// session of that id. `already_exists` where there is one, in the cold store too; `pruned` where
/// there was one.
pub(in crate::session) async fn claim(io: &Io, id: &SessionId) -> Result<Claim> {
    let stamp = io.stamp(8).await?;
    if planted!(CreateUnclaimed) && archive_info(io, id).await?.is_some() {
        return Err(exists());
    }
    let mut claim = take(io, id, &stamp).await?;
    let is_free = async {
        check_unannounced(io, id).await?;
        let Some(cold) = io.cold() else { return Ok(None) };
        let newest = newest(&cold, id).await?;
        let is_free = newest.as_ref().is_none_or(Manifest::is_of_deleted);
        let exists = || Error::new(ErrorKind::AlreadyExists, "the session is in the cold store");
        is_free.then_some(newest).ok_or_else(exists)
    };
    match is_free.await {
        Ok(buried) => {
            claim.buried = buried;
            Ok(claim)
        }
        Err(error) => {
            claim.release(io, id).await;
            Err(error)
        }
    }
}

/// `pruned` where that is what is noted of the session; `already_exists` where it was announced that it
/// is archived, and it was since the archive was looked for: its log was evicted, it seems.
async fn check_unannounced(io: &Io, id: &SessionId) -> Result<()> {
    let Some((record, _)) = retention::of(io, id).await? else { return Ok(()) };
    check_unpruned(Some(&record))?;
    match archive_info(io, id).await? {
        Some(_) => Err(exists()),
        None => Ok(()),
    }
}
