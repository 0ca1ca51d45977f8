//! Names of the store's own, and what processes that are gone left under them.
//!
//! `.NAME.PURPOSE-PID-START-HOST-NONCE`: beside the object NAME, for a `put`, a `stage`, or a lock
//! that is being made (`new`) or taken over (`old`); by the process PID that started at START, on
//! the machine whose name hashes to HOST.

use std::fs;
use std::path::{Path, PathBuf};

use super::owner::{host, is_running, start_of};

/// Of longer names only the start is used, so that the whole fits into what file systems allow.
const NAME_BYTES_MAX: usize = 128;
const PURPOSES: [&str; 4] = [".put", ".stage", ".new", ".old"];

/// A name beside `path` that no key can have and nobody else uses.
pub(super) fn name(path: &Path, purpose: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.get(..NAME_BYTES_MAX).unwrap_or(&name);
    let pid = std::process::id();
    let start = start_of(pid).unwrap_or_default();
    let nonce = getrandom::u64().unwrap_or_else(|_| u64::from(pid));
    let host = host_mark();
    path.with_file_name(format!(".{name}.{purpose}-{pid}-{start}-{host:08x}-{nonce:016x}"))
}

/// Removes from a folder what this machine's processes left that are gone. What cannot be removed
/// stays: it is in nobody's way.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_left) {
            let path = entry.path();
            fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).ok();
        }
    }
}

/// Whether that is a name of a process of this machine that is gone.
fn is_left(name: &str) -> bool {
    let mut parts = name.rsplitn(5, '-');
    let (Some(nonce), Some(host), Some(start), Some(pid), Some(rest)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Ok(pid) = pid.parse() else { return false };
    rest.starts_with('.')
        && PURPOSES.iter().any(|purpose| rest.ends_with(purpose))
        && u64::from_str_radix(nonce, 16).is_ok()
        && u32::from_str_radix(host, 16) == Ok(host_mark())
        && !is_running(pid, start)
}

/// The machine's name as a number (FNV-1a), which fits into a file's name whatever it is.
fn host_mark() -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    host().bytes().fold(0x811c_9dc5, mix)
}
