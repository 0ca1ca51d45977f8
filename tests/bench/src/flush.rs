//! Flushing one turn of a long thread, beside writing the thread whole, as zeitlich 0.2.46 does.
//! Stores are memory on both sides: what is measured is the work, not a network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use turnkeep::core::session::tier::{Flush, Hot};
use turnkeep::{Create, MemoryStore, Session, SessionId, Tier};

use crate::Options;
use crate::data::drafts;
use crate::measure::{Contender, Table, median};
use crate::node::Node;

/// Messages of a turn.
const TURN: usize = 7;
/// Turns that are flushed one by one to be measured.
const TURNS: usize = 64;

/// One flush, at 10 and at 10,000 messages.
pub fn run(options: &Options, table: &mut Table) {
    let drafts = drafts(10_000 + TURN * TURNS * (options.rounds + 2));
    let file = options.folder.join("flush.jsonl");
    std::fs::write(&file, drafts.join("\n")).expect("written");
    let node = Node::start();
    let whole = |size: usize| {
        let (node, file) = (node.clone(), file.clone());
        let request = json!({ "do": "flushWhole", "file": file, "size": size, "batch": TURN });
        Contender::timed("the whole thread, as zeitlich (CPU)", 0, move || milliseconds(&node, &request))
    };
    let wasm = |size: usize| {
        let (node, file) = (node.clone(), file.clone());
        let request = json!({
            "do": "flush", "file": file, "size": size, "batch": TURN, "turns": TURNS,
        });
        Contender::timed("turnkeep flush, Node, wasm (CPU)", 0, move || milliseconds(&node, &request))
    };
    for size in [10, 10_000] {
        let mut thread = Thread::new(&drafts, size);
        let group = format!("flush: a turn of {TURN} messages on a thread of {size}");
        let native = Contender::timed("turnkeep flush, native", 0, move || thread.flush_turns());
        table.group(&group, options.rounds, vec![whole(size), native, wasm(size)]);
    }
    flat(&drafts, options, table);
}

fn milliseconds(node: &Node, request: &serde_json::Value) -> Duration {
    let milliseconds = node.call(request)["ms"].as_f64().expect("a time");
    Duration::from_secs_f64(milliseconds / 1e3)
}

/// The same flush at 10 and at 10,000 messages, in turns.
fn flat(drafts: &[String], options: &Options, table: &mut Table) {
    let (mut short, mut long) = (Vec::new(), Vec::new());
    let mut last = Thread::new(drafts, 10_000);
    for _ in 0..options.rounds {
        short.push(Thread::new(drafts, 10).flush_turns().as_secs_f64());
        long.push(last.flush_turns().as_secs_f64());
    }
    let ratios = long.iter().zip(&short).map(|(long, short)| long / short).collect();
    let note = format!("{:.2} x of that at 10 messages", median(ratios));
    table.note("flush: time at 10,000 messages, native", "a turn", note);
}

/// A thread that was flushed turn by turn.
struct Thread {
    tier: Arc<Tier>,
    session: Session,
    id: SessionId,
    /// Turns to come.
    left: Vec<Vec<String>>,
}

impl Thread {
    fn new(drafts: &[String], size: usize) -> Self {
        let stores = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let tier = Tier::open(stores.0, stores.1).expect("a tier");
        let id = SessionId::new("bench").expect("an id");
        let create = Create::default().with_id(id.clone());
        let session = Session::create(tier.clone(), create).expect("a session");
        let (before, rest) = drafts.split_at(size);
        let left = rest.chunks_exact(TURN).map(<[_]>::to_vec).rev().collect();
        let mut thread = Self { tier, session, id, left };
        for turn in before.chunks(TURN) {
            thread.flush_turn(turn, true);
        }
        thread
    }

    /// The middle one of some flushes, each of one turn.
    fn flush_turns(&mut self) -> Duration {
        let mut times = Vec::new();
        for _ in 0..TURNS {
            let turn = self.left.pop().expect("enough turns");
            times.push(self.flush_turn(&turn, false).as_secs_f64());
        }
        Duration::from_secs_f64(median(times))
    }

    fn flush_turn(&mut self, turn: &[String], merges: bool) -> Duration {
        self.session.append(turn).expect("appended");
        let options = Flush::default().hot(Hot::Keep).merging(merges);
        let start = Instant::now();
        let flushed = self.tier.flush(&self.id, options).expect("flushed");
        let took = start.elapsed();
        if !merges {
            // As a flush does that may: where many small segments came together they are joined.
            self.tier.flush(&self.id, Flush::default().hot(Hot::Keep)).expect("flushed");
        }
        assert!(flushed.cleared && flushed.entries > 0);
        took
    }
}
