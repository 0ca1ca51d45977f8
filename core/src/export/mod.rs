//! A session in other forms: for people, for other programs, for the systems it may go back to.
//!
//! | form | by |
//! |---|---|
//! | the history's items, one on each line | [`messages`] |
//! | Markdown | [`markdown`] |
//! | session-store's hashed lines | [`SessionStore`] |
//! | a thread snapshot of zeitlich's | [`crate::zeitlich::Snapshot`] |

mod markdown;
mod session_store;
#[cfg(test)]
mod tests;

use alloc::string::String;

use crate::State;

pub(crate) use markdown::Page;
pub use markdown::markdown;
pub use session_store::SessionStore;

/// A form that a session can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// [`messages`].
    Messages,
    /// [`markdown`].
    Markdown,
    /// [`SessionStore`].
    SessionStore,
    /// [`crate::zeitlich::Snapshot`], gzipped.
    Zeitlich,
}

impl Form {
    /// Every form there is.
    pub const ALL: [Self; 4] = [Self::Messages, Self::Markdown, Self::SessionStore, Self::Zeitlich];

    /// Its name: `messages`, `markdown`, `session-store`, `zeitlich`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Markdown => "markdown",
            Self::SessionStore => "session-store",
            Self::Zeitlich => "zeitlich",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }
}

/// What a model would be sent: the history's items byte for byte, one on each line.
///
/// ```
/// use turnkeep_core::log::{Draft, Stamp, Writer};
/// use turnkeep_core::{SessionId, State, export};
/// let writer = Writer::create(SessionId::new("demo")?, false);
/// let log = writer.write(&[Draft::user_input("\"Hi\"")], &Stamp::default())?.bytes;
/// assert_eq!(export::messages(&State::fold(&log)?), "\"Hi\"\n");
/// # Ok::<_, turnkeep_core::Error>(())
/// ```
#[must_use]
pub fn messages(state: &State) -> String {
    state.history.iter().flat_map(|item| [&*item.item, "\n"]).collect()
}
