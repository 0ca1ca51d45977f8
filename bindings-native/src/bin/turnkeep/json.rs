//! JSON documents, members in the order they are put.

use serde_json::Value;
use turnkeep::core::ErrorClass;
use turnkeep::core::log::Torn;
use turnkeep::{Error, Form, Head, Point};

use crate::visible::is_hidden;

/// The version of every document's shape.
const SCHEMA_VERSION: u64 = 1;

/// A JSON object under way.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// An object that is a document of its own.
    pub(crate) fn document() -> Self {
        Self::new().put("schema_version", SCHEMA_VERSION)
    }

    #[must_use]
    pub(crate) fn put(self, name: &str, value: impl Into<Value>) -> Self {
        self.json(name, &value.into().to_string())
    }

    /// Puts a member whose value is JSON text already.
    #[must_use]
    pub(crate) fn json(mut self, name: &str, json: &str) -> Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    #[must_use]
    pub(crate) fn object(self, name: &str, object: impl Into<Option<Self>>) -> Self {
        match object.into() {
            Some(object) => self.json(name, &object.text()),
            None => self.json(name, "null"),
        }
    }

    #[must_use]
    pub(crate) fn list(self, name: &str, objects: impl Iterator<Item = Self>) -> Self {
        let objects: Vec<String> = objects.map(Self::text).collect();
        self.json(name, &format!("[{}]", objects.join(",")))
    }

    fn text(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }

    /// As one line of output: characters that act on a terminal are written as escapes, which
    /// JSON readers take for the same text.
    pub(crate) fn line(self) -> String {
        escaped(&self.text())
    }
}

/// JSON as one line of output, the same for whoever reads JSON.
pub(crate) fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len() + 1);
    for char in json.chars() {
        if is_hidden(char) {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(char);
        }
    }
    line.push('\n');
    line
}

pub(crate) fn point_object(point: &Point) -> Object {
    let object = Object::new().put("session", point.session.as_str()).put("seq", point.seq);
    object.put("hash", point.hash.to_string())
}

pub(crate) fn head_object(head: Head) -> Object {
    Object::new().put("seq", head.seq).put("hash", head.hash.to_string()).put("bytes", head.bytes)
}

pub(crate) fn torn_object(torn: Torn) -> Object {
    Object::new().put("offset", torn.offset).put("bytes", torn.bytes)
}

pub(crate) fn form_name(form: Form) -> &'static str {
    form.name()
}

pub(crate) fn error_object(error: &Error, hint: &str) -> Object {
    let class = match error.kind().class() {
        ErrorClass::Misuse => "misuse",
        ErrorClass::Data => "data",
        ErrorClass::Store => "store",
        _ => "other",
    };
    let place = error.place();
    Object::new()
        .put("code", error.code())
        .put("message", error.message())
        .put("class", class)
        .put("retryable", error.is_retryable())
        .put("session", place.session.clone())
        .put("key", place.key.clone())
        .put("seq", place.seq)
        .put("line", place.line)
        .put("offset", place.offset)
        .put("hint", hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_order_and_nothing_hidden_stays() {
        let object = Object::document()
            .put("text", "a\u{7f}\u{9b}\u{202e}\u{e0041}é\n")
            .put("none", None::<u64>)
            .object("inner", Object::new());
        let line = r#"{"schema_version":1,"text":"a\u007f\u009b\u202e\udb40\udc41é\n","none":null,"inner":{}}"#;
        assert_eq!(object.line(), format!("{line}\n"));
        let back: Value = serde_json::from_str(line).unwrap();
        assert_eq!(back["text"], "a\u{7f}\u{9b}\u{202e}\u{e0041}é\n");
    }
}
