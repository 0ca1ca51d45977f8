//! `turnkeep sweep`

use std::sync::mpsc;
use std::time::Duration;

use turnkeep::core::session;
use turnkeep::retention::{Outcome as Swept, Policy, Reason, Sweep, Sweeper};
use turnkeep::{Error, ErrorKind, Result, drive};

use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::signal::on_end;
use crate::units::{OrNone, duration, duration_or_never, interval, size_or_none};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Archive the sessions that are idle, then prune the longest unused archives until they fit
///
/// Tells what was done with each session, then sums up. What is in use (held by a living process, a
/// run under way, a fork of it held) stays as it is. Pruning is final and is not asked about: see it
/// before with --dry-run, or say --max-bytes none. Exits with 3 where something failed; the others
/// go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Archive what was not written to for that long; `never`: archive nothing
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration_or_never)]
    inactive: OrNone,
    /// Prune until all archives together have at most so many bytes; `none`: prune nothing
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size_or_none)]
    max_bytes: OrNone,
    #[command(flatten)]
    which: Which,
    /// Only tell what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Go on until interrupted, and sweep whenever the last sweep, of whatever process, is that long
    /// ago
    #[arg(long, value_name = "DURATION", conflicts_with = "dry_run", value_parser = interval)]
    every: Option<Duration>,
}

/// What is left alone, and what is told of it.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Prune nothing that was in use since then, whatever the bytes
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
    pub(super) min_age: Duration,
    /// Only sessions of this kind; may be given several times
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Vec<String>,
    /// Leave sessions with this tag alone; may be given several times
    #[arg(long, value_name = "TAG")]
    pub(super) keep_tag: Vec<String>,
    /// Also tell what stayed as it is, and why
    #[arg(short, long)]
    pub(super) verbose: bool,
}

impl Which {
    pub(super) fn policy(&self) -> Policy {
        let min_age_ms = u64::try_from(self.min_age.as_millis()).unwrap_or(u64::MAX);
        let policy = Policy::default().older_than(min_age_ms);
        policy.of_kinds(self.kind.clone()).keeping(self.keep_tag.clone())
    }
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let policy = args.which.policy().inactive_for(args.inactive.0).at_most(args.max_bytes.0);
    match args.every {
        Some(every) => again_and_again(policy, every, args.which.verbose, context),
        None if args.dry_run => once(policy.dry_run(), args.which.verbose, context),
        None => once(policy, args.which.verbose, context),
    }
}

/// Sweeps, and tells what was done. Asked to end, it stops after the session it is at.
pub(super) fn once(policy: Policy, is_verbose: bool, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let is_dry = policy.dry_run;
    let task = session::sweep(policy);
    let stopper = task.stopper();
    on_end(move || stopper.stop())?;
    let meter = Meter::new(context, "sweeping", None);
    let sweep = drive(task, &Metered::new(&*store, &meter))?;
    drop(meter);
    tell(&sweep, is_dry, is_verbose, context)?;
    Ok(exit(&sweep))
}

enum Event {
    Swept(Result<Sweep>),
    Ended,
}

fn again_and_again(
    policy: Policy,
    every: Duration,
    is_verbose: bool,
    context: &mut Context,
) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let (ended, events) = mpsc::channel();
    let swept = ended.clone();
    on_end(move || _ = ended.send(Event::Ended))?;
    let sweeper =
        Sweeper::start(store, policy, every, move |sweep| _ = swept.send(Event::Swept(sweep)));
    let cannot = |error| Error::new(ErrorKind::StoreFailed, format!("cannot start: {error}"));
    let sweeper = sweeper.map_err(cannot)?;
    while let Ok(Event::Swept(sweep)) = events.recv() {
        tell_or_complain(sweep, is_verbose, context)?;
    }
    // Ends the session it is at first, and tells of that too.
    sweeper.stop();
    for event in events.try_iter() {
        if let Event::Swept(sweep) = event {
            tell_or_complain(sweep, is_verbose, context)?;
        }
    }
    Ok(Exit::Ok)
}

/// A sweep that failed as a whole does not end what goes on.
fn tell_or_complain(sweep: Result<Sweep>, is_verbose: bool, context: &mut Context) -> Outcome<()> {
    let told = sweep.map_err(Failure::from);
    match told.and_then(|sweep| tell(&sweep, false, is_verbose, context)) {
        Err(Failure::Failed(failed)) => context.tell(&failed),
        told => told?,
    }
    context.out.flush()
}

/// What of a sweep stands in no sum of its own.
fn count(sweep: &Sweep, is_counted: fn(&Swept) -> bool) -> u64 {
    sweep.sessions.iter().filter(|swept| is_counted(&swept.outcome)).count() as u64
}

fn is_failed(outcome: &Swept) -> bool {
    matches!(outcome, Swept::Failed(_))
}

fn exit(sweep: &Sweep) -> Exit {
    let is_undone =
        |outcome: &Swept| is_failed(outcome) || *outcome == Swept::Kept(Reason::Stopped);
    if count(sweep, is_undone) > 0 { Exit::Partial } else { Exit::Ok }
}

fn tell(sweep: &Sweep, is_dry: bool, is_verbose: bool, context: &mut Context) -> Outcome<()> {
    if context.globals.json {
        return context.out.json(document(sweep, is_dry));
    }
    for swept in &sweep.sessions {
        let (id, bytes, freed) = (visible(swept.id.as_str()), swept.bytes, swept.freed_bytes);
        let line = match &swept.outcome {
            Swept::Archived if is_dry => format!("would archive {id}: {bytes} bytes\n"),
            Swept::Archived => format!("archived {id}: {bytes} bytes, {freed} freed\n"),
            Swept::Pruned if is_dry => format!("would prune {id}: {bytes} bytes\n"),
            Swept::Pruned => format!("pruned {id}: {bytes} bytes, {freed} freed\n"),
            Swept::Failed(error) => format!("failed {id}: {}\n", visible(&error.to_string())),
            Swept::Kept(reason) if is_verbose => format!("kept {id}: {}\n", reason.name()),
            _ => continue,
        };
        context.out.text(&line)?;
    }
    context.out.text(&totals(sweep, is_dry))
}

fn totals(sweep: &Sweep, is_dry: bool) -> String {
    let rows = rows(sweep).map(|(name, count)| format!("{count} {}", name.replace('_', " ")));
    let dry = if is_dry { "dry run: " } else { "" };
    format!("{dry}{}\n", rows.join(", "))
}

fn rows(sweep: &Sweep) -> [(&'static str, u64); 6] {
    [
        ("archived", sweep.archived),
        ("pruned", sweep.pruned),
        ("failed", count(sweep, is_failed)),
        ("kept", count(sweep, |outcome| matches!(outcome, Swept::Kept(_)))),
        ("freed_bytes", sweep.freed_bytes),
        ("archive_bytes", sweep.archive_bytes),
    ]
}

fn document(sweep: &Sweep, is_dry: bool) -> Object {
    let sessions = sweep.sessions.iter().map(|swept| {
        let (outcome, reason, error) = match &swept.outcome {
            Swept::Archived => ("archived", None, None),
            Swept::Pruned => ("pruned", None, None),
            Swept::Kept(reason) => ("kept", Some(reason.name()), None),
            Swept::Failed(error) => ("failed", None, Some(error)),
            _ => ("other", None, None),
        };
        Object::new()
            .put("session", swept.id.as_str())
            .put("outcome", outcome)
            .put("reason", reason)
            .put("bytes", swept.bytes)
            .put("freed_bytes", swept.freed_bytes)
            .object("error", error.map(|error| error_object(error, error.kind().hint())))
    });
    let document = Object::document().put("dry_run", is_dry).list("sessions", sessions);
    rows(sweep).into_iter().fold(document, |object, (name, count)| object.put(name, count))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_defaults_are_those_of_the_policy() {
        let args = Command::parse_from(["sweep"]).args;
        let policy = args.which.policy().inactive_for(args.inactive.0).at_most(args.max_bytes.0);
        assert_eq!(policy, Policy::default());
    }
}
