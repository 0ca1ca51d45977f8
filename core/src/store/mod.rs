//! Stores, seen from the core: six verbs, conditional by nature, and staging for what is large.
//!
//! The core never calls a store. It hands out [`Request`]s, and the host that carries them out
//! answers each with a [`Reply`].

mod key;

pub use key::{Key, ObjectKey, Part};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::Error;
use crate::cache::CacheEntry;
use crate::log::Stamp;

/// What a store is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Give an object's bytes, or those of a range (cut off at the object's end).
    /// Answer: [`Reply::Object`]; `not_found` only where the key is missing.
    Get {
        /// The object.
        key: Key,
        /// All of it, or these bytes.
        range: Option<Range<u64>>,
    },
    /// Write an object whole, durably, visible all at once or not at all. Answer: [`Reply::Info`];
    /// `already_exists` or `conflict` where the condition does not hold.
    Put {
        /// The object.
        key: Key,
        /// Its new content.
        bytes: Vec<u8>,
        /// What must hold.
        condition: Condition,
    },
    /// Add bytes to an object after what `after` says, in place of the torn ones there are. Answer:
    /// [`Reply::Info`]; `conflict` where something else is there; `locked` where another writer
    /// holds the object. All or nothing as far as the store can: on failure the object is as it was,
    /// or the store says `poisoned` from then on.
    Append {
        /// The object.
        key: Key,
        /// What to add.
        bytes: Vec<u8>,
        /// After what.
        after: After,
        /// What must be true before the answer.
        durability: Durability,
    },
    /// Make everything that was appended to an object durable ([`Durability::Disk`]). Answers that
    /// come at the same time may share one sync. Answer: [`Reply::Done`]; `poisoned` from then on
    /// where it fails.
    Sync {
        /// The object.
        key: Key,
    },
    /// Tell who holds an object for appending, without taking it. Answer: [`Reply::Holder`].
    Holder {
        /// The object.
        key: Key,
    },
    /// Remove an object. Answer: [`Reply::Done`]; `not_found` where it is missing, `conflict` where
    /// the condition does not hold.
    Delete {
        /// The object.
        key: Key,
        /// What must hold.
        condition: Condition,
    },
    /// Name objects whose key starts with `prefix`, in order of their bytes, after `after`, at most
    /// `limit` of them. Answer: [`Reply::Listing`].
    List {
        /// The start of their keys; may be empty.
        prefix: String,
        /// Where to go on.
        after: Option<Key>,
        /// How many at most; at least 1.
        limit: u32,
    },
    /// Tell an object's length and version. Answer: [`Reply::Info`].
    Info {
        /// The object.
        key: Key,
    },
    /// Begin to write an object in parts. Answer: [`Reply::Stage`].
    Stage {
        /// The object to be.
        key: Key,
    },
    /// Write a part of a staged object. Parts are joined by number, and may come in any order.
    /// Answer: [`Reply::Done`].
    StagePart {
        /// The stage.
        stage: StageId,
        /// From 1 on, without gaps in the end.
        number: u32,
        /// Its content; all parts but the last have at least [`PART_BYTES`].
        bytes: Vec<u8>,
    },
    /// Give the bytes of a staged object, as it would be if it were committed now, or those of a
    /// range (cut off at its end): what is to be published can be read back first. Answer:
    /// [`Reply::Object`]; its version may be empty, for nothing is there yet to have one.
    GetStaged {
        /// The stage.
        stage: StageId,
        /// All of it, or these bytes.
        range: Option<Range<u64>>,
    },
    /// Publish a staged object, durably, all at once. Answer: [`Reply::Info`], or as for
    /// [`Request::Put`]; the stage is gone either way.
    Commit {
        /// The stage.
        stage: StageId,
        /// What must hold.
        condition: Condition,
    },
    /// Give up a staged object. Answer: [`Reply::Done`].
    Abort {
        /// The stage.
        stage: StageId,
    },
    /// Carry this out in the cold store behind the store, and answer as it says. Only tasks that were
    /// told of one ask for it ([`crate::task::Task::with_cold_store`]).
    Cold(Box<Self>),
    /// Carry this out in the store where the bundle lies, and answer as it says. Only tasks of
    /// [`crate::session::runtime`] ask for it.
    Bundle(Box<Self>),
    /// Ask the runtime's cache. Likewise.
    Cache(CacheRequest),
    /// Tell the time and give random bytes. Answer: [`Reply::Stamp`]. The host's own, not a store's.
    Stamp {
        /// How many random bytes.
        random_bytes: usize,
    },
}

/// What a runtime's cache is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheRequest {
    /// Give the next keys, each once; the first request of a task begins at the first. Answer:
    /// [`Reply::Keys`], without any at the end.
    Keys {
        /// How many at most; at least 1.
        limit: u32,
    },
    /// Give the values of these keys, from the first on, as many as have [`CACHE_BYTES`] together,
    /// but at least one. Answer: [`Reply::Values`].
    Get {
        /// The keys.
        keys: Vec<String>,
    },
    /// Put values, in the place of those there are. Answer: [`Reply::Done`].
    Put {
        /// The values.
        entries: Vec<CacheEntry>,
    },
}

pub use crate::limits::{CACHE_BYTES, MARK_BYTES_MAX, PART_BYTES};

/// The answer to a [`Request`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reply {
    /// Bytes of an object.
    Object(Object),
    /// What is known of an object.
    Info(Info),
    /// It is done.
    Done,
    /// Objects.
    Listing(Listing),
    /// A stage to write parts to.
    Stage(StageId),
    /// Who holds an object; nobody, or the store cannot know.
    Holder(Option<Holder>),
    /// Keys of a cache.
    Keys(Vec<String>),
    /// Values of a cache, in the order of their keys; `None`: there is none any more.
    Values(Vec<Option<CacheEntry>>),
    /// Time and chance.
    Stamp(Stamp),
    /// It could not be done.
    Failed(Error),
}

/// Bytes of an object, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bytes asked for.
    pub bytes: Vec<u8>,
    /// Of the object as a whole.
    pub info: Info,
}

/// What is known of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// Its length.
    pub bytes: u64,
    /// Changes whenever its content does. Opaque; compare it, nothing else.
    pub version: String,
    /// When it was last written, in milliseconds since 1970, where the store knows.
    pub modified_ms: Option<u64>,
}

/// Who holds an object for appending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// The machine it runs on.
    pub host: String,
    /// When it started, in a form only good for comparing.
    pub start: String,
    /// When it last showed a sign of life, in milliseconds since 1970.
    pub heartbeat_ms: Option<u64>,
    /// Whether it is alive, as far as can be told from here.
    pub is_alive: bool,
    /// Whether it is this process.
    pub is_self: bool,
}

/// Some of a store's objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// In order of their keys' bytes.
    pub objects: Vec<(Key, Info)>,
    /// Whether more follow.
    pub more: bool,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Any,
    /// The object does not exist. (Else: `already_exists`.)
    Absent,
    /// The object exists and has this version. (Else: `conflict`.)
    Version(String),
}

/// What an append goes after. The object must be exactly `at + torn` bytes long; where that is 0, it
/// may be missing, and is created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct After {
    /// Bytes of the object that stay.
    pub at: u64,
    /// How many bytes after those are cut off.
    pub torn: u64,
    /// Where [`Self::mark`] stands.
    pub mark_at: u64,
    /// What must stand in the object from `mark_at` on: at most [`MARK_BYTES_MAX`] bytes, within the
    /// first `at`. Tells what is appended to from another object of the same length in its place: the
    /// hash of its last line, or how it starts.
    pub mark: Vec<u8>,
    /// What the bytes that are cut off must start with: at most [`MARK_BYTES_MAX`] bytes. Tells a
    /// torn write from what someone else has written in its place, of the same length.
    pub torn_start: Vec<u8>,
}

impl After {
    /// After the first `at` bytes, in place of the `torn` ones there are.
    #[must_use]
    pub fn new(at: u64, torn: u64) -> Self {
        Self { at, torn, ..Self::default() }
    }

    /// The same, in an object in which this stands from there on.
    #[must_use]
    pub fn marked(mut self, at: u64, mark: impl Into<Vec<u8>>) -> Self {
        (self.mark_at, self.mark) = (at, mark.into());
        self
    }

    /// The same, in place of bytes that start with this.
    #[must_use]
    pub fn replacing(mut self, torn_start: impl Into<Vec<u8>>) -> Self {
        self.torn_start = torn_start.into();
        self
    }

    /// Whether it goes after an object of those bytes.
    #[must_use]
    pub fn fits(&self, object: &[u8]) -> bool {
        let from =
            |at| usize::try_from(at).ok().and_then(|at| object.get(at..)).unwrap_or_default();
        object.len() as u64 == self.at.saturating_add(self.torn)
            && from(self.mark_at).starts_with(&self.mark)
            && from(self.at).starts_with(&self.torn_start)
    }
}

/// What an acknowledged append survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing but the end of this call.
    Memory,
    /// The end of this process, where the store outlives it.
    #[default]
    Os,
    /// Loss of power.
    Disk,
}

/// Names a stage of a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StageId(pub String);

/// What a store can do. What it cannot do it answers with `not_supported`; it never pretends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`Request::Append`].
    pub append: bool,
    /// [`Request::Stage`] and what belongs to it.
    pub staging: bool,
    /// [`Condition::Absent`].
    pub create_if_absent: bool,
    /// [`Condition::Version`].
    pub replace_if_version: bool,
    /// [`Request::Get`] of a range reads only that range.
    pub range: bool,
    /// Objects may expire.
    pub ttl: bool,
    /// The strongest durability it can give.
    pub durability: Durability,
}

impl Capabilities {
    /// Everything but expiry, with that durability.
    #[must_use]
    pub const fn all(durability: Durability) -> Self {
        Self {
            append: true,
            staging: true,
            create_if_absent: true,
            replace_if_version: true,
            range: true,
            ttl: false,
            durability,
        }
    }
}

impl Durability {
    /// Its name: `memory`, `os`, `disk`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Disk => "disk",
        }
    }

    /// The durability of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Memory, Self::Os, Self::Disk].into_iter().find(|level| level.name() == name)
    }
}
