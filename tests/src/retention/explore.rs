//! All orders in which the requests of two operations may come.
//!
//! What goes on from a point depends on the store's objects and on what the operations heard so
//! far: points that do not differ in these are looked at once, and the orders that lead through them
//! are counted.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use turnkeep::core::store::Request;
use turnkeep::{MemoryStore, Store};

use super::host::{Host, Job, Outcome};
use super::scene::{NOW_MS, Scene, objects, put_all};

/// How much there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explored {
    /// Orders of requests.
    pub orders: u128,
    /// Points that differ.
    pub points: usize,
}

/// A point that two operations came to.
pub struct Node<'a> {
    /// What is there now.
    pub store: &'a dyn Store,
    /// How the operations ended, as far as they did.
    pub outcomes: [Outcome; 2],
    /// Which of them did something, in order.
    pub path: &'a [usize],
}

/// Looks at every point that two operations can come to.
pub fn explore(scene: &Scene, jobs: [&Job; 2], check: &mut dyn FnMut(&Node<'_>)) -> Explored {
    let mut walk = Walk { scene, jobs, check, orders: HashMap::new(), checked: HashSet::new() };
    let orders = walk.visit(&mut Vec::new());
    Explored { orders, points: walk.orders.len() }
}

struct Walk<'a> {
    scene: &'a Scene,
    jobs: [&'a Job; 2],
    check: &'a mut dyn FnMut(&Node<'_>),
    orders: HashMap<u64, u128>,
    checked: HashSet<u64>,
}

impl Walk<'_> {
    /// Plays what comes to a point, then every way to go on from it; gives how many there are.
    fn visit(&mut self, path: &mut Vec<usize>) -> u128 {
        let store = MemoryStore::new();
        put_all(&store, &self.scene.objects);
        let host = Host::new(&store, NOW_MS, NOW_MS - super::DAY_MS);
        let mut running = self.jobs.map(|job| job());
        for turn in path.iter() {
            let request = running[*turn].request().expect("it is not over");
            running[*turn].answer(host.perform(&request));
            // The time is no store's: what asks for it takes no turn.
            while let Some(stamp @ Request::Stamp { .. }) = running[*turn].request() {
                running[*turn].answer(host.perform(&stamp));
            }
        }
        let open = [running[0].request().is_some(), running[1].request().is_some()];
        let outcomes = [running[0].outcome(), running[1].outcome()];
        let listed = store.list("", None, 1000).expect("a list").objects;
        let versions: Vec<_> = listed.iter().map(|(_, info)| &info.version).collect();
        let held = objects(&store);
        let heard = [running[0].heard(), running[1].heard()];
        let point = hash(&(&held, versions, heard));
        if let Some(orders) = self.orders.get(&point) {
            return *orders;
        }
        if self.checked.insert(hash(&(&held, format!("{outcomes:?}")))) {
            (self.check)(&Node { store: &store, outcomes, path });
        }
        let mut orders = u128::from(open == [false, false]);
        for turn in [0, 1].into_iter().filter(|turn| open[*turn]) {
            path.push(turn);
            orders += self.visit(path);
            path.pop();
        }
        self.orders.insert(point, orders);
        orders
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
