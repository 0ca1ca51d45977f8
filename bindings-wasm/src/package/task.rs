//! Operations in flight.

use js_sys::{Array, Uint8Array};
use turnkeep_core::cache::{CacheEntry, CacheValue};
use turnkeep_core::log::Stamp;
use turnkeep_core::store::{Holder, Info, Key, Listing, Object, Reply, StageId};
use turnkeep_core::task::{self, RequestId, Step};
use turnkeep_core::{Error, ErrorKind};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::convert::{Js, get, whole};
use super::request::Spare;
use super::{error, request};

/// An operation of the core in flight, whatever it results in.
#[wasm_bindgen]
pub struct Task {
    task: Box<dyn AnyTask>,
    result: JsValue,
    spare: Spare,
}

trait AnyTask {
    fn next(&mut self) -> Step<JsValue>;
    fn reply(&mut self, id: RequestId, reply: Reply);
    fn stop(&self);
    fn with_cold_store(self: Box<Self>) -> Box<dyn AnyTask>;
}

struct Converted<T, F> {
    task: task::Task<T>,
    convert: F,
}

impl<T: 'static, F: Fn(T) -> JsValue + 'static> AnyTask for Converted<T, F> {
    fn next(&mut self) -> Step<JsValue> {
        match self.task.next() {
            Step::Requests(requests) => Step::Requests(requests),
            Step::Done(result) => Step::Done(result.map(&self.convert)),
        }
    }

    fn reply(&mut self, id: RequestId, reply: Reply) {
        self.task.reply(id, reply);
    }

    fn stop(&self) {
        self.task.stopper().stop();
    }

    fn with_cold_store(self: Box<Self>) -> Box<dyn AnyTask> {
        let Self { task, convert } = *self;
        Box::new(Self { task: task.with_cold_store(), convert })
    }
}

impl Task {
    pub(crate) fn new<T: 'static>(
        task: task::Task<T>,
        convert: impl Fn(T) -> JsValue + 'static,
    ) -> Self {
        Self {
            task: Box::new(Converted { task, convert }),
            result: JsValue::UNDEFINED,
            spare: Spare::default(),
        }
    }
}

#[wasm_bindgen]
impl Task {
    /// Goes on: what to do now, or `undefined` when the operation is over. Throws its error.
    pub fn next(&mut self) -> Js<Option<Vec<JsValue>>> {
        match self.task.next() {
            Step::Requests(requests) => {
                let spare = &mut self.spare;
                let to_js = |request| request::to_js(request, spare);
                Ok(Some(requests.into_iter().map(to_js).collect()))
            }
            Step::Done(result) => {
                self.result = result?;
                Ok(None)
            }
        }
    }

    /// What it came to, once it is over.
    pub fn result(&mut self) -> JsValue {
        std::mem::take(&mut self.result)
    }

    /// The same, over a store that has a cold store behind it. Only before it begins.
    #[must_use]
    pub fn with_cold_store(self) -> Self {
        Self { task: self.task.with_cold_store(), ..self }
    }

    /// Asks it to end early, where it can.
    pub fn stop(&self) {
        self.task.stop();
    }

    /// An object's `bytes` and `info`.
    pub fn reply_object(&mut self, id: RequestId, object: &JsValue) {
        let bytes = get(object, "bytes").dyn_into::<Uint8Array>().ok();
        let object = bytes
            .zip(info(&get(object, "info")))
            .map(|(bytes, info)| Reply::Object(Object { bytes: bytes.to_vec(), info }));
        self.reply(id, object);
    }

    /// An object's `bytes`, `version` and, if known, `modifiedMs`.
    pub fn reply_info(&mut self, id: RequestId, value: &JsValue) {
        self.reply(id, info(value).map(Reply::Info));
    }

    pub fn reply_done(&mut self, id: RequestId) {
        self.reply(id, Some(Reply::Done));
    }

    /// The same for a part, whose bytes the store has no more use for: the next one's go there.
    pub fn reply_part(&mut self, id: RequestId, bytes: Uint8Array) {
        self.spare.keep(&bytes);
        self.reply(id, Some(Reply::Done));
    }

    /// `objects`, each with `key` and `info`, and whether there are `more`.
    pub fn reply_listing(&mut self, id: RequestId, listing: &JsValue) {
        let object = |object: JsValue| {
            let key = Key::parse(get(&object, "key").as_string()?).ok()?;
            Some((key, info(&get(&object, "info"))?))
        };
        let objects = array(&get(listing, "objects"), object);
        let more = get(listing, "more").is_truthy();
        self.reply(id, objects.map(|objects| Reply::Listing(Listing { objects, more })));
    }

    /// An object's holder, or `undefined`.
    pub fn reply_holder(&mut self, id: RequestId, value: &JsValue) {
        let holder =
            if value.is_null_or_undefined() { Some(None) } else { holder(value).map(Some) };
        self.reply(id, holder.map(Reply::Holder));
    }

    pub fn reply_stage(&mut self, id: RequestId, stage: &JsValue) {
        self.reply(id, stage.as_string().map(|stage| Reply::Stage(StageId(stage))));
    }

    pub fn reply_stamp(&mut self, id: RequestId, now_ms: f64, random: Vec<u8>) {
        let stamp = |now_ms| Reply::Stamp(Stamp { now_ms, random });
        self.reply(id, whole(now_ms).ok().map(stamp));
    }

    /// Keys of a cache.
    pub fn reply_keys(&mut self, id: RequestId, keys: &JsValue) {
        let keys = array(keys, |key| key.as_string());
        self.reply(id, keys.map(Reply::Keys));
    }

    /// Values of a cache, each `undefined` or its `key`, `json` or `bytes`, and, if it ever expires,
    /// `expiresMs`.
    pub fn reply_values(&mut self, id: RequestId, values: &JsValue) {
        let value = |value: JsValue| {
            if value.is_undefined() { Some(None) } else { entry(&value).map(Some) }
        };
        self.reply(id, array(values, value).map(Reply::Values));
    }

    /// Whatever the host caught.
    pub fn reply_failed(&mut self, id: RequestId, caught: &JsValue) {
        self.reply(id, Some(Reply::Failed(error::from_js(caught))));
    }

    fn reply(&mut self, id: RequestId, reply: Option<Reply>) {
        let strange = || {
            let message = "the store's answer has not the shape that its interface asks for";
            Reply::Failed(Error::new(ErrorKind::StoreFailed, message))
        };
        self.task.reply(id, reply.unwrap_or_else(strange));
    }
}

fn array<T>(values: &JsValue, convert: impl FnMut(JsValue) -> Option<T>) -> Option<Vec<T>> {
    values.dyn_ref::<Array>()?.iter().map(convert).collect()
}

fn entry(entry: &JsValue) -> Option<CacheEntry> {
    let value = match get(entry, "json").as_string() {
        Some(json) => CacheValue::Json(json),
        None => CacheValue::Bytes(get(entry, "bytes").dyn_into::<Uint8Array>().ok()?.to_vec()),
    };
    let expires_ms = match get(entry, "expiresMs") {
        expires if expires.is_undefined() => None,
        expires => Some(whole(expires.as_f64()?).ok()?),
    };
    Some(CacheEntry { key: get(entry, "key").as_string()?, value, expires_ms })
}

fn info(value: &JsValue) -> Option<Info> {
    let bytes = whole(get(value, "bytes").as_f64()?).ok()?;
    let version = get(value, "version").as_string()?;
    let modified_ms = milliseconds(value, "modifiedMs");
    Some(Info { bytes, version, modified_ms })
}

fn holder(value: &JsValue) -> Option<Holder> {
    let pid = whole(get(value, "pid").as_f64()?).ok()?;
    Some(Holder {
        pid: u32::try_from(pid).ok()?,
        host: get(value, "host").as_string()?,
        start: get(value, "start").as_string()?,
        heartbeat_ms: milliseconds(value, "heartbeatMs"),
        is_alive: get(value, "isAlive").is_truthy(),
        is_self: get(value, "isSelf").is_truthy(),
    })
}

fn milliseconds(value: &JsValue, name: &str) -> Option<u64> {
    get(value, name).as_f64().map(|ms| ms as u64)
}
