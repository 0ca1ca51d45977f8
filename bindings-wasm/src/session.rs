//! The operations on sessions: what starts them, and what they come to.

use js_sys::{Array, Uint8Array};
use turnkeep_core::SessionId;
use turnkeep_core::session::{self, Archived, Form, From, Listed, Page, Sessions, Summary};
use turnkeep_core::store::{Key, Part};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{self, Js, drafts, durability, expected, number, object, optional, whole};
use crate::task::Task;

/// An open session: plain data, with which entries can be appended.
#[wasm_bindgen]
pub struct Session(session::Session);

/// A session and what is known of it; `key` is that of its log.
fn opened(session: session::Session) -> JsValue {
    let id = session.id();
    object([
        ("id", id.as_str().into()),
        ("key", Key::of(id, Part::Log).as_str().into()),
        ("head", optional(session.head(), convert::head)),
        ("torn", optional(session.torn, convert::torn)),
        ("form", form(session.form).into()),
        ("handle", Session(session).into()),
    ])
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Live => "live",
        Form::Archived => "archived",
    }
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
    options.id = id.map(SessionId::new).transpose()?;
    options.entries = drafts(lines)?;
    options.is_salted = is_salted.unwrap_or(options.is_salted);
    options.durability = durability(durability_name)?.unwrap_or(options.durability);
    Ok(Task::new(session::create(options), opened))
}

#[wasm_bindgen]
pub fn open(id: String) -> Js<Task> {
    Ok(Task::new(session::open(SessionId::new(id)?), opened))
}

/// Gives `{ handle, head, firstSeq }`: what else is known of the session stays.
#[wasm_bindgen]
pub fn append(
    session: &Session,
    lines: Option<Vec<u8>>,
    durability_name: Option<String>,
) -> Js<Task> {
    let durability = durability(durability_name)?.unwrap_or_default();
    let append = session::Append::new(drafts(lines)?).with_durability(durability);
    let task = session::append(session.0.clone(), append);
    Ok(Task::new(task, |appended| {
        let head = optional(appended.session.head(), convert::head);
        let handle = Session(appended.session).into();
        object([("handle", handle), ("head", head), ("firstSeq", number(appended.first_seq))])
    }))
}

/// Which entries to read.
#[wasm_bindgen]
pub struct Range(session::Range);

/// Where a page ended.
#[wasm_bindgen]
pub struct Cursor(session::Cursor);

#[wasm_bindgen]
impl Range {
    /// All entries.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self(session::Range::all())
    }

    pub fn set_from(&mut self, seq: f64) -> Js<()> {
        self.0.from = From::Seq(whole(seq)?);
        Ok(())
    }

    pub fn set_last(&mut self, count: f64) -> Js<()> {
        self.0.from = From::Last(whole(count)?);
        Ok(())
    }

    pub fn set_after(&mut self, cursor: &Cursor) {
        self.0.from = From::Cursor(cursor.0.clone());
    }

    pub fn set_to(&mut self, seq: f64) -> Js<()> {
        self.0.to = Some(whole(seq)?);
        Ok(())
    }

    pub fn set_page_bytes(&mut self, bytes: f64) -> Js<()> {
        self.0.page_bytes = whole(bytes)?;
        Ok(())
    }
}

/// Gives `{ lines, firstSeq, entries, head, next }`, where `next` is a cursor.
#[wasm_bindgen]
pub fn read(id: String, range: &Range) -> Js<Task> {
    let task = session::read(SessionId::new(id)?, range.0.clone());
    Ok(Task::new(task, |page: Page| {
        object([
            ("lines", Uint8Array::from(page.lines.as_slice()).into()),
            ("firstSeq", number(page.first_seq)),
            ("entries", number(page.entries)),
            ("head", convert::head(page.head)),
            ("next", optional(page.next, |cursor| Cursor(cursor).into())),
        ])
    }))
}

#[wasm_bindgen]
pub fn verify(id: String, seq: Option<f64>, hash: Option<String>, deep: bool) -> Js<Task> {
    let expected = expected(seq, hash)?;
    let task = session::verify(SessionId::new(id)?, expected, deep);
    Ok(Task::new(task, convert::report))
}

/// Gives the state as JSON text.
#[wasm_bindgen]
pub fn state(id: String) -> Js<Task> {
    Ok(Task::new(session::state(SessionId::new(id)?, session::View::default()), |state| {
        state.to_json().into()
    }))
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
            ("kinds", summary.kinds.iter().map(kind).collect::<Vec<JsValue>>().into()),
            ("withheld", number(summary.withheld)),
        ])
    }))
}

#[wasm_bindgen]
pub fn archive(id: String) -> Js<Task> {
    Ok(Task::new(session::archive(SessionId::new(id)?), archived))
}

#[wasm_bindgen]
pub fn unarchive(id: String) -> Js<Task> {
    Ok(Task::new(session::unarchive(SessionId::new(id)?), archived))
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
        let sessions = listed.sessions.iter().map(listed_session).collect::<Vec<_>>();
        object([
            ("sessions", sessions.into()),
            ("next", optional(listed.next, |key| key.as_str().into())),
        ])
    }))
}

fn listed_session(listed: &Listed) -> JsValue {
    object([
        ("id", listed.id.as_str().into()),
        ("form", form(listed.form).into()),
        ("storedBytes", number(listed.stored_bytes)),
        ("modifiedMs", optional(listed.modified_ms, number)),
    ])
}
