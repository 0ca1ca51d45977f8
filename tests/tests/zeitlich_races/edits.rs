//! Changes of the history by someone who is gone in the middle (Z7).

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use turnkeep::core::session::tier::Hot;
use turnkeep::{Place, RedisStore, S3Store, Tier};
use turnkeep_tests::build::Random;
use turnkeep_tests::real::{Rig, append, create, flush, open_redis, open_s3, texts};
use turnkeep_tests::sessions::id;
use turnkeep_tests::spy::{Failure, Spy, until_gone};

use super::{A_SESSION, Timed, rounds};

/// A tier of one who may be gone at any moment.
struct Mortal {
    hot: Arc<Spy<RedisStore>>,
    cold: Arc<Spy<S3Store>>,
    tier: Arc<Tier>,
}

impl Mortal {
    fn new(rig: &Rig) -> Self {
        let hot = Arc::new(Spy::new(open_redis(&rig.redis, |_| {})));
        let cold = Arc::new(Spy::new(open_s3(&rig.s3, Duration::from_secs(20))));
        let tier = Tier::open_reading(hot.clone(), cold.clone());
        Self { hot, cold, tier }
    }

    /// Does something with that tier, and is gone after so many requests to one of the stores:
    /// `None` then.
    fn until_gone<T>(&self, random: &mut Random, act: impl FnOnce(&Arc<Tier>) -> T) -> Option<T> {
        let failure = [Failure::Gone, Failure::GoneAfter][random.below(2)];
        match random.below(5) {
            0 => self.cold.fail_after(random.below(6) as u64, failure),
            _ => self.hot.fail_after(random.below(14) as u64, failure),
        }
        let done = until_gone(|| act(&self.tier));
        self.hot.heal();
        self.cold.heal();
        done
    }
}

#[test]
fn z7_a_history_is_changed_whole_or_not_at_all() {
    let rig = Rig::start();
    let mortal = Mortal::new(&rig);
    let _timed = Timed::new("Z7");
    let mut random = Random::new(7);
    let (mut name, mut gone, mut changed) = (String::new(), 0, 0);
    for round in 0..rounds() {
        if round % A_SESSION == 0 {
            name = format!("z7-{round}");
            drop(create(&rig.tier, &name));
        }
        for number in 0..2 {
            append(&rig.tier, &name, &mut None, &format!("{round}-{number}"));
        }
        if round % 3 == 0 {
            flush(&rig.tier, &name, [Hot::Clear, Hot::Keep][round % 2]).expect("a flush");
        }
        let before = texts(&rig.tier.hydrate(&id(&name)).expect("hydrated"));
        let is_replaced = random.below(2) == 0;
        let after = match is_replaced {
            true => vec![format!("{round}-new"); 2],
            false => before[..1].to_vec(),
        };
        let done = mortal.until_gone(&mut random, |tier| {
            let session = tier.hydrate(&id(&name))?;
            match is_replaced {
                true => {
                    let item = format!("\"{round}-new\"");
                    session.replace_history(&[&item, &item])
                }
                false => session.truncate_from(Place::Index(1)),
            }
        });
        gone += usize::from(done.is_none());
        // Another one flushes at once, and so does one who is gone in the middle.
        let flushed = thread::scope(|scope| {
            let other = scope.spawn(|| flush(&rig.tier, &name, Hot::Clear));
            let ours = mortal.until_gone(&mut random, |tier| flush(tier, &name, Hot::Clear));
            gone += usize::from(ours.is_none());
            other.join().expect("a flush")
        });
        flushed.expect("a flush");
        let archived = rig.archived(&name);
        match done {
            Some(done) => {
                done.expect("changed");
                assert_eq!(archived, after, "{name}, round {round}");
            }
            None => assert!(archived == before || archived == after, "{name}: {archived:?}"),
        }
        changed += usize::from(archived == after);
        let session = rig.tier.hydrate(&id(&name)).expect("hydrated");
        assert_eq!(texts(&session), archived, "{name}, round {round}");
    }
    println!("Z7: {gone} were gone in the middle; {changed} changes were done");
    assert!(gone > rounds() / 4 && changed > rounds() / 4, "{gone}, {changed}");
}
