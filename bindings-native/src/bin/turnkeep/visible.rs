//! Session text is hostile: nothing in it may act on a terminal.
//!
//! Control characters become their pictures (U+2400 …), others that move, hide or reverse text
//! become `<U+…>`. An escape sequence without its ESC is plain text.

use std::borrow::Cow;

/// Text on one line: line breaks and tabs are made visible too.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = |char: char| !char.is_control() && !is_hidden(char);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    text.chars().for_each(|char| show(&mut shown, char));
    Cow::Owned(shown)
}

/// Text of several lines, each indented, so that none can pass for a line of the command's own.
pub(crate) fn block(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        if !line.is_empty() {
            shown.push_str("    ");
        }
        for char in line.chars() {
            match char {
                '\t' => shown.push('\t'),
                char => show(&mut shown, char),
            }
        }
        shown.push('\n');
    }
    shown
}

/// Whether a character is not shown but acts: DEL, C1, directions, line separators, byte order
/// mark, interlinear annotations, tags. (Joiners stay: words of many languages need them.)
pub(crate) fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn show(shown: &mut String, char: char) {
    match char {
        '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(char))),
        '\u{7f}' => shown.push('\u{2421}'),
        char if is_hidden(char) => shown.push_str(&format!("<U+{:04X}>", u32::from(char))),
        char => shown.push(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_is_left() {
        for text in ["\x1b]52;c;eA==\x07", "\u{9b}2J", "\x1b[31m", "a\u{202e}b", "a\rb\u{7f}\0"] {
            for shown in [visible(text).into_owned(), block(text)] {
                let acts = |char: char| (char.is_control() && char != '\n') || is_hidden(char);
                assert!(!shown.contains(acts), "{shown:?}");
            }
        }
        assert_eq!(visible("\x1b[2J\n\u{9b}"), "␛[2J␊<U+009B>");
    }

    #[test]
    fn a_block_keeps_its_lines_and_no_line_reaches_the_margin() {
        assert_eq!(block("one\r\n\n#2\ttwo\n"), "    one\n\n    #2\ttwo\n");
    }
}
