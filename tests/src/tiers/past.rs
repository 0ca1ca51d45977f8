//! What two stores hold before something happens.

use turnkeep::core::session::tier::{self, Flush, Hot};
use turnkeep::core::session::{self, Append};
use turnkeep::core::store::{Condition, Part};
use turnkeep::{Create, Draft, Key, Store};

use super::world::World;
use crate::build::Random;
use crate::retention::DAY_MS;
use crate::sessions::{id, user};

/// Two stores, and what the session "a" is in them.
#[derive(Debug)]
pub struct Past {
    /// What it is about.
    pub name: &'static str,
    /// The stores.
    pub world: World,
    /// What was said in the session; `None`: there is none.
    pub texts: Option<Vec<String>>,
}

/// Text that hardly compresses.
#[must_use]
pub fn noise(seed: u64, bytes: usize) -> String {
    let mut random = Random::new(seed);
    (0..bytes).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
}

/// A draft of that text, with an id.
#[must_use]
pub fn draft(text: &str) -> Draft {
    let id = text.get(..text.len().min(8)).unwrap_or(text);
    user(text).with_text("id", id)
}

impl Past {
    fn new() -> Self {
        let world = World::default();
        world.done(session::create(Create::default().with_id(id("a"))));
        Self { name: "", world, texts: Some(Vec::new()) }
    }

    fn with(mut self, text: String) -> Self {
        self.append("a", &text);
        self.texts.get_or_insert_default().push(text);
        self
    }

    fn append(&self, name: &str, text: &str) {
        let opened = self.world.done(session::open(id(name)));
        self.world.done(session::append(opened, Append::from([draft(text)])));
    }

    fn flushed(self, hot: Hot) -> Self {
        self.world.done(tier::flush(id("a"), Flush::default().hot(hot)));
        self
    }

    fn archived(self) -> Self {
        self.world.done(session::archive(id("a")));
        self
    }

    fn deleted(mut self) -> Self {
        self.world.done(session::delete(id("a")));
        self.texts = None;
        self
    }

    fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self.world.wait(DAY_MS);
        self
    }

    fn keeping(self, part: Part, change: impl FnOnce(Self) -> Self) -> Self {
        let key = Key::of(&id("a"), part);
        let kept = self.world.hot.get(&key, None).expect("an object").bytes;
        let changed = change(self);
        changed.world.hot.put(&key, &kept, &Condition::Any).expect("a put");
        changed
    }
}

/// Sessions in the shapes that two stores know.
#[must_use]
pub fn past(name: &str) -> Past {
    let short = |n: u64| noise(n, 40);
    let long = |n: u64| noise(n, 3000);
    let clear = Hot::Clear;
    let start = || Past::new().with(short(1)).with(long(2));
    match name {
        "hot" => start().named("hot"),
        "short" => Past::new().with(short(1)).named("short"),
        "hydrated" => start().flushed(Hot::Keep).flushed(clear).hydrated().named("hydrated"),
        "kept" => start().flushed(Hot::Keep).named("kept"),
        "tail" => start().flushed(clear).with(short(3)).named("tail"),
        "long tail" => start().flushed(clear).with(long(3)).named("long tail"),
        "cold" => start().flushed(clear).named("cold"),
        "left" => start().flushed(Hot::Leave).named("left"),
        "deleted" => start().flushed(clear).deleted().named("deleted"),
        "deleted hot" => start().deleted().named("deleted hot"),
        "created anew" => {
            let mut past = start().flushed(clear).deleted();
            past.world.done(session::create(Create::default().with_id(id("a"))));
            past.texts = Some(Vec::new());
            past.with(short(4)).named("created anew")
        }
        "none" => Past { name: "none", world: World::default(), texts: None },
        "archived" => start().archived().named("archived"),
        "archived and more" => start().archived().with(short(3)).named("archived and more"),
        "archived beside" => {
            start().keeping(Part::Log, Past::archived).with(short(3)).named("archived beside")
        }
        "seven" => (10..17)
            .fold(Past::new(), |past, n| past.with(long(n)).flushed(Hot::Keep))
            .with(long(17))
            .named("seven"),
        other => panic!("no past known: {other}"),
    }
}

impl Past {
    fn hydrated(self) -> Self {
        self.world.done(tier::hydrate(id("a")));
        self
    }
}
