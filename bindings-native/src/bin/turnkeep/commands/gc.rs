//! `turnkeep gc`

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ValueHint;
use turnkeep::core::session::tier::{Collect, Collected, Layout};
use turnkeep::{Error, ErrorKind, Key, MemoryStore, Tier};

use crate::exit::Exit;
use crate::json::Object;
use crate::location::Location;
use crate::output::Context;
use crate::time::rfc3339;
use crate::units::duration;
use crate::{Failure, Outcome};

const EXAMPLES: &str = "\
Examples:
    turnkeep gc s3://my-bucket/agents --dry-run
    turnkeep gc s3://my-bucket/agents               once a day, or a week";

/// Collect what no session in a bucket needs any more
///
/// Joined segments, deleted forks and interrupted flushes leave such objects. A run notes what is
/// unused; what every note of the grace holds is deleted. Nothing is deleted where a listing cannot
/// be right. Works on s3://BUCKET/PREFIX, and on a folder that holds sessions as a bucket does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// s3://BUCKET/PREFIX, or a folder that holds the same objects
    #[arg(value_hint = ValueHint::AnyPath)]
    target: OsString,
    /// How long an object must have been unused before it is deleted: two hours at least
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    grace: Duration,
    /// Only tell what would be deleted, and note nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let location = Location::parse(&args.target)?;
    let opened = location.open(false)?;
    if opened.layout != Layout::Objects {
        let message = format!("{location} does not hold sessions as a bucket does");
        return Err(Failure::from(Error::new(ErrorKind::NotSupported, message))
            .with_hint("`turnkeep sweep` keeps a store of logs and archives small."));
    }
    let grace_ms = u64::try_from(args.grace.as_millis()).unwrap_or(u64::MAX);
    let options = Collect::default().after(grace_ms);
    let options = if args.dry_run { options.dry_run() } else { options };
    let tier = Tier::open_reading(Arc::new(MemoryStore::new()), opened.store);
    let collected = tier.collect(options)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + args.grace;
    let due_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    if context.globals.json {
        context.out.json(document(&collected, due_ms, args.dry_run))?;
    } else {
        context.out.text(&text(&collected, due_ms, args.dry_run))?;
    }
    Ok(Exit::Ok)
}

fn text(collected: &Collected, due_ms: u64, is_dry: bool) -> String {
    let row = |name: &str, count: u64, bytes: u64| {
        format!("{name:13}{count:>8} {:8} {bytes:>14} bytes\n", "objects")
    };
    let (unused, deleted) = (collected.unused.len() as u64, collected.deleted.len() as u64);
    let gone = if is_dry { "would delete" } else { "deleted" };
    let mut text = format!("{:13}{:>8}\n", "sessions", collected.sessions);
    text += &row("used", collected.used, collected.used_bytes);
    text += &row("unused", unused, collected.unused_bytes);
    text += &row(gone, deleted, collected.deleted_bytes);
    text += &match (unused, is_dry) {
        (0, _) => String::new(),
        (_, false) => format!(
            "what is unused was noted; a run after {} deletes what still is\n",
            rfc3339(due_ms)
        ),
        (_, true) => "what is unused would be noted, and deleted after the grace\n".to_owned(),
    };
    text
}

fn document(collected: &Collected, due_ms: u64, is_dry: bool) -> Object {
    let keys = |keys: &[Key]| keys.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    let is_noted = !is_dry && !collected.unused.is_empty();
    Object::document()
        .put("dry_run", is_dry)
        .put("sessions", collected.sessions)
        .put("used", collected.used)
        .put("used_bytes", collected.used_bytes)
        .put("unused", keys(&collected.unused))
        .put("unused_bytes", collected.unused_bytes)
        .put("deleted", keys(&collected.deleted))
        .put("deleted_bytes", collected.deleted_bytes)
        .put("deletable_after", is_noted.then(|| rfc3339(due_ms)))
}
