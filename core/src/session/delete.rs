//! Deleting a session.

use super::Task;
use super::archive::check_unheld;
use crate::store::{Condition, Key, Part};
use crate::{Error, ErrorKind, Result, SessionId};

/// Deletes a session and all that is kept beside it, in the cold store behind the store too. `locked` where another writer holds it,
/// `not_found` where there is none. What a crash leaves of it is deleted by doing it again.
#[must_use]
pub fn delete(id: SessionId) -> Task<()> {
    Task::new(async move |io| -> Result<()> {
        // Else the archive before a log would be gone already when the log turns out to stay.
        let unheld = check_unheld(&io, &Key::of(&id, Part::Log)).await;
        unheld.map_err(|error| error.in_session(&id))?;
        // First the cold store is told: what is flushed or hydrated just now hears of it there.
        let buried = super::tier::bury(&io, &id).await;
        let (mut was_there, mut failed) = (buried.map_err(|e| e.in_session(&id))?, None);
        // The log last but for its notes: an archive left alone would be the session again, older.
        let notes = [Part::Recovery, Part::About, Part::Trace, Part::Retention];
        // And both once more: someone may have archived or restored it meanwhile. Who archives it
        // later sees that the record is gone.
        let all = [Part::Archive, Part::Log];
        for part in all.into_iter().chain(notes).chain(all) {
            match io.delete(&Key::of(&id, part), Condition::Any).await {
                Ok(()) => was_there = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // What was begun is ended, as far as it can be.
                Err(error) if was_there => _ = failed.get_or_insert(error),
                Err(error) => return Err(error.in_session(&id)),
            }
        }
        if let Some(error) = failed {
            return Err(error.in_session(&id));
        }
        let missing = || Error::new(ErrorKind::NotFound, "there is no such session");
        was_there.then_some(()).ok_or_else(|| missing().in_session(&id))
    })
}
