//! `turnkeep version`

use crate::Outcome;
use crate::exit::Exit;
use crate::json::Object;
use crate::output::Context;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(context: &mut Context) -> Outcome<Exit> {
    let format = turnkeep::core::FORMAT_VERSION;
    if context.globals.json {
        let object = Object::document()
            .put("name", "turnkeep")
            .put("version", VERSION)
            .put("format", format);
        context.out.json(object)?;
    } else {
        context.out.text(&format!("turnkeep {VERSION} (format {format})\n"))?;
    }
    Ok(Exit::Ok)
}
