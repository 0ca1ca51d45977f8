//! Claiming a session's place in the hot store before the cold one is looked at: whoever reads there
//! what is old by then finds the place taken, or its claim replaced.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cold::Manifest;
use crate::log::Stamp;
use crate::session::cold::newest;
use crate::session::open::TRIES;
use crate::session::source::found;
use crate::store::{Condition, Key, Object, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// What a claim starts with. It has no line break: readers take it for a line that was never
/// finished.
const START: &[u8] = b"{\"claimed\":\"";
const CLAIM_BYTES: usize = START.len() + 16;

/// A claimed place.
#[derive(Debug)]
pub(in crate::session) struct Claim {
    pub(in crate::session) version: String,
    /// Length of what is there.
    pub(in crate::session) bytes: u64,
    /// What the cold store says of a session of that id: that it was deleted.
    pub(super) buried: Option<Manifest>,
}

impl Claim {
    /// Gives the place up, if it is still claimed.
    pub(in crate::session) async fn release(&self, io: &Io, id: &SessionId) {
        let condition = Condition::Version(self.version.clone());
        io.delete(&Key::of(id, Part::Log), condition).await.ok();
    }
}

/// Whether that is a claim and nothing else.
pub(super) fn is_claim(object: &Object) -> bool {
    object.bytes.starts_with(START) && object.info.bytes == CLAIM_BYTES as u64
}

/// Claims a session's place; one that was claimed already is taken over. `already_exists` where a
/// log or an archive is there.
pub(super) async fn take(io: &Io, id: &SessionId, stamp: &Stamp) -> Result<Claim> {
    let key = Key::of(id, Part::Log);
    let exists = || Error::new(ErrorKind::AlreadyExists, "the session is in the hot store");
    let mut tries = 1;
    loop {
        let there = found(io.get(&key, Some(0..2 * CLAIM_BYTES as u64)).await)?;
        let condition = match there {
            Some(object) if is_claim(&object) => Condition::Version(object.info.version),
            Some(_) => return Err(exists()),
            None if found(io.info(&Key::of(id, Part::Archive)).await)?.is_some() => {
                return Err(exists());
            }
            None => Condition::Absent,
        };
        match io.put(&key, bytes(stamp), condition).await {
            Err(error) if is_raced(&error) && tries < TRIES => tries += 1,
            put => {
                let info = put?;
                return Ok(Claim { version: info.version, bytes: info.bytes, buried: None });
            }
        }
    }
}

/// Gives up what someone claimed who is gone, perhaps: nothing is there. Whoever is not gone finds
/// that out.
pub(in crate::session) async fn clear_claim(io: &Io, id: &SessionId) -> Result<()> {
    if io.cold().is_none() {
        return Ok(());
    }
    let key = Key::of(id, Part::Log);
    let there = found(io.get(&key, Some(0..2 * CLAIM_BYTES as u64)).await)?;
    let Some(claim) = there.filter(is_claim) else { return Ok(()) };
    match io.delete(&key, Condition::Version(claim.info.version)).await {
        Err(error) if !is_raced(&error) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn is_raced(error: &Error) -> bool {
    let raced = [ErrorKind::Conflict, ErrorKind::AlreadyExists, ErrorKind::NotFound];
    raced.contains(&error.kind())
}

fn bytes(stamp: &Stamp) -> Vec<u8> {
    let mut claim = START.to_vec();
    claim.extend_from_slice(format!("{:016x}", nonce(stamp)).as_bytes());
    claim
}

/// A number that nobody else has.
pub(super) fn nonce(stamp: &Stamp) -> u64 {
    stamp.random.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Claims the place of a session that is to be created; nothing where there is no cold store.
/// `already_exists` where the cold store has it.
pub(in crate::session) async fn claim(io: &Io, id: &SessionId) -> Result<Option<Claim>> {
    let Some(cold) = io.cold() else { return Ok(None) };
    let stamp = io.stamp(8).await?;
    let claim = take(io, id, &stamp).await?;
    let exists = match newest(&cold, id).await {
        Ok(newest) if newest.as_ref().is_none_or(Manifest::is_of_deleted) => {
            return Ok(Some(Claim { buried: newest, ..claim }));
        }
        Ok(_) => Error::new(ErrorKind::AlreadyExists, "the session is in the cold store"),
        Err(error) => error,
    };
    claim.release(io, id).await;
    Err(exists)
}
