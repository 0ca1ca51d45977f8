//! Operations that look at every entry: verify, fold, sum up.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::again::{TRIES, again, is_moving};
use super::cold::ColdChunks;
use super::layout::check_beside;
use super::open::open_session;
use super::source::{LogPart, Source};
use super::unpacking::Unpacking;
use super::{Form, Task};
use crate::log::{Expectation, Head, Report, Torn, Verifier};
use crate::store::Key;
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// Bytes asked for at once: enough to make the asking cheap, and fits into a second-level cache.
pub(super) const CHUNK_BYTES: u64 = 256 << 10;

/// Verifies a session's chain from end to end, live or archived, and that it contains the
/// `expected` entry (number and hash); `deep` also every entry's content. An archive beside a log that
/// stands alone must hold nothing that the log lacks (`head_mismatch`).
/// What does not hold is in the [`Report`]; an error means that it could not be looked at.
#[must_use]
pub fn verify(id: SessionId, expected: Option<(u64, Hash)>, deep: bool) -> Task<Report> {
    Task::new(async move |io| {
        let mut tries = 1;
        loop {
            let (report, error) = verify_once(&io, &id, expected, deep, tries < TRIES).await;
            match error {
                None => return Ok(report),
                Some(error) if is_moving(&error) && tries < TRIES => tries += 1,
                // The container is damaged: what it gave until then was verified.
                Some(error) if is_data_fault(&error) => {
                    return Ok(Report { torn: None, fault: Some(error.in_session(&id)), ..report });
                }
                Some(error) => return Err(error.in_session(&id)),
            }
        }
    })
}

/// What verifying found, and what kept it from reading on; a fault is one only where nobody else changed
/// the session meanwhile, if that `is_asked`.
async fn verify_once(
    io: &Io,
    id: &SessionId,
    expected: Option<(u64, Hash)>,
    deep: bool,
    is_asked: bool,
) -> (Report, Option<Error>) {
    let verifier = Verifier::new(Expectation { session: Some(id.clone()), head: expected });
    let mut verifier = if deep { verifier.deep() } else { verifier };
    let scanned = scan(io, id, None, &mut |chunk| {
        verifier.push(chunk);
        Ok(())
    })
    .await;
    let mut report = verifier.finish();
    let source = match scanned {
        Ok(source) => source,
        Err(error) => return (report, Some(error)),
    };
    report.fault = report.fault.or_else(|| source.disagrees(report.head));
    if report.fault.is_none() && source.is_alone() {
        match check_beside(io, id).await {
            Err(error) if is_data_fault(&error) => report.fault = Some(error),
            Err(error) => return (report, Some(error)),
            Ok(_) => {}
        }
    }
    if let (Some(fault), true) = (&report.fault, is_asked) {
        let blamed = source.blamed(io, fault.clone()).await;
        if blamed.kind() != fault.kind() {
            return (report, Some(blamed));
        }
    }
    report.fault = report.fault.map(|fault| fault.in_session(id));
    (report, None)
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
    again(is_moving, || sum_up_once(io, id)).await
}

async fn sum_up_once(io: &Io, id: &SessionId) -> Result<Summary> {
    let session = open_session(io, id).await?;
    let mut verifier = Verifier::new(Expectation::default());
    let mut kinds = BTreeMap::<String, u64>::new();
    let mut times: Option<(u64, u64)> = None;
    let source = scan(io, id, session.head(), &mut |chunk| {
        verifier.push_each(chunk, |verified| {
            let name = verified.kind_name();
            match kinds.get_mut(name) {
                Some(count) => *count += 1,
                None => _ = kinds.insert(name.to_string(), 1),
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
    check_reached(report.head, session.head())?;
    let empty = || Error::new(ErrorKind::EmptyLog, "not one whole entry");
    Ok(Summary {
        id: id.clone(),
        form: session.form,
        head: report.head.ok_or_else(empty)?,
        torn: session.torn,
        stored_bytes: source.stored_bytes(),
        times,
        kinds: kinds.into_iter().collect(),
        withheld: report.withheld,
    })
}

/// What was read of a session leads to where it was opened, unless it was cut short meanwhile.
pub(super) fn check_reached(found: Option<Head>, opened: Option<Head>) -> Result<()> {
    if opened.is_none() || found == opened {
        return Ok(());
    }
    let message = "the log became shorter while it was read";
    Err(Error::new(ErrorKind::Conflict, message).retryable())
}

/// Takes bytes as they are found. Not generic: what reads would stand in the wasm once for each taker.
pub(super) type Found<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<()> + Send);

/// Gives the bytes of a session's log in order: up to `head` if one is given, else to the end, torn
/// tail and all. Says where they lay.
pub(super) async fn scan(
    io: &Io,
    id: &SessionId,
    head: Option<Head>,
    found: Found<'_>,
) -> Result<Source> {
    let (source, fault) = Source::find_sound(io, id, CHUNK_BYTES).await?;
    let mut chunks = Chunks::of(io, &source, head);
    while let Some(chunk) = chunks.next().await? {
        found(&chunk)?;
    }
    fault.map_or(Ok(source), Err)
}

/// A session's log, archived, live, or both, piece by piece.
pub(super) struct Chunks {
    io: Io,
    before: Option<Before>,
    /// How much of what precedes the log is passed over, and how much is wanted after that.
    before_skip: u64,
    before_left: u64,
    log: Option<LogPart>,
    at: u64,
    end: u64,
}

impl Chunks {
    pub(super) async fn open(io: &Io, id: &SessionId, head: Head) -> Result<Self> {
        let source = Source::find(io, id, CHUNK_BYTES).await?;
        Ok(Self::of(io, &source, Some(head)))
    }

    /// Up to `head` if one is given.
    pub(super) fn of(io: &Io, source: &Source, head: Option<Head>) -> Self {
        let archive =
            source.archive.as_ref().map(|archive| Before::Archive(Unpacking::new(archive)));
        let cold = || source.cold.clone().map(|cold| Before::Cold(ColdChunks::new(cold)));
        let log = source.log.clone();
        let at = log.as_ref().map_or(0, |log| log.offset);
        let end = log.as_ref().map_or(0, LogPart::end);
        let end = head.map_or(end, |head| end.min(head.bytes));
        // A gzip file of someone else's may end in an unfinished write, which nothing follows.
        let last = log.as_ref().map_or(u64::MAX, |log| log.offset);
        let before_left = head.map_or(last, |head| last.min(head.bytes));
        let before = archive.or_else(cold).filter(|_| before_left > 0);
        Self { io: io.clone(), before, before_skip: 0, before_left, log, at, end }
    }

    /// From an offset of the log on, which is the start of a line.
    pub(super) fn between(io: &Io, source: &Source, from: u64, head: Head) -> Self {
        let mut chunks = Self::of(io, source, Some(head));
        chunks.before_skip = from;
        chunks.at = chunks.at.max(from);
        if from >= chunks.before_left {
            chunks.before = None;
        }
        chunks
    }

    /// The next bytes, at least one; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        while let Some(before) = &mut self.before {
            let next = match before {
                Before::Archive(archive) => archive.next(&self.io).await?,
                // What it has no need for is not fetched.
                Before::Cold(_) if self.before_left == 0 => None,
                Before::Cold(cold) => cold.next(&self.io).await?,
            };
            let Some(mut bytes) = next else {
                self.before = None;
                break;
            };
            bytes.truncate(usize::try_from(self.before_left).unwrap_or(usize::MAX));
            self.before_left -= bytes.len() as u64;
            let skip = self.before_skip.min(bytes.len() as u64);
            self.before_skip -= skip;
            bytes.drain(..usize::try_from(skip).unwrap_or_default());
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        let Some(log) = self.log.as_ref().filter(|_| self.at < self.end) else { return Ok(None) };
        let known = log.first_bytes();
        let is_first = self.at == log.offset && !known.is_empty();
        let mut chunk = match is_first {
            true => known.to_vec(),
            false => log.get(&self.io, self.at..self.end.min(self.at + CHUNK_BYTES)).await?,
        };
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        chunk.truncate(left);
        if chunk.is_empty() {
            return Err(shorter(&log.key));
        }
        self.at += chunk.len() as u64;
        Ok(Some(chunk))
    }
}

/// What precedes a log.
enum Before {
    Archive(Unpacking<'static>),
    Cold(ColdChunks),
}

pub(crate) fn shorter(key: &Key) -> Error {
    let message = "the object became shorter while it was read";
    Error::new(ErrorKind::Conflict, message).at_key(key).retryable()
}
