//! Collecting.

use super::*;

#[test]
fn what_is_unused_is_noted_and_told() {
    let place = Place::with(&["a"]);
    place.run(0, &["push", BUCKET]);
    place.append("store", "a");
    place.run(0, &["push", BUCKET]);
    let notes = |place: &Place| {
        let requests = place.s3.requests();
        let is_note = |key: &str| key.starts_with("agents/collect/");
        requests.iter().filter(|it| it.method == "PUT" && is_note(&it.key)).count()
    };
    let ran = place.run(0, &["gc", BUCKET, "-n"]);
    let mut lines = ran.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["sessions", "1"]);
    assert_eq!(lines.next().unwrap()[..3], ["used", "1", "objects"]);
    assert_eq!(lines.next().unwrap()[..3], ["unused", "1", "objects"]);
    assert_eq!(lines.next().unwrap()[..4], ["would", "delete", "0", "objects"]);
    assert_eq!(notes(&place), 0);
    let ran = place.run(0, &["gc", BUCKET]);
    assert!(ran.out.contains("what is unused was noted; a run after "), "{}", ran.out);
    assert_eq!(notes(&place), 1);
    let ran = place.run(0, &["gc", BUCKET, "--json"]);
    let document = &documents(&ran.out)[0];
    assert_eq!(document["unused"].as_array().unwrap().len(), 1);
    assert_eq!((&document["sessions"], &document["dry_run"]), (&1.into(), &false.into()));
    assert!(document["deletable_after"].is_string() && document["deleted_bytes"] == 0);
    place.run(0, &["verify", "a", "--store", BUCKET]);
    place.run(2, &["gc", BUCKET, "--grace", "1h"]).says(&["two hours"]);
    place.run(1, &["gc", "store"]).says(&["not_supported", "turnkeep sweep"]);
    place.run(10, &["gc", "nowhere"]);
}

#[test]
fn a_bucket_that_was_copied_into_a_folder_is_one() {
    let place = Place::with(&["a"]);
    place.run(0, &["push", BUCKET]);
    let (bucket, mirror) = (place.bucket(), FileStore::open(place.path("mirror")).unwrap());
    for prefix in ["segments/", "sessions/"] {
        for (key, _) in bucket.list(prefix, None, 100).unwrap().objects {
            let bytes = bucket.get(&key, None).unwrap().bytes;
            mirror.put(&key, &bytes, &Condition::Absent).unwrap();
        }
    }
    place.append("store", "a");
    place.create("b");
    let ran = place.run(0, &["push", "mirror"]);
    assert!(ran.out.ends_with("2 pushed (23 entries), 0 unchanged, 0 failed\n"), "{ran:?}");
    assert_eq!(place.run(0, &["ls", "--store", "mirror"]).out, "a\nb\n");
    place.run(0, &["copy", "mirror", "end"]);
    assert_eq!(place.log("end", "a"), place.log("store", "a"));
    place.run(0, &["verify", "b", "--store", "mirror"]);
    let ran = place.run(0, &["gc", "mirror", "-n"]);
    assert!(ran.out.starts_with("sessions            2\nused                2 "), "{ran:?}");
    place.run(1, &["rm", "a", "--yes", "--store", "mirror"]).says(&["where sessions lie as"]);
}
