//! cold-store.test.ts

use super::*;
use turnkeep_tests::spy::Failure;

#[test]
fn returns_null_when_the_snapshot_is_missing() {
    assert_eq!(Rig::new().read(), None);
}

#[test]
fn round_trips_a_snapshot_with_gzip_and_its_content_type() {
    let rig = Rig::new();
    rig.write(full());
    assert_eq!(rig.read(), Some(full()));
    let gzipped = full().write(true);
    assert!(gzipped.starts_with(&[0x1f, 0x8b, 8]));
    assert_eq!(Snapshot::read(&gzipped).expect("read"), full());
}

#[test]
fn writes_plain_json_when_gzip_is_false() {
    let json = full().write(false);
    assert!(json.starts_with(br#"{"v":1,"messages":["#));
    assert_eq!(Snapshot::read(&json).expect("read"), full());
}

/// There is none here: the bucket, or the folder that the store is told, is all for sessions.
#[test]
fn uses_the_default_prefix_threads() {
    let rig = Rig::new();
    rig.write(full());
    let is_ours = |key: &String| key.starts_with("sessions/") || key.starts_with("segments/");
    assert!(rig.cold_keys().iter().all(is_ours), "{:?}", rig.cold_keys());
}

#[test]
fn delete_removes_the_snapshot() {
    let rig = Rig::new();
    rig.write(full());
    rig.tier.delete(&thread()).expect("deleted");
    assert_eq!(rig.read(), None);
    // Again is told, and does no harm.
    assert_eq!(code(rig.tier.delete(&thread())), "not_found");
}

#[test]
fn treats_404_as_null() {
    let rig = Rig::new();
    rig.cold.cost();
    assert_eq!(rig.read(), None);
    assert!(rig.cold.cost().requests > 0, "it did ask");
}

#[test]
fn rethrows_errors_that_are_no_404() {
    let rig = Rig::new();
    rig.write(full());
    for request in 0..2 {
        rig.cold.fail_after(request, Failure::Before);
        assert_eq!(code(rig.tier.read_thread(&thread())), "store_failed");
    }
}

#[test]
fn reads_a_pre_seeded_gzip_object() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&full().write(false)).expect("memory");
    let object = gzip.finish().expect("memory");
    assert_eq!(Snapshot::read(&object).expect("read"), full());
}

#[test]
fn round_trips_a_megabyte() {
    let rig = Rig::new();
    let texts: Vec<String> = (0..1000).map(|n| format!("{n}:{}", "x".repeat(1024))).collect();
    let large = Snapshot { messages: texts, ..Snapshot::default() };
    rig.write(large.clone());
    assert_eq!(rig.read(), Some(large.clone()));
    assert_eq!(Snapshot::read(&large.write(true)).expect("read"), large);
}
