//! wasm conversions
