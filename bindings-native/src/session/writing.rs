//! Which sessions handles of this process write to.
//!
//! What a store holds for writing is one handle's as much as another's: it is let go with the last of
//! those that wrote, and those that only read have no part in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use turnkeep_core::SessionId;
use turnkeep_core::store::{Key, Part};

use crate::Store;
use crate::file::guard;

/// A store, by where it lies in memory, and a session.
type Place = (usize, SessionId);

/// How many handles write to each session.
static WRITERS: Mutex<BTreeMap<Place, usize>> = Mutex::new(BTreeMap::new());

fn place(store: &dyn Store, id: &SessionId) -> Place {
    (std::ptr::from_ref(store).addr(), id.clone())
}

/// A handle's part in what the store holds for writing to a session.
pub(super) struct Writing {
    store: Arc<dyn Store>,
    id: SessionId,
}

impl Writing {
    pub(super) fn new(store: Arc<dyn Store>, id: SessionId) -> Self {
        *guard(&WRITERS).entry(place(&*store, &id)).or_default() += 1;
        Self { store, id }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let place = place(&*self.store, &self.id);
        let mut writers = guard(&WRITERS);
        let left = writers.get(&place).map_or(0, |count| count.saturating_sub(1));
        if left > 0 {
            writers.insert(place, left);
        } else {
            writers.remove(&place);
            // Before another can begin: it would be let go of what it has just taken.
            let_go(&*self.store, &self.id);
        }
    }
}

/// Lets go of what a store holds for writing to a session, unless a handle writes to it.
pub(crate) fn release(store: &dyn Store, id: &SessionId) {
    let writers = guard(&WRITERS);
    if !writers.contains_key(&place(store, id)) {
        let_go(store, id);
    }
}

fn let_go(store: &dyn Store, id: &SessionId) {
    for part in [Part::Log, Part::Trace] {
        store.release(&Key::of(id, part));
    }
}
