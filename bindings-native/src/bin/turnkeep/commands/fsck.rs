//! `turnkeep fsck`

use std::path::Path;

use turnkeep::core::session::{self, Layout, Listed};
use turnkeep::core::store::Part;
use turnkeep::{Error, ErrorKind, Form, Key, Report, Result, SessionId, Store, drive};

use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::{self, Verdict};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Verify every session of the store
///
/// Tells of each that is not whole, then sums up. Also tells what is no fault: what an interrupted
/// archiving left, archives that turnkeep did not write, sessions that were pruned. Exits with 20 if
/// any is damaged, else with 3 if any could not be read, 22 if any is of a newer format, 21 if any is
/// torn.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check every entry's content too, not only the chains
    #[arg(long)]
    deep: bool,
}

/// Objects a listing asks for at once.
const LIST_LIMIT: u32 = 1000;

/// What was found.
#[derive(Debug, Default)]
struct Tally {
    sessions: u64,
    live: u64,
    archived: u64,
    entries: u64,
    /// Entries whose content is withheld.
    withheld: u64,
    bytes: u64,
    damaged: u64,
    torn: u64,
    newer: u64,
    unreadable: u64,
    /// Archives or entries that stand twice: an archiving was interrupted.
    leftovers: u64,
    /// Archives that turnkeep did not write.
    foreign: u64,
    pruned: u64,
    strangers: u64,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let root = context.globals.folder()?;
    let store = context.globals.file_store()?;
    let sessions = turnkeep::sessions(&*store)?;
    let total = sessions.iter().map(|listed| listed.stored_bytes).sum();
    let meter = Meter::new(context, "verifying", Some(total));
    let metered = Metered::new(&*store, &meter);
    let mut tally = Tally::default();
    for listed in &sessions {
        let report = drive(session::verify(listed.id.clone(), None, args.deep), &metered);
        // Where it cannot be told, or an archive beside the log is none of it, the report says so.
        let layout = drive(session::layout(listed.id.clone()), &*store).unwrap_or_default();
        tally.count(listed, &report, &layout);
        tell(listed, &report, &layout, context)?;
    }
    drop(meter);
    if store.info(&Key::restoring()).is_ok() {
        context.note(
            "a bundle is being restored, or was when it was cut off: `turnkeep unbundle` or the program \
             that did it puts that right",
        );
    }
    for id in without_log(&*store)? {
        tally.count_without_log(&id, &*store, context)?;
    }
    for name in strangers(&root)? {
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
    fn count(&mut self, listed: &Listed, report: &Result<Report>, layout: &Layout) {
        self.sessions += 1;
        self.bytes += listed.stored_bytes;
        match listed.form {
            Form::Archived => self.archived += 1,
            Form::Live | Form::Cold => self.live += 1,
        }
        self.leftovers += u64::from(layout.has_leftover);
        self.foreign += u64::from(layout.is_foreign);
        let Ok(report) = report else {
            self.unreadable += 1;
            return;
        };
        self.entries += report.head.map_or(0, |head| head.seq + 1);
        self.withheld += report.withheld;
        match Verdict::of(report) {
            Verdict::Whole => {}
            Verdict::Torn => self.torn += 1,
            Verdict::Broken => self.damaged += 1,
            Verdict::Newer => self.newer += 1,
        }
    }

    /// Counts what has a record only, and tells what it says.
    fn count_without_log(
        &mut self,
        id: &SessionId,
        store: &dyn Store,
        context: &mut Context,
    ) -> Outcome<()> {
        let (verdict, error) = match drive(session::open(id.clone()), store) {
            Err(error) if error.kind() == ErrorKind::Pruned => ("pruned", error),
            Err(error) if error.kind() != ErrorKind::NotFound => ("unreadable", error),
            _ => return Ok(()),
        };
        let is_pruned = verdict == "pruned";
        *(if is_pruned { &mut self.pruned } else { &mut self.unreadable }) += 1;
        if context.globals.json {
            let document = Object::document().put("session", id.as_str()).put("verdict", verdict);
            return context.out.json(document.object("fault", fault(&error)));
        }
        let text = if is_pruned { error.message().to_owned() } else { error.to_string() };
        let id = visible(id.as_str());
        context.out.text(&format!("{verdict} {id}: {}\n", visible(&text)))
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

    fn rows(&self) -> [(&'static str, u64); 14] {
        [
            ("sessions", self.sessions),
            ("live", self.live),
            ("archived", self.archived),
            ("entries", self.entries),
            ("bytes", self.bytes),
            ("withheld", self.withheld),
            ("damaged", self.damaged),
            ("torn", self.torn),
            ("newer", self.newer),
            ("unreadable", self.unreadable),
            ("leftovers", self.leftovers),
            ("foreign_archives", self.foreign),
            ("pruned", self.pruned),
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

/// A line for a session that is not whole, and for what is worth knowing of any.
fn tell(
    listed: &Listed,
    report: &Result<Report>,
    layout: &Layout,
    context: &mut Context,
) -> Outcome<()> {
    let is_whole = matches!(report, Ok(report) if Verdict::of(report) == Verdict::Whole);
    if context.globals.json {
        let is_worth_it = !is_whole || layout.has_leftover || layout.is_foreign;
        let document = || object(listed, report, layout);
        return if is_worth_it { context.out.json(document()) } else { Ok(()) };
    }
    let id = visible(listed.id.as_str());
    if !is_whole {
        let (name, style, problem) = match report {
            Ok(report) => {
                let verdict = Verdict::of(report);
                (verdict.name(), verdict.style(), report::problem(report))
            }
            Err(error) => {
                ("unreadable", Verdict::Broken.style(), visible(&error.to_string()).into())
            }
        };
        let name = context.out.styled(style, name);
        context.out.text(&format!("{name} {id}: {problem}\n"))?;
    }
    if layout.has_leftover {
        let what = "what an interrupted archiving left; archive it to put that right";
        context.out.text(&format!("leftover {id}: {what}\n"))?;
    }
    if layout.is_foreign {
        let what = "an archive that turnkeep did not write; it is read from its start";
        context.out.text(&format!("foreign {id}: {what}\n"))?;
    }
    Ok(())
}

fn object(listed: &Listed, report: &Result<Report>, layout: &Layout) -> Object {
    let object = Object::document().put("session", listed.id.as_str());
    let object = match report {
        Ok(report) => report::members(object, report),
        Err(error) => object.put("verdict", "unreadable").object("fault", fault(error)),
    };
    object.put("leftover", layout.has_leftover).put("foreign_archive", layout.is_foreign)
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

fn is_ours(name: &str) -> bool {
    Key::parse(name)
        .is_ok_and(|key| key.session().is_some() || key == Key::sweep() || key.imported().is_some())
}

/// Sessions of which there is a record of archiving or pruning, and neither log nor archive.
fn without_log(store: &dyn Store) -> Outcome<Vec<SessionId>> {
    let mut found: Vec<SessionId> = Vec::new();
    let mut with_log = None;
    let mut after = None;
    loop {
        let listing = store.list("", after.as_ref(), LIST_LIMIT)?;
        after = listing.objects.last().map(|(key, _)| key.clone()).filter(|_| listing.more);
        for (id, part) in listing.objects.iter().filter_map(|(key, _)| key.session()) {
            match part {
                Part::Log | Part::Archive => with_log = Some(id),
                Part::Retention if with_log.as_ref() != Some(&id) => found.push(id),
                _ => {}
            }
        }
        if after.is_none() {
            return Ok(found);
        }
    }
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
            } else if !is_ours(&name) {
                found.push(name);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}
