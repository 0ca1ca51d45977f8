//! A store in Redis.

mod failure;
mod listing;
mod names;
mod nodes;
mod options;
mod scripts;

use std::fmt;
use std::ops::Range;

use redis::ServerErrorKind;
use turnkeep_core::store::{
    After, Capabilities, Condition, Durability, Info, Key, Listing, Object, StageId,
};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::Store;
use crate::memory::{already_exists, conflict, no_stage, not_found};
use failure::{Failure, is};
use names::{Names, of_stage, stage_id};
use nodes::Nodes;
pub use options::RedisOptions;
use scripts::{Answer, Done, Verb};

/// Objects in Redis, alone or in a cluster: logs that several machines write, for as long as they
/// are in use. Every write is atomic, and an append costs what it adds.
///
/// What Redis acknowledges survives the end of the writer, but Redis may lose it: when it restarts,
/// when another server takes over, or when memory is short. What must last is archived elsewhere.
/// Let it evict nothing (`maxmemory-policy noeviction`), or a listing may leave out what there is.
///
/// Where a connection breaks, the error is `store_failed` and may be tried again; no write is sent
/// twice by itself.
///
/// ```no_run
/// use std::sync::Arc;
/// use turnkeep::{Create, RedisOptions, RedisStore, Session};
/// let store = RedisStore::open("redis://127.0.0.1/", RedisOptions::default())?;
/// let session = Session::create(Arc::new(store), Create::default())?;
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub struct RedisStore {
    nodes: Nodes,
    names: Names,
    ttl_ms: String,
}

impl fmt::Debug for RedisStore {
    /// Without the servers: what opens them is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("names", &self.names).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// The objects in one Redis. Connects when it is first asked.
    pub fn open(url: &str, options: RedisOptions) -> Result<Self> {
        Self::over(&[url], false, options)
    }

    /// The objects in a cluster, of which some servers are named.
    ///
    /// ```no_run
    /// use turnkeep::{RedisOptions, RedisStore};
    /// let urls = ["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"];
    /// let store = RedisStore::open_cluster(&urls, RedisOptions::default())?;
    /// # Ok::<_, turnkeep::Error>(())
    /// ```
    pub fn open_cluster(urls: &[&str], options: RedisOptions) -> Result<Self> {
        Self::over(urls, true, options)
    }

    fn over(urls: &[&str], is_cluster: bool, options: RedisOptions) -> Result<Self> {
        options.check()?;
        // The client's message repeats no URL, and so no password.
        let invalid = |error: redis::RedisError| {
            Error::new(ErrorKind::InvalidArgument, format!("Redis cannot be reached so: {error}"))
        };
        if urls.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "a cluster needs a server"));
        }
        let nodes = Nodes::new(urls, is_cluster, options.timeout).map_err(invalid)?;
        let ttl_ms = options.ttl_ms();
        Ok(Self { nodes, names: Names::new(options.prefix), ttl_ms })
    }

    /// Runs a script where its first key lies.
    fn run(&self, verb: &Verb, keys: &[String], args: &[&[u8]]) -> Result<Answer, Failure> {
        let name = keys.first().map_or("", String::as_str);
        let mut answer = self.nodes.send(name, &verb.by_hash(keys, args));
        // Not carried out: a new or restarted server does not have the script.
        if answer.as_ref().is_err_and(|error| is(error, ServerErrorKind::NoScript)) {
            answer = self.nodes.send(name, &verb.by_text(keys, args));
        }
        Answer::of(answer.map_err(|error| Failure::new(&error))?)
    }

    /// Runs a script on an object.
    fn on(&self, key: &Key, verb: &Verb, keys: &[String], args: &[&[u8]]) -> Result<Done> {
        match self.run(verb, keys, args) {
            Ok(Answer::Ok(done)) => Ok(done),
            Ok(Answer::NotFound) => Err(not_found(key)),
            Ok(Answer::AlreadyExists) => Err(already_exists(key)),
            Ok(Answer::Conflict(Some(length))) if length >= 0 => {
                Err(conflict(key, &format!("the object has {length} bytes")))
            }
            Ok(Answer::Conflict(Some(_))) => Err(conflict(key, "another object is in its place")),
            Ok(Answer::Conflict(None)) => Err(conflict(key, "the object has another version")),
            Err(failure) => Err(failure.into_error().at_key(key)),
        }
    }

    /// Runs a script on a stage.
    fn on_stage(&self, stage: &StageId, verb: &Verb, args: &[&[u8]]) -> Result<Done> {
        let (key, nonce) = of_stage(stage).ok_or_else(no_stage)?;
        let names = [self.names.stage(&key, nonce)];
        self.on(&key, verb, &names, args).map_err(about_the_stage)
    }

    /// The index names what there is: before it comes to be.
    fn note(&self, key: &Key) -> Result<()> {
        self.on(key, &scripts::NOTE, &self.names.index(), &[key.as_str().as_bytes()]).map(|_| ())
    }

    /// An object's names, and those of what expires with it.
    fn written(&self, key: &Key) -> Vec<String> {
        [self.names.pair(key), self.names.session(key)].concat()
    }
}

/// The condition's two arguments.
fn arguments(condition: &Condition) -> (&[u8], &[u8]) {
    match condition {
        Condition::Any => (b"any", b""),
        Condition::Absent => (b"absent", b""),
        Condition::Version(version) => (b"version", version.as_bytes()),
    }
}

/// A range's two arguments.
fn bounds(range: Option<Range<u64>>) -> [String; 2] {
    range.map_or_else(Default::default, |range| [range.start.to_string(), range.end.to_string()])
}

fn about_the_stage(error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound { no_stage() } else { error }
}

/// What no version ever had.
fn nonce() -> Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Error::new(ErrorKind::StoreFailed, format!("no random bytes: {error}")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Done {
    fn info(&self) -> Info {
        let written = self.version.split_once('-').and_then(|(ms, _)| ms.parse().ok());
        Info {
            bytes: self.length,
            version: self.version.clone(),
            modified_ms: written.filter(|ms| *ms > 0),
        }
    }

    fn object(self) -> Object {
        Object { info: self.info(), bytes: self.bytes }
    }
}

impl Store for RedisStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::all(Durability::Os);
        capabilities.ttl = true;
        capabilities
    }

    fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Object> {
        let (nonce, [from, to]) = (nonce()?, bounds(range));
        let args = [nonce.as_bytes(), from.as_bytes(), to.as_bytes()];
        self.on(key, &scripts::GET, &self.names.pair(key), &args).map(Done::object)
    }

    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        if !matches!(condition, Condition::Version(_)) {
            self.note(key)?;
        }
        let (nonce, (condition, wanted)) = (nonce()?, arguments(condition));
        let args = [nonce.as_bytes(), self.ttl_ms.as_bytes(), condition, wanted, bytes];
        self.on(key, &scripts::PUT, &self.written(key), &args).map(|done| done.info())
    }

    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        if durability == Durability::Disk {
            let message = "Redis cannot say when something is on a disk";
            return Err(Error::new(ErrorKind::NotSupported, message).at_key(key));
        }
        if after.at + after.torn == 0 {
            self.note(key)?;
        }
        let (nonce, at, torn) = (nonce()?, after.at.to_string(), after.torn.to_string());
        let mark_at = after.mark_at.to_string();
        let args = [
            nonce.as_bytes(),
            self.ttl_ms.as_bytes(),
            at.as_bytes(),
            torn.as_bytes(),
            mark_at.as_bytes(),
            &after.mark,
            &after.torn_start,
            bytes,
        ];
        self.on(key, &scripts::APPEND, &self.written(key), &args).map(|done| done.info())
    }

    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        let (condition, wanted) = arguments(condition);
        self.on(key, &scripts::DELETE, &self.names.pair(key), &[condition, wanted]).map(|_| ())
    }

    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        self.list_by_index(prefix, after, limit)
    }

    fn info(&self, key: &Key) -> Result<Info> {
        let nonce = nonce()?;
        let done = self.on(key, &scripts::INFO, &self.names.pair(key), &[nonce.as_bytes()]);
        done.map(|done| done.info())
    }

    fn stage(&self, key: &Key) -> Result<StageId> {
        let stage = stage_id(key, &nonce()?);
        self.on_stage(&stage, &scripts::STAGE, &[]).map(|_| stage)
    }

    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        let args = [number.to_string().into_bytes(), bytes.to_vec()];
        self.on_stage(stage, &scripts::PART, &[&args[0], &args[1]]).map(|_| ())
    }

    fn get_staged(&self, stage: &StageId, range: Option<Range<u64>>) -> Result<Object> {
        let [from, to] = bounds(range);
        let done = self.on_stage(stage, &scripts::STAGED, &[from.as_bytes(), to.as_bytes()])?;
        Ok(done.object())
    }

    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        let (key, of_this) = of_stage(stage).ok_or_else(no_stage)?;
        self.note(&key)?;
        let (nonce, (condition, wanted)) = (nonce()?, arguments(condition));
        let mut names = self.names.pair(&key);
        names.push(self.names.stage(&key, of_this));
        names.extend(self.names.session(&key));
        let args = [nonce.as_bytes(), self.ttl_ms.as_bytes(), condition, wanted];
        let done = self.on(&key, &scripts::COMMIT, &names, &args).map_err(about_the_stage)?;
        Ok(done.info())
    }

    fn abort(&self, stage: &StageId) -> Result<()> {
        self.on_stage(stage, &scripts::ABORT, &[]).map(|_| ())
    }
}
