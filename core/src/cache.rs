//! A runtime's values beside its sessions: what a key-value cache holds.

use alloc::string::String;
use alloc::vec::Vec;

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

/// What a cache holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheValue {
    /// Any JSON, as text.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}
