//! The vectors once more, as sessions in a store: whatever a file holds, opening, reading, verifying
//! and folding it agree with what core says of its bytes, and never panic.

use std::sync::Arc;

use turnkeep::core::archive::read_index;
use turnkeep::core::log::{Expectation, Report};
use turnkeep::{Draft, ErrorKind, Form, MemoryStore, Range, Session, SessionId, State, Store};
use turnkeep_tests::sessions::{archive_key, id, lines, log_key, write};
use turnkeep_tests::vectors::{self, Vector};

/// Longer inputs are left to the test of the vectors themselves.
const BYTES_MAX: usize = 1 << 20;

fn small(area: &'static str) -> Vec<Vector> {
    let vectors = vectors::read(area).expect("vectors");
    vectors.into_iter().filter(|vector| vector.input.len() <= BYTES_MAX).collect()
}

fn store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

#[test]
fn logs_are_the_same_in_a_store() {
    let mut opened = 0;
    for vector in [small("log"), small("state")].concat() {
        let report = turnkeep::core::log::verify(&vector.input, Expectation::default());
        let name = report.session.clone().unwrap_or_else(|| id("demo"));
        let store = store();
        write(&store, &log_key(name.as_str()), &vector.input);
        let session = Session::open(store.clone(), &name);
        if report.fault.is_none() {
            is_read_as_it_is(&vector, &session.expect("it opens"), &report);
            goes_on(&vector, &Session::open(store, &name).expect("it opens"));
            opened += 1;
        } else if let Ok(session) = session {
            is_found_out(&vector, &session, &report);
        }
    }
    println!("{opened} logs opened");
    assert!(opened > 100);
}

/// A log without a fault: every way to look at it agrees.
fn is_read_as_it_is(vector: &Vector, session: &Session, report: &Report) {
    let name = &vector.name;
    assert_eq!((session.head(), session.torn()), (report.head, report.torn), "{name}");
    let end = usize::try_from(report.head.expect("a head").bytes).expect("fits");
    assert!(lines(session, &Range::all()).expect("lines") == vector.input[..end], "{name}");
    let last = lines(session, &Range::last(2)).expect("lines");
    assert!(vector.input[..end].ends_with(&last), "{name}");
    let found = session.verify().expect("a report");
    assert_eq!((found.head, found.torn, found.fault), (report.head, report.torn, None), "{name}");
    match (State::fold(&vector.input), session.state()) {
        (Ok(one), Ok(other)) => assert_eq!(one.to_json(), other.to_json(), "{name}"),
        (Err(one), Err(other)) => assert_eq!(one.code(), other.code(), "{name}"),
        (one, other) => panic!("{name}: {one:?}, in a store {other:?}"),
    }
}

/// What is appended fits to what was found at the end: its number, the fork before it.
fn goes_on(vector: &Vector, session: &Session) {
    let seq = session.append_one(&Draft::turn_end(1)).expect("an append");
    let found = session.verify().expect("a report");
    let head = found.head.map(|head| head.seq);
    assert_eq!((found.fault, found.torn, head), (None, None, Some(seq)), "{}", vector.name);
}

/// A log with a fault opens where its end is whole; looking at all of it finds the fault.
fn is_found_out(vector: &Vector, session: &Session, report: &Report) {
    let name = &vector.name;
    let code = |report: &Report| report.fault.as_ref().map(|fault| fault.code());
    let found = session.verify().expect("a report");
    assert_eq!((code(&found), found.head), (code(report), report.head), "{name}");
    assert!(session.state().is_err(), "{name}");
    lines(session, &Range::all()).ok();
    lines(session, &Range::last(3)).ok();
    session.summary().ok();
}

#[test]
fn archives_are_the_same_in_a_store() {
    let mut opened = 0;
    for vector in small("archive") {
        let store = store();
        let name = if vector.name.starts_with("fork") { "child" } else { "demo" };
        write(&store, &archive_key(name), &vector.input);
        let index = read_index(&vector.input, vector.input.len() as u64);
        // Without an index an archive is read from its start on, which must hold.
        let is_foreign = index.as_ref().is_err_and(|error| error.kind() == ErrorKind::NoIndex);
        let is_readable = index.is_ok() || is_foreign && vector.expected["code"].is_null();
        let session = Session::open(store.clone(), &id(name));
        assert_eq!(session.is_ok(), is_readable, "{}", vector.name);
        let Ok(session) = session else { continue };
        opened += 1;
        let index_code = &vector.expected["index"]["code"];
        let is_divided_right = index_code.is_null() || is_foreign;
        let is_whole = vector.expected["code"].is_null() && is_divided_right;
        let report = session.verify().expect("a report");
        assert_eq!(report.is_whole(), is_whole, "{}: {report:?}", vector.name);
        assert_eq!(session.state().is_ok(), is_whole, "{}", vector.name);
        let restored = session.restore();
        assert_eq!(restored.is_ok(), is_whole, "{}: {restored:?}", vector.name);
        // What cannot be restored stays as it was.
        let form = if is_whole { Form::Live } else { Form::Archived };
        let now = Session::open(store, &id(name)).expect("it opens");
        assert_eq!(now.form(), form, "{}", vector.name);
    }
    println!("{opened} archives opened");
    assert!(opened > 20);
}

/// Any file under a session's name is an error, never a panic.
#[test]
fn files_of_any_sort_are_errors() {
    for vector in [small("gzip"), small("key"), small("draft"), small("archive")].concat() {
        let store = store();
        write(&store, &log_key("demo"), &vector.input);
        let opened = Session::open(store.clone(), &id("demo"));
        let code = opened.err().map(|error| error.kind().class());
        assert_eq!(code, Some(turnkeep::core::ErrorClass::Data), "{}", vector.name);
    }
    for vector in [small("gzip"), small("log")].concat() {
        let store = store();
        write(&store, &archive_key("demo"), &vector.input);
        let code = Session::open(store, &id("demo")).err().map(|error| error.kind().class());
        assert_eq!(code, Some(turnkeep::core::ErrorClass::Data), "{}", vector.name);
    }
}

/// A log that was renamed is another session's, whatever else is wrong with it.
#[test]
fn renamed_logs_do_not_open() {
    for vector in small("log") {
        let store = store();
        write(&store, &log_key("renamed"), &vector.input);
        let opened = Session::open(store, &SessionId::new("renamed").expect("an id"));
        assert!(opened.is_err(), "{}", vector.name);
    }
}
