//! The operations on sessions: what starts them, and what they come to.

use js_sys::Array;
use turnkeep_core::session::{
    self, Appended, Archived, Form, Listed, Recent, RecentSessions, Sessions, Summary,
};
use turnkeep_core::{OpenCall, SessionId};

use turnkeep_core::store::{Key, Part};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{
    self, Js, drafts, durability, expected, id_or_none, number, object, optional, whole_or_none,
};
use super::error;
use super::task::Task;

/// An open session: plain data, with which entries can be appended.
#[wasm_bindgen]
pub struct Session(pub(crate) session::Session);

/// A session and what is known of it, and the keys of its log and its trace.
pub(crate) fn opened(session: session::Session) -> JsValue {
    let id = session.id();
    object([
        ("id", id.as_str().into()),
        ("key", Key::of(id, Part::Log).as_str().into()),
        ("traceKey", Key::of(id, Part::Trace).as_str().into()),
        ("head", optional(session.head(), convert::head)),
        ("torn", optional(session.torn, convert::torn)),
        ("form", form(session.form).into()),
        ("handle", Session(session).into()),
    ])
}

pub(crate) fn form(form: Form) -> &'static str {
    form.name()
}

/// What is not given stays as the core has it.
#[wasm_bindgen]
pub fn create(
    id: Option<String>,
    lines: Option<Vec<u8>>,
    is_salted: Option<bool>,
    durability_name: Option<String>,
) -> Js<Task> {
    let mut options = session::Create::default();
    options.id = id_or_none(id)?;
    options.entries = drafts(lines)?;
    options.is_salted = is_salted.unwrap_or(options.is_salted);
    options.durability = durability(durability_name)?.unwrap_or(options.durability);
    Ok(Task::new(session::create(options), opened))
}

#[wasm_bindgen]
pub fn open(id: String) -> Js<Task> {
    Ok(Task::new(session::open(SessionId::new(id)?), opened))
}

/// Gives what [`appended`] does.
#[wasm_bindgen]
pub fn append(
    session: &Session,
    lines: Option<Vec<u8>>,
    durability_name: Option<String>,
    expected_seq: Option<f64>,
    expected_hash: Option<String>,
    once: Option<bool>,
) -> Js<Task> {
    let mut append = session::Append::new(drafts(lines)?);
    append.durability = durability(durability_name)?.unwrap_or_default();
    append.expected = expected(expected_seq, expected_hash)?;
    append.once = once.unwrap_or_default();
    Ok(Task::new(session::append(session.0.clone(), append), appended))
}

/// What an append did, with the session's new `handle`, its form and what is torn now: what else is
/// known of the session stays.
pub(crate) fn appended(appended: Appended) -> JsValue {
    object([
        ("head", optional(appended.session.head(), convert::head)),
        ("firstSeq", number(appended.first_seq)),
        ("alreadyApplied", appended.already_applied.into()),
        ("recovered", optional(appended.recovered, convert::torn)),
        ("torn", optional(appended.session.torn, convert::torn)),
        ("form", form(appended.session.form).into()),
        ("recordFault", optional(appended.record_fault, |fault| error::to_js(&fault))),
        ("handle", Session(appended.session).into()),
    ])
}

#[wasm_bindgen]
pub fn sync(session: &Session) -> Task {
    Task::new(session::sync(&session.0), nothing)
}

#[wasm_bindgen]
pub fn trace(session: &Session, event: String) -> Task {
    Task::new(session::trace(&session.0, event), nothing)
}

pub(crate) fn nothing((): ()) -> JsValue {
    JsValue::UNDEFINED
}

#[wasm_bindgen]
pub fn verify(id: String, seq: Option<f64>, hash: Option<String>, deep: bool) -> Js<Task> {
    let expected = expected(seq, hash)?;
    let task = session::verify(SessionId::new(id)?, expected, deep);
    Ok(Task::new(task, convert::report))
}

/// Gives `{ json, since, openCalls }`: the calls that are open in the log, if they are wanted, also
/// where the state has them closed.
#[wasm_bindgen]
pub fn state(
    id: String,
    since_compaction: bool,
    closes_calls: bool,
    wants_calls: bool,
) -> Js<Task> {
    let mut view = session::View::default();
    view.since_compaction = since_compaction;
    Ok(Task::new(session::state(SessionId::new(id)?, view), move |state| {
        let calls = wants_calls.then(|| state.open_calls());
        let state = if closes_calls { state.with_calls_closed() } else { state };
        object([
            ("since", number(state.since)),
            ("openCalls", optional(calls, |calls| convert::list(&calls, open_call))),
            ("json", state.to_json().into()),
        ])
    }))
}

fn open_call(call: &OpenCall) -> JsValue {
    object([
        ("index", number(call.index)),
        ("seq", number(call.seq)),
        ("callId", call.call_id.as_str().into()),
        ("name", call.name.as_str().into()),
    ])
}

#[wasm_bindgen]
pub fn summary(id: String) -> Js<Task> {
    let task = session::summary(SessionId::new(id)?);
    Ok(Task::new(task, |summary: Summary| {
        let kind = |(kind, count): &(String, u64)| Array::of2(&kind.into(), &number(*count)).into();
        let time = |ts: u64| number(ts);
        object([
            ("id", summary.id.as_str().into()),
            ("form", form(summary.form).into()),
            ("head", convert::head(summary.head)),
            ("torn", optional(summary.torn, convert::torn)),
            ("storedBytes", number(summary.stored_bytes)),
            ("from", optional(summary.times.map(|times| times.0), time)),
            ("to", optional(summary.times.map(|times| times.1), time)),
            ("kinds", convert::list(&summary.kinds, kind)),
            ("withheld", number(summary.withheld)),
        ])
    }))
}

#[wasm_bindgen]
pub fn archive(id: String) -> Js<Task> {
    Ok(Task::new(session::archive(SessionId::new(id)?), archived))
}

#[wasm_bindgen]
pub fn restore(id: String) -> Js<Task> {
    Ok(Task::new(session::restore(SessionId::new(id)?), archived))
}

fn archived(archived: Archived) -> JsValue {
    object([
        ("head", convert::head(archived.head)),
        ("rawBytes", number(archived.raw_bytes)),
        ("archiveBytes", number(archived.archive_bytes)),
        ("torn", optional(archived.torn, convert::torn)),
    ])
}

/// Gives `{ sessions, next }`, where `next` is a key.
#[wasm_bindgen]
pub fn list(prefix: String, after: Option<String>, limit: u32) -> Js<Task> {
    let after = after.map(Key::parse).transpose()?;
    Ok(Task::new(session::list(prefix, after, limit), |listed: Sessions| {
        object([
            ("sessions", convert::list(&listed.sessions, |listed| object(members(listed)))),
            ("next", optional(listed.next, |key| key.as_str().into())),
        ])
    }))
}

fn members(listed: &Listed) -> [(&'static str, JsValue); 4] {
    [
        ("id", listed.id.as_str().into()),
        ("form", form(listed.form).into()),
        ("storedBytes", number(listed.stored_bytes)),
        ("modifiedMs", optional(listed.modified_ms, number)),
    ]
}

/// Gives `{ sessions, next }`, where `next` is `{ modifiedMs, id }`.
#[wasm_bindgen]
pub fn recent(
    after_ms: Option<f64>,
    after_id: Option<String>,
    limit: u32,
    tag: Option<String>,
) -> Js<Task> {
    let after = whole_or_none(after_ms)?.zip(id_or_none(after_id)?);
    Ok(Task::new(session::recent(after, limit, tag), |recent: RecentSessions| {
        let next = |(ms, id): (u64, SessionId)| {
            object([("modifiedMs", number(ms)), ("id", id.as_str().into())])
        };
        object([
            ("sessions", convert::list(&recent.sessions, recent_session)),
            ("next", optional(recent.next, next)),
        ])
    }))
}

fn recent_session(recent: &Recent) -> JsValue {
    let [id, form, stored_bytes, modified_ms] = members(&recent.listed);
    let title = optional(recent.title.as_deref(), JsValue::from_str);
    let kind = optional(recent.kind.as_deref(), JsValue::from_str);
    let tags = convert::list(&recent.tags, |tag| tag.as_str().into());
    let (title, kind, tags) = (("title", title), ("kind", kind), ("tags", tags));
    object([id, form, stored_bytes, modified_ms, title, kind, tags])
}
