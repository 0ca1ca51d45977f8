//! Small files that would like much memory: what reads them stays within what it says it needs.
//!
//! Counted is what is allocated, at its most, by this process; a buffer that grows counts twice while it
//! is copied. The bounds are those of `docs/format.md` §8 and `core/src/limits.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use peak_alloc::PeakAlloc;
use turnkeep::core::archive::{read_index, unarchive};
use turnkeep::core::bundle::{Reader, TAIL_BYTES};
use turnkeep::core::gzip::{Bound, gunzip};
use turnkeep::core::import::{self, File};
use turnkeep::core::limits::{BLOCK_BYTES, LINE_BYTES_MAX, MANIFEST_BYTES_MAX, RATIO_FREE_BYTES};
use turnkeep::core::log::Expectation;
use turnkeep::core::session::{self, FileVerifier};
use turnkeep::core::store::{Condition, Part};
use turnkeep::core::view::{Lines, Place, inflate_block};
use turnkeep::{Key, MemoryStore, Result, State, Store, Tier, drive};
use turnkeep_tests::build::{
    Archive, Bundle, Log, Member, deflated, entry, envelope, start, trailer, varint,
};
use turnkeep_tests::sessions::{id, log_key};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MB: usize = 1 << 20;
/// What every reader may need: an inflater, its buffers, and what it answers.
const SMALL: usize = 2 * MB;
/// A line that comes in pieces: its buffer, and the one it is copied into when it grows.
const LINE: usize = 3 * LINE_BYTES_MAX + SMALL;
/// What deflate can make of a byte.
const DEFLATE_MAX: usize = 1032;
/// An item of a history, however short, and its place while the items are looked for.
const ITEM: usize = 136;
/// How many bytes of a bundle are inflated at a time.
const FEED: usize = 32 << 10;

/// Something small, what reads it, what that answers, and how much memory it may need.
struct Bomb {
    name: &'static str,
    make: fn() -> Vec<u8>,
    read: fn(&[u8]) -> &'static str,
    code: &'static str,
    limit: usize,
}

const fn bomb(
    name: &'static str,
    make: fn() -> Vec<u8>,
    read: fn(&[u8]) -> &'static str,
    code: &'static str,
    limit: usize,
) -> Bomb {
    Bomb { name, make, read, code, limit }
}

/// What is read as a stream, piece by piece.
const STREAMS: &[Bomb] = &[
    bomb(
        "gzip of zeros",
        || gzip(&zeros(64 * MB)),
        verify,
        "output_limit",
        4 * RATIO_FREE_BYTES as usize + SMALL,
    ),
    bomb("gzip of gzip of zeros", || gzip(&gzip(&zeros(64 * MB))), verify, "bad_line", SMALL),
    bomb("gzip of empty members", || gzip(b"").repeat(500_000), verify, "empty_log", SMALL),
    bomb("gzip header without end", endless_header, verify, "gzip_corrupt", 4 * MB + SMALL),
    bomb("archive of one long line", || archive_of_zeros(40 * MB), verify, "line_too_long", LINE),
    bomb("line as long as may be", || long_line(0), verify, "", LINE),
    bomb("line a byte longer", || long_line(1), verify, "line_too_long", LINE),
    bomb("line of 256 MB without end", || zeros(256 * MB), verify, "line_too_long", LINE),
    bomb("batch without end", open_batches, verify, "", SMALL),
    bomb(
        "nested too deep",
        || with_field("state", "state", &"[".repeat(16 * MB)),
        verify,
        "too_deep",
        LINE,
    ),
    bomb("string of escapes", || escapes(16 * MB), verify, "", LINE),
];

/// What is read whole, as far as its index or its caller says.
const WHOLE: &[Bomb] = &[
    bomb("index of very many spans", || index_of(1 << 40), index, "bad_index", SMALL),
    bomb("index of spans as empty as may be", many_spans, unpack, "gzip_corrupt", SMALL),
    bomb(
        "index that says what is true",
        || archive_of_zeros(40 * MB),
        unpack,
        "gzip_corrupt",
        40 * MB + SMALL,
    ),
    bomb(
        "index that says far too much",
        lying_index,
        unpack,
        "gzip_corrupt",
        200 * DEFLATE_MAX + SMALL,
    ),
    bomb(
        "gzip beyond the caller's bound",
        || gzip(&zeros(64 * MB)),
        bounded,
        "output_limit",
        3 * MB + SMALL,
    ),
    bomb(
        "block that says far too much",
        || deflated(&zeros(256 * MB)),
        block,
        "gzip_corrupt",
        2 * LINE_BYTES_MAX + 16 * MB + SMALL,
    ),
    bomb("long line that is shown", || long_line(0), show, "", 8 * LINE_BYTES_MAX),
    bomb("many members", || members(16 * MB), verify, "", 16 * 16 * MB),
    bomb("many elements", || elements(8 * MB), fold, "", ITEM * 4 * MB),
];

/// Bundles, as they are read from a store.
const BUNDLES: &[Bomb] = &[
    bomb("bundle's end of huge numbers", huge_end, bundle, "bad_bundle", SMALL),
    bomb(
        "bundle of zeros",
        bundle_of_zeros,
        bundle,
        "line_too_long",
        3 * (LINE_BYTES_MAX + FEED * DEFLATE_MAX) + SMALL,
    ),
    bomb(
        "bundle of a session without end",
        bundle_of_endless,
        bundle,
        "bad_bundle",
        3 * (LINE_BYTES_MAX + FEED * DEFLATE_MAX) + SMALL,
    ),
    bomb("bundle of a long value", bundle_of_value, bundle, "", 8 * LINE_BYTES_MAX),
];

/// Files of earlier systems, which are held in memory.
const IMPORTS: &[Bomb] = &[
    bomb("term that says 4 GB", || term(u32::MAX, b"x"), import_eai, "output_limit", SMALL),
    bomb(
        "term that says 1 GB and is small",
        || term(1 << 30, b"x"),
        import_eai,
        "gzip_corrupt",
        SMALL,
    ),
    bomb(
        "list of four billion",
        || vec![131, 108, 255, 255, 255, 255, 106],
        import_eai,
        "bad_entry",
        SMALL,
    ),
    bomb("lists in lists", || lists(4 * MB), import_eai, "bad_entry", 5 * 4 * MB),
    bomb("tuple of very many atoms", || atoms(8 * MB), import_eai, "", LINE),
    bomb("text of control characters", || controls(32 * MB), import_eai, "", SMALL),
    bomb("output of zeros", || gzip(&zeros(64 * MB)), import_output, "", 3 * 64 * MB + SMALL),
    bomb(
        "output of quotes",
        || gzip(&vec![b'"'; 15 * MB]),
        import_output,
        "",
        LINE + 4 * LINE_BYTES_MAX,
    ),
    bomb("lines that are none", || gzip(&b"{\n".repeat(2 * MB)), import_lines, "", 100 * MB),
];

/// Objects of a store that are longer than they can be.
const OBJECTS: &[Bomb] = &[
    bomb("retention record of 64 MB", || zeros(64 * MB), retention, "", SMALL),
    bomb("title of 64 MB", || zeros(64 * MB), title, "bad_entry", SMALL),
    bomb(
        "log of 64 MB without a line",
        || zeros(64 * MB),
        open,
        "line_too_long",
        LINE + LINE_BYTES_MAX,
    ),
    bomb("manifest of 64 MB", || zeros(64 * MB), manifest, "bad_entry", 2 * MANIFEST_BYTES_MAX),
];

/// One test: the memory of all threads is counted together.
#[test]
fn bombs_stay_within_the_limits() {
    is_counted();
    let (mut failed, mut count) = (Vec::new(), 0);
    for bomb in [STREAMS, WHOLE, BUNDLES, IMPORTS, OBJECTS].into_iter().flatten() {
        let input = (bomb.make)();
        from_here();
        let code = (bomb.read)(&input);
        let peak = ALLOCATOR.peak_usage() - BEFORE.load(Ordering::Relaxed);
        let told = if code.is_empty() { "read" } else { code };
        let Bomb { name, limit, .. } = bomb;
        println!("{name}: {} bytes, {told}, {} of {} KiB", input.len(), peak >> 10, limit >> 10);
        match code == bomb.code && peak <= *limit {
            true => println!("proof: 1 bombs within their limits of memory"),
            false => failed.push(*name),
        }
        count += 1;
    }
    assert!(failed.is_empty(), "{failed:?}");
    assert!(count >= 20, "{count} shapes");
}

/// What was there before a bomb was read.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

fn from_here() {
    BEFORE.store(ALLOCATOR.current_usage(), Ordering::Relaxed);
    ALLOCATOR.reset_peak_usage();
}

/// What is asked for is seen, also when it was given back.
fn is_counted() {
    from_here();
    drop(vec![1_u8; 5 * MB]);
    let peak = ALLOCATOR.peak_usage() - BEFORE.load(Ordering::Relaxed);
    assert!((5 * MB..6 * MB).contains(&peak), "{peak}");
}

fn code<T>(result: Result<T>) -> &'static str {
    result.err().map_or("", |error| error.code())
}

fn verify(file: &[u8]) -> &'static str {
    let mut verifier = FileVerifier::new(Expectation::default()).deep();
    file.chunks(256 << 10).for_each(|piece| verifier.push(piece));
    code(verifier.finish().sound())
}

fn index(file: &[u8]) -> &'static str {
    code(read_index(file, file.len() as u64))
}

fn unpack(file: &[u8]) -> &'static str {
    code(unarchive(file))
}

fn bounded(file: &[u8]) -> &'static str {
    code(gunzip(file, Bound { output_bytes: MB as u64 }))
}

fn block(compressed: &[u8]) -> &'static str {
    inflate_block(compressed, u64::MAX).1.map_or("", |error| error.code())
}

fn show(log: &[u8]) -> &'static str {
    let lines = Lines::new(log.to_vec());
    assert!(lines.entries(Place::default(), 0..lines.len()).len() < MB, "parts are cut");
    assert!(lines.search("needle", true).is_empty());
    ""
}

fn fold(log: &[u8]) -> &'static str {
    code(State::fold(log))
}

fn bundle(file: &[u8]) -> &'static str {
    let read = || {
        let mut reader = Reader::new(file.len() as u64, &file[file.len() - TAIL_BYTES..])?;
        for piece in file.chunks(FEED) {
            reader.push(piece)?;
            while reader.next()?.is_some() {}
        }
        reader.finish()
    };
    code(read())
}

fn import_eai(bytes: &[u8]) -> &'static str {
    code(import::read(&[File { name: "s.gz", bytes }], Some(import::Format::Eai)))
}

fn import_output(bytes: &[u8]) -> &'static str {
    code(import::read(&[File { name: "a.jsonl.gz", bytes }], None))
}

fn import_lines(bytes: &[u8]) -> &'static str {
    let file = File { name: "a.jsonl.gz", bytes };
    code(import::read(&[file], Some(import::Format::SessionStore)))
}

/// The copy that the store holds does not count.
fn in_store<T>(
    key: &Key,
    bytes: &[u8],
    read: impl FnOnce(MemoryStore) -> Result<T>,
) -> &'static str {
    let store = MemoryStore::new();
    store.put(key, bytes, &Condition::Any).expect("a put");
    from_here();
    code(read(store))
}

fn retention(bytes: &[u8]) -> &'static str {
    in_store(&Key::of(&id("a"), Part::Retention), bytes, |store| {
        drive(session::retention(id("a")), &store)
    })
}

fn title(bytes: &[u8]) -> &'static str {
    in_store(&Key::of(&id("a"), Part::About), bytes, |store| drive(session::about(id("a")), &store))
}

fn open(bytes: &[u8]) -> &'static str {
    in_store(&log_key("a"), bytes, |store| drive(session::open(id("a")), &store))
}

fn manifest(bytes: &[u8]) -> &'static str {
    let key = Key::parse("sessions/a/9999999999.json".to_owned()).expect("a key");
    in_store(&key, bytes, |store| {
        let tier = Tier::open_reading(Arc::new(MemoryStore::new()), Arc::new(store));
        drive(session::open(id("a")), &*tier)
    })
}

fn zeros(bytes: usize) -> Vec<u8> {
    vec![0; bytes]
}

fn gzip(content: &[u8]) -> Vec<u8> {
    Member::of(content).bytes()
}

fn endless_header() -> Vec<u8> {
    let mut header = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff];
    header.resize(8 * MB, b'x');
    header
}

/// An archive of one block, whose index says so.
fn archive_of_zeros(bytes: usize) -> Vec<u8> {
    let zeros = zeros(bytes);
    let block = deflated(&zeros);
    let change = |made: &mut Archive| {
        made.records.truncate(1);
        made.records[0].compressed = block.len() as u64;
        (made.records[0].raw, made.log_bytes) = (bytes as u64, bytes as u64);
        made.trailer = trailer(&zeros);
        made.blocks = vec![block];
    };
    Archive::of(&Log::sample(), BLOCK_BYTES).change(change).bytes()
}

fn lying_index() -> Vec<u8> {
    let much = 1 << 50;
    let change = |made: &mut Archive| {
        made.log_bytes = much;
        made.records[0].raw = much;
        made.blocks = vec![deflated(b"")];
        made.records[0].compressed = made.blocks[0].len() as u64;
    };
    Archive::of(&Log::sample(), BLOCK_BYTES).change(change).bytes()
}

fn index_of(count: u64) -> Vec<u8> {
    let made = Archive::of(&Log::sample(), BLOCK_BYTES);
    let content = [varint(made.seq), made.hash.to_vec(), varint(1), varint(0), varint(count)];
    made.member_with(&made.index_with(&content.concat())).bytes()
}

/// Spans of an entry each, and of no bytes.
fn many_spans() -> Vec<u8> {
    let mut made = Archive::of(&Log::sample(), BLOCK_BYTES);
    let count = 10_000;
    let record = made.records[0];
    made.records =
        vec![turnkeep_tests::build::Record { compressed: 0, raw: 0, entries: 1, ..record }; count];
    made.records
        .iter_mut()
        .for_each(|record| (record.from_s, record.to_s, record.kinds) = (0, 0, 0));
    (made.seq, made.log_bytes) = (count as u64 - 1, 0);
    made.blocks = Vec::new();
    made.bytes()
}

/// A log whose second line has as many bytes as may be, and so many more.
fn long_line(more: usize) -> Vec<u8> {
    let before = entry(1, "user_input", r#","item":"""#).len() + 154;
    let text = "x".repeat(LINE_BYTES_MAX - before + more);
    Log::of(&[start(""), entry(1, "user_input", &format!(r#","item":"{text}""#))]).0
}

fn with_field(kind: &str, name: &str, value: &str) -> Vec<u8> {
    Log::of(&[start(""), entry(1, kind, &format!(r#","{name}":{value}"#))]).0
}

/// As many entries as a batch may have, which does not end.
fn open_batches() -> Vec<u8> {
    let rests = (0..4095).map(|seq| match seq {
        0 => start(""),
        seq => envelope(seq, "x", 4096 - seq) + "}",
    });
    Log::of(&rests.collect::<Vec<_>>()).0
}

fn escapes(bytes: usize) -> Vec<u8> {
    with_field("run_errored", "message", &format!("\"{}\"", r"\u0000".repeat(bytes / 6)))
}

fn members(bytes: usize) -> Vec<u8> {
    let members: String = (0..bytes / 11).map(|n| format!(r#","{n:06}":0"#)).collect();
    Log::of(&[start(""), entry(1, "x", &members)]).0
}

fn elements(bytes: usize) -> Vec<u8> {
    with_field("replaced", "history", &format!("[{}0]", "0,".repeat(bytes / 2)))
}

fn huge_end() -> Vec<u8> {
    let made = Bundle::default().session(r#""demo""#, &Log::sample(), "", b"").indexed();
    let most = (1_u64 << 53) - 1;
    let huge = Bundle { counts: [most; 3], ..made };
    let end = huge.end();
    let at = end.find("\"bytes\":").expect("a length") + 8;
    let digits = end[at..].find(',').expect("its end");
    let mut end = format!("{}{most}{}", &end[..at], &end[at + digits..]);
    end.truncate(end.trim_end().len());
    let end = format!("{end:383}\n");
    huge.ending(&end)
}

fn bundle_of_zeros() -> Vec<u8> {
    let mut bundle = Bundle::default();
    bundle.content.extend(zeros(128 * MB));
    bundle.bytes()
}

fn bundle_of_endless() -> Vec<u8> {
    let hash = "ab".repeat(32);
    let head = format!(r#"{{"seq":1,"hash":"{hash}","bytes":9007199254740991}}"#);
    let mut bundle =
        Bundle::default().line(&format!(r#"{{"kind":"session","id":"demo","head":{head}}}"#));
    bundle.content.extend(zeros(128 * MB));
    bundle.bytes()
}

fn bundle_of_value() -> Vec<u8> {
    let text = "A".repeat(LINE_BYTES_MAX - 64);
    Bundle::default().value(&format!(r#""key":"k","bytes":"{text}""#)).indexed().bytes()
}

/// A compressed term that says it inflates to so many bytes.
fn term(says: u32, content: &[u8]) -> Vec<u8> {
    [&[131, 80][..], &says.to_be_bytes(), &[0x78, 0x9c], &deflated(content), &[3, 0], &[0; 4]]
        .concat()
}

fn lists(bytes: usize) -> Vec<u8> {
    let count = bytes / 5;
    [&[131][..], &[108, 0, 0, 0, 1].repeat(count)].concat()
}

/// One message: a tuple of atoms without a name.
fn atoms(count: usize) -> Vec<u8> {
    let tuple = [&[105][..], &(count as u32).to_be_bytes(), &[119, 0].repeat(count)].concat();
    [&[131, 108, 0, 0, 0, 1], &tuple[..], &[106]].concat()
}

/// One message: a text of which each byte is six in JSON.
fn controls(bytes: usize) -> Vec<u8> {
    let text = [&[109][..], &(bytes as u32).to_be_bytes(), &vec![1; bytes]].concat();
    [&[131, 108, 0, 0, 0, 1], &text[..], &[106]].concat()
}
