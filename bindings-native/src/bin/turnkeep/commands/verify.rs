//! `turnkeep verify`

use std::fs::File;
use std::path::Path;

use turnkeep::core::log::Expectation;
use turnkeep::core::session::{self, FileVerifier};
use turnkeep::core::store::Part;
use turnkeep::{Hash, Key, Report, SessionId, drive};

use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::{self, Verdict};
use crate::stream;
use crate::target::{Target, TargetArgs};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Verify the chain of a session, of a file, or of standard input (-) from end to end
///
/// Exits with 0 where everything holds, 20 where something does not, 21 where only an unfinished
/// write follows the head, 22 for a newer format.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// An entry that must be there, noted down before: this alone shows that the end was not cut
    /// off
    #[arg(long, value_name = "SEQ:HASH", value_parser = parse_head)]
    head: Option<(u64, Hash)>,
    /// Check every entry's content too, not only the chain
    #[arg(long)]
    deep: bool,
}

fn parse_head(text: &str) -> Result<(u64, Hash), String> {
    let (seq, hash) = text.split_once(':').ok_or("expected SEQ:HASH")?;
    let seq = seq.parse().map_err(|_| format!("{seq:?} is no entry's number"))?;
    Ok((seq, hash.parse().map_err(|error: turnkeep::Error| error.to_string())?))
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let report = look(args, context).map_err(|failure| args.target.explain(failure))?;
    let verdict = Verdict::of(&report);
    if context.globals.json {
        context.out.json(object(args, &report))?;
    } else {
        let text = text(args, &report, context);
        context.out.text(&text)?;
    }
    Ok(verdict.exit())
}

fn look(args: &Args, context: &Context) -> Outcome<Report> {
    if args.target.is_stdin() {
        let meter = Meter::new(context, "verifying", None);
        let read = stream::verify(std::io::stdin().lock(), verifier(args), &meter, |_| Ok(()));
        return read.map_err(|error| Failure::reading("standard input", &error));
    }
    match args.target.target()? {
        Target::File(path) => look_at_file(args, &path, context),
        Target::Id(id) => look_at_session(args, &id, context),
    }
}

fn look_at_file(args: &Args, path: &Path, context: &Context) -> Outcome<Report> {
    let read = File::open(path).and_then(|file| {
        let total = file.metadata().ok().map(|metadata| metadata.len());
        let meter = Meter::new(context, "verifying", total);
        stream::verify(file, verifier(args), &meter, |_| Ok(()))
    });
    read.map_err(|error| Failure::reading(&path.display().to_string(), &error))
}

fn verifier(args: &Args) -> FileVerifier {
    let verifier = FileVerifier::new(Expectation { session: None, head: args.head });
    if args.deep { verifier.deep() } else { verifier }
}

fn look_at_session(args: &Args, id: &SessionId, context: &Context) -> Outcome<Report> {
    let store = context.globals.store()?;
    let infos = [Part::Log, Part::Archive].map(|part| store.info(&Key::of(id, part)).ok());
    let total = infos.into_iter().flatten().map(|info| info.bytes).sum();
    let meter = Meter::new(context, "verifying", Some(total));
    let metered = Metered::new(&*store, &meter);
    Ok(drive(session::verify(id.clone(), args.head, args.deep), &metered)?)
}

fn object(args: &Args, report: &Report) -> Object {
    let object = Object::document()
        .put("target", args.target.name.to_string_lossy().into_owned())
        .put("session", report.session.as_ref().map(SessionId::as_str))
        .put("deep", args.deep)
        .put("head_was_expected", args.head.is_some());
    report::members(object, report)
}

fn text(args: &Args, report: &Report, context: &Context) -> String {
    let verdict = Verdict::of(report);
    let word = if verdict == Verdict::Whole { "ok" } else { verdict.name() };
    let word = context.out.styled(verdict.style(), word);
    let withheld = report::withheld_text(report);
    let head = report.head.map(|head| format!("head {} {}{withheld}", head.seq, head.hash));
    if let (Verdict::Whole, Some(head)) = (verdict, &head) {
        let truncation = match args.head {
            Some(_) => "",
            None => " (no --head was given: whether entries after it were cut off cannot be shown)",
        };
        return format!("{word} up to {head}{truncation}\n");
    }
    let holds = match head {
        Some(head) => format!("everything up to {head} holds"),
        None => "no batch of entries is whole".to_owned(),
    };
    format!("{word} {}\n{holds}\nnext: {}\n", report::problem(report), next(args, report))
}

/// What to do about it.
fn next(args: &Args, report: &Report) -> String {
    let Some(fault) = report::fault(report) else {
        return turnkeep::ErrorKind::TornTail.hint().to_owned();
    };
    let hint = fault.kind().hint();
    match report.head {
        Some(head) if fault.place().line.is_some() && !args.target.is_stdin() => {
            let name = args.target.name.to_string_lossy();
            let command = format!("turnkeep cat {} --to {} --raw", visible(&name), head.seq);
            format!("{hint} `{command}` copies what holds.")
        }
        _ => hint.to_owned(),
    }
}
