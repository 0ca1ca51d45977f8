//! What the object layout keeps of a session (`docs/format.md` §7.3): numbered manifests that name
//! shared segments, lists of the items' ids, and, in a hot store, the anchor that says what lies
//! behind a log.

mod anchor;
mod ids;
mod manifest;

pub(crate) use anchor::{Anchor, is_anchor};
pub(crate) use ids::{IdSection, fingerprint, join_sections, read_sections};
pub(crate) use manifest::{Held, IdsObject, Manifest, Segment, Slice};
