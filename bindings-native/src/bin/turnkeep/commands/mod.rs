//! The commands, a file each.

pub(crate) mod append;
pub(crate) mod archive;
pub(crate) mod bundle;
pub(crate) mod cat;
pub(crate) mod compact;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod du;
mod each;
pub(crate) mod export;
pub(crate) mod fork;
pub(crate) mod fsck;
pub(crate) mod gc;
mod graph;
mod html;
pub(crate) mod import;
pub(crate) mod incomplete;
pub(crate) mod log;
pub(crate) mod ls;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod repair;
pub(crate) mod restore;
pub(crate) mod resume;
pub(crate) mod rm;
pub(crate) mod show;
pub(crate) mod sweep;
mod transfer;
pub(crate) mod unbundle;
pub(crate) mod verify;
pub(crate) mod version;
pub(crate) mod view;

use turnkeep::SessionId;

use crate::Outcome;
use crate::args::Command;
use crate::exit::Exit;
use crate::output::Context;

/// Carries out a command.
pub(crate) fn run(command: &Command, context: &mut Context) -> Outcome<Exit> {
    match command {
        Command::Append(args) => append::run(args, context),
        Command::Ls(args) => ls::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Cat(args) => cat::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Archive(args) => archive::run(args, context),
        Command::Restore(args) => restore::run(args, context),
        Command::Sweep(args) => sweep::run(args, context),
        Command::Prune(args) => prune::run(args, context),
        Command::Du(args) => du::run(args, context),
        Command::Fsck(args) => fsck::run(args, context),
        Command::Resume(args) => resume::run(args, context),
        Command::Log(args) => log::run(args, context),
        Command::Fork(args) => fork::run(args, context),
        Command::Compact(args) => compact::run(args, context),
        Command::Incomplete(args) => incomplete::run(args, context),
        Command::Repair(args) => repair::run(args, context),
        Command::Rm(args) => rm::run(args, context),
        Command::Push(args) => push::run(args, context),
        Command::Pull(args) => pull::run(args, context),
        Command::Copy(args) => copy::run(args, context),
        Command::Bundle(args) => bundle::run(args, context),
        Command::Unbundle(args) => unbundle::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::View(args) => view::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Gc(args) => gc::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Version => version::run(context),
    }
}

/// Reads an id from the command line.
fn session_id(id: &str) -> Result<SessionId, String> {
    SessionId::new(id).map_err(|error| error.to_string())
}
