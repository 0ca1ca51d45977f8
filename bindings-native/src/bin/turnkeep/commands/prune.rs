//! `turnkeep prune`

use turnkeep::retention::{self, Retention};
use turnkeep::{Error, ErrorKind, SessionId, Store, drive};

use super::each::each;
use super::sweep::{Which, once};
use crate::ask::{check_askable, is_agreed};
use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;
use crate::time::rfc3339;
use crate::units::{human, size};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Remove archived sessions for good: the longest unused until the rest fit, or those named
///
/// Whoever looks for a pruned session later hears when and why. Live sessions are never pruned, nor
/// are archives that this store did not make or that are in use. Asks first, telling how much goes;
/// where nobody can be asked, --yes is needed. Exits with 3 where something failed; the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these, whatever their age
    #[arg(value_parser = super::session_id, requires = "reason", conflicts_with_all = [
        "max_bytes", "min_age", "kind", "keep_tag", "verbose", "dry_run",
    ])]
    ids: Vec<SessionId>,
    /// Why those named go, needed with ids; whoever looks for them reads it
    #[arg(long, value_name = "TEXT", requires = "ids")]
    reason: Option<String>,
    /// Prune until all archives together have at most so many bytes
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    max_bytes: u64,
    #[command(flatten)]
    which: Which,
    /// Only tell what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    match &args.reason {
        Some(reason) => prune_named(args, reason, context),
        None => prune_oldest(args, context),
    }
}

fn prune_oldest(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let policy = args.which.policy().inactive_for(None).at_most(args.max_bytes);
    if args.dry_run {
        return once(policy.dry_run(), args.which.verbose, context);
    }
    if !args.yes {
        let sweep = retention::sweep(&*context.globals.file_store()?, policy.clone().dry_run())?;
        if sweep.pruned > 0 {
            check_askable("prune")?;
            if !is_pruning_agreed(sweep.pruned, sweep.freed_bytes, context)? {
                return Ok(Exit::Failure);
            }
        }
    }
    once(policy, args.which.verbose, context)
}

fn prune_named(args: &Args, reason: &str, context: &mut Context) -> Outcome<Exit> {
    if !args.yes {
        check_askable("prune")?;
    }
    let store = context.globals.file_store()?;
    if !args.yes {
        let bytes = bytes_of(&args.ids, &*store)?;
        if !is_pruning_agreed(args.ids.len() as u64, bytes, context)? {
            return Ok(Exit::Failure);
        }
    }
    each(&args.ids, context, |id, context| {
        let record = retention::prune(&*store, id, reason).map_err(|error| explained(error, id))?;
        if context.globals.json {
            return context.out.json(document(id, &record));
        }
        let id = visible(id.as_str());
        context.out.text(&format!("pruned {id}: archive {} bytes\n", record.archive_bytes))
    })
}

/// The same error, with what to do before a session can be pruned.
fn explained(error: Error, id: &SessionId) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(error);
    match kind {
        ErrorKind::Locked => failure.with_hint(
            "Try again in a minute: nothing is pruned within a minute of its last use, nor while a \
             writer holds it.",
        ),
        ErrorKind::Conflict => {
            let id = visible(id.as_str());
            failure.with_hint(format!("`turnkeep archive {id}` archives it; prune it then."))
        }
        _ => failure,
    }
}

fn is_pruning_agreed(sessions: u64, bytes: u64, context: &Context) -> Outcome<bool> {
    let sessions = if sessions == 1 { "1 session".into() } else { format!("{sessions} sessions") };
    let is_agreed = is_agreed(&format!("prune {sessions} ({})", human(bytes)))?;
    if !is_agreed {
        context.note("nothing was pruned");
    }
    Ok(is_agreed)
}

fn bytes_of(ids: &[SessionId], store: &dyn Store) -> Outcome<u64> {
    let usage = drive(turnkeep::core::session::usage(0), store)?;
    let named = usage.sessions.iter().filter(|session| ids.contains(&session.id));
    Ok(named.map(|session| session.bytes.archived + session.bytes.beside).sum())
}

fn document(id: &SessionId, record: &Retention) -> Object {
    let pruned = record.pruned.as_ref();
    Object::document()
        .put("session", id.as_str())
        .put("pruned_at", pruned.map(|pruned| rfc3339(pruned.at_ms)))
        .put("reason", pruned.map(|pruned| pruned.reason.as_str()))
        .put("archive_bytes", record.archive_bytes)
}
