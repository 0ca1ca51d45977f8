//! Files to import from, and the file that a cache goes to.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use turnkeep::core::cache::CacheEntry;
use turnkeep::core::limits::IMPORT_BYTES_MAX;
use turnkeep::{Error, ErrorKind};

use crate::{Failure, Outcome};

/// What a path leads to.
pub(super) struct Found {
    pub(super) files: Vec<FoundFile>,
    pub(super) is_folder: bool,
}

/// A file, and its name below the folder that was asked for.
pub(super) struct FoundFile {
    path: PathBuf,
    pub(super) name: String,
}

/// The file, or the files of a folder and those in it, in the order of their names.
pub(super) fn find(path: &Path) -> Outcome<Found> {
    let metadata = fs::metadata(path).map_err(|error| cannot(path, &error))?;
    if !metadata.is_dir() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = vec![FoundFile { path: path.to_owned(), name }];
        return Ok(Found { files, is_folder: false });
    }
    let mut files = Vec::new();
    let mut folders = vec![(path.to_owned(), String::new())];
    while let Some((folder, parent)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| cannot(&folder, &error))? {
            let entry = entry.map_err(|error| cannot(&folder, &error))?;
            let name = format!("{parent}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(|error| cannot(&entry.path(), &error))?;
            // Links are not followed: they may lead in a circle.
            if kind.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
            } else if kind.is_file() {
                files.push(FoundFile { path: entry.path(), name });
            }
        }
    }
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(Found { files, is_folder: true })
}

pub(super) fn read_file(file: &FoundFile) -> Outcome<Vec<u8>> {
    let bytes = fs::metadata(&file.path).map_err(|error| cannot(&file.path, &error))?.len();
    if bytes > IMPORT_BYTES_MAX {
        let message = format!("{} has {bytes} bytes, more than 1 GiB", file.path.display());
        return Err(Failure::from(Error::new(ErrorKind::TooLarge, message))
            .with_hint("Split it, or export its sessions one by one."));
    }
    fs::read(&file.path).map_err(|error| cannot(&file.path, &error))
}

/// Writes the values as a JSON array, to a file that is not there yet.
pub(super) fn write_cache(path: &Path, cache: &[CacheEntry]) -> Outcome<()> {
    let entries: Vec<String> = cache.iter().map(CacheEntry::to_json).collect();
    let json = format!("[{}]\n", entries.join(",\n"));
    let written = fs::File::create_new(path).and_then(|mut file| file.write_all(json.as_bytes()));
    written.map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            _ => ErrorKind::StoreFailed,
        };
        let message = format!("cannot write {}: {error}", path.display());
        Failure::from(Error::new(kind, message)).with_hint("Name another file with --cache.")
    })
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::reading(&path.display().to_string(), error)
}
