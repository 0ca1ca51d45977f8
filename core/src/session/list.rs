//! Which sessions there are.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Form, Task};
use crate::store::{Key, Part};
use crate::{Result, SessionId};

/// Some of a store's sessions.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Sessions {
    /// In order of their encoded ids.
    pub sessions: Vec<Listed>,
    /// Where to go on, where more may follow.
    pub next: Option<Key>,
}

/// What a listing tells of a session, without opening it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: SessionId,
    /// Live or archived.
    pub form: Form,
    /// Bytes it takes in the store.
    pub stored_bytes: u64,
    /// When it was last written, in milliseconds since 1970, where the store knows.
    pub modified_ms: Option<u64>,
}

/// Lists sessions whose encoded id starts with `prefix`, page by page: `limit` objects a page, from
/// after `after` on. Objects that are no session's are left out.
#[must_use]
pub fn list(prefix: impl Into<String>, after: Option<Key>, limit: u32) -> Task<Sessions> {
    let prefix = prefix.into();
    Task::new(async move |io: crate::task::Io| -> Result<Sessions> {
        let mut before = after.as_ref().and_then(form_of).map(|(id, _)| id);
        let listing = io.list(&prefix, after, limit.max(1)).await?;
        let last = listing.objects.last().map(|(key, _)| key.clone());
        let listed = listing.objects.into_iter().filter_map(|(key, info)| {
            let (id, form) = form_of(&key)?;
            // An archive beside its log is what an interrupted archiving left: the log holds.
            if before.replace(id.clone()).as_ref() == Some(&id) {
                return None;
            }
            let (stored_bytes, modified_ms) = (info.bytes, info.modified_ms);
            Some(Listed { id, form, stored_bytes, modified_ms })
        });
        Ok(Sessions { sessions: listed.collect(), next: last.filter(|_| listing.more) })
    })
}

/// Whose log or archive that is; `None` for other objects.
fn form_of(key: &Key) -> Option<(SessionId, Form)> {
    let (id, part) = key.session()?;
    match part {
        Part::Log => Some((id, Form::Live)),
        Part::Archive => Some((id, Form::Archived)),
        _ => None,
    }
}
