//! Appending, beside a plain write of the same bytes, SQLite, and SHA-256 alone.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use turnkeep::{Create, FileStore, Session, SessionId};

use crate::Options;
use crate::data::{BATCH, drafts, log, total};
use crate::measure::{Contender, Table, median};

/// Turns timed together in the flatness check.
const TURNS: usize = 40;

/// A whole session, one write per 13 messages.
pub fn whole_session(options: &Options, table: &mut Table) {
    let drafts = drafts(10_000);
    let bytes = total(&drafts);
    let batches: Vec<&[String]> = drafts.chunks(BATCH).collect();
    let log = log(&drafts);
    let folder = options.folder.join("append");
    let contenders = vec![
        Contender::timed("SQLite WAL NORMAL, a transaction per 13", bytes, || {
            sqlite(&fresh(&folder), &batches)
        }),
        Contender::timed("turnkeep, an append per 13", bytes, || {
            turnkeep(&fresh(&folder), &batches)
        }),
        Contender::new("SHA-256 alone, per message", bytes, || {
            drafts.iter().map(|draft| Sha256::digest(draft.as_bytes())[0]).fold(0, u8::wrapping_add)
        }),
        Contender::timed("plain write of the log's bytes, per 13", log.len(), || {
            plain(&fresh(&folder), &log, batches.len())
        }),
    ];
    table.group("append 10,000 messages, native (os)", options.rounds, contenders);
    let one_by_one: Vec<&[String]> = drafts.chunks(1).collect();
    let contenders = vec![
        Contender::timed("SQLite WAL NORMAL, a transaction per message", bytes, || {
            sqlite(&fresh(&folder), &one_by_one)
        }),
        Contender::timed("turnkeep, an append per message", bytes, || {
            turnkeep(&fresh(&folder), &one_by_one)
        }),
    ];
    table.group(
        "append 10,000 messages one by one, native (os)",
        options.rounds.min(5),
        contenders,
    );
}

fn fresh(folder: &Path) -> PathBuf {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    folder.to_path_buf()
}

fn turnkeep(folder: &Path, batches: &[&[String]]) -> Duration {
    let store = Arc::new(FileStore::open(folder).expect("a store"));
    let session = Session::create(store, Create::default()).expect("a session");
    let start = Instant::now();
    for batch in batches {
        session.append(batch).expect("appended");
    }
    start.elapsed()
}

fn sqlite(folder: &Path, batches: &[&[String]]) -> Duration {
    let mut connection = rusqlite::Connection::open(folder.join("db")).expect("a database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    connection.pragma_update(None, "synchronous", "NORMAL").expect("NORMAL");
    let table = "create table message (id integer primary key, session text, body text)";
    connection.execute(table, []).expect("a table");
    let start = Instant::now();
    for batch in batches {
        let transaction = connection.transaction().expect("a transaction");
        let insert = "insert into message (session, body) values (?1, ?2)";
        let mut statement = transaction.prepare_cached(insert).expect("a statement");
        for draft in *batch {
            statement.execute(("bench", draft)).expect("inserted");
        }
        drop(statement);
        transaction.commit().expect("committed");
    }
    start.elapsed()
}

fn plain(folder: &Path, log: &[u8], writes: usize) -> Duration {
    let mut file = fs::File::create(folder.join("log")).expect("a file");
    let size = log.len().div_ceil(writes);
    let start = Instant::now();
    for piece in log.chunks(size) {
        file.write_all(piece).expect("written");
    }
    start.elapsed()
}

/// What a turn costs when the session has that many messages already.
pub fn flat(options: &Options, table: &mut Table) {
    let all = drafts(10_000 + TURNS * BATCH);
    let mut times: Vec<(usize, Vec<f64>)> =
        [10, 100, 1000, 10_000].into_iter().map(|size| (size, Vec::new())).collect();
    let (before, after) = all.split_at(10_000);
    for _ in 0..options.rounds {
        for (size, times) in &mut times {
            let folder = fresh(&options.folder.join("flat"));
            let store = Arc::new(FileStore::open(&folder).expect("a store"));
            let id = SessionId::new("flat").expect("an id");
            let options = Create::default().with_id(id);
            let session = Session::create(store, options).expect("a session");
            before[..*size]
                .chunks(BATCH)
                .for_each(|batch| _ = session.append(batch).expect("appended"));
            let start = Instant::now();
            after.chunks(BATCH).for_each(|batch| _ = session.append(batch).expect("appended"));
            times.push(start.elapsed().as_secs_f64() / TURNS as f64);
        }
    }
    let smallest = median(times[0].1.clone());
    for (size, times) in times {
        let turn = median(times);
        let note =
            format!("{:.1} µs a turn of 13, {:.2} x of that at 10", turn * 1e6, turn / smallest);
        table.note("append: a turn at n messages, native (os)", &format!("n = {size}"), note);
    }
}
