//! Where an archive's and a bundle's content lies, and their blocks one by one, as far as they can be
//! read.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::writing::{Writing, array};
use crate::archive::{indexed_bytes, read_index};
use crate::bundle;
use crate::entry::utf8;
use crate::gzip::deflate::Inflater;
use crate::json::{Object, elements};
use crate::limits::{DEFLATE_RATIO_MAX, VIEW_BLOCK_BYTES_MAX};
use crate::log::Head;
use crate::{Error, ErrorKind, Kind, Result, field};

/// Where an archive's blocks lie, from its first [`crate::archive::HEADER_BYTES`]:
/// `{"head":{…},"blocks":[{"start":N,"end":N,"raw":N,"entries":N,"firstSeq":N,"fromMs":N,"toMs":N,"kinds":[…]},…]}`.
/// An archive that is shorter than its index says is read as far as it goes: with `is_cut`.
pub fn archive_map(start: &[u8], archive_bytes: u64) -> Result<String> {
    let (index, is_cut) = match read_index(start, archive_bytes) {
        Err(error) if error.kind() == ErrorKind::GzipTruncated => {
            (read_index(start, indexed_bytes(start)?)?, true)
        }
        index => (index?, false),
    };
    let blocks = index.located().map(|located| {
        let span = located.span;
        let mut json = Writing::new();
        json.number("start", located.compressed.start);
        json.number("end", located.compressed.end);
        json.number("raw", span.raw_bytes);
        json.number("entries", span.entries);
        json.number("firstSeq", located.first_seq);
        json.number("fromMs", span.from_s.saturating_mul(1000));
        json.number("toMs", span.to_s.saturating_mul(1000));
        let kinds = Kind::ALL.into_iter().filter(|kind| span.kinds & kind.bit() != 0);
        json.json("kinds", &array(kinds.map(|kind| format!("\"{}\"", kind.name()))));
        json.end()
    });
    let mut json = Writing::new();
    json.json("head", &head(index.head));
    json.json("blocks", &array(blocks));
    json.flag("isCut", is_cut);
    Ok(json.end())
}

pub(super) fn head(head: Head) -> String {
    let mut json = Writing::new();
    json.number("seq", head.seq);
    json.text("hash", &format!("{}", head.hash));
    json.number("bytes", head.bytes);
    json.end()
}

/// Inflates a block of at most `raw_bytes`, as far as that goes; and what is wrong with it.
#[must_use]
pub fn inflate_block(compressed: &[u8], raw_bytes: u64) -> (Vec<u8>, Option<Error>) {
    let corrupt =
        || Error::new(ErrorKind::GzipCorrupt, "a block does not inflate to what it should");
    // A record cannot ask for more memory.
    let most = (compressed.len() as u64).saturating_mul(DEFLATE_RATIO_MAX);
    let most = most.min(VIEW_BLOCK_BYTES_MAX);
    let size = usize::try_from(raw_bytes.min(most)).unwrap_or_default();
    let mut raw = alloc::vec![0; size];
    let mut inflater = Inflater::new();
    let (mut taken, mut given) = (0, 0);
    let is_sound = loop {
        let input = compressed.get(taken..).unwrap_or_default();
        let room = raw.get_mut(given..).unwrap_or_default();
        let Some(step) = inflater.step(input, room) else { break false };
        taken += step.taken;
        given += step.given;
        if step.ended || (step.taken == 0 && step.given == 0) {
            break true;
        }
    };
    raw.truncate(given);
    let is_whole = is_sound && given as u64 == raw_bytes;
    (raw, (!is_whole).then(corrupt))
}

/// What the lines of a bundle's index say: `{"blockBytes":N,"blocks":[N,…],"sessions":[[ID,N],…]}`.
pub fn bundle_index(lines: &[u8]) -> Result<String> {
    let bad = || Error::new(ErrorKind::BadBundle, "the bundle's index is damaged");
    let (mut block_bytes, mut blocks, mut sessions) = (0, Vec::new(), Vec::new());
    for line in utf8(lines)?.lines() {
        let object = Object::of(line).ok_or_else(bad)?;
        if let Some(bytes) = object.get("block_bytes").and_then(field::count) {
            block_bytes = bytes;
        }
        blocks.extend(object.elements("blocks").into_iter().map(String::from));
        for session in object.elements("sessions") {
            elements(session).filter(|pair| pair.len() == 2).ok_or_else(bad)?;
            sessions.push(session.into());
        }
    }
    if blocks.iter().any(|start| field::count(start).is_none()) {
        return Err(bad());
    }
    let mut json = Writing::new();
    json.number("blockBytes", block_bytes);
    json.json("blocks", &array(blocks));
    json.json("sessions", &array(sessions));
    Ok(json.end())
}

/// What a bundle's last [`bundle::TAIL_BYTES`] say:
/// `{"packed":N,"raw":N,"rawEnd":N,"sessions":N,"entries":N,"values":N}`: where the index starts in the file
/// and in the content, how long the content is before the end, and how much there is.
pub fn bundle_end(tail: &[u8]) -> Result<String> {
    let end = bundle::End::read(tail)?;
    let mut json = Writing::new();
    json.number("packed", end.index.0);
    json.number("raw", end.index.1);
    json.number("rawEnd", end.bytes);
    json.number("sessions", end.counts.sessions);
    json.number("entries", end.counts.entries);
    json.number("values", end.counts.cache);
    Ok(json.end())
}

/// A session's line in a bundle: `{"id":TEXT,"head":{…},"about":{…},"traceBytes":N}`.
pub fn bundle_session(line: &[u8]) -> Result<String> {
    let record = bundle::SessionRecord::of_line(utf8(line)?)?;
    let mut json = Writing::new();
    json.text("id", record.id.as_str());
    json.json("head", &head(record.head));
    json.json("about", record.about.as_deref().unwrap_or("{}"));
    json.number("traceBytes", record.trace_bytes);
    Ok(json.end())
}

/// When a bundle was written, from its first line; checks its version.
pub fn bundle_created(line: &str) -> Result<u64> {
    bundle::check_header(line)?;
    let created = Object::of(line).and_then(|object| object.get("created").and_then(field::count));
    Ok(created.unwrap_or_default())
}
