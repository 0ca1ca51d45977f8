//! Several sessions, one after the other.

use turnkeep::SessionId;

use crate::exit::Exit;
use crate::output::Context;
use crate::{Failure, Outcome};

/// Does something with each session. What fails is told, and the others go on: a partial result
/// where some of it was done, else what the first failure says.
pub(super) fn each(
    ids: &[SessionId],
    context: &mut Context,
    mut work: impl FnMut(&SessionId, &mut Context) -> Outcome<()>,
) -> Outcome<Exit> {
    let mut failure = None;
    let mut failed = 0;
    for id in ids {
        match work(id, context) {
            Err(Failure::Failed(told)) => {
                context.out.flush().map_err(Failure::after_some)?;
                context.tell(&told);
                failure.get_or_insert(told.exit);
                failed += 1;
            }
            done => done?,
        }
    }
    Ok(match failure {
        None => Exit::Ok,
        Some(exit) if failed == ids.len() => exit,
        Some(_) => Exit::Partial,
    })
}
