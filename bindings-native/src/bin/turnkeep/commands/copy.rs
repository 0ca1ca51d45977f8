//! `turnkeep copy`

use std::ffi::OsString;

use clap::ValueHint;

use super::transfer::{self, Which, Words};
use crate::Outcome;
use crate::exit::Exit;
use crate::location::Location;
use crate::output::Context;

const EXAMPLES: &str = "\
Examples:
    turnkeep copy redis://127.0.0.1:6379 ./backup
    turnkeep copy s3://my-bucket/agents s3://other-bucket/agents demo";

/// Copy what is new in the sessions of any store into any other
///
/// As push and pull do, between two stores that are named.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A folder, s3://BUCKET/PREFIX or redis://HOST:PORT
    #[arg(value_hint = ValueHint::AnyPath)]
    source: OsString,
    /// Likewise
    #[arg(value_hint = ValueHint::AnyPath)]
    target: OsString,
    #[command(flatten)]
    which: Which,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let stores = (Location::parse(&args.source)?, Location::parse(&args.target)?);
    let words = Words { to_do: "copy", doing: "copying", done: "copied" };
    transfer::run((&stores.0, &stores.1), &args.which, &words, context)
}
