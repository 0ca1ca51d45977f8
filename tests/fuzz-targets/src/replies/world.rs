//! What there is before the store begins to lie.

use std::sync::OnceLock;

use turnkeep_core::log::{Draft, Head};
use turnkeep_core::session::runtime::{Snapshot, snapshot};
use turnkeep_core::session::tier::{self, Flush};
use turnkeep_core::session::{self, About, Append, Create, Fork, Session, View};
use turnkeep_core::store::Key;
use turnkeep_core::{SessionId, State};

use crate::host::{Contents, Host, contents, store_of};

/// Live; archived; archived and gone on with; in the cold store; hydrated and gone on with; forked.
pub(super) const NAMES: [&str; 6] = ["live", "archived", "both", "cold", "tiered", "forked"];

/// What a session truly is.
#[derive(Debug)]
pub(super) struct Truth {
    pub(super) head: Option<Head>,
    pub(super) state: State,
}

#[derive(Debug)]
struct World {
    hot: Contents,
    cold: Contents,
    bundle: Contents,
    keys: Vec<Key>,
    truths: Vec<Truth>,
}

/// A host of it all, as it is before anything happens.
pub(super) fn host() -> Host {
    let world = world();
    Host::of([&world.hot, &world.cold, &world.bundle].map(store_of))
}

/// What that session truly is.
pub(super) fn truth(name: &str) -> &'static Truth {
    let place = NAMES.iter().position(|known| *known == name).unwrap_or_default();
    &world().truths[place]
}

/// The key of every object.
pub(super) fn keys() -> &'static [Key] {
    &world().keys
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut host = Host::default();
        // Before there is anything in the cold store.
        host.done(snapshot(Snapshot::default()));
        NAMES.iter().for_each(|name| make(&mut host, name));
        let truths = NAMES.iter().map(|name| {
            let state = host.done(session::state(id(name), View::default()));
            Truth { head: state.head, state }
        });
        let truths = truths.collect();
        let [hot, cold, bundle] = [&host.hot, &host.cold, &host.bundle].map(contents);
        let keys = hot.iter().chain(cold.iter()).map(|(key, _)| key.clone()).collect();
        World { hot, cold, bundle, keys, truths }
    })
}

fn make(host: &mut Host, name: &str) {
    if name == "forked" {
        let fork = Fork::at(session::At::Head).with_id(id(name));
        let session = host.done(session::fork(id("live"), fork));
        turn(host, session, 3);
        return;
    }
    let mut session = host.done(session::create(Create::default().with_id(id(name))));
    for number in 0..2 {
        session = turn(host, session, number);
    }
    match name {
        "archived" | "both" => _ = host.done(session::archive(id(name))),
        "cold" | "tiered" => _ = host.done(tier::flush(id(name), Flush::default())),
        _ => {
            let about = About::new(Some("Title".into()), vec!["tag".into()]);
            host.done(session::set_about(id(name), about));
        }
    }
    if matches!(name, "both" | "tiered") {
        let session = match name {
            "both" => host.done(session::open(id(name))),
            _ => host.done(tier::hydrate(id(name))).session,
        };
        turn(host, session, 2);
    }
}

/// One more turn.
fn turn(host: &mut Host, session: Session, number: u64) -> Session {
    let text = "what a tool put out, line by line; ".repeat(40);
    let append = Append::from([
        Draft::user_input("\"Hi\"").with_text("id", &format!("m{number}")),
        Draft::assistant_item(&format!("{{\"role\":\"assistant\",\"content\":\"{text}\"}}")),
        Draft::state(&format!("{{\"turn\":{number}}}")),
        Draft::turn_end(number + 1),
    ]);
    host.done(session::append(session, append)).session
}

fn id(name: &str) -> SessionId {
    SessionId::new(name).expect("an id")
}
