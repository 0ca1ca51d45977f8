//! `turnkeep import`

mod files;

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueHint;
use clap::builder::PossibleValuesParser;
use turnkeep::core::cache::CacheEntry;
use turnkeep::core::import::{self, File, Format, Imported};
use turnkeep::core::session::{self, Import, Origin, OriginFile};
use turnkeep::core::sha256;
use turnkeep::core::store::Part;
use turnkeep::{Error, ErrorKind, Head, Key, SessionId, Store, drive};

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
        false => Some(context.globals.store_for_writing()?),
    };
    let mut importer = Importer { args, context, store, tally: Tally::default() };
    for found in &found {
        importer.path(found)?;
    }
    importer.finish()
}

/// The store as it is; one that is not there is not made.
fn store_to_look_at(context: &Context) -> Outcome<Option<Arc<dyn Store>>> {
    match context.globals.store() {
        Err(Failure::Failed(failed)) if failed.error.kind() == ErrorKind::NotFound => Ok(None),
        store => store.map(Some),
    }
}

#[derive(Debug, Default)]
struct Tally {
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
    store: Option<Arc<dyn Store>>,
    tally: Tally,
}

/// Files that are read together.
struct Group<'a> {
    names: Vec<&'a str>,
    contents: Vec<Vec<u8>>,
    format: Format,
}

impl Importer<'_> {
    fn path(&mut self, found: &Found) -> Outcome<()> {
        let names: Vec<&str> = found.files.iter().map(|file| &*file.name).collect();
        for group in import::group(&names) {
            let files: Vec<_> = group.iter().filter_map(|index| found.files.get(*index)).collect();
            let names = files.iter().map(|file| &*file.name).collect();
            let contents: Outcome<Vec<_>> = files.iter().map(|file| read_file(file)).collect();
            let done = contents.and_then(|contents| self.group(names, contents, found.is_folder));
            match done {
                Err(Failure::Failed(failed)) => {
                    self.context.out.flush()?;
                    self.context.tell(&failed);
                    self.tally.failed += 1;
                    self.tally.failure.get_or_insert(failed.exit);
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn group(&mut self, names: Vec<&str>, contents: Vec<Vec<u8>>, in_folder: bool) -> Outcome<()> {
        let file = |(name, bytes)| File { name, bytes };
        let bytes = contents.iter().map(Vec::as_slice);
        let files: Vec<File<'_>> = names.iter().copied().zip(bytes).map(file).collect();
        let first = names.first().copied().unwrap_or_default();
        if let Some(own) = files.iter().find(|file| import::is_own(**file)) {
            let message = "a log or an archive of turnkeep's own needs no import";
            return Err(Failure::from(in_file(
                Error::new(ErrorKind::NotSupported, message),
                own.name,
            ))
            .with_hint(
                "`turnkeep copy` copies sessions from store to store: name its folder with \
                     --store.",
            ));
        }
        let from = self.args.from.as_deref().and_then(Format::of);
        let format = from.or_else(|| files.iter().find_map(|file| import::detect(*file)));
        let Some(format) = format else {
            let message = "no format of an earlier system is recognised in it";
            let error = Error::new(ErrorKind::BadEntry, message);
            if in_folder {
                return self.tell_skipped(first, &error);
            }
            return Err(Failure::from(in_file(error, first)).with_hint(
                "Name the system that wrote it with --from, or check that the file is whole.",
            ));
        };
        let imported = import::read(&files, Some(format)).map_err(|error| in_file(error, first))?;
        self.take(&Group { names, contents, format }, imported)
    }

    fn take(&mut self, group: &Group<'_>, imported: Imported) -> Outcome<()> {
        for skipped in &imported.skipped {
            let name = group.names.get(skipped.file).copied().unwrap_or_default();
            self.tell_skipped(name, &skipped.error)?;
        }
        self.tally.cache.extend(imported.cache);
        let before = self.tally.imported + self.tally.already;
        if self.args.id.is_some() && before + imported.sessions.len() as u64 > 1 {
            return Err(Failure::usage("--as names one session, and there are several"));
        }
        for mut session in imported.sessions {
            if let Some(id) = &self.args.id {
                session.id = id.clone();
            }
            match self.session(group, &session) {
                Err(Failure::Failed(failed)) => {
                    self.context.out.flush()?;
                    self.context.tell(&failed);
                    self.tally.failed += 1;
                    self.tally.failure.get_or_insert(failed.exit);
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn session(&mut self, group: &Group<'_>, session: &import::Session) -> Outcome<()> {
        let origin = group.origin(session);
        if self.args.dry_run {
            return self.compare(group, session);
        }
        let Some(store) = self.store.clone() else { return Ok(()) };
        for index in &session.files {
            let bytes = group.contents.get(*index).cloned().unwrap_or_default();
            drive(session::keep_import(bytes), &*store)?;
        }
        let done = drive(session::import(session.clone(), origin), &*store)?;
        // Others may write to it from now on.
        store.release(&Key::of(&session.id, Part::Log));
        match done {
            Import::Imported(head) => self.tell("imported", group, session, Some(head)),
            Import::AlreadyImported(head) => {
                self.tell("already_imported", group, session, Some(head))
            }
            _ => Err(exists(&session.id)),
        }
    }

    /// What importing would do, as far as it can be told without doing it.
    fn compare(&mut self, group: &Group<'_>, session: &import::Session) -> Outcome<()> {
        let opened =
            self.store.as_ref().map(|store| drive(session::open(session.id.clone()), &**store));
        let outcome = match opened {
            Some(Ok(_)) => "is_there",
            _ => "would_import",
        };
        self.tell(outcome, group, session, None)
    }

    fn tell(
        &mut self,
        outcome: &str,
        group: &Group<'_>,
        session: &import::Session,
        head: Option<Head>,
    ) -> Outcome<()> {
        let is_new = matches!(outcome, "imported" | "would_import");
        *if is_new { &mut self.tally.imported } else { &mut self.tally.already } += 1;
        let fault = session.chain.as_ref().and_then(|chain| chain.fault.as_ref());
        let names: Vec<&str> =
            session.files.iter().filter_map(|index| group.names.get(*index).copied()).collect();
        if self.context.globals.json {
            let document = Object::document()
                .put("session", session.id.as_str())
                .put("outcome", outcome)
                .put("from", group.format.name())
                .put("files", names)
                .put("entries", session.drafts.len())
                .object("head", head.map(head_object))
                .put("chain_held", session.chain.as_ref().map(|chain| chain.held))
                .object("chain_fault", fault.map(|error| error_object(error, error.kind().hint())));
            return self.context.out.json(document);
        }
        let (outcome, id) = (outcome.replace('_', " "), visible(session.id.as_str()));
        let (count, from) = (session.drafts.len(), group.format.name());
        let files = names.join(", ");
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

impl Group<'_> {
    fn origin(&self, session: &import::Session) -> Origin {
        let file = |index: &usize| {
            let (name, bytes) = (self.names.get(*index)?, self.contents.get(*index)?);
            let (sha256, bytes) = (sha256(bytes), bytes.len() as u64);
            Some(OriginFile { name: (*name).to_owned(), sha256, bytes })
        };
        Origin { format: self.format, files: session.files.iter().filter_map(file).collect() }
    }
}

fn exists(id: &SessionId) -> Failure {
    let error = Error::new(ErrorKind::AlreadyExists, "there is another session of that id");
    Failure::from(error.in_session(id))
        .with_hint("It stays as it is. Import the file by itself under another id with --as.")
}

/// The same error, said to concern that file.
fn in_file(error: Error, name: &str) -> Error {
    error.at(|place| _ = place.key.get_or_insert_with(|| name.into()))
}
