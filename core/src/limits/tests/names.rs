//! Ids and keys.

use super::host::Host;
use super::*;
use crate::SessionId;
use crate::log::Draft;
use crate::session;
use crate::session::tier::encoded;
use crate::store::{Key, ObjectKey, Part, Request};

#[test]
pub(super) fn a_session_id_is_so_long() {
    for length in [ID_BYTES_MAX - 1, ID_BYTES_MAX] {
        assert!(SessionId::new("a".repeat(length)).is_ok());
    }
    refused(SessionId::new("a".repeat(ID_BYTES_MAX + 1)), "invalid_id", "128");
}

#[test]
pub(super) fn an_encoded_session_id_is_so_long() {
    // Three bytes of each `A`.
    let named = |length: usize| SessionId::new("A".repeat(65) + &"a".repeat(length - 195));
    for length in [KEY_BYTES_MAX - 1, KEY_BYTES_MAX] {
        assert_eq!(named(length).unwrap().encoded().len(), length);
    }
    refused(named(KEY_BYTES_MAX + 1), "invalid_id", "200");
}

#[test]
pub(super) fn a_key_is_so_long() {
    let key = |length: usize| {
        let part = "a".repeat(STORE_KEY_PART_BYTES_MAX);
        Key::parse(alloc::format!("{part}/{part}/{}", "a".repeat(length - 2 * part.len() - 2)))
    };
    for length in [STORE_KEY_BYTES_MAX - 1, STORE_KEY_BYTES_MAX] {
        assert_eq!(key(length).unwrap().as_str().len(), length);
    }
    refused(key(STORE_KEY_BYTES_MAX + 1), "invalid_id", "key");
}

#[test]
pub(super) fn a_part_of_a_key_is_so_long() {
    let key = |length: usize| Key::parse(alloc::format!("a/{}", "b".repeat(length)));
    assert!(key(STORE_KEY_PART_BYTES_MAX - 1).is_ok() && key(STORE_KEY_PART_BYTES_MAX).is_ok());
    refused(key(STORE_KEY_PART_BYTES_MAX + 1), "invalid_id", "key");
}

#[test]
pub(super) fn manifests_are_numbered_so_far() {
    for number in [0, MANIFEST_NUMBER_MAX - 1, MANIFEST_NUMBER_MAX] {
        let key = Key::manifest(&id("s"), number);
        assert_eq!(key.object(), Some(ObjectKey::Manifest(id("s"), number)));
        assert!(encoded(&super::cold::manifest(number)).is_ok());
    }
    refused(encoded(&super::cold::manifest(MANIFEST_NUMBER_MAX + 1)), "too_large", "10^10");
}

#[test]
pub(super) fn an_append_names_so_much_of_the_object() {
    let mut host = Host::default();
    let session = host.session("s", &[Draft::run_started()]);
    host.append(session, &[Draft::run_started()]);
    let session = host.run(session::open(id("s"))).unwrap();
    host.append(session, &[Draft::run_started()]);
    // An unfinished write longer than that, in a log and in one that follows an archive.
    let log = Key::of(&id("s"), Part::Log);
    for is_archived in [false, true] {
        if is_archived {
            host.run(session::archive(id("s"))).unwrap();
        }
        let (bytes, _) = host.hot.objects.entry(log.clone()).or_default();
        bytes.extend_from_slice(&[b'x'; 3 * MARK_BYTES_MAX]);
        let session = host.run(session::open(id("s"))).unwrap();
        assert_eq!(session.torn.unwrap().bytes, 3 * MARK_BYTES_MAX as u64);
        host.append(session, &[Draft::run_started()]);
    }
    let named = host.requests.iter().filter_map(|request| match request {
        Request::Append { after, .. } => Some((after.mark.len(), after.torn_start.len())),
        _ => None,
    });
    let (marks, torn): (Vec<_>, Vec<_>) = named.unzip();
    let lengths = || marks.iter().chain(&torn);
    assert!(lengths().all(|length| *length <= MARK_BYTES_MAX), "{marks:?} {torn:?}");
    assert!(marks.iter().any(|length| *length > 0), "{marks:?}");
    assert_eq!(torn.iter().filter(|length| **length > 0).count(), 2, "{torn:?}");
}
