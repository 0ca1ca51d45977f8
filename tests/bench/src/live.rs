//! What resuming and recording cost as a session grows: loading it, its end, one more turn.

use std::io::Write;
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use turnkeep::{FileStore, Session, SessionId};

use crate::Options;
use crate::data::{drafts, log};
use crate::measure::{Contender, Table};
use crate::node::Node;

/// Messages of a turn.
const TURN: usize = 7;

/// A whole session of 10,000 messages, beside parsing the same messages from a gzip file,
/// unverified, in Node.
pub fn load(options: &Options, table: &mut Table) {
    let drafts = drafts(10_000);
    let log = log(&drafts);
    let folder = stored(options, "load", &log);
    let items: Vec<Value> =
        drafts.iter().map(|draft| serde_json::from_str(draft).expect("a draft")).collect();
    let file = options.folder.join("messages.json.gz");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    serde_json::to_writer(&mut gzip, &items).expect("written");
    std::fs::write(&file, gzip.finish().expect("written")).expect("written");
    let node = Node::start();
    let store = Arc::new(FileStore::open(&folder).expect("a store"));
    let id = SessionId::new("bench").expect("an id");
    let contenders = vec![
        node.contender("Node: JSON.parse(gunzipSync(…)), unverified", "parse", &file, log.len()),
        node.contender("Node: state, verified, parsed", "load", &folder, log.len()),
        node.contender("Node: entries, verified, parsed when asked", "lazy", &folder, log.len()),
        Contender::new("native: state, verified", log.len(), || {
            let session = Session::open(store.clone(), &id).expect("a session");
            session.state().expect("folded")
        }),
    ];
    table.group("load 10,000 messages", options.rounds, contenders);
}

/// The last 50 messages of short and long sessions, in Node.
pub fn recent(options: &Options, table: &mut Table) {
    let node = Node::start();
    let contenders = [100, 1000, 10_000].map(|size| {
        let folder = stored(options, &format!("recent-{size}"), &log(&drafts(size)));
        node.contender(&format!("n = {size}"), "recent", &folder, 1)
    });
    let rounds = options.rounds * 5;
    table.group("open and read the last 50 of n messages, Node", rounds, contenders.into());
}

/// A turn of 7 messages at level `os`, in Node, as the session grows.
pub fn turn(options: &Options, table: &mut Table) {
    let drafts = drafts(10_000 + 60 * TURN);
    let file = options.folder.join("turns.jsonl");
    let mut out = std::fs::File::create(&file).expect("a file");
    out.write_all(drafts.join("\n").as_bytes()).expect("written");
    let node = Node::start();
    let mut first = f64::NAN;
    for size in [10, 1000, 10_000] {
        let request = json!({
            "do": "append", "file": file, "folder": options.folder.join("turns"),
            "size": size, "batch": TURN, "rounds": options.rounds,
        });
        let turn = node.call(&request)["turnkeep"].as_f64().expect("a number");
        first = if first.is_nan() { turn } else { first };
        let note = format!("{:.0} µs a turn; {:.2} x of that at 10", turn * 1e3, turn / first);
        table.note("a turn of 7 at n messages, Node (os)", &format!("n = {size}"), note);
    }
}

fn stored(options: &Options, name: &str, log: &[u8]) -> std::path::PathBuf {
    let folder = options.folder.join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("bench.jsonl"), log).expect("written");
    folder
}
