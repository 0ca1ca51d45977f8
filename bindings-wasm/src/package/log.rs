//! What needs no store: ids and keys, whole logs, archives and entries in memory.

use turnkeep_core::archive::{self, read_index};
use turnkeep_core::gzip::{self, Bound};
use turnkeep_core::log::{self, Expectation, Stamp};
use turnkeep_core::session::FileVerifier;
use turnkeep_core::store::Key;
use turnkeep_core::{Entry, SessionId, State};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{self, Js, expected, number, object, whole, whole_or_none};

/// The encoded form of a session's id.
#[wasm_bindgen]
pub fn encode_id(id: String) -> Js<String> {
    Ok(SessionId::new(id)?.encoded())
}

/// The id of that encoded form.
#[wasm_bindgen]
pub fn decode_id(encoded: &str) -> Js<String> {
    Ok(SessionId::decode(encoded)?.as_str().into())
}

/// Whether it can be the key of an object.
#[wasm_bindgen]
pub fn is_key(key: String) -> bool {
    Key::parse(key).is_ok()
}

/// The JSON text of an entry's member, byte for byte; `undefined` where it has none of that name.
#[wasm_bindgen]
pub fn entry_member(line: &[u8], name: &str) -> Js<Option<String>> {
    Ok(Entry::parse(line)?.field(name).map(str::to_owned))
}

/// The state of a log as JSON text.
#[wasm_bindgen]
pub fn fold(log: &[u8]) -> Js<String> {
    Ok(State::fold(log)?.to_json())
}

/// The archive of a log.
#[wasm_bindgen]
pub fn archive_bytes(log: &[u8]) -> Js<Vec<u8>> {
    Ok(archive::archive(log)?)
}

/// The log in an archive.
#[wasm_bindgen]
pub fn unarchive_bytes(archive: &[u8]) -> Js<Vec<u8>> {
    Ok(archive::unarchive(archive)?)
}

/// The content of any gzip file.
#[wasm_bindgen]
pub fn gunzip(file: &[u8], output_max: Option<f64>) -> Js<Vec<u8>> {
    let output_bytes = whole_or_none(output_max)?;
    let bound = output_bytes.map_or_else(Bound::default, |output_bytes| Bound { output_bytes });
    Ok(gzip::gunzip(file, bound)?)
}

/// What the index at an archive's start says, as `{ head, spans }`.
#[wasm_bindgen]
pub fn index(start: &[u8], archive_bytes: f64) -> Js<JsValue> {
    let index = read_index(start, whole(archive_bytes)?)?;
    let spans = number(index.spans.len() as u64);
    Ok(object([("head", convert::head(index.head)), ("spans", spans)]))
}

/// SHA-256 as hex, for measurements.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    turnkeep_core::sha256(bytes).to_string()
}

/// Verifies a session's file, log or archive, from its bytes.
#[wasm_bindgen]
pub struct Verifier(FileVerifier);

#[wasm_bindgen]
impl Verifier {
    #[wasm_bindgen(constructor)]
    pub fn new(
        session: Option<String>,
        seq: Option<f64>,
        hash: Option<String>,
        deep: bool,
    ) -> Js<Self> {
        let session = session.map(SessionId::new).transpose()?;
        let head = expected(seq, hash)?;
        let verifier = FileVerifier::new(Expectation { session, head });
        Ok(Self(if deep { verifier.deep() } else { verifier }))
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// Ends the input and gives the report.
    pub fn finish(self) -> JsValue {
        convert::report(self.0.finish())
    }
}

/// Makes lines of drafts, with time and chance given.
#[wasm_bindgen]
pub struct Writer(log::Writer);

#[wasm_bindgen]
impl Writer {
    #[wasm_bindgen(constructor)]
    pub fn new(session: String, is_salted: bool) -> Js<Self> {
        Ok(Self(log::Writer::create(SessionId::new(session)?, is_salted)))
    }

    /// The next batch's lines; what follows goes after it.
    pub fn write(&mut self, lines: Vec<String>, now_ms: f64, random: Vec<u8>) -> Js<Vec<u8>> {
        let batch = self.0.write(&lines, &Stamp { now_ms: whole(now_ms)?, random })?;
        self.0.advance(batch.head);
        Ok(batch.bytes)
    }
}
