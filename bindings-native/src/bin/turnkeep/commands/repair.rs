//! `turnkeep repair`

use turnkeep::{LeftOut, Repair, SessionId};

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, error_object, head_object};
use crate::output::Context;
use crate::visible::visible;

/// Save what holds of a damaged session into a new one
///
/// The damaged log is not touched. The new one holds its entries up to the damage, and every later
/// one that is whole by itself; what was left out is listed here and noted in the new session.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_parser = super::session_id)]
    id: SessionId,
    /// The new session; one with an id made from the time where none is given
    #[arg(long, value_name = "NEW", value_parser = super::session_id)]
    into: Option<SessionId>,
    /// Only tell what would be left out
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let repair = turnkeep::repair(&*store, &args.id, args.into.clone(), args.dry_run)?;
    if context.globals.json {
        context.out.json(document(&args.id, &repair))?;
    } else {
        context.out.text(&text(&args.id, &repair))?;
    }
    Ok(Exit::Ok)
}

fn document(id: &SessionId, repair: &Repair) -> Object {
    let left_out = |LeftOut { line, offset, bytes, code }: &LeftOut| {
        let object = Object::new().put("line", *line).put("offset", *offset).put("bytes", *bytes);
        object.put("code", *code)
    };
    let fault = |fault| error_object(fault, fault.kind().hint());
    Object::document()
        .put("session", id.as_str())
        .object("fault", repair.fault.as_ref().map(fault))
        .object("sound", repair.sound.map(head_object))
        .put("saved", repair.saved)
        .list("left_out", repair.left_out.iter().map(left_out))
        .put("repaired", repair.session.as_ref().map(|session| session.id().as_str()))
}

fn text(id: &SessionId, repair: &Repair) -> String {
    let id = visible(id.as_str());
    let Some(fault) = &repair.fault else {
        return format!("nothing to repair: {id} is whole\n");
    };
    let mut text = format!("damaged: {}\n", visible(&fault.to_string()));
    for LeftOut { line, offset, bytes, code } in &repair.left_out {
        text.push_str(&format!("left out: line {line}, {bytes} bytes from {offset} on: {code}\n"));
    }
    let sound = repair.sound.map_or(0, |sound| sound.seq + 1);
    let saved = format!("{sound} entries before the damage, {} after it", repair.saved);
    text.push_str(&match &repair.session {
        Some(new) => format!("repaired {id} into {}: {saved}\n", visible(new.id().as_str())),
        None => format!("can be saved of {id}: {saved}\n"),
    });
    text
}
