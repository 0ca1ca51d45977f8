//! A session looked at in every way there is: all of them must agree.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use turnkeep::core::gzip::{Bound, gunzip};
use turnkeep::core::session;
use turnkeep::core::store::Condition;
use turnkeep::{Head, Range, Result, Store, drive};

use super::scene::{copied, objects};
use crate::sessions::{archive_key, id, lines, log_key, open};

/// What a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its whole lines.
    pub lines: Vec<u8>,
    /// Its head.
    pub head: Head,
}

/// What a session is, or the code with which it is refused.
pub type Answer = std::result::Result<Seen, &'static str>;

/// The session as it is opened, read in both directions, folded, verified and restored; or the code
/// with which all of these refuse it.
///
/// # Panics
///
/// Where they disagree.
pub fn look(store: &dyn Store, name: &str, what: &str) -> Answer {
    thread_local!(static SEEN: RefCell<HashMap<u64, Answer>> = RefCell::default());
    // What has the same objects is the same.
    let mut hasher = DefaultHasher::new();
    (name, objects(store)).hash(&mut hasher);
    let key = hasher.finish();
    let known = SEEN.with_borrow(|seen| seen.get(&key).cloned());
    known.unwrap_or_else(|| {
        let answer = look_at(store, name, what);
        SEEN.with_borrow_mut(|seen| seen.insert(key, answer.clone()));
        answer
    })
}

fn look_at(store: &dyn Store, name: &str, what: &str) -> Answer {
    let copy = copied(store);
    let opened = match open(&copy, name) {
        Ok(opened) => opened,
        Err(error) => return Err(refused(&copy, name, error.code(), what)),
    };
    let head = opened.head().expect("a head");
    let found = lines(&opened, &Range::all()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let back = lines(&opened, &Range::all().newest_first());
    let back = back.unwrap_or_else(|error| panic!("{what}, backwards: {error}"));
    let turned: Vec<u8> = split(&back).rev().flatten().copied().collect();
    assert!(found == turned, "{what}: other lines backwards");
    let report = opened.verify_with(None, true).expect("a report");
    assert!(report.fault.is_none() && report.head == Some(head), "{what}: {report:?}");
    let state = opened.state().unwrap_or_else(|error| panic!("{what}, folded: {error}"));
    assert_eq!(state.head, Some(head), "{what}");
    assert_eq!(head.bytes, found.len() as u64, "{what}");
    is_held_alike(&copy, name, &found, what);
    is_restored(&copy, name, &found, what);
    Ok(Seen { lines: found, head })
}

fn split(lines: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    lines.split_inclusive(|byte| *byte == b'\n')
}

/// Every way says the same.
fn refused(store: &Arc<dyn Store>, name: &str, code: &'static str, what: &str) -> &'static str {
    fn code_of<T>(outcome: Result<T>) -> &'static str {
        outcome.err().map_or("no refusal", |error| error.code())
    }
    let id = || id(name);
    let ways = [
        code_of(drive(session::read(id(), Range::all()), &**store)),
        code_of(drive(session::read(id(), Range::all().newest_first()), &**store)),
        code_of(drive(session::state(id(), session::View::default()), &**store)),
        code_of(drive(session::verify(id(), None, true), &**store)),
        code_of(drive(session::restore(id()), &**store)),
        code_of(drive(session::archive(id()), &**store)),
    ];
    assert!(ways.iter().all(|way| *way == code), "{what}: open says {code}, others {ways:?}");
    code
}

/// The archive holds the session's first lines; the log all of them, or the last ones.
fn is_held_alike(store: &Arc<dyn Store>, name: &str, lines: &[u8], what: &str) {
    let archive = store.get(&archive_key(name), None).ok();
    let archived =
        archive.map(|object| gunzip(&object.bytes, Bound::default()).expect("a sound archive"));
    if let Some(archived) = &archived {
        assert!(lines.starts_with(archived), "{what}: the archive disagrees");
    }
    let Ok(log) = store.get(&log_key(name), None) else {
        return assert_eq!(
            archived.as_deref(),
            Some(lines),
            "{what}: no log, and not all archived"
        );
    };
    let whole = log.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let log = &log.bytes[..whole];
    assert!(lines.ends_with(log), "{what}: the log disagrees");
    let held = archived.map_or(0, |archived| archived.len());
    assert!(lines.len() - log.len() <= held, "{what}: nothing holds what lies between");
}

/// Restored, it is the same; where it is live already, that is said.
fn is_restored(store: &Arc<dyn Store>, name: &str, lines: &[u8], what: &str) {
    let restored = drive(session::restore(id(name)), &**store);
    if let Err(error) = &restored {
        assert!(matches!(error.code(), "already_exists" | "pruned"), "{what}, restored: {error}");
        return;
    }
    let log = store.get(&log_key(name), None).expect("a log").bytes;
    assert!(log == lines, "{what}: other lines restored");
    store.delete(&archive_key(name), &Condition::Any).expect_err("no archive is left");
}

/// Whether a session is what it was.
///
/// # Panics
///
/// Where it is not.
pub fn agrees(store: &dyn Store, name: &str, (lines, head): (&[u8], Head), what: &str) {
    let seen = look(store, name, what).unwrap_or_else(|code| panic!("{what}: {code}"));
    assert!(seen.lines == lines && seen.head == head, "{what}: another session");
}
