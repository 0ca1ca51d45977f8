//! Terms as JSON that loses nothing (`docs/import.md`).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Reader, Term, VERSION, fault};
use crate::import::content::escaped_bytes;
use crate::json::push_text;
use crate::limits::{DEPTH_MAX, INTEGER_MAX, LINE_BYTES_MAX, TERM_INTEGER_BYTES_MAX};
use crate::{Error, ErrorKind, Result};

/// What the members start with that say what a value is.
const MARK: char = '$';

/// What a map's keys are, all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Texts,
    Atoms,
}

/// The next term as JSON.
pub(in crate::import) fn json_of(reader: &mut Reader<'_>) -> Result<String> {
    let mut json = String::new();
    push_json(&mut json, reader, 0)?;
    Ok(json)
}

/// Appends the next term as JSON. `too_deep` where it holds terms more than [`DEPTH_MAX`] deep,
/// `too_large` where there is too much of it: no entry could hold it.
pub(in crate::import) fn push_json(
    json: &mut String,
    reader: &mut Reader<'_>,
    depth: u32,
) -> Result<()> {
    let at = reader.at();
    if depth > DEPTH_MAX {
        return Err(fault(ErrorKind::TooDeep, "the term is nested too deep for an entry", at));
    }
    check_room(json, 0)?;
    let start = *reader;
    match reader.term()? {
        Term::Integer(is_negative, amount) => {
            let is_large = amount.len() > TERM_INTEGER_BYTES_MAX;
            match is_large {
                true => {
                    let span = { start }.span()?;
                    check_room(json, span.len())?;
                    push_opaque(json, "integer", span);
                }
                false => push_integer(json, is_negative, &amount),
            }
        }
        Term::Float(number) => push_float(json, number),
        Term::Atom(name) => push_atom(json, &name),
        Term::Binary(bytes) => match core::str::from_utf8(bytes) {
            Ok(text) => push_bounded(json, text)?,
            Err(_) => {
                check_room(json, bytes.len())?;
                json.push_str(&format!(r#"{{"$binary":"{}"}}"#, STANDARD.encode(bytes)));
            }
        },
        Term::Bits(bytes, unused) => {
            check_room(json, bytes.len())?;
            let bits = STANDARD.encode(bytes);
            json.push_str(&format!(r#"{{"$bits":"{bits}","$unused":{unused}}}"#));
        }
        Term::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
            json.push_str(&format!("[{}]", numbers.join(",")));
        }
        Term::Nil => json.push_str("[]"),
        Term::List(count) => push_list(json, reader, count, depth)?,
        Term::Tuple(count) => {
            json.push_str(r#"{"$tuple":"#);
            push_elements(json, reader, count, depth)?;
            json.push('}');
        }
        Term::Map(count) => push_map(json, reader, count, depth)?,
        Term::Opaque(sort, bytes) => {
            check_room(json, bytes.len())?;
            push_opaque(json, sort, bytes);
        }
    }
    Ok(())
}

/// Appends text as a JSON string.
pub(in crate::import) fn push_bounded(json: &mut String, text: &str) -> Result<()> {
    check_room(json, escaped_bytes(text.as_bytes()))?;
    push_text(json, text);
    Ok(())
}

/// What is too much for an entry is not written as JSON first, which may be many times as long.
pub(in crate::import) fn check_room(json: &str, more: usize) -> Result<()> {
    if json.len().saturating_add(more) <= LINE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "it is larger than an entry can be"))
}

/// Appends a name and the next term as a member.
pub(in crate::import) fn push_member(
    json: &mut String,
    name: &str,
    reader: &mut Reader<'_>,
    depth: u32,
) -> Result<()> {
    push_bounded(json, name)?;
    json.push(':');
    push_json(json, reader, depth)
}

fn push_list(json: &mut String, reader: &mut Reader<'_>, count: u32, depth: u32) -> Result<()> {
    let start = json.len();
    push_elements(json, reader, count, depth)?;
    if { *reader }.term()? == Term::Nil {
        return reader.skip();
    }
    // Which is rare: looking ahead would cost every list as much again.
    let list = json.split_off(start);
    json.push_str(r#"{"$list":"#);
    json.push_str(&list);
    json.push_str(r#","$tail":"#);
    push_json(json, reader, depth + 1)?;
    json.push('}');
    Ok(())
}

fn push_elements(json: &mut String, reader: &mut Reader<'_>, count: u32, depth: u32) -> Result<()> {
    json.push('[');
    for index in 0..count {
        if index > 0 {
            json.push(',');
        }
        push_json(json, reader, depth + 1)?;
    }
    json.push(']');
    Ok(())
}

fn push_map(json: &mut String, reader: &mut Reader<'_>, count: u32, depth: u32) -> Result<()> {
    let Some(keys) = keys_of(*reader, count)? else {
        return push_pairs(json, reader, count, depth);
    };
    json.push('{');
    if keys == Keys::Atoms {
        json.push_str(r#""$keys":"atoms""#);
    }
    for index in 0..count {
        if index > 0 || keys == Keys::Atoms {
            json.push(',');
        }
        let name = name_of(&reader.term()?).map(|(_, name)| name.into_owned());
        push_member(json, &name.unwrap_or_default(), reader, depth + 1)?;
    }
    json.push('}');
    Ok(())
}

/// What the keys of a map are, if they can be those of an object.
fn keys_of(mut reader: Reader<'_>, count: u32) -> Result<Option<Keys>> {
    let (mut names, mut all) = (Vec::new(), None);
    for _ in 0..count {
        let start = reader;
        reader.skip()?;
        reader.skip()?;
        let key = { start }.term()?;
        let Some((keys, name)) = name_of(&key) else { return Ok(None) };
        if name.starts_with(MARK) || all.is_some_and(|all| all != keys) {
            return Ok(None);
        }
        all = Some(keys);
        names.push(name.into_owned());
    }
    names.sort_unstable();
    let is_twice = names.iter().zip(names.iter().skip(1)).any(|(one, next)| one == next);
    Ok(all.or(Some(Keys::Texts)).filter(|_| !is_twice))
}

fn name_of<'a>(key: &'a Term<'_>) -> Option<(Keys, Cow<'a, str>)> {
    match key {
        Term::Atom(name) => Some((Keys::Atoms, Cow::Borrowed(name))),
        Term::Binary(bytes) => {
            core::str::from_utf8(bytes).ok().map(|name| (Keys::Texts, Cow::Borrowed(name)))
        }
        _ => None,
    }
}

/// A map whose keys are no names.
fn push_pairs(json: &mut String, reader: &mut Reader<'_>, count: u32, depth: u32) -> Result<()> {
    json.push_str(r#"{"$map":["#);
    for index in 0..count {
        json.push_str(if index > 0 { ",[" } else { "[" });
        push_json(json, reader, depth + 1)?;
        json.push(',');
        push_json(json, reader, depth + 1)?;
        json.push(']');
    }
    json.push_str("]}");
    Ok(())
}

fn push_atom(json: &mut String, name: &str) {
    match name {
        "true" | "false" => json.push_str(name),
        "nil" => json.push_str("null"),
        _ => {
            json.push_str(r#"{"$atom":"#);
            push_text(json, name);
            json.push('}');
        }
    }
}

/// Debug's spelling has a point or an exponent always, and is the shortest that reads back alike.
fn push_float(json: &mut String, number: f64) {
    match number.is_finite() {
        true => json.push_str(&format!("{number:?}")),
        false => json.push_str(&format!(r#"{{"$float":"{:016x}"}}"#, number.to_bits())),
    }
}

fn push_opaque(json: &mut String, sort: &str, bytes: &[u8]) {
    let term = STANDARD.encode([&[VERSION], bytes].concat());
    json.push_str(&format!(r#"{{"$term":"{term}","$type":"{sort}"}}"#));
}

fn push_integer(json: &mut String, is_negative: bool, amount: &[u8]) {
    let digits = decimal(amount);
    let sign = if is_negative && digits != "0" { "-" } else { "" };
    let is_plain = digits.parse::<u64>().is_ok_and(|number| number <= INTEGER_MAX);
    json.push_str(&match is_plain {
        true => format!("{sign}{digits}"),
        false => format!(r#"{{"$integer":"{sign}{digits}"}}"#),
    });
}

/// The decimal digits of a number whose lowest byte is the first.
fn decimal(amount: &[u8]) -> String {
    /// Digits that are found at once.
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = Vec::new();
    for byte in amount.iter().rev() {
        let mut carry = u64::from(*byte);
        for limb in &mut limbs {
            carry += *limb << 8;
            (*limb, carry) = (carry % LIMB, carry / LIMB);
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut digits = limbs.pop().unwrap_or(0).to_string();
    for limb in limbs.iter().rev() {
        digits.push_str(&format!("{limb:09}"));
    }
    digits
}
