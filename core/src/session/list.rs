//! Which sessions there are.

use alloc::string::String;
use alloc::vec::Vec;

use super::about::read_about;
use super::append::each_line;
use super::inventory::{Held, inventory};
use super::range::Range;
use super::read::read_page;
use super::source::archive_info;
use super::tier::is_claimed;
use super::{Form, Task};
use crate::item::text;
use crate::limits::{LISTED_TITLE_BYTES, LISTED_TITLE_ENTRIES, LISTED_TITLE_WINDOW};
use crate::store::{Info, Key, Part};
use crate::task::Io;
use crate::{Entry, Kind, Result, SessionId};

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

impl Listed {
    fn new(id: SessionId, form: Form, info: &Info) -> Self {
        Self { id, form, stored_bytes: info.bytes, modified_ms: info.modified_ms }
    }
}

/// Lists sessions whose encoded id starts with `prefix`, page by page: `limit` objects a page, from
/// after `after` on. Objects that are no session's are left out.
#[must_use]
pub fn list(prefix: impl Into<String>, after: Option<Key>, limit: u32) -> Task<Sessions> {
    let prefix = prefix.into();
    Task::new(async move |io: Io| list_page(&io, &prefix, after, limit).await)
}

async fn list_page(io: &Io, prefix: &str, after: Option<Key>, limit: u32) -> Result<Sessions> {
    let mut before = after.as_ref().and_then(form_of).map(|(id, _)| id);
    let listing = io.list(prefix, after, limit.max(1)).await?;
    let last = listing.objects.last().map(|(key, _)| key.clone());
    let next = last.filter(|_| listing.more);
    let mut sessions = Vec::<Listed>::new();
    for (key, info) in listing.objects {
        let Some((id, form)) = form_of(&key) else { continue };
        if form == Form::Live && is_claimed(io, &key, &info).await? {
            continue;
        }
        if before.as_ref() != Some(&id) {
            before = Some(id.clone());
            sessions.push(Listed::new(id, form, &info));
        } else if let Some(live) = sessions.last_mut().filter(|live| live.id == id) {
            // Its archive: the log goes on after it, or an interrupted archiving left it.
            live.stored_bytes += info.bytes;
        }
    }
    // The archive that follows the page's last log, or a claim in its place, is on the next page, which
    // takes it for told.
    if let Some((id, Form::Live)) = next.as_ref().and_then(form_of)
        && let Some(archive) = archive_info(io, &id).await?
    {
        match sessions.last_mut().filter(|live| live.id == id) {
            Some(live) => live.stored_bytes += archive.bytes,
            None => sessions.push(Listed::new(id, Form::Archived, &archive)),
        }
    }
    Ok(Sessions { sessions, next })
}

/// Some of a store's sessions, the last written first.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RecentSessions {
    /// The last written first.
    pub sessions: Vec<Recent>,
    /// Where to go on, where more follow.
    pub next: Option<(u64, SessionId)>,
}

/// What is told of a session in a list for people.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recent {
    /// What the listing tells.
    pub listed: Listed,
    /// Its title: the one that was set, or the start of what the user said first.
    pub title: Option<String>,
    /// What sort of session it is, where that was set.
    pub kind: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Lists sessions, the last written first, those with `tag` where one is given: `limit` a page, from
/// after `after` on. Asks the store for every object's name, and looks into the sessions of the page
/// only (with a tag: at every session's tags).
#[must_use]
pub fn recent(
    after: Option<(u64, SessionId)>,
    limit: u32,
    tag: Option<String>,
) -> Task<RecentSessions> {
    Task::new(async move |io: Io| -> Result<RecentSessions> {
        let mut all = all_sessions(&io).await?;
        all.sort_by(|one, other| rank(other).cmp(&rank(one)));
        if let Some((modified, id)) = &after {
            all.retain(|listed| rank(listed) < (*modified, id));
        }
        let mut page = RecentSessions::default();
        for listed in all {
            if page.sessions.len() == limit.max(1) as usize {
                let last = page.sessions.last().map(|last| &last.listed);
                page.next = last.map(|last| (rank(last).0, last.id.clone()));
                break;
            }
            let about = read_about(&io, &listed.id).await.unwrap_or_default();
            if tag.as_ref().is_some_and(|tag| !about.tags.contains(tag)) {
                continue;
            }
            let title = match about.title {
                Some(title) => Some(title),
                None => first_words(&io, &listed).await,
            };
            page.sessions.push(Recent { listed, title, kind: about.kind, tags: about.tags });
        }
        Ok(page)
    })
}

fn rank(listed: &Listed) -> (u64, &SessionId) {
    (listed.modified_ms.unwrap_or_default(), &listed.id)
}

/// The start of what the user said first, if it stands near the log's start; where it cannot be
/// read there is no title.
async fn first_words(io: &Io, listed: &Listed) -> Option<String> {
    let range = Range::between(0, Some(LISTED_TITLE_ENTRIES)).in_pages_of(LISTED_TITLE_WINDOW);
    let page = read_page(io, &listed.id, range).await.ok()?;
    let mut title = None;
    each_line(&page.lines, &mut |line| {
        let entry = Entry::parse(line)?;
        if title.is_none() && entry.kind() == Kind::UserInput {
            title = Some(text(entry.field("item").unwrap_or_default(), LISTED_TITLE_BYTES));
        }
        Ok(())
    })
    .ok();
    let words = title?.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(words).filter(|words| !words.is_empty())
}

/// Every session of the store, in order of their encoded ids.
pub(super) async fn all_sessions(io: &Io) -> Result<Vec<Listed>> {
    Ok(inventory(io).await?.iter().map(Held::listed).collect())
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
