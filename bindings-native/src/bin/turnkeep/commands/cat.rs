//! `turnkeep cat`

use std::path::PathBuf;

use anstyle::Style;
use turnkeep::core::ErrorClass;
use turnkeep::core::session::{self, Page};
use turnkeep::{Entry, Error, ErrorKind, Head, Range, drive};

use crate::content::content;
use crate::exit::Exit;
use crate::json::Object;
use crate::output::{Context, Output};
use crate::progress::Meter;
use crate::report::torn_text;
use crate::stream;
use crate::target::{Source, TargetArgs};
use crate::time::rfc3339;
use crate::visible::{block, visible};
use crate::{Failure, Outcome};

/// Print a session's entries
///
/// For people: a header and the content of each entry, with nothing in it that acts on a terminal.
/// With --json: one document a line, {"schema_version":1,"seq":…,"time":…,"entry":{…}}, where entry
/// is the log's line. Only what is printed is read and verified. Of a damaged log, what holds is
/// printed. Any gzip file of a log's lines is read, of several members too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Only the last entries, that many
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "to"])]
    last: Option<u64>,
    /// From this entry on
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Up to this entry
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// The log's lines, byte for byte
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// What the file holds, whatever that is, unverified: of a gzip file what it inflates to, unless
    /// that is more than 1 MiB and more than 200 times its length
    #[arg(long, conflicts_with_all = ["json", "raw", "last", "from", "to"])]
    inflate: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    if args.from.zip(args.to).is_some_and(|(from, to)| from > to) {
        return Err(Failure::usage("--from is after --to"));
    }
    let target = args.target.target()?;
    let source = target.source(&context.globals)?;
    let meter = Meter::new(context, "reading", None);
    if args.inflate {
        return inflate(&source, &meter, &mut context.out);
    }
    let mut printer = Printer { form: args.form(context), out: &mut context.out, next: None };
    let printed = pages(&source, args.range(), &mut printer);
    match printed {
        Err(Failure::Failed(failed)) if is_damage(&failed.error) && !source.files.is_empty() => {
            salvage(&source, args, &mut printer, &meter)?;
        }
        printed => printed.map_err(|failure| args.target.explain(failure))?,
    }
    drop(meter);
    note_torn(&source, context);
    Ok(Exit::Ok)
}

/// What was not printed because it never became part of the log.
fn note_torn(source: &Source, context: &Context) {
    let session = drive(session::open(source.id.clone()), &*source.store).ok();
    if let Some(torn) = session.and_then(|session| session.torn) {
        context.note(&format!("left out {}", torn_text(torn)));
    }
}

impl Args {
    fn range(&self) -> Range {
        match self.last {
            Some(count) => Range::last(count),
            None => Range::between(self.from.unwrap_or(0), self.to),
        }
    }

    /// First and last entry to print of a log with that head.
    fn bounds(&self, head: Head) -> (u64, u64) {
        match self.last {
            Some(count) => ((head.seq + 1).saturating_sub(count), head.seq),
            None => (self.from.unwrap_or(0), self.to.unwrap_or(head.seq).min(head.seq)),
        }
    }

    fn form(&self, context: &Context) -> PrintForm {
        match (self.raw, context.globals.json) {
            (true, _) => PrintForm::Raw,
            (_, true) => PrintForm::Json,
            _ => PrintForm::Human,
        }
    }
}

/// Prints page by page: reads no more than that.
fn pages(source: &Source, mut range: Range, printer: &mut Printer<'_>) -> Outcome<()> {
    loop {
        let page = drive(session::read(source.id.clone(), range.clone()), &*source.store)?;
        printer.page(&page)?;
        match page.next {
            Some(cursor) => range = range.after(cursor),
            None => return Ok(()),
        }
    }
}

/// Bytes that cannot be read by ranges, but maybe from their start: damage, or gzip of others.
fn is_damage(error: &Error) -> bool {
    error.kind().class() == ErrorClass::Data && error.kind() != ErrorKind::UnsupportedVersion
}

/// Prints what files hold, as it is.
fn inflate(source: &Source, meter: &Meter, out: &mut Output) -> Outcome<Exit> {
    for path in files(source)? {
        let printed = stream::each_piece(&path, meter, |bytes| out.raw(bytes));
        printed.map_err(|failure| match &failure {
            Failure::Failed(failed) if failed.error.kind() == ErrorKind::OutputLimit => {
                failure.with_hint("If you trust the file, `gzip -dc` inflates it without a bound.")
            }
            _ => failure,
        })?;
    }
    Ok(Exit::Ok)
}

/// The files that make up the session. An archive beside a log that holds everything is none.
fn files(source: &Source) -> Outcome<Vec<PathBuf>> {
    let mut files = source.files.clone();
    if files.is_empty() {
        // Says what became of it.
        drive(session::open(source.id.clone()), &*source.store)?;
        let message = "the session is not kept in files of this machine";
        return Err(Error::new(ErrorKind::NotSupported, message).into());
    }
    if files.len() > 1 {
        let layout = drive(session::layout(source.id.clone()), &*source.store);
        if layout.is_ok_and(|layout| !layout.has_tail) {
            files.remove(0);
        }
    }
    Ok(files)
}

/// Prints what holds, reading from end to end: once to see how far that is, once to print.
fn salvage(source: &Source, args: &Args, printer: &mut Printer<'_>, meter: &Meter) -> Outcome<()> {
    let files = files(source)?;
    let report = stream::verify_files(&files, meter, |_| Ok(()))?;
    let is_any = report.head.is_some();
    let mut failure = report.fault.map(Failure::from).map(|failure| match &failure {
        Failure::Failed(failed) if !is_any && is_no_log(&failed.error) => failure.with_hint(
            "If it was never a log of turnkeep's: `turnkeep cat --inflate` prints what it holds.",
        ),
        _ => failure,
    });
    if let Some(head) = report.head {
        let (from, to) = args.bounds(head);
        let from = printer.next.unwrap_or(from);
        let mut print = |seq, line: &[u8]| match printer.line(seq, line) {
            Ok(()) => Ok(()),
            Err(stop) => {
                failure = Some(stop);
                Err(Error::new(ErrorKind::StoreFailed, "stop"))
            }
        };
        stream::verify_files(&files, &Meter::silent(), |verified| {
            if (from..=to).contains(&verified.seq) {
                print(verified.seq, verified.line)
            } else {
                Ok(())
            }
        })?;
    }
    failure.map_or(Ok(()), Err)
}

/// What is wrong with the first line of anything else.
fn is_no_log(error: &Error) -> bool {
    use ErrorKind as Kind;
    matches!(error.kind(), Kind::BadLine | Kind::EmptyLog | Kind::InvalidUtf8 | Kind::LineTooLong)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PrintForm {
    Human,
    Json,
    Raw,
}

struct Printer<'a> {
    form: PrintForm,
    out: &'a mut Output,
    /// Number of the entry after the last printed one.
    next: Option<u64>,
}

impl Printer<'_> {
    fn page(&mut self, page: &Page) -> Outcome<()> {
        let lines = page.lines.split_inclusive(|byte| *byte == b'\n');
        for (line, seq) in lines.zip(page.first_seq..) {
            self.line(seq, &line[..line.len() - 1])?;
        }
        Ok(())
    }

    /// Prints an entry, given its line without `\n`.
    fn line(&mut self, seq: u64, line: &[u8]) -> Outcome<()> {
        match self.form {
            PrintForm::Raw => {
                self.out.raw(line)?;
                self.out.raw(b"\n")?;
            }
            PrintForm::Json => self.out.json(object(seq, line)?)?,
            PrintForm::Human => {
                let entry = parse(seq, line)?;
                let header = self.header(seq, &entry);
                self.out.text(&header)?;
                self.out.text(&block(&content(line, &entry)))?;
            }
        }
        self.next = Some(seq + 1);
        Ok(())
    }

    fn header(&self, seq: u64, entry: &Entry<'_>) -> String {
        let time = entry.ts().map_or_else(|| "-".to_owned(), rfc3339);
        let kind = self.out.styled(Style::new().bold(), entry.kind_name());
        let known = ["id", "parent"].map(|name| match entry.text(name) {
            Some(id) if entry.field("item").is_some() => format!("  {name} {}", visible(&id)),
            _ => String::new(),
        });
        format!("#{seq}  {time}  {kind}{}\n", known.concat())
    }
}

fn object(seq: u64, line: &[u8]) -> Outcome<Object> {
    let entry = parse(seq, line)?;
    let text = str::from_utf8(line).unwrap_or("null");
    let object = Object::document().put("seq", seq).put("time", entry.ts().map(rfc3339));
    Ok(object.json("entry", text))
}

fn parse(seq: u64, line: &[u8]) -> Outcome<Entry<'_>> {
    let placed = |error: Error| {
        error.at(|place| {
            place.seq = Some(seq);
            place.line = Some(seq + 1);
        })
    };
    Ok(Entry::parse(line).map_err(placed)?)
}
