//! Errors, in both directions.

use js_sys::Reflect;
use turnkeep_core::{Error, ErrorKind};
use wasm_bindgen::JsValue;

use super::convert::{self, get, number, optional};

/// A real `Error` with what is known of it as properties; what is not known is `undefined`.
pub(crate) fn to_js(error: &Error) -> JsValue {
    let js = js_sys::Error::new(&error.to_string());
    js.set_name("TurnkeepError");
    let place = error.place();
    let text = |text: &Option<String>| optional(text.as_deref(), JsValue::from_str);
    let members = [
        ("code", error.code().into()),
        ("retryable", error.is_retryable().into()),
        ("hint", error.kind().hint().into()),
        ("session", text(&place.session)),
        ("key", text(&place.key)),
        ("seq", optional(place.seq, number)),
        ("line", optional(place.line, number)),
        ("offset", optional(place.offset, number)),
        ("draft", optional(place.draft, number)),
        ("actual", optional(error.actual(), convert::head)),
    ];
    for (name, value) in members {
        Reflect::set(&js, &name.into(), &value).ok();
    }
    js.into()
}

/// The core's error for what a host caught: by its `code`, or else the store's own failure.
pub(crate) fn from_js(caught: &JsValue) -> Error {
    let member = |name: &str| get(caught, name);
    let code = member("code").as_string();
    let known = ErrorKind::ALL.iter().find(|kind| code.as_deref() == Some(kind.code()));
    let message = member("message").as_string().unwrap_or_default();
    let error = Error::new(known.copied().unwrap_or(ErrorKind::StoreFailed), message);
    let error = error.at(|place| place.key = member("key").as_string());
    if member("retryable").is_truthy() { error.retryable() } else { error }
}

/// What a function throws.
pub struct Thrown(JsValue);

impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        Self(to_js(&error))
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0
    }
}
