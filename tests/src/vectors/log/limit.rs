//! Check 1: the longest line, and longer ones.

use super::Case;
use crate::build::{Log, entry, start};

const LINE_BYTES_MAX: usize = 33_554_432;

pub(super) fn cases() -> Vec<Case> {
    let first = Log::of(&[start("")]);
    let of = |length: usize, end: &str| {
        let filler = "x".repeat(length);
        first.and(filler.as_bytes()).and(end.as_bytes())
    };
    let longest = long_line(LINE_BYTES_MAX);
    vec![
        Case::new("limit-longest-line", longest),
        Case::new("limit-line-too-long", long_line(LINE_BYTES_MAX + 1)).fails("line_too_long", 2),
        Case::new("limit-no-line-and-too-long", of(LINE_BYTES_MAX + 1, "\n"))
            .fails("line_too_long", 2),
        Case::new("limit-longest-tail", of(LINE_BYTES_MAX, "")).head(0).torn(),
        Case::new("limit-tail-too-long", of(LINE_BYTES_MAX + 1, "")).fails("line_too_long", 2),
        Case::new("limit-first-line-too-long", Log(vec![b' '; LINE_BYTES_MAX + 9]))
            .fails("line_too_long", 1),
    ]
}

/// A start, and an entry of exactly that length.
fn long_line(length: usize) -> Log {
    let rest =
        |size: usize| entry(1, "tool_result", &format!(",\"item\":\"{}\"", "x".repeat(size)));
    let size = length - 154 - rest(0).len();
    Log::of(&[start(""), rest(size)])
}
