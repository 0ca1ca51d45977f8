//! What push, pull and copy do.

use super::*;

#[test]
fn only_what_is_new_is_pushed_and_pulling_gives_the_same_bytes() {
    let place = Place::with(&["a", "b"]);
    let ran = place.run(0, &["push", BUCKET]);
    assert!(ran.out.starts_with("pushed a: 22 entries, head 21 "), "{}", ran.out);
    assert!(ran.out.ends_with("\n2 pushed (44 entries), 0 unchanged, 0 failed\n"));
    let ran = place.run(0, &["push", BUCKET]);
    assert_eq!(ran.out, "0 pushed (0 entries), 2 unchanged, 0 failed\n");
    place.append("store", "b");
    let (told, summary) = place.json(0, &["push", BUCKET]);
    let outcomes: Vec<_> = told.iter().map(|told| &told["outcome"]).collect();
    assert_eq!(outcomes, ["unchanged", "copied"]);
    assert_eq!((&told[1]["session"], &told[1]["entries"]), (&"b".into(), &1.into()));
    assert_eq!((&told[1]["head"]["seq"], &summary["entries"]), (&22.into(), &1.into()));

    // Elsewhere.
    place.run(0, &["pull", BUCKET, "b", "--store", "other"]);
    assert!(!place.path("other/a.jsonl").exists());
    assert_eq!(place.log("other", "b"), place.log("store", "b"));
    place.append("other", "b");
    let ran = place.run(0, &["push", BUCKET, "--store", "other"]);
    assert!(ran.out.starts_with("pushed b: 1 entry, head 23 "), "{}", ran.out);
    let ran = place.run(0, &["pull", BUCKET, "-v"]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("unchanged a: head 21 "), "{}", ran.out);
    assert!(lines[1].starts_with("pulled b: 1 entry, head 23 "), "{}", ran.out);
    assert_eq!(place.log("other", "b"), place.log("store", "b"));
    place.run(0, &["fsck", "--deep"]);
    place.append("store", "b");
}

#[test]
fn through_every_sort_of_store_a_log_stays_the_same() {
    let place = Place::with(&["a", "b"]);
    let redis = RedisServer::start();
    let about = About::new(Some("Tables".into()), vec!["maths".into()]);
    set_about(&*place.open(), &id("a"), about).unwrap();
    place.run(0, &["archive", "b"]);
    for (from, to) in [
        ("store", redis.url().as_str()),
        (&redis.url(), BUCKET),
        (BUCKET, "s3://test/second"),
        ("s3://test/second", "end"),
    ] {
        let ran = place.run(0, &["copy", from, to]);
        assert!(ran.out.ends_with("2 copied (44 entries), 0 unchanged, 0 failed\n"), "{ran:?}");
        let ran = place.run(0, &["copy", from, to]);
        assert_eq!(ran.out, "0 copied (0 entries), 2 unchanged, 0 failed\n");
    }
    assert_eq!(place.log("end", "a"), place.log("store", "a"));
    place.run(0, &["restore", "b"]);
    assert_eq!(place.log("end", "b"), place.log("store", "b"));
    let recent = place.run(0, &["ls", "--recent", "--store", "end"]);
    assert!(recent.out.contains("  a  Tables  #maths\n"), "{}", recent.out);
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let place = Place::with(&["a", "b"]);
    let ran = place.run(0, &["push", BUCKET, "--dry-run"]);
    let line = "would push a: 22 entries, head here 21, there none\n";
    assert!(ran.out.starts_with(line), "{}", ran.out);
    assert!(ran.out.ends_with("\ndry run: 2 pushed (44 entries), 0 unchanged, 0 failed\n"));
    assert!(place.s3.requests().iter().all(|request| request.method != "PUT"));
    place.run(0, &["push", BUCKET]);
    place.append("store", "a");
    let (told, summary) = place.json(0, &["push", BUCKET, "-n"]);
    let (first, second) = (&told[0], &told[1]);
    assert_eq!((&first["outcome"], &first["entries"]), (&"copied".into(), &1.into()));
    assert_eq!((&first["head"]["seq"], &first["target_head"]["seq"]), (&22.into(), &21.into()));
    assert_eq!((&second["outcome"], &second["entries"]), (&"unchanged".into(), &0.into()));
    assert_eq!((&summary["dry_run"], &summary["copied"]), (&true.into(), &1.into()));
    let ran = place.run(0, &["copy", BUCKET, "nowhere", "-n"]);
    assert!(ran.out.contains("would copy b: 22 entries") && !place.path("nowhere").exists());
}

#[test]
fn a_damaged_session_is_told_and_the_others_go_on() {
    let place = Place::with(&["a", "bad", "c"]);
    place.damage("bad");
    for target in [BUCKET, "other"] {
        let ran = place.run(3, &["push", target]);
        assert!(ran.out.ends_with("2 pushed (44 entries), 0 unchanged, 1 failed\n"), "{ran:?}");
        ran.says(&["turnkeep: bad_hash: ", "session \"bad\"", "\n  hint: "]);
        let (told, summary) = place.json(3, &["push", target]);
        assert_eq!((told.len(), &summary["failed"]), (2, &1.into()));
    }
    let ran = place.run(20, &["push", BUCKET, "bad", "--json"]);
    let error = &documents(&ran.err)[0]["error"];
    assert_eq!((&error["session"], &error["code"]), (&"bad".into(), &"bad_hash".into()));
    place.run(10, &["push", BUCKET, "none"]);
    place.run(3, &["pull", BUCKET, "bad", "a", "--store", "third"]);
    assert!(place.path("third/a.jsonl").exists() && !place.path("third/bad.jsonl").exists());
}

#[test]
fn a_hydrated_session_is_pushed_to_where_it_came_from_and_pulled_whole() {
    let place = Place::with(&["a"]);
    place.run(0, &["push", BUCKET]);
    let hot = Arc::new(FileStore::open(place.path("hot")).unwrap());
    let session = Tier::open(hot, place.bucket()).unwrap().hydrate(&id("a")).unwrap();
    session.append(&[Draft::turn_end(2)]).unwrap();
    drop(session);
    let ran = place.run(1, &["copy", "hot", "other"]);
    ran.says(&["session \"a\"", "store_failed: ", "hint: It is hydrated: "]);
    // What was not pushed yet is not replaced.
    let hot = place.log("hot", "a");
    place.run(12, &["pull", BUCKET, "--store", "hot"]).says(&["already_exists", "it from there"]);
    assert_eq!(place.log("hot", "a"), hot);
    let ran = place.run(0, &["push", BUCKET, "--store", "hot"]);
    assert!(ran.out.starts_with("pushed a: 1 entry, head 22 "), "{}", ran.out);
    place.run(0, &["pull", BUCKET]);
    assert_eq!(place.log("store", "a").iter().filter(|byte| **byte == b'\n').count(), 23);
}

#[test]
fn other_entries_there_are_a_conflict() {
    let place = Place::with(&["a", "b"]);
    place.run(0, &["push", BUCKET]);
    place.run(0, &["pull", BUCKET, "a", "--store", "other"]);
    place.append("store", "a");
    place.append("other", "a");
    place.run(0, &["push", BUCKET]);
    let before = place.log("other", "a");
    for args in [&["push", BUCKET][..], &["push", BUCKET, "-n"], &["pull", BUCKET, "a"]] {
        let ran = place.run(12, &[args, &["--store", "other"]].concat());
        ran.says(&["turnkeep: conflict: ", "session \"a\"", "hint: Each store has entries"]);
    }
    assert_eq!(place.log("other", "a"), before);
    place.run(3, &["pull", BUCKET, "--store", "other"]);
    assert_eq!(place.log("other", "b"), place.log("store", "b"));
}

#[test]
fn what_a_host_keeps_for_ever_in_redis_stays_so() {
    let place = Place::with(&["a"]);
    let redis = RedisServer::start();
    let url = redis.url();
    let expiry = || redis.command(&["PTTL", "turnkeep{a}.jsonl"]).trim().parse::<i64>().unwrap();
    place.run(0, &["push", &url]);
    assert!(expiry() > 0, "a new one is kept for 90 days");
    redis.command(&["PERSIST", "turnkeep{a}.jsonl"]);
    place.append(&url, "a");
    assert_eq!(expiry(), -1);
}
