//! `turnkeep du`

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use turnkeep::core::session;
use turnkeep::retention::{SessionUsage, UsedBytes, usage};
use turnkeep::{Error, ErrorKind, SessionId, Store, drive};

use super::each::each;
use crate::exit::Exit;
use crate::json::{Object, form_name};
use crate::output::Context;
use crate::time::rfc3339;
use crate::units::{duration, human};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Tell the room that sessions take, the largest first, and all of them together
///
/// Of each: bytes of its log, of its archive, of what is beside them (title and tags, records,
/// trace), and what of its log a sweep would archive, which leaves about a fourth.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these
    #[arg(value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Count the logs as reclaimable that were not written to for that long
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    inactive: Duration,
    /// Exact bytes on a terminal too
    #[arg(long)]
    bytes: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let usage = usage(&*store, args.inactive)?;
    let mut sessions = usage.sessions;
    let mut total = usage.total;
    let mut exit = Exit::Ok;
    if !args.ids.is_empty() {
        sessions.retain(|session| args.ids.contains(&session.id));
        total = UsedBytes::default();
        sessions.iter().for_each(|session| add(&mut total, session.bytes));
        exit = each(&args.ids, context, |id, _| check_there(id, &sessions, &*store))?;
    }
    sessions.sort_by_key(|session| std::cmp::Reverse(all(session.bytes)));
    if context.globals.json {
        context.out.json(document(&sessions, total))?;
        return Ok(exit);
    }
    let is_exact = args.bytes || !stdout().is_terminal();
    let table = table(&sessions, total, is_exact);
    context.out.text(&table)?;
    Ok(exit)
}

/// Says what became of a session that takes no room.
fn check_there(id: &SessionId, sessions: &[SessionUsage], store: &dyn Store) -> Outcome<()> {
    if sessions.iter().any(|session| session.id == *id) {
        return Ok(());
    }
    drive(session::open(id.clone()), store)?;
    let message = "the session appeared just now";
    Err(Failure::from(Error::new(ErrorKind::Conflict, message).in_session(id)))
}

fn add(total: &mut UsedBytes, bytes: UsedBytes) {
    total.live += bytes.live;
    total.archived += bytes.archived;
    total.beside += bytes.beside;
    total.reclaimable += bytes.reclaimable;
}

fn all(bytes: UsedBytes) -> u64 {
    bytes.live + bytes.archived + bytes.beside
}

const COLUMNS: [&str; 5] = ["all", "live", "archived", "beside", "reclaimable"];

fn columns(bytes: UsedBytes) -> [u64; 5] {
    [all(bytes), bytes.live, bytes.archived, bytes.beside, bytes.reclaimable]
}

fn table(sessions: &[SessionUsage], total: UsedBytes, is_exact: bool) -> String {
    let row = |cells: [String; 5], name: &str| {
        format!("{}  {name}\n", cells.map(|cell| format!("{cell:>12}")).join("  "))
    };
    let number = |bytes: u64| if is_exact { bytes.to_string() } else { human(bytes) };
    let numbers = |bytes| columns(bytes).map(number);
    let mut table = row(COLUMNS.map(str::to_owned), "session");
    for session in sessions {
        table.push_str(&row(numbers(session.bytes), &visible(session.id.as_str())));
    }
    table + &row(numbers(total), "(total)")
}

fn document(sessions: &[SessionUsage], total: UsedBytes) -> Object {
    let bytes = |object: Object, bytes| {
        let columns = COLUMNS.into_iter().zip(columns(bytes));
        columns.fold(object, |object, (name, bytes)| object.put(&format!("{name}_bytes"), bytes))
    };
    let sessions = sessions.iter().map(|session| {
        let object = Object::new()
            .put("session", session.id.as_str())
            .put("form", form_name(session.form))
            .put("modified", session.modified_ms.map(rfc3339));
        bytes(object, session.bytes)
    });
    Object::document().list("sessions", sessions).object("total", bytes(Object::new(), total))
}
