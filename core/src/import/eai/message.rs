//! Messages and their blocks, in the shape that Anthropic's API gives them. What has another shape is
//! kept as the term that it is.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::Result;
use crate::import::etf::{Reader, Term, check_room, push_bounded, push_json, push_member};

/// How deep in an entry's terms an item's members stand.
const INNER: u32 = 1;

/// Named terms of a map whose keys are atoms, or of a list of pairs.
struct Fields<'a>(Vec<(Cow<'a, str>, Reader<'a>)>);

/// A message as the item of an entry.
pub(super) fn item_of(reader: Reader<'_>) -> Result<String> {
    let shaped = match { reader }.term()? {
        Term::Map(_) => message(reader)?,
        _ => None,
    };
    match shaped {
        Some(item) => Ok(item),
        None => kept(reader, 0),
    }
}

fn message(reader: Reader<'_>) -> Result<Option<String>> {
    let Some(fields) = Fields::of(reader)? else { return Ok(None) };
    let (Some(role), Some(content)) = (fields.get("role"), fields.get("content")) else {
        return Ok(None);
    };
    let mut item = String::from(r#"{"role":"#);
    match { role }.term()? {
        Term::Atom(name) if matches!(&*name, "user" | "assistant") => {
            push_bounded(&mut item, &name)?;
        }
        _ => push_json(&mut item, &mut { role }, INNER)?,
    }
    item.push_str(r#","content":"#);
    push_blocks(&mut item, content, INNER)?;
    fields.push_others(&mut item, &["role", "content"], INNER)?;
    item.push('}');
    Ok(Some(item))
}

/// Content: blocks, or whatever else it is.
fn push_blocks(json: &mut String, content: Reader<'_>, depth: u32) -> Result<()> {
    let mut reader = content;
    let Term::List(count) = reader.term()? else {
        return push_json(json, &mut { content }, depth);
    };
    let mut blocks = Vec::new();
    for _ in 0..count {
        blocks.push(reader);
        reader.skip()?;
    }
    if !matches!(reader.term()?, Term::Nil) {
        return push_json(json, &mut { content }, depth);
    }
    json.push('[');
    for (index, start) in blocks.into_iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        let shaped = if depth < crate::limits::DEPTH_MAX { block(start, depth + 1)? } else { None };
        match shaped {
            Some(block) => {
                check_room(json, block.len())?;
                json.push_str(&block);
            }
            None => push_json(json, &mut { start }, depth + 1)?,
        }
    }
    json.push(']');
    Ok(())
}

/// A block: an atom that says what it is, and text or fields.
fn block(mut reader: Reader<'_>, depth: u32) -> Result<Option<String>> {
    if reader.term()? != Term::Tuple(2) {
        return Ok(None);
    }
    let Term::Atom(sort) = reader.term()? else { return Ok(None) };
    match &*sort {
        "text" | "thinking" => {
            let Some(text) = text(reader)? else { return Ok(None) };
            let mut json = format!(r#"{{"type":"{sort}","{sort}":"#);
            push_bounded(&mut json, text)?;
            json.push('}');
            Ok(Some(json))
        }
        "tool_use" => tool_use(reader, depth),
        "tool_result" => tool_result(reader, depth),
        "image" => image(reader),
        _ => Ok(None),
    }
}

fn tool_use(reader: Reader<'_>, depth: u32) -> Result<Option<String>> {
    let Some(fields) = Fields::of(reader)? else { return Ok(None) };
    let (Some(id), Some(name)) = (fields.text("tool_use_id")?, fields.text("name")?) else {
        return Ok(None);
    };
    // An extra field of these names could not be told from what stands there.
    if fields.has_any(&["type", "id"]) {
        return Ok(None);
    }
    let mut json = String::from(r#"{"type":"tool_use","id":"#);
    push_bounded(&mut json, id)?;
    json.push_str(r#","name":"#);
    push_bounded(&mut json, name)?;
    if let Some(mut input) = fields.get("input") {
        json.push(',');
        push_member(&mut json, "input", &mut input, depth + 1)?;
    }
    fields.push_others(&mut json, &["tool_use_id", "name", "input"], depth + 1)?;
    json.push('}');
    Ok(Some(json))
}

fn tool_result(reader: Reader<'_>, depth: u32) -> Result<Option<String>> {
    let Some(fields) = Fields::of(reader)? else { return Ok(None) };
    let Some(id) = fields.text("tool_use_id")?.filter(|_| !fields.has_any(&["type"])) else {
        return Ok(None);
    };
    let mut json = String::from(r#"{"type":"tool_result","tool_use_id":"#);
    push_bounded(&mut json, id)?;
    if let Some(content) = fields.get("content") {
        json.push_str(r#","content":"#);
        push_blocks(&mut json, content, depth + 1)?;
    }
    fields.push_others(&mut json, &["tool_use_id", "content"], depth + 1)?;
    json.push('}');
    Ok(Some(json))
}

fn image(reader: Reader<'_>) -> Result<Option<String>> {
    let Some(fields) = Fields::of(reader)? else { return Ok(None) };
    let (Some(format), Some(mut source)) = (fields.text("format")?, fields.get("source")) else {
        return Ok(None);
    };
    let is_bytes = source.term()? == Term::Tuple(2)
        && matches!(source.term()?, Term::Atom(name) if name == "bytes");
    let data = if is_bytes { text(source)? } else { None };
    let Some(data) = data.filter(|_| fields.0.len() == 2) else { return Ok(None) };
    let mut json = String::from(r#"{"type":"image","source":{"type":"base64","media_type":"#);
    push_bounded(&mut json, &format!("image/{format}"))?;
    json.push_str(r#","data":"#);
    push_bounded(&mut json, data)?;
    json.push_str("}}");
    Ok(Some(json))
}

impl<'a> Fields<'a> {
    /// The fields; `None` where the term has none that an object could.
    fn of(mut reader: Reader<'a>) -> Result<Option<Self>> {
        let (count, is_list) = match reader.term()? {
            Term::Map(count) => (count, false),
            Term::List(count) => (count, true),
            _ => return Ok(None),
        };
        let mut fields: Vec<(Cow<'a, str>, Reader<'a>)> = Vec::new();
        for _ in 0..count {
            if is_list && reader.term()? != Term::Tuple(2) {
                return Ok(None);
            }
            let Term::Atom(name) = reader.term()? else { return Ok(None) };
            if name.starts_with('$') {
                return Ok(None);
            }
            fields.push((name, reader));
            reader.skip()?;
        }
        if is_list && !matches!(reader.term()?, Term::Nil) {
            return Ok(None);
        }
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let is_twice = names.iter().zip(names.iter().skip(1)).any(|(one, next)| one == next);
        Ok(Some(Self(fields)).filter(|_| !is_twice))
    }

    fn get(&self, name: &str) -> Option<Reader<'a>> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, reader)| *reader)
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>> {
        self.get(name).map_or(Ok(None), text)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }

    /// Appends the fields of other names as they are.
    fn push_others(&self, json: &mut String, known: &[&str], depth: u32) -> Result<()> {
        for (name, start) in self.0.iter().filter(|(name, _)| !known.contains(&&**name)) {
            json.push(',');
            push_member(json, name, &mut { *start }, depth)?;
        }
        Ok(())
    }
}

/// The text that a term is.
fn text(mut reader: Reader<'_>) -> Result<Option<&str>> {
    Ok(match reader.term()? {
        Term::Binary(bytes) => core::str::from_utf8(bytes).ok(),
        _ => None,
    })
}

fn kept(mut reader: Reader<'_>, depth: u32) -> Result<String> {
    let mut json = String::new();
    push_json(&mut json, &mut reader, depth)?;
    Ok(json)
}
