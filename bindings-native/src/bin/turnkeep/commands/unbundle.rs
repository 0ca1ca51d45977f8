//! `turnkeep unbundle`

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use turnkeep::core::session::runtime::{Recover, Recovered, Restore, Restored, RestoredSession};
use turnkeep::{Error, ErrorKind, FileStore, Key, Runtime, SessionId, Wait};

use super::import::store_to_look_at;

use crate::exit::Exit;
use crate::json::{Object, head_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::spooled::Spooled;
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
    /// The bundle
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Only these sessions
    #[arg(value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Only tell what would change
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Give up values that an earlier restoring, by a program with a cache, has yet to put there
    #[arg(long)]
    give_up_cache: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = match args.dry_run {
        true => store_to_look_at(context)?,
        false => context.globals.store_for_writing()?,
    };
    if args.give_up_cache && !args.dry_run {
        let mut options = Recover::default();
        options.gives_up_cache = true;
        tell_recovered(&turnkeep::recover(&*store, None, options)?, context);
    }
    let mut options = Restore::default();
    options.sessions = (!args.ids.is_empty()).then(|| args.ids.clone());
    options.dry_run = args.dry_run;
    let restored = match stream(&args.file)? {
        Some(stream) if !args.dry_run => {
            let runtime = Runtime::open(store, None)?;
            tell_recovered(runtime.recovered(), context);
            runtime.restore_from_reader(stream, options, Wait::default())?
        }
        // Which is to change nothing in the store, so the stream is kept elsewhere.
        stream => {
            let spooled = stream.map(Spooled::new).transpose()?;
            let file = spooled.as_ref().map_or(&*args.file, Spooled::path);
            let meter = Meter::new(context, "unbundling", None);
            let (from, store) = (FileStore::of_file(file), Metered::new(&*store, &meter));
            let from = Metered::new(&from, &meter);
            turnkeep::restore(&store, &from, None, options)
                .map_err(|error| explained(error, &args.file))?
        }
    };
    tell_recovered(&restored.recovered, context);
    tell(args, &restored, context)?;
    Ok(Exit::Ok)
}

/// The same error with the file's name, and which command is for such a file.
fn explained(error: Error, file: &Path) -> Failure {
    let kind = error.kind();
    let is_of_session = error.place().session.is_some();
    let name = file.display().to_string();
    let is_of_file = error.place().key.as_deref() == Some(Key::bundle().as_str());
    let failure = Failure::from(match is_of_file {
        true => Error::new(kind, format!("{name}: {}", error.message())),
        false => error,
    });
    match kind {
        ErrorKind::NotFound if is_of_session => {
            failure.with_hint("`turnkeep unbundle FILE -n` lists what the bundle has.")
        }
        ErrorKind::NotFound => failure.with_hint("Look at the file's name."),
        ErrorKind::NotGzip | ErrorKind::BadBundle => failure.with_hint(
            "If it is whole it is no bundle: `turnkeep import` reads files of earlier systems, and \
             `turnkeep copy` takes logs and archives from store to store.",
        ),
        _ => failure,
    }
}

/// What is read as it comes: standard input, a pipe.
fn stream(file: &Path) -> Outcome<Option<Box<dyn Read>>> {
    if file.as_os_str() == "-" {
        return Ok(Some(Box::new(std::io::stdin())));
    }
    let is_special = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    if !fs::metadata(file).is_ok_and(is_special) {
        return Ok(None);
    }
    let opened = File::open(file);
    let opened = opened.map_err(|error| Failure::reading(&file.display().to_string(), &error))?;
    Ok(Some(Box::new(opened)))
}

/// Tells what was done about an unbundling that was cut off.
pub(super) fn tell_recovered(recovered: &Recovered, context: &Context) {
    match recovered {
        Recovered::Undone { kept } => {
            context.note("an earlier unbundling that was cut off was undone first");
            for id in kept {
                let id = visible(id.as_str());
                context
                    .note(&format!("but for {id}, which was written to since: it stays as it is"));
            }
        }
        Recovered::Finished { .. } => context.note("an earlier unbundling was finished first"),
        _ => {}
    }
}

fn tell(args: &Args, restored: &Restored, context: &mut Context) -> Outcome<()> {
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
