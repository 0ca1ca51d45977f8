//! The header `Range` (RFC 9110, 14): one range of bytes.

use std::ops::Range;

/// What is to be given of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: no range was named, or none that is understood. Several ranges are not.
    Whole,
    Part(Range<u64>),
    /// The range begins behind the end.
    Nothing,
}

/// What a value of `Range` asks of an object of so many bytes.
pub(super) fn wanted(value: Option<&str>, bytes: u64) -> Wanted {
    let Some((first, last)) = value.and_then(bounds) else { return Wanted::Whole };
    let range = match (first, last) {
        (Some(first), Some(last)) if first > last => return Wanted::Whole,
        (Some(first), last) => first..last.map_or(bytes, |last| last.saturating_add(1).min(bytes)),
        (None, Some(count)) => bytes.saturating_sub(count)..bytes,
        (None, None) => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

/// The numbers before and after the dash.
fn bounds(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = value.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    Some((number(first)?, number(last)?))
}

/// A number, or nothing; one that is too large is as large as any.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_off_at_the_end() {
        for (value, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=9-9", 9..10),
            ("bytes=0-", 0..10),
            ("bytes=4-7", 4..8),
            ("Bytes = 4-7", 4..8),
            ("bytes=4-10", 4..10),
            ("bytes=4-99999999999999999999999", 4..10),
            ("bytes=-1", 9..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
        ] {
            assert_eq!(wanted(Some(value), 10), Wanted::Part(range), "{value}");
        }
    }

    #[test]
    fn what_begins_behind_the_end_is_nothing() {
        for value in ["bytes=10-", "bytes=10-11", "bytes=99999999999999999999999-", "bytes=-0"] {
            assert_eq!(wanted(Some(value), 10), Wanted::Nothing, "{value}");
        }
        for value in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            assert_eq!(wanted(Some(value), 0), Wanted::Nothing, "{value}");
        }
    }

    #[test]
    fn what_is_not_understood_is_as_if_it_were_not_there() {
        assert_eq!(wanted(None, 10), Wanted::Whole);
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes=1 - 2",
        ] {
            assert_eq!(wanted(Some(value), 10), Wanted::Whole, "{value}");
        }
    }
}
