//! What is known by its ids: batches (Z5), and threads of the same name (Z6).

use std::sync::{Arc, Barrier};
use std::thread;

use turnkeep::core::session::tier::Hot;
use turnkeep::core::zeitlich::session_id;
use turnkeep::{Append, Create, ErrorKind, Result, Session, SessionId, Tier};
use turnkeep_tests::real::{Rig, assert_all_once, create, flush, is_race, named, texts};
use turnkeep_tests::sessions::id;

use super::{A_SESSION, Timed, rounds};

/// Appends messages of those ids once; whether they were there already.
fn once(tier: &Arc<Tier>, session: &SessionId, ids: &[String]) -> Result<bool> {
    loop {
        let drafts: Vec<_> = ids.iter().map(|id| named(id)).collect();
        let opened = Session::open(tier.clone(), session);
        match opened.and_then(|session| session.append_with(Append::from(drafts).once())) {
            Ok(appended) => return Ok(appended.already_applied),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn z5_an_id_with_a_colon_is_no_batch() {
    let rig = Rig::start();
    let workers: Vec<_> = (0..4).map(|_| rig.another()).collect();
    let _timed = Timed::new("Z5");
    let (mut name, mut all) = (String::new(), Vec::new());
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            (name, all) = (format!("z5-{round}"), Vec::new());
            drop(create(&rig.tier, &name));
        }
        let one = vec![format!("{round}a:{round}b")];
        let two = vec![format!("{round}a"), format!("{round}b")];
        // Each twice, all at once, as when answers were lost.
        let batches = [&one, &two, &one, &two];
        let start = Barrier::new(4);
        let applied: Vec<bool> = thread::scope(|scope| {
            let mut writers = Vec::new();
            for (tier, batch) in workers.iter().zip(batches) {
                let (start, name) = (&start, &name);
                writers.push(scope.spawn(move || {
                    start.wait();
                    once(tier, &id(name), batch).expect("done")
                }));
            }
            writers.into_iter().map(|writer| writer.join().expect("a writer")).collect()
        });
        assert!(applied[0] != applied[2] && applied[1] != applied[3], "{round}: {applied:?}");
        all.extend([one.clone(), two.clone()].concat());
        if round % 3 == 0 {
            let hot = [Hot::Clear, Hot::Keep][round % 2];
            flush(&rig.tier, &name, hot).expect("a flush");
        }
        for batch in batches {
            assert!(once(&rig.tier, &id(&name), batch).expect("known"), "{batch:?}");
        }
        // What shares one of them is neither there nor new.
        for other in [vec![two[1].clone(), format!("{round}c")], two[..1].to_vec()] {
            let error = once(&rig.tier, &id(&name), &other).expect_err("half of it is there");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        }
        let session = Session::open(rig.tier.clone(), &id(&name)).expect("it opens");
        assert_all_once(&texts(&session), &all, &name);
    }
}

#[test]
fn z6_threads_of_one_name_have_their_own_ids() {
    let rig = Rig::start();
    let workers = [rig.another(), rig.another()];
    let _timed = Timed::new("Z6");
    let mut threads = Vec::new();
    let mut all = Vec::new();
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            all.clear();
            let thread = |key| session_id(key, &format!("t-{round}")).expect("an id");
            threads = ["messages", "messages:meta"].map(thread).to_vec();
            for thread in &threads {
                let create = Create::default().with_id(thread.clone());
                Session::create(rig.tier.clone(), create).expect("a session");
            }
        }
        let ids = vec![format!("m{round}")];
        all.extend(ids.clone());
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for (worker, (tier, thread)) in workers.iter().zip(&threads).enumerate() {
                let (start, ids) = (&start, &ids);
                scope.spawn(move || {
                    start.wait();
                    assert!(!once(tier, thread, ids).expect("new"), "{thread:?} {ids:?}");
                    if (round + worker) % 2 == 0 {
                        let flush = turnkeep::core::session::tier::Flush::default();
                        let flushed = tier.flush(thread, flush);
                        assert!(flushed.as_ref().err().is_none_or(is_race), "{flushed:?}");
                    }
                });
            }
        });
        for thread in &threads {
            assert!(once(&rig.tier, thread, &ids).expect("known"), "{thread:?} {ids:?}");
            let session = Session::open(rig.tier.clone(), thread).expect("it opens");
            assert_eq!(texts(&session), all, "{thread:?}");
        }
    }
}
