//! Paths of the repository and the few file operations that several commands need.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

/// The repository's root: the parent of xtask's own folder.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    // `join` keeps an absolute path as it is; a relative one counts from the root, where every
    // cargo that xtask starts runs.
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(folder)
}

/// The newest modification time below the paths, and the oldest; `None` when one is missing.
pub(crate) fn times(paths: &[PathBuf]) -> Option<Times> {
    let mut all = Vec::new();
    for path in paths {
        collect_times(path, &mut all).ok()?;
    }
    Some(Times { oldest: *all.iter().min()?, newest: *all.iter().max()? })
}

/// What `times` found.
pub(crate) struct Times {
    pub(crate) oldest: SystemTime,
    pub(crate) newest: SystemTime,
}

fn collect_times(path: &Path, all: &mut Vec<SystemTime>) -> std::io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        all.push(metadata.modified()?);
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect_times(&entry?.path(), all)?;
    }
    Ok(())
}

/// Empties a folder, or makes it.
pub(crate) fn fresh_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))
}

/// Copies the files directly in `from` into `to`.
pub(crate) fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for name in names(from)? {
        fs::copy(from.join(&name), to.join(&name))
            .with_context(|| format!("copying {name} to {}", to.display()))?;
    }
    Ok(())
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("reading folder {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
