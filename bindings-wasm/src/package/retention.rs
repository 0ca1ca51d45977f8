//! Keeping a store small.

use turnkeep_core::session::{
    self, Outcome, Policy, Pruned, Retention, Scheduled, SessionUsage, StoreUsage, Sweep, Swept,
    UsedBytes,
};
use turnkeep_core::{Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, get, number, object, optional, whole, whole_or_none};
use super::error;
use super::session::form;
use super::task::Task;

/// `limits` are `{ inactiveMs, maxBytes, minAgeMs }`.
#[wasm_bindgen]
pub fn sweep(
    limits: &JsValue,
    kinds: Vec<String>,
    keep_tags: Vec<String>,
    dry_run: bool,
) -> Js<Task> {
    let policy = policy(limits, kinds, keep_tags, dry_run)?;
    Ok(Task::new(session::sweep(policy), swept))
}

/// Gives `{ sweep, waitMs }`, the former where there was one.
#[wasm_bindgen]
pub fn sweep_if_due(
    limits: &JsValue,
    kinds: Vec<String>,
    keep_tags: Vec<String>,
    dry_run: bool,
    every_ms: f64,
) -> Js<Task> {
    let policy = policy(limits, kinds, keep_tags, dry_run)?;
    let task = session::sweep_if_due(policy, whole(every_ms)?);
    Ok(Task::new(task, |scheduled: Scheduled| {
        let sweep = optional(scheduled.sweep, swept);
        object([("sweep", sweep), ("waitMs", number(scheduled.wait_ms))])
    }))
}

/// What is not given stays as the core has it.
fn policy(
    limits: &JsValue,
    kinds: Vec<String>,
    keep_tags: Vec<String>,
    dry_run: bool,
) -> Result<Policy> {
    let mut policy = Policy::default();
    policy.inactive_ms = limit(limits, "inactiveMs", policy.inactive_ms)?;
    policy.max_bytes = limit(limits, "maxBytes", policy.max_bytes)?;
    policy.min_age_ms = limit(limits, "minAgeMs", Some(policy.min_age_ms))?.unwrap_or_default();
    policy.kinds = kinds;
    policy.keep_tags = keep_tags;
    policy.dry_run = dry_run;
    Ok(policy)
}

/// A member that is a number, `null` for none, or missing.
fn limit(limits: &JsValue, name: &str, unless_given: Option<u64>) -> Result<Option<u64>> {
    let value = get(limits, name);
    let given = whole_or_none(value.as_f64())?;
    Ok(given.or(unless_given).filter(|_| !value.is_null()))
}

fn swept(sweep: Sweep) -> JsValue {
    object([
        ("sessions", convert::list(&sweep.sessions, one)),
        ("archived", number(sweep.archived)),
        ("pruned", number(sweep.pruned)),
        ("freedBytes", number(sweep.freed_bytes)),
        ("archiveBytes", number(sweep.archive_bytes)),
    ])
}

fn one(swept: &Swept) -> JsValue {
    let none = JsValue::UNDEFINED;
    let (outcome, reason, fault) = match &swept.outcome {
        Outcome::Archived => ("archived", none.clone(), none),
        Outcome::Pruned => ("pruned", none.clone(), none),
        Outcome::Failed(fault) => ("failed", none, error::to_js(fault)),
        Outcome::Kept(reason) => ("kept", reason.name().into(), none),
        _ => ("kept", none.clone(), none),
    };
    object([
        ("id", swept.id.as_str().into()),
        ("outcome", outcome.into()),
        ("reason", reason),
        ("error", fault),
        ("bytes", number(swept.bytes)),
        ("freedBytes", number(swept.freed_bytes)),
    ])
}

#[wasm_bindgen]
pub fn prune(id: String, reason: String) -> Js<Task> {
    Ok(Task::new(session::prune(SessionId::new(id)?, reason), |noted: Retention| {
        let pruned = |Pruned { at_ms, reason, .. }: Pruned| {
            object([("atMs", number(at_ms)), ("reason", reason.into())])
        };
        object([
            ("archivedMs", number(noted.archived_ms)),
            ("lastActivityMs", number(noted.last_activity_ms)),
            ("head", convert::head(noted.head)),
            ("archiveBytes", number(noted.archive_bytes)),
            ("pruned", optional(noted.pruned, pruned)),
        ])
    }))
}

/// Unless told, what was not written to for as long as a sweep asks for is idle.
#[wasm_bindgen]
pub fn usage(inactive_ms: Option<f64>) -> Js<Task> {
    let inactive_ms = whole_or_none(inactive_ms)?.or(Policy::default().inactive_ms);
    Ok(Task::new(session::usage(inactive_ms.unwrap_or_default()), |usage: StoreUsage| {
        object([
            ("sessions", convert::list(&usage.sessions, used)),
            ("total", used_bytes(usage.total)),
        ])
    }))
}

fn used(usage: &SessionUsage) -> JsValue {
    object([
        ("id", usage.id.as_str().into()),
        ("form", form(usage.form).into()),
        ("modifiedMs", optional(usage.modified_ms, number)),
        ("bytes", used_bytes(usage.bytes)),
    ])
}

fn used_bytes(bytes: UsedBytes) -> JsValue {
    object([
        ("live", number(bytes.live)),
        ("archived", number(bytes.archived)),
        ("beside", number(bytes.beside)),
        ("reclaimable", number(bytes.reclaimable)),
    ])
}
