//! What may happen to the keeping of sessions, request by request: crashes, failures, others.

mod explore;
mod host;
mod look;
mod running;
mod scene;

pub(crate) use explore::hash;
pub use explore::{Explored, Node, Place, explore, explore_some};
pub use host::{Clock, Fault, Host, Places};
pub use look::{Answer, Seen, agrees, look};
pub use running::{Job, Outcome, Running, first_then, job, judged, open_then};
pub use scene::{DAY_MS, NOW_MS, Scene, appended, copied, objects, scenes};
