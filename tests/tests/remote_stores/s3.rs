//! What S3 says when something goes wrong.

use turnkeep::core::ErrorKind;
use turnkeep::core::store::{Condition, Info};
use turnkeep::{S3Store, Store};
use turnkeep_servers::{Action, Personality, Rule, S3Server};

use crate::{assert_failed, key, open_s3, s3_options};

#[test]
fn a_missing_bucket_or_a_wrong_secret_is_not_a_missing_object() {
    let server = S3Server::start(Personality::Linear);
    let mut elsewhere = s3_options(&server);
    elsewhere.bucket = "nowhere".into();
    let mut stranger = s3_options(&server);
    stranger.secret_access_key = Some("wrong".into());
    for options in [elsewhere, stranger] {
        let store = S3Store::open(options).expect("a store");
        let a = key("a");
        assert_failed(&store.get(&a, None).unwrap_err(), false);
        assert_failed(&store.get(&a, Some(0..1)).unwrap_err(), false);
        assert_failed(&store.info(&a).unwrap_err(), false);
        assert_failed(&store.list("", None, 10).unwrap_err(), false);
        assert_failed(&store.delete(&a, &Condition::Any).unwrap_err(), false);
        for condition in [Condition::Any, Condition::Absent, Condition::Version("\"x\"".into())] {
            assert_failed(&store.put(&a, b"1", &condition).unwrap_err(), false);
        }
    }
}

fn rule(method: &str, action: Action, times: u32) -> Rule {
    Rule { method: method.into(), action, times, ..Rule::default() }
}

#[test]
fn a_put_is_sent_once_and_its_unknown_outcome_is_told() {
    let server = S3Server::start(Personality::Linear);
    let store = open_s3(&server);
    for (number, action) in
        [Action::DropAfter, Action::DropBefore, Action::Status].iter().enumerate()
    {
        let key = key(&format!("k{number}"));
        for condition in [Condition::Absent, Condition::Any] {
            server.reset();
            server.plan(vec![rule("PUT", *action, 1)]);
            assert_failed(&store.put(&key, b"1", &condition).unwrap_err(), true);
            let puts = server.requests().iter().filter(|request| request.method == "PUT").count();
            assert_eq!(puts, 1, "{action:?} {condition:?}");
            let is_there = store.get(&key, None).is_ok();
            assert_eq!(is_there, *action == Action::DropAfter);
        }
    }
}

#[test]
fn reading_from_s3_is_tried_again() {
    let server = S3Server::start(Personality::Linear);
    let store = open_s3(&server);
    let content = vec![7; 100_000];
    store.put(&key("a"), &content, &Condition::Any).expect("put");
    for action in [Action::Status, Action::DropBefore, Action::CutBody] {
        server.plan(vec![rule("GET", action, 2)]);
        assert_eq!(store.get(&key("a"), None).expect("got").bytes, content, "{action:?}");
    }
    server.plan(vec![rule("GET", Action::Status, 1)]);
    assert_eq!(store.list("", None, 10).expect("listed").objects.len(), 1);
    server.plan(vec![rule("", Action::Status, 1000)]);
    assert_failed(&store.info(&key("a")).unwrap_err(), true);
    assert_failed(&store.list("", None, 10).unwrap_err(), true);
}

#[test]
fn contention_in_s3_is_tried_again_and_then_a_conflict() {
    let server = S3Server::start(Personality::Linear);
    let store = open_s3(&server);
    let busy = |times| Rule { status: 409, ..rule("PUT", Action::Status, times) };
    server.plan(vec![busy(2)]);
    let Info { version, .. } = store.put(&key("a"), b"1", &Condition::Absent).expect("put");
    for condition in [Condition::Absent, Condition::Version(version)] {
        server.plan(vec![busy(100)]);
        let error = store.put(&key("a"), b"2", &condition).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Conflict, true), "{error}");
    }
}

#[test]
fn a_listing_of_s3_is_one_request() {
    let server = S3Server::start(Personality::Linear);
    let store = open_s3(&server);
    for number in 0..5 {
        store.put(&key(&format!("a{number}")), b"1", &Condition::Any).expect("put");
    }
    let before = server.requests().len();
    let listed = store.list("a", Some(&key("a1")), 2).expect("listed");
    assert_eq!(listed.objects.len(), 2);
    let asked = server.requests().split_off(before);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].query.contains("max-keys=2") && asked[0].query.contains("start-after=a1"));
}

#[test]
fn s3_works_in_the_threads_of_another_runtime() {
    let server = S3Server::start(Personality::Linear);
    let access = s3_options(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store = S3Store::open(access).expect("a store");
        store.put(&key("a"), b"1", &Condition::Absent).expect("put");
        assert_eq!(store.get(&key("a"), None).expect("got").bytes, b"1");
    });
}
