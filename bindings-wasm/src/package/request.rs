//! What a task asks its host to do, as plain objects.

use std::ops::Range;

use js_sys::{Reflect, Uint8Array};
use turnkeep_core::cache::{CacheEntry, CacheValue};
use turnkeep_core::store::{CacheRequest, Condition, Key, Request, StageId};
use turnkeep_core::task::RequestId;
use wasm_bindgen::JsValue;

use super::convert::{list, number, object, optional};

/// A request: its `id`, its `kind`, and what that kind needs; with `isCold`, what is to be carried out
/// in the cold store, with `isBundle`, what is where the bundle lies.
pub(crate) fn to_js((id, request): (RequestId, Request), spare: &mut Spare) -> JsValue {
    match request {
        Request::Cold(request) => marked(plain(id, *request, spare), "isCold"),
        Request::Bundle(request) => marked(plain(id, *request, spare), "isBundle"),
        Request::Cache(request) => of_cache(id, request),
        request => plain(id, request, spare),
    }
}

const ROOM_BYTES: u32 = 1 << 20;

/// Memory for the next part: parts are large, and would be many before they are collected.
#[derive(Default)]
pub(crate) struct Spare(Option<Uint8Array>);

impl Spare {
    fn holding(&mut self, bytes: &[u8]) -> Uint8Array {
        let length = bytes.len() as u32;
        let spare = self.0.take().filter(|spare| spare.length() >= length);
        // Somewhat more, for the next part may be longer.
        let room = length.next_multiple_of(if length > ROOM_BYTES { ROOM_BYTES } else { 1 });
        let spare = spare.unwrap_or_else(|| Uint8Array::new_with_length(room));
        let part = spare.subarray(0, length);
        part.copy_from(bytes);
        part
    }

    /// Takes back all the memory of which these bytes are the start.
    pub(crate) fn keep(&mut self, bytes: &Uint8Array) {
        let all = Uint8Array::new(&bytes.buffer());
        if self.0.as_ref().is_none_or(|spare| spare.length() < all.length()) {
            self.0 = Some(all);
        }
    }
}

fn marked(request: JsValue, name: &str) -> JsValue {
    Reflect::set(&request, &name.into(), &true.into()).ok();
    request
}

fn of_cache(id: RequestId, request: CacheRequest) -> JsValue {
    let id = ("id", id.into());
    match request {
        CacheRequest::Keys { limit } => object([id, kind("cache_keys"), ("limit", limit.into())]),
        CacheRequest::Get { keys } => object([id, kind("cache_get"), ("keys", keys.into())]),
        CacheRequest::Put { entries } => {
            object([id, kind("cache_put"), ("entries", list(&entries, entry))])
        }
        _ => object([id, kind("unknown")]),
    }
}

/// A value of a cache: `key`, `json` or `bytes`, and `expiresMs`, which may be `undefined`.
fn entry(entry: &CacheEntry) -> JsValue {
    let value = match &entry.value {
        CacheValue::Json(json) => ("json", json.as_str().into()),
        CacheValue::Bytes(bytes) => content(bytes),
    };
    let expires = ("expiresMs", optional(entry.expires_ms, number));
    object([("key", entry.key.as_str().into()), value, expires])
}

fn plain(id: RequestId, request: Request, spare: &mut Spare) -> JsValue {
    let id = ("id", id.into());
    match request {
        Request::Get { key, range } => {
            let [start, end] = within(range);
            object([id, kind("get"), of(&key), start, end])
        }
        Request::Put { key, bytes, condition } => {
            object([id, kind("put"), of(&key), content(&bytes), under(&condition)])
        }
        Request::Append { key, bytes, after, durability } => object([
            id,
            kind("append"),
            of(&key),
            content(&bytes),
            ("at", number(after.at)),
            ("torn", number(after.torn)),
            ("markAt", number(after.mark_at)),
            ("mark", js_sys::Uint8Array::from(&after.mark[..]).into()),
            ("tornStartsWith", js_sys::Uint8Array::from(&after.torn_start[..]).into()),
            ("durability", durability.name().into()),
        ]),
        Request::Sync { key } => object([id, kind("sync"), of(&key)]),
        Request::Holder { key } => object([id, kind("holder"), of(&key)]),
        Request::Delete { key, condition } => {
            object([id, kind("delete"), of(&key), under(&condition)])
        }
        Request::List { prefix, after, limit } => {
            let after = optional(after, |after| after.as_str().into());
            let (prefix, limit) = (("prefix", prefix.into()), ("limit", limit.into()));
            object([id, kind("list"), prefix, ("after", after), limit])
        }
        Request::Info { key } => object([id, kind("info"), of(&key)]),
        Request::Stage { key } => object([id, kind("stage"), of(&key)]),
        Request::StagePart { stage, number, bytes } => {
            let number = ("number", number.into());
            let bytes = ("bytes", spare.holding(&bytes).into());
            object([id, kind("part"), of_stage(stage), number, bytes])
        }
        Request::GetStaged { stage, range } => {
            let [start, end] = within(range);
            object([id, kind("staged"), of_stage(stage), start, end])
        }
        Request::Commit { stage, condition } => {
            object([id, kind("commit"), of_stage(stage), under(&condition)])
        }
        Request::Abort { stage } => object([id, kind("abort"), of_stage(stage)]),
        Request::Stamp { random_bytes } => {
            object([id, kind("stamp"), ("randomBytes", number(random_bytes as u64))])
        }
        _ => object([id, kind("unknown")]),
    }
}

type Member = (&'static str, JsValue);

fn kind(name: &str) -> Member {
    ("kind", name.into())
}

fn of(key: &Key) -> Member {
    ("key", key.as_str().into())
}

fn of_stage(stage: StageId) -> Member {
    ("stage", stage.0.into())
}

/// `start` and `end`, `undefined` where there is no range.
fn within(range: Option<Range<u64>>) -> [Member; 2] {
    let (start, end) = range.map(|range| (range.start, range.end)).unzip();
    [("start", optional(start, number)), ("end", optional(end, number))]
}

fn content(bytes: &[u8]) -> Member {
    ("bytes", Uint8Array::from(bytes).into())
}

/// `"any"`, `"absent"`, or `{ version }`.
fn under(condition: &Condition) -> Member {
    let condition = match condition {
        Condition::Any => "any".into(),
        Condition::Absent => "absent".into(),
        Condition::Version(version) => object([("version", version.into())]),
    };
    ("condition", condition)
}
