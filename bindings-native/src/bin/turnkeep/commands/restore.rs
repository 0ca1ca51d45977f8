//! `turnkeep restore`

use turnkeep::SessionId;
use turnkeep::core::session;

use super::archive::{Words, convert};
use crate::Outcome;
use crate::exit::Exit;
use crate::output::Context;

/// Make archived sessions live again, each byte for byte as it was
///
/// Not needed to read or append: archived sessions take both as they are. What fails is told, and
/// the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(required = true, value_parser = super::session_id)]
    ids: Vec<SessionId>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let words = Words { doing: "restoring", form: "live" };
    convert(&args.ids, &words, session::restore, context)
}
