//! Where a session's log lies: its first entries in an archive or in the cold store, what was
//! appended since in a log. Either may be missing.

mod archive;
mod log;

pub(super) use archive::ArchivePart;
pub(super) use log::{LogPart, Shift};

use super::cold::{ColdPart, buried_head, check_unburied, deleted};
use crate::cold::is_anchor;
use crate::line::{followed, is_first};
use crate::log::Head;
use crate::store::{Info, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorClass, ErrorKind, Result, SessionId};

/// The objects that hold a session's log.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The archived part.
    pub(super) archive: Option<ArchivePart>,
    /// The part in the cold store. Never beside an archive.
    pub(super) cold: Option<ColdPart>,
    /// What follows the archive; all of it where there is none.
    pub(super) log: Option<LogPart>,
}

impl Source {
    /// What to say of a fault that was found in what was read: where others changed that meanwhile, it
    /// is none.
    pub(super) async fn blamed(&self, io: &Io, error: Error) -> Error {
        if error.kind().class() != ErrorClass::Data {
            return error;
        }
        let log = self.log.as_ref().map(|log| (&log.key, &log.info));
        let archive = self.archive.as_ref().map(|archive| (&archive.key, &archive.info));
        for (key, info) in [log, archive].into_iter().flatten() {
            let now = match io.find(key).await {
                Ok(now) => now,
                Err(unknown) => return unknown,
            };
            if now.is_none_or(|now| now.version != info.version) {
                let message = "someone else changed the session meanwhile";
                return Error::new(ErrorKind::Conflict, message).at_key(key).retryable();
            }
        }
        error
    }
}

impl Source {
    /// Finds a session's objects, and looks at the first `window` bytes of the log.
    pub(super) async fn find(io: &Io, id: &SessionId, window: u64) -> Result<Self> {
        let (source, fault) = Self::find_sound(io, id, window).await?;
        fault.map_or(Ok(source), Err)
    }

    /// The same. Where the log is damaged so that it does not follow what precedes it: that alone, and
    /// what is wrong.
    pub(super) async fn find_sound(
        io: &Io,
        id: &SessionId,
        window: u64,
    ) -> Result<(Self, Option<Error>)> {
        let key = Key::of(id, Part::Log);
        let Some(start) = found(io.get(&key, Some(0..window)).await)? else {
            if let Some(archive) = ArchivePart::find(io, id).await? {
                check_unburied(io, id, &archive).await?;
                return Ok((Self { archive: Some(archive), cold: None, log: None }, None));
            }
            if io.find(&key).await?.is_some() {
                let message = "the session was restored while it was looked for";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&key));
            }
            return match ColdPart::find(io, id).await? {
                None => Err(super::retention::missing(io, id).await),
                cold => Ok((Self { archive: None, cold, log: None }, None)),
            };
        };
        let mut log = LogPart::new(key, start);
        if is_anchor(log.start()) {
            let anchor = log.anchor(io, id).await?;
            let cold = Some(ColdPart::new(anchor.manifest)?);
            return Ok((Self { archive: None, cold, log: Some(log) }, None));
        }
        let followed = followed(log.start());
        // A log that stands alone starts with the entry that opens it.
        if is_first(log.start()) && !log.is_unfinished() {
            return Ok((Self { archive: None, cold: None, log: Some(log) }, None));
        }
        let archive = ArchivePart::find(io, id).await?;
        let cold = match &archive {
            None => ColdPart::find(io, id).await?,
            Some(_) => None,
        };
        if let Some(cold) = &cold {
            let mut source = Self { archive, cold: Some(cold.clone()), log: None };
            // What claims a log's place while it is hydrated is nothing that follows.
            if log.is_unfinished() {
                return Ok((source, None));
            }
            let head = cold.held()?.head;
            let fault = log.followed_by(io, head, followed).await?;
            source.log = fault.is_none().then_some(log);
            return Ok((source, fault));
        }
        match &archive {
            Some(_) if followed.is_none() && !(log.is_unfinished() || log.is_torn(io).await?) => {
                let message = "the log after the archive does not start with a line";
                let fault = Error::new(ErrorKind::BadLine, message).at_key(&log.key);
                return Ok((Self { archive, cold: None, log: None }, Some(fault)));
            }
            Some(archive) => {
                check_unburied(io, id, archive).await?;
                let head = archive.head(io).await?;
                if let Some(fault) = log.followed_by(io, head, followed).await? {
                    let archive = Some(archive.clone());
                    return Ok((Self { archive, cold: None, log: None }, Some(fault)));
                }
            }
            None if io.info(&log.key).await?.version != log.info.version => {
                let message = "the session was restored while it was looked for";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&log.key));
            }
            None if followed.is_some() => {
                // Behind a deletion that was cut off it is no damage.
                if let Some(head) = buried_head(io, id).await?
                    && log.follow(io, head, followed).await.is_ok()
                {
                    return Err(deleted());
                }
                return Err(super::retention::lost(io, id, &log.key).await);
            }
            None if log.is_claim() => return Err(super::retention::missing(io, id).await),
            None => {}
        }
        Ok((Self { archive, cold: None, log: Some(log) }, None))
    }

    /// The head of what precedes the log.
    pub(super) async fn head_before(&self, io: &Io) -> Result<Option<Head>> {
        match (&self.archive, &self.cold) {
            (Some(archive), _) => archive.head(io).await.map(Some),
            (None, Some(cold)) => Ok(Some(cold.held()?.head)),
            (None, None) => Ok(None),
        }
    }

    /// Whether nothing precedes the log.
    pub(super) fn is_alone(&self) -> bool {
        self.archive.is_none() && self.cold.is_none()
    }

    /// Length of the objects.
    pub(super) fn stored_bytes(&self) -> u64 {
        let archive = self.archive.as_ref().map_or(0, |archive| archive.info.bytes);
        let cold = self.cold.as_ref().map_or(0, ColdPart::stored_bytes);
        archive + cold + self.log.as_ref().map_or(0, |log| log.info.bytes)
    }

    /// An archive whose index names another head than its content has; `head` is what was found.
    pub(super) fn disagrees(&self, head: Option<Head>) -> Option<Error> {
        let archive = self.archive.as_ref()?;
        let indexed = archive.index.as_ref()?.head;
        // What follows an archive says which entry it follows.
        let is_followed = self.log.is_some() && head.is_some_and(|head| head.seq > indexed.seq);
        let differs = !is_followed && head != Some(indexed);
        let message = "the index names another head";
        differs.then(|| Error::new(ErrorKind::BadIndex, message).at_key(&archive.key))
    }
}

/// What a session's archive is like, if it has one.
pub(super) async fn archive_info(io: &Io, id: &SessionId) -> Result<Option<Info>> {
    io.find(&Key::of(id, Part::Archive)).await
}

/// Bytes of an object that were looked at already.
fn known(start: &[u8], from: u64, to: u64) -> Option<&[u8]> {
    let place = |at: u64| usize::try_from(at).ok();
    start.get(place(from)?..place(to)?)
}
