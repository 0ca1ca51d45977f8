//! Lines of text, kept as they will stand inside a JSON string (already escaped).

use std::ops::Range;

/// What a line break is inside a JSON string.
pub(crate) const NEWLINE: &str = "\\n";

/// A text cut into lines; the breaks themselves are not stored.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    text: String,
    ends: Vec<u32>,
}

impl Lines {
    /// The text of the last, still open line goes here, followed by [`Lines::end_line`].
    pub(crate) fn tail(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn end_line(&mut self) {
        self.ends.push(self.text.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all lines as text with line breaks.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * NEWLINE.len()
    }

    fn start(&self, line: usize) -> usize {
        if line == 0 { 0 } else { self.ends[line - 1] as usize }
    }

    pub(crate) fn get(&self, line: usize) -> &str {
        &self.text[self.start(line)..self.ends[line] as usize]
    }

    /// The lines from `first` on that fill `bytes`, at least one (`len` must not be 0).
    pub(crate) fn span(&self, first: usize, bytes: usize) -> Range<usize> {
        let mut left = bytes;
        let mut end = first;
        while end < self.len() && (end == first || left > 0) {
            left = left.saturating_sub(self.get(end).len() + NEWLINE.len());
            end += 1;
        }
        first..end
    }

    /// The lines that contain `needle`.
    pub(crate) fn find(&self, needle: &str) -> impl Iterator<Item = usize> {
        let mut next = 0;
        self.text.match_indices(needle).filter_map(move |(at, _)| {
            let line = self.ends.partition_point(|&end| end as usize <= at);
            let first_within = line >= next && at + needle.len() <= self.ends[line] as usize;
            next = next.max(if first_within { line + 1 } else { next });
            first_within.then_some(line)
        })
    }

    pub(crate) fn push_line(&mut self, line: &str) {
        self.text.push_str(line);
        self.end_line();
    }

    /// Puts `new` in the place of the lines `old`.
    pub(crate) fn replace(&mut self, old: Range<usize>, new: &Self) {
        let (from, to) = (self.start(old.start), self.start(old.end));
        self.text.replace_range(from..to, &new.text);
        let after: Vec<u32> = self.ends[old.end..]
            .iter()
            .map(|end| end - to as u32 + (from + new.text.len()) as u32)
            .collect();
        self.ends.truncate(old.start);
        self.ends.extend(new.ends.iter().map(|end| end + from as u32));
        self.ends.extend(after);
    }

    /// Appends the lines to `out` as they stand in the file.
    pub(crate) fn write(&self, range: Range<usize>, out: &mut String) {
        out.reserve(self.start(range.end) - self.start(range.start) + 2 * range.len());
        for line in range {
            out.push_str(self.get(line));
            out.push_str(NEWLINE);
        }
    }

    /// Appends the lines to `out` as `cat -n` shows them.
    pub(crate) fn write_numbered(&self, range: Range<usize>, out: &mut String) {
        out.reserve(self.start(range.end) - self.start(range.start) + 10 * range.len());
        for line in range {
            push_padded(out, line as u64 + 1, 6);
            out.push_str("\\t");
            out.push_str(self.get(line));
            out.push_str(NEWLINE);
        }
    }
}

pub(crate) fn push_number(out: &mut String, number: u64) {
    push_padded(out, number, 1);
}

/// Right-aligned in `width` columns (at most 20).
pub(crate) fn push_padded(out: &mut String, mut number: u64, width: usize) {
    let mut digits = [b' '; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let from = at.min(digits.len() - width);
    out.extend(digits[from..].iter().map(|&digit| char::from(digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Lines {
        let mut lines = Lines::default();
        text.iter().for_each(|line| lines.push_line(line));
        lines
    }

    fn text(lines: &Lines) -> String {
        let mut out = String::new();
        lines.write(0..lines.len(), &mut out);
        out
    }

    #[test]
    fn replaces_lines() {
        let mut some = lines(&["one", "two", "three", "four"]);
        some.replace(1..3, &lines(&["", "2", "3"]));
        assert_eq!(text(&some), "one\\n\\n2\\n3\\nfour\\n");
        some.replace(5..5, &lines(&["five"]));
        some.replace(0..1, &lines(&[]));
        assert_eq!(text(&some), "\\n2\\n3\\nfour\\nfive\\n");
    }

    #[test]
    fn finds_a_line_once_and_nothing_across_lines() {
        let some = lines(&["bab", "", "abba ab", "b"]);
        assert_eq!(some.find("ab").collect::<Vec<_>>(), [0, 2]);
        assert_eq!(some.find("bb").collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn numbers_lines() {
        let mut out = String::new();
        lines(&["a", "b"]).write_numbered(1..2, &mut out);
        assert_eq!(out, "     2\\tb\\n");
    }
}
