//! Every limit at, below and above itself, by subject; and a list that forgets none.

mod archives;
mod cold;
mod host;
mod imports;
mod lines;
mod names;
mod records;
mod shown;

use alloc::vec::Vec;

use super::*;

/// The text of the file of limits, of the format's description, and of tests that stand elsewhere.
const LIMITS: &str = include_str!("../../limits.rs");
const FORMAT: &str = include_str!("../../../../docs/format.md");
const AGENTMUX: &str = include_str!("../../import/agentmux/tests.rs");
const TERMS: &str = include_str!("../../import/etf/tests/mod.rs");
const STORE: &str = include_str!("../../import/session_store/tests/kept.rs");

/// A limit's name, its value, and the test that shows both of its sides.
struct Tested(&'static str, u64, Test);

enum Test {
    /// That it is there is checked where it is named.
    Here(#[allow(dead_code, reason = "it is run by itself")] fn()),
    /// In the file of that text, the test of that name.
    In(&'static str, &'static str),
}

macro_rules! tested {
    ($($name:ident: $test:expr),* $(,)?) => {
        &[$(Tested(stringify!($name), $name as u64, $test)),*]
    };
}

use Test::{Here, In};

const TESTED: &[Tested] = tested![
    LINE_BYTES_MAX: Here(lines::the_longest_line_is_written_and_read),
    BATCH_ENTRIES_MAX: Here(lines::a_batch_has_so_many_entries),
    BATCH_BYTES_MAX: Here(lines::a_batch_has_so_many_bytes),
    DEPTH_MAX: Here(lines::a_body_is_so_deep),
    INTEGER_MAX: Here(lines::numbers_end),
    KIND_BYTES_MAX: Here(lines::a_kind_is_so_long),
    ID_BYTES_MAX: Here(names::a_session_id_is_so_long),
    KEY_BYTES_MAX: Here(names::an_encoded_session_id_is_so_long),
    ITEM_ID_BYTES_MAX: Here(lines::an_item_id_is_so_long),
    BLOCK_BYTES: Here(archives::a_block_is_closed_once_it_holds_enough),
    INDEX_BYTES_MAX: Here(archives::an_index_that_does_not_fit_is_merged),
    RATIO_MAX: Here(archives::a_foreign_file_grows_so_much),
    RATIO_FREE_BYTES: Here(archives::so_much_is_free_of_the_ratio),
    REASON_BYTES_MAX: Here(records::a_reason_is_cut),
    SEGMENT_BYTES: Here(cold::a_segment_is_closed_once_it_holds_enough),
    SEGMENTS_MAX: Here(cold::a_manifest_names_so_many_segments),
    INLINE_TAIL_BYTES: Here(cold::short_lines_stand_in_the_manifest),
    INLINE_SLICE_BYTES: Here(cold::a_short_slice_stands_in_the_manifest),
    RECENT_IDS: Here(cold::ids_go_into_a_list_once_they_are_many),
    MANIFEST_BYTES_MAX: Here(cold::a_manifest_is_so_large),
    MANIFEST_NUMBER_MAX: Here(names::manifests_are_numbered_so_far),
    IDS_BYTES_MAX: Here(cold::a_list_of_ids_is_so_large),
    SNAPSHOT_BYTES_MAX: Here(archives::a_snapshot_is_inflated_to_so_much),
    DEFLATE_RATIO_MAX: Here(archives::deflate_never_gives_more),
    GZIP_HEADER_BYTES_MAX: Here(archives::a_header_is_so_long),
    STORE_KEY_BYTES_MAX: Here(names::a_key_is_so_long),
    STORE_KEY_PART_BYTES_MAX: Here(names::a_part_of_a_key_is_so_long),
    MARK_BYTES_MAX: Here(names::an_append_names_so_much_of_the_object),
    PART_BYTES: Here(cold::parts_that_are_not_the_last_are_so_long),
    CACHE_BYTES: Here(shown::values_are_put_in_groups),
    CACHE_KEYS: Here(shown::values_are_put_in_groups),
    RECORD_RESULTS_MAX: Here(records::a_recovery_record_holds_the_last_results),
    RECORD_PREVIEW_BYTES: Here(records::a_recovery_record_holds_the_last_results),
    RECORD_NAME_BYTES: Here(records::a_recovery_record_is_read_whatever_a_tool_is_called),
    RECORD_BYTES_MAX: Here(records::a_recovery_record_is_so_large),
    TAGS_MAX: Here(records::a_session_has_so_many_tags),
    ABOUT_BYTES_MAX: Here(records::title_and_tags_are_so_long),
    RETENTION_BYTES_MAX: Here(records::a_record_of_an_archived_session_is_so_large),
    SWEEP_NOTE_BYTES_MAX: Here(records::a_note_of_a_sweep_is_so_large),
    ANCESTORS_MAX: Here(records::so_many_ancestors_are_followed),
    LISTED_TITLE_ENTRIES: Here(records::a_title_is_looked_for_near_the_start),
    LISTED_TITLE_WINDOW: Here(records::a_title_is_looked_for_near_the_start),
    LISTED_TITLE_BYTES: Here(records::a_title_is_looked_for_near_the_start),
    RECENT_IDS_MAX: Here(cold::more_ids_go_into_a_list_at_once),
    THREAD_BATCH_BYTES: Here(cold::a_thread_is_appended_in_batches),
    COLLECTION_KEYS_MAX: Here(cold::so_many_unused_objects_are_noted),
    COLLECTION_BYTES_MAX: Here(cold::so_many_unused_objects_are_noted),
    YOUNG_MS: Here(cold::an_old_object_is_not_relied_on),
    GRACE_MS_MIN: Here(cold::the_least_grace),
    GRAVE_MS_MIN: Here(cold::the_end_of_a_session_is_kept_so_long),
    VIEW_BLOCK_BYTES_MAX: Here(shown::a_block_is_inflated_so_far),
    VIEW_PART_BYTES: Here(shown::a_part_is_cut),
    VIEW_PREVIEW_BYTES: Here(shown::a_preview_is_cut),
    VIEW_NAME_BYTES_MAX: Here(shown::a_longer_name_is_not_shown),
    DETECT_LINES: Here(imports::so_many_lines_tell_the_system),
    ENVELOPE_BYTES: Here(lines::the_longest_envelope_fits),
    TITLE_BYTES_MAX: Here(imports::a_foreign_title_is_cut),
    IMPORT_TAGS_BYTES: Here(imports::foreign_tags_are_taken_as_far_as_they_fit),
    IMPORT_BYTES_MAX: Here(imports::a_foreign_file_is_so_large),
    IMPORT_START_BYTES: Here(imports::so_much_of_a_file_tells_the_system),
    IMPORT_ENTRIES_MAX: In(AGENTMUX, "a_session_has_so_many_entries_at_most"),
    IMPORT_SKIPPED_MAX: In(STORE, "what_is_told_has_its_place_and_its_bound"),
    IMPORT_TEXT_BYTES: Here(imports::text_is_taken_together),
    IMPORT_BATCH_BYTES: Here(imports::imported_entries_come_in_batches),
    IMPORT_BATCH_ENTRIES: Here(imports::imported_entries_come_in_batches),
    TERM_INTEGER_BYTES_MAX: In(TERMS, "long_integers_are_decimal_up_to_a_bound"),
];

/// The limits that a text declares.
fn declared(text: &str) -> Vec<&str> {
    let names = text.lines().filter_map(|line| line.strip_prefix("pub const "));
    names.filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

#[test]
fn no_limit_is_without_a_test() {
    let tested: Vec<_> = TESTED.iter().map(|Tested(name, ..)| *name).collect();
    assert_eq!(tested, declared(LIMITS));
    for Tested(name, _, test) in TESTED {
        if let In(text, test) = test {
            assert!(text.contains(&alloc::format!("#[test]\nfn {test}()")), "{name}: {test}");
            assert!(text.contains(name), "{name} is not named where it is tested");
        }
    }
}

#[test]
fn the_limits_of_the_format_are_those_that_it_describes() {
    let section = FORMAT.split("\n## 8 Limits\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split('|').map(str::trim);
        let (name, value) = (cells.next()?, cells.next()?.replace(',', ""));
        Some((alloc::string::String::from(name), value.parse::<u64>().ok()?))
    };
    let described: Vec<_> = section.lines().filter_map(row).collect();
    let of_format = LIMITS.split("// Of this reader").next().unwrap();
    let ours: Vec<_> = TESTED
        .iter()
        .take(declared(of_format).len())
        .map(|Tested(name, value, _)| ((*name).into(), *value))
        .collect();
    assert_eq!(described, ours);
}

fn id(id: &str) -> crate::SessionId {
    crate::SessionId::new(id).unwrap()
}

/// What is answered, told by its code and what the message says.
fn refused<T: core::fmt::Debug>(result: crate::Result<T>, code: &str, says: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{}", error.message());
    assert!(error.message().contains(says), "{:?} does not say {says:?}", error.message());
}

/// Bytes that deflate cannot shorten.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The same as text.
fn noisy_text(length: usize) -> alloc::string::String {
    noise(length).iter().map(|byte| char::from(b'0' + byte % 64)).map(plain).collect()
}

/// What needs no escape.
fn plain(char: char) -> char {
    if char == '\\' { 'z' } else { char }
}
