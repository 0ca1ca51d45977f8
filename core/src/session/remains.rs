//! What can still be read of a damaged session's log.

use alloc::vec::Vec;
use core::ops::Range;

use super::cold::{ColdPart, open_segment};
use super::repair::LeftOut;
use super::scan::{CHUNK_BYTES, Chunks};
use super::source::{ArchivePart, Source};
use crate::archive::{ENDING_BYTES, check_ending, inflate_span};
use crate::cold::Held;
use crate::gzip::crc32;
use crate::store::{Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorClass, ErrorKind, Result, SessionId};

/// What was read, and why some of it was not.
#[derive(Default)]
pub(super) struct Remains {
    /// All that could be read, in order.
    pub(super) bytes: Vec<u8>,
    /// The first thing that could not be.
    pub(super) fault: Option<Error>,
    /// Blocks and segments that give nothing, in order.
    pub(super) lost: Vec<Lost>,
}

/// Lines of which it is known where they were.
pub(super) struct Lost {
    /// Where they are missing in the bytes.
    pub(super) at: usize,
    pub(super) lines: u64,
    pub(super) left_out: LeftOut,
}

impl Remains {
    pub(super) async fn of(io: &Io, id: &SessionId) -> Result<Self> {
        let mut remains = Self::default();
        match Source::find(io, id, CHUNK_BYTES).await {
            Ok(source) => remains.joined(io, source).await?,
            Err(error) => {
                remains.note(error)?;
                remains.apart(io, id).await?;
            }
        }
        Ok(remains)
    }

    async fn joined(&mut self, io: &Io, source: Source) -> Result<()> {
        self.before(io, source.archive, source.cold).await?;
        let Some(log) = source.log else { return Ok(()) };
        // What someone else's archive ends with may be unfinished: the log takes its place.
        self.bytes.truncate(usize::try_from(log.offset).unwrap_or(usize::MAX));
        self.end_line();
        self.chunks(io, Source { archive: None, cold: None, log: Some(log) }).await
    }

    /// What precedes the log, and the log, where nothing lets them be joined.
    async fn apart(&mut self, io: &Io, id: &SessionId) -> Result<()> {
        let (log, key) = (Key::of(id, Part::Log), Key::of(id, Part::Archive));
        let archive = match ArchivePart::find(io, id).await {
            // Its index may be what is damaged: as any gzip file, then.
            Err(error) if is_damage(&error) => io.find(&key).await?.map(|info| {
                let (start, is_cold) = (Vec::new(), false);
                ArchivePart { key, info, index: None, start, is_cold }
            }),
            archive => archive?,
        };
        let cold = match ColdPart::find(io, id).await {
            Err(error) if is_damage(&error) => None,
            cold => cold?.filter(|_| archive.is_none()),
        };
        self.before(io, archive, cold).await?;
        if let Some(log) = found(io.get(&log, None).await)? {
            self.end_line();
            self.bytes.extend_from_slice(&log.bytes);
        }
        Ok(())
    }

    async fn before(
        &mut self,
        io: &Io,
        archive: Option<ArchivePart>,
        cold: Option<ColdPart>,
    ) -> Result<()> {
        match (archive, cold) {
            (Some(part), _) if part.index.is_some() => {
                let crc = self.spans(io, &part, (u64::MAX, u64::MAX)).await?;
                if self.fault.is_none() {
                    let end = part.info.bytes;
                    let ending = part.get(io, end - ENDING_BYTES..end).await?;
                    let checked = check_ending(&ending, crc, self.bytes.len() as u64);
                    self.fault = checked.map_err(|error| error.at_key(&part.key)).err();
                }
                Ok(())
            }
            (Some(part), _) => {
                self.chunks(io, Source { archive: Some(part), cold: None, log: None }).await
            }
            (None, Some(cold)) => self.segments(io, cold.held()?).await,
            (None, None) => Ok(()),
        }
    }

    async fn segments(&mut self, io: &Io, held: &Held) -> Result<()> {
        for (segment, seq, offset) in held.located() {
            let end = (seq + segment.entries, offset + segment.raw_bytes);
            match open_segment(io, &segment, seq, offset).await {
                Ok(part) => _ = self.spans(io, &part, end).await?,
                Err(error) => self.lose(error, seq..end.0, offset..end.1)?,
            }
        }
        self.bytes.extend_from_slice(held.tail.as_bytes());
        Ok(())
    }

    /// Each span inflates alone, whatever is wrong with another. Of a segment that is shared, the
    /// session may have what precedes `end` only, an entry and where it starts. Gives the checksum.
    async fn spans(&mut self, io: &Io, part: &ArchivePart, end: (u64, u64)) -> Result<u32> {
        let mut crc = 0;
        let spans = part.index.iter().flat_map(|index| index.located());
        for span in spans.take_while(|span| span.first_seq < end.0) {
            let compressed = part.get(io, span.compressed.clone()).await?;
            let seqs = span.first_seq..end.0.min(span.first_seq + span.span.entries);
            let raw = span.raw.start..end.1.min(span.raw.end);
            match inflate_span(&span, &compressed) {
                Ok(mut inflated) => {
                    crc = crc32(crc, &inflated);
                    inflated.truncate((raw.end - raw.start) as usize);
                    self.bytes.extend_from_slice(&inflated);
                }
                Err(error) => self.lose(error.at_key(&part.key), seqs, raw)?,
            }
        }
        Ok(crc)
    }

    /// Adds what there is up to the first damage.
    async fn chunks(&mut self, io: &Io, source: Source) -> Result<()> {
        let mut chunks = Chunks::of(io, &source, None);
        loop {
            match chunks.next().await {
                Ok(Some(chunk)) => self.bytes.extend_from_slice(&chunk),
                Ok(None) => return Ok(()),
                Err(error) => return self.note(error),
            }
        }
    }

    fn lose(&mut self, error: Error, seqs: Range<u64>, raw: Range<u64>) -> Result<()> {
        let (code, bytes) = (error.code(), raw.end - raw.start);
        let left_out = LeftOut { line: seqs.start + 1, offset: raw.start, bytes, code };
        self.note(error)?;
        self.lost.push(Lost { at: self.bytes.len(), lines: seqs.end - seqs.start, left_out });
        Ok(())
    }

    /// Damage is noted, the first of it; nothing else is lived with.
    fn note(&mut self, error: Error) -> Result<()> {
        if !is_damage(&error) {
            return Err(error);
        }
        self.fault.get_or_insert(error);
        Ok(())
    }

    /// What follows a line that was cut off is none of it.
    fn end_line(&mut self) {
        if self.bytes.last().is_some_and(|byte| *byte != b'\n') {
            self.bytes.push(b'\n');
        }
    }
}

/// Of what a newer version wrote nothing is guessed.
fn is_damage(error: &Error) -> bool {
    error.kind().class() == ErrorClass::Data && error.kind() != ErrorKind::UnsupportedVersion
}
