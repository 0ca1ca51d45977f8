//! Archiving beside Node's zlib on the same bytes, and the two implementations of deflate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use turnkeep::{FileStore, MemoryStore, Session, Store, drive};
use turnkeep_core::SessionId;
use turnkeep_core::archive::{archive, archiving, read_index, unarchive, unarchiving};
use turnkeep_core::gzip::deflate::{self, miniz};
use turnkeep_core::gzip::{Bound, gunzip};
use turnkeep_core::store::{Condition, Key, Part};
use turnkeep_core::task::Task;
use zlib_rs::{Deflate, DeflateFlush, compress_bound};

use crate::Options;
use crate::data::{drafts, log};
use crate::measure::{Contender, Table};
use crate::node::Node;

/// Everything about archives of 10,000 messages.
pub fn run(options: &Options, table: &mut Table) {
    let log = log(&drafts(10_000));
    let archived = archive(&log).expect("archived");
    let (raw, gz) = (options.folder.join("log.jsonl"), options.folder.join("log.jsonl.gz"));
    std::fs::write(&raw, &log).expect("written");
    std::fs::write(&gz, &archived).expect("written");
    let node = Node::start();
    let group = "archive 10,000 messages, level 6";
    table.group(
        group,
        options.rounds.min(5),
        vec![
            node.contender("Node gzipSync", "gzip", &raw, log.len()),
            Contender::new("turnkeep archive, verified, native, 1 thread", log.len(), || {
                archive(&log).expect("archived")
            }),
            Contender::timed("turnkeep archive, verified, native, helpers", log.len(), || {
                timed_task(archiving(log.clone()))
            }),
            Contender::timed("Session::archive, FileStore, read back", log.len(), || {
                timed_whole(options, &log, false)
            }),
            node.contender("turnkeep archive, verified, wasm", "archive", &raw, log.len()),
        ],
    );
    table.group(
        "unarchive 10,000 messages",
        options.rounds.min(5),
        vec![
            node.contender("Node gunzipSync", "gunzip", &gz, log.len()),
            Contender::new("turnkeep gunzip, native", log.len(), || {
                gunzip(&archived, Bound::default()).expect("inflated")
            }),
            Contender::new("turnkeep unarchive, verified, native, 1 thread", log.len(), || {
                unarchive(&archived).expect("verified")
            }),
            Contender::timed("turnkeep unarchive, verified, native, helpers", log.len(), || {
                timed_task(unarchiving(archived.clone()))
            }),
            Contender::timed("Session::restore, FileStore, read back", log.len(), || {
                timed_whole(options, &log, true)
            }),
            node.contender("turnkeep unarchive, verified, wasm", "unarchive", &gz, log.len()),
        ],
    );
    deflaters(options, table, &log);
    overhead(table, group, &log, &archived);
    let node_bytes = node.call(&json!({ "do": "gzipped", "file": raw }))["bytes"].as_f64();
    let more = archived.len() as f64 / node_bytes.expect("a length") * 100.0 - 100.0;
    table.note(group, "size over Node's gzipSync", format!("{more:+.2} %"));
}

/// How long a task that needs no store takes.
fn timed_task<T>(task: Task<T>) -> Duration {
    let start = Instant::now();
    std::hint::black_box(drive(task, &MemoryStore::new()).expect("done"));
    start.elapsed()
}

/// The whole operation on files: all that is written is synced, read back and verified. Either one
/// that turns the log into an archive, or the one that turns that back.
fn timed_whole(options: &Options, log: &[u8], is_reverse: bool) -> Duration {
    let folder = options.folder.join("whole");
    let _ = std::fs::remove_dir_all(&folder);
    let store = Arc::new(FileStore::open(&folder).expect("a folder"));
    let id = SessionId::new("bench").expect("an id");
    let stored = store.put(&Key::of(&id, Part::Log), log, &Condition::Absent);
    stored.expect("a log");
    let session = Session::open(store, &id).expect("a session");
    if is_reverse {
        session.archive().expect("archived");
    }
    let start = Instant::now();
    if is_reverse { session.restore() } else { session.archive() }.expect("done");
    start.elapsed()
}

/// The two implementations behind the seam, on blocks of the same log.
fn deflaters(options: &Options, table: &mut Table, log: &[u8]) {
    let blocks: Vec<&[u8]> = log.chunks(320 << 10).collect();
    let deflated: Vec<Vec<u8>> = blocks
        .iter()
        .map(|block| {
            let mut out = Vec::new();
            deflate::Deflater::new().block(block, &mut out);
            out
        })
        .collect();
    let mut oracle = Vec::new();
    blocks.iter().for_each(|block| miniz::Deflater::new().block(block, &mut oracle));
    table.group(
        "deflate blocks, native",
        options.rounds.min(5),
        vec![
            Contender::new("miniz_oxide deflate", log.len(), || {
                let (mut deflater, mut out) = (miniz::Deflater::new(), Vec::new());
                blocks.iter().for_each(|block| deflater.block(block, &mut out));
                out
            }),
            Contender::new("zlib-rs deflate", log.len(), || {
                let (mut deflater, mut out) = (deflate::Deflater::new(), Vec::new());
                blocks.iter().for_each(|block| deflater.block(block, &mut out));
                out
            }),
        ],
    );
    table.group(
        "inflate blocks, native",
        options.rounds.min(5),
        vec![
            Contender::new("miniz_oxide inflate", log.len(), || {
                let (mut inflater, mut out) = (miniz::Inflater::new(), vec![0; 400 << 10]);
                for block in &deflated {
                    inflater.reset();
                    assert!(inflater.step(block, &mut out).is_some());
                }
            }),
            Contender::new("zlib-rs inflate", log.len(), || {
                let (mut inflater, mut out) = (deflate::Inflater::new(), vec![0; 400 << 10]);
                for block in &deflated {
                    inflater.reset();
                    assert!(inflater.step(block, &mut out).is_some());
                }
            }),
        ],
    );
    let shipped: usize = deflated.iter().map(Vec::len).sum();
    let sizes = format!("zlib-rs {shipped} B, miniz_oxide {} B", oracle.len());
    table.note("deflate blocks, native", "size", sizes);
}

/// What blocks and index cost in bytes.
fn overhead(table: &mut Table, group: &str, log: &[u8], archived: &[u8]) {
    let mut out = vec![0; compress_bound(log.len()) + 64];
    let mut deflate = Deflate::new(6, false, 15);
    deflate.compress(log, &mut out, DeflateFlush::Finish).expect("deflated");
    let single = deflate.total_out() + 18;
    let index = read_index(archived, archived.len() as u64).expect("an index");
    let more = archived.len() as f64 / single as f64 * 100.0 - 100.0;
    let note = format!(
        "{} B, one stream {single} B: {more:+.2} % ({} spans, log {} B)",
        archived.len(),
        index.spans.len(),
        log.len()
    );
    table.note(group, "size over one gzip stream of the same level", note);
}
