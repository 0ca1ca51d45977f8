//! Which files belong together, by their names.
//!
//! | files | belong to |
//! |---|---|
//! | `D/ID.json`, `D/ID.jsonl`, `D/ID.trace.jsonl`, `D/ID.events.jsonl` | each other |
//! | `D/ID/agents/*.jsonl` | session `ID` in `D` |
//! | `D/agents/*.jsonl` | the session in `D`, if it is the only one |
//! | `ID_session_snapshot.json`, wherever | session `ID`, if there is one of that name |
//! | any other | nothing else |

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A folder and what a file's name starts with.
type Stem<'a> = (&'a str, &'a str);

/// What is known of files by their names.
struct Known<'a> {
    /// The sessions: folder and id.
    sessions: BTreeMap<Stem<'a>, usize>,
    groups: Vec<Vec<usize>>,
}

pub(super) fn group(names: &[&str]) -> Vec<Vec<usize>> {
    let mut known = Known { sessions: BTreeMap::new(), groups: Vec::new() };
    let mut later = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match (stem(name), snapshot_of(name).or_else(|| sidechain_folder(name))) {
            (Some(stem), None) => known.join(stem, index),
            (_, Some(_)) => later.push((index, *name)),
            (None, None) => known.groups.push(Vec::from([index])),
        }
    }
    // Sidechains and recovery files join what is there, not each other.
    let own: Vec<_> = later.iter().map(|(index, name)| (*index, known.owner(name))).collect();
    for (index, owner) in own {
        match owner.and_then(|owner| known.groups.get_mut(owner)) {
            Some(group) => group.push(index),
            None => known.groups.push(Vec::from([index])),
        }
    }
    for group in &mut known.groups {
        group.sort_unstable();
    }
    known.groups.sort_unstable();
    known.groups
}

impl<'a> Known<'a> {
    fn join(&mut self, stem: Stem<'a>, index: usize) {
        let next = self.groups.len();
        let group = *self.sessions.entry(stem).or_insert(next);
        match self.groups.get_mut(group) {
            Some(group) => group.push(index),
            None => self.groups.push(Vec::from([index])),
        }
    }

    /// The group that a sidechain or recovery file belongs to.
    fn owner(&self, name: &str) -> Option<usize> {
        let only = |mut found: Vec<usize>| found.pop().filter(|_| found.is_empty());
        if let Some(id) = snapshot_of(name) {
            let named = self.sessions.iter().filter(|((_, stem), _)| *stem == id);
            return only(named.map(|(_, group)| *group).collect());
        }
        let folder = sidechain_folder(name)?;
        self.sessions.get(&split(folder)).copied().or_else(|| {
            let beside = self.sessions.iter().filter(|((other, _), _)| *other == folder);
            let beside = beside.filter(|((_, stem), _)| *stem != INDEX);
            only(beside.map(|(_, group)| *group).collect())
        })
    }
}

/// What opendev's index of sessions is called, less its extension.
const INDEX: &str = "sessions-index";

/// What files of one session have in common.
fn stem(name: &str) -> Option<Stem<'_>> {
    let suffixes = [".trace.jsonl", ".events.jsonl", ".jsonl", ".json"];
    let (folder, name) = split(name);
    let stem = suffixes.into_iter().find_map(|suffix| name.strip_suffix(suffix));
    stem.filter(|stem| !stem.is_empty()).map(|stem| (folder, stem))
}

/// The session of a recovery file.
pub(super) fn snapshot_of(name: &str) -> Option<&str> {
    split(name).1.strip_suffix("_session_snapshot.json")
}

/// The folder beside whose sessions a sidechain lies: what holds `agents/`.
pub(super) fn sidechain_folder(name: &str) -> Option<&str> {
    let (folder, name) = split(name);
    let (above, last) = split(folder);
    (last == "agents" && name.ends_with(".jsonl")).then_some(above)
}

/// Folder and name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_session_are_together_and_others_alone() {
        let names = [
            "a/s1.json",
            "a/s2.jsonl",
            "a/s1.jsonl",
            "a/sessions-index.json",
            "a/agents/x.jsonl",
            "b/s1.jsonl",
            "a/s2.trace.jsonl",
            "c/only.json",
            "c/agents/y.jsonl",
            "c/sessions-index.json",
            "recovery/only_session_snapshot.json",
            "recovery/s1_session_snapshot.json",
            "recovery/gone_session_snapshot.json",
            "snapshot.gz",
            "a/s2/agents/z.jsonl",
            "c/only.events.jsonl",
        ];
        let groups = group(&names);
        let expected: [&[usize]; 10] =
            [&[0, 2], &[1, 6, 14], &[3], &[4], &[5], &[7, 8, 10, 15], &[9], &[11], &[12], &[13]];
        assert_eq!(groups, expected);
        assert_eq!(group(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(group(&["x", "x", "/", "", "agents/.jsonl"]).concat().len(), 5);
    }
}
