//! One error type: what went wrong (a stable code), where, and what to do next.

use alloc::{boxed::Box, string::String};
use core::fmt;

use crate::log::Head;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, where, and whether it may be tried again.
///
/// ```
/// use turnkeep_core::{ErrorKind, SessionId};
/// let error = SessionId::new("").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidId);
/// assert_eq!(error.code(), "invalid_id");
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Place,
    retryable: bool,
    actual: Option<Head>,
}

/// Where an error was met. What is unknown or does not apply is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The session's id.
    pub session: Option<String>,
    /// The key in the store.
    pub key: Option<String>,
    /// The entry's number, counted from 0.
    pub seq: Option<u64>,
    /// The line's number, counted from 1.
    pub line: Option<u64>,
    /// Offset in bytes of the line's start, or of the fault in a file that has no lines.
    pub offset: Option<u64>,
    /// Position in the list of drafts that were to be appended, counted from 0.
    pub draft: Option<u64>,
}

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The call was wrong.
    Misuse,
    /// The bytes are wrong.
    Data,
    /// The store said no, or failed.
    Store,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $code:literal $class:ident $hint:literal,)*) => {
        /// What went wrong. Branch on this (or on [`ErrorKind::code`]), never on a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorKind { $($(#[$doc])* $name,)* }

        impl ErrorKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable `snake_case` code, the same in every host (`docs/format.md` §9).
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Who has to act.
            pub fn class(self) -> ErrorClass {
                match self { $(Self::$name => ErrorClass::$class,)* }
            }

            /// What to do next, in a sentence.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

kinds! {
    /// Not a session id, or not a key.
    InvalidId "invalid_id" Misuse "Use 1 to 128 bytes of UTF-8 without control characters.",
    /// An option or range makes no sense.
    InvalidArgument "invalid_argument" Misuse "Correct the call.",
    /// A payload or body is not JSON.
    BadJson "bad_json" Data "Serialise it as JSON on one line.",
    /// Nested deeper than the limit.
    TooDeep "too_deep" Data "Keep nesting within 64 levels.",
    /// An entry or batch exceeds its limit.
    TooLarge "too_large" Misuse "Keep large content elsewhere, or append smaller batches.",
    /// A member of the envelope or a field stands twice.
    DuplicateKey "duplicate_key" Data "Leave out the second one; the envelope's members are turnkeep's own.",
    /// The envelope or a field is missing, misspelled or of the wrong type.
    BadEntry "bad_entry" Data "Correct what the message names.",
    /// A line exceeds the limit.
    LineTooLong "line_too_long" Data "This is no log of turnkeep's, or it is damaged here.",
    /// Not the shape of a line.
    BadLine "bad_line" Data "Up to the last whole batch before it all is readable; `repair` saves what else is whole.",
    /// A line does not follow the one before it.
    BrokenLink "broken_link" Data "Lines were removed, inserted or moved here, or a hash was changed; up to the last whole batch all is readable, and `repair` saves what else is whole.",
    /// A line is not what was hashed.
    BadHash "bad_hash" Data "This line was changed or damaged; up to the last whole batch all is readable, and `repair` saves what else is whole.",
    /// An entry is not in its position.
    BadSeq "bad_seq" Data "Up to the last whole batch before it all is readable; `repair` saves what else is whole.",
    /// Text is not UTF-8.
    InvalidUtf8 "invalid_utf8" Data "Encode it as UTF-8.",
    /// Not one whole entry.
    EmptyLog "empty_log" Data "Where the log has bytes, `repair` saves what is whole in it; an empty one can be deleted and created anew.",
    /// An unfinished write follows the head.
    TornTail "torn_tail" Data "Everything up to the head is whole; the next append cuts the rest off.",
    /// The log belongs to another session.
    WrongSession "wrong_session" Data "The file was renamed or replaced; look for it under its own id.",
    /// The log does not contain the expected head.
    HeadMismatch "head_mismatch" Data "The log was cut short or rewritten since that head was noted.",
    /// Written by a newer version.
    UnsupportedVersion "unsupported_version" Data "Use a newer turnkeep.",
    /// Not a gzip file.
    NotGzip "not_gzip" Data "Give a .gz file, or read it as a log.",
    /// The gzip file ends early.
    GzipTruncated "gzip_truncated" Data "Copy the file again from its source.",
    /// The gzip file's content is damaged.
    GzipCorrupt "gzip_corrupt" Data "Copy the file again from its source.",
    /// The gzip file's checksum does not match.
    GzipChecksum "gzip_checksum" Data "Copy the file again from its source.",
    /// Bytes follow the gzip file's end.
    TrailingData "trailing_data" Data "Cut off what follows the archive.",
    /// The archive's index is damaged.
    BadIndex "bad_index" Data "The archive can still be read whole, as any gzip file.",
    /// The gzip file has no index.
    NoIndex "no_index" Data "Read it whole, or archive it anew.",
    /// Not a bundle, or a damaged one.
    BadBundle "bad_bundle" Data "Copy the file again from its source; nothing was changed.",
    /// Decompression would exceed its bound.
    OutputLimit "output_limit" Data "Raise the bound if you trust the file.",
    /// No such session or key.
    NotFound "not_found" Store "List the store to see what there is.",
    /// The session was pruned.
    Pruned "pruned" Store "Look for a copy elsewhere; delete the session to use its id again.",
    /// It exists already.
    AlreadyExists "already_exists" Store "Open it, or choose another id.",
    /// Someone else wrote in between.
    Conflict "conflict" Store "Open the session again and decide: append to its new head, or fork.",
    /// Another writer holds the session.
    Locked "locked" Store "Wait until that writer closes the session, or fork it.",
    /// The store cannot do this.
    NotSupported "not_supported" Store "See the message, or use another store.",
    /// An earlier sync failed.
    Poisoned "poisoned" Store "Open the store again and verify the session before writing on.",
    /// What was waited for did not come in time.
    Timeout "timeout" Store "Wait for what the message names, or give it more time.",
    /// The store failed.
    StoreFailed "store_failed" Store "See the message; try again if it says it may pass.",
}

impl Error {
    /// An error of that kind; `message` says what exactly is wrong, without place or advice.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        let place = Place::default();
        Self(Box::new(Inner { kind, message, place, retryable: false, actual: None }))
    }

    /// The kind to branch on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of [`Self::kind`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What exactly is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Whether the same call may succeed later. Only a store's failures are ever retryable.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// After a conflict: the head the log has now, where it is known.
    #[must_use]
    pub fn actual(&self) -> Option<Head> {
        self.0.actual
    }

    /// The same error, said to be worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// The same error with the head that was found instead.
    #[must_use]
    pub fn with_actual(mut self, head: Head) -> Self {
        self.0.actual = Some(head);
        self
    }

    /// The same error, saying more.
    #[must_use]
    pub(crate) fn adding(mut self, more: &str) -> Self {
        self.0.message.push_str(more);
        self
    }

    /// The same error with more of its place known.
    #[must_use]
    pub fn at(mut self, fill: impl FnOnce(&mut Place)) -> Self {
        fill(&mut self.0.place);
        self
    }

    /// The same error, said to concern that key where none is known yet.
    #[must_use]
    pub fn at_key(self, key: &crate::store::Key) -> Self {
        self.at(|place| _ = place.key.get_or_insert_with(|| key.as_str().into()))
    }

    /// The same error, said to concern that session where none is known yet.
    #[must_use]
    pub fn in_session(self, id: &crate::SessionId) -> Self {
        self.at(|place| _ = place.session.get_or_insert_with(|| id.as_str().into()))
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)?;
        let place = &self.place;
        let mut opened = false;
        let mut part = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            let before = if opened { ", " } else { " (" };
            opened = true;
            write!(f, "{before}{name} {value}")
        };
        if let Some(session) = &place.session {
            part(f, "session", &format_args!("{session:?}"))?;
        }
        if let Some(key) = &place.key {
            part(f, "key", key)?;
        }
        let numbers = [
            ("line", place.line),
            ("seq", place.seq),
            ("byte offset", place.offset),
            ("draft", place.draft),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                part(f, name, &number)?;
            }
        }
        if opened { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl PartialEq for Error {
    /// Same kind at the same place; messages are for people.
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind && self.0.place == other.0.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, string::ToString};

    #[test]
    fn codes_are_unique_and_snake_case() {
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        let plain =
            |code: &&str| code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_' | b'0'..=b'9'));
        assert!(codes.iter().all(plain));
    }

    #[test]
    fn the_text_says_what_and_where() {
        let error = Error::new(ErrorKind::BadHash, "the line was changed").at(|place| {
            place.line = Some(3);
            place.offset = Some(120);
        });
        assert_eq!(error.to_string(), "bad_hash: the line was changed (line 3, byte offset 120)");
    }
}
