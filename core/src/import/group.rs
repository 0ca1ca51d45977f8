//! Which files belong together, by their names.
//!
//! | files | belong to |
//! |---|---|
//! | `D/ID.json`, `D/ID.jsonl`, `D/ID.trace.jsonl`, `D/ID.events.jsonl` | each other |
//! | `D/ID/agents/*.jsonl` | session `ID` in `D` |
//! | `D/agents/*.jsonl` | the sessions in `D`, if there is one or metadata (`D/*.json`) |
//! | the same with `.gz` | the same |
//! | `ID_session_snapshot.json`, wherever | session `ID`, if there is one of that name |
//! | any other | nothing else |

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::content::plain_name;

/// A folder and what a file's name starts with.
type Stem<'a> = (&'a str, &'a str);

/// What is known of files by their names.
#[derive(Default)]
struct Known<'a> {
    /// The sessions: folder and id, their group, and whether there is a `.json`.
    sessions: BTreeMap<Stem<'a>, (usize, bool)>,
    /// The same by their ids alone; `None` where several have the same.
    ids: BTreeMap<&'a str, Option<usize>>,
    /// What the sidechains of a folder join.
    folders: BTreeMap<&'a str, Option<usize>>,
    /// Groups that became part of another.
    joined: BTreeMap<usize, usize>,
    groups: Vec<Vec<usize>>,
}

pub(super) fn group(names: &[&str]) -> Vec<Vec<usize>> {
    let mut known = Known::default();
    let mut later = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match (stem(name), snapshot_of(name).or_else(|| sidechain_folder(name))) {
            (Some(stem), None) => known.join(stem, index, plain_name(name).ends_with(".json")),
            (_, Some(_)) => later.push((index, *name)),
            (None, None) => known.groups.push(Vec::from([index])),
        }
    }
    // Sidechains and recovery files join what is there, not each other.
    let own: Vec<_> = later.iter().map(|(index, name)| (*index, known.owner(name))).collect();
    for (index, owner) in own {
        let owner = owner.map(|owner| known.joined.get(&owner).copied().unwrap_or(owner));
        match owner.and_then(|owner| known.groups.get_mut(owner)) {
            Some(group) => group.push(index),
            None => known.groups.push(Vec::from([index])),
        }
    }
    known.groups.retain(|group| !group.is_empty());
    for group in &mut known.groups {
        group.sort_unstable();
    }
    known.groups.sort_unstable();
    known.groups
}

impl<'a> Known<'a> {
    fn join(&mut self, stem: Stem<'a>, index: usize, is_metadata: bool) {
        let next = self.groups.len();
        let (group, has_metadata) = self.sessions.entry(stem).or_insert_with(|| {
            let is_twice = |known: &mut Option<usize>| *known = None;
            self.ids.entry(stem.1).and_modify(is_twice).or_insert(Some(next));
            (next, false)
        });
        *has_metadata |= is_metadata;
        match self.groups.get_mut(*group) {
            Some(group) => group.push(index),
            None => self.groups.push(Vec::from([index])),
        }
    }

    /// The group that a sidechain or recovery file belongs to.
    fn owner(&mut self, name: &'a str) -> Option<usize> {
        if let Some(id) = snapshot_of(name) {
            return self.ids.get(id).copied().flatten();
        }
        let folder = sidechain_folder(name)?;
        let own = self.sessions.get(&split(folder)).map(|(group, _)| *group);
        own.or_else(|| self.beside(folder))
    }

    /// The group of the sessions in a folder: they become one if there are several, because the
    /// metadata of any may name the subagents beside them.
    fn beside(&mut self, folder: &'a str) -> Option<usize> {
        if let Some(known) = self.folders.get(folder) {
            return *known;
        }
        let beside = self.sessions.range((folder, "")..);
        let beside = beside.take_while(|((other, _), _)| *other == folder);
        let beside = beside.filter(|((_, stem), _)| *stem != INDEX);
        let (groups, has_metadata): (Vec<_>, Vec<_>) = beside.map(|(_, session)| *session).unzip();
        let found = groups.split_first().and_then(|(first, rest)| {
            if !rest.is_empty() && !has_metadata.contains(&true) {
                return None;
            }
            for other in rest {
                let files = self.groups.get_mut(*other).map(core::mem::take).unwrap_or_default();
                self.groups.get_mut(*first)?.extend(files);
                self.joined.insert(*other, *first);
            }
            Some(*first)
        });
        self.folders.insert(folder, found);
        found
    }
}

/// What opendev's index of sessions is called, less its extension.
const INDEX: &str = "sessions-index";

/// What files of one session have in common.
fn stem(name: &str) -> Option<Stem<'_>> {
    let suffixes = [".trace.jsonl", ".events.jsonl", ".jsonl", ".json"];
    let (folder, name) = split(plain_name(name));
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
    (last == "agents" && plain_name(name).ends_with(".jsonl")).then_some(above)
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
            "d/one.jsonl",
            "d/two.jsonl.gz",
            "d/agents/w.jsonl",
            "d/two.trace.jsonl",
        ];
        let groups = group(&names);
        let expected: [&[usize]; 11] = [
            &[0, 1, 2, 4, 6, 14],
            &[3],
            &[5],
            &[7, 8, 10, 15],
            &[9],
            &[11],
            &[12],
            &[13],
            &[16],
            &[17, 19],
            &[18],
        ];
        assert_eq!(groups, expected);
        assert_eq!(group(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(group(&["x", "x", "/", "", "agents/.jsonl"]).concat().len(), 5);
    }
}
