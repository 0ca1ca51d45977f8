//! Opening an address in the user's browser.

use std::io;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::output::write_stderr;

/// Asks the desktop to open an address. Where it cannot, that is said unless silent: the address was
/// printed, and can be opened by hand.
pub(crate) fn open(address: String, is_silent: bool) {
    // Some desktops answer only when the browser ends.
    let waiting = thread::Builder::new().spawn(move || {
        let opened = start(&address).and_then(|mut child| child.wait());
        if !opened.is_ok_and(|status| status.success()) && !is_silent {
            write_stderr("no browser could be opened: open the address above yourself\n");
        }
    });
    // One thread less: no browser.
    waiting.map(drop).ok();
}

/// The address has no character that a shell would take for its own.
fn start(address: &str) -> io::Result<Child> {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("cmd");
        command.args(["/C", "start", ""]);
        command
    } else {
        Command::new("xdg-open")
    };
    // What it has to say is for nobody.
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
