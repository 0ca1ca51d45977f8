//! Conversions between JavaScript values and the core's types, and nothing else: no loop, no rule,
//! no default. The package's TypeScript is the host; it does not show these names to anybody.
//!
//! What identifies something or is in flight crosses as a class (a session, a task, …), what is
//! only told crosses as a plain object. Numbers cross as JavaScript's.
//!
//! Two `.wasm` come of it, each as small as what it exports: the package's, and the page's.

#![allow(unreachable_pub, reason = "what `wasm_bindgen` exports is reached from JavaScript")]
#![allow(clippy::needless_pass_by_value, reason = "that is how `wasm_bindgen` gives them")]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::get_unwrap,
    clippy::panic_in_result_fn,
    clippy::string_slice
)]

#[cfg(feature = "package")]
mod package;
#[cfg(feature = "page")]
mod page;
