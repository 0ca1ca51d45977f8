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
#[derive(Default)]
struct Known<'a> {
    /// The sessions: folder and id.
    sessions: BTreeMap<Stem<'a>, usize>,
    /// The same by their ids alone; `None` where several have the same.
    ids: BTreeMap<&'a str, Option<usize>>,
    groups: Vec<Vec<usize>>,
}

pub(super) fn group(names: &[&str]) -> Vec<Vec<usize>> {
    let mut known = Known::default();
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
        let group = *self.sessions.entry(stem).or_insert_with(|| {
            let is_twice = |known: &mut Option<usize>| *known = None;
            self.ids.entry(stem.1).and_modify(is_twice).or_insert(Some(next));
            next
        });
        match self.groups.get_mut(group) {
            Some(group) => group.push(index),
            None => self.groups.push(Vec::from([index])),
        }
    }

    /// The group that a sidechain or recovery file belongs to.
    fn owner(&self, name: &str) -> Option<usize> {
        if let Some(id) = snapshot_of(name) {
            return self.ids.get(id).copied().flatten();
        }
        let folder = sidechain_folder(name)?;
        self.sessions.get(&split(folder)).copied().or_else(|| {
            let beside = self.sessions.range((folder, "")..);
            let beside = beside.take_while(|((other, _), _)| *other == folder);
            let mut beside = beside.filter(|((_, stem), _)| *stem != INDEX);
            beside.next().filter(|_| beside.next().is_none()).map(|(_, group)| *group)
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
