//! Twice the input costs twice the time, whatever its shape: nobody can write a small file that takes
//! long to read.
//!
//! There is no counter of work in the core, so time of the processor is measured (not of the clock: other
//! processes do not count), each as the least of several runs. What disturbs a run only ever adds to
//! it, so a ratio that is too large is looked at again, many times, before it is believed; a quadratic
//! reader gives 4 each time.

#![cfg(target_os = "linux")]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use turnkeep::core::archive::{archive, unarchive};
use turnkeep::core::gzip::{Bound, gunzip};
use turnkeep::core::import::{self, File};
use turnkeep::core::log::{Expectation, verify};
use turnkeep::core::session::{self, FileVerifier};
use turnkeep::core::store::Condition;
use turnkeep::core::view::{Lines, Place};
use turnkeep::{MemoryStore, Range, State, Store, drive};
use turnkeep_tests::build::{Log, Member, after_fork, entry, envelope, point, start};
use turnkeep_tests::sessions::{id, log_key};

/// Sizes in megabytes.
const SIZES: [usize; 5] = [1, 2, 4, 8, 16];
const RATIO_MAX: f64 = 2.6;
/// Less than this is too short to be compared, and to matter.
const FLOOR: Duration = Duration::from_millis(4);
/// A ratio that is too large is measured so often again.
const TRIES: usize = 20;
/// What disturbs may be over by then.
const PAUSE: Duration = Duration::from_millis(50);

/// A shape of input, and everything that reads it.
struct Shape {
    name: &'static str,
    /// Of about that many bytes.
    make: fn(usize) -> Vec<u8>,
    readers: &'static [Reader],
}

impl Shape {
    /// The shape in every size. Of many lines, the first ones of a log are the same in small.
    fn inputs(&self) -> [Vec<u8>; 5] {
        let largest = (self.make)(SIZES[4] << 20);
        let is_cut = largest.iter().take(1 << 20).filter(|byte| **byte == b'\n').count() > 1000;
        SIZES.map(|megabytes| match is_cut {
            true => {
                let end = largest.len().min(megabytes << 20);
                let whole = largest[..end].iter().rposition(|byte| *byte == b'\n');
                largest[..=whole.unwrap_or_default()].to_vec()
            }
            false => (self.make)(megabytes << 20),
        })
    }
}

type Reader = (&'static str, fn(&[u8]));

const LOG_READERS: &[Reader] = &[
    ("verify", |log| drop(deep(log))),
    ("fold", |log| drop(State::fold(log))),
    ("view", view),
    ("archive", |log| drop(archive(log).map(|archive| unarchive(&archive)))),
    ("open, read and sum up", in_a_store),
];
const LINE_READERS: &[Reader] =
    &[("verify", |log| drop(deep(log))), ("fold", |log| drop(State::fold(log))), ("view", view)];
const FILE_READERS: &[Reader] = &[
    ("verify", |file| drop(deep(file))),
    ("inflate", |file| drop(gunzip(file, Bound::default()))),
    ("import", |file| import_as("a.jsonl.gz", file)),
];
const IMPORT_READERS: &[Reader] = &[
    ("verify", |file| drop(deep(file))),
    ("view", view),
    ("import lines", |file| import_as("a.jsonl", file)),
];

/// Logs of one long line.
const LINES: &[Shape] = &[
    Shape { name: "deep nesting", make: deep_nesting, readers: LINE_READERS },
    Shape { name: "a long string of escapes", make: escapes, readers: LINE_READERS },
    Shape { name: "one long line", make: one_line, readers: LINE_READERS },
    Shape { name: "many members in an object", make: members, readers: LINE_READERS },
    Shape { name: "the same key again and again", make: same_keys, readers: LINE_READERS },
    Shape { name: "long numbers", make: long_numbers, readers: LINE_READERS },
    Shape { name: "an array of many elements", make: elements, readers: LINE_READERS },
];
/// Logs of many entries.
const ENTRIES: &[Shape] = &[
    Shape { name: "calls without results", make: open_calls, readers: LOG_READERS },
    Shape {
        name: "calls without results among results",
        make: calls_and_results,
        readers: LOG_READERS,
    },
    Shape { name: "every entry of another kind", make: kinds, readers: LOG_READERS },
    Shape { name: "many small entries", make: small_entries, readers: LOG_READERS },
    Shape { name: "many forks", make: forks, readers: LINE_READERS },
    Shape { name: "many batches", make: batches, readers: LINE_READERS },
    Shape { name: "few long batches", make: long_batches, readers: LINE_READERS },
    Shape { name: "withheld entries only", make: redactions, readers: LOG_READERS },
];
/// Compactions that keep what was there. (Folding moves all of it each time.)
const COMPACTIONS: &[Shape] =
    &[Shape { name: "compactions that keep everything", make: compactions, readers: LINE_READERS }];
/// Files of lines that are none of a log's.
const FOREIGN: &[Shape] = &[
    Shape { name: "short lines", make: short_lines, readers: IMPORT_READERS },
    Shape { name: "unclosed strings", make: unclosed, readers: IMPORT_READERS },
    Shape { name: "lines of nothing but opening", make: opening, readers: IMPORT_READERS },
];
/// Gzip files of next to nothing.
const ZIPPED: &[Shape] = &[
    Shape { name: "gzip of small blocks", make: small_blocks, readers: FILE_READERS },
    Shape { name: "gzip of empty members", make: empty_members, readers: FILE_READERS },
    Shape { name: "gzip of long headers", make: long_headers, readers: FILE_READERS },
];

#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn logs_of_long_lines_are_read_in_linear_time() {
    grow_as_their_input(LINES);
}

#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn logs_of_many_entries_are_read_in_linear_time() {
    grow_as_their_input(ENTRIES);
}

#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn compactions_that_keep_everything_are_folded_in_linear_time() {
    grow_as_their_input(COMPACTIONS);
}

#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn foreign_lines_are_read_in_linear_time() {
    grow_as_their_input(FOREIGN);
}

#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn gzip_files_are_read_in_linear_time() {
    grow_as_their_input(ZIPPED);
}

/// One at a time: what is measured is the time of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn grow_as_their_input(shapes: &[Shape]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut slow = Vec::new();
    for shape in shapes {
        let inputs = shape.inputs();
        for (reader, read) in shape.readers {
            let what = format!("{}: {reader}", shape.name);
            let (times, ratios) = measured(&inputs, *read);
            let told: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
            println!("{what}: {} ms at 16 MB, ×{}", times[4].as_millis(), told.join(" ×"));
            if ratios.iter().any(|ratio| *ratio > RATIO_MAX) {
                slow.push(what);
            }
        }
    }
    assert!(slow.is_empty(), "these grow faster than their input: {slow:?}");
}

/// The least time of each size, and what each doubling costs.
fn measured(inputs: &[Vec<u8>; 5], read: fn(&[u8])) -> ([Duration; 5], [f64; 4]) {
    let mut least = [Duration::MAX; 5];
    let again = |places: &[usize], least: &mut [Duration; 5]| {
        for place in places {
            least[*place] = least[*place].min(time(|| read(&inputs[*place])));
        }
    };
    again(&[0, 1, 2, 3, 4], &mut least);
    for _ in 0..TRIES {
        let ratios = ratios(&least);
        let Some(place) = ratios.iter().position(|ratio| *ratio > RATIO_MAX) else { break };
        std::thread::sleep(PAUSE);
        again(&[place, place + 1], &mut least);
    }
    (least, ratios(&least))
}

fn ratios(times: &[Duration; 5]) -> [f64; 4] {
    let of = |place: usize| times[place].max(FLOOR).as_secs_f64();
    [0, 1, 2, 3].map(|place| of(place + 1) / of(place))
}

/// Lines that are shown at a time.
const PAGE: usize = 500;

/// Time of the processor.
fn time(work: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    };
    let start = now();
    work();
    now() - start
}

fn deep(file: &[u8]) -> turnkeep::Report {
    let mut verifier = FileVerifier::new(Expectation::default()).deep();
    file.chunks(256 << 10).for_each(|piece| verifier.push(piece));
    verifier.finish()
}

fn view(log: &[u8]) {
    let lines = Lines::new(log.to_vec());
    for first in (0..lines.len()).step_by(PAGE) {
        let page = first..lines.len().min(first + PAGE);
        drop(lines.entries(Place::default(), page));
    }
    drop(lines.search("needle", false));
}

fn import_as(name: &str, bytes: &[u8]) {
    drop(import::read(&[File { name, bytes }], Some(import::Format::Agentmux)));
}

/// What a store is asked for: its end, its start, all of it.
fn in_a_store(log: &[u8]) {
    let store = MemoryStore::new();
    store.put(&log_key("demo"), log, &Condition::Absent).expect("a put");
    drive(session::open(id("demo")), &store).ok();
    drive(session::read(id("demo"), Range::last(50)), &store).ok();
    drive(session::read(id("demo"), Range::between(1, Some(50))), &store).ok();
    drive(session::summary(id("demo")), &store).ok();
    let state = drive(session::state(id("demo"), session::View::default()), &store);
    drop(state.map(State::with_calls_closed));
}

/// A log of one entry with that field.
fn with_field(kind: &str, field: &str) -> Vec<u8> {
    Log::of(&[start(""), entry(1, kind, field)]).0
}

/// A log of entries of about `each` bytes.
fn repeated(bytes: usize, each: usize, rest: impl Fn(u64) -> String) -> Vec<u8> {
    let count = (bytes / each) as u64;
    let rests = (0..=count).map(|seq| if seq == 0 { start("") } else { rest(seq) });
    Log::of(&rests.collect::<Vec<_>>()).0
}

fn deep_nesting(bytes: usize) -> Vec<u8> {
    let nested = format!("{}{},", "[".repeat(60), "]".repeat(60));
    with_field("state", &format!(r#","state":[{}0]"#, nested.repeat(bytes / 121)))
}

fn escapes(bytes: usize) -> Vec<u8> {
    let text = r"\u0000\n\ud83d\ude00".repeat(bytes / 20);
    with_field("run_errored", &format!(r#","message":"{text}""#))
}

fn small_entries(bytes: usize) -> Vec<u8> {
    repeated(bytes, 225, |seq| entry(seq, "x", ""))
}

fn one_line(bytes: usize) -> Vec<u8> {
    with_field("user_input", &format!(r#","item":"{}""#, "x".repeat(bytes)))
}

fn members(bytes: usize) -> Vec<u8> {
    let fields: String = (0..bytes / 11).map(|n| format!(r#","{n:06}":0"#)).collect();
    with_field("x", &fields)
}

fn same_keys(bytes: usize) -> Vec<u8> {
    let item = r#""role":"user","#.repeat(bytes / 14);
    with_field("user_input", &format!(r#","item":{{{item}"role":"user"}}"#))
}

fn long_numbers(bytes: usize) -> Vec<u8> {
    let number = "7".repeat(bytes / 4);
    with_field(
        "llm_usage",
        &format!(r#","history_len":null,"a":{number}.{number}e{number},"b":{number}"#),
    )
}

fn elements(bytes: usize) -> Vec<u8> {
    with_field(
        "replaced",
        &format!(r#","history":[{}0]"#, r#"{"a":"0123456789"},"#.repeat(bytes / 19)),
    )
}

fn forks(bytes: usize) -> Vec<u8> {
    let (mut rests, mut log) = (vec![start("")], Log::of(&[start("")]));
    let mut owner = String::from("demo");
    for seq in 1..(bytes / 440) as u64 {
        let name = format!("s{seq}");
        let parent = point(&owner, seq - 1, &log.hash(0));
        let rest = entry(seq, "fork", &format!(r#","session":"{name}","parent":{parent}"#));
        let rest = if seq > 1 { after_fork(seq - 1, &rest) } else { rest };
        // One line that follows the last hash, as the log's own would.
        log = Log(chained(&log, &rest));
        rests.push(rest);
        owner = name;
    }
    Log::of(&rests).0
}

/// The line of that REST after a log's last line.
fn chained(log: &Log, rest: &str) -> Vec<u8> {
    let (last, prev) = (&log.0, log.hash(0));
    assert!(last.ends_with(b"\n"));
    let digest = turnkeep::core::sha256(format!("{{{rest}").as_bytes());
    let prev_hash: turnkeep::Hash = prev.parse().expect("a hash");
    let message = [b"turnkeep/1\n", &prev_hash.as_bytes()[..], digest.as_bytes()].concat();
    let hash = turnkeep::core::sha256(&message).to_string();
    turnkeep_tests::build::prefixed(&hash, Some(&prev), rest.as_bytes())
}

fn batches(bytes: usize) -> Vec<u8> {
    repeated(bytes, 235, |seq| envelope(seq, "x", seq % 2) + "}")
}

/// Batches of as many entries as one may have.
fn long_batches(bytes: usize) -> Vec<u8> {
    let count = (bytes / 245) as u64;
    let more = |seq: u64| 4095_u64.saturating_sub((seq - 1) % 4096);
    let rests = (0..=count).map(|seq| match seq {
        0 => start(""),
        seq => envelope(seq, "x", more(seq).min(count - seq)) + "}",
    });
    Log::of(&rests.collect::<Vec<_>>()).0
}

fn redactions(bytes: usize) -> Vec<u8> {
    let log = Log(small_entries(bytes / 250 * 225));
    let withhold = |(seq, line): (usize, &[u8])| {
        let (prefix, rest) = line.split_at(if seq == 0 { 92 } else { 154 });
        let digest = turnkeep::core::sha256(&[b"{", rest.trim_ascii_end()].concat());
        let rest = match seq {
            0 => rest.to_vec(),
            _ => format!("\"kind\":\"redacted\",\"digest\":\"{digest}\"}}\n").into_bytes(),
        };
        [prefix, &rest].concat()
    };
    log.lines().into_iter().enumerate().flat_map(withhold).collect()
}

/// The last in the alphabet first.
fn kinds(bytes: usize) -> Vec<u8> {
    repeated(bytes, 235, |seq| entry(seq, &format!("k{:09}", 999_999_999 - seq), ""))
}

fn open_calls(bytes: usize) -> Vec<u8> {
    let call = |seq| {
        format!(
            r#","item":{{"type":"function_call","call_id":"c{seq}","name":"f","arguments":""}}"#
        )
    };
    repeated(bytes, 310, |seq| entry(seq, "assistant_item", &call(seq)))
}

/// No result answers any of the calls but the first.
fn calls_and_results(bytes: usize) -> Vec<u8> {
    let call = |seq| {
        format!(
            r#","item":{{"role":"assistant","content":[{{"type":"tool_use","id":"c{seq}","name":"f"}}]}}"#
        )
    };
    let result = r#","item":{"role":"tool","tool_call_id":"c1","content":"x"}"#;
    repeated(bytes, 290, |seq| match seq % 2 {
        0 => entry(seq, "tool_result", result),
        _ => entry(seq, "assistant_item", &call(seq)),
    })
}

/// Every other entry is an item; after it one puts something before all of them.
fn compactions(bytes: usize) -> Vec<u8> {
    repeated(bytes, 245, |seq| match seq % 2 {
        0 => {
            let items = seq - 1;
            entry(seq, "compaction", &format!(r#","summary":[1],"keep_last":{items}"#))
        }
        _ => entry(seq, "user_input", r#","item":0"#),
    })
}

fn short_lines(bytes: usize) -> Vec<u8> {
    b"nothing of a log, and nothing of any other system\n".repeat(bytes / 50)
}

fn unclosed(bytes: usize) -> Vec<u8> {
    b"{\"type\":\"user\",\"a\":\"\n".repeat(bytes / 21)
}

fn opening(bytes: usize) -> Vec<u8> {
    [&b"{\"type\":\"user\",\"a\":"[..], &b"[{\"a\":".repeat(bytes / 6), b"\n"].concat()
}

fn small_blocks(bytes: usize) -> Vec<u8> {
    // Empty stored blocks.
    let blocks = [0, 0, 0, 0xff, 0xff].repeat(bytes / 5);
    Member::with(b"", blocks).bytes()
}

fn empty_members(bytes: usize) -> Vec<u8> {
    let member = Member::of(b"").bytes();
    member.repeat(bytes / member.len())
}

fn long_headers(bytes: usize) -> Vec<u8> {
    let member = Member { name: Some(vec![b'x'; 60_000]), ..Member::of(b"") }.bytes();
    member.repeat(bytes / member.len())
}

/// The shapes are what they are said to be: those that are logs hold.
#[test]
#[ignore = "takes minutes, and a machine with nothing else to do"]
fn the_shapes_are_logs_that_hold() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for shape in LINES.iter().chain(ENTRIES) {
        let log = (shape.make)(100_000);
        assert!((80_000..130_000).contains(&log.len()), "{}: {}", shape.name, log.len());
        let report = verify(&log, Expectation::default());
        assert!(report.fault.is_none(), "{}: {report:?}", shape.name);
        assert!(State::fold(&log).is_ok(), "{}", shape.name);
    }
}
