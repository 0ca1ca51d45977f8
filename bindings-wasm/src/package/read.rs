//! Reading a session's entries.

use js_sys::{Float64Array, Uint8Array};
use turnkeep_core::session::{self, From, Page};
use turnkeep_core::{Error, ErrorKind, Kind, Result, SessionId};
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, number, object, optional, whole};
use super::task::Task;

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

    pub fn set_turn(&mut self, turn: f64) -> Js<()> {
        self.0.from = From::Turn(whole(turn)?);
        Ok(())
    }

    pub fn set_kinds(&mut self, names: Vec<String>) -> Js<()> {
        self.0.kinds = names.iter().map(|name| kind(name)).collect::<Result<_>>()?;
        Ok(())
    }

    pub fn set_newest_first(&mut self) {
        self.0.newest_first = true;
    }

    pub fn set_limit(&mut self, entries: f64) -> Js<()> {
        self.0.limit = Some(whole(entries)?);
        Ok(())
    }

    pub fn set_page_bytes(&mut self, bytes: f64) -> Js<()> {
        self.0.page_bytes = whole(bytes)?;
        Ok(())
    }
}

/// A kind that this version knows; the others have no name of their own in it.
fn kind(name: &str) -> Result<Kind> {
    let wrong = || Error::new(ErrorKind::InvalidArgument, "not a kind that this version knows");
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(wrong)
}

/// Gives `{ lines, seqs, firstSeq, head, next }`, where `next` is a cursor.
#[wasm_bindgen]
pub fn read(id: String, range: &Range) -> Js<Task> {
    let task = session::read(SessionId::new(id)?, range.0.clone());
    Ok(Task::new(task, |page: Page| {
        let seqs: Vec<f64> = page.seqs.iter().map(|seq| *seq as f64).collect();
        object([
            ("lines", Uint8Array::from(page.lines.as_slice()).into()),
            ("seqs", Float64Array::from(seqs.as_slice()).into()),
            ("firstSeq", number(page.first_seq)),
            ("head", convert::head(page.head)),
            ("next", optional(page.next, |cursor| Cursor(cursor).into())),
        ])
    }))
}
