//! Servers to test stores against, each on a free port of the loopback interface, gone when dropped.
//!
//! | server | is |
//! |---|---|
//! | [`S3Server`] | S3 in memory: signatures are checked, faults can be planned, requests are noted |
//! | [`RedisServer`] | the real one, without a disk |
//! | [`RedisCluster`] | six of those |
//!
//! [`RawRedis`] speaks to a Redis server directly.

mod raw;
mod redis;
mod s3;

pub use raw::{Raw, RawRedis};
pub use redis::{RedisCluster, RedisServer};
pub use s3::{Access, Action, Control, Personality, Request, Rule, S3Server};
