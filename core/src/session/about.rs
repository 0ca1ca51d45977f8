//! Title, kind and tags: kept beside the log, because they say how someone sees a session, not what
//! happened in it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Task;
use super::edit::quoted;
use super::open::open_session;
use crate::entry::utf8;
use crate::field;
use crate::json::Object;
use crate::limits::{ABOUT_BYTES_MAX, TAGS_MAX};
use crate::store::{Condition, Key, Part};
use crate::task::Io;
use crate::{Error, ErrorKind, Result, SessionId};

/// A session's title, kind and tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// What it is called.
    pub title: Option<String>,
    /// What sort of session it is, in the application's words (`agent`, `subagent`).
    pub kind: Option<String>,
    /// Words to find it by, sorted, each once.
    pub tags: Vec<String>,
}

impl About {
    /// A title and tags.
    #[must_use]
    pub fn new(title: Option<String>, tags: Vec<String>) -> Self {
        Self { title, kind: None, tags }
    }

    /// The same, of that sort.
    #[must_use]
    pub fn with_kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }
}

/// A session's title, kind and tags, as far as they were set.
#[must_use]
pub fn about(id: SessionId) -> Task<About> {
    Task::new(async move |io| read_about(&io, &id).await.map_err(|error| error.in_session(&id)))
}

/// Sets a session's title, kind and tags, in the place of those it had.
#[must_use]
pub fn set_about(id: SessionId, about: About) -> Task<()> {
    Task::new(async move |io| {
        let set = async {
            let json = to_json(about)?;
            open_session(&io, &id).await?;
            io.put(&Key::of(&id, Part::About), json.into_bytes(), Condition::Any).await
        };
        set.await.map(|_| ()).map_err(|error: Error| error.in_session(&id))
    })
}

pub(super) async fn read_about(io: &Io, id: &SessionId) -> Result<About> {
    let key = Key::of(id, Part::About);
    match io.get(&key, Some(0..ABOUT_BYTES_MAX as u64 + 1)).await {
        Ok(object) => from_json(&object.bytes).map_err(|error| error.at_key(&key)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(About::default()),
        Err(error) => Err(error),
    }
}

pub(super) fn to_json(mut about: About) -> Result<String> {
    about.tags.sort_unstable();
    about.tags.dedup();
    let tags: Vec<String> = about.tags.iter().map(|tag| quoted(tag)).collect();
    let text = |text: &Option<String>| text.as_deref().map_or("null".into(), quoted);
    let (title, kind, tags) = (text(&about.title), text(&about.kind), tags.join(","));
    let json = format!("{{\"version\":1,\"title\":{title},\"kind\":{kind},\"tags\":[{tags}]}}\n");
    if about.tags.len() > TAGS_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "a session has at most 64 tags"));
    }
    if json.len() > ABOUT_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "title, kind and tags have at most 16 KiB"));
    }
    Ok(json)
}

fn from_json(json: &[u8]) -> Result<About> {
    let bad = || Error::new(ErrorKind::BadEntry, "not a record of title, kind and tags");
    if json.len() > ABOUT_BYTES_MAX {
        return Err(bad());
    }
    let object = Object::of(utf8(json)?.trim_end_matches('\n')).ok_or_else(bad)?;
    if object.get("version").and_then(field::count).is_some_and(|version| version > 1) {
        let message = "the record of title, kind and tags has a newer version than 1";
        return Err(Error::new(ErrorKind::UnsupportedVersion, message));
    }
    let tag = |tag: &str| field::text(tag).map(|tag| tag.into_owned());
    let tags = object.elements("tags").into_iter().filter_map(tag).collect();
    let text = |name| object.text(name).map(|text| text.into_owned());
    Ok(About { title: text("title"), kind: text("kind"), tags })
}
