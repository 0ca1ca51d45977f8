//! The command `turnkeep`: sessions on the command line.
//!
//! | here | is |
//! |---|---|
//! | [`args`] | what the command line says |
//! | [`commands`] | a file for each command |
//! | [`output`], [`json`], [`visible`], [`time`], [`units`] | what is written, for people and programs |
//! | [`ask`], [`signal`] | what people say while a command runs |
//! | [`exit`], [`failure`] | how a command ends, and what is told of it |
//! | [`store`], [`location`], [`remote`], [`target`], [`file_object`], [`stream`], [`spooled`], [`sealed`] | where sessions are read from |
//! | [`page`], [`serve`], [`browser`] | the page that shows them, and how a browser gets it |

mod args;
mod ask;
mod browser;
mod commands;
mod content;
mod exit;
mod failure;
mod file_object;
mod input;
mod json;
mod location;
mod output;
mod page;
mod progress;
mod remote;
mod report;
mod sealed;
mod serve;
mod signal;
mod spooled;
mod store;
mod stream;
mod target;
mod time;
mod units;
mod visible;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use turnkeep::{Error, ErrorKind};

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::{Failed, Failure, Outcome};
use crate::output::Context;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli).into(),
        Err(error) => refuse(&error).into(),
    }
}

fn run(cli: Cli) -> Exit {
    let mut context = Context::new(cli.globals);
    let outcome = commands::run(&cli.command, &mut context);
    // What was written before a failure is worth as much. What was done stays so, heard of or not.
    let is_done = cli.command.changes_something();
    let heard = |failure: Failure| if is_done { failure.after_some() } else { failure };
    let flushed = context.out.flush().map_err(heard);
    match outcome.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit,
        Err(Failure::Closed) => Exit::Ok,
        Err(Failure::Failed(failed)) => tell(&context, &failed),
    }
}

fn tell(context: &Context, failed: &Failed) -> Exit {
    context.tell(failed);
    failed.exit
}

/// Help and version are asked for; anything else that clap says is wrong usage.
fn refuse(error: &clap::Error) -> Exit {
    let is_json = std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if error.use_stderr() && is_json {
        let text = error.to_string();
        let message = text.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let failure = Failure::from(Error::new(ErrorKind::InvalidArgument, message));
        if let Failure::Failed(failed) = failure.with_hint("`turnkeep help` lists the commands.") {
            output::write_stderr(&failed.json().line());
        }
    } else {
        let printed = error.print().and_then(|()| io::stdout().flush());
        if let (Err(failed), false) = (&printed, error.use_stderr()) {
            return unwritten(failed, is_json);
        }
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}

/// Help or version could not be written.
fn unwritten(error: &io::Error, is_json: bool) -> Exit {
    let Failure::Failed(failed) = Failure::output(error) else { return Exit::Ok };
    match is_json {
        true => output::write_stderr(&failed.json().line()),
        false => output::write_stderr(&format!("turnkeep: {}\n", failed.text())),
    }
    failed.exit
}
