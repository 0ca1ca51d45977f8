//! `turnkeep unbundle`

use std::path::PathBuf;

use turnkeep::core::session::runtime::{self, Recovered, Restore, Restored, RestoredSession};
use turnkeep::{FileStore, Runtime, SessionId, Wait, drive_runtime};

use crate::exit::Exit;
use crate::json::{Object, head_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Restore the sessions of a bundle (-: standard input), all or nothing
///
/// The whole bundle is verified before anything is changed. Each of its sessions takes the place of
/// the one of its id; sessions that it has not are left alone. An error leaves everything as it was,
/// and what a crash leaves is undone by the next `turnkeep bundle` or `unbundle`. Of a runtime's
/// cache nothing is restored here: that takes the program whose cache it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    file: PathBuf,
    /// Only these sessions
    #[arg(value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Only tell what would change
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store_for_writing()?;
    let mut options = Restore::default();
    options.sessions = (!args.ids.is_empty()).then(|| args.ids.clone());
    options.dry_run = args.dry_run;
    let restored = if args.file.as_os_str() == "-" {
        let runtime = Runtime::open(store, None)?;
        runtime.restore_from_reader(std::io::stdin().lock(), options, Wait::default())?
    } else {
        let meter = Meter::new(context, "unbundling", None);
        let (from, store) = (FileStore::of_file(&args.file), Metered::new(&*store, &meter));
        let from = Metered::new(&from, &meter);
        let restored = drive_runtime(runtime::restore(options), &store, Some(&from), None);
        restored.map_err(|error| {
            let is_missing = error.kind() == turnkeep::ErrorKind::NotFound;
            let failure = Failure::from(error);
            let hint = "Look at the file's name, and at what is in it with `--dry-run`.";
            if is_missing { failure.with_hint(hint) } else { failure }
        })?
    };
    tell(args, &restored, context)?;
    Ok(Exit::Ok)
}

fn tell(args: &Args, restored: &Restored, context: &mut Context) -> Outcome<()> {
    let recovered = match &restored.recovered {
        Recovered::Undone { kept } if kept.is_empty() => {
            Some("an earlier unbundling that was cut off was undone first".to_owned())
        }
        Recovered::Undone { kept } => {
            let kept: Vec<_> = kept.iter().map(|id| visible(id.as_str())).collect();
            let names = kept.join(", ");
            Some(format!(
                "an earlier unbundling was undone first, but for what was written since: {names}"
            ))
        }
        Recovered::Finished { .. } => Some("an earlier unbundling was finished first".to_owned()),
        _ => None,
    };
    if let Some(recovered) = recovered {
        context.note(&recovered);
    }
    let left_out = restored.cache.left_out;
    if left_out > 0 {
        context.note(&format!("{left_out} values of a cache were left out"));
    }
    if context.globals.json {
        let session = |session: &RestoredSession| {
            let object = Object::new().put("session", session.id.as_str());
            object.put("change", session.change.name()).object("head", head_object(session.head))
        };
        let document = Object::document()
            .put("dry_run", args.dry_run)
            .list("sessions", restored.sessions.iter().map(session))
            .put("cache_left_out", left_out);
        return context.out.json(document);
    }
    for session in &restored.sessions {
        let (id, entries) = (visible(session.id.as_str()), session.head.seq + 1);
        let change = session.change.name();
        context.out.text(&format!("{change:9}  {id}  {entries} entries\n"))?;
    }
    let count = restored.sessions.len();
    let done = if args.dry_run { "nothing was changed" } else { "restored" };
    context.out.text(&format!("{count} sessions: {done}\n"))
}
