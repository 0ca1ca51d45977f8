//! Reading from a bucket or Redis, and what may not write there.

use super::*;

#[test]
fn commands_that_read_work_wherever_sessions_are() {
    let place = Place::with(&["a", "b"]);
    let redis = RedisServer::start();
    place.run(0, &["push", BUCKET]);
    place.run(0, &["push", &redis.url()]);
    for store in [BUCKET, redis.url().as_str()] {
        let run = |args: &[&str]| place.run(0, &[args, &["--store", store]].concat());
        for args in [
            &["ls"][..],
            &["cat", "a", "--raw"],
            &["cat", "a", "--last", "2"],
            &["log", "a"],
            &["log", "--all"],
            &["log", "--all", "--graph"],
            &["resume", "a"],
        ] {
            assert_eq!(run(args).out, place.run(0, args).out, "{store} {args:?}");
        }
        run(&["verify", "a", "--deep"]);
        assert!(run(&["show", "a"]).out.contains("entries  22 ("));
        let listed = documents(&run(&["ls", "--json"]).out);
        let form = if store == BUCKET { "cold" } else { "live" };
        assert_eq!(listed[0]["sessions"][1]["form"], form);
        place.run(10, &["cat", "none", "--store", store]);
        place.run(1, &["fsck", "--store", store]).says(&["not_supported"]);
    }
    place.append(&redis.url(), "a");
    place.run(0, &["pull", &redis.url(), "a"]);
    assert_eq!(place.log("store", "a").iter().filter(|byte| **byte == b'\n').count(), 23);
}

#[test]
fn what_would_write_into_a_bucket_is_refused() {
    let place = Place::with(&["a"]);
    place.run(0, &["push", BUCKET]);
    place.s3.plan(Vec::new());
    let writes = |place: &Place| {
        let requests = place.s3.requests();
        requests.iter().filter(|request| request.method != "GET").count()
    };
    let before = writes(&place);
    for args in [
        &["append", "a"][..],
        &["append"],
        &["archive", "a"],
        &["restore", "a"],
        &["sweep"],
        &["prune", "a", "--yes"],
        &["fork", "a", "b"],
        &["compact", "a"],
        &["repair", "a"],
        &["rm", "a", "--yes"],
    ] {
        let ran = place.start(&[args, &["--store", BUCKET]].concat());
        let ran = ended(ran, "{\"kind\":\"user_input\",\"item\":\"Hi\"}");
        assert!(matches!(ran.code, 1 | 2), "{args:?} {ran:?}");
        assert!(ran.code == 2 || ran.err.contains("not_supported: "), "{args:?} {ran:?}");
    }
    assert_eq!(writes(&place), before);
}

#[test]
fn damage_in_a_bucket_is_told() {
    let place = Place::with(&["a"]);
    place.run(0, &["push", BUCKET]);
    place.run(1, &["cat", "a", "--inflate", "--store", BUCKET]).says(&["not_supported"]);
    let bucket = place.bucket();
    let (key, _) = bucket.list("segments/", None, 1).unwrap().objects.remove(0);
    let mut bytes = bucket.get(&key, None).unwrap().bytes;
    let middle = bytes.len() - 20;
    bytes[middle] ^= 1;
    bucket.put(&key, &bytes, &Condition::Any).unwrap();
    for args in [&["verify", "a"][..], &["cat", "a"], &["show", "a"]] {
        let ran = place.run(20, &[args, &["--store", BUCKET]].concat());
        assert!(format!("{}{}", ran.out, ran.err).contains("gzip_corrupt"), "{ran:?}");
    }
    place.run(20, &["pull", BUCKET, "--store", "other"]).says(&["gzip_corrupt"]);
    assert!(!place.path("other/a.jsonl").exists());
}
