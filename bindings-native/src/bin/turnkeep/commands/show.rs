//! `turnkeep show`

use turnkeep::core::session::{self, Summary};
use turnkeep::{SessionId, drive};

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, form_name, head_object, torn_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::time::rfc3339;
use crate::visible::visible;

/// Verify a session and sum it up
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    let meter = Meter::new(context, "reading", None);
    let metered = Metered::new(&*store, &meter);
    let summary = drive(session::summary(args.id.clone()), &metered)?;
    drop(meter);
    if context.globals.json {
        context.out.json(object(&summary))?;
    } else {
        context.out.text(&text(&summary))?;
    }
    Ok(Exit::Ok)
}

fn object(summary: &Summary) -> Object {
    let kinds =
        summary.kinds.iter().fold(Object::new(), |kinds, (kind, count)| kinds.put(kind, *count));
    Object::document()
        .put("session", summary.id.as_str())
        .put("form", form_name(summary.form))
        .object("head", head_object(summary.head))
        .put("entries", summary.head.seq + 1)
        .object("kinds", kinds)
        .put("first_time", summary.times.map(|(first, _)| rfc3339(first)))
        .put("last_time", summary.times.map(|(_, last)| rfc3339(last)))
        .put("stored_bytes", summary.stored_bytes)
        .put("raw_bytes", summary.head.bytes)
        .put("withheld", summary.withheld)
        .object("torn", summary.torn.map(torn_object))
}

fn text(summary: &Summary) -> String {
    let kinds: Vec<_> =
        summary.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let times = summary.times.map_or_else(
        || "unknown".to_owned(),
        |(first, last)| format!("{} to {}", rfc3339(first), rfc3339(last)),
    );
    let rows = [
        ("session", visible(summary.id.as_str()).into_owned()),
        ("form", form_name(summary.form).to_owned()),
        ("head", format!("{} {}", summary.head.seq, summary.head.hash)),
        ("entries", format!("{} ({})", summary.head.seq + 1, kinds.join(", "))),
        ("times", times),
        ("stored", format!("{} bytes", summary.stored_bytes)),
        ("raw", format!("{} bytes", summary.head.bytes)),
        ("withheld", summary.withheld.to_string()),
        ("torn", summary.torn.map_or_else(|| "no".to_owned(), torn_text)),
    ];
    rows.map(|(name, value)| format!("{name:9}{value}\n")).concat()
}
