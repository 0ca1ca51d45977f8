//! `turnkeep fork`

use turnkeep::core::session;
use turnkeep::{At, Error, ErrorKind, Fork, Hash, SessionId, Store, drive};

use crate::exit::Exit;
use crate::json::{Object, head_object, point_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Start a new session with a copy of another's entries
///
/// The other session is not touched, and may be in use.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
    /// The new session; one with an id made from the time where none is given
    #[arg(value_parser = super::session_id)]
    new: Option<SessionId>,
    /// The last entry that is copied: its number, its hash, or the end of a turn [default: the
    /// head]
    #[arg(long, value_name = "SEQ|HASH|turn:N", value_parser = at)]
    at: Option<At>,
}

fn at(text: &str) -> Result<At, String> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let hash = || text.parse::<Hash>().ok().map(At::Hash);
    let seq = || number(text).map(At::Seq);
    match text.strip_prefix("turn:") {
        Some(turn) => number(turn).map(At::Turn),
        None => hash().or_else(seq),
    }
    .ok_or_else(|| "not an entry's number or hash, nor turn: and a number".to_owned())
}

/// The same error; of a session that is there and has no such point, with where its points are seen.
fn explained(error: Error, args: &Args, store: &dyn Store) -> Failure {
    let is_point = error.kind() == ErrorKind::NotFound
        && args.at.is_some()
        && drive(session::open(args.id.clone()), store).is_ok();
    let failure = Failure::from(error);
    if !is_point {
        return failure;
    }
    let id = visible(args.id.as_str());
    failure.with_hint(format!(
        "`turnkeep log {id}` lists the turns that came to their end, `turnkeep cat {id}` the entries."
    ))
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let mut fork = Fork::at(args.at.unwrap_or_default());
    fork.id.clone_from(&args.new);
    let meter = Meter::new(context, "copying", None);
    let metered = Metered::new(&*store, &meter);
    let forked = drive(session::fork(args.id.clone(), fork), &metered)
        .map_err(|error| explained(error, args, &*store))?;
    drop(meter);
    let ancestors = turnkeep::ancestors(&*store, forked.id())?;
    let point = ancestors.into_iter().next().map(|ancestor| ancestor.point);
    if context.globals.json {
        let document = Object::document()
            .put("session", forked.id().as_str())
            .object("forked_from", point.as_ref().map(point_object))
            .object("head", forked.head().map(head_object));
        context.out.json(document)?;
    } else {
        let at =
            point.map_or_else(String::new, |point| format!(" at {} {}", point.seq, point.hash));
        let (id, new) = (visible(args.id.as_str()), visible(forked.id().as_str()));
        context.out.text(&format!("forked {id}{at} into {new}\n"))?;
    }
    Ok(Exit::Ok)
}
