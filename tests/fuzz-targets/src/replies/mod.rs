//! Stores that lie: operations of the core, answered with anything.
//!
//! The first bytes choose the operation, the next ones what becomes of each answer: it is true, it is
//! changed, it is another's, it is lost, or it is a failure. Once they are used up the store tells the
//! truth, fails always, or goes on as it last did. Whatever it says, the operation ends; and it only
//! succeeds where what it was told bears that out.

mod liar;
mod world;

use turnkeep_core::log::{Draft, Report};
use turnkeep_core::session::runtime::{Restore, Snapshot, restore, snapshot};
use turnkeep_core::session::tier::{self, Collect, Flush, Layout};
use turnkeep_core::session::{self, Append, At, Compact, Create, Fork, Page, Policy, Range, View};
use turnkeep_core::store::{Durability, Key, Part};
use turnkeep_core::task::Task;
use turnkeep_core::{Hash, Result, SessionId, State};

use crate::check::{is_json, stable};
use crate::host::run;
use crate::input::Input;
use crate::make;
use liar::{Liar, Wrote};
use world::{NAMES, Truth, truth};

/// An operation, over a store that answers with anything.
pub fn replies(data: &[u8]) {
    let mut input = Input::new(data);
    let (operation, name) = (input.below(OPERATIONS), NAMES[input.below(NAMES.len())]);
    let id = SessionId::new(name).expect("an id");
    let (truth, mut liar) = (truth(name), Liar::new(input));
    let outcome = match operation {
        0..READING => read(operation, &id, truth, &mut liar),
        _ => write(operation, &id, &mut liar),
    };
    if let Err(error) = &outcome {
        stable(error);
    }
    if !liar.has_lied() && operation < READING {
        assert!(outcome.is_ok(), "it fails though nobody lied: {operation} {name} {outcome:?}");
    }
}

const READING: usize = 12;
const OPERATIONS: usize = 35;

/// Operations that look. Where they come to the true head, all they tell is true.
fn read(operation: usize, id: &SessionId, truth: &Truth, liar: &mut Liar<'_>) -> Result<()> {
    let expected = truth.head.map(|head| (head.seq, head.hash));
    match operation {
        0 => verified(&ask(session::verify(id.clone(), expected, false), liar)?, truth),
        1 => verified(&ask(session::verify(id.clone(), None, true), liar)?, truth),
        2 => page(&ask(session::read(id.clone(), Range::all()), liar)?, false),
        3 => page(&ask(session::read(id.clone(), Range::last(3)), liar)?, false),
        4 => page(&ask(session::read(id.clone(), Range::last(4).newest_first()), liar)?, true),
        5 => page(&ask(session::read(id.clone(), Range::turn(1)), liar)?, false),
        6 => folded(&ask(session::state(id.clone(), View::default()), liar)?, truth),
        7 => is_json(
            &ask(session::state(id.clone(), View::default().since_compaction()), liar)?.to_json(),
        ),
        8 => {
            let summary = ask(session::summary(id.clone()), liar)?;
            let entries: u64 = summary.kinds.iter().map(|(_, count)| count).sum();
            assert_eq!(entries, summary.head.seq + 1);
        }
        9 => {
            let session = ask(session::open(id.clone()), liar)?;
            assert_eq!(session.id(), id);
        }
        10 => _ = ask(session::recent(None, 5, None), liar)?,
        _ => _ = ask(session::usage(1000), liar)?,
    }
    Ok(())
}

/// Operations that change something. Where they succeed, the store said that it was written.
fn write(operation: usize, id: &SessionId, liar: &mut Liar<'_>) -> Result<()> {
    let (log, archive) = (Key::of(id, Part::Log), Key::of(id, Part::Archive));
    let draft = || [Draft::user_input("\"on\"").with_text("id", "once")];
    match operation {
        READING => {
            ask(session::create(Create::default().with_id(named("new"))), liar)?;
            assert!(liar.told(Wrote::Bytes, &Key::of(&named("new"), Part::Log)));
        }
        13..=16 => {
            let session = ask(session::open(id.clone()), liar)?;
            let append = Append::from(draft());
            let append = match operation {
                13 => append,
                14 => append.once(),
                15 => append.with_durability(Durability::Disk),
                _ => append.after(0, turnkeep_core::sha256(b"another")),
            };
            let appended = ask(session::append(session, append), liar)?;
            assert!(operation != 16, "it follows an entry that is not there");
            assert!(appended.already_applied || liar.told(Wrote::Bytes, &log));
        }
        17 => {
            let session = ask(session::open(id.clone()), liar)?;
            ask(session::sync(&session), liar)?;
            assert!(liar.told(Wrote::Sync, &log));
        }
        18 => {
            let archived = ask(session::archive(id.clone()), liar)?;
            assert!(liar.told(Wrote::Bytes, &archive) || liar.has_given(&archive), "{archived:?}");
        }
        19 => {
            ask(session::restore(id.clone()), liar)?;
            assert!(liar.told(Wrote::Bytes, &log));
        }
        20 => {
            ask(session::delete(id.clone()), liar)?;
            assert!(liar.told_any(Wrote::Removal) || liar.has_seen(&Key::manifests(id)));
        }
        21 => {
            let flushed = ask(tier::flush(id.clone(), Flush::default()), liar)?;
            // An anchor in the hot log says what the cold store has.
            let is_told = liar.has_seen(&Key::manifests(id)) || liar.has_given(&log);
            assert!(flushed.head.is_none() || is_told);
        }
        22 => {
            let hydrated = ask(tier::hydrate(id.clone()), liar)?;
            assert!(hydrated.was_hot || liar.told(Wrote::Bytes, &log));
        }
        23 => {
            let session =
                ask(session::fork(id.clone(), Fork::at(At::Head).with_id(named("new"))), liar)?;
            assert_eq!(session.id(), &named("new"));
            assert!(liar.told(Wrote::Bytes, &Key::of(&named("new"), Part::Log)));
        }
        24 => {
            let session = ask(session::open(id.clone()), liar)?;
            ask(session::compact(session, Compact::new(vec!["\"sum\"".into()], 1)), liar)?;
            assert!(liar.told(Wrote::Bytes, &log));
        }
        _ => maintain(operation, id, liar)?,
    }
    Ok(())
}

/// What is done to a store as a whole, and beside sessions.
fn maintain(operation: usize, id: &SessionId, liar: &mut Liar<'_>) -> Result<()> {
    match operation {
        25 => _ = ask(session::repair(id.clone(), Some(named("new")), false), liar)?,
        26 => {
            ask(session::sweep(Policy::default().inactive_for(1).at_most(10)), liar)?;
        }
        27 => _ = ask(tier::collect(Collect::default()), liar)?,
        28 => {
            let copied = ask(tier::copy(id.clone(), Layout::Objects), liar)?;
            assert!(copied.entries == 0 || liar.has_seen(&Key::manifests(id)));
        }
        29 => _ = ask(tier::pull(id.clone()), liar)?,
        30 => {
            ask(snapshot(Snapshot::default()), liar)?;
            assert!(liar.told(Wrote::Bytes, &Key::bundle()));
        }
        31 => _ = ask(restore(Restore::default()), liar)?,
        32 => _ = ask(session::find_incomplete(), liar)?,
        33 => _ = ask(session::sweep_if_due(Policy::default().inactive_for(1), u64::MAX), liar)?,
        _ => {
            ask(session::set_about(id.clone(), session::About::default()), liar)?;
            assert!(liar.told(Wrote::Bytes, &Key::of(id, Part::About)));
        }
    }
    Ok(())
}

fn ask<T>(task: Task<T>, liar: &mut Liar<'_>) -> Result<T> {
    run(task.with_cold_store(), |request| liar.answer(request))
}

fn named(name: &str) -> SessionId {
    SessionId::new(name).expect("an id")
}

/// A head is a hash of all that precedes it: nobody can lie about what leads to it.
fn verified(report: &Report, truth: &Truth) {
    report.fault.iter().chain(&report.entry_fault).for_each(stable);
    if report.fault.is_none()
        && report.head.map(|head| head.hash) == truth.head.map(|head| head.hash)
    {
        assert_eq!((report.head, &report.session), (truth.head, &truth.state.session));
    }
}

fn folded(state: &State, truth: &Truth) {
    is_json(&state.to_json());
    if state.head == truth.head {
        assert_eq!(state.to_json(), truth.state.to_json());
    }
}

/// A page's lines have right hashes and follow one another.
fn page(page: &Page, is_back: bool) {
    let text = std::str::from_utf8(&page.lines).expect("verified lines are UTF-8");
    let mut lines: Vec<&str> = text.split_terminator('\n').collect();
    assert_eq!((lines.len() as u64, page.seqs.len() as u64), (page.entries, page.entries));
    if is_back {
        lines.reverse();
    }
    let mut before: Option<Hash> = None;
    for line in lines {
        let prev = line[87..].strip_prefix('"').map(|rest| rest[..64].parse().expect("a hash"));
        assert!(before.is_none() || prev == before, "a line that does not follow the one before");
        let hash = make::hash(prev, make::rest(line.as_bytes()));
        assert_eq!(line.get(9..73), Some(&*hash.to_string()));
        before = Some(hash);
    }
}
