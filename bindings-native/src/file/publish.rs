//! Making files appear and disappear: all at once, and for good.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::own;
use super::reading::read_range;

/// A file that was written and synced under a name of the store's own. Dropping it removes it,
/// unless it was renamed away.
pub(super) struct Staged(PathBuf);

impl Staged {
    /// Writes a file beside `path`.
    pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let staged = Self(own::name(path, "put"));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&staged.0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(staged)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// Publishes a synced file under a name that must be free.
pub(super) fn link(staged: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(staged, path)?;
    sync_folder(path)
}

/// Publishes a synced file in place of what has that name.
pub(super) fn rename(staged: &Path, path: &Path) -> io::Result<()> {
    fs::rename(staged, path)?;
    sync_folder(path)
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder(path)
}

/// Without this, a power cut can undo what was done to a name.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

/// Makes a folder, and those above it that are missing: their names must not be lost in a power cut
/// when what is in them is not.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = Some(folder).filter(|folder| !folder.as_os_str().is_empty());
    while let Some(folder) = at.filter(|folder| !folder.exists()) {
        missing.push(folder);
        at = folder.parent().filter(|folder| !folder.as_os_str().is_empty());
    }
    fs::create_dir_all(folder)?;
    missing.into_iter().rev().try_for_each(sync_folder)
}

/// Reads a range of the parts in a stage's folder as if they were joined, and tells how long that
/// would be. Opens no part but those with bytes of the range.
pub(super) fn read_parts(folder: &Path, range: Range<u64>) -> io::Result<(Vec<u8>, u64)> {
    let (mut bytes, mut before) = (Vec::new(), 0);
    for number in 1_u32.. {
        let part = folder.join(number.to_string());
        let length = match fs::metadata(&part) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        let start = range.start.saturating_sub(before);
        let end = range.end.saturating_sub(before).min(length);
        if start < end {
            read_range(File::open(&part)?, start..end, &mut bytes)?;
        }
        before += length;
    }
    Ok((bytes, before))
}

/// Joins the parts in a stage's folder, of these numbers and lengths, into one synced file. Whoever
/// took this process for gone may have removed some: then nothing is published.
pub(super) fn join_parts(folder: &Path, parts: &BTreeMap<u32, u64>) -> io::Result<PathBuf> {
    let first = folder.join("1");
    let mut whole = OpenOptions::new().append(true).open(&first)?;
    for (number, length) in parts {
        let part = folder.join(number.to_string());
        let found = if part == first {
            whole.metadata()?.len()
        } else {
            let copied = io::copy(&mut File::open(&part)?, &mut whole)?;
            fs::remove_file(&part)?;
            copied
        };
        if found != *length {
            let message = format!("part {number} has {found} bytes where {length} were written");
            return Err(io::Error::other(message));
        }
    }
    whole.sync_all()?;
    Ok(first)
}
