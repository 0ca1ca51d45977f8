//! How the command ends: exit codes, and the one place that says which error gives which.

use std::process::ExitCode;

use turnkeep::ErrorKind;

/// What the command's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    Partial = 3,
    NotFound = 10,
    Locked = 11,
    Conflict = 12,
    Integrity = 20,
    Torn = 21,
    Newer = 22,
}

/// The table of `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  ok (also when whoever reads the output stops reading)
    1  failure
    2  wrong usage
    3  partial result: some of it was done
   10  not found
   11  locked by another writer
   12  conflict: someone else wrote in between, or it exists already
   20  integrity failure: the bytes are not what was recorded
   21  torn: an unfinished write follows the head; what precedes it is whole
   22  written in a newer format
  130  interrupted (ended by SIGINT, as a shell counts it)
Treat any other code as a failure.

With --json, stdout holds JSON only, every document has \"schema_version\":1, and an error is one
JSON object on stderr: {\"schema_version\":1,\"error\":{\"code\":…,\"message\":…,\"hint\":…,…}}.";

impl Exit {
    /// The exit code of an error of that kind.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        use ErrorKind as Kind;
        match kind {
            Kind::InvalidId | Kind::InvalidArgument => Self::Usage,
            Kind::NotFound | Kind::Pruned => Self::NotFound,
            Kind::Locked => Self::Locked,
            Kind::AlreadyExists | Kind::Conflict => Self::Conflict,
            Kind::TornTail => Self::Torn,
            Kind::UnsupportedVersion => Self::Newer,
            // A gzip file without index is whole; it only cannot be read by ranges.
            Kind::NoIndex => Self::Failure,
            _ if kind.class() == turnkeep::core::ErrorClass::Data => Self::Integrity,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
