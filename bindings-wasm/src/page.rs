//! What the page calls: looking at files from outside, and verifying them. Answers are JSON texts; so are
//! errors.

use turnkeep_core::bundle;
use turnkeep_core::gzip::{Bound, Reader};
use turnkeep_core::log::Expectation;
use turnkeep_core::session::FileVerifier;
use turnkeep_core::view;
use turnkeep_core::{Error, Hash};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Js<T> = Result<T, JsValue>;

fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&view::problem(&error))
}

fn hash(text: Option<String>) -> Js<Option<Hash>> {
    text.map(|text| text.parse()).transpose().map_err(thrown)
}

/// Where an archive's blocks lie, by its first bytes.
#[wasm_bindgen]
pub fn archive_map(start: &[u8], archive_bytes: f64) -> Js<String> {
    view::archive_map(start, archive_bytes as u64).map_err(thrown)
}

/// What a bundle's last bytes say.
#[wasm_bindgen]
pub fn bundle_end(tail: &[u8]) -> Js<String> {
    view::bundle_end(tail).map_err(thrown)
}

/// How many these are.
#[wasm_bindgen]
pub fn bundle_tail_bytes() -> usize {
    bundle::TAIL_BYTES
}

/// When a bundle was written, by its first line.
#[wasm_bindgen]
pub fn bundle_created(line: &str) -> Js<f64> {
    view::bundle_created(line).map(|ms| ms as f64).map_err(thrown)
}

/// What the lines of a bundle's index say.
#[wasm_bindgen]
pub fn bundle_index(lines: &[u8]) -> Js<String> {
    view::bundle_index(lines).map_err(thrown)
}

/// What a session's line in a bundle says.
#[wasm_bindgen]
pub fn bundle_session(line: &[u8]) -> Js<String> {
    view::bundle_session(line).map_err(thrown)
}

/// What a block of a bundle holds, as far as it can be inflated.
#[wasm_bindgen]
pub fn inflate_block(compressed: &[u8], raw_bytes: f64) -> Vec<u8> {
    view::inflate_block(compressed, raw_bytes as u64).0
}

/// Inflates any gzip file, as far as it can be.
#[wasm_bindgen]
pub struct Gunzip {
    reader: Option<Reader>,
    fault: Option<Error>,
}

#[wasm_bindgen]
impl Gunzip {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self { reader: Some(Reader::new(Bound::default())), fault: None }
    }

    /// Takes the file's next bytes, gives what they hold.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(reader) = self.reader.as_mut().filter(|_| self.fault.is_none()) else {
            return out;
        };
        let pushed = reader.push(bytes, |raw| {
            out.extend_from_slice(raw);
            Ok(())
        });
        self.fault = pushed.err();
        out
    }

    /// Ends the file; what is wrong with it, if anything is.
    pub fn finish(&mut self) -> Option<String> {
        let ended = self.reader.take().map_or(Ok(()), Reader::finish);
        let fault = self.fault.take().or(ended.err());
        fault.as_ref().map(view::problem)
    }
}

/// Lines in memory.
#[wasm_bindgen]
pub struct Lines(view::Lines);

#[wasm_bindgen]
impl Lines {
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(view::Lines::new(bytes))
    }

    /// Those of an archive's block.
    pub fn inflate(compressed: &[u8], raw_bytes: f64, count: f64) -> Self {
        Self(view::Lines::inflate(compressed, raw_bytes as u64, count as u64))
    }

    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    #[wasm_bindgen(getter)]
    pub fn bytes(&self) -> usize {
        self.0.bytes().len()
    }

    pub fn fault(&self) -> Option<String> {
        self.0.fault().map(view::problem)
    }

    pub fn last_hash(&self) -> Option<String> {
        self.0.last_hash().map(|hash| hash.to_string())
    }

    pub fn rows(&self, place: &Place, from: usize, to: usize) -> String {
        self.0.rows(place.0, from..to)
    }

    pub fn entries(&self, place: &Place, from: usize, to: usize) -> String {
        self.0.entries(place.0, from..to)
    }

    pub fn line(&self, at: usize) -> Vec<u8> {
        self.0.line(at).to_vec()
    }

    pub fn part_text(&self, at: usize, part: usize) -> String {
        self.0.part_text(at, part)
    }

    pub fn markdown(&self, at: usize) -> String {
        self.0.markdown(at)
    }

    /// Place, count, place, count, ….
    pub fn search(&self, text: &str, match_case: bool) -> Vec<f64> {
        let found = self.0.search(text, match_case);
        found.into_iter().flat_map(|(at, count)| [at as f64, count as f64]).collect()
    }
}

/// Where some lines stand in their log.
#[wasm_bindgen]
pub struct Place(view::Place);

#[wasm_bindgen]
impl Place {
    #[wasm_bindgen(constructor)]
    pub fn new(row: f64, seq: Option<f64>, offset: f64, prev: Option<String>) -> Js<Self> {
        let (row, offset, prev) = (row as u64, offset as u64, hash(prev)?);
        Ok(Self(view::Place { row, seq: seq.map(|seq| seq as u64), offset, prev }))
    }
}

/// Verifies a session's file, log or archive, and every entry's content.
#[wasm_bindgen]
pub struct Verifier(FileVerifier);

#[wasm_bindgen]
impl Verifier {
    #[wasm_bindgen(constructor)]
    pub fn new(seq: Option<f64>, expected: Option<String>) -> Js<Self> {
        let head = seq.map(|seq| seq as u64).zip(hash(expected)?);
        Ok(Self(FileVerifier::new(Expectation { session: None, head }).deep()))
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    pub fn push_lines(&mut self, lines: &Lines) {
        self.0.push(lines.0.bytes());
    }

    pub fn finish(self) -> String {
        view::report(&self.0.finish())
    }
}

/// Verifies a bundle.
#[wasm_bindgen]
pub struct BundleVerifier(bundle::Reader);

#[wasm_bindgen]
impl BundleVerifier {
    #[wasm_bindgen(constructor)]
    pub fn new(length: f64, tail: &[u8]) -> Js<Self> {
        bundle::Reader::new(length as u64, tail).map(Self).map_err(thrown)
    }

    pub fn push(&mut self, bytes: &[u8]) -> Js<()> {
        self.0.push(bytes).map_err(thrown)?;
        while self.0.next().map_err(thrown)?.is_some() {}
        Ok(())
    }

    pub fn finish(self) -> Js<()> {
        self.0.finish().map(|_| ()).map_err(thrown)
    }
}
