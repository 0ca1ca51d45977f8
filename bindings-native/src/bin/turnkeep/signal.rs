//! Being asked to end while something goes on.

use std::sync::atomic::{AtomicBool, Ordering};

use turnkeep::{Error, ErrorKind};

use crate::Outcome;

/// What a shell counts for a command that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Calls `end` when the command is asked to end: by Ctrl-C, or by a signal that says so. Asked once
/// more, it ends at once.
pub(crate) fn on_end(mut end: impl FnMut() + Send + 'static) -> Outcome<()> {
    let is_ending = AtomicBool::new(false);
    let handler = move || match is_ending.swap(true, Ordering::Relaxed) {
        true => std::process::exit(INTERRUPTED),
        false => end(),
    };
    let cannot =
        |error| Error::new(ErrorKind::StoreFailed, format!("cannot wait for signals: {error}"));
    Ok(ctrlc::set_handler(handler).map_err(cannot)?)
}
