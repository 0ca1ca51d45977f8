//! The last entries of a large archive, beside inflating all of it.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use turnkeep::{FileStore, Range, Session, SessionId, Store};
use turnkeep_core::Result;
use turnkeep_core::gzip::{Bound, Reader};
use turnkeep_core::log::Writer;
use turnkeep_core::store::{After, 
    Capabilities, Condition, Durability, Info, Key, Listing, Object, StageId,
};
use turnkeep_corpus::Corpus;
use zlib_rs::{Deflate, DeflateFlush, Status};

use crate::Options;
use crate::data::{BATCH, stamp};
use crate::measure::{Contender, Table};

/// 64 MiB, and 1 GiB where asked for.
pub fn run(options: &Options, table: &mut Table) {
    one(options, table, 64 << 20, "64 MiB");
    if options.has_gigabyte {
        one(options, table, 1 << 30, "1 GiB");
    }
}

fn one(options: &Options, table: &mut Table, size: u64, name: &str) {
    let folder = options.folder.join("tail");
    let _ = fs::remove_dir_all(&folder);
    let store = Arc::new(Counting {
        store: FileStore::open(&folder).expect("a store"),
        read: AtomicU64::new(0),
    });
    let log = folder.join("bench.jsonl");
    write_log(&log, size);
    let single = single_stream_bytes(&log);
    let id = SessionId::new("bench").expect("an id");
    let session = Session::open(store.clone(), &id).expect("a session");
    let start = std::time::Instant::now();
    let archived = session.archive().expect("archived");
    let seconds = start.elapsed().as_secs_f64();
    let group = format!("last 50 entries of an archive of {name}, warm");
    let path = folder.join("bench.jsonl.gz");
    let last = || {
        let page = session.read(Range::last(50)).expect("read");
        assert_eq!(page.entries, 50);
    };
    store.read.store(0, Ordering::Relaxed);
    last();
    let read = store.read.load(Ordering::Relaxed);
    table.group(
        &group,
        3,
        vec![
            Contender::new("inflating all of it", size as usize, || inflate_all(&path)),
            Contender::new("turnkeep, by the index, verified", 0, last),
        ],
    );
    table.note(&group, "bytes read for them", read.to_string());
    let more = archived.archive_bytes as f64 / single as f64 * 100.0 - 100.0;
    let note = format!("{} B, one stream {single} B: {more:+.2} %", archived.archive_bytes);
    table.note(&group, "size over one gzip stream of the same level", note);
    let note = format!("{seconds:.1} s, {:.1} MB/s", archived.raw_bytes as f64 / 1e6 / seconds);
    table.note(&group, "archiving it: verify, deflate, sync, read back", note);
}

fn write_log(path: &Path, size: u64) {
    let mut writer = Writer::create(SessionId::new("bench").expect("an id"), true);
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut messages = Corpus::new(7);
    let mut bytes = 0;
    while bytes < size {
        let drafts: Vec<String> =
            messages.by_ref().take(BATCH).map(|message| message.draft()).collect();
        let batch = writer.write(&drafts, &stamp(bytes)).expect("good drafts");
        writer.advance(batch.head);
        bytes += batch.bytes.len() as u64;
        file.write_all(&batch.bytes).expect("written");
    }
    file.flush().expect("written");
}

/// Length of the log as one gzip stream of the same level by the same encoder.
fn single_stream_bytes(path: &Path) -> u64 {
    let mut deflate = Deflate::new(6, false, 15);
    let mut file = File::open(path).expect("a file");
    let (mut chunk, mut out) = (vec![0; 1 << 20], vec![0; 2 << 20]);
    loop {
        let length = file.read(&mut chunk).expect("read");
        let flush = if length == 0 { DeflateFlush::Finish } else { DeflateFlush::NoFlush };
        let before = deflate.total_in();
        let mut taken = 0;
        loop {
            let status =
                deflate.compress(&chunk[taken..length], &mut out, flush).expect("deflated");
            taken = (deflate.total_in() - before) as usize;
            if status == Status::StreamEnd {
                return deflate.total_out() + 18;
            }
            if taken == length && length > 0 {
                break;
            }
        }
    }
}

fn inflate_all(path: &Path) -> u64 {
    let mut reader = Reader::new(Bound::default());
    let mut file = File::open(path).expect("a file");
    let (mut chunk, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        let length = file.read(&mut chunk).expect("read");
        if length == 0 {
            reader.finish().expect("whole");
            return bytes;
        }
        reader
            .push(&chunk[..length], |raw| {
                bytes += raw.len() as u64;
                Ok(())
            })
            .expect("inflated");
    }
}

/// Counts the bytes read from a store.
struct Counting {
    store: FileStore,
    read: AtomicU64,
}

impl Store for Counting {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
    fn get(&self, key: &Key, range: Option<std::ops::Range<u64>>) -> Result<Object> {
        let object = self.store.get(key, range)?;
        self.read.fetch_add(object.bytes.len() as u64, Ordering::Relaxed);
        Ok(object)
    }
    fn put(&self, key: &Key, bytes: &[u8], condition: &Condition) -> Result<Info> {
        self.store.put(key, bytes, condition)
    }
    fn append(
        &self,
        key: &Key,
        bytes: &[u8],
        after: &After,
        durability: Durability,
    ) -> Result<Info> {
        self.store.append(key, bytes, after, durability)
    }
    fn delete(&self, key: &Key, condition: &Condition) -> Result<()> {
        self.store.delete(key, condition)
    }
    fn list(&self, prefix: &str, after: Option<&Key>, limit: u32) -> Result<Listing> {
        self.store.list(prefix, after, limit)
    }
    fn info(&self, key: &Key) -> Result<Info> {
        self.store.info(key)
    }
    fn stage(&self, key: &Key) -> Result<StageId> {
        self.store.stage(key)
    }
    fn stage_part(&self, stage: &StageId, number: u32, bytes: &[u8]) -> Result<()> {
        self.store.stage_part(stage, number, bytes)
    }
    fn get_staged(&self, stage: &StageId, range: Option<std::ops::Range<u64>>) -> Result<Object> {
        let object = self.store.get_staged(stage, range)?;
        self.read.fetch_add(object.bytes.len() as u64, Ordering::Relaxed);
        Ok(object)
    }
    fn commit(&self, stage: &StageId, condition: &Condition) -> Result<Info> {
        self.store.commit(stage, condition)
    }
    fn abort(&self, stage: &StageId) -> Result<()> {
        self.store.abort(stage)
    }
}
