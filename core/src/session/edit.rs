//! Changing what a model would be sent. The log keeps everything.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::append::{Append, Appended, apply_to};
use super::create::create_session;
use super::fork::point;
use super::state::{folded, recent};
use super::{Create, Session, Task};
use crate::json::{elements, push_text};
use crate::log::{Draft, Head};
use crate::state::{Item, State};
use crate::store::Durability;
use crate::{Error, ErrorKind, Result, SessionId};

/// An item of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The first one that came with that entry.
    Seq(u64),
    /// The last one with that caller's id.
    Id(String),
    /// Counted from 0.
    Index(u64),
}

/// Drops an item and everything after it from the history. `not_found` where it has no such item.
#[must_use]
pub fn truncate_from(session: Session, place: Place, durability: Durability) -> Task<Appended> {
    Task::new(async move |io| {
        let id = session.id().clone();
        let truncated = async {
            let state = folded(&io, &id).await?;
            still(&session, &state)?;
            let keep = position(&state.history, &place).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "there is no such item in the history")
            })?;
            let draft = Draft::new("truncated").with_count("keep", keep as u64);
            let append = Append::from([draft]).with_durability(durability);
            apply_to(&io, session, &append, Some(&state)).await
        };
        truncated.await.map_err(|error: Error| error.in_session(&id))
    })
}

fn position(history: &[Item], place: &Place) -> Option<usize> {
    match place {
        Place::Seq(seq) => history.iter().position(|item| item.seq == *seq),
        Place::Id(id) => history.iter().rposition(|item| item.id.as_ref() == Some(id)),
        Place::Index(index) => usize::try_from(*index).ok().filter(|at| *at < history.len()),
    }
}

/// Puts other items (JSON texts) in the place of the whole history.
#[must_use]
pub fn replace_history(
    session: Session,
    items: &[String],
    durability: Durability,
) -> Task<Appended> {
    let history = array(items);
    Task::new(async move |io| {
        let id = session.id().clone();
        let replaced = async {
            let draft = Draft::new("replaced").with("history", &history?);
            let append = Append::from([draft]).with_durability(durability);
            apply_to(&io, session, &append, None).await
        };
        replaced.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// What the history becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compact {
    /// Items (JSON texts) that stand for what goes.
    pub summary: Vec<String>,
    /// How many of the last items stay.
    pub keep_last: u64,
    /// What it survives.
    pub durability: Durability,
}

impl Compact {
    /// A summary, and the last items, that many.
    #[must_use]
    pub fn new(summary: Vec<String>, keep_last: u64) -> Self {
        Self { summary, keep_last, ..Self::default() }
    }
}

/// Makes of the history a summary and its last items, in the same session. The entry says again
/// what else holds, so that the state can be had from here on without what came before.
/// `invalid_argument` where the history has fewer items than are to stay.
#[must_use]
pub fn compact(session: Session, compact: Compact) -> Task<Appended> {
    Task::new(async move |io| {
        let id = session.id().clone();
        let compacted = async {
            let state = recent(&io, &id).await?;
            still(&session, &state)?;
            check_keep(&state, compact.keep_last)?;
            let mut draft = Draft::new("compaction")
                .with("summary", &array(&compact.summary)?)
                .with_count("keep_last", compact.keep_last);
            if let Some(prompt) = &state.system_prompt {
                draft = draft.with_text("system_prompt", prompt);
            }
            if let Some(run) = &state.run {
                draft = draft.with_text("run", run);
            }
            let append = Append::from([restated(draft, &state)]);
            let append = append.with_durability(compact.durability);
            apply_to(&io, session, &append, Some(&state)).await
        };
        compacted.await.map_err(|error: Error| error.in_session(&id))
    })
}

/// Creates a new session whose history is a summary of another's and its last items, and which says
/// where it comes from. The other is not touched.
#[must_use]
pub fn create_compacted(source: SessionId, compact: Compact, options: Create) -> Task<Session> {
    Task::new(async move |io| {
        let created = async {
            let state = recent(&io, &source).await?;
            check_keep(&state, compact.keep_last)?;
            let head = state.head.ok_or_else(|| Error::new(ErrorKind::EmptyLog, "no entry"))?;
            create_session(&io, options.with_start(start(&source, &state, head, compact)?)).await
        };
        created.await.map_err(|error: Error| error.in_session(&source))
    })
}

fn start(source: &SessionId, state: &State, head: Head, compact: Compact) -> Result<Draft> {
    let first = state.history.len().saturating_sub(compact.keep_last as usize);
    let kept = state.history.iter().skip(first).map(|item| item.item.clone());
    let items: Vec<String> = compact.summary.into_iter().chain(kept).collect();
    let mut draft = Draft::new("session_start").with("history", &array(&items)?);
    if let Some(prompt) = &state.system_prompt {
        draft = draft.with_text("system_prompt", prompt);
    }
    let draft = restated(draft, state);
    Ok(draft.with("compacted_from", &point(source, head).to_json()))
}

/// What holds beside the history.
fn restated(draft: Draft, state: &State) -> Draft {
    let mut draft = draft.with_count("turns", state.turns);
    for (name, json) in [("config", &state.config), ("state", &state.slice)] {
        if let Some(json) = json {
            draft = draft.with(name, json);
        }
    }
    draft
}

fn check_keep(state: &State, keep: u64) -> Result<()> {
    if keep <= state.history.len() as u64 {
        return Ok(());
    }
    let message = format!("the history has {} items, not {keep}", state.history.len());
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// What is decided from the state must be appended right after it.
fn still(session: &Session, state: &State) -> Result<()> {
    match (session.head(), state.head) {
        (Some(known), Some(actual)) if known != actual => {
            let message = "someone else wrote to the session";
            Err(Error::new(ErrorKind::Conflict, message).with_actual(actual))
        }
        _ => Ok(()),
    }
}

/// Items as an array, each of which must be one JSON value.
fn array(items: &[String]) -> Result<String> {
    let array = format!("[{}]", items.join(","));
    let found = elements(&array).unwrap_or_default();
    // Joined, `1,2` would be two of them.
    let is_each = found.iter().zip(items).all(|(found, item)| *found == item.trim());
    if found.len() == items.len() && is_each {
        return Ok(array);
    }
    Err(Error::new(ErrorKind::BadJson, "an item is not one JSON value"))
}

/// Text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut json = String::new();
    push_text(&mut json, text);
    json
}
