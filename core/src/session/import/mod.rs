//! Writing what was read of earlier systems into a store: each session whole or not at all, with the
//! files that it came from beside it.

mod files;

pub use files::{ImportFiles, ImportedFiles, ImportedSession, import_files};

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::import::{self, Format};
use crate::json::Object;
use crate::limits::{IMPORT_BATCH_BYTES, IMPORT_BATCH_ENTRIES};
use crate::log::{Draft, Expectation, Head, Verifier, Writer};
use crate::session::about::to_json;
use crate::session::again::is_raced;
use crate::session::cold::check_not_half_deleted;
use crate::session::edit::quoted;
use crate::session::open::find_session;
use crate::session::read::entry;
use crate::session::staging::Staging;
use crate::session::{About, Task};
use crate::store::{Condition, Key, PART_BYTES, Part};
use crate::task::Io;
use crate::{Entry, Error, ErrorKind, Hash, Kind, Result, SessionId, sha256};

/// The domain of the entry that says where a session came from.
const DOMAIN: &str = "turnkeep.import";

/// Where a session came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Which system wrote the files.
    pub format: Format,
    /// The files.
    pub files: Vec<OriginFile>,
}

/// A file that a session came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginFile {
    /// What it was called.
    pub name: String,
    /// The SHA-256 of its bytes, under which [`keep_import`] keeps it.
    pub sha256: Hash,
    /// Its length.
    pub bytes: u64,
}

/// What importing a session did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Import {
    /// It was written, up to that head.
    Imported(Head),
    /// It was imported before, from the same files; its head may have moved on since.
    AlreadyImported(Head),
    /// It would be written: this only looked.
    WouldImport,
    /// There is another session of that id; nothing was changed. Give this one another id.
    Exists(Head),
}

/// Keeps a file that was imported, under the SHA-256 of its bytes, which this gives.
#[must_use]
pub fn keep_import(bytes: Vec<u8>) -> Task<Hash> {
    Task::new(async move |io| {
        let hash = sha256(&bytes);
        put_beside(&io, Key::import(hash), &bytes).await.map(|()| hash)
    })
}

/// Writes a session that was read, whole or not at all. Its files must be kept already
/// ([`keep_import`]): `not_found` where one is not. What is written is verified before it is there.
/// Doing it again does nothing.
#[must_use]
pub fn import(session: import::Session, origin: Origin) -> Task<Import> {
    Task::new(async move |io| {
        let id = session.id.clone();
        let imported = import_session(&io, session, &origin).await;
        imported.map_err(|error| error.in_session(&id))
    })
}

async fn import_session(io: &Io, session: import::Session, origin: &Origin) -> Result<Import> {
    let id = session.id.clone();
    if let Some(there) = existing(io, &id, origin).await? {
        return Ok(there);
    }
    for file in &origin.files {
        check_kept(io, file).await?;
    }
    let about = match session.about == About::default() {
        true => None,
        false => Some(to_json(session.about.clone())?),
    };
    let mut staging = Staging::new(Key::of(&id, Part::Log));
    let written = write(io, &session, origin, &mut staging).await;
    let head = match written {
        Ok(head) => head,
        Err(error) => {
            staging.abort(io).await;
            return Err(error);
        }
    };
    match publish(io, &id, (about, &session.trace), staging).await {
        Ok(()) => Ok(Import::Imported(head)),
        Err(error) if is_raced(&error) => existing(io, &id, origin).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

/// What stands in the session's place already.
async fn existing(io: &Io, id: &SessionId, origin: &Origin) -> Result<Option<Import>> {
    let (session, source) = match find_session(io, id).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound && error.place().key.is_none() => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let empty = || Error::new(ErrorKind::EmptyLog, "a log without an entry is in the way");
    let head = session.head().ok_or_else(empty)?;
    if head.seq == 0 {
        return Ok(Some(Import::Exists(head)));
    }
    let line = entry(io, &source, head, 1).await?;
    let is_same = files_in(&line).is_some_and(|files| files == hashes(origin));
    if !is_same {
        return Ok(Some(Import::Exists(head)));
    }
    check_not_half_deleted(io, id, &source, head).await?;
    Ok(Some(Import::AlreadyImported(head)))
}

/// The hashes of the files that an entry says its session came from.
fn files_in(line: &[u8]) -> Option<Vec<Hash>> {
    let entry = Entry::parse(line).ok().filter(|entry| entry.kind() == Kind::Extension)?;
    entry.text("domain").filter(|domain| domain == DOMAIN)?;
    let payload = Object::of(entry.field("payload")?)?;
    let hash = |file| Hash::from_hex(Object::of(file)?.text("sha256")?.as_bytes());
    let files: Option<Vec<Hash>> = payload.elements("files").into_iter().map(hash).collect();
    files.map(sorted)
}

fn hashes(origin: &Origin) -> Vec<Hash> {
    sorted(origin.files.iter().map(|file| file.sha256).collect())
}

fn sorted(mut hashes: Vec<Hash>) -> Vec<Hash> {
    hashes.sort_unstable_by_key(|hash| hash.to_hex());
    hashes
}

async fn check_kept(io: &Io, file: &OriginFile) -> Result<()> {
    let key = Key::import(file.sha256);
    if io.info(&key).await?.bytes == file.bytes {
        return Ok(());
    }
    let message = "the file is kept with another length: keep it again";
    Err(Error::new(ErrorKind::Conflict, message).at_key(&key))
}

/// Makes the session's lines, verified.
async fn write(
    io: &Io,
    session: &import::Session,
    origin: &Origin,
    staging: &mut Staging,
) -> Result<Head> {
    let note = Draft::extension(DOMAIN, &payload(session, origin));
    let drafts = with_note(&session.drafts, &note);
    let expectation = Expectation { session: Some(session.id.clone()), head: None };
    let mut verifier = Verifier::new(expectation).deep();
    let mut writer = Writer::create(session.id.clone(), true);
    let mut done = 0;
    while let Some(rest) = drafts.get(done..).filter(|rest| !rest.is_empty()) {
        let batch = rest.get(..batch_length(rest)).unwrap_or(rest);
        let stamp = io.stamp(writer.random_bytes(batch.len())).await?;
        let lines = writer.write(batch, &stamp).map_err(|error| {
            // The note is none of the session's drafts.
            error.at(|place| {
                place.draft = place.draft.map(|draft| (draft + done as u64).saturating_sub(1));
            })
        })?;
        verifier.push(&lines.bytes);
        staging.add(io, &lines.bytes).await?;
        writer.advance(lines.head);
        done += batch.len();
    }
    let report = verifier.finish();
    report.sound()?;
    if let Some(fault) = &report.entry_fault {
        return Err(fault.clone());
    }
    let empty = || Error::new(ErrorKind::EmptyLog, "no entry");
    report.head.filter(|head| Some(*head) == writer.head()).ok_or_else(empty)
}

/// The drafts, with the note behind the one that opens the log.
fn with_note<'a>(drafts: &'a [Draft], note: &'a Draft) -> Vec<&'a str> {
    let opens = |draft: &Draft| {
        let object = Object::of(draft.as_str());
        object.and_then(|object| object.text("kind")).is_some_and(|kind| kind == "session_start")
    };
    let start = usize::from(drafts.first().is_some_and(opens));
    let mut all: Vec<&str> = drafts.iter().map(Draft::as_str).collect();
    all.insert(start, note.as_str());
    all
}

fn batch_length(drafts: &[&str]) -> usize {
    let mut bytes = 0;
    let fits = |draft: &&&str| {
        let is_open = bytes < IMPORT_BATCH_BYTES;
        bytes += draft.len();
        is_open
    };
    drafts.iter().take(IMPORT_BATCH_ENTRIES).take_while(fits).count().max(1)
}

/// Where the session came from, as its note says it.
fn payload(session: &import::Session, origin: &Origin) -> String {
    let file = |file: &OriginFile| {
        let (name, hash, bytes) = (quoted(&file.name), file.sha256, file.bytes);
        format!(r#"{{"name":{name},"sha256":"{hash}","bytes":{bytes}}}"#)
    };
    let files: Vec<String> = origin.files.iter().map(file).collect();
    let chain = session.chain.as_ref().map_or("null".into(), |chain| {
        let fault = chain.fault.as_ref().map_or("null".into(), |fault| quoted(&format!("{fault}")));
        format!(r#"{{"held":{},"fault":{fault}}}"#, chain.held)
    });
    let (from, files) = (origin.format.name(), files.join(","));
    format!(r#"{{"from":"{from}","files":[{files}],"chain":{chain}}}"#)
}

/// Puts what lies beside the log, and then the log: it makes the session.
async fn publish(
    io: &Io,
    id: &SessionId,
    (about, trace): (Option<String>, &str),
    mut staging: Staging,
) -> Result<()> {
    let claim = crate::session::tier::claim_for(io, id, &mut staging).await?;
    let beside = async {
        if let Some(about) = &about {
            put_beside(io, Key::of(id, Part::About), about.as_bytes()).await?;
        }
        if !trace.is_empty() {
            put_beside(io, Key::of(id, Part::Trace), trace.as_bytes()).await?;
        }
        Ok(())
    };
    if let Err(error) = beside.await {
        staging.abort(io).await;
        claim.release(io, id).await;
        return Err(error);
    }
    claim.publish(io, id, staging).await
}

/// Puts an object, unless it is there; another one in its place was left by what was cut off.
async fn put_beside(io: &Io, key: Key, bytes: &[u8]) -> Result<()> {
    let condition = match io.find(&key).await? {
        None => Condition::Absent,
        Some(info) if info.bytes == bytes.len() as u64 && holds(io, &key, bytes).await? => {
            return Ok(());
        }
        Some(info) => Condition::Version(info.version),
    };
    let mut staging = Staging::new(key.clone());
    for part in bytes.chunks(PART_BYTES) {
        if let Err(error) = staging.add(io, part).await {
            staging.abort(io).await;
            return Err(error);
        }
    }
    match staging.publish(io, condition).await {
        // Someone else puts the same.
        Err(error) if is_raced(&error) && holds(io, &key, bytes).await? => Ok(()),
        published => published,
    }
}

/// Whether an object of that length has those bytes.
async fn holds(io: &Io, key: &Key, bytes: &[u8]) -> Result<bool> {
    let mut at = 0;
    for part in bytes.chunks(PART_BYTES) {
        let end = at + part.len() as u64;
        if io.get(key, Some(at..end)).await?.bytes != part {
            return Ok(false);
        }
        at = end;
    }
    Ok(io.info(key).await?.bytes == at)
}
