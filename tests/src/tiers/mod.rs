//! Two stores, request by request: orders, crashes, failures, losses.

mod dated;
mod does;
mod jobs;
mod look;
mod past;
mod race;
mod world;

pub use dated::Dated;
pub use does::Does;
pub use jobs::{
    appending, code, collect_later, creating, deleting, flushing, forking, hydrating, pulling,
    waking,
};
pub use look::{ends_well, fsck, is_collected, look, texts_of};
pub use past::{Past, draft, noise, past};
pub use race::{pairs, race};
pub use world::{HOUR_MS, World, is_cold, lost};
