//! Recovery records, which cross as their JSON text.

use turnkeep_core::recovery::Record;
use turnkeep_core::session::{self, Incomplete, Incompletes};
use turnkeep_core::store::Key;
use turnkeep_core::{Error, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, number, object, whole};
use super::error;
use super::session::{Session, nothing};
use super::task::Task;

#[wasm_bindgen]
pub fn track(session: &Session, project_dir: String) -> Task {
    Task::new(session::track(session.0.clone(), project_dir), nothing)
}

#[wasm_bindgen]
pub fn record(id: String) -> Js<Task> {
    Ok(Task::new(session::record(SessionId::new(id)?), json))
}

#[wasm_bindgen]
pub fn rebuild_record(id: String) -> Js<Task> {
    Ok(Task::new(session::rebuild_record(SessionId::new(id)?), json))
}

#[wasm_bindgen]
pub fn mark_completed(id: String) -> Js<Task> {
    Ok(Task::new(session::mark_completed(SessionId::new(id)?), json))
}

#[wasm_bindgen]
pub fn remove_record(id: String) -> Js<Task> {
    Ok(Task::new(session::remove_record(SessionId::new(id)?), JsValue::from_bool))
}

#[wasm_bindgen]
pub fn cleanup_old(max_age_ms: f64) -> Js<Task> {
    Ok(Task::new(session::cleanup_old(whole(max_age_ms)?), number))
}

/// Gives `{ sessions, damaged }`.
#[wasm_bindgen]
pub fn find_incomplete() -> Task {
    Task::new(session::find_incomplete(), |found: Incompletes| {
        let incomplete = |found: &Incomplete| {
            let record = found.record.to_json().into();
            object([("record", record), ("status", found.status.name().into())])
        };
        let damaged = |(key, fault): &(Key, Error)| {
            object([("key", key.as_str().into()), ("error", error::to_js(fault))])
        };
        object([
            ("sessions", convert::list(&found.sessions, incomplete)),
            ("damaged", convert::list(&found.damaged, damaged)),
        ])
    })
}

fn json(record: Record) -> JsValue {
    record.to_json().into()
}
