//! A tier over real servers: Redis in front of S3.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use turnkeep::core::session;
use turnkeep::core::session::tier::{Flush, Flushed, Hot};
use turnkeep::{
    Create, Draft, Error, ErrorKind, MemoryStore, RedisOptions, RedisStore, Result, S3Options,
    S3Store, Session, State, Store, Tier, View, drive,
};
use turnkeep_servers::{Personality, RedisServer, S3Server};

use crate::sessions::{id, user};

/// Both servers, and a tier over them.
pub struct Rig {
    /// The hot one.
    pub redis: RedisServer,
    /// The cold one.
    pub s3: S3Server,
    /// Over both, as the first worker has it.
    pub tier: Arc<Tier>,
    cold: Arc<S3Store>,
}

/// Longer than any request takes where nothing goes wrong.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Rig {
    /// Starts both.
    ///
    /// # Panics
    ///
    /// Where they do not start.
    #[must_use]
    pub fn start() -> Self {
        let (redis, s3) = (RedisServer::start(), S3Server::start(Personality::Linear));
        let tier = tier_over(&redis, &s3, TIMEOUT);
        let cold = Arc::new(open_s3(&s3, TIMEOUT));
        Self { redis, s3, tier, cold }
    }

    /// The tier as another worker has it: over connections of its own.
    #[must_use]
    pub fn another(&self) -> Arc<Tier> {
        self.impatient(TIMEOUT)
    }

    /// The same, of one who waits no longer than that for S3.
    #[must_use]
    pub fn impatient(&self, timeout: Duration) -> Arc<Tier> {
        tier_over(&self.redis, &self.s3, timeout)
    }

    /// What the cold store alone has of a session: its user's inputs. Empty where it has none.
    ///
    /// # Panics
    ///
    /// Where it cannot be read, or is not whole.
    #[must_use]
    pub fn archived(&self, name: &str) -> Vec<String> {
        let tier = Tier::open_reading(Arc::new(MemoryStore::new()), self.cold.clone());
        match drive(session::state(id(name), View::default()), &*tier) {
            Ok(state) => texts_of(&state),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// The history of a session, each item a text.
    ///
    /// # Panics
    ///
    /// Where it cannot be read, or is not whole.
    #[must_use]
    pub fn history(&self, name: &str) -> Vec<String> {
        texts_of(&drive(session::state(id(name), View::default()), &*self.tier).expect("a state"))
    }
}

fn tier_over(redis: &RedisServer, s3: &S3Server, timeout: Duration) -> Arc<Tier> {
    let hot = Arc::new(open_redis(redis, |_| {}));
    Tier::open_reading(hot, Arc::new(open_s3(s3, timeout)))
}

/// A store in that Redis.
///
/// # Panics
///
/// Where it cannot be opened.
pub fn open_redis(server: &RedisServer, change: impl FnOnce(&mut RedisOptions)) -> RedisStore {
    let mut options = RedisOptions::default();
    options.timeout = TIMEOUT;
    change(&mut options);
    RedisStore::open(&server.url(), options).expect("a store")
}

/// A store in that S3, of one who waits no longer than that.
///
/// # Panics
///
/// Where it cannot be opened.
#[must_use]
pub fn open_s3(server: &S3Server, timeout: Duration) -> S3Store {
    let access = server.access();
    let mut options = S3Options::new(access.bucket);
    options.endpoint = Some(access.endpoint);
    options.access_key_id = Some(access.access_key);
    options.secret_access_key = Some(access.secret_key);
    options.allow_http = true;
    options.timeout = timeout;
    S3Store::open(options).expect("a store")
}

/// A new session of that name.
///
/// # Panics
///
/// Where it cannot be created.
#[must_use]
pub fn create(tier: &Arc<Tier>, name: &str) -> Session {
    Session::create(tier.clone(), Create::default().with_id(id(name))).expect("a new session")
}

/// Flushes.
///
/// # Errors
///
/// As [`Tier::flush`].
pub fn flush(tier: &Tier, name: &str, hot: Hot) -> Result<Flushed> {
    tier.flush(&id(name), Flush::default().hot(hot))
}

/// The history's items, each a text.
///
/// # Panics
///
/// Where there is no state, or an item is no text.
#[must_use]
pub fn texts(session: &Session) -> Vec<String> {
    texts_of(&session.state().expect("a state"))
}

fn texts_of(state: &State) -> Vec<String> {
    state.history.iter().map(|item| serde_json::from_str(&item.item).expect("a text")).collect()
}

/// A user's input that is that text, and has it as its id.
#[must_use]
pub fn named(text: &str) -> Draft {
    user(text).with_text("id", text)
}

/// Appends a text as a worker does who opens the session again after a conflict; how often it had
/// to.
///
/// # Panics
///
/// Where it fails otherwise, or for ever.
pub fn append(tier: &Arc<Tier>, name: &str, session: &mut Option<Session>, text: &str) -> u32 {
    for tries in 0..1000 {
        let opened = match session.take() {
            Some(session) => Ok(session),
            None => Session::open(tier.clone(), &id(name)),
        };
        let done = opened.and_then(|opened| {
            let appended = opened.append(&[user(text)]);
            *session = appended.is_ok().then_some(opened);
            appended
        });
        match done {
            Ok(_) => return tries,
            Err(error) => assert!(is_race(&error), "{error}"),
        }
    }
    panic!("it never succeeds")
}

/// Whether someone else was first: nothing was done, and it may be done again.
#[must_use]
pub fn is_race(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists)
}

/// How often each text is there.
#[must_use]
pub fn counted(texts: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    counts
}

/// Each of those is there, once, and nothing else is.
///
/// # Panics
///
/// Where that is not so.
#[track_caller]
pub fn assert_all_once(found: &[String], wanted: impl IntoIterator<Item: AsRef<str>>, at: &str) {
    let mut found = found.to_vec();
    let mut wanted: Vec<_> = wanted.into_iter().map(|text| text.as_ref().to_owned()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{at}");
}

/// Whether a store has anything of a session.
///
/// # Panics
///
/// Where it cannot be asked.
#[must_use]
pub fn keys(store: &dyn Store) -> Vec<String> {
    let listing = store.list("", None, 10_000).expect("a listing");
    listing.objects.into_iter().map(|(key, _)| key.to_string()).collect()
}
