//! What is around a session: its lineage, its title, kind and tags.

use turnkeep_core::SessionId;
use turnkeep_core::session::{self, About, Ancestor, Lineage};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, object, optional};
use super::session::nothing;
use super::task::Task;

#[wasm_bindgen]
pub fn ancestors(id: String) -> Js<Task> {
    let task = session::ancestors(SessionId::new(id)?);
    Ok(Task::new(task, |line: Vec<Ancestor>| convert::list(&line, ancestor)))
}

/// Gives `{ ancestors, descendants }`, where the latter are `{ id, origin }`.
#[wasm_bindgen]
pub fn lineage(id: String) -> Js<Task> {
    Ok(Task::new(session::lineage(SessionId::new(id)?), |lineage: Lineage| {
        let descendant = |(id, origin): &(SessionId, Ancestor)| {
            object([("id", id.as_str().into()), ("origin", ancestor(origin))])
        };
        object([
            ("ancestors", convert::list(&lineage.ancestors, ancestor)),
            ("descendants", convert::list(&lineage.descendants, descendant)),
        ])
    }))
}

fn ancestor(ancestor: &Ancestor) -> JsValue {
    let point = &ancestor.point;
    object([
        ("point", convert::point(&point.session, point.seq, point.hash)),
        ("isCompacted", ancestor.is_compacted.into()),
    ])
}

#[wasm_bindgen]
pub fn about(id: String) -> Js<Task> {
    Ok(Task::new(session::about(SessionId::new(id)?), |about: About| {
        object([
            ("title", optional(about.title.as_deref(), JsValue::from_str)),
            ("kind", optional(about.kind.as_deref(), JsValue::from_str)),
            ("tags", convert::list(&about.tags, |tag| tag.as_str().into())),
        ])
    }))
}

#[wasm_bindgen]
pub fn set_about(
    id: String,
    title: Option<String>,
    kind: Option<String>,
    tags: Vec<String>,
) -> Js<Task> {
    let mut about = About::new(title, tags);
    about.kind = kind;
    Ok(Task::new(session::set_about(SessionId::new(id)?, about), nothing))
}
