//! `turnkeep import`

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use turnkeep::core::cache::CacheEntry;
use turnkeep::core::import::{self, Format};
use turnkeep::core::session::{Import, ImportFiles, ImportedSession};
use turnkeep::{Error, ErrorKind, MemoryStore, SessionId, Store};

use crate::exit::Exit;
use crate::json::{Object, error_object, head_object};
use crate::output::Context;
use crate::visible::visible;
use crate::{Failure, Outcome};
use files::{Found, find, read_file};

const EXAMPLES: &str = "\
Examples:
    turnkeep import backup.gz                       an Eai snapshot, with all of its sessions
    turnkeep import backup.gz --cache cache.json    and its cache, as JSON
    turnkeep import ~/.agentmux/archives --dry-run  what would be imported
    turnkeep import t-1.json.gz --as thread-1       under another id";

/// Import sessions that an earlier system wrote
///
/// Reads files and folders of Eai.System, session-store, opendev, zeitlich and agentmux; which it
/// is, their content tells. Each session is imported whole or not at all, and its files are kept
/// in the store beside it. Importing again does nothing; a session of the same id that came from
/// elsewhere stays as it is. What cannot be taken is told.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Files, or folders of them
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Which system wrote them; told by the content where it is not given
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    from: Option<String>,
    /// The id of the session, where there is one only
    #[arg(long = "as", value_name = "ID", value_parser = super::session_id)]
    id: Option<SessionId>,
    /// Write the values of a snapshot's cache to this new file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    cache: Option<PathBuf>,
    /// Only tell what would be imported
    #[arg(short = 'n', long)]
    dry_run: bool,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let mut found = Vec::new();
    for path in &args.paths {
        found.push(find(path)?);
    }
    let store = match args.dry_run {
        true => store_to_look_at(context)?,
        false => context.globals.store_for_writing()?,
    };
    let mut importer = Importer { args, context, store, tally: Tally::default() };
    for found in &found {
        importer.path(found)?;
    }
    importer.finish()
}

/// The store as it is; one that is not there is not made, and holds nothing.
fn store_to_look_at(context: &Context) -> Outcome<Arc<dyn Store>> {
    match context.globals.store() {
        Err(Failure::Failed(failed)) if failed.error.kind() == ErrorKind::NotFound => {
            Ok(Arc::new(MemoryStore::new()))
        }
        store => store,
    }
}

#[derive(Debug, Default)]
struct Tally {
    sessions: u64,
    imported: u64,
    already: u64,
    skipped: u64,
    failed: u64,
    failure: Option<Exit>,
    cache: Vec<CacheEntry>,
}

struct Importer<'a> {
    args: &'a Args,
    context: &'a mut Context,
    store: Arc<dyn Store>,
    tally: Tally,
}

impl Importer<'_> {
    fn path(&mut self, found: &Found) -> Outcome<()> {
        let names: Vec<&str> = found.files.iter().map(|file| &*file.name).collect();
        for group in import::group(&names) {
            let files: Vec<_> = group.iter().filter_map(|index| found.files.get(*index)).collect();
            let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
            let contents: Outcome<Vec<_>> = files.iter().map(|file| read_file(file)).collect();
            let done = contents.and_then(|contents| self.group(&names, contents, found.is_folder));
            self.tell_failed(done)?;
        }
        Ok(())
    }

    fn group(&mut self, names: &[&str], contents: Vec<Vec<u8>>, in_folder: bool) -> Outcome<()> {
        let names_owned = names.iter().map(|name| (*name).to_owned());
        let mut options = ImportFiles::new(names_owned.zip(contents).collect());
        options.from = self.args.from.as_deref().and_then(Format::of);
        options.id = self.args.id.clone();
        options.dry_run = self.args.dry_run;
        let done = match turnkeep::import_files(&*self.store, options) {
            Ok(done) => done,
            Err(error) if in_folder && error.kind() == ErrorKind::BadEntry => {
                // The file is named anyway.
                let error = Error::new(error.kind(), error.message());
                return self.tell_skipped(names.first().copied().unwrap_or_default(), &error);
            }
            Err(error) => return Err(explained(error)),
        };
        for skipped in &done.skipped {
            let name = names.get(skipped.file).copied().unwrap_or_default();
            self.tell_skipped(name, &skipped.error)?;
        }
        let format = done.format.name();
        for session in &done.sessions {
            self.tally.sessions += 1;
            let told = match &session.outcome {
                _ if self.args.id.is_some() && self.tally.sessions > 1 => {
                    Err(Failure::usage("--as names one session, and there are several"))
                }
                Ok(Import::Exists(_)) => Err(exists(&session.id)),
                Ok(outcome) => self.tell(*outcome, format, names, session),
                Err(error) => Err(error.clone().into()),
            };
            self.tell_failed(told)?;
        }
        self.tally.cache.extend(done.cache);
        Ok(())
    }

    /// Tells what failed, and goes on.
    fn tell_failed(&mut self, done: Outcome<()>) -> Outcome<()> {
        let Err(Failure::Failed(failed)) = done else { return done };
        self.context.out.flush()?;
        self.context.tell(&failed);
        self.tally.failed += 1;
        self.tally.failure.get_or_insert(failed.exit);
        Ok(())
    }

    fn tell(
        &mut self,
        outcome: Import,
        from: &str,
        names: &[&str],
        session: &ImportedSession,
    ) -> Outcome<()> {
        let (outcome, head) = match outcome {
            Import::Imported(head) => ("imported", Some(head)),
            Import::AlreadyImported(head) => ("already_imported", Some(head)),
            _ => ("would_import", None),
        };
        let is_new = matches!(outcome, "imported" | "would_import");
        *if is_new { &mut self.tally.imported } else { &mut self.tally.already } += 1;
        let fault = session.chain.as_ref().and_then(|chain| chain.fault.as_ref());
        let names: Vec<&str> =
            session.files.iter().filter_map(|index| names.get(*index).copied()).collect();
        if self.context.globals.json {
            let document = Object::document()
                .put("session", session.id.as_str())
                .put("outcome", outcome)
                .put("from", from)
                .put("files", names)
                .put("entries", session.entries)
                .object("head", head.map(head_object))
                .put("chain_held", session.chain.as_ref().map(|chain| chain.held))
                .object("chain_fault", fault.map(|error| error_object(error, error.kind().hint())));
            return self.context.out.json(document);
        }
        let (outcome, id) = (outcome.replace('_', " "), visible(session.id.as_str()));
        let (count, files) = (session.entries, names.join(", "));
        let fault = fault.map_or_else(String::new, |fault| format!("; its own chain: {fault}"));
        let text = format!("{count} entries from {from}, {files}{fault}");
        self.context.out.text(&format!("{outcome} {id}: {}\n", visible(&text)))
    }

    fn tell_skipped(&mut self, name: &str, error: &Error) -> Outcome<()> {
        self.tally.skipped += 1;
        if self.context.globals.json {
            let error = error_object(error, error.kind().hint());
            let document = Object::document().put("file", name).put("outcome", "skipped");
            return self.context.out.json(document.object("error", error));
        }
        let text = format!("skipped in {name}: {error}");
        self.context.out.text(&format!("{}\n", visible(&text)))
    }

    fn finish(self) -> Outcome<Exit> {
        let Self { args, context, tally, .. } = self;
        if let Some(path) = args.cache.as_ref().filter(|_| !args.dry_run) {
            files::write_cache(path, &tally.cache)?;
        } else if !tally.cache.is_empty() {
            let count = tally.cache.len();
            context.note(&format!(
                "{count} values of a cache are no session: --cache FILE writes them"
            ));
        }
        let Tally { imported, already, skipped, failed, .. } = tally;
        if context.globals.json {
            let summary = Object::new()
                .put("dry_run", args.dry_run)
                .put("imported", imported)
                .put("already_there", already)
                .put("skipped", skipped)
                .put("failed", failed)
                .put("cache_entries", tally.cache.len());
            context.out.json(Object::document().object("summary", summary))?;
        } else {
            let dry = if args.dry_run { "dry run: " } else { "" };
            context.out.text(&format!(
                "{dry}{imported} imported, {already} there already, {skipped} skipped, {failed} failed\n"
            ))?;
        }
        Ok(match tally.failure {
            None => Exit::Ok,
            Some(_) if imported + already > 0 => Exit::Partial,
            Some(exit) => exit,
        })
    }
}

/// The same error, with what to do about files that are not imported.
fn explained(error: Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(error);
    match kind {
        ErrorKind::NotSupported => failure.with_hint(
            "`turnkeep copy` copies sessions from store to store: name its folder with --store.",
        ),
        ErrorKind::BadEntry => failure.with_hint(
            "Name the system that wrote it with --from, or check that the file is whole.",
        ),
        ErrorKind::InvalidArgument => {
            Failure::usage("--as names one session, and there are several")
        }
        _ => failure,
    }
}

fn exists(id: &SessionId) -> Failure {
    let error = Error::new(ErrorKind::AlreadyExists, "there is another session of that id");
    Failure::from(error.in_session(id))
        .with_hint("It stays as it is. Import the file by itself under another id with --as.")
}
