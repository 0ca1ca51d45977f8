//! Archiving beside Node's zlib on the same bytes, and the two implementations of deflate.

use turnkeep_core::archive::{archive, read_index, unarchive};
use turnkeep_core::gzip::deflate::{self, miniz};
use turnkeep_core::gzip::{Bound, gunzip};
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
            Contender::new("turnkeep archive, verified, native", log.len(), || {
                archive(&log).expect("archived")
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
            Contender::new("turnkeep unarchive, verified, native", log.len(), || {
                unarchive(&archived).expect("verified")
            }),
            node.contender("turnkeep unarchive, verified, wasm", "unarchive", &gz, log.len()),
        ],
    );
    deflaters(options, table, &log);
    overhead(table, group, &log, &archived);
}

/// The two implementations behind the seam, on blocks of the same log.
fn deflaters(options: &Options, table: &mut Table, log: &[u8]) {
    let blocks: Vec<&[u8]> = log.chunks(256 << 10).collect();
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
        "deflate blocks of 256 KiB, native",
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
        "inflate blocks of 256 KiB, native",
        options.rounds.min(5),
        vec![
            Contender::new("miniz_oxide inflate", log.len(), || {
                let (mut inflater, mut out) = (miniz::Inflater::new(), vec![0; 300 << 10]);
                for block in &deflated {
                    inflater.reset();
                    assert!(inflater.step(block, &mut out).is_some());
                }
            }),
            Contender::new("zlib-rs inflate", log.len(), || {
                let (mut inflater, mut out) = (deflate::Inflater::new(), vec![0; 300 << 10]);
                for block in &deflated {
                    inflater.reset();
                    assert!(inflater.step(block, &mut out).is_some());
                }
            }),
        ],
    );
    let shipped: usize = deflated.iter().map(Vec::len).sum();
    let sizes = format!("zlib-rs {shipped} B, miniz_oxide {} B", oracle.len());
    table.note("deflate blocks of 256 KiB, native", "size", sizes);
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
