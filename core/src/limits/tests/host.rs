//! Stores in memory that carry out what tasks ask for, and note it.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cache::CacheEntry;
use crate::log::{Draft, Stamp};
use crate::session::{self, Create, Session};
use crate::store::{CacheRequest, Condition, Info, Key, Listing, Object, Reply, Request, StageId};
use crate::task::{Step, Task};
use crate::{Error, ErrorKind, Result, SessionId};

/// A hot and a cold store.
#[derive(Default)]
pub(super) struct Host {
    pub(super) hot: Memory,
    pub(super) cold: Memory,
    /// Asked for, of both stores.
    pub(super) requests: Vec<Request>,
    pub(super) now_ms: u64,
    pub(super) cache: Vec<CacheEntry>,
    /// How many of its keys were named.
    pub(super) named: usize,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) objects: BTreeMap<Key, (Vec<u8>, u64)>,
    staged: BTreeMap<u32, Vec<u8>>,
}

impl Host {
    /// Carries out a task to its end, over both stores.
    pub(super) fn run<T>(&mut self, task: Task<T>) -> Result<T> {
        let mut task = task.with_cold_store();
        loop {
            let requests = match task.next() {
                Step::Done(result) => return result,
                Step::Requests(requests) => requests,
            };
            for (id, request) in requests {
                let reply = match request.clone() {
                    Request::Stamp { random_bytes } => {
                        let random = (0..random_bytes).map(|at| (at % 251) as u8).collect();
                        Reply::Stamp(Stamp { now_ms: self.now_ms, random })
                    }
                    Request::Cold(request) => self.cold.answer(*request, self.now_ms),
                    Request::Bundle(request) => self.hot.answer(*request, self.now_ms),
                    Request::Cache(request) => self.ask_cache(request),
                    request => self.hot.answer(request, self.now_ms),
                };
                self.requests.push(request);
                task.reply(id, reply);
            }
        }
    }

    fn ask_cache(&mut self, request: CacheRequest) -> Reply {
        match request {
            CacheRequest::Keys { limit } => {
                let keys = self.cache.iter().skip(self.named).take(limit as usize);
                let keys: Vec<_> = keys.map(|entry| entry.key.clone()).collect();
                self.named += keys.len();
                Reply::Keys(keys)
            }
            CacheRequest::Get { keys } => {
                let find = |key: &String| self.cache.iter().find(|entry| entry.key == *key);
                Reply::Values(keys.iter().map(|key| find(key).cloned()).collect())
            }
            CacheRequest::Put { entries } => {
                self.cache.extend(entries);
                Reply::Done
            }
        }
    }

    /// A session of those entries, not salted.
    pub(super) fn session(&mut self, id: &str, drafts: &[Draft]) -> Session {
        let create = Create::default().with_id(SessionId::new(id).unwrap()).salted(false);
        let session = self.run(session::create(create)).unwrap();
        match drafts {
            [] => session,
            _ => self.append(session, drafts),
        }
    }

    pub(super) fn append(&mut self, session: Session, drafts: &[Draft]) -> Session {
        let drafts: Vec<String> = drafts.iter().map(|draft| draft.as_str().to_string()).collect();
        self.run(session::append(session, session::Append::new(drafts))).unwrap().session
    }
}

impl Memory {
    fn answer(&mut self, request: Request, now_ms: u64) -> Reply {
        self.done(request, now_ms).unwrap_or_else(Reply::Failed)
    }

    fn done(&mut self, request: Request, now_ms: u64) -> Result<Reply> {
        let missing = || Error::new(ErrorKind::NotFound, "no such object");
        match request {
            Request::Get { key, range } => {
                let (bytes, _) = self.objects.get(&key).ok_or_else(missing)?;
                Ok(Reply::Object(Object { bytes: part(bytes, range), info: self.info(&key)? }))
            }
            Request::Info { key } => self.info(&key).map(Reply::Info),
            Request::Put { key, bytes, condition } => self.put(&key, bytes, &condition, now_ms),
            Request::Append { key, bytes, after, .. } => {
                let mut all = self.objects.remove(&key).map(|(all, _)| all).unwrap_or_default();
                all.truncate(after.at as usize);
                all.extend(bytes);
                self.put(&key, all, &Condition::Any, now_ms)
            }
            Request::Delete { key, condition } => {
                self.check(&key, &condition)?;
                self.objects.remove(&key).map(|_| Reply::Done).ok_or_else(missing)
            }
            Request::List { prefix, after, limit } => {
                let keys = self.objects.keys().filter(|key| key.as_str().starts_with(&*prefix));
                let keys = keys.filter(|key| after.as_ref().is_none_or(|after| *key > after));
                let keys: Vec<_> = keys.take(limit as usize + 1).collect();
                let more = keys.len() > limit as usize;
                let objects = keys.into_iter().take(limit as usize);
                let objects = objects.map(|key| Ok((key.clone(), self.info(key)?)));
                Ok(Reply::Listing(Listing { objects: objects.collect::<Result<_>>()?, more }))
            }
            Request::Stage { key } => {
                self.staged.clear();
                Ok(Reply::Stage(StageId(key.as_str().into())))
            }
            Request::StagePart { number, bytes, .. } => {
                self.staged.insert(number, bytes);
                Ok(Reply::Done)
            }
            Request::GetStaged { range, .. } => {
                let bytes = part(&self.staged_bytes(), range);
                Ok(Reply::Object(Object { bytes, info: Info::default() }))
            }
            Request::Commit { stage, condition } => {
                let bytes = self.staged_bytes();
                self.put(&Key::parse(stage.0)?, bytes, &condition, now_ms)
            }
            Request::Abort { .. } | Request::Sync { .. } => Ok(Reply::Done),
            _ => Err(Error::new(ErrorKind::NotSupported, "not here")),
        }
    }

    fn staged_bytes(&self) -> Vec<u8> {
        self.staged.values().flatten().copied().collect()
    }

    fn put(&mut self, key: &Key, bytes: Vec<u8>, condition: &Condition, ms: u64) -> Result<Reply> {
        self.check(key, condition)?;
        self.objects.insert(key.clone(), (bytes, ms));
        self.info(key).map(Reply::Info)
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<()> {
        match (condition, self.info(key)) {
            (Condition::Absent, Ok(_)) => Err(Error::new(ErrorKind::AlreadyExists, "it is there")),
            (Condition::Version(version), Ok(info)) if info.version != *version => {
                Err(Error::new(ErrorKind::Conflict, "it is another one"))
            }
            (Condition::Version(_), Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn info(&self, key: &Key) -> Result<Info> {
        let missing = || Error::new(ErrorKind::NotFound, "no such object");
        let (bytes, ms) = self.objects.get(key).ok_or_else(missing)?;
        let bytes = bytes.len() as u64;
        Ok(Info { bytes, version: alloc::format!("{bytes}-{ms}"), modified_ms: Some(*ms) })
    }
}

fn part(bytes: &[u8], range: Option<core::ops::Range<u64>>) -> Vec<u8> {
    let range = range.unwrap_or(0..u64::MAX);
    let end = (range.end as usize).min(bytes.len());
    bytes[(range.start as usize).min(end)..end].to_vec()
}
