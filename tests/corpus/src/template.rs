//! Templates of the pool: text with slots.
//!
//! A slot is `$` and a letter, then maybe a digit: within one [`Bound`] the same letter and digit give
//! the same word. `$$` is a dollar sign, `^[` the escape character. A line that holds only `$*` stands
//! for some statements.
//!
//! | slot | is |
//! |---|---|
//! | `n` `m` `N` `K` | a name: `a_name`, `aName`, `AName`, `A_NAME` |
//! | `T` `v` `V` | a type, a verb, a verb with a capital |
//! | `i` `y` | a short variable, a built-in type of the language |
//! | `w` `a` `q` | a noun, an adjective, a verb of prose |
//! | `d` `D` `x` | a number below 1000, a larger one, eight hex digits |
//! | `e` `h` | a number from 10 to 59 (minutes), from 10 to 23 (hours, days) |
//! | `s` `k` | a sentence, a comment |
//! | `F` `f` `p` `L` `u` | this file, some file, a directory, a line number, a line of this file |
//! | `z` | the time |

/// Some lines with slots.
pub(crate) struct Template(pub(crate) Vec<Line>);

/// One line of a template.
pub(crate) enum Line {
    Text(Vec<Piece>),
    /// Statements, indented by this much.
    Body(String),
}

pub(crate) enum Piece {
    /// Escaped for JSON.
    Text(String),
    Slot(Slot),
}

#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) letter: u8,
    /// 0: every use draws anew.
    pub(crate) digit: u8,
}

impl Template {
    pub(crate) fn parse(lines: &[&str]) -> Self {
        Self(lines.iter().map(|line| Line::parse(line)).collect())
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        match line.strip_suffix("$*") {
            Some(indent) => Self::Body(escape(indent)),
            None => Self::Text(pieces(line)),
        }
    }
}

fn pieces(mut rest: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while let Some(at) = rest.find('$') {
        let (before, slot) = (&rest[..at], &rest.as_bytes()[at + 1..]);
        let letter = slot.first().copied().unwrap_or(b'$');
        if letter.is_ascii_alphabetic() {
            let digit = slot.get(1).filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0');
            pieces.push(Piece::Text(escape(before)));
            pieces.push(Piece::Slot(Slot { letter, digit: digit.unwrap_or(0) }));
            rest = &rest[at + 2 + usize::from(digit.is_some())..];
        } else {
            // `$$` or, as in a JavaScript template string, `${`.
            pieces.push(Piece::Text(escape(&rest[..=at])));
            rest = &rest[at + 1 + usize::from(letter == b'$')..];
        }
    }
    pieces.push(Piece::Text(escape(rest)));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    pieces
}

/// As `JSON.stringify` would, but for what the pool does not hold.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t").replace("^[", "\\u001b")
}

/// What the numbered slots of one template stand for.
pub(crate) struct Bound([[u16; 10]; 6]);

impl Bound {
    pub(crate) fn new() -> Self {
        Self([[u16::MAX; 10]; 6])
    }

    /// The index for `digit` in a `kind` of words, drawn at its first use.
    pub(crate) fn index(
        &mut self,
        kind: usize,
        digit: u8,
        mut draw: impl FnMut() -> usize,
    ) -> usize {
        let taken = &mut self.0[kind];
        let at = usize::from(digit);
        if digit == 0 {
            return draw();
        }
        if taken[at] == u16::MAX {
            // Another digit should be another word, if there is one left.
            let drawn = [draw(), draw(), draw()].map(|index| index as u16);
            taken[at] = *drawn.iter().find(|index| !taken.contains(index)).unwrap_or(&drawn[0]);
        }
        usize::from(taken[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_slots() {
        let text: Vec<String> = pieces("let $n1_x = `${$m}$$\\` $d,\t\"")
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Slot(slot) => format!("<{}{}>", char::from(slot.letter), slot.digit),
            })
            .collect();
        let expected = ["let ", "<n1>", "_x = `$", "{", "<m0>", "}$", "\\\\` ", "<d0>", ",\\t\\\""];
        assert_eq!(text, expected);
    }
}
