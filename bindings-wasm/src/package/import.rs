//! From and to other systems.

use js_sys::{Array, Uint8Array};
use turnkeep_core::cache::{CacheEntry, CacheValue};
use turnkeep_core::export::Form;
use turnkeep_core::import::{self, Chain, File, Format, Skipped};
use turnkeep_core::session::{self, Import, ImportFiles, ImportedFiles, ImportedSession};
use turnkeep_core::{Error, ErrorKind, Result, SessionId};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::convert::{self, Js, id_or_none, number, object, optional};
use super::error;
use super::task::Task;

/// Positions of names that belong together.
#[wasm_bindgen]
pub fn import_groups(names: Vec<String>) -> Vec<Array> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let group = |group: Vec<usize>| group.into_iter().map(|at| number(at as u64)).collect();
    import::group(&names).into_iter().map(group).collect()
}

/// Which system wrote a file, if one did.
#[wasm_bindgen]
pub fn import_format(name: &str, bytes: &[u8]) -> Option<String> {
    import::detect(File { name, bytes }).map(|format| format.name().into())
}

/// Gives `{ sessions, cache, skipped }`.
#[wasm_bindgen]
pub fn import_files(
    names: Vec<String>,
    contents: &Array,
    from: Option<String>,
    id: Option<String>,
    only: Option<String>,
    dry_run: bool,
) -> Js<Task> {
    let bytes = contents.iter().map(|bytes| bytes.unchecked_into::<Uint8Array>().to_vec());
    let mut options = ImportFiles::new(names.into_iter().zip(bytes).collect());
    options.from = from.map(|name| format_of(&name)).transpose()?;
    options.id = id_or_none(id)?;
    options.only = id_or_none(only)?;
    options.dry_run = dry_run;
    Ok(Task::new(session::import_files(options), imported))
}

fn format_of(name: &str) -> Result<Format> {
    let unknown =
        || Error::new(ErrorKind::InvalidArgument, format!("no system is called {name:?}"));
    Format::of(name).ok_or_else(unknown)
}

fn imported(done: ImportedFiles) -> JsValue {
    object([
        ("sessions", convert::list(&done.sessions, one)),
        ("cache", convert::list(&done.cache, entry)),
        ("skipped", convert::list(&done.skipped, skipped)),
    ])
}

fn one(session: &ImportedSession) -> JsValue {
    let (outcome, head, fault) = match &session.outcome {
        Ok(Import::Imported(head)) => ("imported", Some(*head), None),
        Ok(Import::AlreadyImported(head)) => ("already_imported", Some(*head), None),
        Ok(Import::Exists(head)) => ("exists", Some(*head), None),
        Ok(_) => ("would_import", None, None),
        Err(error) => ("failed", None, Some(error)),
    };
    object([
        ("id", session.id.as_str().into()),
        ("from", session.format.name().into()),
        ("outcome", outcome.into()),
        ("files", session.files.iter().map(|at| number(*at as u64)).collect::<Array>().into()),
        ("entries", number(session.entries)),
        ("head", optional(head, convert::head)),
        ("chain", optional(session.chain.as_ref(), chain)),
        ("error", optional(fault, error::to_js)),
    ])
}

fn chain(chain: &Chain) -> JsValue {
    let fault = optional(chain.fault.as_ref(), error::to_js);
    object([("held", number(chain.held)), ("fault", fault)])
}

fn entry(entry: &CacheEntry) -> JsValue {
    let (json, bytes) = match &entry.value {
        CacheValue::Json(json) => (json.as_str().into(), JsValue::UNDEFINED),
        CacheValue::Bytes(bytes) => (JsValue::UNDEFINED, Uint8Array::from(&bytes[..]).into()),
    };
    let expires = optional(entry.expires_ms, number);
    object([
        ("key", entry.key.as_str().into()),
        ("json", json),
        ("bytes", bytes),
        ("expiresMs", expires),
    ])
}

fn skipped(skipped: &Skipped) -> JsValue {
    object([("file", number(skipped.file as u64)), ("error", error::to_js(&skipped.error))])
}

/// Gives the bytes of a session in that form.
#[wasm_bindgen]
pub fn export_session(id: String, form: &str) -> Js<Task> {
    let unknown = || Error::new(ErrorKind::InvalidArgument, format!("there is no form {form:?}"));
    let form = Form::of(form).ok_or_else(unknown)?;
    let task = session::export(SessionId::new(id)?, form);
    Ok(Task::new(task, |bytes| Uint8Array::from(&bytes[..]).into()))
}
