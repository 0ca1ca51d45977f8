//! The script: what is done, one step after another, and what is there after each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::build::Random;

/// A session of the script. Those that begin with `tier` lie in a hot store in front of a cold one.
pub type Name = &'static str;

/// One operation. Once it is acknowledged it must survive everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Creates a session.
    Create(Name),
    /// Appends one batch of texts of so many bytes each. An archived session comes back for it, one in
    /// the cold store is hydrated.
    Append(Name, &'static [usize]),
    /// Forks the first at its head into the second.
    Fork(Name, Name),
    /// Archives a session, which looks unused for an hour.
    Archive(Name),
    /// Makes it live again.
    Restore(Name),
    /// Removes an archive and leaves a tombstone.
    Prune(Name),
    /// Deletes a session.
    Delete(Name),
    /// Writes all sessions into a bundle.
    Bundle,
    /// Puts those of the bundle in the place of what is there, all or nothing.
    Unbundle,
    /// Flushes a session into the cold store, and clears the hot one.
    Flush(Name),
}

use Step::{Append, Archive, Bundle, Create, Delete, Flush, Fork, Prune, Restore, Unbundle};

/// All steps.
pub const SCRIPT: &[Step] = &[
    Create("a"),
    Append("a", &[10]),
    Append("a", &[200, 3000, 17]),
    Append("a", &[12_000]),
    Fork("a", "c"),
    Append("c", &[40]),
    Append("a", &[5]),
    Create("b"),
    Append("b", &[500, 500]),
    Archive("b"),
    Append("b", &[300]),
    Archive("b"),
    Restore("b"),
    Append("b", &[20]),
    Create("old"),
    Append("old", &[2000]),
    Archive("old"),
    Prune("old"),
    Bundle,
    Append("a", &[90]),
    Delete("c"),
    Unbundle,
    Append("c", &[25]),
    Append("a", &[5000]),
    Bundle,
    Create("d"),
    Append("d", &[60]),
    Archive("d"),
    Delete("d"),
    Create("tier-1"),
    Append("tier-1", &[100, 100]),
    Flush("tier-1"),
    Append("tier-1", &[50]),
    Flush("tier-1"),
    Create("e"),
    Append("e", &[1]),
];

/// What is there of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Its texts, in order.
    Texts(Vec<String>),
    /// It was pruned.
    Pruned,
    /// Not one whole entry: only while it is created.
    Empty,
}

/// The sessions that there are.
pub(super) type Sessions = BTreeMap<String, Content>;

/// All that there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) sessions: Sessions,
    /// What the bundle has, where there is one.
    pub(super) bundle: Option<Sessions>,
}

impl World {
    /// What is there after so many steps.
    pub(super) fn after(steps: usize) -> Self {
        let mut world = Self::default();
        (0..steps.min(SCRIPT.len())).for_each(|number| world.take(number));
        world
    }

    fn take(&mut self, number: usize) {
        let sessions = &mut self.sessions;
        match SCRIPT[number] {
            Create(name) => _ = sessions.insert(name.to_owned(), Content::Texts(Vec::new())),
            Append(name, _) => {
                let Some(Content::Texts(all)) = sessions.get_mut(name) else {
                    panic!("step {number} appends to nothing")
                };
                all.extend(texts(number));
            }
            Fork(parent, child) => {
                _ = sessions.insert(child.to_owned(), sessions[parent].clone());
            }
            Prune(name) => _ = sessions.insert(name.to_owned(), Content::Pruned),
            Delete(name) => _ = sessions.remove(name),
            Bundle => {
                let mut bundled = sessions.clone();
                // Of a pruned one there is nothing, and the runtime is over one store.
                bundled.retain(|name, has| *has != Content::Pruned && !is_tiered(name));
                self.bundle = Some(bundled);
            }
            Unbundle => sessions.extend(self.bundle.clone().expect("a bundle")),
            Archive(_) | Restore(_) | Flush(_) => {}
        }
    }

    /// What may be there while a step is carried out, beside what was before it and is after.
    pub(super) fn within(number: usize) -> Vec<Self> {
        let mut worlds = Vec::new();
        let mut before = Self::after(number);
        match SCRIPT.get(number) {
            Some(Create(name)) => {
                before.sessions.insert((*name).to_owned(), Content::Empty);
                worlds.push(before);
            }
            // First a tombstone, so that nobody writes after the archive.
            Some(Delete(name)) => {
                before.sessions.insert((*name).to_owned(), Content::Pruned);
                worlds.push(before);
            }
            _ => {}
        }
        worlds
    }
}

/// The texts that a step appends.
pub(super) fn texts(number: usize) -> Vec<String> {
    static ALL: LazyLock<Vec<Vec<String>>> =
        LazyLock::new(|| (0..SCRIPT.len()).map(texts_of_step).collect());
    ALL[number].clone()
}

fn texts_of_step(number: usize) -> Vec<String> {
    let Append(_, sizes) = SCRIPT[number] else { return Vec::new() };
    let mut random = Random::new(number as u64);
    let text = |(part, size): (usize, &usize)| {
        let mut text = format!("{number}.{part} {}", random.text(*size));
        text.truncate((*size).max(5));
        text
    };
    sizes.iter().enumerate().map(text).collect()
}

/// Whether a session lies in two stores.
pub(super) fn is_tiered(name: &str) -> bool {
    name.starts_with("tier")
}
