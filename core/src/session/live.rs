//! What an open session remembers beside its head, so that no append has to look it up.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::append::each_line;
use crate::cold::IdSection;
use crate::entry::{Envelope, utf8};
use crate::hash::sha256;
use crate::json::Object;
use crate::line::Line;
use crate::log::{Head, LineReader};
use crate::recovery::{Change, Record};
use crate::{Entry, Error, ErrorKind, Result};

/// How long a recovery record may lag behind its log, in milliseconds.
const RECORD_LAG_MS: u64 = 5_000;

/// What an open session remembers.
#[derive(Debug, Default)]
pub(crate) struct Live {
    ids: Option<Known>,
    /// Up to which entry they are known.
    ids_until: Option<Head>,
    /// Entries in the cold store whose ids are not among them yet.
    sections: Vec<IdSection>,
    pub(super) record: Option<Recording>,
}

/// A recovery record, and when it was last written.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) record: Record,
    pub(super) saved_ms: u64,
}

/// What was seen of entries that are being appended.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The entry they go after, where ids were looked for.
    after: Option<Head>,
    ids: Vec<(IdDigest, u64)>,
    changes: Vec<Change>,
}

impl Live {
    /// Whether the ids are known up to that entry. Another of the session's values may have gone
    /// further while this one learnt them.
    pub(super) fn knows_ids(&self, head: Option<Head>) -> bool {
        let seq = |head: Option<Head>| head.map(|head| head.seq);
        let is_further = seq(self.ids_until) > seq(head);
        self.ids.is_some() && (self.ids_until == head || is_further)
    }

    /// Learns the ids up to that entry.
    pub(super) fn learn(&mut self, known: Known, sections: Vec<IdSection>, head: Option<Head>) {
        (self.ids, self.sections, self.ids_until) = (Some(known), sections, head);
    }

    /// The entries whose ids are to be read: of the sections that may hold what is wanted.
    pub(super) fn unread(&self, may_hold: impl Fn(&IdSection) -> bool) -> Vec<Range<u64>> {
        self.sections.iter().filter(|section| may_hold(section)).map(IdSection::range).collect()
    }

    /// Learns the ids of a section. Only now it goes: whoever looks for one meanwhile reads it, too.
    pub(super) fn learn_section(&mut self, known: &Known, entries: &Range<u64>) {
        self.ids.iter_mut().for_each(|ids| ids.ids.extend(&known.ids));
        self.sections.retain(|section| section.range() != *entries);
    }

    /// The entry with that id.
    pub(super) fn seq_of(&self, id: &str) -> Option<u64> {
        self.ids.as_ref()?.seq_of(id)
    }

    /// Looks at lines before they are appended, as far as anything here needs to know.
    pub(super) fn look_at(
        &self,
        lines: &[u8],
        first_seq: u64,
        after: Option<Head>,
    ) -> Result<Seen> {
        let mut seen = Seen::default();
        if self.ids.is_none() && self.record.is_none() {
            return Ok(seen);
        }
        seen.after = after.filter(|_| self.ids.is_some());
        let mut seq = first_seq;
        each_line(lines, &mut |line| {
            if self.ids.is_some() {
                seen.ids.extend(id_of(line)?.map(|id| (id, seq)));
            }
            if self.record.is_some() {
                seen.changes.extend(Change::of(line)?);
            }
            seq += 1;
            Ok(())
        })?;
        Ok(seen)
    }

    /// Takes over what was seen, once it is appended; says whether the record has to be written.
    pub(super) fn take_over(&mut self, seen: Seen, head: Head, now_ms: u64) -> bool {
        if let Some(known) = &mut self.ids
            && seen.after.is_some()
            && seen.after == self.ids_until
        {
            known.ids.extend(seen.ids);
            self.ids_until = Some(head);
        }
        let Some(recording) = &mut self.record else { return false };
        let is_over = seen.changes.iter().any(Change::ends_run);
        for change in seen.changes {
            recording.record.apply(change);
        }
        recording.record.head = Some(head);
        is_over || now_ms.saturating_sub(recording.saved_ms) >= RECORD_LAG_MS
    }
}

/// 16 bytes of an id's SHA-256: two ids that share them are not to be found.
type IdDigest = [u8; 16];

/// The items' ids of a log, and their entries.
#[derive(Debug, Default)]
pub(super) struct Known {
    ids: BTreeMap<IdDigest, u64>,
    reader: LineReader,
    seq: u64,
}

impl Known {
    /// The entry with that id.
    pub(super) fn seq_of(&self, id: &str) -> Option<u64> {
        self.ids.get(&digest(id)).copied()
    }

    /// Takes the next bytes of the log.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let Self { ids, reader, seq } = self;
        reader.push(chunk, |line, _| {
            ids.extend(id_of(line)?.map(|id| (id, *seq)));
            *seq += 1;
            Ok(())
        })
    }

    /// Takes whole lines, the first of which is that entry.
    pub(super) fn push_from(&mut self, lines: &[u8], first_seq: u64) -> Result<()> {
        (self.reader, self.seq) = (LineReader::default(), first_seq);
        self.push(lines)
    }

    /// The ids that drafts give their items, with their positions. None may stand twice.
    pub(super) fn ids_of(drafts: &[String]) -> Result<Vec<(u64, String)>> {
        let mut seen = BTreeSet::new();
        let mut ids = Vec::new();
        for (draft, index) in drafts.iter().zip(0..) {
            let object = Object::of(draft);
            let Some(id) = object.as_ref().and_then(|draft| draft.text("id")) else { continue };
            if !seen.insert(id.clone().into_owned()) {
                let error = Error::new(ErrorKind::InvalidArgument, "two items have the same id");
                return Err(error.at(|place| place.draft = Some(index)));
            }
            ids.push((index, id.into_owned()));
        }
        Ok(ids)
    }
}

fn digest(id: &str) -> IdDigest {
    let hash = sha256(id.as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// The id of the item on that line. Most lines have none, and need no parsing to know.
fn id_of(line: &[u8]) -> Result<Option<IdDigest>> {
    if memchr::memmem::find(line, b"\"id\":").is_none() {
        return Ok(None);
    }
    let Some(split) = Line::split(line) else { return Ok(None) };
    if !Envelope::parse(utf8(split.rest)?)?.kind.is_item() {
        return Ok(None);
    }
    Ok(Entry::parse(line)?.text("id").map(|id| digest(&id)))
}
