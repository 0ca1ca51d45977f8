//! Values that cross in many places.

use js_sys::Reflect;
use turnkeep_core::limits::INTEGER_MAX;
use turnkeep_core::log::{Head, Report, Torn};
use turnkeep_core::store::Durability;
use turnkeep_core::{Error, ErrorKind, Hash, Result, SessionId};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{self, Thrown};

/// What JavaScript gets, or throws.
pub(crate) type Js<T> = core::result::Result<T, Thrown>;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Plain;
    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Plain;
    // `Reflect::set` catches what setters throw; these objects have none, and it takes a microsecond.
    #[wasm_bindgen(method, indexing_setter)]
    fn set(this: &Plain, name: &str, value: JsValue);
}

/// A plain object with these members.
pub(crate) fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let object = Plain::new();
    for (name, value) in members {
        object.set(name, value);
    }
    object.into()
}

/// A member of an object; `undefined` where it is none or has none.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A number for JavaScript: one that it does not hold exactly becomes `Infinity`, not a neighbour.
pub(crate) fn number(value: u64) -> JsValue {
    JsValue::from_f64(if value <= INTEGER_MAX { value as f64 } else { f64::INFINITY })
}

/// A number from JavaScript, which must be whole and one that JavaScript holds exactly.
pub(crate) fn whole(value: f64) -> Result<u64> {
    let is_whole = (0.0..=INTEGER_MAX as f64).contains(&value) && value.trunc() == value;
    let wrong = || Error::new(ErrorKind::InvalidArgument, "not a whole number from 0 to 2^53 - 1");
    if is_whole { Ok(value as u64) } else { Err(wrong()) }
}

/// The same for a number that may be missing.
pub(crate) fn whole_or_none(value: Option<f64>) -> Result<Option<u64>> {
    value.map(whole).transpose()
}

/// What may be missing, as a value or `undefined`.
pub(crate) fn optional<T>(value: Option<T>, convert: impl FnOnce(T) -> JsValue) -> JsValue {
    value.map_or(JsValue::UNDEFINED, convert)
}

/// A head as `{ seq, hash, bytes }`.
pub(crate) fn head(head: Head) -> JsValue {
    let hash = head.hash.to_string().into();
    object([("seq", number(head.seq)), ("hash", hash), ("bytes", number(head.bytes))])
}

/// A point as `{ session, seq, hash }`.
pub(crate) fn point(session: &SessionId, seq: u64, hash: Hash) -> JsValue {
    let hash = hash.to_string().into();
    object([("session", session.as_str().into()), ("seq", number(seq)), ("hash", hash)])
}

/// A list of what is converted one by one.
pub(crate) fn list<T>(values: &[T], convert: impl Fn(&T) -> JsValue) -> JsValue {
    values.iter().map(convert).collect::<Vec<JsValue>>().into()
}

/// An id that may be missing.
pub(crate) fn id_or_none(id: Option<String>) -> Result<Option<SessionId>> {
    id.map(SessionId::new).transpose()
}

/// A torn tail as `{ offset, bytes }`.
pub(crate) fn torn(torn: Torn) -> JsValue {
    object([("offset", number(torn.offset)), ("bytes", number(torn.bytes))])
}

/// What a verification found.
pub(crate) fn report(report: Report) -> JsValue {
    object([
        ("isWhole", report.is_whole().into()),
        ("head", optional(report.head, head)),
        ("session", optional(report.session, |id| id.as_str().into())),
        ("withheld", number(report.withheld)),
        ("torn", optional(report.torn, torn)),
        ("fault", optional(report.fault, |fault| error::to_js(&fault))),
        ("entryFault", optional(report.entry_fault, |fault| error::to_js(&fault))),
    ])
}

/// An entry that is expected to be there, if one is. With half of it nothing would be expected.
pub(crate) fn expected(seq: Option<f64>, hash: Option<String>) -> Result<Option<(u64, Hash)>> {
    match (whole_or_none(seq)?, hash) {
        (Some(seq), Some(hash)) => Ok(Some((seq, hash.parse()?))),
        (None, None) => Ok(None),
        _ => {
            let message = "an expected entry is its seq and its hash";
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

/// A durability from its name.
pub(crate) fn durability(name: Option<String>) -> Result<Option<Durability>> {
    let wrong = || Error::new(ErrorKind::InvalidArgument, "durability is memory, os or disk");
    name.map(|name| Durability::of(&name).ok_or_else(wrong)).transpose()
}

/// Drafts from their texts, each but the last ended by a line break, which no draft can hold.
pub(crate) fn drafts(lines: Option<Vec<u8>>) -> Result<Vec<String>> {
    let Some(lines) = lines else { return Ok(Vec::new()) };
    let not_text = |_| Error::new(ErrorKind::InvalidUtf8, "a draft is not UTF-8");
    let lines = std::str::from_utf8(&lines).map_err(not_text)?;
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', lines.as_bytes()).chain([lines.len()]);
    let draft = |end| {
        let draft = lines.get(start..end).unwrap_or_default();
        start = end + 1;
        draft.to_owned()
    };
    Ok(ends.map(draft).collect())
}
