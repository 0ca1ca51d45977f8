//! What the npm package calls.

mod around;
mod convert;
mod edit;
mod error;
mod import;
mod log;
mod read;
mod recovery;
mod request;
mod retention;
mod runtime;
mod session;
mod task;
mod thread;
mod tier;
