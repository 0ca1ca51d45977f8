//! Two stores, request by request: orders, crashes, failures, losses.

mod dated;
mod look;
mod past;
mod world;

pub use dated::Dated;
pub use look::{ends_well, fsck, look, texts_of};
pub use past::{Past, draft, noise, past};
pub use world::{HOUR_MS, World, is_cold, lost};
