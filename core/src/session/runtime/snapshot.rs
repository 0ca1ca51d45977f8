//! Writing a runtime's sessions and values into a bundle.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::Task;
use super::journal::Journal;
use super::opened::Opened;
use crate::bundle::{Counts, End, SessionRecord, Writer};
use crate::limits::{ABOUT_BYTES_MAX, CACHE_KEYS};
use crate::log::{Expectation, Head, Verifier};
use crate::session::again::{TRIES, is_moving};
use crate::session::list::all_sessions;
use crate::session::open::find_session;
use crate::session::scan::{CHUNK_BYTES, Chunks, shorter};
use crate::session::source::Source;
use crate::session::{Staging, tier};
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorClass, ErrorKind, Hash, Result, SessionId};

/// Keys of a cache that start so are left out: sessions are kept there that the bundle has anyway.
pub const RESERVED_PREFIXES: [&str; 2] = ["chat_session:", "chat_history:"];
/// A session that is this short is read once; a longer one is verified before it is written.
const SHORT_BYTES: u64 = 4 << 20;

/// What to write into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// These sessions only; `None`: all there are.
    pub sessions: Option<Vec<SessionId>>,
    /// The values of the cache too ([`crate::store::Request::Cache`]).
    pub cache: bool,
    /// But for keys that start with one of these.
    pub skipped_prefixes: Vec<String>,
    /// Take the place of an older bundle although damaged sessions are left out of this one: the older
    /// one may be the only place where they are whole.
    pub replaces_fuller: bool,
    /// Where it lies in the bundle's store ([`crate::store::Request::Bundle`]).
    pub key: Key,
}

impl Default for Snapshot {
    fn default() -> Self {
        let skipped_prefixes = RESERVED_PREFIXES.map(ToOwned::to_owned).to_vec();
        Self {
            sessions: None,
            cache: false,
            skipped_prefixes,
            replaces_fuller: false,
            key: Key::bundle(),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshotted {
    /// How much the bundle holds.
    pub counts: Counts,
    /// Length of its content.
    pub raw_bytes: u64,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub digest: Hash,
    /// Sessions that could not be read, and are not in it.
    pub left_out: Vec<LeftOut>,
    /// Values of the cache that were passed over for their keys' prefixes.
    pub cache_skipped: u64,
}

/// A session that is not in a bundle.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Its id.
    pub id: SessionId,
    /// Why.
    pub error: Error,
}

/// Writes a bundle, in bounded memory: every session up to its head, verified, and the cache's
/// values. The bundle is read back and verified before it takes the place of an older one, all at
/// once. A session whose log is damaged is left out and named; nothing else is. `already_exists` where
/// one is, and an older bundle would be replaced. `invalid_argument` where the key is a session's.
#[must_use]
pub fn snapshot(options: Snapshot) -> Task<Snapshotted> {
    Task::new(async move |io| {
        let mut tries = 1;
        loop {
            let mut has_begun_cache = false;
            match snapshot_once(&io, &options, &mut has_begun_cache).await {
                // Archived or restored while it was read. Keys of the cache are given once only.
                Err(error) if is_moving(&error) && !has_begun_cache && tries < TRIES => tries += 1,
                snapshotted => return snapshotted,
            }
        }
    })
}

async fn snapshot_once(
    io: &Io,
    options: &Snapshot,
    has_begun_cache: &mut bool,
) -> Result<Snapshotted> {
    if options.key.session().is_some() {
        let message = "a bundle under that key would be taken for a session";
        return Err(Error::new(ErrorKind::InvalidArgument, message).at_key(&options.key));
    }
    check_settled(io).await?;
    let now_ms = io.stamp(0).await?.now_ms;
    if planted!(OldBundleGoesFirst) {
        found(io.bundle().delete(&options.key, Condition::Any).await)?;
    }
    let mut writer = Writer::begin(&io.bundle(), options.key.clone(), now_ms).await?;
    let written = async {
        let written = write(io, options, &mut writer, has_begun_cache).await?;
        check_settled(io).await?;
        Ok(written)
    };
    let (left_out, cache_skipped) = match written.await {
        Ok(written) => written,
        Err(error) => {
            writer.abort(&io.bundle()).await;
            return Err(error);
        }
    };
    let (staging, end) = writer.finish(&io.bundle()).await?;
    let condition = match left_out.is_empty() || options.replaces_fuller {
        true => Condition::Any,
        false => Condition::Absent,
    };
    let published = publish(io, staging, &end, condition).await;
    published.map_err(|error| fuller(error, &left_out)).map(|bytes| Snapshotted {
        counts: end.counts,
        raw_bytes: end.bytes,
        bytes,
        digest: end.digest,
        left_out,
        cache_skipped,
    })
}

/// What to say where a bundle is there that may have what this one lacks.
fn fuller(error: Error, left_out: &[LeftOut]) -> Error {
    let Some(first) = left_out.first().filter(|_| error.kind() == ErrorKind::AlreadyExists) else {
        return error;
    };
    let message = alloc::format!(
        "a bundle is there already, which may hold what this one would lack: {} of {}",
        first.error.message(),
        first.id.as_str()
    );
    Error::new(ErrorKind::AlreadyExists, message).in_session(&first.id)
}

/// While a bundle is restored some sessions are old and some new.
async fn check_settled(io: &Io) -> Result<()> {
    if !Journal::is_there(io).await? {
        return Ok(());
    }
    let message = "a bundle is restored just now, or was when it was cut off: recover first";
    Err(Error::new(ErrorKind::Locked, message).retryable())
}

async fn write(
    io: &Io,
    options: &Snapshot,
    writer: &mut Writer,
    has_begun_cache: &mut bool,
) -> Result<(Vec<LeftOut>, u64)> {
    let mut seen = BTreeSet::new();
    let mut ids = match &options.sessions {
        Some(ids) => ids.clone(),
        None => all(io).await?,
    };
    ids.retain(|id| seen.insert(id.clone()));
    let mut left_out = Vec::new();
    for id in ids {
        match write_session(io, &id, writer).await {
            Ok(()) => {}
            // Deleted since it was listed.
            Err(error) if is_gone(&error) && options.sessions.is_none() => {}
            Err(error) if error.kind().class() == ErrorClass::Data => {
                left_out.push(LeftOut { error: error.in_session(&id), id });
            }
            Err(error) => return Err(error.in_session(&id)),
        }
    }
    *has_begun_cache = options.cache;
    let skipped = if options.cache { write_cache(io, options, writer).await? } else { 0 };
    Ok((left_out, skipped))
}

fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Pruned) && !is_moving(error)
}

/// Every session, of a cold store too.
async fn all(io: &Io) -> Result<Vec<SessionId>> {
    let mut ids: Vec<_> = all_sessions(io).await?.into_iter().map(|listed| listed.id).collect();
    if let Some(cold) = io.cold() {
        let mut after = None;
        loop {
            let page = tier::some(&cold, after, u32::MAX).await?;
            ids.extend(page.sessions.into_iter().map(|session| session.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(ids)
}

/// Writes a session up to its head. A data error means that nothing was written.
async fn write_session(io: &Io, id: &SessionId, writer: &mut Writer) -> Result<()> {
    let (session, source) = find_session(io, id).await?;
    let empty = || Error::new(ErrorKind::EmptyLog, "not one whole entry");
    let head = session.head().ok_or_else(empty)?;
    let about = about(io, id, &source).await?;
    let trace = Key::of(id, Part::Trace);
    let trace_bytes = io.find(&trace).await?.map_or(0, |info| info.bytes);
    let record = SessionRecord::new(id.clone(), head, about, trace_bytes);
    let lines = verified(io, &source, head, id).await?;
    let to = io.bundle();
    writer.session(&to, &record).await?;
    if let Some(lines) = lines {
        writer.add(&to, &lines).await?;
    } else {
        let mut chunks = Chunks::of(io, &source, Some(head));
        let mut left = head.bytes;
        while let Some(chunk) = chunks.next().await.map_err(|error| changed(&error))? {
            left = left.saturating_sub(chunk.len() as u64);
            writer.add(&to, &chunk).await?;
        }
        if left > 0 {
            return Err(changed(&shorter(&Key::of(id, Part::Log))));
        }
    }
    let mut at = 0;
    while at < trace_bytes {
        let range = at..trace_bytes.min(at + CHUNK_BYTES);
        let bytes = io.get(&trace, Some(range)).await.map_err(|error| changed(&error))?.bytes;
        if bytes.is_empty() {
            return Err(changed(&shorter(&trace)));
        }
        at += bytes.len() as u64;
        writer.add(&to, &bytes).await?;
    }
    Ok(())
}

/// The bundle has the session's record already: it is begun anew.
fn changed(error: &Error) -> Error {
    let message = alloc::format!("the session changed while it was read: {}", error.message());
    Error::new(ErrorKind::Conflict, message).retryable()
}

/// The title's record as it stands; one that is none is left out.
pub(super) async fn about(io: &Io, id: &SessionId, source: &Source) -> Result<Option<String>> {
    let range = Some(0..ABOUT_BYTES_MAX as u64);
    let object = found(io.get(&Key::of(id, Part::About), range).await)?;
    let text = object.and_then(|object| String::from_utf8(object.bytes).ok());
    let text = text.or_else(|| tier::known_about(source, None));
    let text = text.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| crate::json::Object::of(text).is_some()))
}

/// Verifies a session's lines, and gives those of a short one.
async fn verified(io: &Io, source: &Source, head: Head, id: &SessionId) -> Result<Option<Vec<u8>>> {
    let mut verifier =
        Verifier::new(Expectation { session: Some(id.clone()), head: Some((head.seq, head.hash)) });
    let mut kept = (head.bytes <= SHORT_BYTES).then(Vec::new);
    let mut chunks = Chunks::of(io, source, Some(head));
    while let Some(chunk) = chunks.next().await? {
        verifier.push(&chunk);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&chunk);
        }
    }
    let report = verifier.finish();
    report.sound()?;
    if report.head == Some(head) {
        return Ok(kept);
    }
    Err(Error::new(ErrorKind::HeadMismatch, "the lines do not lead to the session's head"))
}

/// Writes the cache's values, and says how many were passed over.
async fn write_cache(io: &Io, options: &Snapshot, writer: &mut Writer) -> Result<u64> {
    let mut skipped = 0;
    loop {
        let mut keys = match io.cache_keys(CACHE_KEYS).await {
            Err(_) if planted!(CacheFailureIsEmpty) => return Ok(skipped),
            keys => keys?,
        };
        if keys.is_empty() {
            return Ok(skipped);
        }
        let listed = keys.len();
        keys.retain(|key| !options.skipped_prefixes.iter().any(|prefix| key.starts_with(prefix)));
        skipped += (listed - keys.len()) as u64;
        let mut keys = &keys[..];
        while !keys.is_empty() {
            let values = io.cache_get(keys).await?;
            keys = keys.get(values.len()..).unwrap_or_default();
            // What expired since it was listed is no more.
            for entry in values.into_iter().flatten() {
                writer.cache(&io.bundle(), &entry).await?;
            }
        }
    }
}

/// Reads the bundle back, and puts it in its place.
async fn publish(io: &Io, mut staging: Staging, end: &End, condition: Condition) -> Result<u64> {
    let to = io.bundle();
    let published = async {
        match Opened::staged(&to, &staging).await {
            Ok(opened) => {
                let read = match opened.verify().await {
                    Err(_) if planted!(BundleUnread) => *end,
                    read => read?,
                };
                if read != *end && !planted!(BundleUnread) {
                    let message = "what was read back is not what was written";
                    return Err(Error::new(ErrorKind::BadBundle, message));
                }
            }
            // A stream cannot be read back.
            Err(error) if error.kind() == ErrorKind::NotSupported => {}
            Err(error) => return Err(error),
        }
        staging.commit_unmeasured(&to, condition).await
    };
    if let Err(error) = published.await {
        staging.abort(&to).await;
        return Err(error);
    }
    Ok(staging.bytes())
}
