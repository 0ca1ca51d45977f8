//! The chain checks (`docs/format.md` §3.7), streaming.

use alloc::format;
use alloc::string::String;

use super::group::{HashedLine, hash_group, read_group};
use super::reader::ReadLine;
use super::{Head, LineReader, Torn};
use crate::entry::{Entry, Envelope, claimed_version, utf8};
use crate::field::{self, Point};
use crate::hash::{Hash, HexText};
use crate::json::Members;
use crate::kind::Kind;
use crate::state::History;
use crate::{Error, ErrorKind, Result, SessionId};

/// What the caller knows of a log beforehand.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Whose log it should be.
    pub session: Option<SessionId>,
    /// An entry it should contain: its number and hash.
    pub head: Option<(u64, Hash)>,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The last entry up to which everything holds; `None` where not even one entry does.
    pub head: Option<Head>,
    /// Whose log it is.
    pub session: Option<SessionId>,
    /// Entries whose content was withheld.
    pub withheld: u64,
    /// An unfinished write after the head. Not damage.
    pub torn: Option<Torn>,
    /// The first thing that does not hold, with its place.
    pub fault: Option<Error>,
    /// In a deep verification: the first entry, up to the head, whose content is not as it should
    /// be. The chain holds there all the same.
    pub entry_fault: Option<Error>,
}

impl Report {
    /// Whether everything holds and nothing is torn.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fault.is_none() && self.entry_fault.is_none() && self.torn.is_none()
    }

    /// The first fault as an error, if there is one; a torn tail is none.
    pub fn sound(&self) -> Result<()> {
        let fault = self.fault.as_ref().or(self.entry_fault.as_ref());
        fault.map_or(Ok(()), |fault| Err(fault.clone()))
    }
}

/// A line whose chain checks were made.
#[derive(Debug)]
pub struct Verified<'a> {
    /// The line without its `\n`.
    pub line: &'a [u8],
    /// Its entry's number.
    pub seq: u64,
    /// Offset of the line's start.
    pub offset: u64,
    hash: Hash,
    rest: &'a str,
    envelope: &'a Envelope<'a>,
}

impl<'a> Verified<'a> {
    /// Its entry's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.envelope.kind
    }

    /// Its entry's kind as it is written.
    #[must_use]
    pub fn kind_name(&self) -> &'a str {
        self.envelope.kind_name
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its entry's time in milliseconds since 1970, if it was not redacted.
    #[must_use]
    pub fn ts(&self) -> Option<u64> {
        self.envelope.ts
    }

    /// The log's last `fork` entry up to this one; a redacted entry does not say.
    pub(crate) fn fork_seq(&self) -> Option<u64> {
        let is_fork = self.envelope.kind == Kind::Fork;
        if is_fork { Some(self.seq) } else { self.envelope.fork }
    }

    pub(crate) fn is_salted(&self) -> bool {
        self.envelope.is_salted
    }

    /// Makes the entry checks and gives the entry, with its place in the error.
    pub(crate) fn entry(&self, members: Members) -> Result<Entry<'a>> {
        Entry::check(self.hash, self.rest, self.envelope.clone(), members)
            .map_err(|e| self.place(e))
    }

    pub(crate) fn place(&self, error: Error) -> Error {
        error.at(|place| {
            place.seq = Some(self.seq);
            place.line = Some(self.seq + 1);
            place.offset = Some(self.offset);
        })
    }
}

/// Checks a log's chain, line by line, from bytes in any chunking.
///
/// ```
/// use turnkeep_core::log::{Expectation, Verifier};
/// let mut verifier = Verifier::new(Expectation::default());
/// verifier.push(b"{\"hash\":\"no log\"}\n");
/// let report = verifier.finish();
/// assert_eq!(report.fault.unwrap().code(), "bad_line");
/// ```
#[derive(Debug, Default)]
pub struct Verifier {
    expectation: Expectation,
    /// The expected entry was seen.
    has_expected: bool,
    reader: LineReader,
    chain: Chain,
    deep: Option<Deep>,
    report: Report,
}

impl Verifier {
    /// A verifier of the chain.
    #[must_use]
    pub fn new(expectation: Expectation) -> Self {
        Self { expectation, ..Self::default() }
    }

    /// A verifier of lines from the middle of a log, which follow an entry with that hash.
    pub(crate) fn resume(prev: Option<Hash>, seq: u64, offset: u64) -> Self {
        let prev = prev.map(|hash| (hash, hash.to_hex()));
        let chain = Chain { prev, next_seq: seq, fork_seq: None, ..Chain::default() };
        Self { chain, reader: LineReader::new(offset), ..Self::default() }
    }

    /// A verifier of what follows that head in a log of that session, whose last `fork` entry is
    /// that one.
    pub(crate) fn after(head: Head, session: Option<SessionId>, fork: Option<u64>) -> Self {
        let mut verifier = Self::resume(Some(head.hash), head.seq + 1, head.bytes);
        verifier.chain.session = session;
        verifier.chain.fork_seq = Some(fork);
        verifier
    }

    /// What does not hold so far.
    pub(crate) fn fault(&self) -> Option<&Error> {
        self.report.fault.as_ref()
    }

    /// What does not hold so far.
    pub(crate) fn into_fault(self) -> Option<Error> {
        self.report.fault
    }

    /// The same, and every entry's content is checked too, as a fold would.
    #[must_use]
    pub fn deep(mut self) -> Self {
        self.deep = Some(Deep::default());
        self
    }

    /// Takes the next bytes. After a fault the rest is ignored.
    pub fn push(&mut self, chunk: &[u8]) {
        self.push_each(chunk, |_| Ok(()));
    }

    /// Takes the next bytes and gives every line that holds. Lines of a batch that proves torn at
    /// the end of the input are given too: feed a log up to its head to see committed ones only.
    /// An error that `found` answers becomes the report's fault.
    pub fn push_each(&mut self, chunk: &[u8], mut found: impl FnMut(&Verified<'_>) -> Result<()>) {
        self.push_to(chunk, &mut found);
    }

    /// Not generic: it is large, and would stand in the wasm once for each caller.
    fn push_to(&mut self, chunk: &[u8], found: &mut dyn FnMut(&Verified<'_>) -> Result<()>) {
        if self.report.fault.is_some() {
            return;
        }
        let Self { reader, chain, deep, expectation, has_expected, .. } = self;
        let mut found = |verified: &Verified<'_>| {
            let is_expected = |(seq, hash)| seq == verified.seq && hash == verified.hash;
            *has_expected |= expectation.head.is_some_and(is_expected);
            if let Some(deep) = deep {
                deep.line(verified);
            }
            found(verified)
        };
        let mut chunk = chunk;
        let mut pushed = Ok(true);
        while pushed == Ok(true) {
            let (group, read) = read_group(reader, &mut chunk);
            pushed = group
                .iter()
                .zip(hash_group(&group))
                .try_for_each(|(line, hashed)| chain.line(line, hashed, &mut found))
                .and(read);
        }
        if let Err(error) = pushed {
            let line = self.chain.next_seq + 1;
            let more = self.chain.unfinished_text();
            self.report.fault = Some(error.adding(&more).at(|place| {
                place.line.get_or_insert(line);
                place.seq.get_or_insert(line - 1);
            }));
        }
    }

    /// Ends the input.
    #[must_use]
    pub fn finish(self) -> Report {
        let Self { expectation, has_expected, reader, chain, deep, mut report } = self;
        let unfinished = chain.unfinished();
        let committed = chain.committed;
        report.head = committed.as_ref().map(|committed| committed.head);
        report.withheld = committed.as_ref().map_or(0, |committed| committed.withheld);
        report.session = chain.session.filter(|_| committed.is_some());
        let end = report.head.map_or(0, |head| head.bytes);
        let length = reader.offset() + reader.rest().len() as u64;
        if report.fault.is_none() && length > end {
            report.torn = Some(Torn { offset: end, bytes: length - end });
        }
        if report.fault.is_none() {
            report.fault = end_fault(&report, &expectation, has_expected, unfinished);
        }
        let in_log = |error: &Error| error.place().seq <= report.head.map(|head| head.seq);
        report.entry_fault = deep.and_then(|deep| deep.fault).filter(in_log);
        report
    }
}

fn end_fault(
    report: &Report,
    expectation: &Expectation,
    has_expected: bool,
    unfinished: u64,
) -> Option<Error> {
    let Some(head) = report.head else { return Some(super::tail::empty(unfinished)) };
    if let (Some(expected), Some(found)) = (&expectation.session, &report.session)
        && expected != found
        && !planted!(AnyonesLog)
    {
        let message = format!("this is the log of session {:?}", found.as_str());
        return Some(Error::new(ErrorKind::WrongSession, message).in_session(expected));
    }
    let (seq, hash) = expectation.head.filter(|(seq, _)| !has_expected || *seq > head.seq)?;
    let message = format!("the log has no entry {seq} with hash {hash}");
    Some(Error::new(ErrorKind::HeadMismatch, message))
}

/// Verifies a log that lies whole in memory.
#[must_use]
pub fn verify(log: &[u8], expectation: Expectation) -> Report {
    let mut verifier = Verifier::new(expectation);
    verifier.push(log);
    verifier.finish()
}

/// What may be unknown, and may be known not to be.
type Unknown<T> = Option<Option<T>>;

/// The chain so far.
#[derive(Debug)]
struct Chain {
    prev: Option<(Hash, HexText)>,
    next_seq: u64,
    /// Entries of the open batch that must still follow.
    more: u32,
    /// The first entry of that batch.
    batch: u64,
    session: Option<SessionId>,
    /// The id that a fork in the open batch gives.
    fork: Option<SessionId>,
    /// The last `fork` entry; unknown at first for lines from the middle of a log.
    fork_seq: Unknown<u64>,
    withheld: u64,
    committed: Option<Committed>,
}

#[derive(Debug)]
struct Committed {
    head: Head,
    withheld: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            prev: None,
            next_seq: 0,
            more: 0,
            batch: 0,
            session: None,
            fork: None,
            fork_seq: Some(None),
            withheld: 0,
            committed: None,
        }
    }
}

/// What is no line of a log; where it is another file of turnkeep's, the error says which.
fn bad_line(line: &[u8]) -> Error {
    let message = match line.starts_with(br#"{"bundle":"#) {
        true => "a bundle of sessions, not one's log: `turnkeep unbundle --dry-run` verifies it",
        false => "not the shape of a log's line",
    };
    Error::new(ErrorKind::BadLine, message)
}

impl Chain {
    fn line(
        &mut self,
        read: &ReadLine<'_>,
        hashed: Option<HashedLine<'_>>,
        found: impl FnOnce(&Verified<'_>) -> Result<()>,
    ) -> Result<()> {
        let ReadLine { bytes: line, offset } = read;
        let offset = *offset;
        let seq = self.next_seq;
        let located = |error: Error| {
            error.at(|place| {
                place.seq = Some(seq);
                place.line = Some(seq + 1);
                place.offset = Some(offset);
            })
        };
        let hashed = hashed.ok_or_else(|| located(bad_line(line)))?;
        let hash = hashed.hash;
        let hex = self.check_hash(&hashed).map_err(located)?;
        let rest = utf8(hashed.line.rest).map_err(located)?;
        let envelope = Envelope::parse(rest).map_err(located)?;
        let more = self.check_envelope(&envelope).map_err(located)?;
        let verified = Verified { line, seq, offset, hash, rest, envelope: &envelope };
        if envelope.kind == Kind::Fork {
            self.fork = Some(self.check_fork(&verified)?);
        }
        found(&verified)?;
        self.advance(&envelope, more);
        self.prev = Some((hash, hex));
        if more == 0 {
            let bytes = offset + line.len() as u64 + 1;
            self.commit(Head { seq, hash, bytes });
        }
        Ok(())
    }

    /// Checks 2 to 5. What is equal to text we made is spelled right; only what is not is looked
    /// at more closely.
    fn check_hash(&self, hashed: &HashedLine<'_>) -> Result<HexText> {
        let HashedLine { line, hash } = hashed;
        let is_first = self.prev.is_none();
        let hex = hash.to_hex();
        let is_linked = line.prev == self.prev.as_ref().map(|(_, hex)| hex);
        let is_hashed = *line.hash == hex;
        if planted!(HashesAreBelieved) {
            return Ok(hex);
        }
        let is_newer = is_first && claimed_version(line.rest).is_some_and(|version| version > 1);
        if is_linked && is_hashed && !is_newer {
            return Ok(hex);
        }
        let (kind, message) = if !line.is_spelled_right() {
            (ErrorKind::BadLine, "a hash is not 64 lower-case hex digits")
        } else if is_newer {
            (ErrorKind::UnsupportedVersion, "the log has a newer format than 1")
        } else if !is_linked {
            (ErrorKind::BrokenLink, "prev_hash is not the hash of the line before")
        } else {
            (ErrorKind::BadHash, "the line's bytes do not give its hash")
        };
        Err(Error::new(kind, message))
    }

    /// Checks 7 and 8; gives how many entries of the batch must still follow.
    fn check_envelope(&self, envelope: &Envelope<'_>) -> Result<u32> {
        let bad_entry = |message| Err(Error::new(ErrorKind::BadEntry, message));
        if (self.next_seq == 0) != envelope.session.is_some() {
            return bad_entry("session_start stands on the first line, and only there");
        }
        let more = match envelope.kind {
            Kind::Redacted => self.more.saturating_sub(1),
            _ => envelope.more,
        };
        // A fork may cut a batch short: its parent's was whole.
        if self.more > 0 && more != self.more - 1 && envelope.kind != Kind::Fork {
            return bad_entry("the entries of a batch must count down");
        }
        if envelope.seq.is_some() && self.fork_seq.is_some_and(|fork| fork != envelope.fork) {
            return bad_entry("\"fork\" must number the last fork entry before this one");
        }
        match envelope.seq {
            Some(seq) if seq != self.next_seq => {
                let message = format!("seq is {seq}, expected {}", self.next_seq);
                Err(Error::new(ErrorKind::BadSeq, message))
            }
            _ => Ok(more),
        }
    }

    /// A fork names the entry it follows; gives the id of the session it starts.
    fn check_fork(&self, verified: &Verified<'_>) -> Result<SessionId> {
        let entry = verified.entry(Members::default())?;
        let parent = entry.field("parent").and_then(field::point);
        let session = entry.text("session").and_then(|id| SessionId::new(id).ok());
        let is_of_log = |parent: &Point| {
            Some(&parent.session) == self.fork.as_ref().or(self.session.as_ref())
                && Some(parent.hash) == self.prev.map(|(hash, _)| hash)
                && parent.seq + 1 == verified.seq
        };
        let message = "a fork's parent is the entry before it";
        let wrong = || verified.place(Error::new(ErrorKind::BadEntry, message));
        let is_middle = self.session.is_none() && self.fork.is_none();
        parent.filter(|parent| is_middle || is_of_log(parent)).and(session).ok_or_else(wrong)
    }

    fn advance(&mut self, envelope: &Envelope<'_>, more: u32) {
        if let Some(session) = &envelope.session {
            self.fork = Some(session.clone());
        }
        match envelope.kind {
            Kind::Redacted => self.withheld += 1,
            Kind::Fork => self.fork_seq = Some(envelope.seq),
            _ => self.fork_seq = Some(envelope.fork),
        }
        if self.more == 0 {
            self.batch = self.next_seq;
        }
        self.next_seq += 1;
        self.more = more;
    }

    /// How many entries of the open batch are there.
    fn unfinished(&self) -> u64 {
        if self.more == 0 { 0 } else { self.next_seq - self.batch }
    }

    /// What a fault in the middle of a batch takes with it.
    fn unfinished_text(&self) -> String {
        let (first, last) = (self.batch, self.next_seq.saturating_sub(1));
        match self.unfinished() {
            0 => String::new(),
            1 => format!("; entry {first} holds, but its batch is not whole"),
            _ => format!("; entries {first} to {last} hold, but their batch is not whole"),
        }
    }

    fn commit(&mut self, head: Head) {
        if let Some(session) = self.fork.take() {
            self.session = Some(session);
        }
        self.committed = Some(Committed { head, withheld: self.withheld });
    }
}

/// The entry checks beside the chain's.
#[derive(Debug, Default)]
struct Deep {
    members: Members,
    history: History,
    fault: Option<Error>,
}

impl Deep {
    fn line(&mut self, verified: &Verified<'_>) {
        if self.fault.is_some() {
            return;
        }
        let checked = verified.entry(core::mem::take(&mut self.members)).and_then(|entry| {
            self.history.apply(&entry).map_err(|e| verified.place(e))?;
            Ok(entry.into_members())
        });
        match checked {
            Ok(members) => self.members = members,
            Err(fault) => self.fault = Some(fault),
        }
    }
}
