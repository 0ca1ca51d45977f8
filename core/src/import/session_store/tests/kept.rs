//! Odd entries, of which nothing is lost.

use super::*;

#[test]
fn a_time_that_is_none_is_kept_and_told() {
    let line = |ts: &str| format!(r#"{{"kind":"assistant_item","ts":{ts},"item":1}}"#);
    for ts in ["\"2026-04-01\"", "-1", "1.5", "null", "9007199254740992"] {
        let imported = imported(line(ts).as_bytes());
        let draft = format!(r#"{{"kind":"assistant_item","told_ts":{ts},"item":1}}"#);
        assert_eq!(imported.sessions[0].drafts[0].as_str(), draft);
        assert_eq!(places(&imported), [("bad_entry", Some(1), Some(0))]);
    }
    assert_eq!(drafts(&line("7")), [r#"{"kind":"assistant_item","ts":7,"item":1}"#]);
}

#[test]
fn extensions_of_an_input_are_all_kept() {
    let input =
        |value: &str| format!(r#"{{"kind":"user_input","ts":1,"item":1,"extensions":{value}}}"#);
    assert_eq!(
        drafts(&input(r#"[{"domain":"d","payload":2},{"domain":"d","payload":2,"x":3},7]"#)),
        [
            r#"{"kind":"user_input","ts":1,"item":1,"extensions":[{"domain":"d","payload":2,"x":3},7]}"#,
            r#"{"kind":"extension","ts":1,"domain":"d","payload":2}"#,
        ]
    );
    let object = input(r#"{"domain":"d","payload":2}"#);
    assert_eq!(drafts(&object), [&*object]);
    assert_eq!(drafts(&input("null")), [r#"{"kind":"user_input","ts":1,"item":1}"#]);
}

#[test]
fn an_entry_without_items_is_kept_if_it_says_anything() {
    let note = r#"{"kind":"assistant_items","ts":1,"items":[],"note":"x"}"#;
    let kept = format!(
        r#"{{"kind":"extension","ts":1,"domain":"session_store.assistant_items","payload":{note}}}"#
    );
    let bare = r#"{"kind":"tool_results","ts":1,"items":[]}"#;
    assert_eq!(drafts(&format!("{note}\n{bare}")), [kept]);
}

#[test]
fn members_that_stand_twice_are_kept() {
    let line = r#"{"kind":"session_start","ts":1,"history":[1],"history":[2]}"#;
    let imported = imported(line.as_bytes());
    assert!(imported.sessions[0].drafts[0].as_str().ends_with(&format!("{line}}}")));
    assert_eq!(places(&imported), [("duplicate_key", Some(1), Some(0))]);
}

#[test]
fn what_is_told_has_its_place_and_its_bound() {
    let imported = imported("x\n".repeat(5000).as_bytes());
    assert_eq!(imported.skipped.len(), crate::limits::IMPORT_SKIPPED_MAX + 1);
    let last = &imported.skipped[crate::limits::IMPORT_SKIPPED_MAX].error;
    assert_eq!((last.code(), last.place().line), ("too_large", Some(2049)));
}

#[test]
fn one_line_brings_no_more_entries_than_there_is_room_for() {
    let most = crate::limits::IMPORT_ENTRIES_MAX;
    let items = format!(r#"{{"kind":"assistant_items","ts":1,"items":[{}0]}}"#, "0,".repeat(most));
    let extension = r#"{"domain":"x","payload":0},"#.repeat(most);
    let extensions = extension.trim_end_matches(',');
    let input = format!(r#"{{"kind":"user_input","ts":1,"item":0,"extensions":[{extensions}]}}"#);
    for line in [items, input] {
        let imported = imported(format!("{USER}\n{line}\n").as_bytes());
        assert_eq!(imported.sessions[0].drafts.len(), most);
        let place = USER.len() as u64 + 1;
        assert_eq!(places(&imported), [("too_large", Some(2), Some(place))]);
    }
}

#[test]
fn a_session_has_so_many_entries_at_most() {
    let imported = imported(format!("{USER}\n").repeat(5000).as_bytes());
    let most = crate::limits::IMPORT_ENTRIES_MAX;
    assert_eq!(imported.sessions[0].drafts.len(), most);
    let place = (USER.len() as u64 + 1) * most as u64;
    assert_eq!(places(&imported), [("too_large", Some(most as u64 + 1), Some(place))]);
}
