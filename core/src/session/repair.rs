//! Saving what can be saved of a damaged session.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::create::generated;
use super::edit::quoted;
use super::fork::refuse_existing;
use super::remains::Remains;
use super::salvage::Salvage;
use super::staging::Staging;
use super::{Session, Task};
use crate::entry::Envelope;
use crate::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, ENVELOPE_BYTES};
use crate::line::Line;
use crate::line::last_line;
use crate::log::{Draft, Expectation, Head, Report, Stamp, Verifier, Writer};
use crate::store::{Key, PART_BYTES, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// How the draft of an entry that opens a log starts.
const START: &str = r#"{"kind":"session_start""#;

/// So much of what was left out is listed in the repaired log: an entry has its limit.
const NOTED_MAX: usize = 10_000;

/// What a repair found, and did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Repair {
    /// The last entry up to which the damaged log holds; `None` where not one does.
    pub sound: Option<Head>,
    /// The first thing that does not hold; `None`: there is nothing to repair.
    pub fault: Option<Error>,
    /// Entries after the fault that were whole by themselves, and taken over.
    pub saved: u64,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    /// The new session; `None` where it was only looked, or there is nothing to repair.
    pub session: Option<Session>,
}

/// Bytes of a damaged log that were left out of the repaired one: neighbouring lines together where
/// the reason is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The number of its first line, counted from 1.
    pub line: u64,
    /// Where it starts in the log.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
    /// Why: an error's code, or the kind of an entry that cannot be written again.
    pub code: &'static str,
}

/// Repairs a damaged session into a new one: the lines up to the first fault as they are, a fork
/// entry, a note (an `extension` of domain `turnkeep.repair`) that lists what was left out, and
/// every later entry that is whole by itself, written anew, but for those of a batch that is surely
/// unfinished. The damaged log is not touched. With `dry_run` nothing is written.
/// `unsupported_version` where a newer version wrote it.
#[must_use]
pub fn repair(id: SessionId, into: Option<SessionId>, dry_run: bool) -> Task<Repair> {
    Task::new(async move |io| {
        let repairing = async {
            let remains = Remains::of(&io, &id).await?;
            let (report, mut repair, drafts) = look(&remains, &id)?;
            if dry_run || repair.fault.is_none() {
                return Ok(repair);
            }
            let stamp = io.stamp(8 * (drafts.len() + 3) + 10).await?;
            let new = match into {
                Some(new) => new,
                None => {
                    let start = stamp.random.len().saturating_sub(10);
                    generated(&stamp, stamp.random.get(start..).unwrap_or_default())?
                }
            };
            refuse_existing(&io, &new).await?;
            let sound = report.head.map_or(0, |head| head.bytes) as usize;
            let prefix = remains.bytes.get(..sound).unwrap_or_default();
            repair.session = Some(write(&io, new, prefix, &report, &repair, drafts, &stamp).await?);
            Ok(repair)
        };
        repairing.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// Finds the first fault, what can be saved after it, and what cannot.
fn look(remains: &Remains, id: &SessionId) -> Result<(Report, Repair, Vec<String>)> {
    let expectation = Expectation { session: Some(id.clone()), head: None };
    let mut verifier = Verifier::new(expectation);
    verifier.push(&remains.bytes);
    let report = verifier.finish();
    let is_newer = |fault: &&Error| fault.kind() == ErrorKind::UnsupportedVersion;
    if let Some(newer) = report.fault.as_ref().filter(is_newer) {
        return Err(newer.clone());
    }
    // Nobody knows how much is missing where an archive cannot be read: that comes first.
    let fault = remains.fault.clone().or_else(|| report.fault.clone());
    let (sound, left_out) = (report.head, Vec::new());
    let mut repair = Repair { sound, fault, saved: 0, left_out, session: None };
    let mut drafts = Vec::new();
    if repair.fault.is_some() {
        (drafts, repair.left_out) = Salvage::after(sound, remains).into_parts();
        repair.saved = drafts.len() as u64;
    }
    Ok((report, repair, drafts))
}

async fn write(
    io: &Io,
    new: SessionId,
    prefix: &[u8],
    report: &Report,
    repair: &Repair,
    mut drafts: Vec<String>,
    stamp: &Stamp,
) -> Result<Session> {
    let is_start = |draft: &&String| draft.starts_with(START);
    drafts.insert(drafts.iter().take(1).filter(is_start).count(), note(repair));
    let mut bytes = prefix.to_vec();
    let mut salts = Salts { stamp, used: 0 };
    let mut batches = batches(&drafts);
    let first = batches.next().unwrap_or_default();
    let mut writer = match (report.head, &report.session) {
        (Some(head), Some(session)) => {
            let salted = Writer::resume(session.clone(), head, is_salted(prefix));
            let (writer, batch) = salted.forked_at(last_fork(prefix)).fork(
                new.clone(),
                first,
                &salts.next(first.len() + 1),
            )?;
            bytes.extend_from_slice(&batch.bytes);
            writer
        }
        _ => {
            let mut writer = Writer::create(new.clone(), true);
            let batch = writer.write(first, &salts.next(first.len() + 1))?;
            writer.advance(batch.head);
            bytes.extend_from_slice(&batch.bytes);
            writer
        }
    };
    for drafts in batches {
        let batch = writer.write(drafts, &salts.next(drafts.len()))?;
        writer.advance(batch.head);
        bytes.extend_from_slice(&batch.bytes);
    }
    let mut staging = Staging::new(Key::of(&new, Part::Log));
    for part in bytes.chunks(PART_BYTES) {
        if let Err(error) = staging.add(io, part).await {
            staging.abort(io).await;
            return Err(error);
        }
    }
    let claim = super::tier::claim_for(io, &new, &mut staging).await?;
    claim.publish(io, &new, staging).await?;
    Ok(Session::new(writer).marked_at(last_line(&bytes)))
}

/// Random bytes, each given once.
struct Salts<'a> {
    stamp: &'a Stamp,
    used: usize,
}

impl Salts<'_> {
    fn next(&mut self, entries: usize) -> Stamp {
        let random = self.stamp.random.get(self.used..self.used + 8 * entries);
        self.used += 8 * entries;
        Stamp { now_ms: self.stamp.now_ms, random: random.unwrap_or_default().to_vec() }
    }
}

/// Batches within their bounds.
fn batches(drafts: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = drafts;
    core::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |draft: &&String| {
            bytes += draft.len() + ENVELOPE_BYTES;
            bytes <= BATCH_BYTES_MAX
        };
        let count = rest.iter().take(BATCH_ENTRIES_MAX).take_while(fits).count().max(1);
        let (batch, after) = rest.split_at_checked(count)?;
        rest = after;
        Some(batch)
    })
}

fn note(repair: &Repair) -> String {
    let left_out: Vec<String> = repair
        .left_out
        .iter()
        .take(NOTED_MAX)
        .map(|left| {
            let LeftOut { line, offset, bytes, code } = left;
            format!(r#"{{"line":{line},"offset":{offset},"bytes":{bytes},"code":"{code}"}}"#)
        })
        .collect();
    let fault = repair.fault.as_ref().map_or(String::new(), |fault| quoted(fault.code()));
    let unlisted = match repair.left_out.len().saturating_sub(NOTED_MAX) {
        0 => String::new(),
        count => format!(r#","unlisted":{count}"#),
    };
    let (saved, left_out) = (repair.saved, left_out.join(","));
    let lists = format!(r#""saved":{saved},"left_out":[{left_out}]{unlisted}"#);
    let payload = format!(r#"{{"fault":{fault},{lists}}}"#);
    Draft::extension("turnkeep.repair", &payload).as_str().into()
}

fn is_salted(prefix: &[u8]) -> bool {
    let end = memchr::memchr(b'\n', prefix).unwrap_or(prefix.len());
    let line = prefix.get(..end).and_then(Line::split);
    let envelope =
        line.and_then(|line| Envelope::parse(core::str::from_utf8(line.rest).ok()?).ok());
    envelope.is_some_and(|envelope| envelope.is_salted)
}

fn last_fork(prefix: &[u8]) -> Option<u64> {
    crate::log::find_tail(prefix, 0, 0).ok().flatten().and_then(|tail| tail.fork)
}
