//! `turnkeep fsck`

use std::path::Path;

use turnkeep::core::session::{self, Listed};
use turnkeep::core::store::Part;
use turnkeep::{Error, FileStore, Form, Key, Report, Result, Store, drive};

use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::{self, Verdict};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Verify every session of the store
///
/// Tells of each that is not whole, then sums up. Exits with 20 if any is damaged, else with 3 if
/// any could not be read, 22 if any is of a newer format, 21 if any is torn.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check every entry's content too, not only the chains
    #[arg(long)]
    deep: bool,
}

/// What was found.
#[derive(Debug, Default)]
struct Tally {
    sessions: u64,
    live: u64,
    archived: u64,
    entries: u64,
    bytes: u64,
    damaged: u64,
    torn: u64,
    newer: u64,
    unreadable: u64,
    /// Archives of sessions that are live: an archiving was interrupted.
    leftovers: u64,
    strangers: u64,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    let sessions = turnkeep::sessions(&*store)?;
    let total = sessions.iter().map(|listed| listed.stored_bytes).sum();
    let meter = Meter::new(context, "verifying", Some(total));
    let metered = Metered { store: &*store, meter: &meter };
    let mut tally = Tally::default();
    for listed in &sessions {
        let report = drive(session::verify(listed.id.clone(), None, args.deep), &metered);
        tally.count(listed, &report, &store);
        tell(listed, &report, context)?;
    }
    drop(meter);
    for name in strangers(&context.globals.store_root()?)? {
        tally.strangers += 1;
        tell_stranger(&name, context)?;
    }
    if context.globals.json {
        context.out.json(Object::document().object("summary", tally.object()))?;
    } else {
        context.out.text(&tally.text())?;
    }
    Ok(tally.exit())
}

impl Tally {
    fn count(&mut self, listed: &Listed, report: &Result<Report>, store: &FileStore) {
        self.sessions += 1;
        self.bytes += listed.stored_bytes;
        match listed.form {
            Form::Archived => self.archived += 1,
            Form::Live => {
                self.live += 1;
                let archive = store.info(&Key::of(&listed.id, Part::Archive));
                self.leftovers += u64::from(archive.is_ok());
            }
        }
        let Ok(report) = report else {
            self.unreadable += 1;
            return;
        };
        self.entries += report.head.map_or(0, |head| head.seq + 1);
        match Verdict::of(report) {
            Verdict::Whole => {}
            Verdict::Torn => self.torn += 1,
            Verdict::Broken => self.damaged += 1,
            Verdict::Newer => self.newer += 1,
        }
    }

    fn exit(&self) -> Exit {
        let found = [
            (self.damaged, Exit::Integrity),
            (self.unreadable, Exit::Partial),
            (self.newer, Exit::Newer),
            (self.torn, Exit::Torn),
        ];
        found.into_iter().find(|(count, _)| *count > 0).map_or(Exit::Ok, |(_, exit)| exit)
    }

    fn rows(&self) -> [(&'static str, u64); 11] {
        [
            ("sessions", self.sessions),
            ("live", self.live),
            ("archived", self.archived),
            ("entries", self.entries),
            ("bytes", self.bytes),
            ("damaged", self.damaged),
            ("torn", self.torn),
            ("newer", self.newer),
            ("unreadable", self.unreadable),
            ("leftover_archives", self.leftovers),
            ("other_files", self.strangers),
        ]
    }

    fn object(&self) -> Object {
        self.rows().into_iter().fold(Object::new(), |object, (name, count)| object.put(name, count))
    }

    fn text(&self) -> String {
        let rows = self.rows().map(|(name, count)| format!("{count} {}", name.replace('_', " ")));
        format!("{}\n", rows.join(", "))
    }
}

/// A line for a session that is not whole.
fn tell(listed: &Listed, report: &Result<Report>, context: &mut Context) -> Outcome<()> {
    let (name, style, problem) = match report {
        Ok(report) => match Verdict::of(report) {
            Verdict::Whole => return Ok(()),
            verdict => (verdict.name(), verdict.style(), report::problem(report)),
        },
        Err(error) => ("unreadable", Verdict::Broken.style(), visible(&error.to_string()).into()),
    };
    if context.globals.json {
        return context.out.json(object(listed, report));
    }
    let name = context.out.styled(style, name);
    let id = visible(listed.id.as_str());
    context.out.text(&format!("{name} {id}: {problem}\n"))
}

fn object(listed: &Listed, report: &Result<Report>) -> Object {
    let object = Object::document().put("session", listed.id.as_str());
    match report {
        Ok(report) => report::members(object, report),
        Err(error) => object.put("verdict", "unreadable").object("fault", fault(error)),
    }
}

fn fault(error: &Error) -> Object {
    error_object(error, error.kind().hint())
}

fn tell_stranger(name: &str, context: &mut Context) -> Outcome<()> {
    if context.globals.json {
        let document = Object::document().put("file", name).put("verdict", "no_session");
        return context.out.json(document);
    }
    context.out.text(&format!("no session's: {}\n", visible(name)))
}

/// Files in the store that are no session's. Those whose names start with a dot are its own.
fn strangers(root: &Path) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, parent)) = folders.pop() {
        let cannot = |error| Failure::reading(&folder.display().to_string(), &error);
        for entry in std::fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let name = format!("{parent}{}", entry.file_name().to_string_lossy());
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type().map_err(cannot)?.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if Key::parse(name.as_str()).ok().and_then(|key| key.session()).is_none() {
                found.push(name);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}
