//! Folding, and what bounds it.

use alloc::collections::VecDeque;
use alloc::string::ToString;

use super::{Item, State};
use crate::entry::Entry;
use crate::field;
use crate::json::Members;
use crate::kind::Kind;
use crate::log::Verifier;
use crate::{Error, ErrorKind, Hash, Result};

/// Verifies a log and folds it, from bytes in any chunking that end at its head.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    verifier: Verifier,
    fold: Fold,
}

#[derive(Debug, Default)]
struct Fold {
    /// All but its history.
    state: State,
    items: Items,
    history: History,
    members: Members,
}

impl Folder {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let Fold { state, items, history, members } = &mut self.fold;
        self.verifier.push_each(chunk, |verified| {
            let entry = verified.entry(core::mem::take(members))?;
            history.apply(&entry).map_err(|e| verified.place(e))?;
            items.apply(&entry, verified.seq);
            state.apply(&entry, verified.seq);
            *members = entry.into_members();
            Ok(())
        });
    }

    pub(crate) fn finish(self) -> Result<State> {
        let report = self.verifier.finish();
        report.sound()?;
        Ok(State { session: report.session, head: report.head, ..self.fold.finish() })
    }

    /// A folder of a log's last lines, of which the first is entry `seq` and follows that hash.
    pub(crate) fn from_middle(seq: u64, prev: Option<Hash>) -> Self {
        let history = History { unknown: Some(Unknown::default()), ..History::default() };
        let fold = Fold { history, ..Fold::default() };
        Self { verifier: Verifier::resume(prev, seq, 0), fold }
    }

    /// The state, if it depends on nothing before the first line.
    pub(crate) fn finish_if_known(self) -> Result<Option<State>> {
        self.verifier.into_fault().map_or(Ok(()), Err)?;
        let is_known = self.fold.history.unknown.is_none();
        Ok(is_known.then(|| self.fold.finish()))
    }
}

impl Fold {
    fn finish(self) -> State {
        State { history: self.items.0.into(), ..self.state }
    }
}

/// The history's items. A compaction goes before those that it keeps: they are not moved for it, or
/// a log of many would take quadratic time.
#[derive(Debug, Default)]
struct Items(VecDeque<Item>);

impl Items {
    fn apply(&mut self, entry: &Entry<'_>, seq: u64) {
        let text = |name: &str| entry.text(name).map(|text| text.into_owned());
        match entry.kind() {
            Kind::SessionStart => self.0 = items(entry, "history", "initial", seq).collect(),
            Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {
                self.0.push_back(Item {
                    kind: entry.kind().name(),
                    seq,
                    id: text("id"),
                    parent: text("parent"),
                    item: entry.field("item").unwrap_or_default().to_string(),
                });
            }
            Kind::Truncated => self.0.truncate(size(entry.count("keep"))),
            Kind::Replaced => self.0 = items(entry, "history", "replaced", seq).collect(),
            Kind::Compaction => {
                let kept = size(entry.count("keep_last"));
                self.0.drain(..self.0.len().saturating_sub(kept));
                items(entry, "summary", "summary", seq)
                    .rev()
                    .for_each(|item| self.0.push_front(item));
            }
            _ => {}
        }
    }
}

fn items(
    entry: &Entry<'_>,
    name: &str,
    kind: &'static str,
    seq: u64,
) -> impl DoubleEndedIterator<Item = Item> {
    let items = entry.present(name).and_then(field::items).unwrap_or_default();
    items.into_iter().map(move |item| Item { kind, seq, id: None, parent: None, item: item.into() })
}

fn size(count: Option<u64>) -> usize {
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
}

/// How long the history is: what entries may keep of it is bounded by that.
#[derive(Debug, Default)]
pub(crate) struct History {
    length: u64,
    /// Entries were withheld, and items with them: then there may be fewer than were counted.
    is_partial: bool,
    /// There are items before the `length` ones that are known. Gone as soon as they do not matter.
    unknown: Option<Unknown>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Unknown {
    /// Something was kept of which nothing is known.
    is_kept: bool,
}

impl History {
    /// The history of that state.
    pub(crate) fn of(state: &State) -> Self {
        let length = state.history.len() as u64;
        Self { length, is_partial: state.withheld > 0, unknown: None }
    }

    /// After an unknown start, entries tell what they leave of it.
    fn forget(&mut self, entry: &Entry<'_>) {
        let Some(unknown) = &mut self.unknown else { return };
        let keeps_known = entry.count("keep_last").is_some_and(|keep| keep <= self.length);
        match entry.kind() {
            Kind::SessionStart => self.unknown = None,
            Kind::Truncated => unknown.is_kept = true,
            Kind::Replaced => unknown.is_kept = false,
            Kind::Compaction => {
                let is_kept =
                    !keeps_known || (unknown.is_kept && entry.count("keep_last") > Some(0));
                // Only one that says again what held can be started from.
                if is_kept {
                    unknown.is_kept = true;
                } else if entry.present("turns").is_some() {
                    self.unknown = None;
                } else {
                    unknown.is_kept = false;
                }
            }
            _ => {}
        }
    }

    pub(crate) fn apply(&mut self, entry: &Entry<'_>) -> Result<()> {
        self.is_partial |= entry.kind() == Kind::Redacted || self.unknown.is_some();
        self.forget(entry);
        let items = |name: &str| {
            let items = entry.present(name).and_then(field::items);
            items.map_or(0, |items| items.len() as u64)
        };
        let kept = |name: &str| {
            let message = "it keeps more items than the history has";
            let kept = entry.count(name).filter(|kept| self.is_partial || *kept <= self.length);
            kept.map(|kept| kept.min(self.length))
                .ok_or_else(|| Error::new(ErrorKind::BadEntry, message))
        };
        self.length = match entry.kind() {
            Kind::SessionStart | Kind::Replaced => items("history"),
            Kind::UserInput | Kind::AssistantItem | Kind::ToolResult | Kind::SystemItem => {
                self.length + 1
            }
            Kind::Truncated => kept("keep")?,
            Kind::Compaction => items("summary") + kept("keep_last")?,
            _ => self.length,
        };
        Ok(())
    }
}
