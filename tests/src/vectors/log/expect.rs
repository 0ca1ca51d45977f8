//! Checks 10 to 13: what is expected of a log, and how it ends.

use super::Case;
use crate::build::{Log, entry, start};

pub(super) fn cases() -> Vec<Case> {
    let sample = Log::sample();
    let hash = |seq: u64| sample.hash(seq);
    let wrong = "ab".repeat(32);
    let of = |name: &str, log: &Log| Case::new(format!("expect-{name}"), log.clone());
    let mismatch = |name: &str, seq: u64, hash: &str| {
        of(name, &sample).expecting_head(seq, hash).end_fails("head_mismatch")
    };
    let half = sample.cut(sample.offset(6));
    let torn = sample.cut(sample.0.len() as u64 - 1);
    let in_batch = sample.cut(sample.offset(5)); // entries 2 and 3 of the batch, without 4
    let longer = Log::sample_and(&[entry(7, "turn_end", r#","turn":2"#)]);
    vec![
        of("session", &sample).expecting_session("demo"),
        of("another-session", &sample).expecting_session("other").end_fails("wrong_session"),
        of("session-of-another-case", &sample).expecting_session("Demo").end_fails("wrong_session"),
        of("head", &sample).expecting_head(6, &hash(6)),
        of("first-entry", &sample).expecting_head(0, &hash(0)),
        of("entry-inside-a-batch", &sample).expecting_head(3, &hash(3)),
        of("head-of-a-log-that-grew", &longer).expecting_head(6, &hash(6)),
        of("session-and-head", &sample).expecting_session("demo").expecting_head(6, &hash(6)),
        mismatch("another-hash", 6, &wrong),
        mismatch("hash-of-another-entry", 6, &hash(5)),
        mismatch("another-hash-inside", 3, &wrong),
        mismatch("entry-beyond-the-end", 7, &hash(6)),
        mismatch("entry-far-beyond-the-end", 9_007_199_254_740_991, &hash(6)),
        of("head-of-a-log-that-was-cut", &half)
            .expecting_head(6, &hash(6))
            .end_fails("head_mismatch"),
        of("head-that-is-torn", &torn)
            .head(5)
            .torn()
            .expecting_head(6, &hash(6))
            .end_fails("head_mismatch"),
        of("entry-of-a-torn-batch", &in_batch)
            .head(1)
            .torn()
            .expecting_head(3, &hash(3))
            .end_fails("head_mismatch"),
        of("head-before-a-torn-tail", &torn).head(5).torn().expecting_head(5, &hash(5)),
        of("session-before-head", &sample)
            .expecting_session("other")
            .expecting_head(6, &wrong)
            .end_fails("wrong_session"),
        of("empty-before-session", &Log(Vec::new()))
            .empty()
            .expecting_session("demo")
            .expecting_head(0, &wrong),
        of("fault-before-session", &sample.replace("\"turn\":1", "\"turn\":2"))
            .fails("bad_hash", 6)
            .expecting_session("other"),
        of("head-before-a-fault", &sample.replace("\"turn\":1", "\"turn\":2"))
            .fails("bad_hash", 6)
            .expecting_head(4, &hash(4)),
        of("session-of-a-torn-start", &Log::of(&[start("")]).cut(99))
            .empty()
            .expecting_session("demo"),
    ]
}
