//! `turnkeep compact`

use std::fs;

use serde_json::Value;
use serde_json::value::RawValue;
use turnkeep::{Compact, Create, Session, SessionId};

use crate::exit::Exit;
use crate::json::{Object, head_object};
use crate::output::Context;
use crate::report::torn_text;
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Replace a session's history by a summary
///
/// The log keeps every entry; what changes is what a resumed session goes on from.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
    /// What stands for the items that go: text, which becomes a message of the user; an item's
    /// JSON object; or a JSON array of items
    #[arg(long, value_name = "TEXT|@FILE")]
    summary: String,
    /// How many of the last items stay
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep_last: u64,
    /// Leave the session as it is, and create this one with the new history
    #[arg(long, value_name = "NEW", value_parser = super::session_id)]
    into: Option<SessionId>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let compact = Compact::new(items(&summary(&args.summary)?), args.keep_last);
    let store = context.globals.file_store()?;
    let session = match &args.into {
        Some(new) => {
            let options = Create::default().with_id(new.clone());
            Session::create_compacted(store, &args.id, compact, options)?
        }
        None => {
            let session = Session::open(store, &args.id)?;
            if let Some(torn) = session.compact(compact)?.recovered {
                context.note(&format!("cut off {}", torn_text(torn)));
            }
            session
        }
    };
    if context.globals.json {
        let document = Object::document()
            .put("session", session.id().as_str())
            .put("compacted_from", args.into.as_ref().map(|_| args.id.as_str()))
            .object("head", session.head().map(head_object));
        context.out.json(document)?;
    } else {
        let id = visible(args.id.as_str());
        let into = args.into.as_ref().map(|new| format!(" into {}", visible(new.as_str())));
        let head = session.head().map(|head| format!(": head {} {}", head.seq, head.hash));
        let (into, head) = (into.unwrap_or_default(), head.unwrap_or_default());
        context.out.text(&format!("compacted {id}{into}{head}\n"))?;
    }
    Ok(Exit::Ok)
}

fn summary(summary: &str) -> Outcome<String> {
    match summary.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|error| Failure::reading(path, &error)),
        None => Ok(summary.to_owned()),
    }
}

/// The items of a summary. White space between their tokens may hold line breaks, which a log's
/// lines cannot.
fn items(text: &str) -> Vec<String> {
    let on_one_line = |json: &RawValue| json.get().replace(['\n', '\r'], " ");
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return items.into_iter().map(on_one_line).collect();
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(item) if item.get().starts_with('{') => vec![on_one_line(item)],
        _ => vec![format!(r#"{{"role":"user","content":{}}}"#, Value::from(text.trim_end()))],
    }
}
