//! The test vectors (`docs/format.md` §12): written from what each is meant to show, and read back.
//!
//! [`all`] makes them; `cargo xtask vectors` writes them to `tests/vectors`. Their expectations are
//! written down here, by hand; no code under test is asked. [`read`] reads the files that are
//! committed.

mod archive;
mod bundle;
mod draft;
mod gzip;
mod key;
mod log;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::build::hex;

/// The areas and how the inputs of each end.
pub const AREAS: [(&str, &[&str]); 7] = [
    ("archive", &[".jsonl.gz"]),
    ("bundle", &[".bundle"]),
    ("draft", &[".json"]),
    ("gzip", &[".gz", RECIPE]),
    ("key", &[".json"]),
    ("log", &[".jsonl", RECIPE]),
    ("state", &[".jsonl"]),
];
const RECIPE: &str = ".recipe.json";
const EXPECTED: &str = ".expected.json";
/// Inputs longer than this become recipes.
const INPUT_BYTES_MAX: usize = 1 << 20;
/// Shorter runs of one byte are not told by their length.
const RUN_STEP: usize = 2048;

/// One vector: an input and what reading it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// What sort of input it is.
    pub area: &'static str,
    /// Its name within the area.
    pub name: String,
    /// The input.
    pub input: Vec<u8>,
    /// What it gives.
    pub expected: Value,
}

impl Vector {
    fn new(area: &'static str, name: &str, input: Vec<u8>, expected: Value) -> Self {
        Self { area, name: name.to_owned(), input, expected }
    }

    /// A vector whose input is JSON.
    fn of_json(area: &'static str, name: &str, input: &Value, expected: Value) -> Self {
        Self::new(area, name, pretty(input), expected)
    }

    /// Its two files, by their paths under `tests/vectors`.
    fn files(&self) -> [(String, Vec<u8>); 2] {
        let path = |suffix: &str| format!("{}/{}{suffix}", self.area, self.name);
        let (suffix, input) = if self.input.len() > INPUT_BYTES_MAX {
            (RECIPE, recipe(&self.input))
        } else {
            let suffixes = AREAS.iter().find(|(area, _)| *area == self.area).expect("an area");
            (suffixes.1[0], self.input.clone())
        };
        [(path(suffix), input), (path(EXPECTED), pretty(&self.expected))]
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text.into_bytes()
}

/// All vectors.
#[must_use]
pub fn all() -> Vec<Vector> {
    let areas = [archive::all(), bundle::all(), draft::all(), gzip::all(), key::all()];
    [areas.concat(), log::all(), state::all()].concat()
}

/// Every file of the vectors, by its path under `tests/vectors`.
///
/// # Panics
///
/// Where two vectors have one name.
#[must_use]
pub fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (path, content) in all().iter().flat_map(Vector::files) {
        assert!(files.insert(path.clone(), content).is_none(), "two vectors make {path}");
    }
    files
}

/// Where the vectors lie.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// A recipe (§12) of some bytes: runs of one byte are told by their length.
fn recipe(bytes: &[u8]) -> Vec<u8> {
    let mut pieces = Vec::new();
    let (mut plain, mut at) = (0, 0);
    while at < bytes.len() {
        let run = run_length(&bytes[at..]);
        if run > 0 {
            pieces.push(piece(&bytes[plain..at]));
            pieces.push(piece(&bytes[at..=at]));
            pieces.last_mut().expect("just pushed")["repeat"] = run.into();
            plain = at + run;
        }
        at += run.max(1);
    }
    pieces.push(piece(&bytes[plain..]));
    pieces.retain(|piece| piece["text"] != "");
    pretty(&Value::Array(pieces))
}

/// How often the first byte is repeated; 0 where that is less than [`RUN_STEP`] times.
fn run_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    // A run is equal to itself, moved by one: slices are compared quickly in debug builds too.
    while let Some(next) = bytes.get(length..length + RUN_STEP)
        && next[0] == bytes[0]
        && next[1..] == next[..RUN_STEP - 1]
    {
        length += RUN_STEP;
    }
    let rest = bytes.get(length..).filter(|_| length > 0).unwrap_or_default();
    length + rest.iter().take_while(|byte| **byte == bytes[0]).count()
}

fn piece(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "hex": hex(bytes) }),
    }
}

/// The bytes that a recipe stands for.
fn cook(recipe: &[u8]) -> Result<Vec<u8>, String> {
    let pieces: Vec<Value> = serde_json::from_slice(recipe).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    for piece in pieces {
        let repeat = piece.get("repeat").map_or(Some(1), Value::as_u64);
        let repeat = repeat.and_then(|count| usize::try_from(count).ok());
        let content = match (piece["text"].as_str(), piece["hex"].as_str()) {
            (Some(text), None) => Some(text.as_bytes().to_vec()),
            (None, Some(hex)) => from_hex(hex),
            _ => None,
        };
        let (content, repeat) = content.zip(repeat).ok_or(format!("unknown piece {piece}"))?;
        bytes.extend(content.repeat(repeat));
    }
    Ok(bytes)
}

/// Bytes of their hex digits.
#[must_use]
pub fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// Reads the vectors of one area from the files in `tests/vectors`; an error where there is none,
/// or a file that nobody reads.
pub fn read(area: &'static str) -> Result<Vec<Vector>, String> {
    let (_, suffixes) = AREAS.iter().find(|(known, _)| *known == area).ok_or("no such area")?;
    let mut files = read_folder(&folder().join(area))?;
    let names = files.keys().filter_map(|name| name.strip_suffix(EXPECTED));
    let names: Vec<String> = names.map(str::to_owned).collect();
    let mut vectors = Vec::new();
    for name in names {
        let expected = files.remove(&(name.clone() + EXPECTED)).unwrap_or_default();
        let expected = serde_json::from_slice(&expected)
            .map_err(|error| format!("{area}/{name}{EXPECTED}: {error}"))?;
        let input = suffixes.iter().find_map(|suffix| {
            let input = files.remove(&format!("{name}{suffix}"))?;
            Some(if *suffix == RECIPE { cook(&input) } else { Ok(input) })
        });
        let input = input.ok_or(format!("{area}/{name} has no input"))??;
        vectors.push(Vector { area, name, input, expected });
    }
    match files.keys().next() {
        Some(unread) => Err(format!("nobody reads {area}/{unread}")),
        None if vectors.is_empty() => Err(format!("{area} has no vectors")),
        None => Ok(vectors),
    }
}

/// The files of a folder by name; a folder in it is an error.
fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, fs::read(&path).map_err(|error| format!("{path:?}: {error}"))?);
    }
    Ok(files)
}

/// Every file under `tests/vectors`, by its path there.
pub fn committed() -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut all = BTreeMap::new();
    let entries = fs::read_dir(folder()).map_err(|error| error.to_string())?;
    for area in entries.flatten() {
        let name = area.file_name().to_string_lossy().into_owned();
        let files = read_folder(&area.path())?;
        all.extend(files.into_iter().map(|(file, content)| (format!("{name}/{file}"), content)));
    }
    Ok(all)
}

/// The paths of files that are missing, needless or different.
#[must_use]
pub fn differing(
    expected: &BTreeMap<String, Vec<u8>>,
    found: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    paths.into_iter().filter(|path| expected.get(*path) != found.get(*path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_are_cooked_to_what_they_were_made_of() {
        let long = "x".repeat(70_000);
        for bytes in ["", "abc", &long, &format!("a{long}b\n{long}")] {
            assert_eq!(cook(&recipe(bytes.as_bytes())).unwrap(), bytes.as_bytes());
        }
        let noise = [b"\xff\x00\n", &[0; 80_000][..], b"\xfe"].concat();
        assert_eq!(cook(&recipe(&noise)).unwrap(), noise);
        assert!(cook(b"[{\"txt\":\"a\"}]").is_err());
    }
}
