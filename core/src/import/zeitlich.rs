//! What zeitlich wrote.

use super::content::{check, file_name, skip, start, stem};
use super::{File, Imported, Session, Skipped};
use crate::session::About;
use crate::state::State;
use crate::zeitlich::{Snapshot, session_id};
use crate::{Result, SessionId};

/// Whether a file holds a thread's snapshot, as it starts in zeitlich's own writing.
pub(super) fn detects(file: File<'_>) -> bool {
    start(file.bytes).starts_with(br#"{"v":"#)
}

pub(super) fn read(files: &[File<'_>]) -> Result<Imported> {
    let mut imported = Imported::default();
    for (index, file) in files.iter().enumerate() {
        read_file(*file, &mut imported, index)?;
    }
    Ok(imported)
}

fn read_file(file: File<'_>, imported: &mut Imported, index: usize) -> Result<()> {
    let snapshot = Snapshot::read(file.bytes)?;
    let (id, mut skipped) = (id_of(file.name)?, alloc::vec::Vec::new());
    let mut drafts = snapshot.changes(&State::default())?;
    let mut position = 0;
    drafts.retain(|draft| {
        let checked = check(draft);
        if let Err(error) = &checked {
            let error = error.clone().at(|place| place.draft = Some(position)).in_session(&id);
            skip(&mut skipped, error);
        }
        position += 1;
        checked.is_ok()
    });
    imported.skipped.extend(skipped.into_iter().map(|one| Skipped { file: index, ..one }));
    imported.sessions.push(Session {
        id,
        files: alloc::vec![index],
        about: About::default(),
        drafts,
        trace: Default::default(),
        chain: None,
    });
    Ok(())
}

/// A cold store's objects are named by prefix, thread key and thread.
fn id_of(path: &str) -> Result<SessionId> {
    let thread = stem(path, &[".gz", ".json"]);
    let folders = path.strip_suffix(file_name(path)).unwrap_or_default().trim_end_matches('/');
    match folders.rsplit_once('/') {
        Some((_, key)) if !key.is_empty() => session_id(key, thread),
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
