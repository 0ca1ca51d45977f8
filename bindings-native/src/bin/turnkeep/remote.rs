//! Stores beyond this machine: opened, asked once, and what it means where that fails.

use std::sync::Arc;

use turnkeep::{Error, ErrorKind, Store};

use crate::{Failure, Outcome};

/// What `s3://BUCKET/PREFIX` and the environment name.
#[cfg(feature = "s3")]
pub(crate) fn s3(url: &str) -> Outcome<Arc<dyn Store>> {
    let options = turnkeep::S3Options::from_url(url).map_err(misnamed)?;
    if options.access_key_id.is_some() != options.secret_access_key.is_some() {
        let message = "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is missing";
        return Err(Failure::usage(message).with_hint("Set both."));
    }
    let bucket = options.bucket.clone();
    let store = turnkeep::S3Store::open(options)?;
    match store.list("sessions/", None, 1) {
        Ok(_) => Ok(Arc::new(store)),
        Err(error) => Err(unreachable_bucket(error, &bucket)),
    }
}

#[cfg(feature = "s3")]
fn misnamed(error: Error) -> Failure {
    let is_plain = error.message().contains("http://");
    let failure = Failure::from(error);
    if is_plain {
        return failure.with_hint(
            "Set AWS_ALLOW_HTTP=true if whoever is on the way may read and change the sessions.",
        );
    }
    failure.with_hint("Name it as s3://BUCKET or s3://BUCKET/PREFIX.")
}

#[cfg(feature = "s3")]
fn unreachable_bucket(error: Error, bucket: &str) -> Failure {
    let message = error.message().to_owned();
    if message.contains("NoSuchBucket") {
        let message = format!("there is no bucket {bucket:?}");
        return Failure::from(Error::new(ErrorKind::NotFound, message)).with_hint(
            "Make it first; AWS_ENDPOINT_URL and AWS_REGION tell where it is looked for.",
        );
    }
    let failure = Failure::from(error);
    if message.starts_with("no keys to S3 were found") {
        return failure.with_hint(
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role of the machine or \
             container. Files in ~/.aws are not read.",
        );
    }
    if message.contains("answered 403") || message.contains("answered 401") {
        return failure.with_hint(
            "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION; \
             the key must be allowed to list the bucket.",
        );
    }
    if message.contains("answered 301") || message.contains("answered 307") {
        return failure.with_hint("The bucket is elsewhere: set AWS_REGION to its region.");
    }
    failure.with_hint("Check AWS_ENDPOINT_URL and the network; what was done stays done.")
}

#[cfg(not(feature = "s3"))]
pub(crate) fn s3(_: &str) -> Outcome<Arc<dyn Store>> {
    Err(not_built("s3"))
}

/// What `redis://…` names.
#[cfg(feature = "redis")]
pub(crate) fn redis(url: &str) -> Outcome<Arc<dyn Store>> {
    use turnkeep::core::store::Part;
    let misnamed = |error: Error| {
        let failure = Failure::from(error);
        failure.with_hint(match url.starts_with("rediss:") {
            true => "This command speaks no TLS: use redis:// through a tunnel.",
            false => "Name it as redis://HOST:PORT, with USER:PASSWORD@ and /DATABASE as needed.",
        })
    };
    let mut options = turnkeep::RedisOptions::default();
    // How long a session is kept, its hosts say.
    options.leaves_expiry = true;
    let store = turnkeep::RedisStore::open(url, options).map_err(misnamed)?;
    // Connects.
    let asked = store.info(&turnkeep::Key::of(&turnkeep::SessionId::new("-")?, Part::Log));
    match asked {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::from(Error::new(error.kind(), error.message()))
                .with_hint("Check host, port and password, and that Redis runs there."))
        }
        _ => Ok(Arc::new(store)),
    }
}

#[cfg(not(feature = "redis"))]
pub(crate) fn redis(_: &str) -> Outcome<Arc<dyn Store>> {
    Err(not_built("redis"))
}

#[cfg(not(all(feature = "s3", feature = "redis")))]
fn not_built(what: &str) -> Failure {
    let message = format!("this turnkeep was built without {what}");
    let hint = format!("Build it with `--features {what}`.");
    Failure::from(Error::new(ErrorKind::NotSupported, message)).with_hint(hint)
}
