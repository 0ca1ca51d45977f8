//! What is used long after it was looked at: an old anchor, the end of a deleted session, what a
//! collector saw, an archive's record.

use turnkeep::core::limits::GRAVE_MS_MIN;
use turnkeep::core::session::tier::{Collect, Hot, collect};
use turnkeep::core::session::{self, At, Fork};
use turnkeep::core::store::{Condition, Part, Reply, Request};
use turnkeep::{Error, ErrorKind, Key, Store};
use turnkeep_tests::retention::{DAY_MS, Job, Outcome, Place, job};
use turnkeep_tests::sessions::id;
use turnkeep_tests::tiers::{
    HOUR_MS, Past, World, appending, code, collect_later, creating, deleting, ends_well, flushing,
    forking, fsck, hydrating, is_cold, is_collected, look, noise, past, pulling,
};

/// Carries an operation out over a cold store that knows no conditions on removing, and does something
/// else before its first such request.
fn before(
    world: &World,
    job: &Job,
    is_it: impl Fn(&Request) -> bool,
    then: impl FnOnce(),
) -> Outcome {
    let host = world.host();
    let (mut running, mut then) = (job(), Some(then));
    while let Some(request) = running.request() {
        if is_it(&request)
            && let Some(then) = then.take()
        {
            then();
        }
        let is_conditional = |request: &Request| {
            matches!(request, Request::Delete { condition: Condition::Version(_), .. })
        };
        running.answer(match &request {
            Request::Cold(request) if is_conditional(request) => {
                Reply::Failed(Error::new(ErrorKind::NotSupported, "no conditions on removing"))
            }
            request => host.perform(request),
        });
    }
    assert!(then.is_none(), "it was never asked for");
    running.outcome()
}

fn does(world: &World, job: &Job, what: &str) {
    let outcome = world.host().finish(job());
    assert_eq!(code(&outcome), "ok", "{what}: {outcome:?}");
}

fn collect_all(world: &World) {
    for _ in 0..3 {
        collect_later(world).expect("collected");
    }
}

fn log() -> Key {
    Key::of(&id("a"), Part::Log)
}

fn manifests(world: &World) -> usize {
    world.cold.keys().iter().filter(|key| key.as_str().starts_with("sessions/")).count()
}

/// A session whose anchor names segments that were joined since, by a flush that was cut off then, and
/// collected.
fn joined() -> Past {
    let past = past("seven");
    {
        let host = past.world.host();
        let mut running = flushing(Hot::Keep)();
        while let Some(request) = running.request() {
            if matches!(&request, Request::Put { key, .. } if *key == log()) {
                break;
            }
            running.answer(host.perform(&request));
        }
    }
    collect_all(&past.world);
    past
}

/// A session that went on in another hot store; what that one's anchor names was joined and collected.
fn gone_on() -> Past {
    let mut past = past("cold");
    does(&past.world, &hydrating(), "hydrated");
    let kept = past.world.hot.get(&log(), None).expect("an anchor").bytes;
    for n in 20..28 {
        let text = noise(n, 3000);
        does(&past.world, &appending(&text), "appended");
        does(&past.world, &flushing(Hot::Clear), "flushed");
        past.texts.get_or_insert_default().push(text);
    }
    past.world.hot.put(&log(), &kept, &Condition::Any).expect("a put");
    collect_all(&past.world);
    past
}

/// A hot store with a whole log of its own, while the session went on in another one.
#[test]
fn a_log_that_fell_behind_has_nothing_to_flush() {
    let past = past("left");
    let world = &past.world;
    let kept = world.hot.get(&log(), None).expect("a log").bytes;
    does(world, &appending("new-0 and some words"), "appended");
    does(world, &flushing(Hot::Clear), "flushed");
    world.hot.put(&log(), &kept, &Condition::Any).expect("a put");
    does(world, &flushing(Hot::Leave), "nothing is new");
    // Something is, and goes another way.
    does(world, &appending("new-1 and some words"), "appended");
    let outcome = world.host().finish(flushing(Hot::Leave)());
    assert_eq!(code(&outcome), "conflict", "{outcome:?}");
}

#[test]
fn a_fork_names_no_segment_that_was_joined() {
    for (at, said, past) in [
        (At::Head, 8, joined()),
        (At::Seq(3), 3, joined()),
        (At::Head, 2, gone_on()),
        (At::Seq(1), 1, gone_on()),
    ] {
        let (world, what) = (&past.world, format!("{at:?} of {}", past.name));
        does(world, &forking(at), &what);
        fsck(world, &what);
        let texts = look(world, "b", &what).expect("a fork");
        assert_eq!(texts[..], past.texts.as_deref().expect("texts")[..said], "{what}");
        collect_all(world);
        is_collected(world, &what);
        ends_well(world, "b", Some(&texts), &what);
    }
}

#[test]
fn a_session_whose_segments_were_joined_is_hydrated_anew() {
    for past in [joined(), gone_on()] {
        let (world, what) = (&past.world, past.name);
        does(world, &hydrating(), what);
        assert_eq!(look(world, "a", what).ok(), past.texts, "{what}");
        ends_well(world, "a", past.texts.as_deref(), what);
    }
}

#[test]
fn a_hot_part_that_is_left_names_what_stays() {
    let past = past("seven");
    does(&past.world, &flushing(Hot::Leave), "left");
    collect_all(&past.world);
    assert_eq!(look(&past.world, "a", "left").ok(), past.texts);
}

#[test]
fn the_end_of_a_deleted_session_outlives_what_is_left_of_it() {
    let past = past("archived");
    let (world, archive) = (&past.world, Key::of(&id("a"), Part::Archive));
    let left = world.hot.get(&archive, None).expect("an archive").bytes;
    does(world, &deleting(), "deleted");
    world.hot.put(&archive, &left, &Condition::Any).expect("a put");
    collect_all(world);
    assert_eq!(look(world, "a", "left").expect_err("deleted").code(), "not_found");
    does(world, &flushing(Hot::Clear), "flushed");
    assert_eq!(manifests(world), 1, "only its end");
    does(world, &deleting(), "deleted again");
    world.wait(GRAVE_MS_MIN);
    collect_all(world);
    assert_eq!(manifests(world), 0);
}

#[test]
fn an_old_anchor_is_not_taken_for_that_of_another_session() {
    let past = past("kept");
    let world = &past.world;
    does(world, &appending("said on a laptop"), "appended");
    let kept = world.hot.get(&log(), None).expect("a log").bytes;
    does(world, &deleting(), "deleted");
    collect_all(world);
    world.wait(GRAVE_MS_MIN);
    collect_all(world);
    assert_eq!(manifests(world), 0);
    does(world, &creating("another one"), "created");
    does(world, &flushing(Hot::Clear), "flushed");
    world.hot.put(&log(), &kept, &Condition::Any).expect("a put");
    let outcome = world.host().finish(flushing(Hot::Clear)());
    assert_eq!((code(&outcome), manifests(world)), ("conflict", 1), "{outcome:?}");
    // Nor after the end of that one.
    does(world, &deleting(), "deleted");
    world.hot.put(&log(), &kept, &Condition::Any).expect("a put");
    let outcome = world.host().finish(flushing(Hot::Clear)());
    assert_eq!((code(&outcome), manifests(world)), ("not_found", 2), "{outcome:?}");
}

#[test]
fn what_was_written_anew_stays_whatever_another_collector_saw() {
    let ahead = past("long tail").world;
    let known = ahead.cold.keys();
    does(&ahead, &flushing(Hot::Clear), "ahead");
    let is_new = |key: &Key| key.as_str().starts_with("segments/") && !known.contains(key);
    let segment = ahead.cold.keys().into_iter().find(is_new).expect("a segment");
    let past = past("long tail");
    let world = &past.world;
    let bytes = ahead.cold.get(&segment, None).expect("there").bytes;
    world.cold.plant(&segment, &bytes, world.now_ms() - 30 * 24 * HOUR_MS);
    collect_later(world).expect("noted");
    world.wait(8 * DAY_MS);
    let is_of_it = |request: &Request| match request {
        Request::Cold(request) => match &**request {
            Request::Info { key } | Request::Delete { key, .. } => *key == segment,
            _ => false,
        },
        _ => false,
    };
    let collecting = job(|| collect(Collect::default()).with_cold_store());
    let outcome = before(world, &collecting, is_of_it, || {
        let collected = world.done(collect(Collect::default()));
        assert_eq!(collected.deleted, std::slice::from_ref(&segment));
        world.wait(60_000);
        does(world, &flushing(Hot::Clear), "flushed");
        assert!(world.cold.keys().contains(&segment), "written anew");
    });
    assert_eq!(code(&outcome), "ok", "{outcome:?}");
    fsck(world, "collected twice");
    assert_eq!(look(world, "a", "collected twice").ok(), past.texts);
}

#[test]
fn a_flush_leaves_the_record_of_a_later_archive() {
    for (name, hot) in [
        ("archived", Hot::Clear),
        ("archived and more", Hot::Clear),
        ("archived and more", Hot::Keep),
    ] {
        let past = past(name);
        let world = &past.world;
        let record = Key::of(&id("a"), Part::Retention);
        let is_removal =
            |request: &Request| matches!(request, Request::Delete { key, .. } if *key == record);
        let outcome = before(world, &flushing(hot), is_removal, || {
            does(world, &pulling(), "pulled");
            does(world, &appending("said later"), "appended");
            world.done(session::archive(id("a")));
        });
        assert_eq!(code(&outcome), "ok", "{name}: {outcome:?}");
        assert!(world.done(session::retention(id("a"))).is_some(), "{name}, {hot:?}");
    }
}

#[test]
fn an_old_anchor_costs_two_requests_of_the_cold_store() {
    let fork = job(|| session::fork(id("a"), Fork::default()).with_cold_store());
    for (name, job, requests) in
        [("long tail", flushing(Hot::Keep), 3), ("kept", hydrating(), 0), ("kept", fork, 1)]
    {
        let world = past(name).world;
        does(&world, &flushing(Hot::Clear), "flushed");
        does(&world, &hydrating(), "hydrated");
        does(&world, &appending(&noise(30, 3000)), "appended");
        if requests < 3 {
            does(&world, &flushing(Hot::Keep), "flushed");
        }
        for (waits_ms, more) in [(0, 0), (HOUR_MS + 1, 2)] {
            let world = world.copy();
            world.wait(waits_ms);
            let host = world.host();
            let (mut running, mut count) = (job(), 0);
            while let Some(request) = running.request() {
                count += usize::from(is_cold(&request));
                running.answer(host.perform(&request));
            }
            assert_eq!(code(&running.outcome()), "ok", "{name}, {waits_ms}");
            assert_eq!(count, requests + more, "{name}, {waits_ms}");
        }
    }
}

/// A deletion of which the cold store heard, and that was cut off before it came to the log: others go
/// on with that, and what they write stays there, for in an archive it would be hidden.
#[test]
fn what_is_written_after_a_deletion_that_was_cut_off_is_not_archived() {
    let past = past("hot");
    let world = &past.world;
    let host = world.host();
    let mut running = deleting()();
    while let Some(request) = running.request() {
        let is_seen = |condition: &Condition| *condition != Condition::Version("none".into());
        if matches!(&request, Request::Delete { key, condition } if *key == log() && is_seen(condition))
        {
            break;
        }
        running.answer(host.perform(&request));
    }
    assert_eq!(manifests(world), 1, "the cold store heard of it");
    let text = noise(3, 40);
    does(world, &appending(&text), "appended");
    let archived = world.host().finish(job(|| session::archive(id("a")).with_cold_store())());
    assert_eq!(code(&archived), "not_found", "{archived:?}");
    let texts = [past.texts.clone().unwrap_or_default(), vec![text]].concat();
    assert_eq!(look(world, "a", "refused").ok(), Some(texts));
    does(world, &deleting(), "deleted again");
    assert_eq!(
        look(world, "a", "deleted").err().map(|error| error.kind()),
        Some(ErrorKind::NotFound)
    );
}

/// Whether that writes an object of the cold store whose name starts so.
fn puts_in_cold(request: &Request, prefix: &str) -> bool {
    let Request::Cold(inner) = request else { return false };
    matches!(&**inner, Request::Put { key, .. } if key.as_str().starts_with(prefix))
}

/// The same writing of a segment, of other bytes.
fn damaged(request: &Request) -> Option<Request> {
    let Request::Cold(inner) = request else { return None };
    let Request::Put { key, bytes, condition } = &**inner else { return None };
    let (key, condition) = (key.clone(), condition.clone());
    let bytes = bytes.iter().map(|byte| byte ^ 1).collect();
    let is_segment = puts_in_cold(request, "segments/");
    is_segment.then(|| Request::Cold(Box::new(Request::Put { key, bytes, condition })))
}

/// A segment that was written wrong is in the way of the right one until it is replaced.
#[test]
fn a_segment_that_was_damaged_as_it_was_written_is_written_again() {
    let past = past("hot");
    let world = &past.world;
    let host = world.host();
    let mut running = flushing(Hot::Keep)();
    while let Some(request) = running.request() {
        running.answer(host.perform(damaged(&request).as_ref().unwrap_or(&request)));
    }
    assert_eq!(code(&running.outcome()), "store_failed");
    does(world, &flushing(Hot::Clear), "flushed again");
    assert_eq!(look(world, "a", "flushed").ok(), past.texts);
    ends_well(world, "a", past.texts.as_deref(), "flushed");
}

/// Who finds a segment damaged replaces that, and not what another has written right since and named.
#[test]
fn a_segment_that_was_written_again_is_not_replaced_by_who_saw_it_damaged() {
    let past = past("hot");
    let world = &past.world;
    let host = world.host();
    let mut running = flushing(Hot::Keep)();
    let mut is_second = false;
    while let Some(request) = running.request() {
        let damaged = damaged(&request);
        if damaged.is_some() {
            if is_second {
                does(world, &flushing(Hot::Clear), "flushed meanwhile");
            }
            is_second = true;
        }
        running.answer(host.perform(damaged.as_ref().unwrap_or(&request)));
    }
    assert!(is_second);
    assert_eq!(look(world, "a", "flushed").ok(), past.texts);
    ends_well(world, "a", past.texts.as_deref(), "flushed");
}

/// A store's answer is lost, and what it was asked to write comes minutes later.
#[test]
fn a_failed_forks_manifest_comes_too_late_for_who_has_the_id_then() {
    let past = past("kept");
    let world = &past.world;
    let host = world.host();
    let mut running = forking(At::Head)();
    let mut late = None;
    while let Some(request) = running.request() {
        let is_first = puts_in_cold(&request, "sessions/b/") && late.is_none();
        running.answer(match is_first {
            true => {
                late = Some(request);
                let error = Error::new(ErrorKind::StoreFailed, "no answer");
                Reply::Failed(error.retryable())
            }
            false => host.perform(&request),
        });
    }
    assert_eq!(code(&running.outcome()), "store_failed");
    let late = host.perform(&late.expect("a manifest"));
    assert!(matches!(&late, Reply::Failed(error) if error.kind() == ErrorKind::AlreadyExists));
    does(world, &forking(At::Seq(0)), "forked again");
    let texts = look(world, "b", "forked again").ok();
    ends_well(world, "b", texts.as_deref(), "the manifest came late");
}

/// A title that is set while a session is flushed is not in the manifest, and stays where it is.
#[test]
fn a_title_that_is_set_during_a_flush_stays() {
    let past = past("hot");
    let world = &past.world;
    let titled = |title: &str| session::About::new(Some(title.into()), Vec::new());
    let set = |title: &str| world.done(session::set_about(id("a"), titled(title)));
    set("before");
    let outcome = before(
        world,
        &flushing(Hot::Clear),
        |request| puts_in_cold(request, "sessions/"),
        || set("meanwhile"),
    );
    assert_eq!(code(&outcome), "ok", "{outcome:?}");
    assert_eq!(world.done(session::about(id("a"))), titled("meanwhile"));
}
