//! Verifying beside SHA-256 over the same bytes, and loading a whole session.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use turnkeep::{FileStore, Session, SessionId, State};
use turnkeep_core::log::{Expectation, Verifier, verify};

use crate::Options;
use crate::data::{drafts, log};
use crate::measure::{Contender, Table};

/// Native, in memory and from a file.
pub fn native(options: &Options, table: &mut Table) {
    let log = log(&drafts(10_000));
    let session = stored(options, &log);
    let contenders = vec![
        Contender::new("SHA-256 over the log's bytes", log.len(), || Sha256::digest(&log)),
        Contender::new("verify in memory", log.len(), || {
            assert!(verify(&log, Expectation::default()).is_whole());
        }),
        Contender::new("verify a session in a file", log.len(), || {
            assert!(session.verify().expect("readable").is_whole());
        }),
        Contender::new("verify in memory, deep", log.len(), || {
            let mut verifier = Verifier::new(Expectation::default()).deep();
            verifier.push(&log);
            assert!(verifier.finish().is_whole());
        }),
    ];
    table.group("verify 10,000 messages, native", options.rounds, contenders);
}

/// A whole session: verified and folded, beside parsing its lines unverified.
pub fn load(options: &Options, table: &mut Table) {
    for size in [100, 1000, 10_000] {
        let log = log(&drafts(size));
        let session = stored(options, &log);
        let contenders = vec![
            Contender::new("serde_json::Value of every line, unverified", log.len(), || {
                let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let parse = |line| serde_json::from_slice::<serde_json::Value>(line).expect("JSON");
                lines.map(parse).collect::<Vec<_>>()
            }),
            Contender::new("state of a session in a file, verified", log.len(), || {
                session.state().expect("folded")
            }),
            Contender::new("State::fold in memory, verified", log.len(), || {
                State::fold(&log).expect("folded")
            }),
        ];
        table.group(&format!("load {size} messages, native"), options.rounds, contenders);
    }
}

fn stored(options: &Options, log: &[u8]) -> Session {
    let store = FileStore::open(options.folder.join("stored")).expect("a store");
    std::fs::write(options.folder.join("stored/bench.jsonl"), log).expect("written");
    Session::open(Arc::new(store), &SessionId::new("bench").expect("an id")).expect("a session")
}
