//! The driver: carries out a task's requests, one after the other.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use turnkeep_core::cache::CacheValue;
use turnkeep_core::log::Stamp;
use turnkeep_core::store::{CACHE_BYTES, CacheRequest, Reply, Request};
use turnkeep_core::task::{RequestId, Step, Task};
use turnkeep_core::{Error, ErrorKind, Result};

use crate::file::guard;
use crate::helpers::{Helpers, helpers_max};
use crate::{Cache, Store};

/// Carries out a task of the core over a store, until it is done. Heavy computations are shared with
/// up to three more threads where there are processors for them; those end with the task.
///
/// ```
/// use turnkeep::{MemoryStore, core::session, drive};
/// let sessions = drive(session::list("", None, 10), &MemoryStore::new())?;
/// assert!(sessions.sessions.is_empty());
/// # Ok::<_, turnkeep::Error>(())
/// ```
pub fn drive<T>(task: Task<T>, store: &dyn Store) -> Result<T> {
    drive_with(task, &Host::of(store), helpers_max())
}

/// The same for the tasks of [`turnkeep_core::session::runtime`], which ask for where the bundle lies
/// and for the cache too. [`crate::Runtime`] does this while nothing else goes on.
pub fn drive_runtime<T>(
    task: Task<T>,
    store: &dyn Store,
    bundle: Option<&dyn Store>,
    cache: Option<&dyn Cache>,
) -> Result<T> {
    drive_with(task, &Host { store, bundle, cache, keys: Mutex::default() }, helpers_max())
}

/// What a task's requests go to.
struct Host<'a> {
    store: &'a dyn Store,
    bundle: Option<&'a dyn Store>,
    cache: Option<&'a dyn Cache>,
    /// The keys of the cache that were not given yet, once they were asked for.
    keys: Mutex<Option<Keys<'a>>>,
}

type Keys<'a> = Box<dyn Iterator<Item = Result<String>> + Send + 'a>;

impl<'a> Host<'a> {
    fn of(store: &'a dyn Store) -> Self {
        Self { store, bundle: None, cache: None, keys: Mutex::default() }
    }

    fn cache(&self, request: CacheRequest) -> Result<Reply> {
        let missing = || Error::new(ErrorKind::NotSupported, "the runtime has no cache");
        let cache = self.cache.ok_or_else(missing)?;
        match request {
            CacheRequest::Keys { limit } => {
                let mut keys = guard(&self.keys);
                let keys = match &mut *keys {
                    Some(keys) => keys,
                    none => none.insert(cache.list()?),
                };
                keys.take(limit as usize).collect::<Result<_>>().map(Reply::Keys)
            }
            CacheRequest::Get { keys } => {
                let (mut values, mut bytes) = (Vec::new(), 0);
                for key in keys {
                    let entry = cache.get(&key)?;
                    bytes += entry.as_ref().map_or(0, |entry| match &entry.value {
                        CacheValue::Json(json) => json.len(),
                        CacheValue::Bytes(bytes) => bytes.len(),
                    });
                    values.push(entry);
                    if bytes >= CACHE_BYTES {
                        break;
                    }
                }
                Ok(Reply::Values(values))
            }
            CacheRequest::Put { entries } => {
                entries.iter().try_for_each(|entry| cache.put(entry)).map(|()| Reply::Done)
            }
            _ => Err(Error::new(ErrorKind::NotSupported, "a request this host does not know")),
        }
    }
}

fn drive_with<T>(mut task: Task<T>, host: &Host<'_>, helpers_max: usize) -> Result<T> {
    let helpers = Helpers::new(helpers_max);
    if helpers_max > 0 {
        let mut share = helpers.share();
        task = task.sharing_work(move |work| share(Box::new(|| work.run())));
    }
    if host.store.cold().is_some() {
        task = task.with_cold_store();
    }
    loop {
        // Before the task looks for what has ended: nothing that ends later is missed.
        let ended = helpers.ended();
        match task.next() {
            Step::Done(result) => {
                helpers.resume_panic();
                return result;
            }
            Step::Requests(requests) if requests.is_empty() => helpers.help_or_wait(ended),
            Step::Requests(requests) => {
                for (id, reply) in perform_all(requests, host) {
                    task.reply(id, reply);
                }
            }
        }
    }
}

/// Carries out requests at the same time, where there are several.
fn perform_all(requests: Vec<(RequestId, Request)>, host: &Host<'_>) -> Vec<(RequestId, Reply)> {
    if requests.len() <= 1 {
        return requests
            .into_iter()
            .map(|(id, request)| (id, perform_one(request, host)))
            .collect();
    }
    std::thread::scope(|scope| {
        let begin = |(id, request)| (id, scope.spawn(move || perform_one(request, host)));
        let threads: Vec<_> = requests.into_iter().map(begin).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, Reply>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(|(id, thread)| (id, ended(thread))).collect()
    })
}

fn perform_one(request: Request, host: &Host<'_>) -> Reply {
    match request {
        Request::Cache(request) => host.cache(request).unwrap_or_else(Reply::Failed),
        Request::Bundle(request) => match host.bundle {
            Some(bundle) => perform(*request, bundle),
            None => Reply::Failed(Error::new(ErrorKind::NotSupported, "no bundle was named")),
        },
        request => perform(request, host.store),
    }
}

fn perform(request: Request, store: &dyn Store) -> Reply {
    let answer = match request {
        Request::Get { key, range } => store.get(&key, range).map(Reply::Object),
        Request::Put { key, bytes, condition } => {
            store.put(&key, &bytes, &condition).map(Reply::Info)
        }
        Request::Append { key, bytes, after, durability } => {
            store.append(&key, &bytes, &after, durability).map(Reply::Info)
        }
        Request::Sync { key } => store.sync(&key).map(|()| Reply::Done),
        Request::Holder { key } => store.holder(&key).map(Reply::Holder),
        Request::Delete { key, condition } => store.delete(&key, &condition).map(|()| Reply::Done),
        Request::List { prefix, after, limit } => {
            store.list(&prefix, after.as_ref(), limit).map(Reply::Listing)
        }
        Request::Info { key } => store.info(&key).map(Reply::Info),
        Request::Stage { key } => store.stage(&key).map(Reply::Stage),
        Request::StagePart { stage, number, bytes } => {
            store.stage_part(&stage, number, &bytes).map(|()| Reply::Done)
        }
        Request::GetStaged { stage, range } => store.get_staged(&stage, range).map(Reply::Object),
        Request::Commit { stage, condition } => store.commit(&stage, &condition).map(Reply::Info),
        Request::Abort { stage } => store.abort(&stage).map(|()| Reply::Done),
        Request::Cold(request) => match store.cold() {
            Some(cold) => return perform(*request, cold),
            None => Err(Error::new(ErrorKind::NotSupported, "there is no cold store")),
        },
        Request::Stamp { random_bytes } => stamp(random_bytes).map(Reply::Stamp),
        _ => Err(Error::new(ErrorKind::NotSupported, "a request this host does not know")),
    };
    answer.unwrap_or_else(Reply::Failed)
}

fn stamp(random_bytes: usize) -> Result<Stamp> {
    let mut random = vec![0; random_bytes];
    getrandom::fill(&mut random)
        .map_err(|error| Error::new(ErrorKind::StoreFailed, format!("no random bytes: {error}")))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Stamp { now_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), random })
}

#[cfg(test)]
mod tests {
    use turnkeep_core::archive;
    use turnkeep_core::log::{Draft, Writer};
    use turnkeep_core::session;
    use turnkeep_core::store::{Condition, Key, Part};
    use turnkeep_core::{Hash, SessionId};

    use super::*;
    use crate::MemoryStore;

    /// Some megabytes: texts that repeat each other a little.
    fn log(id: &SessionId) -> Vec<u8> {
        let mut writer = Writer::create(id.clone(), false);
        let mut log = Vec::new();
        let mut hash: Hash = turnkeep_core::sha256(b"");
        for number in 0..2000 {
            let mut text = String::new();
            for _ in 0..20 {
                hash = turnkeep_core::sha256(hash.as_bytes());
                text += &format!("{hash} is what came of it. ");
            }
            let draft = Draft::user_input(&format!("\"{number}: {text}\""));
            let written = writer.write(&[draft], &Stamp::default()).expect("a batch");
            writer.advance(written.head);
            log.extend(written.bytes);
        }
        log
    }

    #[test]
    fn an_archive_has_the_same_bytes_whoever_deflates_its_blocks() {
        let id = SessionId::new("shared").expect("an id");
        let (log, key) = (log(&id), Key::of(&id, Part::Archive));
        let inline = archive::archive(&log).expect("archived");
        for helpers in 0..4 {
            let store = MemoryStore::new();
            let archived = drive_with(archive::archiving(log.clone()), &Host::of(&store), helpers);
            assert!(archived.expect("archived") == inline, "{helpers} helpers");
            let restored =
                drive_with(archive::unarchiving(inline.clone()), &Host::of(&store), helpers);
            assert!(restored.expect("restored") == log, "{helpers} helpers");

            store.put(&Key::of(&id, Part::Log), &log, &Condition::Absent).expect("a log");
            drive_with(session::archive(id.clone()), &Host::of(&store), helpers).expect("archived");
            assert!(store.get(&key, None).expect("an archive").bytes == inline);
            let state =
                drive_with(session::verify(id.clone(), None, false), &Host::of(&store), helpers);
            assert!(state.expect("verified").is_whole());
            drive_with(session::restore(id.clone()), &Host::of(&store), helpers).expect("restored");
            let stored = store.get(&Key::of(&id, Part::Log), None).expect("a log");
            assert!(stored.bytes == log, "{helpers} helpers");
        }
    }

    #[test]
    fn a_damaged_archive_fails_alike_whoever_inflates_it() {
        let id = SessionId::new("damaged").expect("an id");
        let archived = archive::archive(&log(&id)).expect("archived");
        for place in [archived.len() / 9, archived.len() / 2, archived.len() - 5] {
            let mut damaged = archived.clone();
            damaged[place] ^= 0x55;
            let inline = archive::unarchive(&damaged).expect_err("damaged");
            for helpers in 1..4 {
                let task = archive::unarchiving(damaged.clone());
                let error =
                    drive_with(task, &Host::of(&MemoryStore::new()), helpers).expect_err("damaged");
                assert_eq!(error, inline);
            }
        }
    }
}
