//! `turnkeep rm`

use std::io::{IsTerminal, stdin};

use turnkeep::SessionId;

use crate::exit::Exit;
use crate::json::Object;
use crate::output::{Context, write_stderr};
use crate::visible::visible;
use crate::{Failure, Outcome};

/// Delete sessions, with all that is kept beside them
///
/// Asks first; where nobody can be asked, --yes is needed. A session that another writer holds is
/// not deleted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(required = true, value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.store()?;
    if !args.yes && !is_agreed(&args.ids)? {
        context.note("nothing was deleted");
        return Ok(Exit::Failure);
    }
    for (index, id) in args.ids.iter().enumerate() {
        turnkeep::delete(&*store, id).map_err(|error| {
            let failure = Failure::from(error);
            if index > 0 { failure.after_some() } else { failure }
        })?;
        if context.globals.json {
            let document = Object::document().put("session", id.as_str()).put("deleted", true);
            context.out.json(document)?;
        } else {
            context.out.text(&format!("deleted {}\n", visible(id.as_str())))?;
        }
    }
    Ok(Exit::Ok)
}

fn is_agreed(ids: &[SessionId]) -> Outcome<bool> {
    if !stdin().is_terminal() {
        return Err(Failure::usage("nobody can be asked whether to delete")
            .with_hint("Say --yes to delete without being asked."));
    }
    let names: Vec<_> = ids.iter().map(|id| visible(id.as_str())).collect();
    write_stderr(&format!("delete {} for good? [y/N] ", names.join(", ")));
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| Failure::reading("the answer", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
