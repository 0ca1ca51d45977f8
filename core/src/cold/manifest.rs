//! Manifests: what a session is at one of its commits to an object store.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ids::{Fingerprint, IdSection};
use crate::entry::utf8;
use crate::field;
use crate::hash::{body_digest, chain};
use crate::json::{Object, push_text};
use crate::limits::{INTEGER_MAX, MANIFEST_BYTES_MAX, SEGMENTS_MAX};
use crate::line::{FIRST_PREFIX, Line, PREFIX, write_prefix};
use crate::log::Head;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

const FORMAT_VERSION: u64 = 1;

/// A commit of a session. Its text is a line as those of a log: hash, hash of the manifest before,
/// and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) session: SessionId,
    /// Counted from 0.
    pub(crate) number: u64,
    /// The hash of the manifest before this one.
    pub(crate) prev: Option<Hash>,
    /// The hash of the entry that opened the session: its first one, or its fork.
    pub(crate) origin: Hash,
    pub(crate) written_ms: u64,
    /// Tells the writer's own manifest from another one's of the same content.
    pub(crate) nonce: u64,
    /// What the session holds; `None`: it was deleted.
    pub(crate) held: Option<Held>,
}

/// What a session holds, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) head: Head,
    pub(crate) is_salted: bool,
    /// The log's last `fork` entry.
    pub(crate) fork: Option<u64>,
    /// Where the entries lie, from the first one on.
    pub(crate) segments: Vec<Segment>,
    /// Lines after those of the segments: few.
    pub(crate) tail: String,
    /// The last state slice; `None` where there is none.
    pub(crate) slice: Option<Slice>,
    /// Lists of ids, from the first entry on.
    pub(crate) ids: Vec<IdsObject>,
    /// The ids of what follows them.
    pub(crate) recent_ids: IdSection,
    pub(crate) about: Option<About>,
}

/// A stretch of entries: an archive of them, or the first ones of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The SHA-256 of its bytes.
    pub(crate) name: Hash,
    /// Length of the object.
    pub(crate) bytes: u64,
    /// How many of its entries are the session's.
    pub(crate) entries: u64,
    /// The length of their lines.
    pub(crate) raw_bytes: u64,
}

/// The last state slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The entry that has it.
    pub(crate) seq: u64,
    /// Its JSON text, where it is short.
    pub(crate) json: Option<String>,
}

/// A list of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdsObject {
    pub(crate) name: Hash,
    pub(crate) bytes: u64,
    /// How many of the session's entries it stands for.
    pub(crate) entries: u64,
}

/// Title, kind and tags, as they are kept beside a log.
pub(crate) type About = String;

impl Held {
    /// Number of the first entry of the inline tail, and where it stands in the log.
    pub(crate) fn tail_place(&self) -> (u64, u64) {
        let sum = |part: fn(&Segment) -> u64| self.segments.iter().map(part).sum();
        (sum(|segment| segment.entries), sum(|segment| segment.raw_bytes))
    }

    /// The segments, each with the number of its first entry and where that stands in the log.
    pub(crate) fn located(&self) -> impl Iterator<Item = (Segment, u64, u64)> {
        self.segments.iter().scan((0, 0), |(seq, raw), segment| {
            let place = (*segment, *seq, *raw);
            (*seq, *raw) = (*seq + segment.entries, *raw + segment.raw_bytes);
            Some(place)
        })
    }

    /// The numbers must add up.
    fn agrees(&self) -> bool {
        let sum = |part: fn(&Segment) -> u64| {
            self.segments.iter().map(part).try_fold(0, u64::checked_add)
        };
        let (Some(entries), Some(raw)) = (sum(|s| s.entries), sum(|s| s.raw_bytes)) else {
            return false;
        };
        let lines = memchr::memchr_iter(b'\n', self.tail.as_bytes()).count() as u64;
        let is_whole = self.tail.is_empty() || self.tail.ends_with('\n');
        is_whole
            && entries.checked_add(lines) == self.head.seq.checked_add(1)
            && raw.checked_add(self.tail.len() as u64) == Some(self.head.bytes)
            && self.segments.iter().all(|segment| segment.entries > 0)
            && sum(|segment| segment.bytes).is_some_and(|stored| stored <= INTEGER_MAX)
    }
}

impl Manifest {
    /// Whether it says that the session was deleted.
    pub(crate) fn is_of_deleted(&self) -> bool {
        self.held.is_none()
    }

    /// Its line, with the `\n`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = if self.prev.is_some() { PREFIX } else { FIRST_PREFIX };
        let rest = self.rest();
        let mut line = alloc::vec![0; length];
        let hash = chain(self.prev, body_digest(rest.as_bytes()));
        write_prefix(&mut line, hash, self.prev);
        line.extend_from_slice(rest.as_bytes());
        line.push(b'\n');
        line
    }

    /// Its hash.
    pub(crate) fn hash(&self) -> Hash {
        chain(self.prev, body_digest(self.rest().as_bytes()))
    }

    fn rest(&self) -> String {
        let Self { session, number, origin, written_ms, nonce, held, .. } = self;
        let mut json = format!(r#""kind":"manifest","seq":{number},"format":{FORMAT_VERSION},"#);
        json.push_str(r#""session":"#);
        push_text(&mut json, session.as_str());
        json += &format!(r#","ts":{written_ms},"nonce":"{nonce:016x}","origin":"{origin}""#);
        match held {
            Some(held) => held.push(&mut json),
            None => json.push_str(r#","deleted":true"#),
        }
        json.push('}');
        json
    }

    /// Reads a manifest, which must be that session's.
    pub(crate) fn decode(line: &[u8], session: &SessionId) -> Result<Self> {
        let bad = || Error::new(ErrorKind::BadEntry, "the manifest is damaged");
        if line.len() > MANIFEST_BYTES_MAX {
            return Err(Error::new(ErrorKind::BadEntry, "a manifest of more than 16 MiB"));
        }
        let split = Line::split(line.trim_ascii_end()).ok_or_else(bad)?;
        let rest = utf8(split.rest)?;
        let whole = format!("{{{rest}");
        let object = Object::of(&whole).ok_or_else(bad)?;
        let count = |name| object.get(name).and_then(field::count);
        if count("format").is_some_and(|version| version > FORMAT_VERSION) {
            let message = "the manifest has a newer format than 1";
            return Err(Error::new(ErrorKind::UnsupportedVersion, message));
        }
        let prev = split.prev.map(|prev| Hash::from_hex(prev).ok_or_else(bad)).transpose()?;
        if split.hash() != Some(chain(prev, body_digest(split.rest))) {
            return Err(Error::new(ErrorKind::BadHash, "the manifest was changed or damaged"));
        }
        let read = || {
            let is_deleted = object.get("deleted") == Some("true");
            Some(Self {
                session: SessionId::new(object.text("session")?).ok()?,
                number: count("seq")?,
                prev,
                origin: hash_of(object.get("origin")?)?,
                written_ms: count("ts")?,
                nonce: u64::from_str_radix(&object.text("nonce")?, 16).ok()?,
                held: if is_deleted { None } else { Some(Held::read(&object)?) },
            })
        };
        let manifest = read().ok_or_else(bad)?;
        if manifest.session != *session {
            let message =
                format!("this is the manifest of session {:?}", manifest.session.as_str());
            return Err(Error::new(ErrorKind::WrongSession, message));
        }
        match &manifest.held {
            Some(held) if !held.agrees() => Err(bad()),
            _ => Ok(manifest),
        }
    }
}

impl Held {
    fn push(&self, json: &mut String) {
        let Head { seq, hash, bytes } = self.head;
        *json += &format!(r#","head":{{"seq":{seq},"hash":"{hash}","bytes":{bytes}}}"#);
        *json += &format!(r#","salted":{}"#, self.is_salted);
        if let Some(fork) = self.fork {
            *json += &format!(r#","fork":{fork}"#);
        }
        json.push_str(r#","segments":["#);
        for (index, Segment { name, bytes, entries, raw_bytes }) in self.segments.iter().enumerate()
        {
            let comma = if index > 0 { "," } else { "" };
            *json += &format!(r#"{comma}["{name}",{bytes},{entries},{raw_bytes}]"#);
        }
        json.push(']');
        if !self.tail.is_empty() {
            json.push_str(r#","tail":"#);
            push_text(json, &self.tail);
        }
        if let Some(Slice { seq, json: slice }) = &self.slice {
            let slice = slice.as_deref().map(|slice| format!(r#","state":{slice}"#));
            *json += &format!(r#","slice":{{"seq":{seq}{}}}"#, slice.unwrap_or_default());
        }
        json.push_str(r#","ids":["#);
        for (index, IdsObject { name, bytes, entries }) in self.ids.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            *json += &format!(r#"{comma}["{name}",{bytes},{entries}]"#);
        }
        json.push(']');
        if !self.recent_ids.fingerprints.is_empty() {
            json.push_str(r#","recent_ids":""#);
            self.recent_ids.fingerprints.iter().for_each(|id| *json += &format!("{id:08x}"));
            json.push('"');
        }
        if let Some(about) = &self.about {
            json.push_str(r#","about":"#);
            json.push_str(about);
        }
    }

    fn read(object: &Object<'_>) -> Option<Self> {
        let head = Object::of(object.get("head")?)?;
        let count = |name: &str| head.get(name).and_then(field::count);
        let head =
            Head { seq: count("seq")?, hash: hash_of(head.get("hash")?)?, bytes: count("bytes")? };
        let segments = object.elements("segments");
        if segments.len() > SEGMENTS_MAX {
            return None;
        }
        let segments = segments.into_iter().map(segment).collect::<Option<Vec<_>>>()?;
        let ids = object.elements("ids").into_iter().map(ids_object).collect::<Option<Vec<_>>>()?;
        let first_seq = ids.iter().map(|ids| ids.entries).try_fold(0, u64::checked_add)?;
        let recent = match object.get("recent_ids") {
            Some(list) => fingerprints(&field::text(list)?)?,
            None => Vec::new(),
        };
        let entries = (head.seq + 1).saturating_sub(first_seq);
        Some(Self {
            head,
            is_salted: object.get("salted")? == "true",
            fork: object.get("fork").map(field::count).map_or(Some(None), |seq| seq.map(Some))?,
            segments,
            tail: object.get("tail").map_or(Some(String::new()), |tail| {
                field::text(tail).map(|tail| tail.into_owned())
            })?,
            slice: object.get("slice").map_or(Some(None), |slice| slice_of(slice).map(Some))?,
            ids,
            recent_ids: IdSection { first_seq, entries, fingerprints: recent },
            about: object.get("about").map(ToString::to_string),
        })
    }
}

fn hash_of(json: &str) -> Option<Hash> {
    Hash::from_hex(field::text(json)?.as_bytes())
}

fn segment(json: &str) -> Option<Segment> {
    let [name, bytes, entries, raw_bytes] = crate::json::elements(json)?.try_into().ok()?;
    Some(Segment {
        name: hash_of(name)?,
        bytes: field::count(bytes)?,
        entries: field::count(entries)?,
        raw_bytes: field::count(raw_bytes)?,
    })
}

fn ids_object(json: &str) -> Option<IdsObject> {
    let [name, bytes, entries] = crate::json::elements(json)?.try_into().ok()?;
    let (bytes, entries) = (field::count(bytes)?, field::count(entries)?);
    Some(IdsObject { name: hash_of(name)?, bytes, entries })
}

fn slice_of(json: &str) -> Option<Slice> {
    let slice = Object::of(json)?;
    let seq = slice.get("seq").and_then(field::count)?;
    Some(Slice { seq, json: slice.get("state").map(ToString::to_string) })
}

fn fingerprints(hex: &str) -> Option<Vec<Fingerprint>> {
    let digits = hex.as_bytes().chunks(8);
    let read = |digits: &[u8]| {
        let is_whole = digits.len() == 8;
        let text = core::str::from_utf8(digits).ok().filter(|_| is_whole)?;
        Fingerprint::from_str_radix(text, 16).ok()
    };
    let list = digits.map(read).collect::<Option<Vec<_>>>()?;
    list.is_sorted().then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cold::{Anchor, is_anchor};
    use crate::sha256;

    fn manifest() -> Manifest {
        let segment = |entries| Segment {
            name: sha256(&[entries as u8]),
            bytes: 900,
            entries,
            raw_bytes: 100 * entries,
        };
        let tail = String::from("{\"a\":\"é\"}\n{\"b\":\"\\n\"}\n");
        let bytes = 1700 + tail.len() as u64;
        Manifest {
            session: SessionId::new("Über/1").unwrap(),
            number: 7,
            prev: Some(sha256(b"before")),
            origin: sha256(b"first"),
            written_ms: 1_760_000_000_000,
            nonce: 0xdead_beef,
            held: Some(Held {
                head: Head { seq: 18, hash: sha256(b"head"), bytes },
                is_salted: true,
                fork: Some(3),
                segments: [segment(10), segment(7)].to_vec(),
                tail,
                slice: Some(Slice { seq: 4, json: Some(r#"{"n":1.50}"#.into()) }),
                ids: [IdsObject { name: sha256(b"ids"), bytes: 40, entries: 8 }].to_vec(),
                recent_ids: IdSection { first_seq: 8, entries: 11, fingerprints: [3, 9].to_vec() },
                about: Some(r#"{"version":1,"title":"T","kind":null,"tags":[]}"#.into()),
            }),
        }
    }

    #[test]
    fn a_manifest_is_read_back_and_no_flipped_byte_is() {
        let manifest = manifest();
        let line = manifest.encode();
        assert_eq!(Manifest::decode(&line, &manifest.session).unwrap(), manifest);
        for at in 0..line.len() - 1 {
            let mut flipped = line.clone();
            flipped[at] ^= 1;
            assert!(Manifest::decode(&flipped, &manifest.session).is_err(), "{at}");
        }
        let deleted = Manifest { held: None, prev: None, ..manifest };
        assert_eq!(Manifest::decode(&deleted.encode(), &deleted.session).unwrap(), deleted);
    }

    #[test]
    fn a_manifest_of_another_session_or_a_newer_format_is_refused() {
        let manifest = manifest();
        let other = SessionId::new("other").unwrap();
        let error = Manifest::decode(&manifest.encode(), &other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongSession);
        let newer = String::from_utf8(manifest.encode()).unwrap();
        let newer = newer.replace("\"format\":1", "\"format\":2");
        let error = Manifest::decode(newer.as_bytes(), &manifest.session).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    }

    #[test]
    fn numbers_that_do_not_add_up_are_refused() {
        let mut manifest = manifest();
        manifest.held.as_mut().unwrap().segments[0].entries += 1;
        assert!(Manifest::decode(&manifest.encode(), &manifest.session).is_err());
    }

    #[test]
    fn an_anchor_is_read_back_and_each_is_another() {
        let manifest = manifest();
        let anchor = Anchor { first_seq: 12, offset: 1200, manifest };
        let line = anchor.encode(1);
        assert!(
            is_anchor(&line) && line != anchor.encode(2) && line[9..73] != anchor.encode(2)[9..73]
        );
        let text = line.trim_ascii_end();
        assert_eq!(Anchor::decode(text, &anchor.manifest.session).unwrap(), anchor);
        for at in 9..text.len() {
            let mut flipped = text.to_vec();
            flipped[at] ^= 1;
            assert!(Anchor::decode(&flipped, &anchor.manifest.session).is_err(), "{at}");
        }
    }
}
