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
    pub(super) fn write(path: &Path, bytes: &[u8], mode: Option<Mode>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let staged = Self(own::name(path, "put"));
        write(&staged.0, bytes, mode)?.sync_all()?;
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

/// Who may read and write a file, on systems where its mode says so.
pub(super) type Mode = u32;

/// The mode of a file, if there is one; who owns it can always write.
#[cfg(unix)]
pub(super) fn mode_of(path: &Path) -> Option<Mode> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)
        .map(|metadata| metadata.mode() & 0o777 | 0o600)
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &Path) -> Option<Mode> {
    None
}

/// Writes a file of such a mode: nobody else can look into it meanwhile either.
#[cfg(unix)]
pub(super) fn write(path: &Path, bytes: &[u8], mode: Option<Mode>) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    mode.inspect(|mode| _ = options.mode(*mode));
    let mut file = options.open(path)?;
    if let Some(mode) = mode {
        // What the process's mask took away.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(not(unix))]
pub(super) fn write(path: &Path, bytes: &[u8], _: Option<Mode>) -> io::Result<File> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    Ok(file)
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
