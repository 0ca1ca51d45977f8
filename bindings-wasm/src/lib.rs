//! Conversions between JavaScript values and the core's types, and nothing else.
//!
//! Placeholder: one function, so that the build of the package can be proven end to end.

use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::wasm_bindgen;

/// The SHA-256 of `bytes` as 64 lower-case hex digits.
#[wasm_bindgen]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}
