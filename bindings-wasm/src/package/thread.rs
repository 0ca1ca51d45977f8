//! zeitlich's threads. Snapshots cross as their JSON.

use js_sys::Uint8Array;
use turnkeep_core::session::tier;
use turnkeep_core::zeitlich::{self, Snapshot};
use turnkeep_core::{Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{Js, optional};
use super::task::Task;
use super::tier::flushed;

#[wasm_bindgen]
pub fn thread_session(thread_key: &str, thread_id: &str) -> Js<String> {
    Ok(zeitlich::session_id(thread_key, thread_id)?.as_str().into())
}

/// Gives the snapshot's JSON.
#[wasm_bindgen]
pub fn read_thread(id: String) -> Js<Task> {
    Ok(Task::new(tier::read_thread(SessionId::new(id)?), |snapshot: Option<Snapshot>| {
        optional(snapshot, |snapshot| json(&snapshot))
    }))
}

#[wasm_bindgen]
pub fn write_thread(id: String, snapshot: &[u8]) -> Js<Task> {
    let snapshot = Snapshot::read(snapshot)?;
    Ok(Task::new(tier::write_thread(SessionId::new(id)?, snapshot), flushed))
}

/// The JSON of an object of zeitlich's cold store, gzipped or not.
#[wasm_bindgen]
pub fn read_snapshot(object: &[u8]) -> Js<JsValue> {
    Ok(json(&Snapshot::read(object)?))
}

/// An object of zeitlich's cold store.
#[wasm_bindgen]
pub fn write_snapshot(snapshot: &[u8], gzipped: bool) -> Js<Vec<u8>> {
    let snapshot: Result<Snapshot> = Snapshot::read(snapshot);
    Ok(snapshot?.write(gzipped))
}

fn json(snapshot: &Snapshot) -> JsValue {
    Uint8Array::from(&snapshot.write(false)[..]).into()
}
