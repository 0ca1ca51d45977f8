//! The page's view: whatever a file is, the page shows it, and what it shows is JSON.

use turnkeep_core::sha256;
use turnkeep_core::view::{self, Lines, Place};

use crate::check::{is_json, stable};
use crate::input::Input;
use crate::make;

/// Rows, entries, texts and matches of any bytes, at any place.
pub fn view(data: &[u8]) {
    let mut input = Input::new(data);
    let (row, seq) = (input.number(), input.number());
    let prev = (input.byte() & 1 > 0).then(|| sha256(b"before"));
    let place = Place { row, seq: Some(seq).filter(|seq| *seq > 2), offset: input.number(), prev };
    let (from, to) = (input.below(40), input.below(40));
    let needle = String::from_utf8_lossy(input.bytes(3)).into_owned();
    let rest = input.rest();
    for bytes in [rest.to_vec(), make::rehashed(rest)] {
        look(&Lines::new(bytes), place, from..to, &needle);
    }
    let (raw, count) = (input.number(), input.number());
    look(&Lines::inflate(rest, raw, count), place, from..to, &needle);
    compressed(rest, raw);
}

fn look(lines: &Lines, place: Place, range: std::ops::Range<usize>, needle: &str) {
    let all = lines.rows(place, 0..lines.len());
    is_json(&all);
    let rows = all.matches(r#"{"row":"#).count();
    assert!(rows >= lines.len(), "{rows} rows of {} lines", lines.len());
    for range in [0..lines.len(), range.clone(), range.start..usize::MAX] {
        is_json(&lines.rows(place, range.clone()));
        is_json(&lines.entries(place, range));
    }
    for at in [0, 1, lines.len(), usize::MAX] {
        assert!(at < lines.len() || lines.line(at).is_empty());
        _ = lines.markdown(at);
        _ = lines.part_text(at, at % 3);
    }
    for match_case in [true, false] {
        let found = lines.search(needle, match_case);
        assert!(found.iter().all(|(at, count)| *at < lines.len() && *count > 0));
        assert!(found.is_sorted());
    }
    lines.fault().into_iter().for_each(stable);
}

/// A block inflates to no more than was asked for, and not whole without being so.
fn compressed(bytes: &[u8], raw_bytes: u64) {
    let (raw, fault) = view::inflate_block(bytes, raw_bytes);
    assert!(raw.len() as u64 <= raw_bytes);
    assert!(fault.is_some() || raw.len() as u64 == raw_bytes);
}
