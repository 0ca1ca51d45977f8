//! What a verifier must say of a log with one changed byte, from `docs/format.md` §3.7 alone.

use turnkeep_tests::build::Log;

/// What must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This code on this line, counted from 0.
    Fault(&'static str, usize),
    /// The last line has no end any more: a torn tail, or a missing head for who knows it.
    Unended,
    /// The byte belongs to a write that never finished: nothing of the log is changed.
    Unfinished,
}

/// Length of what precedes REST on the first line, and on the others.
const PREFIX: [usize; 2] = [92, 154];
/// Where the two hashes stand in a line.
const HASH: std::ops::Range<usize> = 9..73;
const PREV: std::ops::Range<usize> = 88..152;
/// What stands before the first line's version.
const BEFORE_VERSION: &str = r#""kind":"session_start","seq":0,"format":"#;

/// The byte at that offset became `byte`.
pub(crate) fn verdict(log: &Log, at: usize, byte: u8) -> Verdict {
    let lines = log.lines();
    let (index, start) = line_at(&lines, at);
    let (line, inside) = (lines[index], at - start);
    let is_ended = |line: &[u8]| line.ends_with(b"\n");
    if !is_ended(line) {
        let breaks = byte == b'\n';
        return if breaks { Verdict::Fault("bad_line", index) } else { Verdict::Unfinished };
    }
    if inside == line.len() - 1 {
        return match lines.get(index + 1) {
            None => Verdict::Unended,
            // The line joins the unfinished one.
            Some(next) if !is_ended(next) => Verdict::Unfinished,
            // The next line is now part of this one's body.
            Some(_) => Verdict::Fault("bad_hash", index),
        };
    }
    Verdict::Fault(code(line, index == 0, inside, byte), index)
}

fn code(line: &[u8], is_first: bool, at: usize, byte: u8) -> &'static str {
    let prefix = PREFIX[usize::from(!is_first)];
    if byte == b'\n' {
        // The line ends here.
        let is_shaped = at > prefix + 1 && line[at - 1] == b'}';
        return if is_shaped { "bad_hash" } else { "bad_line" };
    }
    let is_hex = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_in_hash = HASH.contains(&at) || (!is_first && PREV.contains(&at));
    if at < prefix {
        return match is_in_hash && is_hex {
            false => "bad_line",
            true if HASH.contains(&at) => "bad_hash",
            true => "broken_link",
        };
    }
    let version = prefix + BEFORE_VERSION.len();
    let is_newer = is_first && at == version && (b'2'..=b'9').contains(&byte);
    let is_last = at == line.len() - 2;
    match (is_last, is_newer) {
        (true, _) => "bad_line",
        (_, true) => "unsupported_version",
        _ => "bad_hash",
    }
}

/// The line that a byte belongs to, counted from 0, and where it starts.
pub(crate) fn line_at(lines: &[&[u8]], at: usize) -> (usize, usize) {
    let mut start = 0;
    for (index, line) in lines.iter().enumerate() {
        if at < start + line.len() {
            return (index, start);
        }
        start += line.len();
    }
    (lines.len(), start)
}
