//! `turnkeep archive`

use turnkeep::core::session::{self, Archived};
use turnkeep::core::task::Task;
use turnkeep::{SessionId, drive};

use super::each::each;
use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, head_object, torn_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::visible::visible;

/// Compress sessions into archives
///
/// Each log is verified, compressed, read back and verified once more before it is removed. Archived
/// sessions are read like any other, and appended to directly: what comes after is a log beside the
/// archive, and archiving again puts it in. What fails is told, and the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(required = true, value_parser = super::session_id)]
    ids: Vec<SessionId>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let words = Words { doing: "archiving", form: "archived" };
    convert(&args.ids, &words, session::archive, context)
}

/// What is said of an archiving, or of its reverse.
pub(super) struct Words {
    pub(super) doing: &'static str,
    pub(super) form: &'static str,
}

/// Archives sessions, or does the reverse, and tells what was done.
pub(super) fn convert(
    ids: &[SessionId],
    words: &Words,
    task: fn(SessionId) -> Task<Archived>,
    context: &mut Context,
) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    each(ids, context, |id, context| {
        let meter = Meter::new(context, words.doing, None);
        let done = drive(task(id.clone()), &Metered::new(&*store, &meter))?;
        drop(meter);
        tell(id, words.form, &done, context)
    })
}

fn tell(id: &SessionId, form: &str, done: &Archived, context: &mut Context) -> Outcome<()> {
    if context.globals.json {
        context.out.json(object(id, form, done))?;
    } else {
        let (raw, archive, head) = (done.raw_bytes, done.archive_bytes, done.head);
        let bytes = format!("log {raw} bytes, archive {archive} bytes");
        let head = format!("head {} {}", head.seq, head.hash);
        context.out.text(&format!("{form} {}: {bytes}, {head}\n", visible(id.as_str())))?;
    }
    if let Some(torn) = done.torn {
        context.note(&format!("left out {}", torn_text(torn)));
    }
    Ok(())
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
