//! `turnkeep import`

mod files;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use turnkeep::core::cache::CacheEntry;
use turnkeep::core::import::{self, Format};
use turnkeep::core::session::{Import, ImportFiles, ImportedFiles, ImportedSession};
use turnkeep::{Error, ErrorKind, MemoryStore, SessionId, Store};

use crate::exit::Exit;
use crate::json::{Object, error_object, head_object};
use crate::output::Context;
use crate::visible::visible;
use crate::{Failure, Outcome};
use files::{Found, FoundFile, check_cache, find, read_file};

const EXAMPLES: &str = "\
Examples:
    turnkeep import backup.gz                       an Eai snapshot, with all of its sessions
    turnkeep import backup.gz --cache cache.json    and its cache, as JSON
    turnkeep import ~/.agentmux/archives --dry-run  what would be imported
    turnkeep import t-1.json.gz --as thread-1       under another id
    turnkeep import backup.gz --only default        one session of several";

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
    /// Only the session that has this id in the files
    #[arg(long, value_name = "ID", value_parser = super::session_id)]
    only: Option<SessionId>,
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
    let found = find(&args.paths);
    if let Some(path) = &args.cache {
        check_cache(path)?;
    }
    // Nothing is made for nothing.
    let store = match args.dry_run || found.files.is_empty() {
        true => store_to_look_at(context)?,
        false => context.globals.store_for_writing()?,
    };
    let mut importer = Importer { args, context, store, tally: Tally::default() };
    importer.all(found)?;
    importer.finish()
}

/// The store as it is; one that is not there is not made, and holds nothing.
pub(super) fn store_to_look_at(context: &Context) -> Outcome<Arc<dyn Store>> {
    match context.globals.store() {
        Err(Failure::Failed(failed)) if failed.error.kind() == ErrorKind::NotFound => {
            Ok(Arc::new(MemoryStore::new()))
        }
        store => store,
    }
}

#[derive(Debug, Default)]
struct Tally {
    /// Sessions that a dry run would have imported, and from where.
    ids: BTreeMap<SessionId, Vec<String>>,
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
    fn all(&mut self, found: Found) -> Outcome<()> {
        for failure in found.failures {
            self.tell_failed(Err(failure))?;
        }
        for (name, error) in &found.passed_over {
            self.tell_skipped(name, error)?;
        }
        let places: Vec<&str> = found.files.iter().map(|file| &*file.place).collect();
        let groups = import::group(&places);
        let files = |group: &Vec<usize>| -> Vec<&FoundFile> {
            group.iter().filter_map(|index| found.files.get(*index)).collect()
        };
        if self.args.id.is_some() {
            // Before the first one is there under the id that another one may want.
            let mut sessions = 0;
            for group in &groups {
                let files = files(group);
                let contents = files.iter().filter_map(|file| contents_of(file).ok());
                let told = self.imported(contents.collect(), true);
                sessions += told.map_or(0, |told| told.sessions.len());
            }
            if sessions > 1 {
                return Err(several());
            }
        }
        for group in &groups {
            let done = self.group(&files(group));
            self.tell_failed(done)?;
        }
        Ok(())
    }

    /// Imports files that belong together, or only looks.
    fn imported(&self, contents: Vec<(String, Vec<u8>)>, dry_run: bool) -> Outcome<ImportedFiles> {
        let mut options = ImportFiles::new(contents);
        options.from = self.args.from.as_deref().and_then(Format::of);
        options.id = self.args.id.clone();
        options.only = self.args.only.clone();
        options.dry_run = dry_run;
        turnkeep::import_files(&*self.store, options).map_err(explained)
    }

    fn group(&mut self, files: &[&FoundFile]) -> Outcome<()> {
        let (mut read, mut contents) = (Vec::new(), Vec::new());
        for file in files {
            match contents_of(file) {
                Ok(content) => {
                    read.push(*file);
                    contents.push(content);
                }
                // The session is whole without it.
                Err(failure) if files.len() > 1 && import::is_beside(&file.shown) => {
                    self.tell_failed(Err(failure))?;
                }
                Err(failure) => return Err(failure),
            }
        }
        let files = &read[..];
        let names: Vec<&str> = files.iter().map(|file| &*file.shown).collect();
        let names = &names[..];
        let is_named = files.iter().any(|file| file.is_named);
        let done = match self.imported(contents, self.args.dry_run) {
            Ok(done) => done,
            Err(Failure::Failed(failed)) if !is_named && is_no_systems(failed.error.kind()) => {
                // The file is named anyway.
                let error = Error::new(failed.error.kind(), failed.error.message());
                return self.tell_skipped(names.first().copied().unwrap_or_default(), &error);
            }
            Err(failure) => {
                return Err(files.iter().fold(failure, |failure, file| file.named(failure)));
            }
        };
        let gave_nothing = done.sessions.is_empty() && done.cache.is_empty();
        let is_fault = |error: &&Error| error.kind() != ErrorKind::NotSupported;
        let fault = done.skipped.iter().map(|skipped| &skipped.error).find(is_fault);
        if let Some(error) = fault {
            // What is left out of a session is not nothing.
            let exit = if gave_nothing { Exit::of(error.kind()) } else { Exit::Partial };
            self.tally.failure.get_or_insert(exit);
        }
        for skipped in &done.skipped {
            let name = names.get(skipped.file).copied().unwrap_or_default();
            self.tell_skipped(name, &skipped.error)?;
        }
        for session in &done.sessions {
            let is_twice = self.args.dry_run
                && self
                    .tally
                    .ids
                    .insert(session.id.clone(), files_of(session, files))
                    .is_some_and(|before| before != files_of(session, files));
            let told = match &session.outcome {
                Ok(Import::WouldImport) if is_twice => Err(exists(&session.id)),
                Ok(Import::Exists(_)) => Err(exists(&session.id)),
                Ok(outcome) => self.tell(*outcome, names, session),
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

    fn tell(&mut self, outcome: Import, names: &[&str], session: &ImportedSession) -> Outcome<()> {
        let from = session.format.name();
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
        let fault = match (fault, session.chain.as_ref()) {
            (Some(fault), Some(chain)) => {
                format!("; its own chain: {} lines hold, then {fault}", chain.held)
            }
            (None, Some(chain)) => format!("; its own chain: all {} lines hold", chain.held),
            _ => String::new(),
        };
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
        let is_some = imported + already > 0;
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
            Some(_) if is_some => Exit::Partial,
            Some(exit) => exit,
        })
    }
}

/// Whether a file belongs to no earlier system: it is foreign, or turnkeep's own.
fn is_no_systems(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::BadEntry | ErrorKind::NotSupported)
}

/// The same error, with what to do about files that are not imported.
fn explained(error: Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(error);
    match kind {
        ErrorKind::NotSupported => failure.with_hint(
            "`turnkeep copy` copies sessions from store to store: name its folder with --store.",
        ),
        // Of such a file nobody knows what was recorded: it is no integrity failure.
        ErrorKind::BadEntry => failure.ending_with(Exit::Failure).with_hint(
            "Name the system that wrote it with --from, or check that the file is whole. A bundle is \
             for `turnkeep unbundle`.",
        ),
        ErrorKind::InvalidArgument => several(),
        _ => failure,
    }
}

fn contents_of(file: &FoundFile) -> Outcome<(String, Vec<u8>)> {
    Ok((file.name(), read_file(file)?))
}

fn several() -> Failure {
    Failure::usage("--as names one session, and there are several")
        .with_hint("`--only ID` takes one of them.")
}

/// The files that a session is in.
fn files_of(session: &ImportedSession, files: &[&FoundFile]) -> Vec<String> {
    let place = |index: &usize| files.get(*index).map(|file| file.place.clone());
    session.files.iter().filter_map(place).collect()
}

fn exists(id: &SessionId) -> Failure {
    let error = Error::new(ErrorKind::AlreadyExists, "there is another session of that id");
    let id_text = visible(id.as_str()).into_owned();
    Failure::from(error.in_session(id)).with_hint(format!(
        "It stays as it is. `turnkeep import FILE --only {id_text} --as OTHER-ID` imports the new one \
         under another id."
    ))
}
