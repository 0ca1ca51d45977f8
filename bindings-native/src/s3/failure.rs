//! What went wrong, told from what the client says: its types hide status and code, its text does not.

use turnkeep_core::store::Key;
use turnkeep_core::{Error, ErrorKind};

/// A failed request.
#[derive(Debug)]
pub(super) struct Failure {
    /// The answer's, where there was one.
    status: Option<u16>,
    /// S3's own code for it, where the answer has a body.
    code: Option<String>,
    text: String,
    /// It was not S3 that was asked, but who is to give the keys to it.
    is_of_keys: bool,
}

/// What is in the addresses of those who give keys to machines, containers and pods.
const GIVES_KEYS: [&str; 4] =
    ["/latest/api/token", "/latest/meta-data/iam/", "//169.254.170.", "AssumeRoleWithWebIdentity"];
/// A redirection to nowhere, as S3 answers whoever signs for another region.
const BARE_REDIRECT: &str = "redirect without LOCATION";

impl Failure {
    pub(super) fn new(error: &object_store::Error) -> Self {
        let text = whole_text(error);
        let is_of_keys = GIVES_KEYS.iter().any(|part| text.contains(part));
        Self { status: status_in(&text), code: code_in(&text), text, is_of_keys }
    }

    fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The object is not there. A bucket that is not there is another matter.
    pub(super) fn is_missing_object(&self) -> bool {
        self.status == Some(404) && self.is("NoSuchKey")
    }

    /// Something is not there, and an answer without a body does not say what.
    pub(super) fn is_unexplained(&self) -> bool {
        self.status == Some(404) && self.code.is_none()
    }

    pub(super) fn is_condition(&self) -> bool {
        self.status == Some(412)
    }

    /// Others write at this moment; nothing was written.
    pub(super) fn is_contention(&self) -> bool {
        self.status == Some(409)
    }

    pub(super) fn is_beyond_end(&self) -> bool {
        self.status == Some(416)
    }

    /// As an error of the store.
    pub(super) fn into_error(self, key: Option<&Key>) -> Error {
        let may_pass = match self.status {
            Some(status) => status >= 500 || matches!(status, 408 | 409 | 429),
            None => true,
        };
        let what = match (self.status, &self.code) {
            _ if self.is_of_keys => format!("no keys to S3 were found: {}", self.text),
            (Some(status), Some(code)) => format!("S3 answered {status} {code}"),
            (Some(status), None) => format!("S3 answered {status}"),
            (None, _) => format!("S3 did not answer: {}", self.text),
        };
        let error = Error::new(ErrorKind::StoreFailed, what);
        let error = if may_pass { error.retryable() } else { error };
        key.map_or(error.clone(), |key| error.at_key(key))
    }
}

fn whole_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

fn status_in(text: &str) -> Option<u16> {
    if text.contains(BARE_REDIRECT) {
        return Some(301);
    }
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    rest.get(..3)?.parse().ok()
}

fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}
