//! What may happen to the keeping of sessions, request by request: crashes, failures, others.

mod explore;
mod host;
mod look;
mod scene;

pub use explore::{Explored, Node, explore};
pub use host::{Fault, Host, Job, Outcome, Places, Running, job, open_then};
pub use look::{Answer, Seen, agrees, look};
pub use scene::{DAY_MS, NOW_MS, Scene, appended, copied, objects, scenes};
