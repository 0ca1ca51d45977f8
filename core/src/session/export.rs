//! Writing a session in another form.

use alloc::vec::Vec;

use super::Task;
use super::about::read_about;
use super::append::each_line;
use super::range::Range;
use super::read::read_page;
use super::state::folded;
use crate::export::{Form, SessionStore, markdown, messages};
use crate::task::Io;
use crate::zeitlich::Snapshot;
use crate::{Result, SessionId};

/// A session in another form. Its log is verified; what it holds after its last whole entry is left
/// out.
#[must_use]
pub fn export(id: SessionId, form: Form) -> Task<Vec<u8>> {
    Task::new(async move |io| exported(&io, &id, form).await.map_err(|error| error.in_session(&id)))
}

async fn exported(io: &Io, id: &SessionId, form: Form) -> Result<Vec<u8>> {
    Ok(match form {
        Form::Messages => messages(&folded(io, id).await?).into_bytes(),
        Form::Markdown => markdown(&folded(io, id).await?, &read_about(io, id).await?).into_bytes(),
        Form::Zeitlich => Snapshot::of(&folded(io, id).await?).write(true),
        Form::SessionStore => session_store(io, id).await?,
    })
}

/// Page by page, as they are read and verified.
async fn session_store(io: &Io, id: &SessionId) -> Result<Vec<u8>> {
    let (mut export, mut lines) = (SessionStore::default(), Vec::new());
    let mut range = Range::between(0, None);
    loop {
        let page = read_page(io, id, range.clone()).await?;
        each_line(&page.lines, &mut |line| export.push(line, &mut lines))?;
        match page.next {
            Some(cursor) => range = range.after(cursor),
            None => return Ok(lines),
        }
    }
}
