//! Operations that look at every entry: verify, fold, sum up.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::inflated::each_inflated;
use super::open::open_session;
use super::{Form, Task};
use crate::archive::{HEADER_BYTES, read_index};
use crate::gzip::{Bound, Reader};
use crate::log::{Expectation, Head, Report, Torn, Verifier};
use crate::store::{Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// Bytes asked for at once: enough to make the asking cheap, and fits into a second-level cache.
pub(super) const CHUNK_BYTES: u64 = 256 << 10;

/// Verifies a session's chain from end to end, live or archived, and that it contains the
/// `expected` entry (number and hash); `deep` also every entry's content.
/// What does not hold is in the [`Report`]; an error means that it could not be looked at.
#[must_use]
pub fn verify(id: SessionId, expected: Option<(u64, Hash)>, deep: bool) -> Task<Report> {
    let verifier = Verifier::new(Expectation { session: Some(id.clone()), head: expected });
    Task::new(async move |io| {
        let mut verifier = if deep { verifier.deep() } else { verifier };
        let scanned = scan(&io, &id, None, &mut |chunk| {
            verifier.push(chunk);
            Ok(())
        })
        .await;
        let mut report = verifier.finish();
        match scanned {
            Ok(source) => {
                let fault = source.disagrees(report.head);
                report.fault = report.fault.or(fault).map(|fault| fault.in_session(&id));
            }
            // The container is damaged: what it gave until then was verified.
            Err(error) if is_data_fault(&error) => {
                report.torn = None;
                report.fault = Some(error.in_session(&id));
            }
            Err(error) => return Err(error.in_session(&id)),
        }
        Ok(report)
    })
}

fn is_data_fault(error: &Error) -> bool {
    error.kind().class() == crate::ErrorClass::Data
}

/// What a session is, in numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Its id.
    pub id: SessionId,
    /// Live or archived.
    pub form: Form,
    /// Its last entry.
    pub head: Head,
    /// An unfinished write after it.
    pub torn: Option<Torn>,
    /// Bytes it takes in the store.
    pub stored_bytes: u64,
    /// Time of the earliest and of the latest entry, in milliseconds since 1970.
    pub times: Option<(u64, u64)>,
    /// How many entries there are of each kind, by name.
    pub kinds: Vec<(String, u64)>,
    /// Entries whose content was withheld.
    pub withheld: u64,
}

/// Verifies a session and sums it up.
#[must_use]
pub fn summary(id: SessionId) -> Task<Summary> {
    Task::new(async move |io| sum_up(&io, &id).await.map_err(|error| error.in_session(&id)))
}

async fn sum_up(io: &Io, id: &SessionId) -> Result<Summary> {
    let session = open_session(io, id).await?;
    let mut verifier = Verifier::new(Expectation::default());
    let mut kinds = Vec::<(String, u64)>::new();
    let mut times: Option<(u64, u64)> = None;
    let source = scan(io, id, session.head(), &mut |chunk| {
        verifier.push_each(chunk, |verified| {
            let name = verified.kind_name();
            match kinds.binary_search_by(|(kind, _)| kind.as_str().cmp(name)) {
                Ok(place) => kinds.get_mut(place).into_iter().for_each(|(_, count)| *count += 1),
                Err(place) => kinds.insert(place, (name.to_string(), 1)),
            }
            if let Some(ts) = verified.ts() {
                times = Some(times.map_or((ts, ts), |(from, to)| (from.min(ts), to.max(ts))));
            }
            Ok(())
        });
        Ok(())
    })
    .await?;
    let report = verifier.finish();
    report.sound()?;
    source.disagrees(report.head).map_or(Ok(()), Err)?;
    let empty = || Error::new(ErrorKind::EmptyLog, "not one whole entry");
    Ok(Summary {
        id: id.clone(),
        form: session.form,
        head: report.head.ok_or_else(empty)?,
        torn: session.torn,
        stored_bytes: source.stored_bytes,
        times,
        kinds,
        withheld: report.withheld,
    })
}

/// What was scanned.
pub(super) struct Source {
    /// Length of the object.
    pub(super) stored_bytes: u64,
    /// In an archive: the head its index names.
    indexed: Option<Head>,
}

impl Source {
    /// An archive whose index names another head than its content has.
    pub(super) fn disagrees(&self, head: Option<Head>) -> Option<Error> {
        let differs = self.indexed.is_some() && self.indexed != head;
        differs.then(|| Error::new(ErrorKind::BadIndex, "the index names another head"))
    }
}

/// Takes bytes as they are found. Not generic: what reads would stand in the wasm once for each taker.
pub(super) type Found<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<()> + Send);

/// Gives the bytes of a session's log in order: of the live one up to `head` if one is given, else
/// to its end, torn tail and all; or of the archived one.
pub(super) async fn scan(
    io: &Io,
    id: &SessionId,
    head: Option<Head>,
    found: Found<'_>,
) -> Result<Source> {
    let key = Key::of(id, Part::Log);
    match io.info(&key).await {
        Err(error) if error.kind() == ErrorKind::NotFound => scan_archive(io, id, found).await,
        Err(error) => Err(error),
        Ok(info) => {
            let end = head.map_or(info.bytes, |head| head.bytes);
            each_chunk(io, &key, end, found).await?;
            Ok(Source { stored_bytes: info.bytes, indexed: None })
        }
    }
}

pub(super) async fn scan_archive(io: &Io, id: &SessionId, found: Found<'_>) -> Result<Source> {
    let key = Key::of(id, Part::Archive);
    let start =
        io.get(&key, Some(0..HEADER_BYTES as u64)).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "there is no such session"),
            _ => error,
        })?;
    let stored_bytes = start.info.bytes;
    let index = match read_index(&start.bytes, stored_bytes) {
        Err(error) if error.kind() != ErrorKind::NoIndex => return Err(error.at_key(&key)),
        index => index.ok(),
    };
    each_inflated(io, &key, stored_bytes, found).await.map_err(|error| error.at_key(&key))?;
    Ok(Source { stored_bytes, indexed: index.map(|index| index.head) })
}

/// Gives an object's first `end` bytes in order.
pub(super) async fn each_chunk(io: &Io, key: &Key, end: u64, found: Found<'_>) -> Result<()> {
    let mut at = 0;
    while at < end {
        let chunk = io.get(key, Some(at..end.min(at + CHUNK_BYTES))).await?.bytes;
        if chunk.is_empty() {
            let message = "the object became shorter while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).at_key(key));
        }
        at += chunk.len() as u64;
        found(&chunk).map_err(|error| error.at_key(key))?;
    }
    Ok(())
}

/// A session's log up to its head, live or archived, piece by piece.
pub(super) struct Chunks {
    io: Io,
    key: Key,
    at: u64,
    end: u64,
    /// Of an archived one.
    reader: Option<Reader>,
}

impl Chunks {
    pub(super) async fn open(io: &Io, id: &SessionId, head: Head) -> Result<Self> {
        let key = Key::of(id, Part::Log);
        match io.info(&key).await {
            Ok(_) => Ok(Self { io: io.clone(), key, at: 0, end: head.bytes, reader: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Key::of(id, Part::Archive);
                let end = io.info(&key).await?.bytes;
                let reader = Some(Reader::new(Bound::default()));
                Ok(Self { io: io.clone(), key, at: 0, end, reader })
            }
            Err(error) => Err(error),
        }
    }

    /// The next bytes, at least one; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        while out.is_empty() && self.at < self.end {
            let range = self.at..self.end.min(self.at + CHUNK_BYTES);
            let chunk = self.io.get(&self.key, Some(range)).await?.bytes;
            if chunk.is_empty() {
                let message = "the object became shorter while it was read";
                return Err(Error::new(ErrorKind::Conflict, message).at_key(&self.key));
            }
            self.at += chunk.len() as u64;
            match &mut self.reader {
                None => out = chunk,
                Some(reader) => reader.push(&chunk, |bytes| {
                    out.extend_from_slice(bytes);
                    Ok(())
                })?,
            }
        }
        Ok(Some(out).filter(|out| !out.is_empty()))
    }
}
