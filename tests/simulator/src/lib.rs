//! Runs the core's tasks for several hosts over simulated stores, with a clock and faults of its own,
//! everything from one seed.
//!
//! A seed is a [`plan::Plan`]: what hosts do, when they crash, what is lost, how often requests fail.
//! [`simulate`] lets it happen and checks what must be true; [`shrink`] finds the smallest part of a
//! plan that still goes wrong. The same seed gives the same trace.

mod alone;
mod bundle;
mod cache;
mod chance;
mod check;
mod fate;
mod history;
mod operation;
pub mod plan;
mod shrink;
mod store;
mod telling;
mod text;
mod world;

use plan::{Kept, Plan, What};
pub use shrink::shrink;
use world::World;

/// How a seed went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What is wrong, if anything is.
    pub violation: Option<String>,
    /// Requests that were carried out, and faults that were injected.
    pub requests: u64,
    /// See above.
    pub faults: u64,
    /// What came to an end, and whether it was done.
    pub ended: Vec<(What, bool)>,
    /// What happened, as a number.
    pub trace: u64,
    /// What happened, line by line, where it was asked for.
    pub told: Vec<String>,
}

/// Lets a plan happen; with `tells`, says what happened.
#[must_use]
pub fn simulate(plan: &Plan, tells: bool) -> Outcome {
    let mut world = World::new(plan, tells);
    let violation = match plan.kept {
        Kept::Runtime => bundle::run(plan, &mut world).err(),
        _ if world.run() => check::check(plan, &mut world).err(),
        _ => Some("it does not come to an end".to_owned()),
    };
    let (trace, told) = (world.trace(), world.told().to_vec());
    let World { requests, faults, ended, .. } = world;
    Outcome { violation, requests, faults, ended, trace, told }
}
