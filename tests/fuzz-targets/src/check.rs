//! What holds of every answer.

use serde_json::value::RawValue;
use turnkeep_core::{Error, ErrorKind, view};

/// An error has a code that hosts know, and can be shown.
///
/// # Panics
///
/// Where it has not.
pub fn stable(error: &Error) {
    assert!(ErrorKind::ALL.iter().any(|kind| kind.code() == error.code()));
    assert!(error.to_string().starts_with(error.code()));
    is_json(&view::problem(error));
}

/// A text is JSON, as every parser takes it.
///
/// # Panics
///
/// Where it is not.
pub fn is_json(text: &str) {
    if let Err(error) = serde_json::from_str::<&RawValue>(text) {
        panic!("no JSON: {error}: {text}");
    }
}
