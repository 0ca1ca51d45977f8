//! `turnkeep bundle`

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use turnkeep::core::session::runtime::{LeftOut, Recover, Snapshot, Snapshotted};
use turnkeep::core::session::{self, runtime};
use turnkeep::{
    Error, ErrorKind, FileStore, Runtime, SessionId, Store, Wait, drive, drive_runtime,
};

use super::unbundle::tell_recovered;
use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Write sessions into one file, a bundle (-: standard output)
///
/// Without ids all sessions of the store, live, archived or tiered, each up to its last entry and
/// verified. The file is read back and verified before it takes the place of an older one. Sessions
/// whose log is damaged are left out and named; then it exits with 20, and replaces no older bundle,
/// which may hold them whole, unless told. A bundle is a gzip file of
/// JSON lines; `turnkeep unbundle` restores it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to write
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Only these sessions
    #[arg(value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Take the place of an older bundle although damaged sessions are left out of this one
    #[arg(long)]
    leave_out_damaged: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    let mut options = Snapshot::default();
    options.sessions = (!args.ids.is_empty()).then(|| args.ids.clone());
    options.replaces_fuller = args.leave_out_damaged;
    check_named(args, &*store)?;
    check_folder(&args.file)?;
    if let Some(stream) = stream(&args.file)? {
        let runtime = Runtime::open(store, None)?;
        tell_recovered(runtime.recovered(), context);
        let written = runtime.snapshot_to_writer(stream, options, Wait::default())?;
        left_out(&written.left_out, context);
        return Ok(exit(&written));
    }
    let meter = Meter::new(context, "bundling", None);
    let store = Metered::new(&*store, &meter);
    let recovered = turnkeep::recover(&store, None, Recover::default())?;
    tell_recovered(&recovered, context);
    context.globals.location()?.check_outside(&args.file)?;
    let to = FileStore::of_file(&args.file);
    let written = drive_runtime(runtime::snapshot(options), &store, Some(&to), None)?;
    drop(meter);
    tell(args, &written, context)?;
    Ok(exit(&written))
}

/// What is written as it comes: standard output, a pipe, a device.
fn stream(file: &Path) -> Outcome<Option<Box<dyn Write + Send>>> {
    if file.as_os_str() == "-" {
        return Ok(Some(Box::new(std::io::stdout())));
    }
    let is_special = |metadata: fs::Metadata| !metadata.is_file() && !metadata.is_dir();
    if !fs::metadata(file).is_ok_and(is_special) {
        return Ok(None);
    }
    let cannot = |error: std::io::Error| {
        let message = format!("cannot write {}: {error}", file.display());
        Error::new(ErrorKind::StoreFailed, message)
    };
    Ok(Some(Box::new(OpenOptions::new().write(true).open(file).map_err(cannot)?)))
}

/// Refuses what is no file's name: a session's id that stands first, or the name of a bucket.
fn check_named(args: &Args, store: &dyn Store) -> Outcome<()> {
    let Some(name) = args.file.to_str() else { return Ok(()) };
    if name.contains("://") {
        return Err(Failure::usage("a bundle is written to a file")
            .with_hint("`turnkeep push` brings sessions into a bucket or a server."));
    }
    let session = SessionId::new(name).ok().filter(|_| !args.file.exists());
    if session.is_some_and(|id| drive(session::open(id), store).is_ok()) {
        return Err(Failure::usage("the file comes first, and this is a session's id")
            .with_hint("`turnkeep bundle FILE ID…`; ./ before it makes it a file's name."));
    }
    Ok(())
}

/// A folder that is not there was mistyped: none is made.
fn check_folder(file: &Path) -> Outcome<()> {
    let missing = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let Some(folder) = missing else { return Ok(()) };
    let message = format!("there is no folder {}", folder.display());
    Err(Failure::from(Error::new(ErrorKind::NotFound, message))
        .with_hint("Check the path, or make the folder first."))
}

fn exit(written: &Snapshotted) -> Exit {
    if written.left_out.is_empty() { Exit::Ok } else { Exit::Integrity }
}

fn tell(args: &Args, written: &Snapshotted, context: &mut Context) -> Outcome<()> {
    let Snapshotted { counts, bytes, raw_bytes, digest, .. } = written;
    if context.globals.json {
        let left_out = |left: &LeftOut| {
            let error = error_object(&left.error, left.error.kind().hint());
            Object::new().put("session", left.id.as_str()).object("error", error)
        };
        let document = Object::document()
            .put("sessions", counts.sessions)
            .put("entries", counts.entries)
            .put("bytes", *bytes)
            .put("raw_bytes", *raw_bytes)
            .put("digest", digest.to_string())
            .list("left_out", written.left_out.iter().map(left_out));
        return context.out.json(document);
    }
    let (file, entries) = (args.file.display().to_string(), counts.entries);
    let held = format!("{} sessions, {entries} entries, {bytes} bytes", counts.sessions);
    context.out.text(&format!("bundled {}: {held}\n", visible(&file)))?;
    left_out(&written.left_out, context);
    Ok(())
}

fn left_out(left_out: &[LeftOut], context: &Context) {
    for left in left_out {
        let (id, error) = (visible(left.id.as_str()), left.error.to_string());
        context.note(&format!("left out {id}: {}", visible(&error)));
    }
}
