//! Stores beyond this machine, over real protocols: whether they do what every store does, who wins
//! when many write, and what they say when something goes wrong there.

mod cases;
mod cluster;
mod races;
mod redis;
mod s3;
mod strange;

use std::time::Duration;

use turnkeep::core::ErrorKind;
use turnkeep::core::store::Key;
use turnkeep::{Error, RedisOptions, RedisStore, S3Options, S3Store};
use turnkeep_servers::{RedisServer, S3Server};

fn s3_options(server: &S3Server) -> S3Options {
    let access = server.access();
    let mut options = S3Options::new(access.bucket);
    options.endpoint = Some(access.endpoint);
    options.access_key_id = Some(access.access_key);
    options.secret_access_key = Some(access.secret_key);
    options.allow_http = true;
    options.timeout = Duration::from_secs(5);
    options
}

fn open_s3(server: &S3Server) -> S3Store {
    S3Store::open(s3_options(server)).expect("a store")
}

fn open_redis(server: &RedisServer) -> RedisStore {
    let mut options = RedisOptions::default();
    options.timeout = Duration::from_secs(5);
    RedisStore::open(&server.url(), options).expect("a store")
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

#[track_caller]
fn assert_failed(error: &Error, is_retryable: bool) {
    assert_eq!(error.kind(), ErrorKind::StoreFailed, "{error}");
    assert_eq!(error.is_retryable(), is_retryable, "{error}");
}
