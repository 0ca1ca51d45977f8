//! `turnkeep rm`

use turnkeep::SessionId;

use super::each::each;
use crate::Outcome;
use crate::ask::{check_askable, is_agreed};
use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;
use crate::visible::visible;

/// Delete sessions, with all that is kept beside them
///
/// Asks first; where nobody can be asked, --yes is needed. A session that another writer holds is
/// not deleted. What fails is told, and the others go on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(required = true, value_parser = super::session_id)]
    ids: Vec<SessionId>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    if !args.yes {
        check_askable("delete")?;
        let names: Vec<_> = args.ids.iter().map(|id| visible(id.as_str())).collect();
        if !is_agreed(&format!("delete {}", names.join(", ")))? {
            context.note("nothing was deleted");
            return Ok(Exit::Failure);
        }
    }
    each(&args.ids, context, |id, context| {
        turnkeep::delete(&*store, id)?;
        if context.globals.json {
            let document = Object::document().put("session", id.as_str()).put("deleted", true);
            return context.out.json(document);
        }
        context.out.text(&format!("deleted {}\n", visible(id.as_str())))
    })
}
