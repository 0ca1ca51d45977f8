//! The trace: events beside the log, for whoever looks for what happened. Best effort.

use alloc::format;
use alloc::string::String;

use super::{Session, Task};
use crate::json::Members;
use crate::store::{After, Durability, Key, Part};
use crate::{ErrorKind, Result};

/// Adds an event (any JSON) to a session's trace, with the time and the entry it was at. It never
/// changes the session; a failure tells that this event is lost, nothing else.
#[must_use]
pub fn trace(session: &Session, event: String) -> Task<()> {
    let (id, head) = (session.id().clone(), session.head());
    Task::new(async move |io| -> Result<()> {
        // Checked as what it becomes: a member of an object on one line.
        let now_ms = io.stamp(0).await?.now_ms;
        let seq = head.map_or("null".into(), |head| format!("{}", head.seq));
        let line = format!("\"ts\":{now_ms},\"seq\":{seq},\"event\":{event}}}");
        Members::default().scan(&line)?;
        let key = Key::of(&id, Part::Trace);
        let end = match io.info(&key).await {
            Ok(info) => info.bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error.in_session(&id)),
        };
        // An event that was cut off by a crash stays on a line of its own.
        let is_torn = end > 0 && io.get(&key, Some(end - 1..end)).await?.bytes != b"\n";
        let line = format!("{}{{{line}\n", if is_torn { "\n" } else { "" });
        let appended = io.append(&key, line.into_bytes(), After::new(end, 0), Durability::Os).await;
        appended.map(|_| ()).map_err(|error| error.in_session(&id))
    })
}
