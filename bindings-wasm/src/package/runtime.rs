//! A whole runtime: waiting until it is idle, its snapshot, and restoring it.

use turnkeep_core::session::runtime::{
    self, IdleStep, LeftOut, Recover, Recovered, Restore, Restored, RestoredSession, Snapshot,
    Snapshotted,
};
use turnkeep_core::store::{Key, PART_BYTES};
use turnkeep_core::{Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, number, object, whole, whole_or_none};
use super::error;
use super::task::Task;

/// What is not given stays as the core has it.
#[wasm_bindgen]
pub fn snapshot_task(
    sessions: Option<Vec<String>>,
    has_cache: bool,
    skipped_prefixes: Option<Vec<String>>,
    replaces_fuller: bool,
    key: Option<String>,
) -> Js<Task> {
    let mut options = Snapshot::default();
    options.sessions = ids(sessions)?;
    options.cache = has_cache;
    options.skipped_prefixes = skipped_prefixes.unwrap_or(options.skipped_prefixes);
    options.replaces_fuller = replaces_fuller;
    options.key = key.map_or(Ok(options.key), Key::parse)?;
    Ok(Task::new(runtime::snapshot(options), snapshotted))
}

/// What is not given stays as the core has it.
#[wasm_bindgen]
pub fn restore_task(
    sessions: Option<Vec<String>>,
    has_cache: bool,
    is_dry_run: bool,
    key: Option<String>,
    process: f64,
) -> Js<Task> {
    let mut options = Restore::default();
    options.sessions = ids(sessions)?;
    options.cache = has_cache;
    options.dry_run = is_dry_run;
    options.process = whole(process)?;
    options.key = key.map_or(Ok(options.key), Key::parse)?;
    Ok(Task::new(runtime::restore(options), restored))
}

#[wasm_bindgen]
pub fn recover_task(has_cache: bool, gives_up_cache: bool, process: f64) -> Js<Task> {
    let mut options = Recover::default();
    options.cache = has_cache;
    options.gives_up_cache = gives_up_cache;
    options.process = whole(process)?;
    Ok(Task::new(runtime::recover(options), recovered))
}

/// Where a bundle that comes as a stream is kept, by a random number, and the length of its parts.
#[wasm_bindgen]
pub fn spooling(nonce: f64) -> Js<JsValue> {
    let key = Key::spooled(whole(nonce)?).as_str().into();
    Ok(object([("key", key), ("partBytes", number(PART_BYTES as u64))]))
}

/// Decides when a runtime is idle.
#[wasm_bindgen]
pub struct Idle(runtime::Idle);

#[wasm_bindgen]
impl Idle {
    /// Without a time it waits for ever.
    #[wasm_bindgen(constructor)]
    pub fn new(now_ms: f64, timeout_ms: Option<f64>) -> Js<Self> {
        Ok(Self(runtime::Idle::new(whole(now_ms)?, whole_or_none(timeout_ms)?)))
    }

    /// Takes what a look found busy: how long to wait for the next one, `undefined` when it is idle.
    /// Throws `timeout`.
    pub fn look(&mut self, now_ms: f64, busy: Vec<String>) -> Js<Option<f64>> {
        match self.0.look(whole(now_ms)?, &busy) {
            IdleStep::Idle => Ok(None),
            IdleStep::Wait { ms } => Ok(Some(ms as f64)),
            IdleStep::TimedOut(error) => Err(error.into()),
        }
    }
}

fn ids(ids: Option<Vec<String>>) -> Result<Option<Vec<SessionId>>> {
    ids.map(|ids| ids.into_iter().map(SessionId::new).collect()).transpose()
}

fn snapshotted(written: Snapshotted) -> JsValue {
    object([
        ("sessions", number(written.counts.sessions)),
        ("entries", number(written.counts.entries)),
        ("cached", number(written.counts.cache)),
        ("rawBytes", number(written.raw_bytes)),
        ("bytes", number(written.bytes)),
        ("digest", written.digest.to_string().into()),
        ("leftOut", convert::list(&written.left_out, left_out)),
        ("cacheSkipped", number(written.cache_skipped)),
    ])
}

fn left_out(session: &LeftOut) -> JsValue {
    object([("id", session.id.as_str().into()), ("error", error::to_js(&session.error))])
}

fn restored(restored: Restored) -> JsValue {
    let cache = object([
        ("put", number(restored.cache.put)),
        ("expired", number(restored.cache.expired)),
        ("leftOut", number(restored.cache.left_out)),
    ]);
    object([
        ("sessions", convert::list(&restored.sessions, restored_session)),
        ("cache", cache),
        ("recovered", recovered(restored.recovered)),
    ])
}

fn restored_session(session: &RestoredSession) -> JsValue {
    object([
        ("id", session.id.as_str().into()),
        ("head", convert::head(session.head)),
        ("change", session.change.name().into()),
    ])
}

/// `{ what }`, with `kept` ids where it was undone, with the number `cached` where it was finished.
fn recovered(recovered: Recovered) -> JsValue {
    let what = |name: &str| ("what", name.into());
    match recovered {
        Recovered::Undone { kept } => {
            let kept = convert::list(&kept, |id| id.as_str().into());
            object([what("undone"), ("kept", kept)])
        }
        Recovered::Finished { cache } => object([what("finished"), ("cached", number(cache))]),
        _ => object([what("nothing")]),
    }
}
