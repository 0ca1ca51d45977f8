//! The command line.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::commands::{
    append, archive, bundle, cat, compact, completions, copy, du, export, fork, fsck, gc, import,
    incomplete, log, ls, prune, pull, push, repair, restore, resume, rm, show, sweep, unbundle,
    verify, view,
};
use crate::exit;

const EXAMPLES: &str = "\
Examples:
    echo '{\"kind\":\"user_input\",\"item\":\"Hi\"}' | turnkeep append demo
    turnkeep cat demo --last 3
    turnkeep resume demo --since-compaction
    turnkeep fork demo other --at turn:2
    turnkeep verify demo --head 15:HASH
    turnkeep cat demo --raw | turnkeep verify -
    turnkeep sweep --inactive 7d --max-bytes 2GiB --dry-run
    turnkeep view demo
    turnkeep export demo --to markdown -o demo.md
    turnkeep push s3://my-bucket/agents
    turnkeep bundle agents.bundle
    turnkeep cat demo --store s3://my-bucket/agents";

/// Keeps AI agents' sessions: one append-only, hash-chained log per session.
#[derive(Debug, Parser)]
#[command(
    name = "turnkeep",
    version,
    arg_required_else_help = true,
    after_help = format!("{EXAMPLES}\n\n{}", exit::TABLE)
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Where the sessions are: a folder, redis://HOST:PORT, or for reading s3://BUCKET/PREFIX
    /// [env: TURNKEEP_STORE] [default: $XDG_DATA_HOME/turnkeep/sessions, which is
    /// ~/.local/share/turnkeep/sessions unless set]
    #[arg(long, global = true, value_name = "STORE", value_hint = ValueHint::AnyPath)]
    pub(crate) store: Option<OsString>,
    /// Write JSON: one document, or one a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour; NO_COLOR is heeded
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Say nothing beside results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Append(append::Args),
    Ls(ls::Args),
    Show(show::Args),
    Cat(cat::Args),
    Verify(verify::Args),
    Archive(archive::Args),
    Restore(restore::Args),
    Sweep(sweep::Args),
    Prune(prune::Args),
    Du(du::Args),
    Fsck(fsck::Args),
    Resume(resume::Args),
    Log(log::Args),
    Fork(fork::Args),
    Compact(compact::Args),
    Incomplete(incomplete::Args),
    Repair(repair::Args),
    Rm(rm::Args),
    Push(push::Args),
    Pull(pull::Args),
    Copy(copy::Args),
    View(view::Args),
    Export(export::Args),
    Import(import::Args),
    Gc(gc::Args),
    Bundle(bundle::Args),
    Unbundle(unbundle::Args),
    Completions(completions::Args),
    /// Tell the versions of the command and of the format
    Version,
}

impl Command {
    /// Whether it does more than to tell.
    pub(crate) fn changes_something(&self) -> bool {
        matches!(
            self,
            Self::Append(_)
                | Self::Archive(_)
                | Self::Restore(_)
                | Self::Sweep(_)
                | Self::Prune(_)
                | Self::Fork(_)
                | Self::Compact(_)
                | Self::Repair(_)
                | Self::Rm(_)
                | Self::Import(_)
                | Self::Push(_)
                | Self::Pull(_)
                | Self::Copy(_)
                | Self::Gc(_)
                | Self::Bundle(_)
                | Self::Unbundle(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_makes_sense() {
        super::Cli::command().debug_assert();
    }
}
