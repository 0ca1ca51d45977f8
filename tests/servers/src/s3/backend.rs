//! The objects, and what S3 does with them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::BodyExt;
use md5::{Digest, Md5};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, EncodingType,
    GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput,
    PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::Personality;

/// Clones share their objects.
#[derive(Clone)]
pub(crate) struct Backend {
    personality: Personality,
    bucket: String,
    objects: Arc<RwLock<Objects>>,
}

type Objects = BTreeMap<String, Stored>;

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    etag: ETag,
    modified: SystemTime,
}

/// The conditions of a write.
struct Conditions {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
}

impl Backend {
    pub(crate) fn new(personality: Personality, bucket: &str) -> Self {
        Self { personality, bucket: bucket.into(), objects: Arc::default() }
    }

    pub(crate) fn clear(&self) {
        self.write(Objects::clear);
    }

    fn read<T>(&self, look: impl FnOnce(&Objects) -> T) -> T {
        look(&self.objects.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Objects) -> T) -> T {
        change(&mut self.objects.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        self.check_bucket(bucket)?;
        self.read(|objects| objects.get(key).cloned()).ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// Does a write as this personality does it.
    async fn change(
        &self,
        key: &str,
        conditions: &Conditions,
        change: impl FnOnce(&mut Objects),
    ) -> S3Result<()> {
        match self.personality {
            Personality::Linear => self.write(|objects| {
                conditions.check(objects.get(key))?;
                change(objects);
                Ok(())
            }),
            Personality::Ignoring => {
                self.write(change);
                Ok(())
            }
            Personality::Racy => {
                self.read(|objects| conditions.check(objects.get(key)))?;
                tokio::time::sleep(a_moment()).await;
                self.write(change);
                Ok(())
            }
        }
    }
}

impl Conditions {
    fn check(&self, found: Option<&Stored>) -> S3Result<()> {
        if let Some(condition) = &self.if_match {
            let found = found.ok_or_else(|| s3_error!(NoSuchKey))?;
            if !fits(condition, found) {
                return Err(s3_error!(PreconditionFailed));
            }
        }
        match (&self.if_none_match, found) {
            (Some(condition), Some(found)) if fits(condition, found) => {
                Err(s3_error!(PreconditionFailed))
            }
            _ => Ok(()),
        }
    }
}

fn fits(condition: &ETagCondition, found: &Stored) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == found.etag.value())
}

/// 1 to 5 ms.
fn a_moment() -> Duration {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    Duration::from_micros(1000 + u64::from(byte[0]) * 16)
}

impl Stored {
    fn new(bytes: Bytes) -> Self {
        let digest = Md5::digest(&bytes);
        let etag = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, etag: ETag::Strong(etag), modified: SystemTime::now() }
    }

    fn listed(&self, key: String) -> Object {
        Object {
            key: Some(key),
            e_tag: Some(self.etag.clone()),
            size: Some(self.length()),
            last_modified: Some(Timestamp::from(self.modified)),
            ..Object::default()
        }
    }

    fn length(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }
}

fn ok<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_bucket(&request.input.bucket)?;
        ok(HeadBucketOutput::default())
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let stored = self.find(&request.input.bucket, &request.input.key)?;
        ok(HeadObjectOutput {
            content_length: Some(stored.length()),
            last_modified: Some(Timestamp::from(stored.modified)),
            e_tag: Some(stored.etag),
            accept_ranges: Some("bytes".into()),
            ..HeadObjectOutput::default()
        })
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let stored = self.find(&input.bucket, &input.key)?;
        if input.if_match.is_some_and(|condition| !fits(&condition, &stored)) {
            return Err(s3_error!(PreconditionFailed));
        }
        if input.if_none_match.is_some_and(|condition| fits(&condition, &stored)) {
            return Err(s3_error!(NotModified));
        }
        let length = stored.bytes.len() as u64;
        let (bytes, content_range) = match input.range {
            None => (stored.bytes.clone(), None),
            Some(range) => {
                let range = range.check(length).map_err(|_| s3_error!(InvalidRange))?;
                let named = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                let at = |at| usize::try_from(at).unwrap_or(usize::MAX);
                (stored.bytes.slice(at(range.start)..at(range.end)), Some(named))
            }
        };
        ok(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            content_range,
            body: Some(StreamingBlob::from(Body::from(bytes))),
            last_modified: Some(Timestamp::from(stored.modified)),
            e_tag: Some(stored.etag),
            accept_ranges: Some("bytes".into()),
            ..GetObjectOutput::default()
        })
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let bytes = match input.body {
            None => Bytes::new(),
            Some(body) => {
                let body = Body::from(body).collect().await;
                body.map_err(|_| s3_error!(IncompleteBody))?.to_bytes()
            }
        };
        let stored = Stored::new(bytes);
        let e_tag = Some(stored.etag.clone());
        let conditions =
            Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let key = input.key.clone();
        self.change(&input.key, &conditions, |objects| _ = objects.insert(key, stored)).await?;
        ok(PutObjectOutput { e_tag, ..PutObjectOutput::default() })
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check_bucket(&request.input.bucket)?;
        self.write(|objects| objects.remove(&request.input.key));
        ok(DeleteObjectOutput::default())
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_bucket(&request.input.bucket)?;
        ok(self.read(|objects| list(objects, request.input)))
    }
}

/// A page of a listing: objects and, where there is a delimiter, what stands before it.
fn list(objects: &Objects, input: ListObjectsV2Input) -> ListObjectsV2Output {
    let max = usize::try_from(input.max_keys.unwrap_or(1000)).unwrap_or(0).min(1000);
    let prefix = input.prefix.clone().unwrap_or_default();
    let start = input.continuation_token.clone().or_else(|| input.start_after.clone());
    let start = start.unwrap_or_default();
    let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());
    let encode = |key: &str| match &input.encoding_type {
        Some(encoding) if encoding.as_str() == EncodingType::URL => {
            utf8_percent_encode(key, NON_ALPHANUMERIC).to_string()
        }
        _ => key.to_owned(),
    };
    let (mut contents, mut folders) = (Vec::new(), Vec::<String>::new());
    let (mut last, mut is_truncated) = (String::new(), false);
    let range = (Bound::Excluded(start.clone()), Bound::Unbounded);
    for (key, stored) in objects.range::<String, _>(range) {
        let Some(rest) = key.strip_prefix(&prefix) else { continue };
        let folder = delimiter.as_deref().and_then(|delimiter| {
            Some(format!("{prefix}{}{delimiter}", rest.split_once(delimiter)?.0))
        });
        let known = |folder: &String| folders.last() == Some(folder) || start.starts_with(folder);
        if folder.as_ref().is_some_and(known) {
            last.clone_from(key);
            continue;
        }
        if contents.len() + folders.len() == max {
            is_truncated = max > 0;
            break;
        }
        last.clone_from(key);
        match folder {
            Some(folder) => folders.push(folder),
            None => contents.push(stored.listed(encode(key))),
        }
    }
    let folder = |folder: String| CommonPrefix { prefix: Some(encode(&folder)) };
    ListObjectsV2Output {
        name: Some(input.bucket),
        key_count: i32::try_from(contents.len() + folders.len()).ok(),
        max_keys: i32::try_from(max).ok(),
        is_truncated: Some(is_truncated),
        next_continuation_token: is_truncated.then_some(last),
        contents: Some(contents),
        common_prefixes: Some(folders.into_iter().map(folder).collect()),
        prefix: Some(encode(&prefix)),
        delimiter,
        encoding_type: input.encoding_type,
        start_after: input.start_after,
        continuation_token: input.continuation_token,
        ..ListObjectsV2Output::default()
    }
}
