//! Stores with a cold one behind them.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::host::Host;
use super::*;
use crate::cold::{Held, IdSection, IdsObject, Manifest, Segment, fingerprint};
use crate::log::{Draft, Head};
use crate::session::tier::{self, Collect, Flush, Hot, encoded, joins};
use crate::session::{self, Append, At, Fork};
use crate::sha256;
use crate::store::{Key, Request};
use crate::zeitlich::Snapshot;

/// A manifest of that number, which says that the session was deleted.
pub(super) fn manifest(number: u64) -> Manifest {
    let (origin, prev) = (sha256(b"first"), None);
    Manifest { session: id("s"), number, prev, origin, written_ms: 0, nonce: 0, held: None }
}

fn with_segments(bytes: &[u64]) -> Manifest {
    let segment = |bytes: &u64| {
        let (name, bytes) = (sha256(b"a segment"), *bytes);
        Segment { name, bytes, entries: 1, raw_bytes: 1 }
    };
    let entries = bytes.len() as u64;
    let held = Held {
        head: Head { seq: entries - 1, hash: sha256(b"head"), bytes: entries },
        is_salted: false,
        fork: None,
        segments: bytes.iter().map(segment).collect(),
        tail: String::new(),
        slice: None,
        ids: Vec::new(),
        recent_ids: IdSection { first_seq: 0, entries, fingerprints: Vec::new() },
        about: None,
    };
    Manifest { held: Some(held), ..manifest(7) }
}

fn decoded(manifest: &Manifest) -> crate::Result<bool> {
    Manifest::decode(&manifest.encode(), &id("s")).map(|decoded| decoded == *manifest)
}

#[test]
pub(super) fn a_manifest_names_so_many_segments() {
    let named = |count: usize| with_segments(&vec![INTEGER_MAX >> 20; count]);
    for count in [SEGMENTS_MAX - 1, SEGMENTS_MAX] {
        assert!(encoded(&named(count)).is_ok());
        assert_eq!(decoded(&named(count)), Ok(true));
    }
    refused(encoded(&named(SEGMENTS_MAX + 1)), "too_large", "65,536");
    refused(decoded(&named(SEGMENTS_MAX + 1)), "bad_entry", "manifest");
}

#[test]
fn no_manifest_names_more_bytes_than_there_are_numbers_for() {
    assert_eq!(decoded(&with_segments(&[INTEGER_MAX - 1, 1])), Ok(true));
    refused(decoded(&with_segments(&[INTEGER_MAX, 1])), "bad_entry", "manifest");
    // So many that their sum would be no number at all.
    refused(decoded(&with_segments(&[INTEGER_MAX; 2049])), "bad_entry", "manifest");
}

#[test]
pub(super) fn a_manifest_is_so_large() {
    let long = |about: usize| {
        let mut manifest = with_segments(&[9]);
        let about = alloc::format!("{{\"x\":\"{}\"}}", "x".repeat(about));
        manifest.held.as_mut().unwrap().about = Some(about);
        manifest
    };
    let fixed = long(0).encode().len();
    for length in [MANIFEST_BYTES_MAX - 1, MANIFEST_BYTES_MAX] {
        assert_eq!(encoded(&long(length - fixed)).map(|bytes| bytes.len()), Ok(length));
        assert_eq!(decoded(&long(length - fixed)), Ok(true));
    }
    refused(encoded(&long(MANIFEST_BYTES_MAX + 1 - fixed)), "too_large", "16 MiB");
    refused(decoded(&long(MANIFEST_BYTES_MAX + 1 - fixed)), "bad_entry", "16 MiB");
}

/// The newest manifest of the session.
fn newest(host: &Host) -> Manifest {
    let prefix = Key::manifests(&id("s"));
    let mut keys = host.cold.objects.iter().filter(|(key, _)| key.as_str().starts_with(&prefix));
    Manifest::decode(&keys.next().unwrap().1.0, &id("s")).unwrap()
}

fn flushed(host: &mut Host, flush: Flush) -> Held {
    host.run(tier::flush(id("s"), flush)).unwrap();
    newest(host).held.unwrap()
}

fn said(length: usize) -> Draft {
    Draft::user_input(&alloc::format!("\"{}\"", "x".repeat(length)))
}

#[test]
pub(super) fn short_lines_stand_in_the_manifest() {
    let flush = |length: usize| {
        let mut host = Host::default();
        host.session("s", &[said(length)]);
        let held = flushed(&mut host, Flush::default());
        (held.head.bytes as usize, held.segments.len(), held.tail.len())
    };
    let fixed = flush(0).0;
    let at = |bytes: usize| flush(bytes - fixed);
    let most = INLINE_TAIL_BYTES;
    assert_eq!(at(most - 1), (most - 1, 0, most - 1));
    assert_eq!(at(most), (most, 0, most));
    assert_eq!(at(most + 1), (most + 1, 1, 0));
}

#[test]
pub(super) fn a_short_slice_stands_in_the_manifest() {
    let stands = |length: usize| {
        let mut host = Host::default();
        let state = alloc::format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8));
        host.session("s", &[Draft::state(&state)]);
        let slice = flushed(&mut host, Flush::default()).slice.unwrap();
        assert_eq!(host.run(tier::slice(id("s"))), Ok(Some(state)));
        slice.json.map(|json| json.len())
    };
    assert_eq!(stands(INLINE_SLICE_BYTES - 1), Some(INLINE_SLICE_BYTES - 1));
    assert_eq!(stands(INLINE_SLICE_BYTES), Some(INLINE_SLICE_BYTES));
    assert_eq!(stands(INLINE_SLICE_BYTES + 1), None);
}

#[test]
pub(super) fn a_segment_is_closed_once_it_holds_enough() {
    let segments = |items: usize| {
        let mut host = Host::default();
        let noise = noisy_text(items << 16);
        let texts =
            noise.as_bytes().chunks(1 << 16).map(|text| core::str::from_utf8(text).unwrap());
        let drafts = texts.map(|text| Draft::user_input(&alloc::format!("\"{text}\"")));
        host.session("s", &drafts.collect::<Vec<_>>());
        let held = flushed(&mut host, Flush::default());
        held.segments.iter().map(|segment| segment.bytes as usize).collect::<Vec<_>>()
    };
    let below = segments(130);
    assert!(below.len() == 1 && below[0] < SEGMENT_BYTES, "{below:?}");
    let above = segments(240);
    assert!(above.len() == 2 && above[0] >= SEGMENT_BYTES, "{above:?}");
    // Some blocks are under way when it is full.
    assert!(above[0] < SEGMENT_BYTES + 8 * BLOCK_BYTES, "{above:?}");
}

fn with_id(name: &str) -> Draft {
    Draft::user_input("1").with_text("id", name)
}

/// Names that nobody takes for one another, so many.
fn distinct(count: usize) -> Vec<Draft> {
    let mut seen = alloc::collections::BTreeSet::new();
    let names = (0_u32..).map(|at| alloc::format!("{at}"));
    names
        .filter(|name| seen.insert(fingerprint(name)))
        .take(count)
        .map(|name| with_id(&name))
        .collect()
}

fn lists(host: &Host) -> usize {
    host.cold.objects.keys().filter(|key| key.as_str().ends_with(".ids")).count()
}

#[test]
pub(super) fn ids_go_into_a_list_once_they_are_many() {
    let flush = |count: usize| {
        let mut host = Host::default();
        host.session("s", &distinct(count));
        let held = flushed(&mut host, Flush::default());
        (held.recent_ids.fingerprints.len(), held.ids.len(), lists(&host))
    };
    assert_eq!(flush(RECENT_IDS - 1), (RECENT_IDS - 1, 0, 0));
    assert_eq!(flush(RECENT_IDS), (RECENT_IDS, 0, 0));
    assert_eq!(flush(RECENT_IDS + 1), (0, 1, 1));
}

#[test]
pub(super) fn more_ids_go_into_a_list_at_once() {
    let mut host = Host::default();
    let drafts = distinct(RECENT_IDS_MAX + 1);
    let (last, first) = drafts.split_last().unwrap();
    let mut session = host.session("s", &[]);
    for batch in first.chunks(BATCH_ENTRIES_MAX) {
        session = host.append(session, batch);
        host.requests.clear();
    }
    let flush = Flush::default().merging(false).hot(Hot::Leave);
    let held = flushed(&mut host, flush.clone());
    assert_eq!((held.recent_ids.fingerprints.len(), lists(&host)), (RECENT_IDS_MAX, 0));
    host.append(session, core::slice::from_ref(last));
    let held = flushed(&mut host, flush);
    assert_eq!((held.recent_ids.fingerprints.len(), lists(&host)), (0, 1));
    // Nothing of it is forgotten.
    let session = host.run(session::open(id("s"))).unwrap();
    let again = Append::new([first[7].as_str().to_string()].to_vec()).once();
    refused(host.run(session::append(session, again)), "already_exists", "items");
}

/// Only what is decided before is tried: such a list is not read for it.
#[test]
pub(super) fn a_list_of_ids_is_so_large() {
    let half = IDS_BYTES_MAX as u64 / 2;
    assert!(joins(half - 1, half) && joins(half, half));
    assert!(!joins(half + 1, half));

    let mut host = Host::default();
    host.session("s", &[said(9)]);
    flushed(&mut host, Flush::default());
    let mut read = |bytes: usize, list: &[u8]| {
        let mut manifest = newest(&host);
        let name = sha256(list);
        let held = manifest.held.as_mut().unwrap();
        held.ids = [IdsObject { name, bytes: bytes as u64, entries: 1 }].to_vec();
        held.recent_ids.first_seq = 1;
        let key = Key::manifest(&id("s"), manifest.number);
        host.cold.objects.insert(key, (manifest.encode(), 0));
        host.cold.objects.insert(Key::ids(name), (list.to_vec(), 0));
        let session = host.run(session::open(id("s"))).unwrap();
        let append = Append::new([with_id("a").as_str().to_string()].to_vec()).once();
        host.run(session::append(session, append)).map(|appended| appended.first_seq)
    };
    let list = crate::cold::join_sections(&[]);
    refused(read(IDS_BYTES_MAX + 1, &list), "bad_entry", "256 MiB");
    refused(read(IDS_BYTES_MAX, &list), "bad_entry", "another length");
    assert!(read(list.len(), &list).is_ok());
}

#[test]
fn a_fork_of_what_lies_elsewhere_than_its_manifest_says_is_refused() {
    let mut host = Host::default();
    host.session("s", &[said(2000), said(2000)]);
    let log = host.hot.objects[&Key::of(&id("s"), crate::store::Part::Log)].0.clone();
    flushed(&mut host, Flush::default());
    // The last line stands twice: in the segment, whose lines are said to be two, and as the tail.
    let mut manifest = newest(&host);
    let held = manifest.held.as_mut().unwrap();
    let start = memchr::memchr_iter(b'\n', &log).nth(1).unwrap() + 1;
    held.tail = String::from_utf8(log[start..].to_vec()).unwrap();
    held.segments[0].entries = 2;
    held.head.bytes += held.tail.len() as u64;
    let key = Key::manifest(&id("s"), manifest.number);
    host.cold.objects.insert(key, (manifest.encode(), 0));
    let forked = |at: At| session::fork(id("s"), Fork::at(at).with_id(id("child")));
    refused(host.run(forked(At::Seq(1))), "bad_seq", "manifest");
}

#[test]
pub(super) fn parts_that_are_not_the_last_are_so_long() {
    let parts = |length: usize| {
        let mut host = Host::default();
        host.run(session::keep_import(noise(length))).unwrap();
        let parts = host.requests.iter().filter_map(|request| match request {
            Request::StagePart { bytes, .. } | Request::Put { bytes, .. } => Some(bytes.len()),
            _ => None,
        });
        parts.collect::<Vec<_>>()
    };
    assert_eq!(parts(PART_BYTES - 1), [PART_BYTES - 1]);
    let at = parts(PART_BYTES);
    assert_eq!(at.iter().sum::<usize>(), PART_BYTES);
    let mut above = parts(2 * PART_BYTES + 1);
    above.sort_unstable();
    assert_eq!(above.iter().sum::<usize>(), 2 * PART_BYTES + 1);
    assert!(above.len() > 1 && above[1..].iter().all(|part| *part >= PART_BYTES), "{above:?}");
}

#[test]
pub(super) fn a_thread_is_appended_in_batches() {
    let appends = |length: usize| {
        let mut host = Host::default();
        let message = |role: &str| {
            alloc::format!(r#"{{"role":"{role}","content":"{}"}}"#, "x".repeat(length))
        };
        let messages = ["user", "assistant"].map(message).to_vec();
        let snapshot = Snapshot { messages, ..Snapshot::default() };
        host.run(tier::write_thread(id("s"), snapshot)).unwrap();
        host.requests.iter().filter(|request| matches!(request, Request::Append { .. })).count()
    };
    let half = THREAD_BATCH_BYTES / 2;
    assert_eq!(appends(half) - appends(half - 1000), 1);
}

#[test]
pub(super) fn so_many_unused_objects_are_noted() {
    let noted = |count: usize| {
        let mut host = Host { now_ms: 1 << 40, ..Host::default() };
        host.session("s", &[said(9)]);
        flushed(&mut host, Flush::default());
        let names = (0..count).map(|at| Key::segment(sha256(&at.to_le_bytes())));
        host.cold.objects.extend(names.map(|key| (key, (Vec::new(), 0))));
        let collected = host.run(tier::collect(Collect::default())).unwrap();
        assert_eq!(collected.unused.len(), count);
        let note = host.cold.objects.iter().find(|(key, _)| key.as_str().starts_with("collect/"));
        let note = &note.unwrap().1.0;
        assert!(note.len() <= COLLECTION_BYTES_MAX);
        memchr::memmem::find_iter(note, b"\"segments/").count()
    };
    let most = COLLECTION_KEYS_MAX;
    assert_eq!((noted(most - 1), noted(most), noted(most + 1)), (most - 1, most, most));
}

#[test]
fn a_note_of_unused_objects_is_so_large() {
    let deleted = |length: usize| {
        let mut host = Host { now_ms: 1 << 40, ..Host::default() };
        host.session("s", &[said(9)]);
        flushed(&mut host, Flush::default());
        let unused = Key::segment(sha256(b"unused"));
        host.cold.objects.insert(unused.clone(), (Vec::new(), 0));
        let start = alloc::format!("{{\"format\":1,\"ts\":1,\"unused\":[\"{unused}\"],\"x\":\"");
        let note = start.clone() + &"x".repeat(length - start.len() - 3) + "\"}\n";
        host.cold.objects.insert(Key::collection(1), (note.into_bytes(), 1));
        host.run(tier::collect(Collect::default())).unwrap().deleted.len()
    };
    assert_eq!(deleted(COLLECTION_BYTES_MAX - 1), 1);
    assert_eq!(deleted(COLLECTION_BYTES_MAX), 1);
    // What cannot be read says that nothing was unused.
    assert_eq!(deleted(COLLECTION_BYTES_MAX + 2), 0);
}

#[test]
pub(super) fn an_old_object_is_not_relied_on() {
    let segments = |age_ms: u64| {
        let mut host = Host { now_ms: 1 << 40, ..Host::default() };
        host.session("s", &[said(INLINE_TAIL_BYTES)]);
        flushed(&mut host, Flush::default().hot(Hot::Leave));
        host.cold.objects.remove(&Key::manifest(&id("s"), 0));
        host.now_ms += age_ms;
        flushed(&mut host, Flush::default().hot(Hot::Leave));
        host.cold.objects.keys().filter(|key| key.as_str().starts_with("segments/")).count()
    };
    assert_eq!((segments(YOUNG_MS - 1), segments(YOUNG_MS), segments(YOUNG_MS + 1)), (1, 1, 2));
}

#[test]
pub(super) fn the_least_grace() {
    let collected = |grace_ms: u64| {
        let task = tier::collect(Collect::default().after(grace_ms));
        Host::default().run(task).map(|collected| collected.sessions)
    };
    assert_eq!((collected(GRACE_MS_MIN), collected(GRACE_MS_MIN + 1)), (Ok(0), Ok(0)));
    refused(collected(GRACE_MS_MIN - 1), "invalid_argument", "two hours");
}

#[test]
pub(super) fn the_end_of_a_session_is_kept_so_long() {
    let unused = |age_ms: u64| {
        let mut host = Host { now_ms: 1 << 40, ..Host::default() };
        host.session("s", &[said(9)]);
        flushed(&mut host, Flush::default());
        host.run(session::delete(id("s"))).unwrap();
        host.cold.objects.remove(&Key::manifest(&id("s"), 0));
        host.now_ms += age_ms;
        host.run(tier::collect(Collect::default().dry_run())).unwrap().unused.len()
    };
    assert_eq!((unused(GRAVE_MS_MIN - 1), unused(GRAVE_MS_MIN)), (0, 1));
    assert_eq!(unused(GRAVE_MS_MIN + 1), 1);
}
