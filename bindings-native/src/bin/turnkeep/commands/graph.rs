//! `turnkeep log --graph`: where sessions come from, drawn.

use std::collections::{BTreeMap, BTreeSet};

use turnkeep::{Ancestor, SessionId, Store, ancestors};

use crate::exit::Exit;
use crate::json::{Object, point_object};
use crate::location::sessions;
use crate::output::Context;
use crate::visible::visible;
use crate::{Failure, Outcome};

/// The sessions of a store by what they come from.
#[derive(Debug, Default)]
struct Graph {
    children: BTreeMap<SessionId, Vec<(SessionId, Ancestor)>>,
    /// Those that come from none of the store.
    roots: Vec<(SessionId, Option<Ancestor>)>,
    unread: Vec<Failure>,
}

pub(crate) fn run(
    id: Option<&SessionId>,
    store: &dyn Store,
    context: &mut Context,
) -> Outcome<Exit> {
    let graph = match id {
        Some(id) => Graph::around(store, id)?,
        None => Graph::of(store)?,
    };
    for (root, origin) in &graph.roots {
        graph.draw(root, origin.as_ref(), &mut Vec::new(), context)?;
    }
    context.out.flush()?;
    let is_whole = graph.unread.is_empty();
    for failure in graph.unread {
        if let Failure::Failed(failed) = failure {
            context.tell(&failed);
        }
    }
    Ok(if is_whole { Exit::Ok } else { Exit::Partial })
}

impl Graph {
    fn of(store: &dyn Store) -> Outcome<Self> {
        let ids: Vec<_> = sessions(store)?.into_iter().map(|listed| listed.id).collect();
        let mut graph = Self::default();
        for id in &ids {
            match ancestors(store, id) {
                Err(error) => graph.unread.push(error.into()),
                Ok(line) => match line.into_iter().next() {
                    Some(origin) if ids.contains(&origin.point.session) => {
                        let siblings = graph.children.entry(origin.point.session.clone());
                        siblings.or_default().push((id.clone(), origin));
                    }
                    origin => graph.roots.push((id.clone(), origin)),
                },
            }
        }
        graph.root_rings();
        graph.children.values_mut().for_each(|children| {
            children.sort_by_key(|(id, origin)| (origin.point.seq, id.clone()));
        });
        Ok(graph)
    }

    /// Forked from each other under names that were used again, sessions may go round in a ring, which
    /// no root reaches: one of each becomes a root.
    fn root_rings(&mut self) {
        let mut reached = BTreeSet::new();
        self.roots.iter().for_each(|(root, _)| self.reach(root, &mut reached));
        let children = self.children.iter();
        let parents: BTreeMap<_, _> = children
            .flat_map(|(parent, children)| {
                children.iter().map(move |(child, _)| (child.clone(), parent.clone()))
            })
            .collect();
        for child in parents.keys() {
            if reached.contains(child) {
                continue;
            }
            let (mut root, mut above) = (child, BTreeSet::new());
            while above.insert(root) {
                root = parents.get(root).unwrap_or(root);
            }
            self.reach(root, &mut reached);
            let siblings = parents.get(root).and_then(|parent| self.children.get_mut(parent));
            let Some(siblings) = siblings else { continue };
            if let Some(at) = siblings.iter().position(|(sibling, _)| sibling == root) {
                let (id, origin) = siblings.remove(at);
                self.roots.push((id, Some(origin)));
            }
        }
    }

    /// Adds a session and all that comes from it.
    fn reach(&self, id: &SessionId, reached: &mut BTreeSet<SessionId>) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            if reached.insert(id.clone()) {
                left.extend(self.children.get(id).into_iter().flatten().map(|(child, _)| child));
            }
        }
    }

    /// The tree that a session is in.
    fn around(store: &dyn Store, id: &SessionId) -> Outcome<Self> {
        let line = ancestors(store, id)?;
        let mut graph = Self::of(store)?;
        let is_of = |root: &SessionId| {
            root == id || line.iter().any(|ancestor| ancestor.point.session == *root)
        };
        graph.roots.retain(|(root, _)| is_of(root));
        Ok(graph)
    }

    /// Draws a session and what comes from it. `lasts`: of each session above it and of itself,
    /// whether it is the last of its siblings.
    fn draw(
        &self,
        id: &SessionId,
        origin: Option<&Ancestor>,
        lasts: &mut Vec<bool>,
        context: &mut Context,
    ) -> Outcome<()> {
        if context.globals.json {
            context.out.json(object(id, origin, lasts.len()))?;
        } else {
            context.out.text(&line(id, origin, lasts))?;
        }
        let children = self.children.get(id).map_or(&[][..], Vec::as_slice);
        for (index, (child, origin)) in children.iter().enumerate() {
            lasts.push(index + 1 == children.len());
            self.draw(child, Some(origin), lasts, context)?;
            lasts.pop();
        }
        Ok(())
    }
}

fn object(id: &SessionId, origin: Option<&Ancestor>, depth: usize) -> Object {
    let how = |origin: &Ancestor| if origin.is_compacted { "compacted" } else { "forked" };
    Object::document()
        .put("session", id.as_str())
        .put("depth", depth)
        .put("origin", origin.map(how))
        .object("from", origin.map(|origin| point_object(&origin.point)))
}

fn line(id: &SessionId, origin: Option<&Ancestor>, lasts: &[bool]) -> String {
    let mut line = String::new();
    if let Some((last, above)) = lasts.split_last() {
        above.iter().for_each(|last| line.push_str(if *last { "   " } else { "│  " }));
        line.push_str(if *last { "└─ " } else { "├─ " });
    }
    line.push_str(&visible(id.as_str()));
    if let Some(Ancestor { point, is_compacted }) = origin {
        let how = if *is_compacted { "compacted" } else { "forked" };
        // Below it, the session above is the origin; else it is no longer in the store.
        let from =
            if lasts.is_empty() { format!(" from {}", point.session) } else { String::new() };
        line.push_str(&format!("  {how}{} at {}", visible(&from), point.seq));
    }
    line.push('\n');
    line
}
