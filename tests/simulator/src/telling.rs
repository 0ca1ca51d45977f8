//! Requests and replies in words, short.

use turnkeep_core::store::{Reply, Request};

#[must_use]
pub(crate) fn name_of(request: &Request) -> String {
    match request {
        Request::Cold(inner) => format!("cold {}", name_of(inner)),
        Request::Put { key, bytes, condition } => {
            format!("put {} {} {condition:?}", key.as_str(), bytes.len())
        }
        Request::Append { key, bytes, after, .. } => {
            format!("append {} {} after {}+{}", key.as_str(), bytes.len(), after.at, after.torn)
        }
        Request::StagePart { stage, bytes, .. } => format!("part {} {}", stage.0, bytes.len()),
        other => format!("{other:?}"),
    }
}

#[must_use]
pub(crate) fn told_of(reply: &Reply) -> String {
    match reply {
        Reply::Object(object) => format!("{} bytes of {:?}", object.bytes.len(), object.info),
        Reply::Failed(error) => error.code().to_owned(),
        other => format!("{other:?}"),
    }
}
