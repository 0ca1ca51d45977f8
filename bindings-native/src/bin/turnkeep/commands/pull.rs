//! `turnkeep pull`

use std::ffi::OsString;

use clap::ValueHint;

use super::transfer::{self, Which, Words};
use crate::Outcome;
use crate::exit::Exit;
use crate::location::Location;
use crate::output::Context;

const EXAMPLES: &str = "\
Examples:
    turnkeep pull s3://my-bucket/agents demo        all of a session, or what is new in it
    turnkeep pull redis://127.0.0.1:6379            of every session
    turnkeep pull s3://my-bucket/agents --dry-run   what would be copied";

/// Copy what is new in another store's sessions into the store
///
/// The reverse of push. The store is made where it is missing. What was appended here and not there
/// stays.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A folder, s3://BUCKET/PREFIX or redis://HOST:PORT
    #[arg(value_hint = ValueHint::AnyPath)]
    source: OsString,
    #[command(flatten)]
    which: Which,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let stores = (Location::parse(&args.source)?, context.globals.location()?);
    let words = Words { to_do: "pull", doing: "pulling", done: "pulled" };
    transfer::run((&stores.0, &stores.1), &args.which, &words, context)
}
