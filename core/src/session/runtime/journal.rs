//! How far a restoring is, written down before each step that the next start has to know of.
//!
//! Lines of JSON: `preparing`, `replacing` with what is replaced, `replaced`, `over`. Whoever writes
//! them holds the journal for appending, so that no other process takes a restoring that goes on
//! for one that was cut off.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::entry::utf8;
use crate::field;
use crate::json::{self, Object, push_text};
use crate::log::Head;
use crate::session::source::found;
use crate::store::{After, Durability, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// The parts of a session, by the letters that stand for them.
pub(super) const PARTS: [(char, Part); 6] = [
    ('l', Part::Log),
    ('a', Part::Archive),
    ('r', Part::Recovery),
    ('b', Part::About),
    ('t', Part::Trace),
    ('n', Part::Retention),
];

/// A session that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replaced {
    pub(super) id: SessionId,
    /// Where its new log ends.
    pub(super) head: Head,
    /// The parts that were put aside: what there was.
    pub(super) aside: Vec<Part>,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was changed.
    Preparing,
    /// Some of these may be replaced.
    Replacing(Vec<Replaced>),
    /// All are; values for the cache may be left.
    Replaced,
    /// What was put aside may go.
    Over,
}

/// The journal, held by who writes it.
#[derive(Debug)]
pub(super) struct Journal {
    bytes: u64,
    torn: u64,
}

impl Journal {
    /// Begins one. `conflict` where there is one.
    pub(super) async fn begin(io: &Io) -> Result<Self> {
        let mut journal = Self { bytes: 0, torn: 0 };
        journal.write(io, &Stage::Preparing).await?;
        Ok(journal)
    }

    /// The journal there is, and how far it came. `locked` where another process is at it.
    pub(super) async fn find(io: &Io) -> Result<Option<(Self, Stage)>> {
        let key = Key::restoring();
        let Some(object) = found(io.get(&key, None).await)? else { return Ok(None) };
        let held = io.holder(&key).await.or_else(unknown)?;
        if held.is_some_and(|holder| holder.is_alive && !holder.is_self) {
            let message = "another process restores a bundle here";
            return Err(Error::new(ErrorKind::Locked, message).retryable().at_key(&key));
        }
        let length = memchr::memrchr(b'\n', &object.bytes).map_or(0, |end| end + 1);
        let text = utf8(object.bytes.get(..length).unwrap_or_default())?;
        let mut stage = Stage::Preparing;
        for line in text.lines() {
            stage = parse(line).ok_or_else(|| unreadable().at_key(&key))?;
        }
        let (bytes, all) = (length as u64, object.bytes.len() as u64);
        Ok(Some((Self { bytes, torn: all - bytes }, stage)))
    }

    pub(super) async fn write(&mut self, io: &Io, stage: &Stage) -> Result<()> {
        let line = line(stage);
        let length = line.len() as u64;
        let after = After::new(self.bytes, self.torn);
        let key = Key::restoring();
        io.append(&key, line.into_bytes(), after, Durability::Os).await?;
        (self.bytes, self.torn) = (self.bytes + length, 0);
        match io.sync(&key).await {
            Err(error) if error.kind() != ErrorKind::NotSupported => Err(error),
            _ => Ok(()),
        }
    }
}

fn unknown(error: Error) -> Result<Option<crate::store::Holder>> {
    if error.kind() == ErrorKind::NotSupported { Ok(None) } else { Err(error) }
}

fn unreadable() -> Error {
    let message = "the journal of a restoring cannot be read: what it replaced lies beside it";
    Error::new(ErrorKind::BadEntry, message)
}

fn line(stage: &Stage) -> String {
    match stage {
        Stage::Preparing => "{\"version\":1,\"stage\":\"preparing\"}\n".into(),
        Stage::Replaced => "{\"stage\":\"replaced\"}\n".into(),
        Stage::Over => "{\"stage\":\"over\"}\n".into(),
        Stage::Replacing(sessions) => {
            let mut line = String::from("{\"stage\":\"replacing\",\"sessions\":[");
            for (index, session) in sessions.iter().enumerate() {
                line += if index > 0 { ",[" } else { "[" };
                push_text(&mut line, session.id.as_str());
                let Head { seq, hash, bytes } = session.head;
                line += &format!(",{seq},\"{hash}\",{bytes},\"");
                let letter = |part: &Part| PARTS.iter().find(|(_, known)| known == part);
                line.extend(session.aside.iter().filter_map(letter).map(|(letter, _)| letter));
                line += "\"]";
            }
            line + "]}\n"
        }
    }
}

fn parse(line: &str) -> Option<Stage> {
    let object = Object::of(line)?;
    match &*object.text("stage")? {
        "preparing" if object.get("version") == Some("1") => Some(Stage::Preparing),
        "replaced" => Some(Stage::Replaced),
        "over" => Some(Stage::Over),
        "replacing" => {
            let sessions = object.elements("sessions");
            sessions.into_iter().map(replaced).collect::<Option<_>>().map(Stage::Replacing)
        }
        _ => None,
    }
}

fn replaced(session: &str) -> Option<Replaced> {
    let [id, seq, hash, bytes, aside] = json::elements(session)?[..] else { return None };
    let hash = Hash::from_hex(field::text(hash)?.as_bytes())?;
    let head = Head { seq: field::count(seq)?, hash, bytes: field::count(bytes)? };
    let part = |letter: char| PARTS.iter().find(|(known, _)| *known == letter);
    let aside: Option<_> =
        field::text(aside)?.chars().map(|letter| Some(part(letter)?.1)).collect();
    Some(Replaced { id: SessionId::new(&*field::text(id)?).ok()?, head, aside: aside? })
}
