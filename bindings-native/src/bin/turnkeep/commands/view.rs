//! `turnkeep view`

use std::ffi::OsString;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, mpsc};

use clap::ValueHint;
use turnkeep::core::ErrorClass;
use turnkeep::core::gzip::{Bound, Reader};
use turnkeep::core::session;
use turnkeep::core::store::{Condition, Part};
use turnkeep::{Error, ErrorKind, Form, Head, Key, MemoryStore, SessionId, Store, drive};

use crate::browser;
use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;
use crate::page::PageArgs;
use crate::progress::{Meter, Metered};
use crate::sealed::seal;
use crate::serve::Server;
use crate::serve::content::{Content, Place};
use crate::serve::site::Site;
use crate::signal::on_end;
use crate::stream::GZIP_START;
use crate::target::{Taken, Target, TargetArgs};
use crate::visible::visible;
use crate::{Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
    turnkeep view demo                     a session of the store
    turnkeep view old.jsonl.gz new.jsonl   files, of any size
    turnkeep view                          an empty page, to drop files onto
    turnkeep view demo --no-open --port 7777
                                           through `ssh -L 7777:127.0.0.1:7777` from elsewhere";

/// Show sessions in the browser, until Ctrl+C ends it
///
/// Prints an address of this machine, which no other one reaches, and opens it. The address has a
/// token: whoever on this machine knows it can read these sessions until then, and nothing else. The
/// page reads of the files what it shows, and verifies them; nothing leaves the machine.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Sessions' ids, or logs, archives and bundles anywhere on disk: what holds a path separator or
    /// ends in .jsonl or .gz, and is a file, is taken for a file
    #[arg(value_name = "ID|FILE", value_hint = ValueHint::FilePath)]
    names: Vec<OsString>,
    #[command(flatten)]
    taken: Taken,
    /// The port to listen on [default: one that is free]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1024..))]
    port: Option<u16>,
    /// Only print the address
    #[arg(long)]
    no_open: bool,
    #[command(flatten)]
    page: PageArgs,
}

/// How much of a file tells what it is.
const START_BYTES: u64 = 64 << 10;
/// What a bundle's content starts with.
const BUNDLE: &[u8] = br#"{"bundle":"#;

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let page = args.page.load()?;
    let shown = args.shown(context)?;
    let names: Vec<_> = shown.contents.iter().map(|content| content.name.clone()).collect();
    let server = listen(args.port.unwrap_or(0))?;
    let secrets = [secret()?, secret()?];
    let site = Site::new(page, shown.contents, server.port(), secrets, &shown.fragment);
    let (address, entrance) = (site.address(), site.entrance());
    let (ended, end) = mpsc::channel();
    on_end(move || _ = ended.send(()))?;
    server.start(site).map_err(|error| cannot_listen(&error))?;
    tell(&address, &names, context)?;
    if !args.no_open {
        browser::open(entrance, context.globals.quiet || context.globals.json);
    }
    // An error would mean that no signal can come any more.
    end.recv().ok();
    Ok(Exit::Ok)
}

/// What is shown, and what the page's address ends with.
#[derive(Default)]
struct Shown {
    contents: Vec<Content>,
    fragment: String,
}

impl Args {
    fn shown(&self, context: &Context) -> Outcome<Shown> {
        let mut shown = Shown::default();
        for name in &self.names {
            let target = TargetArgs { name: name.clone(), taken: self.taken };
            let found = match target.target()? {
                Target::File(path) => file(&path),
                Target::Id(id) => session(&id, context),
            };
            let (contents, head) = found.map_err(|failure| target.explain(failure))?;
            shown.contents.extend(contents);
            if let (Some(head), [_]) = (head, &*self.names) {
                shown.fragment = format!("#head={}:{}", head.seq, head.hash);
            }
        }
        Ok(shown)
    }
}

type Found = (Vec<Content>, Option<Head>);

fn file(path: &Path) -> Outcome<Found> {
    let cannot = |error| Failure::reading(&path.display().to_string(), &error);
    let is_file = path.metadata().map_err(cannot)?.is_file();
    if !is_file {
        let message = "it is no regular file, so it cannot be read by ranges";
        return Err(Failure::usage(message).with_hint("Copy it to a file first."));
    }
    check_start(path)?;
    // Whatever becomes of the working directory.
    let absolute = std::path::absolute(path).map_err(cannot)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((vec![Content { name, place: Place::File(absolute) }], None))
}

/// Refuses what is no log, archive or bundle, as far as its start tells; damage is for the page to
/// tell.
fn check_start(path: &Path) -> Outcome<()> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(START_BYTES).read_to_end(&mut start))
        .map_err(|error| Failure::reading(&path.display().to_string(), &error))?;
    if start.first() == Some(&GZIP_START) {
        let compressed = std::mem::take(&mut start);
        let inflated = Reader::new(Bound::default()).push(&compressed, |piece| {
            start.extend_from_slice(piece);
            Ok(())
        });
        // What cannot be inflated is damaged.
        inflated.ok();
    }
    let is_known = |line: &[u8]| line.starts_with(br#"{"hash":"#) || line.starts_with(BUNDLE);
    // Text has no zeros: they are what a disk gives for what it lost.
    if start.is_empty() || start.contains(&0) || start.split(|byte| *byte == b'\n').any(is_known) {
        return Ok(());
    }
    let message = format!("{} is no log, archive or bundle", path.display());
    Err(Failure::from(Error::new(ErrorKind::BadLine, message))
        .with_hint("`turnkeep import` takes what other systems wrote."))
}

/// A session's objects as they lie, and the head that is noted of it elsewhere. Damaged ones too: the
/// page tells what of them holds.
fn session(id: &SessionId, context: &Context) -> Outcome<Found> {
    let store = context.globals.store()?;
    let opened = drive(session::open(id.clone()), &*store);
    if opened.as_ref().is_ok_and(|session| session.form == Form::Cold) {
        return from_cold(id, &*store, context);
    }
    let layout = or_damaged(drive(session::layout(id.clone()), &*store))?;
    // Beside a whole log, an archive is what an interrupted archiving left.
    let is_log_alone = layout.is_some_and(|layout| layout.has_leftover && !layout.has_tail);
    let parts = if is_log_alone { &[Part::Log][..] } else { &[Part::Archive, Part::Log] };
    let mut contents = Vec::new();
    for part in parts {
        let key = Key::of(id, *part);
        match store.info(&key) {
            Ok(_) => contents.push(object(store.clone(), key)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    if contents.is_empty() {
        let gone = || Error::new(ErrorKind::NotFound, "the session is gone").in_session(id);
        return Err(opened.err().unwrap_or_else(gone).into());
    }
    let noted = or_damaged(drive(session::retention(id.clone()), &*store))?.flatten();
    Ok((contents, noted.map(|noted| noted.head)))
}

/// What is damaged is `None`.
fn or_damaged<T>(found: turnkeep::Result<T>) -> Outcome<Option<T>> {
    match found {
        Err(error) if error.kind().class() == ErrorClass::Data => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// A session that lies in segments, which the page does not read, as an archive in memory.
fn from_cold(id: &SessionId, store: &dyn Store, context: &Context) -> Outcome<Found> {
    let meter = Meter::new(context, "reading", None);
    let sealed = seal(id, &Metered::new(store, &meter)).map_err(|failure| match &failure {
        Failure::Failed(failed) if failed.error.kind() == ErrorKind::TooLarge => failure
            .with_hint("`turnkeep pull` brings it into a folder, where it is read by ranges."),
        _ => failure,
    })?;
    let (memory, key) = (MemoryStore::new(), Key::of(id, Part::Archive));
    memory.put(&key, &sealed.archive, &Condition::Any)?;
    Ok((vec![object(Arc::new(memory), key)], Some(sealed.head)))
}

fn object(store: Arc<dyn Store>, key: Key) -> Content {
    Content { name: key.as_str().to_owned(), place: Place::Object(store, key) }
}

fn listen(port: u16) -> Outcome<Server> {
    Server::bind(port).map_err(|error| {
        let failure = Failure::from(cannot_listen(&error));
        failure.with_hint("Name another port, or none: then one is taken that is free.")
    })
}

fn cannot_listen(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::StoreFailed, format!("cannot listen on 127.0.0.1: {error}"))
}

/// 128 bits that nobody guesses, as text.
fn secret() -> Outcome<String> {
    let mut bytes = [0; 16];
    let cannot = |error| Error::new(ErrorKind::StoreFailed, format!("no random bytes: {error}"));
    getrandom::fill(&mut bytes).map_err(cannot)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        write!(text, "{byte:02x}").ok();
        text
    }))
}

fn tell(address: &str, names: &[String], context: &mut Context) -> Outcome<()> {
    match context.globals.json {
        true => {
            let names = names.iter().map(|name| name.as_str().into()).collect::<Vec<_>>();
            let document = Object::document().put("url", address);
            context.out.json(document.put("files", serde_json::Value::Array(names)))?;
        }
        false => context.out.text(&format!("{address}\n"))?,
    }
    context.out.flush()?;
    let what = match names {
        [] => "an empty page, to drop files onto".to_owned(),
        names => visible(&names.join(", ")).into_owned(),
    };
    context.note(&format!("showing {what}; Ctrl+C ends it"));
    Ok(())
}
