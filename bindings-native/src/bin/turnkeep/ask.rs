//! Asking before something is done that cannot be undone.

use std::io::{IsTerminal, stdin};

use crate::output::write_stderr;
use crate::{Failure, Outcome};

/// Refuses where nobody can be asked.
pub(crate) fn check_askable(verb: &str) -> Outcome<()> {
    if stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(format!("nobody can be asked whether to {verb}"))
        .with_hint(format!("Say --yes to {verb} without being asked.")))
}

/// Asks; anything but yes is no.
pub(crate) fn is_agreed(question: &str) -> Outcome<bool> {
    write_stderr(&format!("{question} for good? [y/N] "));
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(|error| Failure::reading("the answer", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
