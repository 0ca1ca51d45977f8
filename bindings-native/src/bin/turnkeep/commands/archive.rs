//! `turnkeep archive`

use turnkeep::core::session::{self, Archived};
use turnkeep::core::task::Task;
use turnkeep::{SessionId, drive};

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, head_object, torn_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::visible::visible;

/// Compress a session into an archive
///
/// The log is verified, compressed, read back and verified once more before it is removed.
/// Archived sessions are read like any other; to append, unarchive them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    convert(&args.id, "archived", session::archive(args.id.clone()), context)
}

/// Carries out an archiving or its reverse, and tells what it did.
pub(super) fn convert(
    id: &SessionId,
    form: &'static str,
    task: Task<Archived>,
    context: &mut Context,
) -> Outcome<Exit> {
    let store = context.globals.store()?;
    let meter = Meter::new(context, "reading", None);
    let done = drive(task, &Metered { store: &*store, meter: &meter })?;
    drop(meter);
    if context.globals.json {
        context.out.json(object(id, form, &done))?;
    } else {
        let (raw, archive, head) = (done.raw_bytes, done.archive_bytes, done.head);
        let bytes = format!("log {raw} bytes, archive {archive} bytes");
        let head = format!("head {} {}", head.seq, head.hash);
        context.out.text(&format!("{form} {}: {bytes}, {head}\n", visible(id.as_str())))?;
    }
    if let Some(torn) = done.torn {
        context.note(&format!("left out {}", torn_text(torn)));
    }
    Ok(Exit::Ok)
}

fn object(id: &SessionId, form: &str, done: &Archived) -> Object {
    Object::document()
        .put("session", id.as_str())
        .put("form", form)
        .object("head", head_object(done.head))
        .put("raw_bytes", done.raw_bytes)
        .put("archive_bytes", done.archive_bytes)
        .object("torn", done.torn.map(torn_object))
}
