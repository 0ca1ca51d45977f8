//! Copying sessions from one store to another: what `push`, `pull` and `copy` do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use turnkeep::core::session::tier::{self, Layout};
use turnkeep::core::session::{self, Range};
use turnkeep::core::store::Part;
use turnkeep::{Error, ErrorKind, Head, Key, SessionId, Store, drive};

use super::each::each;
use crate::exit::Exit;
use crate::json::{Object, head_object};
use crate::location::{Location, Opened, sessions};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::signal::on_end;
use crate::visible::visible;
use crate::{Failure, Outcome};

/// After so many sessions in a row that a store gave no answer for, the others are left.
const UNANSWERED_MAX: u32 = 3;

/// What is copied, and what is told of it.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only these sessions
    #[arg(value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Only tell what would be copied
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Also tell of sessions with nothing new
    #[arg(short, long)]
    verbose: bool,
}

/// What was done, in words.
pub(super) struct Words {
    pub(super) to_do: &'static str,
    pub(super) doing: &'static str,
    pub(super) done: &'static str,
}

#[derive(Debug, Default)]
struct Tally {
    copied: u64,
    unchanged: u64,
    failed: u64,
    /// Those it did not come to before it ended.
    left: u64,
    entries: u64,
}

/// What became of a session.
struct Told {
    /// Where it stands now.
    head: Head,
    /// Of a dry run: where it stands in the target.
    target: Option<Head>,
    entries: u64,
}

/// Copies what is new. What fails is told, and the others go on.
pub(super) fn run(
    (from, to): (&Location, &Location),
    which: &Which,
    words: &Words,
    context: &mut Context,
) -> Outcome<Exit> {
    if from.is(to) {
        return Err(Failure::usage(format!("source and target are both {from}")));
    }
    let source = from.open(false)?;
    let is_missing = matches!(to, Location::Folder(root) if !root.is_dir());
    let target = match which.dry_run && is_missing {
        true => None,
        false => Some(to.open(true)?),
    };
    let ids = match which.ids.is_empty() {
        false => which.ids.clone(),
        true => sessions(&*source.reading())?.into_iter().map(|listed| listed.id).collect(),
    };
    let is_ending = Arc::new(AtomicBool::new(false));
    let end = is_ending.clone();
    on_end(move || end.store(true, Ordering::Relaxed))?;
    let (meter, silent) = (Meter::new(context, words.doing, None), Meter::silent());
    if let Some(target) = target.as_ref().filter(|_| !which.dry_run && !ids.is_empty()) {
        try_out(target, to)?;
    }
    let (mut tally, count, mut number) = (Tally::default(), ids.len(), 0);
    let mut in_a_row = 0;
    let exit = each(&ids, context, |id, context| {
        if is_ending.load(Ordering::Relaxed) {
            tally.left += 1;
            return Ok(());
        }
        number += 1;
        meter.name(&format!("{} {number} of {count}", words.doing));
        meter.add(0);
        let told = match (&target, which.dry_run) {
            (Some(target), false) => {
                let store = Metered::new(&*source.store, &meter)
                    .before(Metered::new(&*target.store, &silent));
                let copied = copy(id, &store, target);
                copied.map(|copied| Told {
                    head: copied.head,
                    target: None,
                    entries: copied.entries,
                })
            }
            (target, _) => compare(id, &source, target.as_ref()),
        };
        meter.clear();
        in_a_row = if told.as_ref().is_err_and(is_unanswered) { in_a_row + 1 } else { 0 };
        if in_a_row == UNANSWERED_MAX {
            context.note("a store did not answer again and again: nothing more is tried");
            is_ending.store(true, Ordering::Relaxed);
        }
        let told = told.map_err(explained).inspect_err(|_| tally.failed += 1)?;
        let is_new = told.entries > 0;
        *if is_new { &mut tally.copied } else { &mut tally.unchanged } += 1;
        tally.entries += told.entries;
        tell(id, &told, which, words, context)?;
        context.out.flush()
    })?;
    meter.clear();
    sum_up(&tally, which.dry_run, words, context)?;
    Ok(if tally.left > 0 { Exit::Partial } else { exit })
}

fn is_unanswered(error: &Error) -> bool {
    error.kind() == ErrorKind::StoreFailed && error.is_retryable()
}

/// A bucket where two writers may both win would lose sessions.
fn try_out(target: &Opened, location: &Location) -> Outcome<()> {
    if target.layout == Layout::Objects {
        turnkeep::Tier::open(Arc::new(turnkeep::MemoryStore::new()), target.store.clone())
            .map_err(|error| error_at(error, location))?;
    }
    Ok(())
}

fn error_at(error: Error, location: &Location) -> Failure {
    let is_refused = error.kind() == ErrorKind::NotSupported;
    let failure = Failure::from(error);
    match is_refused {
        true => failure.with_hint(format!("{location} can be read; copy to another store.")),
        false => failure,
    }
}

fn copy(id: &SessionId, store: &dyn Store, target: &Opened) -> turnkeep::Result<tier::Copied> {
    let copied = drive(tier::copy(id.clone(), target.layout), store);
    // Others may write to it from now on.
    target.store.release(&Key::of(id, Part::Log));
    copied
}

/// What copying would do.
fn compare(id: &SessionId, source: &Opened, target: Option<&Opened>) -> turnkeep::Result<Told> {
    let here = source.reading();
    let head = head_of(id, &*here)?.ok_or_else(|| {
        Error::new(ErrorKind::EmptyLog, "the session has no entry").in_session(id)
    })?;
    let Some(there) = target.map(Opened::reading) else {
        return Ok(Told { head, target: None, entries: head.seq + 1 });
    };
    let now = match head_of(id, &*there) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        now => now?,
    };
    let Some(now) = now else {
        return Ok(Told { head, target: None, entries: head.seq + 1 });
    };
    let last = head.seq.min(now.seq);
    if line(id, &*here, last)? != line(id, &*there, last)? {
        let error = Error::new(ErrorKind::Conflict, "the session there has other entries");
        return Err(error.in_session(id).with_actual(now));
    }
    Ok(Told { head, target: Some(now), entries: head.seq - last })
}

fn head_of(id: &SessionId, store: &dyn Store) -> turnkeep::Result<Option<Head>> {
    Ok(drive(session::open(id.clone()), store)?.head())
}

fn line(id: &SessionId, store: &dyn Store, seq: u64) -> turnkeep::Result<Vec<u8>> {
    Ok(drive(session::read(id.clone(), Range::between(seq, Some(seq))), store)?.lines)
}

/// With what to do about it here.
fn explained(error: Error) -> Failure {
    let kind = error.kind();
    // Only where the entries differ it is known what the other store has.
    let is_diverged = error.actual().is_some();
    let is_elsewhere = error.message().contains("is not in the cold store");
    let failure = Failure::from(error);
    match kind {
        ErrorKind::Conflict if !is_diverged => failure.with_hint(
            "Someone else changed the session while it was copied: the same command once more copies \
             what is missing.",
        ),
        ErrorKind::Conflict => failure.with_hint(
            "Each store has entries that the other one lacks. To keep both, `turnkeep fork` the \
             session in one of them, and copy the fork.",
        ),
        ErrorKind::AlreadyExists => failure.with_hint(
            "What is there is hydrated, or about to be written: `turnkeep push` it from there to \
             the bucket that it came from.",
        ),
        ErrorKind::StoreFailed if is_elsewhere => failure.with_hint(
            "It is hydrated: its first entries lie in the bucket that it came from. `turnkeep push` \
             it there, and copy it from there.",
        ),
        _ => failure,
    }
}

fn tell(
    id: &SessionId,
    told: &Told,
    which: &Which,
    words: &Words,
    context: &mut Context,
) -> Outcome<()> {
    let &Told { head, target, entries } = told;
    if context.globals.json {
        let outcome = if entries > 0 { "copied" } else { "unchanged" };
        let document = Object::document()
            .put("session", id.as_str())
            .put("outcome", outcome)
            .put("dry_run", which.dry_run)
            .put("entries", entries)
            .object("head", head_object(head));
        return context.out.json(match which.dry_run {
            true => document.object("target_head", target.map(head_object)),
            false => document,
        });
    }
    let id = visible(id.as_str());
    let line = match (entries, which.dry_run) {
        (0, _) if !which.verbose => return Ok(()),
        (0, _) => format!("unchanged {id}: head {} {}\n", head.seq, head.hash),
        (_, false) => {
            format!("{} {id}: {}, head {} {}\n", words.done, count(entries), head.seq, head.hash)
        }
        (_, true) => {
            let there = target.map_or_else(|| "none".to_owned(), |head| head.seq.to_string());
            let (verb, entries) = (words.to_do, count(entries));
            format!("would {verb} {id}: {entries}, head here {}, there {there}\n", head.seq)
        }
    };
    context.out.text(&line)
}

fn count(entries: u64) -> String {
    format!("{entries} {}", if entries == 1 { "entry" } else { "entries" })
}

fn sum_up(tally: &Tally, is_dry: bool, words: &Words, context: &mut Context) -> Outcome<()> {
    let &Tally { copied, unchanged, failed, left, entries } = tally;
    if context.globals.json {
        let summary = Object::new()
            .put("dry_run", is_dry)
            .put("copied", copied)
            .put("unchanged", unchanged)
            .put("failed", failed)
            .put("left", left)
            .put("entries", entries);
        return context.out.json(Object::document().object("summary", summary));
    }
    let dry = if is_dry { "dry run: " } else { "" };
    let left = if left > 0 { format!(", {left} left") } else { String::new() };
    let (done, entries) = (words.done, count(entries));
    context.out.text(&format!(
        "{dry}{copied} {done} ({entries}), {unchanged} unchanged, {failed} failed{left}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(error: Error) -> String {
        let Failure::Failed(failed) = explained(error) else { panic!() };
        failed.text()
    }

    #[test]
    fn a_fork_is_advised_only_where_entries_differ() {
        let error = Error::new(ErrorKind::Conflict, "the archive was replaced while it was read");
        let moved = hint(error.clone());
        assert!(moved.contains("once more") && !moved.contains("fork"), "{moved}");
        let head = Head { seq: 2, hash: turnkeep::Hash::from_bytes([1; 32]), bytes: 9 };
        assert!(hint(error.with_actual(head)).contains("turnkeep fork"));
    }
}
