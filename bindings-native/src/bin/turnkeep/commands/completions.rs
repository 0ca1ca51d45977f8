//! `turnkeep completions`

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::Outcome;
use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Context;

/// Write a shell's completion script to stdout
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "turnkeep", &mut script);
    context.out.raw(&script)?;
    Ok(Exit::Ok)
}
