//! Damaged objects of a store, found by who reads the session.

use turnkeep::core::ErrorClass;
use turnkeep::core::log::Report;
use turnkeep::core::session::{self, Retention};
use turnkeep::{Error, Head, Key, MemoryStore, Result, Store, drive};
use turnkeep_tests::sessions::{archive_key, bytes_of, id, write};

use crate::flips::{Codes, each_flip};
use crate::samples::{self, Cold};

/// Verifies session `a` by someone who knows its head.
fn verified(store: &dyn Store, head: Option<Head>) -> Result<Report> {
    drive(session::verify(id("a"), head.map(|head| (head.seq, head.hash)), true), store)
}

/// What is wrong, whether it kept the session from being looked at or was found in it.
fn fault(found: Result<Report>, good: &Report, what: &str) -> Option<Error> {
    match found {
        Err(error) => Some(error),
        Ok(Report { fault: Some(fault), .. }) => Some(fault),
        Ok(report) => {
            assert_eq!(report, *good, "{what}");
            None
        }
    }
}

/// Flips each bit of an object in a cold store.
pub(crate) fn flip_cold(cold: &Cold, name: &str, key: &Key) {
    let good = verified(&*cold.tier, None).expect("a report");
    assert!(good.is_whole());
    let object = bytes_of(&cold.store, key);
    let mut codes = Codes::default();
    let flips = each_flip(&object, |at, bit, flipped| {
        let what = format!("{name}, byte {at}, bit {bit}");
        write(&cold.store, key, flipped);
        match fault(verified(&*cold.tier, good.head), &good, &what) {
            Some(fault) => {
                codes.count(fault.code());
                check_cold(name, key, &fault, &what);
            }
            None => {
                assert_ne!(name, "manifest", "{what}: not found");
                codes.count("nothing changed");
            }
        }
    });
    write(&cold.store, key, &object);
    codes.print(name, flips);
}

fn check_cold(name: &str, key: &Key, fault: &Error, what: &str) {
    assert_eq!(fault.kind().class(), ErrorClass::Data, "{what}: {fault}");
    let codes: &[&str] = match name {
        "manifest" => &["bad_hash", "bad_entry", "invalid_utf8", "unsupported_version"],
        _ => &[
            "not_gzip",
            "bad_index",
            "no_index",
            "unsupported_version",
            "gzip_corrupt",
            "gzip_checksum",
            "gzip_truncated",
            "bad_line",
            "bad_hash",
            "broken_link",
        ],
    };
    assert!(codes.contains(&fault.code()), "{what}: {fault}");
    let place = fault.place();
    assert_eq!(place.session.as_deref(), Some("a"), "{what}: {fault}");
    // The object, or the line in the log.
    let is_placed = place.key.as_deref() == Some(key.as_str()) || place.line.is_some();
    assert!(is_placed, "{what}: {fault}");
}

/// Cuts an object in a cold store short.
pub(crate) fn cut_cold(cold: &Cold, name: &str, key: &Key) -> usize {
    let good = verified(&*cold.tier, None).expect("a report");
    let object = bytes_of(&cold.store, key);
    for end in 0..object.len() {
        let what = format!("{name}, cut at {end}");
        write(&cold.store, key, &object[..end]);
        let fault = fault(verified(&*cold.tier, good.head), &good, &what);
        // The line break at a manifest's end says nothing.
        let is_break = name == "manifest" && end == object.len() - 1;
        assert_eq!(fault.is_none(), is_break, "{what}: {fault:?}");
        let Some(fault) = fault else { continue };
        // A manifest says how long its segments are.
        let code = if name == "manifest" { "bad_entry" } else { "gzip_corrupt" };
        assert_eq!(fault.code(), code, "{what}: {fault}");
        assert_eq!(fault.place().key.as_deref(), Some(key.as_str()), "{what}: {fault}");
    }
    write(&cold.store, key, &object);
    object.len()
}

/// No checksum covers a retention record: it is not part of the session. A damaged one says nothing,
/// or says another number where a digit was flipped; pruning compares it with the archive.
pub(crate) fn flip_retention() {
    let store = samples::archived();
    let key = samples::retention_key();
    let record = bytes_of(&store, &key);
    let good = read_retention(&*store).expect("a record").expect("a record");
    let session = verified(&*store, None).expect("a report");
    let archive = bytes_of(&store, &archive_key("a"));
    let mut codes = Codes::default();
    let flips = each_flip(&record, |at, bit, flipped| {
        let what = format!("retention record, byte {at}, bit {bit}");
        write(&store, &key, flipped);
        let told = match read_retention(&*store) {
            Err(error) => {
                assert_eq!(error.place().key.as_deref(), Some(key.as_str()), "{what}: {error}");
                error.code()
            }
            Ok(None) => "unreadable: says nothing",
            Ok(Some(found)) => changed(&good, &found, &what),
        };
        codes.count(told);
        let found = verified(&*store, session.head).expect("a report");
        assert_eq!(found, session, "{what}: the session is what it was");
        assert!(told != "head" || is_kept(&record, flipped, &archive), "{what}: it is pruned");
    });
    codes.print("retention record", flips);
}

/// The one thing that a damaged record says otherwise.
fn changed(good: &Retention, found: &Retention, what: &str) -> &'static str {
    let changes = [
        ("archived_at", good.archived_ms != found.archived_ms),
        ("last_activity", good.last_activity_ms != found.last_activity_ms),
        ("head", good.head != found.head),
        ("archive_bytes", good.archive_bytes != found.archive_bytes),
        ("pruned", good.pruned != found.pruned),
    ];
    let mut changed = changes.iter().filter(|(_, is_changed)| *is_changed);
    match (changed.next(), changed.next()) {
        (None, _) => "nothing changed",
        (Some(("pruned", _)), _) | (_, Some(_)) => panic!("{what}: {found:?}"),
        (Some((name, _)), None) => name,
    }
}

/// Whether the archive of a record that tells another head is kept from being pruned.
fn is_kept(record: &[u8], flipped: &[u8], archive: &[u8]) -> bool {
    assert_ne!(record, flipped);
    let store = MemoryStore::new();
    for (key, bytes) in [(samples::retention_key(), flipped), (archive_key("a"), archive)] {
        store.put(&key, bytes, &turnkeep::core::store::Condition::Any).expect("a put");
    }
    drive(session::prune(id("a"), "test"), &store).is_err_and(|e| e.code() == "not_supported")
}

fn read_retention(store: &dyn Store) -> Result<Option<Retention>> {
    drive(session::retention(id("a")), store)
}

/// Cuts a retention record short: it says nothing then.
pub(crate) fn cut_retention() -> usize {
    let store = samples::archived();
    let key = samples::retention_key();
    let record = bytes_of(&store, &key);
    let good = read_retention(&*store).expect("a record");
    for end in 0..record.len() {
        write(&store, &key, &record[..end]);
        let found = read_retention(&*store).expect("a record or none");
        // But for the line break at its end.
        assert_eq!(found, good.clone().filter(|_| end == record.len() - 1), "cut at {end}");
        assert!(verified(&*store, None).expect("a report").is_whole(), "cut at {end}");
    }
    record.len()
}
