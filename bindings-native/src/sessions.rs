//! The sessions of a store.

use turnkeep_core::session::{
    self, About, Ancestor, ImportFiles, ImportedFiles, Lineage, Listed, RecentSessions, Repair,
};
use turnkeep_core::{Result, SessionId};

use crate::session::release;
use crate::{Store, drive};

/// Ids a listing asks for at once.
const LIST_LIMIT: u32 = 1000;

/// Every session of a store, in order of their encoded ids.
pub fn sessions(store: &dyn Store) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = drive(session::list("", after, LIST_LIMIT), store)?;
        found.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Some sessions of a store with their titles, kinds and tags, the last written first, those with `tag`
/// where one is given: `limit` of them, after `after`, which the page before gives as
/// [`RecentSessions::next`].
///
/// ```
/// use std::sync::Arc;
/// use turnkeep::{Create, Draft, MemoryStore, Session, recent};
/// let store = Arc::new(MemoryStore::new());
/// let session = Session::create(store.clone(), Create::default())?;
/// session.append_one(&Draft::user_input(r#"{"role":"user","content":"Hi"}"#))?;
/// assert_eq!(recent(&*store, None, 10, None)?.sessions[0].title.as_deref(), Some("Hi"));
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub fn recent(
    store: &dyn Store,
    after: Option<(u64, SessionId)>,
    limit: u32,
    tag: Option<&str>,
) -> Result<RecentSessions> {
    drive(session::recent(after, limit, tag.map(str::to_owned)), store)
}

/// Deletes a session and all that is kept beside it. `locked` where another writer holds it.
pub fn delete(store: &dyn Store, id: &SessionId) -> Result<()> {
    drive(session::delete(id.clone()), store)
}

/// Repairs a damaged session into a new one, which keeps all that holds; the damaged log is not
/// touched. With `dry_run` nothing is written.
pub fn repair(
    store: &dyn Store,
    id: &SessionId,
    into: Option<SessionId>,
    dry_run: bool,
) -> Result<Repair> {
    let repair = drive(session::repair(id.clone(), into, dry_run), store)?;
    if let Some(session) = &repair.session {
        release(store, session.id());
    }
    Ok(repair)
}

/// The ancestors of a session and its descendants. Looks at every session of the store.
pub fn lineage(store: &dyn Store, id: &SessionId) -> Result<Lineage> {
    drive(session::lineage(id.clone()), store)
}

/// Where a session comes from, the nearest first.
pub fn ancestors(store: &dyn Store, id: &SessionId) -> Result<Vec<Ancestor>> {
    drive(session::ancestors(id.clone()), store)
}

/// A session's title, kind and tags, as far as they were set.
pub fn about(store: &dyn Store, id: &SessionId) -> Result<About> {
    drive(session::about(id.clone()), store)
}

/// Sets a session's title, kind and tags, in the place of those it had.
///
/// ```
/// use std::sync::Arc;
/// use turnkeep::{About, Create, MemoryStore, Session, about, set_about};
/// let store = Arc::new(MemoryStore::new());
/// let session = Session::create(store.clone(), Create::default())?;
/// let report = About::new(Some("The week's report".into()), vec!["weekly".into()]);
/// set_about(&*store, &session.id(), report.with_kind("subagent"))?;
/// assert_eq!(about(&*store, &session.id())?.kind.as_deref(), Some("subagent"));
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub fn set_about(store: &dyn Store, id: &SessionId, about: About) -> Result<()> {
    drive(session::set_about(id.clone(), about), store)
}

/// Imports files of an earlier system that belong together ([`turnkeep_core::import::group`] tells
/// which), each session whole or not at all. Importing again does nothing.
///
/// ```
/// use turnkeep::core::session::{Import, ImportFiles};
/// use turnkeep::{MemoryStore, SessionId, import_files};
/// let snapshot = br#"{"v":1,"messages":["{\"id\":\"m1\"}"],"state":null,"dedupIds":["m1"]}"#;
/// let files = vec![("t-1.json".to_owned(), snapshot.to_vec())];
/// let store = MemoryStore::new();
/// let done = import_files(&store, ImportFiles::new(files))?;
/// assert_eq!(done.sessions[0].id, SessionId::new("t-1")?);
/// assert!(matches!(done.sessions[0].outcome, Ok(Import::Imported(_))));
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub fn import_files(store: &dyn Store, options: ImportFiles) -> Result<ImportedFiles> {
    let done = drive(session::import_files(options), store)?;
    for session in &done.sessions {
        // Others may write to it from now on.
        release(store, &session.id);
    }
    Ok(done)
}
