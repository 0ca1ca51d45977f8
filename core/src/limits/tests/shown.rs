//! What is shown of sessions, and values of a cache.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::archives::deflated;
use super::host::Host;
use super::*;
use crate::cache::{CacheEntry, CacheValue};
use crate::log::{Draft, Stamp, Writer};
use crate::session::runtime::{self, Restore, Snapshot};
use crate::store::{CacheRequest, Request};
use crate::view::{Lines, Place, inflate_block};

#[test]
pub(super) fn a_block_is_inflated_so_far() {
    let most = VIEW_BLOCK_BYTES_MAX as usize;
    let block = deflated(&vec![b'x'; most + 1]);
    let inflated = |length: u64| {
        let (raw, fault) = inflate_block(&block, length);
        (raw.len(), fault.map(|fault| fault.code()))
    };
    // What is asked for ends before the block does, or it does not fit.
    let below = inflate_block(&deflated(&vec![b'x'; most]), most as u64);
    assert_eq!((below.0.len(), below.1), (most, None));
    assert_eq!(inflated(VIEW_BLOCK_BYTES_MAX + 1), (most, Some("gzip_corrupt")));
}

/// How an item is shown.
fn shown(item: &str) -> serde_json::Value {
    let writer = Writer::create(id("a"), false);
    let stamp = Stamp { now_ms: 7, random: Vec::new() };
    let log = writer.write(&[Draft::item(item)], &stamp).unwrap().bytes;
    let json = Lines::new(log).entries(Place::default(), 1..2);
    serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().remove(0)
}

fn message(length: usize) -> String {
    alloc::format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(length))
}

#[test]
pub(super) fn a_part_is_cut() {
    let part = |length: usize| {
        let part = shown(&message(length))["parts"][0].clone();
        (part["text"].as_str().unwrap().len(), part["full"].as_u64())
    };
    let most = VIEW_PART_BYTES;
    assert_eq!((part(most - 1), part(most)), ((most - 1, None), (most, None)));
    assert_eq!(part(most + 1), (most, Some(most as u64 + 1)));
}

#[test]
pub(super) fn a_preview_is_cut() {
    let preview = |length: usize| shown(&message(length))["preview"].as_str().unwrap().len();
    let most = VIEW_PREVIEW_BYTES;
    assert_eq!((preview(most - 1), preview(most), preview(most + 1)), (most - 1, most, most));
}

#[test]
pub(super) fn a_longer_name_is_not_shown() {
    let model = |length: usize| {
        let item = message(1)
            .replace("\"role\"", &alloc::format!(r#""model":"{}","role""#, "m".repeat(length)));
        shown(&item)["model"].as_str().map(str::len)
    };
    let most = VIEW_NAME_BYTES_MAX;
    assert_eq!((model(most - 1), model(most), model(most + 1)), (Some(most - 1), Some(most), None));
}

/// How many values come together when a bundle of such ones is restored.
fn groups(count: usize, length: usize) -> Vec<usize> {
    let entry = |at: usize| {
        let value = CacheValue::Json(alloc::format!("\"{}\"", "x".repeat(length)));
        CacheEntry { key: alloc::format!("{at:05}"), value, expires_ms: None }
    };
    let mut host = Host { cache: (0..count).map(entry).collect(), ..Host::default() };
    host.run(runtime::snapshot(Snapshot { cache: true, ..Snapshot::default() })).unwrap();
    host.cache.clear();
    host.run(runtime::restore(Restore { cache: true, ..Restore::default() })).unwrap();
    assert_eq!(host.cache.len(), count);
    let puts = host.requests.iter().filter_map(|request| match request {
        Request::Cache(CacheRequest::Put { entries }) => Some(entries.len()),
        Request::Cache(CacheRequest::Keys { limit }) => {
            assert_eq!(*limit, CACHE_KEYS);
            None
        }
        _ => None,
    });
    puts.collect()
}

#[test]
pub(super) fn values_are_put_in_groups() {
    let most = CACHE_KEYS as usize;
    assert_eq!(groups(most - 1, 1), [most - 1]);
    assert_eq!(groups(most, 1), [most]);
    assert_eq!(groups(most + 1, 1), [most, 1]);
    let half = CACHE_BYTES / 2;
    assert_eq!(groups(3, half - 1000), [3]);
    assert_eq!(groups(3, half), [2, 1]);
}
