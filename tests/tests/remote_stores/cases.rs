//! Every store does what `tests/store-cases.json` says.

use turnkeep::{RedisOptions, RedisStore, S3Store};
use turnkeep_servers::{Personality, RedisServer, S3Server};
use turnkeep_tests::store_cases::run_all;

use crate::s3_options;

/// An ETag is a hash of the content: what is written twice has one version.
const ONE_ETAG_FOR_ALL: [&str; 2] =
    ["a version of another object", "every put is another version, even of the same bytes"];
/// S3 says to everybody who deletes that it is done, and not whose doing it was.
const ONE_DELETES: &str = "race: delete";

fn s3(server: &S3Server, prefix: &str) -> Result<S3Store, String> {
    let mut options = s3_options(server);
    options.prefix = prefix.into();
    S3Store::open(options).map_err(|error| error.to_string())
}

#[test]
fn the_store_in_s3_does_what_the_cases_say() {
    let server = S3Server::start(Personality::Linear);
    let mut number = 0;
    run_all("S3Store", |case| {
        number += 1;
        // Half of them in a bucket's root: no prefix is a prefix too.
        server.reset();
        let prefix = if number % 2 == 0 { format!("case-{number}/of") } else { String::new() };
        if case.deletes_by_version() {
            return Ok(Some("deleting on a condition".into()));
        }
        if ONE_ETAG_FOR_ALL.contains(&case.name()) {
            return Ok(Some("another version for the same bytes".into()));
        }
        if case.name() == ONE_DELETES {
            return Ok(Some("telling who deleted".into()));
        }
        case.run_if_it_applies(&s3(&server, &prefix)?)
    });
}

pub(crate) fn options(prefix: &str) -> RedisOptions {
    let mut options = RedisOptions::default();
    options.prefix = prefix.into();
    options
}

#[test]
fn the_store_in_redis_does_what_the_cases_say() {
    let server = RedisServer::start();
    let mut number = 0;
    run_all("RedisStore", |case| {
        number += 1;
        let store = RedisStore::open(&server.url(), options(&format!("case-{number}:")));
        case.run_if_it_applies(&store.map_err(|error| error.to_string())?)
    });
}
