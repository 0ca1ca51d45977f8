//! What reading frozen files gives, told as JSON.

use std::fs;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use turnkeep::core::session;
use turnkeep::core::session::runtime::Restore;
use turnkeep::core::store::Condition;
use turnkeep::{
    Cache, FileStore, Head, Key, MemoryCache, MemoryStore, Result, Runtime, Session, SessionId,
    Store, Tier, Wait, about, drive, recovery,
};
use turnkeep_core::sha256;

use super::{Files, below};
use crate::sessions::Folder;

/// What reading them gives: each sort of file by its own name.
#[must_use]
pub fn read(files: &Files) -> Value {
    let folder = unpacked(files);
    let stores = stores(&folder);
    let tiered: Arc<dyn Store> = stores.tier.clone();
    json!({
        "store": sessions(&stores.store, &below(files, "store")),
        "tier": sessions(&tiered, &[below(files, "hot"), below(files, "cold")].into_iter().flatten().collect()),
        "bundles": bundles(&below(files, "bundles")),
        "interrupted": interrupted(&stores.interrupted, &below(files, "interrupted")),
    })
}

/// The stores whose folders were frozen.
pub struct Stores {
    /// Sessions of every sort.
    pub store: Arc<dyn Store>,
    /// Sessions in two stores.
    pub tier: Arc<Tier>,
    /// A restoring was cut off in it.
    pub interrupted: Arc<dyn Store>,
}

/// Opens the stores of a folder with frozen files.
///
/// # Panics
///
/// Where one does not open.
#[must_use]
pub fn stores(folder: &Folder) -> Stores {
    let store = |name: &str| -> Arc<dyn Store> {
        Arc::new(FileStore::open(folder.path().join(name)).expect("a store"))
    };
    let tier = Tier::open_reading(store("hot"), store("cold"));
    Stores { store: store("store"), tier, interrupted: store("interrupted") }
}

/// A copy of frozen files that may be written to.
pub fn unpacked(files: &Files) -> Folder {
    let folder = Folder::new();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    folder
}

/// Every session that an object belongs to, by its id.
fn sessions(store: &Arc<dyn Store>, objects: &Files) -> Value {
    let mut told = Map::new();
    for key in objects.keys().map(|key| Key::parse(key.clone()).expect("a key")) {
        let of_manifest =
            || SessionId::decode(key.as_str().strip_prefix("sessions/")?.split('/').next()?).ok();
        let id = key.session().map(|(id, _)| id).or_else(of_manifest);
        if let Some(id) = id
            && !told.contains_key(id.as_str())
        {
            told.insert(id.as_str().to_owned(), session(store, &id));
        }
    }
    told.into()
}

fn session(store: &Arc<dyn Store>, id: &SessionId) -> Value {
    let mut told = match log(store, id) {
        Ok(told) => told,
        Err(error) => json!({ "code": error.code() }),
    };
    let about = about(&**store, id).expect("what a session is called");
    if about != Default::default() {
        told["about"] = json!({ "title": about.title, "kind": about.kind, "tags": about.tags });
    }
    if let Some(noted) = drive(session::retention(id.clone()), &**store).expect("a record") {
        told["retention"] = json!({
            "archived_ms": noted.archived_ms,
            "last_activity_ms": noted.last_activity_ms,
            "head": head(Some(noted.head)),
            "archive_bytes": noted.archive_bytes,
            "pruned": noted.pruned.map(|pruned| json!({ "at_ms": pruned.at_ms, "reason": pruned.reason })),
        });
    }
    if let Ok(record) = recovery::record(&**store, id) {
        told["recovery"] = serde_json::from_str(&record.to_json()).expect("JSON");
    }
    told
}

/// What a session's log holds, whatever its form.
fn log(store: &Arc<dyn Store>, id: &SessionId) -> Result<Value> {
    let session = Session::open(store.clone(), id)?;
    let report = session.verify_with(None, true)?;
    let fault = report.fault.or(report.entry_fault);
    Ok(json!({
        "form": session.form().name(),
        "head": head(session.head()),
        "fault": fault.map(|fault| fault.code()),
        "torn": session.torn().map(|torn| json!({ "offset": torn.offset, "bytes": torn.bytes })),
        "withheld": report.withheld,
        "state_sha256": sha256(session.state()?.to_json().as_bytes()).to_string(),
    }))
}

fn head(head: Option<Head>) -> Value {
    let head = head.expect("a session has a head");
    json!({ "seq": head.seq, "hash": head.hash.to_string(), "bytes": head.bytes })
}

/// What each bundle restores, in an empty store and an empty cache.
fn bundles(files: &Files) -> Value {
    let told = files.iter().map(|(key, bytes)| {
        let from = MemoryStore::new();
        let mut options = Restore::default();
        options.key = Key::parse(key.clone()).expect("a key");
        from.put(&options.key, bytes, &Condition::Absent).expect("a put");
        let (store, cache) = (Arc::new(MemoryStore::new()), Arc::new(MemoryCache::default()));
        let runtime = Runtime::open(store.clone(), Some(cache.clone())).expect("a runtime");
        runtime.restore_from_store(&from, options, Wait::default()).expect("a whole bundle");
        let store: Arc<dyn Store> = store;
        let objects = super::desk::objects(&*store);
        let traces: Map<String, Value> = objects
            .iter()
            .filter(|(key, _)| key.ends_with(".trace.jsonl"))
            .map(|(key, trace)| (key.clone(), sha256(trace).to_string().into()))
            .collect();
        let told = json!({
            "sessions": sessions(&store, &objects),
            "traces": traces,
            "cache": values(&*cache),
        });
        (key.clone(), told)
    });
    told.collect::<Map<_, _>>().into()
}

fn values(cache: &dyn Cache) -> Vec<Value> {
    let keys = cache.list().expect("keys").map(|key| key.expect("a key"));
    let entry = |key: String| cache.get(&key).expect("a value").expect("a value").to_json();
    keys.map(|key| entry(key).into()).collect()
}

/// What the next start does with a restoring that was cut off.
fn interrupted(store: &Arc<dyn Store>, objects: &Files) -> Value {
    let runtime = Runtime::open(store.clone(), None).expect("it recovers");
    json!({
        "recovered": format!("{:?}", runtime.recovered()),
        "sessions": sessions(store, objects),
    })
}
