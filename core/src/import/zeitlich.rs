//! What zeitlich wrote.

use alloc::format;

use super::content::{check, content, each, skip, stem, unmarked};
use super::{File, Format, Imported, Session};
use crate::json::Object;
use crate::limits::IMPORT_ENTRIES_MAX;
use crate::state::State;
use crate::zeitlich::{MEMBERS, Snapshot, session_id};
use crate::{Error, ErrorKind, Result, SessionId};

/// Whether a file holds a thread's snapshot: as zeitlich writes it, or with its members in another
/// order or over several lines. `start` is how it starts.
pub(super) fn detects(file: File<'_>, start: &[u8]) -> bool {
    let start = unmarked(start).trim_ascii_start();
    if start.starts_with(br#"{"v":"#) {
        return true;
    }
    let first = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let names = MEMBERS.iter().any(|name| {
        let rest = first.and_then(|first| first.strip_prefix(b"\""));
        rest.and_then(|rest| rest.strip_prefix(name.as_bytes()))
            .is_some_and(|r| r.starts_with(b"\""))
    });
    // Only such a file is worth being read whole.
    names && content(file.bytes).is_ok_and(|content| has_members(&content))
}

fn has_members(content: &[u8]) -> bool {
    let text = core::str::from_utf8(content).unwrap_or_default().replace(['\n', '\r'], " ");
    let object = Object::of(text.trim_start_matches('\u{feff}'));
    object.is_some_and(|object| {
        ["v", "messages", "dedupIds"].iter().all(|name| object.get(name).is_some())
    })
}

pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    each(files, read_file)
}

fn read_file(file: File<'_>) -> Result<Imported> {
    let mut imported = Imported::default();
    let json = content(file.bytes)?;
    let (snapshot, others) = Snapshot::parse(unmarked(&json), IMPORT_ENTRIES_MAX)?;
    let id = id_of(file.name)?;
    for name in others {
        let message =
            format!("the member {name:.80?} is none that a snapshot has, or is there twice");
        skip(&mut imported.skipped, Error::new(ErrorKind::NotSupported, message).in_session(&id));
    }
    let mut drafts = snapshot.changes(&State::default())?;
    let mut position = 0;
    drafts.retain(|draft| {
        let checked = check(draft);
        if let Err(error) = &checked {
            let error = error.clone().at(|place| place.draft = Some(position)).in_session(&id);
            skip(&mut imported.skipped, error);
        }
        position += 1;
        checked.is_ok()
    });
    imported.sessions.push(Session::new(Format::Zeitlich, id, drafts));
    Ok(imported)
}

/// A cold store's objects are named by prefix (`threads` unless told), thread key and thread. Other
/// files are named by the thread alone.
fn id_of(path: &str) -> Result<SessionId> {
    let thread = stem(path, &[".gz", ".json"]);
    let mut folders = path.rsplit('/').skip(1);
    match (folders.next(), folders.next()) {
        (Some(key), Some("threads")) => session_id(key, thread),
        _ => SessionId::new(thread),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::import;
    use crate::log::Draft;

    const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/zeitlich_t-1.json.gz");

    #[test]
    fn a_thread_becomes_a_session() {
        let imported = import::read(&[File { name: "t-1.json.gz", bytes: FIXTURE }], None).unwrap();
        assert_eq!((imported.skipped.len(), imported.sessions.len()), (0, 1));
        let session = &imported.sessions[0];
        assert_eq!(session.id.as_str(), "t-1");
        let drafts: Vec<_> = session.drafts.iter().map(Draft::as_str).collect();
        assert_eq!(
            drafts,
            [
                r#"{"item":{"id":"m1","text":"hi"},"id":"m1"}"#,
                r#"{"item":{"id":"m2","text":"日本"},"id":"m2"}"#,
                r#"{"kind":"state","state":{"tasks":[["t1",{"id":"t1","subject":"s","description":"d","activeForm":"a","status":"pending","metadata":{},"blockedBy":[],"blocks":[]}]],"custom":{"counter":3}}}"#,
            ]
        );
    }

    #[test]
    fn the_id_is_the_one_that_the_cold_store_uses() {
        for (name, id) in [
            ("threads/messages/t-1.json.gz", "messages/t-1"),
            ("a/threads/messages/t-1.json", "messages/t-1"),
            ("messages/t-1.json", "t-1"),
            ("t-1.json.gz", "t-1"),
            (".json", ".json"),
        ] {
            assert_eq!(id_of(name).unwrap().as_str(), id, "{name}");
        }
        assert_eq!(id_of("threads/messages/t-1.json.gz"), session_id("messages", "t-1"));
    }

    #[test]
    fn no_damage_is_read_as_a_thread_that_was_never_written() {
        let whole = import::read(&[File { name: "t-1.json.gz", bytes: FIXTURE }], None).unwrap();
        for end in 0..FIXTURE.len() {
            let file = File { name: "t-1.json.gz", bytes: &FIXTURE[..end] };
            assert!(read(&[file]).is_err(), "{end}");
        }
        for at in 0..FIXTURE.len() {
            for change in [1, 0x80, 0xff] {
                let mut bytes = FIXTURE.to_vec();
                bytes[at] ^= change;
                let read = read(&[File { name: "t-1.json.gz", bytes: &bytes }]);
                // The header's time and system may change.
                assert!(read.is_err() || read.unwrap() == whole, "{at}");
            }
        }
    }

    #[test]
    fn members_that_no_snapshot_has_are_told() {
        let json = br#"{"v":1,"messages":[],"state":null,"dedupIds":[],"more":1,"v":2}"#;
        let imported = read(&[File { name: "x.json", bytes: json }]).unwrap();
        let told: Vec<_> = imported.skipped.iter().map(|s| s.error.message()).collect();
        assert!(told[0].contains("\"more\"") && told[1].contains("\"v\""), "{told:?}");
    }

    #[test]
    fn snapshots_are_known_by_their_members() {
        let zeros = "0".repeat(3_000_000);
        let large = format!(r#"{{"messages":["\"{zeros}\""],"v":1,"state":null,"dedupIds":[]}}"#);
        let pretty = "\u{feff}{\n  \"dedupIds\": [],\n  \"messages\": [\n    \"1\"\n  ],\n  \"state\": null,\n  \"v\": 1\n}";
        for json in [&*large, pretty] {
            let imported = import::read(&[File { name: "x.json", bytes: json.as_bytes() }], None);
            let imported = imported.unwrap();
            assert_eq!((imported.sessions[0].drafts.len(), imported.skipped.len()), (1, 0));
            assert_eq!(imported.sessions[0].format, Format::Zeitlich);
        }
        let snapshot = Snapshot::read(large.as_bytes()).unwrap();
        let gzipped = snapshot.write(true);
        assert!(gzipped.len() < large.len() / 200);
        assert_eq!(Snapshot::read(&gzipped).unwrap(), snapshot);
        assert!(import::read(&[File { name: "x.json.gz", bytes: &gzipped }], None).is_ok());
    }

    #[test]
    fn what_is_too_deep_is_left_out_with_its_place() {
        let deep = alloc::format!("{}{}", "[".repeat(70), "]".repeat(70));
        let json = alloc::format!(r#"{{"v":1,"messages":["{deep}"],"state":null,"dedupIds":[]}}"#);
        let imported = read(&[File { name: "x.json", bytes: json.as_bytes() }]).unwrap();
        // A message that is no JSON for an entry is kept as text.
        assert_eq!((imported.sessions[0].drafts.len(), imported.skipped.len()), (1, 0));
        let deep = alloc::format!("{}1{}", "{\"a\":".repeat(63), "}".repeat(63));
        let json = alloc::format!(r#"{{"v":1,"messages":[],"state":{deep},"dedupIds":[]}}"#);
        assert!(read(&[File { name: "x.json", bytes: json.as_bytes() }]).is_ok());
    }
}
