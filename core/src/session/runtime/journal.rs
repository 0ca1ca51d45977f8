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
use crate::line::IDENTITY;
use crate::log::Head;
use crate::session::archive::sync;
use crate::store::{After, Condition, Durability, Holder, Info, Key, Part};
use crate::task::{Io, found};
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

/// The journal, owned by who writes it: each line says whose it is, and goes only after the one that
/// its owner saw last. So who took it over is noticed by who had it.
#[derive(Debug)]
pub(super) struct Journal {
    bytes: u64,
    torn: u64,
    /// How it starts: another one may be as long.
    start: Vec<u8>,
    owner: Owner,
}

/// Who restores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Owner {
    /// A number that its process has alone.
    process: u64,
    /// When it wrote last.
    now_ms: u64,
    /// Whether the store keeps others from appending as long as its process lives. Where it does not,
    /// signs of life have to do.
    is_locked: bool,
}

/// A journal as it was found.
struct Read {
    bytes: u64,
    torn: u64,
    start: Vec<u8>,
    owner: Owner,
    stage: Stage,
}

impl Journal {
    /// Begins one. `conflict` where there is one.
    pub(super) async fn begin(io: &Io, process: u64) -> Result<Self> {
        let owner = Owner::new(io, process).await?;
        let mut journal = Self { bytes: 0, torn: 0, start: Vec::new(), owner };
        let begun = async {
            journal.write(io, &Stage::Preparing).await?;
            journal.owner.is_locked = holder(io).await?.is_some_and(|holder| holder.is_self);
            Ok(())
        };
        if let Err(error) = begun.await {
            // Nothing was changed yet. Left, it would keep others waiting for signs of life: as long as
            // that takes where its first line came, but not the answer.
            journal.remove(io).await.ok();
            return Err(error);
        }
        Ok(journal)
    }

    /// Takes over the journal there is, and tells how far it came. `locked` where its owner is alive.
    pub(super) async fn take(io: &Io, process: u64) -> Result<Option<(Self, Stage)>> {
        let Some(read) = Self::read(io).await? else { return Ok(None) };
        let owner = Owner::new(io, process).await?;
        check_abandoned(io, &read.owner, &owner).await?;
        let is_locked = read.owner.is_locked;
        let (owner, start) = (Owner { is_locked, ..owner }, read.start);
        let mut journal = Self { bytes: read.bytes, torn: read.torn, start, owner };
        // Nobody else wrote to it since, and nobody else will.
        let taken = journal.write(io, &read.stage).await;
        taken.map_err(|error| match error.kind() {
            ErrorKind::Conflict => locked(),
            _ => error,
        })?;
        Ok(Some((journal, read.stage)))
    }

    /// Whether there is one: sessions may be half replaced.
    pub(super) async fn is_there(io: &Io) -> Result<bool> {
        Ok(io.find(&Key::restoring()).await?.is_some())
    }

    /// How far it is, durably, after a line of which it is not known whether it was written.
    pub(super) async fn stage_now(&mut self, io: &Io) -> Result<Stage> {
        let read = Self::read(io).await?.filter(|read| read.owner.process == self.owner.process);
        let read = read.ok_or_else(locked)?;
        (self.bytes, self.torn, self.start) = (read.bytes, read.torn, read.start);
        sync(io, &Key::restoring()).await?;
        Ok(read.stage)
    }

    async fn read(io: &Io) -> Result<Option<Read>> {
        let key = Key::restoring();
        let Some(info) = io.find(&key).await? else { return Ok(None) };
        if info.bytes > BYTES_MAX {
            return Err(unreadable().at_key(&key));
        }
        let Some(object) = found(io.get(&key, None).await)? else { return Ok(None) };
        let length = memchr::memrchr(b'\n', &object.bytes).map_or(0, |end| end + 1);
        let text = utf8(object.bytes.get(..length).unwrap_or_default());
        let text = text.map_err(|_| unreadable().at_key(&key))?;
        let (mut owner, mut stage) = (Owner::default(), Stage::Preparing);
        for line in text.lines() {
            let parsed = parse(line).map_err(|error| error.at_key(&key))?;
            (owner, stage) = (parsed.0, parsed.1.unwrap_or(stage));
        }
        let (bytes, all) = (length as u64, object.bytes.len() as u64);
        let start = start_of(text.as_bytes()).to_vec();
        Ok(Some(Read { bytes, torn: all - bytes, start, owner, stage }))
    }

    /// Writes down how far it is.
    pub(super) async fn write(&mut self, io: &Io, stage: &Stage) -> Result<()> {
        self.add(io, &line(stage)).await
    }

    /// Sees to it that it is still its owner's, and shows that the owner lives. `locked` where someone
    /// else took it over.
    pub(super) async fn beat(&mut self, io: &Io) -> Result<()> {
        let now_ms = io.stamp(0).await?.now_ms;
        if now_ms.saturating_sub(self.owner.now_ms) < BEAT_MS {
            return self.find(io).await?.map(|_| ()).ok_or_else(locked);
        }
        self.owner.now_ms = now_ms;
        self.add(io, "").await
    }

    async fn add(&mut self, io: &Io, members: &str) -> Result<()> {
        let Owner { process, now_ms, is_locked } = self.owner;
        let line = format!(
            "{{\"owner\":\"{process:016x}\",\"ts\":{now_ms},\"locked\":{is_locked}{members}}}\n"
        );
        let (key, after) = (Key::restoring(), After::new(self.bytes, self.torn));
        let after = after.marked(0, self.start.clone());
        io.append(&key, line.clone().into_bytes(), after, Durability::Os).await?;
        if self.bytes == 0 {
            self.start = start_of(line.as_bytes()).to_vec();
        }
        (self.bytes, self.torn) = (self.bytes + line.len() as u64, 0);
        sync(io, &key).await
    }

    /// Removes it, if it is still its owner's.
    pub(super) async fn remove(&self, io: &Io) -> Result<()> {
        let Some(info) = self.find(io).await? else { return Ok(()) };
        found(io.delete(&Key::restoring(), Condition::Version(info.version)).await).map(|_| ())
    }

    /// The journal, if it is still the one that its owner wrote last.
    async fn find(&self, io: &Io) -> Result<Option<Info>> {
        let start = Some(0..self.start.len() as u64);
        let there = found(io.get(&Key::restoring(), start).await)?;
        let is_same = |there: &crate::store::Object| {
            there.info.bytes == self.bytes && there.bytes == self.start
        };
        Ok(there.filter(is_same).map(|there| there.info))
    }
}

/// What tells a journal from others: whose it was first, and since when.
fn start_of(journal: &[u8]) -> &[u8] {
    journal.get(..IDENTITY).unwrap_or(journal)
}

impl Owner {
    async fn new(io: &Io, process: u64) -> Result<Self> {
        Ok(Self { process, now_ms: io.stamp(0).await?.now_ms, is_locked: false })
    }
}

/// How often an owner shows that it lives, where it comes to that, and how long after the last time
/// it is taken for gone where the store cannot tell.
const BEAT_MS: u64 = 10_000;
const SILENCE_MS: u64 = 120_000;

/// Refuses a journal whose owner is alive.
async fn check_abandoned(io: &Io, owner: &Owner, now: &Owner) -> Result<()> {
    match holder(io).await? {
        Some(holder) if holder.is_alive && !holder.is_self => Err(locked()),
        // It is gone, or it is this process: its host sees to it that only one task restores.
        Some(_) => Ok(()),
        None if owner.is_locked || owner.process == now.process => Ok(()),
        None if now.now_ms.saturating_sub(owner.now_ms) >= SILENCE_MS => Ok(()),
        None => Err(locked()),
    }
}

fn locked() -> Error {
    let message = "another process restores a bundle here, or did until a moment ago";
    Error::new(ErrorKind::Locked, message).retryable().at_key(&Key::restoring())
}

async fn holder(io: &Io) -> Result<Option<Holder>> {
    match io.holder(&Key::restoring()).await {
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(None),
        holder => holder,
    }
}

/// Longer than any: its longest line has some hundred bytes for each of a bundle's sessions.
const BYTES_MAX: u64 = 1 << 30;

fn unreadable() -> Error {
    let message = "the journal of a restoring cannot be read, so sessions may be half replaced: verify \
                   them, put back what they lack from restore/aside, where each object lies as it was, \
                   and then remove what is in restore";
    Error::new(ErrorKind::BadEntry, message)
}

fn line(stage: &Stage) -> String {
    match stage {
        Stage::Preparing => ",\"version\":1,\"stage\":\"preparing\"".into(),
        Stage::Replaced => ",\"stage\":\"replaced\"".into(),
        Stage::Over => ",\"stage\":\"over\"".into(),
        Stage::Replacing(sessions) => {
            let mut line = String::from(",\"stage\":\"replacing\",\"sessions\":[");
            for (index, session) in sessions.iter().enumerate() {
                line += if index > 0 { ",[" } else { "[" };
                push_text(&mut line, session.id.as_str());
                let Head { seq, hash, bytes } = session.head;
                line += &format!(",{seq},\"{hash}\",{bytes},\"");
                let letter = |part: &Part| PARTS.iter().find(|(_, known)| known == part);
                line.extend(session.aside.iter().filter_map(letter).map(|(letter, _)| letter));
                line += "\"]";
            }
            line + "]"
        }
    }
}

/// Whose line it is, and the stage that it tells of.
fn parse(line: &str) -> Result<(Owner, Option<Stage>)> {
    let object = Object::of(line).ok_or_else(unreadable)?;
    if let Some(version) = object.get("version").and_then(field::count).filter(|v| *v > 1) {
        let message = format!("the journal of a restoring has version {version}, and this reads 1");
        return Err(Error::new(ErrorKind::UnsupportedVersion, message));
    }
    let owner = || {
        Some(Owner {
            process: u64::from_str_radix(&object.text("owner")?, 16).ok()?,
            now_ms: object.get("ts").and_then(field::count)?,
            is_locked: object.get("locked")? == "true",
        })
    };
    let owner = owner().ok_or_else(unreadable)?;
    let stage = match object.text("stage").as_deref() {
        None => None,
        Some("preparing") => Some(Stage::Preparing),
        Some("replaced") => Some(Stage::Replaced),
        Some("over") => Some(Stage::Over),
        Some("replacing") => {
            let sessions = object.elements("sessions");
            let sessions = sessions.into_iter().map(replaced).collect::<Option<_>>();
            Some(Stage::Replacing(sessions.ok_or_else(unreadable)?))
        }
        Some(_) => return Err(unreadable()),
    };
    Ok((owner, stage))
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
