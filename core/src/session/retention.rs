//! What a store notes of a session that it archived or pruned: kept beside the archive, and, as a
//! tombstone, in its place.

use alloc::format;
use alloc::string::{String, ToString};

use super::Task;
use super::again::{TRIES, again, is_raced};
use super::edit::quoted;
use crate::entry::utf8;
use crate::field;
use crate::json::Object;
use crate::limits::{REASON_BYTES_MAX, RETENTION_BYTES_MAX};
use crate::log::Head;
use crate::store::{Condition, Key, Part};
use crate::task::{Io, found};
use crate::{Error, ErrorKind, Hash, Result, SessionId};

/// What is noted of an archived or pruned session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// When it was archived, in milliseconds since 1970.
    pub archived_ms: u64,
    /// When it was last written to, or restored.
    pub last_activity_ms: u64,
    /// Its head, and how long its log was.
    pub head: Head,
    /// How long the archive is.
    pub archive_bytes: u64,
    /// When and why the archive was removed.
    pub pruned: Option<Pruned>,
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Why.
    pub reason: String,
}

impl Retention {
    pub(super) fn new(
        head: Head,
        archive_bytes: u64,
        archived_ms: u64,
        last_activity_ms: u64,
    ) -> Self {
        Self { archived_ms, last_activity_ms, head, archive_bytes, pruned: None }
    }

    /// In the place of one that is damaged. It is of no archive, so nothing is pruned for it; the next
    /// archiving writes it anew.
    pub(super) fn unreadable() -> Self {
        Self::new(Head { seq: 0, hash: Hash::from_bytes([0; 32]), bytes: 0 }, 0, 0, 0)
    }

    /// The same, of a session that is gone.
    pub(super) fn pruned(&self, at_ms: u64, reason: String) -> Self {
        Self { pruned: Some(Pruned { at_ms, reason }), ..self.clone() }
    }

    fn to_json(&self) -> String {
        let Self { archived_ms, last_activity_ms, head, archive_bytes, pruned } = self;
        let status = if pruned.is_some() { "pruned" } else { "archived" };
        let mut json = format!(
            "{{\"version\":1,\"status\":\"{status}\",\"archived_at\":{archived_ms},\
             \"last_activity\":{last_activity_ms},\"entries\":{},\"hash\":\"{}\",\
             \"raw_bytes\":{},\"archive_bytes\":{archive_bytes}",
            head.seq + 1,
            head.hash,
            head.bytes,
        );
        if let Some(Pruned { at_ms, reason }) = pruned {
            json += &format!(",\"pruned_at\":{at_ms},\"reason\":{}", quoted(reason));
        }
        json + "}\n"
    }

    fn from_json(json: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::BadEntry, "not a record of an archived session");
        if json.len() > RETENTION_BYTES_MAX {
            return Err(bad());
        }
        let object = Object::of(utf8(json)?.trim_end_matches('\n')).ok_or_else(bad)?;
        let count = |name| object.get(name).and_then(field::count);
        if count("version").is_some_and(|version| version > 1) {
            let message = "the record of an archived session has a newer version than 1";
            return Err(Error::new(ErrorKind::UnsupportedVersion, message));
        }
        let record = || {
            let hash = Hash::from_hex(object.text("hash")?.as_bytes())?;
            let seq = count("entries")?.checked_sub(1)?;
            let pruned = match &*object.text("status")? {
                "archived" => None,
                "pruned" => Some(Pruned {
                    at_ms: count("pruned_at")?,
                    reason: object.text("reason")?.into_owned(),
                }),
                _ => return None,
            };
            Some(Self {
                archived_ms: count("archived_at")?,
                last_activity_ms: count("last_activity")?,
                head: Head { seq, hash, bytes: count("raw_bytes")? },
                archive_bytes: count("archive_bytes")?,
                pruned,
            })
        };
        record().ok_or_else(bad)
    }
}

/// What is noted of a session that was archived or pruned; `None` where nothing is.
#[must_use]
pub fn retention(id: SessionId) -> Task<Option<Retention>> {
    Task::new(async move |io| {
        let noted = of(&io, &id).await.map_err(|error| error.in_session(&id))?;
        Ok(noted.map(|(noted, _)| noted).filter(|noted| *noted != Retention::unreadable()))
    })
}

/// Cuts a reason to what a record holds.
pub(super) fn bounded(reason: &str) -> String {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().to_string()
}

/// A session's record and its version, if it has one. One that is damaged says nothing.
pub(super) async fn of(io: &Io, id: &SessionId) -> Result<Option<(Retention, String)>> {
    let key = Key::of(id, Part::Retention);
    let range = 0..RETENTION_BYTES_MAX as u64 + 1;
    let Some(object) = found(io.get(&key, Some(range)).await)? else { return Ok(None) };
    let record = match Retention::from_json(&object.bytes) {
        // Of a newer version nothing is known, and nothing may be lost.
        Err(error) if error.kind() == ErrorKind::UnsupportedVersion => {
            return Err(error.at_key(&key));
        }
        record => record.unwrap_or_else(|_| Retention::unreadable()),
    };
    Ok(Some((record, object.info.version)))
}

/// Writes a session's record; gives its version.
pub(super) async fn put(
    io: &Io,
    id: &SessionId,
    record: &Retention,
    condition: Condition,
) -> Result<String> {
    let key = Key::of(id, Part::Retention);
    Ok(io.put(&key, record.to_json().into_bytes(), condition).await?.version)
}

/// Notes that a session is archived, in place of what was noted when that began; gives the record's
/// version, and what it replaced. Its last activity is the latest that anybody knows; that of the new
/// record counts only `if_known`. `pruned` where it was pruned meanwhile.
pub(super) async fn note(
    io: &Io,
    id: &SessionId,
    mut record: Retention,
    if_known: bool,
    mut noted: Option<(Retention, String)>,
) -> Result<(String, Option<Retention>)> {
    let activity = noted.as_ref().map(|(noted, _)| noted.last_activity_ms);
    if let (false, Some(activity)) = (if_known, activity) {
        record.last_activity_ms = activity;
    }
    let mut tries = 1;
    loop {
        let condition = match &noted {
            Some((noted, version)) => {
                record.last_activity_ms = record.last_activity_ms.max(noted.last_activity_ms);
                Condition::Version(version.clone())
            }
            None => Condition::Absent,
        };
        match put(io, id, &record, condition).await {
            Err(error) if is_raced(&error) && tries < TRIES => tries += 1,
            put => return Ok((put?, noted.map(|(noted, _)| noted))),
        }
        noted = of(io, id).await?;
        check_unpruned(noted.as_ref().map(|(record, _)| record))?;
    }
}

/// Removes a session's record, unless someone else wrote another one.
pub(super) async fn remove(io: &Io, id: &SessionId, version: String) -> Result<()> {
    let removed = io.delete(&Key::of(id, Part::Retention), Condition::Version(version)).await;
    match found(removed) {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        removed => removed.map(|_| ()),
    }
}

/// Notes that an archived session is in use. Who prunes has to read the record before, and changes
/// it only if nobody else did: from now on nobody prunes the session for a while. `pruned` where
/// someone was faster. Gives the record's version, if there is one.
pub(super) async fn touch(io: &Io, id: &SessionId) -> Result<Option<String>> {
    again(is_raced, || touch_once(io, id)).await
}

async fn touch_once(io: &Io, id: &SessionId) -> Result<Option<String>> {
    let Some((record, version)) = of(io, id).await? else { return Ok(None) };
    if let Some(pruned) = &record.pruned {
        return Err(gone(pruned));
    }
    let last_activity_ms = io.stamp(0).await?.now_ms;
    let record = Retention { last_activity_ms, ..record };
    put(io, id, &record, Condition::Version(version)).await.map(Some)
}

/// Refuses the id of a session that was pruned.
pub(super) async fn check_free(io: &Io, id: &SessionId) -> Result<()> {
    let noted = of(io, id).await?;
    check_unpruned(noted.as_ref().map(|(record, _)| record))
}

/// `pruned` where that is what was noted.
pub(super) fn check_unpruned(noted: Option<&Retention>) -> Result<()> {
    match noted.and_then(|record| record.pruned.as_ref()) {
        Some(pruned) => Err(gone(pruned)),
        None => Ok(()),
    }
}

/// What to say of a session that has neither a log nor an archive.
pub(super) async fn missing(io: &Io, id: &SessionId) -> Error {
    match check_free(io, id).await {
        Err(error) => error,
        Ok(()) => Error::new(ErrorKind::NotFound, "there is no such session"),
    }
}

/// What to say of a log whose archive is not there.
pub(super) async fn lost(io: &Io, id: &SessionId, log: &Key) -> Error {
    match check_free(io, id).await {
        Err(error) => error,
        Ok(()) => {
            let message = "the log goes on after an archive that is not there";
            Error::new(ErrorKind::BrokenLink, message).at_key(log)
        }
    }
}

fn gone(pruned: &Pruned) -> Error {
    let message = format!("the session was pruned at {}: {}", utc(pruned.at_ms), pruned.reason);
    Error::new(ErrorKind::Pruned, message)
}

/// A time as ISO 8601, in seconds. The date by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn utc(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1000 % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_write_them() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (ms, text) in known {
            assert_eq!(utc(ms), text);
        }
    }

    #[test]
    fn records_round_trip_and_no_cut_is_one() {
        let head = Head { seq: 6, hash: crate::sha256(b"x"), bytes: 700 };
        let archived = Retention::new(head, 300, 2, 1);
        let pruned = archived.pruned(9, "\"why\"\n".repeat(3));
        for record in [archived, pruned] {
            let json = record.to_json();
            assert_eq!(Retention::from_json(json.as_bytes()).unwrap(), record);
            for cut in 0..json.len() - 1 {
                assert!(Retention::from_json(&json.as_bytes()[..cut]).is_err(), "cut {cut}");
            }
        }
    }

    #[test]
    fn the_longest_reason_fits() {
        let head = Head { seq: 6, hash: crate::sha256(b"x"), bytes: 700 };
        let reason = bounded(&"\u{1}é".repeat(500));
        assert!(reason.len() <= REASON_BYTES_MAX && reason.len() > REASON_BYTES_MAX - 3);
        let record = Retention::new(head, 1, 1, 1).pruned(1, reason);
        assert_eq!(Retention::from_json(record.to_json().as_bytes()).unwrap(), record);
    }
}
