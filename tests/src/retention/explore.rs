//! All orders in which the requests of some operations may come.
//!
//! What goes on from a point depends on the store's objects and on what the operations heard so
//! far: points that do not differ in these are looked at once, and the orders that lead through them
//! are counted.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use turnkeep::core::store::Request;
use turnkeep::{MemoryStore, Store};

use super::host::Host;
use super::running::{Job, Outcome, Running};
use super::scene::{NOW_MS, objects};

/// How much there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// Orders of requests.
    pub orders: u128,
    /// Points that differ.
    pub points: usize,
    /// There are no more than those.
    pub is_complete: bool,
}

/// Where operations are carried out.
pub trait Place {
    /// A host of the operations.
    fn host(&self) -> Host<'_>;
    /// What is there, and the versions it has.
    fn state(&self) -> u64;
    /// What is there.
    fn contents(&self) -> u64;
}

impl Place for MemoryStore {
    fn host(&self) -> Host<'_> {
        Host::new(self, NOW_MS, NOW_MS - super::DAY_MS)
    }

    fn state(&self) -> u64 {
        let listed = self.list("", None, 1000).expect("a list").objects;
        let versions: Vec<_> = listed.iter().map(|(_, info)| &info.version).collect();
        hash(&(objects(self), versions))
    }

    fn contents(&self) -> u64 {
        hash(&objects(self))
    }
}

/// A point that some operations came to.
pub struct Node<'a, P> {
    /// What is there now.
    pub place: &'a P,
    /// How the operations ended, as far as they did.
    pub outcomes: &'a [Outcome],
    /// Which of them did something, in order.
    pub path: &'a [usize],
}

/// Looks at every point that some operations can come to, which start each time at an equal place.
pub fn explore<P: Place>(
    start: &dyn Fn() -> P,
    jobs: &[&Job],
    check: &mut dyn FnMut(&Node<'_, P>),
) -> Explored {
    explore_some(start, jobs, usize::MAX, check)
}

/// The same, at most so many points.
pub fn explore_some<P: Place>(
    start: &dyn Fn() -> P,
    jobs: &[&Job],
    most: usize,
    check: &mut dyn FnMut(&Node<'_, P>),
) -> Explored {
    let (orders, checked) = (HashMap::new(), HashSet::new());
    let mut walk = Walk { start, jobs, check, orders, checked, left: most };
    let orders = walk.visit(&mut Vec::new());
    Explored { orders, points: walk.orders.len(), is_complete: walk.left > 0 }
}

struct Walk<'a, P> {
    start: &'a dyn Fn() -> P,
    jobs: &'a [&'a Job],
    check: &'a mut dyn FnMut(&Node<'_, P>),
    orders: HashMap<u64, u128>,
    checked: HashSet<u64>,
    /// How many more points may be looked at.
    left: usize,
}

impl<P: Place> Walk<'_, P> {
    /// Plays what comes to a point, then every way to go on from it; gives how many there are.
    fn visit(&mut self, path: &mut Vec<usize>) -> u128 {
        if self.left == 0 {
            return 0;
        }
        let place = (self.start)();
        let host = place.host();
        let mut running: Vec<_> = self.jobs.iter().map(|job| job()).collect();
        // The time is no store's: what asks for it takes no turn.
        let skip = |turn: usize, running: &mut Box<dyn Running>| {
            while let Some(stamp @ Request::Stamp { .. }) = running.request() {
                running.answer(host.perform_for(turn, &stamp));
            }
        };
        running.iter_mut().enumerate().for_each(|(turn, running)| skip(turn, running));
        for turn in path.iter() {
            let request = running[*turn].request().expect("it is not over");
            running[*turn].answer(host.perform_for(*turn, &request));
            skip(*turn, &mut running[*turn]);
        }
        let open: Vec<_> = running.iter_mut().map(|running| running.request().is_some()).collect();
        let outcomes: Vec<_> = running.iter().map(|running| running.outcome()).collect();
        let heard: Vec<_> = running.iter().map(|running| running.heard()).collect();
        let point = hash(&(place.state(), heard));
        if let Some(orders) = self.orders.get(&point) {
            return *orders;
        }
        self.left -= 1;
        if self.checked.insert(hash(&(place.contents(), format!("{outcomes:?}")))) {
            (self.check)(&Node { place: &place, outcomes: &outcomes, path });
        }
        let mut orders = u128::from(!open.contains(&true));
        drop((running, host));
        // Each point begins with another one, so that some of the points are of all sorts.
        let first = usize::try_from(point % open.len() as u64).unwrap_or_default();
        let turns = (0..open.len()).map(|turn| (first + turn) % open.len());
        for turn in turns.filter(|turn| open[*turn]) {
            path.push(turn);
            orders = orders.saturating_add(self.visit(path));
            path.pop();
        }
        self.orders.insert(point, orders);
        orders
    }
}

/// A hash of a value.
pub(crate) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
