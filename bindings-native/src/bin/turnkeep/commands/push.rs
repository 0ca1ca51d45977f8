//! `turnkeep push`

use std::ffi::OsString;

use clap::ValueHint;

use super::transfer::{self, Which, Words};
use crate::Outcome;
use crate::exit::Exit;
use crate::location::Location;
use crate::output::Context;

const EXAMPLES: &str = "\
Examples:
    turnkeep push s3://my-bucket/agents             what is new in every session
    turnkeep push s3://my-bucket/agents demo        in this one
    turnkeep push redis://127.0.0.1:6379 --dry-run  what would be copied

S3 takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL
and, for http://, AWS_ALLOW_HTTP=true; or the role of the machine or container.";

/// Copy what is new in the store's sessions into another store
///
/// What is copied is verified. The store stays as it is. Copying again adds what is missing, also
/// after it was interrupted. A session that fails is told, and the others go on; one that has other
/// entries there is a conflict, and nothing of it is copied.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A folder, s3://BUCKET/PREFIX or redis://HOST:PORT
    #[arg(value_hint = ValueHint::AnyPath)]
    target: OsString,
    #[command(flatten)]
    which: Which,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let stores = (context.globals.location()?, Location::parse(&args.target)?);
    let words = Words { to_do: "push", doing: "pushing", done: "pushed" };
    transfer::run((&stores.0, &stores.1), &args.which, &words, context)
}
