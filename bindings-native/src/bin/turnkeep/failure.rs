//! What ends a command early, and how it is told.

use std::io;

use turnkeep::{Error, ErrorKind};

use crate::exit::Exit;
use crate::json::{Object, error_object};
use crate::visible::visible;

/// The result of a command, or of a part of it.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something failed: said on stderr.
    Failed(Failed),
    /// Nobody reads the output any more. Not worth a word.
    Closed,
}

/// Something that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) exit: Exit,
    hint: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = Exit::of(error.kind());
        Self::Failed(Failed { error, exit, hint: None })
    }
}

impl Failure {
    /// The output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        let message = format!("cannot write the output: {error}");
        Error::new(ErrorKind::StoreFailed, message).into()
    }

    /// A file could not be read.
    pub(crate) fn reading(name: &str, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::StoreFailed,
        };
        Error::new(kind, format!("cannot read {name}: {error}")).into()
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::from(Error::new(ErrorKind::InvalidArgument, message))
            .with_hint("`turnkeep help COMMAND` lists a command's arguments.")
    }

    /// A line of standard input is not what can be appended: a fault of the input, not of what is
    /// stored.
    pub(crate) fn input(error: Error, line: u64) -> Self {
        let error = error.at(|place| {
            place.key.get_or_insert_with(|| "standard input".into());
            place.line = Some(line);
            place.draft = None;
        });
        Self::Failed(Failed { error, exit: Exit::Failure, hint: None })
    }

    /// The same failure, with better advice than its kind's.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Failed(failed) = &mut self {
            failed.hint = Some(hint.into());
        }
        self
    }

    /// The same failure, with another exit code than its kind's.
    #[must_use]
    pub(crate) fn ending_with(mut self, exit: Exit) -> Self {
        if let Self::Failed(failed) = &mut self {
            failed.exit = exit;
        }
        self
    }

    /// The same failure, after some of the work was done.
    #[must_use]
    pub(crate) fn after_some(mut self) -> Self {
        match &mut self {
            Self::Failed(failed) if failed.exit == Exit::Failure => failed.exit = Exit::Partial,
            _ => {}
        }
        self
    }
}

impl Failed {
    /// For people: what, where, and what to do next.
    pub(crate) fn text(&self) -> String {
        format!("{}\n  hint: {}", visible(&self.error.to_string()), visible(self.hint()))
    }

    /// For programs.
    pub(crate) fn json(&self) -> Object {
        Object::document().object("error", error_object(&self.error, self.hint()))
    }

    fn hint(&self) -> &str {
        self.hint.as_deref().unwrap_or_else(|| self.error.kind().hint())
    }
}
