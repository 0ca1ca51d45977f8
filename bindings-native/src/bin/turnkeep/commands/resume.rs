//! `turnkeep resume`

use turnkeep::core::session;
use turnkeep::{OpenCall, SessionId, State, Torn, View, drive};

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, escaped, torn_object};
use crate::output::Context;
use crate::progress::{Meter, Metered};
use crate::report::torn_text;
use crate::visible::visible;

/// Print the history that a resumed session goes on from
///
/// One item a line, as it was appended. Calls of tools that were interrupted have a result that
/// says so, in the shape of their framework; the session is not touched. Where the session stands,
/// and what was closed or left out, is told on stderr.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
    /// Read from the last compaction on: fast, whatever the session's length
    #[arg(long)]
    since_compaction: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    let torn = drive(session::open(args.id.clone()), &*store)?.torn;
    let mut view = View::default();
    view.since_compaction = args.since_compaction;
    let meter = Meter::new(context, "reading", None);
    let metered = Metered::new(&*store, &meter);
    let state = drive(session::state(args.id.clone(), view), &metered)?;
    drop(meter);
    let open = state.open_calls();
    let state = state.with_calls_closed();
    if context.globals.json {
        context.out.json(document(&args.id, &state, &open, torn))?;
    } else {
        for item in &state.history {
            context.out.text(&escaped(&item.item))?;
        }
        context.out.flush()?;
        tell(&state, &open, torn, context);
    }
    Ok(Exit::Ok)
}

fn document(id: &SessionId, state: &State, open: &[OpenCall], torn: Option<Torn>) -> Object {
    let call = |call: &OpenCall| {
        let object = Object::new().put("seq", call.seq).put("call_id", call.call_id.as_str());
        object.put("name", call.name.as_str())
    };
    Object::document()
        .put("session", id.as_str())
        .put("since", state.since)
        .list("closed", open.iter().map(call))
        .object("torn", torn.map(torn_object))
        .json("state", &state.to_json())
}

fn tell(state: &State, open: &[OpenCall], torn: Option<Torn>, context: &Context) {
    for OpenCall { seq, call_id, name, .. } in open {
        let (name, call_id) = (visible(name), visible(call_id));
        context.note(&format!("closed call {call_id} of {name} (entry {seq})"));
    }
    if let Some(torn) = torn {
        context.note(&format!("left out {}", torn_text(torn)));
    }
    let head = state.head.map_or_else(String::new, |head| format!("entry {}, ", head.seq));
    let run = state.run.as_deref().map_or_else(|| "no run".into(), |run| format!("run {run}"));
    let items = state.history.len();
    let turns = state.turns;
    context.note(&format!("at {head}{items} items, {turns} turns, {}", visible(&run)));
}
