//! The files that are damaged: small, and of every sort.

use std::sync::Arc;

use turnkeep::core::session::tier::Flush;
use turnkeep::core::store::Part;
use turnkeep::{Create, Key, MemoryStore, Session, Store, Tier};
use turnkeep_tests::build::{
    Archive, Bundle, Log, Member, Random, after_fork, entry, envelope, point, start, stored,
};
use turnkeep_tests::sessions::{archive_key, bytes_of, filled, id, user};

/// Characters that one flipped bit makes line breaks, or text no UTF-8.
const FRAGILE: &str = r"J * Ê é 🙂 \n";

/// A log by itself.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
}

/// How a log is made.
type Make = fn() -> Log;

/// Every log.
pub(crate) fn logs() -> Vec<Sample> {
    let made: [(&'static str, Make); 6] = [
        ("live log", || unsalted(&conversation(8, 110))),
        ("salted log", || Log::of(&conversation(8, 90))),
        ("log with batches", || Log::text(8, 90, 4)),
        ("log with forks", forked),
        ("log with redactions", || Log::text(8, 70, 3).redact(&[2, 3, 8])),
        ("log with a torn tail", torn),
    ];
    made.map(|(name, make)| Sample { name, log: make() }).into()
}

/// RESTs of a session: its start, and messages.
fn conversation(messages: u64, bytes: usize) -> Vec<String> {
    let mut random = Random::new(messages);
    let message = |seq| {
        let (text, kind) = (random.text(bytes), ["user_input", "assistant_item"][seq as usize % 2]);
        entry(seq, kind, &format!(r#","item":{{"text":"{FRAGILE} {text}"}},"id":"m{seq}""#))
    };
    let start = start(&format!(r#","system_prompt":"{FRAGILE}""#));
    [start].into_iter().chain((1..=messages).map(message)).collect()
}

fn unsalted(rests: &[String]) -> Log {
    const SALT: &str = r#","salt":""#;
    let without = |rest: &String| {
        let at = rest.find(SALT).expect("a salt");
        let after = at + SALT.len() + 12;
        [&rest[..at], &rest[after..]].concat()
    };
    Log::of(&rests.iter().map(without).collect::<Vec<_>>())
}

/// A fork cuts a batch short, and is forked again.
fn forked() -> Log {
    let parent = Log::sample();
    let mut rests: Vec<String> = parent.rests()[..4].iter().map(|rest| text_of(rest)).collect();
    let fork = |log: &Log, seq: u64, from: &str, to: &str| {
        let parent = point(from, seq - 1, &log.hash(seq - 1));
        entry(seq, "fork", &format!(r#","session":"{to}","parent":{parent}"#))
    };
    rests.push(fork(&parent, 4, "demo", "child"));
    rests.push(after_fork(4, &entry(5, "user_input", r#","item":"in the child""#)));
    let again = after_fork(4, &fork(&Log::of(&rests), 6, "child", "grandchild"));
    rests.push(again);
    rests.push(after_fork(6, &entry(7, "turn_end", r#","turn":1"#)));
    Log::of(&rests)
}

/// After the head: a whole line of a batch that was not finished, and the start of the next.
fn torn() -> Log {
    let open = envelope(7, "user_input", 1) + r#","item":"half of a batch"}"#;
    let log = Log::sample_and(&[open, entry(8, "user_input", r#","item":"lost""#)]);
    log.cut(log.offset(9) + 100)
}

fn text_of(rest: &[u8]) -> String {
    String::from_utf8(rest.to_vec()).expect("text")
}

/// A gzip file of a log's lines.
pub(crate) struct Zipped {
    pub(crate) name: &'static str,
    pub(crate) log: Log,
    pub(crate) file: Vec<u8>,
    /// Where each deflate block lies in it.
    pub(crate) blocks: Vec<std::ops::Range<usize>>,
    /// Which lines each block holds, counted from 1.
    pub(crate) lines: Vec<std::ops::RangeInclusive<u64>>,
}

/// An archive of several blocks.
pub(crate) fn archive() -> Zipped {
    let log = Log::text(12, 90, 3);
    let made = Archive::of(&log, 1200);
    let mut at = 16 + made.index().len();
    let blocks = made.blocks.iter().map(|block| {
        at += block.len();
        at - block.len()..at
    });
    let blocks = blocks.collect();
    let mut line = 0;
    let lines = made.records.iter().map(|record| {
        line += record.entries;
        line + 1 - record.entries..=line
    });
    Zipped { name: "archive", lines: lines.collect(), file: made.bytes(), blocks, log }
}

/// A plain gzip file, deflated.
pub(crate) fn plain_gzip() -> Zipped {
    let log = Log::text(8, 90, 3);
    zipped("gzip file", &Member::of(&log.0), log)
}

/// A plain gzip file whose content stands in it as it is.
pub(crate) fn stored_gzip() -> Zipped {
    let log = Log::text(4, 60, 2);
    zipped("gzip file of stored blocks", &Member::with(&log.0, stored(&log.0)), log)
}

fn zipped(name: &'static str, member: &Member, log: Log) -> Zipped {
    let start = member.header().len();
    // Without the end of the stream.
    let block = start..start + member.deflate.len() - 2;
    let lines = vec![1..=log.lines().len() as u64];
    Zipped { name, lines, file: member.bytes(), blocks: vec![block], log }
}

/// A bundle of two sessions, a trace and two values.
pub(crate) fn bundle() -> Vec<u8> {
    let about = r#","about":{"version":1,"title":"T","kind":null,"tags":["x"]},"trace_bytes":8"#;
    Bundle::default()
        .session(r#""demo""#, &Log::sample(), about, b"{\"e\":1}\n")
        .session(r#""child""#, &child(), "", b"")
        .value(r#""key":"k","value":{"n":[1,2.50]}"#)
        .value(r#""key":"b","bytes":"AAEC","expires":1760000000000"#)
        .indexed()
        .bytes()
}

fn child() -> Log {
    let log = forked();
    log.cut(log.offset(7))
}

/// A session in a cold store: a manifest and a segment.
pub(crate) struct Cold {
    pub(crate) tier: Arc<Tier>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) manifest: Key,
    pub(crate) segment: Key,
}

pub(crate) fn cold() -> Cold {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let tier = Tier::open(Arc::new(MemoryStore::new()), store.clone()).expect("a tier");
    let session = Session::create(tier.clone(), Create::default().with_id(id("a")));
    let session = session.expect("a session");
    let mut random = Random::new(7);
    let mut flush = |count: usize, bytes: usize| {
        let drafts: Vec<_> = (0..count).map(|_| user(&random.text(bytes))).collect();
        session.append(&drafts).expect("an append");
        tier.flush(&id("a"), Flush::default()).expect("a flush");
    };
    // What is long goes into a segment, what is short stands in the manifest.
    flush(12, 300);
    flush(1, 40);
    drop(session);
    let newest = |prefix: &str, suffix: &str| {
        let listed = store.list(prefix, None, 100).expect("a listing").objects;
        let mut keys = listed.into_iter().map(|(key, _)| key);
        keys.find(|key| key.as_str().ends_with(suffix)).expect("an object")
    };
    let (manifest, segment) = (newest("sessions/", ".json"), newest("segments/", ".jsonl.gz"));
    Cold { tier, manifest, segment, store }
}

/// A store with an archived session.
pub(crate) fn archived() -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    filled(&store, "a", 5, 60).archive().expect("an archive");
    assert!(!bytes_of(&store, &archive_key("a")).is_empty());
    store
}

pub(crate) fn retention_key() -> Key {
    Key::of(&id("a"), Part::Retention)
}

/// Every file's name and size.
pub(crate) fn sizes() -> Vec<(&'static str, usize)> {
    let mut sizes: Vec<_> = logs().iter().map(|log| (log.name, log.log.0.len())).collect();
    let zipped = [archive(), plain_gzip(), stored_gzip()];
    sizes.extend(zipped.iter().map(|zipped| (zipped.name, zipped.file.len())));
    sizes.push(("bundle", bundle().len()));
    let cold = cold();
    sizes.push(("manifest", bytes_of(&cold.store, &cold.manifest).len()));
    sizes.push(("segment", bytes_of(&cold.store, &cold.segment).len()));
    sizes.push(("retention record", bytes_of(&archived(), &retention_key()).len()));
    sizes
}
