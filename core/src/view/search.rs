//! Finding text in what is shown.

use alloc::string::String;

use memchr::memmem::Finder;

use super::part::Part;

/// How often a text stands in a part; in lower case it is to be searched for in lower case.
pub(super) fn count_in(
    finder: &Finder<'_>,
    part: &Part,
    match_case: bool,
    lower: &mut String,
) -> u64 {
    let count = |text: &str| {
        let text = if match_case { text } else { lowered(lower, text) };
        finder.find_iter(text.as_bytes()).count() as u64
    };
    part.texts().into_iter().map(count).sum()
}

/// A text in lower case, in memory that is used again.
fn lowered<'a>(room: &'a mut String, text: &str) -> &'a str {
    room.clear();
    if text.is_ascii() {
        room.push_str(text);
        room.make_ascii_lowercase();
    } else {
        room.extend(text.chars().flat_map(char::to_lowercase));
    }
    room
}
