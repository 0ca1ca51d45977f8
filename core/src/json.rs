//! A strict JSON scanner: says whether text is JSON, how deep it nests, and where the members of
//! the outermost object stand. It builds no values and changes no byte.
//!
//! `serde_json` can check the same, at a third of the speed; this scan runs on every append beside
//! SHA-256, so its speed decides the speed of recording. The tests hold the two against each other.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::limits::DEPTH_MAX;

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not JSON from here on.
    Syntax(usize),
    /// Nested deeper than [`DEPTH_MAX`].
    Depth(usize),
}

/// Where the members of an object stand in its text: key without quotes, value.
#[derive(Debug, Default)]
pub(crate) struct Members {
    spans: Vec<(Range<usize>, Range<usize>)>,
}

impl Members {
    /// Scans an object's text from after its `{` to its end, reusing this value's memory.
    pub(crate) fn scan(&mut self, rest: &str) -> Result<(), Flaw> {
        self.spans.clear();
        let mut scanner = Scanner { bytes: rest.as_bytes(), at: 0 };
        scanner.members(|key, value| self.spans.push((key, value)))?;
        scanner.end()
    }

    /// The members in the order they stand; `rest` is the text that was scanned.
    pub(crate) fn iter<'a>(&'a self, rest: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = move |range: &Range<usize>| rest.get(range.clone()).unwrap_or_default();
        self.spans.iter().map(move |(key, value)| (text(key), text(value)))
    }

    /// The value of the first member of that name.
    pub(crate) fn find<'a>(&'a self, rest: &'a str, name: &str) -> Option<&'a str> {
        self.iter(rest).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }
}

/// An object of a payload, of which some members are looked at.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    rest: &'a str,
    members: Members,
}

impl<'a> Object<'a> {
    /// The object that some JSON text is; `None` where it is none.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        let rest = json.trim_matches([' ', '\t', '\n', '\r']).strip_prefix('{')?;
        let mut members = Members::default();
        members.scan(rest).ok()?;
        Some(Self { rest, members })
    }

    /// The same, or what is wrong with the text, and at which of its bytes.
    pub(crate) fn scan(json: &'a str) -> Result<Self, Flaw> {
        let text = json.trim_start_matches([' ', '\t', '\n', '\r']);
        let start = json.len() - text.len();
        let rest = text.strip_prefix('{').ok_or(Flaw::Syntax(start))?;
        let rest = rest.trim_end_matches([' ', '\t', '\n', '\r']);
        let mut members = Members::default();
        members.scan(rest).map_err(|flaw| match flaw {
            Flaw::Syntax(at) => Flaw::Syntax(start + 1 + at),
            Flaw::Depth(at) => Flaw::Depth(start + 1 + at),
        })?;
        Ok(Self { rest, members })
    }

    /// The members in the order they stand: keys as they are spelled, JSON texts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let rest = self.rest;
        let text = move |range: &Range<usize>| rest.get(range.clone()).unwrap_or_default();
        self.members.spans.iter().map(move |(key, value)| (text(key), text(value)))
    }

    /// The JSON text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let text = |range: &Range<usize>| self.rest.get(range.clone());
        let is_name = |key: &Range<usize>| text(key) == Some(name);
        let (_, value) = self.members.spans.iter().find(|(key, _)| is_name(key))?;
        text(value)
    }

    /// How many members it has.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        crate::field::text(self.get(name)?)
    }

    /// The elements of a member that is an array; none where it is not.
    pub(crate) fn elements(&self, name: &str) -> Vec<&'a str> {
        self.get(name).and_then(elements).unwrap_or_default()
    }
}

/// The elements of a JSON array's text, in order; `None` where the value is no array.
pub(crate) fn elements(array: &str) -> Option<Vec<&str>> {
    elements_up_to(array, usize::MAX)
}

/// The same; `None` where there are more than `most` too.
pub(crate) fn elements_up_to(array: &str, most: usize) -> Option<Vec<&str>> {
    let mut scanner = Scanner { bytes: array.as_bytes(), at: 0 };
    let mut found = Vec::new();
    if scanner.take() != Some(b'[') {
        return None;
    }
    scanner.space();
    if scanner.peek() == Some(b']') {
        return Some(found);
    }
    loop {
        scanner.space();
        let start = scanner.at;
        scanner.value(1).ok()?;
        if found.len() == most {
            return None;
        }
        found.push(array.get(start..scanner.at)?);
        scanner.space();
        match scanner.take()? {
            b',' => {}
            b']' => return Some(found),
            _ => return None,
        }
    }
}

/// Appends text as a JSON string, in serde_json's spelling (`docs/format.md` §5).
pub(crate) fn push_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\t' => json.push_str("\\t"),
            '\n' => json.push_str("\\n"),
            '\u{c}' => json.push_str("\\f"),
            '\r' => json.push_str("\\r"),
            '\0'..' ' => {
                json.push_str("\\u00");
                let code = character as u32;
                json.extend(
                    [code >> 4, code & 15].map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
                );
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

/// What stands between the quotes of a JSON string, without its escapes; `None` where an escape is
/// none of JSON's, or a surrogate stands alone, which is no Unicode.
pub(crate) fn unescape(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(character) = rest.next() {
        let plain = match character {
            '\\' => match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => unicode(&mut rest)?,
                same @ ('"' | '\\' | '/') => same,
                _ => return None,
            },
            other => other,
        };
        text.push(plain);
    }
    Some(text)
}

/// The character of a `\u` escape, or of a pair of them.
fn unicode(rest: &mut core::str::Chars<'_>) -> Option<char> {
    let unit = |rest: &mut core::str::Chars<'_>| {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | rest.next()?.to_digit(16)?))
    };
    let high = unit(rest)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    if rest.next()? != '\\' || rest.next()? != 'u' {
        return None;
    }
    let low = unit(rest).filter(|low| (0xdc00..0xe000).contains(low))?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// The smallest steps are inlined always: the wasm is optimized for size, and there the calls would
/// make an append a tenth slower, and nothing smaller.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// Members of an object whose `{` is already behind, up to and including its `}`.
    fn members(&mut self, mut found: impl FnMut(Range<usize>, Range<usize>)) -> Result<(), Flaw> {
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let key_start = self.at + 1;
            self.string()?;
            let key = key_start..self.at - 1;
            self.space();
            self.expect(b':')?;
            self.space();
            let value_start = self.at;
            self.value(1)?;
            found(key, value_start..self.at);
            self.space();
            match self.take() {
                Some(b',') => {}
                Some(b'}') => return Ok(()),
                _ => return Err(self.flaw_behind()),
            }
        }
    }

    /// One value inside of `outer` levels. Iterative: `objects` has a bit per open level, set where
    /// that level is an object.
    fn value(&mut self, outer: u32) -> Result<(), Flaw> {
        let mut objects = 0_u64;
        let mut level = 0;
        loop {
            self.space();
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(open @ (b'{' | b'[')) => {
                    level += 1;
                    if outer + level > DEPTH_MAX {
                        return Err(Flaw::Depth(self.at));
                    }
                    self.at += 1;
                    let is_object = open == b'{';
                    objects = objects << 1 | u64::from(is_object);
                    self.space();
                    let close = if is_object { b'}' } else { b']' };
                    if self.peek() != Some(close) {
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => return Err(Flaw::Syntax(self.at)),
            }
            // A value has ended: close what it ends, up to the next value or the outermost.
            loop {
                if level == 0 {
                    return Ok(());
                }
                self.space();
                let in_object = objects & 1 == 1;
                match self.take() {
                    Some(b',') if in_object => {
                        self.space();
                        self.key()?;
                        break;
                    }
                    Some(b',') => break,
                    Some(b'}') if in_object => {}
                    Some(b']') if !in_object => {}
                    _ => return Err(self.flaw_behind()),
                }
                objects >>= 1;
                level -= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), Flaw> {
        self.string()?;
        self.space();
        self.expect(b':')
    }

    fn string(&mut self) -> Result<(), Flaw> {
        self.expect(b'"')?;
        loop {
            self.plain();
            match self.take() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escapes()?,
                _ => return Err(self.flaw_behind()),
            }
        }
    }

    /// Skips to the next quote, backslash, control character, or the end, eight bytes at a time.
    ///
    /// Each test sets the high bit of every byte that matches, and perhaps of bytes after the first
    /// match, never before it: <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>.
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        let has_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let mut rest = self.bytes.get(self.at..).unwrap_or_default();
        while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let quote = has_zero(word ^ (ONES * b'"' as u64));
            let backslash = has_zero(word ^ (ONES * b'\\' as u64));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let found = (quote | backslash | control) & HIGHS;
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
            rest = tail;
        }
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }

    /// Escapes come in runs: line breaks and the tabs after them.
    fn escapes(&mut self) -> Result<(), Flaw> {
        self.escape()?;
        while self.peek() == Some(b'\\') {
            self.at += 1;
            self.escape()?;
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match self.take() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => (0..4).try_for_each(|_| match self.take() {
                Some(byte) if byte.is_ascii_hexdigit() => Ok(()),
                _ => Err(self.flaw_behind()),
            }),
            _ => Err(self.flaw_behind()),
        }
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(Flaw::Syntax(self.at)) } else { Ok(()) }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Flaw> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Flaw::Syntax(self.at));
        }
        self.at += word.len();
        Ok(())
    }

    /// JSON's white space but line breaks, which a line cannot hold.
    #[inline(always)]
    fn space(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&self) -> Result<(), Flaw> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Flaw::Syntax(self.at)) }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), Flaw> {
        if self.peek() != Some(byte) {
            return Err(Flaw::Syntax(self.at));
        }
        self.at += 1;
        Ok(())
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// The byte just taken (or missing at the end) does not belong here.
    fn flaw_behind(&self) -> Flaw {
        Flaw::Syntax(self.at.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String};
    use proptest::prelude::*;

    fn scan(text: &str) -> Result<usize, Flaw> {
        let mut members = Members::default();
        let rest = text.strip_prefix('{').ok_or(Flaw::Syntax(0))?;
        members.scan(rest).map(|()| members.len())
    }

    fn serde_accepts(text: &str) -> bool {
        serde_json::from_str::<&serde_json::value::RawValue>(text)
            .is_ok_and(|raw| raw.get() == text && !text.contains(['\n', '\r']))
    }

    #[test]
    fn members_are_found_where_they_stand() {
        let rest = r#""a":1, "b" : {"c":[1,"}"]},"d":"x\"y"}"#;
        let mut members = Members::default();
        members.scan(rest).unwrap();
        let found: Vec<_> = members.iter(rest).collect();
        assert_eq!(found, [("a", "1"), ("b", r#"{"c":[1,"}"]}"#), ("d", r#""x\"y""#)]);
        assert_eq!(members.find(rest, "d"), Some(r#""x\"y""#));
    }

    #[test]
    fn depth_is_counted_from_the_body() {
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(scan(&nested(63)).is_ok());
        assert!(matches!(scan(&nested(64)), Err(Flaw::Depth(_))));
    }

    #[test]
    fn only_json_is_accepted() {
        let bad = [
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e}"#,
            r#"{"a":-}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":tru}"#,
            r#"{"a":1,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":1}x"#,
            r#"{"a":1"#,
            "{\"a\":\n1}",
            "{\"a\":\r1}",
            r#"{"a":NaN}"#,
            r#"{"a":'x'}"#,
            r#"{,}"#,
            r#"{"a":}"#,
            r#"{"a":"x}"#,
        ];
        for text in bad {
            assert!(matches!(scan(text), Err(Flaw::Syntax(_))), "{text}");
        }
        let good = [
            "{}",
            r#"{"a":-0.5e+10}"#,
            r#"{"a":"\ud800 \u00e9 \/"}"#,
            "{\t\"a\" :  [ ] }",
            r#"{"a":[{},[],"",null,true,false]}"#,
            r#"{"a":9007199254740993}"#,
        ];
        for text in good {
            assert!(scan(text).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn strings_are_spelled_and_read_as_serde_json_does(text in "\\PC*[\\x00-\\x1f\"\\\\é😀]{0,9}") {
            let mut spelled = String::new();
            push_text(&mut spelled, &text);
            prop_assert_eq!(&spelled, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(unescape(&spelled[1..spelled.len() - 1]).unwrap(), text);
        }

        #[test]
        fn escapes_are_read_as_serde_json_does(pieces in prop::collection::vec(
            prop::sample::select(alloc::vec![
                "\\ud83d", "\\ude00", "\\x", "\\u+123", "\\u00E9", "\\n", "\\/", "\\\\", "\\\"", "a", "é", "\\b\\f\\r\\t",
            ]), 0..6))
        {
            let inner = pieces.concat();
            let expected = serde_json::from_str::<String>(&format!("\"{inner}\"")).ok();
            prop_assert_eq!(unescape(&inner), expected);
        }
    }

    #[test]
    fn elements_of_an_array_keep_their_bytes() {
        assert_eq!(elements(r#"[1, {"a":[2]} ,"x"]"#).unwrap(), ["1", r#"{"a":[2]}"#, r#""x""#]);
        assert_eq!(elements("[ ]").unwrap().len(), 0);
        assert!(elements("{}").is_none());
    }

    proptest! {
        /// serde_json is the oracle: near-JSON made of JSON's own pieces.
        #[test]
        fn agrees_with_serde_json(pieces in prop::collection::vec(
            prop::sample::select(alloc::vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "\\n", "\\u00e9", "0", "1", "-",
                ".", "e", "E+", "true", "null", " ", "\t", "\n", "é", "\u{1}", "long text without end ",
            ]), 0..24))
        {
            let text: String = core::iter::once("{\"k\":").chain(pieces).chain(["}"]).collect();
            prop_assert_eq!(scan(&text).is_ok(), serde_accepts(&text), "{}", text);
        }
    }
}
