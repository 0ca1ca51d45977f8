//! What hosts hand in and get: the functions behind the wasm's, which itself can only be called from
//! JavaScript.

use turnkeep_core::recovery::Record;
use turnkeep_core::store::{Key, Part};
use turnkeep_core::zeitlich::{self, Snapshot};
use turnkeep_core::{Hash, SessionId};

use crate::check::{is_json, stable};
use crate::input::Input;
use crate::make;

/// Ids, keys, hashes, recovery records and threads: what is taken comes back as it was.
pub fn boundary(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    id(&text);
    key(&text);
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string(), text);
    }
    record(data);
    snapshot(data);
    snapshot(&make::gzip(data));
    thread(data);
}

fn id(text: &str) {
    match SessionId::new(text) {
        Err(error) => stable(&error),
        Ok(id) => {
            assert_eq!(SessionId::decode(&id.encoded()).as_ref(), Ok(&id));
            for part in [Part::Log, Part::Archive, Part::About, Part::Trace, Part::Retention] {
                let key = Key::of(&id, part);
                assert_eq!(key.session(), Some((id.clone(), part)));
                assert!(Key::parse(key.as_str()).is_ok(), "{key}");
            }
            assert!(Key::parse(Key::manifest(&id, 3).as_str()).is_ok());
        }
    }
    match SessionId::decode(text) {
        Err(error) => stable(&error),
        Ok(id) => assert_eq!(id.encoded(), text),
    }
}

fn key(text: &str) {
    match Key::parse(text) {
        Err(error) => stable(&error),
        Ok(key) => {
            assert_eq!(key.as_str(), text);
            assert!(text.split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
            if let Some((id, part)) = key.session() {
                assert_eq!(Key::of(&id, part), key);
            }
            _ = (key.object(), key.imported());
        }
    }
}

fn record(data: &[u8]) {
    match Record::from_json(data) {
        Err(error) => stable(&error),
        Ok(record) => {
            let json = record.to_json();
            is_json(&json);
            let again = Record::from_json(json.as_bytes());
            assert_eq!(again.as_ref(), Ok(&record), "{json}");
        }
    }
}

fn snapshot(data: &[u8]) {
    match Snapshot::read(data) {
        Err(error) => stable(&error),
        Ok(snapshot) => {
            for gzipped in [false, true] {
                let again = Snapshot::read(&snapshot.write(gzipped));
                assert_eq!(again.as_ref(), Ok(&snapshot));
            }
        }
    }
}

/// No two threads have one session.
fn thread(data: &[u8]) {
    let mut input = Input::new(data);
    let mut text = || String::from_utf8_lossy(input.piece()).into_owned();
    let [key, thread, other_key, other_thread] = [text(), text(), text(), text()];
    let ids =
        [zeitlich::session_id(&key, &thread), zeitlich::session_id(&other_key, &other_thread)];
    if let [Ok(one), Ok(other)] = ids {
        assert_eq!(one == other, (key, thread) == (other_key, other_thread));
    }
}
