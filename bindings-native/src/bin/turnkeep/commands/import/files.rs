//! Files to import from, and the file that a cache goes to.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use turnkeep::core::cache::CacheEntry;
use turnkeep::core::limits::IMPORT_BYTES_MAX;
use turnkeep::{Error, ErrorKind, Hash};

use crate::{Failure, Outcome};

/// Folders of a file's path that its name has: what a system's layout may say of it.
const FOLDERS: usize = 2;

/// What paths lead to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: Vec<FoundFile>,
    /// What is no file, or a link in a folder, or a file that an import kept: name, and why it is not
    /// read.
    pub(super) passed_over: Vec<(String, Error)>,
    /// What could not be looked at.
    pub(super) failures: Vec<Failure>,
}

/// A file that may be imported.
pub(super) struct FoundFile {
    path: PathBuf,
    /// As it is told: below the folder that was asked for.
    pub(super) shown: String,
    /// As it is told where it fails: with that folder.
    pub(super) asked: String,
    /// Its whole path, however it was asked for: tells which files lie together.
    pub(super) place: String,
    /// Whether it was asked for itself.
    pub(super) is_named: bool,
}

impl FoundFile {
    /// Its name with the folders around it: the same however it was asked for.
    pub(super) fn name(&self) -> String {
        let parts: Vec<&str> = self.place.split('/').filter(|part| !part.is_empty()).collect();
        let start = parts.len().saturating_sub(FOLDERS + 1);
        parts[start..].join("/")
    }

    /// The same failure, with the file as it was asked for in place of its name.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        let Failure::Failed(mut failed) = failure else { return failure };
        let name = self.name();
        failed.error = failed.error.at(|place| {
            if let Some(key) = place.key.as_mut().filter(|key| **key == name) {
                key.clone_from(&self.asked);
            }
        });
        Failure::Failed(failed)
    }
}

/// The files of all paths, those of a folder in the order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        match path.canonicalize() {
            Ok(place) if place.is_dir() => found.folder(&place, path),
            Ok(place) => {
                let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.add(place, shown, path, true);
            }
            Err(error) => found.failures.push(cannot(path, &error)),
        }
    }
    // A file that two arguments lead to is read once.
    found.files.sort_by(|one, other| (&one.place, &one.path).cmp(&(&other.place, &other.path)));
    found.files.dedup_by(|later, first| {
        first.is_named |= later.path == first.path && later.is_named;
        later.path == first.path
    });
    found
}

impl Found {
    fn add(&mut self, path: PathBuf, shown: String, asked: &Path, is_named: bool) {
        let place = path.to_string_lossy();
        let place = if cfg!(windows) { place.replace('\\', "/") } else { place.into_owned() };
        let asked = asked.display().to_string();
        self.files.push(FoundFile { path, shown, asked, place, is_named });
    }

    /// All files of a folder. What cannot be looked at keeps no other from it.
    fn folder(&mut self, root: &Path, asked: &Path) {
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, parent)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.failures.push(cannot(&folder, &error));
                    continue;
                }
            };
            for entry in entries {
                let looked = entry.and_then(|entry| Ok((entry.file_type()?, entry)));
                let (kind, entry) = match looked {
                    Ok(looked) => looked,
                    Err(error) => {
                        self.failures.push(cannot(&folder, &error));
                        continue;
                    }
                };
                let name = format!("{parent}{}", entry.file_name().to_string_lossy());
                if kind.is_dir() {
                    folders.push((entry.path(), format!("{name}/")));
                } else if !kind.is_file() {
                    // Links may lead in a circle, and other things never end.
                    let message =
                        "a link or a special file in a folder is not read: name it itself";
                    self.pass_over(name, message);
                } else if is_kept(&entry.path()) {
                    self.pass_over(name, "an import kept it: name it itself to import it again");
                } else {
                    let asked = asked.join(&name);
                    self.add(entry.path(), name, &asked, false);
                }
            }
        }
    }

    fn pass_over(&mut self, name: String, message: &str) {
        self.passed_over.push((name, Error::new(ErrorKind::NotSupported, message)));
    }
}

/// Whether a store keeps it of an earlier import: `imports/<SHA-256>`.
fn is_kept(path: &Path) -> bool {
    let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
    path.parent().and_then(name).is_some_and(|folder| folder == "imports")
        && name(path).is_some_and(|name| name.parse::<Hash>().is_ok())
}

pub(super) fn read_file(file: &FoundFile) -> Outcome<Vec<u8>> {
    let cannot = |error: std::io::Error| cannot(&file.path, &error);
    let metadata = fs::metadata(&file.path).map_err(cannot)?;
    if !metadata.is_file() {
        let message = format!("{} is no regular file", file.path.display());
        return Err(Failure::from(Error::new(ErrorKind::NotSupported, message))
            .with_hint("Copy what it gives to a file first."));
    }
    let mut bytes = Vec::new();
    if metadata.len() <= IMPORT_BYTES_MAX {
        let opened = File::open(&file.path).map_err(cannot)?;
        opened.take(IMPORT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    }
    if metadata.len().max(bytes.len() as u64) > IMPORT_BYTES_MAX {
        let message = format!("{} has more than 1 GiB", file.path.display());
        return Err(Failure::from(Error::new(ErrorKind::TooLarge, message))
            .with_hint("Split it, or export its sessions one by one."));
    }
    Ok(bytes)
}

/// Refuses a file for the cache that is there, before anything is imported.
pub(super) fn check_cache(path: &Path) -> Outcome<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(cannot_write(path, &std::io::ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

/// Writes the values as a JSON array, to a file that is not there yet.
pub(super) fn write_cache(path: &Path, cache: &[CacheEntry]) -> Outcome<()> {
    let entries: Vec<String> = cache.iter().map(CacheEntry::to_json).collect();
    let json = format!("[{}]\n", entries.join(",\n"));
    let written = File::create_new(path).and_then(|mut file| file.write_all(json.as_bytes()));
    written.map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let kind = match error.kind() {
        std::io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
        _ => ErrorKind::StoreFailed,
    };
    let message = format!("cannot write {}: {error}", path.display());
    Failure::from(Error::new(kind, message)).with_hint("Name another file with --cache.")
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::reading(&path.display().to_string(), error).with_hint("Check the path.")
}
