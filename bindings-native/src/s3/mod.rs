//! A store in S3, and in what speaks like it.

mod failure;
mod options;
mod worker;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion,
};
use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Info, Key, Listing, Object, PART_BYTES, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::Store;
use crate::memory::{already_exists, conflict, not_found};
use failure::Failure;
pub use options::S3Options;
use worker::Worker;

/// Objects in a bucket: archives, above all. S3 cannot append, so a log lives elsewhere.
///
/// A write succeeds only if its condition holds at that moment, and none is sent twice: where the
/// answer is lost, the error is `store_failed`, may be tried again, and what happened is to be read.
/// Only reading is repeated by itself.
///
/// Whoever reads needs the right to list the bucket too: without it S3 does not tell what is missing
/// from what is forbidden.
///
/// ```no_run
/// use turnkeep::{S3Options, S3Store, sessions};
/// let store = S3Store::open(S3Options::from_url("s3://my-bucket/sessions")?)?;
/// println!("{} sessions", sessions(&store)?.len());
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub struct S3Store {
    /// Tries again what fails.
    reading: Arc<AmazonS3>,
    /// Does not: a lost answer does not tell whether it was written.
    writing: Arc<AmazonS3>,
    folder: String,
    worker: Worker,
}

/// How often a write is tried that S3 refused because of others at that moment.
const CONTENTION_TRIES: u32 = 4;
/// Most keys that S3 names at once.
const PAGE_MAX: usize = 1000;

impl fmt::Debug for S3Store {
    /// Without the clients: what opens the bucket is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl S3Store {
    /// The bucket's objects. Asks nothing yet: a missing bucket shows with the first request.
    #[expect(clippy::needless_pass_by_value, reason = "options are made for one store")]
    pub fn open(options: S3Options) -> Result<Self> {
        let folder = options.folder()?;
        let worker = Worker::new()?;
        let (reading, writing) = (client(&options, 5)?, client(&options, 0)?);
        Ok(Self { reading, writing, folder, worker })
    }

    fn path(&self, key: &Key) -> Result<Path> {
        let parsed = Path::parse(format!("{}{key}", self.folder));
        parsed.map_err(|error| Error::new(ErrorKind::InvalidId, error.to_string()).at_key(key))
    }

    /// Waits for an answer; `Ok(Err(_))` is what S3 answers.
    fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<Result<T, Failure>> {
        self.worker.run(async move { request.await.map_err(|error| Failure::new(&error)) })
    }

    fn head(&self, key: &Key) -> Result<Info> {
        let (client, path) = (Arc::clone(&self.reading), self.path(key)?);
        let answer = match self.ask(async move { client.head(&path).await })? {
            // The answer to a HEAD has no body that would tell a missing key from a missing bucket.
            Err(failure) if failure.is_unexplained() => {
                self.ask_for(key, Some(0..1))?.map(|(_, info)| info)
            }
            answer => answer.map(|meta| info_of(&meta)),
        };
        answer.map_err(|failure| reading_failed(key, failure))
    }

    fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<(Vec<u8>, Info)> {
        let is_part = range.is_some();
        match self.ask_for(key, range)? {
            Err(failure) if is_part && failure.is_beyond_end() => Ok((Vec::new(), self.head(key)?)),
            answer => answer.map_err(|failure| reading_failed(key, failure)),
        }
    }

    fn ask_for(&self, key: &Key, range: Option<Range<u64>>) -> Result<Result<Found, Failure>> {
        let (client, path) = (Arc::clone(&self.reading), self.path(key)?);
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        self.ask(async move {
            let found = client.get_opts(&path, options).await?;
            let info = info_of(&found.meta);
            Ok((collected(found).await?, info))
        })
    }

    fn write(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        if matches!(condition, Condition::Version(version) if !is_etag(version)) {
            return Err(conflict(key, "the object has another version"));
        }
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes.to_vec());
        for attempt in 1.. {
            let (client, path) = (Arc::clone(&self.writing), path.clone());
            let (payload, mode) = (payload.clone(), mode_of(condition));
            let put = async move { client.put_opts(&path, payload, PutOptions::from(mode)).await };
            let failure = match self.ask(put)? {
                Ok(put) => {
                    let version = put.e_tag.unwrap_or_default();
                    return Ok(Info { bytes: bytes.len() as u64, version, modified_ms: None });
                }
                Err(failure) => failure,
            };
            if !failure.is_contention() || attempt == CONTENTION_TRIES {
                return Err(writing_failed(key, condition, failure));
            }
            std::thread::sleep(Duration::from_millis(20 << attempt));
        }
        unreachable!("the last attempt returns")
    }

    /// One request: objects from there on, and where to go on if more follow.
    fn page(&self, prefix: &str, from: &From, limit: usize) -> Result<(Vec<ObjectMeta>, From)> {
        let client = Arc::clone(&self.reading);
        let prefix = format!("{}{prefix}", self.folder);
        let mut options =
            PaginatedListOptions { max_keys: Some(limit), ..PaginatedListOptions::default() };
        match from {
            From::Start => {}
            From::After(key) => options.offset = Some(format!("{}{key}", self.folder)),
            From::Token(token) => options.page_token = Some(token.clone()),
        }
        let answer = self.ask(async move {
            let prefix = (!prefix.is_empty()).then_some(prefix.as_str());
            client.list_paginated(prefix, options).await
        })?;
        let page = answer.map_err(|failure| failure.into_error(None))?;
        Ok((page.result.objects, page.page_token.map_or(From::Start, From::Token)))
    }
}

/// An object's bytes, or some of them, and what is known of it.
type Found = (Vec<u8>, Info);

/// Where a listing goes on.
#[derive(PartialEq)]
enum From {
    Start,
    After(Key),
    /// As S3 said.
    Token(String),
}

fn client(options: &S3Options, retries: usize) -> Result<Arc<AmazonS3>> {
    let mut builder = match (&options.access_key_id, &options.secret_access_key) {
        (Some(id), Some(secret)) => {
            let builder = AmazonS3Builder::new().with_access_key_id(id);
            builder.with_secret_access_key(secret)
        }
        // Roles of machines and containers are told in variables of their own.
        _ => AmazonS3Builder::from_env(),
    };
    if let Some(token) = &options.session_token {
        builder = builder.with_token(token);
    }
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let timing = ClientOptions::new()
        .with_allow_http(options.allow_http)
        .with_connect_timeout(Duration::from_secs(10))
        .with_timeout(options.timeout);
    let retry = RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() },
        max_retries: retries,
        retry_timeout: options.timeout,
    };
    let built = builder
        .with_bucket_name(&options.bucket)
        .with_region(options.region.as_deref().unwrap_or("us-east-1"))
        .with_virtual_hosted_style_request(options.virtual_hosted_style)
        .with_client_options(timing)
        // One object at a time, and an answer of its own.
        .with_disable_bulk_delete(true)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(retry)
        .build();
    let invalid = |error: object_store::Error| {
        Error::new(ErrorKind::InvalidArgument, format!("S3 cannot be reached so: {error}"))
    };
    built.map(Arc::new).map_err(invalid)
}

fn mode_of(condition: &Condition) -> PutMode {
    match condition {
        Condition::Any => PutMode::Overwrite,
        Condition::Absent => PutMode::Create,
        Condition::Version(version) => {
            PutMode::Update(UpdateVersion { e_tag: Some(version.clone()), version: None })
        }
    }
}

/// Whether S3 can have given it. What it never gives must not be sent: it may mean something else.
fn is_etag(version: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'*');
    !version.is_empty() && version.bytes().all(fits)
}

/// An answer's bytes: as many as it announces. Memory is taken for those that came, whatever is
/// announced.
async fn collected(found: GetResult) -> object_store::Result<Vec<u8>> {
    let strange =
        |message: &str| object_store::Error::Generic { store: "S3", source: message.into() };
    let announced = found.range.end.saturating_sub(found.range.start);
    let mut bytes = Vec::with_capacity(announced.min(PART_BYTES as u64) as usize);
    let mut chunks = found.into_stream();
    while let Some(chunk) = chunks.try_next().await? {
        if (bytes.len() + chunk.len()) as u64 > announced {
            return Err(strange("the answer is longer than it says"));
        }
        bytes.try_reserve(chunk.len()).map_err(|_| strange("there is no memory for the answer"))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn info_of(meta: &ObjectMeta) -> Info {
    let modified_ms = u64::try_from(meta.last_modified.timestamp_millis()).ok();
    Info { bytes: meta.size, version: meta.e_tag.clone().unwrap_or_default(), modified_ms }
}

fn reading_failed(key: &Key, failure: Failure) -> Error {
    if failure.is_missing_object() { not_found(key) } else { failure.into_error(Some(key)) }
}

fn writing_failed(key: &Key, condition: &Condition, failure: Failure) -> Error {
    match condition {
        Condition::Absent if failure.is_condition() => already_exists(key),
        // An object that is not there has no version either.
        Condition::Version(_) if failure.is_condition() || failure.is_missing_object() => {
            conflict(key, "the object has another version")
        }
        _ if failure.is_contention() => conflict(key, "others are writing it").retryable(),
        _ => failure.into_error(Some(key)),
    }
}

fn not_supported(what: &str, key: &Key) -> Error {
    Error::new(ErrorKind::NotSupported, format!("S3 cannot {what}")).at_key(key)
}

fn no_staging() -> Error {
    Error::new(ErrorKind::NotSupported, "S3 is written whole objects, not parts")
}

impl Store for S3Store {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all(Durability::Disk);
        capabilities.append = false;
        capabilities.staging = false;
        capabilities
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        // HTTP has no way to ask for nothing.
        let (bytes, info) = match range {
            Some(range) if range.is_empty() => (Vec::new(), self.head(key)?),
            range => self.fetch(key, range)?,
        };
        Ok(Object { bytes, info })
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        self.write(key, bytes, condition)
    }

    fn append(&self, key: &Key, _: &[u8], _: &After, _: Durability) -> Result<Info> {
        Err(not_supported("append", key))
    }

    fn sync(&self, key: &Key) -> Result<()> {
        Err(not_supported("append, so there is nothing to sync", key))
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        if matches!(condition, Condition::Version(_)) {
            return Err(not_supported("delete on a condition", key));
        }
        // S3 says that it removed what was not there.
        self.head(key)?;
        if *condition == Condition::Absent {
            return Err(already_exists(key));
        }
        let (client, path) = (Arc::clone(&self.writing), self.path(key)?);
        let removed = self.ask(async move { client.delete(&path).await })?;
        removed.map_err(|failure| failure.into_error(Some(key)))
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        let limit = limit as usize;
        let mut objects = Vec::new();
        let mut from = after.map_or(From::Start, |after| From::After(after.clone()));
        let mut last = None;
        loop {
            let wanted = (limit - objects.len()).min(PAGE_MAX);
            let (metas, next) = self.page(prefix, &from, wanted)?;
            let more = matches!(next, From::Token(_));
            let first = metas.first().map(|meta| &meta.location);
            if (more && next == from) || first.is_some() && first <= last.as_ref() {
                return Err(Error::new(ErrorKind::StoreFailed, "a listing of S3 does not go on"));
            }
            // Others may keep things there that are none of ours.
            let ours = metas.iter().filter_map(|meta| {
                let name = meta.location.as_ref().strip_prefix(&self.folder)?;
                Some((Key::parse(name).ok()?, info_of(meta)))
            });
            objects.extend(ours);
            if !more || objects.len() >= limit {
                return Ok(Listing { objects, more });
            }
            last = metas.into_iter().next_back().map(|meta| meta.location).or(last);
            from = next;
        }
    }

    fn info(&self, key: &Key) -> Result<Info> {
        self.head(key)
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        Err(no_staging().at_key(key))
    }

    fn stage_part(&self, _: &StageId, _: u32, _: &[u8]) -> Result<()> {
        Err(no_staging())
    }

    fn get_staged(&self, _: &StageId, _: Option<Range<u64>>) -> Result<Object> {
        Err(no_staging())
    }

    fn commit(&self, _: &StageId, _: &Condition) -> Result<Info> {
        Err(no_staging())
    }

    fn abort(&self, _: &StageId) -> Result<()> {
        Err(no_staging())
    }
}
