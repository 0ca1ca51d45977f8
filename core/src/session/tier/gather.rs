//! Gathering what is new in a session: segments of its lines, and what a manifest says of them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::commit::write_segment;
use crate::archive::{Deflating, Writer};
use crate::cold::{Held, IdSection, Manifest, Segment, Slice, fingerprint};
use crate::json::Members;
use crate::limits::{INLINE_SLICE_BYTES, SEGMENT_BYTES};
use crate::log::{Expectation, Head, Verified, Verifier};
use crate::session::read::first_prev;
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Kind, Result, SessionId};

/// What the lines after a manifest tell, as it goes into the next one.
pub(super) struct Gathered {
    facts: Facts,
    verifier: Verifier,
    /// Where the segment under way started.
    start: (u64, u64),
    writer: Writer,
    deflating: Deflating,
    blocks: Vec<u8>,
    segments: Vec<Segment>,
    /// Empty blocks at each segment's end: they make it another object of the same content.
    pads: u8,
    now_ms: u64,
}

/// What is known of a session's lines so far.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) head: Option<Head>,
    pub(super) origin: Option<Hash>,
    pub(super) fork: Option<u64>,
    pub(super) is_salted: bool,
    pub(super) slice: Option<Slice>,
    pub(super) fingerprints: Vec<u32>,
}

impl Facts {
    /// Those of a manifest.
    pub(super) fn of(manifest: Option<(&Manifest, &Held)>) -> Self {
        Self {
            head: manifest.map(|(_, held)| held.head),
            origin: manifest.map(|(manifest, _)| manifest.origin),
            fork: manifest.and_then(|(_, held)| held.fork),
            is_salted: manifest.is_some_and(|(_, held)| held.is_salted),
            slice: manifest.and_then(|(_, held)| held.slice.clone()),
            fingerprints: manifest
                .map(|(_, held)| held.recent_ids.fingerprints.clone())
                .unwrap_or_default(),
        }
    }

    /// Takes the next line in.
    pub(super) fn take(&mut self, verified: &Verified<'_>) -> Result<()> {
        let (kind, seq) = (verified.kind(), verified.seq);
        let bytes = verified.offset + verified.line.len() as u64 + 1;
        self.head = Some(Head { seq, hash: verified.hash(), bytes });
        if kind == Kind::Redacted {
            return Ok(());
        }
        self.fork = verified.fork_seq();
        self.is_salted = verified.is_salted();
        if matches!(kind, Kind::SessionStart | Kind::Fork) {
            self.origin = Some(verified.hash());
        }
        let has = |name: &str| memchr::memmem::find(verified.line, name.as_bytes()).is_some();
        let restates = matches!(kind, Kind::State | Kind::SessionStart | Kind::Compaction);
        if restates && has("\"state\":") {
            let entry = verified.entry(Members::default())?;
            let slice = entry.present("state").map(|state| Slice { seq, json: short(state) });
            // Only an entry that is for it can say that there is none any more.
            if slice.is_some() || kind == Kind::State {
                self.slice = slice;
            }
        }
        if kind.is_item() && has("\"id\":") {
            let entry = verified.entry(Members::default())?;
            self.fingerprints.extend(entry.text("id").map(|id| fingerprint(&id)));
        }
        Ok(())
    }

    /// The ids of what follows the lists, up to the head.
    pub(super) fn recent_ids(&mut self, first_seq: u64) -> IdSection {
        let mut fingerprints = core::mem::take(&mut self.fingerprints);
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let entries = self.head.map_or(0, |head| (head.seq + 1).saturating_sub(first_seq));
        IdSection { first_seq, entries, fingerprints }
    }
}

/// A state slice that may stand in a manifest: neither long nor deep.
fn short(state: &str) -> Option<String> {
    let depth = state.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    (state.len() <= INLINE_SLICE_BYTES && depth <= 32).then(|| state.to_string())
}

impl Gathered {
    /// Goes on after the segments of a manifest.
    pub(super) fn after(
        id: &SessionId,
        base: Option<(&Manifest, &Held)>,
        pads: u8,
        now_ms: u64,
    ) -> Self {
        let facts = Facts::of(base);
        let (verifier, start) = match base {
            Some((_, held)) => {
                let (seq, offset) = held.tail_place();
                let tail = held.tail.as_bytes();
                let prev = if tail.is_empty() { Some(held.head.hash) } else { first_prev(tail) };
                (Verifier::resume(prev, seq, offset), (seq, offset))
            }
            None => {
                let expectation = Expectation { session: Some(id.clone()), head: None };
                (Verifier::new(expectation), (0, 0))
            }
        };
        let (writer, deflating) = (Writer::new(), Deflating::default());
        let (blocks, segments) = (Vec::new(), Vec::new());
        Self { facts, verifier, start, writer, deflating, blocks, segments, pads, now_ms }
    }

    /// Takes some lines in, and writes the segments they fill. `false`: an old object is in the way.
    pub(super) async fn push(&mut self, io: &Io, lines: &[u8]) -> Result<bool> {
        let mut blocks = Vec::new();
        let Self { facts, verifier, writer, .. } = self;
        verifier.push_each(lines, |verified| {
            blocks.extend(writer.collect(verified));
            facts.take(verified)
        });
        self.deflating.give(io, blocks, &mut self.writer).await?;
        self.blocks.extend(self.writer.take_blocks());
        if self.blocks.len() < SEGMENT_BYTES {
            return Ok(true);
        }
        self.close(io).await
    }

    /// Takes some lines in that stay in the manifest.
    pub(super) fn look_at(&mut self, lines: &[u8]) {
        let Self { facts, verifier, .. } = self;
        verifier.push_each(lines, |verified| facts.take(verified));
    }

    /// Writes the segment under way.
    async fn close(&mut self, io: &Io) -> Result<bool> {
        let Some(head) = self.facts.head.filter(|head| head.bytes > self.start.1) else {
            return Ok(true);
        };
        let deflating = core::mem::take(&mut self.deflating);
        deflating.finish(&mut self.writer).await?;
        self.writer.pad(self.pads);
        self.blocks.extend(self.writer.take_blocks());
        let frame = core::mem::take(&mut self.writer).finish(head);
        let blocks = core::mem::take(&mut self.blocks);
        let bytes = [frame.header, blocks, frame.trailer].concat();
        let content = (head.seq + 1 - self.start.0, head.bytes - self.start.1);
        self.start = (head.seq + 1, head.bytes);
        let written = write_segment(&io.cold_store()?, bytes, content, self.now_ms).await?;
        self.segments.extend(written);
        Ok(written.is_some())
    }

    /// Ends the lines, which must lead to that head; gives the segments and what is known. Nothing
    /// where an old object is in the way.
    pub(super) async fn finish(
        mut self,
        io: &Io,
        head: Head,
        after: Option<Head>,
        is_inline: bool,
    ) -> Result<Option<(Vec<Segment>, Facts)>> {
        let verifier = core::mem::take(&mut self.verifier);
        if let Some(fault) = verifier.into_fault() {
            let next = after.map(|after| after.seq + 1);
            return Err(match after {
                // The session's lines do not follow what the cold store has.
                Some(actual) if fault.place().seq == next && is_elsewhere(&fault) => {
                    diverged(actual)
                }
                _ => fault,
            });
        }
        if self.facts.head != Some(head) {
            let message = "the log changed while it was read";
            return Err(Error::new(ErrorKind::Conflict, message).retryable());
        }
        if !is_inline && !self.close(io).await? {
            return Ok(None);
        }
        Ok(Some((self.segments, self.facts)))
    }
}

/// Whether a line is none of those that follow.
fn is_elsewhere(fault: &Error) -> bool {
    matches!(fault.kind(), ErrorKind::BrokenLink | ErrorKind::BadLine | ErrorKind::BadSeq)
}

/// What is said of a session whose hot part does not follow its cold one.
pub(super) fn diverged(actual: Head) -> Error {
    let message = "the hot store's entries do not follow those in the cold store: another writer \
                   went on from an older state; fork the session to keep both";
    Error::new(ErrorKind::Conflict, message).with_actual(actual)
}
