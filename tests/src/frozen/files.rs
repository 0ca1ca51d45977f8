//! The folders of frozen files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use turnkeep_core::sha256;

use super::{Files, hashes, read, written};

const MANIFEST: &str = "manifest.json";
const LIST: &str = "frozen.json";

/// What was frozen under a name.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// `v<format>` or `v<format>.<n>`.
    pub name: String,
    /// Its files, without the manifest.
    pub files: Files,
    /// The manifest: `files` with their SHA-256, and what it `reads`.
    pub manifest: Value,
    /// The SHA-256 of the manifest, as it is and as the list tells it.
    pub manifest_sha256: [String; 2],
}

/// Where they lie.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("frozen")
}

/// Everything that was ever frozen, the oldest first.
///
/// # Errors
///
/// Where a file cannot be read, or a folder is there that the list does not tell of.
pub fn all() -> Result<Vec<Frozen>, String> {
    let list = list()?;
    for entry in fs::read_dir(folder()).map_err(|error| error.to_string())? {
        let name =
            entry.map_err(|error| error.to_string())?.file_name().to_string_lossy().into_owned();
        if name != LIST && !list.contains_key(&name) {
            return Err(format!("{LIST} does not tell of {name}"));
        }
    }
    let mut all = Vec::new();
    for (name, sha256) in &list {
        all.push(one(name, sha256.as_str().unwrap_or_default())?);
    }
    all.sort_by_key(|frozen| order(&frozen.name));
    Ok(all)
}

fn one(name: &str, listed_sha256: &str) -> Result<Frozen, String> {
    let mut files = Files::new();
    collect(&folder().join(name), "", &mut files).map_err(|error| format!("{name}: {error}"))?;
    let manifest = files.remove(MANIFEST).ok_or(format!("{name} has no manifest"))?;
    let manifest_sha256 = [sha256(&manifest).to_string(), listed_sha256.to_owned()];
    let manifest = serde_json::from_slice(&manifest).map_err(|error| format!("{name}: {error}"))?;
    Ok(Frozen { name: name.to_owned(), files, manifest, manifest_sha256 })
}

fn collect(folder: &Path, start: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{start}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// `v2.10` after `v2.9`; what is no such name first.
fn order(name: &str) -> Vec<u64> {
    let numbers = name.trim_start_matches('v').split('.');
    numbers.map(|number| number.parse().unwrap_or_default()).collect()
}

fn list() -> Result<Map<String, Value>, String> {
    match fs::read(folder().join(LIST)) {
        Ok(list) => serde_json::from_slice(&list).map_err(|error| format!("{LIST}: {error}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(error) => Err(error.to_string()),
    }
}

/// Freezes what this version writes under a new name; gives the number of files and bytes.
///
/// # Errors
///
/// Where the name is taken, or is not one of this format's.
pub fn freeze(name: &str) -> Result<(usize, usize), String> {
    let mut list = list()?;
    let folder = folder().join(name);
    if list.contains_key(name) || folder.exists() {
        return Err(format!("{name} is frozen: nothing of it may change. Take another name"));
    }
    let format = turnkeep_core::FORMAT_VERSION;
    let rest = name.strip_prefix(&format!("v{format}"));
    let is_number = |rest: &str| rest.strip_prefix('.').is_some_and(|n| n.parse::<u64>().is_ok());
    if !rest.is_some_and(|rest| rest.is_empty() || is_number(rest)) {
        return Err(format!("a name is v{format} or v{format}.N, for this is format {format}"));
    }
    let files = written();
    let sums: Map<String, Value> =
        hashes(&files).into_iter().map(|(path, hash)| (path, hash.to_string().into())).collect();
    let manifest = pretty(&json!({ "files": sums, "reads": read(&files) }));
    list.insert(name.to_owned(), sha256(&manifest).to_string().into());
    for (path, bytes) in files.iter().chain([(&MANIFEST.to_owned(), &manifest)]) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(|error| error.to_string())?;
        fs::write(path, bytes).map_err(|error| error.to_string())?;
    }
    fs::write(super::folder().join(LIST), pretty(&list.into()))
        .map_err(|error| error.to_string())?;
    Ok((files.len(), files.values().map(Vec::len).sum()))
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
