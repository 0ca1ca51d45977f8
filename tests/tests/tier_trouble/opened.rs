//! Which stores a tier is opened over.

use super::*;
use turnkeep::MemoryStore;
use turnkeep_servers::{Personality, S3Server};
use turnkeep_tests::real::open_s3;

/// How many of so many attempts to open a tier succeed.
fn opened(personality: Personality, times: usize) -> usize {
    let since = Instant::now();
    let server = S3Server::start(personality);
    let cold = Arc::new(open_s3(&server, Duration::from_secs(20)));
    let accepted =
        (0..times).filter(|_| match Tier::open(Arc::new(MemoryStore::new()), cold.clone()) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
                false
            }
        });
    let accepted = accepted.count();
    println!("{personality:?}: {accepted} of {times} accepted, {:.1} s", seconds(since));
    accepted
}

#[test]
fn a_store_that_ignores_conditions_is_refused() {
    assert_eq!(opened(Personality::Ignoring, 200), 0);
}

#[test]
fn a_store_that_looks_and_then_writes_is_refused() {
    assert_eq!(opened(Personality::Racy, 200), 0);
}

#[test]
fn a_store_that_is_as_it_should_be_is_accepted() {
    assert_eq!(opened(Personality::Linear, 50), 50);
}
