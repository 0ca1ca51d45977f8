//! A runtime's values beside its sessions: what a key-value cache holds.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json::push_text;

/// One value of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// Its key.
    pub key: String,
    /// What it holds.
    pub value: CacheValue,
    /// When it expires, in milliseconds since 1970; `None`: never.
    pub expires_ms: Option<u64>,
}

impl CacheEntry {
    /// Its JSON text: `{"key":…,"value":…,"expires":…}`; bytes are `{"$binary":"<base64>"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{\"key\":");
        push_text(&mut json, &self.key);
        json.push_str(",\"value\":");
        match &self.value {
            CacheValue::Json(value) => json.push_str(value),
            CacheValue::Bytes(bytes) => {
                json.push_str(&format!("{{\"$binary\":\"{}\"}}", STANDARD.encode(bytes)));
            }
        }
        let expires = self.expires_ms.map_or_else(|| "null".into(), |ms| ms.to_string());
        json.push_str(&format!(",\"expires\":{expires}}}"));
        json
    }
}

/// What a cache holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheValue {
    /// Any JSON, as text.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}
