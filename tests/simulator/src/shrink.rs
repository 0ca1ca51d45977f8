//! The smallest part of a plan that still goes wrong.

use crate::plan::{Faults, Plan};
use crate::simulate;

/// Leaves out acts and faults, as long as something is wrong without them.
#[must_use]
pub fn shrink(plan: &Plan) -> Plan {
    let goes_wrong = |plan: &Plan| simulate(plan, false).violation.is_some();
    let mut best = plan.clone();
    loop {
        let Some(smaller) = smaller(&best).into_iter().find(goes_wrong) else { return best };
        best = smaller;
    }
}

fn smaller(plan: &Plan) -> Vec<Plan> {
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan
    };
    let mut all = Vec::new();
    let count = plan.acts.len();
    for size in [count / 2, count / 4, 1].into_iter().filter(|size| *size > 0) {
        for start in (0..count).step_by(size) {
            all.push(with(&|plan| _ = plan.acts.drain(start..(start + size).min(count))));
        }
    }
    let rates: [fn(&mut Faults) -> &mut u64; 9] = [
        |faults| &mut faults.fails_before,
        |faults| &mut faults.fails_after,
        |faults| &mut faults.late,
        |faults| &mut faults.resent,
        |faults| &mut faults.answered_twice,
        |faults| &mut faults.slow,
        |faults| &mut faults.full,
        |faults| &mut faults.short_read,
        |faults| &mut faults.damaged,
    ];
    for rate in rates {
        if *rate(&mut plan.faults.clone()) > 0 {
            all.push(with(&|plan| *rate(&mut plan.faults) = 0));
        }
    }
    all.retain(|smaller| smaller != plan);
    all
}
