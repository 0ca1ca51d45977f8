//! `turnkeep incomplete`

use std::time::{SystemTime, UNIX_EPOCH};

use turnkeep::recovery::{Owner, find_incomplete};
use turnkeep::{Error, Incomplete, Key};

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::output::Context;
use crate::time::rfc3339;
use crate::visible::visible;

/// List the sessions that were not completed, the latest first
///
/// Of each: whether it is running, crashed or abandoned, its id, the age of its recovery record,
/// messages, cost, project directory, process. Only sessions that a program tracks have a record:
/// what `turnkeep append` alone wrote is not among them. Exits with 20 if records are damaged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &mut Context) -> Outcome<Exit> {
    let found = find_incomplete(&*context.globals.file_store()?)?;
    let is_whole = found.damaged.is_empty();
    if context.globals.json {
        let document = Object::document()
            .list("sessions", found.sessions.iter().map(object))
            .list("damaged", found.damaged.iter().map(damaged));
        context.out.json(document)?;
    } else {
        for incomplete in &found.sessions {
            context.out.text(&line(incomplete))?;
        }
        for (key, error) in &found.damaged {
            let (key, error) = (visible(key.as_str()), error.to_string());
            context.out.text(&format!("damaged    {key}: {}\n", visible(&error)))?;
        }
        if found.sessions.is_empty() && is_whole {
            context.note("no session that a program tracks is incomplete");
        }
        if !is_whole {
            context.note("the logs are not affected; `turnkeep verify ID` checks one");
        }
    }
    Ok(if is_whole { Exit::Ok } else { Exit::Integrity })
}

fn object(incomplete: &Incomplete) -> Object {
    let record = &incomplete.record;
    let owner = |owner: &Owner| {
        let object = Object::new().put("pid", owner.pid).put("host", owner.host.as_str());
        object.put("start", owner.start.as_str())
    };
    Object::new()
        .put("session", record.session.as_str())
        .put("status", incomplete.status.name())
        .put("time", rfc3339(record.snapshot_ms))
        .put("messages", record.message_count)
        .put("cost_usd", record.cost_usd())
        .put("project_dir", record.project_dir.as_str())
        .put("run", record.run.as_deref())
        .object("owner", record.owner.as_ref().map(owner))
}

fn damaged((key, error): &(Key, Error)) -> Object {
    let id = key.session().map(|(id, _)| id.as_str().to_owned());
    let fault = error_object(error, error.kind().hint());
    Object::new().put("session", id).put("key", key.as_str()).object("fault", fault)
}

fn line(incomplete: &Incomplete) -> String {
    let record = &incomplete.record;
    let (status, id) = (incomplete.status.name(), visible(record.session.as_str()));
    let (age, messages) = (age(record.snapshot_ms), record.message_count);
    let owner = record.owner.as_ref().map(|Owner { pid, host, .. }| format!("  {pid}@{host}"));
    let place = format!("{}{}", record.project_dir, owner.unwrap_or_default());
    let cost = record.cost_usd();
    format!("{status:9}  {id}  {age:>4}  {messages} messages  ${cost:.4}  {}\n", visible(&place))
}

/// How long ago that was, in the largest unit that fits.
fn age(ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = now.saturating_sub(ms / 1000);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
