//! What stands beside a log, and what is told of it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::host::Host;
use super::*;
use crate::log::Draft;
use crate::recovery::{LastResult, Record};
use crate::session::{self, About, Compact, Create, Policy};
use crate::store::{Key, Part};

/// JSON of exactly that length that has those members.
fn padded(members: &str, length: usize) -> Vec<u8> {
    let fixed = alloc::format!("{{{members},\"x\":\"\"}}\n").len();
    alloc::format!("{{{members},\"x\":\"{}\"}}\n", "x".repeat(length - fixed)).into_bytes()
}

fn result(output: &str, name: &str) -> String {
    let item = r#"{"role":"tool","tool_call_id":"#;
    alloc::format!(r#"{item}"{name}","name":"{name}","content":"{output}"}}"#)
}

/// The recovery record of a session with these results of tools.
fn recorded(items: &[String]) -> Record {
    let mut host = Host::default();
    let session = host.session("s", &[]);
    host.run(session::track(session.clone(), "/p")).unwrap();
    let items: Vec<_> = items.iter().map(|item| Draft::tool_result(item)).collect();
    host.append(session, &items);
    host.run(session::rebuild_record(id("s"))).unwrap();
    host.run(session::record(id("s"))).unwrap()
}

#[test]
pub(super) fn a_recovery_record_holds_the_last_results() {
    for (count, kept) in [
        (RECORD_RESULTS_MAX - 1, RECORD_RESULTS_MAX - 1),
        (RECORD_RESULTS_MAX, RECORD_RESULTS_MAX),
        (RECORD_RESULTS_MAX + 1, RECORD_RESULTS_MAX),
    ] {
        let names: Vec<_> = (0..count).map(|at| alloc::format!("tool{at}")).collect();
        let items: Vec<_> = names.iter().map(|name| result("x", name)).collect();
        let results = recorded(&items).last_tool_results;
        assert_eq!(results.len(), kept);
        assert_eq!(Some(&results.back().unwrap().tool_name), names.last());
    }
    for (length, kept) in [
        (RECORD_PREVIEW_BYTES - 1, RECORD_PREVIEW_BYTES - 1),
        (RECORD_PREVIEW_BYTES, RECORD_PREVIEW_BYTES),
        (RECORD_PREVIEW_BYTES + 1, RECORD_PREVIEW_BYTES),
    ] {
        let record = recorded(&[result(&"x".repeat(length), "tool")]);
        assert_eq!(record.last_tool_results[0].output_preview.len(), kept);
    }
}

#[test]
pub(super) fn a_recovery_record_is_read_whatever_a_tool_is_called() {
    for (length, kept) in [
        (RECORD_NAME_BYTES - 1, RECORD_NAME_BYTES - 1),
        (RECORD_NAME_BYTES, RECORD_NAME_BYTES),
        (RECORD_NAME_BYTES + 1, RECORD_NAME_BYTES),
        (RECORD_BYTES_MAX, RECORD_NAME_BYTES),
    ] {
        // Every byte of it is spelled with six.
        let item = result(&"\\u0001".repeat(600), &"\\u0001".repeat(length));
        let record = recorded(&alloc::vec![item; RECORD_RESULTS_MAX]);
        let last: &LastResult = record.last_tool_results.back().unwrap();
        assert_eq!((last.tool_name.len(), last.call_id.len()), (kept, kept));
    }
}

#[test]
pub(super) fn a_recovery_record_is_so_large() {
    let members =
        r#""session_id":"s","message_count":0,"snapshot_timestamp_ms":0,"completed":false"#;
    for length in [RECORD_BYTES_MAX - 1, RECORD_BYTES_MAX] {
        assert!(Record::from_json(&padded(members, length)).is_ok());
    }
    refused(Record::from_json(&padded(members, RECORD_BYTES_MAX + 1)), "bad_entry", "256 KiB");

    let tracked = |folder: usize| {
        let mut host = Host::default();
        let session = host.session("s", &[]);
        host.run(session::track(session, "/".repeat(folder)))?;
        let key = Key::of(&id("s"), Part::Recovery);
        assert!(host.run(session::record(id("s"))).is_ok());
        Ok(host.hot.objects[&key].0.len())
    };
    let fixed = tracked(0).unwrap();
    assert_eq!(tracked(RECORD_BYTES_MAX - fixed), Ok(RECORD_BYTES_MAX));
    refused(tracked(RECORD_BYTES_MAX + 1 - fixed), "too_large", "256 KiB");
}

fn about_set(about: About) -> crate::Result<usize> {
    let mut host = Host::default();
    host.session("s", &[]);
    host.run(session::set_about(id("s"), about.clone()))?;
    assert_eq!(host.run(session::about(id("s"))), Ok(about));
    Ok(host.hot.objects[&Key::of(&id("s"), Part::About)].0.len())
}

#[test]
pub(super) fn a_session_has_so_many_tags() {
    let tags = |count: usize| {
        let tags = (0..count).map(|at| alloc::format!("{at:03}")).collect();
        about_set(About::new(None, tags))
    };
    assert!(tags(TAGS_MAX - 1).is_ok() && tags(TAGS_MAX).is_ok());
    refused(tags(TAGS_MAX + 1), "too_large", "64 tags");
}

#[test]
pub(super) fn title_and_tags_are_so_long() {
    let title = |length: usize| about_set(About::new(Some("x".repeat(length)), Vec::new()));
    let fixed = title(0).unwrap();
    for length in [ABOUT_BYTES_MAX - 1, ABOUT_BYTES_MAX] {
        assert_eq!(title(length - fixed), Ok(length));
    }
    refused(title(ABOUT_BYTES_MAX + 1 - fixed), "too_large", "16 KiB");
}

/// An archived session, and what is noted of it once it is pruned.
fn pruned(reason: &str) -> (Host, crate::session::Retention) {
    let mut host = Host::default();
    host.session("s", &[Draft::run_started()]);
    host.run(session::archive(id("s"))).unwrap();
    host.now_ms += 3_600_000;
    let retention = host.run(session::prune(id("s"), reason)).unwrap();
    (host, retention)
}

#[test]
pub(super) fn a_reason_is_cut() {
    for (length, kept) in [
        (REASON_BYTES_MAX - 1, REASON_BYTES_MAX - 1),
        (REASON_BYTES_MAX, REASON_BYTES_MAX),
        (REASON_BYTES_MAX + 1, REASON_BYTES_MAX),
    ] {
        let (mut host, retention) = pruned(&"\u{1}".repeat(length));
        assert_eq!(retention.pruned.as_ref().unwrap().reason.len(), kept);
        assert_eq!(host.run(session::retention(id("s"))), Ok(Some(retention)));
    }
}

#[test]
pub(super) fn a_record_of_an_archived_session_is_so_large() {
    let (mut host, retention) = pruned("why");
    let key = Key::of(&id("s"), Part::Retention);
    let json = String::from_utf8(host.hot.objects[&key].0.clone()).unwrap();
    let members = json.trim_end().trim_start_matches('{').trim_end_matches('}').to_string();
    let mut read = |length: usize| {
        host.hot.objects.insert(key.clone(), (padded(&members, length), 0));
        host.run(session::retention(id("s"))).unwrap()
    };
    for length in [RETENTION_BYTES_MAX - 1, RETENTION_BYTES_MAX] {
        assert_eq!(read(length), Some(retention.clone()));
    }
    // One that cannot be read says nothing.
    assert_eq!(read(RETENTION_BYTES_MAX + 1), None);
}

#[test]
pub(super) fn a_note_of_a_sweep_is_so_large() {
    let is_swept = |length: usize| {
        let mut host = Host { now_ms: 1000, ..Host::default() };
        let note = padded(r#""version":1,"until":0,"finished":999"#, length);
        host.hot.objects.insert(Key::sweep(), (note, 0));
        host.run(session::sweep_if_due(Policy::default(), 500)).unwrap().sweep.is_some()
    };
    assert!(!is_swept(SWEEP_NOTE_BYTES_MAX - 1) && !is_swept(SWEEP_NOTE_BYTES_MAX));
    // What is not read whole says nothing of a last time; its line break is not needed.
    assert!(is_swept(SWEEP_NOTE_BYTES_MAX + 2));
}

#[test]
pub(super) fn so_many_ancestors_are_followed() {
    let mut host = Host::default();
    host.session("0", &[Draft::user_input("1")]);
    for at in 1..=ANCESTORS_MAX + 1 {
        let options = Create::default().with_id(id(&alloc::format!("{at}"))).salted(false);
        let parent = id(&alloc::format!("{}", at - 1));
        let compact = Compact::new(["1".to_string()].to_vec(), 0);
        host.run(session::create_compacted(parent, compact, options)).unwrap();
        host.requests.clear();
    }
    for (at, followed) in [
        (ANCESTORS_MAX - 1, ANCESTORS_MAX - 1),
        (ANCESTORS_MAX, ANCESTORS_MAX),
        (ANCESTORS_MAX + 1, ANCESTORS_MAX),
    ] {
        let ancestors = host.run(session::ancestors(id(&alloc::format!("{at}")))).unwrap();
        assert_eq!(ancestors.len(), followed);
    }
}

#[test]
pub(super) fn a_title_is_looked_for_near_the_start() {
    let title = |drafts: &[Draft]| {
        let mut host = Host::default();
        host.session("s", drafts);
        let recent = host.run(session::recent(None, 1, None)).unwrap();
        recent.sessions[0].title.as_ref().map(String::len)
    };
    let said = |length: usize| Draft::user_input(&alloc::format!("\"{}\"", "x".repeat(length)));
    let after = |entries: u64, draft: Draft| {
        let before = (1..entries).map(|_| draft.clone());
        title(&before.chain([said(3)]).collect::<Vec<_>>())
    };
    let short = Draft::run_started();
    assert_eq!(after(LISTED_TITLE_ENTRIES - 1, short.clone()), Some(3));
    assert_eq!(after(LISTED_TITLE_ENTRIES, short.clone()), Some(3));
    assert_eq!(after(LISTED_TITLE_ENTRIES + 1, short), None);
    let window = LISTED_TITLE_WINDOW as usize;
    let long = |length: usize| Draft::extension("d", &alloc::format!("\"{}\"", "x".repeat(length)));
    assert_eq!(after(2, long(window - 2000)), Some(3));
    assert_eq!(after(2, long(window)), None);
    assert_eq!(title(&[said(LISTED_TITLE_BYTES - 1)]), Some(LISTED_TITLE_BYTES - 1));
    assert_eq!(title(&[said(LISTED_TITLE_BYTES)]), Some(LISTED_TITLE_BYTES));
    assert_eq!(title(&[said(LISTED_TITLE_BYTES + 1)]), Some(LISTED_TITLE_BYTES));
}
