//! What the tests of every host share: the test vectors (`docs/format.md` §12) and the store cases.
//!
//! | module | holds |
//! |---|---|
//! | [`store_cases`] | `tests/store-cases.json`, and its runner for stores in Rust |
//! | [`vectors`] | the vectors: how they are made, and how their files are read |
//! | [`build`] | logs, gzip files and archives made by hand |
//! | [`frozen`] | files that earlier versions wrote, and what this one writes of the same inputs |
//! | [`spy`] | a store that counts, and fails when told to |
//! | [`live`] | the operations on open sessions, driven over a store |
//! | [`real`] | a tier over real servers |
//! | [`retention`] | the keeping of sessions, request by request: crashes, failures, others |
//! | [`tiers`] | two stores, request by request: orders, crashes, failures, losses |
//! | [`sessions`] | sessions to test with, over every store there is |
//! | `crash` | a script of operations, and what must be there whenever it stops (Linux) |
//! | `disk_image` | file systems in files, which can be copied as a power cut leaves them (Linux) |

pub mod build;
#[cfg(target_os = "linux")]
pub mod crash;
#[cfg(target_os = "linux")]
pub mod disk_image;
pub mod frozen;
pub mod live;
pub mod real;
pub mod retention;
pub mod sessions;
pub mod spy;
pub mod store_cases;
pub mod tiers;
pub mod vectors;
