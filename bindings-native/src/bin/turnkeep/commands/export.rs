//! `turnkeep export`

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueHint;
use turnkeep::core::export::Form;
use turnkeep::core::session;
use turnkeep::{Error, ErrorKind, SessionId, drive};

use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Write a session in another form
///
/// The session is read and verified whole, and not touched. What no entry of the other form can say
/// is left out, or kept as that form's extension: docs/import.md has the tables. With --json: one
/// document with the text as "content", or with what was written where.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
    /// In which form
    ///
    /// messages: the history's items, one on each line, as they were appended. markdown: for people:
    /// what was said, with calls of tools and their results. session-store: the log as session-store's
    /// lines, with a hash chain of its kind. zeitlich: a thread snapshot of zeitlich's, gzipped.
    #[arg(long, value_name = "FORM", value_parser = form)]
    to: Form,
    /// Into this file, which is replaced all at once [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let is_json = context.globals.json;
    let is_shown = args.output.is_none() && (is_json || io::stdout().is_terminal());
    if is_shown && args.to == Form::Zeitlich {
        return Err(Failure::usage("gzip is no text: give a file with -o"));
    }
    let store = context.globals.store()?;
    let torn = drive(session::open(args.id.clone()), &*store)?.torn;
    let meter = Meter::new(context, "reading", None);
    let task = session::export(args.id.clone(), args.to);
    let bytes = drive(task, &Metered::new(&*store, &meter))?;
    drop(meter);
    match &args.output {
        Some(path) => {
            replace(path, &bytes).map_err(|error| cannot_write(path, &error))?;
            tell(args, path, bytes.len(), context)?;
        }
        None if is_json => {
            let text = String::from_utf8_lossy(&bytes);
            context.out.json(document(args).put("content", &*text))?;
        }
        None if is_shown => show(&bytes, context)?,
        None => context.out.raw(&bytes)?,
    }
    if let Some(torn) = torn {
        context.out.flush()?;
        context.note(&format!("left out {}", torn_text(torn)));
    }
    Ok(Exit::Ok)
}

fn form(name: &str) -> Result<Form, String> {
    let names = || Form::ALL.map(Form::name).join(", ");
    Form::of(name).ok_or_else(|| format!("the forms are {}", names()))
}

/// On a terminal, nothing in it acts.
fn show(bytes: &[u8], context: &mut Context) -> Outcome<()> {
    for line in String::from_utf8_lossy(bytes).lines() {
        context.out.text(&format!("{}\n", visible(line)))?;
    }
    Ok(())
}

/// Writes a file beside that one, and puts it in its place once it is stored.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut staged = OsString::from(".");
    staged.push(name);
    staged.push(format!(".{}.tmp", std::process::id()));
    let staged = path.with_file_name(staged);
    let written = write(&staged, bytes).and_then(|()| fs::rename(&staged, path));
    if written.is_err() {
        // What is left over is worth less than what went wrong.
        fs::remove_file(&staged).ok();
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match cfg!(unix) {
        true => File::open(folder.unwrap_or(Path::new(".")))?.sync_all(),
        false => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    Error::new(ErrorKind::StoreFailed, message).into()
}

fn tell(args: &Args, path: &Path, bytes: usize, context: &mut Context) -> Outcome<()> {
    let path = path.display().to_string();
    if context.globals.json {
        return context.out.json(document(args).put("file", path).put("bytes", bytes as u64));
    }
    let (id, path) = (visible(args.id.as_str()).into_owned(), visible(&path).into_owned());
    context.out.text(&format!("exported {id} to {path}: {bytes} bytes\n"))
}

fn document(args: &Args) -> Object {
    Object::document().put("session", args.id.as_str()).put("to", args.to.name())
}
