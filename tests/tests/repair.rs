//! What `repair` takes over of a damaged log, and what it leaves out.

use std::collections::BTreeSet;
use std::sync::Arc;

use turnkeep::core::session::{self, LeftOut, Repair};
use turnkeep::{Draft, MemoryStore, Result, Session, Store, drive};
use turnkeep_tests::build::Log;
use turnkeep_tests::sessions::{id, log_key, open, over_every_store, user, write};

fn repaired(store: &Arc<dyn Store>, log: &[u8], dry_run: bool) -> Result<Repair> {
    write(store, &log_key("a"), log);
    drive(session::repair(id("a"), Some(id("b")), dry_run), &**store)
}

/// The texts of what was said in a session.
fn history(session: &Session) -> Vec<String> {
    session.state().expect("a state").history.into_iter().map(|item| item.item).collect()
}

/// The lines of a session `a`: its start, six single entries, then a batch of three.
fn lines() -> Vec<Vec<u8>> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = turnkeep_tests::sessions::create(&store, "a").expect("a session");
    for n in 0..6 {
        session.append(&[user(&format!("single {n}"))]).expect("an append");
    }
    let batch: Vec<Draft> = (0..3).map(|n| user(&format!("together {n}"))).collect();
    session.append(&batch).expect("an append");
    let log = turnkeep_tests::sessions::bytes_of(&store, &log_key("a"));
    log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The lines of a session: its start, then two batches of three.
fn two_batches() -> Vec<Vec<u8>> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = turnkeep_tests::sessions::create(&store, "a").expect("a session");
    for batch in 0..2 {
        let batch: Vec<Draft> = (0..3).map(|n| user(&format!("{batch}: {n}"))).collect();
        session.append(&batch).expect("an append");
    }
    let log = turnkeep_tests::sessions::bytes_of(&store, &log_key("a"));
    log.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn damage(line: &mut [u8]) {
    let middle = line.len() - 8;
    line[middle] ^= 1;
}

fn codes(repair: &Repair) -> Vec<(u64, &'static str)> {
    repair.left_out.iter().map(|left| (left.line, left.code)).collect()
}

#[test]
fn what_was_never_acknowledged_is_left_out() {
    over_every_store(|store| {
        for cut in 1..5 {
            let mut lines = lines();
            damage(&mut lines[2]);
            let whole: usize = lines.iter().map(Vec::len).sum();
            let batch = lines[..7].concat().len() as u64;
            // Within the last line, at its start, within the one before, within the first.
            let end = match cut {
                1 => whole - 5,
                2 => whole - lines[9].len(),
                3 => whole - lines[9].len() - 1,
                _ => whole - lines[9].len() - lines[8].len() - 5,
            };
            let log = &lines.concat()[..end];
            let look = repaired(&store, log, true).expect("a look");
            assert_eq!((look.saved, codes(&look)), (4, vec![(3, "bad_hash"), (8, "torn_tail")]));
            let (offset, bytes) = (batch, end as u64 - batch);
            let torn = LeftOut { line: 8, offset, bytes, code: "torn_tail" };
            assert_eq!(look.left_out[1], torn);
            repaired(&store, log, false).expect("a repair");
            let session = open(&store, "b").expect("it opens");
            assert!(!history(&session).iter().any(|item| item.contains("together")));
            assert!(session.verify().expect("a report").is_whole());
            drop(session);
            turnkeep::delete(&*store, &id("b")).expect("deleted");
        }
    });
}

/// Whole batches, and those of which damage leaves it open whether they were.
#[test]
fn what_may_have_been_acknowledged_is_kept() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let whole = Log(lines().concat());
    let mut ends_damaged = lines();
    damage(&mut ends_damaged[9]);
    let mut starts_damaged = lines();
    damage(&mut starts_damaged[7]);
    let mut redacted: Vec<Vec<u8>> =
        whole.redact(&[9]).lines().into_iter().map(<[u8]>::to_vec).collect();
    damage(&mut redacted[2]);
    let mut redacted_within: Vec<Vec<u8>> =
        whole.redact(&[8]).lines().into_iter().map(<[u8]>::to_vec).collect();
    redacted_within.pop();
    damage(&mut redacted_within[2]);
    // Of two batches the ends and what is between them: the last line is of the second one.
    let two: Vec<Vec<u8>> = two_batches()
        .into_iter()
        .enumerate()
        .filter(|(seq, _)| ![2, 3, 4, 6].contains(seq))
        .map(|(_, line)| line)
        .collect();
    let mut gap = lines();
    gap.remove(9);
    gap.remove(2);
    for (log, saved, left) in [
        (ends_damaged, 2, vec![(10, "bad_hash")]),
        (starts_damaged, 2, vec![(8, "bad_hash")]),
        (redacted, 6, vec![(3, "bad_hash"), (10, "redacted")]),
        (redacted_within, 4, vec![(3, "bad_hash"), (8, "torn_tail")]),
        (two, 1, vec![(3, "torn_tail")]),
        // Here nothing follows what says that more follows.
        (gap, 4, vec![(7, "torn_tail")]),
    ] {
        let look = repaired(&store, &log.concat(), true).expect("a look");
        assert_eq!((look.saved, codes(&look)), (saved, left));
    }
}

#[test]
fn neighbours_that_are_left_out_are_told_together() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let log = [lines().concat(), b"x\n".repeat(700_000)].concat();
    let repair = repaired(&store, &log, false).expect("a repair");
    assert_eq!(codes(&repair), [(11, "bad_line")]);
    assert_eq!(repair.left_out[0].bytes, 1_400_000);
    assert!(open(&store, "b").expect("it opens").verify().expect("a report").is_whole());
}

/// An entry has its limit, so the list in it has one too.
#[test]
fn a_list_that_is_too_long_says_how_much_it_lacks() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut damaged = lines().swap_remove(1);
    damage(&mut damaged);
    let log = [lines().concat(), [b"x\n", &damaged[..]].concat().repeat(6_000)].concat();
    let repair = repaired(&store, &log, false).expect("a repair");
    assert_eq!(repair.left_out.len(), 12_000);
    let state = open(&store, "b").expect("it opens").state().expect("a state");
    let note = &state.extensions[0].payload;
    assert_eq!(note.matches(r#""code":"#).count(), 10_000);
    assert!(note.ends_with(r#"],"unlisted":2000}"#), "{}", &note[note.len() - 200..]);
}

/// A reader guesses nothing of what a newer version wrote (`docs/format.md` §10).
#[test]
fn what_a_newer_version_wrote_is_no_damage() {
    over_every_store(|store| {
        let newer = Log(lines().concat()).replace(r#""format":1"#, r#""format":2"#);
        for dry_run in [true, false] {
            let refused = repaired(&store, &newer.0, dry_run).expect_err("it is newer");
            assert_eq!(refused.code(), "unsupported_version");
        }
        assert!(open(&store, "b").is_err());
    });
}

/// Equal ones would tell that equal entries are equal.
#[test]
fn what_is_taken_over_is_salted_anew_each_entry_by_itself() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let session = turnkeep_tests::sessions::create(&store, "a").expect("a session");
    for _ in 0..3 {
        session.append(&vec![user("the same"); 3000]).expect("an append");
    }
    drop(session);
    let mut log = turnkeep_tests::sessions::bytes_of(&store, &log_key("a"));
    damage(&mut log);
    repaired(&store, &log, false).expect("a repair");
    let log = turnkeep_tests::sessions::bytes_of(&store, &log_key("b"));
    let log = String::from_utf8(log).expect("text");
    let salt = |line: &str| Some(line.split_once(r#","salt":""#)?.1.get(..11)?.to_owned());
    let salts: BTreeSet<String> = log.lines().filter_map(salt).collect();
    assert_eq!(salts.len(), log.lines().count());
}
