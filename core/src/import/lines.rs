//! Foreign files of JSON objects: one on each line, or one over many lines. Every error has its place.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::content::{skip_of, unmarked};
use super::{File, Skipped};
use crate::entry::utf8;
use crate::json::{Flaw, Object};
use crate::limits::{ENVELOPE_BYTES, LINE_BYTES_MAX};
use crate::log::Draft;
use crate::{Error, ErrorKind, Result};

/// A line of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawLine<'a> {
    /// Its bytes without the line break.
    pub(super) bytes: &'a [u8],
    /// Counted from 1.
    number: u64,
    /// Where it starts.
    offset: u64,
    /// Whether a line break ends it.
    is_ended: bool,
}

/// The lines of a file that are not blank.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = RawLine<'_>> {
    let mut offset = 0;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let lines = lines.map(move |(line, number)| {
        let ended = line.strip_suffix(b"\n");
        let content = ended.unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let line_start = offset;
        offset += line.len() as u64;
        let content = if number == 1 { unmarked(content) } else { content };
        RawLine { bytes: content, number, offset: line_start, is_ended: ended.is_some() }
    });
    lines.filter(|line| !line.bytes.trim_ascii().is_empty())
}

impl<'a> RawLine<'a> {
    /// The object that it holds.
    pub(super) fn object(&self) -> Result<Object<'a>> {
        self.read().map_err(|error| self.place(if self.is_ended { error } else { self.torn() }))
    }

    /// Its text; nothing where it is none.
    pub(super) fn text(&self) -> &'a str {
        utf8(self.bytes).unwrap_or_default().trim_matches([' ', '\t', '\r'])
    }

    /// Its number, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a line break ends it.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The same error, said to be met here.
    pub(super) fn place(&self, error: Error) -> Error {
        error.at(|place| {
            place.line = Some(self.number);
            place.offset = Some(self.offset);
        })
    }

    fn read(&self) -> Result<Object<'a>> {
        if self.bytes.len() > LINE_BYTES_MAX {
            return Err(Error::new(ErrorKind::LineTooLong, "the line has more than 32 MiB"));
        }
        let text = utf8(self.bytes)?;
        Object::scan(text).map_err(|flaw| flawed(flaw, "the line").0)
    }

    fn torn(&self) -> Error {
        Error::new(ErrorKind::TornTail, "the last line was not written to its end")
    }
}

/// Reads a file that is one JSON object, over however many lines, and gives it on one line: line
/// breaks between values became spaces, so every byte is where it was.
pub(super) fn one_line(bytes: &[u8]) -> Result<String> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "the file has more than 32 MiB"));
    }
    let json = utf8(bytes).map_err(|error| {
        let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        error.at(|place| place.offset = Some(valid as u64))
    })?;
    let mark = json.len() - unmarked(bytes).len();
    let json = respaced(json.get(mark..).unwrap_or(json), |json, _| json.push(' '));
    let json = format!("{:mark$}{json}", "");
    match Object::scan(&json).map(|_| ()) {
        Ok(()) => Ok(json),
        Err(flaw) => {
            let (error, at) = flawed(flaw, "the file");
            Err(error.at(|place| place.offset = Some(at as u64)))
        }
    }
}

/// JSON without the white space between its values.
pub(super) fn compact(json: &str) -> String {
    respaced(json, |_, _| ())
}

/// Adds a file's events to a trace: each line that holds an object, byte for byte.
pub(super) fn push_trace(
    file: File<'_>,
    index: usize,
    trace: &mut String,
    skipped: &mut Vec<Skipped>,
) {
    for line in lines(file.bytes) {
        match line.object() {
            Ok(_) => {
                trace.push_str(line.text());
                trace.push('\n');
            }
            Err(error) => skip_of(skipped, index, error),
        }
    }
}

/// A draft that can be appended; else why not.
#[allow(clippy::needless_pass_by_value, reason = "it gives the same draft, in less memory")]
pub(super) fn checked(draft: Draft) -> Result<Draft> {
    if draft.as_str().len() + ENVELOPE_BYTES > LINE_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "its entry would have more than 32 MiB"));
    }
    // What is parsed takes no more memory than its text.
    draft.as_str().parse()
}

fn flawed(flaw: Flaw, whole: &str) -> (Error, usize) {
    let (kind, at, what) = match flaw {
        Flaw::Syntax(at) => (ErrorKind::BadJson, at, "no JSON object"),
        Flaw::Depth(at) => (ErrorKind::TooDeep, at, "nested more than 64 levels deep"),
    };
    (Error::new(kind, format!("{what}, from byte {at} of {whole} on")), at)
}

/// JSON with other white space between its values. What stands in strings is left as it is: a line
/// break there stays one, and is no JSON.
fn respaced(json: &str, space: impl Fn(&mut String, char)) -> String {
    let mut spaced = String::with_capacity(json.len());
    let (mut in_string, mut is_escaped) = (false, false);
    for character in json.chars() {
        match character {
            ' ' | '\t' | '\n' | '\r' if !in_string => space(&mut spaced, character),
            _ => spaced.push(character),
        }
        if character == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = in_string && character == '\\' && !is_escaped;
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn lines_know_their_places() {
        let found: Vec<_> =
            lines(b"{}\n\n \r\n{\"a\":1}\r\nx").map(|l| (l.number, l.offset, l.bytes)).collect();
        assert_eq!(found, [(1, 0, &b"{}"[..]), (4, 7, b"{\"a\":1}"), (5, 16, b"x")]);
    }

    #[test]
    fn pretty_json_keeps_its_values_and_its_offsets() {
        let pretty = "{\n  \"a\": \"x \\\" \\\\\",\r\n\t\"b\": [ 1.50 , {} ]\n}";
        assert_eq!(one_line(pretty.as_bytes()).unwrap().len(), pretty.len());
        assert_eq!(compact(pretty), r#"{"a":"x \" \\","b":[1.50,{}]}"#);
        let largest = [vec![b' '; LINE_BYTES_MAX - 2], b"{}".to_vec()].concat();
        assert_eq!(one_line(&largest).unwrap().len(), LINE_BYTES_MAX);
        assert_eq!(one_line(&[&largest[..], b" "].concat()).unwrap_err().code(), "too_large");
        for (bad, code, offset) in [
            (&b"{\n\"a\":\"\n\"}"[..], "bad_json", 7),
            (b"{\n\"a\":tru}", "bad_json", 6),
            (b" \n[]", "bad_json", 2),
            (b"{\"a\":\"\xff\"}", "invalid_utf8", 6),
            (b"", "bad_json", 0),
        ] {
            let error = one_line(bad).unwrap_err();
            assert_eq!((error.code(), error.place().offset), (code, Some(offset)), "{bad:?}");
        }
    }
}
