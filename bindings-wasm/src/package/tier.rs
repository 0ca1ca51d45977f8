//! Two stores for one session: a hot one in front of a cold one.

use turnkeep_core::session::tier::{
    self, ColdSession, ColdSessions, Collect, Collected, Copied, Flush, Flushed, Hot, Hydrated,
    Layout,
};
use turnkeep_core::store::Key;
use turnkeep_core::{Error, ErrorKind, Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, id_or_none, number, object, optional, whole_or_none};
use super::error;
use super::session::{nothing, opened};
use super::task::Task;

#[wasm_bindgen]
pub fn probe() -> Task {
    Task::new(tier::probe(), nothing)
}

/// Gives `{ opened, wasHot }`.
#[wasm_bindgen]
pub fn hydrate(id: String) -> Js<Task> {
    Ok(Task::new(tier::hydrate(SessionId::new(id)?), |hydrated: Hydrated| {
        object([("wasHot", hydrated.was_hot.into()), ("opened", opened(hydrated.session))])
    }))
}

/// What is not given stays as the core has it.
#[wasm_bindgen]
pub fn flush(id: String, hot_name: Option<String>, merges: Option<bool>) -> Js<Task> {
    let mut options = Flush::default();
    options.hot = hot_name.map_or(Ok(options.hot), hot)?;
    options.merges = merges.unwrap_or(options.merges);
    Ok(Task::new(tier::flush(SessionId::new(id)?, options), flushed))
}

pub(crate) fn flushed(flushed: Flushed) -> JsValue {
    object([
        ("head", optional(flushed.head, convert::head)),
        ("entries", number(flushed.entries)),
        ("segments", number(flushed.segments)),
        ("cleared", flushed.cleared.into()),
        ("mergeFault", optional(flushed.merge_fault, |fault| error::to_js(&fault))),
    ])
}

fn hot(name: String) -> Result<Hot> {
    match name.as_str() {
        "clear" => Ok(Hot::Clear),
        "keep" => Ok(Hot::Keep),
        "leave" => Ok(Hot::Leave),
        _ => Err(Error::new(ErrorKind::InvalidArgument, "hot is clear, keep or leave")),
    }
}

#[wasm_bindgen]
pub fn slice(id: String) -> Js<Task> {
    let json = |json: Option<String>| optional(json, JsValue::from);
    Ok(Task::new(tier::slice(SessionId::new(id)?), json))
}

#[wasm_bindgen]
pub fn pull(id: String) -> Js<Task> {
    Ok(Task::new(tier::pull(SessionId::new(id)?), copied))
}

/// To the cold store of the task's.
#[wasm_bindgen]
pub fn copy(id: String, layout_name: String) -> Js<Task> {
    let layout = match layout_name.as_str() {
        "files" => Layout::Files,
        "objects" => Layout::Objects,
        _ => {
            let message = "a layout is files or objects";
            return Err(Error::new(ErrorKind::InvalidArgument, message).into());
        }
    };
    Ok(Task::new(tier::copy(SessionId::new(id)?, layout), copied))
}

fn copied(copied: Copied) -> JsValue {
    object([("head", convert::head(copied.head)), ("entries", number(copied.entries))])
}

/// What is not given stays as the core has it.
#[wasm_bindgen]
pub fn collect(grace_ms: Option<f64>, is_dry_run: Option<bool>) -> Js<Task> {
    let mut options = Collect::default();
    options.grace_ms = whole_or_none(grace_ms)?.unwrap_or(options.grace_ms);
    options.is_dry_run = is_dry_run.unwrap_or(options.is_dry_run);
    Ok(Task::new(tier::collect(options), |collected: Collected| {
        let key = |key: &Key| key.as_str().into();
        object([
            ("sessions", number(collected.sessions)),
            ("used", number(collected.used)),
            ("usedBytes", number(collected.used_bytes)),
            ("unused", convert::list(&collected.unused, key)),
            ("unusedBytes", number(collected.unused_bytes)),
            ("deleted", convert::list(&collected.deleted, key)),
            ("deletedBytes", number(collected.deleted_bytes)),
        ])
    }))
}

/// Gives `{ sessions, next }`, where `next` is an id.
#[wasm_bindgen]
pub fn cold_sessions(after: Option<String>, limit: u32) -> Js<Task> {
    Ok(Task::new(tier::sessions(id_or_none(after)?, limit), |listed: ColdSessions| {
        object([
            ("sessions", convert::list(&listed.sessions, cold_session)),
            ("next", optional(listed.next, |id| id.as_str().into())),
        ])
    }))
}

fn cold_session(session: &ColdSession) -> JsValue {
    object([
        ("id", session.id.as_str().into()),
        ("head", convert::head(session.head)),
        ("storedBytes", number(session.stored_bytes)),
        ("flushedMs", number(session.flushed_ms)),
    ])
}
