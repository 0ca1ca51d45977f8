//! Finding text in what is shown.

use alloc::string::String;
use alloc::vec::Vec;

use super::row::{each_line, parts_of};

/// How often a text stands in what each of some lines shows: the places of the lines among these, and
/// how often, for those that have it. Without `match_case`, letters are compared in lower case.
#[must_use]
pub fn search(lines: &[u8], text: &str, match_case: bool) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let needle = if match_case { text.into() } else { text.to_lowercase() };
    if needle.is_empty() {
        return found;
    }
    let finder = memchr::memmem::Finder::new(needle.as_bytes());
    let mut lower = String::new();
    each_line(lines, |at, _, line| {
        let mut count = 0;
        for part in parts_of(line) {
            for text in part.texts() {
                let text = if match_case { text } else { lowered(&mut lower, text) };
                count += finder.find_iter(text.as_bytes()).count() as u64;
            }
        }
        if count > 0 {
            found.push((at, count));
        }
    });
    found
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
