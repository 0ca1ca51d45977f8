//! What changes a session beyond appending: forks, and edits of the history.

use turnkeep_core::session::{self, At, Compact, Place};
use turnkeep_core::{Error, ErrorKind, Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, drafts, durability, id_or_none, object, optional, whole};
use super::session::{Session, appended, opened};
use super::task::Task;

/// At the head, where no point is given.
#[wasm_bindgen]
pub fn fork(
    parent: String,
    seq: Option<f64>,
    hash: Option<String>,
    turn: Option<f64>,
    id: Option<String>,
    lines: Option<Vec<u8>>,
) -> Js<Task> {
    let mut fork = session::Fork::at(match (seq, hash, turn) {
        (None, None, None) => At::Head,
        (Some(seq), None, None) => At::Seq(whole(seq)?),
        (None, Some(hash), None) => At::Hash(hash.parse()?),
        (None, None, Some(turn)) => At::Turn(whole(turn)?),
        _ => {
            let message = "a fork is at one of seq, hash and turn";
            return Err(Error::new(ErrorKind::InvalidArgument, message).into());
        }
    });
    fork.id = id_or_none(id)?;
    fork.entries = drafts(lines)?;
    Ok(Task::new(session::fork(SessionId::new(parent)?, fork), opened))
}

/// Gives `{ opened, forkedFrom }`.
#[wasm_bindgen]
pub fn ensure_head(session: &Session, id: Option<String>) -> Js<Task> {
    let (parent, head) = (session.0.id().clone(), session.0.head());
    let task = session::ensure_head(session.0.clone(), id_or_none(id)?);
    Ok(Task::new(task, move |session| {
        let left = head.filter(|_| *session.id() != parent);
        let forked_from = optional(left, |head| convert::point(&parent, head.seq, head.hash));
        object([("forkedFrom", forked_from), ("opened", opened(session))])
    }))
}

#[wasm_bindgen]
pub fn truncate_from(
    session: &Session,
    seq: Option<f64>,
    id: Option<String>,
    index: Option<f64>,
    durability_name: Option<String>,
) -> Js<Task> {
    let place = match (seq, id, index) {
        (Some(seq), _, _) => Place::Seq(whole(seq)?),
        (_, Some(id), _) => Place::Id(id),
        (_, _, index) => Place::Index(whole(index.unwrap_or(f64::NAN))?),
    };
    let durability = durability(durability_name)?.unwrap_or_default();
    Ok(Task::new(session::truncate_from(session.0.clone(), place, durability), appended))
}

#[wasm_bindgen]
pub fn replace_history(
    session: &Session,
    items: Option<Vec<u8>>,
    durability_name: Option<String>,
) -> Js<Task> {
    let durability = durability(durability_name)?.unwrap_or_default();
    let task = session::replace_history(session.0.clone(), &drafts(items)?, durability);
    Ok(Task::new(task, appended))
}

#[wasm_bindgen]
pub fn compact(
    session: &Session,
    summary: Option<Vec<u8>>,
    keep_last: f64,
    durability_name: Option<String>,
) -> Js<Task> {
    let compact = compacting(summary, keep_last, durability_name)?;
    Ok(Task::new(session::compact(session.0.clone(), compact), appended))
}

#[wasm_bindgen]
pub fn create_compacted(
    source: String,
    summary: Option<Vec<u8>>,
    keep_last: f64,
    id: Option<String>,
    lines: Option<Vec<u8>>,
    is_salted: Option<bool>,
    durability_name: Option<String>,
) -> Js<Task> {
    let compact = compacting(summary, keep_last, durability_name)?;
    let mut options = session::Create::default();
    options.id = id_or_none(id)?;
    options.entries = drafts(lines)?;
    options.is_salted = is_salted.unwrap_or(options.is_salted);
    options.durability = compact.durability;
    let task = session::create_compacted(SessionId::new(source)?, compact, options);
    Ok(Task::new(task, opened))
}

fn compacting(
    items: Option<Vec<u8>>,
    keep: f64,
    durability_name: Option<String>,
) -> Result<Compact> {
    let mut compact = Compact::new(drafts(items)?, whole(keep)?);
    compact.durability = durability(durability_name)?.unwrap_or_default();
    Ok(compact)
}

#[wasm_bindgen]
pub fn delete_session(id: String) -> Js<Task> {
    Ok(Task::new(session::delete(SessionId::new(id)?), super::session::nothing))
}

#[wasm_bindgen]
pub fn repair(id: String, into: Option<String>, is_dry_run: bool) -> Js<Task> {
    let task = session::repair(SessionId::new(id)?, id_or_none(into)?, is_dry_run);
    Ok(Task::new(task, |repair: session::Repair| {
        object([
            ("sound", optional(repair.sound, convert::head)),
            ("fault", optional(repair.fault, |fault| super::error::to_js(&fault))),
            ("saved", convert::number(repair.saved)),
            ("leftOut", convert::list(&repair.left_out, left_out)),
            ("opened", optional(repair.session, opened)),
        ])
    }))
}

fn left_out(left: &session::LeftOut) -> JsValue {
    object([
        ("line", convert::number(left.line)),
        ("offset", convert::number(left.offset)),
        ("bytes", convert::number(left.bytes)),
        ("code", left.code.into()),
    ])
}
