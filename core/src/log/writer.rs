//! Drafts in, lines out.

use alloc::vec::Vec;

use super::draft::Checked;
use super::{Draft, Head};
use crate::entry::{FORMAT_VERSION, fits_integer};
use crate::field::Point;
use crate::hash::{Hash, body_digests, chain};
use crate::json::{Members, push_text};
use crate::kind::Kind;
use crate::limits::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, LINE_BYTES_MAX};
use crate::line::{FIRST_PREFIX, PREFIX, write_prefix};
use crate::{Error, ErrorKind, Result, SessionId};

/// Random bytes of an entry's salt.
const SALT_BYTES: usize = 8;

/// Where the next entry of a log goes. Plain data: nothing moves until the lines were stored and
/// the caller takes [`Batch::head`] over with [`Writer::advance`].
///
/// ```
/// use turnkeep_core::log::{Draft, Stamp, Writer};
/// use turnkeep_core::SessionId;
/// let mut writer = Writer::create(SessionId::new("demo")?, true);
/// let stamp = Stamp { now_ms: 1760000000000, random: vec![0; writer.random_bytes(1)] };
/// let batch = writer.write(&[Draft::user_input("\"Hi\"")], &stamp)?;
/// assert_eq!((batch.first_seq, batch.head.seq), (1, 1)); // entry 0 opens the log
/// writer.advance(batch.head);
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    session: SessionId,
    head: Option<Head>,
    is_salted: bool,
    /// The log's last `fork` entry.
    fork: Option<u64>,
}

/// Time and chance, given by the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// As many random bytes as [`Writer::random_bytes`] asked for.
    pub random: Vec<u8>,
}

/// Lines to be appended together, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The lines.
    pub bytes: Vec<u8>,
    /// Number of the first draft's entry (not of the entry that opens a new log, unless a draft
    /// gave that).
    pub first_seq: u64,
    /// The head once they are stored.
    pub head: Head,
}

impl Writer {
    /// A writer of a log that does not exist yet.
    #[must_use]
    pub fn create(session: SessionId, is_salted: bool) -> Self {
        Self { session, head: None, is_salted, fork: None }
    }

    /// A writer that goes on after that head.
    #[must_use]
    pub fn resume(session: SessionId, head: Head, is_salted: bool) -> Self {
        Self { session, head: Some(head), is_salted, fork: None }
    }

    /// The same, in a log whose last `fork` entry is that one.
    #[must_use]
    pub fn forked_at(mut self, fork: Option<u64>) -> Self {
        self.fork = fork;
        self
    }

    /// The log's last `fork` entry.
    #[must_use]
    pub fn fork_seq(&self) -> Option<u64> {
        self.fork
    }

    /// Whether entries are salted.
    pub(crate) fn is_salted(&self) -> bool {
        self.is_salted
    }

    /// Whose log it is.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The last entry; `None` before the first.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Takes over the head of a batch that was stored.
    pub fn advance(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// How many random bytes [`Self::write`] needs for that many drafts, at most.
    #[must_use]
    pub fn random_bytes(&self, drafts: usize) -> usize {
        if self.is_salted { SALT_BYTES * (drafts + usize::from(self.head.is_none())) } else { 0 }
    }

    /// Makes lines of drafts (JSON texts, see [`super::Draft`]). On a new log the entry that opens
    /// it comes first: the first draft, if its kind is `session_start`, or one without fields.
    ///
    /// Fails with the code of the first check a draft fails and its position among the drafts;
    /// `too_large` where an entry or the batch exceeds its limit; `invalid_argument` where there is
    /// nothing to write or too little random.
    pub fn write(&self, drafts: &[impl AsRef<str>], stamp: &Stamp) -> Result<Batch> {
        let mut lines = Lines::new(self, stamp);
        let first_seq = lines.drafts(drafts)?;
        lines.finish(first_seq)
    }

    /// Makes the lines that turn a copy of this log up to its head into a fork, another session's
    /// log: the entry that says so, then those of the drafts. Gives that log's writer at its head.
    pub fn fork(
        &self,
        child: SessionId,
        drafts: &[impl AsRef<str>],
        stamp: &Stamp,
    ) -> Result<(Self, Batch)> {
        let head = self.head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
        let parent = Point { session: self.session.clone(), seq: head.seq, hash: head.hash };
        let fork = Draft::new(Kind::Fork.name())
            .with_text("session", child.as_str())
            .with("parent", &parent.to_json());
        let mut lines = Lines::new(self, stamp);
        lines.line(Some(&Checked::new(fork.as_str(), &mut Members::default())?), 0, 0)?;
        let seq = head.seq.saturating_add(1);
        lines.fork = Some(seq);
        lines.drafts(drafts)?;
        let batch = lines.finish(Some(seq))?;
        let writer = Self { session: child, head: Some(batch.head), fork: Some(seq), ..*self };
        Ok((writer, batch))
    }
}

/// Lines under way.
struct Lines<'a> {
    session: &'a SessionId,
    is_salted: bool,
    stamp: &'a Stamp,
    random: core::slice::ChunksExact<'a, u8>,
    /// The entry before the lines, if they do not open the log.
    before: Option<Head>,
    fork: Option<u64>,
    bytes: Vec<u8>,
    /// Where each line starts, with the room for its prefix.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(writer: &'a Writer, stamp: &'a Stamp) -> Self {
        Self {
            session: &writer.session,
            is_salted: writer.is_salted,
            stamp,
            random: stamp.random.chunks_exact(SALT_BYTES),
            before: writer.head,
            fork: writer.fork,
            bytes: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Number of the next line's entry.
    fn next_seq(&self) -> u64 {
        let first = self.before.map_or(0, |head| head.seq.saturating_add(1));
        first.saturating_add(self.starts.len() as u64)
    }

    /// The drafts' lines, as one batch; gives the number of the first one's entry.
    fn drafts(&mut self, drafts: &[impl AsRef<str>]) -> Result<Option<u64>> {
        if drafts.len() > BATCH_ENTRIES_MAX {
            return Err(Error::new(ErrorKind::TooLarge, "a batch has at most 4,096 entries"));
        }
        let mut members = Members::default();
        let mut first_seq = None;
        for (index, (draft, more)) in drafts.iter().zip((0..drafts.len()).rev()).enumerate() {
            let written = self.draft(draft.as_ref(), more, &mut members);
            let seq = written.map_err(|e| e.at(|place| place.draft = Some(index as u64)))?;
            first_seq.get_or_insert(seq);
        }
        Ok(first_seq)
    }

    fn draft(&mut self, draft: &str, more: usize, members: &mut Members) -> Result<u64> {
        let checked = Checked::new(draft, members)?;
        let refused = |message| Err(Error::new(ErrorKind::BadEntry, message));
        let is_start = checked.kind == Kind::SessionStart;
        if is_start && self.next_seq() > 0 {
            return refused("session_start only opens a log");
        }
        if checked.kind == Kind::Fork {
            return refused("fork entries are only written by forking");
        }
        if !is_start && self.next_seq() == 0 {
            self.line(None, 0, 0)?;
        }
        self.line(Some(&checked), more, draft.len())
    }

    /// One line: room for the prefix, then the body.
    fn line(&mut self, draft: Option<&Checked<'_>>, more: usize, size: usize) -> Result<u64> {
        let seq = self.next_seq();
        let ts = draft.and_then(|draft| draft.ts).unwrap_or(self.stamp.now_ms);
        if !fits_integer(seq) || !fits_integer(ts) {
            return Err(too_large_a_number());
        }
        let start = self.bytes.len();
        let prefix = prefix_length(seq == 0);
        self.bytes.reserve(prefix + size + 128);
        self.bytes.resize(start + prefix, 0);
        self.envelope(draft.map_or("session_start", |draft| draft.kind_name), seq, ts, more)?;
        for (key, value) in draft.into_iter().flat_map(Checked::fields) {
            let bytes = &mut self.bytes;
            bytes.extend_from_slice(b",\"");
            bytes.extend_from_slice(key.as_bytes());
            bytes.extend_from_slice(b"\":");
            bytes.extend_from_slice(value.as_bytes());
        }
        self.bytes.extend_from_slice(b"}\n");
        self.starts.push(start);
        self.check_lengths(start)?;
        Ok(seq)
    }

    fn envelope(&mut self, kind: &str, seq: u64, ts: u64, more: usize) -> Result<()> {
        self.push(r#""kind":""#);
        self.push(kind);
        self.push(r#"","seq":"#);
        self.push_integer(seq);
        if seq == 0 {
            self.push(r#","format":"#);
            self.push_integer(FORMAT_VERSION);
            self.push(r#","session":"#);
            let mut session = alloc::string::String::new();
            push_text(&mut session, self.session.as_str());
            self.push(&session);
        }
        self.push(r#","ts":"#);
        self.push_integer(ts);
        if let Some(fork) = self.fork {
            self.push(r#","fork":"#);
            self.push_integer(fork);
        }
        if self.is_salted {
            let too_few = || Error::new(ErrorKind::InvalidArgument, "too few random bytes");
            let salt = self.random.next().ok_or_else(too_few)?;
            self.push(r#","salt":""#);
            push_base64url(&mut self.bytes, salt);
            self.push("\"");
        }
        if more > 0 {
            self.push(r#","more":"#);
            self.push_integer(more as u64);
        }
        Ok(())
    }

    fn check_lengths(&self, start: usize) -> Result<()> {
        let too_large = |message| Err(Error::new(ErrorKind::TooLarge, message));
        if self.bytes.len() - start - 1 > LINE_BYTES_MAX {
            return too_large("an entry has at most 32 MiB");
        }
        if self.bytes.len() > BATCH_BYTES_MAX {
            return too_large("a batch has at most 64 MiB");
        }
        Ok(())
    }

    fn finish(mut self, first_seq: Option<u64>) -> Result<Batch> {
        if self.next_seq() == 0 {
            self.line(None, 0, 0)?;
        }
        let nothing = || Error::new(ErrorKind::InvalidArgument, "nothing to append");
        let hash = self.seal().ok_or_else(nothing)?;
        let seq = self.next_seq().saturating_sub(1);
        let before = self.before.map_or(0, |head| head.bytes);
        let bytes = before.saturating_add(self.bytes.len() as u64);
        if !fits_integer(bytes) {
            return Err(too_large_a_number());
        }
        let head = Head { seq, hash, bytes };
        Ok(Batch { bytes: self.bytes, first_seq: first_seq.unwrap_or(seq), head })
    }

    /// Writes the prefixes, now that all bodies are there to be hashed together. Gives the last
    /// line's hash.
    fn seal(&mut self) -> Option<Hash> {
        let digests = self.digests();
        let mut prev = self.before.map(|head| head.hash);
        for (start, digest) in self.starts.iter().zip(digests) {
            let hash = chain(prev, digest);
            let room = self.bytes.get_mut(*start..).unwrap_or_default();
            let length = prefix_length(prev.is_none());
            write_prefix(room.get_mut(..length).unwrap_or_default(), hash, prev);
            prev = Some(hash);
        }
        prev.filter(|_| !self.starts.is_empty())
    }

    fn digests(&self) -> Vec<Hash> {
        let ends = self.starts.iter().skip(1).copied().chain([self.bytes.len()]);
        let mut is_first = self.before.is_none();
        let mut rests = Vec::with_capacity(self.starts.len());
        for (start, end) in self.starts.iter().zip(ends) {
            let rest = start + prefix_length(is_first)..end - 1; // without the `\n`
            rests.push(self.bytes.get(rest).unwrap_or_default());
            is_first = false;
        }
        body_digests(&rests)
    }

    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn push_integer(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            used += 1;
            if number == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
    }
}

fn too_large_a_number() -> Error {
    Error::new(ErrorKind::TooLarge, "numbers end at 2^53 - 1")
}

fn prefix_length(is_first: bool) -> usize {
    if is_first { FIRST_PREFIX } else { PREFIX }
}

/// Base64url without padding (RFC 4648 §5).
fn push_base64url(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let digit = (word >> (18 - 6 * place)) as usize & 63;
            out.extend(DIGITS.get(digit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        Writer::create(SessionId::new("demo").unwrap(), true)
    }

    fn stamp(salts: usize) -> Stamp {
        let random = (0..salts as u64).flat_map(u64::to_be_bytes).collect();
        Stamp { now_ms: 1_760_000_000_000, random }
    }

    /// The worked example of docs/format.md §3.1.
    #[test]
    fn writes_the_worked_example() {
        let mut writer = writer();
        let mut stamp = stamp(2);
        let first = writer.write(&[] as &[&str], &stamp).unwrap();
        writer.advance(first.head);
        stamp.now_ms += 1;
        stamp.random.drain(..8);
        *stamp.random.last_mut().unwrap() = 1;
        let draft = r#"{"kind":"user_input","item":{"role":"user","content":"Hi"}}"#;
        let second = writer.write(&[draft], &stamp).unwrap();
        assert_eq!(second.head.bytes, 453);
        let file = [first.bytes, second.bytes].concat();
        assert_eq!(
            alloc::string::ToString::to_string(&crate::hash::sha256(&file)),
            "1e85d613de1a95c0070b716a014cd481dae5971fe720e72240abc4c9869cff2c"
        );
    }

    #[test]
    fn a_failed_write_names_the_draft() {
        let good = r#"{"kind":"turn_end","turn":1}"#;
        for (bad, code) in [
            (r#"{"kind":"turn_end"}"#, "bad_entry"),
            (r#"{"kind":"turn_end","turn":1,"turn":2}"#, "duplicate_key"),
            (r#"{"kind":"turn_end","turn":1,"seq":2}"#, "duplicate_key"),
            (r#"{"kind":"redacted"}"#, "bad_entry"),
            (r#"{"kind":"session_start"}"#, "bad_entry"),
            (r#"{"turn":1}"#, "bad_entry"),
            ("[1]", "bad_json"),
            ("", "bad_json"),
        ] {
            let error = writer().write(&[good, bad], &stamp(3)).unwrap_err();
            assert_eq!((error.code(), error.place().draft), (code, Some(1)), "{bad}");
        }
    }

    #[test]
    fn fields_keep_their_bytes_and_ts_may_be_given() {
        let draft = r#"{ "item" : {"b":1.50,"a":9007199254740993,"x":"\ud800"} , "ts":5,"kind":"user_input" }"#;
        let batch = writer().write(&[draft], &stamp(2)).unwrap();
        let text = core::str::from_utf8(&batch.bytes).unwrap();
        let line = text.lines().nth(1).unwrap();
        let tail = r#","item":{"b":1.50,"a":9007199254740993,"x":"\ud800"}}"#;
        assert!(line.ends_with(tail) && line.contains(r#""ts":5,"#), "{line}");
    }
}
