//! Core gives what the vectors expect (`docs/format.md` §12): one test for each area, which reads
//! all of its files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use turnkeep::core::archive::{inflate_span, read_index};
use turnkeep::core::gzip::{Bound, Reader, gunzip};
use turnkeep::core::log::{Expectation, Report, Stamp, Verifier, Writer};
use turnkeep::core::session::runtime::{Restore, RestoredSession, restore};
use turnkeep::core::session::{FileVerifier, read};
use turnkeep::core::store::{Condition, Part};
use turnkeep::core::{Hash, State, sha256};
use turnkeep::{
    Error, Head, Key, MemoryStore, Range, Result, SessionId, Store, drive, drive_runtime,
};
use turnkeep_tests::vectors::{self, Vector, from_hex};

/// Longest input that is also read byte by byte.
const CHUNKED_BYTES_MAX: usize = 100_000;

/// Reads every vector of an area and compares; members that are not expected are not compared.
fn check(area: &'static str, read: impl Fn(&Vector) -> Value) {
    let vectors = vectors::read(area).unwrap_or_else(|why| panic!("{why}"));
    let mut failures = Vec::new();
    for vector in &vectors {
        let found = read(vector);
        for difference in differences(&vector.expected, &found, "") {
            failures.push(format!("{area}/{}{difference}", vector.name));
        }
    }
    let (count, failed) = (vectors.len(), failures.len());
    println!("{area}: {count} vectors");
    assert!(failures.is_empty(), "{area}: {failed} differences\n{}", failures.join("\n"));
}

fn differences(expected: &Value, found: &Value, place: &str) -> Vec<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let null = Value::Null;
            let member = |(name, value): (&String, &Value)| {
                differences(value, found.get(name).unwrap_or(&null), &format!("{place}.{name}"))
            };
            expected.iter().flat_map(member).collect()
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let pairs = expected.iter().zip(found).enumerate();
            pairs
                .flat_map(|(at, (one, other))| differences(one, other, &format!("{place}[{at}]")))
                .collect()
        }
        _ if expected == found => Vec::new(),
        _ => vec![format!("{place}: expected {expected}, found {found}")],
    }
}

fn code_of<T>(outcome: &Result<T>) -> Value {
    outcome.as_ref().err().map_or(Value::Null, |error| error.code().into())
}

fn head_of(head: Head) -> Value {
    json!({ "seq": head.seq, "hash": head.hash.to_string(), "bytes": head.bytes })
}

/// A test that must never pass because it read nothing.
#[test]
fn every_area_is_read() {
    let folders: Vec<_> = std::fs::read_dir(vectors::folder())
        .expect("tests/vectors")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let known = vectors::AREAS.map(|(area, _)| area);
    assert_eq!(folders.len(), known.len(), "{folders:?}");
    assert!(folders.iter().all(|folder| known.contains(&folder.as_str())), "{folders:?}");
}

#[test]
fn the_committed_vectors_are_what_is_generated() {
    let differing = vectors::differing(&vectors::files(), &vectors::committed().expect("files"));
    assert!(differing.is_empty(), "run `cargo xtask vectors`: {differing:?}");
}

#[test]
fn log() {
    check("log", |vector| {
        let expectation = expectation(&vector.expected["expect"]);
        let whole = verify(&vector.input, vector.input.len(), &expectation);
        if vector.input.len() <= CHUNKED_BYTES_MAX {
            for size in [1, 7, 200] {
                let chunked = verify(&vector.input, size, &expectation);
                assert_eq!(chunked, whole, "{} in chunks of {size}", vector.name);
            }
        }
        is_consistent(vector, &whole, &expectation);
        let mut told = told(&whole);
        told["expect"] = vector.expected["expect"].clone();
        told
    });
}

fn expectation(expect: &Value) -> Expectation {
    let mut expectation = Expectation::default();
    let session = expect["session"].as_str().map(|id| SessionId::new(id).expect("an id"));
    let head = expect["head"].as_object().map(|head| {
        let hash: Hash = head["hash"].as_str().unwrap_or_default().parse().expect("a hash");
        (head["seq"].as_u64().expect("a number"), hash)
    });
    (expectation.session, expectation.head) = (session, head);
    expectation
}

fn verify(log: &[u8], chunk: usize, expectation: &Expectation) -> Report {
    let mut verifier = Verifier::new(expectation.clone()).deep();
    log.chunks(chunk.max(1)).for_each(|chunk| verifier.push(chunk));
    verifier.finish()
}

fn told(report: &Report) -> Value {
    let mut fault = json!({ "code": null });
    if let Some(error) = &report.fault {
        let place = error.place();
        fault = json!({ "code": error.code(), "line": place.line, "offset": place.offset, "seq": place.seq });
    }
    let entries = match &report.entry_fault {
        Some(error) => json!({ "code": error.code(), "seq": error.place().seq }),
        None => json!({ "code": null }),
    };
    json!({
        "verify": fault,
        "head": report.head.map(head_of),
        "torn": report.torn.map(|torn| json!({ "offset": torn.offset, "bytes": torn.bytes })),
        "session": report.session.as_ref().map(SessionId::as_str),
        "withheld": report.withheld,
        "entries": entries,
    })
}

/// Everything else that core tells of a log agrees with its report.
fn is_consistent(vector: &Vector, report: &Report, expectation: &Expectation) {
    let mut file = FileVerifier::new(expectation.clone()).deep();
    if vector.input.first() != Some(&0x1f) {
        vector.input.chunks(4096).for_each(|chunk| file.push(chunk));
        assert_eq!(file.finish(), *report, "{} as a file", vector.name);
    }
    let plain = turnkeep::core::log::verify(&vector.input, Expectation::default());
    let folded = State::fold(&vector.input);
    let is_sound = plain.fault.is_none() && report.entry_fault.is_none();
    assert_eq!(folded.is_ok(), is_sound, "{}: {folded:?}", vector.name);
    let archived = turnkeep::core::archive::archive(&vector.input);
    assert_eq!(archived.is_ok(), plain.fault.is_none(), "{}: archive", vector.name);
    if let (Ok(archive), Some(head)) = (archived, report.head) {
        let log = turnkeep::core::archive::unarchive(&archive).expect("an archive just made");
        let end = usize::try_from(head.bytes).expect("fits");
        assert!(log == vector.input[..end], "{}: unarchived otherwise", vector.name);
    }
}

#[test]
fn state() {
    check("state", |vector| match State::fold(&vector.input) {
        Ok(state) => json!({ "state": state.to_json() }),
        Err(error) => json!({ "code": error.code() }),
    });
}

#[test]
fn draft() {
    check("draft", |vector| {
        let input: Value = serde_json::from_slice(&vector.input).expect("JSON");
        match write(&input) {
            Ok(log) => {
                assert!(turnkeep::core::log::verify(&log, Expectation::default()).is_whole());
                json!({ "log": String::from_utf8(log).expect("UTF-8") })
            }
            Err((error, batch)) => {
                json!({ "code": error.code(), "batch": batch, "index": error.place().draft })
            }
        }
    });
}

/// The bytes of all batches; or the error, and the batch it came from.
fn write(input: &Value) -> Result<Vec<u8>, (Error, Option<usize>)> {
    let session = SessionId::new(input["session"].as_str().unwrap_or_default());
    let session = session.map_err(|error| (error, None))?;
    let salts = input["salts"].as_array();
    let mut random: Vec<u8> = salts
        .into_iter()
        .flatten()
        .flat_map(|salt| from_base64url(salt.as_str().unwrap_or_default()))
        .collect();
    let mut writer = Writer::create(session, salts.is_some());
    let mut log = Vec::new();
    for (number, batch) in input["batches"].as_array().expect("batches").iter().enumerate() {
        let drafts: Vec<&str> =
            batch.as_array().expect("a batch").iter().filter_map(Value::as_str).collect();
        let stamp = Stamp { now_ms: input["ts"].as_u64().expect("a time"), random: random.clone() };
        let before = writer.head().map_or(0, |head| head.seq + 1);
        let written = writer.write(&drafts, &stamp).map_err(|error| (error, Some(number)))?;
        let lines = usize::try_from(written.head.seq + 1 - before).expect("fits");
        random.drain(..random.len().min(8 * lines));
        log.extend(written.bytes);
        writer.advance(written.head);
    }
    Ok(log)
}

/// The eight bytes of a salt.
fn from_base64url(salt: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |word, letter| word << 6 | DIGITS.find(letter).expect("a digit") as u128;
    let word = salt.chars().fold(0_u128, digit) >> 2;
    u64::try_from(word).expect("64 bits").to_be_bytes().to_vec()
}

#[test]
fn archive() {
    check("archive", |vector| {
        let whole = gunzip(&vector.input, Bound::default());
        let mut told = content_of(&whole);
        told.insert("index".into(), index_of(&vector.input));
        let reads = vector.expected["reads"].as_array().into_iter().flatten();
        let reads: Vec<_> = reads
            .map(|read| last_of(&vector.input, read["last"].as_u64().expect("last")))
            .collect();
        told.insert("reads".into(), reads.into());
        told.into()
    });
}

fn content_of(outcome: &Result<Vec<u8>>) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("code".into(), code_of(outcome));
    if let Ok(content) = outcome {
        told.insert("bytes".into(), content.len().into());
        told.insert("sha256".into(), sha256(content).to_string().into());
    }
    told
}

/// Opens the index and reads every span.
fn index_of(file: &[u8]) -> Value {
    let index = match read_index(file, file.len() as u64) {
        Ok(index) => index,
        Err(error) => return json!({ "code": error.code() }),
    };
    let pages = pages(file, Range::all());
    for span in index.located() {
        let range = usize::try_from(span.compressed.start).expect("fits")
            ..usize::try_from(span.compressed.end).expect("fits");
        let inflated = inflate_span(&span, &file[range]);
        assert!(inflated.is_ok() || pages.is_err(), "a span fails that was read");
    }
    json!({
        "code": code_of(&pages),
        "head": head_of(index.head),
        "spans": index.spans.len(),
    })
}

fn last_of(file: &[u8], last: u64) -> Value {
    match pages(file, Range::last(last)) {
        Err(error) => json!({ "last": last, "code": error.code() }),
        Ok((first_seq, lines)) => json!({
            "last": last,
            "code": null,
            "first_seq": first_seq,
            "lines": lines.split_inclusive(|byte| *byte == b'\n').count(),
            "sha256": sha256(&lines).to_string(),
        }),
    }
}

/// All pages of a range of an archive, and the number of their first entry.
fn pages(file: &[u8], range: Range) -> Result<(u64, Vec<u8>)> {
    let store = MemoryStore::new();
    let id = SessionId::new("vector")?;
    store.put(&Key::of(&id, Part::Archive), file, &Condition::Absent)?;
    let (mut lines, mut first_seq, mut range) = (Vec::new(), None, range);
    loop {
        let page = drive(read(id.clone(), range.clone()), &store)?;
        lines.extend(page.lines);
        first_seq.get_or_insert(page.first_seq);
        match page.next {
            Some(cursor) => range = range.after(cursor),
            None => return Ok((first_seq.unwrap_or_default(), lines)),
        }
    }
}

#[test]
fn bundle() {
    check("bundle", |vector| {
        let place = MemoryStore::new();
        place.put(&Key::bundle(), &vector.input, &Condition::Any).expect("a put");
        let mut options = Restore::default();
        options.dry_run = true;
        match drive_runtime(restore(options), &MemoryStore::new(), Some(&place), None) {
            Err(error) => json!({ "code": error.code() }),
            Ok(told) => {
                let session = |session: &RestoredSession| json!({ "id": session.id.as_str(), "head": head_of(session.head) });
                let sessions: Vec<_> = told.sessions.iter().map(session).collect();
                json!({ "code": null, "sessions": sessions, "cache": told.cache.left_out })
            }
        }
    });
}

#[test]
fn gzip() {
    check("gzip", |vector| {
        let output_max = vector.expected["output_max"].as_u64().expect("a bound");
        let bound = Bound { output_bytes: output_max };
        let whole = gunzip(&vector.input, bound);
        if vector.input.len() <= CHUNKED_BYTES_MAX {
            for size in [1, 5, 1000] {
                let chunked = gunzip_in_chunks(&vector.input, size, bound);
                assert_eq!(
                    chunked.as_ref().err().map(Error::code),
                    whole.as_ref().err().map(Error::code),
                    "{}",
                    vector.name
                );
                assert!(chunked.unwrap_or_default() == *whole.as_deref().unwrap_or_default());
            }
        }
        let mut told = content_of(&whole);
        told.insert("output_max".into(), output_max.into());
        told.into()
    });
}

fn gunzip_in_chunks(file: &[u8], size: usize, bound: Bound) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut reader = Reader::new(bound);
    for chunk in file.chunks(size) {
        reader.push(chunk, |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        })?;
    }
    reader.finish()?;
    Ok(content)
}

#[test]
fn key() {
    check("key", |vector| {
        let input: BTreeMap<String, String> = serde_json::from_slice(&vector.input).expect("JSON");
        let outcome = match (input.get("id"), input.get("id_hex"), input.get("key")) {
            (Some(id), None, None) => SessionId::new(id).map(|id| ("key", id.encoded())),
            (None, Some(hex), None) => id_of_bytes(hex).map(|id| ("key", id.encoded())),
            (None, None, Some(key)) => {
                SessionId::decode(key).map(|id| ("id", id.as_str().to_owned()))
            }
            _ => panic!("{}: an id, bytes, or a key", vector.name),
        };
        match outcome {
            Ok((member, value)) => json!({ member: value }),
            Err(error) => json!({ "code": error.code() }),
        }
    });
}

/// Bytes that are no UTF-8 cannot even be given as an id; a host that takes bytes says this.
fn id_of_bytes(hex: &str) -> Result<SessionId> {
    let bytes = from_hex(hex).expect("hex digits");
    match String::from_utf8(bytes) {
        Ok(id) => SessionId::new(id),
        Err(_) => Err(Error::new(turnkeep::ErrorKind::InvalidId, "not UTF-8")),
    }
}
