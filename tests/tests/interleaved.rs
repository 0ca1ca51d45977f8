//! Someone else does something whole between two requests of an operation, at every place there is:
//! what was acknowledged is there afterwards, in one chain, and can be archived and restored.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use turnkeep::core::session::{archive, delete, restore};
use turnkeep::core::store::{Condition, Key, Part};
use turnkeep::retention::{Policy, sweep};
use turnkeep::{MemoryStore, Range, Result, Store, drive};
use turnkeep_tests::sessions::{bytes_of, create, id, open, user};
use turnkeep_tests::spy::Spy;

type Shared = Arc<dyn Store>;

/// What others do. Where it is refused, they did nothing.
const OTHERS: &[(&str, &[Step])] = &[
    ("append", &[Step::Append]),
    ("append, archive", &[Step::Append, Step::Archive]),
    ("restore", &[Step::Restore]),
    ("restore, archive", &[Step::Restore, Step::Archive]),
    ("restore, append, archive", &[Step::Restore, Step::Append, Step::Archive]),
    ("append, restore", &[Step::Append, Step::Restore]),
    ("append, archive, append", &[Step::Append, Step::Archive, Step::Append]),
    ("archive", &[Step::Archive]),
    ("archive, restore", &[Step::Archive, Step::Restore]),
];

/// How the session is kept when the operation begins.
const FORMS: &[(&str, &[Step])] = &[
    ("live", &[]),
    ("archived", &[Step::Archive]),
    ("archived and continued", &[Step::Archive, Step::Append]),
    ("archived, with an empty log", &[Step::Archive, Step::Empty]),
];

/// What others do while a session is deleted: they delete it first, and begin a new one.
const NEWER: &[(&str, &[Step])] = &[
    ("delete", &[Step::Delete]),
    ("delete, create", &[Step::Delete, Step::Create]),
    ("delete, create, append", &[Step::Delete, Step::Create, Step::Append]),
    ("delete, create, archive", &[Step::Delete, Step::Create, Step::Archive]),
    ("delete, create, archive, append", &[Step::Delete, Step::Create, Step::Archive, Step::Append]),
];

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Append,
    Archive,
    Restore,
    Delete,
    Create,
    /// What a writer leaves that is killed as it writes over its claim.
    Empty,
}

thread_local! {
    /// The texts that were acknowledged.
    static ACKNOWLEDGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn append(store: &Shared) -> Result<()> {
    let text = ACKNOWLEDGED.with_borrow(|texts| format!("text {}", texts.len()));
    open(store, "a")?.append_one(&user(&text))?;
    ACKNOWLEDGED.with_borrow_mut(|texts| texts.push(text));
    Ok(())
}

fn take(store: &Shared, step: Step) -> Result<()> {
    match step {
        Step::Append => append(store),
        Step::Archive => drive(archive(id("a")), &**store).map(|_| ()),
        Step::Restore => drive(restore(id("a")), &**store).map(|_| ()),
        Step::Delete => drive(delete(id("a")), &**store),
        Step::Empty => {
            let log = Key::of(&id("a"), Part::Log);
            store.put(&log, &[], &Condition::Absent).map(|_| ())
        }
        Step::Create => {
            create(store, "a").map(drop)?;
            ACKNOWLEDGED.with_borrow_mut(Vec::clear);
            append(store)
        }
    }
}

fn texts(store: &Shared) -> Vec<String> {
    let session = open(store, "a").expect("it opens");
    let report = session.verify_with(None, true).expect("a report");
    assert!(report.is_whole(), "{report:?}");
    let entries = session.entries(Range::all()).skip(1);
    entries
        .map(|line| {
            let line = line.expect("a line");
            line.parse().expect("an entry").text("item").expect("a text").into_owned()
        })
        .collect()
}

/// Begins the operation and lets others act before its request of that number; `false` where it has
/// not that many.
fn interleave(form: &[Step], operation: Step, request: u64, others: &'static [Step]) -> bool {
    ACKNOWLEDGED.with_borrow_mut(Vec::clear);
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Shared = spy.clone();
    drop(create(&store, "a").expect("a session"));
    append(&store).expect("an append");
    form.iter().for_each(|step| take(&store, *step).expect("it is not disturbed"));
    let them = store.clone();
    spy.before_request(request, move || {
        others.iter().for_each(|step| _ = take(&them, *step));
    });
    // It may be refused, or do it all the same.
    take(&store, operation).ok();
    if spy.leave_alone() {
        return false;
    }
    let acknowledged = || ACKNOWLEDGED.with_borrow(Vec::clone);
    assert_eq!(texts(&store), acknowledged());
    // And nothing stands in the way of what comes next.
    for step in [Step::Append, Step::Archive, Step::Append, Step::Archive, Step::Restore] {
        take(&store, step).expect("nothing is in the way");
        assert_eq!(texts(&store), acknowledged());
    }
    true
}

#[track_caller]
fn at_every_request(operation: Step) {
    let mut places = 0;
    for (form, steps) in FORMS {
        for (what, others) in OTHERS {
            for request in 0.. {
                println!("{form}; before request {request}: {what}");
                if !interleave(steps, operation, request, others) {
                    break;
                }
                places += 1;
            }
        }
    }
    assert!(places > 100, "{places}");
}

#[test]
fn others_between_two_requests_of_a_restoring_lose_nothing() {
    at_every_request(Step::Restore);
}

#[test]
fn others_between_two_requests_of_an_archiving_lose_nothing() {
    at_every_request(Step::Archive);
}

#[test]
fn others_between_two_requests_of_an_append_lose_nothing() {
    at_every_request(Step::Append);
}

/// Whether the session is there afterwards; then it must be whole.
fn delete_interleaved(form: &[Step], request: u64, others: &'static [Step]) -> Option<bool> {
    ACKNOWLEDGED.with_borrow_mut(Vec::clear);
    let spy = Arc::new(Spy::new(MemoryStore::new()));
    let store: Shared = spy.clone();
    drop(create(&store, "a").expect("a session"));
    append(&store).expect("an append");
    form.iter().for_each(|step| take(&store, *step).expect("it is not disturbed"));
    let them = store.clone();
    spy.before_request(request, move || {
        others.iter().for_each(|step| _ = take(&them, *step));
    });
    let deleted = take(&store, Step::Delete);
    if spy.leave_alone() {
        return None;
    }
    let is_there = match open(&store, "a") {
        Ok(_) => true,
        Err(error) if error.code() == "not_found" => false,
        Err(error) => panic!("{error}"),
    };
    let deletes = |step: &Step| *step == Step::Delete;
    assert!(is_there || deleted.is_ok() || others.iter().any(deletes), "it is gone: {deleted:?}");
    if is_there {
        assert!(deleted.is_err() || others.contains(&Step::Create), "it is still there");
        assert_eq!(texts(&store), ACKNOWLEDGED.with_borrow(Vec::clone));
        take(&store, Step::Delete).expect("it can be deleted");
    }
    // Whatever became of it, its id is free for another one.
    take(&store, Step::Create).expect("nothing is in the way");
    take(&store, Step::Archive).expect("nothing is in the way");
    assert_eq!(texts(&store), ACKNOWLEDGED.with_borrow(Vec::clone));
    Some(is_there)
}

/// A deletion once removed the archive that a newer session of the same id had just gone into.
#[test]
fn others_between_two_requests_of_a_deletion_keep_a_newer_session_whole() {
    let mut newer = 0;
    for (form, steps) in FORMS {
        for (what, others) in OTHERS.iter().chain(NEWER) {
            for request in 0.. {
                println!("{form}; before request {request}: {what}");
                let Some(is_there) = delete_interleaved(steps, request, others) else { break };
                newer += u32::from(is_there);
            }
        }
    }
    assert!(newer > 30, "{newer}");
}

/// Minutes pass while a sweep prunes one session after the other: what was used meanwhile stays, as long
/// as the policy says.
#[test]
fn a_sweep_prunes_nothing_that_was_used_since_it_looked() {
    let record = Key::of(&id("a"), Part::Retention);
    let used_at = |json: &[u8], ms: u64| {
        let json = String::from_utf8(json.to_vec()).expect("text");
        let (start, rest) = json.split_once("\"last_activity\":").expect("a time");
        let (_, end) = rest.split_once(',').expect("more");
        format!("{start}\"last_activity\":{ms},{end}").into_bytes()
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("later").as_millis();
    let ago = move |ms: u64| u64::try_from(now).expect("a time") - ms;
    let (mut kept, mut pruned) = (0, 0);
    for request in 0.. {
        let spy = Arc::new(Spy::new(MemoryStore::new()));
        let store: Shared = spy.clone();
        drop(create(&store, "a").expect("a session"));
        take(&store, Step::Archive).expect("archived");
        let json = store.get(&record, None).expect("a record").bytes;
        store.put(&record, &used_at(&json, ago(3 * 86_400_000)), &Condition::Any).expect("a put");
        let (them, key, was_used) =
            (store.clone(), record.clone(), Arc::new(AtomicBool::new(false)));
        let told = was_used.clone();
        spy.before_request(request, move || {
            let now = them.get(&key, None).expect("a record").bytes;
            if !now.windows(8).any(|bytes| bytes == b"\"pruned\"") {
                // Two minutes before the sweep comes to it.
                them.put(&key, &used_at(&now, ago(120_000)), &Condition::Any).expect("a put");
                told.store(true, Ordering::SeqCst);
            }
        });
        let policy = Policy::default().inactive_for(None).at_most(0);
        sweep(&*store, policy).expect("a sweep");
        if spy.leave_alone() {
            break;
        }
        let is_there = open(&store, "a").is_ok();
        assert_eq!(is_there, was_used.load(Ordering::SeqCst), "before request {request}");
        *(if is_there { &mut kept } else { &mut pruned }) += 1;
    }
    assert!(kept > 5 && pruned > 2, "{kept} {pruned}");
}

/// The other's note stays.
#[test]
fn a_sweep_whose_place_another_took_ends_well() {
    let theirs = b"{\"version\":1,\"until\":1,\"finished\":7}\n";
    let mut taken_over = 0;
    for request in 0.. {
        let spy = Arc::new(Spy::new(MemoryStore::new()));
        let store: Shared = spy.clone();
        drop(create(&store, "a").expect("a session"));
        let them = store.clone();
        spy.before_request(request, move || {
            them.put(&Key::sweep(), theirs, &Condition::Any).expect("a put");
        });
        let swept = sweep(&*store, Policy::default());
        if spy.leave_alone() {
            break;
        }
        match swept {
            Ok(_) => taken_over += u32::from(bytes_of(&store, &Key::sweep()) == theirs),
            Err(error) => assert_eq!(error.code(), "locked", "before request {request}"),
        }
    }
    assert!(taken_over > 2, "{taken_over}");
}

#[cfg(feature = "planted")]
#[test]
fn what_is_planted_is_found() {
    use std::panic::catch_unwind;
    use turnkeep::core::planted::{Defect, plant};
    let tests: [fn(); 4] = [
        others_between_two_requests_of_a_restoring_lose_nothing,
        others_between_two_requests_of_an_archiving_lose_nothing,
        others_between_two_requests_of_an_append_lose_nothing,
        others_between_two_requests_of_a_deletion_keep_a_newer_session_whole,
    ];
    for defect in [Defect::WakeUnclaimed, Defect::DeleteLeavesOpen] {
        plant(Some(defect));
        let is_found = tests.iter().any(|test| catch_unwind(test).is_err());
        plant(None);
        assert!(is_found, "{defect:?} is planted, and nothing goes wrong");
    }
    println!("proof: 2 planted defects found between requests");
}
