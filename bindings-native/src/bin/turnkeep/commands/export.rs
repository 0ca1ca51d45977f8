//! `turnkeep export`

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueHint;
use turnkeep::core::export::Form;
use turnkeep::core::log::Torn;
use turnkeep::core::session;
use turnkeep::{Error, ErrorKind, drive};

use super::html;

use crate::exit::Exit;
use crate::file_object::FileObject;
use crate::json::Object;
use crate::output::Context;
use crate::page::PageArgs;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::sealed::seal;
use crate::target::{Source, Target, TargetArgs};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Write a session in another form
///
/// The session is read and verified whole, and not touched. What no entry of the other form can say
/// is left out, or kept as that form's extension: docs/import.md has the tables. With --json: one
/// document with the text as "content", or with what was written where.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// In which form
    ///
    /// messages: the history's items, one on each line, as they were appended. markdown: for people:
    /// what was said, with calls of tools and their results. session-store: the log as session-store's
    /// lines, with a hash chain of its kind. zeitlich: a thread snapshot of zeitlich's, gzipped. html:
    /// the page that shows sessions, with this one in it whole, to verify and read offline.
    #[arg(long, value_name = "FORM", value_parser = form, required_unless_present = "html")]
    to: Option<To>,
    /// The same as --to html
    #[arg(long, conflicts_with = "to")]
    html: bool,
    /// Into this file, which is replaced all at once [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    page: PageArgs,
}

/// A form that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Form(Form),
    Html,
}

/// What was written in another form.
struct Exported {
    bytes: Vec<u8>,
    /// What was left out.
    torn: Option<Torn>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let is_json = context.globals.json;
    let is_shown = args.output.is_none() && (is_json || io::stdout().is_terminal());
    match args.to() {
        To::Form(Form::Zeitlich) if is_shown => {
            return Err(Failure::usage("gzip is no text: give a file with -o"));
        }
        To::Html if is_shown && !is_json => {
            return Err(Failure::usage("a page is for a browser: give a file with -o"));
        }
        _ => {}
    }
    // A file is exported without a store too.
    if let (Some(path), Ok(location)) = (&args.output, context.globals.location()) {
        location.check_outside(path)?;
    }
    let Exported { bytes, torn } =
        export(args, context).map_err(|failure| args.target.explain(failure))?;
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

fn export(args: &Args, context: &Context) -> Outcome<Exported> {
    let To::Form(form) = args.to() else { return export_page(args, context) };
    let target = args.target.target()?;
    let Source { store, id, files } = target.source(&context.globals)?;
    check_other(args, &files)?;
    // What is written names the session.
    let id = match &target {
        Target::File(path) => FileObject::open(path)?.owner()?,
        Target::Id(_) => id,
    };
    let torn = drive(session::open(id.clone()), &*store)?.torn;
    let meter = Meter::new(context, "reading", None);
    let bytes = drive(session::export(id, form), &Metered::new(&*store, &meter))?;
    Ok(Exported { bytes, torn })
}

fn export_page(args: &Args, context: &Context) -> Outcome<Exported> {
    // Where it is missing, nothing has to be read.
    let page = args.page.load()?;
    let target = args.target.target()?;
    let Source { store, id, files } = target.source(&context.globals)?;
    check_other(args, &files)?;
    let meter = Meter::new(context, "reading", None);
    let sealed = seal(&id, &Metered::new(&*store, &meter)).map_err(html::too_large)?;
    let bytes = html::page_with(&page, &sealed, &html::name_of(&target, &id))?;
    Ok(Exported { bytes, torn: sealed.torn })
}

/// A session is not replaced by what it is in another form.
fn check_other(args: &Args, files: &[PathBuf]) -> Outcome<()> {
    let Some(Ok(output)) = args.output.as_ref().map(|path| path.canonicalize()) else {
        return Ok(());
    };
    let is_same = |file: &PathBuf| file.canonicalize().is_ok_and(|file| file == output);
    if !files.iter().any(is_same) || !output.is_file() {
        return Ok(());
    }
    Err(Failure::usage("the file to write is the one that is exported")
        .with_hint("Name another file with -o."))
}

impl Args {
    fn to(&self) -> To {
        self.to.unwrap_or(To::Html)
    }
}

impl To {
    fn name(self) -> &'static str {
        match self {
            Self::Form(form) => form.name(),
            Self::Html => "html",
        }
    }
}

fn form(name: &str) -> Result<To, String> {
    if name == To::Html.name() {
        return Ok(To::Html);
    }
    let names = || Form::ALL.map(Form::name).join(", ");
    Form::of(name).map(To::Form).ok_or_else(|| format!("the forms are {}, html", names()))
}

/// On a terminal, nothing in it acts.
fn show(bytes: &[u8], context: &mut Context) -> Outcome<()> {
    for line in String::from_utf8_lossy(bytes).lines() {
        context.out.text(&format!("{}\n", visible(line)))?;
    }
    Ok(())
}

/// Writes a file beside that one, and puts it in its place once it is stored. A link stays what it
/// is, and a device too: that is written to.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let resolved = path.canonicalize();
    let path = resolved.as_deref().unwrap_or(path);
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut staged = OsString::from(".");
    staged.push(name);
    staged.push(format!(".{}.tmp", std::process::id()));
    let staged = path.with_file_name(staged);
    let mode = fs::metadata(path).map(|metadata| metadata.permissions()).ok();
    let written = write(&staged, bytes, mode).and_then(|()| fs::rename(&staged, path));
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

/// Whoever could not read what is replaced cannot read this.
fn write(path: &Path, bytes: &[u8], mode: Option<Permissions>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(mode) = mode.filter(|_| cfg!(unix)) {
        file.set_permissions(mode)?;
    }
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
    let name = args.target.name.to_string_lossy();
    let (name, path) = (visible(&name), visible(&path));
    context.out.text(&format!("exported {name} to {path}: {bytes} bytes\n"))
}

fn document(args: &Args) -> Object {
    let session = match args.target.target() {
        Ok(Target::Id(id)) => Some(id.as_str().to_owned()),
        _ => None,
    };
    let target = args.target.name.to_string_lossy().into_owned();
    let document = Object::document().put("session", session).put("target", target);
    document.put("to", args.to().name())
}
