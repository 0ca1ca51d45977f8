//! Crashes of the real file store: a script of operations, carried out by a process of its own, and
//! what must be there whenever that process, or the machine, stops.
//!
//! | module | holds |
//! |---|---|
//! | `script` | the steps, and what is there after each |
//! | `desk` | the steps carried out; `script-writer` is its process |
//! | `look` | what is there, whether it is what must be, and going on with it |
//! | `trace` | the process under strace: its calls of the system, one of them killed or failed |
//! | `write_log` | the log that `dm-log-writes` keeps of a disk, replayed write by write |
//! | `machine` | the process in a machine of its own, on a disk whose writes are logged |

mod desk;
mod look;
mod machine;
mod script;
mod trace;
mod write_log;

pub use desk::Desk;
pub use look::{check, go_on};
pub use machine::{Order, run_in_machine};
pub use script::{Name, SCRIPT, Step};
pub use trace::{Call, Fault, Run, Traced, each_at_once};
pub use write_log::{Entry, Write, WriteLog};
