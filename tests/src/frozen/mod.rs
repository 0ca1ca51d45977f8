//! Frozen files (`docs/format.md` §10): what each version of the writers wrote of fixed inputs, which every
//! later version reads.
//!
//! `tests/frozen/<name>` holds what was frozen under a name: `v<format>`, or `v<format>.<n>` where writers came to
//! write other bytes of the same format. Its `manifest.json` tells each file's SHA-256 and what reading them gives;
//! `tests/frozen/frozen.json` tells the manifests' SHA-256. Nothing there is ever written again. [`written`] is what
//! this version writes; `cargo xtask freeze NAME` freezes that.

mod desk;
mod files;
mod reads;
mod scenes;

use std::collections::BTreeMap;

use turnkeep_core::{Hash, sha256};

pub use files::{Frozen, all, folder, freeze};
pub use reads::{Stores, read, stores, unpacked};

/// Files by their paths, with `/` between the parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What this version writes of inputs, times and chance that are always the same.
#[must_use]
pub fn written() -> Files {
    let mut files = Files::new();
    let (store, bundles) = scenes::store();
    let (hot, cold) = scenes::tier();
    let interrupted = scenes::interrupted(&bundles);
    let folders = [
        ("store", store),
        ("bundles", bundles),
        ("hot", hot),
        ("cold", cold),
        ("interrupted", interrupted),
    ];
    for (folder, objects) in folders {
        files.extend(objects.into_iter().map(|(key, bytes)| (format!("{folder}/{key}"), bytes)));
    }
    files
}

/// Only the files below a folder, by their paths in it.
#[must_use]
pub fn below(files: &Files, folder: &str) -> Files {
    let start = format!("{folder}/");
    let inside = |(path, bytes): (&String, &Vec<u8>)| {
        path.strip_prefix(&start).map(|rest| (rest.to_owned(), bytes.clone()))
    };
    files.iter().filter_map(inside).collect()
}

/// The SHA-256 of each file.
#[must_use]
pub fn hashes(files: &Files) -> BTreeMap<String, Hash> {
    files.iter().map(|(path, bytes)| (path.clone(), sha256(bytes))).collect()
}
