//! `turnkeep restore`

use turnkeep::SessionId;
use turnkeep::core::session;

use crate::Outcome;
use crate::exit::Exit;
use crate::output::Context;

/// Make an archived session live again, byte for byte as it was
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    super::archive::convert(&args.id, "live", session::restore(args.id.clone()), context)
}
